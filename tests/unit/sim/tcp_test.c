/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim/tcp.h"

#define SYN THIRL_NATBOX_SYN
#define ACK THIRL_NATBOX_ACK
#define FIN THIRL_NATBOX_FIN
#define RST THIRL_NATBOX_RST

/* One end, its packets and its notes, in hand-driven time. The other end is the test. */
typedef struct rig {
  thirl_sim_pool pool;
  thirl_list out, notes;
  thirl_sim_tcp_options options;
  thirl_sim_tcp_env env;
  thirl_sim_tcp t;
} rig;

enum { PEER_ISN = 70000 };

static rig r;

static int setup(void **state) {
  (void)state;
  memset(&r, 0, sizeof r);
  thirl_sim_pool_init(&r.pool);
  thirl_list_init(&r.out);
  thirl_list_init(&r.notes);
  r.options = thirl_sim_tcp_defaults();
  r.env = (thirl_sim_tcp_env){
      .now = 10 * THIRL_S, .pool = &r.pool, .options = &r.options, .isn_secret = 3, .out = &r.out, .notes = &r.notes};
  r.t = (thirl_sim_tcp){
      .id = 5, .ttl = 64, .local = thirl_addr_v4(10, 0, 0, 1, 1000), .remote = thirl_addr_v4(10, 0, 0, 2, 80)};
  return 0;
}

static thirl_natbox_packet sent(void) {
  thirl_natbox_packet p = {0};
  thirl_link *k = thirl_list_first(&r.out);
  if (!k) return p;
  thirl_sim_packet *packet = THIRL_OWNER(k, thirl_sim_packet, link);
  thirl_list_remove(k);
  p = packet->p;
  thirl_sim_pool_give_packet(&r.pool, packet);
  return p;
}

/* The next packet that was sent must be this one. */
static void expect_sent(uint8_t flags, uint32_t seq, uint32_t ack, size_t n) {
  assert_false(thirl_list_is_empty(&r.out));
  thirl_natbox_packet p = sent();
  assert_int_equal(p.flags, flags);
  assert_int_equal(p.seq, seq);
  assert_int_equal(p.ack, ack);
  assert_int_equal(p.payload.n, n);
  assert_true(thirl_addr_equal(&p.src, &r.t.local));
  assert_true(thirl_addr_equal(&p.dst, &r.t.remote));
}

static void expect_silence(void) {
  assert_true(thirl_list_is_empty(&r.out));
}

static int noted(thirl_error *error) {
  thirl_link *k = thirl_list_first(&r.notes);
  if (!k) return -1;
  thirl_sim_note *n = THIRL_OWNER(k, thirl_sim_note, link);
  thirl_list_remove(k);
  int kind = (int)n->event.kind;
  assert_int_equal(n->event.id, 5);
  if (error) *error = n->event.error;
  thirl_sim_pool_give_note(&r.pool, n);
  return kind;
}

static void expect_failed(thirl_error want) {
  thirl_error e = THIRL_OK;
  assert_int_equal(noted(&e), THIRL_NET_FAILED);
  assert_int_equal(e, want);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_CLOSED);
}

static int teardown(void **state) {
  (void)state;
  expect_silence();
  assert_int_equal(noted(NULL), -1);
  thirl_sim_tcp_fini(&r.t, &r.pool);
  thirl_sim_pool_fini(&r.pool);
  return 0;
}

static bool hear_bytes(uint8_t flags, uint32_t seq, uint32_t ack, size_t n) {
  thirl_sim_packet *packet = thirl_sim_pool_take_packet(&r.pool);
  packet->p = (thirl_natbox_packet){
      .protocol = THIRL_NATBOX_TCP, .flags = flags, .src = r.t.remote, .dst = r.t.local, .seq = seq, .ack = ack};
  if (n) {
    packet->payload = thirl_sim_pool_take_payload(&r.pool);
    packet->payload->n = (uint32_t)n;
    packet->p.payload = THIRL_BYTES(packet->payload->bytes, n);
  }
  bool anew = thirl_sim_tcp_input(&r.t, &r.env, packet);
  thirl_sim_pool_give_packet(&r.pool, packet);
  return anew;
}

