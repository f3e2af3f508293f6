/* SPDX-License-Identifier: MIT */
/* One direction of a line: packets in, the same packets out later, in order, or not at all. No I/O, no clock: time comes with each call. */
#ifndef THIRL_LAB_LINK_H
#define THIRL_LAB_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rand.h"
#include "base/time.h"

enum { THIRL_LAB_VNET_LEN = 10 }; /* struct virtio_net_hdr */

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

typedef struct thirl_lab_link_terms {
  thirl_time delay;
  thirl_time jitter; /* up to so much more, uniform; nothing overtakes */
  double loss;       /* probability, 0 to 1 */
  size_t queue_max;  /* bytes under way at most; what comes on top is dropped */
  bool cut;          /* nothing gets in; what is under way arrives */
} thirl_lab_link_terms;

typedef struct thirl_lab_link_stats {
  uint64_t packets, bytes; /* that came in, with those lost and dropped */
  uint64_t lost;           /* by terms.loss, terms.cut */
  uint64_t dropped;        /* by terms.queue_max */
  size_t queued_max;       /* the most that was ever under way, bytes */
} thirl_lab_link_stats;

typedef struct thirl_lab_link {
  thirl_lab_link_terms terms;
  thirl_lab_link_stats stats;
  thirl_dice dice;
  thirl_lab_packet *head, *tail;
  size_t queued;
  thirl_time last_due;
} thirl_lab_link;

void thirl_lab_link_init(thirl_lab_link *l, const thirl_lab_link_terms *terms, uint64_t seed);
/** Frees what is under way. */
void thirl_lab_link_fini(thirl_lab_link *l);
/** Nothing happens to a packet in this link now: it may as well pass by. Count it with thirl_lab_link_pass. */
bool thirl_lab_link_is_transparent(const thirl_lab_link *l);
void thirl_lab_link_pass(thirl_lab_link *l, size_t len);
/** The link takes the packet over, entering at when; it may be lost. */
void thirl_lab_link_put(thirl_lab_link *l, thirl_lab_packet *p, thirl_time when);
/** The next packet that has arrived by now, the caller's; p->due says when. NULL: none. */
thirl_lab_packet *thirl_lab_link_take(thirl_lab_link *l, thirl_time now);
/** When the next packet arrives, or THIRL_NEVER. */
thirl_time thirl_lab_link_deadline(const thirl_lab_link *l);

#endif
