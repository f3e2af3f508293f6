/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes_of.h"
#include "stun/integrity.h"
#include "stun/stream.h"

/* ---- what there is ---- */

static thirl_p256 *key_of(unsigned first) {
  uint8_t scalar[THIRL_P256_PRIVATE_LEN];
  thirl_p256 *k;
  bytes_ramp(scalar, sizeof scalar, first);
  assert_int_equal(thirl_p256_from_private(scalar, &k), THIRL_OK);
  return k;
}

int rig_setup(void **state) {
  uint8_t point[THIRL_P256_PUBLIC_LEN];
  rig *r = calloc(1, sizeof *r);
  assert_non_null(r);
  r->now = 1000 * THIRL_S;
  r->client_key = key_of(0x01);
  r->server_key = key_of(0x21);
  thirl_p256_get_public(r->server_key, r->server_point);
  thirl_p256_get_public(r->client_key, point);
  assert_int_equal(thirl_peerid_of_public(THIRL_BYTES(point, sizeof point), &r->id), THIRL_OK);
  bytes_ramp(r->nonce, sizeof r->nonce, 0x70);
  r->secrets = bytes_secrets(&r->drawn);
  thirl_meet_client_config cfg = {.key = r->client_key, .id = r->id, .secrets = &r->secrets};
  assert_int_equal(thirl_meet_client_new(&cfg, &r->client), THIRL_OK);
  *state = r;
  return 0;
}

int rig_teardown(void **state) {
  rig *r = *state;
  thirl_meet_client_free(r->client);
  thirl_p256_free(r->client_key);
  thirl_p256_free(r->server_key);
  free(r);
  return 0;
}

const thirl_meet_offer *rig_offer(void) {
  static thirl_meet_offer o = {.ufrag = "ufrag", .pwd = "password", .n = 1};
  o.candidates[0] = (thirl_meet_candidate){.type = THIRL_MEET_SRFLX,
                                           .transport = THIRL_MEET_TCP_SO,
                                           .lane = 1,
                                           .addr = thirl_addr_v4(192, 0, 2, 9, 999),
                                           .priority = 77,
                                           .foundation = 5};
  return &o;
}

static thirl_bytes offer_bytes(void) {
  static uint8_t bytes[THIRL_MEET_OFFER_MAX];
  size_t n;
  assert_int_equal(thirl_meet_offer_encode(rig_offer(), bytes, sizeof bytes, &n), THIRL_OK);
  return THIRL_BYTES(bytes, n);
}

thirl_meet_ticket rig_ticket(void) {
  thirl_meet_ticket t = {.host = "example.org", .port = 1};
  bytes_ramp(t.peer.b, sizeof t.peer.b, 0xb0);
  bytes_ramp(t.secret, sizeof t.secret, 0xd0);
  return t;
}

thirl_error rig_dial(rig *r, uint8_t session) {
  uint8_t id[THIRL_MEET_SESSION_ID_LEN];
  thirl_meet_ticket t = rig_ticket();
  memset(id, session, sizeof id);
  return thirl_meet_client_connect(r->client, r->now, &t, id, rig_offer());
}

/* ---- hearing ---- */

/* The keys of the registration come out of the signed REGISTER, whose signature is checked. */
static void agree(rig *r, const thirl_meet_message *m) {
  thirl_p256 *ephemeral, *signer;
  thirl_peerid id;
  uint8_t to_sign[THIRL_MEET_SIGNED_MAX];
  assert_true(m->has_public && m->has_ephemeral && m->signature.n);
  assert_true(thirl_bytes_equal(m->nonce, THIRL_BYTES(r->nonce, sizeof r->nonce)));
  assert_int_equal(thirl_peerid_of_public(THIRL_BYTES(m->public_key, sizeof m->public_key), &id), THIRL_OK);
  assert_true(thirl_peerid_equal(&id, &r->id));
  assert_int_equal(thirl_p256_from_public(m->public_key, &signer), THIRL_OK);
  size_t n = thirl_meet_message_signed(m->nonce, r->server_point, m->ephemeral, to_sign);
  assert_int_equal(thirl_p256_verify(signer, THIRL_BYTES(to_sign, n), m->signature), THIRL_OK);
  assert_int_equal(thirl_p256_from_public(m->ephemeral, &ephemeral), THIRL_OK);
  assert_int_equal(thirl_meet_message_keys(r->server_key, ephemeral, m->nonce, &id, &r->keys), THIRL_OK);
  thirl_p256_free(signer);
  thirl_p256_free(ephemeral);
  r->has_keys = true;
  r->sent = r->received = 0;
}

