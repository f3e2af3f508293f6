/* SPDX-License-Identifier: MIT */
/*
 * The kernel of a simulated host: sockets by address, ports, what an unknown packet is answered. It knows no machine and no network: packets
 * to send are in out, what the machine must hear is in notes; the owner takes both after each call.
 */
#ifndef THIRL_SIM_STACK_H
#define THIRL_SIM_STACK_H

#include "base/map.h"
#include "base/rand.h"
#include "sim/tcp.h"

enum {
  THIRL_SIM_ADDRS_MAX = 8,       /* of one host */
  THIRL_SIM_SOCKETS_MAX = 16384, /* of one host, embryos and TIME-WAIT included */
  THIRL_SIM_BACKLOG = 1024       /* embryos of one host */
};

typedef struct thirl_sim_stack_config {
  thirl_addr addrs[THIRL_SIM_ADDRS_MAX]; /* ports ignored; the first of a family is used when nobody says which */
  unsigned n_addrs;
  thirl_sim_tcp_options tcp;
  bool silent; /* no RST and no ICMP for closed ports: a host firewall */
  uint8_t ttl; /* of new sockets; 0 = 64 */
} thirl_sim_stack_config;

typedef struct thirl_sim_stack {
  thirl_sim_stack_config config;
  thirl_sim_pool *pool;
  thirl_dice dice;
  uint64_t isn_secret;
  thirl_map ids;      /* id -> struct thirl_sim_socket, those that the machine may name */
  thirl_map flows;    /* local and remote -> struct thirl_sim_socket */
  thirl_list sockets; /* all */
  thirl_heap timers;
  thirl_net_id next_accepted;
  size_t n_sockets, n_embryos;
  thirl_list out, notes;
} thirl_sim_stack;

void thirl_sim_stack_init(thirl_sim_stack *k, const thirl_sim_stack_config *config, thirl_sim_pool *pool,
                          uint64_t seed);
void thirl_sim_stack_fini(thirl_sim_stack *k);
bool thirl_sim_stack_has_ip(const thirl_sim_stack *k, const thirl_addr *a);
/** Other addresses from now on. Sockets keep theirs: what they send leaves with an address that is no longer routed to. */
void thirl_sim_stack_set_addrs(thirl_sim_stack *k, const thirl_addr *addrs, unsigned n);

/** A packet for one of the host's addresses. The caller keeps it. */
void thirl_sim_stack_input(thirl_sim_stack *k, thirl_time now, const thirl_sim_packet *packet);
void thirl_sim_stack_tick(thirl_sim_stack *k, thirl_time now);
thirl_time thirl_sim_stack_deadline(const thirl_sim_stack *k);

/** LISTEN, CONNECT, CLOSE, ABORT, BIND_UDP or SENDTO of a machine; failures become notes. WRITE is the owner's, see stack_writable. */
void thirl_sim_stack_act(thirl_sim_stack *k, thirl_time now, const thirl_net_action *action);
/** WRITE: from now on this connection has bytes to pull. */
void thirl_sim_stack_want_pull(thirl_sim_stack *k, thirl_net_id id);
/**
 * A connection whose machine has bytes and that has room. Its id, and how many bytes fit; 0 = none.
 * Answer with stack_send or stack_pulled_dry.
 */
thirl_net_id thirl_sim_stack_writable(thirl_sim_stack *k, thirl_time now, size_t *room);
void thirl_sim_stack_send(thirl_sim_stack *k, thirl_time now, thirl_net_id id, thirl_sim_payload *payload);
void thirl_sim_stack_pulled_dry(thirl_sim_stack *k, thirl_net_id id);
/** Does the machine still own this id? Asked before a note is handed on; a FAILED note ends the ownership. */
bool thirl_sim_stack_owns(thirl_sim_stack *k, const thirl_net_event *ev);

/** The process is killed: connections get FIN, opening ones and listeners vanish, notes are forgotten. The kernel lives on. */
void thirl_sim_stack_close_all(thirl_sim_stack *k, thirl_time now);
/** The power is cut: nothing is left, nothing is sent. */
void thirl_sim_stack_forget_all(thirl_sim_stack *k);
/** The time to live of a socket from now on. False: there is no such socket. */
bool thirl_sim_stack_set_ttl(thirl_sim_stack *k, thirl_net_id id, uint8_t ttl);
/** How many sockets are alive, embryos and TIME-WAIT included. */
size_t thirl_sim_stack_socket_count(const thirl_sim_stack *k);

#endif
