/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "tune/remark.h"

static thirl_tune_file file(const char *path, thirl_tune_place place, const char *text) {
  return (thirl_tune_file){.path = path, .place = place, .text = THIRL_BYTES(text, strlen(text))};
}

static void expect(const thirl_tune_remark *r, const char *where, const char *name, const char *id) {
  char is[256];
  snprintf(is, sizeof is, "%s:%u", r->path, r->line);
  assert_string_equal(is, where);
  assert_string_equal(r->name, name);
  assert_string_equal(r->myth->id, id);
}

static void every_line_has_its_place(void **state) {
  (void)state;
  const thirl_tune_scene scene = {.nr_open = 1048576};
  const thirl_tune_file files[] = {
      file("/etc/security/limits.d/90-nofile.conf", THIRL_TUNE_PLACE_PAM, "# all\n* - nofile 999999\nroot - nproc 5\n"),
      file("/etc/sysctl.d/60-web.conf", THIRL_TUNE_PLACE_ETC,
           "net/ipv4/tcp_tw_recycle = 1\nnet.core.somaxconn = 1024\n-net.ipv4.conf.lo.rp_filter\n"
           "net.ipv4.conf.*.rp_filter=1\n"),
      file("/etc/sysctl.d/70-more.conf", THIRL_TUNE_PLACE_ETC,
           "net.core.somaxconn = 65535\nnet.core.rmem_max = 1\nnet.core.rmem_max = 1\n"),
      file("/etc/sysctl.conf", THIRL_TUNE_PLACE_CONF, "kernel.pid_max = 99999\nnet.ipv4.tcp_syncookies = 0\n"),
  };
  thirl_tune_remarks r;
  assert_int_equal(thirl_tune_remark_judge(&scene, files, 4, &r), THIRL_OK);
  assert_int_equal(r.n, 8);
  expect(&r.list[0], "/etc/sysctl.d/60-web.conf:1", "net.ipv4.tcp_tw_recycle", "tw-recycle");
  expect(&r.list[1], "/etc/sysctl.d/60-web.conf:2", "net.core.somaxconn", "overridden");
  assert_string_equal(r.list[1].other_path, "/etc/sysctl.d/70-more.conf");
  assert_int_equal(r.list[1].other_line, 1);
  expect(&r.list[2], "/etc/sysctl.d/60-web.conf:4", "net.ipv4.conf.*.rp_filter", "rp-filter");
  expect(&r.list[3], "/etc/sysctl.d/70-more.conf:1", "net.core.somaxconn", "somaxconn-high");
  expect(&r.list[4], "/etc/sysctl.d/70-more.conf:2", "net.core.rmem_max", "twice");
  assert_int_equal(r.list[4].other_line, 3);
  expect(&r.list[5], "/etc/sysctl.conf:1", "kernel.pid_max", "sysctl-conf");
  expect(&r.list[6], "/etc/sysctl.conf:2", "net.ipv4.tcp_syncookies", "syncookies-off");
  expect(&r.list[7], "/etc/security/limits.d/90-nofile.conf:2", "* - nofile", "nofile-place");
  assert_string_equal(r.list[7].value, "999999");
  assert_null(r.list[7].other_path);
  thirl_tune_remark_fini(&r);
}

static void a_clean_machine_gets_no_remark(void **state) {
  (void)state;
  const thirl_tune_scene scene = {0};
  const thirl_tune_file files[] = {
      file("/usr/lib/sysctl.d/50-pid-max.conf", THIRL_TUNE_PLACE_LIB, "kernel.pid_max = 4194304\n"),
      file("/etc/security/limits.conf", THIRL_TUNE_PLACE_PAM, "#* soft core 0\n"),
  };
  thirl_tune_remarks r;
  assert_int_equal(thirl_tune_remark_judge(&scene, files, 2, &r), THIRL_OK);
  assert_int_equal(r.n, 0);
  thirl_tune_remark_fini(&r);
}

static void too_many_are_counted(void **state) {
  (void)state;
  static char text[(THIRL_TUNE_REMARKS_MAX + 7) * 40];
  const thirl_tune_scene scene = {0};
  size_t n = 0;
  for (unsigned i = 0; i < THIRL_TUNE_REMARKS_MAX + 7; i++)
    n += (size_t)snprintf(text + n, sizeof text - n, "net.ipv4.conf.e%u.rp_filter=1\n", i);
  const thirl_tune_file files[] = {file("/etc/sysctl.d/1.conf", THIRL_TUNE_PLACE_ETC, text)};
  thirl_tune_remarks r;
  assert_int_equal(thirl_tune_remark_judge(&scene, files, 1, &r), THIRL_OK);
  assert_int_equal(r.n, THIRL_TUNE_REMARKS_MAX);
  assert_int_equal(r.left_out, 7);
  thirl_tune_remark_fini(&r);
}

static void the_scene_is_what_was_read(void **state) {
  (void)state;
  static thirl_tune_facts f;
  thirl_tune_scene s = thirl_tune_remark_scene(&f);
  assert_false(s.is_nat || s.is_no_nat || s.cookies_are_off || s.has_bbr || s.nr_open);
  f.sysctl[THIRL_TUNE_SYSCTL_IP_FORWARD] = (thirl_tune_number){.v = 1, .why = THIRL_TUNE_WHY_READ};
  f.sysctl[THIRL_TUNE_SYSCTL_TCP_SYNCOOKIES] = (thirl_tune_number){.v = 0, .why = THIRL_TUNE_WHY_READ};
  f.sysctl[THIRL_TUNE_SYSCTL_NR_OPEN] = (thirl_tune_number){.v = 1048576, .why = THIRL_TUNE_WHY_READ};
  f.congestion = (thirl_tune_word){.text = "bbr", .why = THIRL_TUNE_WHY_READ};
  f.ruleset.why = THIRL_TUNE_WHY_READ;
  f.ruleset.has_masquerade = true;
  s = thirl_tune_remark_scene(&f);
  assert_true(s.is_nat && !s.is_no_nat && s.cookies_are_off && s.has_bbr);
  assert_int_equal(s.nr_open, 1048576);
  f.sysctl[THIRL_TUNE_SYSCTL_IP_FORWARD].v = 0;
  s = thirl_tune_remark_scene(&f);
  assert_true(!s.is_nat && s.is_no_nat);
  f.sysctl[THIRL_TUNE_SYSCTL_IP_FORWARD].v = 1;
  f.ruleset.has_masquerade = false;
  s = thirl_tune_remark_scene(&f);
  assert_true(!s.is_nat && s.is_no_nat);
  f.ruleset.has_foreign = true; /* somebody else's rules: nobody knows */
  s = thirl_tune_remark_scene(&f);
  assert_true(!s.is_nat && !s.is_no_nat);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_line_has_its_place),
      cmocka_unit_test(a_clean_machine_gets_no_remark),
      cmocka_unit_test(too_many_are_counted),
      cmocka_unit_test(the_scene_is_what_was_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
