/* SPDX-License-Identifier: MIT */
/* Who is not direct is told why: within 15 s of GO, on both sides, for all 24 pairs of NATs that cannot be, and for what the callers have forbidden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "session/roster.h"
#include "support/meeting.h"

#define RTT (100 * THIRL_MS)

static meeting world;

static thirl_natbox_config box(int i, thirl_natbox_unsolicited answer) {
  thirl_natbox_config c = thirl_natbox_config_of((thirl_natbox_mapping)(i / 3), (thirl_natbox_filtering)(i % 3),
                                                 thirl_addr_v4(203, 0, 113, 1, 0));
  c.tcp.unsolicited = answer;
  c.tcp.allocation = THIRL_NATBOX_RANDOM;
  return c;
}

/* punching.md 4.1: rows A, columns B. */
static const char *const table[9] = {
    "+++++++++", "+++++++++", "++++..+..", "+++++++++", "++.+..+..", "++.+..+..", "+++++++++", "++.+..+..", "++.+..+..",
};

/* What each side must say: a NAT that maps by destination, if the server can show it; what came back instead, if it cannot. */
typedef struct verdict {
  thirl_error a, b;
} verdict;

static verdict expect(int a, int b, thirl_natbox_unsolicited answer, meeting_server server) {
  /* Another address shows both kinds of mapping by destination, another port only the one that counts ports. */
  int from = server == MEETING_TWO_ADDRESSES ? THIRL_NATBOX_ADM : server == MEETING_TWO_PORTS ? THIRL_NATBOX_APDM : 99;
  bool a_varies = a / 3 >= from, b_varies = b / 3 >= from;
  thirl_error seen = answer == THIRL_NATBOX_DROP ? THIRL_E_TIMEOUT : THIRL_E_REFUSED;
  if (a_varies && b_varies) return (verdict){THIRL_E_NAT_BOTH, THIRL_E_NAT_BOTH};
  if (a_varies) return (verdict){THIRL_E_NAT_OURS, THIRL_E_NAT_THEIRS};
  if (b_varies) return (verdict){THIRL_E_NAT_THEIRS, THIRL_E_NAT_OURS};
  return (verdict){seen, seen};
}

static thirl_net_machine (*wrapper)(void *ctx, meeting_side *s, thirl_net_machine inner);

static meeting *open_world_with(uint64_t seed, int a, int b, thirl_natbox_unsolicited answer,
                                thirl_session_policy policy, meeting_server server) {
  meeting *m = &world;
  meeting_config c = meeting_config_of(seed, box(a, answer), box(b, answer), RTT);
  c.server = server;
  c.wrap = wrapper;
  c.wrap_ctx = m;
  policy.window = c.policy.window;
  c.policy = policy;
  meeting_open(m, &c);
  m->a.hold_end = m->b.hold_end = true;
  meeting_run_on(m, thirl_sim_now(m->sim) + 3 * THIRL_S);
  return m;
}

static meeting *open_world(uint64_t seed, int a, int b, thirl_natbox_unsolicited answer, thirl_session_policy policy) {
  return open_world_with(seed, a, b, answer, policy, MEETING_TWO_ADDRESSES);
}

static void dial_and_wait(meeting *m, thirl_time after_go) {
  meeting_dial(m);
  while (thirl_server_stats_of(m->server)->introduced == 0)
    assert_true(thirl_sim_step(m->sim));
  meeting_run_on(m, thirl_sim_now(m->sim) + after_go);
}

static void finish_and_close(meeting *m) {
  m->a.hold_end = m->b.hold_end = false;
  meeting_run(m, thirl_sim_now(m->sim) + 60 * THIRL_S);
  assert_true(meeting_is_complete(m));
  meeting_close(m);
}

