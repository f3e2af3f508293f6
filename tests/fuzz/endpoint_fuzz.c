/* SPDX-License-Identifier: MIT */
/*
 * Event sequences into the client's machine: what the network, the server and the peers may do to it in any order, with steps of the clock and calls of
 * the application. Some events are the input's bytes as they are, others are valid messages under real keys: registrations, offers with and without
 * a right MAC, checks and their answers with right passwords, a real peer's TLS on a relay channel and on a connection.
 *
 * Held after every step, besides what support/desk.h holds: a session's events begin with INCOMING if others opened it and end with FINISHED or FAILED,
 * and what comes after the end of the input ends all sessions.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/queue.h"
#include "session/streams.h"
#include "stun/writer.h"
#include "support/desk.h"

#define HOLDS(x)                                                                                                       \
  do {                                                                                                                 \
    if (!(x)) {                                                                                                        \
      fprintf(stderr, "endpoint_fuzz: %d: %s\n", __LINE__, #x);                                                        \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

enum { STEPS_MAX = 150, HANDLES_MAX = 512, BYTES_MAX = 512, PUMPS_MAX = 100 };

typedef struct handle {
  bool is_incoming, is_known, is_over;
} handle;

/* A peer with a key of its own on one relay channel or one connection. */
typedef struct ally {
  bool is_there, on_link;
  thirl_session s;
  uint16_t channel;
  thirl_net_id link;
} ally;

typedef struct game {
  thirl_bytes in;
  desk *d;
  thirl_meet_ticket ticket;
  bool has_ticket;
  handle handles[HANDLES_MAX];
  uint32_t last_handle, round;
  ally ally;
} game;

static thirl_secure_identity *ally_identity;
static thirl_secure_tls_context *ally_tls;

static void make_keys(void) {
  uint8_t scalar[THIRL_P256_PRIVATE_LEN] = {3, 9};
  if (ally_identity) return;
  HOLDS(thirl_secure_identity_from_private(scalar, &ally_identity) == THIRL_OK);
  HOLDS(thirl_secure_tls_context_new(ally_identity, &ally_tls) == THIRL_OK);
}

static uint8_t next(game *g) {
  if (!g->in.n) return 0;
  g->in.n--;
  return *g->in.p++;
}

static thirl_bytes take(game *g, size_t n) {
  thirl_bytes b = THIRL_BYTES(g->in.p, THIRL_MIN(n, g->in.n));
  g->in = THIRL_BYTES(g->in.p + b.n, g->in.n - b.n);
  return b;
}

static const uint8_t *session_of(uint8_t i) {
  static uint8_t id[THIRL_MEET_SESSION_ID_LEN] = {9};
  id[1] = i & 3;
  return id;
}

/* ---- the ally ---- */

static void drop_ally(game *g) {
  if (g->ally.is_there) thirl_session_fini(&g->ally.s);
  g->ally = (ally){0};
}

static void on_channel(void *ctx, uint16_t channel, thirl_bytes data) {
  game *g = ctx;
  if (g->ally.is_there && !g->ally.on_link && g->ally.channel == channel)
    (void)thirl_session_relay_input(&g->ally.s, g->d->now, data);
}

static void pump_ally(game *g) {
  static uint8_t buf[8192];
  ally *a = &g->ally;
  for (int i = 0; a->is_there && i < PUMPS_MAX; i++) {
    thirl_session_evaluate(&a->s, g->d->now);
    if (!thirl_session_relay_wants_pull(&a->s)) break;
    size_t n = thirl_session_relay_pull(&a->s, buf + 2, sizeof buf - 2);
    if (!n) break;
    if (!a->on_link) {
      desk_say_data(g->d, a->channel, THIRL_BYTES(buf + 2, n));
      continue;
    }
    desk_conn *c = desk_find(g->d, a->link);
    if (!c || c->state != DESK_OPEN) break;
    thirl_bytes_put_u16(buf, (uint16_t)n);
    desk_data(g->d, c, THIRL_BYTES(buf, n + 2)); /* its answers are not listened to: half a handshake is enough here */
  }
}

static void call_ally(game *g, const uint8_t *session, uint16_t channel, bool is_dialer) {
  static const thirl_session_policy policy = {.window = 32768};
  drop_ally(g);
  g->ally = (ally){.is_there = true, .channel = channel};
  HOLDS(thirl_session_init(&g->ally.s, g->d->now, is_dialer, desk_id(), session, &policy, ally_tls, 1) == THIRL_OK);
  HOLDS(thirl_session_relay_up(&g->ally.s, g->d->now) == THIRL_OK);
}

