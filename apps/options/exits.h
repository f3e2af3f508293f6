/* SPDX-License-Identifier: MIT */
/* What an exit code means, as --help and the manual tell it. */
#ifndef THIRL_APPS_EXITS_H
#define THIRL_APPS_EXITS_H

/** One row of a table that ends with a word that is NULL. */
typedef struct exit_row {
  int code;
  const char *word;     /* for a line of --help: "peer not there" */
  const char *sentence; /* for the manual: no capital, no full stop */
} exit_row;

#endif
