/* SPDX-License-Identifier: MIT */
/*
 * The knobs of a NAT as words: "map=eim udp.filter=adf alloc=seq:1 udp.timeout=30/120 unsolicited=rst hairpin=external". One table says which there are,
 * what may stand behind the "=" and what it means; the lab's text, its command line and the manual all read it.
 */
#ifndef THIRL_NATBOX_WORDS_H
#define THIRL_NATBOX_WORDS_H

#include "natbox/wordtable.h"

enum {
  THIRL_NATBOX_WORD_MAX = 320,  /* bytes of one word */
  THIRL_NATBOX_WORDS_MAX = 2048 /* bytes that all words of a config take, with the final NUL */
};

/** All words in turn: NULL when index is past the last one. */
const thirl_natbox_word *thirl_natbox_words_get(unsigned index);

/**
 * Change what one word "NAME=VALUE", "udp.NAME=VALUE" or "tcp.NAME=VALUE" says; the rest of *c stays. preset=NAME sets everything but the outer addresses,
 * so it belongs before the others. Times are seconds, "0.5", or have a unit: ms, s, m, h.
 *
 * which   the entry that the name belongs to, NULL when there is none; for the sentence about what went wrong. May be NULL.
 *
 * On failure *c is as it was.
 * THIRL_E_NOT_FOUND   there is no such word
 * THIRL_E_SYNTAX      it has no such value
 * THIRL_E_RANGE       a number is too small or too large
 */
thirl_error thirl_natbox_words_set(thirl_natbox_config *c, const char *word, size_t len,
                                   const thirl_natbox_word **which);

/**
 * The words that make *c out of *base, with one space between them and NUL at the end; "" when they are the same. The first outer address is no word.
 *
 * THIRL_E_SPACE   they do not fit; THIRL_NATBOX_WORDS_MAX bytes are always enough
 */
thirl_error thirl_natbox_words_format(const thirl_natbox_config *c, const thirl_natbox_config *base, char *out,
                                      size_t size);

#endif
