/* SPDX-License-Identifier: MIT */
#include "lab/text/model.h"

#include <string.h>

size_t thirl_lab_model_find_node(const thirl_lab_topology *t, const char *name) {
  for (size_t i = 0; i < t->n_nodes; i++)
    if (strcmp(t->nodes[i].name, name) == 0) return i;
  return SIZE_MAX;
}

size_t thirl_lab_model_find_net(const thirl_lab_topology *t, const char *name) {
  for (size_t i = 0; i < t->n_nets; i++)
    if (strcmp(t->nets[i].name, name) == 0) return i;
  return SIZE_MAX;
}

size_t thirl_lab_model_find_prefix(const thirl_lab_net *net, const thirl_addr *a) {
  for (size_t i = 0; i < net->n_prefixes; i++)
    if (thirl_lab_address_contains(&net->prefixes[i], a)) return i;
  return SIZE_MAX;
}

static bool has_address(const thirl_lab_cable *c, size_t net, const thirl_addr *a) {
  if (c->net != net) return false;
  for (size_t i = 0; i < c->n_addrs; i++)
    if (thirl_addr_same_ip(&c->addrs[i].addr, a)) return true;
  return false;
}

const char *thirl_lab_model_holder(const thirl_lab_topology *t, size_t net, const thirl_addr *a, size_t except) {
  for (size_t i = 0; i < t->n_nodes; i++) {
    const thirl_lab_node *n = &t->nodes[i];
    if (i == except) continue;
    if (has_address(&n->outer, net, a)) return n->name;
    if (n->kind == THIRL_LAB_NAT && has_address(&n->inner, net, a)) return n->name;
  }
  const thirl_lab_net *w = &t->nets[net];
  for (size_t i = 0; i < w->n_prefixes; i++)
    if (w->nat < 0 && thirl_addr_same_ip(&w->gateways[i].addr, a)) return w->name;
  return NULL;
}

const thirl_addr *thirl_lab_model_address(const thirl_lab_cable *c, thirl_family family) {
  for (size_t i = 0; i < c->n_addrs; i++)
    if (c->addrs[i].addr.family == family) return &c->addrs[i].addr;
  return NULL;
}

/* The first address of the same family is replaced; without one it comes to the others. */
static void replace_address(thirl_lab_cable *c, const thirl_lab_prefix *p) {
  for (size_t i = 0; i < c->n_addrs; i++)
    if (c->addrs[i].addr.family == p->addr.family) {
      c->addrs[i] = *p;
      return;
    }
  if (c->n_addrs < THIRL_LAB_ADDRS_MAX) c->addrs[c->n_addrs++] = *p;
}

void thirl_lab_model_apply(thirl_lab_topology *t, const thirl_lab_event *event) {
  thirl_lab_node *n = &t->nodes[event->node];
  thirl_lab_cable *c = event->inner ? &n->inner : &n->outer;
  switch (event->kind) {
  case THIRL_LAB_EVENT_REBOOT:
    break;
  case THIRL_LAB_EVENT_RENUMBER:
    replace_address(&n->outer, &event->addr);
    if (event->addr.addr.family == THIRL_FAMILY_V4) n->nat.external = event->addr.addr;
    break;
  case THIRL_LAB_EVENT_NAT:
    n->nat = event->nat;
    break;
  case THIRL_LAB_EVENT_LINK:
    c->up = event->up;
    c->down = event->down;
    break;
  case THIRL_LAB_EVENT_MOVE:
    n->outer.net = event->net;
    n->outer.addrs[0] = event->addr;
    n->outer.n_addrs = 1;
    break;
  }
}
