/* SPDX-License-Identifier: MIT */
/* The client asks for peers and is asked for: CONNECT, OFFER, GO. */
#include "meet/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes_of.h"
#include "rig.h"
#include "stun/writer.h"

enum { CHANNEL = 0x4001 };

static thirl_meet_client_stats stats(const rig *r) {
  return thirl_meet_client_stats_of(r->client);
}

/* Registered, and one CONNECT of session 1 has been heard. */
static const rig_heard *dialed(rig *r) {
  thirl_meet_client_lost(r->client);
  rig_until_registered(r);
  assert_int_equal(rig_dial(r, 1), THIRL_OK);
  assert_int_equal(rig_hear(r), 1);
  return &r->heard[0];
}

static thirl_meet_message go(const rig_heard *to, uint16_t channel) {
  thirl_meet_message m = rig_answer(to, THIRL_STUN_SUCCESS);
  rig_put_go(&m, channel);
  return m;
}

static void expect_session(const uint8_t *got, uint8_t session) {
  uint8_t id[THIRL_MEET_SESSION_ID_LEN];
  memset(id, session, sizeof id);
  assert_memory_equal(got, id, sizeof id);
}

static void expect_connected(rig *r, uint8_t session, uint16_t channel) {
  thirl_meet_event ev;
  thirl_meet_ticket t = rig_ticket();
  rig_expect(r, THIRL_MEET_CONNECTED, &ev);
  expect_session(ev.session, session);
  assert_true(thirl_peerid_equal(&ev.peer, &t.peer));
  assert_int_equal(ev.channel, channel);
}

static void expect_not_connected(rig *r, uint8_t session, thirl_error e) {
  thirl_meet_event ev;
  rig_expect(r, THIRL_MEET_NOT_CONNECTED, &ev);
  expect_session(ev.session, session);
  assert_string_equal(thirl_error_name(ev.error), thirl_error_name(e));
}

static void expect_end(const rig_heard *h, uint16_t channel, thirl_error reason) {
  assert_int_equal(h->m.cls, THIRL_STUN_INDICATION);
  assert_int_equal(h->m.method, THIRL_STUN_METHOD_THIRL_CHANNEL);
  assert_int_equal(h->m.channel, channel);
  assert_true(h->m.has_reason && !h->m.has_credit);
  assert_int_equal(h->m.reason, reason);
}

/* ---- the good case ---- */

static void test_connect_says_what_is_needed(void **state) {
  rig *r = *state;
  const thirl_meet_message *m = &dialed(r)->m;
  thirl_meet_ticket t = rig_ticket();
  uint8_t proof[THIRL_MEET_PROOF_LEN], mac[THIRL_MEET_MAC_LEN], offer[THIRL_MEET_OFFER_MAX];
  size_t n;
  assert_int_equal(thirl_meet_offer_encode(rig_offer(), offer, sizeof offer, &n), THIRL_OK);
  assert_int_equal(thirl_meet_ticket_proof(&t, proof), THIRL_OK);
  assert_int_equal(m->method, THIRL_STUN_METHOD_THIRL_CONNECT);
  assert_true(m->has_peer && m->has_session && m->has_proof && m->has_offer && m->has_offer_mac && m->has_rtt);
  assert_true(thirl_peerid_equal(&m->peer, &t.peer));
  expect_session(m->session, 1);
  assert_memory_equal(m->proof, proof, sizeof proof);
  assert_true(thirl_bytes_equal(m->offer, THIRL_BYTES(offer, n)));
  assert_int_equal(thirl_meet_ticket_mac(&t, &r->id, THIRL_BYTES(m->session, 16), m->offer, mac), THIRL_OK);
  assert_memory_equal(m->offer_mac, mac, sizeof mac);
  assert_int_equal(m->rtt_us, RIG_RTT);
}

