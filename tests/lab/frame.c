/* SPDX-License-Identifier: MIT */
#include "lab/frame.h"

#include <string.h>

enum {
  ETH = 14,
  IP = 20,
  UDP = 8,
  TCP = 20,
  ICMP = 8,
  QUOTED = 8, /* bytes behind the IP header of the packet that an ICMP error is about */
  PROTOCOL_ICMP = 1,
  PROTOCOL_TCP = 6,
  PROTOCOL_UDP = 17,
  WINDOW = 64240
};

static void put16(uint8_t *p, uint32_t v) {
  p[0] = (uint8_t)(v >> 8);
  p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v) {
  put16(p, v >> 16);
  put16(p + 2, v);
}

static uint16_t get16(const uint8_t *p) {
  return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p) {
  return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint32_t add(uint32_t sum, const uint8_t *p, size_t n) {
  for (size_t i = 0; i < n; i++)
    sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
  return sum;
}

static uint16_t fold(uint32_t sum) {
  while (sum > 0xffff)
    sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

/* The sum that covers n bytes behind the IP header at ip, and for UDP and TCP the pseudo header. */
static uint16_t sum_of(const uint8_t *ip, const uint8_t *l4, size_t n) {
  uint32_t sum = add(0, l4, n);
  if (ip[9] != PROTOCOL_ICMP) sum = add(sum, ip + 12, 8) + ip[9] + (uint32_t)n;
  return fold(sum);
}

static void put_ip(uint8_t *ip, uint8_t protocol, size_t len, const thirl_addr *src, const thirl_addr *dst,
                   uint8_t ttl) {
  memset(ip, 0, IP);
  ip[0] = 0x45;
  put16(ip + 2, (uint32_t)len);
  put16(ip + 6, 0x4000); /* do not fragment */
  ip[8] = ttl;
  ip[9] = protocol;
  memcpy(ip + 12, src->ip, 4);
  memcpy(ip + 16, dst->ip, 4);
  put16(ip + 10, fold(add(0, ip, IP)));
}

static size_t put_udp(uint8_t *l4, const thirl_natbox_packet *p) {
  put16(l4, p->src.port);
  put16(l4 + 2, p->dst.port);
  put16(l4 + 4, (uint32_t)(UDP + p->payload.n));
  put16(l4 + 6, 0);
  if (p->payload.n) memcpy(l4 + UDP, p->payload.p, p->payload.n);
  return UDP + p->payload.n;
}

static size_t put_tcp(uint8_t *l4, const thirl_natbox_packet *p) {
  memset(l4, 0, TCP);
  put16(l4, p->src.port);
  put16(l4 + 2, p->dst.port);
  put32(l4 + 4, p->seq);
  put32(l4 + 8, p->ack);
  l4[12] = TCP / 4 << 4;
  l4[13] = p->flags;
  put16(l4 + 14, WINDOW);
  if (p->payload.n) memcpy(l4 + TCP, p->payload.p, p->payload.n);
  return TCP + p->payload.n;
}

static size_t put_icmp(uint8_t *l4, const thirl_natbox_packet *p) {
  const thirl_natbox_inner *about = &p->inner;
  uint8_t *quoted = l4 + ICMP, protocol = about->protocol == THIRL_NATBOX_TCP ? PROTOCOL_TCP : PROTOCOL_UDP;
  memset(l4, 0, ICMP + IP + QUOTED);
  l4[0] = p->icmp == THIRL_NATBOX_TIME_EXCEEDED ? 11 : 3;
  l4[1] = p->icmp == THIRL_NATBOX_PORT_UNREACHABLE ? 3 : p->icmp == THIRL_NATBOX_HOST_UNREACHABLE ? 1 : 0;
  put_ip(quoted, protocol, protocol == PROTOCOL_TCP ? IP + TCP : IP + UDP + 1, &about->src, &about->dst, 60);
  put16(quoted + IP, about->src.port);
  put16(quoted + IP + 2, about->dst.port);
  if (protocol == PROTOCOL_TCP)
    put32(quoted + IP + 4, about->seq);
  else
    put16(quoted + IP + 4, UDP + 1);
  return ICMP + IP + QUOTED;
}

size_t frame_encode(const thirl_natbox_packet *p, const uint8_t to[FRAME_MAC], const uint8_t from[FRAME_MAC],
                    uint8_t out[FRAME_MAX]) {
  uint8_t *ip = out + ETH, *l4 = ip + IP;
  if (p->payload.n > FRAME_MAX - ETH - IP - TCP) return 0;
  memcpy(out, to, FRAME_MAC);
  memcpy(out + FRAME_MAC, from, FRAME_MAC);
  put16(out + 12, 0x0800);
  static const struct {
    size_t (*put)(uint8_t *l4, const thirl_natbox_packet *p);
    uint8_t protocol, sum;
  } ways[] = {[THIRL_NATBOX_UDP] = {put_udp, PROTOCOL_UDP, 6},
              [THIRL_NATBOX_TCP] = {put_tcp, PROTOCOL_TCP, 16},
              [THIRL_NATBOX_ICMP] = {put_icmp, PROTOCOL_ICMP, 2}};
  if (p->protocol > THIRL_NATBOX_ICMP || !ways[p->protocol].put) return 0;
  size_t n = ways[p->protocol].put(l4, p);
  put_ip(ip, ways[p->protocol].protocol, IP + n, &p->src, &p->dst, p->ttl);
  put16(l4 + ways[p->protocol].sum, sum_of(ip, l4, n));
  return ETH + IP + n;
}

static thirl_addr addr_at(const uint8_t *p) {
  return thirl_addr_v4(p[0], p[1], p[2], p[3], 0);
}

static bool get_icmp(const uint8_t *l4, size_t n, thirl_natbox_packet *out, bool *sums) {
  const uint8_t *quoted = l4 + ICMP;
  if (n < ICMP + IP + QUOTED || quoted[0] != 0x45) return false;
  if (l4[0] == 11)
    out->icmp = THIRL_NATBOX_TIME_EXCEEDED;
  else if (l4[0] == 3)
    out->icmp = l4[1] == 3 ? THIRL_NATBOX_PORT_UNREACHABLE : THIRL_NATBOX_HOST_UNREACHABLE;
  else
    return false;
  if (quoted[9] != PROTOCOL_TCP && quoted[9] != PROTOCOL_UDP) return false;
  *sums = *sums && fold(add(0, quoted, IP)) == 0;
  out->inner.protocol = quoted[9] == PROTOCOL_TCP ? THIRL_NATBOX_TCP : THIRL_NATBOX_UDP;
  out->inner.src = thirl_addr_with_port(addr_at(quoted + 12), get16(quoted + IP));
  out->inner.dst = thirl_addr_with_port(addr_at(quoted + 16), get16(quoted + IP + 2));
  if (quoted[9] == PROTOCOL_TCP) out->inner.seq = get32(quoted + IP + 4);
  return true;
}

bool frame_decode(const uint8_t *frame, size_t len, thirl_natbox_packet *out, bool *sums) {
  *out = (thirl_natbox_packet){0};
  *sums = true;
  if (len < ETH + IP || get16(frame + 12) != 0x0800 || frame[ETH] != 0x45) return false;
  const uint8_t *ip = frame + ETH, *l4 = ip + IP;
  size_t total = get16(ip + 2);
  if (total < IP + UDP || total > len - ETH || get16(ip + 6) & 0x3fff) return false;
  size_t n = total - IP;
  *sums = fold(add(0, ip, IP)) == 0 && sum_of(ip, l4, n) == 0;
  out->ttl = ip[8];
  out->src = addr_at(ip + 12);
  out->dst = addr_at(ip + 16);
  if (ip[9] == PROTOCOL_ICMP) {
    out->protocol = THIRL_NATBOX_ICMP;
    return get_icmp(l4, n, out, sums);
  }
  out->src.port = get16(l4);
  out->dst.port = get16(l4 + 2);
  if (ip[9] == PROTOCOL_UDP) {
    out->protocol = THIRL_NATBOX_UDP;
    out->payload = THIRL_BYTES(l4 + UDP, n - UDP);
    return get16(l4 + 4) == n;
  }
  if (ip[9] != PROTOCOL_TCP || n < TCP || (size_t)(l4[12] >> 4) * 4 > n || l4[12] >> 4 < 5) return false;
  size_t header = (size_t)(l4[12] >> 4) * 4;
  out->protocol = THIRL_NATBOX_TCP;
  out->seq = get32(l4 + 4);
  out->ack = get32(l4 + 8);
  out->flags = l4[13];
  out->payload = THIRL_BYTES(l4 + header, n - header);
  return true;
}

static size_t put_arp(uint8_t *out, const uint8_t *to, const uint8_t *from, uint16_t operation, const uint8_t *sender,
                      const uint8_t *target) {
  static const uint8_t fixed[6] = {0, 1, 8, 0, 6, 4};
  memcpy(out, to, FRAME_MAC);
  memcpy(out + FRAME_MAC, from, FRAME_MAC);
  put16(out + 12, 0x0806);
  memcpy(out + ETH, fixed, sizeof fixed);
  put16(out + ETH + 6, operation);
  memcpy(out + ETH + 8, from, FRAME_MAC);
  memmove(out + ETH + 14, sender, 4);
  memcpy(out + ETH + 18, to, FRAME_MAC);
  memmove(out + ETH + 24, target, 4);
  return FRAME_ARP;
}

size_t frame_arp_ask(const thirl_addr *target, const thirl_addr *sender, const uint8_t from[FRAME_MAC],
                     uint8_t out[FRAME_MAX]) {
  static const uint8_t everybody[FRAME_MAC] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  return put_arp(out, everybody, from, 1, sender->ip, target->ip);
}

bool frame_arp_decode(const uint8_t *frame, size_t len, bool *is_question, thirl_addr *sender, thirl_addr *target) {
  if (len < FRAME_ARP || get16(frame + 12) != 0x0806) return false;
  *is_question = get16(frame + ETH + 6) == 1;
  *sender = addr_at(frame + ETH + 14);
  *target = addr_at(frame + ETH + 24);
  return true;
}

size_t frame_arp_answer(const uint8_t *question, const uint8_t from[FRAME_MAC], uint8_t out[FRAME_MAX]) {
  uint8_t asker[FRAME_MAC], sender[4], target[4];
  memcpy(asker, question + ETH + 8, FRAME_MAC);
  memcpy(sender, question + ETH + 24, 4);
  memcpy(target, question + ETH + 14, 4);
  return put_arp(out, asker, from, 2, sender, target);
}
