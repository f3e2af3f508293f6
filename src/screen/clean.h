/* SPDX-License-Identifier: MIT */
/*
 * A stranger's bytes as text that a terminal can only show. What comes out is UTF-8 (or ASCII) without a single control but the end of a line:
 *
 *   control characters       ^[ and ^? for ESC and DEL, <U+009B> for those of C1
 *   invisible, or moving     <U+202E>: bidirectional overrides and isolates, zero width, tags, fillers, line and paragraph separators
 *   what is no UTF-8         U+FFFD
 *   CR LF and LF             LF;  a tab: spaces
 *   marks                    so many on one character, the rest is left out; one that stands alone gets a dotted circle to stand on
 *   joiners and variants     left out behind a character that is no ASCII: emoji are shown one by one, as every terminal can
 *
 * Letters that are written from right to left stay as they are.
 */
#ifndef THIRL_SCREEN_CLEAN_H
#define THIRL_SCREEN_CLEAN_H

#include "base/bytes.h"

enum {
  THIRL_SCREEN_CLEAN_GROWTH = 4,    /* bytes out for a byte in, at most */
  THIRL_SCREEN_CLEAN_MARKS_MAX = 4, /* on one character */
  THIRL_SCREEN_CLEAN_TAB = 4        /* spaces */
};

/**
 * ascii: write what is no ASCII as <U+00E9> too: a terminal that reads bytes in another way would find controls in UTF-8.
 * out has room for THIRL_SCREEN_CLEAN_GROWTH * in.n bytes. Returns how many there are.
 */
size_t thirl_screen_clean(thirl_bytes in, bool ascii, uint8_t *out);
/** Is it a character that would be shown as itself, or as a mark on another? */
bool thirl_screen_clean_is_plain(uint32_t c);

#endif
