/* SPDX-License-Identifier: MIT */
/*
 * Event sequences into the server machine: up to 64 events from up to 4 connections and from datagrams, with steps of the clock. Some events
 * are the input's bytes as they are, others are valid messages under real keys, made from the input and, on request, broken in one byte. After
 * every event the server's tables are recounted and its answers are measured against what was asked.
 *
 *   one event:  | op | argument | ... |
 *
 * research/reliability S2.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "stun/writer.h"
#include "support/server_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLIENTS = 4, EVENTS_MAX = 64, ANSWER_MAX = 160, UDP_ANSWER_MAX = 76 };

#define HOLDS(x)                                                                                                       \
  do {                                                                                                                 \
    if (!(x)) {                                                                                                        \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #x);                                           \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

typedef struct player {
  rig_client *c; /* NULL: not connected */
  bool is_challenged, tried;
  uint64_t bytes_out;
  uint16_t numbers[8]; /* of its channels, the latest first */
} player;

typedef struct game {
  rig *r;
  player players[CLIENTS];
  thirl_bytes in;
  uint64_t attempts;                    /* complete REGISTERs */
  uint8_t tape[THIRL_MEET_MESSAGE_MAX]; /* a recorded message */
  size_t tape_n;
} game;

/* Keys are made once: they cost more than the rest of a run. */
static struct {
  thirl_p256 *key, *ephemeral;
  thirl_peerid id;
  uint8_t public_key[THIRL_P256_PUBLIC_LEN];
} keys[CLIENTS];

static void make_keys(void) {
  if (keys[0].key) return;
  for (uint64_t i = 0; i < CLIENTS; i++) {
    rig_client c = {.id = 0};
    rig_take_key(&c, i);
    keys[i].key = c.key;
    keys[i].ephemeral = c.ephemeral;
    keys[i].id = c.peer;
    memcpy(keys[i].public_key, c.public_key, sizeof c.public_key);
  }
}

static void lend_key(rig_client *c, size_t i) {
  c->key = keys[i].key;
  c->ephemeral = keys[i].ephemeral;
  c->peer = keys[i].id;
  memcpy(c->public_key, keys[i].public_key, sizeof c->public_key);
}

static uint8_t next(game *g) {
  if (g->in.n == 0) return 0;
  g->in.n--;
  return *g->in.p++;
}

static thirl_bytes take(game *g, size_t n) {
  thirl_bytes part = {g->in.p, THIRL_MIN(n, g->in.n)};
  g->in.p += part.n;
  g->in.n -= part.n;
  return part;
}

static bool is_up(const player *p) {
  return p->c && p->c->fate == RIG_OPEN;
}

static void send_bytes(player *p, thirl_bytes bytes) {
  if (!is_up(p)) return;
  p->bytes_out += bytes.n;
  rig_send(p->c, bytes);
}

/* Make MAC and FINGERPRINT right again, so that a changed message gets past them. */
static void seal(uint8_t *bytes, size_t n, const uint8_t *key) {
  enum { FINGERPRINT = 8, INTEGRITY = 36 };
  size_t covered = n - FINGERPRINT - INTEGRITY;
  if (key && n >= THIRL_STUN_HEADER_LEN + FINGERPRINT + INTEGRITY) {
    thirl_bytes_put_u16(bytes + 2, (uint16_t)(covered + INTEGRITY - THIRL_STUN_HEADER_LEN));
    thirl_bytes part = THIRL_BYTES(bytes, covered);
    HOLDS(thirl_hash_hmac_sha256(THIRL_BYTES(key, THIRL_MEET_KEY_LEN), &part, 1, bytes + covered + 4) == THIRL_OK);
  }
  thirl_bytes_put_u16(bytes + 2, (uint16_t)(n - THIRL_STUN_HEADER_LEN));
  uint32_t crc = thirl_hash_crc32(THIRL_BYTES(bytes, n - FINGERPRINT));
  thirl_bytes_put_u32(bytes + n - 4, crc ^ 0x5354554eu);
}

/* A message as it should be, or with one byte changed (0x80), and sealed again (0x20); 0x40: recorded. how is what the input says. */
static void send_message(game *g, player *p, const thirl_meet_message *m, uint8_t how) {
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX];
  size_t n;
  const uint8_t *key = p->c->has_keys ? p->c->keys.to_server : NULL;
  if (thirl_meet_message_encode(m, key, bytes, sizeof bytes, &n) != THIRL_OK) return;
  if (how & 0x80) {
    size_t at = (size_t)(next(g) << 8 | next(g)) % n;
    bytes[at] ^= next(g);
    if (how & 0x20) seal(bytes, n, key);
  }
  if (how & 0x40) {
    memcpy(g->tape, bytes, n);
    g->tape_n = n;
  }
  send_bytes(p, THIRL_BYTES(bytes, n));
}

