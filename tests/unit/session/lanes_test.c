/* SPDX-License-Identifier: MIT */
/* The local ports: their connections to the server, their listeners, and what they offer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "session/lanes.h"
#include "stun/msg.h"
#include "stun/writer.h"

#define T0 (1000 * THIRL_S)

static const thirl_addr server = {.family = THIRL_FAMILY_V4, .port = 3478, .ip = {203, 0, 113, 10}};
static const thirl_addr unknown;

typedef struct rig {
  thirl_dice dice;
  thirl_secrets secrets;
  thirl_session_lanes l;
  thirl_session_queue q;
  thirl_time now;
} rig;

static void fill(void *ctx, void *out, size_t n) {
  uint8_t *p = out;
  for (size_t i = 0; i < n; i++)
    p[i] = (uint8_t)thirl_dice_u64(ctx);
}

static int setup(void **state) {
  static rig r;
  memset(&r, 0, sizeof r);
  r.now = T0;
  r.secrets = (thirl_secrets){fill, &r.dice};
  thirl_dice_seed(&r.dice, 1);
  thirl_session_lanes_init(&r.l, &r.secrets, 1);
  *state = &r;
  return 0;
}

static int teardown(void **state) {
  rig *r = *state;
  thirl_session_lanes_fini(&r->l);
  return 0;
}

/* How many actions of this verb are waiting; all are taken. */
static size_t take(rig *r, thirl_net_verb verb, thirl_net_action *last) {
  thirl_net_action a;
  size_t n = 0;
  while (thirl_session_queue_take(&r->q, &a)) {
    if (a.verb != verb) continue;
    n++;
    if (last) *last = a;
  }
  return n;
}

static thirl_addr local(int lane) {
  return thirl_addr_v4(192, 168, 1, 2, (uint16_t)(5000 + lane));
}

static thirl_addr mapped(int lane) {
  return thirl_addr_v4(203, 0, 113, 1, (uint16_t)(6000 + lane));
}

static void start(rig *r) {
  thirl_session_lanes_start(&r->l, r->now, &server, &r->q);
}

static void event(rig *r, thirl_net_event ev) {
  assert_true(thirl_session_lanes_input(&r->l, r->now, &ev, &r->q));
}

static void connected(rig *r, int lane) {
  event(r, (thirl_net_event){.kind = THIRL_NET_CONNECTED, .id = r->l.lane[lane].conn, .local = local(lane)});
}

static void say(rig *r, int lane, thirl_bytes b) {
  event(r, (thirl_net_event){.kind = THIRL_NET_DATA, .id = r->l.lane[lane].conn, .payload = b});
}

/* The server answers the Binding request that this lane sends now. */
static void answer(rig *r, int lane, thirl_addr at) {
  uint8_t request[64], response[64];
  thirl_stun_msg m;
  thirl_stun_writer w;
  thirl_bytes out;
  size_t n = thirl_session_lanes_pull(&r->l, r->now, r->l.lane[lane].conn, request, sizeof request);
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(request, n), &m), THIRL_OK);
  assert_int_equal(m.method, THIRL_STUN_METHOD_BINDING);
  assert_int_equal(thirl_session_lanes_pull(&r->l, r->now, r->l.lane[lane].conn, request, sizeof request), 0);
  thirl_stun_writer_init(&w, response, sizeof response, THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_BINDING,
                         r->l.lane[lane].tid);
  thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &at);
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
  say(r, lane, out);
}

static void bring_up(rig *r) {
  thirl_addr l0 = local(0), m0 = mapped(0);
  start(r);
  for (int i = 1; i < THIRL_SESSION_LANES; i++) {
    connected(r, i);
    answer(r, i, mapped(i));
  }
  thirl_session_lanes_control(&r->l, &l0, &m0, &r->q);
  (void)take(r, THIRL_NET_WRITE, NULL);
}

static void two_connections_from_any_port(void **state) {
  rig *r = *state;
  thirl_net_action a;
  start(r);
  assert_int_equal(take(r, THIRL_NET_CONNECT, &a), 2);
  assert_true(thirl_addr_equal(&a.remote, &server));
  assert_int_equal(a.local.port, 0);
  assert_false(thirl_session_lanes_are_ready(&r->l, r->now));
}

