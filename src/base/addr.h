/* SPDX-License-Identifier: MIT */
/* A transport address: IPv4 or IPv6 with a port. A plain value; no socket header leaks out of here. */
#ifndef THIRL_BASE_ADDR_H
#define THIRL_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "thirl/error.h"

typedef enum thirl_family { THIRL_FAMILY_NONE = 0, THIRL_FAMILY_V4 = 4, THIRL_FAMILY_V6 = 6 } thirl_family;

/** Zeroed it means "no address". For IPv4 only ip[0..3] count and the rest is zero, so that values compare by memcmp. */
typedef struct thirl_addr {
  uint8_t family; /* thirl_family */
  uint8_t pad;    /* zero */
  uint16_t port;  /* host order */
  uint8_t ip[16]; /* network order */
} thirl_addr;

enum { THIRL_ADDR_TEXT_MAX = 56 }; /* "[" 45 "]:" 5 NUL, rounded up */

thirl_addr thirl_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port);
thirl_addr thirl_addr_v6(const uint8_t ip[16], uint16_t port);
/** The unspecified address of the same family (0.0.0.0 or ::) with this port. */
thirl_addr thirl_addr_any(thirl_family family, uint16_t port);
thirl_addr thirl_addr_with_port(thirl_addr a, uint16_t port);
bool thirl_addr_equal(const thirl_addr *a, const thirl_addr *b);
/** Same family and IP, ports ignored. */
bool thirl_addr_same_ip(const thirl_addr *a, const thirl_addr *b);
bool thirl_addr_is_set(const thirl_addr *a);
/** 0.0.0.0 or ::. */
bool thirl_addr_is_any(const thirl_addr *a);
/** How many bytes of ip count: 4, 16, or 0. */
size_t thirl_addr_ip_len(const thirl_addr *a);
/** ::ffff:a.b.c.d becomes a.b.c.d; everything else stays. */
thirl_addr thirl_addr_unmap(thirl_addr a);
uint64_t thirl_addr_hash(const thirl_addr *a, uint64_t key);

/**
 * May a peer that we do not control make us send to this address?
 *
 * Never loopback, multicast, broadcast, unspecified or port 0, in any spelling (IPv4-mapped, -compatible and -translated, 6to4,
 * NAT64, Teredo and ISATAP forms are judged by the IPv4 address inside; NAT64 under its local prefix never passes). Private and
 * link-local unicast addresses are allowed: they are what host candidates are made of, and nothing counts there before its key
 * is proven.
 */
bool thirl_addr_is_probeable(const thirl_addr *a);

/** "192.0.2.1:443" or "[2001:db8::1]:443" into out, which must hold THIRL_ADDR_TEXT_MAX. Returns out. "-" for no address. */
const char *thirl_addr_format(const thirl_addr *a, char *out);
/** Numeric only, "ip:port", "[ip6]:port" or a bare "ip" (port 0). E_SYNTAX otherwise; *out zeroed on failure. */
thirl_error thirl_addr_parse(const char *text, thirl_addr *out);

#endif