static void test_connected(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  rig_say(r, go(dialed(r), CHANNEL));
  r->now += 30 * THIRL_MS;
  rig_expect(r, THIRL_MEET_CONNECTED, &ev);
  expect_session(ev.session, 1);
  assert_int_equal(ev.channel, CHANNEL);
  assert_true(ev.fire_at == r->now + 40 * THIRL_MS);
  assert_true(ev.rtt == 30 * THIRL_MS);
  assert_memory_equal(&ev.offer, rig_offer(), sizeof ev.offer);
  assert_int_equal(thirl_meet_client_channel_credit(r->client, CHANNEL), 1000);
  rig_expect_no_event(r);
  assert_int_equal(rig_hear(r), 0);
}

static void test_offered(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  uint8_t offer[THIRL_MEET_OFFER_MAX];
  size_t n;
  rig_until_registered(r);
  thirl_meet_message m = rig_offered(CHANNEL);
  rig_say(r, m);
  rig_expect(r, THIRL_MEET_OFFERED, &ev);
  assert_int_equal(thirl_meet_offer_encode(rig_offer(), offer, sizeof offer, &n), THIRL_OK);
  assert_true(thirl_peerid_equal(&ev.peer, &m.peer));
  assert_memory_equal(ev.session, m.session, sizeof m.session);
  assert_memory_equal(ev.offer_mac, m.offer_mac, sizeof m.offer_mac);
  assert_memory_equal(&ev.offer, rig_offer(), sizeof ev.offer);
  assert_true(thirl_bytes_equal(ev.offer_bytes, THIRL_BYTES(offer, n)));
  assert_int_equal(ev.channel, CHANNEL);
  assert_true(ev.fire_at == r->now + 40 * THIRL_MS);
  assert_int_equal(thirl_meet_client_channel_credit(r->client, CHANNEL), 1000);
  rig_expect_no_event(r);
  assert_int_equal(rig_hear(r), 0);
}

static void test_all_of_it_byte_by_byte(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  r->chunk = 1;
  const rig_heard *h = dialed(r);
  rig_say(r, go(h, CHANNEL));
  rig_say_data(r, CHANNEL, "abcde");
  rig_say(r, rig_offered(CHANNEL + 1));
  rig_say_data(r, CHANNEL + 1, "f");
  expect_connected(r, 1, CHANNEL);
  rig_expect(r, THIRL_MEET_CHANNEL_DATA, &ev);
  assert_true(thirl_bytes_equal(ev.payload, THIRL_BYTES("abcde", 5)));
  rig_expect(r, THIRL_MEET_OFFERED, &ev);
  assert_memory_equal(&ev.offer, rig_offer(), sizeof ev.offer);
  rig_expect(r, THIRL_MEET_CHANNEL_DATA, &ev);
  assert_int_equal(ev.channel, CHANNEL + 1);
  assert_true(thirl_bytes_equal(ev.payload, THIRL_BYTES("f", 1)));
  rig_expect_no_event(r);
}

/* ---- before the registration is answered ---- */

static void test_connect_goes_right_behind_register(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  assert_int_equal(thirl_meet_client_connected(r->client, r->now), THIRL_OK);
  assert_int_equal(rig_dial(r, 1), THIRL_OK);
  assert_int_equal(rig_dial(r, 2), THIRL_OK);
  assert_int_equal(rig_hear(r), 1); /* there are no keys yet */
  rig_say(r, rig_challenge(r, &r->heard[0], 401));
  r->now += RIG_RTT;
  rig_expect_no_event(r);
  assert_int_equal(rig_dial(r, 3), THIRL_OK);
  assert_int_equal(rig_hear(r), 4);
  assert_int_equal(r->heard[0].m.method, THIRL_STUN_METHOD_THIRL_REGISTER);
  for (uint8_t i = 1; i <= 3; i++) {
    assert_int_equal(r->heard[i].m.method, THIRL_STUN_METHOD_THIRL_CONNECT);
    assert_int_equal(r->heard[i].m.rtt_us, RIG_RTT);
    expect_session(r->heard[i].m.session, i);
  }
  rig_say(r, rig_registered(&r->heard[0]));
  rig_say(r, go(&r->heard[1], CHANNEL));
  rig_say(r, rig_error(&r->heard[2], 404));
  rig_say(r, go(&r->heard[3], CHANNEL + 1));
  rig_expect(r, THIRL_MEET_REGISTERED, &ev);
  expect_connected(r, 1, CHANNEL);
  expect_not_connected(r, 2, THIRL_E_NO_PEER);
  expect_connected(r, 3, CHANNEL + 1);
  assert_int_equal(stats(r).sent, 5);
}

