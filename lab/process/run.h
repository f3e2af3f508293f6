/* SPDX-License-Identifier: MIT */
/* The commands of a topology ("run a -- ping ..."), carried out in a lab that is up. */
#ifndef THIRL_LAB_RUN_H
#define THIRL_LAB_RUN_H

#include "lab/process/state.h"
#include "lab/text/topology.h"

typedef struct thirl_lab_run_options {
  bool parallel;      /* all at once; otherwise each when the one before has ended */
  bool json;          /* a report at the end instead of lines as they come */
  unsigned timeout_s; /* of each; 0: none */
} thirl_lab_run_options;

/**
 * What they print goes to stdout with the name of the host before each line, then a line for each with its exit code. *exit_code: 0 when all ended with
 * 0, 1 when one did not, 128 and the signal's number when SIGINT, SIGTERM or SIGHUP came, which stops all.
 */
thirl_error thirl_lab_run_all(const thirl_lab_topology *t, const thirl_lab_state *s,
                              const thirl_lab_run_options *options, int *exit_code, thirl_lab_complaint *why);

#endif
