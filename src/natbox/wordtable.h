/* SPDX-License-Identifier: MIT */
/* The table behind natbox/words.h: every word, and where in a config its value is. For who reads and who writes it. */
#ifndef THIRL_NATBOX_WORDTABLE_H
#define THIRL_NATBOX_WORDTABLE_H

#include "natbox/config.h"

typedef struct thirl_natbox_word {
  const char *name;
  const char
      *values; /* "eim|adm|apdm"; capital letters stand for something to fill in, brackets for what may be left out */
  const char *sentence; /* what it decides */
  bool per_protocol;    /* "udp." or "tcp." may stand before it; alone it means both */
} thirl_natbox_word;

typedef enum thirl_natbox_word_kind {
  THIRL_NATBOX_WORD_CHOICE,     /* an enum: its values are those of the table, in the same order */
  THIRL_NATBOX_WORD_SWITCH,     /* a bool: the second value is true */
  THIRL_NATBOX_WORD_ALLOCATION, /* a choice that may have a number */
  THIRL_NATBOX_WORD_TIMES,      /* new, open and close time */
  THIRL_NATBOX_WORD_TIME,
  THIRL_NATBOX_WORD_NUMBER, /* uint16_t */
  THIRL_NATBOX_WORD_COUNT,  /* uint32_t */
  THIRL_NATBOX_WORD_RANGE,  /* two uint16_t */
  THIRL_NATBOX_WORD_ALLOW,
  THIRL_NATBOX_WORD_POOL,
  THIRL_NATBOX_WORD_PREFIX,
  THIRL_NATBOX_WORD_PRESET
} thirl_natbox_word_kind;

typedef struct thirl_natbox_entry {
  thirl_natbox_word word;
  thirl_natbox_word_kind kind;
  size_t offset; /* into thirl_natbox_rules when the word is one of a protocol, else into thirl_natbox_config */
} thirl_natbox_entry;

/** NULL when index is past the last one. */
const thirl_natbox_entry *thirl_natbox_wordtable_get(unsigned index);

#endif
