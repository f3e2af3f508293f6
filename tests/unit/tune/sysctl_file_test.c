/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tune/sysctl_file.h"

static thirl_tune_sysctl_file of(const char *text) {
  return thirl_tune_sysctl_file_of(THIRL_BYTES(text, strlen(text)));
}

static void comments_and_blanks_say_nothing(void **state) {
  (void)state;
  thirl_tune_sysctl_file f = of("# a\n ; b\n\n  \t\r\n\tnet.ipv4.tcp_syncookies \t=  1 \r\n#net.a = 2\n");
  thirl_tune_line l;
  assert_true(thirl_tune_sysctl_file_next(&f, &l));
  assert_string_equal(l.name, "net.ipv4.tcp_syncookies");
  assert_string_equal(l.value, "1");
  assert_int_equal(l.line, 5);
  assert_false(l.may_fail || l.is_pattern || l.is_exclusion);
  assert_false(thirl_tune_sysctl_file_next(&f, &l));
  assert_int_equal(f.bad, 0);
}

static void a_line_needs_no_end_and_a_value_may_be_empty(void **state) {
  (void)state;
  thirl_tune_sysctl_file f = of("kernel.core_pattern=\nnet.ipv4.ip_local_port_range=16384\t \t49151");
  thirl_tune_line l;
  assert_true(thirl_tune_sysctl_file_next(&f, &l));
  assert_string_equal(l.value, "");
  assert_true(thirl_tune_sysctl_file_next(&f, &l));
  assert_string_equal(l.value, "16384 49151");
  assert_int_equal(l.line, 2);
  assert_false(thirl_tune_sysctl_file_next(&f, &l));
}

static void slashes_and_dots_are_one_name(void **state) {
  (void)state;
  static const char *const pairs[][2] = {
      {"net/ipv4/conf/eth0.5/rp_filter", "net.ipv4.conf.eth0/5.rp_filter"},
      {"net.ipv4.conf.eth0/5.rp_filter", "net.ipv4.conf.eth0/5.rp_filter"},
      {"net.ipv4.tcp_sack", "net.ipv4.tcp_sack"},
      {"kernel", "kernel"},
  };
  char name[THIRL_TUNE_NAME_MAX];
  for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    assert_true(thirl_tune_sysctl_file_name(THIRL_BYTES(pairs[i][0], strlen(pairs[i][0])), name));
    assert_string_equal(name, pairs[i][1]);
  }
  assert_true(thirl_tune_sysctl_file_path("net.ipv4.conf.eth0/5.rp_filter", name));
  assert_string_equal(name, "net/ipv4/conf/eth0.5/rp_filter");
}

static void a_name_never_leads_out(void **state) {
  (void)state;
  static const char *const bad[] = {"", ".", "net.//.a", "net..a", "..net", "net.a.", "/etc.a/../b", "net./.a", "/"};
  char path[THIRL_TUNE_NAME_MAX], name[THIRL_TUNE_NAME_MAX];
  for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(thirl_tune_sysctl_file_path(bad[i], path));
  assert_true(thirl_tune_sysctl_file_name(THIRL_BYTES("../../etc/passwd", 16), name));
  assert_false(thirl_tune_sysctl_file_path(name, path));
}

static void a_minus_is_read(void **state) {
  (void)state;
  thirl_tune_sysctl_file f =
      of("-net.ipv4.tcp_x = 1\n-net.ipv4.conf.lo.rp_filter\nnet/ipv4/conf/*/rp_filter=2\n- a.b=3\n");
  thirl_tune_line l;
  assert_true(thirl_tune_sysctl_file_next(&f, &l));
  assert_true(l.may_fail && !l.is_exclusion);
  assert_string_equal(l.name, "net.ipv4.tcp_x");
  assert_true(thirl_tune_sysctl_file_next(&f, &l));
  assert_true(l.is_exclusion && !l.may_fail);
  assert_string_equal(l.name, "net.ipv4.conf.lo.rp_filter");
  assert_string_equal(l.value, "");
  assert_true(thirl_tune_sysctl_file_next(&f, &l));
  assert_true(l.is_pattern);
  assert_string_equal(l.name, "net.ipv4.conf.*.rp_filter");
  assert_true(thirl_tune_sysctl_file_next(&f, &l));
  assert_string_equal(l.name, "a.b");
  assert_false(thirl_tune_sysctl_file_next(&f, &l));
}

