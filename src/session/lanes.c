/* SPDX-License-Identifier: MIT */
#include "session/lanes.h"

#include <string.h>

#include "ice/candidate.h"
#include "stun/msg.h"
#include "stun/writer.h"

#define PATIENCE        (1 * THIRL_S) /* how long an offer waits for lanes that are not mapped */
#define KEEPALIVE       (25 * THIRL_S)
#define ANSWER          (10 * THIRL_S)
#define CONNECT_TIMEOUT (10 * THIRL_S) /* the kernel would try for two minutes, at ever longer intervals */
#define LATE            (3 * THIRL_S)  /* in which the kernel has repeated a SYN three times */
#define RETRY           (500 * THIRL_MS)
#define RETRY_MAX       (30 * THIRL_S)

enum { OTHER_PREF_MAX = 8191 }; /* RFC 6544 section 4.2: 13 bits */

void thirl_session_lanes_init(thirl_session_lanes *l, const thirl_secrets *secrets, uint64_t dice_seed) {
  memset(l, 0, sizeof *l);
  thirl_dice_seed(&l->dice, dice_seed);
  l->secrets = secrets;
  l->started = THIRL_NEVER;
  for (int i = 0; i < THIRL_SESSION_LANES; i++) {
    l->lane[i].next = l->lane[i].asked_at = THIRL_NEVER;
    thirl_stun_stream_init(&l->lane[i].cut, THIRL_STUN_FRAMING_TURN, THIRL_STUN_MSG_MAX);
  }
}

void thirl_session_lanes_fini(thirl_session_lanes *l) {
  for (int i = 0; i < THIRL_SESSION_LANES; i++)
    thirl_stun_stream_fini(&l->lane[i].cut);
}

static void listen_on(thirl_session_lane *k, thirl_session_queue *q) {
  if (k->listener) return;
  k->listener = thirl_session_queue_new_id(q);
  thirl_addr any = thirl_addr_any((thirl_family)k->local.family, k->local.port);
  thirl_session_queue_add(q, (thirl_net_action){.verb = THIRL_NET_LISTEN, .id = k->listener, .local = any});
}

static void connect_lane(thirl_session_lanes *l, thirl_session_lane *k, thirl_time now, thirl_session_queue *q) {
  thirl_addr from = thirl_addr_any((thirl_family)l->server.family, k->local.port);
  k->conn = thirl_session_queue_new_id(q);
  k->state = THIRL_SESSION_LANE_CONNECTING;
  k->next = now + CONNECT_TIMEOUT;
  k->asked_at = THIRL_NEVER;
  k->write_due = false;
  thirl_stun_stream_fini(&k->cut);
  thirl_stun_stream_init(&k->cut, THIRL_STUN_FRAMING_TURN, THIRL_STUN_MSG_MAX);
  thirl_session_queue_connect(q, k->conn, &from, &l->server);
}

static void forget_port(thirl_session_lane *k, thirl_session_queue *q) {
  if (k->listener) thirl_session_queue_abort(q, k->listener);
  k->listener = 0;
  memset(&k->local, 0, sizeof k->local);
}

/* With half jitter: a server that comes back is not met by all its clients at once. */
static void lose_conn(thirl_session_lanes *l, thirl_session_lane *k, thirl_time now) {
  unsigned doublings = THIRL_MIN(k->failures, 6u);
  thirl_time bound = THIRL_MIN(RETRY << doublings, RETRY_MAX);
  k->failures++;
  k->conn = 0;
  k->state = THIRL_SESSION_LANE_OFF;
  k->asked_at = THIRL_NEVER;
  memset(&k->mapped, 0, sizeof k->mapped);
  k->next = now + bound / 2 + thirl_dice_below(&l->dice, bound / 2 + 1);
}

void thirl_session_lanes_start(thirl_session_lanes *l, thirl_time now, const thirl_addr *server,
                               thirl_session_queue *q) {
  l->server = *server;
  l->started = now;
  for (int i = 1; i < THIRL_SESSION_LANES; i++)
    if (l->lane[i].state == THIRL_SESSION_LANE_OFF) connect_lane(l, &l->lane[i], now, q);
}

void thirl_session_lanes_hurry(thirl_session_lanes *l, thirl_time now, const thirl_addr *server,
                               thirl_session_queue *q) {
  bool all_mapped = true;
  l->server = *server;
  if (l->started == THIRL_NEVER) return;
  for (int i = 1; i < THIRL_SESSION_LANES; i++) {
    thirl_session_lane *k = &l->lane[i];
    bool is_late = k->state == THIRL_SESSION_LANE_CONNECTING && k->next <= now + CONNECT_TIMEOUT - LATE;
    if (is_late) thirl_session_queue_abort(q, k->conn);
    if (is_late || k->state == THIRL_SESSION_LANE_OFF) connect_lane(l, k, now, q);
    all_mapped = all_mapped && k->state == THIRL_SESSION_LANE_MAPPED;
  }
  if (!all_mapped) l->started = now;
}

