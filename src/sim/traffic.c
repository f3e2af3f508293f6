/* SPDX-License-Identifier: MIT */
#include "sim/traffic.h"

#include <stdlib.h>

void thirl_sim_traffic_init(thirl_sim_traffic *t, uint64_t seed) {
  thirl_map_init(&t->by_addr, sizeof(thirl_addr), seed);
}

void thirl_sim_traffic_fini(thirl_sim_traffic *t) {
  size_t at = 0;
  for (void *e; (e = thirl_map_next(&t->by_addr, &at)) != NULL;)
    free(e);
  thirl_map_fini(&t->by_addr);
}

void thirl_sim_traffic_add(thirl_sim_traffic *t, const thirl_addr *to, size_t bytes, thirl_time now) {
  thirl_sim_traffic_entry *e = thirl_map_get(&t->by_addr, to);
  if (!e) {
    if (t->by_addr.n >= THIRL_SIM_TRAFFIC_MAX || !(e = calloc(1, sizeof *e))) return;
    e->to = *to;
    if (thirl_map_put(&t->by_addr, to, e) != THIRL_OK) {
      free(e);
      return;
    }
  }
  e->packets++;
  e->bytes += bytes;
  e->last = now;
}

thirl_sim_traffic_entry thirl_sim_traffic_of(const thirl_sim_traffic *t, const thirl_addr *to) {
  thirl_sim_traffic_entry sum = {.to = *to};
  if (to->port) {
    const thirl_sim_traffic_entry *e = thirl_map_get(&t->by_addr, to);
    return e ? *e : sum;
  }
  size_t at = 0;
  for (const thirl_sim_traffic_entry *e; (e = thirl_map_next(&t->by_addr, &at)) != NULL;) {
    if (!thirl_addr_same_ip(&e->to, to)) continue;
    sum.packets += e->packets;
    sum.bytes += e->bytes;
    if (e->last > sum.last) sum.last = e->last;
  }
  return sum;
}
