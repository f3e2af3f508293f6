/* SPDX-License-Identifier: MIT */
/* A peer cannot fill a terminal or a log. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "apps/thirl/hush.h"

static void so_many_lines_a_minute(void **state) {
  (void)state;
  hush h = {0};
  unsigned missed = 7;
  for (int i = 0; i < 30; i++) {
    assert_true(hush_allows(&h, 100000, &missed));
    assert_int_equal(missed, 0);
  }
  for (int i = 0; i < 1000; i++)
    assert_false(hush_allows(&h, 100000 + (uint64_t)i, &missed));
  assert_false(hush_allows(&h, 159999, &missed));
  assert_true(hush_allows(&h, 160000, &missed));
  assert_int_equal(missed, 1001);
  assert_true(hush_allows(&h, 160000, &missed));
  assert_int_equal(missed, 0);
}

static void early_times_count_too(void **state) {
  (void)state;
  hush h = {0};
  unsigned missed, said = 0;
  for (int i = 0; i < 100; i++)
    said += hush_allows(&h, 5, &missed);
  assert_int_equal(said, 30);
}

static void the_count_does_not_go_round(void **state) {
  (void)state;
  hush h = {.since = 1, .said = 30, .unsaid = UINT_MAX};
  unsigned missed;
  assert_false(hush_allows(&h, 2, &missed));
  assert_true(hush_allows(&h, 60001, &missed));
  assert_true(missed == UINT_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(so_many_lines_a_minute),
      cmocka_unit_test(early_times_count_too),
      cmocka_unit_test(the_count_does_not_go_round),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
