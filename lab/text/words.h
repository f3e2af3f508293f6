/* SPDX-License-Identifier: MIT */
/* A line of text as words, numbers with units, and complaints about them. No I/O. */
#ifndef THIRL_LAB_WORDS_H
#define THIRL_LAB_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "thirl/error.h"

enum {
  THIRL_LAB_COMPLAINT_MAX = 256,
  THIRL_LAB_LINE_MAX = 1024, /* bytes of one line, with its end */
  THIRL_LAB_WORDS_MAX = 64   /* of one line */
};

/** One sentence for a person: "home.lab:7: there is no net called \"lam\"". */
typedef struct thirl_lab_complaint {
  char text[THIRL_LAB_COMPLAINT_MAX];
} thirl_lab_complaint;

/** Writes the sentence, cut where it is too long, with '?' for what cannot be printed; returns e. why may be NULL. */
thirl_error thirl_lab_words_complain(thirl_lab_complaint *why, thirl_error e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

typedef struct thirl_lab_words {
  char copy[THIRL_LAB_LINE_MAX];
  char *word[THIRL_LAB_WORDS_MAX];
  size_t n;
  const char *rest; /* of the line, behind the word "--", without blanks around it; NULL: there is none */
} thirl_lab_words;

/**
 * Words are separated by blanks; '#' at the beginning of a word begins a comment, but behind the word "--" the line is one piece.
 * E_SYNTAX: a character that cannot be printed; E_LIMIT: too long, too many words.
 */
thirl_error thirl_lab_words_split(const char *line, size_t len, thirl_lab_words *out, thirl_lab_complaint *why);

/** Letters, digits and '-' (not first), at most max. */
bool thirl_lab_words_is_name(const char *word, size_t max);
/** A whole number from least to most. */
bool thirl_lab_words_number(const char *text, uint64_t least, uint64_t most, uint64_t *out);
/** "20ms", "1.5s", "250us", "2m", "1h"; a number without unit counts as bare times a microsecond, and is refused when bare is 0. */
bool thirl_lab_words_time(const char *text, thirl_time bare, thirl_time *out);
/** "0.5%" is 0.005; 0 to 100 %. */
bool thirl_lab_words_share(const char *text, double *out);
/** Bytes: "1500", "64K", "2M", powers of 1024. */
bool thirl_lab_words_size(const char *text, uint64_t *out);
/** Bits a second: "56kbit", "20mbit", "1gbit", powers of 1000. */
bool thirl_lab_words_rate(const char *text, uint64_t *out);

/** Names for the values of an enum; the last has no word. */
typedef struct thirl_lab_words_choice {
  const char *word;
  unsigned value;
} thirl_lab_words_choice;

bool thirl_lab_words_choose(const thirl_lab_words_choice *choices, const char *word, unsigned *out);
/** The word for a value, "?" when there is none. */
const char *thirl_lab_words_name_of(const thirl_lab_words_choice *choices, unsigned value);
/** "a, b or c" of all words, into out, cut where it does not fit; returns out. */
const char *thirl_lab_words_list(const thirl_lab_words_choice *choices, char *out, size_t size);

#endif
