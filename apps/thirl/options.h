/* SPDX-License-Identifier: MIT */
/*
 * What a command takes, as a table of rows, and the reading of argv by it. The same rows are printed by --help, and are what the manual and the completion
 * of shells are made of (pages.c).
 */
#ifndef THIRL_APPS_OPTIONS_H
#define THIRL_APPS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { TEXT_LIST_MAX = 16 };

/** An option that may be given several times. */
typedef struct text_list {
  const char *at[TEXT_LIST_MAX];
  unsigned n;
} text_list;

typedef enum option_kind {
  OPTION_FLAG,   /* bool */
  OPTION_TEXT,   /* const char *, into argv */
  OPTION_NUMBER, /* unsigned, from least to most */
  OPTION_LIST    /* text_list */
} option_kind;

typedef struct option_row {
  const char *name;  /* "--timeout" */
  const char *value; /* what stands for its value, "SECONDS"; NULL for a flag */
  const char *help;  /* one line, no full stop */
  option_kind kind;
  size_t offset; /* where in the struct that is read into */
  unsigned least, most;
  const char *wants; /* of a number: "a number of seconds" */
} option_row;

/** A word that is no option. Returns an exit code, with the complaint made when it is not EXIT_OK. */
typedef int (*options_word)(char *word, void *owner);

/** How argv is read: rows end with a NULL; who is named in complaints ("thirl", "thirl lab"). */
typedef struct options_reading {
  const char *who;
  const option_row *const *rows;
  void *into;
  options_word on_word;
  void *owner;
} options_reading;

/** EXIT_OK or EXIT_USAGE, with the complaint made. Both "--name value" and "--name=value"; "-h" is "--help"; "-" is a word. */
int options_read(const options_reading *r, int argc, char **argv);
/** One line per row, its help in a column of its own. */
void options_print(const option_row *const *rows, FILE *to);
/** Says one sentence on stderr. Returns EXIT_USAGE. */
int options_complain(const char *who, const char *what, const char *word);

#endif
