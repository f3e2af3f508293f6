/* SPDX-License-Identifier: MIT */
#include "rig.h"

static void settings(void **state) {
  (void)state;
  static const rig_setting rows[] = {
      {C, ID(IP2), SYSCTL(IP_NONLOCAL_BIND), 1, INFO},   {C, ID(IP2), SYSCTL(IP_NONLOCAL_BIND), 0, OK},
      {S, ID(IP3), SYSCTL(ICMP_RATELIMIT), 0, WARN},     {S, ID(IP3), SYSCTL(ICMP_MSGS_PER_SEC), 0, WARN},
      {S, ID(IP3), SYSCTL(ICMP_MSGS_PER_SEC), 1000, OK}, {C, ID(IP4), SYSCTL(IPV6_DISABLED), 1, INFO},
      {C, ID(IP4), SYSCTL(IPV6_DISABLED), 0, OK},        {R, ID(IP4), SYSCTL(IPV6_DISABLED), 1, OK},
      {C, ID(IP5), SYSCTL(IP_NO_PMTU_DISC), 1, WARN},    {C, ID(IP5), SYSCTL(IP_NO_PMTU_DISC), 2, WARN},
      {C, ID(IP5), SYSCTL(IP_NO_PMTU_DISC), 3, OK},      {C, ID(NB1), SYSCTL(NEIGH_THRESH3), 1024, OK},
  };
  rig_settings(ROWS(rows));
}

static void counters(void **state) {
  (void)state;
  static const rig_counter rows[] = {
      {S, ID(IP1), COUNTER(RP_FILTERED), 0, OK},        {S, ID(IP1), COUNTER(RP_FILTERED), 1, CRIT},
      {C, ID(NB1), COUNTER(ARP_TABLE_FULLS), 0, OK},    {C, ID(NB1), COUNTER(ARP_TABLE_FULLS), 1, CRIT},
      {C, ID(NB2), COUNTER(ARP_UNRESOLVED), 254, OK}, /* 50 a second */
      {C, ID(NB2), COUNTER(ARP_UNRESOLVED), 255, INFO}, {C, ID(NB2), COUNTER(ARP_RES_FAILED), 255, INFO},
  };
  rig_counters(ROWS(rows));
}

static void strict_with_two_ways_out(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.link[1].rp_filter.v = 1;
  rig_expect(g, ID(IP1), OK); /* one way out, one address */
  g->after.link[2] = g->after.link[1];
  strcpy(g->after.link[2].name, "eth1");
  g->after.n_links = 3;
  rig_expect(g, ID(IP1), WARN);
  rig_sysctl(g, SYSCTL(RP_FILTER_ALL), 2); /* the larger one counts */
  rig_expect(g, ID(IP1), OK);
  g->after.link[1].rp_filter.v = g->after.link[2].rp_filter.v = 0;
  rig_sysctl(g, SYSCTL(RP_FILTER_ALL), 1);
  rig_expect(g, ID(IP1), WARN);
}

static void strict_with_two_public_addresses(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.link[1].rp_filter.v = 1;
  g->after.link[1].address4[1] = 0x0a000001;
  g->after.link[1].n_address4 = 2;
  rig_expect(g, ID(IP1), OK); /* one of them is private */
  g->after.link[1].address4[1] = 0x05010102;
  rig_expect(g, ID(IP1), WARN);
}

static void icmp_that_was_held_back(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_rise(g, COUNTER(ICMP_LIMIT_HOST), 1);
  rig_expect(g, ID(IP3), INFO);
  assert_int_equal(g->report.finding[ID(IP3)].n_set, 0); /* the limits are right */
}

static void a_router_that_ignores_advertisements(void **state) {
  (void)state;
  rig *g = rig_new(R);
  g->after.link[1].accept_ra.v = 1;
  rig_expect(g, ID(IP4), OK); /* it does not forward IPv6 */
  rig_sysctl(g, SYSCTL(IPV6_FORWARDING), 1);
  rig_expect(g, ID(IP4), WARN);
  assert_string_equal(g->report.finding[ID(IP4)].set[0].key, "net.ipv6.conf.eth0.accept_ra");
  g->after.link[1].accept_ra.v = 2;
  rig_expect(g, ID(IP4), OK);
}

static void a_kernel_without_ipv6(void **state) {
  (void)state;
  rig *g = rig_new(C);
  g->after.sysctl[SYSCTL(IPV6_DISABLED)].why = THIRL_TUNE_WHY_NOT_IN_KERNEL;
  rig_expect(g, ID(IP4), INFO);
  assert_int_equal(g->report.finding[ID(IP4)].n_set, 0);
}

static void tunnels_want_probing(void **state) {
  (void)state;
  rig *g = rig_new(C);
  g->after.link[2] = (thirl_tune_link){.name = "wg0", .is_up = true, .is_virtual = true};
  g->after.n_links = 3;
  rig_expect(g, ID(IP5), INFO);
  rig_sysctl(g, SYSCTL(TCP_MTU_PROBING), 1);
  rig_expect(g, ID(IP5), OK);
}

static void neighbours(void **state) {
  (void)state;
  rig *g = rig_new(R);
  rig_gauge(g, GAUGE(NEIGHBOURS), 768); /* 75 % of 1024 */
  rig_expect(g, ID(NB1), OK);
  rig_gauge(g, GAUGE(NEIGHBOURS), 769);
  rig_expect(g, ID(NB1), WARN);
  assert_string_equal(g->report.finding[ID(NB1)].set[2].value, "16384");
  rig_sysctl(g, SYSCTL(NEIGH_THRESH3), 16384);
  rig_gauge(g, GAUGE(NEIGHBOURS), 16000);
  rig_expect(g, ID(NB1), WARN);
  assert_string_equal(g->report.finding[ID(NB1)].set[2].value, "32768");
  g->after.gauge[GAUGE(NEIGHBOURS)].why = THIRL_TUNE_WHY_NOT_IN_NAMESPACE;
  rig_expect(g, ID(NB1), UNKNOWN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(settings),
      cmocka_unit_test(counters),
      cmocka_unit_test(strict_with_two_ways_out),
      cmocka_unit_test(strict_with_two_public_addresses),
      cmocka_unit_test(icmp_that_was_held_back),
      cmocka_unit_test(a_router_that_ignores_advertisements),
      cmocka_unit_test(a_kernel_without_ipv6),
      cmocka_unit_test(tunnels_want_probing),
      cmocka_unit_test(neighbours),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
