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

#include "tune/belief.h"
#include "tune/myth.h"

static const thirl_tune_scene plain = {.nr_open = 1048576};

static const char *id_of(const thirl_tune_scene *scene, const char *name, const char *value) {
  const thirl_tune_myth *m = thirl_tune_myth_of_setting(scene, name, value);
  return m ? m->id : "";
}

/* What the article of 2012 and its descendants say, line by line. */
static void each_line_of_the_article_gets_its_verdict(void **state) {
  (void)state;
  static const struct {
    const char *name, *value, *id;
    thirl_tune_myth_verdict verdict;
  } rows[] = {
      {"net.ipv4.ip_local_port_range", "18000 65535", "port-range", THIRL_TUNE_MYTH_RIGHT_BUT},
      {"net.ipv4.netfilter.ip_conntrack_tcp_timeout_time_wait", "1", "ct-time-wait-old", THIRL_TUNE_MYTH_GONE},
      {"net.netfilter.nf_conntrack_tcp_timeout_time_wait", "1", "ct-time-wait", THIRL_TUNE_MYTH_NO_EFFECT},
      {"net.netfilter.nf_conntrack_max", "262144", "ct-max", THIRL_TUNE_MYTH_RIGHT_BUT},
      {"net.netfilter.nf_conntrack_tcp_timeout_established", "600", "ct-established", THIRL_TUNE_MYTH_HARMFUL},
      {"net.ipv4.netfilter.ip_conntrack_tcp_timeout_established", "600", "ct-established-old", THIRL_TUNE_MYTH_GONE},
      {"net.ipv4.netfilter.ip_conntrack_max", "1", "ip-conntrack", THIRL_TUNE_MYTH_GONE},
      {"net.ipv4.ip_conntrack_max", "65536", "ip-conntrack-max", THIRL_TUNE_MYTH_GONE},
      {"net.ipv4.tcp_slow_start_after_idle", "0", "slow-start", THIRL_TUNE_MYTH_RIGHT_BUT},
      {"net.ipv4.tcp_tw_recycle", "1", "tw-recycle", THIRL_TUNE_MYTH_GONE},
      {"net.ipv4.tcp_tw_reuse", "1", "tw-reuse", THIRL_TUNE_MYTH_RIGHT_BUT},
      {"net.ipv4.tcp_fin_timeout", "15", "fin-timeout", THIRL_TUNE_MYTH_NO_EFFECT},
      {"net.ipv4.tcp_max_syn_backlog", "65536", "syn-backlog", THIRL_TUNE_MYTH_NO_EFFECT},
      {"net.ipv4.tcp_max_tw_buckets", "5000", "tw-buckets", THIRL_TUNE_MYTH_HARMFUL},
      {"net.ipv4.route.max_size", "8048576", "route-max-size", THIRL_TUNE_MYTH_NO_EFFECT},
      {"net.ipv4.route.gc_elasticity", "2", "route-gc", THIRL_TUNE_MYTH_NO_EFFECT},
      {"net.ipv4.route.secret_interval", "600", "route-secret", THIRL_TUNE_MYTH_GONE},
      {"net.core.somaxconn", "1024", "somaxconn", THIRL_TUNE_MYTH_OUTDATED},
      {"net.core.somaxconn", "65535", "somaxconn-high", THIRL_TUNE_MYTH_RIGHT_BUT},
      {"net.ipv4.tcp_syncookies", "0", "syncookies-off", THIRL_TUNE_MYTH_HARMFUL},
      {"net.ipv4.tcp_timestamps", "0", "timestamps", THIRL_TUNE_MYTH_HARMFUL},
      {"net.ipv4.conf.eth0/5.rp_filter", "1", "rp-filter", THIRL_TUNE_MYTH_RIGHT_BUT},
  };
  for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
    const thirl_tune_myth *m = thirl_tune_myth_of_setting(&plain, rows[i].name, rows[i].value);
    assert_non_null(m);
    assert_string_equal(m->id, rows[i].id);
    assert_int_equal(m->verdict, rows[i].verdict);
  }
}

static void good_values_are_left_alone(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"net.ipv4.tcp_syncookies", "1"},
      {"net.ipv4.tcp_tw_reuse", "2"},
      {"net.ipv4.tcp_timestamps", "1"},
      {"net.ipv4.tcp_fin_timeout", "60"},
      {"net.netfilter.nf_conntrack_tcp_timeout_established", "7440"},
      {"net.netfilter.nf_conntrack_tcp_timeout_time_wait", "120"},
      {"net.netfilter.nf_conntrack_udp_timeout", "120"},
      {"net.netfilter.nf_conntrack_tcp_loose", "1"},
      {"net.ipv4.conf.all.rp_filter", "2"},
      {"net.ipv4.tcp_retries2", "8"},
      {"net.ipv4.tcp_max_tw_buckets", "262144"},
      {"net.core.rmem_max", "16777216"},
      {"kernel.pid_max", "4194304"},
      {"net.ipv4.tcp_fin_timeout", "soon"},
      {"net.ipv4.tcp_fin_timeout", ""},
      {"net.ipv4.tcp_fin_timeout", "15x"},
  };
  for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_string_equal(id_of(&plain, rows[i][0], rows[i][1]), "");
}

