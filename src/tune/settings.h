/* SPDX-License-Identifier: MIT */
/*
 * What all sysctl files together say: which file is read after which, which one hides another, and which of several lines about one name the kernel is
 * left with.
 *
 * The rules are those of sysctl.d(5): files are read in the order of their names, whatever folder they are in; of two with one name the one in /etc hides
 * that in /run, that the ones in /usr/local/lib and /usr/lib; the last line about a name wins; a pattern does not touch what another line names.
 * /etc/sysctl.conf is read in the place of the link that leads to it; without one, last, and only by "sysctl --system".
 */
#ifndef THIRL_TUNE_SETTINGS_H
#define THIRL_TUNE_SETTINGS_H

#include "tune/sysctl_file.h"

enum { THIRL_TUNE_FILES_MAX = 256, THIRL_TUNE_ENTRIES_MAX = 2048 };

/* Where a file lies, the strongest first. */
typedef enum thirl_tune_place {
  THIRL_TUNE_PLACE_ETC,   /* /etc/sysctl.d */
  THIRL_TUNE_PLACE_RUN,   /* /run/sysctl.d */
  THIRL_TUNE_PLACE_LOCAL, /* /usr/local/lib/sysctl.d */
  THIRL_TUNE_PLACE_LIB,   /* /usr/lib/sysctl.d, /lib/sysctl.d */
  THIRL_TUNE_PLACE_CONF,  /* /etc/sysctl.conf */
  THIRL_TUNE_PLACE_PAM,   /* /etc/security/limits.conf and limits.d: not of these files, but of the same kind */
} thirl_tune_place;

/** One file as it was read. path and text are borrowed for as long as the settings live. */
typedef struct thirl_tune_file {
  const char *path; /* as a person knows it, "/etc/sysctl.d/60-x.conf" */
  thirl_bytes text;
  thirl_tune_place place;
  bool is_conf; /* a link to /etc/sysctl.conf */
} thirl_tune_file;

typedef struct thirl_tune_entry {
  thirl_tune_line line;
  const thirl_tune_file *file;
  unsigned
      winner; /* whose value the kernel is left with: the number of an entry, its own unless another line undoes it */
} thirl_tune_entry;

typedef struct thirl_tune_settings {
  thirl_tune_entry *entries; /* in the order in which they are applied */
  unsigned n, bad;           /* bad: lines that say nothing */
  unsigned left_out;         /* files or lines beyond the limits */
  bool conf_is_last;         /* /etc/sysctl.conf is there and no link leads to it */
} thirl_tune_settings;

/** Reads the files, in any order. E_NOMEM. */
thirl_error thirl_tune_settings_read(thirl_tune_settings *s, const thirl_tune_file *files, unsigned n);
void thirl_tune_settings_fini(thirl_tune_settings *s);
/** The line that the kernel is left with for a name, or NULL: none, or only patterns. */
const thirl_tune_entry *thirl_tune_settings_find(const thirl_tune_settings *s, const char *name);

#endif
