/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700
#include "support/cells.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

void cells_init(cells *t, unsigned columns, unsigned rows, bool dumb) {
  (void)setlocale(LC_CTYPE, "C.UTF-8");
  memset(t, 0, sizeof *t);
  t->columns = columns;
  t->rows = rows;
  t->dumb = dumb;
  t->wraps = true;
  t->why = "";
}

static void call_bad(cells *t, const char *why) {
  t->bad++;
  t->why = why;
}

/* ---- the grid ---- */

static void clear(cells *t, unsigned y, unsigned from, unsigned to) {
  memset(&t->at[y][from], 0, (to - from) * sizeof(cell));
}

static void line_feed(cells *t) {
  if (t->y + 1 < t->rows) {
    t->y++;
    return;
  }
  memmove(t->at[0], t->at[1], (t->rows - 1) * sizeof t->at[0]);
  clear(t, t->rows - 1, 0, CELLS_COLUMNS_MAX);
  t->scrolled++;
}

static void put_mark(cells *t, uint32_t c) {
  unsigned x = t->pending ? t->x : t->x ? t->x - 1 : 0;
  if (x > 0 && t->at[t->y][x].c == 1) x--;
  cell *at = &t->at[t->y][x];
  if (!at->c) call_bad(t, "a mark on nothing");
  if (at->n_marks < CELLS_MARKS_MAX) at->marks[at->n_marks++] = c;
}

static void put(cells *t, uint32_t c) {
  int width = c < 0x80 ? 1 : wcwidth((wchar_t)c);
  if (width < 0) width = 1; /* this library does not know it */
  if (width == 0) {
    put_mark(t, c);
    return;
  }
  if (t->pending || t->x + (unsigned)width > t->columns) {
    if (t->wraps) {
      t->x = 0;
      line_feed(t);
    } else {
      t->x = t->columns - (unsigned)width;
    }
    t->pending = false;
  }
  t->at[t->y][t->x] = (cell){.c = c};
  if (width == 2) t->at[t->y][t->x + 1] = (cell){.c = 1};
  t->x += (unsigned)width;
  t->pending = t->x == t->columns;
  if (t->pending) t->x--;
}

/* ---- what comes ---- */

static unsigned least(unsigned a, unsigned b) {
  return a < b ? a : b;
}

static void do_sequence(cells *t, const char *args, char final) {
  unsigned n = *args ? (unsigned)strtoul(args, NULL, 10) : 1;
  if (final != 'm') t->pending = false;
  if (final == 'm') {
    t->colors++;
  } else if (strcmp(args, "?7") == 0 && (final == 'l' || final == 'h')) {
    t->wraps = final == 'h';
  } else if (final == 'A' && n > 0) {
    t->y -= least(n, t->y);
  } else if (final == 'B' && n > 0) {
    t->y = least(t->y + n, t->rows - 1);
  } else if (final == 'C' && n > 0) {
    t->x = least(t->x + n, t->columns - 1);
  } else if (final == 'H' && !*args) {
    t->x = t->y = 0;
  } else if (final == 'K' && !*args) {
    clear(t, t->y, t->x, CELLS_COLUMNS_MAX);
  } else if (final == 'J' && !*args) {
    clear(t, t->y, t->x, CELLS_COLUMNS_MAX);
    for (unsigned y = t->y + 1; y < t->rows; y++)
      clear(t, y, 0, CELLS_COLUMNS_MAX);
  } else {
    call_bad(t, "an unknown sequence");
  }
}

/* held is ESC and more; true: it is over, in one way or another. */
static bool take_sequence(cells *t) {
  uint8_t last = t->held[t->n_held - 1];
  if (t->n_held == 1) return false;
  if (t->n_held == 2) {
    if (last != '[') call_bad(t, "ESC without [");
    return last != '[';
  }
  if ((last >= '0' && last <= '9') || last == ';' || last == '?') {
    if (t->n_held < sizeof t->held - 1) return false;
    call_bad(t, "a sequence without end");
    return true;
  }
  char args[sizeof t->held] = "";
  memcpy(args, t->held + 2, t->n_held - 3);
  do_sequence(t, args, (char)last);
  return true;
}

