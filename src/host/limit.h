/* SPDX-License-Identifier: MIT */
/* The memory limit of a process's control group, version 1 and 2, and of those above it. */
#ifndef THIRL_HOST_LIMIT_H
#define THIRL_HOST_LIMIT_H

#include <stdint.h>

#include "tune/facts.h"

/** pid 0: ours. */
void thirl_host_limit_read(const char *root, int64_t pid, thirl_tune_facts *f);

#endif
