/* SPDX-License-Identifier: MIT */
/* The few fields of Ethernet, ARP, IPv4, IPv6, UDP, TCP and ICMP that the internet between the hosts reads or changes. */
#ifndef THIRL_LAB_WIRE_H
#define THIRL_LAB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  THIRL_LAB_MAC_LEN = 6,
  THIRL_LAB_ETH_LEN = 14,
  THIRL_LAB_ETH_SOURCE = 6,
  THIRL_LAB_ETH_TYPE = 12,
  THIRL_LAB_TYPE_IPV4 = 0x0800,
  THIRL_LAB_TYPE_ARP = 0x0806,
  THIRL_LAB_TYPE_IPV6 = 0x86dd,

  THIRL_LAB_IP_LEN_MIN = 20,
  THIRL_LAB_IP_TOTAL_LEN = 2,
  THIRL_LAB_IP_ID = 4,
  THIRL_LAB_IP_FRAGMENT = 6,
  THIRL_LAB_IP_DONT_FRAGMENT = 0x4000,
  THIRL_LAB_IP_MORE = 0x2000,
  THIRL_LAB_IP_OFFSET = 0x1fff,
  THIRL_LAB_IP_TTL = 8,
  THIRL_LAB_IP_PROTOCOL = 9,
  THIRL_LAB_IP_CHECKSUM = 10,
  THIRL_LAB_IP_SOURCE = 12,
  THIRL_LAB_IP_DESTINATION = 16,

  THIRL_LAB_IP6_LEN = 40,
  THIRL_LAB_IP6_PAYLOAD_LEN = 4,
  THIRL_LAB_IP6_NEXT = 6,
  THIRL_LAB_IP6_HOPS = 7,
  THIRL_LAB_IP6_SOURCE = 8,
  THIRL_LAB_IP6_DESTINATION = 24,

  THIRL_LAB_PROTOCOL_ICMP = 1,
  THIRL_LAB_PROTOCOL_TCP = 6,
  THIRL_LAB_PROTOCOL_UDP = 17,
  THIRL_LAB_PROTOCOL_FRAGMENT = 44,
  THIRL_LAB_PROTOCOL_ICMP6 = 58,

  THIRL_LAB_TCP_LEN_MIN = 20,
  THIRL_LAB_TCP_SEQUENCE = 4,
  THIRL_LAB_TCP_ACK = 8,
  THIRL_LAB_TCP_OFFSET = 12,
  THIRL_LAB_TCP_FLAGS = 13,
  THIRL_LAB_TCP_CHECKSUM = 16,
  THIRL_LAB_UDP_LEN = 8,
  THIRL_LAB_UDP_TOTAL_LEN = 4,
  THIRL_LAB_UDP_CHECKSUM = 6,
  THIRL_LAB_ICMP_LEN = 8, /* of an echo or an error, before what follows */
  THIRL_LAB_ICMP_CODE = 1,
  THIRL_LAB_ICMP_CHECKSUM = 2,
  THIRL_LAB_ICMP_ECHO_ID = 4,
  THIRL_LAB_ICMP_MTU = 4, /* 32 bits; of ICMP only the lower 16 count */

  THIRL_LAB_ICMP_ECHO_REPLY = 0,
  THIRL_LAB_ICMP_UNREACHABLE = 3,
  THIRL_LAB_ICMP_ECHO = 8,
  THIRL_LAB_ICMP_TIME_EXCEEDED = 11,
  THIRL_LAB_ICMP_PARAMETER = 12,
  THIRL_LAB_ICMP6_UNREACHABLE = 1,
  THIRL_LAB_ICMP6_TOO_BIG = 2,
  THIRL_LAB_ICMP6_TIME_EXCEEDED = 3,
  THIRL_LAB_ICMP6_PARAMETER = 4,
  THIRL_LAB_ICMP6_ECHO = 128,
  THIRL_LAB_ICMP6_ECHO_REPLY = 129,
  THIRL_LAB_ICMP6_SOLICIT = 135,   /* a neighbour: RFC 4861 section 4.3 */
  THIRL_LAB_ICMP6_ADVERTISE = 136, /* section 4.4 */

  THIRL_LAB_ARP_FRAME_LEN = THIRL_LAB_ETH_LEN + 28
};

uint16_t thirl_lab_wire_get16(const uint8_t *p);
uint32_t thirl_lab_wire_get32(const uint8_t *p);
void thirl_lab_wire_put16(uint8_t *p, uint16_t v);
void thirl_lab_wire_put32(uint8_t *p, uint32_t v);

/** The internet checksum over n bytes, n even, and the number extra; RFC 1071. */
uint16_t thirl_lab_wire_checksum(const uint8_t *p, size_t n, uint32_t extra);
/** The length of the IPv4 header of a frame, or 0: not IPv4, or cut short. */
size_t thirl_lab_wire_ip_header_len(const uint8_t *frame, size_t len);
/** One less; false: it is used up, and nothing was changed. The checksum follows (RFC 1624). */
bool thirl_lab_wire_ttl_decrease(uint8_t *frame);

typedef struct thirl_lab_arp {
  bool is_request;
  uint8_t sender_mac[THIRL_LAB_MAC_LEN];
  uint32_t sender, target; /* IPv4, host order */
} thirl_lab_arp;

/** False: not ARP for IPv4 over Ethernet. */
bool thirl_lab_wire_arp_decode(const uint8_t *frame, size_t len, thirl_lab_arp *out);
/** A whole frame of THIRL_LAB_ARP_FRAME_LEN bytes. to: the receiver's MAC, NULL for everybody. */
void thirl_lab_wire_arp_encode(const thirl_lab_arp *arp, const uint8_t *to, uint8_t *frame);

#endif
