/* SPDX-License-Identifier: MIT */
/* The receiving half of a simulated TCP stream: order out of disorder. */
#ifndef THIRL_SIM_RECEIVER_H
#define THIRL_SIM_RECEIVER_H

#include "sim/pool.h"

typedef struct thirl_sim_receiver {
  thirl_list early; /* of thirl_sim_segment: came before what precedes them; sorted, not overlapping */
  uint32_t nxt;     /* the sequence number that is awaited */
} thirl_sim_receiver;

void thirl_sim_receiver_init(thirl_sim_receiver *r, uint32_t next_seq);
void thirl_sim_receiver_fini(thirl_sim_receiver *r, thirl_sim_pool *pool);
/**
 * A segment with payload or FIN came: keep it if it is new and within the window. False: there was no memory, it counts as lost.
 * Segments are never cut: a sender repeats them as they were.
 */
bool thirl_sim_receiver_put(thirl_sim_receiver *r, thirl_sim_pool *pool, const thirl_sim_packet *packet,
                            uint32_t window);
/** The next segment in order, taken out: the caller gives it back to the pool. NULL: nothing is in order. */
thirl_sim_segment *thirl_sim_receiver_take(thirl_sim_receiver *r);
/** The ranges beyond nxt that are here, at most THIRL_SIM_SACKS. */
unsigned thirl_sim_receiver_sacks(const thirl_sim_receiver *r, thirl_sim_range out[THIRL_SIM_SACKS]);

#endif
