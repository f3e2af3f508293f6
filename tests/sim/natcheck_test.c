/* SPDX-License-Identifier: MIT */
/* What natcheck finds is what the NAT is: nine behaviours and four ways to hand out ports, UDP and TCP, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "natcheck/words.h"
#include "support/natscene.h"

static const thirl_natcheck_mapping mappings[] = {THIRL_NATCHECK_EIM, THIRL_NATCHECK_ADM, THIRL_NATCHECK_APDM};
static const thirl_natcheck_filtering filterings[] = {THIRL_NATCHECK_EIF, THIRL_NATCHECK_ADF, THIRL_NATCHECK_APDF};
static const thirl_natcheck_model models[] = {THIRL_NATCHECK_PRESERVING, THIRL_NATCHECK_SEQUENTIAL,
                                              THIRL_NATCHECK_RANDOM, THIRL_NATCHECK_BLOCK};

static thirl_natbox_config nat_of(int mapping, int filtering, int allocation) {
  thirl_natbox_config c = thirl_natbox_config_of((thirl_natbox_mapping)mapping, (thirl_natbox_filtering)filtering,
                                                 thirl_addr_v4(203, 0, 113, 1, 0));
  c.udp.allocation = c.tcp.allocation = (thirl_natbox_allocation)allocation;
  return c;
}

static void check(const thirl_natcheck_protocol *p, const char *name, int m, int f, int a) {
  if (p->mapping != mappings[m] || p->filtering != filterings[f] || p->allocation.model != models[a])
    print_error("%s %d/%d/%d is found to be %s (%s), %s (%s), %s (%s)\n", name, m, f, a,
                thirl_natcheck_words_mapping(p->mapping), thirl_natcheck_words_why(p->mapping_why),
                thirl_natcheck_words_filtering(p->filtering), thirl_natcheck_words_why(p->filtering_why),
                thirl_natcheck_words_model(p->allocation.model), thirl_natcheck_words_why(p->allocation.why));
  assert_int_equal(p->reachable, THIRL_NATCHECK_YES);
  assert_int_equal(p->mapping, mappings[m]);
  assert_int_equal(p->filtering, filterings[f]);
  assert_int_equal(p->allocation.model, models[a]);
  assert_int_equal(p->preserves, models[a] == THIRL_NATCHECK_PRESERVING ? THIRL_NATCHECK_YES : THIRL_NATCHECK_NO);
  assert_int_equal(p->mapping_why, THIRL_NATCHECK_WHY_KNOWN);
  assert_int_equal(p->filtering_why, THIRL_NATCHECK_WHY_KNOWN);
  assert_int_equal(p->n_outer, 1);
}

static void all_kinds_of_nat_are_recognised(void **state) {
  (void)state;
  for (int m = 0; m < 3; m++)
    for (int f = 0; f < 3; f++)
      for (int a = 0; a < 4; a++) {
        natscene_config c = natscene_config_of((uint64_t)(100 + m * 12 + f * 4 + a), nat_of(m, f, a));
        natscene_result r = natscene_play(&c);
        assert_true(r.over);
        check(&r.report.udp, "UDP", m, f, a);
        check(&r.report.tcp, "TCP", m, f, a);
      }
}

/* ---- what may not be known, but never wrongly ---- */

static bool is_right_or_unknown(const thirl_natcheck_protocol *p, int m, int f) {
  bool mapping = p->mapping == THIRL_NATCHECK_MAPPING_UNKNOWN ? p->mapping_why != THIRL_NATCHECK_WHY_KNOWN
                                                              : p->mapping == mappings[m];
  bool filtering = p->filtering == THIRL_NATCHECK_FILTERING_UNKNOWN ? p->filtering_why != THIRL_NATCHECK_WHY_KNOWN
                                                                    : p->filtering == filterings[f];
  return mapping && filtering;
}