/* After 438 the CONNECTs go out again under the new keys, and what answers the old ones is a stranger's. */
static void test_connect_is_repeated_after_a_stale_nonce(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  assert_int_equal(thirl_meet_client_connected(r->client, r->now), THIRL_OK);
  assert_int_equal(rig_dial(r, 1), THIRL_OK);
  assert_int_equal(rig_hear(r), 1);
  rig_say(r, rig_challenge(r, &r->heard[0], 401));
  rig_expect_no_event(r);
  assert_int_equal(rig_hear(r), 2);
  thirl_meet_message stale = rig_challenge(r, &r->heard[0], 438), refused = rig_error(&r->heard[1], 401);
  rig_say_plain(r, &stale);
  rig_say_plain(r, &refused);
  rig_expect_no_event(r);
  assert_int_equal(stats(r).stray, 1);
  assert_int_equal(rig_hear(r), 2);
  expect_session(r->heard[1].m.session, 1);
  assert_memory_not_equal(r->heard[1].m.tid, refused.tid, sizeof refused.tid);
  rig_say(r, rig_registered(&r->heard[0]));
  rig_say(r, go(&r->heard[1], CHANNEL));
  rig_expect(r, THIRL_MEET_REGISTERED, &ev);
  expect_connected(r, 1, CHANNEL);
}

static void test_connect_answered_before_register(void **state) {
  rig *r = *state;
  rig_until_signed(r);
  assert_int_equal(rig_dial(r, 1), THIRL_OK);
  assert_int_equal(rig_hear(r), 1);
  rig_say(r, go(&r->heard[0], CHANNEL));
  rig_expect_failed(r, THIRL_E_PROTOCOL);
}

static void test_connect_needs_a_connection(void **state) {
  rig *r = *state;
  assert_int_equal(rig_dial(r, 1), THIRL_E_STATE);
  assert_int_equal(thirl_meet_client_connected(r->client, r->now), THIRL_OK);
  assert_int_equal(rig_hear(r), 1);
  assert_int_equal(rig_dial(r, 1), THIRL_OK);
  rig_say(r, rig_error(&r->heard[0], 500));
  rig_expect_failed(r, THIRL_E_SERVER); /* and no word about the session */
  assert_int_equal(rig_dial(r, 1), THIRL_E_STATE);
  /* what was asked for is forgotten */
  rig_until_registered(r);
  assert_int_equal(rig_hear(r), 0);
}

/* ---- limits ---- */

static void test_as_many_connects_as_allowed(void **state) {
  rig *r = *state;
  thirl_meet_ticket t = rig_ticket();
  thirl_meet_offer bad = *rig_offer();
  uint8_t id[THIRL_MEET_SESSION_ID_LEN] = {99};
  bad.candidates[0].addr.family = 0;
  rig_until_registered(r);
  for (int i = 0; i < 3; i++) /* what is refused takes no place */
    assert_int_equal(thirl_meet_client_connect(r->client, r->now, &t, id, &bad), THIRL_E_RANGE);
  for (uint8_t i = 0; i < THIRL_MEET_CONNECTS_MAX; i++)
    assert_int_equal(rig_dial(r, i), THIRL_OK);
  assert_int_equal(rig_dial(r, 100), THIRL_E_LIMIT);
  assert_int_equal(rig_hear(r), THIRL_MEET_CONNECTS_MAX);
  rig_say(r, rig_error(&r->heard[7], 404));
  expect_not_connected(r, 7, THIRL_E_NO_PEER);
  assert_int_equal(rig_dial(r, 100), THIRL_OK);
  assert_int_equal(rig_dial(r, 101), THIRL_E_LIMIT);
  assert_int_equal(rig_hear(r), 1);
}

