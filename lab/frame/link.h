/* SPDX-License-Identifier: MIT */
/*
 * One direction of a line: packets in, the same packets out later, or not at all. No I/O, no clock: time comes with each call, and all chance
 * from the seed: the same packets at the same times give the same packets at the same times.
 *
 *   cut? -> loss -> rate and its queue -> delay, jitter, reordering -> twice?
 */
#ifndef THIRL_LAB_LINK_H
#define THIRL_LAB_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rand.h"
#include "base/time.h"

enum {
  THIRL_LAB_VNET_LEN = 10,             /* struct virtio_net_hdr */
  THIRL_LAB_LINK_BYTES_MAX = 64 << 20, /* under way in one direction, whatever the terms say */
  THIRL_LAB_LINK_QUEUE_MIN = 64 << 10, /* terms.queue_max where it says nothing and there is a rate: this, or */
  THIRL_LAB_LINK_QUEUE_TIME = 100000,  /* so many microseconds of the rate, if that is more */
  THIRL_LAB_LINK_LATE_TIME = 5000,     /* terms.reorder_by where it says nothing: 5 ms */
  THIRL_LAB_LINK_BURST_MAX = 1000000,  /* packets: terms.burst */
  THIRL_LAB_LINK_MTU_MIN = 576,        /* terms.mtu, which is never less than this but 0 */
  THIRL_LAB_LINK_RATE_MIN = 1000       /* bits a second: terms.rate likewise */
};

/** An Ethernet frame with what the kernel says about its checksum and segmentation. malloc'ed; free() it. */
typedef struct thirl_lab_packet {
  struct thirl_lab_packet *next;
  thirl_time due; /* when it leaves the link it is in */
  size_t out;     /* the caller's: where to it goes */
  size_t len;     /* bytes of frame */
  uint8_t vnet[THIRL_LAB_VNET_LEN];
  uint8_t frame[];
} thirl_lab_packet;

/** A packet with room for len bytes, or NULL. */
thirl_lab_packet *thirl_lab_link_packet_new(size_t len);

/** All zero: nothing happens to a packet. */
typedef struct thirl_lab_link_terms {
  thirl_time delay;
  thirl_time jitter; /* up to so much more, uniform; nothing overtakes for that */
  double loss;       /* probability, 0 to 1: the share that is lost in the long run */
  double
      burst; /* how many packets are lost in a row on average (Gilbert and Elliott's two states); up to 1: each by itself */
  double duplicate;      /* probability that a packet arrives twice, the second right behind the first */
  double reorder;        /* probability that a packet is late, and those behind it overtake it */
  thirl_time reorder_by; /* how late; 0: THIRL_LAB_LINK_LATE_TIME */
  uint64_t rate;         /* bits a second, of whole frames; 0: no limit */
  size_t bucket;         /* bytes that may go at once after a rest (token bucket); 0: one after the other */
  size_t
      queue_max; /* with a rate: bytes that wait for their turn at most; otherwise bytes under way; what comes on top is dropped; 0: see above */
  uint16_t
      mtu; /* of an IP packet, with its header; 0: no limit. The link does nothing about it: the carrier asks and answers */
  bool black_hole; /* what is longer than mtu is dropped and nobody is told */
  bool cut;        /* nothing gets in; what is under way arrives */
} thirl_lab_link_terms;

typedef struct thirl_lab_link_stats {
  uint64_t packets, bytes; /* that came in, with those lost and dropped */
  uint64_t lost;           /* by terms.loss, terms.cut */
  uint64_t dropped;        /* by terms.queue_max, or for want of memory */
  uint64_t doubled, late;  /* by terms.duplicate, terms.reorder */
  uint64_t too_big;        /* for terms.mtu; counted by the carrier */
  size_t queued_max;       /* the most that was ever under way, bytes */
} thirl_lab_link_stats;

typedef struct thirl_lab_link_line {
  thirl_lab_packet *head, *tail;
  thirl_time last_due;
} thirl_lab_link_line;

typedef struct thirl_lab_link {
  thirl_lab_link_terms terms;
  thirl_lab_link_stats stats;
  thirl_dice dice;
  thirl_lab_link_line in_time, late;
  size_t queued;
  bool in_burst;      /* the bad one of the two states */
  thirl_time free_at; /* when the last bit of what has come so far has left, by the rate */
  uint64_t free_rest; /* and this remainder, in bits times 10^6 below the rate */
} thirl_lab_link;

void thirl_lab_link_init(thirl_lab_link *l, const thirl_lab_link_terms *terms, uint64_t seed);
/** Frees what is under way. */
void thirl_lab_link_fini(thirl_lab_link *l);
/** Other terms from now on. What is under way stays as it is; chance goes on where it was. */
void thirl_lab_link_set_terms(thirl_lab_link *l, const thirl_lab_link_terms *terms);
/** Nothing happens to a packet in this link now: it may as well pass by. Count it with thirl_lab_link_pass. */
bool thirl_lab_link_is_transparent(const thirl_lab_link *l);
/** The terms speak of packets one by one: what stands for several (segment.h) has to be cut before. */
bool thirl_lab_link_is_choosy(const thirl_lab_link *l);
void thirl_lab_link_pass(thirl_lab_link *l, size_t len);
/** The link takes the packet over, entering at when; it may be lost. */
void thirl_lab_link_put(thirl_lab_link *l, thirl_lab_packet *p, thirl_time when);
/** The next packet that has arrived by now, the caller's; p->due says when. NULL: none. */
thirl_lab_packet *thirl_lab_link_take(thirl_lab_link *l, thirl_time now);
/** When the next packet arrives, or THIRL_NEVER. */
thirl_time thirl_lab_link_deadline(const thirl_lab_link *l);

#endif
