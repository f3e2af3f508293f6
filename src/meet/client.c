/* SPDX-License-Identifier: MIT */
/*
 * The client's machine: what is said to the server when, and what its words mean. Not here: the keys (register.c, seal.c), who waits for an
 * answer (line.c, request.c), which channels are open (channel.c), the bytes of messages (message.c), sockets and reconnecting (the endpoint above).
 */
#include "meet/client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "meet/line.h"
#include "meet/register.h"
#include "meet/standing.h"
#include "stun/stream.h"

enum { PACKET_MAX = THIRL_STUN_CHANNEL_HEADER_LEN + THIRL_MEET_DATA_MAX /* and far more than any message */ };

#define REQUEST_TIMEOUT (10 * THIRL_S)
#define REFRESH         (25 * THIRL_S)

struct thirl_meet_client {
  thirl_meet_client_config cfg;
  thirl_meet_client_state state;
  thirl_time now;
  thirl_stun_stream stream;
  thirl_meet_line line;
  thirl_meet_channels channels;
  thirl_meet_challenge challenge;
  bool was_stale;  /* one 438 has been forgiven */
  bool has_failed; /* the event FAILED waits to be taken */
  thirl_error failure;
  thirl_time refresh, refresh_at;
  thirl_meet_standing standing;
  thirl_meet_client_stats stats;
};

/* ---- state ---- */

static const uint8_t may_follow[] = {
    [THIRL_MEET_CLIENT_IDLE] = 1 << THIRL_MEET_CLIENT_EXPECT_CHALLENGE,
    [THIRL_MEET_CLIENT_EXPECT_CHALLENGE] =
        1 << THIRL_MEET_CLIENT_EXPECT_REGISTERED | 1 << THIRL_MEET_CLIENT_DEAD | 1 << THIRL_MEET_CLIENT_IDLE,
    [THIRL_MEET_CLIENT_EXPECT_REGISTERED] =
        1 << THIRL_MEET_CLIENT_REGISTERED | 1 << THIRL_MEET_CLIENT_DEAD | 1 << THIRL_MEET_CLIENT_IDLE,
    [THIRL_MEET_CLIENT_REGISTERED] = 1 << THIRL_MEET_CLIENT_DEAD | 1 << THIRL_MEET_CLIENT_IDLE,
    [THIRL_MEET_CLIENT_DEAD] = 1 << THIRL_MEET_CLIENT_IDLE,
};

static void set_state(thirl_meet_client *c, thirl_meet_client_state to) {
  if (c->state == to) return;
  assert(may_follow[c->state] & 1 << to);
  c->state = to;
}

static bool is_alive(const thirl_meet_client *c) {
  return c->state != THIRL_MEET_CLIENT_IDLE && c->state != THIRL_MEET_CLIENT_DEAD;
}

static void set_now(thirl_meet_client *c, thirl_time now) {
  c->now = THIRL_MAX(c->now, now);
}

/* Forget everything that belongs to one connection. */
static void forget(thirl_meet_client *c) {
  thirl_meet_line_reset(&c->line);
  c->channels.n = 0;
}

/* The connection is over: the event FAILED waits, nothing more is said. The stream stays: a packet cut from it may be in use. */
static void fail(thirl_meet_client *c, thirl_error e) {
  if (!is_alive(c)) return;
  forget(c);
  set_state(c, THIRL_MEET_CLIENT_DEAD);
  c->has_failed = true;
  c->failure = e;
}

/* ---- sending ---- */

static thirl_error send_connect(thirl_meet_client *c, thirl_meet_request *r) {
  thirl_meet_message m = {0};
  thirl_meet_request_put(r, &m);
  return thirl_meet_line_repeat(&c->line, c->now, r, &m);
}

/* The refresh, with what is new. No place for a further request: the answers of those before it will bring us here again. */
static void send_update(thirl_meet_client *c) {
  thirl_meet_message m = {0};
  if (c->standing.is_new) thirl_meet_standing_put(&c->standing, &m);
  thirl_error e = thirl_meet_line_request(&c->line, c->now, THIRL_MEET_REQUEST_UPDATE, &m);
  c->refresh_at = thirl_time_after(c->now, c->refresh);
  if (e == THIRL_OK) c->standing.is_new = false;
  if (e != THIRL_OK && e != THIRL_E_LIMIT) fail(c, e);
}