void thirl_session_lanes_stop(thirl_session_lanes *l, thirl_session_queue *q) {
  for (int i = 0; i < THIRL_SESSION_LANES; i++) {
    thirl_session_lane *k = &l->lane[i];
    if (k->conn) thirl_session_queue_abort(q, k->conn);
    k->conn = 0;
    forget_port(k, q);
    memset(&k->mapped, 0, sizeof k->mapped);
    k->state = THIRL_SESSION_LANE_OFF;
    k->next = k->asked_at = THIRL_NEVER;
  }
  l->started = THIRL_NEVER;
}

void thirl_session_lanes_control(thirl_session_lanes *l, const thirl_addr *local, const thirl_addr *mapped,
                                 thirl_session_queue *q) {
  thirl_session_lane *k = &l->lane[0];
  if (k->listener && k->local.port != local->port) forget_port(k, q);
  k->local = *local;
  k->mapped = *mapped;
  k->state = thirl_addr_is_set(mapped) ? THIRL_SESSION_LANE_MAPPED : THIRL_SESSION_LANE_EXPECT_MAPPED;
  listen_on(k, q);
}

static thirl_session_lane *lane_of(thirl_session_lanes *l, thirl_net_id id) {
  for (int i = 0; id && i < THIRL_SESSION_LANES; i++)
    if (l->lane[i].conn == id || l->lane[i].listener == id) return &l->lane[i];
  return NULL;
}

bool thirl_session_lanes_owns(const thirl_session_lanes *l, thirl_net_id id) {
  for (int i = 0; id && i < THIRL_SESSION_LANES; i++)
    if (l->lane[i].conn == id || l->lane[i].listener == id) return true;
  return false;
}

static void ask(thirl_session_lanes *l, thirl_session_lane *k, thirl_time now, thirl_session_queue *q) {
  thirl_secrets_fill(l->secrets, k->tid, sizeof k->tid);
  k->asked_at = now;
  k->next = THIRL_NEVER;
  k->write_due = true;
  thirl_session_queue_write(q, k->conn);
}

bool thirl_session_lanes_ask(thirl_session_lanes *l, thirl_time now, int lane, thirl_session_queue *q) {
  thirl_session_lane *k = &l->lane[lane];
  if (k->state != THIRL_SESSION_LANE_MAPPED || !k->conn || k->asked_at != THIRL_NEVER) return false;
  ask(l, k, now, q);
  return true;
}

/* Another address of the server, or at least another port of this one. Whoever writes here makes us connect to that place at most once. */
static void take_other(thirl_session_lanes *l, thirl_session_lane *k, const thirl_stun_msg *m) {
  thirl_addr other;
  uint16_t port;
  k->other = (thirl_addr){0};
  bool has_other = thirl_stun_msg_get_addr(m, THIRL_STUN_ATTR_OTHER_ADDRESS, &other) == THIRL_OK;
  if (!has_other && thirl_stun_msg_get_u16(m, THIRL_STUN_ATTR_THIRL_OTHER_PORT, &port) == THIRL_OK)
    other = thirl_addr_with_port(l->server, port);
  else if (!has_other)
    return;
  if (other.family != l->server.family || !thirl_addr_is_probeable(&other) || thirl_addr_equal(&other, &l->server))
    return;
  k->other = other;
  k->other_is_port = thirl_addr_same_ip(&other, &l->server);
}

static void take_packet(thirl_session_lanes *l, thirl_session_lane *k, thirl_time now, thirl_bytes packet) {
  thirl_stun_msg m;
  thirl_addr mapped;
  if (k->asked_at == THIRL_NEVER || thirl_stun_msg_decode(packet, &m) != THIRL_OK) return;
  if (m.cls != THIRL_STUN_SUCCESS || m.method != THIRL_STUN_METHOD_BINDING || !thirl_stun_msg_same_tid(&m, k->tid))
    return;
  if (thirl_stun_msg_get_xor_addr(&m, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &mapped) != THIRL_OK) return;
  if (!thirl_addr_equal(&k->offered, &mapped)) l->has_news = true;
  k->mapped = k->offered = mapped;
  k->state = THIRL_SESSION_LANE_MAPPED;
  k->asked_at = THIRL_NEVER;
  k->next = now + KEEPALIVE;
  k->failures = 0;
  k->answers++;
  take_other(l, k, &m);
}

static void take_data(thirl_session_lanes *l, thirl_session_lane *k, thirl_time now, thirl_bytes in,
                      thirl_session_queue *q) {
  for (;;) {
    thirl_bytes packet;
    thirl_error e = thirl_stun_stream_next(&k->cut, &in, &packet);
    if (e == THIRL_E_AGAIN) return;
    if (e != THIRL_OK) {
      thirl_session_queue_abort(q, k->conn);
      lose_conn(l, k, now);
      return;
    }
    take_packet(l, k, now, packet);
  }
}

