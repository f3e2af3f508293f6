/* SPDX-License-Identifier: MIT */
#include "session/peer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "stun/msg.h"

#define PUNCH_TIME (12 * THIRL_S) /* after GO: then the round is over and the stream stays on the relay */

enum {
  FRAME_MAX = 65535 + THIRL_STUN_FRAME_HEADER_LEN,                         /* one RFC 4571 packet */
  CHECK_MAX = THIRL_SESSION_DOOR_PACKET_MAX + THIRL_STUN_FRAME_HEADER_LEN, /* the same, before the link is selected */
  LEAST_PULL = 1024                                                        /* begin no packet in less room than this */
};

void thirl_session_peer_init(thirl_session_peer *p, uint32_t handle, const thirl_secrets *secrets, size_t *n_links) {
  memset(p, 0, sizeof *p);
  p->handle = handle;
  p->secrets = secrets;
  p->n_links = n_links;
  p->over_at = THIRL_NEVER;
  thirl_list_init(&p->links);
}

static void free_link(thirl_session_peer *p, thirl_session_link *k) {
  --*p->n_links;
  thirl_list_remove(&k->in);
  thirl_stun_stream_fini(&k->cut);
  thirl_buffer_fini(&k->out);
  free(k);
}

void thirl_session_peer_bury(thirl_session_peer *p) {
  thirl_link *l;
  while ((l = thirl_list_first(&p->links)) != NULL)
    free_link(p, THIRL_OWNER(l, thirl_session_link, in));
  thirl_ice_free(p->ice);
  p->ice = NULL;
  thirl_session_fini(&p->session);
  p->is_buried = true;
}

void thirl_session_peer_fini(thirl_session_peer *p) {
  thirl_session_peer_bury(p);
  thirl_bytes_wipe(&p->ticket, sizeof p->ticket);
  thirl_bytes_wipe(p->pwd, sizeof p->pwd);
}

static thirl_session_link *new_link(thirl_session_peer *p, thirl_net_id id, thirl_ice_link ice) {
  thirl_session_link *k = *p->n_links < THIRL_SESSION_LINKS_MAX ? calloc(1, sizeof *k) : NULL;
  if (!k) return NULL;
  ++*p->n_links;
  k->id = id;
  k->ice = ice;
  thirl_stun_stream_init(&k->cut, THIRL_STUN_FRAMING_FRAME, CHECK_MAX);
  thirl_buffer_init(&k->out, THIRL_SESSION_LINK_OUT_MAX);
  thirl_list_append(&p->links, &k->in);
  return k;
}

thirl_session_link *thirl_session_peer_find_link(thirl_session_peer *p, thirl_net_id id) {
  for (thirl_link *l = thirl_list_first(&p->links); l; l = thirl_list_next(&p->links, l)) {
    thirl_session_link *k = THIRL_OWNER(l, thirl_session_link, in);
    if (k->id == id) return k;
  }
  return NULL;
}

static thirl_session_link *link_of(thirl_session_peer *p, thirl_ice_link ice) {
  for (thirl_link *l = thirl_list_first(&p->links); l; l = thirl_list_next(&p->links, l)) {
    thirl_session_link *k = THIRL_OWNER(l, thirl_session_link, in);
    if (k->ice == ice) return k;
  }
  return NULL;
}

void thirl_session_peer_stop_punching(thirl_session_peer *p, thirl_session_queue *q) {
  thirl_link *l;
  while ((l = thirl_list_first(&p->links)) != NULL) {
    thirl_session_link *k = THIRL_OWNER(l, thirl_session_link, in);
    thirl_session_queue_abort(q, k->id);
    free_link(p, k);
  }
  thirl_ice_free(p->ice);
  p->ice = NULL;
}

/* ---- a round ---- */

static const thirl_ice_type ice_types[] = {THIRL_ICE_HOST, THIRL_ICE_SRFLX, THIRL_ICE_PRFLX, THIRL_ICE_RELAY};
static const thirl_ice_transport ice_transports[] = {THIRL_ICE_UDP, THIRL_ICE_TCP_ACTIVE, THIRL_ICE_TCP_PASSIVE,
                                                     THIRL_ICE_TCP_SO};

static thirl_ice_candidate candidate_of(const thirl_meet_candidate *m) {
  return (thirl_ice_candidate){
      .type = ice_types[m->type],
      .transport = ice_transports[m->transport],
      .lane = m->lane,
      .addr = m->addr,
      .priority = m->priority,
      .foundation = m->foundation,
  };
}

