/* SPDX-License-Identifier: MIT */
/*
 * A terminal of character cells that knows nothing but what src/screen/pen.h says it writes; everything else that comes is counted as bad. Widths are the C library's,
 * not ours. Made narrower it breaks its rows, as most terminals of today do.
 */
#ifndef THIRL_TESTS_CELLS_H
#define THIRL_TESTS_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CELLS_COLUMNS_MAX = 256, CELLS_ROWS_MAX = 64, CELLS_MARKS_MAX = 8, CELLS_TEXT_MAX = CELLS_COLUMNS_MAX * 12 };

typedef struct cell {
  uint32_t c; /* 0: nothing; 1: the right half of the one before */
  uint32_t marks[CELLS_MARKS_MAX];
  unsigned n_marks;
} cell;

typedef struct cells {
  unsigned columns, rows, x, y;
  bool dumb, wraps, pending; /* pending: the cursor is behind the last column */
  cell at[CELLS_ROWS_MAX][CELLS_COLUMNS_MAX];
  uint8_t held[16]; /* the beginning of a sequence or a character */
  size_t n_held;
  size_t bad, colors, scrolled;
  const char *why; /* the last bad one */
} cells;

void cells_init(cells *t, unsigned columns, unsigned rows, bool dumb);
void cells_write(cells *t, const void *bytes, size_t n);
void cells_resize(cells *t, unsigned columns, unsigned rows);
/** A row as UTF-8, without the spaces at its end. The text lives until the next call. */
const char *cells_row(const cells *t, unsigned y);

#endif
