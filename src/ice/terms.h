/* SPDX-License-Identifier: MIT */
/* The words between an agent and whoever runs it: configuration, inputs, actions, evidence, limits. No code. */
#ifndef THIRL_ICE_TERMS_H
#define THIRL_ICE_TERMS_H

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

/** Zeroes mean the value in brackets. */
typedef struct thirl_ice_config {
  bool controlling;
  /* Ours, copied: 4 to 256 and 22 to 256 characters (RFC 8839 5.4). */
  const char *ufrag, *pwd;
  /* Borrowed for the life of the agent: tie-breaker, transaction ids, the seed of jitter. */
  const thirl_secrets *secrets;
  /* TCP simultaneous-open pairs are formed within one lane only (three port pairs, not nine); false: RFC 8445. */
  bool lanes;
  /* Every pair is checked at start, without pacing; a refused TCP connect is repeated; checks over UDP go out after 0, 10, 30, 70 ms and
     then x1.5, seven in all. False: one check per ta, a refused pair has failed (RFC 6544), RFC 8489's repetitions. */
  bool burst;
  /* Candidates that may not be probed (loopback above all) are taken too: for tests on one machine. */
  bool any_address;
  thirl_time ta; /* [50 ms] */
  /* Nothing selected this long after start: FAILED. [39.5 s, RFC 8863] */
  thirl_time give_up;
  /* With burst: how many times in a row a refused TCP connect is repeated without a gap; afterwards every 150 to 250 ms until give_up. [8] */
  unsigned refusals;
  /* An unanswered check over TCP; with burst over UDP too. [10 s] */
  thirl_time check_timeout;
  /* Controlling: nominate the first valid pair at once. Over TCP USE-CANDIDATE rides in the first check on the first connection, over UDP in
     the first triggered check: no round trip more. Controlled: over TCP a nomination counts when it comes in, not only when the answer to our
     own check has come too (RFC 8445 7.3.1.5): half a round trip less. False: regular nomination. */
  bool nominate_first;
  /* Controlling, not nominate_first: how long to wait for a better pair once one is valid. [500 ms] */
  thirl_time settle;
} thirl_ice_config;

typedef enum thirl_ice_input_kind {
  THIRL_ICE_LINK_UP,      /* link: the connect is through; local, remote (unset: as asked for) */
  THIRL_ICE_LINK_FAILED,  /* link: error, as in base/net.h. The link is dead */
  THIRL_ICE_LINK_CLOSED,  /* link: EOF or reset after it was up. Dead */
  THIRL_ICE_LINK_MESSAGE, /* link, payload: one frame, which should be STUN */
  THIRL_ICE_DATAGRAM,     /* local (base), remote, payload: one datagram that is STUN */
  THIRL_ICE_TICK
} thirl_ice_input_kind;

typedef struct thirl_ice_input_event {
  thirl_ice_input_kind kind;
  thirl_ice_link link; /* one that is dead or was never given out is ignored */
  thirl_addr local, remote;
  thirl_error error;
  thirl_bytes payload;
} thirl_ice_input_event;

typedef enum thirl_ice_action_kind {
  /* link, local (base of the candidate; port 0: any), remote: open a TCP connection. Answer: LINK_UP or LINK_FAILED. */
  THIRL_ICE_CONNECT,
  /* link: RST it (a loser, a stranger, or the end). Nothing is heard of it again. */
  THIRL_ICE_ABORT,
  /* link, payload: one STUN message to be framed (RFC 4571) and sent; borrowed until the next call. */
  THIRL_ICE_SEND,
  /* local (base), remote, payload: one UDP datagram; borrowed likewise. */
  THIRL_ICE_SENDTO,
  /* link, local, remote, at: information, once: somebody who knows the credentials is at the other end of a TCP connection. at: when the first to this
     address came up. */
  THIRL_ICE_LINK_CONFIRMED,
  /* link (UDP: 0), local, remote, mapped and the types: the nominated pair. Once on the controlling side. On the controlled side it may come
     again: the former pair has died for the peer and it has nominated another one. The last one counts. */
  THIRL_ICE_SELECTED,
  /* link, local, remote: someone there does not know the credentials. An ABORT follows. */
  THIRL_ICE_STRANGER,
  /* The selected pair is dead (RFC 7675, or its connection is closed), and there is no other. The agent is at its end. */
  THIRL_ICE_CONSENT_LOST,
  /* error: E_TIMEOUT (somewhere nobody answered), E_REFUSED (everywhere at least refusals), E_UNREACHABLE, E_STRANGER (only strangers),
     E_NO_PATH (nothing to try). Host candidates of the peer count only when there were no others: in another network
     they say nothing. The agent is at its end. */
  THIRL_ICE_FAILED
} thirl_ice_action_kind;

typedef struct thirl_ice_action {
  thirl_ice_action_kind kind;
  thirl_ice_link link;
  thirl_addr local, remote;
  thirl_addr mapped; /* of SELECTED: how the peer sees us on this pair; unset when that is not known yet */
  thirl_ice_type local_type, remote_type; /* of SELECTED */
  thirl_error error;
  thirl_time at; /* of LINK_CONFIRMED */
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

#endif
