/* SPDX-License-Identifier: MIT */
/* One question to the server's other address, from a lane's port; what its answer means, and when it means nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "session/survey.h"
#include "stun/msg.h"
#include "stun/writer.h"

#define T0 (1000 * THIRL_S)

static const thirl_addr server = {.family = THIRL_FAMILY_V4, .port = 3478, .ip = {203, 0, 113, 10}};
static const thirl_addr other = {.family = THIRL_FAMILY_V4, .port = 3479, .ip = {203, 0, 113, 11}};
static const thirl_addr inside = {.family = THIRL_FAMILY_V4, .port = 5001, .ip = {192, 168, 1, 2}};
static const thirl_addr outside = {.family = THIRL_FAMILY_V4, .port = 6001, .ip = {203, 0, 113, 1}};

typedef struct rig {
  thirl_dice dice;
  thirl_secrets secrets;
  thirl_session_lanes l;
  thirl_session_survey s;
  thirl_session_queue q;
  thirl_time now;
} rig;

static rig r;

static void fill(void *ctx, void *out, size_t n) {
  uint8_t *p = out;
  for (size_t i = 0; i < n; i++)
    p[i] = (uint8_t)thirl_dice_u64(ctx);
}

/* What is said to who asks with this transaction id. */
static thirl_bytes answer(const uint8_t tid[12], thirl_addr mapped, const thirl_addr *names, uint16_t port) {
  static uint8_t buf[128];
  thirl_stun_writer w;
  thirl_bytes out;
  thirl_stun_writer_init(&w, buf, sizeof buf, THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_BINDING, tid);
  thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &mapped);
  if (names) thirl_stun_writer_addr(&w, THIRL_STUN_ATTR_OTHER_ADDRESS, names);
  if (port) thirl_stun_writer_u16(&w, THIRL_STUN_ATTR_THIRL_OTHER_PORT, port);
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
  return out;
}

static size_t take(thirl_net_verb verb, thirl_net_action *last) {
  thirl_net_action a;
  size_t n = 0;
  while (thirl_session_queue_take(&r.q, &a)) {
    if (a.verb != verb) continue;
    n++;
    if (last) *last = a;
  }
  return n;
}

static void lane_event(thirl_net_event ev) {
  ev.id = r.l.lane[1].conn;
  assert_true(thirl_session_lanes_input(&r.l, r.now, &ev, &r.q));
  thirl_session_survey_evaluate(&r.s, r.now, &r.l, &r.q);
}

static void lane_answers(thirl_addr mapped, const thirl_addr *names, uint16_t port) {
  uint8_t buf[64];
  thirl_stun_msg m;
  size_t n = thirl_session_lanes_pull(&r.l, r.now, r.l.lane[1].conn, buf, sizeof buf);
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(buf, n), &m), THIRL_OK);
  assert_true(thirl_stun_msg_has(&m, THIRL_STUN_ATTR_THIRL_OTHER_PORT)); /* we know servers with one address */
  lane_event((thirl_net_event){.kind = THIRL_NET_DATA, .payload = answer(r.l.lane[1].tid, mapped, names, port)});
}

/* Lane 1 is mapped, and the server has said where else it is. */
static void bring_up(thirl_addr local, thirl_addr mapped, const thirl_addr *names, uint16_t port) {
  thirl_session_lanes_start(&r.l, r.now, &server, &r.q);
  lane_event((thirl_net_event){.kind = THIRL_NET_CONNECTED, .local = local});
  lane_answers(mapped, names, port);
  (void)take(THIRL_NET_LISTEN, NULL);
}

static int setup(void **state) {
  (void)state;
  memset(&r, 0, sizeof r);
  r.now = T0;
  r.secrets = (thirl_secrets){fill, &r.dice};
  thirl_dice_seed(&r.dice, 1);
  thirl_session_lanes_init(&r.l, &r.secrets, 1);
  thirl_session_survey_init(&r.s);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  thirl_session_survey_fini(&r.s);
  thirl_session_lanes_fini(&r.l);
  return 0;
}

static void begin(void) {
  thirl_session_survey_begin(&r.s, r.now, &r.l, &r.q);
}

static void survey_event(thirl_net_event ev) {
  ev.id = r.s.conn;
  assert_true(thirl_session_survey_owns(&r.s, ev.id));
  thirl_session_survey_input(&r.s, r.now, &ev, &r.l, &r.q);
  thirl_session_survey_evaluate(&r.s, r.now, &r.l, &r.q);
}

static thirl_session_mapping known(void) {
  return thirl_session_survey_mapping(&r.s, &r.l);
}

