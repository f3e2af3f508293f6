/* SPDX-License-Identifier: MIT */
/*
 * The plain puncher over all 81 ordered pairs of mapping and filtering behaviours: which pairs connect, and how fast. This is what the house's own
 * client is measured against: it may do better, never worse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "support/puncher.h"

enum { KINDS = 9, RTT_MS = 100 };

static const char *const names[KINDS] = {"EIM/EIF",  "EIM/ADF",  "EIM/APDF", "ADM/EIF",  "ADM/ADF",
                                         "ADM/APDF", "APDM/EIF", "APDM/ADF", "APDM/APDF"};

/* Rows A, columns B: 2 = both directions pass, 1 = one, 0 = none. Spelled out and not computed, so that the model's rule is checked too. */
static const char *const expected[KINDS] = {"222211211", "222211211", "222100100", "221211211", "110100100",
                                            "110100100", "221211211", "110100100", "110100100"};

typedef struct pair {
  unsigned a, b;
  thirl_natbox_unsolicited unsolicited;
  bool udp;
  uint64_t seed;
  thirl_time late; /* B fires so much after A */
} pair;

typedef struct world {
  thirl_sim *sim;
  thirl_sim_node *server, *nat[2], *host[2];
  observer observer;
  puncher puncher[2];
} world;

static void add_side(world *w, const pair *p, unsigned i) {
  unsigned kind = i ? p->b : p->a;
  thirl_natbox_config box = thirl_natbox_config_of((thirl_natbox_mapping)(kind / 3), (thirl_natbox_filtering)(kind % 3),
                                                   thirl_addr_v4(192, 0, 2, (uint8_t)(i + 1), 0));
  box.udp.unsolicited = box.tcp.unsolicited = p->unsolicited;
  w->nat[i] = thirl_sim_add_nat(w->sim, &(thirl_sim_nat_config){.name = i ? "nat-b" : "nat-a", .box = box});
  thirl_sim_link_rules quarter = {.delay = RTT_MS * THIRL_MS / 4};
  thirl_sim_set_link(w->nat[i], &quarter, &quarter);
  w->host[i] = thirl_sim_add_host(w->sim, &(thirl_sim_host_config){.name = i ? "b" : "a",
                                                                   .below = w->nat[i],
                                                                   .addrs = {thirl_addr_v4(10, 0, (uint8_t)i, 2, 0)},
                                                                   .n_addrs = 1});
  assert_non_null(w->host[i]);
  w->puncher[i] = (puncher){.name = (uint8_t)('a' + i), .port = 5000, .server = w->observer.local, .udp = p->udp};
  thirl_net_machine m = puncher_machine(&w->puncher[i]);
  thirl_sim_attach(w->host[i], &m);
}

static void make_world(world *w, const pair *p) {
  memset(w, 0, sizeof *w);
  w->sim = thirl_sim_new(p->seed);
  assert_non_null(w->sim);
  w->observer.local = thirl_addr_v4(203, 0, 113, 10, 3478);
  w->server =
      thirl_sim_add_host(w->sim, &(thirl_sim_host_config){.name = "s", .addrs = {w->observer.local}, .n_addrs = 1});
  thirl_net_machine m = observer_machine(&w->observer);
  thirl_sim_attach(w->server, &m);
  add_side(w, p, 0);
  add_side(w, p, 1);
}

static void fire(world *w, const pair *p, unsigned i) {
  thirl_addr other = observer_seen(&w->observer, (uint8_t)('b' - i), p->udp);
  assert_true(thirl_addr_is_set(&other));
  puncher_go(&w->puncher[i], thirl_sim_clock(w->host[i]), &other, 1);
  thirl_sim_kick(w->host[i]);
}

/* Both register, then both fire, and have five seconds. */
static void run(world *w, const pair *p) {
  thirl_time start = THIRL_SIM_EPOCH + THIRL_S;
  thirl_sim_run_until(w->sim, start);
  fire(w, p, 0);
  thirl_sim_run_until(w->sim, start + p->late);
  fire(w, p, 1);
  thirl_sim_run_until(w->sim, start + p->late + 5 * THIRL_S);
}

static void check_times(const world *w, const pair *p, char cell) {
  thirl_time took[2] = {puncher_took(&w->puncher[0]), puncher_took(&w->puncher[1])};
  thirl_time fast = THIRL_MIN(took[0], took[1]), slow = THIRL_MAX(took[0], took[1]);
  thirl_time want_slow = cell == '2' ? RTT_MS * THIRL_MS : RTT_MS * THIRL_MS * 3 / 2;
  if (fast == RTT_MS * THIRL_MS && slow == want_slow) return;
  fail_msg("%s %s x %s: %.1f and %.1f ms", p->udp ? "UDP" : "TCP", names[p->a], names[p->b], (double)took[0] / 1000.0,
           (double)took[1] / 1000.0);
}

