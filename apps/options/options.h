/* SPDX-License-Identifier: MIT */
/*
 * What a program takes, as a table of rows, and the reading of argv by it. The same rows are printed by --help, and are what the manual and the completion
 * of shells are made of (apps/pages).
 */
#ifndef THIRL_APPS_OPTIONS_H
#define THIRL_APPS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { TEXT_LIST_MAX = 16 };

/** What options_read and options_complain return: the exit codes of every program of ours. */
enum { OPTIONS_FINE = 0, OPTIONS_WRONG = 2 };

/** An option that may be given several times. */
typedef struct text_list {
  const char *at[TEXT_LIST_MAX];
  unsigned n;
} text_list;

typedef enum option_kind {
  OPTION_FLAG,   /* bool */
  OPTION_TEXT,   /* const char *, into argv */
  OPTION_CHOICE, /* const char *, one of a few words */
  OPTION_NUMBER, /* unsigned, from least to most */
  OPTION_LIST    /* text_list */
} option_kind;

typedef struct option_row {
  const char *name; /* "--timeout" */
  const char *
      value; /* what stands for its value, "SECONDS"; NULL for a flag. apps/pages/complete.c knows how each is completed */
  const char *help; /* one line, no full stop */
  option_kind kind;
  size_t offset; /* where in the struct that is read into */
  unsigned least, most;
  const char *wants; /* of a number: "a number of seconds"; of a choice: its words, with a blank between them */
  const char *brief; /* another name for it, "-c", or NULL */
  bool may_be_empty; /* "" is a value */
} option_row;

/** A word that is no option. Returns an exit code, with the complaint made when it is not OPTIONS_FINE. */
typedef int (*options_word)(char *word, void *owner);

/** How argv is read: rows end with a NULL; who is named in complaints ("thirl", "thirl lab"). */
typedef struct options_reading {
  const char *who;
  const option_row *const *rows;
  void *into;
  options_word on_word; /* NULL: there are no words */
  void *owner;
  bool before_words; /* options stand before the first word only: what follows is somebody else's */
} options_reading;

/**
 * OPTIONS_FINE or OPTIONS_WRONG, with the complaint made. Both "--name value" and "--name=value"; "-h" is "--help"; "-" is a word; behind "--" (which is
 * none, when no word was before it or options may follow words) there are only words.
 */
int options_read(const options_reading *r, int argc, char **argv);
/** One line per row, its help in a column of its own. */
void options_print(const option_row *const *rows, FILE *to);
/** The names of a row as they are written, "-c, --config". Returns out. */
const char *options_names(const option_row *o, char *out, size_t size);
/** Says one sentence on stderr. Returns OPTIONS_WRONG. */
int options_complain(const char *who, const char *what, const char *word);

#endif
