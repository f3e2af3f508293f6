/* SPDX-License-Identifier: MIT */
#include "server/pair.h"

bool thirl_server_pair_is_set(const thirl_server_pair *p) {
  return thirl_addr_is_set(&p->primary);
}

bool thirl_server_pair_is_sound(const thirl_server_pair *p) {
  const thirl_addr *a = &p->primary, *b = &p->alternate;
  return thirl_addr_is_set(a) && a->family == b->family && !thirl_addr_is_any(a) && !thirl_addr_is_any(b) &&
         !thirl_addr_same_ip(a, b) && a->port && b->port && a->port != b->port;
}

thirl_addr thirl_server_pair_corner(const thirl_server_pair *p, unsigned corner) {
  thirl_addr a = corner & 2 ? p->alternate : p->primary;
  a.port = corner & 1 ? p->alternate.port : p->primary.port;
  return a;
}

int thirl_server_pair_find(const thirl_server_pair *p, const thirl_addr *at) {
  if (!thirl_server_pair_is_set(p)) return -1;
  bool is_first = thirl_addr_same_ip(at, &p->primary), is_second = thirl_addr_same_ip(at, &p->alternate);
  if (!is_first && !is_second) return -1;
  if (at->port != p->primary.port && at->port != p->alternate.port) return -1;
  return (is_second ? 2 : 0) | (at->port == p->alternate.port ? 1 : 0);
}

unsigned thirl_server_pair_across(unsigned corner, bool ip, bool port) {
  return corner ^ (ip ? 2u : 0u) ^ (port ? 1u : 0u);
}

bool thirl_server_pair_derive(const thirl_addr *listeners, size_t n, thirl_family family, thirl_server_pair *out) {
  unsigned seen = 0;
  *out = (thirl_server_pair){.primary = {.family = THIRL_FAMILY_NONE}};
  thirl_server_pair p = *out;
  for (size_t i = 0; i < n; i++) {
    const thirl_addr *a = &listeners[i];
    if (a->family != family || thirl_addr_is_any(a)) continue;
    if (!thirl_addr_is_set(&p.primary)) p.primary = *a;
    if (!thirl_addr_same_ip(a, &p.primary) && a->port != p.primary.port && !thirl_addr_is_set(&p.alternate))
      p.alternate = *a;
  }
  if (!thirl_server_pair_is_sound(&p)) return false;
  for (size_t i = 0; i < n; i++) {
    const thirl_addr *a = &listeners[i];
    if (a->family != family || thirl_addr_is_any(a)) continue;
    int corner = thirl_server_pair_find(&p, a);
    if (corner < 0) return false;
    seen |= 1u << corner;
  }
  if (seen != 15) return false;
  *out = p;
  return true;
}