static void the_machine_decides_some(void **state) {
  (void)state;
  static const char established[] = "net.netfilter.nf_conntrack_tcp_timeout_established";
  thirl_tune_scene s = plain;
  s.cookies_are_off = true;
  assert_string_equal(id_of(&s, "net.ipv4.tcp_max_syn_backlog", "65536"), "");
  s.has_bbr = true;
  assert_string_equal(id_of(&s, "net.ipv4.tcp_slow_start_after_idle", "0"), "slow-start-bbr");
  s.is_no_nat = true;
  assert_string_equal(id_of(&s, established, "600"), "ct-established-host");
  s.is_nat = true;
  assert_string_equal(id_of(&s, established, "600"), "ct-established");
}

static void impossible_values_are_told(void **state) {
  (void)state;
  static const char *const rows[][3] = {
      {"net.ipv4.ip_local_port_range", "1024 65536", "port-range-top"},
      {"net.ipv4.ip_local_port_range", "1 65000", "port-range-low"},
      {"net.ipv4.ip_local_port_range", "99999999999999999999999999 3", "port-range-top"},
      {"net.ipv4.ip_local_port_range", "-5 65000", "port-range-low"},
      {"net.ipv4.tcp_tw_reuse", "3", "tw-reuse-range"},
      {"net.ipv4.tcp_retries2", "256", "retries2-range"},
      {"net.ipv4.tcp_syn_retries", "128", "syn-retries-range"},
      {"net.ipv4.tcp_synack_retries", "300", "synack-retries-range"},
  };
  for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_string_equal(id_of(&plain, rows[i][0], rows[i][1]), rows[i][2]);
}

static void limits_are_for_logins(void **state) {
  (void)state;
  thirl_tune_limit l = {.item = "nofile", .number = 999999};
  thirl_tune_scene unknown = {0};
  assert_string_equal(thirl_tune_myth_of_limit(&plain, &l)->id, "nofile-place");
  l.number = 1048577;
  assert_string_equal(thirl_tune_myth_of_limit(&plain, &l)->id, "nofile-too-high");
  assert_string_equal(thirl_tune_myth_of_limit(&unknown, &l)->id, "nofile-place");
  l.number = 0;
  l.is_unlimited = true;
  assert_string_equal(thirl_tune_myth_of_limit(&plain, &l)->id, "nofile-place");
  memcpy(l.item, "nproc", 6);
  assert_null(thirl_tune_myth_of_limit(&plain, &l));
}

/* No row is dead: each can be the first that fits. And each says enough. */
static void every_row_can_be_reached(void **state) {
  (void)state;
  const thirl_tune_scene scenes[] = {{0}, {.is_no_nat = true}, {.has_bbr = true}, {.cookies_are_off = true}};
  const thirl_tune_belief *b;
  unsigned n = 0;
  for (; (b = thirl_tune_belief_at(n)) != NULL; n++) {
    const int64_t values[] = {b->bound - 1, b->bound, b->bound + 1, 8, 70000, 32768};
    bool found = false;
    char name[THIRL_TUNE_NAME_MAX], value[32];
    snprintf(name, sizeof name, "%s", b->name);
    for (char *c = name; *c; c++)
      if (*c == '*') *c = 'x';
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
      for (unsigned k = 0; k < sizeof scenes / sizeof *scenes; k++) {
        snprintf(value, sizeof value, "%lld", (long long)values[i]);
        found |= thirl_tune_myth_of_setting(&scenes[k], name, value) == &b->myth;
      }
    if (!found) fail_msg("%s is never the answer", b->myth.id);
    assert_ptr_equal(thirl_tune_myth_at(n), &b->myth);
  }
  assert_true(n >= 40);
}

static void ids_are_unique_and_texts_are_whole(void **state) {
  (void)state;
  const thirl_tune_myth *m, *other;
  for (unsigned i = 0; (m = thirl_tune_myth_at(i)) != NULL; i++) {
    assert_true(strlen(m->sentence) > 15);
    assert_true(m->sentence[strlen(m->sentence) - 1] != '.');
    assert_true(m->verdict < THIRL_TUNE_MYTH_VERDICT_COUNT);
    for (unsigned k = 0; k < i; k++) {
      other = thirl_tune_myth_at(k);
      assert_string_not_equal(m->id, other->id);
    }
  }
  assert_string_equal(thirl_tune_myth_word(THIRL_TUNE_MYTH_NO_EFFECT), "no effect");
  assert_string_equal(thirl_tune_myth_word(THIRL_TUNE_MYTH_VERDICT_COUNT), "unknown");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_line_of_the_article_gets_its_verdict),
      cmocka_unit_test(good_values_are_left_alone),
      cmocka_unit_test(the_machine_decides_some),
      cmocka_unit_test(impossible_values_are_told),
      cmocka_unit_test(limits_are_for_logins),
      cmocka_unit_test(every_row_can_be_reached),
      cmocka_unit_test(ids_are_unique_and_texts_are_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
