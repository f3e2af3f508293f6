/* SPDX-License-Identifier: MIT */
/*
 * An ICE agent for one component: candidates in, checks out, a pair chosen. RFC 8445 (full agent, regular and aggressive-compatible), RFC 6544
 * (TCP: active, passive, simultaneous-open), RFC 8838 (trickle), RFC 7675 (consent). Sans I/O; no socket, no clock, no session above.
 *
 * Ours on top, each switchable so that it stays a conforming agent: all pairs of a lane fire at GO without pacing; a refused TCP connect
 * is repeated at once from the same port (no gap); a connecting socket is never closed and reopened.
 *
 * A *link* is the agent's name for one TCP connection (being) made for it; links are small integers, never used twice. UDP has no links: it is named
 * by base and remote address.
 *
 *   add_local* set_remote add_remote* start(GO) -> { poll -> action ; input(event) }* -> SELECTED | FAILED ; consent goes on until free
 */
#ifndef THIRL_ICE_ICE_H
#define THIRL_ICE_ICE_H

#include "base/bytes.h"
#include "base/rand.h"
#include "base/time.h"
#include "ice/candidate.h"

enum {
  THIRL_ICE_LOCAL_MAX = 16,
  THIRL_ICE_REMOTE_MAX = 32,
  THIRL_ICE_PAIRS_MAX = 64,
  THIRL_ICE_LINKS_MAX = 64,
  THIRL_ICE_CREDENTIAL_MAX = 256
};

typedef struct thirl_ice thirl_ice;
typedef uint32_t thirl_ice_link; /* 0: none */

typedef struct thirl_ice_config {
  bool controlling;
  const char *ufrag, *pwd;      /* ours, copied */
  const thirl_secrets *secrets; /* borrowed: tie-breaker, transaction ids */
  bool
      lanes; /* true: TCP simultaneous-open pairs are formed within one lane only (three port pairs, not nine); false: RFC 8445 */
  bool burst;         /* true: every pair is checked at start, no Ta pacing; false: one check per ta */
  thirl_time ta;      /* 0 = 50 ms */
  thirl_time give_up; /* no valid pair this long after start: FAILED; 0 = 39.5 s */
  unsigned
      refusals; /* how many times in a row a refused TCP connect is repeated without a gap; 0 = 8; afterwards every 200 ms until give_up.
                                      Without burst a refused pair has failed, as in RFC 6544 */
  thirl_time
      check_timeout; /* an unanswered check on a TCP link; 0 = 10 s. Over UDP RFC 8445's schedule, or with burst 0, 10, 30, 70 ms and then x1.5 */
  bool
      nominate_first; /* controlling: nominate the first valid pair at once (USE-CANDIDATE rides in the first check over TCP) */
  thirl_time
      settle; /* controlling, not nominate_first: how long to wait for a better pair once one is valid; 0 = 500 ms */
} thirl_ice_config;

typedef enum thirl_ice_input_kind {
  THIRL_ICE_LINK_UP,      /* link: the connect is through; local, remote */
  THIRL_ICE_LINK_FAILED,  /* link: error. The link is dead */
  THIRL_ICE_LINK_CLOSED,  /* link: EOF or reset after it was up. Dead */
  THIRL_ICE_LINK_MESSAGE, /* link, payload: one frame that is STUN */
  THIRL_ICE_DATAGRAM,     /* local (base), remote, payload: one datagram that is STUN */
  THIRL_ICE_TICK
} thirl_ice_input_kind;

typedef struct thirl_ice_input_event {
  thirl_ice_input_kind kind;
  thirl_ice_link link;
  thirl_addr local, remote;
  thirl_error error;
  thirl_bytes payload;
} thirl_ice_input_event;

