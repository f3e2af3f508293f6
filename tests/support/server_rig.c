/* SPDX-License-Identifier: MIT */
#include "support/server_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "meet/offer.h"
#include "meet/ticket.h"
#include "stun/integrity.h"

#define MUST(x)                                                                                                        \
  do {                                                                                                                 \
    if (!(x)) {                                                                                                        \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                                          \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

/* ---- the world ---- */

static void fill(void *ctx, void *out, size_t n) {
  thirl_dice *d = ctx;
  for (uint8_t *p = out; n; n--)
    *p++ = (uint8_t)thirl_dice_u64(d);
}

static void take_line(void *ctx, thirl_log_level level, const char *text) {
  rig *r = ctx;
  size_t n = strlen(r->lines);
  (void)level;
  r->n_lines++;
  snprintf(r->lines + n, sizeof r->lines - n, "%s\n", text);
}

thirl_addr rig_corner(unsigned corner) {
  return thirl_addr_v4(192, 0, 2, corner & 2 ? 2 : 1, corner & 1 ? 3479 : 3478);
}

static rig *make(uint64_t seed, const thirl_server_limits *limits, bool has_corners) {
  rig *r = calloc(1, sizeof *r);
  MUST(r);
  r->clients = calloc(RIG_CLIENTS_MAX, sizeof(rig_client *));
  MUST(r->clients);
  r->now = 1000 * THIRL_S;
  thirl_dice_seed(&r->dice, seed);
  r->secrets = (thirl_secrets){fill, &r->dice};
  r->log = (thirl_log){.line = take_line, .ctx = r, .max = THIRL_LOG_INFO};
  r->audit = true;
  thirl_server_config cfg = {.secrets = &r->secrets, .log = &r->log};
  r->has_corners = has_corners;
  for (unsigned i = 0; i < (has_corners ? 4u : 1u); i++)
    cfg.listen_tcp[i] = cfg.listen_udp[i] = rig_corner(i);
  if (limits) cfg.limits = *limits;
  MUST(thirl_server_new(&cfg, r->now, &r->server) == THIRL_OK);
  rig_settle(r);
  return r;
}

rig *rig_new(uint64_t seed, const thirl_server_limits *limits) {
  return make(seed, limits, false);
}

rig *rig_new_corners(uint64_t seed, const thirl_server_limits *limits) {
  return make(seed, limits, true);
}

static void client_free(rig_client *c) {
  thirl_p256_free(c->key);
  thirl_p256_free(c->ephemeral);
  thirl_stun_stream_fini(&c->in);
  free(c->messages);
  free(c->channels);
  free(c);
}

void rig_free(rig *r) {
  thirl_server_free(r->server);
  for (size_t i = 0; i < r->clients_n; i++)
    client_free(r->clients[i]);
  free(r->clients);
  free(r);
}

const thirl_server_stats *rig_stats(const rig *r) {
  return thirl_server_stats_of(r->server);
}

static void enter(rig *r, bool entering) {
  if (r->around) r->around(entering);
}

/* ---- what the server sends ---- */

uint8_t rig_pattern(uint64_t seed, uint64_t at) {
  return (uint8_t)((at * 0x9e3779b97f4a7c15u + seed * 0xd1342543de82ef95u) >> 56);
}

rig_channel *rig_channel_of(rig_client *c, uint16_t number) {
  if (!c->channels) c->channels = calloc(RIG_CHANNELS_MAX, sizeof *c->channels);
  MUST(c->channels);
  for (size_t i = 0; i < c->channels_n; i++)
    if (c->channels[i].number == number) return &c->channels[i];
  MUST(c->channels_n < RIG_CHANNELS_MAX);
  c->channels[c->channels_n].number = number;
  return &c->channels[c->channels_n++];
}

static void take_data(rig_client *c, thirl_bytes packet) {
  rig_channel *ch = rig_channel_of(c, thirl_bytes_get_u16(packet.p));
  size_t n = packet.n - THIRL_STUN_CHANNEL_HEADER_LEN;
  for (size_t i = 0; ch->pattern && i < n; i++)
    ch->wrong += packet.p[THIRL_STUN_CHANNEL_HEADER_LEN + i] != rig_pattern(ch->pattern, ch->n + i);
  ch->n += n;
  ch->messages++;
  ch->largest = THIRL_MAX(ch->largest, n);
}

static void take_message(rig_client *c, thirl_bytes packet) {
  if (!c->messages) c->messages = calloc(RIG_MESSAGES_MAX, sizeof *c->messages);
  MUST(c->messages && c->messages_n < RIG_MESSAGES_MAX && packet.n <= THIRL_MEET_MESSAGE_MAX);
  rig_message *to = &c->messages[(c->messages_at + c->messages_n++) % RIG_MESSAGES_MAX];
  thirl_stun_msg in;
  memcpy(to->bytes, packet.p, packet.n);
  to->n = packet.n;
  MUST(thirl_stun_msg_decode(THIRL_BYTES(to->bytes, to->n), &in) == THIRL_OK);
  /* 420 and Binding answers hold standard attributes only, which decode too. */
  MUST(thirl_meet_message_decode(&in, &to->m) == THIRL_OK);
  if (to->m.cls == THIRL_STUN_INDICATION &&
      to->m.method == THIRL_STUN_METHOD_BINDING) { /* says nothing: server/conn.h, insure */
    c->insurance++;
    c->messages_n--;
    return;
  }
  if (!to->m.has_counter) return;
  MUST(c->has_keys && to->m.counter == c->received + 1);
  c->received = to->m.counter;
  MUST(thirl_stun_integrity_check256(&in, THIRL_BYTES(c->keys.to_client, 32)) == THIRL_OK);
}

static void take_bytes(rig_client *c, thirl_bytes in) {
  thirl_bytes packet;
  thirl_error e;
  c->bytes_in += in.n;
  while ((e = thirl_stun_stream_next(&c->in, &in, &packet)) == THIRL_OK) {
    if (thirl_stun_msg_kind(packet) == THIRL_STUN_KIND_CHANNEL)
      take_data(c, packet);
    else
      take_message(c, packet);
  }
  MUST(e == THIRL_E_AGAIN);
}

size_t rig_pull(rig_client *c, size_t cap) {
  static uint8_t buf[65536];
  enter(c->r, true);
  size_t n = thirl_server_pull(c->r->server, c->r->now, c->id, buf, THIRL_MIN(cap, sizeof buf));
  enter(c->r, false);
  MUST(n <= cap);
  if (n == 0) c->writable = false;
  take_bytes(c, THIRL_BYTES(buf, n));
  return n;
}

const rig_message *rig_next(rig_client *c) {
  if (!c->messages_n) return NULL;
  rig_message *m = &c->messages[c->messages_at];
  c->messages_at = (c->messages_at + 1) % RIG_MESSAGES_MAX;
  c->messages_n--;
  return m;
}

static rig_client *find_client(rig *r, thirl_net_id id) {
  size_t i = id - THIRL_NET_ID_ACCEPTED;
  return id >= THIRL_NET_ID_ACCEPTED && i < r->clients_n ? r->clients[i] : NULL;
}

static void forget_connect(rig *r, thirl_net_id id) {
  for (size_t i = 0; i < r->connects_n; i++)
    if (r->connects[i].id == id) r->connects[i] = r->connects[--r->connects_n];
}

static void on_action(rig *r, const thirl_net_action *a) {
  rig_client *c = find_client(r, a->id);
  switch (a->verb) {
  case THIRL_NET_LISTEN:
  case THIRL_NET_BIND_UDP:
    r->listens += a->verb == THIRL_NET_LISTEN;
    r->binds += a->verb == THIRL_NET_BIND_UDP;
    thirl_server_input(r->server, r->now,
                       &(thirl_net_event){.kind = THIRL_NET_LISTENING, .id = a->id, .local = a->local});
    break;
  case THIRL_NET_WRITE:
    MUST(c && c->fate == RIG_OPEN && !c->writable);
    c->writable = true;
    c->writes++;
    break;
  case THIRL_NET_CLOSE:
    MUST(c && c->fate == RIG_OPEN);
    c->fate = RIG_CLOSED;
    break;
  case THIRL_NET_ABORT:
    if (c && c->fate == RIG_OPEN)
      c->fate = RIG_ABORTED;
    else if (a->id < THIRL_NET_ID_ACCEPTED && a->id > 8)
      forget_connect(r, a->id);
    else if (a->id < THIRL_NET_ID_ACCEPTED)
      r->aborted_listeners++;
    else if (r->stray_aborts_n < 64)
      r->stray_aborts[r->stray_aborts_n++] = a->id;
    break;
  case THIRL_NET_SENDTO:
    MUST(a->payload.n <= sizeof r->udp);
    memcpy(r->udp, a->payload.p, a->payload.n);
    r->udp_n = a->payload.n;
    r->udp_to = a->remote;
    r->udp_answers++;
    break;
  case THIRL_NET_CONNECT:
    MUST(r->has_corners && r->connects_n < RIG_CONNECTS_MAX); /* else a server connects to nobody */
    r->connects[r->connects_n++] = *a;
  }
}

void rig_settle(rig *r) {
  thirl_net_action a;
  bool more = true;
  while (more) {
    more = false;
    while (thirl_server_poll(r->server, r->now, &a)) {
      on_action(r, &a);
      rig_client *c = find_client(r, a.id);
      if (!c || c->stalled || c->fate != RIG_OPEN) continue;
      while (c->writable && c->fate == RIG_OPEN)
        rig_pull(c, c->cap ? c->cap : 65536);
      more = true;
    }
  }
  if (r->audit) MUST(thirl_server_is_consistent(r->server));
}

void rig_stall(rig_client *c, bool stalled) {
  c->stalled = stalled;
  while (!stalled && c->writable && c->fate == RIG_OPEN)
    rig_pull(c, c->cap ? c->cap : 65536);
  rig_settle(c->r);
}

/* ---- inputs ---- */

void rig_input(rig *r, const thirl_net_event *ev) {
  enter(r, true);
  thirl_server_input(r->server, r->now, ev);
  enter(r, false);
  rig_settle(r);
}

void rig_wait(rig *r, thirl_time d) {
  thirl_time until = r->now + d;
  for (;;) {
    thirl_time at = thirl_server_deadline(r->server);
    if (at > until) break;
    r->now = THIRL_MAX(r->now, at);
    rig_input(r, &(thirl_net_event){.kind = THIRL_NET_TICK});
    MUST(thirl_server_deadline(r->server) > r->now);
  }
  r->now = until;
}

void rig_datagram_at(rig *r, unsigned corner, thirl_addr from, thirl_bytes payload) {
  r->udp_n = 0;
  thirl_net_event ev = {.kind = THIRL_NET_DATAGRAM, .local = rig_corner(corner), .remote = from, .payload = payload};
  ev.id = r->has_corners ? 5 + corner : 2;
  rig_input(r, &ev);
}

void rig_datagram(rig *r, thirl_addr from, thirl_bytes payload) {
  rig_datagram_at(r, 0, from, payload);
}

void rig_connected(rig *r, size_t i, thirl_error outcome) {
  MUST(i < r->connects_n);
  thirl_net_action a = r->connects[i];
  thirl_net_event ev = {.kind = outcome ? THIRL_NET_FAILED : THIRL_NET_CONNECTED, .id = a.id, .error = outcome};
  ev.local = a.local;
  ev.remote = a.remote;
  if (outcome) r->connects[i] = r->connects[--r->connects_n];
  rig_input(r, &ev);
}

rig_client *rig_connect(rig *r, thirl_addr from) {
  rig_client *c = calloc(1, sizeof *c);
  MUST(c && r->clients_n < RIG_CLIENTS_MAX);
  c->r = r;
  c->id = THIRL_NET_ID_ACCEPTED + (thirl_net_id)r->clients_n;
  c->addr = from;
  thirl_stun_stream_init(&c->in, THIRL_STUN_FRAMING_TURN, 65536);
  r->clients[r->clients_n++] = c;
  rig_input(r, &(thirl_net_event){
                   .kind = THIRL_NET_ACCEPTED, .id = c->id, .listener = 1, .local = rig_corner(0), .remote = from});
  return c;
}

void rig_send(rig_client *c, thirl_bytes bytes) {
  rig_input(c->r, &(thirl_net_event){.kind = THIRL_NET_DATA, .id = c->id, .payload = bytes});
}

void rig_eof(rig_client *c) {
  rig_input(c->r, &(thirl_net_event){.kind = THIRL_NET_EOF, .id = c->id});
}

void rig_lost(rig_client *c) {
  c->fate = RIG_ABORTED;
  c->writable = false;
  rig_input(c->r, &(thirl_net_event){.kind = THIRL_NET_FAILED, .id = c->id, .error = THIRL_E_RESET});
}

/* ---- messages ---- */

thirl_meet_message rig_message_of(rig_client *c, thirl_stun_class cls, uint16_t method) {
  thirl_meet_message m = {.cls = cls, .method = method};
  thirl_bytes_put_u64(m.tid, ++c->tids);
  m.has_counter = c->has_keys;
  m.counter = c->has_keys ? ++c->sent : 0;
  return m;
}

void rig_send_message(rig_client *c, const thirl_meet_message *m) {
  MUST(thirl_meet_message_encode(m, c->has_keys ? c->keys.to_server : NULL, c->last, sizeof c->last, &c->last_n) ==
       THIRL_OK);
  rig_send(c, THIRL_BYTES(c->last, c->last_n));
}

static thirl_p256 *key_of(uint64_t i) {
  uint8_t scalar[THIRL_P256_PRIVATE_LEN] = {0};
  thirl_p256 *k;
  thirl_bytes_put_u64(scalar + 16, 0x7468696c72000000u);
  thirl_bytes_put_u64(scalar + 24, i + 1);
  MUST(thirl_p256_from_private(scalar, &k) == THIRL_OK);
  return k;
}

void rig_take_key(rig_client *c, uint64_t i) {
  thirl_p256_free(c->key);
  thirl_p256_free(c->ephemeral);
  c->key = key_of(i);
  c->ephemeral = key_of(i + 1000000007);
  thirl_p256_get_public(c->key, c->public_key);
  MUST(thirl_peerid_of_public(THIRL_BYTES(c->public_key, sizeof c->public_key), &c->peer) == THIRL_OK);
}

void rig_challenge(rig_client *c) {
  thirl_meet_message m = rig_message_of(c, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_REGISTER);
  m.has_peer = true;
  m.peer = c->peer;
  rig_send_message(c, &m);
  const rig_message *a = rig_next(c);
  MUST(a && a->m.cls == THIRL_STUN_ERROR && a->m.error_code == 401 && a->m.nonce.n && a->m.has_ephemeral);
  memcpy(c->nonce, a->m.nonce.p, a->m.nonce.n);
  c->nonce_n = a->m.nonce.n;
  memcpy(c->server_key, a->m.ephemeral, sizeof c->server_key);
}

thirl_meet_message rig_registration(rig_client *c, const thirl_meet_message *extras) {
  static uint8_t signature[THIRL_P256_SIGNATURE_MAX];
  uint8_t said[THIRL_MEET_SIGNED_MAX];
  size_t signature_n;
  thirl_meet_message m = extras ? *extras : (thirl_meet_message){.method = 0};
  m.cls = THIRL_STUN_REQUEST;
  m.method = THIRL_STUN_METHOD_THIRL_REGISTER;
  thirl_bytes_put_u64(m.tid, ++c->tids);
  m.nonce = THIRL_BYTES(c->nonce, c->nonce_n);
  m.has_public = m.has_ephemeral = true;
  memcpy(m.public_key, c->public_key, sizeof m.public_key);
  thirl_p256_get_public(c->ephemeral, m.ephemeral);
  size_t n = thirl_meet_message_signed(m.nonce, c->server_key, m.ephemeral, said);
  MUST(thirl_p256_sign(c->key, THIRL_BYTES(said, n), signature, &signature_n) == THIRL_OK);
  m.signature = THIRL_BYTES(signature, signature_n);
  thirl_p256 *theirs;
  MUST(thirl_p256_from_public(c->server_key, &theirs) == THIRL_OK);
  MUST(thirl_meet_message_keys(c->ephemeral, theirs, m.nonce, &c->peer, &c->keys) == THIRL_OK);
  thirl_p256_free(theirs);
  c->has_keys = true;
  return m;
}

void rig_register(rig_client *c, uint64_t i) {
  uint8_t offer[THIRL_MEET_OFFER_MAX];
  thirl_meet_message extras = {.has_offer = true, .has_checks = true, .n_checks = 1};
  extras.offer = THIRL_BYTES(offer, rig_offer(c, offer));
  rig_check(i, extras.checks[0]);
  rig_take_key(c, i);
  rig_challenge(c);
  thirl_meet_message m = rig_registration(c, &extras);
  rig_send_message(c, &m);
  const rig_message *a = rig_next(c);
  MUST(a && a->m.cls == THIRL_STUN_SUCCESS && a->m.has_lifetime && a->m.has_mapped && a->m.counter == 1);
  MUST(thirl_addr_equal(&a->m.mapped, &c->addr));
}

rig_client *rig_peer(rig *r, uint64_t i) {
  rig_client *c = rig_connect(r, rig_addr(i));
  rig_register(c, i);
  return c;
}

thirl_addr rig_addr(uint64_t i) {
  return thirl_addr_v4(198, (uint8_t)(18 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i, 40000);
}

void rig_proof(uint64_t i, uint8_t out[THIRL_MEET_PROOF_LEN]) {
  memset(out, 0xa5, THIRL_MEET_PROOF_LEN);
  thirl_bytes_put_u64(out, i);
}

void rig_check(uint64_t i, uint8_t out[THIRL_MEET_CHECK_LEN]) {
  uint8_t proof[THIRL_MEET_PROOF_LEN];
  rig_proof(i, proof);
  MUST(thirl_meet_ticket_check(proof, out) == THIRL_OK);
}

size_t rig_offer(const rig_client *c, uint8_t out[THIRL_MEET_OFFER_MAX]) {
  thirl_meet_offer o = {.ufrag = "abcdefgh", .pwd = "ijklmnopqrstuvwxyz012345", .n = 8};
  for (size_t i = 0; i < o.n; i++) {
    bool host = i % 2 == 0, udp = i / 2 == 3;
    thirl_addr local = thirl_addr_v4(10, 0, 0, 1, (uint16_t)(5000 + i));
    o.candidates[i].type = host ? THIRL_MEET_HOST : THIRL_MEET_SRFLX;
    o.candidates[i].transport = udp ? THIRL_MEET_UDP : THIRL_MEET_TCP_SO;
    o.candidates[i].lane = (uint8_t)(i / 2);
    o.candidates[i].addr = host ? local : thirl_addr_with_port(c->addr, local.port);
    o.candidates[i].priority = (uint32_t)(100 - i);
  }
  size_t n;
  MUST(thirl_meet_offer_encode(&o, out, THIRL_MEET_OFFER_MAX, &n) == THIRL_OK);
  return n;
}

void rig_send_connect(rig_client *c, const thirl_peerid *peer, uint64_t ticket, uint8_t session) {
  uint8_t offer[THIRL_MEET_OFFER_MAX];
  thirl_meet_message m = rig_message_of(c, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_CONNECT);
  m.has_peer = m.has_session = m.has_proof = m.has_offer = m.has_offer_mac = true;
  m.peer = *peer;
  memset(m.session, session, sizeof m.session);
  memset(m.offer_mac, 0x77, sizeof m.offer_mac);
  rig_proof(ticket, m.proof);
  m.offer = THIRL_BYTES(offer, rig_offer(c, offer));
  rig_send_message(c, &m);
}

void rig_join(rig_client *a, rig_client *b, uint64_t ticket_of_b, uint8_t session, uint16_t *at_a, uint16_t *at_b) {
  rig_send_connect(a, &b->peer, ticket_of_b, session);
  const rig_message *m = rig_next(a);
  MUST(m && m->m.cls == THIRL_STUN_SUCCESS && m->m.method == THIRL_STUN_METHOD_THIRL_CONNECT && m->m.has_channel);
  *at_a = m->m.channel;
  m = rig_next(b);
  MUST(m && m->m.method == THIRL_STUN_METHOD_THIRL_OFFER && m->m.has_channel);
  *at_b = m->m.channel;
}

void rig_send_data(rig_client *c, uint16_t number, uint64_t pattern, uint64_t offset, size_t n) {
  static uint8_t buf[THIRL_STUN_CHANNEL_HEADER_LEN + 16384 + 4];
  while (n && c->fate == RIG_OPEN) {
    size_t part = THIRL_MIN(n, (size_t)16384), padded = (part + 3) & ~(size_t)3;
    thirl_stun_stream_put_channel(buf, number, (uint16_t)part);
    memset(buf + 4 + part, 0, padded - part);
    for (size_t i = 0; i < part; i++)
      buf[4 + i] = rig_pattern(pattern, offset + i);
    rig_send(c, THIRL_BYTES(buf, 4 + padded));
    offset += part;
    n -= part;
  }
}