/* What no text on a screen may have, whatever the terminal makes of it. Written down here once more, and not taken from the code. */
static bool is_harmful(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0x61c || c == 0xfeff ||
         (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff) || (c >= 0xd800 && c <= 0xdfff) ||
         c > 0x10ffff || (c >= 0xfe00 && c <= 0xfe0f) || (c & 0xfffe) == 0xfffe;
}

/* held is the beginning of a character of UTF-8; true: it is over. */
static bool take_character(cells *t) {
  static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  uint8_t first = t->held[0], last = t->held[t->n_held - 1];
  size_t n = first < 0x80 ? 1 : first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (n == 0 || first >= 0xf5 || (t->n_held > 1 && (last & 0xc0) != 0x80)) {
    call_bad(t, "no UTF-8");
    return true;
  }
  if (t->n_held < n) return false;
  uint32_t c = n == 1 ? first : first & (0xffU >> (n + 1));
  for (size_t i = 1; i < n; i++)
    c = c << 6 | (t->held[i] & 0x3fU);
  if (c < smallest[n] || is_harmful(c))
    call_bad(t, "a harmful character");
  else
    put(t, c);
  return true;
}

static void take(cells *t, uint8_t b) {
  if (t->n_held == 0 && b == '\r') {
    t->x = 0;
    t->pending = false;
  } else if (t->n_held == 0 && b == '\n') {
    line_feed(t);
  } else {
    t->held[t->n_held++] = b;
    if (t->dumb && t->held[0] == 0x1b) call_bad(t, "a sequence on a dumb terminal");
    if (t->held[0] == 0x1b ? take_sequence(t) : take_character(t)) t->n_held = 0;
  }
}

void cells_write(cells *t, const void *bytes, size_t n) {
  const uint8_t *p = bytes;
  for (size_t i = 0; i < n; i++)
    take(t, p[i]);
}

/* ---- another size ---- */

static unsigned length_of(const cells *t, unsigned y) {
  unsigned n = t->columns;
  while (n > 0 && t->at[y][n - 1].c == 0)
    n--;
  return n;
}

void cells_resize(cells *t, unsigned columns, unsigned rows) {
  static cell broken[CELLS_ROWS_MAX * CELLS_COLUMNS_MAX / 4][CELLS_COLUMNS_MAX];
  unsigned n = 0, cursor = 0, last = t->rows;
  memset(broken, 0, sizeof broken);
  while (last > t->y + 1 && length_of(t, last - 1) == 0)
    last--;
  for (unsigned y = 0; y < last; y++) {
    unsigned length = length_of(t, y), from = 0;
    if (y == t->y) cursor = n + t->x / columns;
    if (y == t->y && length <= t->x) length = t->x + 1;
    do {
      unsigned piece = least(columns, length - from);
      memcpy(broken[n++], &t->at[y][from], piece * sizeof(cell));
      from += piece;
    } while (from < length);
  }
  unsigned first = n > rows ? n - rows : 0;
  if (first > cursor) first = cursor;
  t->x %= columns;
  t->y = cursor - first;
  t->columns = columns;
  t->rows = rows;
  t->scrolled += first;
  memset(t->at, 0, sizeof t->at);
  for (unsigned y = 0; y < rows && first + y < n; y++)
    memcpy(t->at[y], broken[first + y], sizeof t->at[y]);
}

/* ---- to be read ---- */

static size_t encode(uint32_t c, char *out) {
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = n; i-- > 1; c >>= 6)
    out[i] = (char)(0x80 | (c & 0x3f));
  out[0] = (char)(c | (n == 2 ? 0xc0U : n == 3 ? 0xe0U : 0xf0U));
  return n;
}

const char *cells_row(const cells *t, unsigned y) {
  static char text[CELLS_COLUMNS_MAX * 4 * (1 + CELLS_MARKS_MAX) + 1];
  size_t n = 0;
  for (unsigned x = 0; x < t->columns; x++) {
    const cell *at = &t->at[y][x];
    if (at->c == 1) continue;
    n += encode(at->c ? at->c : ' ', text + n);
    for (unsigned i = 0; i < at->n_marks; i++)
      n += encode(at->marks[i], text + n);
  }
  while (n > 0 && text[n - 1] == ' ')
    n--;
  text[n] = '\0';
  return text;
}
