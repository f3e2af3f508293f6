/* SPDX-License-Identifier: MIT */
#include "rig.h"

static void settings(void **state) {
  (void)state;
  static const rig_setting rows[] = {
      {S, ID(FD2), SYSCTL(NR_OPEN), 65536, OK},        {S, ID(FD2), SYSCTL(NR_OPEN), 65535, CRIT},
      {C, ID(FD3), SYSCTL(FILES_USED), 1280000, OK}, /* 80 % of 1600000 */
      {C, ID(FD3), SYSCTL(FILES_USED), 1280001, WARN}, {C, ID(FD3), SYSCTL(FILES_USED), 1520000, WARN}, /* 95 % */
      {R, ID(FD3), SYSCTL(FILES_USED), 1520001, CRIT},
  };
  rig_settings(ROWS(rows));
}

static void counters(void **state) {
  (void)state;
  static const rig_counter rows[] = {
      {C, ID(MEM3), COUNTER(UDP_MEM_ERRORS), 0, OK},     {C, ID(MEM3), COUNTER(UDP_MEM_ERRORS), 1, CRIT},
      {R, ID(MEM5), COUNTER(ABORT_ON_MEMORY), 0, OK},    {R, ID(MEM5), COUNTER(ABORT_ON_MEMORY), 1, WARN},
      {C, ID(MEM5), COUNTER(MEMORY_PRESSURES), 1, WARN},
  };
  rig_counters(ROWS(rows));
}

/* 65536 are wanted when nothing else is said; a quarter more is comfortable. */
static void files_of_the_process(void **state) {
  (void)state;
  static const struct {
    int64_t soft;
    thirl_tune_level level;
  } rows[] = {{65535, CRIT}, {65536, WARN}, {81919, WARN}, {81920, OK}, {THIRL_TUNE_UNLIMITED, OK}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rig *g = rig_new(S);
    g->after.process.nofile_soft.v = rows[i].soft;
    rig_expect(g, ID(FD1), rows[i].level);
  }
  rig *g = rig_new(S);
  g->after.process.nofile_soft.why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(FD1), UNKNOWN);
}

static void files_for_what_was_asked(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->c.demand.tcp = 10000;
  g->c.demand.relays = 1000;
  g->after.process.nofile_soft.v = 12063; /* 10000 + 2 * 1000 + 64 is needed */
  rig_expect(g, ID(FD1), CRIT);
  assert_int_equal(g->report.finding[ID(FD1)].breaks_at, 12063 - 64 - 2000);
  g->after.process.nofile_soft.v = 12064;
  rig_expect(g, ID(FD1), WARN);
}

static void files_that_are_nearly_all_open(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.process.nofile_soft.v = 100000;
  g->after.process.files_open.v = 95000;
  rig_expect(g, ID(FD1), OK);
  g->after.process.files_open.v = 95001;
  rig_expect(g, ID(FD1), CRIT);
  assert_int_equal(g->report.finding[ID(FD1)].tense, THIRL_TUNE_TENSE_NOW);
}

/* thirld raises its soft limit: without one, the hard limit of a shell counts. */
static void without_a_process_the_hard_limit_counts(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.process.why = THIRL_TUNE_WHY_NO_SUBJECT;
  g->after.process.nofile_soft.v = 1024;
  rig_expect(g, ID(FD1), OK);
  g->after.process.nofile_hard.v = 20000;
  rig_expect(g, ID(FD1), CRIT);
  assert_int_equal(g->report.finding[ID(FD1)].cause, ID(FD4));
}

static void root_without_the_capability(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.process.nofile_hard.v = 20000;
  g->after.process.cap_effective.v = 0x1fffeffffff; /* all but CAP_SYS_RESOURCE */
  rig_expect(g, ID(FD4), CRIT);
  g->after.process.cap_effective.v = 1 << 24;
  rig_expect(g, ID(FD4), OK);
  g->after.process.cap_effective.why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(FD4), UNKNOWN);
}

static void limits_d_is_not_for_services(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_expect(g, ID(FD5), OK);
  g->after.limits_d_sets_nofile = true;
  rig_expect(g, ID(FD5), INFO);
  g->after.process.unit[0] = '\0'; /* started by hand */
  rig_expect(g, ID(FD5), OK);
  g->after.process.why = THIRL_TUNE_WHY_NO_SUBJECT;
  rig_expect(g, ID(FD5), UNKNOWN);
  g = rig_new(S);
  g->after.limits_d_why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(FD5), UNKNOWN);
}

