/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <string.h>

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
