/* SPDX-License-Identifier: MIT */
/* A machine that moves bytes of a pattern over one TCP connection in both directions and checks what it gets. */
#ifndef THIRL_TESTS_UNIT_SIM_PUMP_H
#define THIRL_TESTS_UNIT_SIM_PUMP_H

#include "sim/sim.h"

typedef struct pump {
  /* what it shall do */
  bool listens;
  thirl_addr local, remote;
  uint64_t total; /* bytes to send */
  bool closes;    /* when it has sent all */
  bool closes_on_eof;
  bool speaks_at_once; /* not only when it is told to */
  /* what became of it */
  uint64_t sent, got;
  bool wrong; /* a byte that was not the next one */
  unsigned n_connected, n_accepted, n_eof, n_failed, n_listening, n_ticks;
  thirl_error error;
  thirl_time up_at, done_at, eof_at, failed_at, tick_at, last_now;
  thirl_addr peer, bound;
  thirl_net_id id;
  /* its own */
  thirl_net_action queue[64];
  unsigned from, to;
  bool began;
} pump;

thirl_net_machine pump_machine(pump *p);
/** Queue an action; kick the host afterwards. */
void pump_do(pump *p, thirl_net_action action);
/** Does the machine count from here? Sent n bytes in total. */
void pump_send(pump *p, uint64_t total);

/** A host that hangs below the internet or a NAT, with one address. */
thirl_sim_node *pump_host(thirl_sim *sim, thirl_sim_node *below, const char *name, thirl_addr addr, pump *p);

#endif