static void test_same_session_twice(void **state) {
  rig *r = *state;
  rig_say(r, rig_error(dialed(r), 404));
  assert_int_equal(rig_dial(r, 1), THIRL_E_INVALID);
  expect_not_connected(r, 1, THIRL_E_NO_PEER);
  assert_int_equal(rig_dial(r, 1), THIRL_OK);
}

/* The queue of control messages has an end: a server that makes us talk and does not read is given up. */
static void test_control_queue_is_bounded(void **state) {
  rig *r = *state;
  thirl_meet_message bad = rig_offered(CHANNEL);
  size_t end_bytes = 20 + 8 + 8 + 12 + 36 + 8, fit = THIRL_MEET_CONTROL_MAX / end_bytes;
  bad.offer.n--; /* malformed: answered with the end of its channel */
  rig_until_registered(r);
  for (size_t i = 0; i < fit; i++) {
    rig_say(r, bad);
    rig_expect_no_event(r);
  }
  assert_int_equal(stats(r).malformed, fit);
  assert_int_equal(rig_dial(r, 1), THIRL_E_LIMIT);
  assert_int_equal(thirl_meet_client_state_of(r->client), THIRL_MEET_CLIENT_REGISTERED);
  rig_say(r, bad);
  rig_expect_failed(r, THIRL_E_LIMIT);
}

static void test_channels_are_bounded(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  const rig_heard *h = dialed(r);
  for (uint16_t i = 0; i < THIRL_MEET_CHANNELS_MAX; i++) {
    rig_say(r, rig_offered((uint16_t)(0x4100 + i)));
    rig_expect(r, THIRL_MEET_OFFERED, &ev);
  }
  rig_say(r, rig_offered(CHANNEL + 1));
  rig_say(r, go(h, CHANNEL));
  expect_not_connected(r, 1, THIRL_E_LIMIT);
  assert_int_equal(rig_hear(r), 2);
  expect_end(&r->heard[0], CHANNEL + 1, THIRL_E_LIMIT);
  expect_end(&r->heard[1], CHANNEL, THIRL_E_LIMIT);
  for (uint16_t i = 0; i < THIRL_MEET_CHANNELS_MAX; i++)
    assert_int_equal(thirl_meet_client_channel_credit(r->client, (uint16_t)(0x4100 + i)), 1000);
  assert_int_equal(thirl_meet_client_channel_credit(r->client, CHANNEL), 0);
  /* one ends, one comes */
  thirl_meet_client_end_channel(r->client, r->now, 0x4100, THIRL_E_PEER_CLOSED);
  rig_say(r, rig_offered(CHANNEL));
  rig_expect(r, THIRL_MEET_OFFERED, &ev);
}

/* ---- refusals ---- */

static void test_refusals(void **state) {
  rig *r = *state;
  static const struct {
    unsigned code;
    thirl_error e;
  } all[] = {{404, THIRL_E_NO_PEER}, {429, THIRL_E_LIMIT},  {486, THIRL_E_LIMIT},  {508, THIRL_E_LIMIT},
             {300, THIRL_E_SERVER},  {400, THIRL_E_SERVER}, {401, THIRL_E_SERVER}, {403, THIRL_E_SERVER},
             {438, THIRL_E_SERVER},  {500, THIRL_E_SERVER}, {699, THIRL_E_SERVER}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    rig_say(r, rig_error(dialed(r), all[i].code));
    expect_not_connected(r, 1, all[i].e);
    rig_expect_no_event(r);
    assert_int_equal(thirl_meet_client_state_of(r->client), THIRL_MEET_CLIENT_REGISTERED);
    assert_int_equal(rig_hear(r), 0);
  }
}

