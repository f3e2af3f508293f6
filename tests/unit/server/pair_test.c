/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server/pair.h"

static thirl_addr at(uint8_t host, uint16_t port) {
  return thirl_addr_v4(192, 0, 2, host, port);
}

static thirl_server_pair usual(void) {
  return (thirl_server_pair){.primary = at(1, 3478), .alternate = at(2, 3479)};
}

static void knows_its_corners(void **state) {
  (void)state;
  thirl_server_pair p = usual();
  const thirl_addr corners[] = {at(1, 3478), at(1, 3479), at(2, 3478), at(2, 3479)};
  for (unsigned i = 0; i < 4; i++) {
    thirl_addr a = thirl_server_pair_corner(&p, i);
    assert_true(thirl_addr_equal(&a, &corners[i]));
    assert_int_equal(thirl_server_pair_find(&p, &a), i);
  }
  const thirl_addr strangers[] = {at(1, 3480), at(3, 3478), at(2, 0), {.family = THIRL_FAMILY_NONE}};
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(thirl_server_pair_find(&p, &strangers[i]), -1);
  p = (thirl_server_pair){.primary = {.family = THIRL_FAMILY_NONE}};
  assert_int_equal(thirl_server_pair_find(&p, &p.primary), -1);
}

static void the_other_of_the_other_is_itself(void **state) {
  (void)state;
  assert_int_equal(thirl_server_pair_across(0, true, true), 3);
  assert_int_equal(thirl_server_pair_across(3, true, true), 0);
  assert_int_equal(thirl_server_pair_across(0, true, false), 2);
  assert_int_equal(thirl_server_pair_across(2, false, true), 3);
  assert_int_equal(thirl_server_pair_across(1, false, false), 1);
}

static void is_sound_when_both_differ(void **state) {
  (void)state;
  uint8_t six[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
  thirl_server_pair p = usual();
  assert_true(thirl_server_pair_is_sound(&p));
  const thirl_addr wrong[] = {at(1, 3479),
                              at(2, 3478),
                              at(2, 0),
                              thirl_addr_any(THIRL_FAMILY_V4, 3479),
                              thirl_addr_v6(six, 3479),
                              {.family = THIRL_FAMILY_NONE}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    p.alternate = wrong[i];
    assert_false(thirl_server_pair_is_sound(&p));
  }
}

static bool derives(const thirl_addr *list, size_t n) {
  thirl_server_pair p;
  bool is = thirl_server_pair_derive(list, n, THIRL_FAMILY_V4, &p);
  assert_int_equal(is, thirl_server_pair_is_set(&p));
  return is;
}

static void four_listeners_make_one(void **state) {
  (void)state;
  uint8_t six[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
  thirl_server_pair p, wanted = usual();
  thirl_addr list[8] = {at(1, 3478), at(2, 3478), thirl_addr_v6(six, 5), at(2, 3479), at(1, 3479)};
  assert_true(thirl_server_pair_derive(list, 8, THIRL_FAMILY_V4, &p));
  assert_memory_equal(&p, &wanted, sizeof p);
  assert_false(thirl_server_pair_derive(list, 8, THIRL_FAMILY_V6, &p));
  assert_true(derives(list, 5));
  assert_false(derives(list, 4)); /* three corners */
  list[5] = at(1, 3480);
  assert_false(derives(list, 6)); /* three ports */
  list[5] = at(3, 3478);
  assert_false(derives(list, 6)); /* three addresses */
  list[5] = thirl_addr_any(THIRL_FAMILY_V4, 9);
  assert_true(derives(list, 6)); /* says nothing of addresses */
  const thirl_addr one[] = {at(1, 3478), at(1, 3479)}, other[] = {at(1, 3478), at(2, 3478)},
                   two[] = {at(1, 1), at(2, 2)};
  assert_false(derives(one, 2));
  assert_false(derives(other, 2));
  assert_false(derives(two, 2));
  assert_false(derives(NULL, 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_its_corners),
      cmocka_unit_test(the_other_of_the_other_is_itself),
      cmocka_unit_test(is_sound_when_both_differ),
      cmocka_unit_test(four_listeners_make_one),
  };
  return cmocka_run_group_tests_name("server/pair", tests, NULL, NULL);
}