static void odd_bytes_are_counted_and_left_out(void **state) {
  (void)state;
  static const char text[] = "a\033[2J=1\nnoequals\n=1\nb=\0\n\xff=1\na b=1\n-\nc.d=\x9b\ngood.one=1\n";
  thirl_tune_sysctl_file f = thirl_tune_sysctl_file_of(THIRL_BYTES(text, sizeof text - 1));
  thirl_tune_line l;
  assert_true(thirl_tune_sysctl_file_next(&f, &l));
  assert_string_equal(l.name, "good.one");
  assert_int_equal(l.line, 9);
  assert_false(thirl_tune_sysctl_file_next(&f, &l));
  assert_string_equal(l.name, "");
  assert_int_equal(f.bad, 8);
}

static void what_is_too_long_is_left_out(void **state) {
  (void)state;
  char text[2 * THIRL_TUNE_VALUE_MAX];
  thirl_tune_line l;
  for (size_t n = THIRL_TUNE_NAME_MAX - 1; n <= THIRL_TUNE_NAME_MAX; n++) {
    memset(text, 'a', n);
    text[n] = '=';
    thirl_tune_sysctl_file f = thirl_tune_sysctl_file_of(THIRL_BYTES(text, n + 1));
    assert_int_equal(thirl_tune_sysctl_file_next(&f, &l), n < THIRL_TUNE_NAME_MAX);
    assert_int_equal(f.bad, n == THIRL_TUNE_NAME_MAX);
  }
  for (size_t n = THIRL_TUNE_VALUE_MAX - 1; n <= THIRL_TUNE_VALUE_MAX; n++) {
    memset(text, 'a', n + 2);
    text[1] = '=';
    thirl_tune_sysctl_file f = thirl_tune_sysctl_file_of(THIRL_BYTES(text, n + 2));
    assert_int_equal(thirl_tune_sysctl_file_next(&f, &l), n < THIRL_TUNE_VALUE_MAX);
    assert_int_equal(f.bad, n == THIRL_TUNE_VALUE_MAX);
  }
}

static void patterns_stay_within_a_part(void **state) {
  (void)state;
  assert_true(thirl_tune_sysctl_file_match("net.ipv4.conf.*.rp_filter", "net.ipv4.conf.eth0/5.rp_filter"));
  assert_true(thirl_tune_sysctl_file_match("net.ipv4.conf.*.rp_filter", "net.ipv4.conf.*.rp_filter"));
  assert_true(thirl_tune_sysctl_file_match("net.ipv4.tcp_sack", "net.ipv4.tcp_sack"));
  assert_false(thirl_tune_sysctl_file_match("net.ipv4.*", "net.ipv4.conf.all.rp_filter"));
  assert_false(thirl_tune_sysctl_file_match("net.ipv4.conf.*.rp_filter", "net.ipv4.conf.all.log.rp_filter"));
  assert_false(thirl_tune_sysctl_file_match("net..a", "net..a"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(comments_and_blanks_say_nothing),
      cmocka_unit_test(a_line_needs_no_end_and_a_value_may_be_empty),
      cmocka_unit_test(slashes_and_dots_are_one_name),
      cmocka_unit_test(a_name_never_leads_out),
      cmocka_unit_test(a_minus_is_read),
      cmocka_unit_test(odd_bytes_are_counted_and_left_out),
      cmocka_unit_test(what_is_too_long_is_left_out),
      cmocka_unit_test(patterns_stay_within_a_part),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