/* ---- the moves ---- */

static void look(player *p) {
  for (const rig_message *m; p->c && (m = rig_next(p->c)) != NULL;) {
    if (m->m.cls == THIRL_STUN_ERROR && m->m.nonce.n && m->m.has_ephemeral && !p->c->has_keys) {
      memcpy(p->c->nonce, m->m.nonce.p, m->m.nonce.n);
      p->c->nonce_n = m->m.nonce.n;
      memcpy(p->c->server_key, m->m.ephemeral, sizeof p->c->server_key);
      p->is_challenged = true;
    }
    if (!m->m.has_channel || m->m.has_reason) continue;
    memmove(p->numbers + 1, p->numbers, sizeof p->numbers - sizeof p->numbers[0]);
    p->numbers[0] = m->m.channel;
  }
}

static void connect_player(game *g, player *p, uint8_t arg) {
  if (is_up(p) || g->r->clients_n > 16) return;
  *p = (player){.c = rig_connect(g->r, rig_addr(arg % 3))};
  lend_key(p->c, (size_t)(arg >> 4) % CLIENTS);
}

static void ask_challenge(game *g, player *p, uint8_t arg) {
  thirl_meet_message m = {.cls = THIRL_STUN_REQUEST, .method = THIRL_STUN_METHOD_THIRL_REGISTER, .has_peer = true};
  if (!is_up(p) || p->tried) return;
  m.peer = p->c->peer;
  send_message(g, p, &m, arg);
}

static void register_player(game *g, player *p, uint8_t arg) {
  uint8_t offer[THIRL_MEET_OFFER_MAX];
  thirl_meet_message extras = {.has_offer = arg & 1, .has_checks = arg & 2, .n_checks = 1, .has_rtt = arg & 4};
  if (!is_up(p) || !p->is_challenged || p->tried) return;
  p->tried = true;
  extras.rtt_us = (uint32_t)next(g) << 16;
  extras.offer = THIRL_BYTES(offer, rig_offer(p->c, offer));
  rig_check(1, extras.checks[0]);
  thirl_meet_message m = rig_registration(p->c, &extras);
  g->attempts++;
  send_message(g, p, &m, arg);
}