static void never_wrong(const thirl_natcheck_protocol *p, const char *name, int m, int f, uint64_t seed) {
  if (!is_right_or_unknown(p, m, f))
    print_error("%s %d/%d, seed %llu, is found to be %s (%s), %s (%s)\n", name, m, f, (unsigned long long)seed,
                thirl_natcheck_words_mapping(p->mapping), thirl_natcheck_words_why(p->mapping_why),
                thirl_natcheck_words_filtering(p->filtering), thirl_natcheck_words_why(p->filtering_why));
  assert_true(is_right_or_unknown(p, m, f));
}

static void loss_never_gives_a_wrong_class(void **state) {
  static const double losses[] = {0.02, 0.1, 0.2, 0.4};
  unsigned known[4] = {0}, known_without_bursts[4] = {0};
  (void)state;
  for (int i = 0; i < 4; i++)
    for (int k = 0; k < 90; k++) {
      int m = k % 3, f = k / 3 % 3;
      uint64_t seed = (uint64_t)(1000 + i * 100 + k);
      natscene_config c = natscene_config_of(seed, nat_of(m, f, k % 4));
      c.loss = losses[i];
      c.burst = k % 2 ? 0.02 : 0;
      natscene_result r = natscene_play(&c);
      assert_true(r.over);
      never_wrong(&r.report.udp, "UDP", m, f, seed);
      never_wrong(&r.report.tcp, "TCP", m, f, seed);
      bool is_known = r.report.udp.mapping && r.report.udp.filtering;
      known[i] += is_known;
      known_without_bursts[i] += is_known && c.burst == 0;
    }
  assert_int_equal(known_without_bursts[0], 45); /* a little loss costs nothing but time */
  assert_in_range(known_without_bursts[2], 36, 45);
  assert_in_range(known[0] + known[1] + known[2], 235, 270);
}

/* Whose mapping can be told all the same: two ports of one address suffice where it depends on the port. */
typedef enum told { TOLD_NONE, TOLD_APDM, TOLD_ALL } told;

static void nothing_is_made_up_by(const natserver_knobs *lie, const char *name, told which) {
  for (int m = 0; m < 3; m++)
    for (int f = 0; f < 3; f++) {
      uint64_t seed = (uint64_t)(3000 + m * 3 + f);
      natscene_config c = natscene_config_of(seed, nat_of(m, f, 2));
      c.knobs = *lie;
      natscene_result r = natscene_play(&c);
      assert_true(r.over);
      never_wrong(&r.report.udp, name, m, f, seed);
      never_wrong(&r.report.tcp, name, m, f, seed);
      bool is_told = which == TOLD_ALL || (which == TOLD_APDM && m == 2);
      assert_int_equal(r.report.udp.mapping != THIRL_NATCHECK_MAPPING_UNKNOWN, is_told);
    }
}

static void lies_give_no_class(void **state) {
  (void)state;
  thirl_addr nobody = thirl_addr_v4(203, 0, 113, 99, 3479), inner = thirl_addr_v4(10, 0, 0, 7, 3479),
             loop = thirl_addr_v4(127, 0, 0, 1, 3479), same = thirl_addr_v4(203, 0, 113, 10, 3479);
  nothing_is_made_up_by(&(natserver_knobs){.other = nobody}, "an address of nobody", TOLD_APDM);
  nothing_is_made_up_by(&(natserver_knobs){.other = inner}, "an inner address", TOLD_APDM);
  nothing_is_made_up_by(&(natserver_knobs){.other = loop}, "loopback", TOLD_NONE);
  nothing_is_made_up_by(&(natserver_knobs){.other = same}, "its own address", TOLD_NONE);
  nothing_is_made_up_by(&(natserver_knobs){.ignores_change = true}, "ignores", TOLD_ALL);
  nothing_is_made_up_by(&(natserver_knobs){.drops_change = true}, "drops", TOLD_ALL);
  nothing_is_made_up_by(&(natserver_knobs){.only_port = true}, "port only", TOLD_ALL);
  nothing_is_made_up_by(&(natserver_knobs){.from_elsewhere = true}, "from elsewhere", TOLD_NONE);
  nothing_is_made_up_by(&(natserver_knobs){.random_mapped = true}, "invents", TOLD_NONE);
  nothing_is_made_up_by(&(natserver_knobs){.garbage = true}, "garbage", TOLD_NONE);
  nothing_is_made_up_by(&(natserver_knobs){.half = true}, "half", TOLD_NONE);
  nothing_is_made_up_by(&(natserver_knobs){.mute_second = true}, "mute", TOLD_APDM);
  nothing_is_made_up_by(&(natserver_knobs){.claims_success = true}, "claims success", TOLD_ALL);
  nothing_is_made_up_by(&(natserver_knobs){.no_probe = true}, "no probe", TOLD_ALL);
  nothing_is_made_up_by(&(natserver_knobs){.no_response_port = true}, "no response port", TOLD_ALL);
}

