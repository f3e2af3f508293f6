/* SPDX-License-Identifier: MIT */
/* Who was sent how much, and when last: so that a test can say that nothing goes to an address any more. */
#ifndef THIRL_SIM_TRAFFIC_H
#define THIRL_SIM_TRAFFIC_H

#include "base/addr.h"
#include "base/map.h"
#include "base/time.h"

enum { THIRL_SIM_TRAFFIC_MAX = 16384 }; /* addresses; packets to others are not counted */

typedef struct thirl_sim_traffic_entry {
  thirl_addr to;
  uint64_t packets, bytes; /* bytes of payload */
  thirl_time last;         /* 0: never */
} thirl_sim_traffic_entry;

typedef struct thirl_sim_traffic {
  thirl_map by_addr;
} thirl_sim_traffic;

void thirl_sim_traffic_init(thirl_sim_traffic *t, uint64_t seed);
void thirl_sim_traffic_fini(thirl_sim_traffic *t);
void thirl_sim_traffic_add(thirl_sim_traffic *t, const thirl_addr *to, size_t bytes, thirl_time now);
/** What went to this address and port; with port 0, to any port of it, ICMP included. */
thirl_sim_traffic_entry thirl_sim_traffic_of(const thirl_sim_traffic *t, const thirl_addr *to);

#endif
