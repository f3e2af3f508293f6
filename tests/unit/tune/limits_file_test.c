/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tune/limits_file.h"

static void limits_are_read(void **state) {
  (void)state;
  static const char text[] = "# <domain> <type> <item> <value>\n"
                             "*\tsoft nofile 999999 # from 2012\n"
                             "  @www - nofile unlimited\n"
                             "root hard nproc -1\n"
                             "ftp - maxlogins 99999999999999999999999\n";
  thirl_tune_limits_file f = thirl_tune_limits_file_of(THIRL_BYTES(text, sizeof text - 1));
  thirl_tune_limit l;
  assert_true(thirl_tune_limits_file_next(&f, &l));
  assert_string_equal(l.domain, "*");
  assert_string_equal(l.item, "nofile");
  assert_int_equal(l.type, THIRL_TUNE_LIMIT_SOFT);
  assert_int_equal(l.number, 999999);
  assert_int_equal(l.line, 2);
  assert_false(l.is_unlimited);
  assert_true(thirl_tune_limits_file_next(&f, &l));
  assert_string_equal(l.domain, "@www");
  assert_int_equal(l.type, THIRL_TUNE_LIMIT_BOTH);
  assert_true(l.is_unlimited);
  assert_true(thirl_tune_limits_file_next(&f, &l));
  assert_int_equal(l.type, THIRL_TUNE_LIMIT_HARD);
  assert_true(l.is_unlimited);
  assert_true(thirl_tune_limits_file_next(&f, &l));
  assert_int_equal(l.number, 0);
  assert_string_equal(l.value, "99999999999999999999999");
  assert_false(thirl_tune_limits_file_next(&f, &l));
  assert_int_equal(f.bad, 0);
}

static void what_is_no_limit_is_counted(void **state) {
  (void)state;
  static const char *const bad[] = {"a",
                                    "a -",
                                    "a - nofile",
                                    "a firm nofile 1",
                                    "a - nofile 1 2",
                                    "a\x01 - nofile 1",
                                    "\xc3\xa9 - nofile 1",
                                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa - nofile 1"};
  for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
    thirl_tune_limits_file f = thirl_tune_limits_file_of(THIRL_BYTES(bad[i], strlen(bad[i])));
    thirl_tune_limit l;
    assert_false(thirl_tune_limits_file_next(&f, &l));
    assert_int_equal(f.bad, 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(limits_are_read),
      cmocka_unit_test(what_is_no_limit_is_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
