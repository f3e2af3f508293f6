/* SPDX-License-Identifier: MIT */
#include "hush.h"

#include <limits.h>

bool hush_allows(hush *h, uint64_t now_ms, unsigned *missed) {
  *missed = 0;
  if (now_ms - h->since >= HUSH_WINDOW_MS) {
    h->since = now_ms;
    h->said = 0;
  }
  if (h->said == HUSH_LINES) {
    if (h->unsaid < UINT_MAX) h->unsaid++;
    return false;
  }
  h->said++;
  *missed = h->unsaid;
  h->unsaid = 0;
  return true;
}
