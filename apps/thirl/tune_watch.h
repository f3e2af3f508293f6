/* SPDX-License-Identifier: MIT */
/* thirl tune --watch. */
#ifndef THIRL_APPS_TUNE_WATCH_H
#define THIRL_APPS_TUNE_WATCH_H

#include <stdint.h>

#include "command.h"

/** Follows the counters until q, a signal, or --count looks. Returns the exit code. */
int tune_watch(const arguments *a, const char *root, int64_t pid);

#endif