static void up_means_a_listener_and_a_question(void **state) {
  rig *r = *state;
  thirl_net_action a;
  start(r);
  (void)take(r, THIRL_NET_CONNECT, NULL);
  connected(r, 1);
  assert_true(thirl_session_queue_take(&r->q, &a));
  assert_int_equal(a.verb, THIRL_NET_LISTEN);
  assert_int_equal(a.local.port, 5001);
  assert_true(thirl_session_queue_take(&r->q, &a));
  assert_int_equal(a.verb, THIRL_NET_WRITE);
  assert_int_equal(a.id, r->l.lane[1].conn);
  assert_int_equal(r->q.n, 0);
}

static void ready_when_all_are_mapped_or_after_a_second(void **state) {
  rig *r = *state;
  bring_up(r);
  assert_true(thirl_session_lanes_are_ready(&r->l, T0));
  teardown(state);
  setup(state);
  start(r);
  assert_int_equal(thirl_session_lanes_patience_ends(&r->l), T0 + THIRL_S);
  assert_false(thirl_session_lanes_are_ready(&r->l, T0 + THIRL_S - 1));
  assert_true(thirl_session_lanes_are_ready(&r->l, T0 + THIRL_S));
}

static void one_host_candidate_and_one_of_each_lane(void **state) {
  rig *r = *state;
  thirl_meet_offer o = {0};
  bring_up(r);
  thirl_session_lanes_offer(&r->l, &o);
  assert_int_equal(o.n, 4);
  assert_int_equal(o.candidates[0].type, THIRL_MEET_HOST);
  assert_int_equal(o.candidates[0].addr.port, 5000);
  for (size_t i = 1; i < 4; i++) {
    assert_int_equal(o.candidates[i].type, THIRL_MEET_SRFLX);
    assert_int_equal(o.candidates[i].transport, THIRL_MEET_TCP_SO);
    assert_int_equal(o.candidates[i].lane, i - 1);
    assert_int_equal(o.candidates[i].addr.port, 6000 + i - 1);
    assert_true(o.candidates[i].priority < o.candidates[i - 1].priority);
  }
}

/* Without a NAT the address that the server sees is the host's. */
static void without_a_nat_each_lane_is_a_host_candidate(void **state) {
  rig *r = *state;
  thirl_meet_offer o = {0};
  thirl_addr l0 = local(0);
  start(r);
  for (int i = 1; i < THIRL_SESSION_LANES; i++) {
    connected(r, i);
    answer(r, i, local(i));
  }
  thirl_session_lanes_control(&r->l, &l0, &l0, &r->q);
  thirl_session_lanes_offer(&r->l, &o);
  assert_int_equal(o.n, 3);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(o.candidates[i].type, THIRL_MEET_HOST);
}

static void asked_again_every_25_s(void **state) {
  rig *r = *state;
  bring_up(r);
  r->l.has_news = false;
  assert_int_equal(thirl_session_lanes_deadline(&r->l), T0 + 25 * THIRL_S);
  r->now = T0 + 25 * THIRL_S;
  thirl_session_lanes_tick(&r->l, r->now, &r->q);
  assert_int_equal(take(r, THIRL_NET_WRITE, NULL), 2);
  answer(r, 1, mapped(1));
  assert_false(r->l.has_news);
  answer(r, 2, mapped(9)); /* the NAT has begun anew */
  assert_true(r->l.has_news);
  assert_int_equal(thirl_session_lanes_deadline(&r->l), r->now + 25 * THIRL_S);
}

static void ten_seconds_without_an_answer_and_it_is_made_anew(void **state) {
  rig *r = *state;
  thirl_net_action a;
  start(r);
  connected(r, 1);
  (void)take(r, THIRL_NET_CONNECT, NULL);
  thirl_net_id old = r->l.lane[1].conn;
  assert_int_equal(thirl_session_lanes_deadline(&r->l), T0 + 10 * THIRL_S);
  r->now = T0 + 10 * THIRL_S;
  thirl_session_lanes_tick(&r->l, r->now, &r->q); /* lane 2 has connected for as long, too */
  assert_int_equal(take(r, THIRL_NET_ABORT, NULL), 2);
  assert_in_range(r->l.lane[1].next, r->now + 250 * THIRL_MS, r->now + 500 * THIRL_MS);
  r->now = r->l.lane[1].next;
  thirl_session_lanes_tick(&r->l, r->now, &r->q);
  assert_true(take(r, THIRL_NET_CONNECT, &a) >= 1);
  assert_int_not_equal(r->l.lane[1].conn, old);
  assert_int_equal(r->l.lane[1].local.port, 5001); /* the port is kept */
}