static bool hear(uint8_t flags, uint32_t seq, uint32_t ack) {
  return hear_bytes(flags, seq, ack, 0);
}

static uint32_t iss(void) {
  return r.t.iss;
}

static void connect_and_hear_nothing(void) {
  thirl_sim_tcp_connect(&r.t, &r.env);
  expect_sent(SYN, iss(), 0, 0);
}

static void establish(void) {
  connect_and_hear_nothing();
  r.env.now += 40 * THIRL_MS;
  hear(SYN | ACK, PEER_ISN, iss() + 1);
  expect_sent(ACK, iss() + 1, PEER_ISN + 1, 0);
  assert_int_equal(noted(NULL), THIRL_NET_CONNECTED);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_ESTABLISHED);
  assert_int_equal(r.t.tx.srtt, 40 * THIRL_MS);
}

static void push(size_t n) {
  thirl_sim_payload *d = thirl_sim_pool_take_payload(&r.pool);
  d->n = (uint32_t)n;
  thirl_sim_tcp_send(&r.t, &r.env, d);
}

static void connects(void **state) {
  (void)state;
  establish();
}

/* Lab row L22, and the times of older kernels. */
static void syns_are_repeated_at_linux_times(void **state) {
  (void)state;
  static const unsigned today[] = {1, 2, 3, 4, 5, 7, 11, 19, 35, 67}, old[] = {1, 3, 7, 15, 31, 63};
  for (int is_old = 0; is_old < 2; is_old++) {
    r.options.old_syn_times = is_old;
    r.t.state = THIRL_SIM_TCP_CLOSED;
    r.env.now = 100 * THIRL_S;
    connect_and_hear_nothing();
    unsigned n = is_old ? 6 : 10;
    for (unsigned i = 0; i < n; i++) {
      r.env.now = thirl_sim_tcp_deadline(&r.t);
      assert_int_equal(r.env.now - 100 * THIRL_S, (is_old ? old[i] : today[i]) * THIRL_S);
      thirl_sim_tcp_tick(&r.t, &r.env);
      expect_sent(SYN, iss(), 0, 0);
    }
    r.env.now = thirl_sim_tcp_deadline(&r.t);
    assert_int_equal(r.env.now - 100 * THIRL_S, (is_old ? 127 : 131) * THIRL_S);
    thirl_sim_tcp_tick(&r.t, &r.env);
    expect_failed(THIRL_E_TIMEOUT);
  }
}

static void a_later_connection_has_a_later_initial_number(void **state) {
  (void)state;
  connect_and_hear_nothing();
  uint32_t first = iss();
  thirl_sim_tcp_close(&r.t, &r.env);
  expect_silence();
  r.env.now += 60 * THIRL_MS;
  r.t.orphan = false;
  connect_and_hear_nothing();
  assert_int_equal(iss() - first, 60000000 / 64);
}

static void crossing_syns_open_both(void **state) {
  (void)state;
  connect_and_hear_nothing();
  hear(SYN, PEER_ISN, 0);
  expect_sent(SYN | ACK, iss(), PEER_ISN + 1, 0);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_SYN_RECV);
  hear(SYN | ACK, PEER_ISN, iss() + 1);
  expect_sent(ACK, iss() + 1, PEER_ISN + 1, 0);
  assert_int_equal(noted(NULL), THIRL_NET_CONNECTED);
}

static void an_older_kernel_challenges_the_crossing_syn_ack(void **state) {
  (void)state;
  r.options.old_simultaneous_open = true;
  connect_and_hear_nothing();
  hear(SYN, PEER_ISN, 0);
  expect_sent(SYN | ACK, iss(), PEER_ISN + 1, 0);
  hear(SYN | ACK, PEER_ISN, iss() + 1);
  expect_sent(ACK, iss() + 1, PEER_ISN + 1, 0);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_SYN_RECV);
  hear(ACK, PEER_ISN + 1, iss() + 1);
  assert_int_equal(noted(NULL), THIRL_NET_CONNECTED);
}