/* A server that does not read for so long that this finds no room is as good as gone; a channel must not stay open at one end. */
static void send_end(thirl_meet_client *c, uint16_t channel, thirl_error reason) {
  thirl_meet_message m = {.cls = THIRL_STUN_INDICATION,
                          .method = THIRL_STUN_METHOD_THIRL_CHANNEL,
                          .has_channel = true,
                          .channel = channel,
                          .has_reason = true,
                          .reason = (uint32_t)reason};
  thirl_error e = thirl_meet_line_send(&c->line, &m);
  if (e != THIRL_OK) fail(c, e);
}

/* The signed REGISTER under new keys, and behind it every CONNECT that was asked for, those again that went out under old ones. */
static thirl_error send_register(thirl_meet_client *c) {
  uint8_t signature[THIRL_P256_SIGNATURE_MAX];
  thirl_meet_message m = {0};
  thirl_error e = thirl_meet_register_answer(&c->challenge, c->cfg.key, &c->cfg.id, &c->line.seal, signature, &m);
  if (e != THIRL_OK) return e;
  if (!thirl_meet_standing_is_empty(&c->standing)) thirl_meet_standing_put(&c->standing, &m);
  e = thirl_meet_line_request(&c->line, c->now, THIRL_MEET_REQUEST_REGISTER, &m);
  if (e == THIRL_OK) c->standing.is_new = false;
  for (size_t i = 0; i < THIRL_MEET_REQUESTS_MAX && e == THIRL_OK; i++)
    if (c->line.requests.all[i].kind == THIRL_MEET_REQUEST_CONNECT) e = send_connect(c, &c->line.requests.all[i]);
  return e;
}

/* ---- answers; each handler says whether it has set *ev ---- */

/* The MAC was right, but what it protects makes no sense. */
static bool is_nonsense(thirl_error e) {
  return e == THIRL_E_MALFORMED || e == THIRL_E_UNSUPPORTED;
}

/* What the endpoint is told of a message that could not be opened. */
static thirl_error reason_of(thirl_error e) {
  return is_nonsense(e) ? THIRL_E_PROTOCOL : e;
}

static void set_refresh(thirl_meet_client *c, uint32_t lifetime_s) {
  c->refresh = c->cfg.refresh ? c->cfg.refresh : REFRESH;
  if (lifetime_s) c->refresh = THIRL_MIN(c->refresh, lifetime_s * THIRL_S / 2);
}

static void on_challenge(thirl_meet_client *c, const thirl_stun_msg *in) {
  thirl_meet_message m;
  if (in->cls != THIRL_STUN_ERROR || thirl_meet_message_decode(in, &m) != THIRL_OK) {
    fail(c, THIRL_E_PROTOCOL);
    return;
  }
  thirl_error e = m.error_code == 401 ? thirl_meet_register_challenge(&c->challenge, &m) : THIRL_E_SERVER;
  if (e == THIRL_OK) set_state(c, THIRL_MEET_CLIENT_EXPECT_REGISTERED);
  if (e == THIRL_OK) e = send_register(c);
  if (e != THIRL_OK) fail(c, e);
}

/* The server may have no keys when it refuses a REGISTER, so a refusal counts without a MAC. */
static void on_register_refused(thirl_meet_client *c, const thirl_stun_msg *in) {
  thirl_meet_message m;
  thirl_error e = thirl_meet_message_decode(in, &m) == THIRL_OK ? THIRL_E_SERVER : THIRL_E_PROTOCOL;
  if (e == THIRL_E_SERVER && m.error_code == 438 && !c->was_stale) {
    c->was_stale = true;
    e = thirl_meet_register_challenge(&c->challenge, &m);
    if (e == THIRL_OK) e = send_register(c);
  }
  if (e != THIRL_OK) fail(c, e);
}

