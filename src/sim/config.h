/* SPDX-License-Identifier: MIT */
/* What a world is made of, as its maker says it, and what it counts. */
#ifndef THIRL_SIM_CONFIG_H
#define THIRL_SIM_CONFIG_H

#include "natbox/config.h"
#include "sim/tcp.h"

enum {
  THIRL_SIM_NODES_MAX = 4096,
  THIRL_SIM_EVENTS_MAX = 1u << 20, /* packets on the way, timers, appointments; a packet beyond is lost */
  THIRL_SIM_HOST_ADDRS_MAX = 8
};

/** The world's clock begins here, so that no valid time is 0. */
#define THIRL_SIM_EPOCH (1 * THIRL_S)

typedef struct thirl_sim thirl_sim;
typedef struct thirl_sim_node thirl_sim_node; /* owned by the world, lives as long */

/** Addresses whose first bits are those of addr. Zeroed: none. */
typedef struct thirl_sim_prefix {
  thirl_addr addr;
  unsigned bits;
} thirl_sim_prefix;

typedef struct thirl_sim_host_config {
  const char *name;      /* copied; for traces */
  thirl_sim_node *below; /* NULL: the internet */
  thirl_addr
      addrs[THIRL_SIM_HOST_ADDRS_MAX]; /* ports ignored; the first of a family is the one that is used by itself */
  unsigned n_addrs;
  thirl_sim_tcp_options tcp; /* zeroed: thirl_sim_tcp_defaults() */
  thirl_time clock_offset;   /* its monotonic clock runs ahead of the world's */
  bool silent;               /* no RST, no ICMP for closed ports */
} thirl_sim_host_config;

typedef struct thirl_sim_nat_config {
  const char *name;
  thirl_sim_node *below;      /* NULL: the internet */
  thirl_natbox_config box;    /* box.external is its address outside */
  thirl_sim_prefix inside;    /* FIREWALL and ROUTE: the addresses that the outside routes to it */
  bool has_second;            /* a second box for the other family: an IPv6 firewall beside the IPv4 NAT */
  thirl_natbox_config second; /* FIREWALL or ROUTE */
  thirl_sim_prefix second_inside;
} thirl_sim_nat_config;

typedef struct thirl_sim_counters {
  uint64_t sent;      /* packets that left a host */
  uint64_t delivered; /* that reached a host */
  uint64_t lost;      /* on links, down ones included */
  uint64_t doubled;   /* by links */
  uint64_t discarded; /* by NATs, answered ones included */
  uint64_t unrouted;  /* no such address */
  uint64_t expired;   /* time to live */
  uint64_t starved;   /* for want of memory or a limit */
  uint64_t events;    /* of the world's clock */
} thirl_sim_counters;

#endif
