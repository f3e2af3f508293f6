/* SPDX-License-Identifier: MIT */
/* What a router says about packets (RFC 792, 1122, 1812, 4443): errors, and the answer to a ping. Frames are whole but for their MACs. */
#ifndef THIRL_LAB_ICMP_H
#define THIRL_LAB_ICMP_H

#include "lab/frame/flight.h"
#include "lab/frame/headers.h"

typedef enum thirl_lab_icmp_kind {
  THIRL_LAB_ICMP_NO_ROUTE,
  THIRL_LAB_ICMP_NO_HOST,
  THIRL_LAB_ICMP_NO_PORT,
  THIRL_LAB_ICMP_FORBIDDEN,
  THIRL_LAB_ICMP_EXPIRED,
  THIRL_LAB_ICMP_TOO_BIG
} thirl_lab_icmp_kind;

/**
 * An error about the packet in frame, from the address from, to its source. mtu: TOO_BIG only. NULL: none is due (about an error, a later
 * fragment, to or from several), or no memory.
 */
thirl_lab_packet *thirl_lab_icmp_error(const uint8_t *frame, const thirl_lab_headers *h, thirl_lab_icmp_kind kind,
                                       const thirl_addr *from, uint16_t mtu);
/** Is this ICMP, and a whole echo or error header there? */
bool thirl_lab_icmp_is(const thirl_lab_headers *h);
bool thirl_lab_icmp_is_error(const uint8_t *frame, const thirl_lab_headers *h);
/** An echo request that came whole. */
bool thirl_lab_icmp_is_ping(const uint8_t *frame, const thirl_lab_headers *h);
/** A message with room for len bytes behind its header of 8, from and to these; the caller fills them in and calls thirl_lab_icmp_seal. */
thirl_lab_packet *thirl_lab_icmp_new(const thirl_addr *from, const thirl_addr *to, uint8_t type, uint8_t code,
                                     size_t len);
/** The checksum over all that is in. */
void thirl_lab_icmp_seal(uint8_t *frame, const thirl_lab_headers *h);
/** Is the checksum right? */
bool thirl_lab_icmp_is_sound(const uint8_t *frame, const thirl_lab_headers *h);
/** Makes the answer of the ping in f, in its place. */
void thirl_lab_icmp_answer(thirl_lab_flight *f, thirl_lab_headers *h);

#endif
