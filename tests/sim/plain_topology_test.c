/* SPDX-License-Identifier: MIT */
/*
 * The plain puncher where two NATs side by side are not the whole story: NAT behind NAT, two peers behind one NAT, two hosts on one port, a peer that
 * is too early, mappings at the edge of their life, IPv6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "support/puncher.h"

typedef struct world {
  thirl_sim *sim;
  observer observer;
  thirl_sim_node *host[3];
  puncher p[3];
} world;

static world w;

static int setup(void **state) {
  (void)state;
  memset(&w, 0, sizeof w);
  w.sim = thirl_sim_new(9);
  w.observer.local = thirl_addr_v4(203, 0, 113, 10, 3478);
  thirl_sim_node *s =
      thirl_sim_add_host(w.sim, &(thirl_sim_host_config){.name = "s", .addrs = {w.observer.local}, .n_addrs = 1});
  thirl_net_machine m = observer_machine(&w.observer);
  thirl_sim_attach(s, &m);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  thirl_sim_free(w.sim);
  return 0;
}

static thirl_natbox_config behaviour(unsigned kind, thirl_addr external) {
  thirl_natbox_config c =
      thirl_natbox_config_of((thirl_natbox_mapping)(kind / 3), (thirl_natbox_filtering)(kind % 3), external);
  c.hairpin = THIRL_NATBOX_HAIRPIN_OFF;
  return c;
}

static thirl_sim_node *add_nat(thirl_sim_node *below, thirl_natbox_config box) {
  thirl_sim_node *n = thirl_sim_add_nat(w.sim, &(thirl_sim_nat_config){.name = "nat", .below = below, .box = box});
  assert_non_null(n);
  thirl_sim_link_rules r = {.delay = 20 * THIRL_MS};
  thirl_sim_set_link(n, &r, &r);
  return n;
}

static void add_peer(unsigned i, thirl_sim_node *below, thirl_addr addr, bool udp) {
  w.host[i] = thirl_sim_add_host(
      w.sim, &(thirl_sim_host_config){.name = "peer", .below = below, .addrs = {addr}, .n_addrs = 1});
  assert_non_null(w.host[i]);
  w.p[i] = (puncher){.name = (uint8_t)('a' + i), .port = 5000, .server = w.observer.local, .udp = udp};
  thirl_net_machine m = puncher_machine(&w.p[i]);
  thirl_sim_attach(w.host[i], &m);
}

static thirl_addr seen(unsigned i) {
  return observer_seen(&w.observer, (uint8_t)('a' + i), w.p[i].udp);
}

static void fire(unsigned i, thirl_addr at) {
  puncher_go(&w.p[i], thirl_sim_clock(w.host[i]), &at, 1);
  thirl_sim_kick(w.host[i]);
}

/* Both see each other as the server does, and fire together. */
static bool punch(void) {
  thirl_sim_run_until(w.sim, THIRL_SIM_EPOCH + THIRL_S);
  thirl_addr a = seen(0), b = seen(1);
  fire(0, b);
  fire(1, a);
  thirl_sim_run_until(w.sim, THIRL_SIM_EPOCH + 6 * THIRL_S);
  bool up = puncher_took(&w.p[0]) && puncher_took(&w.p[1]);
  return up && w.p[0].heard_at && w.p[1].heard_at;
}

static bool is_eim(unsigned kind) {
  return kind / 3 == 0;
}

/*
 * Does a NAT let in who sends to the endpoint that the server has seen? Everybody with EIF; otherwise what was sent to the peer must have left by the
 * same mapping, and with APDF the peer must send from where it was sent to.
 */
static bool lets_in(unsigned filtering, bool one_mapping, bool peer_is_eim) {
  return filtering == 0 || (one_mapping && (filtering == 1 || peer_is_eim));
}

static bool accepts(unsigned from, unsigned into) {
  return lets_in(into % 3, is_eim(into), is_eim(from));
}

/*
 * Two NATs in a row: a packet must pass both. The outer one sees one endpoint of the host only if the inner one has one mapping for it. (The stricter of
 * each property is a good guess and too dark: EIM/ADF behind ADM/EIF lets in what ADM/ADF would not.) An outer NAT
 * that has two mappings for one pair of ends shows the newer flow with another remote port, which an inner APDF filter does not know.
 */
