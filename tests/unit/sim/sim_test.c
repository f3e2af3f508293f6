/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "unit/sim/pump.h"

enum { BYTES = 300000 };

/* A client behind a NAT (25 ms each way) and a server; both speak at once unless told. */
typedef struct world {
  thirl_sim *sim;
  thirl_sim_node *nat, *client, *server;
  pump c, s;
} world;

static thirl_addr server_addr(uint16_t port) {
  return thirl_addr_v4(203, 0, 113, 1, port);
}

static void make(world *w, uint64_t seed, uint64_t bytes) {
  memset(w, 0, sizeof *w);
  w->sim = thirl_sim_new(seed);
  assert_non_null(w->sim);
  thirl_natbox_config box;
  thirl_natbox_config_preset("linux", thirl_addr_v4(192, 0, 2, 1, 0), &box);
  w->nat = thirl_sim_add_nat(w->sim, &(thirl_sim_nat_config){.name = "nat", .box = box});
  thirl_sim_link_rules r = {.delay = 25 * THIRL_MS};
  thirl_sim_set_link(w->nat, &r, &r);
  w->s = (pump){.listens = true, .local = thirl_addr_any(THIRL_FAMILY_V4, 80), .total = bytes, .speaks_at_once = true};
  w->c = (pump){.remote = server_addr(80), .total = bytes, .speaks_at_once = true};
  w->server = pump_host(w->sim, NULL, "s", server_addr(0), &w->s);
  w->client = pump_host(w->sim, w->nat, "c", thirl_addr_v4(10, 0, 0, 1, 0), &w->c);
}

static void end(world *w) {
  thirl_sim_free(w->sim);
}

static thirl_time ms_in(const world *w, thirl_time t) {
  (void)w;
  return (t - THIRL_SIM_EPOCH) / THIRL_MS;
}

/* A transfer with exact counts: a needless packet fails the test. */
static void a_transfer_without_faults_has_no_needless_packet(void **state) {
  (void)state;
  world w;
  make(&w, 1, 0);
  w.c.total = 14000; /* ten segments */
  thirl_sim_run_until(w.sim, 5 * THIRL_S);
  assert_int_equal(w.s.got, 14000);
  assert_int_equal(ms_in(&w, w.c.up_at), 50);
  assert_int_equal(ms_in(&w, w.s.done_at), 75);
  assert_int_equal(thirl_sim_count(w.sim).sent, 3 + 10 + 10);
  assert_int_equal(thirl_sim_count(w.sim).delivered, 23);
  assert_int_equal(thirl_sim_sent_by(w.client, server_addr(80)).packets, 2 + 10);
  assert_int_equal(thirl_sim_sent_by(w.client, server_addr(80)).bytes, 14000);
  assert_int_equal(thirl_sim_sent_to(w.sim, server_addr(0)).last - THIRL_SIM_EPOCH, 50 * THIRL_MS);
  end(&w);
}

static thirl_sim_link_rules weather(unsigned i) {
  static const double loss[] = {0, 0.05, 0.3, 0, 0.1};
  return (thirl_sim_link_rules){.delay = 25 * THIRL_MS,
                                .jitter = i ? 20 * THIRL_MS : 0,
                                .loss = loss[i % 5],
                                .burst_begin = i == 3 ? 0.02 : 0,
                                .burst_end = 0.2,
                                .duplicate = i ? 0.05 : 0,
                                .reorder = i ? 0.1 : 0};
}

static void bytes_arrive_whole_and_in_order_in_any_weather(void **state) {
  (void)state;
  for (unsigned i = 0; i < 5; i++)
    for (uint64_t seed = 1; seed <= 10; seed++) {
      world w;
      make(&w, seed, BYTES);
      thirl_sim_link_rules r = weather(i);
      thirl_sim_set_link(w.nat, &r, &r);
      thirl_sim_run_until(w.sim, 120 * THIRL_S);
      if (w.s.got != BYTES || w.c.got != BYTES || w.s.wrong || w.c.wrong)
        fail_msg("weather %u seed %u: got %u and %u", i, (unsigned)seed, (unsigned)w.s.got, (unsigned)w.c.got);
      assert_int_equal(w.c.n_connected, 1);
      end(&w);
    }
}

static uint64_t hash_of(uint64_t seed, bool with_log) {
  world w;
  thirl_log quiet = {.max = THIRL_LOG_ERROR};
  make(&w, seed, BYTES);
  if (with_log) thirl_sim_set_log(w.sim, &quiet);
  thirl_sim_link_rules r = weather(2);
  thirl_sim_set_link(w.nat, &r, &r);
  thirl_sim_run_until(w.sim, 60 * THIRL_S);
  uint64_t h = thirl_sim_hash(w.sim);
  end(&w);
  return h;
}

