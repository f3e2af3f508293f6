/* SPDX-License-Identifier: MIT */
/*
 * What moves in the simulated world (payloads, packets, segments in retransmission queues, notes for a machine) and where it comes from: free lists,
 * so that a packet costs no malloc. A payload is written once, by the machine that sends it, and shared from then on: the retransmission queue,
 * every copy on the way and the receiver hold references. It is the only counted thing in the house, because duplicates and
 * retransmissions are exactly about sharing it.
 */
#ifndef THIRL_SIM_POOL_H
#define THIRL_SIM_POOL_H

#include "base/heap.h"
#include "base/list.h"
#include "base/net.h"
#include "natbox/packet.h"

enum {
  THIRL_SIM_PAYLOAD_MAX = 1472, /* one datagram or segment: Ethernet less IPv4 and UDP headers; nothing is fragmented */
  THIRL_SIM_POOL_MAX = 1u << 18, /* objects of each kind alive at once; then allocation fails and packets are lost */
  THIRL_SIM_SACKS = 24 /* more than fit in a real header: the memory that a real sender keeps of them is not modelled */
};

typedef struct thirl_sim_payload {
  uint32_t refs, n;
  struct thirl_sim_payload *next_free;
  uint8_t bytes[THIRL_SIM_PAYLOAD_MAX];
} thirl_sim_payload;

/** What the world's heap holds; the kinds are the owner's (see world.h). */
typedef struct thirl_sim_event {
  thirl_heap_node timer;
  int kind;
} thirl_sim_event;

/** A range of sequence numbers [from, to). */
typedef struct thirl_sim_range {
  uint32_t from, to;
} thirl_sim_range;

typedef struct thirl_sim_packet {
  thirl_natbox_packet p; /* p.payload looks into payload */
  thirl_sim_payload *payload;
  thirl_sim_range sacks[THIRL_SIM_SACKS]; /* RFC 2018; NATs do not look at them */
  unsigned n_sacks;
  thirl_link link;       /* in a queue */
  thirl_sim_event event; /* on the way */
  struct thirl_sim_node *at;
  bool upward;
} thirl_sim_packet;

/** A piece of a TCP stream, sent or received. */
typedef struct thirl_sim_segment {
  thirl_link link;
  uint32_t seq, n;
  bool fin, sacked;
  unsigned tries;
  uint64_t serial; /* of its latest transmission */
  thirl_time sent_at;
  thirl_sim_payload *payload;
} thirl_sim_segment;

/** An event for a machine that waits for its turn. */
typedef struct thirl_sim_note {
  thirl_link link;
  thirl_net_event event; /* event.payload looks into payload */
  thirl_sim_payload *payload;
} thirl_sim_note;

typedef struct thirl_sim_pool {
  thirl_sim_payload *payloads;
  thirl_list packets, segments, notes;               /* free ones */
  size_t n_payloads, n_packets, n_segments, n_notes; /* alive, without the free ones */
} thirl_sim_pool;

void thirl_sim_pool_init(thirl_sim_pool *pool);
/** Frees what is free; everything must have been given back. */
void thirl_sim_pool_fini(thirl_sim_pool *pool);

/* Every taker gives NULL when there is no memory or POOL_MAX is reached. What is taken is zeroed (a payload's bytes are not). */
thirl_sim_payload *thirl_sim_pool_take_payload(thirl_sim_pool *pool); /* with one reference */
thirl_sim_packet *thirl_sim_pool_take_packet(thirl_sim_pool *pool);
thirl_sim_segment *thirl_sim_pool_take_segment(thirl_sim_pool *pool);
thirl_sim_note *thirl_sim_pool_take_note(thirl_sim_pool *pool);
/** One reference more; NULL stays NULL. */
thirl_sim_payload *thirl_sim_pool_share(thirl_sim_payload *payload);
/* The givers drop the reference to the payload too; NULL is allowed. */
void thirl_sim_pool_give_payload(thirl_sim_pool *pool, thirl_sim_payload *payload);
void thirl_sim_pool_give_packet(thirl_sim_pool *pool, thirl_sim_packet *packet);
void thirl_sim_pool_give_segment(thirl_sim_pool *pool, thirl_sim_segment *segment);
void thirl_sim_pool_give_note(thirl_sim_pool *pool, thirl_sim_note *note);
/** A second packet with the same payload, in no queue. */
thirl_sim_packet *thirl_sim_pool_copy_packet(thirl_sim_pool *pool, const thirl_sim_packet *packet);

#endif