/* ---- the application ---- */

static void check_events(game *g) {
  desk *d = g->d;
  for (size_t i = 0; i < d->n_events; i++) {
    const thirl_session_endpoint_event *ev = &d->events[i];
    if (ev->kind != THIRL_SESSION_INCOMING && ev->kind != THIRL_SESSION_OF) continue;
    if (ev->handle >= HANDLES_MAX) continue;
    handle *h = &g->handles[ev->handle];
    HOLDS(ev->handle != 0 && !h->is_over);
    if (ev->kind == THIRL_SESSION_INCOMING) HOLDS(!h->is_known);
    if (ev->kind == THIRL_SESSION_INCOMING) h->is_known = h->is_incoming = true;
    HOLDS(h->is_known);
    if (ev->kind == THIRL_SESSION_OF)
      h->is_over = ev->of.kind == THIRL_SESSION_FINISHED || ev->of.kind == THIRL_SESSION_FAILED;
    g->last_handle = ev->handle;
  }
  d->n_events = 0;
}

static void dial(game *g, uint8_t arg) {
  thirl_meet_ticket t = {.host = "h", .port = 1, .secret = {1}};
  thirl_session_policy p = {.window = 32768, .direct_only = arg & 1, .relay_only = arg & 2};
  if (arg & 4) p.lost_after = p.dial_timeout = THIRL_S;
  t.peer = arg & 8 ? *desk_id() : *thirl_secure_identity_peerid(ally_identity);
  uint32_t h = 0;
  if (thirl_session_endpoint_dial(g->d->e, g->d->now, &t, &p, &h) != THIRL_OK) return;
  if (h < HANDLES_MAX) {
    HOLDS(!g->handles[h].is_known);
    g->handles[h].is_known = true;
  }
  g->last_handle = h;
}

static void use_stream(game *g, uint8_t arg) {
  uint32_t h = arg & 64 ? next(g) : g->last_handle;
  uint8_t *p;
  size_t n;
  thirl_bytes v;
  thirl_session_endpoint *e = g->d->e;
  if ((arg & 1) && thirl_session_streams_space(e, h, &p, &n) == THIRL_OK && n) {
    n = THIRL_MIN(n, (size_t)arg * 40);
    memset(p, 'x', n);
    HOLDS(thirl_session_streams_commit(e, g->d->now, h, n) == THIRL_OK);
  }
  if ((arg & 2) && thirl_session_streams_peek(e, h, &v) == THIRL_OK)
    HOLDS(thirl_session_streams_consume(e, g->d->now, h, v.n) == THIRL_OK);
  if (arg & 4) (void)thirl_session_streams_finish(e, g->d->now, h);
  if ((arg & 56) == 56) thirl_session_endpoint_abandon(e, g->d->now, h, (thirl_error)(next(g) % THIRL_ERROR_COUNT));
}

static void listen_or_not(game *g, uint8_t arg) {
  if (arg == 255) {
    thirl_session_endpoint_stop_listening(g->d->e, g->d->now);
    return;
  }
  thirl_meet_ticket t;
  if (thirl_session_endpoint_ticket(g->d->e, g->d->now, "h", 1, &t) != THIRL_OK) return;
  g->ticket = t;
  g->has_ticket = true;
}

/* ---- the server ---- */

static thirl_meet_offer an_offer(game *g, uint8_t arg) {
  thirl_meet_offer o = desk_offer(arg % (THIRL_MEET_CANDIDATES_MAX + 1));
  o.round = arg & 64 ? g->round : ++g->round; /* the one is a replay */
  if (!(arg & 32) || !o.n) return o;
  thirl_meet_candidate *c = &o.candidates[next(g) % o.n];
  uint8_t what = next(g);
  c->type = (thirl_meet_candidate_type)(what & 3);
  c->transport = (thirl_meet_transport)(what >> 2 & 3);
  c->lane = what >> 4;
  c->addr.ip[0] = next(g);
  c->addr.port = (uint16_t)(next(g) * 256);
  c->priority = next(g) * 0x1000000u;
  if (what == 255) o.pwd[4] = 0; /* too short for ICE */
  return o;
}