static void each_pair_that_cannot_be_direct(meeting_server server) {
  static const thirl_natbox_unsolicited answers[] = {THIRL_NATBOX_DROP, THIRL_NATBOX_RST_BACK, THIRL_NATBOX_ICMP_BACK};
  unsigned pairs = 0, wrong = 0;
  for (int k = 0; k < 3; k++) {
    for (int i = 0; i < 81; i++) {
      if (table[i / 9][i % 9] == '+') continue;
      meeting *m = open_world_with((uint64_t)i + 1, i / 9, i % 9, answers[k], (thirl_session_policy){0}, server);
      dial_and_wait(m, 13 * THIRL_S);
      verdict want = expect(i / 9, i % 9, answers[k], server);
      bool right = m->a.reason == want.a && m->b.reason == want.b && !m->a.is_direct && !m->b.is_direct;
      /* on the relay, and then the reason: not one reason after the other, unless the other side's word made it better */
      bool once = m->a.n_path_events <= 2 + (want.a == THIRL_E_REFUSED) &&
                  m->b.n_path_events <= 2 + (want.b == THIRL_E_REFUSED);
      if (!right || !once)
        print_error("pair %d x %d, answer %d: A %s after %u, B %s after %u\n", i / 9, i % 9, k,
                    thirl_error_name(m->a.reason), m->a.n_path_events, thirl_error_name(m->b.reason),
                    m->b.n_path_events);
      wrong += !right || !once;
      pairs++;
      finish_and_close(m);
    }
  }
  assert_int_equal(pairs, 3 * 24);
  assert_int_equal(wrong, 0);
}

static void each_pair_at_a_server_with_two_addresses(void **state) {
  (void)state;
  each_pair_that_cannot_be_direct(MEETING_TWO_ADDRESSES);
}

static void each_pair_at_a_server_with_two_ports(void **state) {
  (void)state;
  each_pair_that_cannot_be_direct(MEETING_TWO_PORTS);
}

static void each_pair_at_a_server_with_one_port(void **state) {
  (void)state;
  each_pair_that_cannot_be_direct(MEETING_ONE_PORT);
}

/* ---- something else than a NAT is to blame ---- */

/* Between B and its host: connections to A's NAT are refused, or vanish. */
typedef struct wall {
  thirl_net_machine inner;
  bool refuses, is_open;
  thirl_net_id ids[64];
  size_t n;
} wall;

static wall walled;

static void wall_input(void *self, thirl_time now, const thirl_net_event *ev) {
  wall *w = self;
  w->inner.input(w->inner.self, now, ev);
  while (w->refuses && w->n) {
    thirl_net_event refused = {.kind = THIRL_NET_FAILED, .id = w->ids[--w->n], .error = THIRL_E_REFUSED};
    w->inner.input(w->inner.self, now, &refused);
    if (now % 2 == 0) return; /* the agent connects again at once: not for ever in one turn */
  }
}

static bool wall_poll(void *self, thirl_time now, thirl_net_action *out) {
  wall *w = self;
  thirl_addr nat = thirl_addr_v4(203, 0, 113, 1, 0);
  while (w->inner.poll(w->inner.self, now, out)) {
    bool is_swallowed = false;
    for (size_t i = 0; i < w->n; i++)
      is_swallowed = is_swallowed || w->ids[i] == out->id;
    bool is_blocked = out->verb == THIRL_NET_CONNECT && thirl_addr_same_ip(&out->remote, &nat) && !w->is_open;
    if (is_blocked && w->n < 64) w->ids[w->n++] = out->id;
    if (!is_blocked && !is_swallowed) return true;
  }
  return false;
}

static size_t wall_pull(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  wall *w = self;
  return w->inner.pull(w->inner.self, now, id, buf, cap);
}

static thirl_time wall_deadline(void *self) {
  wall *w = self;
  return w->inner.deadline(w->inner.self);
}

static thirl_net_machine wall_b(void *ctx, meeting_side *s, thirl_net_machine inner) {
  meeting *m = ctx;
  if (s != &m->b) return inner;
  walled.inner = inner;
  walled.n = 0;
  return (thirl_net_machine){&walled, wall_input, wall_poll, wall_pull, wall_deadline};
}

static meeting *open_walled(bool refuses, meeting_server server) {
  wrapper = wall_b;
  walled = (wall){.refuses = refuses};
  meeting *m = open_world_with(4, 2, 2, THIRL_NATBOX_DROP, (thirl_session_policy){0}, server);
  wrapper = NULL;
  return m;
}