/* Asks, and is answered: seen so at the other place, and the lane as before. */
static void ask(thirl_addr seen) {
  uint8_t buf[64];
  begin();
  survey_event((thirl_net_event){.kind = THIRL_NET_CONNECTED, .local = inside});
  assert_int_equal(thirl_session_survey_pull(&r.s, buf, sizeof buf), 20);
  assert_int_equal(thirl_session_survey_pull(&r.s, buf, sizeof buf), 0);
  survey_event((thirl_net_event){.kind = THIRL_NET_DATA, .payload = answer(r.s.tid, seen, NULL, 0)});
}

static void from_the_lanes_port_to_the_other_address(void **state) {
  (void)state;
  thirl_net_action a;
  bring_up(inside, outside, &other, 0);
  assert_int_equal(known(), THIRL_SESSION_MAPPING_UNKNOWN);
  begin();
  assert_int_equal(take(THIRL_NET_CONNECT, &a), 1);
  assert_true(thirl_addr_equal(&a.remote, &other));
  assert_int_equal(a.local.port, inside.port);
  begin(); /* one at a time */
  assert_int_equal(r.q.n, 0);
}

static void the_same_port_again(void **state) {
  (void)state;
  bring_up(inside, outside, &other, 0);
  ask(outside);
  assert_int_equal(take(THIRL_NET_ABORT, NULL), 1);
  assert_int_equal(known(), THIRL_SESSION_MAPPING_UNKNOWN); /* not before the lane has said it again */
  lane_answers(outside, &other, 0);
  assert_int_equal(known(), THIRL_SESSION_MAPPING_INDEPENDENT);
  assert_true(thirl_session_survey_deadline(&r.s) == THIRL_NEVER);
  begin(); /* it is known */
  assert_int_equal(take(THIRL_NET_CONNECT, NULL), 0);
}

static void another_port(void **state) {
  (void)state;
  bring_up(inside, outside, &other, 0);
  ask(thirl_addr_with_port(outside, 6002));
  lane_answers(outside, &other, 0);
  assert_int_equal(known(), THIRL_SESSION_MAPPING_DEPENDENT);
}

/* With one address another port proves that ports count; the same port proves nothing. */
static void only_another_port_of_the_server(void **state) {
  (void)state;
  thirl_net_action a;
  bring_up(inside, outside, NULL, 3479);
  begin();
  assert_int_equal(take(THIRL_NET_CONNECT, &a), 1);
  assert_true(
      thirl_addr_equal(&a.remote, &(thirl_addr){.family = THIRL_FAMILY_V4, .port = 3479, .ip = {203, 0, 113, 10}}));
  ask(outside);
  lane_answers(outside, NULL, 3479);
  assert_int_equal(known(), THIRL_SESSION_MAPPING_UNKNOWN);
  (void)take(THIRL_NET_CONNECT, NULL);
  begin(); /* nor would it prove more the next time */
  assert_int_equal(take(THIRL_NET_CONNECT, NULL), 0);
}

static void only_another_port_and_another_mapping(void **state) {
  (void)state;
  bring_up(inside, outside, NULL, 3479);
  ask(thirl_addr_with_port(outside, 6002));
  lane_answers(outside, NULL, 3479);
  assert_int_equal(known(), THIRL_SESSION_MAPPING_DEPENDENT);
}

/* The NAT has restarted between the two questions: all its ports are new. */
static void a_lane_that_has_moved_proves_nothing(void **state) {
  (void)state;
  bring_up(inside, outside, &other, 0);
  ask(thirl_addr_with_port(outside, 6002));
  lane_answers(thirl_addr_with_port(outside, 6002), &other, 0);
  assert_int_equal(known(), THIRL_SESSION_MAPPING_UNKNOWN);
  assert_int_equal(r.s.state, THIRL_SESSION_SURVEY_IDLE);
}

static void a_lane_that_is_lost_proves_nothing(void **state) {
  (void)state;
  bring_up(inside, outside, &other, 0);
  ask(thirl_addr_with_port(outside, 6002));
  lane_event((thirl_net_event){.kind = THIRL_NET_FAILED, .error = THIRL_E_RESET});
  assert_int_equal(r.s.state, THIRL_SESSION_SURVEY_IDLE);
  assert_int_equal(r.s.mapping, THIRL_SESSION_MAPPING_UNKNOWN);
}

/* The keepalive's question was under way already: its answer may be older than ours. */
static void the_lane_is_asked_after_the_other(void **state) {
  (void)state;
  bring_up(inside, outside, &other, 0);
  assert_true(thirl_session_lanes_ask(&r.l, r.now, 1, &r.q));
  assert_false(thirl_session_lanes_ask(&r.l, r.now, 1, &r.q));
  ask(outside);
  lane_answers(outside, &other, 0);
  assert_int_equal(known(), THIRL_SESSION_MAPPING_UNKNOWN);
  lane_answers(outside, &other, 0);
  assert_int_equal(known(), THIRL_SESSION_MAPPING_INDEPENDENT);
}

