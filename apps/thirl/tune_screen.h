/* SPDX-License-Identifier: MIT */
/* What thirl tune --watch shows: the walls as a screen, or as lines for a file. */
#ifndef THIRL_APPS_TUNE_SCREEN_H
#define THIRL_APPS_TUNE_SCREEN_H

#include "base/bytes.h"
#include "tune/watch.h"

enum { TUNE_SCREEN_COLUMNS_MAX = 120, TUNE_SCREEN_BYTES_MAX = 64 * 1024 };

typedef struct tune_screen {
  unsigned columns, rows;
  bool colour;
} tune_screen;

/** A whole screen, drawn over the one before. No line is longer than the terminal is wide, and there are no more of them than it is high. */
void tune_screen_draw(const thirl_tune_watch *w, const tune_screen *s, thirl_buffer *out);
/** One line for each wall that is known, with the seconds since the first look in front; the nearest is marked. */
void tune_screen_print(const thirl_tune_watch *w, thirl_buffer *out);

#endif
