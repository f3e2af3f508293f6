/* SPDX-License-Identifier: MIT */
/*
 * The sending half of a simulated TCP stream: what is unacknowledged, what is lost, when to try again. A fixed window and no congestion control:
 * the links of the world have no rate. Loss is found by selective acknowledgements (RFC 2018, RFC 6675) or by the timer (RFC 6298).
 */
#ifndef THIRL_SIM_SENDER_H
#define THIRL_SIM_SENDER_H

#include "sim/pool.h"

typedef struct thirl_sim_sender {
  thirl_list unacked; /* of thirl_sim_segment, in sequence */
  uint32_t una, nxt;  /* oldest unacknowledged, next to send */
  uint32_t in_flight; /* bytes */
  uint64_t serial;    /* numbers every transmission */
  uint64_t delivered; /* the highest number known to have arrived */
  thirl_time srtt, rttvar, rto;
  thirl_time deadline;     /* of the retransmission timer; NEVER when nothing is unacknowledged */
  thirl_time stalled_from; /* the first expiry since something was acknowledged; NEVER: none */
  unsigned backoff;
} thirl_sim_sender;

void thirl_sim_sender_init(thirl_sim_sender *s, uint32_t first_seq);
void thirl_sim_sender_fini(thirl_sim_sender *s, thirl_sim_pool *pool);
/** A measured round trip. */
void thirl_sim_sender_sample(thirl_sim_sender *s, thirl_time rtt);
/**
 * Queue a new segment (payload may be NULL, taken over in any case) and count it as sent now. NULL: no memory, nothing changed.
 */
thirl_sim_segment *thirl_sim_sender_push(thirl_sim_sender *s, thirl_sim_pool *pool, thirl_time now,
                                         thirl_sim_payload *payload, bool fin);
/** An acknowledgement with its selective ranges, ack within una..nxt. */
void thirl_sim_sender_ack(thirl_sim_sender *s, thirl_sim_pool *pool, thirl_time now, uint32_t ack,
                          const thirl_sim_range *sacks, unsigned n_sacks);
/** The next segment that is lost, counted as sent again now, or NULL. Call until NULL after each ack. */
thirl_sim_segment *thirl_sim_sender_next_lost(thirl_sim_sender *s, thirl_time now);
/**
 * The timer has expired: the oldest segment, counted as sent again now; NULL when nothing is unacknowledged. The rest counts as lost and
 * is sent again when the path shows that it is alive.
 */
thirl_sim_segment *thirl_sim_sender_expire(thirl_sim_sender *s, thirl_time now);

#endif
