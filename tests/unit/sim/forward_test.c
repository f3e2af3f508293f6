/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "unit/sim/pump.h"

/* Ways through the world: which node a packet goes to, and what happens to it there. */

static thirl_sim *sim;

static int setup(void **state) {
  (void)state;
  sim = thirl_sim_new(1);
  return sim ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  thirl_sim_free(sim);
  return 0;
}

static thirl_sim_node *nat(thirl_sim_node *below, const char *preset, thirl_addr external) {
  thirl_natbox_config box;
  assert_int_equal(thirl_natbox_config_preset(preset, external, &box), THIRL_OK);
  thirl_sim_node *n = thirl_sim_add_nat(sim, &(thirl_sim_nat_config){.name = preset, .below = below, .box = box});
  assert_non_null(n);
  return n;
}

static void delay(thirl_sim_node *node, unsigned ms) {
  thirl_sim_link_rules r = {.delay = ms * THIRL_MS};
  thirl_sim_set_link(node, &r, &r);
}

static const thirl_sim_prefix home6 = {.addr = {.family = THIRL_FAMILY_V6, .ip = {0x20, 0x01, 0x0d, 0xb8, 0, 1}},
                                       .bits = 48};

static thirl_addr six(uint8_t net, uint8_t host, uint16_t port) {
  return thirl_addr_v6((const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, 0, net, [15] = host}, port);
}

static pump listener(uint16_t port) {
  return (pump){.listens = true, .local = thirl_addr_any(THIRL_FAMILY_V4, port)};
}

static void delays_add_up_over_links(void **state) {
  (void)state;
  pump s = listener(80), c = {.remote = thirl_addr_v4(203, 0, 113, 1, 80)};
  thirl_sim_node *server = pump_host(sim, NULL, "s", thirl_addr_v4(203, 0, 113, 1, 0), &s);
  thirl_sim_node *cgn = nat(NULL, "cgn", thirl_addr_v4(192, 0, 2, 1, 0));
  thirl_sim_node *home = nat(cgn, "linux", thirl_addr_v4(100, 64, 0, 7, 0));
  thirl_sim_node *client = pump_host(sim, home, "c", thirl_addr_v4(10, 0, 0, 1, 0), &c);
  delay(server, 1);
  delay(cgn, 20);
  delay(home, 300);
  delay(client, 4000);
  thirl_sim_run_until(sim, 30 * THIRL_S);
  assert_int_equal(c.n_connected, 1);
  assert_int_equal(c.up_at - THIRL_SIM_EPOCH, 2 * 4321 * THIRL_MS);
  assert_true(thirl_addr_same_ip(&s.peer, &(thirl_addr){.family = 4, .ip = {192, 0, 2, 1}}));
  assert_int_equal(thirl_natbox_count_sessions(thirl_sim_natbox(home, false), thirl_sim_now(sim)), 1);
  assert_int_equal(thirl_natbox_count_sessions(thirl_sim_natbox(cgn, false), thirl_sim_now(sim)), 1);
}

static void neighbours_reach_each_other_without_the_nat(void **state) {
  (void)state;
  thirl_sim_node *home = nat(NULL, "symmetric", thirl_addr_v4(192, 0, 2, 1, 0));
  pump a = listener(80), b = {.remote = thirl_addr_v4(10, 0, 0, 1, 80)};
  pump_host(sim, home, "a", thirl_addr_v4(10, 0, 0, 1, 0), &a);
  pump_host(sim, home, "b", thirl_addr_v4(10, 0, 0, 2, 0), &b);
  thirl_sim_run_until(sim, 2 * THIRL_S);
  assert_int_equal(b.n_connected, 1);
  assert_int_equal(a.n_accepted, 1);
  assert_int_equal(a.peer.ip[3], 2);
  assert_int_equal(thirl_natbox_count(thirl_sim_natbox(home, false)).passed_out, 0);
}

static void the_same_private_address_is_another_host_elsewhere(void **state) {
  (void)state;
  thirl_sim_node *here = nat(NULL, "linux", thirl_addr_v4(192, 0, 2, 1, 0));
  thirl_sim_node *there = nat(NULL, "linux", thirl_addr_v4(192, 0, 2, 2, 0));
  pump right = listener(80), wrong = listener(80), c = {.remote = thirl_addr_v4(10, 0, 0, 1, 80)};
  pump_host(sim, here, "right", thirl_addr_v4(10, 0, 0, 1, 0), &right);
  pump_host(sim, there, "wrong", thirl_addr_v4(10, 0, 0, 1, 0), &wrong);
  pump_host(sim, there, "c", thirl_addr_v4(10, 0, 0, 2, 0), &c);
  thirl_sim_run_until(sim, 2 * THIRL_S);
  assert_int_equal(wrong.n_accepted, 1);
  assert_int_equal(right.n_accepted, 0);
}

static void what_has_no_route_is_counted(void **state) {
  (void)state;
  pump c = {.remote = thirl_addr_v4(10, 9, 9, 9, 80)};
  pump_host(sim, NULL, "c", thirl_addr_v4(203, 0, 113, 1, 0), &c);
  thirl_sim_run_until(sim, THIRL_SIM_EPOCH + 100 * THIRL_MS);
  assert_int_equal(thirl_sim_count(sim).unrouted, 1);
  assert_int_equal(thirl_sim_count(sim).sent, 1);
  assert_int_equal(thirl_sim_count(sim).delivered, 0);
  assert_int_equal(c.n_failed, 0);
}