/* Two NATs that are known to let each other in, and a refusal: no NAT did that. B saw it, and tells A. */
static void a_firewall_that_refuses(void **state) {
  (void)state;
  meeting *m = open_walled(true, MEETING_TWO_ADDRESSES);
  dial_and_wait(m, 13 * THIRL_S);
  assert_int_equal(m->b.reason, THIRL_E_FIREWALL);
  assert_int_equal(m->a.reason, THIRL_E_FIREWALL);
  finish_and_close(m);
}

/* Where the NATs are not known, a refusal is a refusal. */
static void a_refusal_at_a_server_with_one_port(void **state) {
  (void)state;
  meeting *m = open_walled(true, MEETING_ONE_PORT);
  dial_and_wait(m, 13 * THIRL_S);
  assert_int_equal(m->b.reason, THIRL_E_REFUSED);
  assert_int_equal(m->a.reason, THIRL_E_REFUSED);
  finish_and_close(m);
}

static void a_firewall_that_swallows(void **state) {
  (void)state;
  meeting *m = open_walled(false, MEETING_TWO_ADDRESSES);
  dial_and_wait(m, 13 * THIRL_S);
  assert_int_equal(m->b.reason, THIRL_E_TIMEOUT);
  assert_int_equal(m->a.reason, THIRL_E_TIMEOUT);
  finish_and_close(m);
}

/* A NAT that restarts gives out other ports. That is no reason to say that it gives every destination another one. */
static void a_nat_that_restarts_is_not_slandered(void **state) {
  (void)state;
  for (thirl_time at = 2500; at <= 3500; at += 20) {
    meeting *m = open_walled(false, MEETING_TWO_ADDRESSES);
    dial_and_wait(m, at * THIRL_MS);
    thirl_sim_reboot(m->b.nat);
    thirl_sim_reboot(m->a.nat);
    meeting_run_on(m, thirl_sim_now(m->sim) + 15 * THIRL_S);
    assert_int_not_equal(m->a.endpoint->survey.mapping, THIRL_SESSION_MAPPING_DEPENDENT);
    assert_int_not_equal(m->b.endpoint->survey.mapping, THIRL_SESSION_MAPPING_DEPENDENT);
    meeting_close(m);
  }
}

/* ---- what it costs ---- */

/* Who becomes direct asks nothing; who does not asks once, and not again in later rounds. */
static void asked_once_and_only_in_need(void **state) {
  (void)state;
  thirl_addr other = thirl_addr_v4(203, 0, 113, 11, 3479);
  meeting *m = open_world(4, 2, 2, THIRL_NATBOX_DROP, (thirl_session_policy){0});
  dial_and_wait(m, 20 * THIRL_S);
  assert_true(m->a.is_direct);
  assert_int_equal(thirl_sim_sent_to(m->sim, other).packets, 0);
  finish_and_close(m);
  m = open_world(4, 8, 8, THIRL_NATBOX_DROP, (thirl_session_policy){0});
  dial_and_wait(m, 20 * THIRL_S);
  uint64_t packets = thirl_sim_sent_by(m->a.host, other).packets;
  assert_in_range(packets, 3, 8); /* SYN, ACK, the question, RST */
  meeting_run_on(m, thirl_sim_now(m->sim) + 300 * THIRL_S);
  assert_true(thirl_server_stats_of(m->server)->introduced >= 3); /* more rounds */
  assert_int_equal(thirl_sim_sent_by(m->a.host, other).packets, packets);
  assert_int_equal(m->a.n_path_events, 2); /* nothing new, nothing told */
  finish_and_close(m);
}

static void only_direct_is_not_to_be_had(void **state) {
  (void)state;
  meeting *m = open_world(4, 8, 8, THIRL_NATBOX_DROP, (thirl_session_policy){.direct_only = true});
  meeting_dial(m);
  meeting_run(m, thirl_sim_now(m->sim) + 15 * THIRL_S);
  assert_true(m->a.failed && m->b.failed);
  assert_int_equal(m->a.error, THIRL_E_ONLY_RELAY);
  assert_int_equal(m->b.error, THIRL_E_ONLY_RELAY);
  assert_int_equal(m->a.read + m->b.read, 0);
  assert_int_equal(thirl_server_stats_of(m->server)->relayed_bytes, 0);
  meeting_close(m);
}

