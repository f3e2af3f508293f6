/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <string.h>

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
