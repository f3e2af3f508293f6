/* SPDX-License-Identifier: MIT */
#include "server/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Small data gets a small last chunk: a channel that carries keystrokes holds no page per direction. */
struct thirl_server_chunk {
  struct thirl_server_chunk *next;
  uint16_t n, cap;
  uint8_t bytes[];
};

enum { HEADER = sizeof(struct thirl_server_chunk), SMALL = 256 - HEADER, LARGE = THIRL_SERVER_QUEUE_CHUNK - HEADER };

static struct thirl_server_chunk *chunk_new(size_t want) {
  size_t cap = want <= SMALL ? SMALL : LARGE;
  struct thirl_server_chunk *c = malloc(HEADER + cap);
  if (!c) return NULL;
  c->next = NULL;
  c->n = 0;
  c->cap = (uint16_t)cap;
  return c;
}

static void free_from(struct thirl_server_chunk *c) {
  while (c) {
    struct thirl_server_chunk *next = c->next;
    free(c);
    c = next;
  }
}

void thirl_server_queue_clear(thirl_server_queue *q) {
  free_from(q->first);
  *q = (thirl_server_queue){.n = 0};
}

/* Chunks for n bytes, empty and linked; NULL when there is no memory for all of them. */
static struct thirl_server_chunk *chain_new(size_t n) {
  struct thirl_server_chunk *first = NULL, **end = &first;
  while (n) {
    struct thirl_server_chunk *c = chunk_new(n);
    if (!c) {
      free_from(first);
      return NULL;
    }
    *end = c;
    end = &c->next;
    n -= n < c->cap ? n : c->cap;
  }
  return first;
}

static thirl_bytes fill(struct thirl_server_chunk *c, thirl_bytes in) {
  size_t room = (size_t)(c->cap - c->n), part = in.n < room ? in.n : room;
  memcpy(c->bytes + c->n, in.p, part);
  c->n = (uint16_t)(c->n + part);
  return THIRL_BYTES(in.p + part, in.n - part);
}

thirl_error thirl_server_queue_append(thirl_server_queue *q, thirl_bytes in) {
  if (in.n == 0) return THIRL_OK;
  size_t room = q->last ? (size_t)(q->last->cap - q->last->n) : 0;
  struct thirl_server_chunk *more = NULL;
  if (in.n > room && !(more = chain_new(in.n - room))) return THIRL_E_NOMEM;
  q->n += in.n;
  if (q->last) {
    if (room) in = fill(q->last, in);
    q->last->next = more;
  } else {
    q->first = more;
  }
  for (struct thirl_server_chunk *c = more; c; c = c->next) {
    in = fill(c, in);
    q->last = c;
  }
  return THIRL_OK;
}

void thirl_server_queue_take(thirl_server_queue *q, uint8_t *out, size_t n) {
  assert(n <= q->n);
  q->n -= n;
  while (n) {
    struct thirl_server_chunk *c = q->first;
    size_t have = c->n - q->at, part = n < have ? n : have;
    memcpy(out, c->bytes + q->at, part);
    out += part;
    n -= part;
    q->at += part;
    if (q->at < c->n) continue;
    q->first = c->next;
    q->at = 0;
    if (!q->first) q->last = NULL;
    free(c);
  }
}
