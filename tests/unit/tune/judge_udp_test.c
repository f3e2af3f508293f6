/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "rig.h"
#include "tune/ports.h"

static void counters(void **state) {
  (void)state;
  static const rig_counter rows[] = {
      {C, ID(UDP2), COUNTER(UDP_RCVBUF_ERRORS), 0, OK},
      {R, ID(UDP3), COUNTER(UDP_SNDBUF_ERRORS), 0, OK},
      {R, ID(UDP3), COUNTER(UDP_SNDBUF_ERRORS), 1, WARN},
      {S, ID(UDP4), COUNTER(UDP_NO_PORTS), 504, OK}, /* in 5 s: 100 a second */
      {S, ID(UDP4), COUNTER(UDP_NO_PORTS), 505, INFO},
      {C, ID(UDP5), COUNTER(UDP_CSUM_ERRORS), 1, WARN},
      {C, ID(UDP5), COUNTER(IP_REASM_FAILS), 1, WARN},
      {C, ID(UDP5), COUNTER(IP_REASM_FAILS), 0, OK},
  };
  rig_counters(ROWS(rows));
}

/* 40000 a second of 832 bytes: 50 ms need 1664000 bytes, 10 ms 332800. */
static void room_for_a_standstill(void **state) {
  (void)state;
  static const struct {
    int64_t bytes;
    thirl_tune_level level;
  } rows[] = {{212992, CRIT}, {331968, CRIT}, {332800, WARN}, {1663168, WARN}, {1664000, OK}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rig *g = rig_new(S);
    g->after.sockets.udp[0].rcvbuf.v = rows[i].bytes;
    rig_expect(g, ID(UDP1), rows[i].level);
  }
}

static void the_smallest_of_our_sockets_counts(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.sockets.udp[1] = g->after.sockets.udp[0];
  g->after.sockets.udp[1].port = 3479;
  g->after.sockets.udp[1].rcvbuf.v = 212992;
  g->after.sockets.n_udp = 2;
  rig_expect(g, ID(UDP1), CRIT);
  g->after.sockets.udp[1].is_ours = false;
  rig_expect(g, ID(UDP1), OK);
  g->after.sockets.udp[1].is_ours = g->after.sockets.udp[1].is_connected = true;
  rig_expect(g, ID(UDP1), OK);
}

static void without_a_socket_rmem_max_counts(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.sockets.n_udp = 0;
  rig_sysctl(g, SYSCTL(RMEM_MAX), 212992); /* 12.8 ms */
  rig_expect(g, ID(UDP1), WARN);
  assert_string_equal(g->report.finding[ID(UDP1)].set[0].key, "net.core.rmem_max");
  assert_string_equal(g->report.finding[ID(UDP1)].set[0].value, "16777216");
  g->after.sysctl[SYSCTL(RMEM_MAX)].why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(UDP1), UNKNOWN);
}

static void a_socket_that_did_not_ask(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.home = THIRL_TUNE_HOME_CHILD;
  g->after.sockets.udp[0].rcvbuf.v = 212992;
  rig_expect(g, ID(UDP1), CRIT); /* rmem_max is 16777216 */
  assert_int_equal(g->report.finding[ID(UDP1)].n_set, 0);
  assert_int_equal(g->report.finding[ID(UDP1)].scope, THIRL_TUNE_SCOPE_PROCESS);
  assert_false(g->report.finding[ID(UDP1)].is_elsewhere);
}

static void a_load_that_was_asked_about(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->c.demand.pps = 1000000;
  rig_expect(g, ID(UDP1), WARN); /* 40 ms */
  assert_string_equal(g->report.finding[ID(UDP1)].set[0].value, "20800001");
  g->c.demand.pps = 0;
  rig_expect(g, ID(UDP1), OK);
}

static void a_client_wants_256_kib(void **state) {
  (void)state;
  rig *g = rig_new(C);
  g->after.sockets.udp[0].rcvbuf.v = 262144;
  rig_expect(g, ID(UDP1), OK);
  g->after.sockets.udp[0].rcvbuf.v = 262143;
  rig_expect(g, ID(UDP1), INFO);
}

