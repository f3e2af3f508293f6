/* SPDX-License-Identifier: MIT */
/*
 * "thirl tune" changes something: --apply and --undo. Both write below root only ("": the machine): settings of tune/allow.h below /proc/sys,
 * /etc/sysctl.d/60-thirl.conf and /var/lib/thirl/tune-undo.json. Everything else of tune reads.
 */
#ifndef THIRL_APPS_TUNE_APPLY_H
#define THIRL_APPS_TUNE_APPLY_H

#include <stdbool.h>

#include "tune/finding.h"

typedef struct tune_wish {
  const char *root;
  bool yes;   /* do not ask */
  bool force; /* also over what somebody else has changed since */
} tune_wish;

/** Shows what it would change, asks, and does it, all or nothing. Returns the exit code. */
int tune_apply(const tune_wish *w, const thirl_tune_report *report);

#endif