static bool on_registered(thirl_meet_client *c, const thirl_stun_msg *in, thirl_meet_event *ev) {
  thirl_meet_message m;
  thirl_error e = thirl_meet_seal_open(&c->line.seal, in, &m);
  if (e == THIRL_OK && (!m.has_mapped || !m.has_lifetime || m.lifetime_s == 0)) e = THIRL_E_PROTOCOL;
  if (e != THIRL_OK) {
    fail(c, reason_of(e));
    return false;
  }
  set_state(c, THIRL_MEET_CLIENT_REGISTERED);
  set_refresh(c, m.lifetime_s);
  c->refresh_at = thirl_time_after(c->now, c->refresh);
  if (c->standing.is_new) send_update(c);
  ev->kind = THIRL_MEET_REGISTERED;
  ev->mapped = m.mapped;
  ev->rtt = c->line.rtt;
  return is_alive(c);
}

static void on_updated(thirl_meet_client *c, const thirl_stun_msg *in) {
  thirl_meet_message m;
  thirl_error e = thirl_meet_seal_open(&c->line.seal, in, &m);
  if (e != THIRL_OK || in->cls == THIRL_STUN_ERROR) {
    fail(c, e == THIRL_OK ? THIRL_E_SERVER : reason_of(e));
    return;
  }
  if (m.has_lifetime) set_refresh(c, m.lifetime_s);
  if (c->standing.is_new) send_update(c);
}

static thirl_error connect_error(unsigned code) {
  switch (code) {
  case 404:
    return THIRL_E_NO_PEER;
  case 429: /* too many requests */
  case 486: /* quota reached, RFC 8656 */
  case 508: /* insufficient capacity, RFC 8656 */
    return THIRL_E_LIMIT;
  default:
    return THIRL_E_SERVER;
  }
}

/*
 * GO: the same in the answer to a CONNECT and in an OFFER. is_whole: what only the one or the other carries is there. Opens the channel, or ends it at once and
 * says why.
 */
static thirl_error on_go(thirl_meet_client *c, const thirl_meet_message *m, bool is_whole, thirl_meet_event *ev) {
  is_whole = is_whole && m->has_channel && m->has_offer && m->has_fire_in && m->has_credit;
  thirl_error e = is_whole && thirl_meet_offer_decode(m->offer, &ev->offer) == THIRL_OK ? THIRL_OK : THIRL_E_PROTOCOL;
  if (m->has_channel && thirl_meet_channel_find(&c->channels, m->channel)) {
    fail(c, THIRL_E_PROTOCOL); /* the two ends do not mean the same by this number any more */
    return THIRL_E_PROTOCOL;
  }
  if (e == THIRL_OK) e = thirl_meet_channel_add(&c->channels, m->channel, m->credit);
  if (e != THIRL_OK) {
    if (m->has_channel) send_end(c, m->channel, e);
    return e;
  }
  ev->offer_bytes = m->offer;
  memcpy(ev->offer_mac, m->offer_mac, sizeof ev->offer_mac);
  ev->channel = m->channel;
  ev->fire_at = thirl_time_after(c->now, m->fire_in_us);
  ev->rtt = c->line.rtt;
  return THIRL_OK;
}

static bool on_connect_answer(thirl_meet_client *c, const thirl_meet_dial *d, const thirl_stun_msg *in,
                              thirl_meet_event *ev) {
  thirl_meet_message m;
  thirl_error e = thirl_meet_seal_open(&c->line.seal, in, &m);
  if (e == THIRL_OK) {
    e = m.cls == THIRL_STUN_ERROR ? connect_error(m.error_code) : on_go(c, &m, true, ev);
  } else if (is_nonsense(e)) {
    e = THIRL_E_PROTOCOL;
  } else {
    fail(c, e);
    return false;
  }
  ev->kind = e == THIRL_OK ? THIRL_MEET_CONNECTED : THIRL_MEET_NOT_CONNECTED;
  ev->error = e;
  ev->peer = d->peer;
  memcpy(ev->session, d->session, sizeof ev->session);
  return is_alive(c);
}

