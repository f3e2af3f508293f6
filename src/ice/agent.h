/* SPDX-License-Identifier: MIT */
/*
 * What an agent is made of. Only for the rooms of this folder, each of which owns some of the fields:
 *
 *   queue.c     queue                        what the caller shall do
 *   message.c   (nothing)                    STUN bytes out of and into values
 *   pair.c      pairs                        the check list
 *   link.c      flows: life                  connections and UDP flows, their beginning and their end
 *   check.c     flows: our own check         requests, repetitions, responses
 *   consent.c   consent                      whether the pair in use may still be used
 *   nominate.c  flows: nominated, selected   which pair that is
 *   inbound.c   (nothing)                    what the peer sends
 *   schedule.c  pace_at, begun               which check comes next
 *   ice.c       the rest                     the verbs
 *
 * A room calls only rooms above it in this list.
 */
#ifndef THIRL_ICE_AGENT_H
#define THIRL_ICE_AGENT_H

#include "ice/terms.h"
#include "stun/msg.h"

enum {
  THIRL_ICE_QUEUE_MAX = 256,
  THIRL_ICE_QUEUE_SENDS = 128, /* with so much undrained, messages are dropped; the rest is for what must not be lost */
  THIRL_ICE_MESSAGE_MAX = 1024,
  THIRL_ICE_NO_PAIR = 0xff,
  THIRL_ICE_SENDS_MAX = 7, /* Rc, RFC 8489 6.2.1 */
  THIRL_ICE_CONSENTS = 8,  /* consent checks that may still be answered */
  THIRL_ICE_UFRAG_MIN = 4, /* RFC 8839 5.4 */
  THIRL_ICE_PWD_MIN = 22
};

/** RFC 8445 6.1.2.6. */
typedef enum thirl_ice_pair_state {
  THIRL_ICE_PAIR_FROZEN,
  THIRL_ICE_PAIR_WAITING,
  THIRL_ICE_PAIR_IN_PROGRESS,
  THIRL_ICE_PAIR_SUCCEEDED,
  THIRL_ICE_PAIR_FAILED
} thirl_ice_pair_state;

typedef struct thirl_ice_pair {
  uint8_t local, remote; /* indices */
  bool initiates;        /* false: it exists because the peer came; we have no address to connect to */
  thirl_ice_pair_state state;
  uint64_t priority;
  unsigned refused_in_row;
  thirl_time retry_at;
  thirl_error why; /* the last trouble: OK = nobody answered so far, REFUSED, UNREACHABLE, STRANGER, TIMEOUT */
} thirl_ice_pair;

/** A flow is what a check runs over: a TCP connection (being) made, or the two addresses of a UDP pair. */
typedef enum thirl_ice_flow_state {
  THIRL_ICE_FLOW_FREE,
  THIRL_ICE_FLOW_CONNECTING,
  THIRL_ICE_FLOW_UP
} thirl_ice_flow_state;

typedef enum thirl_ice_check_state {
  THIRL_ICE_CHECK_NONE,
  THIRL_ICE_CHECK_QUEUED, /* wants to be sent as soon as pacing and credentials allow */
  THIRL_ICE_CHECK_SENT,   /* one request is unanswered */
  THIRL_ICE_CHECK_DONE
} thirl_ice_check_state;

typedef struct thirl_ice_flow {
  thirl_ice_flow_state state;
  thirl_ice_link link; /* 0: UDP */
  uint8_t pair;        /* NO_PAIR: an accepted connection that has not proven itself */
  bool accepted;
  bool heard; /* the peer has sent an authenticated request here */
  bool valid; /* a check of ours was answered */
  thirl_addr local, remote;
  thirl_time up_at, heard_at;

  thirl_ice_check_state check;
  bool nominating; /* the request in flight carries USE-CANDIDATE */
  bool has_old;    /* a request given up for another one; its answer still counts */
  bool role;       /* we were controlling when the request in flight was made */
  uint8_t tid[THIRL_STUN_TID_LEN], old_tid[THIRL_STUN_TID_LEN];
  uint8_t heard_tid[THIRL_STUN_TID_LEN]; /* the peer's last request: repetitions trigger nothing */
  unsigned sends, triggers, order;
  thirl_time sent_at, next_at, gap, expires_at, rtt, valid_at;
  thirl_addr mapped;
  thirl_ice_type local_type;

  bool nominated; /* by the peer, which is controlling */
  unsigned nominated_order;
  bool confirmed; /* by us, and answered */
  bool selected;
} thirl_ice_flow;

/** What a STUN message shall say; it becomes bytes when the caller polls. */
typedef struct thirl_ice_message {
  thirl_stun_class cls;
  uint8_t tid[THIRL_STUN_TID_LEN];
  bool nominate;
  bool role;         /* controlling */
  uint32_t priority; /* requests */
  thirl_addr mapped; /* success */
  unsigned code;     /* errors */
  bool signed_;      /* errors: with MESSAGE-INTEGRITY */
  uint16_t unknown[4];
  size_t n_unknown;
} thirl_ice_message;

typedef struct thirl_ice_intent {
  thirl_ice_action action; /* payload still empty */
  thirl_ice_message message;
} thirl_ice_intent;

typedef struct thirl_ice_queue {
  thirl_ice_intent items[THIRL_ICE_QUEUE_MAX];
  unsigned at, n;
} thirl_ice_queue;

typedef struct thirl_ice_consent {
  uint8_t tids[THIRL_ICE_CONSENTS][THIRL_STUN_TID_LEN];
  unsigned sent;
  thirl_time next_at, expires_at;
} thirl_ice_consent;

typedef enum thirl_ice_agent_state {
  THIRL_ICE_AGENT_CHECKING,
  THIRL_ICE_AGENT_SELECTED,
  THIRL_ICE_AGENT_LOST,  /* had a pair, has none */
  THIRL_ICE_AGENT_FAILED /* never had one */
} thirl_ice_agent_state;

struct thirl_ice {
  thirl_ice_config cfg; /* zeroes replaced by their meaning; the strings point to ufrag and pwd below */
  char ufrag[THIRL_ICE_CREDENTIAL_MAX + 1], pwd[THIRL_ICE_CREDENTIAL_MAX + 1];
  char remote_ufrag[THIRL_ICE_CREDENTIAL_MAX + 1], remote_pwd[THIRL_ICE_CREDENTIAL_MAX + 1];
  bool has_remote;

  thirl_ice_agent_state state;
  bool controlling;
  uint64_t tie_breaker;
  thirl_dice dice;
  thirl_time now;
  bool stirred; /* something changed through a call that knows no time */

  bool has_start, begun, no_more_candidates;
  thirl_time start_at;

  thirl_ice_candidate locals[THIRL_ICE_LOCAL_MAX], remotes[THIRL_ICE_REMOTE_MAX];
  thirl_ice_pair pairs[THIRL_ICE_PAIRS_MAX];
  thirl_ice_flow flows[THIRL_ICE_LINKS_MAX];
  unsigned n_locals, n_remotes, n_pairs, n_flows; /* n_flows: slots ever used */

  thirl_ice_link last_link;
  unsigned last_order;
  thirl_time pace_at, selected_at;
  bool link_confirmed;
  unsigned unauthorized; /* answers given to requests with wrong credentials over UDP */

  thirl_ice_consent consent;
  thirl_ice_evidence evidence;
  thirl_ice_queue queue;
  uint8_t payload[THIRL_ICE_MESSAGE_MAX];
};

#endif
