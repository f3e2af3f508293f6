/* SPDX-License-Identifier: MIT */
/* The writing of --apply: all of it or nothing. */
#ifndef THIRL_APPS_TUNE_WRITE_H
#define THIRL_APPS_TUNE_WRITE_H

#include "tune_state.h"

/**
 * Sets n settings and writes the files, s being what was applied before. When something fails all is as it was before, and said so; if even that fails, it is
 * said what is left. Returns the exit code.
 */
int tune_write_all(const char *root, tune_state *s, const thirl_tune_change *changes, unsigned n);
/** TUNE_CONF_FILE for a journal; freed by the caller; NULL: no memory. */
char *tune_write_conf_text(const thirl_tune_journal *j);

#endif
