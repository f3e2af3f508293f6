/* SPDX-License-Identifier: MIT */
/*
 * What "thirl tune --apply" remembers on disk, below root: tune-undo.json, written before anything is changed. Whoever is interrupted can still --undo.
 */
#ifndef THIRL_APPS_TUNE_STATE_H
#define THIRL_APPS_TUNE_STATE_H

#include "host/whole.h"
#include "tune/journal.h"

#define TUNE_STATE_FILE "/var/lib/thirl/tune-undo.json"
#define TUNE_LOCK_FILE  "/var/lib/thirl/tune-undo.lock"
#define TUNE_CONF_FILE  "/etc/sysctl.d/60-thirl.conf"

typedef struct tune_state {
  thirl_tune_journal journal;
  char *conf;                       /* TUNE_CONF_FILE as we wrote it; NULL: not yet */
  char *conf_before;                /* and as it was before the first time; NULL: it was not there */
  thirl_host_whole_folders folders; /* that we made */
} tune_state;

/**
 * Is it about the settings that are here? If not, that has been said. A new one is from now on.
 */
bool tune_state_is_here(const char *root, tune_state *s, bool is_new);
/** What went wrong with a file, in words. */
const char *tune_state_say(thirl_error e);
/** E_NOT_FOUND: nothing was applied. E_PERMISSION: somebody else could have written it. E_SYNTAX: it is not what we write. */
thirl_error tune_state_load(const char *root, tune_state *s);
/** Makes the folder when there is none. */
thirl_error tune_state_save(const char *root, tune_state *s);
/** Removes the file, and the folders that were made as far as they are empty. */
thirl_error tune_state_remove(const char *root, const tune_state *s);
/** Gives the lock of TUNE_LOCK_FILE back, and removes the folders that were made as far as they are empty. */
void tune_state_unlock(const char *root, const tune_state *s, int lock);
/** Another of the same. E_NOMEM. */
thirl_error tune_state_copy(const tune_state *s, tune_state *to);
void tune_state_fini(tune_state *s);
/** The whole of TUNE_CONF_FILE as it is now, to be freed; NULL: not there. E_SYNTAX: it is no text. E_PERMISSION: a link, or somebody else may write it. */
thirl_error tune_state_read_conf(const char *root, char **out);

/** The JSON of a state, in pure form. text is freed by the caller; NULL: no memory. */
char *tune_state_encode(const tune_state *s);
/** E_SYNTAX; E_NOMEM. s is set on OK only, and then to be given to fini. */
thirl_error tune_state_decode(thirl_bytes text, tune_state *s);

#endif