/* The base of a lane is the host address with the lane's local port; only its port matters when connecting. */
static thirl_error add_local(thirl_session_peer *p, const thirl_meet_offer *ours, const thirl_addr *bases) {
  for (size_t i = 0; i < ours->n; i++) {
    thirl_ice_candidate c = candidate_of(&ours->candidates[i]);
    c.base = bases[c.lane];
    if (!c.base.port) continue; /* the lane has lost its port since */
    thirl_error e = thirl_ice_add_local(p->ice, &c);
    if (e != THIRL_OK) return e;
  }
  return THIRL_OK;
}

thirl_error thirl_session_peer_punch(thirl_session_peer *p, thirl_time now, const thirl_meet_offer *ours,
                                     const thirl_addr *bases, const thirl_meet_offer *theirs, thirl_time go_at,
                                     thirl_session_queue *q) {
  thirl_session_peer_stop_punching(p, q);
  memcpy(p->ufrag, ours->ufrag, sizeof p->ufrag);
  memcpy(p->pwd, ours->pwd, sizeof p->pwd);
  memcpy(p->remote_ufrag, theirs->ufrag, sizeof p->remote_ufrag);
  thirl_ice_config cfg = {
      .controlling = p->session.is_dialer,
      .ufrag = p->ufrag,
      .pwd = p->pwd,
      .secrets = p->secrets,
      .lanes = true,
      .burst = true,
      .give_up = PUNCH_TIME,
      .nominate_first = true,
  };
  thirl_error e = thirl_ice_new(&cfg, &p->ice);
  if (e == THIRL_OK) e = add_local(p, ours, bases);
  if (e == THIRL_OK) e = thirl_ice_set_remote(p->ice, theirs->ufrag, theirs->pwd);
  for (size_t i = 0; e == THIRL_OK && i < theirs->n; i++) {
    thirl_ice_candidate c = candidate_of(&theirs->candidates[i]);
    e = thirl_ice_add_remote(p->ice, now, &c);
  }
  if (e != THIRL_OK) {
    thirl_session_peer_stop_punching(p, q);
    return e;
  }
  thirl_ice_end_of_candidates(p->ice, now);
  thirl_ice_start(p->ice, now, go_at);
  thirl_session_punch_started(&p->session, go_at);
  return THIRL_OK;
}

/* ---- the agent's actions ---- */

/* The whole frame or nothing of it: without memory it is a check that was lost. */
static void send_message(thirl_session_peer *p, const thirl_ice_action *a) {
  thirl_session_link *k = link_of(p, a->link);
  uint8_t frame[CHECK_MAX];
  size_t n = THIRL_STUN_FRAME_HEADER_LEN + a->payload.n;
  if (!k || n > sizeof frame) return;
  thirl_bytes_put_u16(frame, (uint16_t)a->payload.n);
  memcpy(frame + THIRL_STUN_FRAME_HEADER_LEN, a->payload.p, a->payload.n);
  (void)thirl_buffer_append(&k->out, THIRL_BYTES(frame, n));
}

static void do_action(thirl_session_peer *p, thirl_time now, const thirl_ice_action *a, thirl_session_queue *q) {
  thirl_session_link *k = NULL;
  switch (a->kind) {
  case THIRL_ICE_CONNECT:
    k = new_link(p, thirl_session_queue_new_id(q), a->link);
    if (!k) {
      thirl_ice_input(p->ice, now,
                      &(thirl_ice_input_event){.kind = THIRL_ICE_LINK_FAILED, .link = a->link, .error = THIRL_E_LIMIT});
      break;
    }
    k->local = thirl_addr_any((thirl_family)a->remote.family, a->local.port);
    k->remote = a->remote;
    thirl_session_queue_connect(q, k->id, &k->local, &k->remote);
    break;
  case THIRL_ICE_ABORT:
    k = link_of(p, a->link);
    if (!k) break;
    if (k->is_selected) thirl_session_direct_down(&p->session, now, THIRL_E_RESET);
    if (k->is_prospect) thirl_session_direct_withdrawn(&p->session);
    thirl_session_queue_abort(q, k->id);
    free_link(p, k);
    break;
  case THIRL_ICE_SEND:
    send_message(p, a);
    break;
  case THIRL_ICE_LINK_CONFIRMED:
    thirl_session_confirmed(&p->session, a->at, &a->remote);
    break;
  case THIRL_ICE_SELECTED:
    k = link_of(p, a->link);
    if (!k || k->is_selected) break;
    for (thirl_link *l = thirl_list_first(&p->links); l; l = thirl_list_next(&p->links, l))
      THIRL_OWNER(l, thirl_session_link, in)->is_selected = false; /* the last one counts */
    if (k->is_prospect) thirl_session_direct_confirmed(&p->session);
    k->is_selected = k->is_prospect || thirl_session_direct_up(&p->session, now, &k->remote) == THIRL_OK;
    k->is_prospect = false;
    thirl_stun_stream_set_max(&k->cut, FRAME_MAX);
    break;
  case THIRL_ICE_STRANGER:
    thirl_session_stranger(&p->session, &a->remote, THIRL_E_STRANGER);
    break;
  case THIRL_ICE_CONSENT_LOST:
    thirl_session_direct_down(&p->session, now, THIRL_E_TIMEOUT);
    break;
  case THIRL_ICE_FAILED:
    thirl_session_punch_failed(&p->session, now, a->error);
    break;
  case THIRL_ICE_SENDTO: /* no UDP candidate is offered, so none is asked for */
    break;
  }
}

