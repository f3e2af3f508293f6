/* SPDX-License-Identifier: MIT */
/* The memory limit of a control group, version 1 and 2. */
#ifndef THIRL_TUNE_CGROUP_H
#define THIRL_TUNE_CGROUP_H

#include "tune/facts.h"
#include "tune/text.h"

enum { THIRL_TUNE_CGROUP_PATH = 512 };

/**
 * /proc/PID/cgroup: where its memory is limited, as a path below /sys/fs/cgroup ("memory/a/b" for version 1, "a/b" for 2). False: not understood, or a path that
 * leads upwards.
 */
bool thirl_tune_cgroup_path(thirl_tune_text t, char path[THIRL_TUNE_CGROUP_PATH], bool *is_v1);

/** The files of one group; those that are not there are empty. */
typedef struct thirl_tune_cgroup_files {
  thirl_tune_text max, current; /* memory.max and .current, or memory.limit_in_bytes and .usage_in_bytes */
  thirl_tune_text events;       /* memory.events, or memory.oom_control */
  thirl_tune_text failcnt;      /* version 1 */
} thirl_tune_cgroup_files;

/** One group on the way from the process's up to the root: of all the one that has least left counts. Counters are added up. */
void thirl_tune_cgroup_consider(thirl_tune_facts *f, const thirl_tune_cgroup_files *files);
/** After all: without any group there is no limit, or we do not know. */
void thirl_tune_cgroup_settle(thirl_tune_facts *f, thirl_tune_why why);

#endif
