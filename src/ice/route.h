/* SPDX-License-Identifier: MIT */
/* Which agent is a check for? Asked of the first packet of a connection, before any agent knows of it. */
#ifndef THIRL_ICE_ROUTE_H
#define THIRL_ICE_ROUTE_H

#include "base/bytes.h"

/** For whom is this request? The two halves of USERNAME ("ours:theirs") as views; E_NOT_STUN, E_NOT_FOUND. Needs no agent: the endpoint routes by it. */
thirl_error thirl_ice_route_parse(thirl_bytes packet, thirl_bytes *ours, thirl_bytes *theirs);

#endif
