/* SPDX-License-Identifier: MIT */
/*
 * "thirl tune" changes something: --apply and --undo. Both write below root only ("": the machine): settings of tune/allow.h below /proc/sys,
 * /etc/sysctl.d/60-thirl.conf and /var/lib/thirl/tune-undo.json. Everything else of tune reads.
 */
#ifndef THIRL_APPS_TUNE_APPLY_H
#define THIRL_APPS_TUNE_APPLY_H

#include <stdbool.h>

#include "tune/finding.h"
#include "tune_state.h"

typedef struct tune_wish {
  const char *root;
  bool yes;   /* do not ask */
  bool force; /* also over what somebody else has changed since */
} tune_wish;

/** Shows what it would change, asks, and does it, all or nothing. Returns the exit code. */
int tune_apply(const tune_wish *w, const thirl_tune_report *report);
/** Puts back what --apply has changed, and removes what it has made. Returns the exit code. */
int tune_undo(const tune_wish *w);

/* ---- the writing itself, tune_write.c ---- */

/**
 * Sets n settings and writes the files, s being what was applied before. When something fails all is as it was before, and said so; if even that fails, it is
 * said what is left. Returns the exit code.
 */
int tune_write_all(const char *root, tune_state *s, const thirl_tune_change *changes, unsigned n);
/** TUNE_CONF_FILE for a journal; freed by the caller; NULL: no memory. */
char *tune_write_conf_text(const thirl_tune_journal *j);

#endif
