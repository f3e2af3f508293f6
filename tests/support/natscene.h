/* SPDX-License-Identifier: MIT */
/* One host behind NATs, one server (natserver.h), and what the host finds out, in virtual time. Whatever goes wrong inside aborts. */
#ifndef THIRL_TEST_SUPPORT_NATSCENE_H
#define THIRL_TEST_SUPPORT_NATSCENE_H

#include "natcheck/natcheck.h"
#include "sim/sim.h"
#include "support/natserver.h"

typedef struct natscene_config {
  uint64_t seed;
  thirl_natbox_config nat;
  bool has_outer_nat; /* a second one in front of it */
  thirl_natbox_config outer_nat;
  thirl_time delay; /* one way, of each of the two links */
  double loss;      /* of each packet on the host's link */
  double burst;     /* that a burst of loss begins */
  natserver_knobs knobs, second_knobs;
  bool has_second_server;                                         /* at another address */
  thirl_natcheck_config check;                                    /* without servers and secrets */
  thirl_time limit;                                               /* of virtual time; 0: ten minutes */
  void (*during)(void *ctx, thirl_sim *sim, thirl_sim_node *nat); /* called once, half a second after the start */
  void *ctx;
} natscene_config;

typedef struct natscene_result {
  thirl_natcheck_report report;
  thirl_time took;
  bool over;
  unsigned requests; /* that the first server has seen */
  thirl_sim_counters counters;
} natscene_result;

/** Nothing lost, 20 ms to the server, UDP and TCP. */
natscene_config natscene_config_of(uint64_t seed, thirl_natbox_config nat);
natscene_result natscene_play(const natscene_config *c);

#endif