static void hear_one(rig *r, thirl_bytes packet) {
  assert_true(r->n_heard < RIG_HEARD_MAX && packet.n <= sizeof r->heard->raw);
  rig_heard *h = &r->heard[r->n_heard++];
  memcpy(h->raw, packet.p, packet.n);
  h->n = packet.n;
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(h->raw, h->n), &h->in), THIRL_OK);
  assert_true(h->in.fingerprint_at != 0);
  assert_int_equal(thirl_meet_message_decode(&h->in, &h->m), THIRL_OK);
  if (h->m.nonce.n) agree(r, &h->m);
  thirl_bytes key = THIRL_BYTES(r->keys.to_server, sizeof r->keys.to_server);
  assert_int_equal(thirl_stun_integrity_check256(&h->in, key), r->has_keys ? THIRL_OK : THIRL_E_NOT_FOUND);
  assert_int_equal(h->m.has_counter, r->has_keys);
  if (r->has_keys) assert_int_equal(h->m.counter, ++r->received);
}

size_t rig_hear(rig *r) {
  uint8_t piece[13];
  size_t n;
  thirl_stun_stream s;
  thirl_stun_stream_init(&s, THIRL_STUN_FRAMING_TURN, THIRL_MEET_MESSAGE_MAX);
  r->n_heard = 0;
  while ((n = thirl_meet_client_pull(r->client, piece, sizeof piece)) != 0) {
    thirl_bytes in = THIRL_BYTES(piece, n), packet;
    thirl_error e;
    while ((e = thirl_stun_stream_next(&s, &in, &packet)) == THIRL_OK)
      hear_one(r, packet);
    assert_int_equal(e, THIRL_E_AGAIN);
  }
  assert_int_equal(s.partial.n, 0); /* whole messages only */
  assert_false(thirl_meet_client_has_output(r->client));
  thirl_stun_stream_fini(&s);
  return r->n_heard;
}

/* ---- saying ---- */

thirl_meet_message rig_answer(const rig_heard *to, thirl_stun_class cls) {
  thirl_meet_message m;
  memset(&m, 0, sizeof m);
  m.cls = cls;
  m.method = to->m.method;
  memcpy(m.tid, to->m.tid, sizeof m.tid);
  return m;
}

thirl_meet_message rig_error(const rig_heard *to, unsigned code) {
  thirl_meet_message m = rig_answer(to, THIRL_STUN_ERROR);
  m.error_code = code;
  return m;
}

thirl_meet_message rig_challenge(rig *r, const rig_heard *to, unsigned code) {
  thirl_meet_message m = rig_error(to, code);
  m.nonce = THIRL_BYTES(r->nonce, sizeof r->nonce);
  m.has_ephemeral = true;
  memcpy(m.ephemeral, r->server_point, sizeof m.ephemeral);
  return m;
}

thirl_meet_message rig_indication(uint16_t method) {
  thirl_meet_message m;
  memset(&m, 0, sizeof m);
  m.cls = THIRL_STUN_INDICATION;
  m.method = method;
  bytes_ramp(m.tid, sizeof m.tid, 0xe0);
  return m;
}

thirl_meet_message rig_registered(const rig_heard *to) {
  thirl_meet_message m = rig_answer(to, THIRL_STUN_SUCCESS);
  m.has_mapped = m.has_lifetime = true;
  m.mapped = thirl_addr_v4(203, 0, 113, 5, 6000);
  m.lifetime_s = RIG_LIFETIME;
  return m;
}

void rig_put_go(thirl_meet_message *m, uint16_t channel) {
  m->has_offer = m->has_channel = m->has_fire_in = m->has_credit = true;
  m->offer = offer_bytes();
  m->channel = channel;
  m->fire_in_us = 40000;
  m->credit = 1000;
}

thirl_meet_message rig_offered(uint16_t channel) {
  thirl_meet_message m = rig_indication(THIRL_STUN_METHOD_THIRL_OFFER);
  rig_put_go(&m, channel);
  m.has_peer = m.has_session = m.has_offer_mac = true;
  bytes_ramp(m.peer.b, sizeof m.peer.b, 0x11);
  bytes_ramp(m.session, sizeof m.session, 0x22);
  bytes_ramp(m.offer_mac, sizeof m.offer_mac, 0x33);
  return m;
}