static void a_syn_ack_is_repeated_and_the_syn_in_it_too(void **state) {
  (void)state;
  connect_and_hear_nothing();
  hear(SYN, PEER_ISN, 0);
  expect_sent(SYN | ACK, iss(), PEER_ISN + 1, 0);
  r.env.now = thirl_sim_tcp_deadline(&r.t);
  thirl_sim_tcp_tick(&r.t, &r.env);
  expect_sent(SYN | ACK, iss(), PEER_ISN + 1, 0);
}

static void what_refuses_a_syn_sent_socket(void **state) {
  (void)state;
  connect_and_hear_nothing();
  hear(RST | ACK, 0, iss()); /* not about this SYN */
  hear(RST, PEER_ISN, 0);    /* no ACK */
  hear(ACK, PEER_ISN, iss() + 1);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_SYN_SENT);
  hear(RST | ACK, 0, iss() + 1);
  expect_failed(THIRL_E_REFUSED);
  static const thirl_natbox_icmp types[] = {THIRL_NATBOX_PORT_UNREACHABLE, THIRL_NATBOX_HOST_UNREACHABLE,
                                            THIRL_NATBOX_TIME_EXCEEDED};
  for (unsigned i = 0; i < 3; i++) {
    connect_and_hear_nothing();
    thirl_sim_tcp_icmp(&r.t, &r.env, types[i], iss() + 1);
    assert_int_equal(r.t.state, THIRL_SIM_TCP_SYN_SENT);
    thirl_sim_tcp_icmp(&r.t, &r.env, types[i], iss());
    expect_failed(i == 0 ? THIRL_E_REFUSED : THIRL_E_UNREACHABLE);
  }
}

static void an_answer_to_another_syn_is_reset(void **state) {
  (void)state;
  connect_and_hear_nothing();
  hear(SYN | ACK, PEER_ISN, iss() + 7);
  expect_sent(RST, iss() + 7, 0, 0);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_SYN_SENT);
}

static void passive_open(void **state) {
  (void)state;
  thirl_sim_packet *syn = thirl_sim_pool_take_packet(&r.pool);
  syn->p = (thirl_natbox_packet){.flags = SYN, .seq = PEER_ISN};
  r.t.listener = 9;
  thirl_sim_tcp_open_passive(&r.t, &r.env, syn);
  thirl_sim_pool_give_packet(&r.pool, syn);
  expect_sent(SYN | ACK, iss(), PEER_ISN + 1, 0);
  hear(SYN, PEER_ISN, 0); /* repeated: so is the answer */
  expect_sent(SYN | ACK, iss(), PEER_ISN + 1, 0);
  hear(ACK, PEER_ISN + 1, iss() + 2); /* wrong */
  expect_sent(RST, iss() + 2, 0, 0);
  hear_bytes(ACK, PEER_ISN + 1, iss() + 1, 10); /* the last ACK may carry data */
  assert_int_equal(noted(NULL), THIRL_NET_ACCEPTED);
  assert_int_equal(noted(NULL), THIRL_NET_DATA);
  expect_sent(ACK, iss() + 1, PEER_ISN + 11, 0);
}

static void an_embryo_dies_unheard(void **state) {
  (void)state;
  thirl_sim_packet *syn = thirl_sim_pool_take_packet(&r.pool);
  syn->p = (thirl_natbox_packet){.flags = SYN, .seq = PEER_ISN};
  r.t.listener = 9;
  thirl_sim_tcp_open_passive(&r.t, &r.env, syn);
  thirl_sim_pool_give_packet(&r.pool, syn);
  expect_sent(SYN | ACK, iss(), PEER_ISN + 1, 0);
  for (int i = 0; i < 5; i++) {
    r.env.now = thirl_sim_tcp_deadline(&r.t);
    thirl_sim_tcp_tick(&r.t, &r.env);
    expect_sent(SYN | ACK, iss(), PEER_ISN + 1, 0);
  }
  r.env.now = thirl_sim_tcp_deadline(&r.t);
  thirl_sim_tcp_tick(&r.t, &r.env);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_CLOSED);
}