static void check_pair(const pair *p, unsigned *direct) {
  static world w;
  make_world(&w, p);
  run(&w, p);
  char cell = expected[p->a][p->b];
  bool up = puncher_took(&w.puncher[0]) && puncher_took(&w.puncher[1]);
  bool half = puncher_took(&w.puncher[0]) || puncher_took(&w.puncher[1]);
  if (up != (cell != '0') || half != up)
    fail_msg("%s %s x %s: %s", p->udp ? "UDP" : "TCP", names[p->a], names[p->b],
             up     ? "connects"
             : half ? "connects on one side"
                    : "does not connect");
  if (up) {
    assert_true(w.puncher[0].heard_at && w.puncher[1].heard_at);
    if (p->late == 0) check_times(&w, p, cell);
    (*direct)++;
  }
  thirl_sim_free(w.sim);
}

static void check_matrix(bool udp, thirl_natbox_unsolicited unsolicited, thirl_time late) {
  unsigned direct = 0;
  for (unsigned a = 0; a < KINDS; a++)
    for (unsigned b = 0; b < KINDS; b++)
      check_pair(
          &(pair){.a = a, .b = b, .udp = udp, .unsolicited = unsolicited, .seed = a * KINDS + b + 1, .late = late},
          &direct);
  assert_int_equal(direct, 57);
}

static void tcp_through_silent_nats(void **state) {
  (void)state;
  check_matrix(false, THIRL_NATBOX_DROP, 0);
}

static void tcp_through_nats_that_reset(void **state) {
  (void)state;
  check_matrix(false, THIRL_NATBOX_RST_BACK, 0);
}

static void tcp_through_nats_that_answer_icmp(void **state) {
  (void)state;
  check_matrix(false, THIRL_NATBOX_ICMP_BACK, 0);
}

static void tcp_through_nats_that_hold(void **state) {
  (void)state;
  check_matrix(false, THIRL_NATBOX_HOLD, 0);
}

static void udp_through_silent_nats(void **state) {
  (void)state;
  check_matrix(true, THIRL_NATBOX_DROP, 0);
}

static void udp_through_nats_that_answer_icmp(void **state) {
  (void)state;
  check_matrix(true, THIRL_NATBOX_ICMP_BACK, 0);
}

/* A start skew of up to two round trips costs time, never the connection. */
static void skew_costs_no_connection(void **state) {
  (void)state;
  static const thirl_natbox_unsolicited answers[] = {THIRL_NATBOX_DROP, THIRL_NATBOX_RST_BACK, THIRL_NATBOX_ICMP_BACK};
  for (unsigned i = 0; i < 3; i++)
    for (thirl_time quarters = 1; quarters <= 8; quarters++) {
      thirl_time late = quarters * RTT_MS * THIRL_MS / 4 + 3 * THIRL_MS;
      check_matrix(false, answers[i], late);
      if (answers[i] != THIRL_NATBOX_RST_BACK) check_matrix(true, answers[i], late);
    }
}

/* The same seed is the same world, to the bit. */
static void a_world_replays(void **state) {
  (void)state;
  static world w;
  uint64_t hash[2];
  for (int i = 0; i < 2; i++) {
    pair p = {.a = 2, .b = 6, .seed = 77, .unsolicited = THIRL_NATBOX_RST_BACK};
    make_world(&w, &p);
    thirl_sim_link_rules bad = {
        .delay = 20 * THIRL_MS, .jitter = 9 * THIRL_MS, .loss = 0.2, .duplicate = 0.1, .reorder = 0.1};
    thirl_sim_set_link(w.nat[0], &bad, &bad);
    run(&w, &p);
    hash[i] = thirl_sim_hash(w.sim);
    thirl_sim_free(w.sim);
  }
  assert_true(hash[0] == hash[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tcp_through_silent_nats),           cmocka_unit_test(tcp_through_nats_that_reset),
      cmocka_unit_test(tcp_through_nats_that_answer_icmp), cmocka_unit_test(tcp_through_nats_that_hold),
      cmocka_unit_test(udp_through_silent_nats),           cmocka_unit_test(udp_through_nats_that_answer_icmp),
      cmocka_unit_test(skew_costs_no_connection),          cmocka_unit_test(a_world_replays),
  };
  return cmocka_run_group_tests_name("sim/plain_matrix", tests, NULL, NULL);
}
