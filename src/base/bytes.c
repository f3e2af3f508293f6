/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

enum { BUFFER_FIRST = 512, BUFFER_KEEP = 16384 };

bool thirl_bytes_equal(thirl_bytes a, thirl_bytes b) {
  return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool thirl_bytes_equal_secret(thirl_bytes a, thirl_bytes b) {
  return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

void thirl_bytes_wipe(void *p, size_t n) {
  OPENSSL_cleanse(p, n);
}

/* ---- reader ---- */

thirl_reader thirl_reader_of(thirl_bytes in) {
  return (thirl_reader){in.p, in.n ? in.p + in.n : in.p, false};
}

size_t thirl_reader_left(const thirl_reader *r) {
  return r->bad ? 0 : (size_t)(r->end - r->p);
}

thirl_bytes thirl_reader_take(thirl_reader *r, size_t n) {
  if (r->bad || (size_t)(r->end - r->p) < n) {
    r->bad = true;
    return (thirl_bytes){NULL, 0};
  }
  thirl_bytes b = {r->p, n};
  if (n) r->p += n; /* p may be NULL */
  return b;
}

void thirl_reader_copy(thirl_reader *r, void *out, size_t n) {
  thirl_bytes b = thirl_reader_take(r, n);
  if (b.n == n && n)
    memcpy(out, b.p, n);
  else if (n)
    memset(out, 0, n);
}

uint8_t thirl_reader_u8(thirl_reader *r) {
  uint8_t b[1];
  thirl_reader_copy(r, b, 1);
  return b[0];
}

uint16_t thirl_reader_u16(thirl_reader *r) {
  uint8_t b[2];
  thirl_reader_copy(r, b, 2);
  return thirl_bytes_get_u16(b);
}

uint32_t thirl_reader_u32(thirl_reader *r) {
  uint8_t b[4];
  thirl_reader_copy(r, b, 4);
  return thirl_bytes_get_u32(b);
}

uint64_t thirl_reader_u64(thirl_reader *r) {
  uint8_t b[8];
  thirl_reader_copy(r, b, 8);
  return thirl_bytes_get_u64(b);
}

/* ---- writer ---- */

thirl_writer thirl_writer_of(void *buf, size_t cap) {
  return (thirl_writer){buf, 0, cap, false};
}

void thirl_writer_copy(thirl_writer *w, const void *p, size_t n) {
  if (w->bad || w->cap - w->n < n) {
    w->bad = true;
    return;
  }
  if (n) memcpy(w->buf + w->n, p, n);
  w->n += n;
}

void thirl_writer_bytes(thirl_writer *w, thirl_bytes b) {
  thirl_writer_copy(w, b.p, b.n);
}

void thirl_writer_u8(thirl_writer *w, uint8_t v) {
  thirl_writer_copy(w, &v, 1);
}

void thirl_writer_u16(thirl_writer *w, uint16_t v) {
  uint8_t b[2];
  thirl_bytes_put_u16(b, v);
  thirl_writer_copy(w, b, sizeof b);
}

void thirl_writer_u32(thirl_writer *w, uint32_t v) {
  uint8_t b[4];
  thirl_bytes_put_u32(b, v);
  thirl_writer_copy(w, b, sizeof b);
}

void thirl_writer_u64(thirl_writer *w, uint64_t v) {
  uint8_t b[8];
  thirl_bytes_put_u64(b, v);
  thirl_writer_copy(w, b, sizeof b);
}

thirl_bytes thirl_writer_done(const thirl_writer *w) {
  return w->bad ? (thirl_bytes){NULL, 0} : (thirl_bytes){w->buf, w->n};
}

/* ---- buffer ---- */

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
