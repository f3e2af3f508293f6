/* SPDX-License-Identifier: MIT */
/*
 * What "thirl tune --apply" has changed and how it was before, so that --undo puts back exactly that. Pure: who keeps it on disk is elsewhere.
 *
 * The oldest value is kept however often something is applied. A value that is neither what it was nor what we made of it has been set by somebody else
 * since, and is theirs.
 */
#ifndef THIRL_TUNE_JOURNAL_H
#define THIRL_TUNE_JOURNAL_H

#include "base/bytes.h"
#include "tune/sysctl_file.h"

/* Where the settings are that a journal is about: the machine itself, whatever its namespace is called after the next start; or below a folder. */
#define THIRL_TUNE_WHERE_HOST "host"
#define THIRL_TUNE_WHERE_ROOT "root"

enum {
  THIRL_TUNE_WHERE_MAX = 48,
  THIRL_TUNE_JOURNAL_MAX = 64,
  THIRL_TUNE_REASON_MAX = 200,
  THIRL_TUNE_JOURNAL_TEXT_MAX = 64 * 1024
};

typedef struct thirl_tune_change {
  char name[THIRL_TUNE_NAME_MAX];
  char old[THIRL_TUNE_VALUE_MAX];  /* as it was before all of this */
  char made[THIRL_TUNE_VALUE_MAX]; /* what we wrote, as the kernel shows it */
  char why[THIRL_TUNE_REASON_MAX];
} thirl_tune_change;

typedef struct thirl_tune_journal {
  thirl_tune_change list[THIRL_TUNE_JOURNAL_MAX];
  unsigned n;
  char where[THIRL_TUNE_WHERE_MAX]; /* HOST, ROOT, or a network namespace: "net:[4026532123]"; empty: HOST */
} thirl_tune_journal;

thirl_tune_change *thirl_tune_journal_find(thirl_tune_journal *j, const char *name);
/**
 * Something is going to be changed from old to made. An entry that is there keeps its older old. E_LIMIT.
 */
thirl_error thirl_tune_journal_note(thirl_tune_journal *j, const thirl_tune_change *change);
void thirl_tune_journal_remove(thirl_tune_journal *j, const char *name);

/** Is it about the settings that are here? Each network namespace has its own, and the journals of all may be one file. */
bool thirl_tune_journal_is_of(const thirl_tune_journal *j, const char *here);

/* What is to be done to take one change back. */
typedef enum thirl_tune_undo {
  THIRL_TUNE_UNDO_RESTORE, /* it is as we made it: write the old value */
  THIRL_TUNE_UNDO_NOTHING, /* it is as it was */
  THIRL_TUNE_UNDO_FOREIGN, /* somebody else has set it since */
} thirl_tune_undo;

thirl_tune_undo thirl_tune_journal_undo(const thirl_tune_change *c, const char *current);

/** The file that makes the changes last: sysctl.d(5), with a comment for each line that says why and how to take it back. E_LIMIT, E_NOMEM. */
thirl_error thirl_tune_journal_format(const thirl_tune_journal *j, thirl_buffer *out);

#endif