static void data_is_sent_acknowledged_and_repeated(void **state) {
  (void)state;
  establish();
  push(100);
  expect_sent(ACK, iss() + 1, PEER_ISN + 1, 100);
  r.env.now = thirl_sim_tcp_deadline(&r.t);
  thirl_sim_tcp_tick(&r.t, &r.env);
  expect_sent(ACK, iss() + 1, PEER_ISN + 1, 100);
  hear(ACK, PEER_ISN + 1, iss() + 101);
  assert_true(thirl_sim_tcp_deadline(&r.t) == THIRL_NEVER);
  assert_int_equal(thirl_sim_tcp_room(&r.t, &r.env), 1400);
}

static void the_window_is_a_limit(void **state) {
  (void)state;
  r.options.window = 4000;
  establish();
  push(1400);
  push(1400);
  assert_int_equal(thirl_sim_tcp_room(&r.t, &r.env), 0);
  sent();
  sent();
  hear(ACK, PEER_ISN + 1, iss() + 1401);
  assert_int_equal(thirl_sim_tcp_room(&r.t, &r.env), 1400);
}

static void data_that_is_never_acknowledged_ends_the_connection(void **state) {
  (void)state;
  r.options.give_up = 30 * THIRL_S;
  establish();
  push(100);
  thirl_time first = 0;
  while (r.t.state == THIRL_SIM_TCP_ESTABLISHED) {
    r.env.now = thirl_sim_tcp_deadline(&r.t);
    if (!first) first = r.env.now;
    thirl_sim_tcp_tick(&r.t, &r.env);
    while (!thirl_list_is_empty(&r.out))
      sent();
  }
  assert_in_range(r.env.now - first, 30 * THIRL_S, 60 * THIRL_S);
  expect_failed(THIRL_E_TIMEOUT);
}

static void closing_actively(void **state) {
  (void)state;
  establish();
  thirl_sim_tcp_close(&r.t, &r.env);
  expect_sent(FIN | ACK, iss() + 1, PEER_ISN + 1, 0);
  hear(ACK, PEER_ISN + 1, iss() + 2);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_FIN_WAIT_2);
  hear(FIN | ACK, PEER_ISN + 1, iss() + 2);
  expect_sent(ACK, iss() + 2, PEER_ISN + 2, 0);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_TIME_WAIT);
  assert_int_equal(thirl_sim_tcp_deadline(&r.t), r.env.now + 60 * THIRL_S);
  hear(FIN | ACK, PEER_ISN + 1, iss() + 2);
  expect_sent(ACK, iss() + 2, PEER_ISN + 2, 0);
  assert_false(hear(SYN, PEER_ISN - 5, 0)); /* an old SYN */
  expect_sent(ACK, iss() + 2, PEER_ISN + 2, 0);
  assert_true(hear(SYN, PEER_ISN + 50, 0)); /* a new one */
  r.env.now += 60 * THIRL_S;
  thirl_sim_tcp_tick(&r.t, &r.env);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_CLOSED);
}

static void closing_passively(void **state) {
  (void)state;
  establish();
  hear(FIN | ACK, PEER_ISN + 1, iss() + 1);
  assert_int_equal(noted(NULL), THIRL_NET_EOF);
  expect_sent(ACK, iss() + 1, PEER_ISN + 2, 0);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_CLOSE_WAIT);
  push(10); /* it still writes */
  expect_sent(ACK, iss() + 1, PEER_ISN + 2, 10);
  thirl_sim_tcp_close(&r.t, &r.env);
  expect_sent(FIN | ACK, iss() + 11, PEER_ISN + 2, 0);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_LAST_ACK);
  hear(ACK, PEER_ISN + 2, iss() + 12);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_CLOSED);
}

