/* SPDX-License-Identifier: MIT */
#include "lab/frame/headers.h"

#include <string.h>

#include "lab/frame/checksum.h"
#include "lab/frame/wire.h"

/*  IPv6 fragment header, RFC 8200 section 4.5:
 *
 *    0  next header   1  reserved   2  offset, 13 bits; 2 bits; more   4  identification
 */
enum { HOP_BY_HOP = 0, ROUTING = 43, DESTINATION = 60, EXTENSION_LEN_MIN = 8, EXTENSION_UNIT = 8, FRAGMENT_MORE = 1 };

thirl_addr thirl_lab_headers_addr(thirl_family family, const uint8_t *p) {
  return family == THIRL_FAMILY_V6 ? thirl_addr_v6(p, 0) : thirl_addr_v4(p[0], p[1], p[2], p[3], 0);
}

size_t thirl_lab_headers_source(const thirl_lab_headers *h) {
  return h->ip + (h->family == THIRL_FAMILY_V6 ? THIRL_LAB_IP6_SOURCE : THIRL_LAB_IP_SOURCE);
}

size_t thirl_lab_headers_destination(const thirl_lab_headers *h) {
  return h->ip + (h->family == THIRL_FAMILY_V6 ? THIRL_LAB_IP6_DESTINATION : THIRL_LAB_IP_DESTINATION);
}

static void read_ports(const uint8_t *frame, size_t end, thirl_lab_headers *h) {
  size_t least = h->protocol == THIRL_LAB_PROTOCOL_TCP   ? THIRL_LAB_TCP_LEN_MIN
                 : h->protocol == THIRL_LAB_PROTOCOL_UDP ? THIRL_LAB_UDP_LEN
                                                         : 0;
  if (least == 0 || !h->is_first || h->l4 + least > end) return;
  h->src.port = thirl_lab_wire_get16(frame + h->l4);
  h->dst.port = thirl_lab_wire_get16(frame + h->l4 + 2);
  h->has_ports = true;
}

/* end: of the bytes that are there. The packet's own length is h->end. */
static bool read_ipv4(const uint8_t *frame, size_t end, thirl_lab_headers *h) {
  const uint8_t *ip = frame + h->ip;
  if (h->ip + THIRL_LAB_IP_LEN_MIN > end) return false;
  size_t header = (size_t)(ip[0] & 15) * 4, total = thirl_lab_wire_get16(ip + THIRL_LAB_IP_TOTAL_LEN);
  if (header < THIRL_LAB_IP_LEN_MIN || h->ip + header > end || total < header) return false;
  uint16_t fragment = thirl_lab_wire_get16(ip + THIRL_LAB_IP_FRAGMENT);
  h->family = THIRL_FAMILY_V4;
  h->protocol = ip[THIRL_LAB_IP_PROTOCOL];
  h->ttl = ip[THIRL_LAB_IP_TTL];
  h->is_first = (fragment & THIRL_LAB_IP_OFFSET) == 0;
  h->is_fragment = !h->is_first || fragment & THIRL_LAB_IP_MORE;
  h->may_fragment = !(fragment & THIRL_LAB_IP_DONT_FRAGMENT);
  h->fragment_id = thirl_lab_wire_get16(ip + THIRL_LAB_IP_ID);
  h->l4 = h->ip + header;
  h->end = h->ip + total;
  h->src = thirl_lab_headers_addr(THIRL_FAMILY_V4, ip + THIRL_LAB_IP_SOURCE);
  h->dst = thirl_lab_headers_addr(THIRL_FAMILY_V4, ip + THIRL_LAB_IP_DESTINATION);
  return true;
}

/* Follows the extensions to what is behind them. */
static bool skip_extensions(const uint8_t *frame, size_t end, thirl_lab_headers *h) {
  for (int i = 0; i < THIRL_LAB_HEADERS_EXTENSIONS_MAX; i++) {
    uint8_t kind = h->protocol;
    if (kind != HOP_BY_HOP && kind != ROUTING && kind != DESTINATION && kind != THIRL_LAB_PROTOCOL_FRAGMENT)
      return true;
    const uint8_t *at = frame + h->l4;
    if (h->l4 + EXTENSION_LEN_MIN > end) return false;
    h->protocol = at[0];
    if (kind != THIRL_LAB_PROTOCOL_FRAGMENT) {
      h->l4 += EXTENSION_UNIT * ((size_t)at[1] + 1);
      if (h->l4 > end) return false;
      continue;
    }
    uint16_t fragment = thirl_lab_wire_get16(at + 2);
    h->l4 += EXTENSION_LEN_MIN;
    h->is_first = fragment >> 3 == 0;
    h->is_fragment = !h->is_first || fragment & FRAGMENT_MORE;
    h->fragment_id = thirl_lab_wire_get32(at + 4);
    if (!h->is_first) return true;
  }
  return false;
}

