/* SPDX-License-Identifier: MIT */
/* Outer ports that rest after use, so that what still comes for the last owner does not reach another one: RFC 6888 REQ-8. */
#ifndef THIRL_NATBOX_HOLDDOWN_H
#define THIRL_NATBOX_HOLDDOWN_H

#include "base/addr.h"
#include "base/heap.h"
#include "base/map.h"

enum { THIRL_NATBOX_HOLDDOWN_MAX = 65536 }; /* ports at rest; one more does not rest */

typedef struct thirl_natbox_holddown {
  thirl_map ports;
  thirl_heap timers;
} thirl_natbox_holddown;

void thirl_natbox_holddown_init(thirl_natbox_holddown *h, uint64_t seed);
void thirl_natbox_holddown_fini(thirl_natbox_holddown *h);
/** None rests any more. */
void thirl_natbox_holddown_clear(thirl_natbox_holddown *h);
/** The port of this outer endpoint, which inside had, rests until then. Without memory it does not. */
void thirl_natbox_holddown_put(thirl_natbox_holddown *h, uint8_t protocol, const thirl_addr *outside,
                               const thirl_addr *inside, thirl_time until);
/** Is the port at rest for this inner endpoint? It never is for the one that had it last: nothing can go astray then. */
bool thirl_natbox_holddown_bars(const thirl_natbox_holddown *h, uint8_t protocol, const thirl_addr *outside,
                                const thirl_addr *inside);
/** Wake those whose time has come. */
void thirl_natbox_holddown_expire(thirl_natbox_holddown *h, thirl_time now);

#endif
