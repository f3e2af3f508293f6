/* SPDX-License-Identifier: MIT */
/* What the peer sends: requests judged and answered, peer-reflexive candidates learned, checks triggered; responses passed on. RFC 8445 7.3. */
#ifndef THIRL_ICE_INBOUND_H
#define THIRL_ICE_INBOUND_H

#include "ice/agent.h"

void thirl_ice_inbound_datagram(thirl_ice *a, const thirl_addr *local, const thirl_addr *remote, thirl_bytes packet);
void thirl_ice_inbound_frame(thirl_ice *a, thirl_ice_flow *f, thirl_bytes packet);

#endif
