/* SPDX-License-Identifier: MIT */
/*
 * A session together with what serves it alone: its ICE agent of the present round, the connections that the agent asked for (links), and its relay
 * channel's number. Turns the agent's actions into the carrier's and the carrier's events into the agent's or the session's.
 */
#ifndef THIRL_SESSION_PEER_H
#define THIRL_SESSION_PEER_H

#include "base/list.h"
#include "ice/ice.h"
#include "meet/offer.h"
#include "meet/ticket.h"
#include "session/anonymous.h"
#include "session/queue.h"
#include "session/session.h"
#include "stun/stream.h"

enum { THIRL_SESSION_LINK_OUT_MAX = 16384 }; /* bytes of framed STUN messages that wait on one link */

/** One TCP connection to (or from) the peer, framed as RFC 4571. */
typedef struct thirl_session_link {
  thirl_link in; /* of the peer's list */
  thirl_net_id id;
  thirl_ice_link ice; /* 0 once the agent is done with it */
  bool is_up, is_armed, is_selected;
  bool is_prospect; /* about to be selected: our ClientHello may go out */
  thirl_addr local, remote;
  thirl_stun_stream cut;
  thirl_buffer out;
} thirl_session_link;

typedef struct thirl_session_peer {
  thirl_link in; /* of the endpoint's list */
  uint32_t handle;
  thirl_session session;
  thirl_meet_ticket ticket; /* dialer: how to ask for this peer */
  thirl_meet_offer offered; /* dialer: what it told in this round */
  uint32_t round;           /* dialer: the last that it began; listener: the last that it took */
  uint16_t channel;         /* 0: no relay channel */
  uint16_t
      refusal_channel; /* carries nothing: a dialer that wants no relay hears there that it is not welcome; 0: none */
  bool announced;      /* listener: INCOMING was said, or waits (announce_due) */
  bool announce_due;
  thirl_ice *ice; /* NULL: nothing is being punched and nothing is direct */
  char ufrag[THIRL_MEET_UFRAG_MAX + 1], pwd[THIRL_MEET_PWD_MAX + 1]; /* ours in this round */
  char remote_ufrag[THIRL_MEET_UFRAG_MAX + 1];
  thirl_list links;
  size_t *n_links; /* borrowed: of all peers together */
  const thirl_secrets *secrets;
  thirl_time over_at; /* when the session was over; NEVER before */
  bool is_buried;     /* nothing is left of it but events that nobody has taken */
} thirl_session_peer;

void thirl_session_peer_init(thirl_session_peer *p, uint32_t handle, const thirl_secrets *secrets, size_t *n_links);
void thirl_session_peer_fini(thirl_session_peer *p);

/**
 * Punch: with our offer (of which the dialer told the peer, or that stood at the server) and theirs, at GO. Replaces what the last round left.
 * bases: the local address of each lane that our offer names.
 */
thirl_error thirl_session_peer_punch(thirl_session_peer *p, thirl_time now, const thirl_meet_offer *ours,
                                     const thirl_addr *bases, const thirl_meet_offer *theirs, thirl_time go_at,
                                     thirl_session_queue *q);
/** Abort every link and forget the agent. */
void thirl_session_peer_stop_punching(thirl_session_peer *p, thirl_session_queue *q);

/** Everything about it is over and closed: only its events are left. */
void thirl_session_peer_bury(thirl_session_peer *p);

thirl_session_link *thirl_session_peer_find_link(thirl_session_peer *p, thirl_net_id id);
void thirl_session_peer_link_input(thirl_session_peer *p, thirl_time now, thirl_session_link *k,
                                   const thirl_net_event *ev, thirl_session_queue *q);
/** A connection that came in and whose first packet is meant for us becomes a link; d's cut is taken over. False: not wanted, abort it. */
bool thirl_session_peer_adopt(thirl_session_peer *p, thirl_time now, thirl_session_door *d, thirl_session_queue *q);
size_t thirl_session_peer_link_pull(thirl_session_peer *p, thirl_session_link *k, uint8_t *buf, size_t cap);

/** Derive everything: the agent's actions, links that have no more use, links that have something to send. */
void thirl_session_peer_evaluate(thirl_session_peer *p, thirl_time now, thirl_session_queue *q);
thirl_time thirl_session_peer_deadline(const thirl_session_peer *p);

#endif