static bool read_ipv6(const uint8_t *frame, size_t end, thirl_lab_headers *h) {
  const uint8_t *ip = frame + h->ip;
  if (h->ip + THIRL_LAB_IP6_LEN > end) return false;
  h->family = THIRL_FAMILY_V6;
  h->protocol = ip[THIRL_LAB_IP6_NEXT];
  h->ttl = ip[THIRL_LAB_IP6_HOPS];
  h->is_first = true;
  h->l4 = h->ip + THIRL_LAB_IP6_LEN;
  h->end = h->l4 + thirl_lab_wire_get16(ip + THIRL_LAB_IP6_PAYLOAD_LEN);
  h->src = thirl_lab_headers_addr(THIRL_FAMILY_V6, ip + THIRL_LAB_IP6_SOURCE);
  h->dst = thirl_lab_headers_addr(THIRL_FAMILY_V6, ip + THIRL_LAB_IP6_DESTINATION);
  return skip_extensions(frame, THIRL_MIN(end, h->end), h);
}

thirl_lab_headers_verdict thirl_lab_headers_read(const uint8_t *frame, size_t len, thirl_lab_headers *h) {
  memset(h, 0, sizeof *h);
  if (len < THIRL_LAB_ETH_LEN) return THIRL_LAB_HEADERS_MALFORMED;
  uint16_t type = thirl_lab_wire_get16(frame + THIRL_LAB_ETH_TYPE);
  if (type != THIRL_LAB_TYPE_IPV4 && type != THIRL_LAB_TYPE_IPV6) return THIRL_LAB_HEADERS_NOT_IP;
  h->ip = THIRL_LAB_ETH_LEN;
  unsigned version = len > h->ip ? frame[h->ip] >> 4 : 0;
  if (version != (type == THIRL_LAB_TYPE_IPV4 ? 4 : 6)) return THIRL_LAB_HEADERS_MALFORMED;
  bool well = version == 4 ? read_ipv4(frame, len, h) : read_ipv6(frame, len, h);
  if (!well || h->end > len) return THIRL_LAB_HEADERS_MALFORMED;
  if (version == 4 && thirl_lab_checksum_fold(thirl_lab_checksum_add(0, frame + h->ip, h->l4 - h->ip)) != 0xffff)
    return THIRL_LAB_HEADERS_MALFORMED;
  read_ports(frame, h->end, h);
  return THIRL_LAB_HEADERS_OK;
}

/* A cut packet of TCP has eight bytes at least (RFC 792), which is where the ports and the sequence number are. */
static void read_quoted_ports(const uint8_t *frame, size_t end, thirl_lab_headers *h) {
  bool knows = h->protocol == THIRL_LAB_PROTOCOL_TCP || h->protocol == THIRL_LAB_PROTOCOL_UDP;
  if (!knows || !h->is_first || h->l4 + THIRL_LAB_UDP_LEN > end) return;
  h->src.port = thirl_lab_wire_get16(frame + h->l4);
  h->dst.port = thirl_lab_wire_get16(frame + h->l4 + 2);
  h->has_ports = true;
}

thirl_lab_headers_verdict thirl_lab_headers_read_quoted(const uint8_t *frame, size_t ip, size_t end,
                                                        thirl_lab_headers *h) {
  memset(h, 0, sizeof *h);
  h->ip = ip;
  unsigned version = ip < end ? frame[ip] >> 4 : 0;
  if (version != 4 && version != 6) return THIRL_LAB_HEADERS_NOT_IP;
  if (!(version == 4 ? read_ipv4(frame, end, h) : read_ipv6(frame, end, h))) return THIRL_LAB_HEADERS_MALFORMED;
  h->end = THIRL_MIN(h->end, end);
  if (h->l4 > h->end) return THIRL_LAB_HEADERS_MALFORMED;
  read_quoted_ports(frame, h->end, h);
  return THIRL_LAB_HEADERS_OK;
}

void thirl_lab_headers_hop(uint8_t *frame, thirl_lab_headers *h) {
  h->ttl--;
  if (h->family == THIRL_FAMILY_V6)
    frame[h->ip + THIRL_LAB_IP6_HOPS] = h->ttl;
  else
    thirl_lab_wire_ttl_decrease(frame);
}

bool thirl_lab_headers_is_one_host(const thirl_addr *a) {
  if (a->family == THIRL_FAMILY_V6) return a->ip[0] != 0xff && !thirl_addr_is_any(a);
  return a->ip[0] != 0 && a->ip[0] < 224;
}
