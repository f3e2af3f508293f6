/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tune/ports.h"
#include "tune/ruleset.h"

static thirl_tune_facts f;

/* Rules as nft 1.0.6 shows them, within one table with these base chains. */
static const thirl_tune_ruleset *parse(const char *entries) {
  static char json[8192];
  snprintf(json, sizeof json,
           "{\"nftables\": [{\"metainfo\": {\"version\": \"1.0.6\", \"json_schema_version\": 1}}, {\"table\": "
           "{\"family\": \"inet\", "
           "\"name\": \"t\", \"handle\": 1}}%s%s]}",
           *entries ? ", " : "", entries);
  memset(&f, 0, sizeof f);
  thirl_tune_ruleset_parse(&f, thirl_tune_text_of(json));
  return &f.ruleset;
}

#define CHAIN(name, hook, policy)                                                                                      \
  "{\"chain\": {\"family\": \"inet\", \"table\": \"t\", \"name\": \"" name                                             \
  "\", \"handle\": 1, \"type\": \"filter\", \"hook\": \"" hook "\", \"prio\": 0, \"policy\": \"" policy "\"}}"
#define RULE(chain, expr)                                                                                              \
  "{\"rule\": {\"family\": \"inet\", \"table\": \"t\", \"chain\": \"" chain "\", \"handle\": 2, \"expr\": [" expr "]}" \
  "}"
#define MATCH_UDP(field, right)                                                                                        \
  "{\"match\": {\"op\": \"==\", \"left\": {\"payload\": {\"protocol\": \"udp\", \"field\": \"" field                   \
  "\"}}, \"right\": " right "}}"
#define ESTABLISHED                                                                                                    \
  "{\"match\": {\"op\": \"in\", \"left\": {\"ct\": {\"key\": \"state\"}}, \"right\": [\"established\", \"related\"]}}"

static void nothing(void **state) {
  (void)state;
  const thirl_tune_ruleset *r = parse("");
  assert_int_equal(r->why, THIRL_TUNE_WHY_READ);
  assert_false(r->uses_conntrack || r->has_nat || r->input_drops || r->has_foreign);
}

static void no_json(void **state) {
  (void)state;
  static const char *const texts[] = {"", "{", "[]", "{}", "{\"nftables\": 5}", "null"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    memset(&f, 0, sizeof f);
    thirl_tune_ruleset_parse(&f, thirl_tune_text_of(texts[i]));
    assert_int_equal(f.ruleset.why, THIRL_TUNE_WHY_MALFORMED);
  }
  memset(&f, 0, sizeof f);
  thirl_tune_ruleset_parse(&f, (thirl_tune_text){"", THIRL_TUNE_RULESET_BYTES + 1});
  assert_int_equal(f.ruleset.why, THIRL_TUNE_WHY_TOO_MANY);
}

static void translation(void **state) {
  (void)state;
  const thirl_tune_ruleset *r =
      parse(CHAIN("post", "postrouting", "accept") ", " RULE("post", "{\"masquerade\": null}"));
  assert_true(r->has_nat && r->has_masquerade && r->uses_conntrack && !r->random_ports);
  r = parse(CHAIN("post", "postrouting",
                  "accept") ", " RULE("post", "{\"masquerade\": {\"flags\": [\"random\", \"persistent\"]}}"));
  assert_true(r->random_ports && r->persistent);
  r = parse(CHAIN("post", "postrouting",
                  "accept") ", " RULE("post", "{\"snat\": {\"addr\": \"1.2.3.4\", \"flags\": \"fully-random\"}}"));
  assert_true(r->random_ports && !r->persistent);
  r = parse(
      CHAIN("pre", "prerouting", "accept") ", " RULE("pre", "{\"dnat\": {\"addr\": \"10.0.0.2\", \"port\": 80}}"));
  assert_true(r->has_nat && !r->has_masquerade);
}

static int64_t exempt_in(const char *expr) {
  char entries[2048];
  snprintf(entries, sizeof entries,
           "%s, {\"rule\": {\"family\": \"inet\", \"table\": \"t\", \"chain\": \"pre\", \"expr\": [%s]}}",
           CHAIN("pre", "prerouting", "accept"), expr);
  return thirl_tune_ports_count(&parse(entries)->notrack_in, 0, 65535);
}

static void exempt_from_tracking(void **state) {
  (void)state;
  assert_int_equal(exempt_in(MATCH_UDP("dport", "3478") ", {\"notrack\": null}"), 1);
  assert_int_equal(exempt_in(MATCH_UDP("dport", "{\"range\": [49152, 65535]}") ", {\"notrack\": null}"), 16384);
  assert_int_equal(
      exempt_in(MATCH_UDP("dport", "{\"set\": [3478, {\"range\": [49152, 65535]}]}") ", {\"notrack\": null}"), 16385);
  assert_int_equal(exempt_in("{\"notrack\": null}"), 65536);
  assert_int_equal(
      exempt_in("{\"match\": {\"op\": \"==\", \"left\": {\"meta\": {\"key\": \"l4proto\"}}, \"right\": \"udp\"}}, "
                "{\"counter\": {}}, {\"notrack\": null}"),
      65536);
  /* conditions that we do not follow make no exception */
  assert_int_equal(exempt_in(MATCH_UDP("sport", "3478") ", {\"notrack\": null}"), 0);
  assert_int_equal(
      exempt_in("{\"match\": {\"op\": \"!=\", \"left\": {\"payload\": {\"protocol\": \"udp\", \"field\": \"dport\"}}, "
                "\"right\": 3478}}, {\"notrack\": null}"),
      0);
  assert_int_equal(
      exempt_in("{\"match\": {\"op\": \"==\", \"left\": {\"meta\": {\"key\": \"iifname\"}}, \"right\": \"eth0\"}}, "
                "{\"notrack\": null}"),
      0);
  assert_int_equal(exempt_in(MATCH_UDP("dport", "3478") ", {\"accept\": null}"), 0);
}

