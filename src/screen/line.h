/* SPDX-License-Identifier: MIT */
/*
 * One line that a person edits: keys go in, text and cursor come out. The keys are those of every shell (Emacs): arrows, Home, End, Ctrl-A E B F, word by
 * word with Ctrl or Alt and an arrow or Alt-B F; Backspace, Delete, Ctrl-D H; Ctrl-K U W and Alt-D and Alt-Backspace cut, Ctrl-Y puts it back.
 *
 * The cursor never stands between a character and its marks. What is no plain character (clean.h) is not taken; a pasted end of line is '\n' in the text.
 */
#ifndef THIRL_SCREEN_LINE_H
#define THIRL_SCREEN_LINE_H

#include "base/bytes.h"
#include "thirl/keys.h"

enum { THIRL_SCREEN_LINE_MAX = 4096 }; /* bytes of UTF-8 */

typedef struct thirl_screen_line {
  uint32_t text[THIRL_SCREEN_LINE_MAX]; /* characters */
  uint32_t cut[THIRL_SCREEN_LINE_MAX];
  size_t n, at, bytes; /* the cursor stands before text[at] */
  size_t n_cut;
  size_t refused; /* characters that had no room, since it was empty */
  bool pasting, cutting;
} thirl_screen_line;

void thirl_screen_line_init(thirl_screen_line *l);
/** False: the key means nothing here. */
bool thirl_screen_line_key(thirl_screen_line *l, thirl_key key);
/** The text as UTF-8; returns how many bytes. */
size_t thirl_screen_line_read(const thirl_screen_line *l, uint8_t out[THIRL_SCREEN_LINE_MAX]);
/** Another text instead, the cursor behind it. */
void thirl_screen_line_set(thirl_screen_line *l, thirl_bytes text);

#endif
