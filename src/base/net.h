/* SPDX-License-Identifier: MIT */
/*
 * The one vocabulary between a machine (client endpoint, server) and whatever carries it: the driver in io/ turns these actions into
 * system calls, the simulator turns them into events of an invented world. No code here; only the contract.
 *
 * The pipe:  input(now, event) -> poll(&action) until false -> for every WRITE: pull() -> deadline()
 *
 * Bytes of a connection never travel through the action queue: the carrier pulls them when the socket has room. That is the whole
 * back-pressure towards the network: what cannot be sent is not produced.
 */
#ifndef THIRL_BASE_NET_H
#define THIRL_BASE_NET_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/time.h"

/**
 * Names a listener, a connection or a UDP socket between a machine and its carrier. 0 is none. Ids that a machine gives out are
 * below THIRL_NET_ID_ACCEPTED; connections that come in get theirs from the carrier, at or above it. Never used twice.
 */
typedef uint32_t thirl_net_id;
#define THIRL_NET_ID_ACCEPTED 0x80000000u

enum {
  THIRL_NET_PULL_MIN = 4096
}; /* a carrier never pulls into less room: it waits until the socket has it, or keeps what is left over */

typedef enum thirl_net_verb {
  THIRL_NET_LISTEN,  /* id, local: TCP; port 0 = any. Answer: LISTENING or FAILED */
  THIRL_NET_CONNECT, /* id, local (port 0 = any, ip may be unspecified), remote: TCP. Answer: CONNECTED or FAILED */
  THIRL_NET_WRITE,   /* id: there are bytes; pull until it gives 0, whenever the socket has room, until then */
  THIRL_NET_CLOSE,   /* id: send what was pulled, then FIN; nothing about this id is heard again */
  THIRL_NET_ABORT, /* id: RST (linger 0) and forget; nothing about this id is heard again. Also ends listeners and UDP */
  THIRL_NET_BIND_UDP, /* id, local. Answer: LISTENING or FAILED */
  THIRL_NET_SENDTO    /* id of a UDP socket, remote, payload (borrowed until the next poll) */
} thirl_net_verb;

/**
 * Every TCP socket is made with SO_REUSEADDR and SO_REUSEPORT, so that listeners, connections to the server and connections to peers
 * can share a local port (research: a SYN_SENT socket must never be closed and reopened on the same four-tuple).
 */
typedef struct thirl_net_action {
  thirl_net_verb verb;
  thirl_net_id id;
  thirl_addr local, remote;
  thirl_bytes payload;
} thirl_net_action;

typedef enum thirl_net_kind {
  THIRL_NET_LISTENING, /* id, local as bound */
  THIRL_NET_CONNECTED, /* id, local, remote */
  THIRL_NET_ACCEPTED,  /* id (the carrier's), listener, local, remote */
  THIRL_NET_FAILED, /* id, error: REFUSED (RST or ICMP port), UNREACHABLE (other ICMP), TIMEOUT, RESET, IN_USE (address or four-tuple), LIMIT, PERMISSION, IO. The id is dead */
  THIRL_NET_DATA,   /* id, payload (borrowed for the call) */
  THIRL_NET_EOF,    /* id: the other side will send no more; the connection still writes */
  THIRL_NET_DATAGRAM, /* id of the UDP socket, local, remote, payload */
  THIRL_NET_TICK      /* nothing but time: the deadline has come, or the caller wants an evaluation */
} thirl_net_kind;

typedef struct thirl_net_event {
  thirl_net_kind kind;
  thirl_net_id id, listener;
  thirl_addr local, remote;
  thirl_error error;
  thirl_bytes payload;
} thirl_net_event;

/** What a carrier needs of a machine. All calls on one thread; none of them re-enters another. */
typedef struct thirl_net_machine {
  void *self;
  void (*input)(void *self, thirl_time now, const thirl_net_event *ev);
  bool (*poll)(void *self, thirl_time now, thirl_net_action *out);
  /* Up to cap bytes (cap >= THIRL_NET_PULL_MIN) for connection id into buf; 0 = nothing more until the next WRITE. The bytes count as sent. */
  size_t (*pull)(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap);
  thirl_time (*deadline)(void *self);
} thirl_net_machine;

#endif