static void test_answers_out_of_order(void **state) {
  rig *r = *state;
  rig_until_registered(r);
  for (uint8_t i = 0; i < 3; i++)
    assert_int_equal(rig_dial(r, i), THIRL_OK);
  assert_int_equal(rig_hear(r), 3);
  rig_say(r, go(&r->heard[2], CHANNEL));
  rig_say(r, rig_error(&r->heard[0], 404));
  rig_say(r, go(&r->heard[1], CHANNEL + 1));
  expect_connected(r, 2, CHANNEL);
  expect_not_connected(r, 0, THIRL_E_NO_PEER);
  expect_connected(r, 1, CHANNEL + 1);
}

static void test_duplicated_and_late_answers(void **state) {
  rig *r = *state;
  const rig_heard *h = dialed(r);
  thirl_meet_message m = go(h, CHANNEL), no = rig_error(h, 404);
  rig_say(r, m);
  rig_say_with(r, m, 2, r->keys.to_client); /* the very same bytes */
  rig_say(r, m);
  rig_say(r, no);
  expect_connected(r, 1, CHANNEL);
  rig_expect_no_event(r);
  assert_int_equal(stats(r).stray, 3);
  assert_int_equal(thirl_meet_client_channel_credit(r->client, CHANNEL), 1000);
}

static void test_answer_with_a_wrong_mac(void **state) {
  rig *r = *state;
  const rig_heard *h = dialed(r);
  rig_say_with(r, go(h, CHANNEL), 9, r->keys.to_server);
  rig_expect_failed(r, THIRL_E_INTEGRITY);
  assert_int_equal(thirl_meet_client_channel_credit(r->client, CHANNEL), 0);

  thirl_meet_message m = go(dialed(r), CHANNEL);
  rig_say_plain(r, &m);
  rig_expect_failed(r, THIRL_E_INTEGRITY);

  m = rig_error(dialed(r), 404);
  rig_say_plain(r, &m);
  rig_expect_failed(r, THIRL_E_INTEGRITY);
}

static void test_answer_with_an_old_counter(void **state) {
  rig *r = *state;
  rig_say_with(r, go(dialed(r), CHANNEL), 1, r->keys.to_client);
  rig_expect_failed(r, THIRL_E_REPLAY);
}

static void test_counters_may_jump(void **state) {
  rig *r = *state;
  const rig_heard *h = dialed(r);
  rig_say_with(r, go(h, CHANNEL), UINT64_MAX - 1, r->keys.to_client);
  expect_connected(r, 1, CHANNEL);
  rig_say_with(r, rig_offered(CHANNEL + 1), UINT64_MAX, r->keys.to_client);
  thirl_meet_event ev;
  rig_expect(r, THIRL_MEET_OFFERED, &ev);
}

static void test_success_that_makes_no_sense(void **state) {
  rig *r = *state;
  for (int i = 0; i < 6; i++) {
    const rig_heard *h = dialed(r);
    thirl_meet_message m = go(h, CHANNEL);
    if (i == 0) m.offer.n--;
    if (i == 1) m.has_offer = false;
    if (i == 2) m.has_fire_in = false;
    if (i == 3) m.has_credit = false;
    if (i == 4) m.has_channel = false;
    if (i == 5) m.offer.n = 0;
    rig_say(r, m);
    expect_not_connected(r, 1, THIRL_E_PROTOCOL);
    rig_expect_no_event(r);
    assert_int_equal(thirl_meet_client_channel_credit(r->client, CHANNEL), 0);
    assert_int_equal(rig_hear(r), i == 4 ? 0 : 1);
    if (i != 4) expect_end(&r->heard[0], CHANNEL, THIRL_E_PROTOCOL);
  }
}

