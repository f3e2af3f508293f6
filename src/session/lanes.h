/* SPDX-License-Identifier: MIT */
/*
 * The local ports that punching uses. A lane is one local TCP port with three things on it: a connection to the server that keeps the NAT's mapping alive
 * and tells its outside (Binding), a listener, and later the connections to peers. Lane 0 is the control connection's port; the others have a
 * connection of their own. Three lanes, so that one lost SYN costs nothing (research: one round trip instead of one second at 5 % loss).
 */
#ifndef THIRL_SESSION_LANES_H
#define THIRL_SESSION_LANES_H

#include "base/rand.h"
#include "base/time.h"
#include "meet/offer.h"
#include "session/queue.h"
#include "stun/stream.h"

enum { THIRL_SESSION_LANES = 3 };

typedef enum thirl_session_lane_state {
  THIRL_SESSION_LANE_OFF,
  THIRL_SESSION_LANE_CONNECTING,
  THIRL_SESSION_LANE_EXPECT_MAPPED,
  THIRL_SESSION_LANE_MAPPED
} thirl_session_lane_state;

typedef struct thirl_session_lane {
  thirl_session_lane_state state;
  thirl_net_id conn, listener; /* 0: none */
  thirl_addr local, mapped;    /* zeroed: not known */
  thirl_addr offered;          /* the last mapped there was */
  thirl_time next;             /* retry, keepalive, or when to give up connecting */
  thirl_time asked_at;         /* NEVER: no Binding request is under way */
  unsigned failures;
  unsigned answers;   /* how many have come, over all connections */
  thirl_addr other;   /* where else the server answers (RFC 5780); zeroed: not known */
  bool other_is_port; /* on the same address */
  uint8_t tid[12];
  bool write_due;
  thirl_stun_stream cut;
} thirl_session_lane;

typedef struct thirl_session_lanes {
  thirl_session_lane lane[THIRL_SESSION_LANES];
  thirl_addr server;
  const thirl_secrets *secrets;
  thirl_dice dice;
  thirl_time started; /* NEVER: stopped */
  bool has_news;      /* an offer that was made before names an address that is no more ours: the caller clears it */
} thirl_session_lanes;

void thirl_session_lanes_init(thirl_session_lanes *l, const thirl_secrets *secrets, uint64_t dice_seed);
void thirl_session_lanes_fini(thirl_session_lanes *l);
/** Begin, or begin again at another server. Ports that are known are kept. */
void thirl_session_lanes_start(thirl_session_lanes *l, thirl_time now, const thirl_addr *server,
                               thirl_session_queue *q);
/** The server is there (again): what waits, or has connected for long, tries now, and is given time anew. */
void thirl_session_lanes_hurry(thirl_session_lanes *l, thirl_time now, const thirl_addr *server,
                               thirl_session_queue *q);
/** Close everything. */
void thirl_session_lanes_stop(thirl_session_lanes *l, thirl_session_queue *q);
/** Lane 0: the control connection is up from this local address; and how the server sees it (zeroed: not yet). */
void thirl_session_lanes_control(thirl_session_lanes *l, const thirl_addr *local, const thirl_addr *mapped,
                                 thirl_session_queue *q);
/** True when the event was about a lane's own connection or listener. ACCEPTED is never handled here. */
bool thirl_session_lanes_input(thirl_session_lanes *l, thirl_time now, const thirl_net_event *ev,
                               thirl_session_queue *q);
void thirl_session_lanes_tick(thirl_session_lanes *l, thirl_time now, thirl_session_queue *q);
thirl_time thirl_session_lanes_deadline(const thirl_session_lanes *l);
size_t thirl_session_lanes_pull(thirl_session_lanes *l, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap);
/** Ask for this lane's mapping now. False: it is not mapped, or is being asked already. */
bool thirl_session_lanes_ask(thirl_session_lanes *l, thirl_time now, int lane, thirl_session_queue *q);
bool thirl_session_lanes_owns(const thirl_session_lanes *l, thirl_net_id id);
/** Every lane is mapped, or enough time was given to it. */
bool thirl_session_lanes_are_ready(const thirl_session_lanes *l, thirl_time now);
/** From then on they count as ready, mapped or not. */
thirl_time thirl_session_lanes_patience_ends(const thirl_session_lanes *l);
/** Write the candidates of all lanes into an offer: one host candidate (of lane 0) and the server-reflexive ones. */
void thirl_session_lanes_offer(const thirl_session_lanes *l, thirl_meet_offer *o);

#endif
