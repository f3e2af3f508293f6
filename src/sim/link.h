/* SPDX-License-Identifier: MIT */
/* One direction of a link: when does a packet arrive, if it does, and how often? */
#ifndef THIRL_SIM_LINK_H
#define THIRL_SIM_LINK_H

#include "base/rand.h"
#include "base/time.h"

#include <stdbool.h>

enum { THIRL_SIM_LINK_COPIES = 2 };

/** Zeroed: an ideal wire. Probabilities are 0..1. */
typedef struct thirl_sim_link_rules {
  thirl_time delay;      /* one way */
  thirl_time jitter;     /* 0..jitter more, order kept */
  double loss;           /* of each packet by itself */
  double burst_begin;    /* after each packet: a burst of loss begins */
  double burst_end;      /* after each packet lost in a burst: it ends */
  double duplicate;      /* it arrives twice */
  double reorder;        /* it is held back by reorder_by, and those behind it pass */
  thirl_time reorder_by; /* 0 = the delay */
  bool down;
} thirl_sim_link_rules;

typedef struct thirl_sim_link {
  thirl_sim_link_rules rules;
  thirl_dice dice;
  bool in_burst;
  thirl_time last_arrival; /* of the packets that keep their order */
} thirl_sim_link;

void thirl_sim_link_init(thirl_sim_link *l, uint64_t seed);
/** A packet enters now: its arrival times into out, in any order. Returns how many: 0 = lost. */
unsigned thirl_sim_link_cross(thirl_sim_link *l, thirl_time now, thirl_time out[THIRL_SIM_LINK_COPIES]);

#endif
