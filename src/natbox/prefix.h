/* SPDX-License-Identifier: MIT */
/* Another IPv6 prefix, the same checksums: RFC 6296. */
#ifndef THIRL_NATBOX_PREFIX_H
#define THIRL_NATBOX_PREFIX_H

#include "base/addr.h"

/** Do the first bits of two IPv6 addresses agree? bits is 1 to 64. */
bool thirl_natbox_prefix_has(const thirl_addr *prefix, unsigned bits, const thirl_addr *a);
/**
 * The address *a of the prefix from gets the prefix to, and one other 16-bit word changes so that the sum over the address stays (sections 3.1 to 3.5).
 * The other way round gives *a again. False: *a is not of that prefix, or has no word that could change; it is untouched then.
 */
bool thirl_natbox_prefix_change(thirl_addr *a, const thirl_addr *from, const thirl_addr *to, unsigned bits);

#endif