/* ---- links ---- */

static void lose_link(thirl_session_peer *p, thirl_time now, thirl_session_link *k, thirl_error why) {
  thirl_ice_input_event ev = {
      .kind = k->is_up ? THIRL_ICE_LINK_CLOSED : THIRL_ICE_LINK_FAILED, .link = k->ice, .error = why};
  bool was_selected = k->is_selected;
  if (k->is_prospect) thirl_session_direct_withdrawn(&p->session);
  free_link(p, k);
  if (was_selected) thirl_session_direct_down(&p->session, now, why);
  if (p->ice && ev.link) thirl_ice_input(p->ice, now, &ev);
}

/* One packet: STUN is the agent's, everything else is the path's. False: the link is of no more use. */
static bool take_packet(thirl_session_peer *p, thirl_time now, thirl_session_link *k, thirl_bytes packet) {
  if (packet.n == 0) return true;
  if (thirl_stun_msg_kind(packet) == THIRL_STUN_KIND_STUN || !k->is_selected) {
    thirl_ice_input_event ev = {
        .kind = THIRL_ICE_LINK_MESSAGE, .link = k->ice, .local = k->local, .remote = k->remote, .payload = packet};
    if (p->ice) thirl_ice_input(p->ice, now, &ev);
    return true;
  }
  return thirl_session_direct_input(&p->session, now, packet);
}

static void take_data(thirl_session_peer *p, thirl_time now, thirl_session_link *k, thirl_bytes in,
                      thirl_session_queue *q) {
  thirl_net_id id = k->id;
  for (;;) {
    thirl_bytes packet;
    thirl_error e = thirl_stun_stream_next(&k->cut, &in, &packet);
    if (e == THIRL_E_AGAIN) return;
    /* Not our framing, or longer than any check: the agent knows whether whoever is there has proven anything before. */
    if (e != THIRL_OK && !k->is_selected) take_packet(p, now, k, THIRL_BYTES("?", 1));
    bool useful = e == THIRL_OK && take_packet(p, now, k, packet);
    /* The packet may have led the agent to select this very link, or to abort it: let it act before the next one. */
    thirl_session_peer_evaluate(p, now, q);
    k = thirl_session_peer_find_link(p, id);
    if (!k) return;
    if (useful) continue;
    thirl_session_queue_abort(q, id);
    lose_link(p, now, k, THIRL_E_PROTOCOL);
    return;
  }
}

void thirl_session_peer_link_input(thirl_session_peer *p, thirl_time now, thirl_session_link *k,
                                   const thirl_net_event *ev, thirl_session_queue *q) {
  thirl_ice_input_event up = {.kind = THIRL_ICE_LINK_UP, .link = k->ice};
  switch (ev->kind) {
  case THIRL_NET_CONNECTED:
    k->is_up = true;
    k->local = up.local = ev->local;
    up.remote = k->remote;
    if (p->ice) thirl_ice_input(p->ice, now, &up);
    break;
  case THIRL_NET_DATA:
    take_data(p, now, k, ev->payload, q);
    break;
  case THIRL_NET_EOF:
    thirl_session_queue_abort(q, k->id);
    lose_link(p, now, k, THIRL_E_LOST);
    break;
  case THIRL_NET_FAILED:
    lose_link(p, now, k, ev->error);
    break;
  default:
    break;
  }
}

