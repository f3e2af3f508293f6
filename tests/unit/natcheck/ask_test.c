/* SPDX-License-Identifier: MIT */
#include "natcheck/ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "stun/writer.h"

static void fill(void *ctx, void *out, size_t n) {
  uint8_t *count = ctx;
  memset(out, ++*count, n);
}

static uint8_t drawn;
static thirl_natcheck_ask ask;
static const thirl_addr server = {.family = THIRL_FAMILY_V4, .port = 3478, .ip = {203, 0, 113, 10}};
static const thirl_addr other = {.family = THIRL_FAMILY_V4, .port = 3479, .ip = {203, 0, 113, 11}};
static const thirl_addr outside = {.family = THIRL_FAMILY_V4, .port = 40000, .ip = {198, 51, 100, 1}};
static const thirl_addr inside = {.family = THIRL_FAMILY_V4, .ip = {192, 168, 1, 10}};

static thirl_net_action next(thirl_time now) {
  thirl_net_action a;
  assert_true(thirl_natcheck_ask_poll(&ask, now, &a));
  return a;
}

static void nothing(thirl_time now) {
  thirl_net_action a;
  assert_false(thirl_natcheck_ask_poll(&ask, now, &a));
}

static void feed(thirl_time now, thirl_net_event ev) {
  assert_true(thirl_natcheck_ask_input(&ask, now, &ev));
}

/* Socket 0 is open on port 5000. */
static int setup(void **state) {
  thirl_secrets secrets = {.fill = fill, .ctx = &drawn};
  (void)state;
  thirl_natcheck_ask_init(&ask, &secrets, 1);
  ask.local = thirl_addr_any(THIRL_FAMILY_V4, 0);
  assert_int_equal(thirl_natcheck_ask_open(&ask, 5000), 0);
  thirl_net_action a = next(0);
  assert_int_equal(a.verb, THIRL_NET_BIND_UDP);
  feed(0, (thirl_net_event){.kind = THIRL_NET_LISTENING, .id = a.id, .local = thirl_addr_any(THIRL_FAMILY_V4, 5000)});
  return 0;
}

static thirl_natcheck_question plain(void) {
  return (thirl_natcheck_question){
      .to = server, .expect = server, .tries = 3, .enough = 1, .interval = 100 * THIRL_MS, .grace = 400 * THIRL_MS};
}

/* Sends the next try and gives its transaction. */
static void sent(thirl_time now, uint8_t tid[THIRL_STUN_TID_LEN]) {
  thirl_stun_msg m;
  thirl_net_action a = next(now);
  assert_int_equal(a.verb, THIRL_NET_SENDTO);
  assert_true(thirl_addr_equal(&a.remote, &server));
  assert_int_equal(thirl_stun_msg_decode(a.payload, &m), THIRL_OK);
  memcpy(tid, m.tid, THIRL_STUN_TID_LEN);
}

static void answer(thirl_time now, const uint8_t tid[THIRL_STUN_TID_LEN], thirl_addr from, const thirl_addr *mapped) {
  uint8_t bytes[128];
  thirl_stun_writer w;
  thirl_bytes done;
  thirl_stun_writer_init(&w, bytes, sizeof bytes, THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_BINDING, tid);
  if (mapped) thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, mapped);
  thirl_stun_writer_addr(&w, THIRL_STUN_ATTR_MAPPED_ADDRESS, &other);
  thirl_stun_writer_addr(&w, THIRL_STUN_ATTR_OTHER_ADDRESS, &other);
  assert_int_equal(thirl_stun_writer_finish(&w, &done), THIRL_OK);
  feed(now, (thirl_net_event){
                .kind = THIRL_NET_DATAGRAM, .id = ask.sockets[0].id, .local = inside, .remote = from, .payload = done});
}

static void asked_until_it_answers(void **state) {
  uint8_t first[THIRL_STUN_TID_LEN], second[THIRL_STUN_TID_LEN];
  (void)state;
  thirl_natcheck_question q = plain();
  unsigned k = thirl_natcheck_ask_add(&ask, 1000, &q);
  sent(1000, first);
  nothing(1000);
  assert_int_equal(thirl_natcheck_ask_deadline(&ask), 1000 + 100 * THIRL_MS);
  sent(1000 + 100 * THIRL_MS, second);
  assert_memory_equal(first, second, THIRL_STUN_TID_LEN - 1);
  assert_int_not_equal(first[11], second[11]);
  assert_int_equal(thirl_natcheck_ask_deadline(&ask), 1000 + 300 * THIRL_MS);
  answer(1000 + 130 * THIRL_MS, second, server, &outside);
  assert_true(thirl_natcheck_ask_is_idle(&ask));
  const thirl_natcheck_asked *a = &ask.questions[k];
  assert_int_equal(a->n_heard, 1);
  assert_int_equal(a->rtt, 30 * THIRL_MS); /* of the try that was answered */
  assert_true(thirl_addr_equal(&a->mapped, &outside));
  assert_true(thirl_addr_equal(&a->other, &other));
  assert_true(a->rewritten); /* MAPPED-ADDRESS says something else */
  assert_true(a->from_asked && !a->from_other_ip && !a->from_other_port);
  assert_true(thirl_addr_same_ip(&ask.sockets[0].local, &inside));
  assert_int_equal(ask.sockets[0].local.port, 5000);
  nothing(THIRL_S);
}

