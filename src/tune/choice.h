/* SPDX-License-Identifier: MIT */
/* Which settings a report asks for: of all its findings those that are worth a fix, each name once. For --print and --apply. */
#ifndef THIRL_TUNE_CHOICE_H
#define THIRL_TUNE_CHOICE_H

#include "tune/finding.h"
#include "tune/journal.h"

enum { THIRL_TUNE_CHOICES_MAX = THIRL_TUNE_JOURNAL_MAX };

typedef struct thirl_tune_choice {
  thirl_tune_change change; /* old: as the report saw it, empty when it could not be read; made: what it should be */
  thirl_tune_id id;         /* the finding that asks for it */
  bool is_elsewhere;        /* belongs to the host, and this is no host */
} thirl_tune_choice;

/** Is a finding to be mended: bad enough, asked for, and not merely what follows from another? */
bool thirl_tune_choice_is_due(const thirl_tune_report *r, thirl_tune_id id);
/** "UDP1, the receive buffer of the UDP sockets: what was observed". */
void thirl_tune_choice_reason(const thirl_tune_report *r, thirl_tune_id id, char out[THIRL_TUNE_REASON_MAX]);
/** Returns how many. Of two findings that want one name set differently the first one decides; reserved ports are joined, with those that are there. */
unsigned thirl_tune_choice_make(const thirl_tune_report *r, thirl_tune_choice out[THIRL_TUNE_CHOICES_MAX]);

#endif
