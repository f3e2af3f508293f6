/* SPDX-License-Identifier: MIT */
/*
 * The internet between the hosts: switches, the routes between them, links, and the NATs of the model, as a machine without I/O. Frames go in
 * from ports (the cables' ends at the hosts, and at NATs that are namespaces of the kernel), frames come out for ports.
 *
 * input a frame -> send until false -> deadline -> input the time
 */
#ifndef THIRL_LAB_ENGINE_H
#define THIRL_LAB_ENGINE_H

#include "lab/topology.h"

typedef struct thirl_lab_engine_machine thirl_lab_engine_machine;

/** A cable that ends outside: at a host, or at one side of a kernel's NAT. */
typedef struct thirl_lab_engine_port {
  size_t node;
  bool inner; /* the inner side of a NAT */
} thirl_lab_engine_port;

/** t must outlive the engine and may be changed by it (events). NULL when there is no memory. */
thirl_lab_engine_machine *thirl_lab_engine_new(thirl_lab_topology *t, thirl_time now);
void thirl_lab_engine_free(thirl_lab_engine_machine *e);

/** The ports, in an order that stays; each is a veth's other end. */
size_t thirl_lab_engine_count_ports(const thirl_lab_engine_machine *e);
thirl_lab_engine_port thirl_lab_engine_get_port(const thirl_lab_engine_machine *e, size_t index);

/** A frame of the host at this port. vnet (THIRL_LAB_VNET_LEN bytes) and frame may be changed, and are the caller's again on return. */
void thirl_lab_engine_input(thirl_lab_engine_machine *e, thirl_time now, size_t port, uint8_t *vnet, uint8_t *frame,
                            size_t len);
/** What is due has happened: links deliver, NATs answer, events come about. */
void thirl_lab_engine_tick(thirl_lab_engine_machine *e, thirl_time now);
/** The next frame for a port, the caller's to free; NULL: none for now. p->out is the port. */
thirl_lab_packet *thirl_lab_engine_output(thirl_lab_engine_machine *e);
thirl_time thirl_lab_engine_deadline(const thirl_lab_engine_machine *e);

/** Does it now; E_INVALID: not to a NAT of the kernel (the supervisor does that). */
thirl_error thirl_lab_engine_apply(thirl_lab_engine_machine *e, thirl_time now, const thirl_lab_event *event);

#endif
