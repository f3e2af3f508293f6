/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "support/server_rig.h"

static void update_rtt(rig_client *c, uint32_t rtt_us) {
  thirl_meet_message m = rig_message_of(c, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
  m.has_rtt = true;
  m.rtt_us = rtt_us;
  rig_send_message(c, &m);
  assert_int_equal(rig_next(c)->m.cls, THIRL_STUN_SUCCESS);
}

static void tells_both_everything(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  rig_client *a = rig_peer(r, 1), *b = rig_peer(r, 2);
  uint8_t offer_a[THIRL_MEET_OFFER_MAX], offer_b[THIRL_MEET_OFFER_MAX];
  size_t n_a = rig_offer(a, offer_a), n_b = rig_offer(b, offer_b);
  rig_send_connect(a, &b->peer, 2, 9);
  const rig_message *to_b = rig_next(b), *to_a = rig_next(a);
  assert_int_equal(to_b->m.cls, THIRL_STUN_INDICATION);
  assert_int_equal(to_b->m.method, THIRL_STUN_METHOD_THIRL_OFFER);
  assert_true(to_b->m.has_peer && to_b->m.has_session && to_b->m.has_offer && to_b->m.has_offer_mac);
  assert_true(to_b->m.has_channel && to_b->m.has_fire_in && to_b->m.has_credit && to_b->m.has_counter);
  assert_memory_equal(to_b->m.peer.b, a->peer.b, sizeof a->peer.b);
  for (int i = 0; i < 16; i++)
    assert_int_equal(to_b->m.session[i], 9);
  for (int i = 0; i < 32; i++)
    assert_int_equal(to_b->m.offer_mac[i], 0x77);
  assert_int_equal(to_b->m.offer.n, n_a);
  assert_memory_equal(to_b->m.offer.p, offer_a, n_a);
  assert_int_equal(to_b->m.channel, 0x4000);
  assert_int_equal(to_b->m.credit, 262144);
  assert_int_equal(to_a->m.cls, THIRL_STUN_SUCCESS);
  assert_true(to_a->m.has_offer && to_a->m.has_channel && to_a->m.has_fire_in && to_a->m.has_credit);
  assert_int_equal(to_a->m.offer.n, n_b);
  assert_memory_equal(to_a->m.offer.p, offer_b, n_b);
  assert_int_equal(to_a->m.channel, 0x4000);
  assert_int_equal(to_a->m.credit, 262144);
  assert_int_equal(rig_stats(r)->introduced, 1);
  assert_int_equal(rig_stats(r)->channels, 1);
  assert_null(rig_next(a));
  assert_null(rig_next(b));
  assert_int_equal(a->insurance, 3); /* what repairs a lost GO in a round trip */
  assert_int_equal(b->insurance, 3);
  rig_free(r);
}

/* research/punching 5.3: both fire in the same instant, whatever their distance from the server. */
static void both_fire_at_the_same_instant(void **state) {
  (void)state;
  const struct {
    uint32_t rtt_a, rtt_b, in_a, in_b;
  } cases[] = {
      {20000, 100000, 40000, 0},   {100000, 20000, 0, 40000},      {50000, 50000, 0, 0},
      {0, 30000, 15000, 0},        {9000000, 1000000, 0, 1500000}, /* nobody makes another wait for more than 2 s */
      {UINT32_MAX, 0, 0, 2000000},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    rig *r = rig_new(1, NULL);
    rig_client *a = rig_peer(r, 1), *b = rig_peer(r, 2);
    update_rtt(a, cases[i].rtt_a);
    update_rtt(b, cases[i].rtt_b);
    rig_send_connect(a, &b->peer, 2, 1);
    uint32_t in_a = rig_next(a)->m.fire_in_us, in_b = rig_next(b)->m.fire_in_us;
    assert_int_equal(in_a, cases[i].in_a);
    assert_int_equal(in_b, cases[i].in_b);
    if (i < 4) assert_int_equal(cases[i].rtt_a / 2 + in_a, cases[i].rtt_b / 2 + in_b);
    rig_free(r);
  }
}

/* Nobody has told its round trip: the server goes by the time between its challenge and the answer to it. */
static void measures_the_round_trip_itself(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  rig_client *b = rig_peer(r, 2), *a = rig_connect(r, rig_addr(1));
  rig_take_key(a, 1);
  rig_challenge(a);
  rig_wait(r, 80 * THIRL_MS);
  thirl_meet_message m = rig_registration(a, NULL);
  rig_send_message(a, &m);
  assert_int_equal(rig_next(a)->m.cls, THIRL_STUN_SUCCESS);
  rig_send_connect(a, &b->peer, 2, 1);
  assert_int_equal(rig_next(a)->m.fire_in_us, 0);
  assert_int_equal(rig_next(b)->m.fire_in_us, 40000);
  rig_free(r);
}

/* What is left of an answer when tid, counter, MAC and fingerprint are taken out. */
static size_t bare(const rig_message *m, uint8_t *out) {
  thirl_stun_msg in;
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(m->bytes, m->n), &in), THIRL_OK);
  memcpy(out, m->bytes, m->n);
  memset(out + 8, 0, 12);
  thirl_bytes counter;
  assert_true(thirl_stun_msg_find(&in, THIRL_STUN_ATTR_THIRL_COUNTER, &counter));
  memset(out + (counter.p - m->bytes), 0, counter.n);
  assert_true(in.integrity256_at && in.fingerprint_at);
  memset(out + in.integrity256_at + 4, 0, 32);
  memset(out + in.fingerprint_at + 4, 0, 4);
  return m->n;
}