static void update(game *g, player *p, uint8_t arg) {
  uint8_t offer[THIRL_MEET_OFFER_MAX];
  if (!is_up(p)) return;
  thirl_meet_message m = rig_message_of(p->c, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
  m.has_offer = arg & 1;
  m.offer = THIRL_BYTES(offer, arg & 8 ? rig_offer(p->c, offer) : 0);
  m.has_checks = arg & 2;
  m.n_checks = next(g) % (THIRL_MEET_CHECKS_MAX + 1);
  rig_check(1, m.checks[0]);
  m.has_lifetime = arg & 4;
  m.lifetime_s = arg & 16;
  send_message(g, p, &m, arg);
}

static void connect_peer(game *g, player *p, uint8_t arg) {
  uint8_t offer[THIRL_MEET_OFFER_MAX];
  if (!is_up(p)) return;
  thirl_meet_message m = rig_message_of(p->c, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_CONNECT);
  m.has_peer = m.has_session = m.has_offer_mac = m.has_proof = m.has_offer = true;
  m.peer = keys[arg % CLIENTS].id;
  m.session[0] = (arg >> 2) & 3;
  rig_proof(arg & 16 ? 2 : 1, m.proof);
  m.offer = THIRL_BYTES(offer, rig_offer(p->c, offer));
  send_message(g, p, &m, arg);
}

static void end_channel(game *g, player *p, uint8_t arg) {
  if (!is_up(p)) return;
  thirl_meet_message m = rig_message_of(p->c, THIRL_STUN_INDICATION, THIRL_STUN_METHOD_THIRL_CHANNEL);
  m.has_channel = true;
  m.channel = p->numbers[arg % 8] ? p->numbers[arg % 8] : 0x4000;
  m.has_reason = arg & 8;
  m.reason = next(g);
  m.has_credit = arg & 16;
  m.credit = 70000;
  send_message(g, p, &m, arg);
}

static void send_data(player *p, uint8_t arg) {
  static const uint16_t sizes[8] = {0, 1, 3, 100, 1023, 1024, 4096, 16384};
  static uint8_t bytes[THIRL_STUN_CHANNEL_HEADER_LEN + 16384];
  size_t n = sizes[arg % 8];
  uint16_t number = p->numbers[(arg >> 3) % 8];
  if (!is_up(p)) return;
  thirl_stun_stream_put_channel(bytes, number ? number : 0x4000, (uint16_t)n);
  send_bytes(p, THIRL_BYTES(bytes, THIRL_STUN_CHANNEL_HEADER_LEN + ((n + 3) & ~(size_t)3)));
}

static void pass_time(game *g, uint8_t arg) {
  static const thirl_time steps[8] = {1,           THIRL_MS,     250 * THIRL_MS, THIRL_S,
                                      5 * THIRL_S, 31 * THIRL_S, 90 * THIRL_S,   7200 * THIRL_S};
  rig_wait(g->r, steps[arg % 8]);
}

/* A Binding request out of the alphabet of RFC 5780; with is what the input says. The attributes' values come from the input too. */
static thirl_bytes make_question(game *g, uint8_t with, uint8_t *out, size_t cap) {
  static const uint8_t zeroes[1600], tid[THIRL_STUN_TID_LEN];
  thirl_stun_writer w;
  thirl_bytes q;
  thirl_stun_writer_init(&w, out, cap, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, tid);
  if (with & 1) thirl_stun_writer_u32(&w, THIRL_STUN_ATTR_CHANGE_REQUEST, next(g));
  if (with & 2) thirl_stun_writer_u16(&w, THIRL_STUN_ATTR_RESPONSE_PORT, (uint16_t)(next(g) << 8));
  if (with & 4) thirl_stun_writer_bytes(&w, THIRL_STUN_ATTR_PADDING, THIRL_BYTES(zeroes, next(g) * (size_t)6));
  if (with & 8) thirl_stun_writer_u16(&w, THIRL_STUN_ATTR_THIRL_OTHER_PORT, 0);
  if (with & 16) thirl_stun_writer_fingerprint(&w);
  HOLDS(thirl_stun_writer_finish(&w, &q) == THIRL_OK);
  if (with & 32) thirl_bytes_put_u32(out + 4, 0x01020304); /* RFC 3489 has no cookie */
  if (with & 64) out[(size_t)next(g) % q.n] ^= next(g);
  return q;
}

static void send_datagram(game *g, uint8_t arg) {
  uint8_t binding[24] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1}, question[2048];
  thirl_bytes payload = THIRL_BYTES(binding, 20);
  unsigned corner = 0;
  if (arg & 1) payload = take(g, next(g));
  if (arg & 2) { /* an unknown attribute */
    binding[3] = 4;
    binding[20] = 0x7f;
    payload = THIRL_BYTES(binding, 24);
  }
  if (arg & 0x80) {
    corner = next(g) % 4;
    payload = make_question(g, next(g), question, sizeof question);
  }
  unsigned answers = g->r->udp_answers;
  thirl_addr from = rig_addr(arg & 0x7f);
  rig_datagram_at(g->r, corner, from, payload);
  HOLDS(g->r->udp_answers - answers <= 1 && g->r->udp_n <= THIRL_MAX(payload.n, (size_t)UDP_ANSWER_MAX));
  HOLDS(payload.n >= 20 || g->r->udp_n == 0);
  HOLDS(g->r->udp_n == 0 || thirl_addr_same_ip(&g->r->udp_to, &from));
}

static void ask_over_tcp(game *g, player *p, uint8_t with) {
  uint8_t question[2048];
  if (is_up(p)) send_bytes(p, make_question(g, with & 0x5f, question, sizeof question));
}

/* Something becomes of a connection that the server wanted: only to one that is or was connected, only from one of its corners. */
static void answer_probe(game *g, uint8_t arg) {
  static const thirl_error outcomes[] = {THIRL_OK, THIRL_E_REFUSED, THIRL_E_UNREACHABLE, THIRL_E_IN_USE};
  rig *r = g->r;
  for (size_t i = 0; i < r->connects_n; i++) {
    bool is_known = false;
    for (size_t k = 0; k < r->clients_n; k++)
      is_known |= thirl_addr_equal(&r->clients[k]->addr, &r->connects[i].remote);
    thirl_addr local = r->connects[i].local, first = rig_corner(0);
    HOLDS(is_known && !thirl_addr_equal(&local, &first) && local.port - 3478 <= 1);
  }
  if (r->connects_n) rig_connected(r, (arg >> 2) % r->connects_n, outcomes[arg % 4]);
}

