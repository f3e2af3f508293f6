/* SPDX-License-Identifier: MIT */
/* Where an address is: exact ones first, then the longest prefix. */
#ifndef THIRL_SIM_ROUTE_H
#define THIRL_SIM_ROUTE_H

#include "base/addr.h"
#include "base/map.h"

enum { THIRL_SIM_ROUTE_PREFIXES = 64 };

typedef struct thirl_sim_route {
  thirl_map exact;
  struct thirl_sim_route_prefix {
    thirl_addr addr;
    unsigned bits;
    void *to;
  } prefixes[THIRL_SIM_ROUTE_PREFIXES];
  unsigned n_prefixes;
} thirl_sim_route;

void thirl_sim_route_init(thirl_sim_route *r, uint64_t seed);
void thirl_sim_route_fini(thirl_sim_route *r);
/** E_IN_USE: the address leads elsewhere already. Ports are ignored. */
thirl_error thirl_sim_route_add(thirl_sim_route *r, const thirl_addr *addr, void *to);
/** E_LIMIT: too many prefixes. */
thirl_error thirl_sim_route_add_prefix(thirl_sim_route *r, const thirl_addr *addr, unsigned bits, void *to);
/** All addresses and prefixes that lead there. */
void thirl_sim_route_remove(thirl_sim_route *r, const void *to, const thirl_addr *addrs, unsigned n_addrs);
/** NULL: nowhere. */
void *thirl_sim_route_find(const thirl_sim_route *r, const thirl_addr *addr);

#endif
