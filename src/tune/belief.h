/* SPDX-License-Identifier: MIT */
/* The table behind the myths: names and values that are handed down, and the truth about each. */
#ifndef THIRL_TUNE_BELIEF_H
#define THIRL_TUNE_BELIEF_H

#include <stdint.h>

/* X(NAME, word): the worst first */
#define THIRL_TUNE_MYTH_VERDICTS(X)                                                                                    \
  X(HARMFUL, "harmful")                                                                                                \
  X(IMPOSSIBLE, "refused by the kernel")                                                                               \
  X(GONE, "gone from the kernel")                                                                                      \
  X(NO_EFFECT, "no effect")                                                                                            \
  X(OVERRIDDEN, "overridden")                                                                                          \
  X(OUTDATED, "outdated")                                                                                              \
  X(RIGHT_BUT, "right, but")

typedef enum thirl_tune_myth_verdict {
#define THIRL_TUNE_MYTH_VERDICT_ENUM(name, word) THIRL_TUNE_MYTH_##name,
  THIRL_TUNE_MYTH_VERDICTS(THIRL_TUNE_MYTH_VERDICT_ENUM)
#undef THIRL_TUNE_MYTH_VERDICT_ENUM
      THIRL_TUNE_MYTH_VERDICT_COUNT
} thirl_tune_myth_verdict;

/** What is believed, and what is true. Texts are static; figure and instead may be NULL. */
typedef struct thirl_tune_myth {
  const char *id; /* "tw-recycle" */
  thirl_tune_myth_verdict verdict;
  const char *sentence; /* what the setting really does */
  const char *figure;   /* what was measured */
  const char *instead;  /* what to do */
} thirl_tune_myth;

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
