/* SPDX-License-Identifier: MIT */
/* The table that filters without translating: a stateful firewall, IPv4 or IPv6. */
#ifndef THIRL_LAB_NETFILTER_WALL_H
#define THIRL_LAB_NETFILTER_WALL_H

#include "lab/netfilter/netfilter_text.h"

/** Writes "table ip thirl_wall" or "table ip6 thirl_wall". Errors stay in the stream. */
void thirl_lab_netfilter_wall_write(const thirl_lab_netfilter_text *t, bool v6);

#endif
