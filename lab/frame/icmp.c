/* SPDX-License-Identifier: MIT */
#include "lab/frame/icmp.h"

#include <string.h>

#include "lab/frame/checksum.h"
#include "lab/frame/switch.h"
#include "lab/frame/wire.h"

enum {
  TTL = 64,
  QUOTE_MAX = 576 - THIRL_LAB_IP_LEN_MIN - THIRL_LAB_ICMP_LEN, /* RFC 1812 section 4.3.2.3 */
  QUOTE6_MAX = 1280 - THIRL_LAB_IP6_LEN - THIRL_LAB_ICMP_LEN,  /* RFC 4443 section 3 */
  UNREACHABLE_NET = 0,
  UNREACHABLE_HOST = 1,
  UNREACHABLE_PORT = 3,
  UNREACHABLE_TOO_BIG = 4,
  UNREACHABLE_FORBIDDEN = 13,
  UNREACHABLE6_ROUTE = 0,
  UNREACHABLE6_FORBIDDEN = 1,
  UNREACHABLE6_ADDRESS = 3,
  UNREACHABLE6_PORT = 4
};

typedef struct code {
  uint8_t type, code;
} code;

static code code_of(thirl_lab_icmp_kind kind, bool v6) {
  static const code table[][2] = {
      [THIRL_LAB_ICMP_NO_ROUTE] = {{THIRL_LAB_ICMP_UNREACHABLE, UNREACHABLE_NET},
                                   {THIRL_LAB_ICMP6_UNREACHABLE, UNREACHABLE6_ROUTE}},
      [THIRL_LAB_ICMP_NO_HOST] = {{THIRL_LAB_ICMP_UNREACHABLE, UNREACHABLE_HOST},
                                  {THIRL_LAB_ICMP6_UNREACHABLE, UNREACHABLE6_ADDRESS}},
      [THIRL_LAB_ICMP_NO_PORT] = {{THIRL_LAB_ICMP_UNREACHABLE, UNREACHABLE_PORT},
                                  {THIRL_LAB_ICMP6_UNREACHABLE, UNREACHABLE6_PORT}},
      [THIRL_LAB_ICMP_FORBIDDEN] = {{THIRL_LAB_ICMP_UNREACHABLE, UNREACHABLE_FORBIDDEN},
                                    {THIRL_LAB_ICMP6_UNREACHABLE, UNREACHABLE6_FORBIDDEN}},
      [THIRL_LAB_ICMP_EXPIRED] = {{THIRL_LAB_ICMP_TIME_EXCEEDED, 0}, {THIRL_LAB_ICMP6_TIME_EXCEEDED, 0}},
      [THIRL_LAB_ICMP_TOO_BIG] = {{THIRL_LAB_ICMP_UNREACHABLE, UNREACHABLE_TOO_BIG}, {THIRL_LAB_ICMP6_TOO_BIG, 0}},
  };
  return table[kind][v6];
}

bool thirl_lab_icmp_is(const thirl_lab_headers *h) {
  uint8_t ours = h->family == THIRL_FAMILY_V6 ? THIRL_LAB_PROTOCOL_ICMP6 : THIRL_LAB_PROTOCOL_ICMP;
  return h->protocol == ours && h->is_first && h->l4 + THIRL_LAB_ICMP_LEN <= h->end;
}

/* RFC 1122 section 3.2.2; RFC 4443 section 2.1: types below 128. */
bool thirl_lab_icmp_is_error(const uint8_t *frame, const thirl_lab_headers *h) {
  if (!thirl_lab_icmp_is(h)) return false;
  uint8_t type = frame[h->l4];
  if (h->family == THIRL_FAMILY_V6) return type < 128;
  return type == THIRL_LAB_ICMP_UNREACHABLE || type == 4 || type == 5 || type == THIRL_LAB_ICMP_TIME_EXCEEDED ||
         type == THIRL_LAB_ICMP_PARAMETER;
}

bool thirl_lab_icmp_is_ping(const uint8_t *frame, const thirl_lab_headers *h) {
  uint8_t type = h->family == THIRL_FAMILY_V6 ? THIRL_LAB_ICMP6_ECHO : THIRL_LAB_ICMP_ECHO;
  return thirl_lab_icmp_is(h) && !h->is_fragment && frame[h->l4] == type;
}

static uint32_t sum_of(const uint8_t *frame, const thirl_lab_headers *h) {
  size_t len = h->end - h->l4;
  uint32_t sum =
      h->family == THIRL_FAMILY_V6 ? thirl_lab_checksum_pseudo(frame + h->ip, THIRL_LAB_PROTOCOL_ICMP6, len) : 0;
  return thirl_lab_checksum_add(sum, frame + h->l4, len);
}

bool thirl_lab_icmp_is_sound(const uint8_t *frame, const thirl_lab_headers *h) {
  return thirl_lab_checksum_fold(sum_of(frame, h)) == 0xffff;
}

void thirl_lab_icmp_seal(uint8_t *frame, const thirl_lab_headers *h) {
  uint8_t *field = frame + h->l4 + THIRL_LAB_ICMP_CHECKSUM;
  thirl_lab_wire_put16(field, 0);
  thirl_lab_wire_put16(field, (uint16_t)~thirl_lab_checksum_fold(sum_of(frame, h)));
}

