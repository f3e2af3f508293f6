/* SPDX-License-Identifier: MIT */
/* The table behind the myths: names and values that are handed down, and the truth about each. */
#ifndef THIRL_TUNE_BELIEF_H
#define THIRL_TUNE_BELIEF_H

#include "tune/myth.h"

/* Which values are meant. Of several numbers the first, or any. */
typedef enum thirl_tune_belief_test {
  THIRL_TUNE_BELIEF_ANY,
  THIRL_TUNE_BELIEF_IS,
  THIRL_TUNE_BELIEF_BELOW,
  THIRL_TUNE_BELIEF_ABOVE,
  THIRL_TUNE_BELIEF_ONE_ABOVE,
} thirl_tune_belief_test;

/* ... and on which machine. */
typedef enum thirl_tune_belief_where {
  THIRL_TUNE_BELIEF_EVERYWHERE,
  THIRL_TUNE_BELIEF_NO_NAT,
  THIRL_TUNE_BELIEF_BBR,
  THIRL_TUNE_BELIEF_COOKIES,
} thirl_tune_belief_where;

typedef struct thirl_tune_belief {
  const char *name; /* a pattern: * stands for one part of a name, or the end of one */
  thirl_tune_belief_test test;
  int64_t bound;
  thirl_tune_belief_where where;
  thirl_tune_myth myth;
} thirl_tune_belief;

/** The i-th, or NULL behind the last. The first that fits is the answer. */
const thirl_tune_belief *thirl_tune_belief_at(unsigned i);

#endif