void rig_say_bytes(rig *r, const void *p, size_t n) {
  assert_true(n <= sizeof r->wire - r->wire_n);
  memcpy(r->wire + r->wire_n, p, n);
  r->wire_n += n;
}

static void say(rig *r, const thirl_meet_message *m, const uint8_t *key) {
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX];
  size_t n;
  assert_int_equal(thirl_meet_message_encode(m, key, bytes, sizeof bytes, &n), THIRL_OK);
  rig_say_bytes(r, bytes, n);
}

void rig_say_plain(rig *r, const thirl_meet_message *m) {
  say(r, m, NULL);
}

void rig_say_with(rig *r, thirl_meet_message m, uint64_t counter, const uint8_t *key) {
  m.has_counter = true;
  m.counter = counter;
  say(r, &m, key);
}

void rig_say(rig *r, thirl_meet_message m) {
  if (r->has_keys)
    rig_say_with(r, m, ++r->sent, r->keys.to_client);
  else
    say(r, &m, NULL);
}

void rig_say_data(rig *r, uint16_t channel, const char *text) {
  uint8_t header[THIRL_STUN_CHANNEL_HEADER_LEN];
  size_t n = strlen(text);
  thirl_stun_stream_put_channel(header, channel, (uint16_t)n);
  rig_say_bytes(r, header, sizeof header);
  rig_say_bytes(r, text, n);
  rig_say_bytes(r, "\0\0\0", (4 - n % 4) % 4);
}

/* ---- events ---- */

bool rig_event(rig *r, thirl_meet_event *ev) {
  for (;;) {
    size_t left = r->wire_n - r->wire_at, n = r->chunk && r->chunk < left ? r->chunk : left;
    thirl_bytes in = {r->wire + r->wire_at, n};
    thirl_error e = thirl_meet_client_next(r->client, r->now, &in, ev);
    r->wire_at += n - in.n;
    if (e == THIRL_OK) return true;
    assert_int_equal(e, THIRL_E_AGAIN);
    assert_int_equal(in.n, 0);
    if (r->wire_at < r->wire_n) continue;
    r->wire_at = r->wire_n = 0;
    return false;
  }
}

void rig_expect(rig *r, thirl_meet_event_kind kind, thirl_meet_event *ev) {
  assert_true(rig_event(r, ev));
  if (ev->kind == THIRL_MEET_FAILED && kind != THIRL_MEET_FAILED) fail_msg("failed: %s", thirl_error_name(ev->error));
  assert_int_equal(ev->kind, kind);
}

void rig_expect_no_event(rig *r) {
  thirl_meet_event ev;
  assert_false(rig_event(r, &ev));
}

void rig_expect_failed(rig *r, thirl_error e) {
  thirl_meet_event ev;
  rig_expect(r, THIRL_MEET_FAILED, &ev);
  assert_string_equal(thirl_error_name(ev.error), thirl_error_name(e));
  rig_expect_no_event(r);
  assert_int_equal(thirl_meet_client_state_of(r->client), THIRL_MEET_CLIENT_DEAD);
  assert_false(thirl_meet_client_has_output(r->client));
  assert_true(thirl_meet_client_deadline(r->client) == THIRL_NEVER);
}

/* ---- the usual beginning ---- */

void rig_until_signed(rig *r) {
  r->has_keys = false;
  assert_int_equal(thirl_meet_client_connected(r->client, r->now), THIRL_OK);
  assert_int_equal(rig_hear(r), 1);
  rig_say(r, rig_challenge(r, &r->heard[0], 401));
  r->now += RIG_RTT;
  rig_expect_no_event(r);
  assert_true(rig_hear(r) >= 1);
  assert_true(r->has_keys);
}

void rig_until_registered(rig *r) {
  thirl_meet_event ev;
  rig_until_signed(r);
  rig_say(r, rig_registered(&r->heard[0]));
  r->now += RIG_RTT;
  rig_expect(r, THIRL_MEET_REGISTERED, &ev);
}

void rig_until_channel(rig *r, uint16_t channel) {
  thirl_meet_event ev;
  rig_until_registered(r);
  rig_say(r, rig_offered(channel));
  rig_expect(r, THIRL_MEET_OFFERED, &ev);
}