static void a_server_may_die_at_any_moment(void **state) {
  (void)state;
  for (unsigned after = 1; after < 60; after++)
    for (int k = 0; k < 9; k += 2) {
      natscene_config c = natscene_config_of(4000 + after, nat_of(k % 3, k / 3, 2));
      c.knobs.dies_after = after;
      natscene_result r = natscene_play(&c);
      assert_true(r.over);
      never_wrong(&r.report.udp, "UDP, dying", k % 3, k / 3, after);
      never_wrong(&r.report.tcp, "TCP, dying", k % 3, k / 3, after);
    }
}

static void reboot(void *ctx, thirl_sim *sim, thirl_sim_node *nat) {
  (void)ctx;
  (void)sim;
  thirl_sim_reboot(nat);
}

static void a_nat_may_reboot_meanwhile(void **state) {
  (void)state;
  for (int k = 0; k < 27; k++) {
    natscene_config c = natscene_config_of((uint64_t)(5000 + k), nat_of(k % 3, k / 3 % 3, 2));
    c.during = reboot;
    c.delay = (thirl_time)(5 + 10 * k) * THIRL_MS;
    natscene_result r = natscene_play(&c);
    assert_true(r.over);
    never_wrong(&r.report.udp, "UDP, reboot", k % 3, k / 3 % 3, c.seed);
    never_wrong(&r.report.tcp, "TCP, reboot", k % 3, k / 3 % 3, c.seed);
  }
}

/* ---- servers that can do less ---- */

static void a_plain_server_tells_part(void **state) {
  (void)state;
  natscene_config c = natscene_config_of(1, nat_of(0, 2, 0));
  c.knobs.plain = true;
  natscene_result r = natscene_play(&c);
  assert_int_equal(r.report.udp.reachable, THIRL_NATCHECK_YES);
  assert_int_equal(r.report.udp.mapping, THIRL_NATCHECK_MAPPING_UNKNOWN);
  assert_int_equal(r.report.udp.mapping_why, THIRL_NATCHECK_WHY_NO_ALTERNATE);
  assert_int_equal(r.report.udp.filtering_why, THIRL_NATCHECK_WHY_NO_ALTERNATE);
  assert_int_equal(r.report.udp.allocation.model, THIRL_NATCHECK_PRESERVING);
  assert_int_equal(r.report.tcp.mapping_why, THIRL_NATCHECK_WHY_NO_ALTERNATE);
  assert_int_equal(r.report.tcp.allocation.model, THIRL_NATCHECK_PRESERVING);
}

/* Its two ports tell whether the NAT looks at ports. */
static void a_server_with_two_ports_tells_more(void **state) {
  (void)state;
  for (int m = 0; m < 3; m++)
    for (int f = 0; f < 3; f++) {
      natscene_config c = natscene_config_of(15, nat_of(m, f, 2));
      c.knobs.one_ip = true;
      c.check.tcp = false;
      natscene_result r = natscene_play(&c);
      assert_int_equal(r.report.udp.mapping, m == 2 ? THIRL_NATCHECK_APDM : THIRL_NATCHECK_MAPPING_UNKNOWN);
      assert_int_equal(r.report.udp.filtering, f == 2 ? THIRL_NATCHECK_APDF : THIRL_NATCHECK_FILTERING_UNKNOWN);
      if (m < 2) assert_int_equal(r.report.udp.mapping_why, THIRL_NATCHECK_WHY_NO_ALTERNATE);
      if (f < 2) assert_int_equal(r.report.udp.filtering_why, THIRL_NATCHECK_WHY_NO_ALTERNATE);
      assert_int_equal(r.report.servers[0].other_port, 3479);
    }
}

