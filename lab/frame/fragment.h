/* SPDX-License-Identifier: MIT */
/*
 * Fragments on their way through a NAT. Nothing is put together: the first one, which has the ports, is translated like a packet (its checksum covers
 * all of them, and follows the change), and the others get the addresses that it got. A later one that comes before the first is dropped, as
 * RFC 4787 REQ-14 allows for who does not receive out of order.
 */
#ifndef THIRL_LAB_FRAGMENT_H
#define THIRL_LAB_FRAGMENT_H

#include "base/time.h"
#include "lab/frame/headers.h"

enum { THIRL_LAB_FRAGMENTS_MAX = 64 }; /* packets in pieces at one time; one more and the oldest is forgotten */

/** What happened to the first piece. */
typedef struct thirl_lab_fragment {
  uint8_t protocol, family;
  uint32_t id;
  thirl_addr was_src, was_dst, src, dst; /* ports 0 */
  bool inward;                           /* it goes to the inside */
  thirl_time until;
} thirl_lab_fragment;

typedef struct thirl_lab_fragments {
  thirl_lab_fragment held[THIRL_LAB_FRAGMENTS_MAX];
  size_t next;
} thirl_lab_fragments;

/** h as it was, and where it has gone. */
void thirl_lab_fragment_keep(thirl_lab_fragments *t, thirl_time now, const thirl_lab_headers *was,
                             const thirl_lab_headers *is, bool inward);
/** The first piece of this later one, or NULL. */
const thirl_lab_fragment *thirl_lab_fragment_find(const thirl_lab_fragments *t, thirl_time now,
                                                  const thirl_lab_headers *h);

#endif
