/* SPDX-License-Identifier: MIT */
#include "lab/internet/route.h"

bool thirl_lab_route_hides(const thirl_lab_node *nat, thirl_family family) {
  if (nat->nat.mode == THIRL_NATBOX_PREFIX) return true;
  return nat->nat.mode == THIRL_NATBOX_TRANSLATE && (family == THIRL_FAMILY_V4 || family == nat->nat.external.family);
}

thirl_addr thirl_lab_route_gateway(const thirl_lab_net *net, thirl_family family) {
  for (size_t i = 0; i < net->n_prefixes; i++)
    if (net->gateways[i].addr.family == family) return thirl_addr_with_port(net->gateways[i].addr, 0);
  return (thirl_addr){0};
}

static thirl_addr outer_address(const thirl_lab_node *nat, thirl_family family) {
  for (size_t i = 0; i < nat->outer.n_addrs; i++)
    if (nat->outer.addrs[i].addr.family == family) return thirl_addr_with_port(nat->outer.addrs[i].addr, 0);
  return (thirl_addr){0};
}

/* The way down from at to a net that dst is on. */
static thirl_lab_route descend(const thirl_lab_topology *t, int at, size_t net, const thirl_addr *dst) {
  thirl_lab_route r = {.net = net, .next_hop = thirl_addr_with_port(*dst, 0)};
  for (size_t i = 0; i <= t->n_nodes; i++) { /* not more NATs above each other than there are */
    int above = t->nets[r.net].nat;
    if (above == at) {
      r.is_found = true;
      return r;
    }
    if (above < 0) return r;
    const thirl_lab_node *nat = &t->nodes[above];
    if (thirl_lab_route_hides(nat, (thirl_family)dst->family)) return r;
    r.next_hop = outer_address(nat, (thirl_family)dst->family);
    r.net = nat->outer.net;
    if (!thirl_addr_is_set(&r.next_hop)) return r;
  }
  return r;
}

/* The way to a prefix that a NAT translates to its inner one (RFC 6296). */
static thirl_lab_route to_prefix(const thirl_lab_topology *t, int at, const thirl_addr *dst) {
  for (size_t i = 0; i < t->n_nodes; i++) {
    const thirl_lab_node *n = &t->nodes[i];
    if (n->kind != THIRL_LAB_NAT || n->nat.mode != THIRL_NATBOX_PREFIX || (int)i == at) continue;
    thirl_lab_prefix outside = {.addr = n->nat.external, .bits = n->nat.prefix_bits};
    if (!thirl_lab_address_contains(&outside, dst)) continue;
    thirl_addr hop = outer_address(n, THIRL_FAMILY_V6);
    if (thirl_addr_is_set(&hop)) return descend(t, at, n->outer.net, &hop);
  }
  return (thirl_lab_route){0};
}

static thirl_lab_route find_down(const thirl_lab_topology *t, int at, const thirl_addr *dst) {
  thirl_lab_route best = {0};
  int bits = -1;
  for (size_t i = 0; i < t->n_nets; i++) {
    const thirl_lab_net *net = &t->nets[i];
    for (size_t j = 0; j < net->n_prefixes; j++) {
      if (net->prefixes[j].bits <= bits || !thirl_lab_address_contains(&net->prefixes[j], dst)) continue;
      thirl_lab_route r = descend(t, at, i, dst);
      if (!r.is_found) continue;
      best = r;
      bits = net->prefixes[j].bits;
    }
  }
  return best.is_found ? best : to_prefix(t, at, dst);
}

thirl_lab_route thirl_lab_route_find(const thirl_lab_topology *t, int at, const thirl_addr *dst) {
  thirl_lab_route r = find_down(t, at, dst);
  if (r.is_found || at == THIRL_LAB_ROUTE_INTERNET) return r;
  const thirl_lab_net *outside = &t->nets[t->nodes[at].outer.net];
  r = (thirl_lab_route){.net = t->nodes[at].outer.net};
  for (size_t i = 0; i < outside->n_prefixes && !r.is_found; i++)
    if (thirl_lab_address_contains(&outside->prefixes[i], dst)) {
      r.next_hop = thirl_addr_with_port(*dst, 0);
      r.is_found = true;
    }
  if (!r.is_found) {
    r.next_hop = thirl_lab_route_gateway(outside, (thirl_family)dst->family);
    r.is_found = thirl_addr_is_set(&r.next_hop);
  }
  return r;
}