static void double_nat_lets_in_what_both_let_in(void **state) {
  (void)state;
  for (unsigned udp = 0; udp < 2; udp++)
    for (unsigned home = 0; home < 9; home++)
      for (unsigned cgn = 0; cgn < 9; cgn++)
        for (unsigned other = 0; other < 9; other += 2) {
          teardown(NULL);
          setup(NULL);
          thirl_sim_node *outer = add_nat(NULL, behaviour(cgn, thirl_addr_v4(192, 0, 2, 1, 0)));
          thirl_sim_node *inner = add_nat(outer, behaviour(home, thirl_addr_v4(100, 64, 0, 1, 0)));
          add_peer(0, inner, thirl_addr_v4(10, 0, 0, 2, 0), udp);
          add_peer(1, add_nat(NULL, behaviour(other, thirl_addr_v4(192, 0, 2, 2, 0))), thirl_addr_v4(10, 0, 0, 2, 0),
                   udp);
          bool one = is_eim(home) && is_eim(cgn);
          bool in =
              lets_in(home % 3, is_eim(home), is_eim(other) && is_eim(cgn)) && lets_in(cgn % 3, one, is_eim(other));
          bool up = punch(), want = in || lets_in(other % 3, is_eim(other), one);
          if (up != want) fail_msg("home %u behind %u against %u %s: %d", home, cgn, other, udp ? "UDP" : "TCP", up);
        }
}

static void hairpin(thirl_natbox_hairpin how, unsigned kind, bool udp, bool want) {
  teardown(NULL);
  setup(NULL);
  thirl_natbox_config c = behaviour(kind, thirl_addr_v4(192, 0, 2, 1, 0));
  c.hairpin = how;
  thirl_sim_node *nat = add_nat(NULL, c);
  /* The peers cannot see each other but through the NAT: each sits behind a router of its own. */
  for (unsigned i = 0; i < 2; i++) {
    thirl_natbox_config inner = behaviour(0, thirl_addr_v4(100, 64, 0, (uint8_t)(i + 1), 0));
    add_peer(i, add_nat(nat, inner), thirl_addr_v4(10, 0, 0, 2, 0), udp);
  }
  if (punch() != want) fail_msg("hairpin %d, behaviour %u, %s", how, kind, udp ? "UDP" : "TCP");
}

static void two_peers_behind_one_nat_need_its_hairpin(void **state) {
  (void)state;
  for (unsigned udp = 0; udp < 2; udp++)
    for (unsigned kind = 0; kind < 9; kind++) {
      hairpin(THIRL_NATBOX_HAIRPIN_OFF, kind, udp, false);
      hairpin(THIRL_NATBOX_HAIRPIN_EXTERNAL, kind, udp, accepts(kind, kind));
    }
}

static void two_peers_in_one_house_meet_on_their_own_addresses(void **state) {
  (void)state;
  thirl_sim_node *nat = add_nat(NULL, behaviour(8, thirl_addr_v4(192, 0, 2, 1, 0)));
  add_peer(0, nat, thirl_addr_v4(10, 0, 0, 2, 0), false);
  add_peer(1, nat, thirl_addr_v4(10, 0, 0, 3, 0), false);
  thirl_sim_run_until(w.sim, THIRL_SIM_EPOCH + THIRL_S);
  fire(0, thirl_addr_v4(10, 0, 0, 3, 5000));
  fire(1, thirl_addr_v4(10, 0, 0, 2, 5000));
  thirl_sim_run_until(w.sim, THIRL_SIM_EPOCH + 2 * THIRL_S);
  assert_true(w.p[0].heard_at && w.p[1].heard_at);
  assert_int_equal(w.p[0].heard_at - w.p[0].started_at, 0); /* a LAN without delay */
}

static void two_inner_hosts_punch_from_one_port(void **state) {
  (void)state;
  for (unsigned udp = 0; udp < 2; udp++) {
    teardown(NULL);
    setup(NULL);
    thirl_natbox_config c = behaviour(2, thirl_addr_v4(192, 0, 2, 1, 0));
    c.udp.allocation = c.tcp.allocation = THIRL_NATBOX_PRESERVE;
    thirl_sim_node *nat = add_nat(NULL, c);
    add_peer(0, nat, thirl_addr_v4(10, 0, 0, 2, 0), udp);
    add_peer(2, nat, thirl_addr_v4(10, 0, 0, 3, 0), udp);
    add_peer(1, add_nat(NULL, behaviour(2, thirl_addr_v4(192, 0, 2, 2, 0))), thirl_addr_v4(10, 0, 0, 2, 0), udp);
    thirl_sim_run_until(w.sim, THIRL_SIM_EPOCH + THIRL_S);
    thirl_addr a = seen(0), b = seen(1), other = seen(2);
    assert_int_equal(a.port, 5000);
    assert_int_not_equal(other.port, 5000);
    fire(0, b);
    fire(2, b);
    puncher_go(&w.p[1], thirl_sim_clock(w.host[1]), (const thirl_addr[2]){a, other}, 2);
    thirl_sim_kick(w.host[1]);
    thirl_sim_run_until(w.sim, THIRL_SIM_EPOCH + 3 * THIRL_S);
    for (unsigned i = 0; i < 3; i++)
      assert_int_equal(puncher_took(&w.p[i]), 80 * THIRL_MS);
  }
}

