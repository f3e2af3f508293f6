/* SPDX-License-Identifier: MIT */
/*
 * A random world from a seed, played to its end: two peers behind any NATs, loss up to 30 %, duplicates, reordering, NAT reboots, dead links, a
 * server that is killed and comes back. One in eight is without loss and faults.
 */
#ifndef THIRL_TEST_SUPPORT_WORLD_H
#define THIRL_TEST_SUPPORT_WORLD_H

#include <stdbool.h>

#include "base/log.h"
#include "base/time.h"

typedef struct world_result {
  uint64_t hash; /* of everything that happened */
  bool ok, direct;
  char why[200]; /* not ok */
} world_result;

/** log: each event of the world; NULL: none. */
world_result world_play(uint64_t seed, const thirl_log *log);

#endif
