/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_FIRST = 512, BUFFER_KEEP = 16384 };

void thirl_buffer_init(thirl_buffer *b, size_t max) {
  assert(max > 0);
  *b = (thirl_buffer){.max = max};
}

void thirl_buffer_fini(thirl_buffer *b) {
  free(b->p);
  *b = (thirl_buffer){.max = b->max};
}

size_t thirl_buffer_room(const thirl_buffer *b) {
  return b->max - b->n;
}

uint8_t *thirl_buffer_reserve(thirl_buffer *b, size_t n) {
  if (n > thirl_buffer_room(b)) return NULL;
  if (b->p && b->at + b->n + n <= b->cap) return b->p + b->at + b->n;
  if (b->at && b->n + n <= b->cap) {
    memmove(b->p, b->p + b->at, b->n);
    b->at = 0;
    return b->p + b->n;
  }
  size_t cap = b->cap ? b->cap : BUFFER_FIRST;
  while (cap < b->n + n)
    cap *= 2;
  if (cap > b->max) cap = b->max;
  uint8_t *p = malloc(cap);
  if (!p) return NULL;
  if (b->n) memcpy(p, b->p + b->at, b->n);
  free(b->p);
  b->p = p;
  b->at = 0;
  b->cap = cap;
  return p + b->n;
}

void thirl_buffer_commit(thirl_buffer *b, size_t n) {
  assert(b->at + b->n + n <= b->cap);
  b->n += n;
}

thirl_error thirl_buffer_append(thirl_buffer *b, thirl_bytes in) {
  if (in.n == 0) return THIRL_OK;
  if (in.n > thirl_buffer_room(b)) return THIRL_E_LIMIT;
  uint8_t *to = thirl_buffer_reserve(b, in.n);
  if (!to) return THIRL_E_NOMEM;
  memcpy(to, in.p, in.n);
  b->n += in.n;
  return THIRL_OK;
}

thirl_bytes thirl_buffer_view(const thirl_buffer *b) {
  return (thirl_bytes){b->n ? b->p + b->at : NULL, b->n};
}

void thirl_buffer_consume(thirl_buffer *b, size_t n) {
  assert(n <= b->n);
  b->at += n;
  b->n -= n;
  if (b->n) return;
  b->at = 0;
  if (b->cap > BUFFER_KEEP) thirl_buffer_fini(b);
}
