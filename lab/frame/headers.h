/* SPDX-License-Identifier: MIT */
/* Where is what in a frame with an IP packet: read once, with every length checked, so that others may trust the offsets. */
#ifndef THIRL_LAB_HEADERS_H
#define THIRL_LAB_HEADERS_H

#include "base/addr.h"
#include "base/time.h"

enum { THIRL_LAB_HEADERS_EXTENSIONS_MAX = 8 }; /* of IPv6, in one packet */

typedef enum thirl_lab_headers_verdict {
  THIRL_LAB_HEADERS_OK,
  THIRL_LAB_HEADERS_NOT_IP,
  THIRL_LAB_HEADERS_MALFORMED /* claims to be IP and lies about a length, or its header's checksum is wrong */
} thirl_lab_headers_verdict;

typedef struct thirl_lab_headers {
  uint8_t family;   /* thirl_family */
  uint8_t protocol; /* behind IPv6's extensions */
  uint8_t ttl;
  bool is_fragment;  /* one of several */
  bool is_first;     /* the first of them, or no fragment */
  bool may_fragment; /* IPv4 without "don't fragment" */
  bool has_ports;    /* UDP or TCP, its whole fixed header is here; src and dst have ports */
  uint32_t fragment_id;
  size_t ip, l4, end;  /* offsets in the frame: IP header, what is behind it, end of the packet */
  thirl_addr src, dst; /* port 0 without has_ports */
} thirl_lab_headers;

/** Any bytes at all. *h is whole when OK is returned. */
thirl_lab_headers_verdict thirl_lab_headers_read(const uint8_t *frame, size_t len, thirl_lab_headers *h);
/**
 * A packet that begins at ip within a frame and may be cut short: the one that an ICMP error is about. The checksum is not looked at.
 */
thirl_lab_headers_verdict thirl_lab_headers_read_quoted(const uint8_t *frame, size_t ip, size_t end,
                                                        thirl_lab_headers *h);
/** The IP address at p. */
thirl_addr thirl_lab_headers_addr(thirl_family family, const uint8_t *p);
/** Where in the frame the addresses are. */
size_t thirl_lab_headers_source(const thirl_lab_headers *h);
size_t thirl_lab_headers_destination(const thirl_lab_headers *h);
/** One hop less; the checksum follows. The packet's ttl is more than 1. */
void thirl_lab_headers_hop(uint8_t *frame, thirl_lab_headers *h);
/** IPv4 broadcast, multicast of both, unspecified: nothing that one answers to. */
bool thirl_lab_headers_is_one_host(const thirl_addr *a);

#endif
