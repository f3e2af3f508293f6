/* SPDX-License-Identifier: MIT */
#include "rig.h"
#include "tune/ports.h"

static void settings(void **state) {
  (void)state;
  static const rig_setting rows[] = {
      {S, ID(CT2), SYSCTL(CT_COUNT), 196608, OK}, /* 75 % of 262144 */
      {S, ID(CT2), SYSCTL(CT_COUNT), 196609, WARN},
      {R, ID(CT2), SYSCTL(CT_COUNT), 235929, WARN}, /* 90 % are 235929.6 */
      {R, ID(CT2), SYSCTL(CT_COUNT), 235930, CRIT},
      {R, ID(CT7), SYSCTL(CT_BUCKETS), 32768, OK}, /* 8 for each */
      {R, ID(CT7), SYSCTL(CT_BUCKETS), 32767, WARN},
      {R, ID(CT8), SYSCTL(CT_TCP_ESTABLISHED), 600, CRIT},
      {R, ID(CT8), SYSCTL(CT_TCP_ESTABLISHED), 7439, CRIT},
      {R, ID(CT8), SYSCTL(CT_TCP_ESTABLISHED), 7440, OK},
      {R, ID(CT8), SYSCTL(CT_TCP_ESTABLISHED), 432001, INFO},
      {R, ID(CT9), SYSCTL(CT_UDP_TIMEOUT), 119, WARN},
      {R, ID(CT9), SYSCTL(CT_UDP_STREAM), 299, WARN},
      {R, ID(CT9), SYSCTL(CT_UDP_STREAM), 300, OK},
      {R, ID(CT10), SYSCTL(CT_TCP_LOOSE), 0, WARN},
      {R, ID(CT12), SYSCTL(IP_FORWARD), 0, CRIT},
      {R, ID(CT14), SYSCTL(CT_MAX), 262144, OK},
  };
  rig_settings(ROWS(rows));
}

static void counters(void **state) {
  (void)state;
  static const rig_counter rows[] = {
      {S, ID(CT3), COUNTER(CT_DROP), 0, OK},
      {S, ID(CT3), COUNTER(CT_DROP), 1, CRIT},
      {R, ID(CT3), COUNTER(CT_INSERT_FAILED), 5, OK},
      {S, ID(CT4), COUNTER(CT_INSERT_FAILED), 1, WARN},
      {R, ID(CT4), COUNTER(CT_INSERT_FAILED), 1, WARN},
      {R, ID(CT4), COUNTER(CT_DROP), 1, OK},
      {R, ID(CT5), COUNTER(CT_EARLY_DROP), 0, OK},
      {R, ID(CT5), COUNTER(CT_EARLY_DROP), 1, WARN},
  };
  rig_counters(ROWS(rows));
}

/* drop and insert_failed together: the NAT is out of ports, not the table out of room. */
static void the_two_signatures(void **state) {
  (void)state;
  rig *g = rig_new(R);
  rig_rise(g, COUNTER(CT_DROP), 100);
  rig_rise(g, COUNTER(CT_INSERT_FAILED), 100);
  rig_expect(g, ID(CT3), OK);
  rig_expect(g, ID(CT4), CRIT);
  g->c.profile = S;
  rig_expect(g, ID(CT4), WARN);
}

static void a_tracked_port(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_expect(g, ID(CT1), OK);
  rig_sysctl(g, SYSCTL(CT_COUNT), 1);
  rig_expect(g, ID(CT1), CRIT);
  assert_int_equal(g->report.finding[ID(CT1)].breaks_at, 262145);
  g->c.demand.clients = 99999;
  rig_expect(g, ID(CT1), WARN);
  thirl_tune_ports_add(&g->after.ruleset.notrack_in, 3478, 3478); /* one direction is not enough */
  rig_expect(g, ID(CT1), WARN);
  thirl_tune_ports_add(&g->after.ruleset.notrack_out, 3478, 3478);
  rig_expect(g, ID(CT1), OK);
  g->after.sockets.udp[0].port = 4000;
  rig_expect(g, ID(CT1), WARN);
  assert_non_null(strstr(g->report.finding[ID(CT1)].line, "udp dport 4000 notrack"));
  assert_non_null(strstr(g->report.finding[ID(CT1)].line, "udp sport 4000 notrack"));
}

