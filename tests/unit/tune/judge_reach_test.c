/* SPDX-License-Identifier: MIT */
#include "rig.h"
#include "tune/nat_report.h"
#include "tune/ports.h"

static void counters(void **state) {
  (void)state;
  static const rig_counter rows[] = {
      {C, ID(NAT10), COUNTER(IP_OUT_DISCARDS), 0, OK},
      {C, ID(NAT10), COUNTER(IP_OUT_DISCARDS), 1, WARN},
  };
  rig_counters(ROWS(rows));
}

static void what_needs_packets_is_not_looked_at(void **state) {
  (void)state;
  static const struct {
    thirl_tune_id id;
    thirl_tune_why why;
  } rows[] = {{ID(NAT1), THIRL_TUNE_WHY_ELSEWHERE},  {ID(NAT2), THIRL_TUNE_WHY_ELSEWHERE},
              {ID(NAT3), THIRL_TUNE_WHY_ELSEWHERE},  {ID(NAT4), THIRL_TUNE_WHY_ELSEWHERE},
              {ID(NAT7), THIRL_TUNE_WHY_NOT_LOOKED}, {ID(NAT9), THIRL_TUNE_WHY_NOT_LOOKED}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rig *g = rig_new(C);
    rig_expect(g, rows[i].id, UNKNOWN);
    assert_int_equal(g->report.finding[rows[i].id].why, rows[i].why);
  }
}

static void what_thirl_nat_has_found(void **state) {
  (void)state;
  static const char json[] = "{\"v\":1,\"type\":\"nat\",\"udp\":{\"reachable\":\"yes\",\"mapping\":\"address-and-port-"
                             "dependent\",\"filtering\":"
                             "\"address-and-port-dependent\",\"hairpin\":\"no\",\"lifetime_s\":29},\"router\":{\"pcp\":"
                             "\"no\",\"natpmp\":\"no\",\"upnp\":"
                             "\"no\"},\"double_nat\":\"yes\"}";
  rig *g = rig_new(C);
  assert_true(thirl_tune_nat_report_parse(&g->after, thirl_tune_text_of(json)));
  rig_expect(g, ID(NAT1), WARN);
  rig_expect(g, ID(NAT2), OK);
  rig_expect(g, ID(NAT3), WARN);
  rig_expect(g, ID(NAT4), INFO);
  rig_expect(g, ID(CT15), WARN);
  strcpy(g->after.nat.mapping, "address-dependent");
  rig_expect(g, ID(NAT1), INFO);
  strcpy(g->after.nat.mapping, "endpoint-independent");
  rig_expect(g, ID(NAT1), OK);
  strcpy(g->after.nat.mapping, "unknown");
  rig_expect(g, ID(NAT1), UNKNOWN);
  g->after.nat.lifetime_s.v = 30;
  rig_expect(g, ID(NAT3), OK);
  g->after.nat.lifetime_s.why = THIRL_TUNE_WHY_NOT_LOOKED;
  rig_expect(g, ID(NAT3), UNKNOWN);
  strcpy(g->after.nat.upnp, "yes");
  rig_expect(g, ID(NAT4), OK);
  strcpy(g->after.nat.double_nat, "no");
  rig_expect(g, ID(CT15), OK);
  strcpy(g->after.nat.reachable, "no");
  rig_expect(g, ID(NAT2), CRIT);
}

static void what_is_no_report_of_thirl_nat(void **state) {
  (void)state;
  static const char *const texts[] = {
      "", "{}", "[]", "{\"v\":2,\"type\":\"nat\"}", "{\"v\":1,\"type\":\"tune\"}", "{\"v\":1}"};
  rig *g = rig_new(C);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    assert_false(thirl_tune_nat_report_parse(&g->after, thirl_tune_text_of(texts[i])));
  assert_int_equal(g->after.nat.why, THIRL_TUNE_WHY_NOT_LOOKED);
  assert_true(thirl_tune_nat_report_parse(&g->after, thirl_tune_text_of("{\"v\":1,\"type\":\"nat\"}")));
  rig_expect(g, ID(NAT1), UNKNOWN); /* it says nothing */
  rig_expect(g, ID(NAT2), UNKNOWN);
  rig_expect(g, ID(NAT4), UNKNOWN);
}

static void a_firewall_that_drops_answers(void **state) {
  (void)state;
  rig *g = rig_new(C);
  strcpy(g->after.ruleset.input_chain, "inet filter input");
  g->after.ruleset.input_drops = true;
  rig_expect(g, ID(NAT5), WARN);
  assert_string_equal(g->report.finding[ID(NAT5)].line,
                      "nft insert rule inet filter input ct state established,related accept");
  g->after.ruleset.input_accepts_established = true;
  rig_expect(g, ID(NAT5), OK);
  g->after.ruleset.why = THIRL_TUNE_WHY_NO_TOOL;
  rig_expect(g, ID(NAT5), UNKNOWN);
  g = rig_new(C);
  g->after.ruleset.has_foreign = true; /* rules of iptables that we do not see through */
  rig_expect(g, ID(NAT5), UNKNOWN);
}

/* What is exempt from tracking has no state: the server must be let in by port. */
static void a_firewall_that_cuts_the_server_off(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.ruleset.input_drops = g->after.ruleset.input_accepts_established = true;
  rig_expect(g, ID(NAT5), WARN);
  thirl_tune_ports_add(&g->after.ruleset.accepted, 3478, 3478);
  rig_expect(g, ID(NAT5), OK);
  g->after.sockets.n_udp = 0;
  g->after.process.why = THIRL_TUNE_WHY_NO_SUBJECT;
  g->after.ruleset.accepted = g->before.ruleset.accepted;
  rig_expect(g, ID(NAT5), OK); /* nothing says that the server is here */
  thirl_tune_ports_add(&g->after.ruleset.notrack_in, 3478, 3478);
  rig_expect(g, ID(NAT5), WARN);
}

static void the_clock(void **state) {
  (void)state;
  rig *g = rig_new(C);
  rig_gauge(g, GAUGE(CLOCK_ERROR), 30000000);
  rig_expect(g, ID(NAT6), OK);
  rig_gauge(g, GAUGE(CLOCK_ERROR), 30000001);
  rig_expect(g, ID(NAT6), WARN);
  rig_gauge(g, GAUGE(CLOCK_SYNCED), 0);
  rig_expect(g, ID(NAT6), INFO);
  g->after.gauge[GAUGE(CLOCK_SYNCED)].why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(NAT6), UNKNOWN);
}

static void an_address_of_ipv6(void **state) {
  (void)state;
  rig *g = rig_new(C);
  rig_expect(g, ID(NAT8), OK);
  g->after.link[1].has_default6 = false;
  rig_expect(g, ID(NAT8), INFO);
  g->after.link[1].has_default6 = true;
  g->after.link[1].has_global6 = false;
  rig_expect(g, ID(NAT8), INFO);
  g->after.links_why = THIRL_TUNE_WHY_NOT_PERMITTED;
  rig_expect(g, ID(NAT8), UNKNOWN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counters),
      cmocka_unit_test(what_needs_packets_is_not_looked_at),
      cmocka_unit_test(what_thirl_nat_has_found),
      cmocka_unit_test(what_is_no_report_of_thirl_nat),
      cmocka_unit_test(a_firewall_that_drops_answers),
      cmocka_unit_test(a_firewall_that_cuts_the_server_off),
      cmocka_unit_test(the_clock),
      cmocka_unit_test(an_address_of_ipv6),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
