/* SPDX-License-Identifier: MIT */
/* What a NAT sees of a packet, as a value, and the two answers that it may give on its own. Payload is carried, never looked at. */
#ifndef THIRL_NATBOX_PACKET_H
#define THIRL_NATBOX_PACKET_H

#include "base/addr.h"
#include "base/bytes.h"

/**
 * ICMP is an error about something else. ECHO is a ping: its identifier is the port of the end that asks, the other end's port is 0,
 * so that a request and its answer are a flow like one of UDP (RFC 5508 section 3).
 */
typedef enum thirl_natbox_protocol {
  THIRL_NATBOX_UDP = 1,
  THIRL_NATBOX_TCP,
  THIRL_NATBOX_ICMP,
  THIRL_NATBOX_ECHO
} thirl_natbox_protocol;

/* TCP flags with the values of the wire. */
enum {
  THIRL_NATBOX_FIN = 0x01,
  THIRL_NATBOX_SYN = 0x02,
  THIRL_NATBOX_RST = 0x04,
  THIRL_NATBOX_PSH = 0x08,
  THIRL_NATBOX_ACK = 0x10
};

/** The errors of ICMP and ICMPv6 that matter here. */
typedef enum thirl_natbox_icmp {
  THIRL_NATBOX_PORT_UNREACHABLE,
  THIRL_NATBOX_HOST_UNREACHABLE,
  THIRL_NATBOX_TIME_EXCEEDED
} thirl_natbox_icmp;

enum { THIRL_NATBOX_TTL = 64 }; /* of every packet that is made anew */

/** The beginning of the packet that an ICMP error is about, as it was when it caused the error. */
typedef struct thirl_natbox_inner {
  uint8_t protocol; /* UDP, TCP or ECHO */
  thirl_addr src, dst;
  uint32_t seq; /* TCP */
} thirl_natbox_inner;

typedef struct thirl_natbox_packet {
  uint8_t protocol; /* thirl_natbox_protocol */
  uint8_t flags;    /* TCP */
  uint8_t icmp;     /* thirl_natbox_icmp, ICMP only */
  uint8_t ttl;
  thirl_addr src, dst;      /* ports are 0 in ICMP; see ECHO */
  uint32_t seq, ack;        /* TCP; ack counts with the flag ACK only */
  thirl_bytes payload;      /* borrowed; empty in the answers of a NAT */
  thirl_natbox_inner inner; /* ICMP only */
} thirl_natbox_packet;

/** Sequence numbers wrap: a comes after b. */
static inline bool thirl_natbox_packet_seq_after(uint32_t a, uint32_t b) {
  return (int32_t)(a - b) > 0;
}
/** The sequence number behind a TCP segment: payload, SYN and FIN count. */
uint32_t thirl_natbox_packet_seq_end(const thirl_natbox_packet *p);
/** A SYN that opens: SYN without ACK and RST. */
bool thirl_natbox_packet_is_syn(const thirl_natbox_packet *p);
/**
 * The RST that a closed port gives (RFC 9293 section 3.5.2): with the sequence number that an ACK asked for, or 0 and an ACK of all of p.
 * p is a TCP segment without RST.
 */
thirl_natbox_packet thirl_natbox_packet_rst_for(const thirl_natbox_packet *p);
/** An ICMP error about p, which is UDP or TCP, from the router or host at from (port ignored). */
thirl_natbox_packet thirl_natbox_packet_icmp_for(const thirl_natbox_packet *p, thirl_natbox_icmp type, thirl_addr from);

#endif
