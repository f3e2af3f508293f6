/* SPDX-License-Identifier: MIT */
/* The world's insides, for forward.c and sim.c. Everybody else uses sim.h. */
#ifndef THIRL_SIM_WORLD_H
#define THIRL_SIM_WORLD_H

#include "base/log.h"
#include "natbox/natbox.h"
#include "sim/config.h"
#include "sim/host.h"
#include "sim/link.h"
#include "sim/route.h"
#include "sim/traffic.h"

enum { THIRL_SIM_NAME_MAX = 24 };

typedef enum thirl_sim_event_kind {
  THIRL_SIM_ARRIVAL, /* a packet at the end of a link */
  THIRL_SIM_ALARM,   /* a deadline of a host or a NAT */
  THIRL_SIM_APPOINTMENT
} thirl_sim_event_kind;

typedef enum thirl_sim_node_kind { THIRL_SIM_INTERNET, THIRL_SIM_NAT, THIRL_SIM_HOST } thirl_sim_node_kind;

struct thirl_sim_node {
  thirl_sim *sim;
  thirl_sim_node_kind kind;
  uint32_t number;
  char name[THIRL_SIM_NAME_MAX];
  thirl_sim_node *above;
  thirl_sim_link up, down;
  thirl_sim_event alarm;
  thirl_sim_route routes;     /* INTERNET, NAT: to the nodes below */
  thirl_natbox *box, *second; /* NAT; second serves the other family */
  thirl_sim_nat_config nat;   /* NAT */
  thirl_sim_host *host;       /* HOST */
  thirl_sim_traffic traffic;  /* HOST: what it has sent */
};

typedef struct thirl_sim_appointment {
  thirl_sim_event event;
  void (*call)(void *ctx);
  void *ctx;
} thirl_sim_appointment;

struct thirl_sim {
  uint64_t seed, hash;
  thirl_time now;
  thirl_dice dice; /* of the scenario: thirl_sim_draw */
  thirl_heap events;
  thirl_sim_pool pool;
  thirl_sim_node *nodes[THIRL_SIM_NODES_MAX]; /* nodes[0] is the internet */
  uint32_t n_nodes;
  thirl_sim_counters count;
  const thirl_log *log;
  bool silent_routers; /* no time exceeded */
  bool host_is_busy;   /* a host's packets are being taken: no other host may run before that is done */
};

#endif