static void control_group(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_gauge(g, GAUGE(CGROUP_MAX), 1000 << 20);
  rig_gauge(g, GAUGE(CGROUP_CURRENT), 900 << 20);
  rig_expect(g, ID(MEM1), OK);
  rig_gauge(g, GAUGE(CGROUP_CURRENT), 901 << 20);
  rig_expect(g, ID(MEM1), WARN);
  rig_rise(g, COUNTER(CGROUP_FAILCNT), 1);
  rig_expect(g, ID(MEM1), CRIT);
  rig_rise(g, COUNTER(CGROUP_FAILCNT), 0);
  rig_rise(g, COUNTER(CGROUP_OOM), 1);
  rig_expect(g, ID(MEM1), CRIT);
  g->after.gauge[GAUGE(CGROUP_MAX)].why = THIRL_TUNE_WHY_NO_SUCH;
  rig_expect(g, ID(MEM1), UNKNOWN);
}

static void memory_of_tcp(void **state) {
  (void)state;
  static const struct {
    int64_t pages;
    thirl_tune_level level;
  } rows[] = {{250000, OK}, {250001, WARN}, {342000, WARN}, {342001, CRIT}}; /* 90 % of 380000 */
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rig *g = rig_new(R);
    rig_gauge(g, GAUGE(TCP_PAGES), rows[i].pages);
    rig_expect(g, ID(MEM2), rows[i].level);
  }
  rig *g = rig_new(R);
  g->after.sysctl[SYSCTL(TCP_MEM_MAX)].why = THIRL_TUNE_WHY_NOT_IN_NAMESPACE;
  rig_expect(g, ID(MEM2), UNKNOWN);
}

static void memory_of_udp_without_udp_mem(void **state) {
  (void)state;
  rig *g = rig_new(C);
  g->after.sysctl[SYSCTL(UDP_MEM_MAX)].why = THIRL_TUNE_WHY_NOT_IN_NAMESPACE;
  rig_expect(g, ID(MEM3), OK); /* the counter is enough */
  rig_rise(g, COUNTER(UDP_MEM_ERRORS), 1);
  rig_expect(g, ID(MEM3), CRIT);
  g = rig_new(C);
  rig_gauge(g, GAUGE(UDP_PAGES), 684001);
  rig_expect(g, ID(MEM3), WARN);
}

/* 3.9 KB for each of a million clients over TCP do not fit into 1 GiB; a million over UDP cost nothing. */
static void memory_for_clients(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_gauge(g, GAUGE(MEMORY_TOTAL), 1 << 30);
  rig_expect(g, ID(MEM4), OK);
  g->c.demand.tcp = 1000000;
  rig_expect(g, ID(MEM4), CRIT);
  assert_int_equal(g->report.finding[ID(MEM4)].breaks_at, (1 << 30) / 3994);
  g->c.demand.tcp = 134400; /* half of it */
  rig_expect(g, ID(MEM4), OK);
  g->c.demand.tcp = 134500;
  rig_expect(g, ID(MEM4), WARN);
  rig_gauge(g, GAUGE(CGROUP_MAX), 256 << 20);
  rig_expect(g, ID(MEM4), CRIT);
  g->after.gauge[GAUGE(TCP_INUSE)].why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(MEM4), UNKNOWN);
}

static void orphans(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_gauge(g, GAUGE(TCP_ORPHANS), 49152); /* 75 % of 65536 */
  rig_expect(g, ID(MEM5), OK);
  rig_gauge(g, GAUGE(TCP_ORPHANS), 49153);
  rig_expect(g, ID(MEM5), WARN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(settings),
      cmocka_unit_test(counters),
      cmocka_unit_test(files_of_the_process),
      cmocka_unit_test(files_for_what_was_asked),
      cmocka_unit_test(files_that_are_nearly_all_open),
      cmocka_unit_test(without_a_process_the_hard_limit_counts),
      cmocka_unit_test(root_without_the_capability),
      cmocka_unit_test(limits_d_is_not_for_services),
      cmocka_unit_test(control_group),
      cmocka_unit_test(memory_of_tcp),
      cmocka_unit_test(memory_of_udp_without_udp_mem),
      cmocka_unit_test(memory_for_clients),
      cmocka_unit_test(orphans),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
