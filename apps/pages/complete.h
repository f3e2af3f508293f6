/* SPDX-License-Identifier: MIT */
/*
 * Completion of thirl for shells: what stands for a value or a word in the tables says how it is completed. A new one is to be added to the list in
 * complete.c, if only as COMPLETE_NOTHING; tests/unit/pages/pages_test.c asks for it.
 */
#ifndef THIRL_PAGES_COMPLETE_H
#define THIRL_PAGES_COMPLETE_H

#include "apps/options/options.h"

enum { COMPLETE_WORDS_MAX = 4 };

typedef enum complete_kind {
  COMPLETE_NOTHING, /* only the user knows */
  COMPLETE_FILE,
  COMPLETE_DIRECTORY,
  COMPLETE_COMMAND,  /* of the shell, with what belongs to it */
  COMPLETE_HOSTNAME, /* of the world */
  COMPLETE_PRESET,   /* thirl lab presets */
  COMPLETE_LAB,      /* thirl lab list */
  COMPLETE_LAB_HOST, /* of the lab that is up */
  COMPLETE_FINDING,  /* of thirl tune; several, with commas */
  COMPLETE_CHOICE,   /* of the words of the row */
  COMPLETE_UNKNOWN
} complete_kind;

/** What may stand at one place behind a command. */
typedef struct complete_word {
  complete_kind kinds[3];
  size_t n;
  char literal[16]; /* a word that may stand here too, or "" */
  char label[32];   /* as the synopsis calls it */
  bool repeats;     /* and at all places behind */
} complete_word;

/** Of what a table has for a value or a word, such as "FILE". COMPLETE_UNKNOWN: it is not in the list. */
complete_kind complete_kind_of(const char *stands);
/** The word by which the scripts call it: "file". */
const char *complete_kind_name(complete_kind kind);
/** The kind of an option's value. */
complete_kind complete_value(const option_row *o);
/** The ids of thirl tune, with blanks between them. */
void complete_findings(FILE *to);
/** What is said of an option beside it. */
const char *complete_help(const option_row *o);
/** The words of a COMPLETE_CHOICE, which its row or what stands for its value ("server|client") has, with sep between them. Returns out. */
const char *complete_choices(const option_row *o, char sep, char *out, size_t size);
/** The words of a synopsis, without its options: how many. Unknown ones have COMPLETE_UNKNOWN. */
size_t complete_words(const char *synopsis, complete_word out[COMPLETE_WORDS_MAX]);

/** The scripts. */
void complete_bash(FILE *to);
void complete_zsh(FILE *to);
void complete_fish(FILE *to);

#endif
