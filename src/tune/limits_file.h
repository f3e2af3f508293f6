/* SPDX-License-Identifier: MIT */
/* The text of limits.conf and of the files in limits.d, line by line (limits.conf(5)): what pam_limits gives to a login session, and to no service. */
#ifndef THIRL_TUNE_LIMITS_FILE_H
#define THIRL_TUNE_LIMITS_FILE_H

#include "base/bytes.h"

enum { THIRL_TUNE_LIMIT_WORD_MAX = 64 }; /* bytes of a word, the closing zero included */

typedef enum thirl_tune_limit_type {
  THIRL_TUNE_LIMIT_SOFT,
  THIRL_TUNE_LIMIT_HARD,
  THIRL_TUNE_LIMIT_BOTH, /* "-" */
} thirl_tune_limit_type;

typedef struct thirl_tune_limit {
  char domain[THIRL_TUNE_LIMIT_WORD_MAX]; /* a user, @group, *, ... */
  thirl_tune_limit_type type;
  char item[THIRL_TUNE_LIMIT_WORD_MAX]; /* nofile, nproc, ... */
  char value[THIRL_TUNE_LIMIT_WORD_MAX];
  bool is_unlimited; /* "unlimited", "infinity" or "-1" */
  uint64_t number;   /* when it is one; 0 otherwise */
  unsigned line;     /* from 1 */
} thirl_tune_limit;

/** Walks a text. Borrows it. */
typedef struct thirl_tune_limits_file {
  thirl_bytes text;
  size_t at;
  unsigned line;
  unsigned bad; /* lines that are neither a limit nor a comment */
} thirl_tune_limits_file;

thirl_tune_limits_file thirl_tune_limits_file_of(thirl_bytes text);
/** The next limit; false at the end. Words hold printable ASCII only: a line with anything else is bad. */
bool thirl_tune_limits_file_next(thirl_tune_limits_file *f, thirl_tune_limit *out);

#endif