static bool on_response(thirl_meet_client *c, const thirl_stun_msg *in, thirl_meet_event *ev) {
  thirl_meet_request r; /* its place in the table is free for what the handlers send */
  if (!thirl_meet_line_answer(&c->line, c->now, in, &r)) {
    c->stats.stray++;
    return false;
  }
  bool has_event = false;
  if (in->method != thirl_meet_request_method(r.kind))
    fail(c, THIRL_E_PROTOCOL);
  else if (r.kind == THIRL_MEET_REQUEST_UPDATE)
    on_updated(c, in);
  else if (r.kind == THIRL_MEET_REQUEST_CONNECT && c->state == THIRL_MEET_CLIENT_REGISTERED)
    has_event = on_connect_answer(c, r.dial, in, ev);
  else if (r.kind == THIRL_MEET_REQUEST_CONNECT)
    fail(c, THIRL_E_PROTOCOL); /* answered out of order: nobody is registered yet */
  else if (c->state == THIRL_MEET_CLIENT_EXPECT_CHALLENGE)
    on_challenge(c, in);
  else if (in->cls == THIRL_STUN_ERROR)
    on_register_refused(c, in);
  else
    has_event = on_registered(c, in, ev);
  thirl_meet_request_remove(&r);
  return has_event;
}

/* ---- indications ---- */

static bool on_offer(thirl_meet_client *c, const thirl_meet_message *m, thirl_meet_event *ev) {
  thirl_error e = on_go(c, m, m->has_peer && m->has_session && m->has_offer_mac, ev);
  if (e == THIRL_E_PROTOCOL) c->stats.malformed++;
  if (e != THIRL_OK) return false;
  ev->kind = THIRL_MEET_OFFERED;
  ev->peer = m->peer;
  memcpy(ev->session, m->session, sizeof ev->session);
  return true;
}

static bool on_channel(thirl_meet_client *c, const thirl_meet_message *m, thirl_meet_event *ev) {
  thirl_meet_channel *ch = m->has_channel ? thirl_meet_channel_find(&c->channels, m->channel) : NULL;
  if (!m->has_channel || (!m->has_reason && !m->has_credit)) {
    c->stats.malformed++;
    return false;
  }
  if (!ch) { /* ended here, while the server wrote this */
    c->stats.stray++;
    return false;
  }
  ev->channel = m->channel;
  if (m->has_reason) {
    bool is_known = m->reason > THIRL_OK && m->reason < THIRL_ERROR_COUNT;
    ev->kind = THIRL_MEET_CHANNEL_ENDED;
    ev->error = is_known ? (thirl_error)m->reason : THIRL_E_PEER_CLOSED;
    thirl_meet_channel_remove(&c->channels, m->channel);
    return true;
  }
  thirl_meet_channel_grant(ch, m->credit);
  ev->kind = THIRL_MEET_CHANNEL_ROOM;
  return true;
}

static bool on_indication(thirl_meet_client *c, const thirl_stun_msg *in, thirl_meet_event *ev) {
  thirl_meet_message m;
  if (c->state != THIRL_MEET_CLIENT_REGISTERED) {
    c->stats.unauthenticated++;
    return false;
  }
  thirl_error e = thirl_meet_seal_open(&c->line.seal, in, &m);
  if (e == THIRL_E_INTEGRITY)
    c->stats.unauthenticated++;
  else if (is_nonsense(e))
    c->stats.malformed++;
  else if (e != THIRL_OK)
    fail(c, e);
  if (e != THIRL_OK) return false;
  switch (m.method) {
  case THIRL_STUN_METHOD_THIRL_OFFER:
    return on_offer(c, &m, ev);
  case THIRL_STUN_METHOD_THIRL_CHANNEL:
    return on_channel(c, &m, ev);
  case THIRL_STUN_METHOD_THIRL_DRAIN:
    ev->kind = THIRL_MEET_DRAINING;
    return true;
  default: /* from a later server */
    c->stats.stray++;
    return false;
  }
}

/* ---- packets ---- */