static void a_seed_is_a_world_to_the_bit(void **state) {
  (void)state;
  uint64_t h = hash_of(5, false);
  assert_true(hash_of(5, true) == h);
  assert_true(hash_of(6, false) != h);
}

/* A byte of payload that differs is another world, even if every packet goes the same way. */
static void the_hash_covers_payload(void **state) {
  (void)state;
  uint64_t h[2];
  for (int i = 0; i < 2; i++) {
    world w;
    make(&w, 1, 100);
    w.c.sent = (uint64_t)i; /* begins one byte later in the pattern */
    w.c.total += (uint64_t)i;
    thirl_sim_run_until(w.sim, 3 * THIRL_S);
    assert_int_equal(w.s.got, 100);
    assert_int_equal(w.s.wrong, i);
    h[i] = thirl_sim_hash(w.sim);
    end(&w);
  }
  assert_true(h[0] != h[1]);
}

typedef struct diary {
  thirl_sim *sim;
  char text[16];
  unsigned n;
  thirl_time last;
} diary;

static void write_a(void *ctx) {
  diary *d = ctx;
  d->text[d->n++] = 'a';
  d->last = thirl_sim_now(d->sim);
}

static void write_b(void *ctx) {
  diary *d = ctx;
  d->text[d->n++] = 'b';
  if (d->n < 4) assert_int_equal(thirl_sim_at(d->sim, 0, write_a, d), THIRL_OK); /* the past is now */
}

static bool has_three(void *ctx) {
  return ((diary *)ctx)->n == 3;
}

static void appointments_are_kept_in_order(void **state) {
  (void)state;
  diary d = {.sim = thirl_sim_new(1)};
  thirl_sim_at(d.sim, 5 * THIRL_S, write_b, &d);
  thirl_sim_at(d.sim, 5 * THIRL_S, write_a, &d);
  thirl_sim_at(d.sim, 3 * THIRL_S, write_a, &d);
  assert_int_equal(thirl_sim_next(d.sim), 3 * THIRL_S);
  thirl_sim_run_until(d.sim, 4 * THIRL_S);
  assert_int_equal(thirl_sim_now(d.sim), 4 * THIRL_S);
  assert_string_equal(d.text, "a");
  assert_true(thirl_sim_run_for(d.sim, 100 * THIRL_S, has_three, &d));
  assert_string_equal(d.text, "aba");
  assert_int_equal(thirl_sim_now(d.sim), 5 * THIRL_S);
  thirl_sim_run_until(d.sim, 6 * THIRL_S);
  assert_string_equal(d.text, "abaa");
  assert_int_equal(d.last, 5 * THIRL_S);
  assert_false(thirl_sim_step(d.sim));
  thirl_sim_at(d.sim, 9 * THIRL_S, write_a, &d); /* left over at the end */
  thirl_sim_free(d.sim);
}

static void a_stream_outlives_a_link_that_was_down(void **state) {
  (void)state;
  world w;
  make(&w, 3, BYTES);
  thirl_sim_run_until(w.sim, THIRL_SIM_EPOCH + 120 * THIRL_MS);
  thirl_sim_set_down(w.nat, true);
  assert_true(thirl_sim_get_link(w.nat, true).down);
  thirl_sim_run_until(w.sim, 20 * THIRL_S);
  assert_true(w.s.got < BYTES);
  thirl_sim_set_down(w.nat, false);
  assert_int_equal(thirl_sim_get_link(w.nat, false).delay, 25 * THIRL_MS);
  thirl_sim_run_until(w.sim, 60 * THIRL_S);
  assert_true(w.s.got == BYTES && w.c.got == BYTES && !w.s.wrong && !w.c.wrong);
  end(&w);
}

static void a_connection_through_a_rebooted_nat_that_gives_other_ports_ends(void **state) {
  (void)state;
  for (int random = 0; random < 2; random++) {
    world w;
    make(&w, 3, 1000);
    thirl_sim_run_until(w.sim, 2 * THIRL_S);
    if (random) {
      thirl_natbox_config c = *thirl_natbox_get_config(thirl_sim_natbox(w.nat, false));
      c.tcp.allocation = THIRL_NATBOX_RANDOM;
      thirl_natbox_configure(thirl_sim_natbox(w.nat, false), &c);
    }
    thirl_sim_reboot(w.nat);
    pump_send(&w.c, 2000);
    thirl_sim_kick(w.client);
    thirl_sim_run_until(w.sim, 10 * THIRL_S);
    assert_int_equal(w.s.got, random ? 1000 : 2000);
    assert_int_equal(w.c.n_failed, random);
    if (random) assert_int_equal(w.c.error, THIRL_E_RESET);
    end(&w);
  }
}