static void two_plain_servers_tell_the_mapping(void **state) {
  (void)state;
  for (int m = 0; m < 3; m++) {
    natscene_config c = natscene_config_of(2, nat_of(m, 2, 2));
    c.knobs.plain = c.second_knobs.plain = c.has_second_server = true;
    natscene_result r = natscene_play(&c);
    thirl_natcheck_mapping want = m == 0 ? THIRL_NATCHECK_EIM : THIRL_NATCHECK_MAPPING_UNKNOWN;
    assert_int_equal(r.report.udp.mapping, want);
    assert_int_equal(r.report.tcp.mapping, want);
    assert_int_equal(r.report.udp.filtering_why, THIRL_NATCHECK_WHY_NO_ALTERNATE);
    assert_int_equal(r.report.servers[1].udp, true);
  }
}

static void a_full_server_is_preferred(void **state) {
  (void)state;
  natscene_config c = natscene_config_of(3, nat_of(1, 1, 2));
  c.knobs.plain = c.has_second_server = true;
  natscene_result r = natscene_play(&c);
  check(&r.report.udp, "UDP", 1, 1, 2);
  check(&r.report.tcp, "TCP", 1, 1, 2);
}

static void a_server_asked_too_often_is_asked_again(void **state) {
  (void)state;
  natscene_config c = natscene_config_of(4, nat_of(0, 2, 2));
  c.knobs.limits = 2;
  natscene_result r = natscene_play(&c);
  check(&r.report.tcp, "TCP", 0, 2, 2);
  c.knobs.limits = 1000;
  r = natscene_play(&c);
  assert_int_equal(r.report.tcp.filtering, THIRL_NATCHECK_FILTERING_UNKNOWN);
  assert_int_equal(r.report.tcp.filtering_why, THIRL_NATCHECK_WHY_NOT_OFFERED);
}

static void no_udp_is_no_udp(void **state) {
  (void)state;
  natscene_config c = natscene_config_of(5, nat_of(0, 2, 0));
  c.knobs.no_udp = true;
  natscene_result r = natscene_play(&c);
  assert_int_equal(r.report.udp.reachable, THIRL_NATCHECK_NO);
  assert_int_equal(r.report.udp.why, THIRL_NATCHECK_WHY_NO_ANSWER);
  assert_int_equal(r.report.udp.mapping_why, THIRL_NATCHECK_WHY_NO_ANSWER);
  check(&r.report.tcp, "TCP", 0, 2, 0);
  assert_in_range(r.took, 9 * THIRL_S, 25 * THIRL_S);
}

static void no_tcp_is_no_tcp(void **state) {
  (void)state;
  natscene_config c = natscene_config_of(6, nat_of(0, 2, 0));
  c.knobs.no_tcp = true;
  natscene_result r = natscene_play(&c);
  check(&r.report.udp, "UDP", 0, 2, 0);
  assert_int_equal(r.report.tcp.reachable, THIRL_NATCHECK_NO);
  assert_int_equal(r.report.tcp.why, THIRL_NATCHECK_WHY_REFUSED);
}

/* ---- no NAT, two NATs ---- */

static void without_a_nat_there_is_none(void **state) {
  (void)state;
  natscene_config c = natscene_config_of(7, (thirl_natbox_config){.mode = THIRL_NATBOX_ROUTE});
  natscene_result r = natscene_play(&c);
  const thirl_natcheck_protocol *both[] = {&r.report.udp, &r.report.tcp};
  for (int i = 0; i < 2; i++) {
    assert_int_equal(both[i]->mapping, THIRL_NATCHECK_NO_MAPPING);
    assert_int_equal(both[i]->filtering, THIRL_NATCHECK_EIF);
    assert_int_equal(both[i]->allocation.model, THIRL_NATCHECK_NO_ALLOCATION);
    assert_int_equal(both[i]->preserves, THIRL_NATCHECK_YES);
  }
}