static void say_offer(game *g, uint8_t arg) {
  thirl_meet_offer o = an_offer(g, next(g));
  thirl_time fire = arg & 4 ? (thirl_time)next(g) * 100 * THIRL_MS : 0;
  uint16_t channel = (uint16_t)(0x4000 + (arg >> 4));
  const thirl_peerid *from = thirl_secure_identity_peerid(ally_identity);
  desk_say_offer(g->d, g->has_ticket && arg & 8 ? &g->ticket : NULL, from, session_of(arg), &o, channel, fire);
  if (arg & 128) call_ally(g, session_of(arg), channel, true);
}

static void say_go(game *g, uint8_t arg) {
  thirl_meet_offer o = an_offer(g, next(g));
  uint16_t channel = (uint16_t)(0x4000 + (arg >> 4));
  if (!g->d->n_connects) return;
  const desk_connect *k = &g->d->connects[(g->d->n_connects - 1) % DESK_CONNECTS_MAX];
  uint8_t session[THIRL_MEET_SESSION_ID_LEN];
  memcpy(session, k->session, sizeof session);
  bool said = desk_say_go(g->d, arg & 3, &o, channel, arg & 4 ? (thirl_time)next(g) * 100 * THIRL_MS : 0);
  if (said && arg & 8 && (arg & 3) == 0) call_ally(g, session, channel, false);
}

/* ---- connections ---- */

static desk_conn *any_conn(game *g, uint8_t arg) {
  desk *d = g->d;
  size_t alive = 0, i;
  for (i = 0; i < d->n_conns; i++)
    alive += d->conns[i].state != DESK_DEAD;
  if (!alive) return NULL;
  size_t which = arg % alive;
  for (i = 0; i < d->n_conns; i++)
    if (d->conns[i].state != DESK_DEAD && which-- == 0) break;
  return &d->conns[i];
}

static void send_bytes(game *g, uint8_t arg) {
  uint8_t framed[BYTES_MAX + 2];
  desk_conn *c = any_conn(g, next(g));
  thirl_bytes b = take(g, 2u * (arg & 127));
  if (!c || !b.n) return;
  if (arg & 128) {
    memcpy(framed + 2, b.p, b.n);
    thirl_bytes_put_u16(framed, (uint16_t)b.n);
    b = THIRL_BYTES(framed, b.n + 2);
  }
  desk_data(g->d, c, b);
}

static void change_conn(game *g, uint8_t arg) {
  static const thirl_error errors[8] = {THIRL_E_REFUSED, THIRL_E_UNREACHABLE, THIRL_E_TIMEOUT,    THIRL_E_RESET,
                                        THIRL_E_IN_USE,  THIRL_E_LIMIT,       THIRL_E_PERMISSION, THIRL_E_IO};
  desk_conn *c = any_conn(g, next(g));
  if (!c) return;
  if (arg & 1)
    desk_connected(g->d, c);
  else if (arg & 2)
    desk_eof(g->d, c);
  else
    desk_fail(g->d, c, errors[arg >> 2 & 7]);
}

/* The credentials that the endpoint has shown last, as a listener or as a dialer. */
static const thirl_meet_offer *shown(const game *g, bool dialed) {
  const desk *d = g->d;
  return dialed && d->n_connects ? &d->connects[(d->n_connects - 1) % DESK_CONNECTS_MAX].offer : &d->standing;
}

static void send_check(game *g, uint8_t arg) {
  uint8_t bytes[BYTES_MAX];
  desk_conn *c = desk_link(g->d, next(g) % 8u);
  const thirl_meet_offer *o = shown(g, arg & 1);
  thirl_meet_offer theirs = desk_offer(0);
  if (!c || !o->ufrag[0]) return;
  size_t n = desk_check(bytes, sizeof bytes, o->ufrag, arg & 2 ? "notthepasswordnotthepass" : o->pwd, theirs.ufrag,
                        arg & 4, arg & 8);
  if (arg & 16) bytes[n - 1 - next(g) % n] ^= next(g);
  thirl_net_id id = c->id;
  desk_data(g->d, c, THIRL_BYTES(bytes, n));
  if (arg & 32 && g->ally.is_there) { /* the path begins on it */
    g->ally.on_link = true;
    g->ally.link = id;
  }
}

