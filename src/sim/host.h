/* SPDX-License-Identifier: MIT */
/* The carrier of base/net.h in the simulated world: a machine on a kernel of its own, with a clock of its own. */
#ifndef THIRL_SIM_HOST_H
#define THIRL_SIM_HOST_H

#include "sim/stack.h"

enum {
  THIRL_SIM_ROUNDS_MAX = 100000
}; /* actions of one machine after one input: more is a machine that never drains */

typedef struct thirl_sim_host {
  thirl_sim_stack stack;
  thirl_net_machine machine;
  bool has_machine;
  thirl_time clock_offset; /* the machine's clock runs ahead of the world's by this */
  thirl_time wanted;       /* the machine's deadline in the world's time */
} thirl_sim_host;

void thirl_sim_host_init(thirl_sim_host *h, const thirl_sim_stack_config *config, thirl_time clock_offset,
                         thirl_sim_pool *pool, uint64_t seed);
void thirl_sim_host_fini(thirl_sim_host *h);
/** The machine is borrowed until detached. */
void thirl_sim_host_attach(thirl_sim_host *h, const thirl_net_machine *machine);
/** The process ends: with its power, or by a signal, after which the kernel closes its sockets. */
void thirl_sim_host_detach(thirl_sim_host *h, thirl_time now, bool power_cut);
/* After each of these, what is to be sent is in stack.out. */
void thirl_sim_host_input(thirl_sim_host *h, thirl_time now, const thirl_sim_packet *packet);
void thirl_sim_host_tick(thirl_sim_host *h, thirl_time now);
/** Drain the machine: it was touched from outside of an event. */
void thirl_sim_host_kick(thirl_sim_host *h, thirl_time now);
thirl_time thirl_sim_host_deadline(const thirl_sim_host *h);

#endif
