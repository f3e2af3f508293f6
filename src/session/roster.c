/* SPDX-License-Identifier: MIT */
#include "session/roster.h"

#include <stdlib.h>
#include <string.h>

thirl_session_peer *thirl_session_roster_at(thirl_link *l) {
  return l ? THIRL_OWNER(l, thirl_session_peer, in) : NULL;
}

void thirl_session_roster_tell(thirl_session_endpoint *e, thirl_session_endpoint_event ev) {
  if (e->n_events ==
      THIRL_SESSION_ENDPOINT_EVENTS_MAX) { /* the application sleeps: the oldest are the least interesting */
    memmove(e->events, e->events + 1, (THIRL_SESSION_ENDPOINT_EVENTS_MAX - 1) * sizeof *e->events);
    e->n_events--;
  }
  e->events[e->n_events++] = ev;
}

bool thirl_session_roster_next_event(thirl_session_endpoint *e, thirl_session_endpoint_event *ev) {
  if (!e->n_events) return false;
  *ev = e->events[0];
  memmove(e->events, e->events + 1, --e->n_events * sizeof *e->events);
  return true;
}

thirl_session_peer *thirl_session_roster_find_handle(thirl_session_endpoint *e, uint32_t handle) {
  THIRL_SESSION_EACH(e, p) if (p->handle == handle && p->over_at == THIRL_NEVER) return p;
  return NULL;
}

thirl_session_peer *thirl_session_roster_find_session(thirl_session_endpoint *e, const thirl_peerid *peer,
                                                      const uint8_t *id) {
  THIRL_SESSION_EACH(e, p) {
    if (p->over_at != THIRL_NEVER || !thirl_peerid_equal(&p->session.peer, peer)) continue;
    if (memcmp(p->session.id, id, THIRL_SESSION_ID_LEN) == 0) return p;
  }
  return NULL;
}

thirl_session_peer *thirl_session_roster_find_channel(thirl_session_endpoint *e, uint16_t channel) {
  THIRL_SESSION_EACH(e, p) if (channel && p->channel == channel) return p;
  return NULL;
}

thirl_error thirl_session_roster_add(thirl_session_endpoint *e, thirl_time now, bool is_dialer,
                                     const thirl_peerid *peer, const uint8_t *id, const thirl_session_policy *policy,
                                     thirl_session_peer **out) {
  if (e->n_peers == THIRL_SESSION_PEERS_MAX) return THIRL_E_LIMIT;
  thirl_session_peer *p = malloc(sizeof *p);
  if (!p) return THIRL_E_NOMEM;
  thirl_session_peer_init(p, ++e->last_handle, e->cfg.secrets);
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
    memcpy(e->over[e->n_over++ % THIRL_SESSION_OVER_MAX], p->session.id, THIRL_SESSION_ID_LEN);
  }
  e->n_peers--;
  thirl_list_remove(&p->in);
  thirl_session_peer_fini(p);
  free(p);
}

thirl_session_peer *thirl_session_roster_find_ufrags(thirl_session_endpoint *e, thirl_bytes ours, thirl_bytes theirs) {
  THIRL_SESSION_EACH(e, p) {
    if (!p->ice || p->over_at != THIRL_NEVER) continue;
    if (thirl_bytes_equal(ours, THIRL_BYTES(p->ufrag, strlen(p->ufrag))) &&
        thirl_bytes_equal(theirs, THIRL_BYTES(p->remote_ufrag, strlen(p->remote_ufrag))))
      return p;
  }
  return NULL;
}

bool thirl_session_roster_was_here(const thirl_session_endpoint *e, const uint8_t *id) {
  for (size_t i = 0; i < e->n_over && i < THIRL_SESSION_OVER_MAX; i++)
    if (memcmp(e->over[i], id, THIRL_SESSION_ID_LEN) == 0) return true;
  return false;
}