bool thirl_session_peer_adopt(thirl_session_peer *p, thirl_time now, thirl_session_door *d, thirl_session_queue *q) {
  thirl_ice_link ice = 0;
  if (!p->ice || thirl_ice_accept(p->ice, now, &d->local, &d->remote, &ice) != THIRL_OK) return false;
  thirl_session_link *k = new_link(p, d->id, ice);
  if (!k) return false;
  thirl_stun_stream_fini(&k->cut);
  k->cut = d->cut;
  memset(&d->cut, 0, sizeof d->cut);
  k->is_up = true;
  k->local = d->local;
  k->remote = d->remote;
  (void)take_packet(p, now, k, THIRL_BYTES(d->first, d->first_n)); /* to the agent: it is not selected */
  thirl_session_peer_evaluate(p, now, q);
  k = thirl_session_peer_find_link(p, d->id);
  if (k) take_data(p, now, k, thirl_buffer_view(&d->rest), q);
  return true;
}

static bool link_wants_pull(thirl_session_peer *p, const thirl_session_link *k) {
  return k->is_up && (k->out.n || ((k->is_selected || k->is_prospect) && thirl_session_direct_wants_pull(&p->session)));
}

size_t thirl_session_peer_link_pull(thirl_session_peer *p, thirl_session_link *k, uint8_t *buf, size_t cap) {
  thirl_bytes v = thirl_buffer_view(&k->out);
  size_t n = THIRL_MIN(v.n, cap);
  if (n) memcpy(buf, v.p, n);
  thirl_buffer_consume(&k->out, n);
  while ((k->is_selected || k->is_prospect) && k->out.n == 0 && cap - n >= LEAST_PULL) {
    size_t room = THIRL_MIN(cap - n, (size_t)FRAME_MAX) - THIRL_STUN_FRAME_HEADER_LEN;
    size_t got = thirl_session_direct_pull(&p->session, buf + n + THIRL_STUN_FRAME_HEADER_LEN, room);
    if (!got) break;
    thirl_bytes_put_u16(buf + n, (uint16_t)got);
    n += got + THIRL_STUN_FRAME_HEADER_LEN;
  }
  if (n == 0) k->is_armed = false;
  return n;
}

/* ---- everything that follows ---- */

/* Our ClientHello rides behind the nomination; when that is taken back, so is the handshake. */
static void follow_prospect(thirl_session_peer *p, thirl_time now) {
  thirl_ice_link ice = p->ice ? thirl_ice_prospect(p->ice) : 0;
  thirl_session_link *next = ice ? link_of(p, ice) : NULL;
  for (thirl_link *l = thirl_list_first(&p->links); l; l = thirl_list_next(&p->links, l)) {
    thirl_session_link *k = THIRL_OWNER(l, thirl_session_link, in);
    if (!k->is_prospect || k == next) continue;
    k->is_prospect = false;
    thirl_session_direct_withdrawn(&p->session);
  }
  bool may = next && !next->is_prospect && !next->is_selected && p->session.is_dialer;
  if (may) next->is_prospect = thirl_session_direct_prospect(&p->session, now, &next->remote) == THIRL_OK;
}

void thirl_session_peer_evaluate(thirl_session_peer *p, thirl_time now, thirl_session_queue *q) {
  thirl_ice_action a;
  while (p->ice && thirl_ice_poll(p->ice, now, &a))
    do_action(p, now, &a, q);
  follow_prospect(p, now);
  thirl_session_evaluate(&p->session, now);
  for (thirl_link *l = thirl_list_first(&p->links), *next; l; l = next) {
    next = thirl_list_next(&p->links, l);
    thirl_session_link *k = THIRL_OWNER(l, thirl_session_link, in);
    bool is_dead = k->is_selected && !thirl_session_path_is_set(&p->session.direct);
    if (is_dead) { /* the session has given the path up: the agent has nothing more to do in this round */
      thirl_session_peer_stop_punching(p, q);
      return;
    }
    if (k->is_armed || !link_wants_pull(p, k)) continue;
    k->is_armed = true;
    thirl_session_queue_write(q, k->id);
  }
}

thirl_time thirl_session_peer_deadline(const thirl_session_peer *p) {
  thirl_time t = thirl_session_deadline(&p->session);
  return p->ice ? THIRL_MIN(t, thirl_ice_deadline(p->ice)) : t;
}
