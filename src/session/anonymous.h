/* SPDX-License-Identifier: MIT */
/* Connections that came in on a lane's listener and have not shown whom they want. Few, short-lived, and nothing is believed of them. */
#ifndef THIRL_SESSION_ANONYMOUS_H
#define THIRL_SESSION_ANONYMOUS_H

#include "base/list.h"
#include "base/net.h"
#include "stun/stream.h"

enum {
  THIRL_SESSION_DOORS_MAX = 64,
  THIRL_SESSION_DOOR_PACKET_MAX = 1024, /* bytes of a first packet; a check has about 120 */
  THIRL_SESSION_DOOR_REST_MAX = 1024    /* bytes behind it; a ClientHello of ours has about 250 */
};

typedef struct thirl_session_door {
  thirl_link in;
  thirl_net_id id;
  thirl_addr local, remote;
  thirl_time born;
  thirl_stun_stream cut;
  size_t first_n; /* 0: nothing was shown yet */
  uint8_t first[THIRL_SESSION_DOOR_PACKET_MAX];
  thirl_buffer rest; /* what came behind it, not yet cut */
} thirl_session_door;

typedef struct thirl_session_anonymous {
  thirl_list doors; /* oldest first */
  size_t n;
} thirl_session_anonymous;

typedef enum thirl_session_door_verdict {
  THIRL_SESSION_DOOR_FINE,
  THIRL_SESSION_DOOR_FULL,     /* abort it: no memory */
  THIRL_SESSION_DOOR_STRANGER, /* abort it: it does not speak our language */
  THIRL_SESSION_DOOR_GONE      /* it went by itself */
} thirl_session_door_verdict;

void thirl_session_anonymous_init(thirl_session_anonymous *a);
void thirl_session_anonymous_fini(thirl_session_anonymous *a);
bool thirl_session_anonymous_owns(const thirl_session_anonymous *a, thirl_net_id id);
/** ACCEPTED makes a door; DATA is collected: one packet, and a little behind it. remote: whose it is. */
thirl_session_door_verdict thirl_session_anonymous_input(thirl_session_anonymous *a, thirl_time now,
                                                         const thirl_net_event *ev, thirl_addr *remote);
/** Walks the doors that have shown a packet: start with *at = 0; NULL at the end. */
thirl_session_door *thirl_session_anonymous_next_named(thirl_session_anonymous *a, size_t *at);
void thirl_session_anonymous_remove(thirl_session_anonymous *a, thirl_session_door *d);
/**
 * Remove one that has waited too long or is one too many; false when there is none. Of too many goes the oldest that has shown nothing, among those from
 * the address with most of them: who floods us crowds out nobody else.
 */
bool thirl_session_anonymous_expire(thirl_session_anonymous *a, thirl_time now, thirl_net_id *id);
thirl_time thirl_session_anonymous_deadline(const thirl_session_anonymous *a);

#endif
