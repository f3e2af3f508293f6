/* SPDX-License-Identifier: MIT */
/*
 * What "thirl tune --apply" may write, and within which bounds. Nothing else is ever written. Each can be taken back: one whose writing changes other
 * settings too, or that only goes one way, is not on the list, and the list says so of those that one would look for.
 */
#ifndef THIRL_TUNE_ALLOW_H
#define THIRL_TUNE_ALLOW_H

#include <stdbool.h>
#include <stdint.h>

typedef enum thirl_tune_allow_kind {
  THIRL_TUNE_ALLOW_NUMBER,
  THIRL_TUNE_ALLOW_RANGE,  /* two numbers, the first not the larger */
  THIRL_TUNE_ALLOW_TRIPLE, /* three, none smaller than the one before */
  THIRL_TUNE_ALLOW_PORTS,  /* ports and ranges of them with commas between; empty: none */
  THIRL_TUNE_ALLOW_QDISC,  /* the name of a queueing discipline that every kernel brings or can load */
} thirl_tune_allow_kind;

typedef struct thirl_tune_allowed {
  const char *name; /* with dots */
  thirl_tune_allow_kind kind;
  int64_t least, most; /* of each number */
  bool is_hosts;       /* one for the whole machine: never written from within a network namespace */
} thirl_tune_allowed;

/** NULL: may not be written. */
const thirl_tune_allowed *thirl_tune_allow_find(const char *name);
/** The i-th, or NULL behind the last. */
const thirl_tune_allowed *thirl_tune_allow_at(unsigned i);
/** NULL: it may be set to this value. Otherwise a sentence that says why not. */
const char *thirl_tune_allow_refuse(const char *name, const char *value);
/** Are two values the same but for blanks, as the kernel writes tabs between numbers? */
bool thirl_tune_allow_same(const char *a, const char *b);

#endif