static void move(game *g) {
  uint8_t op = next(g), arg = next(g);
  player *p = &g->players[op >> 6];
  uint8_t shown[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
  switch (op % 16) {
  case 0:
    connect_player(g, p, arg);
    break;
  case 1:
    send_bytes(p, take(g, arg));
    break;
  case 2:
    if (arg & 0x80)
      ask_over_tcp(g, p, arg & 0x7f);
    else
      send_bytes(p, THIRL_BYTES(shown, sizeof shown));
    break;
  case 3:
    ask_challenge(g, p, arg);
    break;
  case 4:
    register_player(g, p, arg);
    break;
  case 5:
    update(g, p, arg);
    break;
  case 6:
  case 7:
    connect_peer(g, p, arg);
    break;
  case 8:
    end_channel(g, p, arg);
    break;
  case 9:
    send_data(p, arg);
    break;
  case 10:
    if (arg & 0x80)
      answer_probe(g, arg & 0x7f);
    else
      send_data(p, arg);
    break;
  case 11:
    if (is_up(p) && arg < 192)
      rig_pull(p->c, arg);
    else if (is_up(p))
      rig_stall(p->c, arg & 1);
    break;
  case 12:
    pass_time(g, arg);
    break;
  case 13:
    if (is_up(p) && arg & 1) rig_eof(p->c);
    if (is_up(p) && arg & 2) rig_lost(p->c);
    if (arg == 0xfc) thirl_server_drain(g->r->server, g->r->now, g->r->now + 10 * THIRL_S);
    break;
  case 14:
    send_datagram(g, arg);
    break;
  default:
    send_bytes(p, THIRL_BYTES(g->tape, g->tape_n));
  }
  rig_settle(g->r);
}

static void check(const game *g, const thirl_server_limits *l) {
  const thirl_server_stats *s = rig_stats(g->r);
  HOLDS(s->registered <= g->attempts);
  HOLDS(s->registrations <= s->connections && s->connections <= l->max_connections);
  HOLDS(s->channels <= l->max_channels && s->introduced <= s->connects);
  HOLDS(g->r->connects_n <= l->max_probes);
  HOLDS(s->relay_buffered <= s->relay_reserved && s->relay_reserved <= l->relay_memory);
  for (size_t i = 0; i < CLIENTS; i++) {
    const player *p = &g->players[i];
    if (!p->c || p->c->has_keys) continue;
    /* who has shown no key gets one bounded answer per request, and a request has twenty bytes */
    HOLDS(p->c->bytes_in <= p->bytes_out / THIRL_STUN_HEADER_LEN * ANSWER_MAX);
    HOLDS(p->c->channels_n == 0);
  }
}

static void give_keys_back(rig *r) {
  for (size_t i = 0; i < r->clients_n; i++)
    r->clients[i]->key = r->clients[i]->ephemeral = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  thirl_server_limits l = {.max_connections = 3,
                           .max_connections_per_ip = 2,
                           .max_registrations = 3,
                           .max_channels = 3,
                           .max_channels_per_peer = 2,
                           .channel_buffer = 65536,
                           .relay_memory = 262144,
                           .connects_per_minute = 12,
                           .max_probes = 2,
                           .probes_per_second_per_ip = 3,
                           .discoveries_per_second_per_ip = 3,
                           .requests_per_second = 6};
  game g = {.in = {data, size}};
  make_keys();
  g.r = rig_new_corners(1, &l);
  for (int i = 0; i < EVENTS_MAX && g.in.n; i++) {
    move(&g);
    for (size_t k = 0; k < CLIENTS; k++)
      look(&g.players[k]);
    check(&g, &l);
  }
  for (size_t k = 0; k < CLIENTS; k++)
    if (is_up(&g.players[k])) rig_lost(g.players[k].c);
  rig_settle(g.r);
  const thirl_server_stats *s = rig_stats(g.r);
  HOLDS(s->connections == 0 && s->registrations == 0 && s->channels == 0 && s->relay_reserved == 0);
  give_keys_back(g.r);
  rig_free(g.r);
  return 0;
}