static void exempt_on_the_way_out(void **state) {
  (void)state;
  const thirl_tune_ruleset *r =
      parse(CHAIN("out", "output", "accept") ", " RULE("out", MATCH_UDP("sport", "3478") ", {\"notrack\": null}"));
  assert_int_equal(thirl_tune_ports_count(&r->notrack_out, 0, 65535), 1);
  assert_int_equal(thirl_tune_ports_count(&r->notrack_in, 0, 65535), 0);
  assert_false(r->uses_conntrack);
}

static void a_firewall(void **state) {
  (void)state;
  const thirl_tune_ruleset *r = parse(CHAIN("in", "input", "drop"));
  assert_true(r->input_drops && !r->input_accepts_established && !r->uses_conntrack);
  assert_string_equal(r->input_chain, "inet t in");
  r = parse(CHAIN("in", "input", "drop") ", " RULE("in", ESTABLISHED ", {\"counter\": {}}, {\"accept\": null}"));
  assert_true(r->input_drops && r->input_accepts_established && r->uses_conntrack);
  r = parse(CHAIN("in", "input", "drop") ", " RULE(
      "in",
      "{\"vmap\": {\"key\": {\"ct\": {\"key\": \"state\"}}, \"data\": {\"set\": [[\"invalid\", {\"drop\": null}], "
      "[\"established\", {\"accept\": null}]]}}}"));
  assert_true(r->input_accepts_established);
  r = parse(CHAIN("in", "input", "drop") ", " RULE("in", ESTABLISHED ", {\"drop\": null}"));
  assert_false(r->input_accepts_established);
  r = parse(CHAIN("in", "input", "drop") ", " RULE("in", MATCH_UDP("dport", "3478") ", {\"accept\": null}"));
  assert_true(thirl_tune_ports_has(&r->accepted, 3478));
}

static void a_name_that_a_shell_would_run(void **state) {
  (void)state;
  const thirl_tune_ruleset *r =
      parse("{\"chain\": {\"family\": \"inet\", \"table\": \"$(reboot)\", \"name\": \"a;b\", \"hook\": \"input\", "
            "\"policy\": \"drop\"}}");
  assert_true(r->input_drops);
  assert_string_equal(r->input_chain, "inet table name");
}

/* As firewalld has it: the policy accepts, the last rule refuses. */
static void a_last_rule_that_refuses(void **state) {
  (void)state;
  const thirl_tune_ruleset *r =
      parse(CHAIN("in", "input", "accept") ", " RULE("in", "{\"counter\": {}}, {\"reject\": {\"type\": \"icmpx\"}}"));
  assert_true(r->input_drops);
  r = parse(CHAIN("in", "input", "accept") ", " RULE("in", MATCH_UDP("dport", "53") ", {\"drop\": null}"));
  assert_false(r->input_drops);
}

static void forwarding(void **state) {
  (void)state;
  const thirl_tune_ruleset *r = parse(CHAIN("fwd", "forward", "drop"));
  assert_true(r->forward_drops && !r->forward_accepts && !r->input_drops);
  r = parse(CHAIN("fwd", "forward", "drop") ", " RULE("fwd", ESTABLISHED ", {\"accept\": null}"));
  assert_true(r->forward_drops && r->forward_accepts);
}

static void what_else_tracks(void **state) {
  (void)state;
  assert_true(parse("{\"flowtable\": {\"family\": \"inet\", \"name\": \"ft\"}}")->has_flowtable);
  const thirl_tune_ruleset *r = parse(
      CHAIN("fwd", "forward", "accept") ", " RULE("fwd", "{\"flow\": {\"op\": \"add\", \"flowtable\": \"@ft\"}}"));
  assert_true(r->has_flowtable && r->uses_conntrack);
  r = parse(CHAIN("pre", "prerouting", "accept") ", " RULE("pre", "{\"ct helper\": \"sip\"}"));
  assert_true(r->has_helper && r->uses_conntrack);
  assert_true(parse(CHAIN("in", "input",
                          "accept") ", " RULE("in", "{\"xt\": {\"type\": \"target\", \"name\": \"MASQUERADE\"}}"))
                  ->has_foreign);
}

static void old_tables(void **state) {
  (void)state;
  memset(&f, 0, sizeof f);
  thirl_tune_ruleset_legacy(&f, thirl_tune_text_of("filter\n"));
  assert_true(f.ruleset.has_foreign && !f.ruleset.has_nat);
  thirl_tune_ruleset_legacy(&f, thirl_tune_text_of("raw\nnat\n"));
  assert_true(f.ruleset.has_nat && f.ruleset.uses_conntrack);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing),
      cmocka_unit_test(no_json),
      cmocka_unit_test(translation),
      cmocka_unit_test(exempt_from_tracking),
      cmocka_unit_test(exempt_on_the_way_out),
      cmocka_unit_test(a_firewall),
      cmocka_unit_test(a_name_that_a_shell_would_run),
      cmocka_unit_test(a_last_rule_that_refuses),
      cmocka_unit_test(forwarding),
      cmocka_unit_test(what_else_tracks),
      cmocka_unit_test(old_tables),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
