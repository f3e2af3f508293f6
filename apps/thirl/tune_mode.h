/* SPDX-License-Identifier: MIT */
/* What thirl tune does instead of a report: --print, --apply, --undo, --watch. One of them at most. */
#ifndef THIRL_APPS_TUNE_MODE_H
#define THIRL_APPS_TUNE_MODE_H

#include "command.h"
#include "tune/tune.h"

/** EXIT_OK, or what was wrong with the command line has been said. */
int tune_mode_check(const arguments *a);
/** Is it --print or --apply, which want a report first? */
bool tune_mode_wants_report(const arguments *a);
/** ... and here it is. Returns the exit code. */
int tune_mode_act(const arguments *a, const thirl_tune_report *report, const thirl_tune_demand *demand);
/** Puts what --apply has changed back. Returns the exit code. */
int tune_mode_undo(const arguments *a);

#endif
