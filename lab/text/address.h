/* SPDX-License-Identifier: MIT */
/* Addresses with the length of their network, and the arithmetic on them. */
#ifndef THIRL_LAB_ADDRESS_H
#define THIRL_LAB_ADDRESS_H

#include "base/addr.h"

/** An address with the length of its network: 192.168.1.10/24. Port 0. */
typedef struct thirl_lab_prefix {
  thirl_addr addr;
  uint8_t bits;
} thirl_lab_prefix;

enum { THIRL_LAB_ADDRESS_TEXT_MAX = THIRL_ADDR_TEXT_MAX + 4 };

/** "192.168.1.10/24", "2001:db8::1/64"; without a length all bits count. E_SYNTAX: not an address, a length that is too long, a port. */
thirl_error thirl_lab_address_parse(const char *text, thirl_lab_prefix *out);
/** The address alone, without brackets or port; out holds THIRL_LAB_ADDRESS_TEXT_MAX. Returns out. */
const char *thirl_lab_address_format_ip(const thirl_addr *a, char *out);
/** With its length. */
const char *thirl_lab_address_format(const thirl_lab_prefix *p, char *out);
/** The bits behind the length are zero. */
bool thirl_lab_address_is_network(const thirl_lab_prefix *p);
/** The same with those bits zeroed. */
thirl_lab_prefix thirl_lab_address_network(thirl_lab_prefix p);
/** Is a in the network of p? False for another family. */
bool thirl_lab_address_contains(const thirl_lab_prefix *p, const thirl_addr *a);
bool thirl_lab_address_overlap(const thirl_lab_prefix *a, const thirl_lab_prefix *b);
/** The first address of the network behind its own (.1), and the last before the broadcast address (.254). At least two bits for hosts. */
thirl_addr thirl_lab_address_first(const thirl_lab_prefix *p);
thirl_addr thirl_lab_address_last(const thirl_lab_prefix *p);
/** One that a host can have there: not the network's own, not IPv4's broadcast, not multicast, loopback or 0.0.0.0/8. */
bool thirl_lab_address_is_host(const thirl_lab_prefix *network, const thirl_addr *a);

#endif