static void a_firewall_filters_without_mapping(void **state) {
  (void)state;
  for (int f = 0; f < 3; f++) {
    thirl_natbox_config box = nat_of(0, f, 0);
    box.mode = THIRL_NATBOX_FIREWALL;
    natscene_config c = natscene_config_of(8, box);
    natscene_result r = natscene_play(&c);
    assert_int_equal(r.report.udp.mapping, THIRL_NATCHECK_NO_MAPPING);
    assert_int_equal(r.report.udp.filtering, filterings[f]);
    assert_int_equal(r.report.tcp.mapping, THIRL_NATCHECK_NO_MAPPING);
    assert_int_equal(r.report.tcp.filtering, filterings[f]);
  }
}

static int stricter(int a, int b) {
  return a > b ? a : b;
}

static void two_nats_are_as_strict_as_the_stricter(void **state) {
  (void)state;
  for (int k = 0; k < 81; k += 5) {
    int inner_m = k % 3, inner_f = k / 3 % 3, outer_m = k / 9 % 3, outer_f = k / 27;
    natscene_config c = natscene_config_of((uint64_t)(6000 + k), nat_of(inner_m, inner_f, 2));
    c.nat.external = thirl_addr_v4(100, 64, 0, 2, 0);
    c.outer_nat = nat_of(outer_m, outer_f, 2);
    c.has_outer_nat = true;
    natscene_result r = natscene_play(&c);
    check(&r.report.udp, "UDP", stricter(inner_m, outer_m), stricter(inner_f, outer_f), 2);
    check(&r.report.tcp, "TCP", stricter(inner_m, outer_m), stricter(inner_f, outer_f), 2);
  }
}

/* ---- odd NATs ---- */

static void a_pool_of_addresses_is_seen(void **state) {
  (void)state;
  natscene_config c = natscene_config_of(14, nat_of(0, 0, 2));
  c.nat.pooling = THIRL_NATBOX_ARBITRARY;
  c.nat.n_pool = 2;
  c.nat.pool[0] = thirl_addr_v4(203, 0, 113, 2, 0);
  c.nat.pool[1] = thirl_addr_v4(203, 0, 113, 3, 0);
  natscene_result r = natscene_play(&c);
  assert_int_equal(r.report.udp.n_outer, 3);
  assert_int_equal(r.report.tcp.n_outer, 3);
  never_wrong(&r.report.udp, "UDP, pool", 0, 0, c.seed);
  never_wrong(&r.report.tcp, "TCP, pool", 0, 0, c.seed);
}

/* ---- on demand ---- */

static void hairpin_is_found_where_it_can_be(void **state) {
  (void)state;
  for (int m = 0; m < 3; m++)
    for (int f = 0; f < 3; f++)
      for (int on = 0; on < 2; on++) {
        natscene_config c = natscene_config_of(9, nat_of(m, f, 2));
        c.check.hairpin = true;
        c.nat.hairpin = on ? THIRL_NATBOX_HAIRPIN_EXTERNAL : THIRL_NATBOX_HAIRPIN_OFF;
        natscene_result r = natscene_play(&c);
        bool can_be_seen = m == 0 || f == 0;
        thirl_natcheck_answer want =
            can_be_seen ? (on ? THIRL_NATCHECK_YES : THIRL_NATCHECK_NO) : THIRL_NATCHECK_UNKNOWN;
        assert_int_equal(r.report.udp.hairpin, want);
        assert_int_equal(r.report.tcp.hairpin, want);
        assert_false(r.report.udp.hairpin_shows_inner);
      }
}

static void hairpin_is_not_looked_for_unasked(void **state) {
  (void)state;
  natscene_config c = natscene_config_of(10, nat_of(0, 0, 2));
  c.nat.hairpin = THIRL_NATBOX_HAIRPIN_EXTERNAL;
  natscene_result r = natscene_play(&c);
  assert_int_equal(r.report.udp.hairpin, THIRL_NATCHECK_UNKNOWN);
  assert_int_equal(r.report.udp.hairpin_why, THIRL_NATCHECK_WHY_NOT_ASKED);
  assert_int_equal(r.report.udp.lifetime_why, THIRL_NATCHECK_WHY_NOT_ASKED);
}