static void a_host_reaches_itself(void **state) {
  (void)state;
  pump c = listener(80);
  thirl_sim_node *host = pump_host(sim, NULL, "c", thirl_addr_v4(203, 0, 113, 1, 0), &c);
  thirl_sim_run_until(sim, THIRL_SIM_EPOCH);
  pump_do(&c, (thirl_net_action){.verb = THIRL_NET_CONNECT, .id = 2, .remote = thirl_addr_v4(203, 0, 113, 1, 80)});
  thirl_sim_kick(host);
  thirl_sim_run_until(sim, 2 * THIRL_S);
  assert_int_equal(c.n_connected, 1);
  assert_int_equal(c.n_accepted, 1);
}

static void time_to_live_ends_at_a_router_that_says_so_or_does_not(void **state) {
  (void)state;
  for (uint8_t ttl = 1; ttl <= 4; ttl++)
    for (int silent = 0; silent < 2; silent++) {
      thirl_sim *w = thirl_sim_new(1);
      pump s = listener(80), c = {.remote = thirl_addr_v4(203, 0, 113, 1, 80)};
      thirl_natbox_config box;
      thirl_natbox_config_preset("linux", thirl_addr_v4(192, 0, 2, 1, 0), &box);
      thirl_sim_node *n = thirl_sim_add_nat(w, &(thirl_sim_nat_config){.box = box});
      pump_host(w, NULL, "s", thirl_addr_v4(203, 0, 113, 1, 0), &s);
      thirl_sim_node *host = pump_host(w, n, "c", thirl_addr_v4(10, 0, 0, 1, 0), NULL);
      thirl_sim_set_ttl(host, ttl);
      thirl_sim_set_time_exceeded(w, !silent);
      thirl_net_machine m = pump_machine(&c);
      thirl_sim_attach(host, &m);
      thirl_sim_run_until(w, THIRL_SIM_EPOCH + 100 * THIRL_MS);
      bool arrives = ttl > 2; /* the NAT is one hop, the internet another */
      assert_int_equal(c.n_connected, arrives);
      assert_int_equal(c.n_failed, !arrives && !silent);
      if (c.n_failed) assert_int_equal(c.error, THIRL_E_UNREACHABLE);
      assert_int_equal(thirl_sim_count(w).expired, !arrives);
      thirl_sim_free(w);
    }
}

static void a_home_has_a_nat_for_ipv4_and_a_firewall_for_ipv6(void **state) {
  (void)state;
  thirl_sim_nat_config config = {.name = "home", .has_second = true, .second_inside = home6};
  thirl_natbox_config_preset("portrestricted", thirl_addr_v4(192, 0, 2, 1, 0), &config.box);
  thirl_natbox_config_preset("firewall", (thirl_addr){0}, &config.second);
  thirl_sim_node *home = thirl_sim_add_nat(sim, &config);
  pump s = {.listens = true, .local = thirl_addr_any(THIRL_FAMILY_V6, 80)}, c = {.remote = six(9, 1, 80)},
       late = {.remote = six(1, 2, 4000)};
  assert_non_null(pump_host(sim, NULL, "s", six(9, 1, 0), &s));
  thirl_sim_node *host = thirl_sim_add_host(
      sim,
      &(thirl_sim_host_config){.below = home, .addrs = {thirl_addr_v4(10, 0, 0, 2, 0), six(1, 2, 0)}, .n_addrs = 2});
  thirl_net_machine m = pump_machine(&c);
  thirl_sim_attach(host, &m);
  pump_host(sim, NULL, "late", six(9, 3, 0), &late);
  thirl_sim_run_until(sim, THIRL_SIM_EPOCH + 500 * THIRL_MS);
  assert_int_equal(c.n_connected, 1);
  assert_int_equal(s.n_accepted, 1);
  assert_int_equal(s.peer.family, THIRL_FAMILY_V6);
  assert_int_equal(s.peer.ip[15], 2); /* untranslated */
  assert_int_equal(late.n_connected + late.n_failed, 0);
  assert_int_equal(thirl_natbox_count(thirl_sim_natbox(home, true)).unsolicited, 1);
  assert_int_equal(thirl_natbox_count_sessions(thirl_sim_natbox(home, false), thirl_sim_now(sim)), 0);
}

static void a_delayed_answer_of_a_nat_comes_by_its_own_clock(void **state) {
  (void)state;
  thirl_natbox_config box;
  thirl_natbox_config_preset("portrestricted", thirl_addr_v4(192, 0, 2, 1, 0), &box);
  box.tcp.unsolicited = THIRL_NATBOX_HOLD;
  thirl_sim_node *n = thirl_sim_add_nat(sim, &(thirl_sim_nat_config){.name = "nat", .box = box});
  delay(n, 10);
  pump c = {.remote = thirl_addr_v4(192, 0, 2, 1, 80)};
  pump_host(sim, NULL, "c", thirl_addr_v4(203, 0, 113, 1, 0), &c);
  thirl_sim_run_until(sim, 20 * THIRL_S);
  assert_int_equal(c.error, THIRL_E_REFUSED);
  assert_int_equal(c.failed_at - THIRL_SIM_EPOCH, 6 * THIRL_S + 20 * THIRL_MS);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      T(delays_add_up_over_links),
      T(neighbours_reach_each_other_without_the_nat),
      T(the_same_private_address_is_another_host_elsewhere),
      T(what_has_no_route_is_counted),
      T(a_host_reaches_itself),
      T(time_to_live_ends_at_a_router_that_says_so_or_does_not),
      T(a_home_has_a_nat_for_ipv4_and_a_firewall_for_ipv6),
      T(a_delayed_answer_of_a_nat_comes_by_its_own_clock),
  };
  return cmocka_run_group_tests_name("sim/forward", tests, NULL, NULL);
}
