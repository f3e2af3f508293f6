/* SPDX-License-Identifier: MIT */
/* Which offers the server passes on: those whose addresses can only hurt their sender. Reads nothing else of them. */
#ifndef THIRL_SERVER_OFFER_H
#define THIRL_SERVER_OFFER_H

#include "base/addr.h"
#include "base/bytes.h"

/**
 * E_MALFORMED: not an offer. E_INVALID: a candidate that nobody may probe (thirl_addr_is_probeable), or a reflexive one with another IP than the
 * one that the sender is seen with.
 *
 * Host candidates may be of any address that is probeable: they are only tried, and a stranger there proves nothing. A sender that is seen on
 * loopback, on this very machine, may name loopback too; its peer's agent judges again and leaves it out if that peer is elsewhere.
 */
thirl_error thirl_server_offer_admit(thirl_bytes offer, const thirl_addr *sender);

#endif