bool thirl_session_lanes_input(thirl_session_lanes *l, thirl_time now, const thirl_net_event *ev,
                               thirl_session_queue *q) {
  if (ev->kind == THIRL_NET_ACCEPTED) return false;
  thirl_session_lane *k = lane_of(l, ev->id);
  if (!k) return false;
  if (ev->id == k->listener) {
    if (ev->kind == THIRL_NET_FAILED)
      k->listener = 0; /* punching goes on without it: a SYN_SENT socket does most of the work */
    return true;
  }
  switch (ev->kind) {
  case THIRL_NET_CONNECTED:
    if (k->listener && k->local.port != ev->local.port) forget_port(k, q);
    k->local = ev->local;
    k->state = THIRL_SESSION_LANE_EXPECT_MAPPED;
    listen_on(k, q);
    ask(l, k, now, q);
    break;
  case THIRL_NET_DATA:
    take_data(l, k, now, ev->payload, q);
    break;
  case THIRL_NET_FAILED:
    if (ev->error == THIRL_E_IN_USE) forget_port(k, q);
    lose_conn(l, k, now);
    break;
  case THIRL_NET_EOF:
    thirl_session_queue_abort(q, k->conn);
    lose_conn(l, k, now);
    break;
  default:
    break;
  }
  return true;
}

void thirl_session_lanes_tick(thirl_session_lanes *l, thirl_time now, thirl_session_queue *q) {
  if (l->started == THIRL_NEVER) return;
  for (int i = 1; i < THIRL_SESSION_LANES; i++) {
    thirl_session_lane *k = &l->lane[i];
    bool no_answer = k->asked_at != THIRL_NEVER && now >= k->asked_at + ANSWER;
    if (no_answer || (k->state == THIRL_SESSION_LANE_CONNECTING && now >= k->next)) {
      thirl_session_queue_abort(q, k->conn);
      lose_conn(l, k, now);
    }
    if (now < k->next) continue;
    if (k->state == THIRL_SESSION_LANE_OFF)
      connect_lane(l, k, now, q);
    else if (k->state == THIRL_SESSION_LANE_MAPPED)
      ask(l, k, now, q);
  }
}

thirl_time thirl_session_lanes_deadline(const thirl_session_lanes *l) {
  thirl_time t = THIRL_NEVER;
  if (l->started == THIRL_NEVER) return t;
  for (int i = 1; i < THIRL_SESSION_LANES; i++) {
    const thirl_session_lane *k = &l->lane[i];
    t = THIRL_MIN(t, k->next);
    if (k->asked_at != THIRL_NEVER) t = THIRL_MIN(t, k->asked_at + ANSWER);
  }
  return t;
}

size_t thirl_session_lanes_pull(thirl_session_lanes *l, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  thirl_session_lane *k = lane_of(l, id);
  (void)now;
  if (!k || !k->write_due) return 0;
  k->write_due = false;
  thirl_stun_writer w;
  thirl_bytes out;
  thirl_stun_writer_init(&w, buf, cap, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, k->tid);
  thirl_stun_writer_u16(&w, THIRL_STUN_ATTR_THIRL_OTHER_PORT, 0);
  return thirl_stun_writer_finish(&w, &out) == THIRL_OK ? out.n : 0;
}

thirl_time thirl_session_lanes_patience_ends(const thirl_session_lanes *l) {
  return l->started == THIRL_NEVER ? THIRL_NEVER : l->started + PATIENCE;
}

bool thirl_session_lanes_are_ready(const thirl_session_lanes *l, thirl_time now) {
  if (l->started == THIRL_NEVER) return false;
  if (now >= l->started + PATIENCE) return true;
  for (int i = 0; i < THIRL_SESSION_LANES; i++)
    if (l->lane[i].state != THIRL_SESSION_LANE_MAPPED) return false;
  return true;
}

static void add(thirl_meet_offer *o, thirl_meet_candidate_type type, int lane, const thirl_addr *addr) {
  if (o->n == THIRL_MEET_CANDIDATES_MAX || !thirl_addr_is_set(addr)) return;
  thirl_ice_type ice_type = type == THIRL_MEET_HOST ? THIRL_ICE_HOST : THIRL_ICE_SRFLX;
  o->candidates[o->n++] = (thirl_meet_candidate){
      .type = type,
      .transport = THIRL_MEET_TCP_SO,
      .lane = (uint8_t)lane,
      .addr = *addr,
      .priority = thirl_ice_candidate_priority(ice_type, THIRL_ICE_TCP_SO, OTHER_PREF_MAX - (unsigned)lane),
      .foundation = type + 1u,
  };
}

void thirl_session_lanes_offer(const thirl_session_lanes *l, thirl_meet_offer *o) {
  for (int i = 0; i < THIRL_SESSION_LANES; i++) {
    const thirl_session_lane *k = &l->lane[i];
    bool no_nat = thirl_addr_equal(&k->local, &k->mapped);
    if (i == 0 || no_nat) add(o, THIRL_MEET_HOST, i, &k->local);
    if (!no_nat) add(o, THIRL_MEET_SRFLX, i, &k->mapped);
  }
}
