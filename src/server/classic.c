/* SPDX-License-Identifier: MIT */
/*
 *       0                   1                   2                   3
 *      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *      |   0x0001 Binding Request      |    Length without the header  |
 *      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *      |                  Transaction ID (128 bits) ...
 *      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *      |      Attribute type           |  Length, a multiple of 4      |
 *      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * The first four bytes of the transaction id are where RFC 8489 has its cookie, which is why the two can share a port.
 */
#include "server/classic.h"

#include <string.h>

#include "base/time.h"

enum {
  BINDING_REQUEST = 0x0001,
  BINDING_RESPONSE = 0x0101,
  BINDING_ERROR = 0x0111,
  SOURCE_ADDRESS = 0x0004,
  CHANGED_ADDRESS = 0x0005,
  ATTR_HEADER_LEN = 4,
  OPTIONAL = 0x8000 /* from here on what is not understood may be passed over; RFC 3489 section 11.2 */
};

static thirl_error take(thirl_server_classic *c, uint16_t type, const uint8_t *value, size_t n) {
  switch (type) {
  case THIRL_STUN_ATTR_CHANGE_REQUEST:
    if (n != 4) return THIRL_E_MALFORMED;
    c->has_change = true;
    c->change = thirl_bytes_get_u32(value);
    return THIRL_OK;
  case THIRL_STUN_ATTR_USERNAME:
  case THIRL_STUN_ATTR_MESSAGE_INTEGRITY:
    return THIRL_OK; /* nobody needs a password here */
  default:
    if (type >= OPTIONAL) return THIRL_OK;
    if (c->n_unknown < THIRL_SERVER_CLASSIC_UNKNOWN_MAX) c->unknown[c->n_unknown] = type;
    c->n_unknown++;
    return THIRL_OK;
  }
}

thirl_error thirl_server_classic_decode(thirl_bytes in, thirl_server_classic *out) {
  *out = (thirl_server_classic){.has_change = false};
  if (in.n < THIRL_STUN_HEADER_LEN || thirl_bytes_get_u16(in.p) != BINDING_REQUEST ||
      thirl_bytes_get_u32(in.p + 4) == THIRL_STUN_COOKIE)
    return THIRL_E_NOT_STUN;
  if (thirl_bytes_get_u16(in.p + 2) != in.n - THIRL_STUN_HEADER_LEN) return THIRL_E_NOT_STUN;
  memcpy(out->tid, in.p + 4, sizeof out->tid);
  for (size_t at = THIRL_STUN_HEADER_LEN; at < in.n;) {
    if (in.n - at < ATTR_HEADER_LEN) return THIRL_E_MALFORMED;
    size_t n = thirl_bytes_get_u16(in.p + at + 2);
    if (n % 4 != 0 || n > in.n - at - ATTR_HEADER_LEN) return THIRL_E_MALFORMED;
    thirl_error e = take(out, thirl_bytes_get_u16(in.p + at), in.p + at + ATTR_HEADER_LEN, n);
    if (e != THIRL_OK) return e;
    at += ATTR_HEADER_LEN + n;
  }
  return THIRL_OK;
}

/* ---- answers; the place is large enough for each ---- */

static uint8_t *begin(const thirl_server_classic *to, uint16_t type, uint8_t *out) {
  thirl_bytes_put_u16(out, type);
  memcpy(out + 4, to->tid, sizeof to->tid);
  return out + THIRL_STUN_HEADER_LEN;
}

static size_t finish(uint8_t *out, const uint8_t *end) {
  size_t n = (size_t)(end - out);
  thirl_bytes_put_u16(out + 2, (uint16_t)(n - THIRL_STUN_HEADER_LEN));
  return n;
}

static uint8_t *put_header(uint8_t *p, uint16_t type, size_t n) {
  thirl_bytes_put_u16(p, type);
  thirl_bytes_put_u16(p + 2, (uint16_t)n);
  return p + ATTR_HEADER_LEN;
}

static uint8_t *put_addr(uint8_t *p, uint16_t type, const thirl_addr *a) {
  size_t n = thirl_addr_ip_len(a);
  if (n == 0) return p;
  p = put_header(p, type, 4 + n);
  p[0] = 0;
  p[1] = n == 4 ? 1 : 2;
  thirl_bytes_put_u16(p + 2, a->port);
  memcpy(p + 4, a->ip, n);
  return p + 4 + n;
}

size_t thirl_server_classic_success(const thirl_server_classic *to, const thirl_server_binding *what,
                                    uint8_t out[THIRL_SERVER_BINDING_MAX]) {
  uint8_t *p = begin(to, BINDING_RESPONSE, out);
  p = put_addr(p, THIRL_STUN_ATTR_MAPPED_ADDRESS, &what->mapped);
  p = put_addr(p, SOURCE_ADDRESS, &what->origin);
  p = put_addr(p, CHANGED_ADDRESS, &what->other);
  return finish(out, p);
}

size_t thirl_server_classic_unknown(const thirl_server_classic *to, uint8_t out[THIRL_SERVER_BINDING_MAX]) {
  static const uint8_t code[4] = {0, 0, 4, 20};
  uint16_t types[THIRL_SERVER_CLASSIC_UNKNOWN_MAX + 1];
  size_t n = THIRL_MIN(to->n_unknown, (size_t)THIRL_SERVER_CLASSIC_UNKNOWN_MAX);
  uint8_t *p = begin(to, BINDING_ERROR, out);
  p = put_header(p, THIRL_STUN_ATTR_ERROR_CODE, sizeof code);
  memcpy(p, code, sizeof code);
  p += sizeof code;
  memcpy(types, to->unknown, n * sizeof types[0]);
  if (n % 2) { /* RFC 3489 section 11.2.10: an odd one is said twice, so that the length is a multiple of four */
    types[n] = types[n - 1];
    n++;
  }
  p = put_header(p, THIRL_STUN_ATTR_UNKNOWN_ATTRIBUTES, 2 * n);
  for (size_t i = 0; i < n; i++, p += 2)
    thirl_bytes_put_u16(p, types[i]);
  return finish(out, p);
}
