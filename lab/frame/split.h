/* SPDX-License-Identifier: MIT */
/* What a router does with an IPv4 packet that is too long for the next link and may be fragmented: RFC 791 section 3.2. */
#ifndef THIRL_LAB_SPLIT_H
#define THIRL_LAB_SPLIT_H

#include "lab/frame/flight.h"
#include "lab/frame/headers.h"

typedef struct thirl_lab_split {
  const thirl_lab_flight *flight; /* borrowed */
  size_t l4, end, size, at;
} thirl_lab_split;

/**
 * Prepare to split one packet (not one that stands for several) into pieces of at most mtu bytes; the flight must outlive s, and its checksum is
 * finished. False: it may not be split, or is one with IP options, which would want a treatment of their own.
 */
bool thirl_lab_split_init(thirl_lab_split *s, thirl_lab_flight *flight, const thirl_lab_headers *h, uint16_t mtu);
/** The next piece, the caller's; NULL: that was all, or no memory. */
thirl_lab_packet *thirl_lab_split_next(thirl_lab_split *s);

#endif
