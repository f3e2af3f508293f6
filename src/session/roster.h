/* SPDX-License-Identifier: MIT */
/* What an endpoint is made of, and who is in it: for the files of this folder only. */
#ifndef THIRL_SESSION_ROSTER_H
#define THIRL_SESSION_ROSTER_H

#include "session/anonymous.h"
#include "session/control.h"
#include "session/lanes.h"
#include "session/peer.h"
#include "session/survey.h"
#include "session/terms.h"

struct thirl_session_endpoint {
  thirl_session_endpoint_config cfg;
  thirl_secure_tls_context *tls;
  thirl_session_control control;
  thirl_session_lanes lanes;
  thirl_session_survey survey;
  thirl_session_anonymous doors;
  thirl_session_queue queue;
  thirl_list peers;
  size_t n_peers, n_incoming;
  uint32_t last_handle;
  thirl_time now; /* of the last evaluation */
  bool is_started, is_listening, was_registered, control_armed, standing_due;
  bool events_wait;                                                  /* in a session, for room in events */
  char ufrag[THIRL_MEET_UFRAG_MAX + 1], pwd[THIRL_MEET_PWD_MAX + 1]; /* the standing offer's */
  thirl_meet_offer standing;
  thirl_meet_ticket tickets[THIRL_SESSION_TICKETS_MAX];
  size_t n_tickets;
  thirl_dice dice;
  thirl_session_peer *turn; /* whose channel is pulled first */
  thirl_session_endpoint_event events[THIRL_SESSION_ENDPOINT_EVENTS_MAX];
  size_t n_events;
  uint8_t over[THIRL_SESSION_OVER_MAX][THIRL_SESSION_ID_LEN]; /* incoming sessions that have ended */
  size_t n_over;
  thirl_session_endpoint_stats stats;
};

/** The peer that a link of the endpoint's list belongs to; NULL for NULL. */
thirl_session_peer *thirl_session_roster_at(thirl_link *l);

#define THIRL_SESSION_EACH(e, p)                                                                                       \
  for (thirl_session_peer *p = thirl_session_roster_at(thirl_list_first(&(e)->peers)); p;                              \
       p = thirl_session_roster_at(thirl_list_next(&(e)->peers, &p->in)))

/** E_LIMIT, E_NOMEM, E_INVALID (the policy). */
thirl_error thirl_session_roster_add(thirl_session_endpoint *e, thirl_time now, bool is_dialer,
                                     const thirl_peerid *peer, const uint8_t *id, const thirl_session_policy *policy,
                                     thirl_session_peer **out);
void thirl_session_roster_remove(thirl_session_endpoint *e, thirl_session_peer *p);
/** An incoming session with this id was here and has ended: nobody shall open it again. Only the last few are remembered. */
bool thirl_session_roster_was_here(const thirl_session_endpoint *e, const uint8_t *id);
/* Sessions that are over are not found. */
thirl_session_peer *thirl_session_roster_find_handle(thirl_session_endpoint *e, uint32_t handle);
thirl_session_peer *thirl_session_roster_find_session(thirl_session_endpoint *e, const thirl_peerid *peer,
                                                      const uint8_t *id);
thirl_session_peer *thirl_session_roster_find_channel(thirl_session_endpoint *e, uint16_t channel);
thirl_session_peer *thirl_session_roster_find_refusal(thirl_session_endpoint *e, uint16_t channel);
thirl_session_peer *thirl_session_roster_find_ufrags(thirl_session_endpoint *e, thirl_bytes ours, thirl_bytes theirs);

/** An event for the application that is of no session; when it sleeps too long the oldest of these are forgotten. */
void thirl_session_roster_tell(thirl_session_endpoint *e, thirl_session_endpoint_event ev);
/** What a session has to say, INCOMING first. None of it is forgotten: it waits in the session when there is no room. */
void thirl_session_roster_tell_of(thirl_session_endpoint *e, thirl_session_peer *p);
bool thirl_session_roster_has_to_tell(const thirl_session_peer *p);
/** False when there is none. */
bool thirl_session_roster_next_event(thirl_session_endpoint *e, thirl_session_endpoint_event *ev);

#endif