static void without_a_process_the_usual_port_counts(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.sockets.n_udp = 0;
  g->after.ruleset.uses_conntrack = true;
  rig_expect(g, ID(CT1), CRIT);
  thirl_tune_ports_add(&g->after.ruleset.notrack_in, 3478, 3478);
  thirl_tune_ports_add(&g->after.ruleset.notrack_out, 3478, 3478);
  rig_expect(g, ID(CT1), OK);
}

static void rules_that_cannot_be_read(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.ruleset.why = THIRL_TUNE_WHY_NO_TOOL;
  rig_expect(g, ID(CT1), UNKNOWN);
  assert_int_equal(g->report.finding[ID(CT1)].why, THIRL_TUNE_WHY_NO_TOOL);
  rig_sysctl(g, SYSCTL(CT_COUNT), 1); /* entries are there: something tracks */
  rig_expect(g, ID(CT1), CRIT);
  g = rig_new(R);
  g->after.ruleset.why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(CT11), UNKNOWN);
  rig_expect(g, ID(CT13), UNKNOWN);
}

static void tracking_that_is_not_loaded(void **state) {
  (void)state;
  static const thirl_tune_id ids[] = {ID(CT2), ID(CT3), ID(CT4),  ID(CT5), ID(CT7),
                                      ID(CT8), ID(CT9), ID(CT10), ID(CT14)};
  rig *g = rig_new(R);
  for (unsigned i = SYSCTL(CT_COUNT); i <= SYSCTL(CT_TCP_LOOSE); i++)
    g->after.sysctl[i].why = THIRL_TUNE_WHY_NOT_LOADED;
  g->after.counter[COUNTER(CT_DROP)].why = THIRL_TUNE_WHY_NOT_LOADED;
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
    rig_expect(g, ids[i], OK);
  g->c.profile = S;
  rig_expect(g, ID(CT1), OK);
}

static void a_larger_table(void **state) {
  (void)state;
  rig *g = rig_new(R);
  rig_sysctl(g, SYSCTL(CT_COUNT), 262144);
  const thirl_tune_finding *f = rig_judge(g, ID(CT2));
  assert_int_equal(f->n_set, 2);
  assert_string_equal(f->set[0].value, "1048576");
  assert_string_equal(f->set[0].was, "262144");
  assert_string_equal(f->set[1].value, "262144");
  rig_sysctl(g, SYSCTL(CT_MAX), 1048576);
  rig_sysctl(g, SYSCTL(CT_COUNT), 1048576);
  f = rig_judge(g, ID(CT2));
  assert_string_equal(f->set[0].value, "2097152");
  assert_string_equal(f->set[1].value, "524288");
  assert_int_equal(f->tense, THIRL_TUNE_TENSE_NOW);
}

static void the_log(void **state) {
  (void)state;
  rig *g = rig_new(R);
  rig_expect(g, ID(CT6), OK);
  g->after.n_table_full_lines = 1;
  rig_expect(g, ID(CT6), OK); /* nothing tracks here: it was another namespace of this number */
  g->after.ruleset.has_nat = g->after.ruleset.uses_conntrack = true;
  rig_expect(g, ID(CT6), WARN);
  g->after.log_why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(CT6), UNKNOWN);
}

static void random_ports(void **state) {
  (void)state;
  rig *g = rig_new(R);
  g->after.ruleset.has_masquerade = g->after.ruleset.has_nat = true;
  rig_expect(g, ID(CT11), OK);
  g->after.ruleset.random_ports = true;
  rig_expect(g, ID(CT11), WARN);
  g->after.ruleset.random_ports = false;
  g->after.ruleset.has_foreign = true; /* rules of iptables, whose words are not shown */
  rig_expect(g, ID(CT11), UNKNOWN);
}