static void given_up_after_the_last_try(void **state) {
  uint8_t tid[THIRL_STUN_TID_LEN];
  (void)state;
  thirl_natcheck_question q = plain();
  unsigned k = thirl_natcheck_ask_add(&ask, 0, &q);
  sent(0, tid);
  sent(100 * THIRL_MS, tid);
  sent(300 * THIRL_MS, tid);
  nothing(699 * THIRL_MS);
  assert_false(thirl_natcheck_ask_is_idle(&ask));
  nothing(700 * THIRL_MS);
  assert_true(thirl_natcheck_ask_is_idle(&ask));
  assert_int_equal(ask.questions[k].n_heard, 0);
  thirl_natcheck_ask_more(&ask, k, THIRL_S, 2);
  sent(THIRL_S, tid);
  assert_int_equal(tid[11], 3);
}

static void counted_answers_and_doubles(void **state) {
  uint8_t tid[2][THIRL_STUN_TID_LEN];
  (void)state;
  thirl_natcheck_question q = plain();
  q.enough = 100;
  unsigned k = thirl_natcheck_ask_add(&ask, 0, &q);
  sent(0, tid[0]);
  sent(100 * THIRL_MS, tid[1]);
  for (int i = 0; i < 3; i++)
    answer(110 * THIRL_MS, tid[0], server, &outside);
  assert_int_equal(ask.questions[k].n_heard, 1);
  thirl_addr moved = thirl_addr_with_port(outside, 40001);
  answer(120 * THIRL_MS, tid[1], server, &moved);
  assert_int_equal(ask.questions[k].n_heard, 2);
  assert_true(ask.questions[k].contradictory);
  assert_false(thirl_natcheck_ask_is_idle(&ask));
}

static void answers_that_do_not_count(void **state) {
  uint8_t tid[THIRL_STUN_TID_LEN], unsent[THIRL_STUN_TID_LEN];
  (void)state;
  thirl_natcheck_question q = plain();
  unsigned k = thirl_natcheck_ask_add(&ask, 0, &q);
  const thirl_natcheck_asked *a = &ask.questions[k];
  sent(0, tid);
  memcpy(unsent, tid, sizeof unsent);
  unsent[11] = 1; /* a try that was not made yet */
  answer(10, unsent, server, &outside);
  unsent[0] ^= 1;
  answer(10, unsent, server, &outside);
  assert_false(a->from_asked);
  thirl_addr nowhere = thirl_addr_with_port(outside, 0), six = thirl_addr_any(THIRL_FAMILY_V6, 5);
  six.ip[15] = 1;
  answer(10, tid, server, &nowhere);
  answer(10, tid, server, &six);
  assert_int_equal(a->n_heard, 0);
  answer(10, tid, other, &outside);
  assert_true(a->misdirected && a->from_other_ip);
  answer(10, tid, thirl_addr_with_port(server, 9), &outside);
  assert_true(a->from_other_port);
  assert_int_equal(a->n_heard, 0);
  feed(10, (thirl_net_event){.kind = THIRL_NET_DATAGRAM,
                             .id = ask.sockets[0].id,
                             .remote = server,
                             .payload = THIRL_BYTES("no STUN at all", 14)});
  assert_int_equal(a->n_heard, 0);
  thirl_net_event foreign = {.kind = THIRL_NET_DATAGRAM, .id = 77};
  assert_false(thirl_natcheck_ask_input(&ask, 10, &foreign));
}

static void a_socket_that_breaks_ends_its_questions(void **state) {
  (void)state;
  unsigned socket = thirl_natcheck_ask_open(&ask, 0);
  thirl_natcheck_question q = plain();
  q.from = socket;
  (void)thirl_natcheck_ask_add(&ask, 0, &q);
  thirl_net_action a = next(0);
  feed(0, (thirl_net_event){.kind = THIRL_NET_FAILED, .id = a.id, .error = THIRL_E_LIMIT});
  nothing(0);
  assert_true(thirl_natcheck_ask_is_idle(&ask));
  thirl_natcheck_ask_end(&ask);
  assert_int_equal(next(0).verb, THIRL_NET_ABORT); /* the other one */
  nothing(0);
}

static void there_is_a_limit(void **state) {
  (void)state;
  thirl_natcheck_question q = plain();
  for (unsigned i = 0; i < THIRL_NATCHECK_ASK_QUESTIONS; i++)
    assert_int_equal(thirl_natcheck_ask_add(&ask, 0, &q), i);
  assert_int_equal(thirl_natcheck_ask_add(&ask, 0, &q), THIRL_NATCHECK_ASK_QUESTIONS);
  for (unsigned i = 1; i < THIRL_NATCHECK_ASK_SOCKETS; i++)
    assert_int_equal(thirl_natcheck_ask_open(&ask, 0), i);
  assert_int_equal(thirl_natcheck_ask_open(&ask, 0), THIRL_NATCHECK_ASK_SOCKETS);
  thirl_natcheck_ask_clear(&ask);
  q.from = THIRL_NATCHECK_ASK_SOCKETS;
  (void)thirl_natcheck_ask_add(&ask, 0, &q);
  thirl_net_action a;
  while (thirl_natcheck_ask_poll(&ask, 0, &a))
    assert_int_equal(a.verb, THIRL_NET_BIND_UDP);
  assert_true(thirl_natcheck_ask_is_idle(&ask));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(asked_until_it_answers, setup),
      cmocka_unit_test_setup(given_up_after_the_last_try, setup),
      cmocka_unit_test_setup(counted_answers_and_doubles, setup),
      cmocka_unit_test_setup(answers_that_do_not_count, setup),
      cmocka_unit_test_setup(a_socket_that_breaks_ends_its_questions, setup),
      cmocka_unit_test_setup(there_is_a_limit, setup),
  };
  return cmocka_run_group_tests_name("natcheck/ask", tests, NULL, NULL);
}