static void lost_to_a_full_buffer(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.sockets.udp[0].drops = 10;
  rig_rise(g, COUNTER(UDP_RCVBUF_ERRORS), 10);
  rig_rise(g, COUNTER(UDP_IN), 9990); /* 0.1 % */
  rig_expect(g, ID(UDP2), WARN);
  rig_rise(g, COUNTER(UDP_IN), 9989);
  rig_expect(g, ID(UDP2), CRIT);
  g->c.profile = C;
  rig_expect(g, ID(UDP2), WARN);
}

static void lost_by_somebody_else(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_rise(g, COUNTER(UDP_RCVBUF_ERRORS), 10);
  rig_expect(g, ID(UDP2), INFO);
  g->after.process.why = THIRL_TUNE_WHY_NO_SUBJECT; /* nobody is ours: then it may be */
  rig_expect(g, ID(UDP2), CRIT);
}

static void relay_ports_given_to_others(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_expect(g, ID(UDP6), OK); /* none were named */
  g->c.demand.relay_first = 49152;
  g->c.demand.relay_last = 65535;
  rig_expect(g, ID(UDP6), WARN);
  assert_string_equal(g->report.finding[ID(UDP6)].set[0].value, "49152-65535");
  snprintf(g->after.reserved_text, sizeof g->after.reserved_text, "3478");
  rig_expect(g, ID(UDP6), WARN);
  assert_string_equal(g->report.finding[ID(UDP6)].set[0].value, "3478,49152-65535");
  assert_string_equal(g->report.finding[ID(UDP6)].set[0].was, "3478");
  thirl_tune_ports_add(&g->after.reserved, 49152, 60998);
  rig_expect(g, ID(UDP6), WARN); /* one is left */
  thirl_tune_ports_add(&g->after.reserved, 60999, 60999);
  rig_expect(g, ID(UDP6), OK);
  rig_sysctl(g, SYSCTL(PORT_LAST), 49151);
  g->after.reserved = g->before.reserved;
  rig_expect(g, ID(UDP6), OK); /* the ranges do not meet */
  g->after.reserved.why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(UDP6), UNKNOWN);
}

static void relay_ports_that_are_left(void **state) {
  (void)state;
  static const struct {
    int64_t used;
    thirl_tune_level level;
  } rows[] = {{0, OK}, {800, OK}, {801, WARN}, {950, WARN}, {951, CRIT}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rig *g = rig_new(S);
    g->c.demand.relay_first = 50000;
    g->c.demand.relay_last = 50999;
    thirl_tune_ports_add(&g->after.sockets.udp_used, 50000, 50000 + rows[i].used - 1);
    rig_expect(g, ID(UDP7), rows[i].level);
    g->after.sockets.udp_used.why = THIRL_TUNE_WHY_TOO_MANY;
    rig_expect(g, ID(UDP7), UNKNOWN);
  }
}

static void more_relays_than_ports(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->c.demand.relay_first = 50000;
  g->c.demand.relay_last = 50999;
  g->c.demand.relays = 1001;
  rig_expect(g, ID(UDP7), WARN);
  assert_int_equal(g->report.finding[ID(UDP7)].breaks_at, 1000);
}

static void slots_for_sockets(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_gauge(g, GAUGE(UDP_INUSE), 81929);
  rig_expect(g, ID(UDP8), OK);
  rig_gauge(g, GAUGE(UDP_INUSE), 81930); /* more than ten for each of 8192 */
  rig_expect(g, ID(UDP8), WARN);
  rig_sysctl(g, SYSCTL(UDP_HASH_ENTRIES), -8192); /* the host's */
  rig_expect(g, ID(UDP8), WARN);
  g->after.sysctl[SYSCTL(UDP_HASH_ENTRIES)].why = THIRL_TUNE_WHY_NOT_IN_KERNEL;
  rig_expect(g, ID(UDP8), UNKNOWN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counters),
      cmocka_unit_test(room_for_a_standstill),
      cmocka_unit_test(the_smallest_of_our_sockets_counts),
      cmocka_unit_test(without_a_socket_rmem_max_counts),
      cmocka_unit_test(a_socket_that_did_not_ask),
      cmocka_unit_test(a_load_that_was_asked_about),
      cmocka_unit_test(a_client_wants_256_kib),
      cmocka_unit_test(lost_to_a_full_buffer),
      cmocka_unit_test(lost_by_somebody_else),
      cmocka_unit_test(relay_ports_given_to_others),
      cmocka_unit_test(relay_ports_that_are_left),
      cmocka_unit_test(more_relays_than_ports),
      cmocka_unit_test(slots_for_sockets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
