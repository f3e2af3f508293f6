/* SPDX-License-Identifier: MIT */
/* What a peer can make us say as often as it likes is said so often a minute, and then only counted. */
#ifndef THIRL_APPS_HUSH_H
#define THIRL_APPS_HUSH_H

#include <stdbool.h>
#include <stdint.h>

enum { HUSH_LINES = 30, HUSH_WINDOW_MS = 60000 };

typedef struct hush {
  uint64_t since; /* when the window began, in ms */
  unsigned said, unsaid;
} hush;

/**
 * May one more line be said? now_ms: a clock that does not go back, in ms. *missed: so many were not said before this one; they are forgotten then. All
 * zeroes is a hush that has said nothing.
 */
bool hush_allows(hush *h, uint64_t now_ms, unsigned *missed);

#endif
