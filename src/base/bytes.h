/* SPDX-License-Identifier: MIT */
/* Views of bytes, a reader and a writer with sticky errors, and a bounded buffer. All integers on the wire are big-endian. */
#ifndef THIRL_BASE_BYTES_H
#define THIRL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "thirl/error.h"

/** A borrowed view: whoever made it says how long it lives. */
typedef struct thirl_bytes {
  const uint8_t *p;
  size_t n;
} thirl_bytes;

/** A view of a literal or an array. */
#define THIRL_BYTES(ptr, len) ((thirl_bytes){(const uint8_t *)(ptr), (len)})

bool thirl_bytes_equal(thirl_bytes a, thirl_bytes b);
/** Equality in a time that depends on the lengths only; for secrets and MACs. */
bool thirl_bytes_equal_secret(thirl_bytes a, thirl_bytes b);
/** Overwrite so that the compiler may not leave it out. */
void thirl_bytes_wipe(void *p, size_t n);

static inline uint16_t thirl_bytes_get_u16(const uint8_t *p) {
  return (uint16_t)((p[0] << 8) | p[1]);
}
static inline uint32_t thirl_bytes_get_u32(const uint8_t *p) {
  return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}
static inline uint64_t thirl_bytes_get_u64(const uint8_t *p) {
  return ((uint64_t)thirl_bytes_get_u32(p) << 32) | thirl_bytes_get_u32(p + 4);
}
static inline void thirl_bytes_put_u16(uint8_t *p, uint16_t v) {
  p[0] = (uint8_t)(v >> 8);
  p[1] = (uint8_t)v;
}
static inline void thirl_bytes_put_u32(uint8_t *p, uint32_t v) {
  thirl_bytes_put_u16(p, (uint16_t)(v >> 16));
  thirl_bytes_put_u16(p + 2, (uint16_t)v);
}
static inline void thirl_bytes_put_u64(uint8_t *p, uint64_t v) {
  thirl_bytes_put_u32(p, (uint32_t)(v >> 32));
  thirl_bytes_put_u32(p + 4, (uint32_t)v);
}

/** Reads fields from a view; the first failure sticks, later reads give zeroes: read ten fields, test bad once. */
typedef struct thirl_reader {
  const uint8_t *p, *end;
  bool bad;
} thirl_reader;

thirl_reader thirl_reader_of(thirl_bytes in);
uint8_t thirl_reader_u8(thirl_reader *r);
uint16_t thirl_reader_u16(thirl_reader *r);
uint32_t thirl_reader_u32(thirl_reader *r);
uint64_t thirl_reader_u64(thirl_reader *r);
/** n bytes as a view into the input; empty when bad. */
thirl_bytes thirl_reader_take(thirl_reader *r, size_t n);
/** n bytes copied to out; zeroes when bad. */
void thirl_reader_copy(thirl_reader *r, void *out, size_t n);
size_t thirl_reader_left(const thirl_reader *r);

/** Writes fields into the caller's memory; running out of room sticks. */
typedef struct thirl_writer {
  uint8_t *buf;
  size_t n, cap;
  bool bad;
} thirl_writer;

thirl_writer thirl_writer_of(void *buf, size_t cap);
void thirl_writer_u8(thirl_writer *w, uint8_t v);
void thirl_writer_u16(thirl_writer *w, uint16_t v);
void thirl_writer_u32(thirl_writer *w, uint32_t v);
void thirl_writer_u64(thirl_writer *w, uint64_t v);
void thirl_writer_bytes(thirl_writer *w, thirl_bytes b);
void thirl_writer_copy(thirl_writer *w, const void *p, size_t n);
/** What was written; empty when bad. */
thirl_bytes thirl_writer_done(const thirl_writer *w);

/** A first-in first-out buffer that grows up to its maximum and never further. Zero is not a valid maximum. */
typedef struct thirl_buffer {
  uint8_t *p;
  size_t at, n, cap, max; /* bytes p[at .. at+n) are held */
} thirl_buffer;

void thirl_buffer_init(thirl_buffer *b, size_t max);
void thirl_buffer_fini(thirl_buffer *b);
/** Append; E_LIMIT and nothing appended when it would pass the maximum, E_NOMEM likewise. */
thirl_error thirl_buffer_append(thirl_buffer *b, thirl_bytes in);
/** Room for at least n more contiguous bytes at the returned address, or NULL; follow with thirl_buffer_commit. */
uint8_t *thirl_buffer_reserve(thirl_buffer *b, size_t n);
void thirl_buffer_commit(thirl_buffer *b, size_t n);
thirl_bytes thirl_buffer_view(const thirl_buffer *b);
/** Forget the first n bytes (at most what is held). An empty buffer gives its memory back when it is large. */
void thirl_buffer_consume(thirl_buffer *b, size_t n);
/** How many more bytes fit below the maximum. */
size_t thirl_buffer_room(const thirl_buffer *b);

#endif