static void tells_nothing_to_a_stranger(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  rig_client *a = rig_peer(r, 1), *b = rig_peer(r, 2), *gone = rig_peer(r, 3), *bare_peer = rig_connect(r, rig_addr(4));
  rig_take_key(bare_peer, 4); /* registered, has given out a ticket, has no standing offer */
  rig_challenge(bare_peer);
  thirl_meet_message extras = {.has_checks = true, .n_checks = 1};
  rig_check(4, extras.checks[0]);
  thirl_meet_message m = rig_registration(bare_peer, &extras);
  rig_send_message(bare_peer, &m);
  assert_int_equal(rig_next(bare_peer)->m.cls, THIRL_STUN_SUCCESS);
  rig_eof(gone);
  thirl_peerid unknown = b->peer;
  unknown.b[19] ^= 1;
  const struct {
    const thirl_peerid *peer;
    uint64_t ticket;
  } cases[] = {{&unknown, 2}, {&gone->peer, 3}, {&b->peer, 3}, {&bare_peer->peer, 4}, {&a->peer, 1}};
  uint8_t first[THIRL_MEET_MESSAGE_MAX], other[THIRL_MEET_MESSAGE_MAX];
  size_t first_n = 0;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    rig_send_connect(a, cases[i].peer, cases[i].ticket, 1);
    const rig_message *answer = rig_next(a);
    assert_int_equal(answer->m.error_code, 404);
    if (i == 0) {
      first_n = bare(answer, first);
      continue;
    }
    assert_int_equal(bare(answer, other), first_n);
    assert_memory_equal(other, first, first_n);
  }
  assert_int_equal(rig_stats(r)->not_found, 5);
  assert_int_equal(rig_stats(r)->introduced, 0);
  assert_int_equal(rig_stats(r)->channels, 0);
  assert_null(rig_next(b));
  assert_null(rig_next(bare_peer));
  rig_free(r);
}

static void refuses_incomplete_or_harmful_requests(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  rig_client *a = rig_peer(r, 1), *b = rig_peer(r, 2), *elsewhere = rig_connect(r, rig_addr(3));
  uint8_t offer[THIRL_MEET_OFFER_MAX];
  for (int i = 0; i < 8; i++) {
    thirl_meet_message m = rig_message_of(a, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_CONNECT);
    m.has_peer = i != 0;
    m.has_session = i != 1;
    m.has_proof = i != 2;
    m.has_offer = i != 3;
    m.has_offer_mac = i != 4;
    m.peer = b->peer;
    rig_proof(2, m.proof);
    m.offer = THIRL_BYTES(offer, rig_offer(i == 5 ? elsewhere : a, offer)); /* 5: an srflx of somebody else */
    if (i == 6) m.offer.n--;
    rig_send_message(a, &m);
    assert_int_equal(rig_next(a)->m.error_code, i == 7 ? 0 : 400);
  }
  assert_int_equal(rig_stats(r)->refused, 7);
  assert_int_equal(rig_stats(r)->introduced, 1);
  rig_free(r);
}

static void limits_connects_per_minute(void **state) {
  (void)state;
  rig *r = rig_new(1, &(thirl_server_limits){.connects_per_minute = 10});
  rig_client *a = rig_peer(r, 1), *b = rig_peer(r, 2);
  for (uint8_t i = 0; i < 12; i++) {
    rig_send_connect(a, &b->peer, 99, i);
    assert_int_equal(rig_next(a)->m.error_code, i < 10 ? 404 : 429);
  }
  rig_send_connect(b, &a->peer, 1, 1); /* the other has its own budget */
  assert_int_equal(rig_next(b)->m.cls, THIRL_STUN_SUCCESS);
  assert_non_null(rig_next(a));
  rig_wait(r, 6 * THIRL_S);
  for (uint8_t i = 0; i < 2; i++) {
    rig_send_connect(a, &b->peer, 99, i);
    assert_int_equal(rig_next(a)->m.error_code, i == 0 ? 404 : 429);
  }
  assert_int_equal(rig_stats(r)->limited, 3);
  rig_free(r);
}

