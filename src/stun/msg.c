/* SPDX-License-Identifier: MIT */
/*
 * Reading of STUN messages. What lives here: the shape of a message and the types of its values. What does not: keys (integrity.c),
 * writing (writer.c), the framing of streams (stream.c).
 *
 *       0                   1                   2                   3
 *       0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *      |0 0|M11-M7 |C1|M6-M4|C0|M3-M0  |    Length without the header  |
 *      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *      |                     Magic cookie 0x2112A442                   |
 *      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *      |                    Transaction ID (96 bits)                   |
 *      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *      |      Attribute type           |   Length without the padding  |
 *      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *      |                 Value, padded to 32 bits ...
 */
#include "stun/msg.h"

#include <string.h>

#include "base/hash.h"

enum {
  ATTR_HEADER_LEN = 4,
  SHA256_MIN = 16, /* a truncated MESSAGE-INTEGRITY-SHA256 has at least so many bytes; RFC 8489 section 14.6 */
  FAMILY_V4 = 1,
  FAMILY_V6 = 2,
  FINGERPRINT_LEN = 4
};

#define FINGERPRINT_XOR 0x5354554eu

thirl_stun_kind thirl_stun_msg_kind(thirl_bytes in) {
  if (in.n == 0) return THIRL_STUN_KIND_OTHER;
  uint8_t b = in.p[0];
  if (b <= 3) return THIRL_STUN_KIND_STUN;
  if (b >= 20 && b <= 63) return THIRL_STUN_KIND_TLS;
  if (b >= 64 && b <= 79) return THIRL_STUN_KIND_CHANNEL;
  return THIRL_STUN_KIND_OTHER;
}

/* ---- shape ---- */

/* One attribute at offset *at of area; false at the end and where it does not fit. *at moves behind its padding. */
static bool take_attr(thirl_bytes area, size_t *at, uint16_t *type, thirl_bytes *value) {
  if (*at > area.n || area.n - *at < ATTR_HEADER_LEN) return false;
  const uint8_t *p = area.p + *at;
  size_t n = thirl_bytes_get_u16(p + 2), padded = (n + 3) & ~(size_t)3;
  if (padded > area.n - *at - ATTR_HEADER_LEN) return false;
  *type = thirl_bytes_get_u16(p);
  *value = (thirl_bytes){p + ATTR_HEADER_LEN, n};
  *at += ATTR_HEADER_LEN + padded;
  return true;
}

static bool is_known(uint16_t type) {
  switch (type) {
#define X(name, number, kind, remark) case number:
    THIRL_STUN_ATTRS(X)
#undef X
    return true;
  default:
    return false;
  }
}

static void note_unknown(thirl_stun_msg *m, uint16_t type) {
  if (type >= 0x8000 || is_known(type)) return;
  if (m->n_unknown < THIRL_STUN_UNKNOWN_MAX) m->unknown[m->n_unknown] = type;
  m->n_unknown++;
}

static bool fingerprint_is_right(thirl_bytes raw, size_t at) {
  uint32_t crc = thirl_hash_crc32((thirl_bytes){raw.p, at}) ^ FINGERPRINT_XOR;
  return thirl_bytes_get_u32(raw.p + at + ATTR_HEADER_LEN) == crc;
}

/* Note one attribute that starts at offset at of the message. False when its length is impossible. */
static bool place_attr(thirl_stun_msg *m, size_t at, uint16_t type, size_t n) {
  switch (type) {
  case THIRL_STUN_ATTR_FINGERPRINT:
    m->fingerprint_at = at;
    return n == FINGERPRINT_LEN;
  case THIRL_STUN_ATTR_MESSAGE_INTEGRITY:
    if (m->integrity_at || m->integrity256_at) return true; /* behind an integrity attribute: ignored */
    m->integrity_at = at;
    return n == THIRL_SHA1_LEN;
  case THIRL_STUN_ATTR_MESSAGE_INTEGRITY_SHA256:
    if (m->integrity256_at) return true;
    m->integrity256_at = at;
    return n >= SHA256_MIN && n <= THIRL_SHA256_LEN && n % 4 == 0;
  default:
    /* RFC 8489 14.5, 14.6: agents MUST ignore all other attributes that follow */
    if (!m->integrity_at && !m->integrity256_at) note_unknown(m, type);
    return true;
  }
}