static bool on_channel_data(thirl_meet_client *c, thirl_bytes packet, thirl_meet_event *ev) {
  uint16_t number = thirl_bytes_get_u16(packet.p);
  thirl_bytes payload = {packet.p + THIRL_STUN_CHANNEL_HEADER_LEN, packet.n - THIRL_STUN_CHANNEL_HEADER_LEN};
  if (!thirl_meet_channel_find(&c->channels, number)) {
    c->stats.stray_data++;
    return false;
  }
  if (payload.n == 0) return false;
  ev->kind = THIRL_MEET_CHANNEL_DATA;
  ev->channel = number;
  ev->payload = payload;
  return true;
}

static bool on_packet(thirl_meet_client *c, thirl_bytes packet, thirl_meet_event *ev) {
  thirl_stun_msg in;
  if (thirl_stun_msg_kind(packet) == THIRL_STUN_KIND_CHANNEL) return on_channel_data(c, packet, ev);
  c->stats.received++;
  if (thirl_stun_msg_decode(packet, &in) != THIRL_OK) {
    c->stats.malformed++;
    return false;
  }
  if (in.cls == THIRL_STUN_INDICATION) return on_indication(c, &in, ev);
  if (in.cls != THIRL_STUN_REQUEST) return on_response(c, &in, ev);
  c->stats.stray++; /* a server asks nothing */
  return false;
}

/* ---- the public verbs ---- */

thirl_error thirl_meet_client_new(const thirl_meet_client_config *cfg, thirl_meet_client **out) {
  uint8_t point[THIRL_P256_PUBLIC_LEN];
  thirl_peerid id;
  *out = NULL;
  if (!cfg->key || !cfg->secrets) return THIRL_E_INVALID;
  thirl_p256_get_public(cfg->key, point);
  thirl_error e = thirl_peerid_of_public(THIRL_BYTES(point, sizeof point), &id);
  if (e == THIRL_OK && !thirl_peerid_equal(&id, &cfg->id)) e = THIRL_E_INVALID;
  if (e != THIRL_OK) return e;
  thirl_meet_client *c = calloc(1, sizeof *c);
  if (!c) return THIRL_E_NOMEM;
  c->cfg = *cfg;
  thirl_meet_line_init(&c->line, cfg->secrets, cfg->request_timeout ? cfg->request_timeout : REQUEST_TIMEOUT);
  thirl_stun_stream_init(&c->stream, THIRL_STUN_FRAMING_TURN, PACKET_MAX);
  *out = c;
  return THIRL_OK;
}

void thirl_meet_client_free(thirl_meet_client *c) {
  if (!c) return;
  forget(c);
  thirl_stun_stream_fini(&c->stream);
  thirl_bytes_wipe(c, sizeof *c);
  free(c);
}

void thirl_meet_client_lost(thirl_meet_client *c) {
  forget(c);
  thirl_stun_stream_fini(&c->stream);
  thirl_stun_stream_init(&c->stream, THIRL_STUN_FRAMING_TURN, PACKET_MAX);
  c->challenge = (thirl_meet_challenge){0};
  c->was_stale = c->has_failed = false;
  set_state(c, THIRL_MEET_CLIENT_IDLE);
}

thirl_error thirl_meet_client_connected(thirl_meet_client *c, thirl_time now) {
  thirl_meet_message m = {.has_peer = true, .peer = c->cfg.id};
  if (is_alive(c)) return THIRL_E_STATE;
  set_now(c, now);
  thirl_meet_client_lost(c);
  thirl_error e = thirl_meet_line_request(&c->line, c->now, THIRL_MEET_REQUEST_REGISTER, &m);
  if (e == THIRL_OK) set_state(c, THIRL_MEET_CLIENT_EXPECT_CHALLENGE);
  return e;
}

thirl_error thirl_meet_client_set_standing(thirl_meet_client *c, thirl_time now, const thirl_meet_offer *offer,
                                           const uint8_t (*checks)[THIRL_MEET_CHECK_LEN], size_t n_checks) {
  thirl_error e = thirl_meet_standing_set(&c->standing, offer, checks, n_checks);
  if (e != THIRL_OK) return e;
  set_now(c, now);
  if (c->state == THIRL_MEET_CLIENT_REGISTERED) send_update(c);
  return THIRL_OK;
}