static void limits_channels(void **state) {
  (void)state;
  rig *r = rig_new(1, &(thirl_server_limits){.max_channels_per_peer = 2, .max_channels = 3});
  rig_client *a = rig_peer(r, 1), *b = rig_peer(r, 2), *c = rig_peer(r, 3), *d = rig_peer(r, 4);
  uint16_t x, y;
  rig_join(a, b, 2, 1, &x, &y);
  rig_join(a, b, 2, 2, &x, &y);
  rig_send_connect(a, &c->peer, 3, 3); /* a has two */
  assert_int_equal(rig_next(a)->m.error_code, 508);
  rig_send_connect(c, &b->peer, 2, 3); /* b has two */
  assert_int_equal(rig_next(c)->m.error_code, 508);
  rig_join(c, d, 4, 1, &x, &y);
  rig_send_connect(d, &c->peer, 3, 2); /* three in all */
  assert_int_equal(rig_next(d)->m.error_code, 508);
  assert_int_equal(rig_stats(r)->channels, 3);
  assert_int_equal(rig_stats(r)->limited, 3);
  assert_null(rig_next(b));
  rig_free(r);
}

static void a_new_connect_of_a_session_takes_the_place_of_the_old(void **state) {
  (void)state;
  rig *r = rig_new(1, &(thirl_server_limits){.max_channels = 1});
  rig_client *a = rig_peer(r, 1), *b = rig_peer(r, 2);
  uint16_t x, y;
  rig_join(a, b, 2, 5, &x, &y);
  assert_int_equal(x, 0x4000);
  rig_send_connect(a, &b->peer, 2, 5);
  const rig_message *m = rig_next(a);
  assert_int_equal(m->m.method, THIRL_STUN_METHOD_THIRL_CHANNEL);
  assert_int_equal(m->m.channel, 0x4000);
  assert_int_equal(m->m.reason, THIRL_E_RESET);
  m = rig_next(a);
  assert_int_equal(m->m.cls, THIRL_STUN_SUCCESS);
  assert_int_equal(m->m.channel, 0x4001);
  m = rig_next(b);
  assert_int_equal(m->m.method, THIRL_STUN_METHOD_THIRL_CHANNEL);
  assert_int_equal(m->m.reason, THIRL_E_RESET);
  m = rig_next(b);
  assert_int_equal(m->m.method, THIRL_STUN_METHOD_THIRL_OFFER);
  assert_int_equal(m->m.channel, 0x4001);
  assert_int_equal(rig_stats(r)->sessions, 1);
  rig_send_connect(b, &a->peer, 1, 5); /* from the other side too */
  assert_int_equal(rig_next(b)->m.reason, THIRL_E_RESET);
  assert_int_equal(rig_next(b)->m.channel, 0x4002);
  assert_int_equal(rig_stats(r)->channels, 1);
  rig_free(r);
}

static void a_number_comes_again_only_after_all_others(void **state) {
  (void)state;
  rig *r = rig_new(1, &(thirl_server_limits){.connects_per_minute = 100000});
  r->audit = false;
  rig_client *a = rig_peer(r, 1), *b = rig_peer(r, 2);
  uint16_t x, y, kept_x, kept_y;
  rig_join(a, b, 2, 200, &kept_x, &kept_y); /* stays, and is passed over in the second round */
  for (unsigned i = 1; i < 0x1000 + 3; i++) {
    rig_join(a, b, 2, 1, &x, &y);
    unsigned want = 0x4000 + (i < 0x1000 ? i : i - 0x1000 + 1);
    assert_int_equal(x, want);
    assert_int_equal(y, want);
    thirl_meet_message m = rig_message_of(a, THIRL_STUN_INDICATION, THIRL_STUN_METHOD_THIRL_CHANNEL);
    m.has_channel = m.has_reason = true;
    m.channel = x;
    rig_send_message(a, &m);
    assert_int_equal(rig_next(b)->m.channel, y);
  }
  assert_int_equal(rig_stats(r)->channels, 1);
  rig_free(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tells_both_everything),
      cmocka_unit_test(both_fire_at_the_same_instant),
      cmocka_unit_test(measures_the_round_trip_itself),
      cmocka_unit_test(tells_nothing_to_a_stranger),
      cmocka_unit_test(refuses_incomplete_or_harmful_requests),
      cmocka_unit_test(limits_connects_per_minute),
      cmocka_unit_test(limits_channels),
      cmocka_unit_test(a_new_connect_of_a_session_takes_the_place_of_the_old),
      cmocka_unit_test(a_number_comes_again_only_after_all_others),
  };
  return cmocka_run_group_tests_name("server/introduce", tests, NULL, NULL);
}