static void both_close_at_once(void **state) {
  (void)state;
  establish();
  thirl_sim_tcp_close(&r.t, &r.env);
  expect_sent(FIN | ACK, iss() + 1, PEER_ISN + 1, 0);
  hear(FIN | ACK, PEER_ISN + 1, iss() + 1);
  expect_sent(ACK, iss() + 2, PEER_ISN + 2, 0);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_CLOSING);
  hear(ACK, PEER_ISN + 2, iss() + 2);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_TIME_WAIT);
}

static void data_after_close_is_reset(void **state) {
  (void)state;
  establish();
  thirl_sim_tcp_close(&r.t, &r.env);
  expect_sent(FIN | ACK, iss() + 1, PEER_ISN + 1, 0);
  hear_bytes(ACK, PEER_ISN + 1, iss() + 1, 10);
  expect_sent(RST | ACK, iss() + 2, PEER_ISN + 1, 0);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_CLOSED);
}

static void abort_sends_rst_only_when_there_is_a_connection(void **state) {
  (void)state;
  connect_and_hear_nothing();
  thirl_sim_tcp_abort(&r.t, &r.env);
  expect_silence();
  assert_int_equal(r.t.state, THIRL_SIM_TCP_CLOSED);
  r.t.orphan = false;
  establish();
  thirl_sim_tcp_abort(&r.t, &r.env);
  expect_sent(RST | ACK, iss() + 1, PEER_ISN + 1, 0);
  assert_int_equal(r.t.state, THIRL_SIM_TCP_CLOSED);
}

/* RFC 5961 section 3.2. */
static void only_an_exact_reset_ends_a_connection(void **state) {
  (void)state;
  establish();
  hear(RST, PEER_ISN + 100, 0);
  expect_sent(ACK, iss() + 1, PEER_ISN + 1, 0);
  hear(RST, PEER_ISN - 100, 0);
  hear(RST, PEER_ISN + 1, 0);
  expect_failed(THIRL_E_RESET);
}

static void challenges_are_rationed(void **state) {
  (void)state;
  establish();
  hear(SYN, PEER_ISN, 0);
  expect_sent(ACK, iss() + 1, PEER_ISN + 1, 0);
  hear(SYN, PEER_ISN, 0);
  expect_silence();
  r.env.now += 500 * THIRL_MS;
  hear(SYN, PEER_ISN, 0);
  expect_sent(ACK, iss() + 1, PEER_ISN + 1, 0);
}

static void icmp_does_not_end_a_connection(void **state) {
  (void)state;
  establish();
  thirl_sim_tcp_icmp(&r.t, &r.env, THIRL_NATBOX_PORT_UNREACHABLE, iss());
  assert_int_equal(r.t.state, THIRL_SIM_TCP_ESTABLISHED);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      T(connects),
      T(syns_are_repeated_at_linux_times),
      T(a_later_connection_has_a_later_initial_number),
      T(crossing_syns_open_both),
      T(an_older_kernel_challenges_the_crossing_syn_ack),
      T(a_syn_ack_is_repeated_and_the_syn_in_it_too),
      T(what_refuses_a_syn_sent_socket),
      T(an_answer_to_another_syn_is_reset),
      T(passive_open),
      T(an_embryo_dies_unheard),
      T(data_is_sent_acknowledged_and_repeated),
      T(the_window_is_a_limit),
      T(data_that_is_never_acknowledged_ends_the_connection),
      T(closing_actively),
      T(closing_passively),
      T(both_close_at_once),
      T(data_after_close_is_reset),
      T(abort_sends_rst_only_when_there_is_a_connection),
      T(only_an_exact_reset_ends_a_connection),
      T(challenges_are_rationed),
      T(icmp_does_not_end_a_connection),
  };
  return cmocka_run_group_tests_name("sim/tcp", tests, NULL, NULL);
}
