/* SPDX-License-Identifier: MIT */
/* Writing of STUN messages. The header's length field is right after every attribute, so that a MAC or a CRC can be taken at any time. */
#include "stun/writer.h"

#include <string.h>

#include "base/hash.h"

enum { ATTR_HEADER_LEN = 4, LENGTH_MAX = 0xfffc, METHOD_MAX = 0xfff, REASON_MAX = 127, FAMILY_V4 = 1, FAMILY_V6 = 2 };

#define FINGERPRINT_XOR 0x5354554eu

static void fail(thirl_stun_writer *w, thirl_error e) {
  if (w->error == THIRL_OK) w->error = e;
}

void thirl_stun_writer_init(thirl_stun_writer *w, void *buf, size_t cap, thirl_stun_class cls, uint16_t method,
                            const uint8_t tid[THIRL_STUN_TID_LEN]) {
  *w = (thirl_stun_writer){.buf = buf, .cap = cap};
  if (method > METHOD_MAX) fail(w, THIRL_E_RANGE);
  if (cap < THIRL_STUN_HEADER_LEN) fail(w, THIRL_E_SPACE);
  if (w->error != THIRL_OK) return;
  unsigned m = method, c = cls;
  unsigned type = (m & 0x00f) | (m & 0x070) << 1 | (m & 0xf80) << 2 | (c & 1) << 4 | (c & 2) << 7;
  thirl_bytes_put_u16(w->buf, (uint16_t)type);
  thirl_bytes_put_u16(w->buf + 2, 0);
  thirl_bytes_put_u32(w->buf + 4, THIRL_STUN_COOKIE);
  memcpy(w->buf + 8, tid, THIRL_STUN_TID_LEN);
  w->n = THIRL_STUN_HEADER_LEN;
}

static void set_length(thirl_stun_writer *w, size_t n) {
  thirl_bytes_put_u16(w->buf + 2, (uint16_t)(n - THIRL_STUN_HEADER_LEN));
}

/* An attribute of n bytes whose value the caller fills in; the padding is zeroed. NULL when there is no room for it. */
static uint8_t *open_attr(thirl_stun_writer *w, uint16_t type, size_t n) {
  if (w->sealed) fail(w, THIRL_E_STATE);
  if (n > LENGTH_MAX) fail(w, THIRL_E_RANGE);
  if (w->error != THIRL_OK) return NULL;
  size_t padded = (n + 3) & ~(size_t)3, total = ATTR_HEADER_LEN + padded;
  if (w->n - THIRL_STUN_HEADER_LEN + total > LENGTH_MAX) fail(w, THIRL_E_RANGE);
  if (w->cap - w->n < total) fail(w, THIRL_E_SPACE);
  if (w->error != THIRL_OK) return NULL;
  uint8_t *p = w->buf + w->n;
  thirl_bytes_put_u16(p, type);
  thirl_bytes_put_u16(p + 2, (uint16_t)n);
  memset(p + ATTR_HEADER_LEN + n, 0, padded - n);
  w->n += total;
  set_length(w, w->n);
  return p + ATTR_HEADER_LEN;
}

void thirl_stun_writer_bytes(thirl_stun_writer *w, uint16_t type, thirl_bytes value) {
  uint8_t *p = open_attr(w, type, value.n);
  if (p && value.n) memcpy(p, value.p, value.n);
}

void thirl_stun_writer_flag(thirl_stun_writer *w, uint16_t type) {
  (void)open_attr(w, type, 0);
}

void thirl_stun_writer_u16(thirl_stun_writer *w, uint16_t type, uint16_t v) {
  uint8_t *p = open_attr(w, type, 4);
  if (p) thirl_bytes_put_u32(p, (uint32_t)v << 16);
}

void thirl_stun_writer_u32(thirl_stun_writer *w, uint16_t type, uint32_t v) {
  uint8_t *p = open_attr(w, type, 4);
  if (p) thirl_bytes_put_u32(p, v);
}

