/* SPDX-License-Identifier: MIT */
/* Which process is looked at, and being in its network namespace. */
#ifndef THIRL_HOST_SUBJECT_H
#define THIRL_HOST_SUBJECT_H

#include <stdint.h>

#include "thirl/error.h"
#include "host/dump.h"
#include "tune/facts.h"
#include "tune/journal.h"

/** A process called thirld in our network namespace, the one with the lowest number; 0: none that we see. */
int64_t thirl_host_subject_find(const char *root);
/**
 * Go into the network namespace of a process, for the rest of this program's life; nothing when it is ours already. E_NOT_FOUND: there is no such process;
 * E_PERMISSION: we may not.
 */
thirl_error thirl_host_subject_enter(int64_t pid);
/** Its limits, capabilities, unit, open files. pid 0: ourselves, as NO_SUBJECT. */
void thirl_host_subject_read(const char *root, int64_t pid, thirl_host_dump *d, thirl_tune_facts *f);
/** Whose settings are those that we see below root, "" or a folder: as a journal says it. */
void thirl_host_subject_where(const char *root, char out[THIRL_TUNE_WHERE_MAX]);

#endif