static void the_lifetime_is_bracketed(void **state) {
  static const unsigned lives_s[] = {12, 30, 60, 119, 300};
  (void)state;
  for (int i = 0; i < 5; i++)
    for (int k = 0; k < 9; k += 4) {
      natscene_config c = natscene_config_of(11, nat_of(k % 3, k / 3, k % 2 ? 0 : 2));
      c.nat.udp.new_timeout = c.nat.udp.open_timeout = lives_s[i] * THIRL_S;
      c.check.tcp = false;
      c.check.lifetime = 600 * THIRL_S;
      c.limit = 1000 * THIRL_S;
      natscene_result r = natscene_play(&c);
      assert_true(r.over);
      assert_int_equal(r.report.udp.lifetime_why, THIRL_NATCHECK_WHY_KNOWN);
      assert_in_range(r.report.udp.lifetime_s, lives_s[i] * 85 / 100 - 5, lives_s[i]);
      assert_in_range(r.report.udp.lifetime_max_s, lives_s[i], lives_s[i] * 115 / 100 + 6);
      assert_in_range(r.took, lives_s[i] * THIRL_S, (lives_s[i] * 140 / 100 + 30) * THIRL_S);
    }
}

static void a_server_without_response_port_measures_no_lifetime(void **state) {
  (void)state;
  natscene_config c = natscene_config_of(12, nat_of(0, 0, 0));
  c.knobs.no_response_port = true;
  c.check.tcp = false;
  c.check.lifetime = 600 * THIRL_S;
  natscene_result r = natscene_play(&c);
  assert_int_equal(r.report.udp.lifetime_why, THIRL_NATCHECK_WHY_UNPROVEN);
  assert_int_equal(r.report.udp.lifetime_s, 0);
  assert_in_range(r.took, 0, 15 * THIRL_S);
}

static void packets_are_few(void **state) {
  (void)state;
  natscene_config c = natscene_config_of(13, nat_of(0, 2, 2));
  c.check.tcp = false;
  natscene_result r = natscene_play(&c);
  /* 1 to reach it; 8 x 3 for the filter; 4 x 2 for the mapping; 2 and 8 for the proof; 12 samples */
  assert_int_equal(r.requests, 1 + 24 + 8 + 2 + 8 + 12);
  assert_in_range(r.took, 1 * THIRL_S, 4 * THIRL_S);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_kinds_of_nat_are_recognised),
      cmocka_unit_test(loss_never_gives_a_wrong_class),
      cmocka_unit_test(lies_give_no_class),
      cmocka_unit_test(a_server_may_die_at_any_moment),
      cmocka_unit_test(a_nat_may_reboot_meanwhile),
      cmocka_unit_test(a_plain_server_tells_part),
      cmocka_unit_test(a_server_with_two_ports_tells_more),
      cmocka_unit_test(two_plain_servers_tell_the_mapping),
      cmocka_unit_test(a_full_server_is_preferred),
      cmocka_unit_test(a_server_asked_too_often_is_asked_again),
      cmocka_unit_test(no_udp_is_no_udp),
      cmocka_unit_test(no_tcp_is_no_tcp),
      cmocka_unit_test(without_a_nat_there_is_none),
      cmocka_unit_test(a_firewall_filters_without_mapping),
      cmocka_unit_test(two_nats_are_as_strict_as_the_stricter),
      cmocka_unit_test(a_pool_of_addresses_is_seen),
      cmocka_unit_test(hairpin_is_found_where_it_can_be),
      cmocka_unit_test(hairpin_is_not_looked_for_unasked),
      cmocka_unit_test(the_lifetime_is_bracketed),
      cmocka_unit_test(a_server_without_response_port_measures_no_lifetime),
      cmocka_unit_test(packets_are_few),
  };
  return cmocka_run_group_tests_name("sim/natcheck", tests, NULL, NULL);
}