void thirl_stun_writer_u64(thirl_stun_writer *w, uint16_t type, uint64_t v) {
  uint8_t *p = open_attr(w, type, 8);
  if (p) thirl_bytes_put_u64(p, v);
}

void thirl_stun_writer_addr(thirl_stun_writer *w, uint16_t type, const thirl_addr *a) {
  size_t n = thirl_addr_ip_len(a);
  if (n == 0) fail(w, THIRL_E_INVALID);
  uint8_t *p = open_attr(w, type, 4 + n);
  if (!p) return;
  p[0] = 0;
  p[1] = n == 4 ? FAMILY_V4 : FAMILY_V6;
  thirl_bytes_put_u16(p + 2, a->port);
  memcpy(p + 4, a->ip, n);
}

void thirl_stun_writer_xor_addr(thirl_stun_writer *w, uint16_t type, const thirl_addr *a) {
  thirl_addr x = *a;
  if (w->error != THIRL_OK) return;
  x.port ^= (uint16_t)(THIRL_STUN_COOKIE >> 16);
  for (size_t i = 0; i < thirl_addr_ip_len(a); i++)
    x.ip[i] ^= w->buf[4 + i]; /* RFC 8489 14.2: the cookie, then the transaction id */
  thirl_stun_writer_addr(w, type, &x);
}

void thirl_stun_writer_error(thirl_stun_writer *w, unsigned code, const char *reason) {
  size_t n = strlen(reason);
  if (code < 300 || code > 699 || n > REASON_MAX) fail(w, THIRL_E_RANGE);
  uint8_t *p = open_attr(w, THIRL_STUN_ATTR_ERROR_CODE, 4 + n);
  if (!p) return;
  thirl_bytes_put_u32(p, (uint32_t)(code / 100) << 8 | code % 100);
  memcpy(p + 4, reason, n);
}

void thirl_stun_writer_unknown(thirl_stun_writer *w, const uint16_t *types, size_t n) {
  if (n > LENGTH_MAX / 2) fail(w, THIRL_E_RANGE);
  uint8_t *p = open_attr(w, THIRL_STUN_ATTR_UNKNOWN_ATTRIBUTES, w->error == THIRL_OK ? 2 * n : 0);
  for (size_t i = 0; p && i < n; i++)
    thirl_bytes_put_u16(p + 2 * i, types[i]);
}

/*
 * RFC 8489 14.5: the MAC covers everything before its own attribute, with a header length that already counts that attribute: open the
 * attribute first, which sets the length, then take the MAC over what stands before it.
 */
void thirl_stun_writer_integrity(thirl_stun_writer *w, thirl_bytes key) {
  thirl_bytes before = {w->buf, w->n};
  uint8_t *p = open_attr(w, THIRL_STUN_ATTR_MESSAGE_INTEGRITY, THIRL_SHA1_LEN);
  if (p && thirl_hash_hmac_sha1(key, &before, 1, p) != THIRL_OK) fail(w, THIRL_E_CRYPTO);
}

void thirl_stun_writer_integrity256(thirl_stun_writer *w, thirl_bytes key) {
  thirl_bytes before = {w->buf, w->n};
  uint8_t *p = open_attr(w, THIRL_STUN_ATTR_MESSAGE_INTEGRITY_SHA256, THIRL_SHA256_LEN);
  if (p && thirl_hash_hmac_sha256(key, &before, 1, p) != THIRL_OK) fail(w, THIRL_E_CRYPTO);
}

void thirl_stun_writer_fingerprint(thirl_stun_writer *w) {
  thirl_bytes before = {w->buf, w->n};
  uint8_t *p = open_attr(w, THIRL_STUN_ATTR_FINGERPRINT, 4);
  if (!p) return;
  thirl_bytes_put_u32(p, thirl_hash_crc32(before) ^ FINGERPRINT_XOR);
  w->sealed = true;
}

thirl_error thirl_stun_writer_finish(thirl_stun_writer *w, thirl_bytes *out) {
  *out = w->error == THIRL_OK ? (thirl_bytes){w->buf, w->n} : (thirl_bytes){NULL, 0};
  return w->error;
}
