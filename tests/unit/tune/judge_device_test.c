/* SPDX-License-Identifier: MIT */
#include "rig.h"

static void counters(void **state) {
  (void)state;
  static const rig_counter rows[] = {
      {C, ID(DV1), COUNTER(SOFTNET_DROPPED), 0, OK},
      {C, ID(DV1), COUNTER(SOFTNET_SQUEEZED), 54, OK}, /* 10 a second */
      {C, ID(DV1), COUNTER(SOFTNET_SQUEEZED), 55, INFO},
      {C, ID(DV8), COUNTER(CPU_STEAL), 0, OK},
  };
  rig_counters(ROWS(rows));
}

static void packets_of_the_backlog(void **state) {
  (void)state;
  rig *g = rig_new(C);
  rig_rise(g, COUNTER(SOFTNET_PROCESSED), 1000);
  rig_rise(g, COUNTER(SOFTNET_DROPPED), 1); /* 0.1 % */
  rig_expect(g, ID(DV1), WARN);
  rig_rise(g, COUNTER(SOFTNET_DROPPED), 2);
  rig_expect(g, ID(DV1), CRIT);
}

static void packets_of_the_card(void **state) {
  (void)state;
  rig *g = rig_new(C);
  rig_expect(g, ID(DV2), OK);
  g->after.link[1].rx_packets.v = 10000;
  g->after.link[1].rx_dropped.v = 1; /* one of ten thousand may be a strange protocol */
  rig_expect(g, ID(DV2), INFO);
  g->after.link[1].rx_dropped.v = 2;
  rig_expect(g, ID(DV2), WARN);
  assert_string_equal(g->report.finding[ID(DV2)].line, "ethtool -G eth0 rx 4096");
  assert_string_equal(g->report.finding[ID(DV2)].back, "ethtool -G eth0 rx 256");
  g->after.link[1].rx_dropped.v = 0;
  g->after.link[1].rx_missed.v = 1;
  rig_expect(g, ID(DV2), WARN);
  g->c.before = NULL;
  rig_expect(g, ID(DV2), UNKNOWN);
  g->c.before = &g->before;
  g->after.links_why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(DV2), UNKNOWN);
}

static void interrupts_on_one_processor(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_expect(g, ID(DV3), OK);
  g->after.link[1].irq_cpus.v = 2;
  rig_expect(g, ID(DV3), INFO);
  rig_gauge(g, GAUGE(CPUS), 1);
  rig_expect(g, ID(DV3), OK);
  rig_gauge(g, GAUGE(CPUS), 2);
  g->after.link[1].irqs.why = THIRL_TUNE_WHY_NOT_LOOKED;
  rig_expect(g, ID(DV3), UNKNOWN);
}

static void one_queue_on_many_processors(void **state) {
  (void)state;
  rig *g = rig_new(R);
  g->after.link[1].rx_queues.v = 1;
  rig_expect(g, ID(DV4), WARN);
  assert_string_equal(g->report.finding[ID(DV4)].line, "echo 3 > /sys/class/net/eth0/queues/rx-0/rps_cpus");
  g->after.link[1].rps_cpus.v = 1;
  rig_expect(g, ID(DV4), OK);
  g->after.link[1].rps_cpus.v = 0;
  rig_gauge(g, GAUGE(CPUS), 1);
  rig_expect(g, ID(DV4), OK);
  g->c.profile = S;
  g->after.link[1].rps_cpus.v = 1;
  rig_expect(g, ID(DV4), INFO);
  g->after.link[1].rps_cpus.why = THIRL_TUNE_WHY_NOT_IN_NAMESPACE;
  rig_expect(g, ID(DV4), UNKNOWN);
  g->after.link[1].is_virtual = true;
  rig_expect(g, ID(DV4), UNKNOWN);
  assert_int_equal(g->report.finding[ID(DV4)].why, THIRL_TUNE_WHY_NO_SUCH);
}

static void offloads(void **state) {
  (void)state;
  rig *g = rig_new(R);
  g->after.link[1].udp_gro_forwarding.v = 0;
  rig_expect(g, ID(DV5), INFO);
  g->c.profile = C;
  rig_expect(g, ID(DV5), OK);
  g->after.link[1].gro.v = 0;
  rig_expect(g, ID(DV5), WARN);
  g->after.link[1].gro.why = THIRL_TUNE_WHY_NOT_LOOKED;
  rig_expect(g, ID(DV5), UNKNOWN);
  g->after.link[1].gro = (thirl_tune_number){0, THIRL_TUNE_WHY_READ};
  g->after.link[1].is_virtual = true; /* veth has no GRO, and that is as it should be */
  rig_expect(g, ID(DV5), UNKNOWN);
}

static void the_queue_of_the_uplink(void **state) {
  (void)state;
  rig *g = rig_new(R);
  strcpy(g->after.link[1].qdisc.text, "pfifo_fast");
  rig_expect(g, ID(DV6), INFO);
  g->c.profile = C;
  rig_expect(g, ID(DV6), OK);
  g->after.link[1].qdisc_packets.v = 990;
  g->after.link[1].qdisc_drops.v = 10; /* 1 % */
  rig_expect(g, ID(DV6), OK);
  g->after.link[1].qdisc_drops.v = 11;
  rig_expect(g, ID(DV6), WARN);
  g->after.link[1].qdisc.why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(DV6), UNKNOWN);
  g->after.link[1].has_default4 = g->after.link[1].has_default6 = false;
  rig_expect(g, ID(DV6), UNKNOWN);
}

static void busy_polling(void **state) {
  (void)state;
  rig *g = rig_new(C);
  rig_sysctl(g, SYSCTL(BUSY_POLL), 50);
  rig_expect(g, ID(DV7), OK);
  rig_gauge(g, GAUGE(CPUS), 1);
  rig_expect(g, ID(DV7), WARN);
  rig_sysctl(g, SYSCTL(BUSY_POLL), 0);
  rig_expect(g, ID(DV7), OK);
  rig_sysctl(g, SYSCTL(BUSY_READ), 50);
  rig_expect(g, ID(DV7), WARN);
  g->after.sysctl[SYSCTL(BUSY_READ)].why = THIRL_TUNE_WHY_NOT_IN_NAMESPACE;
  rig_expect(g, ID(DV7), UNKNOWN);
}

static void stolen_time(void **state) {
  (void)state;
  rig *g = rig_new(C);
  rig_rise(g, COUNTER(CPU_TOTAL), 1000);
  rig_rise(g, COUNTER(CPU_STEAL), 50); /* 5 % */
  rig_expect(g, ID(DV8), OK);
  rig_rise(g, COUNTER(CPU_STEAL), 51);
  rig_expect(g, ID(DV8), WARN);
  rig_rise(g, COUNTER(CPU_STEAL), 0);
  rig_gauge(g, GAUGE(PRESSURE_CPU), 5000);
  rig_expect(g, ID(DV8), OK);
  rig_gauge(g, GAUGE(PRESSURE_CPU), 5001);
  rig_expect(g, ID(DV8), INFO);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counters),
      cmocka_unit_test(packets_of_the_backlog),
      cmocka_unit_test(packets_of_the_card),
      cmocka_unit_test(interrupts_on_one_processor),
      cmocka_unit_test(one_queue_on_many_processors),
      cmocka_unit_test(offloads),
      cmocka_unit_test(the_queue_of_the_uplink),
      cmocka_unit_test(busy_polling),
      cmocka_unit_test(stolen_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