static void waits_double_and_are_spread(void **state) {
  rig *r = *state;
  static const thirl_time bounds[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000}; /* ms */
  start(r);
  for (size_t i = 0; i < 8; i++) {
    event(r, (thirl_net_event){.kind = THIRL_NET_FAILED, .id = r->l.lane[1].conn, .error = THIRL_E_REFUSED});
    thirl_time wait = r->l.lane[1].next - r->now;
    assert_in_range(wait, bounds[i] * THIRL_MS / 2, bounds[i] * THIRL_MS);
    r->now += wait;
    r->l.lane[2].next = THIRL_NEVER; /* of no interest here */
    thirl_session_lanes_tick(&r->l, r->now, &r->q);
    (void)take(r, THIRL_NET_CONNECT, NULL);
  }
}

static void a_port_in_use_is_given_up(void **state) {
  rig *r = *state;
  thirl_net_action a;
  bring_up(r);
  thirl_net_id listener = r->l.lane[1].listener;
  event(r, (thirl_net_event){.kind = THIRL_NET_FAILED, .id = r->l.lane[1].conn, .error = THIRL_E_IN_USE});
  assert_int_equal(take(r, THIRL_NET_ABORT, &a), 1);
  assert_int_equal(a.id, listener);
  r->now = r->l.lane[1].next;
  thirl_session_lanes_tick(&r->l, r->now, &r->q);
  assert_int_equal(take(r, THIRL_NET_CONNECT, &a), 1);
  assert_int_equal(a.local.port, 0);
}

static void nonsense_and_the_end_are_losses(void **state) {
  rig *r = *state;
  bring_up(r);
  say(r, 1, THIRL_BYTES("GET / HTTP/1.1\r\n\r\n", 18));
  assert_int_equal(r->l.lane[1].state, THIRL_SESSION_LANE_OFF);
  event(r, (thirl_net_event){.kind = THIRL_NET_EOF, .id = r->l.lane[2].conn});
  assert_int_equal(r->l.lane[2].state, THIRL_SESSION_LANE_OFF);
  assert_int_equal(take(r, THIRL_NET_ABORT, NULL), 2);
  thirl_meet_offer o = {0};
  thirl_session_lanes_offer(&r->l, &o);
  assert_int_equal(o.n, 2); /* lane 0 */
}

static void an_answer_that_was_not_asked_for_says_nothing(void **state) {
  rig *r = *state;
  uint8_t response[64];
  static const uint8_t tid[THIRL_STUN_TID_LEN] = {1};
  thirl_stun_writer w;
  thirl_bytes out;
  thirl_addr lie = mapped(77);
  bring_up(r);
  thirl_stun_writer_init(&w, response, sizeof response, THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_BINDING, tid);
  thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &lie);
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
  say(r, 1, out);
  assert_int_equal(r->l.lane[1].mapped.port, 6001);
}

static void without_a_listener_the_lane_goes_on(void **state) {
  rig *r = *state;
  bring_up(r);
  event(r, (thirl_net_event){.kind = THIRL_NET_FAILED, .id = r->l.lane[1].listener, .error = THIRL_E_PERMISSION});
  assert_int_equal(r->l.lane[1].listener, 0);
  assert_int_equal(r->l.lane[1].state, THIRL_SESSION_LANE_MAPPED);
}

