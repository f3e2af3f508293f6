/* SPDX-License-Identifier: MIT */
/* What was said before, for the Up key. Keeps the draft that one leaves on the way. */
#ifndef THIRL_SCREEN_HISTORY_H
#define THIRL_SCREEN_HISTORY_H

#include "base/bytes.h"

enum { THIRL_SCREEN_HISTORY_MAX = 64 }; /* entries; the oldest is forgotten */

typedef struct thirl_screen_history {
  struct {
    uint8_t *p;
    size_t n;
  } entries[THIRL_SCREEN_HISTORY_MAX + 1]; /* oldest first; entries[n] is the draft */
  size_t n, at;                            /* at == n: not looking back */
} thirl_screen_history;

void thirl_screen_history_init(thirl_screen_history *h);
void thirl_screen_history_fini(thirl_screen_history *h);
/** The newest from now on, and no longer looking back. Nothing and what is the newest already are not added; nor what there is no memory for. */
void thirl_screen_history_add(thirl_screen_history *h, thirl_bytes text);
/** One older. present: what stands in the line now; it is the draft when this is the first step. False: there is no older one. *out lives until the next call. */
bool thirl_screen_history_older(thirl_screen_history *h, thirl_bytes present, thirl_bytes *out);
/** One newer, the draft behind the newest. False: there is none. */
bool thirl_screen_history_newer(thirl_screen_history *h, thirl_bytes *out);

#endif
