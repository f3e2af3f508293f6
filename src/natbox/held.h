/* SPDX-License-Identifier: MIT */
/* SYNs that nobody asked for and that are not answered yet: RFC 5382 REQ-4 gives the inside six seconds to send one of its own. */
#ifndef THIRL_NATBOX_HELD_H
#define THIRL_NATBOX_HELD_H

#include "base/list.h"
#include "base/time.h"
#include "natbox/packet.h"

enum { THIRL_NATBOX_HELD_MAX = 256 };

typedef struct thirl_natbox_held {
  thirl_list syns; /* in the order in which they are due */
  size_t n;
} thirl_natbox_held;

void thirl_natbox_held_init(thirl_natbox_held *h);
/** All are forgotten. */
void thirl_natbox_held_clear(thirl_natbox_held *h);
/** Keep a SYN. A retransmission of one that is kept does not begin its time anew. E_LIMIT, E_NOMEM. */
thirl_error thirl_natbox_held_put(thirl_natbox_held *h, thirl_time now, const thirl_natbox_packet *syn);
/** A SYN of the inside, as it is outside, goes the other way: the one that is kept for this connection is forgotten. */
void thirl_natbox_held_cancel(thirl_natbox_held *h, const thirl_natbox_packet *out);
/** The next SYN whose six seconds are over; false: none. */
bool thirl_natbox_held_take(thirl_natbox_held *h, thirl_time now, thirl_natbox_packet *syn);
thirl_time thirl_natbox_held_deadline(const thirl_natbox_held *h);

#endif