typedef enum thirl_ice_action_kind {
  THIRL_ICE_CONNECT, /* link, local (base of the lane), remote: open a TCP connection */
  THIRL_ICE_ABORT,   /* link: RST it (a loser, a stranger, or the end) */
  THIRL_ICE_SEND,   /* link, payload: one STUN message to be framed (RFC 4571) and sent; borrowed until the next call */
  THIRL_ICE_SENDTO, /* local, remote, payload: one UDP datagram */
  THIRL_ICE_LINK_CONFIRMED, /* link, remote: information: first TCP connection up (the moment punching.md calls confirmed) */
  THIRL_ICE_SELECTED, /* link (or UDP: link 0), local, remote, mapped: the nominated pair. Comes once on the controlling side. On the controlled side it
                          may come again: the peer nominated another pair because the former one had died for it; the last one counts */
  THIRL_ICE_STRANGER, /* link, remote: someone answered there without knowing the credentials */
  THIRL_ICE_CONSENT_LOST, /* the selected pair is dead (RFC 7675) */
  THIRL_ICE_FAILED /* reason in error: E_TIMEOUT (no answer at all), E_REFUSED (only refusals), E_UNREACHABLE, E_NO_PATH (nothing to try), E_STRANGER */
} thirl_ice_action_kind;

typedef struct thirl_ice_action {
  thirl_ice_action_kind kind;
  thirl_ice_link link;
  thirl_addr local, remote;
  thirl_addr mapped;                      /* of SELECTED: how the peer sees us on this pair */
  thirl_ice_type local_type, remote_type; /* of SELECTED */
  thirl_error error;
  thirl_bytes payload;
} thirl_ice_action;

/** What has happened so far: why there is no direct path, or how hard it was. Counters, except pairs, which are those in the list now. */
typedef struct thirl_ice_evidence {
  unsigned pairs;       /* in the check list */
  unsigned connects;    /* TCP connections begun */
  unsigned refused;     /* of these: RST or ICMP port unreachable */
  unsigned unreachable; /* of these: no route, other ICMP */
  unsigned timeouts;    /* connects that timed out, checks that nobody answered */
  unsigned links_up;    /* TCP connections that came up, accepted ones included */
  unsigned strangers;   /* wrong proofs */
  unsigned checks;      /* STUN requests sent, repetitions included */
  unsigned heard;       /* authenticated requests of the peer */
  unsigned dropped;     /* messages received that made no sense */
} thirl_ice_evidence;

thirl_error thirl_ice_new(const thirl_ice_config *cfg, thirl_ice **out);
void thirl_ice_free(thirl_ice *a);

/** addr, base, type, transport, lane; priority and foundation are computed when 0. E_LIMIT. */
thirl_error thirl_ice_add_local(thirl_ice *a, const thirl_ice_candidate *c);
/** The peer's credentials; copied. */
thirl_error thirl_ice_set_remote(thirl_ice *a, const char *ufrag, const char *pwd);
/** A remote candidate, at any time (trickle). Silently ignored when it may not be probed (base/addr.h). E_LIMIT. */
thirl_error thirl_ice_add_remote(thirl_ice *a, thirl_time now, const thirl_ice_candidate *c);
/** The peer will send no more candidates. */
void thirl_ice_end_of_candidates(thirl_ice *a, thirl_time now);
/** GO at this time (now or later). */
void thirl_ice_start(thirl_ice *a, thirl_time now, thirl_time at);

/** A connection came in on a listener of ours and its first frame was a STUN request for our ufrag: it becomes a link. E_LIMIT. */
thirl_error thirl_ice_accept(thirl_ice *a, thirl_time now, const thirl_addr *local, const thirl_addr *remote,
                             thirl_ice_link *out);

void thirl_ice_input(thirl_ice *a, thirl_time now, const thirl_ice_input_event *ev);
bool thirl_ice_poll(thirl_ice *a, thirl_time now, thirl_ice_action *out);
thirl_time thirl_ice_deadline(const thirl_ice *a);

void thirl_ice_get_evidence(const thirl_ice *a, thirl_ice_evidence *out);
/** The present role; it may differ from the configured one after a role conflict (RFC 8445 7.3.1.1). */
bool thirl_ice_is_controlling(const thirl_ice *a);

/** For whom is this request? The two halves of USERNAME ("ours:theirs") as views; E_NOT_STUN, E_NOT_FOUND. Needs no agent: the endpoint routes by it. */
thirl_error thirl_ice_route(thirl_bytes packet, thirl_bytes *ours, thirl_bytes *theirs);

#endif