static void the_control_connections_port_may_change(void **state) {
  rig *r = *state;
  thirl_net_action a;
  thirl_addr other = thirl_addr_v4(192, 168, 1, 2, 5999);
  bring_up(r);
  thirl_net_id old = r->l.lane[0].listener;
  thirl_session_lanes_control(&r->l, &other, &unknown, &r->q);
  assert_true(thirl_session_queue_take(&r->q, &a));
  assert_int_equal(a.verb, THIRL_NET_ABORT);
  assert_int_equal(a.id, old);
  assert_true(thirl_session_queue_take(&r->q, &a));
  assert_int_equal(a.verb, THIRL_NET_LISTEN);
  assert_int_equal(a.local.port, 5999);
  assert_int_equal(r->l.lane[0].state, THIRL_SESSION_LANE_EXPECT_MAPPED);
}

/* The server is there again: who waits for his turn goes now, and so does who has sent SYNs into the void. */
static void in_a_hurry_nobody_waits(void **state) {
  rig *r = *state;
  bring_up(r);
  event(r, (thirl_net_event){.kind = THIRL_NET_FAILED, .id = r->l.lane[1].conn, .error = THIRL_E_RESET});
  event(r, (thirl_net_event){.kind = THIRL_NET_FAILED, .id = r->l.lane[2].conn, .error = THIRL_E_RESET});
  r->now = r->l.lane[2].next;
  thirl_session_lanes_tick(&r->l, r->now, &r->q);
  r->l.lane[1].next = r->now + 20 * THIRL_S; /* it has failed often */
  r->l.lane[1].state = THIRL_SESSION_LANE_OFF;
  (void)take(r, THIRL_NET_CONNECT, NULL);
  r->now += 3 * THIRL_S - 1;
  thirl_session_lanes_hurry(&r->l, r->now, &server, &r->q);
  assert_int_equal(take(r, THIRL_NET_CONNECT, NULL), 1);
  assert_int_equal(thirl_session_lanes_patience_ends(&r->l), r->now + THIRL_S); /* they are given time anew */
  r->now += 3 * THIRL_S;
  thirl_session_lanes_hurry(&r->l, r->now, &server, &r->q);
  assert_int_equal(take(r, THIRL_NET_CONNECT, NULL), 2);
}

static void stopped_nothing_is_left(void **state) {
  rig *r = *state;
  bring_up(r);
  thirl_session_lanes_stop(&r->l, &r->q);
  assert_int_equal(take(r, THIRL_NET_ABORT, NULL), 5); /* two connections, three listeners */
  assert_true(thirl_session_lanes_deadline(&r->l) == THIRL_NEVER);
  thirl_session_lanes_hurry(&r->l, r->now, &server, &r->q);
  assert_int_equal(r->q.n, 0);
  assert_false(thirl_session_lanes_owns(&r->l, 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(two_connections_from_any_port, setup, teardown),
      cmocka_unit_test_setup_teardown(up_means_a_listener_and_a_question, setup, teardown),
      cmocka_unit_test_setup_teardown(ready_when_all_are_mapped_or_after_a_second, setup, teardown),
      cmocka_unit_test_setup_teardown(one_host_candidate_and_one_of_each_lane, setup, teardown),
      cmocka_unit_test_setup_teardown(without_a_nat_each_lane_is_a_host_candidate, setup, teardown),
      cmocka_unit_test_setup_teardown(asked_again_every_25_s, setup, teardown),
      cmocka_unit_test_setup_teardown(ten_seconds_without_an_answer_and_it_is_made_anew, setup, teardown),
      cmocka_unit_test_setup_teardown(waits_double_and_are_spread, setup, teardown),
      cmocka_unit_test_setup_teardown(a_port_in_use_is_given_up, setup, teardown),
      cmocka_unit_test_setup_teardown(nonsense_and_the_end_are_losses, setup, teardown),
      cmocka_unit_test_setup_teardown(an_answer_that_was_not_asked_for_says_nothing, setup, teardown),
      cmocka_unit_test_setup_teardown(without_a_listener_the_lane_goes_on, setup, teardown),
      cmocka_unit_test_setup_teardown(the_control_connections_port_may_change, setup, teardown),
      cmocka_unit_test_setup_teardown(in_a_hurry_nobody_waits, setup, teardown),
      cmocka_unit_test_setup_teardown(stopped_nothing_is_left, setup, teardown),
  };
  return cmocka_run_group_tests_name("session/lanes", tests, NULL, NULL);
}