static void only_direct_where_it_is_possible(void **state) {
  (void)state;
  meeting *m = open_world(4, 2, 2, THIRL_NATBOX_DROP, (thirl_session_policy){.direct_only = true});
  meeting_dial(m);
  assert_true(meeting_run_until_direct(m, thirl_sim_now(m->sim) + 5 * THIRL_S));
  meeting_run_on(m, thirl_sim_now(m->sim) + 60 * THIRL_S);
  assert_int_equal(thirl_server_stats_of(m->server)->connects, 1); /* nobody asks for a relay */
  finish_and_close(m);
}

static void only_the_relay_shows_no_address(void **state) {
  (void)state;
  meeting *m = open_world(4, 2, 2, THIRL_NATBOX_DROP, (thirl_session_policy){.relay_only = true});
  meeting_dial(m);
  meeting_run_on(m, thirl_sim_now(m->sim) + 60 * THIRL_S);
  assert_false(m->a.is_direct || m->b.is_direct);
  assert_int_equal(m->a.endpoint->standing.n, 0);
  thirl_addr to_a = thirl_addr_v4(203, 0, 113, 1, 0), to_b = thirl_addr_v4(203, 0, 113, 2, 0);
  assert_int_equal(thirl_sim_sent_by(m->b.host, to_a).packets, 0);
  assert_int_equal(thirl_sim_sent_by(m->a.host, to_b).packets, 0);
  assert_int_equal(thirl_server_stats_of(m->server)->connects, 1);
  finish_and_close(m);
}

/* One side has forbidden what the other would like. */
static void one_side_wants_no_direct_path(void **state) {
  (void)state;
  for (int who = 0; who < 2; who++) {
    meeting *m = open_world(4, 2, 2, THIRL_NATBOX_DROP, (thirl_session_policy){0});
    meeting_start(m);
    (who ? &m->b : &m->a)->endpoint->cfg.policy.relay_only = true;
    m->a.endpoint->standing_due = true;
    thirl_session_endpoint_evaluate(m->a.endpoint, thirl_sim_clock(m->a.host));
    thirl_sim_kick(m->a.host);
    meeting_run_on(m, thirl_sim_now(m->sim) + 3 * THIRL_S);
    meeting_dial(m);
    meeting_run_on(m, thirl_sim_now(m->sim) + 15 * THIRL_S);
    assert_false(m->a.is_direct || m->b.is_direct);
    assert_int_equal(m->a.reason, THIRL_E_HIDDEN);
    assert_int_equal(m->b.reason, THIRL_E_HIDDEN);
    finish_and_close(m);
  }
}

/* The listener takes no relay; the dialer has no objection to one. */
static void one_side_wants_no_relay(void **state) {
  (void)state;
  meeting *m = open_world(4, 2, 2, THIRL_NATBOX_DROP, (thirl_session_policy){0});
  m->a.endpoint->cfg.policy.direct_only = true;
  meeting_dial(m);
  assert_true(meeting_run_until_direct(m, thirl_sim_now(m->sim) + 5 * THIRL_S));
  meeting_run_on(m, thirl_sim_now(m->sim) + 60 * THIRL_S);
  assert_true(thirl_server_stats_of(m->server)->connects <= 2);
  assert_int_equal(m->b.n_path_events, 1);
  finish_and_close(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_pair_at_a_server_with_two_addresses),
      cmocka_unit_test(each_pair_at_a_server_with_two_ports),
      cmocka_unit_test(each_pair_at_a_server_with_one_port),
      cmocka_unit_test(a_firewall_that_refuses),
      cmocka_unit_test(a_refusal_at_a_server_with_one_port),
      cmocka_unit_test(a_firewall_that_swallows),
      cmocka_unit_test(a_nat_that_restarts_is_not_slandered),
      cmocka_unit_test(asked_once_and_only_in_need),
      cmocka_unit_test(only_direct_is_not_to_be_had),
      cmocka_unit_test(only_direct_where_it_is_possible),
      cmocka_unit_test(only_the_relay_shows_no_address),
      cmocka_unit_test(one_side_wants_no_direct_path),
      cmocka_unit_test(one_side_wants_no_relay),
  };
  return cmocka_run_group_tests_name("sim/reasons", tests, NULL, NULL);
}
