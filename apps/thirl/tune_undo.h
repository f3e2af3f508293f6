/* SPDX-License-Identifier: MIT */
/* thirl tune --undo. */
#ifndef THIRL_APPS_TUNE_UNDO_H
#define THIRL_APPS_TUNE_UNDO_H

#include "tune_apply.h"

/** Puts back what --apply has changed, and removes what it has made. Returns the exit code. */
int tune_undo(const tune_wish *w);

#endif
