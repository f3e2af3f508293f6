/* SPDX-License-Identifier: MIT */
/* What the server counts, for the operator's log, the tests and metrics. Counters only grow; gauges say how many there are now. */
#ifndef THIRL_SERVER_STATS_H
#define THIRL_SERVER_STATS_H

#include <stdint.h>

typedef struct thirl_server_stats {
  /* gauges */
  uint64_t connections;    /* TCP connections, those about to be closed included */
  uint64_t registrations;  /* registered peers */
  uint64_t channels;       /* relayed pairs, those that are ending included */
  uint64_t relay_buffered; /* bytes that wait in channels */
  uint64_t relay_reserved; /* the same and what clients have been granted on top; never above relay_memory by a grant */
  /* counters */
  uint64_t accepted;      /* TCP connections taken */
  uint64_t registered;    /* registrations made */
  uint64_t refreshed;     /* UPDATEs done */
  uint64_t connects;      /* CONNECT requests with a right MAC */
  uint64_t introduced;    /* of them: both sides were told */
  uint64_t not_found;     /* of them: answered 404 */
  uint64_t refused;       /* requests answered 400, 403, 420 or 508, or (RFC 3489) not at all */
  uint64_t replayed;      /* counters that did not grow, nonces of another connection */
  uint64_t bad_signature; /* wrong signatures and MACs */
  uint64_t stale_nonce;   /* nonces of this connection that were too old */
  uint64_t malformed;     /* messages and streams that are not what they claim */
  uint64_t limited;       /* whatever a limit has stopped: connections, requests, channels */
  uint64_t bindings;      /* Binding requests answered with success */
  uint64_t probes;        /* connections tried to clients that asked for it */
  uint64_t relayed_bytes; /* payload handed on */
  uint64_t sessions;      /* channels that have ended */
} thirl_server_stats;

#endif
