/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "parcel/progress.h"

/* So many bytes a second, looked at ten times a second. */
static void run(thirl_parcel_progress *p, thirl_time *now, uint64_t *moved, uint64_t rate, unsigned seconds) {
  for (unsigned i = 0; i < seconds * 10; i++) {
    *now += 100 * THIRL_MS;
    *moved += rate / 10;
    thirl_parcel_progress_input(p, *now, *moved);
  }
}

static void a_steady_speed_is_known_soon_and_exactly(void **state) {
  (void)state;
  thirl_parcel_progress p = {0};
  thirl_time now = 5 * THIRL_S;
  uint64_t moved = 0, left;
  thirl_parcel_progress_input(&p, now, moved);
  assert_false(thirl_parcel_progress_left(&p, 100, &left));
  run(&p, &now, &moved, 1000000, 1);
  assert_in_range((uint64_t)thirl_parcel_progress_rate(&p), 999000, 1001000);
  assert_true(thirl_parcel_progress_left(&p, 60000000, &left));
  assert_in_range(left, 59, 61);
}

static void what_was_there_already_is_no_speed(void **state) {
  (void)state;
  thirl_parcel_progress p = {0};
  thirl_time now = 5 * THIRL_S;
  uint64_t moved = 900000000;
  thirl_parcel_progress_input(&p, now, moved);
  run(&p, &now, &moved, 50000, 5);
  assert_in_range((uint64_t)thirl_parcel_progress_rate(&p), 49000, 51000);
}

static void a_change_of_speed_is_followed_without_a_jump(void **state) {
  (void)state;
  thirl_parcel_progress p = {0};
  thirl_time now = 5 * THIRL_S;
  uint64_t moved = 0;
  thirl_parcel_progress_input(&p, now, moved);
  run(&p, &now, &moved, 1000000, 20);
  run(&p, &now, &moved, 100000, 1);
  assert_in_range((uint64_t)thirl_parcel_progress_rate(&p), 700000, 900000);
  run(&p, &now, &moved, 100000, 20);
  assert_in_range((uint64_t)thirl_parcel_progress_rate(&p), 100000, 110000);
}

static void nobody_knows_how_long_when_nothing_moves(void **state) {
  (void)state;
  thirl_parcel_progress p = {0};
  thirl_time now = 5 * THIRL_S;
  uint64_t moved = 0, left = 7;
  thirl_parcel_progress_input(&p, now, moved);
  run(&p, &now, &moved, 1000000, 5);
  run(&p, &now, &moved, 0, 90);
  assert_false(thirl_parcel_progress_left(&p, 1000000, &left));
  assert_int_equal(left, 0);
  /* A clock that stands still, and one look after another, change nothing. */
  double rate = thirl_parcel_progress_rate(&p);
  for (int i = 0; i < 100; i++)
    thirl_parcel_progress_input(&p, now, moved + 1000);
  assert_true(thirl_parcel_progress_rate(&p) <= rate && thirl_parcel_progress_rate(&p) >= rate);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_steady_speed_is_known_soon_and_exactly),
                                     cmocka_unit_test(what_was_there_already_is_no_speed),
                                     cmocka_unit_test(a_change_of_speed_is_followed_without_a_jump),
                                     cmocka_unit_test(nobody_knows_how_long_when_nothing_moves)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