static void five_seconds(void **state) {
  (void)state;
  bring_up(inside, outside, &other, 0);
  begin();
  assert_int_equal(thirl_session_survey_deadline(&r.s), T0 + 5 * THIRL_S);
  (void)take(THIRL_NET_CONNECT, NULL);
  r.now = T0 + 5 * THIRL_S - 1;
  thirl_session_survey_evaluate(&r.s, r.now, &r.l, &r.q);
  assert_int_equal(r.q.n, 0);
  r.now++;
  thirl_session_survey_evaluate(&r.s, r.now, &r.l, &r.q);
  assert_int_equal(take(THIRL_NET_ABORT, NULL), 1);
  assert_int_equal(r.s.state, THIRL_SESSION_SURVEY_IDLE);
  begin(); /* the next round may try again */
  assert_int_equal(take(THIRL_NET_CONNECT, NULL), 1);
}

static void losses(void **state) {
  (void)state;
  static const thirl_net_event ends[] = {{.kind = THIRL_NET_FAILED, .error = THIRL_E_REFUSED},
                                         {.kind = THIRL_NET_EOF},
                                         {.kind = THIRL_NET_DATA, .payload = {(const uint8_t *)"HTTP/1.1", 8}}};
  bring_up(inside, outside, &other, 0);
  for (int i = 0; i < 3; i++) {
    begin();
    (void)take(THIRL_NET_CONNECT, NULL);
    survey_event(ends[i]);
    assert_int_equal(r.s.state, THIRL_SESSION_SURVEY_IDLE);
    assert_int_equal(take(THIRL_NET_ABORT, NULL), i > 0); /* who has failed is closed already */
    assert_false(thirl_session_survey_owns(&r.s, 0));
  }
}

static void another_transaction_is_no_answer(void **state) {
  (void)state;
  uint8_t tid[12] = {9};
  bring_up(inside, outside, &other, 0);
  begin();
  survey_event((thirl_net_event){.kind = THIRL_NET_CONNECTED, .local = inside});
  survey_event((thirl_net_event){.kind = THIRL_NET_DATA, .payload = answer(tid, outside, NULL, 0)});
  assert_int_equal(r.s.state, THIRL_SESSION_SURVEY_EXPECT_OTHER);
}

/* What was found in one network says nothing of another. */
static void another_network(void **state) {
  (void)state;
  bring_up(inside, outside, &other, 0);
  ask(thirl_addr_with_port(outside, 6002));
  lane_answers(outside, &other, 0);
  assert_int_equal(known(), THIRL_SESSION_MAPPING_DEPENDENT);
  r.l.lane[1].mapped.ip[3] = 99;
  assert_int_equal(known(), THIRL_SESSION_MAPPING_UNKNOWN);
  r.l.lane[1].mapped.ip[3] = outside.ip[3];
  assert_int_equal(known(), THIRL_SESSION_MAPPING_DEPENDENT);
  r.l.lane[1].local.ip[3] = 99;
  assert_int_equal(known(), THIRL_SESSION_MAPPING_UNKNOWN);
}

static void without_a_nat_nothing_is_asked(void **state) {
  (void)state;
  bring_up(outside, outside, &other, 0);
  assert_int_equal(known(), THIRL_SESSION_MAPPING_INDEPENDENT);
  begin();
  assert_int_equal(take(THIRL_NET_CONNECT, NULL), 0);
}

/* The server may not send us just anywhere. */
static void places_that_are_not_asked(void **state) {
  (void)state;
  static const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
  thirl_addr places[] = {{0},
                         server,
                         thirl_addr_v4(127, 0, 0, 1, 3479),
                         thirl_addr_v4(224, 0, 0, 1, 3479),
                         thirl_addr_v4(203, 0, 113, 11, 0),
                         thirl_addr_v6(v6, 3479)};
  bring_up(inside, outside, &other, 0);
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    assert_true(thirl_session_lanes_ask(&r.l, r.now, 1, &r.q));
    lane_answers(outside, thirl_addr_is_set(&places[i]) ? &places[i] : NULL, 0);
    begin();
    assert_int_equal(take(THIRL_NET_CONNECT, NULL), 0);
  }
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(from_the_lanes_port_to_the_other_address),
      T(the_same_port_again),
      T(another_port),
      T(only_another_port_of_the_server),
      T(only_another_port_and_another_mapping),
      T(a_lane_that_has_moved_proves_nothing),
      T(a_lane_that_is_lost_proves_nothing),
      T(the_lane_is_asked_after_the_other),
      T(five_seconds),
      T(losses),
      T(another_transaction_is_no_answer),
      T(another_network),
      T(without_a_nat_nothing_is_asked),
      T(places_that_are_not_asked),
  };
#undef T
  return cmocka_run_group_tests_name("session/survey", tests, NULL, NULL);
}
