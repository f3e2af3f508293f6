/* SPDX-License-Identifier: MIT */
/* The table of relay channels. */
#include "meet/channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_add_find_remove(void **state) {
  (void)state;
  thirl_meet_channels t = {0};
  assert_null(thirl_meet_channel_find(&t, 0x4000));
  assert_null(thirl_meet_channel_get(&t, 0));
  assert_int_equal(thirl_meet_channel_add(&t, 0x4000, 7), THIRL_OK);
  assert_int_equal(thirl_meet_channel_add(&t, 0x4001, 8), THIRL_OK);
  assert_int_equal(thirl_meet_channel_add(&t, 0x4000, 9), THIRL_E_IN_USE);
  assert_int_equal(thirl_meet_channel_find(&t, 0x4000)->credit, 7);
  assert_true(thirl_meet_channel_remove(&t, 0x4000));
  assert_false(thirl_meet_channel_remove(&t, 0x4000));
  assert_null(thirl_meet_channel_get(&t, 0x4000));
  assert_int_equal(thirl_meet_channel_get(&t, 0x4001)->credit, 8);
  assert_int_equal(t.n, 1);
}

static void test_limit(void **state) {
  (void)state;
  thirl_meet_channels t = {0};
  for (uint16_t i = 0; i < THIRL_MEET_CHANNELS_MAX; i++)
    assert_int_equal(thirl_meet_channel_add(&t, (uint16_t)(0x4000 + i), i), THIRL_OK);
  assert_int_equal(thirl_meet_channel_add(&t, 0x4fff, 1), THIRL_E_LIMIT);
  assert_int_equal(thirl_meet_channel_add(&t, 0x4000, 1), THIRL_E_IN_USE);
  /* out of the middle, and all others stay what they are */
  assert_true(thirl_meet_channel_remove(&t, 0x4005));
  for (uint16_t i = 0; i < THIRL_MEET_CHANNELS_MAX; i++) {
    const thirl_meet_channel *c = thirl_meet_channel_get(&t, (uint16_t)(0x4000 + i));
    if (i == 5)
      assert_null(c);
    else
      assert_int_equal(c->credit, i);
  }
  assert_int_equal(thirl_meet_channel_add(&t, 0x4fff, 1), THIRL_OK);
}

static void test_credit_stops_at_its_maximum(void **state) {
  (void)state;
  thirl_meet_channel c = {.number = 0x4000};
  thirl_meet_channel_grant(&c, THIRL_MEET_CREDIT_MAX - 1);
  assert_int_equal(c.credit, THIRL_MEET_CREDIT_MAX - 1);
  thirl_meet_channel_grant(&c, 1);
  assert_int_equal(c.credit, THIRL_MEET_CREDIT_MAX);
  thirl_meet_channel_grant(&c, UINT32_MAX);
  assert_int_equal(c.credit, THIRL_MEET_CREDIT_MAX);
  c.credit -= 3;
  thirl_meet_channel_grant(&c, 4);
  assert_int_equal(c.credit, THIRL_MEET_CREDIT_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_add_find_remove),
      cmocka_unit_test(test_limit),
      cmocka_unit_test(test_credit_stops_at_its_maximum),
  };
  return cmocka_run_group_tests_name("meet/channel", tests, NULL, NULL);
}