static void forwarding(void **state) {
  (void)state;
  rig *g = rig_new(R);
  rig_expect(g, ID(CT12), OK);
  g->after.ruleset.why = THIRL_TUNE_WHY_NO_TOOL;
  rig_expect(g, ID(CT12), UNKNOWN);
  g->after.ruleset.why = THIRL_TUNE_WHY_READ;
  g->after.link[1].forwarding4.v = 0;
  rig_expect(g, ID(CT12), WARN);
  g->after.ruleset.forward_drops = g->after.ruleset.forward_accepts = true;
  g->after.link[1].forwarding4.v = 1;
  rig_expect(g, ID(CT12), OK);
  g->after.ruleset.forward_accepts = false;
  rig_expect(g, ID(CT12), CRIT);
}

static void helpers(void **state) {
  (void)state;
  rig *g = rig_new(R);
  g->after.ruleset.has_helper = true;
  rig_expect(g, ID(CT13), WARN);
  g->after.ruleset.has_helper = false;
  rig_sysctl(g, SYSCTL(CT_HELPER), 1);
  rig_expect(g, ID(CT13), WARN);
  assert_string_equal(g->report.finding[ID(CT13)].set[0].key, "net.netfilter.nf_conntrack_helper");
  rig_sysctl(g, SYSCTL(CT_HELPER), 0);
  rig_expect(g, ID(CT13), OK);
}

static void a_child_namespace(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.home = THIRL_TUNE_HOME_CHILD;
  rig_expect(g, ID(CT14), INFO);
  g->after.home = THIRL_TUNE_HOME_UNKNOWN;
  rig_expect(g, ID(CT14), UNKNOWN);
}

static void the_outer_address(void **state) {
  (void)state;
  static const struct {
    uint32_t address;
    thirl_tune_level router, client;
  } rows[] = {{0x09ffffff, OK, UNKNOWN},   {0x0a000000, WARN, UNKNOWN}, {0x0affffff, WARN, UNKNOWN},
              {0x0b000000, OK, UNKNOWN},   {0xac0fffff, OK, UNKNOWN},   {0xac100000, WARN, UNKNOWN},
              {0xac1fffff, WARN, UNKNOWN}, {0xac200000, OK, UNKNOWN},   {0xc0a7ffff, OK, UNKNOWN},
              {0xc0a80000, WARN, UNKNOWN}, {0xc0a8ffff, WARN, UNKNOWN}, {0x643fffff, OK, UNKNOWN},
              {0x64400000, WARN, WARN},    {0x647fffff, WARN, WARN},    {0x64800000, OK, UNKNOWN}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rig *g = rig_new(R);
    g->after.link[1].address4[0] = rows[i].address;
    rig_expect(g, ID(CT15), rows[i].router);
    g->c.profile = C;
    rig_expect(g, ID(CT15), rows[i].client);
  }
  rig *g = rig_new(R);
  g->after.link[1].address4[1] = 0x0a000001; /* one of two is public */
  g->after.link[1].n_address4 = 2;
  rig_expect(g, ID(CT15), OK);
  g->after.link[1].has_default4 = false;
  rig_expect(g, ID(CT15), UNKNOWN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(settings),
      cmocka_unit_test(counters),
      cmocka_unit_test(the_two_signatures),
      cmocka_unit_test(a_tracked_port),
      cmocka_unit_test(without_a_process_the_usual_port_counts),
      cmocka_unit_test(rules_that_cannot_be_read),
      cmocka_unit_test(tracking_that_is_not_loaded),
      cmocka_unit_test(a_larger_table),
      cmocka_unit_test(the_log),
      cmocka_unit_test(random_ports),
      cmocka_unit_test(forwarding),
      cmocka_unit_test(helpers),
      cmocka_unit_test(a_child_namespace),
      cmocka_unit_test(the_outer_address),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
