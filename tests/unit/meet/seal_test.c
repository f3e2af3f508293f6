/* SPDX-License-Identifier: MIT */
/* The protection of messages: keys by direction, counters that grow. */
#include "meet/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bytes_of.h"

typedef struct pair {
  thirl_meet_seal client, server;
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX];
  size_t n;
} pair;

static pair two_ends(void) {
  pair p;
  thirl_meet_keys k;
  bytes_ramp(&k, sizeof k, 1);
  memset(&p, 0, sizeof p);
  thirl_meet_seal_init(&p.client, k.to_server, k.to_client);
  thirl_meet_seal_init(&p.server, k.to_client, k.to_server);
  return p;
}

static void encode(pair *p, thirl_meet_seal *from, uint64_t expected_counter) {
  thirl_meet_message m = {.cls = THIRL_STUN_INDICATION, .method = THIRL_STUN_METHOD_THIRL_DRAIN};
  assert_int_equal(thirl_meet_seal_encode(from, &m, p->bytes, sizeof p->bytes, &p->n), THIRL_OK);
  assert_true(m.has_counter && m.counter == expected_counter);
}

static thirl_error open_at(pair *p, thirl_meet_seal *at, thirl_meet_message *m) {
  thirl_stun_msg in;
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(p->bytes, p->n), &in), THIRL_OK);
  return thirl_meet_seal_open(at, &in, m);
}

static void test_both_directions(void **state) {
  (void)state;
  pair p = two_ends();
  thirl_meet_message m;
  for (uint64_t i = 1; i <= 3; i++) {
    encode(&p, &p.client, i);
    assert_int_equal(open_at(&p, &p.server, &m), THIRL_OK);
    assert_true(m.counter == i);
    encode(&p, &p.server, i);
    assert_int_equal(open_at(&p, &p.client, &m), THIRL_OK);
    assert_true(m.counter == i);
  }
}

static void test_own_words_do_not_come_back(void **state) {
  (void)state;
  pair p = two_ends();
  thirl_meet_message m;
  encode(&p, &p.client, 1);
  assert_int_equal(open_at(&p, &p.client, &m), THIRL_E_INTEGRITY);
}

static void test_replay(void **state) {
  (void)state;
  static const thirl_meet_message zero;
  pair p = two_ends();
  thirl_meet_message m;
  encode(&p, &p.client, 1);
  pair old = p;
  assert_int_equal(open_at(&p, &p.server, &m), THIRL_OK);
  assert_int_equal(open_at(&p, &p.server, &m), THIRL_E_REPLAY);
  assert_memory_equal(&m, &zero, sizeof m);
  encode(&p, &p.client, 2);
  encode(&p, &p.client, 3); /* 2 is lost */
  assert_int_equal(open_at(&p, &p.server, &m), THIRL_OK);
  assert_int_equal(open_at(&old, &p.server, &m), THIRL_E_REPLAY);
}

/* A message that fails its check moves no counter. */
static void test_forgery_does_not_lock_out(void **state) {
  (void)state;
  pair p = two_ends(), forger = two_ends();
  thirl_meet_message m;
  forger.client.out_key[0] ^= 1;
  forger.client.sent = 1000;
  encode(&forger, &forger.client, 1001);
  assert_int_equal(open_at(&forger, &p.server, &m), THIRL_E_INTEGRITY);
  encode(&p, &p.client, 1);
  assert_int_equal(open_at(&p, &p.server, &m), THIRL_OK);
}

static void test_no_keys(void **state) {
  (void)state;
  pair p = two_ends();
  thirl_meet_message m = {.cls = THIRL_STUN_INDICATION, .method = THIRL_STUN_METHOD_THIRL_DRAIN};
  thirl_meet_seal none = {0};
  size_t n = 9;
  assert_int_equal(thirl_meet_seal_encode(&none, &m, p.bytes, sizeof p.bytes, &n), THIRL_E_STATE);
  assert_int_equal(n, 0);
  assert_int_equal(thirl_meet_message_encode(&m, none.out_key, p.bytes, sizeof p.bytes, &p.n), THIRL_OK);
  assert_int_equal(open_at(&p, &none, &m), THIRL_E_INTEGRITY); /* although the key of all zeroes fits */
  thirl_meet_seal_fini(&p.client);
  assert_memory_equal(&p.client, &none, sizeof none);
}

static void test_failed_encode_takes_no_number(void **state) {
  (void)state;
  pair p = two_ends();
  thirl_meet_message m = {.cls = THIRL_STUN_ERROR, .method = THIRL_STUN_METHOD_THIRL_DRAIN}; /* no code */
  assert_int_equal(thirl_meet_seal_encode(&p.client, &m, p.bytes, sizeof p.bytes, &p.n), THIRL_E_RANGE);
  encode(&p, &p.client, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_both_directions), cmocka_unit_test(test_own_words_do_not_come_back),
      cmocka_unit_test(test_replay),          cmocka_unit_test(test_forgery_does_not_lock_out),
      cmocka_unit_test(test_no_keys),         cmocka_unit_test(test_failed_encode_takes_no_number),
  };
  return cmocka_run_group_tests_name("meet/seal", tests, NULL, NULL);
}
