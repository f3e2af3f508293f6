/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tune/files.h"

static thirl_tune_facts f;

static bool limits(const char *text) {
  memset(&f, 0, sizeof f);
  thirl_tune_files_limits(&f, thirl_tune_text_of(text));
  return f.limits_d_sets_nofile;
}

static bool recycle(const char *text) {
  memset(&f, 0, sizeof f);
  thirl_tune_files_sysctl(&f, thirl_tune_text_of(text));
  return f.sysctl_d_has_tw_recycle;
}

static unsigned full(const char *text, int64_t now_s, uint64_t namespace) {
  memset(&f, 0, sizeof f);
  f.namespace = namespace;
  thirl_tune_files_log(&f, thirl_tune_text_of(text), now_s * 1000000);
  return f.n_table_full_lines;
}

static void limits_d(void **state) {
  (void)state;
  assert_true(limits("* soft core 0\n*\thard\tnofile\t999999\n"));
  assert_false(limits("# * hard nofile 999999\n  # * soft nofile 1\n"));
  assert_false(limits("* hard nofiles 5\n"));
}

static void sysctl_d(void **state) {
  (void)state;
  assert_true(recycle("net.core.somaxconn = 5\nnet.ipv4.tcp_tw_recycle = 1\n"));
  assert_true(recycle("-net/ipv4/tcp_tw_recycle=0"));
  assert_false(recycle("# net.ipv4.tcp_tw_recycle = 1\n; net.ipv4.tcp_tw_recycle = 1\n\n"));
}

static void the_log(void **state) {
  (void)state;
  static const char line[] =
      "4,1234,5000000000,-;nf_conntrack: nf_conntrack: table full in netns 4026532675, dropping packet\n";
  assert_int_equal(full(line, 5000, 0), 1);
  assert_int_equal(full(line, 8600, 0), 1); /* an hour */
  assert_int_equal(full(line, 8601, 0), 0);
  assert_int_equal(full(line, 4999, 0), 0); /* not from the future */
  assert_int_equal(full(line, 5000, 4026532675), 1);
  assert_int_equal(full(line, 5000, 4026531840), 0); /* of another namespace */
  assert_int_equal(full("4,1,5000000000,-;nf_conntrack: table full, dropping packet\n", 5000, 4026531840), 1);
  assert_int_equal(full("4,1,5000000000,-;something else\n;\n4;table\nx,y,z,-;nf_conntrack: table full\n", 5000, 0), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(limits_d),
      cmocka_unit_test(sysctl_d),
      cmocka_unit_test(the_log),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