/* Authentic, but an attribute has an impossible value: the rig cannot encode that, so the message is made here. */
static void test_success_that_cannot_be_read(void **state) {
  rig *r = *state;
  uint8_t bytes[256];
  thirl_stun_writer w;
  thirl_bytes done;
  const rig_heard *h = dialed(r);
  thirl_stun_writer_init(&w, bytes, sizeof bytes, THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_THIRL_CONNECT, h->m.tid);
  thirl_stun_writer_u32(&w, THIRL_STUN_ATTR_CHANNEL_NUMBER, 1);
  thirl_stun_writer_u64(&w, THIRL_STUN_ATTR_THIRL_COUNTER, 9);
  thirl_stun_writer_integrity256(&w, THIRL_BYTES(r->keys.to_client, sizeof r->keys.to_client));
  assert_int_equal(thirl_stun_writer_finish(&w, &done), THIRL_OK);
  rig_say_bytes(r, done.p, done.n);
  expect_not_connected(r, 1, THIRL_E_PROTOCOL);
  rig_expect_no_event(r);
  assert_int_equal(rig_hear(r), 0);
}

static void test_channel_given_twice(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  for (int i = 0; i < 2; i++) {
    rig_until_channel(r, CHANNEL);
    thirl_meet_message m = rig_offered(CHANNEL);
    m.has_peer = i == 0;
    rig_say(r, m);
    rig_expect_failed(r, THIRL_E_PROTOCOL);
  }
  const rig_heard *h = dialed(r);
  rig_say(r, rig_offered(CHANNEL));
  rig_expect(r, THIRL_MEET_OFFERED, &ev);
  rig_say(r, go(h, CHANNEL));
  rig_expect_failed(r, THIRL_E_PROTOCOL);
}

/* ---- time ---- */

static void test_the_oldest_request_times_out(void **state) {
  rig *r = *state;
  rig_until_registered(r);
  thirl_time first = r->now;
  assert_int_equal(rig_dial(r, 1), THIRL_OK);
  r->now += THIRL_S;
  assert_int_equal(rig_dial(r, 2), THIRL_OK);
  assert_int_equal(rig_hear(r), 2);
  assert_true(thirl_meet_client_deadline(r->client) == first + RIG_TIMEOUT);
  rig_say(r, rig_error(&r->heard[0], 404));
  expect_not_connected(r, 1, THIRL_E_NO_PEER);
  assert_true(thirl_meet_client_deadline(r->client) == r->now + RIG_TIMEOUT);
  r->now += RIG_TIMEOUT;
  thirl_meet_client_tick(r->client, r->now);
  rig_expect_failed(r, THIRL_E_TIMEOUT);
}

/* One that waits for the keys does not time out by itself. */
static void test_waiting_connects_have_no_deadline(void **state) {
  rig *r = *state;
  assert_int_equal(thirl_meet_client_connected(r->client, r->now), THIRL_OK);
  thirl_time deadline = thirl_meet_client_deadline(r->client);
  r->now += THIRL_S;
  assert_int_equal(rig_dial(r, 1), THIRL_OK);
  assert_true(thirl_meet_client_deadline(r->client) == deadline);
}

/* ---- OFFERs that are none ---- */

static void test_offers_from_strangers(void **state) {
  rig *r = *state;
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX];
  size_t n;
  rig_until_registered(r);
  thirl_meet_message m = rig_offered(CHANNEL);
  rig_say_plain(r, &m);
  rig_say_with(r, m, 9, r->keys.to_server);
  m.has_counter = true;
  m.counter = 9;
  assert_int_equal(thirl_meet_message_encode(&m, r->keys.to_client, bytes, sizeof bytes, &n), THIRL_OK);
  bytes[n - 9] ^= 1; /* the last bit of the MAC; and no fingerprint, which would not fit */
  thirl_bytes_put_u16(bytes + 2, (uint16_t)(n - 20 - 8));
  rig_say_bytes(r, bytes, n - 8);
  rig_expect_no_event(r);
  assert_int_equal(stats(r).unauthenticated, 3);
  assert_int_equal(rig_hear(r), 0);
  assert_int_equal(thirl_meet_client_channel_credit(r->client, CHANNEL), 0);
}

static void test_offer_before_the_registration(void **state) {
  rig *r = *state;
  rig_until_signed(r);
  rig_say(r, rig_offered(CHANNEL));
  rig_expect_no_event(r);
  assert_int_equal(stats(r).unauthenticated, 1);
}

