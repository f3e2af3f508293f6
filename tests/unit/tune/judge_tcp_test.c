/* SPDX-License-Identifier: MIT */
#include "rig.h"

static void settings(void **state) {
  (void)state;
  static const rig_setting rows[] = {
      {S, ID(TCP1), SYSCTL(SOMAXCONN), 1024, OK},
      {S, ID(TCP1), SYSCTL(SOMAXCONN), 1023, WARN},
      {S, ID(TCP3), SYSCTL(TCP_SYNCOOKIES), 0, CRIT},
      {R, ID(TCP3), SYSCTL(TCP_SYNCOOKIES), 0, WARN},
      {C, ID(TCP3), SYSCTL(TCP_SYNCOOKIES), 0, WARN},
      {C, ID(TCP3), SYSCTL(TCP_SYNCOOKIES), 2, OK},
      {S, ID(TCP4), SYSCTL(TCP_MAX_SYN_BACKLOG), 128, OK},      /* cookies are on */
      {S, ID(TCP11), SYSCTL(TCP_SLOW_START_AFTER_IDLE), 1, OK}, /* with bbr */
      {R, ID(TCP14), SYSCTL(TCP_RETRIES2), 7, WARN},
      {R, ID(TCP14), SYSCTL(TCP_RETRIES2), 8, OK},
      {S, ID(TCP15), SYSCTL(TCP_ORPHAN_RETRIES), 0, OK},
      {S, ID(TCP15), SYSCTL(TCP_ORPHAN_RETRIES), 1, INFO},
      {C, ID(TCP16), SYSCTL(TCP_ABORT_ON_OVERFLOW), 1, WARN},
      {C, ID(TCP16), SYSCTL(TCP_ABORT_ON_OVERFLOW), 0, OK},
      {S, ID(TCP21), SYSCTL(TCP_NOTSENT_LOWAT), 4294967295, INFO},
      {S, ID(TCP21), SYSCTL(TCP_NOTSENT_LOWAT), -1, INFO},
      {S, ID(TCP21), SYSCTL(TCP_NOTSENT_LOWAT), 131072, OK},
      {C, ID(TCP22), SYSCTL(TCP_TIMESTAMPS), 0, WARN},
      {C, ID(TCP22), SYSCTL(TCP_TIMESTAMPS), 2, OK},
  };
  rig_settings(ROWS(rows));
}

static void counters(void **state) {
  (void)state;
  static const rig_counter rows[] = {
      {S, ID(TCP2), COUNTER(LISTEN_OVERFLOWS), 0, OK},       {S, ID(TCP2), COUNTER(LISTEN_OVERFLOWS), 1, CRIT},
      {S, ID(TCP2), COUNTER(LISTEN_DROPS), 1, CRIT},         {S, ID(TCP5), COUNTER(SYNCOOKIES_SENT), 0, OK},
      {S, ID(TCP5), COUNTER(SYNCOOKIES_SENT), 1, INFO},      {S, ID(TCP5), COUNTER(SYNCOOKIES_SENT), 5000, INFO},
      {S, ID(TCP5), COUNTER(SYNCOOKIES_SENT), 5005, WARN}, /* more than 1000 a second */
      {S, ID(TCP5), COUNTER(REQ_QUEUE_COOKIES), 5005, WARN},
  };
  rig_counters(ROWS(rows));
}

static void a_queue_that_was_cut(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.sockets.listener[0].backlog.v = 1023;
  rig_expect(g, ID(TCP1), WARN);
  g->after.sockets.listener[0].backlog.v = 1024;
  rig_expect(g, ID(TCP1), OK);
  g->after.sockets.listener[0].backlog.v = 8;
  g->after.sockets.listener[0].is_ours = false;
  rig_expect(g, ID(TCP1), OK); /* another program's */
  g->after.process.why = THIRL_TUNE_WHY_NO_SUBJECT;
  rig_expect(g, ID(TCP1), INFO);
}

static void the_backlog_of_syns_matters_without_cookies(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_sysctl(g, SYSCTL(TCP_SYNCOOKIES), 0);
  rig_sysctl(g, SYSCTL(TCP_MAX_SYN_BACKLOG), 4095);
  rig_expect(g, ID(TCP4), WARN);
  assert_int_equal(g->report.finding[ID(TCP4)].cause, ID(TCP3));
  rig_sysctl(g, SYSCTL(TCP_MAX_SYN_BACKLOG), 4096);
  rig_expect(g, ID(TCP4), OK);
}

static void slow_start_after_idle_with_cubic(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_sysctl(g, SYSCTL(TCP_SLOW_START_AFTER_IDLE), 1);
  strcpy(g->after.congestion.text, "cubic");
  rig_expect(g, ID(TCP11), INFO);
  strcpy(g->after.congestion.text, "reno");
  rig_expect(g, ID(TCP11), INFO);
  rig_sysctl(g, SYSCTL(TCP_SLOW_START_AFTER_IDLE), 0);
  rig_expect(g, ID(TCP11), OK);
  g->after.congestion.why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(TCP11), UNKNOWN);
}