static void write_ipv4(uint8_t *ip, const thirl_addr *from, const thirl_addr *to, size_t len) {
  ip[0] = 0x45;
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_TOTAL_LEN, (uint16_t)(THIRL_LAB_IP_LEN_MIN + len));
  ip[THIRL_LAB_IP_TTL] = TTL;
  ip[THIRL_LAB_IP_PROTOCOL] = THIRL_LAB_PROTOCOL_ICMP;
  memcpy(ip + THIRL_LAB_IP_SOURCE, from->ip, 4);
  memcpy(ip + THIRL_LAB_IP_DESTINATION, to->ip, 4);
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_CHECKSUM, thirl_lab_wire_checksum(ip, THIRL_LAB_IP_LEN_MIN, 0));
}

static void write_ipv6(uint8_t *ip, const thirl_addr *from, const thirl_addr *to, size_t len) {
  ip[0] = 0x60;
  thirl_lab_wire_put16(ip + THIRL_LAB_IP6_PAYLOAD_LEN, (uint16_t)len);
  ip[THIRL_LAB_IP6_NEXT] = THIRL_LAB_PROTOCOL_ICMP6;
  ip[THIRL_LAB_IP6_HOPS] = TTL;
  memcpy(ip + THIRL_LAB_IP6_SOURCE, from->ip, 16);
  memcpy(ip + THIRL_LAB_IP6_DESTINATION, to->ip, 16);
}

thirl_lab_packet *thirl_lab_icmp_new(const thirl_addr *from, const thirl_addr *to, uint8_t type, uint8_t number,
                                     size_t len) {
  bool v6 = to->family == THIRL_FAMILY_V6;
  size_t ip_len = v6 ? THIRL_LAB_IP6_LEN : THIRL_LAB_IP_LEN_MIN, body = THIRL_LAB_ICMP_LEN + len;
  thirl_lab_packet *p = thirl_lab_link_packet_new(THIRL_LAB_ETH_LEN + ip_len + body);
  if (!p) return NULL;
  memset(p->frame, 0, p->len);
  thirl_lab_wire_put16(p->frame + THIRL_LAB_ETH_TYPE, v6 ? THIRL_LAB_TYPE_IPV6 : THIRL_LAB_TYPE_IPV4);
  (v6 ? write_ipv6 : write_ipv4)(p->frame + THIRL_LAB_ETH_LEN, from, to, body);
  uint8_t *icmp = p->frame + THIRL_LAB_ETH_LEN + ip_len;
  icmp[0] = type;
  icmp[THIRL_LAB_ICMP_CODE] = number;
  return p;
}

thirl_lab_packet *thirl_lab_icmp_error(const uint8_t *frame, const thirl_lab_headers *h, thirl_lab_icmp_kind kind,
                                       const thirl_addr *from, uint16_t mtu) {
  bool v6 = h->family == THIRL_FAMILY_V6;
  if (!h->is_first || thirl_lab_icmp_is_error(frame, h) || thirl_lab_switch_is_group(frame)) return NULL;
  if (!thirl_lab_headers_is_one_host(&h->src) || !thirl_lab_headers_is_one_host(&h->dst)) return NULL;
  if (from->family != h->family) return NULL;
  code c = code_of(kind, v6);
  size_t quote = THIRL_MIN(h->end - h->ip, (size_t)(v6 ? QUOTE6_MAX : QUOTE_MAX));
  thirl_lab_packet *p = thirl_lab_icmp_new(from, &h->src, c.type, c.code, quote);
  if (!p) return NULL;
  thirl_lab_headers made;
  thirl_lab_headers_read(p->frame, p->len, &made); /* ours: whole */
  memcpy(p->frame + made.l4 + THIRL_LAB_ICMP_LEN, frame + h->ip, quote);
  if (kind == THIRL_LAB_ICMP_TOO_BIG) thirl_lab_wire_put32(p->frame + made.l4 + THIRL_LAB_ICMP_MTU, mtu);
  thirl_lab_icmp_seal(p->frame, &made);
  return p;
}

void thirl_lab_icmp_answer(thirl_lab_flight *f, thirl_lab_headers *h) {
  uint8_t swap[16], *src = f->frame + thirl_lab_headers_source(h), *dst = f->frame + thirl_lab_headers_destination(h);
  size_t n = thirl_addr_ip_len(&h->src);
  memcpy(swap, src, n);
  memcpy(src, dst, n);
  memcpy(dst, swap, n);
  thirl_addr addr = h->src;
  h->src = h->dst;
  h->dst = addr;
  uint8_t before[2] = {f->frame[h->l4], 0}, after[2] = {THIRL_LAB_ICMP_ECHO_REPLY, 0};
  if (h->family == THIRL_FAMILY_V6) after[0] = THIRL_LAB_ICMP6_ECHO_REPLY;
  f->frame[h->l4] = after[0];
  thirl_lab_checksum_replace(f->frame + h->l4 + THIRL_LAB_ICMP_CHECKSUM, before, after, 2, false);
  /* A whole life again. */
  if (h->family == THIRL_FAMILY_V6) {
    f->frame[h->ip + THIRL_LAB_IP6_HOPS] = h->ttl = TTL;
    return;
  }
  uint8_t *ip = f->frame + h->ip;
  uint8_t old[2] = {ip[THIRL_LAB_IP_TTL], 0}, fresh[2] = {TTL, 0};
  ip[THIRL_LAB_IP_TTL] = h->ttl = TTL;
  thirl_lab_checksum_replace(ip + THIRL_LAB_IP_CHECKSUM, old, fresh, 2, false);
}
