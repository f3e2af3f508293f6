/* SPDX-License-Identifier: MIT */
/* What the router at the default gateway says of itself over NAT-PMP and UPnP, and who stands on the way behind it. Reads only; blocks. */
#ifndef THIRL_APPS_NAT_ROUTER_H
#define THIRL_APPS_NAT_ROUTER_H

#include "natcheck/terms.h"

/** The default gateway of IPv4; unset when there is none. */
thirl_addr nat_router_find(void);
/** Everything but PCP, which the machine asks itself. At most some seconds. out->router is set by the caller. */
void nat_router_ask(thirl_natcheck_gateway *out);
/** The first hops towards a STUN server. At most a second. */
void nat_router_trace(const thirl_addr *server, thirl_natcheck_hops *out);

#endif
