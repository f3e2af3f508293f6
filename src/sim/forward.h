/* SPDX-License-Identifier: MIT */
/* The way of packets through the world: links, routers, NATs, hosts. */
#ifndef THIRL_SIM_FORWARD_H
#define THIRL_SIM_FORWARD_H

#include "sim/world.h"

/** Mix a value into the world's hash. */
void thirl_sim_forward_mix(thirl_sim *sim, uint64_t value);
/** A packet has crossed the link of packet->at; takes the packet over. */
void thirl_sim_forward_arrive(thirl_sim *sim, thirl_sim_packet *packet);
/** A host's or NAT's deadline has come. */
void thirl_sim_forward_alarm(thirl_sim_node *node);
/** Send what the host has to send and set its alarm; after anything that touched it. */
void thirl_sim_forward_flush(thirl_sim_node *host);

#endif