static void bbr_and_pacing(void **state) {
  (void)state;
  rig *g = rig_new(C);
  strcpy(g->after.default_qdisc.text, "pfifo_fast");
  rig_expect(g, ID(TCP12), OK); /* the uplink has fq */
  strcpy(g->after.link[1].qdisc.text, "fq_codel");
  rig_expect(g, ID(TCP12), INFO);
  strcpy(g->after.congestion.text, "cubic");
  rig_expect(g, ID(TCP12), OK);
  g->after.congestion.why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(TCP12), UNKNOWN);
}

static void keepalive(void **state) {
  (void)state;
  rig *g = rig_new(S);
  strcpy(g->after.process.name, "other");
  g->after.sockets.n_established_ours = 3;
  rig_expect(g, ID(TCP13), OK);
  g->after.sockets.longest_probe_s = 300;
  rig_expect(g, ID(TCP13), OK);
  g->after.sockets.longest_probe_s = 301;
  rig_expect(g, ID(TCP13), WARN);
  g->after.sockets.longest_probe_s = 0;
  g->after.sockets.n_unprobed_ours = 1;
  rig_expect(g, ID(TCP13), WARN);
  strcpy(g->after.process.name, "thirld"); /* pings by itself */
  rig_expect(g, ID(TCP13), OK);
  g->after.process.inodes_why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(TCP13), UNKNOWN);
  g->after.process.why = THIRL_TUNE_WHY_NO_SUBJECT;
  rig_expect(g, ID(TCP13), UNKNOWN);
  assert_int_equal(g->report.finding[ID(TCP13)].why, THIRL_TUNE_WHY_NO_SUBJECT);
}

static void few_orphans(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_sysctl(g, SYSCTL(TCP_MAX_ORPHANS), 4095);
  rig_expect(g, ID(TCP15), INFO);
  rig_sysctl(g, SYSCTL(TCP_MAX_ORPHANS), 4096);
  rig_expect(g, ID(TCP15), OK);
  g->after.sysctl[SYSCTL(TCP_MAX_ORPHANS)].why = THIRL_TUNE_WHY_NOT_IN_NAMESPACE;
  rig_expect(g, ID(TCP15), OK); /* the other half is known */
}

static void listeners_that_share_a_port(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_sysctl(g, SYSCTL(TCP_MIGRATE_REQ), 0);
  rig_expect(g, ID(TCP17), OK);
  g->after.sockets.listener[1] = g->after.sockets.listener[0];
  g->after.sockets.n_listeners = 2;
  rig_expect(g, ID(TCP17), WARN);
  strcpy(g->after.sockets.listener[1].address, "::"); /* the usual pair */
  rig_expect(g, ID(TCP17), OK);
  strcpy(g->after.sockets.listener[1].address, "0.0.0.0");
  rig_sysctl(g, SYSCTL(TCP_MIGRATE_REQ), 1);
  rig_expect(g, ID(TCP17), OK);
  g->after.sysctl[SYSCTL(TCP_MIGRATE_REQ)].why = THIRL_TUNE_WHY_NOT_IN_KERNEL;
  rig_expect(g, ID(TCP17), UNKNOWN);
}

static void the_cadence_of_syns(void **state) {
  (void)state;
  rig *g = rig_new(C);
  rig_expect(g, ID(TCP18), OK);
  g->after.sysctl[SYSCTL(TCP_RTO_MAX_MS)].why = THIRL_TUNE_WHY_NOT_IN_KERNEL; /* 6.5 to 6.14 */
  rig_expect(g, ID(TCP18), OK);
  g->after.sysctl[SYSCTL(TCP_SYN_LINEAR_TIMEOUTS)].why = THIRL_TUNE_WHY_NOT_IN_KERNEL; /* 6.1 */
  rig_expect(g, ID(TCP18), INFO);
  rig_sysctl(g, SYSCTL(TCP_SYN_LINEAR_TIMEOUTS), 0);
  rig_expect(g, ID(TCP18), INFO);
  g->after.sysctl[SYSCTL(TCP_SYN_LINEAR_TIMEOUTS)].why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(TCP18), UNKNOWN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(settings),
      cmocka_unit_test(counters),
      cmocka_unit_test(a_queue_that_was_cut),
      cmocka_unit_test(the_backlog_of_syns_matters_without_cookies),
      cmocka_unit_test(slow_start_after_idle_with_cubic),
      cmocka_unit_test(bbr_and_pacing),
      cmocka_unit_test(keepalive),
      cmocka_unit_test(few_orphans),
      cmocka_unit_test(listeners_that_share_a_port),
      cmocka_unit_test(the_cadence_of_syns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
