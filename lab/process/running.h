/* SPDX-License-Identifier: MIT */
/* A lab that is up, in this process: its namespaces, its engine, its guard. No control socket here (supervisor.h). */
#ifndef THIRL_LAB_RUNNING_H
#define THIRL_LAB_RUNNING_H

#include <stdio.h>

#include "lab/internet/engine.h"
#include "lab/process/guard.h"
#include "lab/internet/pump.h"
#include "lab/process/wiring.h"

typedef struct thirl_lab_running {
  thirl_lab_topology *t; /* owned */
  thirl_lab_namespace spaces;
  thirl_lab_wiring wiring;
  thirl_lab_guard guard;
  thirl_lab_engine_machine *engine;
  thirl_lab_pump *pump;
  thirl_time started;
} thirl_lab_running;

/** The caller's process becomes the lab: it is in other namespaces afterwards. Close r in any case; t is its from now on. */
thirl_error thirl_lab_running_open(thirl_lab_running *r, thirl_lab_topology *t, const thirl_lab_state *state,
                                   bool in_user, thirl_lab_complaint *why);
/** Ends what runs inside, too. */
void thirl_lab_running_close(thirl_lab_running *r, const thirl_lab_state *state);
/** One line of event.h, now. */
thirl_error thirl_lab_running_set(thirl_lab_running *r, const char *line, thirl_lab_complaint *why);
/** When thirl_lab_pump_fd is readable. What a person wants to hear of goes to log. */
void thirl_lab_running_step(thirl_lab_running *r, FILE *log);

#endif
