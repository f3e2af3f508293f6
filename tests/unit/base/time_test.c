/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"

static void nothing_wraps(void **state) {
  (void)state;
  assert_true(thirl_time_after(5, 3 * THIRL_MS) == 3005);
  assert_true(thirl_time_after(THIRL_NEVER, 1) == THIRL_NEVER);
  assert_true(thirl_time_after(1, THIRL_NEVER) == THIRL_NEVER);
  assert_true(thirl_time_after(THIRL_NEVER - 1, 1) == THIRL_NEVER);
  assert_true(thirl_time_after(THIRL_NEVER - 1, 2) == THIRL_NEVER);
  assert_true(thirl_time_after(THIRL_NEVER, THIRL_NEVER) == THIRL_NEVER);
  assert_true(thirl_time_after(0, 0) == 0);
}

static void units_are_microseconds(void **state) {
  (void)state;
  assert_true(THIRL_S == 1000 * THIRL_MS && THIRL_MS == 1000 * THIRL_US);
  assert_true(THIRL_MIN(THIRL_S, THIRL_MS) == THIRL_MS && THIRL_MAX(THIRL_S, THIRL_MS) == THIRL_S);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_wraps),
      cmocka_unit_test(units_are_microseconds),
  };
  return cmocka_run_group_tests_name("base/time", tests, NULL, NULL);
}
