/* SPDX-License-Identifier: MIT */
/*
 * Which way does a packet go? The internet knows the nets that no NAT hides; a NAT knows its own net and what lies openly behind that, and
 * gives all else to the outside. A NAT that does not translate a family (a firewall, a plain router) hides nothing of it.
 */
#ifndef THIRL_LAB_ROUTE_H
#define THIRL_LAB_ROUTE_H

#include "lab/text/topology.h"

enum { THIRL_LAB_ROUTE_INTERNET = -1 };

typedef struct thirl_lab_route {
  bool is_found;
  size_t net;          /* where to put it on */
  thirl_addr next_hop; /* who gets it there; port 0 */
} thirl_lab_route;

/** at: a NAT, or THIRL_LAB_ROUTE_INTERNET. */
thirl_lab_route thirl_lab_route_find(const thirl_lab_topology *t, int at, const thirl_addr *dst);
/** Is the inside of this NAT hidden from the outside, for this family? */
bool thirl_lab_route_hides(const thirl_lab_node *nat, thirl_family family);
/** Who leads out of this net, for this family; one that is not set when nobody does. */
thirl_addr thirl_lab_route_gateway(const thirl_lab_net *net, thirl_family family);

#endif
