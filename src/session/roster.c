/* SPDX-License-Identifier: MIT */
#include "session/roster.h"

#include <stdlib.h>
#include <string.h>

thirl_session_peer *thirl_session_roster_at(thirl_link *l) {
  return l ? THIRL_OWNER(l, thirl_session_peer, in) : NULL;
}

/* ---- events ---- */

static bool is_of_session(const thirl_session_endpoint_event *ev) {
  return ev->kind == THIRL_SESSION_OF || ev->kind == THIRL_SESSION_INCOMING;
}

static void drop_event(thirl_session_endpoint *e, size_t i) {
  e->n_events--;
  memmove(e->events + i, e->events + i + 1, (e->n_events - i) * sizeof *e->events);
}

void thirl_session_roster_tell(thirl_session_endpoint *e, thirl_session_endpoint_event ev) {
  size_t own = 0, oldest = 0;
  for (size_t i = e->n_events; i-- > 0;) {
    if (is_of_session(&e->events[i])) continue;
    own++;
    oldest = i;
  }
  if (own == THIRL_SESSION_ENDPOINT_EVENTS_OWN) {
    drop_event(e, oldest);
    e->stats.events_lost++;
  }
  e->events[e->n_events++] = ev;
}

bool thirl_session_roster_has_to_tell(const thirl_session_peer *p) {
  return p->announce_due || p->session.n_events;
}

static bool has_room(const thirl_session_endpoint *e) {
  return e->n_events < THIRL_SESSION_ENDPOINT_EVENTS_MAX - THIRL_SESSION_ENDPOINT_EVENTS_OWN;
}

void thirl_session_roster_tell_of(thirl_session_endpoint *e, thirl_session_peer *p) {
  thirl_session_endpoint_event ev = {.kind = THIRL_SESSION_INCOMING, .handle = p->handle, .peer = p->session.peer};
  if (p->announce_due && has_room(e)) {
    e->events[e->n_events++] = ev;
    p->announce_due = false;
  }
  ev.kind = THIRL_SESSION_OF;
  while (has_room(e) && !p->announce_due && thirl_session_next_event(&p->session, &ev.of))
    e->events[e->n_events++] = ev;
  if (thirl_session_roster_has_to_tell(p)) e->events_wait = true;
}

bool thirl_session_roster_next_event(thirl_session_endpoint *e, thirl_session_endpoint_event *ev) {
  if (!e->n_events) return false;
  *ev = e->events[0];
  drop_event(e, 0);
  return true;
}

/* ---- peers ---- */

thirl_session_peer *thirl_session_roster_find_handle(thirl_session_endpoint *e, uint32_t handle) {
  THIRL_SESSION_EACH(e, p) if (p->handle == handle && p->session.state != THIRL_SESSION_STATE_OVER) return p;
  return NULL;
}

thirl_session_peer *thirl_session_roster_find_session(thirl_session_endpoint *e, const thirl_peerid *peer,
                                                      const uint8_t *id) {
  THIRL_SESSION_EACH(e, p) {
    if (p->session.state == THIRL_SESSION_STATE_OVER || !thirl_peerid_equal(&p->session.peer, peer)) continue;
    if (memcmp(p->session.id, id, THIRL_SESSION_ID_LEN) == 0) return p;
  }
  return NULL;
}

thirl_session_peer *thirl_session_roster_find_channel(thirl_session_endpoint *e, uint16_t channel) {
  THIRL_SESSION_EACH(e, p) if (channel && p->channel == channel) return p;
  return NULL;
}

thirl_session_peer *thirl_session_roster_find_refusal(thirl_session_endpoint *e, uint16_t channel) {
  THIRL_SESSION_EACH(e, p) if (channel && p->refusal_channel == channel) return p;
  return NULL;
}

thirl_error thirl_session_roster_add(thirl_session_endpoint *e, thirl_time now, bool is_dialer,
                                     const thirl_peerid *peer, const uint8_t *id, const thirl_session_policy *policy,
                                     thirl_session_peer **out) {
  if (e->n_peers == THIRL_SESSION_PEERS_MAX) return THIRL_E_LIMIT;
  thirl_session_peer *p = malloc(sizeof *p);
  if (!p) return THIRL_E_NOMEM;
  thirl_session_peer_init(p, ++e->last_handle, e->cfg.secrets, &e->queue.n_links);
  thirl_error err = thirl_session_init(&p->session, now, is_dialer, peer, id, policy ? policy : &e->cfg.policy, e->tls,
                                       thirl_dice_u64(&e->dice));
  if (err != THIRL_OK) {
    free(p);
    return err;
  }
  thirl_list_append(&e->peers, &p->in);
  e->n_peers++;
  if (!is_dialer) e->n_incoming++;
  *out = p;
  return THIRL_OK;
}

void thirl_session_roster_remove(thirl_session_endpoint *e, thirl_session_peer *p) {
  if (e->turn == p) e->turn = NULL;
  if (!p->session.is_dialer) {
    e->n_incoming--;
    if (!e->n_incoming && !e->is_listening) e->standing_due = true;
    memcpy(e->over[e->n_over++ % THIRL_SESSION_OVER_MAX], p->session.id, THIRL_SESSION_ID_LEN);
  }
  e->n_peers--;
  thirl_list_remove(&p->in);
  thirl_session_peer_fini(p);
  free(p);
}

thirl_session_peer *thirl_session_roster_find_ufrags(thirl_session_endpoint *e, thirl_bytes ours, thirl_bytes theirs) {
  THIRL_SESSION_EACH(e, p) {
    if (!p->ice || p->session.state == THIRL_SESSION_STATE_OVER) continue;
    if (thirl_bytes_equal(ours, THIRL_BYTES(p->ufrag, strlen(p->ufrag))) &&
        thirl_bytes_equal(theirs, THIRL_BYTES(p->remote_ufrag, strlen(p->remote_ufrag))))
      return p;
  }
  return NULL;
}

bool thirl_session_roster_was_here(const thirl_session_endpoint *e, const uint8_t *id) {
  for (thirl_link *l = thirl_list_first(&e->peers); l; l = thirl_list_next(&e->peers, l)) {
    const thirl_session *s = &thirl_session_roster_at(l)->session;
    if (!s->is_dialer && s->state == THIRL_SESSION_STATE_OVER && memcmp(s->id, id, THIRL_SESSION_ID_LEN) == 0)
      return true;
  }
  for (size_t i = 0; i < e->n_over && i < THIRL_SESSION_OVER_MAX; i++)
    if (memcmp(e->over[i], id, THIRL_SESSION_ID_LEN) == 0) return true;
  return false;
}