/* The answer to the check that it has sent last on this connection. */
static void send_answer(game *g, uint8_t arg) {
  uint8_t bytes[BYTES_MAX];
  thirl_stun_writer w;
  thirl_bytes out;
  thirl_meet_offer theirs = desk_offer(0);
  desk_conn *c = desk_link(g->d, next(g) % 8u);
  if (!c || c->last_n < 2 + THIRL_STUN_HEADER_LEN) return;
  thirl_stun_writer_init(&w, bytes + 2, sizeof bytes - 2, arg & 1 ? THIRL_STUN_ERROR : THIRL_STUN_SUCCESS,
                         THIRL_STUN_METHOD_BINDING, c->last + 2 + 8);
  if (arg & 1)
    thirl_stun_writer_error(&w, arg & 4 ? 487 : 401, "");
  else
    thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &c->local);
  if (!(arg & 2)) thirl_stun_writer_integrity(&w, THIRL_BYTES(theirs.pwd, strlen(theirs.pwd)));
  thirl_stun_writer_fingerprint(&w);
  if (thirl_stun_writer_finish(&w, &out) != THIRL_OK) return;
  thirl_bytes_put_u16(bytes, (uint16_t)out.n);
  desk_data(g->d, c, THIRL_BYTES(bytes, out.n + 2));
}

/* ---- the world ---- */

static void set_world(game *g, uint8_t arg) {
  desk *d = g->d;
  d->server_is_deaf = arg & 1;
  d->server_is_away = arg & 2;
  d->lanes_are_deaf = arg & 4;
  d->is_stalled = arg & 8;
  d->sleeps = arg & 16;
  if (arg & 32) d->mapped.ip[3] = next(g);
  desk_conn *c = desk_control(d);
  if (c && arg & 64) desk_fail(d, c, THIRL_E_RESET);
}

static void pass_time(game *g, uint8_t arg) {
  static const thirl_time steps[8] = {1,           THIRL_MS,     100 * THIRL_MS, THIRL_S,
                                      3 * THIRL_S, 13 * THIRL_S, 31 * THIRL_S,   70 * THIRL_S};
  desk_wait(g->d, steps[arg % 8]);
}

static void accept_one(game *g, uint8_t arg) {
  for (unsigned i = 0; i <= (arg & 128 ? 70u : 0u); i++)
    (void)desk_accept(g->d, thirl_addr_v4(198, 51, 100, arg & 15, (uint16_t)(5000 + i)));
}

static void move(game *g) {
  uint8_t op = next(g), arg = next(g);
  switch (op % 16) {
  case 0:
    (void)thirl_session_endpoint_start(g->d->e, g->d->now, &desk_server, 1);
    break;
  case 1:
    dial(g, arg);
    break;
  case 2:
    listen_or_not(g, arg);
    break;
  case 3:
    say_offer(g, arg);
    break;
  case 4:
    say_go(g, arg);
    break;
  case 5:
    (void)desk_say_refused(g->d, arg & 3, 400 + (arg >> 2));
    break;
  case 6:
    desk_say_end(g->d, (uint16_t)(0x4000 + (arg & 15)), (thirl_error)(next(g) % THIRL_ERROR_COUNT));
    break;
  case 7:
    desk_say_data(g->d, (uint16_t)(0x4000 + (arg & 15)), take(g, next(g)));
    break;
  case 8:
    send_bytes(g, arg);
    break;
  case 9:
    change_conn(g, arg);
    break;
  case 10:
    accept_one(g, arg);
    break;
  case 11:
    send_check(g, arg);
    break;
  case 12:
    send_answer(g, arg);
    break;
  case 13:
    pass_time(g, arg);
    break;
  case 14:
    use_stream(g, arg);
    break;
  default:
    set_world(g, arg);
  }
  desk_settle(g->d);
  pump_ally(g);
  check_events(g);
}

/* When nothing more happens every session ends by itself, and whatever served it is gone. */
static void end(game *g) {
  set_world(g, 0);
  desk_settle(g->d);
  check_events(g);
  for (uint32_t h = 0; h < HANDLES_MAX; h++)
    if (g->handles[h].is_known && !g->handles[h].is_over)
      thirl_session_endpoint_abandon(g->d->e, g->d->now, h, THIRL_E_TIMEOUT);
  desk_settle(g->d);
  desk_wait(g->d, 20 * THIRL_S);
  check_events(g);
  for (uint32_t h = 0; h < HANDLES_MAX; h++)
    HOLDS(!g->handles[h].is_known || g->handles[h].is_over);
  HOLDS(thirl_session_endpoint_is_idle(g->d->e));
  HOLDS(!desk_link(g->d, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  game g = {.in = {data, size}};
  make_keys();
  g.d = desk_new(1, 3, NULL);
  g.d->on_channel = on_channel;
  g.d->ctx = &g;
  for (int i = 0; i < STEPS_MAX && g.in.n; i++)
    move(&g);
  end(&g);
  drop_ally(&g);
  desk_free(g.d);
  return 0;
}
