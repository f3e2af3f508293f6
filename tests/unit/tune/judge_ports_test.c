/* SPDX-License-Identifier: MIT */
#include "rig.h"
#include "tune/ports.h"

static void settings(void **state) {
  (void)state;
  static const rig_setting rows[] = {
      {C, ID(TCP8), SYSCTL(TCP_TW_REUSE), 2, OK},         {C, ID(TCP8), SYSCTL(TCP_TW_REUSE), 1, INFO},
      {S, ID(TCP8), SYSCTL(TCP_TW_REUSE), 1, OK},         {C, ID(TCP9), SYSCTL(CT_TCP_TIME_WAIT), 120, OK},
      {C, ID(TCP9), SYSCTL(CT_TCP_TIME_WAIT), 119, INFO}, {R, ID(TCP9), SYSCTL(CT_TCP_TIME_WAIT), 1, INFO},
      {C, ID(TCP10), SYSCTL(TCP_FIN_TIMEOUT), 15, OK},    {C, ID(TCP10), SYSCTL(TCP_FIN_TIMEOUT), 14, WARN},
      {S, ID(TCP19), SYSCTL(PORT_FIRST), 44616, OK}, /* to 60999: 16384 ports */
      {S, ID(TCP19), SYSCTL(PORT_FIRST), 44618, WARN},    {C, ID(TCP19), SYSCTL(PORT_FIRST), 56904, OK},
      {C, ID(TCP19), SYSCTL(PORT_FIRST), 56906, WARN},    {C, ID(TCP19), SYSCTL(PORT_FIRST), 32769, INFO},
      {C, ID(TCP19), SYSCTL(PORT_LAST), 60998, INFO},
  };
  rig_settings(ROWS(rows));
}

static void counters(void **state) {
  (void)state;
  static const rig_counter rows[] = {
      {C, ID(TCP7), COUNTER(TIME_WAIT_OVERFLOW), 0, OK},
      {C, ID(TCP7), COUNTER(TIME_WAIT_OVERFLOW), 1, WARN},
  };
  rig_counters(ROWS(rows));
}

/* Of 28232 ports: 60 % are 16939.2, 90 % are 25408.8. */
static void time_wait_for_one_destination(void **state) {
  (void)state;
  static const struct {
    uint32_t n;
    thirl_tune_level level;
  } rows[] = {{0, OK}, {16939, OK}, {16940, WARN}, {25408, WARN}, {25409, CRIT}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rig *g = rig_new(C);
    g->after.sockets.tuple[0] = (thirl_tune_tuple){.remote_port = 80, .n = 5};
    g->after.sockets.tuple[1] = (thirl_tune_tuple){.remote_port = 443, .n = rows[i].n};
    g->after.sockets.n_tuples = 2;
    rig_expect(g, ID(TCP6), rows[i].level);
    g->after.sockets.tcp_listening.why = THIRL_TUNE_WHY_NOT_PERMITTED;
    rig_expect(g, ID(TCP6), UNKNOWN);
  }
}

static void reserved_ports_are_not_for_connections(void **state) {
  (void)state;
  rig *g = rig_new(C);
  g->after.sockets.tuple[0] = (thirl_tune_tuple){.remote_port = 443, .n = 100};
  g->after.sockets.n_tuples = 1;
  rig_expect(g, ID(TCP6), OK);
  thirl_tune_ports_add(&g->after.reserved, 32768, 60899); /* 100 are left */
  rig_expect(g, ID(TCP6), CRIT);
  rig_expect(g, ID(TCP19), WARN);
}

static void a_range_of_nothing(void **state) {
  (void)state;
  rig *g = rig_new(C);
  rig_sysctl(g, SYSCTL(PORT_LAST), 100);
  rig_expect(g, ID(TCP19), UNKNOWN);
  rig_expect(g, ID(TCP6), UNKNOWN);
}

static void recycling_in_a_file(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.sysctl_d_has_tw_recycle = true;
  rig_expect(g, ID(TCP8), WARN);
  assert_int_equal(g->report.finding[ID(TCP8)].n_set, 0); /* tcp_tw_reuse is not the trouble */
}

static void files_that_cannot_be_read(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.sysctl_d_why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(TCP8), UNKNOWN);
}

static void a_listener_among_the_ports_of_connections(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.sockets.listener[0].port = 40000;
  rig_expect(g, ID(TCP20), WARN);
  assert_string_equal(g->report.finding[ID(TCP20)].set[0].value, "40000");
  assert_string_equal(g->report.finding[ID(TCP20)].set[0].was, "none");
  thirl_tune_ports_add(&g->after.reserved, 40000, 40000);
  rig_expect(g, ID(TCP20), OK);
  g->after.reserved = g->before.reserved;
  g->after.sockets.listener[0].is_ours = false;
  rig_expect(g, ID(TCP20), OK); /* not our trouble */
  g->after.process.why = THIRL_TUNE_WHY_NO_SUBJECT;
  rig_expect(g, ID(TCP20), INFO);
  g->after.reserved.why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(TCP20), UNKNOWN);
}

static void tracking_that_is_not_loaded(void **state) {
  (void)state;
  rig *g = rig_new(C);
  g->after.sysctl[SYSCTL(CT_TCP_LOOSE)].why = g->after.sysctl[SYSCTL(CT_TCP_TIME_WAIT)].why = THIRL_TUNE_WHY_NOT_LOADED;
  rig_expect(g, ID(TCP9), OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(settings),
      cmocka_unit_test(counters),
      cmocka_unit_test(time_wait_for_one_destination),
      cmocka_unit_test(reserved_ports_are_not_for_connections),
      cmocka_unit_test(a_range_of_nothing),
      cmocka_unit_test(recycling_in_a_file),
      cmocka_unit_test(files_that_cannot_be_read),
      cmocka_unit_test(a_listener_among_the_ports_of_connections),
      cmocka_unit_test(tracking_that_is_not_loaded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
