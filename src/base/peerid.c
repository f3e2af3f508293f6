/* SPDX-License-Identifier: MIT */
#include "base/peerid.h"

#include <string.h>

#include "base/base32.h"
#include "base/hash.h"

enum { BODY = 32, CHECK = 3, GROUP = 5 };

thirl_error thirl_peerid_of_public(thirl_bytes point, thirl_peerid *out) {
  uint8_t h[THIRL_SHA256_LEN];
  thirl_error e = thirl_hash_sha256(point, h);
  memcpy(out->b, h, sizeof out->b);
  return e;
}

bool thirl_peerid_equal(const thirl_peerid *a, const thirl_peerid *b) {
  return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* CRC-15-CAN over the 160 bits: finds every burst of up to 15 bits, so any wrong character and any swapped pair. */
static unsigned crc15(const uint8_t *p, size_t n) {
  unsigned crc = 0;
  for (size_t i = 0; i < n * 8; i++) {
    unsigned bit = ((unsigned)p[i / 8] >> (7 - i % 8)) & 1u, top = (crc >> 14) & 1u;
    crc = (crc << 1) & 0x7fffu;
    if (bit ^ top) crc ^= 0x4599u;
  }
  return crc;
}

const char *thirl_peerid_format(const thirl_peerid *id, char out[THIRL_PEERID_TEXT_MAX]) {
  char flat[BODY + CHECK + 1];
  unsigned crc = crc15(id->b, sizeof id->b);
  (void)thirl_base32_encode(THIRL_BYTES(id->b, sizeof id->b), flat, sizeof flat);
  for (int i = 0; i < CHECK; i++)
    flat[BODY + i] = thirl_base32_char(crc >> (10 - 5 * i));
  size_t n = 0;
  for (size_t i = 0; i < BODY + CHECK; i++) {
    if (i && i % GROUP == 0) out[n++] = '-';
    out[n++] = flat[i];
  }
  out[n] = '\0';
  return out;
}

thirl_error thirl_peerid_parse(const char *text, thirl_peerid *out) {
  char flat[BODY + CHECK];
  size_t n = 0, got = 0;
  memset(out, 0, sizeof *out);
  for (; *text; text++) {
    if (*text == '-' || *text == ' ') continue;
    if (n == sizeof flat || thirl_base32_value(*text) < 0) return THIRL_E_SYNTAX;
    flat[n++] = *text;
  }
  thirl_peerid id;
  if (n != sizeof flat || thirl_base32_decode(flat, BODY, id.b, sizeof id.b, &got) != THIRL_OK) return THIRL_E_SYNTAX;
  unsigned crc = 0;
  for (int i = 0; i < CHECK; i++)
    crc = crc << 5 | (unsigned)thirl_base32_value(flat[BODY + i]);
  if (crc != crc15(id.b, sizeof id.b)) return THIRL_E_CHECKSUM;
  *out = id;
  return THIRL_OK;
}
