/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tune/allow.h"
#include "tune/sysctl_file.h"

static void values_within_bounds_pass(void **state) {
  (void)state;
  static const char *const good[][2] = {
      {"net.core.somaxconn", "65535"},
      {"net.core.rmem_max", "16777216"},
      {"net.ipv4.ip_local_port_range", "16384 49151"},
      {"net.ipv4.ip_local_port_range", "16384\t49151"},
      {"net.ipv4.ip_local_reserved_ports", "49152-65535"},
      {"net.ipv4.ip_local_reserved_ports", "22,80,3478-3479,49152-65535"},
      {"net.ipv4.ip_local_reserved_ports", ""},
      {"net.ipv4.udp_mem", "23160 30880 463200"},
      {"net.core.default_qdisc", "fq"},
      {"net.netfilter.nf_conntrack_tcp_timeout_established", "7440"},
      {"net.ipv4.tcp_notsent_lowat", "131072"},
  };
  for (unsigned i = 0; i < sizeof good / sizeof *good; i++)
    if (thirl_tune_allow_refuse(good[i][0], good[i][1])) fail_msg("%s = %s", good[i][0], good[i][1]);
}

static void everything_else_is_refused(void **state) {
  (void)state;
  static const char *const bad[][2] = {
      {"net.core.somaxconn", "65536"},
      {"net.core.somaxconn", "127"},
      {"net.core.somaxconn", ""},
      {"net.core.somaxconn", "-1"},
      {"net.core.somaxconn", "4096 4096"},
      {"net.core.somaxconn", "4096\n"},
      {"net.core.somaxconn", "0x1000"},
      {"net.core.somaxconn", "99999999999999999999999999999999999"},
      {"net.ipv4.ip_local_port_range", "49151 16384"},
      {"net.ipv4.ip_local_port_range", "1 65535"},
      {"net.ipv4.ip_local_port_range", "1024"},
      {"net.ipv4.ip_local_port_range", "1024-2048"},
      {"net.ipv4.ip_local_reserved_ports", "0"},
      {"net.ipv4.ip_local_reserved_ports", "5-4"},
      {"net.ipv4.ip_local_reserved_ports", "5,"},
      {"net.ipv4.ip_local_reserved_ports", "5;6"},
      {"net.ipv4.ip_local_reserved_ports", "65536"},
      {"net.ipv4.udp_mem", "3000 2000 4000"},
      {"net.core.default_qdisc", "/bin/sh"},
      {"net.ipv4.tcp_syncookies", "0"},
      {"net.ipv4.ip_forward", "1"},
      {"net.ipv6.conf.all.disable_ipv6", "0"},
      {"kernel.modules_disabled", "1"},
      {"kernel.core_pattern", "|/bin/sh"},
      {"net.ipv4.tcp_tw_recycle", "1"},
      {"", "1"},
      {"net/core/somaxconn", "65535"},
  };
  for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
    if (!thirl_tune_allow_refuse(bad[i][0], bad[i][1])) fail_msg("%s = %s", bad[i][0], bad[i][1]);
}

static void the_list_is_sound(void **state) {
  (void)state;
  const thirl_tune_allowed *a, *last = NULL;
  char path[THIRL_TUNE_NAME_MAX];
  unsigned n = 0;
  for (; (a = thirl_tune_allow_at(n)) != NULL; n++) {
    assert_true(thirl_tune_sysctl_file_path(a->name, path));
    assert_true(strncmp(a->name, "net.", 4) == 0 || strncmp(a->name, "fs.", 3) == 0);
    assert_true(a->least <= a->most);
    assert_ptr_equal(thirl_tune_allow_find(a->name), a);
    if (last) assert_true(strcmp(last->name, a->name) < 0);
    last = a;
  }
  assert_true(n > 30);
}

static void blanks_make_no_difference(void **state) {
  (void)state;
  assert_true(thirl_tune_allow_same("1024\t65535", " 1024  65535 "));
  assert_true(thirl_tune_allow_same("", "  "));
  assert_false(thirl_tune_allow_same("1024 65535", "102465535"));
  assert_false(thirl_tune_allow_same("1", "12"));
  assert_false(thirl_tune_allow_same("1", ""));
  assert_false(thirl_tune_allow_same("1 2", "1"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_within_bounds_pass),
      cmocka_unit_test(everything_else_is_refused),
      cmocka_unit_test(the_list_is_sound),
      cmocka_unit_test(blanks_make_no_difference),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
