/* SPDX-License-Identifier: MIT */
/*
 * One TCP connection as Linux plays it, as far as hole punching and streams can tell: RFC 9293 with simultaneous open, the retransmission
 * times of Linux' SYNs, what RST and ICMP do to each state, challenge ACKs, TIME-WAIT. Not here: windows that change, congestion control,
 * delayed ACKs, urgent data, options.
 *
 * A connection knows no host: what it sends is appended to env->out, what its owner must hear to env->notes.
 */
#ifndef THIRL_SIM_TCP_H
#define THIRL_SIM_TCP_H

#include "sim/receiver.h"
#include "sim/sender.h"

/** How a host's TCP behaves. */
typedef struct thirl_sim_tcp_options {
  uint16_t mss;
  uint32_t window;            /* bytes in flight at most; below 2^30 */
  bool old_syn_times;         /* SYNs at 0, 1, 3, 7 .. s (Linux < 6.5) and not 0, 1, 2, 3, 4, 5, 7, 11 .. s */
  bool old_simultaneous_open; /* a SYN-ACK in SYN-RECEIVED is only challenged (Linux < 6.12): half a round trip more */
  thirl_time give_up;         /* unacknowledged data for so long: TIMEOUT */
  thirl_time time_wait;
} thirl_sim_tcp_options;

/** MSS 1400, window 128 KiB, today's Linux, 120 s, 60 s. */
thirl_sim_tcp_options thirl_sim_tcp_defaults(void);

typedef enum thirl_sim_tcp_state {
  THIRL_SIM_TCP_CLOSED, /* gone: the owner removes it */
  THIRL_SIM_TCP_SYN_SENT,
  THIRL_SIM_TCP_SYN_RECV,
  THIRL_SIM_TCP_ESTABLISHED,
  THIRL_SIM_TCP_FIN_WAIT_1,
  THIRL_SIM_TCP_FIN_WAIT_2,
  THIRL_SIM_TCP_CLOSING,
  THIRL_SIM_TCP_TIME_WAIT,
  THIRL_SIM_TCP_CLOSE_WAIT,
  THIRL_SIM_TCP_LAST_ACK
} thirl_sim_tcp_state;

typedef struct thirl_sim_tcp {
  thirl_sim_tcp_state state;
  thirl_net_id id;
  thirl_net_id listener; /* who accepts it; 0: it was made by connect */
  thirl_addr local, remote;
  bool orphan;    /* nobody listens any more: close was called, or the process is gone */
  bool announced; /* CONNECTED or ACCEPTED was told */
  bool pulls;     /* the machine has said that there are bytes */
  bool fin_received;
  uint8_t ttl;
  uint32_t iss;
  unsigned syn_tries;
  thirl_time syn_at;     /* when the first SYN left, for the round trip */
  thirl_time deadline;   /* of opening, FIN-WAIT-2 and TIME-WAIT; data has the sender's */
  thirl_time challenged; /* the last answer to a segment that did not fit; they are rationed */
  thirl_sim_sender tx;
  thirl_sim_receiver rx;
} thirl_sim_tcp;

/** What a connection is handed with each call. */
typedef struct thirl_sim_tcp_env {
  thirl_time now;
  thirl_sim_pool *pool;
  const thirl_sim_tcp_options *options;
  uint64_t isn_secret;
  thirl_list *out;   /* of thirl_sim_packet */
  thirl_list *notes; /* of thirl_sim_note */
} thirl_sim_tcp_env;

/** A connection that begins with a SYN of its own. local, remote, id and ttl are set by the caller. */
void thirl_sim_tcp_connect(thirl_sim_tcp *t, const thirl_sim_tcp_env *env);
/** A connection that begins with the SYN of another. local, remote, id, listener and ttl are set by the caller. */
void thirl_sim_tcp_open_passive(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, const thirl_sim_packet *syn);
/**
 * A segment for this connection. True: the connection was in TIME-WAIT and the segment is a SYN that may begin a new one (RFC 9293
 * section 3.10.7.4): remove this and treat it as a first segment.
 */
bool thirl_sim_tcp_input(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, const thirl_sim_packet *packet);
/** An ICMP error about a segment with this sequence number: ends an opening connection, is ignored by others. */
void thirl_sim_tcp_icmp(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, thirl_natbox_icmp type, uint32_t seq);
/** A deadline has come. */
void thirl_sim_tcp_tick(thirl_sim_tcp *t, const thirl_sim_tcp_env *env);
thirl_time thirl_sim_tcp_deadline(const thirl_sim_tcp *t);
/** How many bytes may be sent now, at most one segment: 0 = not now. */
size_t thirl_sim_tcp_room(const thirl_sim_tcp *t, const thirl_sim_tcp_env *env);
/** Send a payload of at most thirl_sim_tcp_room bytes; takes it over. */
void thirl_sim_tcp_send(thirl_sim_tcp *t, const thirl_sim_tcp_env *env, thirl_sim_payload *payload);
/** close(): FIN after what was sent, nothing is told any more. In SYN-SENT the connection just ends. */
void thirl_sim_tcp_close(thirl_sim_tcp *t, const thirl_sim_tcp_env *env);
/** close() with linger 0: RST where the state asks for one. */
void thirl_sim_tcp_abort(thirl_sim_tcp *t, const thirl_sim_tcp_env *env);
/** Gives everything back to the pool; no packet. */
void thirl_sim_tcp_fini(thirl_sim_tcp *t, thirl_sim_pool *pool);

#endif
