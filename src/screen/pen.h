/* SPDX-License-Identifier: MIT */
/*
 * What is written to the terminal: the only place that writes an escape sequence, and these are all there are:
 *
 *   CR, LF    CSI K  clear to the end of the row    CSI J  and below    CSI H  to the upper left corner
 *   CSI n A/B/C  up, down, right    CSI n m  colours    CSI ? 7 l/h  a row that is too long is cut off, or goes on in the next
 *
 * On a dumb terminal there are CR, LF and spaces, and without colours no CSI m. A sequence never needs more than ECMA-48 and DEC's VT100 had.
 */
#ifndef THIRL_SCREEN_PEN_H
#define THIRL_SCREEN_PEN_H

#include "base/bytes.h"

enum { THIRL_SCREEN_PEN_MAX = 512 << 10 }; /* bytes that wait to be written; what is more is lost */

typedef enum thirl_screen_style {
  THIRL_SCREEN_PLAIN,
  THIRL_SCREEN_DIM,
  THIRL_SCREEN_OURS,
  THIRL_SCREEN_THEIRS,
  THIRL_SCREEN_GOOD,
  THIRL_SCREEN_DOUBTFUL,
  THIRL_SCREEN_STYLES
} thirl_screen_style;

typedef struct thirl_screen_pen {
  thirl_buffer out;
  bool dumb, color;
} thirl_screen_pen;

void thirl_screen_pen_init(thirl_screen_pen *p, bool dumb, bool color);
void thirl_screen_pen_fini(thirl_screen_pen *p);
/** Clean text, without ends of lines. */
void thirl_screen_pen_text(thirl_screen_pen *p, thirl_screen_style style, thirl_bytes text);
void thirl_screen_pen_word(thirl_screen_pen *p, thirl_screen_style style, const char *text);
void thirl_screen_pen_spaces(thirl_screen_pen *p, unsigned n);
/** To the first column of this row, or of the next. */
void thirl_screen_pen_return(thirl_screen_pen *p);
void thirl_screen_pen_newline(thirl_screen_pen *p);
/* Not on dumb terminals. n may be 0. */
void thirl_screen_pen_up(thirl_screen_pen *p, unsigned n);
void thirl_screen_pen_down(thirl_screen_pen *p, unsigned n);
void thirl_screen_pen_right(thirl_screen_pen *p, unsigned n);
void thirl_screen_pen_clear_row(thirl_screen_pen *p);
void thirl_screen_pen_clear_below(thirl_screen_pen *p);
void thirl_screen_pen_home(thirl_screen_pen *p);
void thirl_screen_pen_cut_off(thirl_screen_pen *p, bool on);

#endif