static void a_renumbered_nat_is_reached_by_its_new_address(void **state) {
  (void)state;
  world w;
  make(&w, 3, 0);
  thirl_addr moved = thirl_addr_v4(198, 51, 100, 1, 0);
  thirl_sim_run_until(w.sim, 2 * THIRL_S);
  assert_int_equal(thirl_sim_renumber(w.nat, server_addr(0)), THIRL_E_IN_USE);
  assert_int_equal(thirl_sim_renumber(w.nat, moved), THIRL_OK);
  pump_do(&w.c, (thirl_net_action){.verb = THIRL_NET_CONNECT, .id = 2, .remote = server_addr(80)});
  thirl_sim_kick(w.client);
  thirl_sim_run_until(w.sim, 4 * THIRL_S);
  assert_int_equal(w.c.n_connected, 2);
  assert_true(thirl_addr_same_ip(&w.s.peer, &moved));
  end(&w);
}

static void a_killed_process_is_noticed_by_its_peer(void **state) {
  (void)state;
  world w;
  make(&w, 3, 1000);
  thirl_sim_run_until(w.sim, 2 * THIRL_S);
  thirl_sim_kill(w.server);
  thirl_sim_run_until(w.sim, 3 * THIRL_S);
  assert_int_equal(w.c.n_eof, 1);
  pump_do(&w.c, (thirl_net_action){.verb = THIRL_NET_CONNECT, .id = 2, .remote = server_addr(80)});
  thirl_sim_kick(w.client);
  thirl_sim_run_until(w.sim, 4 * THIRL_S);
  assert_int_equal(w.c.n_failed, 1);
  assert_int_equal(w.c.error, THIRL_E_REFUSED);
  end(&w);
}

static void a_host_without_power_says_nothing_and_comes_back_with_amnesia(void **state) {
  (void)state;
  world w;
  make(&w, 3, 1000);
  thirl_sim_run_until(w.sim, 2 * THIRL_S);
  uint64_t sent = thirl_sim_sent_to(w.sim, w.s.peer).packets;
  thirl_sim_cut_power(w.server);
  thirl_sim_run_until(w.sim, 5 * THIRL_S);
  assert_int_equal(thirl_sim_sent_to(w.sim, w.s.peer).packets, sent);
  assert_int_equal(w.c.n_eof + w.c.n_failed, 0);
  pump again = {.listens = true, .local = thirl_addr_any(THIRL_FAMILY_V4, 80)};
  thirl_net_machine m = pump_machine(&again);
  thirl_sim_attach(w.server, &m);
  pump_send(&w.c, 2000);
  thirl_sim_kick(w.client);
  thirl_sim_run_until(w.sim, 6 * THIRL_S);
  assert_int_equal(w.c.error, THIRL_E_RESET);
  assert_int_equal(again.n_listening, 1);
  end(&w);
}

static void half_close_lets_the_other_direction_finish(void **state) {
  (void)state;
  world w;
  make(&w, 3, 0);
  w.c.total = 5000;
  w.c.closes = true;
  w.s.closes_on_eof = true;
  thirl_sim_run_until(w.sim, 2 * THIRL_S);
  assert_int_equal(w.s.got, 5000);
  assert_int_equal(w.s.n_eof, 1);
  assert_int_equal(w.c.n_eof, 0); /* it has closed: nothing is heard again */
  assert_int_equal(thirl_sim_socket_count(w.server), 1);
  assert_int_equal(thirl_sim_socket_count(w.client), 1); /* TIME-WAIT */
  thirl_sim_run_until(w.sim, 70 * THIRL_S);
  assert_int_equal(thirl_sim_socket_count(w.client), 0);
  end(&w);
}

static void a_host_roams(void **state) {
  (void)state;
  world w;
  make(&w, 3, 1000);
  thirl_sim_run_until(w.sim, 2 * THIRL_S);
  thirl_addr cafe = thirl_addr_v4(198, 51, 100, 9, 0);
  assert_int_equal(thirl_sim_move(w.client, NULL, &cafe, 1), THIRL_OK);
  pump_do(&w.c, (thirl_net_action){.verb = THIRL_NET_CONNECT, .id = 2, .remote = server_addr(80)});
  pump_send(&w.c, 2000); /* on the old connection: its address is no longer ours */
  thirl_sim_kick(w.client);
  thirl_sim_run_until(w.sim, 4 * THIRL_S);
  assert_int_equal(w.c.n_connected, 2);
  assert_true(thirl_addr_same_ip(&w.s.peer, &cafe));
  assert_int_equal(thirl_sim_move(w.client, NULL, (const thirl_addr[1]){server_addr(0)}, 1), THIRL_E_IN_USE);
  end(&w);
}