/* The peer's packet comes before the own one has opened the hole: it costs time, and nothing is poisoned where it is dropped. */
static void a_peer_that_is_early_costs_time(void **state) {
  (void)state;
  for (unsigned udp = 0; udp < 2; udp++) {
    teardown(NULL);
    setup(NULL);
    for (unsigned i = 0; i < 2; i++) {
      thirl_natbox_config c;
      thirl_natbox_config_preset("linux", thirl_addr_v4(192, 0, 2, (uint8_t)(i + 1), 0), &c);
      add_peer(i, add_nat(NULL, c), thirl_addr_v4(10, 0, 0, 2, 0), udp);
    }
    thirl_sim_run_until(w.sim, THIRL_SIM_EPOCH + THIRL_S);
    thirl_addr a = seen(0), b = seen(1);
    fire(0, b);
    thirl_sim_run_until(w.sim, THIRL_SIM_EPOCH + THIRL_S + 300 * THIRL_MS);
    assert_int_equal(w.p[1].heard_at, 0);
    fire(1, a);
    thirl_sim_run_until(w.sim, THIRL_SIM_EPOCH + 4 * THIRL_S);
    assert_int_equal(puncher_took(&w.p[1]), 80 * THIRL_MS);
    assert_true(w.p[0].heard_at && w.p[1].heard_at);
  }
}

/* The server knows a mapping of so long ago. Is it still there? */
static bool works_after(thirl_time idle) {
  teardown(NULL);
  setup(NULL);
  thirl_sim_node *nat = add_nat(NULL, behaviour(0, thirl_addr_v4(192, 0, 2, 1, 0)));
  add_peer(0, nat, thirl_addr_v4(10, 0, 0, 2, 0), true);
  add_peer(1, NULL, thirl_addr_v4(203, 0, 113, 77, 0), true);
  thirl_time heard = THIRL_SIM_EPOCH + 40 * THIRL_MS; /* when the NAT sees the server's answer, the last packet */
  thirl_sim_run_until(w.sim, heard + idle - 20 * THIRL_MS);
  thirl_addr a = seen(0);
  fire(1, a); /* arrives at the NAT idle after that */
  thirl_sim_run_until(w.sim, heard + idle + THIRL_S);
  return w.p[0].heard_at != 0;
}

static void a_mapping_works_up_to_the_end_of_its_life(void **state) {
  (void)state;
  assert_true(works_after(120 * THIRL_S - 1));
  assert_false(works_after(120 * THIRL_S));
}

static void ipv6_firewalls_are_punched_with_the_own_address(void **state) {
  (void)state;
  for (unsigned udp = 0; udp < 2; udp++) {
    teardown(NULL);
    setup(NULL);
    for (uint8_t i = 0; i < 2; i++) {
      thirl_sim_nat_config c = {
          .name = "fw6",
          .inside = {.addr = {.family = THIRL_FAMILY_V6, .ip = {0x20, 1, 0x0d, 0xb8, 0, i}}, .bits = 48}};
      thirl_natbox_config_preset("firewall", (thirl_addr){0}, &c.box);
      thirl_sim_node *fw = thirl_sim_add_nat(w.sim, &c);
      thirl_sim_link_rules r = {.delay = 20 * THIRL_MS};
      thirl_sim_set_link(fw, &r, &r);
      thirl_addr own = thirl_addr_v6((const uint8_t[16]){0x20, 1, 0x0d, 0xb8, 0, i, [15] = 2}, 0);
      add_peer(i, fw, own, udp);
      w.p[i].server = (thirl_addr){.family = THIRL_FAMILY_V6}; /* no server: only its family */
    }
    thirl_sim_run_until(w.sim, THIRL_SIM_EPOCH + THIRL_S);
    fire(0, thirl_addr_v6((const uint8_t[16]){0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 2}, 5000));
    fire(1, thirl_addr_v6((const uint8_t[16]){0x20, 1, 0x0d, 0xb8, 0, 0, [15] = 2}, 5000));
    thirl_sim_run_until(w.sim, THIRL_SIM_EPOCH + 3 * THIRL_S);
    assert_int_equal(puncher_took(&w.p[0]), 80 * THIRL_MS);
    assert_int_equal(puncher_took(&w.p[1]), 80 * THIRL_MS);
    assert_true(w.p[0].heard_at && w.p[1].heard_at);
  }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      T(double_nat_lets_in_what_both_let_in),
      T(two_peers_behind_one_nat_need_its_hairpin),
      T(two_peers_in_one_house_meet_on_their_own_addresses),
      T(two_inner_hosts_punch_from_one_port),
      T(a_peer_that_is_early_costs_time),
      T(a_mapping_works_up_to_the_end_of_its_life),
      T(ipv6_firewalls_are_punched_with_the_own_address),
  };
  return cmocka_run_group_tests_name("sim/plain_topology", tests, NULL, NULL);
}