static void test_replayed_offer(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  rig_until_registered(r);
  rig_say(r, rig_offered(CHANNEL));
  rig_expect(r, THIRL_MEET_OFFERED, &ev);
  rig_say_with(r, rig_offered(CHANNEL), r->sent, r->keys.to_client);
  rig_expect_failed(r, THIRL_E_REPLAY);
}

static void test_offers_that_make_no_sense(void **state) {
  rig *r = *state;
  rig_until_registered(r);
  for (unsigned i = 0; i < 9; i++) {
    thirl_meet_message m = rig_offered(CHANNEL);
    if (i == 0) m.offer.n--;
    if (i == 1) m.has_offer = false;
    if (i == 2) m.has_fire_in = false;
    if (i == 3) m.has_credit = false;
    if (i == 4) m.has_channel = false;
    if (i == 5) m.has_peer = false;
    if (i == 6) m.has_session = false;
    if (i == 7) m.has_offer_mac = false;
    if (i == 8) m.has_peer = m.has_channel = false;
    rig_say(r, m);
    rig_expect_no_event(r);
    assert_int_equal(stats(r).malformed, i + 1);
    assert_int_equal(thirl_meet_client_channel_credit(r->client, CHANNEL), 0);
    bool has_end = i != 4 && i != 8;
    assert_int_equal(rig_hear(r), has_end);
    if (has_end) expect_end(&r->heard[0], CHANNEL, THIRL_E_PROTOCOL);
  }
}

/* Authentic, but with an attribute that has to be understood and is not. */
static void test_offer_from_a_later_server(void **state) {
  rig *r = *state;
  uint8_t bytes[256], tid[THIRL_STUN_TID_LEN] = {1};
  thirl_stun_writer w;
  thirl_bytes done;
  rig_until_registered(r);
  thirl_stun_writer_init(&w, bytes, sizeof bytes, THIRL_STUN_INDICATION, THIRL_STUN_METHOD_THIRL_DRAIN, tid);
  thirl_stun_writer_u64(&w, THIRL_STUN_ATTR_THIRL_COUNTER, 9);
  thirl_stun_writer_u32(&w, 0x7eff, 1);
  thirl_stun_writer_integrity256(&w, THIRL_BYTES(r->keys.to_client, sizeof r->keys.to_client));
  assert_int_equal(thirl_stun_writer_finish(&w, &done), THIRL_OK);
  rig_say_bytes(r, done.p, done.n);
  rig_expect_no_event(r);
  assert_int_equal(stats(r).malformed, 1);
  assert_int_equal(thirl_meet_client_state_of(r->client), THIRL_MEET_CLIENT_REGISTERED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_connect_says_what_is_needed),
      TEST(test_connected),
      TEST(test_offered),
      TEST(test_all_of_it_byte_by_byte),
      TEST(test_connect_goes_right_behind_register),
      TEST(test_connect_is_repeated_after_a_stale_nonce),
      TEST(test_connect_answered_before_register),
      TEST(test_connect_needs_a_connection),
      TEST(test_as_many_connects_as_allowed),
      TEST(test_same_session_twice),
      TEST(test_control_queue_is_bounded),
      TEST(test_channels_are_bounded),
      TEST(test_refusals),
      TEST(test_answers_out_of_order),
      TEST(test_duplicated_and_late_answers),
      TEST(test_answer_with_a_wrong_mac),
      TEST(test_answer_with_an_old_counter),
      TEST(test_counters_may_jump),
      TEST(test_success_that_makes_no_sense),
      TEST(test_success_that_cannot_be_read),
      TEST(test_channel_given_twice),
      TEST(test_the_oldest_request_times_out),
      TEST(test_waiting_connects_have_no_deadline),
      TEST(test_offers_from_strangers),
      TEST(test_offer_before_the_registration),
      TEST(test_replayed_offer),
      TEST(test_offers_that_make_no_sense),
      TEST(test_offer_from_a_later_server),
  };
  return cmocka_run_group_tests_name("meet/client_connect", tests, NULL, NULL);
}