static thirl_error walk(thirl_stun_msg *m) {
  size_t at = THIRL_STUN_HEADER_LEN, end = 0;
  while (at < m->raw.n) {
    size_t start = at;
    uint16_t type;
    thirl_bytes value;
    if (m->fingerprint_at) return THIRL_E_MALFORMED; /* RFC 8489 14.7: it MUST be the last */
    if (!take_attr(m->raw, &at, &type, &value)) return THIRL_E_MALFORMED;
    if (!place_attr(m, start, type, value.n)) return THIRL_E_MALFORMED;
    if (!end && (m->integrity_at || m->integrity256_at || m->fingerprint_at)) end = start;
  }
  if (m->fingerprint_at && !fingerprint_is_right(m->raw, m->fingerprint_at)) return THIRL_E_MALFORMED;
  if (!end) end = m->raw.n;
  m->attrs = (thirl_bytes){m->raw.p + THIRL_STUN_HEADER_LEN, end - THIRL_STUN_HEADER_LEN};
  return THIRL_OK;
}

thirl_error thirl_stun_msg_decode(thirl_bytes in, thirl_stun_msg *msg) {
  *msg = (thirl_stun_msg){0};
  if (in.n < THIRL_STUN_HEADER_LEN || (in.p[0] & 0xc0) != 0 || thirl_bytes_get_u32(in.p + 4) != THIRL_STUN_COOKIE)
    return THIRL_E_NOT_STUN;
  size_t length = thirl_bytes_get_u16(in.p + 2);
  if (length % 4 != 0 || length != in.n - THIRL_STUN_HEADER_LEN) return THIRL_E_MALFORMED;
  unsigned type = thirl_bytes_get_u16(in.p);
  msg->raw = in;
  msg->cls = (thirl_stun_class)((type >> 7 & 2) | (type >> 4 & 1));
  msg->method = (uint16_t)((type & 0x000f) | (type & 0x00e0) >> 1 | (type & 0x3e00) >> 2);
  memcpy(msg->tid, in.p + 8, sizeof msg->tid);
  thirl_error e = walk(msg);
  if (e != THIRL_OK) *msg = (thirl_stun_msg){0};
  return e;
}

/* ---- attributes ---- */

bool thirl_stun_msg_next(const thirl_stun_msg *m, size_t *at, uint16_t *type, thirl_bytes *value) {
  return take_attr(m->attrs, at, type, value);
}

bool thirl_stun_msg_find(const thirl_stun_msg *m, uint16_t type, thirl_bytes *value) {
  size_t at = 0;
  uint16_t t;
  while (thirl_stun_msg_next(m, &at, &t, value))
    if (t == type) return true;
  *value = (thirl_bytes){NULL, 0};
  return false;
}

bool thirl_stun_msg_has(const thirl_stun_msg *m, uint16_t type) {
  thirl_bytes value;
  return thirl_stun_msg_find(m, type, &value);
}

/* A value of exactly n bytes. */
static thirl_error find_sized(const thirl_stun_msg *m, uint16_t type, size_t n, const uint8_t **out) {
  thirl_bytes v;
  if (!thirl_stun_msg_find(m, type, &v)) return THIRL_E_NOT_FOUND;
  *out = v.p;
  return v.n == n ? THIRL_OK : THIRL_E_MALFORMED;
}

thirl_error thirl_stun_msg_get_u16(const thirl_stun_msg *m, uint16_t type, uint16_t *out) {
  thirl_bytes v;
  *out = 0;
  if (!thirl_stun_msg_find(m, type, &v)) return THIRL_E_NOT_FOUND;
  /* RFC 5780 7.5 does not say whether the two bytes of padding are part of the length: both are met in the wild */
  if (v.n != 2 && v.n != 4) return THIRL_E_MALFORMED;
  *out = thirl_bytes_get_u16(v.p);
  return THIRL_OK;
}

