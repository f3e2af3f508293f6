/* SPDX-License-Identifier: MIT */
#include "support/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/anonymous.h"
#include "session/lanes.h"
#include "session/queue.h"
#include "stun/integrity.h"
#include "stun/writer.h"

#define MUST(x)                                                                                                        \
  do {                                                                                                                 \
    if (!(x)) {                                                                                                        \
      fprintf(stderr, "desk: %s:%d: %s\n", __FILE__, __LINE__, #x);                                                    \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

enum { PULL = 16384 + 64, PULLS_MAX = 64, TURNS_MAX = 200, SPINS_MAX = 3, LIFETIME_S = 90, TICKS_MAX = 100000 };

const thirl_addr desk_server = {.family = THIRL_FAMILY_V4, .port = 3478, .ip = {203, 0, 113, 10}};
static const thirl_addr home = {.family = THIRL_FAMILY_V4, .ip = {192, 168, 1, 10}};
static const uint8_t nonce[8] = "a nonce";

static thirl_secure_identity *identity;
static thirl_p256 *server_key;

static void make_keys(void) {
  uint8_t scalar[THIRL_P256_PRIVATE_LEN] = {3, 1};
  if (identity) return;
  MUST(thirl_secure_identity_from_private(scalar, &identity) == THIRL_OK);
  scalar[1] = 2;
  MUST(thirl_p256_from_private(scalar, &server_key) == THIRL_OK);
}

static void fill(void *ctx, void *out, size_t n) {
  uint8_t *p = out;
  for (size_t i = 0; i < n; i++)
    p[i] = (uint8_t)(thirl_dice_u64(ctx) >> 32);
}

const thirl_peerid *desk_id(void) {
  make_keys();
  return thirl_secure_identity_peerid(identity);
}

desk *desk_new(uint64_t seed, size_t max_incoming, const thirl_session_policy *policy) {
  make_keys();
  desk *d = calloc(1, sizeof *d);
  MUST(d);
  d->conns = calloc(DESK_CONNS_MAX, sizeof *d->conns);
  MUST(d->conns);
  d->now = 1000 * THIRL_S;
  d->next_accepted = THIRL_NET_ID_ACCEPTED;
  d->next_port = 40000;
  d->mapped = thirl_addr_v4(203, 0, 113, 1, 0);
  thirl_dice_seed(&d->dice, seed);
  d->secrets = (thirl_secrets){fill, &d->dice};
  thirl_session_endpoint_config cfg = {.identity = identity, .max_incoming = max_incoming, .secrets = &d->secrets};
  if (policy) cfg.policy = *policy;
  if (!cfg.policy.window) cfg.policy.window = 32768;
  MUST(thirl_session_endpoint_new(&cfg, d->now, &d->e) == THIRL_OK);
  return d;
}

void desk_free(desk *d) {
  thirl_session_endpoint_free(d->e);
  for (size_t i = 0; i < d->n_conns; i++)
    thirl_stun_stream_fini(&d->conns[i].cut);
  free(d->conns);
  free(d);
}

/* ---- connections ---- */

desk_conn *desk_find(desk *d, thirl_net_id id) {
  for (size_t i = d->n_conns; i-- > 0;)
    if (d->conns[i].id == id) return &d->conns[i];
  return NULL;
}

static desk_conn *add(desk *d, thirl_net_id id, desk_state state) {
  MUST(d->n_conns < DESK_CONNS_MAX);
  MUST(id != 0 && !desk_find(d, id));
  desk_conn *c = &d->conns[d->n_conns++];
  *c = (desk_conn){.id = id, .state = state, .born = d->now};
  thirl_stun_stream_init(&c->cut, THIRL_STUN_FRAMING_TURN, 65536);
  return c;
}

static void forget(desk *d, desk_conn *c) {
  if (c->is_control) d->has_keys = false;
  c->state = DESK_DEAD;
  c->writable = c->is_control = false;
  thirl_stun_stream_fini(&c->cut);
}

desk_conn *desk_control(desk *d) {
  for (size_t i = 0; i < d->n_conns; i++)
    if (d->conns[i].is_control) return &d->conns[i];
  return NULL;
}

desk_conn *desk_link(desk *d, size_t i) {
  for (size_t k = 0; k < d->n_conns; k++) {
    desk_conn *c = &d->conns[k];
    bool is_link = !c->is_server && (c->state == DESK_CONNECTING || c->state == DESK_OPEN);
    if (is_link && i-- == 0) return c;
  }
  return NULL;
}

size_t desk_alive(const desk *d, desk_state s) {
  size_t n = 0;
  for (size_t i = 0; i < d->n_conns; i++)
    n += d->conns[i].state == s;
  return n;
}

/* ---- actions ---- */

static void do_connect(desk *d, const thirl_net_action *a) {
  MUST(a->id < THIRL_NET_ID_ACCEPTED);
  desk_conn *c = add(d, a->id, DESK_CONNECTING);
  c->is_server = thirl_addr_equal(&a->remote, &desk_server);
  MUST(c->is_server || thirl_addr_is_probeable(&a->remote));
  MUST(a->local.family == a->remote.family);
  c->remote = a->remote;
  c->local = home;
  c->local.port = a->local.port ? a->local.port : d->next_port++;
  d->n_connecting++;
}

static void do_action(desk *d, const thirl_net_action *a) {
  desk_conn *c = desk_find(d, a->id);
  switch (a->verb) {
  case THIRL_NET_CONNECT:
    MUST(!c);
    do_connect(d, a);
    break;
  case THIRL_NET_LISTEN:
    MUST(!c && a->id < THIRL_NET_ID_ACCEPTED);
    c = add(d, a->id, DESK_LISTENING);
    c->local = home;
    c->local.port = a->local.port;
    MUST(c->local.port != 0);
    break;
  case THIRL_NET_WRITE:
    MUST(c && c->state == DESK_OPEN);
    c->writable = true;
    break;
  case THIRL_NET_CLOSE:
    MUST(c && c->state == DESK_OPEN);
    forget(d, c);
    break;
  case THIRL_NET_ABORT:
    MUST(c && c->state != DESK_DEAD);
    forget(d, c);
    break;
  default:
    MUST(false); /* UDP */
  }
}

static void drain(desk *d) {
  thirl_net_action a;
  while (thirl_session_endpoint_poll(d->e, d->now, &a))
    do_action(d, &a);
}

static void check_limits(const desk *d) {
  size_t links = 0, doors = 0, servers = 0;
  for (size_t i = 0; i < d->n_conns; i++) {
    const desk_conn *c = &d->conns[i];
    if (c->state == DESK_DEAD || c->state == DESK_LISTENING) continue;
    if (c->is_server)
      servers++;
    else if (c->id >= THIRL_NET_ID_ACCEPTED)
      doors++;
    else
      links++;
  }
  MUST(servers <= THIRL_SESSION_LANES);
  MUST(links + doors <= THIRL_SESSION_LINKS_MAX + THIRL_SESSION_DOORS_MAX);
  MUST(desk_alive(d, DESK_LISTENING) <= THIRL_SESSION_LANES);
}

static void feed(desk *d, const thirl_net_event *ev) {
  thirl_session_endpoint_input(d->e, d->now, ev);
  drain(d);
  check_limits(d);
}

/* ---- the server's ears ---- */

static void send_to(desk *d, desk_conn *c, const void *p, size_t n) {
  if (c->state == DESK_OPEN)
    feed(d, &(thirl_net_event){.kind = THIRL_NET_DATA, .id = c->id, .payload = THIRL_BYTES(p, n)});
}

static void say_on(desk *d, desk_conn *c, thirl_meet_message m) {
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX];
  size_t n;
  if (d->has_keys) {
    m.has_counter = true;
    m.counter = ++d->sent;
  }
  MUST(thirl_meet_message_encode(&m, d->has_keys ? d->keys.to_client : NULL, bytes, sizeof bytes, &n) == THIRL_OK);
  send_to(d, c, bytes, n);
}

void desk_say(desk *d, thirl_meet_message m) {
  desk_conn *c = desk_control(d);
  if (c && d->has_keys) say_on(d, c, m);
}

static thirl_meet_message answer(const thirl_meet_message *to, thirl_stun_class cls) {
  thirl_meet_message m = {.cls = cls, .method = to->method};
  memcpy(m.tid, to->tid, sizeof m.tid);
  return m;
}

static thirl_addr seen(const desk *d, const desk_conn *c) {
  return thirl_addr_with_port(d->mapped, c->local.port);
}

static void keep_standing(desk *d, const thirl_meet_message *m) {
  if (m->has_offer && m->offer.n == 0) memset(&d->standing, 0, sizeof d->standing);
  if (m->has_offer && m->offer.n) MUST(thirl_meet_offer_decode(m->offer, &d->standing) == THIRL_OK);
  if (m->has_checks) d->n_checks = m->n_checks;
}

static void on_register(desk *d, desk_conn *c, const thirl_stun_msg *in, const thirl_meet_message *m) {
  thirl_meet_message a = answer(m, THIRL_STUN_ERROR);
  c->is_control = true;
  if (!m->has_ephemeral) {
    d->has_keys = false;
    a.error_code = 401;
    a.nonce = THIRL_BYTES(nonce, sizeof nonce);
    a.has_ephemeral = true;
    thirl_p256_get_public(server_key, a.ephemeral);
    say_on(d, c, a);
    return;
  }
  thirl_p256 *theirs;
  MUST(thirl_p256_from_public(m->ephemeral, &theirs) == THIRL_OK);
  MUST(thirl_meet_message_keys(server_key, theirs, THIRL_BYTES(nonce, sizeof nonce), desk_id(), &d->keys) == THIRL_OK);
  thirl_p256_free(theirs);
  MUST(thirl_stun_integrity_check256(in, THIRL_BYTES(d->keys.to_server, sizeof d->keys.to_server)) == THIRL_OK);
  d->has_keys = true;
  d->sent = 0;
  d->received = m->counter;
  d->n_registers++;
  d->standing = (thirl_meet_offer){0};
  d->n_checks = 0;
  keep_standing(d, m);
  a.cls = THIRL_STUN_SUCCESS;
  a.has_mapped = a.has_lifetime = true;
  a.mapped = seen(d, c);
  a.lifetime_s = LIFETIME_S;
  say_on(d, c, a);
}

static void on_connect(desk *d, const thirl_meet_message *m) {
  desk_connect *k = &d->connects[d->n_connects++ % DESK_CONNECTS_MAX];
  *k = (desk_connect){.peer = m->peer, .at = d->now};
  memcpy(k->tid, m->tid, sizeof k->tid);
  memcpy(k->session, m->session, sizeof k->session);
  MUST(m->has_offer && thirl_meet_offer_decode(m->offer, &k->offer) == THIRL_OK);
}

static void on_keyed(desk *d, desk_conn *c, const thirl_stun_msg *in, const thirl_meet_message *m) {
  MUST(thirl_stun_integrity_check256(in, THIRL_BYTES(d->keys.to_server, sizeof d->keys.to_server)) == THIRL_OK);
  MUST(m->has_counter && m->counter > d->received); /* a deaf server has missed some */
  d->received = m->counter;
  if (m->method == THIRL_STUN_METHOD_THIRL_UPDATE) {
    d->n_updates++;
    keep_standing(d, m);
    say_on(d, c, answer(m, THIRL_STUN_SUCCESS));
  } else if (m->method == THIRL_STUN_METHOD_THIRL_CONNECT) {
    on_connect(d, m);
  } else if (m->method == THIRL_STUN_METHOD_THIRL_CHANNEL) {
    MUST(m->has_channel && m->has_reason);
    d->n_channel_ends++;
    d->ended_channel = m->channel;
    d->ended_why = (thirl_error)m->reason;
  } else {
    MUST(false);
  }
}

static void on_binding(desk *d, desk_conn *c, const thirl_stun_msg *in) {
  uint8_t bytes[64];
  thirl_stun_writer w;
  thirl_bytes out;
  thirl_addr mapped = seen(d, c);
  d->n_bindings++;
  if (d->lanes_are_deaf) return;
  thirl_stun_writer_init(&w, bytes, sizeof bytes, THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_BINDING, in->tid);
  thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &mapped);
  MUST(thirl_stun_writer_finish(&w, &out) == THIRL_OK);
  send_to(d, c, out.p, out.n);
}

static void on_server_packet(desk *d, desk_conn *c, thirl_bytes packet) {
  thirl_stun_msg in;
  thirl_meet_message m;
  if (thirl_stun_msg_kind(packet) == THIRL_STUN_KIND_CHANNEL) {
    MUST(packet.n > THIRL_STUN_CHANNEL_HEADER_LEN);
    thirl_bytes data = THIRL_BYTES(packet.p + THIRL_STUN_CHANNEL_HEADER_LEN, packet.n - THIRL_STUN_CHANNEL_HEADER_LEN);
    if (d->on_channel) d->on_channel(d->ctx, thirl_bytes_get_u16(packet.p), data);
    return;
  }
  MUST(thirl_stun_msg_decode(packet, &in) == THIRL_OK);
  if (in.method == THIRL_STUN_METHOD_BINDING) {
    on_binding(d, c, &in);
    return;
  }
  MUST(thirl_meet_message_decode(&in, &m) == THIRL_OK);
  if (d->server_is_deaf) return;
  if (m.method == THIRL_STUN_METHOD_THIRL_REGISTER)
    on_register(d, c, &in, &m);
  else
    on_keyed(d, c, &in, &m);
}

static void hear(desk *d, desk_conn *c, thirl_bytes in) {
  thirl_net_id id = c->id;
  thirl_bytes packet;
  uint8_t copy[THIRL_MEET_MESSAGE_MAX + 65536];
  c->bytes_out += in.n;
  if (!c->is_server) {
    c->last_n = THIRL_MIN(in.n, sizeof c->last);
    memcpy(c->last, in.p + in.n - c->last_n, c->last_n);
    return;
  }
  while (c && c->state == DESK_OPEN && thirl_stun_stream_next(&c->cut, &in, &packet) == THIRL_OK) {
    MUST(packet.n <= sizeof copy); /* the connection may die of our answer */
    memcpy(copy, packet.p, packet.n);
    on_server_packet(d, c, THIRL_BYTES(copy, packet.n));
    c = desk_find(d, id);
  }
}

/* ---- turns ---- */

static bool pull_all(desk *d) {
  static uint8_t buf[PULL];
  bool did = false;
  for (size_t i = 0; i < d->n_conns; i++) {
    for (int k = 0; d->conns[i].writable; k++) {
      MUST(k < PULLS_MAX);
      thirl_net_id id = d->conns[i].id;
      size_t n = thirl_session_endpoint_pull(d->e, d->now, id, buf, sizeof buf);
      MUST(n <= sizeof buf);
      if (n == 0) d->conns[i].writable = false; /* a WRITE that is polled now is a new one */
      d->n_pulls++;
      did = did || n;
      drain(d);
      if (n && d->conns[i].state == DESK_OPEN) hear(d, &d->conns[i], THIRL_BYTES(buf, n));
    }
  }
  return did;
}

static void take_events(desk *d) {
  thirl_session_endpoint_event ev;
  while (!d->sleeps && thirl_session_endpoint_next_event(d->e, &ev)) {
    if (d->n_events == DESK_EVENTS_MAX) memmove(d->events, d->events + 1, --d->n_events * sizeof *d->events);
    d->events[d->n_events++] = ev;
  }
  drain(d);
}

static void pull_until_quiet(desk *d) {
  drain(d);
  if (d->is_stalled) return;
  int turns = 0;
  do {
    pull_all(d);
    MUST(turns++ < TURNS_MAX);
    bool more = false;
    for (size_t i = 0; i < d->n_conns; i++)
      more = more || d->conns[i].writable;
    if (!more) break;
  } while (true);
}

static void open_server_connections(desk *d) {
  if (d->server_is_away) return;
  for (size_t i = 0; i < d->n_conns; i++)
    if (d->conns[i].is_server && d->conns[i].state == DESK_CONNECTING) desk_connected(d, &d->conns[i]);
}

void desk_settle(desk *d) {
  pull_until_quiet(d);
  open_server_connections(d);
  take_events(d);
  for (int spins = 0; thirl_session_endpoint_deadline(d->e) <= d->now; spins++) {
    MUST(spins < SPINS_MAX); /* a busy loop */
    feed(d, &(thirl_net_event){.kind = THIRL_NET_TICK});
    pull_until_quiet(d);
    open_server_connections(d);
    take_events(d);
  }
}

void desk_input(desk *d, const thirl_net_event *ev) {
  feed(d, ev);
  desk_settle(d);
}

void desk_wait(desk *d, thirl_time t) {
  thirl_time until = d->now + t;
  for (int i = 0;; i++) {
    thirl_time next = thirl_session_endpoint_deadline(d->e);
    MUST(i < TICKS_MAX);
    if (next > until) break;
    d->now = THIRL_MAX(d->now, next);
    desk_input(d, &(thirl_net_event){.kind = THIRL_NET_TICK});
  }
  d->now = until;
}

void desk_start(desk *d) {
  MUST(thirl_session_endpoint_start(d->e, d->now, &desk_server, 1) == THIRL_OK);
  desk_settle(d);
}

void desk_register(desk *d) {
  desk_start(d);
  desk_wait(d, 10 * THIRL_MS);
  MUST(d->has_keys && d->n_registers == 1);
}

/* ---- what happens on the network ---- */

void desk_connected(desk *d, desk_conn *c) {
  if (c->state != DESK_CONNECTING) return;
  c->state = DESK_OPEN;
  feed(d, &(thirl_net_event){.kind = THIRL_NET_CONNECTED, .id = c->id, .local = c->local, .remote = c->remote});
  pull_until_quiet(d);
}

void desk_fail(desk *d, desk_conn *c, thirl_error why) {
  thirl_net_id id = c->id;
  if (c->state == DESK_DEAD) return;
  forget(d, c);
  desk_input(d, &(thirl_net_event){.kind = THIRL_NET_FAILED, .id = id, .error = why});
}

void desk_eof(desk *d, desk_conn *c) {
  if (c->state == DESK_OPEN) desk_input(d, &(thirl_net_event){.kind = THIRL_NET_EOF, .id = c->id});
}

void desk_data(desk *d, desk_conn *c, thirl_bytes b) {
  if (c->state == DESK_OPEN) desk_input(d, &(thirl_net_event){.kind = THIRL_NET_DATA, .id = c->id, .payload = b});
}

desk_conn *desk_accept(desk *d, thirl_addr from) {
  for (size_t i = 0; i < d->n_conns; i++) {
    const desk_conn *l = &d->conns[i];
    if (l->state != DESK_LISTENING) continue;
    thirl_net_id listener = l->id;
    thirl_addr local = l->local;
    desk_conn *c = add(d, d->next_accepted++, DESK_OPEN);
    c->local = local;
    c->remote = from;
    desk_input(d, &(thirl_net_event){
                      .kind = THIRL_NET_ACCEPTED, .id = c->id, .listener = listener, .local = local, .remote = from});
    return c;
  }
  return NULL;
}

/* ---- the server's words ---- */

void desk_say_data(desk *d, uint16_t channel, thirl_bytes b) {
  desk_conn *c = desk_control(d);
  static const uint8_t zeroes[4];
  while (c && c->state == DESK_OPEN && b.n) {
    uint8_t header[THIRL_STUN_CHANNEL_HEADER_LEN];
    size_t n = THIRL_MIN(b.n, (size_t)THIRL_MEET_DATA_MAX);
    thirl_stun_stream_put_channel(header, channel, (uint16_t)n);
    send_to(d, c, header, sizeof header);
    send_to(d, c, b.p, n);
    if (n % 4) send_to(d, c, zeroes, 4 - n % 4);
    b = THIRL_BYTES(b.p + n, b.n - n);
  }
  desk_settle(d);
}

void desk_say_end(desk *d, uint16_t channel, thirl_error why) {
  desk_say(d, (thirl_meet_message){.cls = THIRL_STUN_INDICATION,
                                   .method = THIRL_STUN_METHOD_THIRL_CHANNEL,
                                   .has_channel = true,
                                   .channel = channel,
                                   .has_reason = true,
                                   .reason = (uint32_t)why});
  desk_settle(d);
}

static void put_go(thirl_meet_message *m, thirl_bytes offer, uint16_t channel, thirl_time fire_in) {
  m->has_offer = m->has_channel = m->has_fire_in = m->has_credit = true;
  m->offer = offer;
  m->channel = channel;
  m->fire_in_us = (uint32_t)fire_in;
  m->credit = DESK_CREDIT;
}

void desk_say_offer(desk *d, const thirl_meet_ticket *t, const thirl_peerid *from, const uint8_t *session,
                    const thirl_meet_offer *o, uint16_t channel, thirl_time fire_in) {
  uint8_t bytes[THIRL_MEET_OFFER_MAX];
  size_t n;
  thirl_meet_message m = {.cls = THIRL_STUN_INDICATION, .method = THIRL_STUN_METHOD_THIRL_OFFER};
  if (thirl_meet_offer_encode(o, bytes, sizeof bytes, &n) != THIRL_OK) return;
  put_go(&m, THIRL_BYTES(bytes, n), channel, fire_in);
  m.has_peer = m.has_session = m.has_offer_mac = true;
  m.peer = *from;
  memcpy(m.session, session, sizeof m.session);
  if (t) {
    thirl_bytes id = THIRL_BYTES(session, THIRL_MEET_SESSION_ID_LEN);
    MUST(thirl_meet_ticket_mac(t, from, id, m.offer, m.offer_mac) == THIRL_OK);
  }
  desk_say(d, m);
  desk_settle(d);
}

static desk_connect *connect_at(desk *d, size_t i) {
  if (i >= d->n_connects || i >= DESK_CONNECTS_MAX) return NULL;
  desk_connect *k = &d->connects[(d->n_connects - 1 - i) % DESK_CONNECTS_MAX];
  if (k->answered || !d->has_keys) return NULL;
  k->answered = true;
  return k;
}

bool desk_say_go(desk *d, size_t i, const thirl_meet_offer *o, uint16_t channel, thirl_time fire_in) {
  uint8_t bytes[THIRL_MEET_OFFER_MAX];
  size_t n;
  desk_connect *k = connect_at(d, i);
  if (!k || thirl_meet_offer_encode(o, bytes, sizeof bytes, &n) != THIRL_OK) return false;
  thirl_meet_message m = {.cls = THIRL_STUN_SUCCESS, .method = THIRL_STUN_METHOD_THIRL_CONNECT};
  memcpy(m.tid, k->tid, sizeof m.tid);
  put_go(&m, THIRL_BYTES(bytes, n), channel, fire_in);
  desk_say(d, m);
  desk_settle(d);
  return true;
}

bool desk_say_refused(desk *d, size_t i, unsigned code) {
  desk_connect *k = connect_at(d, i);
  if (!k) return false;
  thirl_meet_message m = {.cls = THIRL_STUN_ERROR, .method = THIRL_STUN_METHOD_THIRL_CONNECT, .error_code = code};
  memcpy(m.tid, k->tid, sizeof m.tid);
  desk_say(d, m);
  desk_settle(d);
  return true;
}

/* ---- peers ---- */

thirl_meet_offer desk_offer(size_t n) {
  thirl_meet_offer o = {.round = 1, .ufrag = "theirufr", .pwd = "theirpasswordtheirpasswo", .n = n};
  for (size_t i = 0; i < n && i < THIRL_MEET_CANDIDATES_MAX; i++)
    o.candidates[i] = (thirl_meet_candidate){.type = THIRL_MEET_SRFLX,
                                             .transport = THIRL_MEET_TCP_SO,
                                             .lane = (uint8_t)(i % THIRL_SESSION_LANES),
                                             .addr = thirl_addr_v4(198, 51, 100, (uint8_t)(i + 1), 5000),
                                             .priority = 1000 + (uint32_t)i,
                                             .foundation = 1 + (uint32_t)i};
  return o;
}

size_t desk_check(uint8_t *out, size_t cap, const char *ufrag, const char *pwd, const char *from, bool nominate,
                  bool controlling) {
  static uint8_t tid[THIRL_STUN_TID_LEN] = {1};
  char username[2 * THIRL_MEET_UFRAG_MAX + 2];
  thirl_stun_writer w;
  thirl_bytes msg;
  tid[11]++;
  int len = snprintf(username, sizeof username, "%s:%s", ufrag, from);
  thirl_stun_writer_init(&w, out + 2, cap - 2, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, tid);
  thirl_stun_writer_bytes(&w, THIRL_STUN_ATTR_USERNAME, THIRL_BYTES(username, (size_t)len));
  thirl_stun_writer_u32(&w, THIRL_STUN_ATTR_PRIORITY, 77777);
  thirl_stun_writer_u64(&w, controlling ? THIRL_STUN_ATTR_ICE_CONTROLLING : THIRL_STUN_ATTR_ICE_CONTROLLED, 1);
  if (nominate) thirl_stun_writer_flag(&w, THIRL_STUN_ATTR_USE_CANDIDATE);
  thirl_stun_writer_integrity(&w, THIRL_BYTES(pwd, strlen(pwd)));
  thirl_stun_writer_fingerprint(&w);
  MUST(thirl_stun_writer_finish(&w, &msg) == THIRL_OK);
  thirl_bytes_put_u16(out, (uint16_t)msg.n);
  return msg.n + 2;
}

/* ---- events ---- */

const thirl_session_endpoint_event *desk_event(const desk *d, thirl_session_endpoint_event_kind kind,
                                               thirl_session_event_kind of, size_t i) {
  for (size_t k = 0; k < d->n_events; k++) {
    const thirl_session_endpoint_event *ev = &d->events[k];
    if (ev->kind != kind || (kind == THIRL_SESSION_OF && ev->of.kind != of)) continue;
    if (i-- == 0) return ev;
  }
  return NULL;
}

size_t desk_count(const desk *d, thirl_session_endpoint_event_kind kind, thirl_session_event_kind of) {
  size_t n = 0;
  while (desk_event(d, kind, of, n))
    n++;
  return n;
}
