/* SPDX-License-Identifier: MIT */
/*
 * The engine's own routers: the one of the internet, with an interface on each net that no NAT hides, and the NATs of the model, with two each. A
 * frame that the fabric brings to one of these interfaces is answered, or goes on its next hop.
 */
#ifndef THIRL_LAB_GATEWAY_H
#define THIRL_LAB_GATEWAY_H

#include "lab/internet/fabric.h"
#include "lab/internet/nat.h"
#include "lab/internet/station.h"

enum { THIRL_LAB_DOORS_MAX = THIRL_LAB_NETS_MAX + THIRL_LAB_FABRIC_CABLES_MAX };

typedef struct thirl_lab_gateway_counts {
  uint64_t unrouted, expired, malformed;
} thirl_lab_gateway_counts;

/** An interface of a router. */
typedef struct thirl_lab_door {
  thirl_lab_station station;
  int node;  /* the NAT, or THIRL_LAB_ROUTE_INTERNET */
  int cable; /* its cable, or THIRL_LAB_FABRIC_NONE */
  bool inner;
  size_t net;
  thirl_heap_node timer;
  thirl_time armed;
} thirl_lab_door;

typedef struct thirl_lab_gateway_nat {
  thirl_lab_nat nat;
  size_t node;
  size_t outer, inner; /* doors */
  thirl_heap_node timer;
  thirl_lab_gateway_counts counts;
} thirl_lab_gateway_nat;

typedef struct thirl_lab_gateways {
  const thirl_lab_topology *topology;
  thirl_lab_fabric *fabric;
  thirl_lab_notes *notes;
  thirl_lab_door doors[THIRL_LAB_DOORS_MAX];
  size_t n_doors;
  int door_of_net[THIRL_LAB_NETS_MAX], door_of_cable[THIRL_LAB_FABRIC_CABLES_MAX]; /* or -1 */
  thirl_lab_gateway_nat *nats[THIRL_LAB_NODES_MAX];                                /* NULL: not a NAT of the model */
  thirl_heap door_timers, nat_timers;
  thirl_lab_gateway_counts internet;
  thirl_time now;
} thirl_lab_gateways;

/** All others outlive it. E_NOMEM: fini is safe. */
thirl_error thirl_lab_gateway_init(thirl_lab_gateways *g, const thirl_lab_topology *t, thirl_lab_fabric *fabric,
                                   thirl_lab_notes *notes);
void thirl_lab_gateway_fini(thirl_lab_gateways *g);
/** Takes the arrival's flight. */
void thirl_lab_gateway_arrive(thirl_lab_gateways *g, thirl_lab_arrival *a);
/** What is due: questions, answers that were held back. */
void thirl_lab_gateway_tick(thirl_lab_gateways *g, thirl_time now);
thirl_time thirl_lab_gateway_deadline(const thirl_lab_gateways *g);

/** The addresses of a NAT's interfaces and of its boxes are again what the topology says. */
void thirl_lab_gateway_readdress(thirl_lab_gateways *g, size_t node);
/** Whoever had these addresses on this net is not there any more. */
void thirl_lab_gateway_forget(thirl_lab_gateways *g, size_t net);

#endif
