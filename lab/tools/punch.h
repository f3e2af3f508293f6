/* SPDX-License-Identifier: MIT */
/*
 * Every pair of two lists of hosts punches holes at once, with nothing but sockets: each side learns from a server how it is seen, both send (or
 * connect and listen) at the same time to where the other was seen, and answer to wherever something comes from. No prediction, no keys.
 */
#ifndef THIRL_LAB_PUNCH_H
#define THIRL_LAB_PUNCH_H

#include "lab/tools/nsock.h"

enum { THIRL_LAB_PUNCH_SIDE_MAX = 16 };

typedef struct thirl_lab_punch_plan {
  bool tcp;
  const char *server; /* its namespace */
  struct sockaddr_in at;
  const char *const *left, *const *right; /* namespaces of the hosts */
  unsigned n_left, n_right;               /* at most THIRL_LAB_PUNCH_SIDE_MAX each */
  unsigned patience_ms;
} thirl_lab_punch_plan;

/** took_ms[i * n_right + j]: until both ends of the pair have heard the other, at least 1; 0: they have not. False: it could not be tried; stderr says why. */
bool thirl_lab_punch_run(const thirl_lab_punch_plan *plan, unsigned *took_ms);

#endif