static void clocks_differ_by_host(void **state) {
  (void)state;
  thirl_sim *sim = thirl_sim_new(1);
  pump p = {.listens = true, .local = thirl_addr_any(THIRL_FAMILY_V4, 80), .tick_at = 90 * THIRL_S};
  thirl_sim_node *h = thirl_sim_add_host(
      sim,
      &(thirl_sim_host_config){.name = "h", .addrs = {server_addr(0)}, .n_addrs = 1, .clock_offset = 50 * THIRL_S});
  thirl_net_machine m = pump_machine(&p);
  thirl_sim_attach(h, &m);
  thirl_sim_run_until(sim, 39 * THIRL_S);
  assert_int_equal(thirl_sim_clock(h), 89 * THIRL_S);
  unsigned ticks = p.n_ticks;
  thirl_sim_run_until(sim, 60 * THIRL_S);
  assert_int_equal(p.n_ticks, ticks + 1);
  assert_int_equal(p.last_now, 90 * THIRL_S);
  thirl_sim_free(sim);
}

static void two_nodes_cannot_have_one_address(void **state) {
  (void)state;
  world w;
  make(&w, 1, 0);
  assert_null(pump_host(w.sim, NULL, "x", server_addr(0), NULL));
  thirl_natbox_config box = *thirl_natbox_get_config(thirl_sim_natbox(w.nat, false));
  assert_null(thirl_sim_add_nat(w.sim, &(thirl_sim_nat_config){.box = box}));
  assert_string_equal(thirl_sim_name(w.server), "s");
  assert_string_equal(thirl_sim_name(thirl_sim_internet(w.sim)), "internet");
  end(&w);
}

static void scenario_dice_come_from_the_seed(void **state) {
  (void)state;
  thirl_sim *a = thirl_sim_new(1), *b = thirl_sim_new(1), *c = thirl_sim_new(2);
  uint64_t x = thirl_sim_draw(a);
  assert_true(x == thirl_sim_draw(b));
  assert_true(x != thirl_sim_draw(c));
  assert_true(x != thirl_sim_draw(a));
  thirl_sim_free(a);
  thirl_sim_free(b);
  thirl_sim_free(c);
}

static void note_line(void *ctx, thirl_log_level level, const char *text) {
  char *out = ctx;
  assert_int_equal(level, THIRL_LOG_DEBUG);
  if (!out[0]) memcpy(out, text, strlen(text) + 1);
}

static void a_trace_tells_what_happens(void **state) {
  (void)state;
  char first[512] = "";
  thirl_log log = {.line = note_line, .ctx = first, .max = THIRL_LOG_DEBUG};
  thirl_sim *sim = thirl_sim_new(1);
  thirl_sim_set_log(sim, &log);
  pump p = {.remote = server_addr(80), .local = thirl_addr_v4(198, 51, 100, 9, 5000)};
  pump_host(sim, NULL, "c", thirl_addr_v4(198, 51, 100, 9, 0), &p);
  thirl_sim_run_until(sim, THIRL_SIM_EPOCH);
  assert_non_null(strstr(first, "sends"));
  assert_non_null(strstr(first, "198.51.100.9:5000 > 203.0.113.1:80 TCP S"));
  thirl_sim_free(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_transfer_without_faults_has_no_needless_packet),
      cmocka_unit_test(bytes_arrive_whole_and_in_order_in_any_weather),
      cmocka_unit_test(a_seed_is_a_world_to_the_bit),
      cmocka_unit_test(the_hash_covers_payload),
      cmocka_unit_test(appointments_are_kept_in_order),
      cmocka_unit_test(a_stream_outlives_a_link_that_was_down),
      cmocka_unit_test(a_connection_through_a_rebooted_nat_that_gives_other_ports_ends),
      cmocka_unit_test(a_renumbered_nat_is_reached_by_its_new_address),
      cmocka_unit_test(a_killed_process_is_noticed_by_its_peer),
      cmocka_unit_test(a_host_without_power_says_nothing_and_comes_back_with_amnesia),
      cmocka_unit_test(half_close_lets_the_other_direction_finish),
      cmocka_unit_test(a_host_roams),
      cmocka_unit_test(clocks_differ_by_host),
      cmocka_unit_test(two_nodes_cannot_have_one_address),
      cmocka_unit_test(scenario_dice_come_from_the_seed),
      cmocka_unit_test(a_trace_tells_what_happens),
  };
  return cmocka_run_group_tests_name("sim/sim", tests, NULL, NULL);
}
