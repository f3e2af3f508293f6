/* SPDX-License-Identifier: MIT */
/*
 * A process that does nothing until the one that made it is gone, however it went; then it ends what runs in the lab and removes its name. So a supervisor
 * that is killed leaves nothing behind.
 */
#ifndef THIRL_LAB_GUARD_H
#define THIRL_LAB_GUARD_H

#include <sys/types.h>

#include "lab/process/state.h"

typedef struct thirl_lab_guard {
  pid_t pid;
  int alive;    /* held open by the one that is guarded */
  int lifeline; /* at its end when both are gone; for others */
} thirl_lab_guard;

/** ids: the lab's network namespaces, held by descriptors that the guard inherits. E_IO: no process, no descriptors. */
thirl_error thirl_lab_guard_start(thirl_lab_guard *g, const thirl_lab_state *state, const uint64_t *ids, size_t n,
                                  thirl_lab_complaint *why);

#endif
