/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "apps/thirl/files.h"

static void the_limit_rises_as_far_as_it_may(void **state) {
  (void)state;
  struct rlimit l = {.rlim_cur = 64, .rlim_max = 200};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
  files_allow(150);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
  assert_int_equal(l.rlim_cur, 150);
  files_allow(100);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
  assert_int_equal(l.rlim_cur, 150);
  files_allow(1000);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
  assert_int_equal(l.rlim_cur, 200);
  assert_int_equal(l.rlim_max, 200);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_limit_rises_as_far_as_it_may)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
