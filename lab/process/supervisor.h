/* SPDX-License-Identifier: MIT */
/* The process that is a lab: it holds the namespaces, carries the packets between them, and answers on the control socket. */
#ifndef THIRL_LAB_SUPERVISOR_H
#define THIRL_LAB_SUPERVISOR_H

#include <sys/types.h>

#include "lab/process/state.h"
#include "lab/text/topology.h"

typedef struct thirl_lab_supervisor_options {
  bool in_user; /* in a user namespace, even for root */
  bool stays;   /* it outlives the caller, and ends with "down"; otherwise it ends with the caller */
} thirl_lab_supervisor_options;

/**
 * Starts the lab in a process of its own and returns when it is up: hosts can speak to each other, and control.h works. t and *state become those of that
 * process: they are freed, the lock is passed on. On failure nothing is left behind, and why says what is missing.
 *
 * E_PERMISSION, E_LIMIT, E_NOT_FOUND (a program), E_UNSUPPORTED (the kernel), E_IO, E_NOMEM
 */
thirl_error thirl_lab_supervisor_start(thirl_lab_topology *t, thirl_lab_state *state,
                                       const thirl_lab_supervisor_options *options, pid_t *pid,
                                       thirl_lab_complaint *why);

#endif
