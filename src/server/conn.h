/* SPDX-License-Identifier: MIT */
/*
 * One TCP connection, and the table of all: cutting what comes in, holding what goes out, and in which state it is. Knows nothing of
 * registrations and channels; the peer is only carried along.
 *
 *    STRANGER <-> REGISTERED -> CLOSING -> DEAD      CLOSING: what waits is still sent, then FIN
 *        |            |                     ^        DEAD:    only its CLOSE or ABORT is still to be said
 *        +------------+---------------------+
 *
 * Each state has its list, ordered by the time at which the connection entered it or was last touched: since every time-out of one
 * state is of one length, only the first of a list need be looked at.
 */
#ifndef THIRL_SERVER_CONN_H
#define THIRL_SERVER_CONN_H

#include "base/map.h"
#include "base/net.h"
#include "server/budget.h"
#include "server/context.h"
#include "stun/stream.h"

enum {
  THIRL_SERVER_CONTROL_MAX = 65536,    /* bytes of control messages that wait for one connection */
  THIRL_SERVER_STRANGER_PACKET = 2048, /* the longest packet of a connection that is not registered */
  THIRL_SERVER_PACKET = 4 + 16384      /* and of one that is: 16 KiB of data and their header */
};

typedef enum thirl_server_conn_state {
  THIRL_SERVER_CONN_STRANGER,
  THIRL_SERVER_CONN_REGISTERED,
  THIRL_SERVER_CONN_CLOSING,
  THIRL_SERVER_CONN_DEAD,
  THIRL_SERVER_CONN_STATES
} thirl_server_conn_state;

struct thirl_server_peer;

typedef struct thirl_server_conn {
  thirl_net_id id;
  thirl_addr local, remote; /* never IPv4-mapped */
  thirl_server_conn_state state;
  bool announced;       /* a WRITE was said and the carrier still pulls */
  bool has_registered;  /* once in its life; never again */
  bool has_challenge;   /* a 401 was sent at challenged_at */
  bool ends_gracefully; /* DEAD: say CLOSE, not ABORT */
  thirl_time since;     /* entered this state or was touched */
  thirl_time challenged_at;
  thirl_stun_stream in;
  thirl_buffer out;
  thirl_server_budget requests;
  thirl_link in_state;
  thirl_link in_context; /* ctx->wake or ctx->failed */
  bool has_failed;
  struct thirl_server_peer *peer; /* of a REGISTERED one, else NULL */
  uint8_t insurance;              /* tiny messages that are still to follow */
} thirl_server_conn;

typedef struct thirl_server_conns {
  thirl_map by_id, per_ip;
  thirl_list by_state[THIRL_SERVER_CONN_STATES];
} thirl_server_conns;

void thirl_server_conn_table_init(thirl_server_conns *t, const thirl_secrets *secrets);
/** Frees every connection. */
void thirl_server_conn_table_fini(thirl_server_conns *t);

/** A connection has come in: a STRANGER. E_LIMIT (in all, or from this address), E_INVALID (an id twice), E_NOMEM. */
thirl_error thirl_server_conn_add(thirl_server_conns *t, thirl_server_context *ctx, thirl_net_id id,
                                  const thirl_addr *remote);
/** Takes it out of every table and frees it. */
void thirl_server_conn_remove(thirl_server_conns *t, thirl_server_context *ctx, thirl_server_conn *c);
/** NULL when there is none of this id. */
thirl_server_conn *thirl_server_conn_find(const thirl_server_conns *t, thirl_net_id id);
/** A legal step of the picture above; asserts it. */
void thirl_server_conn_set_state(thirl_server_conns *t, thirl_server_context *ctx, thirl_server_conn *c,
                                 thirl_server_conn_state state);
/** A sign of life: its time-out begins anew. */
void thirl_server_conn_touch(thirl_server_conns *t, thirl_server_context *ctx, thirl_server_conn *c);
/** The first of a state's list, the one whose time runs out first, or NULL. */
thirl_server_conn *thirl_server_conn_first(const thirl_server_conns *t, thirl_server_conn_state state);

/** Have a WRITE said for it, unless the carrier pulls already. */
void thirl_server_conn_wake(thirl_server_context *ctx, thirl_server_conn *c);
/** It cannot be told something that it must be told: it goes to ctx->failed, whose connections the server ends. */
void thirl_server_conn_give_up(thirl_server_context *ctx, thirl_server_conn *c);
/** Put bytes behind what waits. When they do not fit (E_LIMIT: the other side does not read; E_NOMEM) nothing is put and it is given up. */
thirl_error thirl_server_conn_send(thirl_server_context *ctx, thirl_server_conn *c, thirl_bytes bytes);
/** Move what waits, at most cap bytes, to buf. */
size_t thirl_server_conn_pull(thirl_server_conn *c, uint8_t *buf, size_t cap);
/**
 * What was queued last must not be late: let some tiny messages (empty Binding indications) follow it, each in a pull and so in a segment of its
 * own. When the segment with the message is lost, theirs bring the duplicate acknowledgements that repair it within a round trip, where
 * a lone segment waits for the retransmission timer (200 ms and more). At 5 % loss this is the 95th percentile of the time to connect.
 */
void thirl_server_conn_insure(thirl_server_conn *c);
/** The next of them when it is due, else 0. Nothing else may be put into the same pull. */
size_t thirl_server_conn_pull_insurance(thirl_server_conn *c, uint8_t *buf, size_t cap);

#endif
