/* SPDX-License-Identifier: MIT */
#include "screen/history.h"

#include <stdlib.h>
#include <string.h>

void thirl_screen_history_init(thirl_screen_history *h) {
  memset(h, 0, sizeof *h);
}

void thirl_screen_history_fini(thirl_screen_history *h) {
  for (size_t i = 0; i <= h->n; i++)
    free(h->entries[i].p);
  memset(h, 0, sizeof *h);
}

static thirl_bytes view_of(const thirl_screen_history *h, size_t i) {
  return (thirl_bytes){h->entries[i].p, h->entries[i].n};
}

/* The draft becomes this. False: no memory. */
static bool set_draft(thirl_screen_history *h, thirl_bytes text) {
  uint8_t *p = malloc(text.n + 1);
  if (!p) return false;
  if (text.n) memcpy(p, text.p, text.n);
  free(h->entries[h->n].p);
  h->entries[h->n].p = p;
  h->entries[h->n].n = text.n;
  return true;
}

void thirl_screen_history_add(thirl_screen_history *h, thirl_bytes text) {
  h->at = h->n;
  if (text.n == 0 || (h->n > 0 && thirl_bytes_equal(text, view_of(h, h->n - 1)))) return;
  if (!set_draft(h, text)) return;
  if (h->n == THIRL_SCREEN_HISTORY_MAX) {
    free(h->entries[0].p);
    memmove(h->entries, h->entries + 1, THIRL_SCREEN_HISTORY_MAX * sizeof *h->entries);
    h->n--;
  }
  h->n++;
  h->entries[h->n].p = NULL;
  h->entries[h->n].n = 0;
  h->at = h->n;
}

bool thirl_screen_history_older(thirl_screen_history *h, thirl_bytes present, thirl_bytes *out) {
  if (h->at == 0 || (h->at == h->n && !set_draft(h, present))) return false;
  *out = view_of(h, --h->at);
  return true;
}

bool thirl_screen_history_newer(thirl_screen_history *h, thirl_bytes *out) {
  if (h->at == h->n) return false;
  *out = view_of(h, ++h->at);
  return true;
}
