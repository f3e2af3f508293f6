/* SPDX-License-Identifier: MIT */
/*
 * A topology as namespaces and interfaces: each host, and each NAT that is the kernel's work, is a namespace; each of their interfaces is one end of a veth
 * whose other end, "p0", "p1", ..., is with the engine at home. A host has eth0, a NAT wan and lan.
 */
#ifndef THIRL_LAB_WIRING_H
#define THIRL_LAB_WIRING_H

#include "lab/internet/engine.h"
#include "lab/process/namespace.h"

enum { THIRL_LAB_WIRING_PORT_NAME_MAX = 16 };

typedef struct thirl_lab_wiring {
  int home;                          /* borrowed */
  int nodes[THIRL_LAB_NODES_MAX];    /* the namespace of each node; -1: it has none */
  uint64_t ids[THIRL_LAB_NODES_MAX]; /* of those that there are, without gaps */
  size_t n_ids;
} thirl_lab_wiring;

/** The namespaces, empty. The caller is in home, before and after. */
thirl_error thirl_lab_wiring_open(const thirl_lab_topology *t, int home, thirl_lab_wiring *w, thirl_lab_complaint *why);
void thirl_lab_wiring_close(thirl_lab_wiring *w);
/** Interfaces, addresses, routes, rules: with this the hosts can speak as soon as the engine listens. Runs ip and nft. */
thirl_error thirl_lab_wiring_build(thirl_lab_wiring *w, const thirl_lab_topology *t, const thirl_lab_engine_machine *e,
                                   thirl_lab_complaint *why);
/** The name of a port of the engine at home. */
const char *thirl_lab_wiring_port_name(size_t port, char out[THIRL_LAB_WIRING_PORT_NAME_MAX]);
/**
 * What an event means outside of the engine: the address of a host that moves, the rules and flows of a kernel's NAT. Whether t has it already
 * (thirl_lab_model_apply) does not matter. Nothing to do is THIRL_OK.
 */
thirl_error thirl_lab_wiring_apply(thirl_lab_wiring *w, const thirl_lab_topology *t, const thirl_lab_event *event,
                                   thirl_lab_complaint *why);

#endif