thirl_error thirl_stun_msg_get_u32(const thirl_stun_msg *m, uint16_t type, uint32_t *out) {
  const uint8_t *p;
  *out = 0;
  thirl_error e = find_sized(m, type, 4, &p);
  if (e == THIRL_OK) *out = thirl_bytes_get_u32(p);
  return e;
}

thirl_error thirl_stun_msg_get_u64(const thirl_stun_msg *m, uint16_t type, uint64_t *out) {
  const uint8_t *p;
  *out = 0;
  thirl_error e = find_sized(m, type, 8, &p);
  if (e == THIRL_OK) *out = thirl_bytes_get_u64(p);
  return e;
}

thirl_error thirl_stun_msg_get_fixed(const thirl_stun_msg *m, uint16_t type, void *out, size_t n) {
  const uint8_t *p;
  thirl_error e = find_sized(m, type, n, &p);
  if (n == 0) return e;
  if (e == THIRL_OK)
    memcpy(out, p, n);
  else
    memset(out, 0, n);
  return e;
}

/*
 *      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *      |0 0 0 0 0 0 0 0|    Family     |             Port              |
 *      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *      |                 Address (32 or 128 bits) ...
 */
thirl_error thirl_stun_msg_get_addr(const thirl_stun_msg *m, uint16_t type, thirl_addr *out) {
  thirl_bytes v;
  *out = (thirl_addr){0};
  if (!thirl_stun_msg_find(m, type, &v)) return THIRL_E_NOT_FOUND;
  if (v.n == 8 && v.p[1] == FAMILY_V4)
    *out = thirl_addr_v4(v.p[4], v.p[5], v.p[6], v.p[7], thirl_bytes_get_u16(v.p + 2));
  else if (v.n == 20 && v.p[1] == FAMILY_V6)
    *out = thirl_addr_v6(v.p + 4, thirl_bytes_get_u16(v.p + 2));
  else
    return THIRL_E_MALFORMED;
  return THIRL_OK;
}

thirl_error thirl_stun_msg_get_xor_addr(const thirl_stun_msg *m, uint16_t type, thirl_addr *out) {
  thirl_error e = thirl_stun_msg_get_addr(m, type, out);
  if (e != THIRL_OK) return e;
  const uint8_t *mask = m->raw.p + 4; /* RFC 8489 14.2: the cookie, then the transaction id */
  out->port ^= (uint16_t)(THIRL_STUN_COOKIE >> 16);
  for (size_t i = 0; i < thirl_addr_ip_len(out); i++)
    out->ip[i] ^= mask[i];
  return THIRL_OK;
}

/*
 *      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *      |           Reserved, should be 0         |Class|     Number    |
 *      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *      |      Reason phrase (UTF-8) ...
 */
thirl_error thirl_stun_msg_get_error(const thirl_stun_msg *m, unsigned *code, thirl_bytes *reason) {
  thirl_bytes v;
  *code = 0;
  if (reason) *reason = (thirl_bytes){NULL, 0};
  if (!thirl_stun_msg_find(m, THIRL_STUN_ATTR_ERROR_CODE, &v)) return THIRL_E_NOT_FOUND;
  if (v.n < 4) return THIRL_E_MALFORMED;
  unsigned hundreds = v.p[2] & 7u, number = v.p[3];
  if (hundreds < 3 || hundreds > 6 || number > 99) return THIRL_E_MALFORMED;
  *code = hundreds * 100 + number;
  if (reason) *reason = (thirl_bytes){v.p + 4, v.n - 4};
  return THIRL_OK;
}

bool thirl_stun_msg_same_tid(const thirl_stun_msg *m, const uint8_t tid[THIRL_STUN_TID_LEN]) {
  return memcmp(m->tid, tid, sizeof m->tid) == 0;
}
