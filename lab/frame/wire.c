/* SPDX-License-Identifier: MIT */
#include "lab/frame/wire.h"

#include <string.h>

enum { IP_LEN_MIN = 20, ARP_REQUEST = 1, ARP_REPLY = 2 };

/*  ARP behind the Ethernet header, RFC 826:
 *
 *    0  hardware type = 1   2  protocol type = 0x0800   4  lengths 6, 4   6  operation
 *    8  sender MAC         14  sender IPv4             18  target MAC    24  target IPv4
 */
enum { ARP_OPERATION = 6, ARP_SENDER_MAC = 8, ARP_SENDER = 14, ARP_TARGET_MAC = 18, ARP_TARGET = 24 };
static const uint8_t arp_ethernet_ipv4[6] = {0, 1, 8, 0, 6, 4};

uint16_t thirl_lab_wire_get16(const uint8_t *p) {
  return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t thirl_lab_wire_get32(const uint8_t *p) {
  return (uint32_t)thirl_lab_wire_get16(p) << 16 | thirl_lab_wire_get16(p + 2);
}

void thirl_lab_wire_put16(uint8_t *p, uint16_t v) {
  p[0] = (uint8_t)(v >> 8);
  p[1] = (uint8_t)v;
}

void thirl_lab_wire_put32(uint8_t *p, uint32_t v) {
  thirl_lab_wire_put16(p, (uint16_t)(v >> 16));
  thirl_lab_wire_put16(p + 2, (uint16_t)v);
}

uint16_t thirl_lab_wire_checksum(const uint8_t *p, size_t n, uint32_t extra) {
  uint32_t sum = extra;
  for (size_t i = 0; i < n; i += 2)
    sum += thirl_lab_wire_get16(p + i);
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

size_t thirl_lab_wire_ip_header_len(const uint8_t *frame, size_t len) {
  const uint8_t *ip = frame + THIRL_LAB_ETH_LEN;
  if (len < THIRL_LAB_ETH_LEN + IP_LEN_MIN) return 0;
  if (thirl_lab_wire_get16(frame + THIRL_LAB_ETH_TYPE) != THIRL_LAB_TYPE_IPV4 || ip[0] >> 4 != 4) return 0;
  size_t n = (size_t)(ip[0] & 15) * 4;
  return n < IP_LEN_MIN || THIRL_LAB_ETH_LEN + n > len ? 0 : n;
}

bool thirl_lab_wire_ttl_decrease(uint8_t *frame) {
  uint8_t *ip = frame + THIRL_LAB_ETH_LEN;
  if (ip[THIRL_LAB_IP_TTL] <= 1) return false;
  uint32_t sum = (uint32_t)thirl_lab_wire_get16(ip + THIRL_LAB_IP_CHECKSUM) + 0x0100;
  ip[THIRL_LAB_IP_TTL]--;
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_CHECKSUM, (uint16_t)(sum + (sum >= 0xffff)));
  return true;
}

bool thirl_lab_wire_arp_decode(const uint8_t *frame, size_t len, thirl_lab_arp *out) {
  const uint8_t *arp = frame + THIRL_LAB_ETH_LEN;
  memset(out, 0, sizeof *out);
  if (len < THIRL_LAB_ARP_FRAME_LEN || thirl_lab_wire_get16(frame + THIRL_LAB_ETH_TYPE) != THIRL_LAB_TYPE_ARP)
    return false;
  if (memcmp(arp, arp_ethernet_ipv4, sizeof arp_ethernet_ipv4) != 0) return false;
  out->is_request = thirl_lab_wire_get16(arp + ARP_OPERATION) == ARP_REQUEST;
  memcpy(out->sender_mac, arp + ARP_SENDER_MAC, THIRL_LAB_MAC_LEN);
  out->sender = thirl_lab_wire_get32(arp + ARP_SENDER);
  out->target = thirl_lab_wire_get32(arp + ARP_TARGET);
  return true;
}

void thirl_lab_wire_arp_encode(const thirl_lab_arp *a, const uint8_t *to, uint8_t *frame) {
  uint8_t *arp = frame + THIRL_LAB_ETH_LEN;
  memset(frame, 0, THIRL_LAB_ARP_FRAME_LEN);
  if (to)
    memcpy(frame, to, THIRL_LAB_MAC_LEN);
  else
    memset(frame, 0xff, THIRL_LAB_MAC_LEN);
  memcpy(frame + THIRL_LAB_ETH_SOURCE, a->sender_mac, THIRL_LAB_MAC_LEN);
  thirl_lab_wire_put16(frame + THIRL_LAB_ETH_TYPE, THIRL_LAB_TYPE_ARP);
  memcpy(arp, arp_ethernet_ipv4, sizeof arp_ethernet_ipv4);
  thirl_lab_wire_put16(arp + ARP_OPERATION, a->is_request ? ARP_REQUEST : ARP_REPLY);
  memcpy(arp + ARP_SENDER_MAC, a->sender_mac, THIRL_LAB_MAC_LEN);
  thirl_lab_wire_put32(arp + ARP_SENDER, a->sender);
  if (to) memcpy(arp + ARP_TARGET_MAC, to, THIRL_LAB_MAC_LEN);
  thirl_lab_wire_put32(arp + ARP_TARGET, a->target);
}
