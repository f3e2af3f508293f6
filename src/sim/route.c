/* SPDX-License-Identifier: MIT */
#include "sim/route.h"

#include <string.h>

void thirl_sim_route_init(thirl_sim_route *r, uint64_t seed) {
  memset(r, 0, sizeof *r);
  thirl_map_init(&r->exact, sizeof(thirl_addr), seed);
}

void thirl_sim_route_fini(thirl_sim_route *r) {
  thirl_map_fini(&r->exact);
}

thirl_error thirl_sim_route_add(thirl_sim_route *r, const thirl_addr *addr, void *to) {
  thirl_addr key = thirl_addr_with_port(*addr, 0);
  const void *there = thirl_map_get(&r->exact, &key);
  if (there) return there == to ? THIRL_OK : THIRL_E_IN_USE;
  return thirl_map_put(&r->exact, &key, to);
}

thirl_error thirl_sim_route_add_prefix(thirl_sim_route *r, const thirl_addr *addr, unsigned bits, void *to) {
  if (r->n_prefixes == THIRL_SIM_ROUTE_PREFIXES) return THIRL_E_LIMIT;
  r->prefixes[r->n_prefixes++] = (struct thirl_sim_route_prefix){.addr = *addr, .bits = bits, .to = to};
  return THIRL_OK;
}

void thirl_sim_route_remove(thirl_sim_route *r, const void *to, const thirl_addr *addrs, unsigned n_addrs) {
  for (unsigned i = 0; i < n_addrs; i++) {
    thirl_addr key = thirl_addr_with_port(addrs[i], 0);
    if (thirl_map_get(&r->exact, &key) == to) thirl_map_remove(&r->exact, &key);
  }
  unsigned kept = 0;
  for (unsigned i = 0; i < r->n_prefixes; i++)
    if (r->prefixes[i].to != to) r->prefixes[kept++] = r->prefixes[i];
  r->n_prefixes = kept;
}

static bool matches(const struct thirl_sim_route_prefix *p, const thirl_addr *addr) {
  if (p->addr.family != addr->family) return false;
  unsigned bytes = p->bits / 8, rest = p->bits % 8;
  if (memcmp(p->addr.ip, addr->ip, bytes) != 0) return false;
  return rest == 0 || ((p->addr.ip[bytes] ^ addr->ip[bytes]) >> (8 - rest)) == 0;
}

void *thirl_sim_route_find(const thirl_sim_route *r, const thirl_addr *addr) {
  thirl_addr key = thirl_addr_with_port(*addr, 0);
  void *to = thirl_map_get(&r->exact, &key);
  if (to) return to;
  const struct thirl_sim_route_prefix *best = NULL;
  for (unsigned i = 0; i < r->n_prefixes; i++)
    if (matches(&r->prefixes[i], addr) && (!best || r->prefixes[i].bits > best->bits)) best = &r->prefixes[i];
  return best ? best->to : NULL;
}