thirl_error thirl_meet_client_connect(thirl_meet_client *c, thirl_time now, const thirl_meet_ticket *ticket,
                                      const uint8_t session[THIRL_MEET_SESSION_ID_LEN], const thirl_meet_offer *offer) {
  thirl_meet_request *r;
  if (!is_alive(c)) return THIRL_E_STATE;
  if (thirl_meet_request_find(&c->line.requests, session)) return THIRL_E_INVALID;
  set_now(c, now);
  thirl_error e = thirl_meet_request_add(&c->line.requests, THIRL_MEET_REQUEST_CONNECT, &r);
  if (e != THIRL_OK) return e;
  e = thirl_meet_request_dial(r, &c->cfg.id, ticket, session, offer);
  if (e == THIRL_OK && c->state != THIRL_MEET_CLIENT_EXPECT_CHALLENGE) e = send_connect(c, r);
  if (e != THIRL_OK) thirl_meet_request_remove(r);
  return e;
}

void thirl_meet_client_end_channel(thirl_meet_client *c, thirl_time now, uint16_t channel, thirl_error reason) {
  set_now(c, now);
  if (thirl_meet_channel_remove(&c->channels, channel)) send_end(c, channel, reason);
}

thirl_error thirl_meet_client_next(thirl_meet_client *c, thirl_time now, thirl_bytes *in, thirl_meet_event *ev) {
  set_now(c, now);
  while (is_alive(c)) {
    thirl_bytes packet;
    thirl_error e = thirl_stun_stream_next(&c->stream, in, &packet);
    if (e == THIRL_E_AGAIN) return e;
    memset(ev, 0, sizeof *ev);
    if (e == THIRL_OK && on_packet(c, packet, ev)) return THIRL_OK;
    if (e != THIRL_OK) fail(c, e);
  }
  in->n = 0;
  if (!c->has_failed) return THIRL_E_AGAIN;
  memset(ev, 0, sizeof *ev);
  ev->kind = THIRL_MEET_FAILED;
  ev->error = c->failure;
  c->has_failed = false;
  return THIRL_OK;
}

void thirl_meet_client_tick(thirl_meet_client *c, thirl_time now) {
  set_now(c, now);
  if (!is_alive(c)) return;
  if (thirl_meet_request_has_expired(&c->line.requests, c->now))
    fail(c, THIRL_E_TIMEOUT);
  else if (c->state == THIRL_MEET_CLIENT_REGISTERED && c->now >= c->refresh_at)
    send_update(c);
}

thirl_time thirl_meet_client_deadline(const thirl_meet_client *c) {
  if (c->has_failed) return c->now;
  thirl_time refresh_at = c->state == THIRL_MEET_CLIENT_REGISTERED ? c->refresh_at : THIRL_NEVER;
  return THIRL_MIN(thirl_meet_request_deadline(&c->line.requests), refresh_at);
}

size_t thirl_meet_client_pull(thirl_meet_client *c, uint8_t *buf, size_t cap) {
  return thirl_meet_line_pull(&c->line, buf, cap);
}

bool thirl_meet_client_has_output(const thirl_meet_client *c) {
  return c->line.out.n != 0;
}

size_t thirl_meet_client_channel_credit(const thirl_meet_client *c, uint16_t channel) {
  const thirl_meet_channel *ch = thirl_meet_channel_get(&c->channels, channel);
  return ch ? ch->credit : 0;
}

void thirl_meet_client_channel_spend(thirl_meet_client *c, uint16_t channel, size_t n) {
  thirl_meet_channel *ch = thirl_meet_channel_find(&c->channels, channel);
  if (!ch) return;
  assert(n <= ch->credit);
  ch->credit -= n;
}

thirl_meet_client_state thirl_meet_client_state_of(const thirl_meet_client *c) {
  return c->state;
}

thirl_time thirl_meet_client_rtt(const thirl_meet_client *c) {
  return c->line.rtt;
}

thirl_meet_client_stats thirl_meet_client_stats_of(const thirl_meet_client *c) {
  thirl_meet_client_stats stats = c->stats;
  stats.sent = c->line.sent;
  return stats;
}
