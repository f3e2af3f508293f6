/* SPDX-License-Identifier: MIT */
#include "screen/foot.h"

#include <string.h>

#include "base/time.h"
#include "screen/utf8.h"
#include "screen/width.h"
#include "screen/wrap.h"

enum {
  PROMPT = 2, /* columns */
  MARGIN = 2, /* at the right: what says that there is more, and the last column, where terminals differ */
  ROWS_FOR_STATUS = 3
};

/* ---- the status ---- */

/* Columns for one more piece; *used grows. Nothing at all when only a part of a dash would fit. */
static void put_piece(thirl_screen_pen *pen, thirl_screen_style style, const char *text, unsigned room,
                      unsigned *used) {
  thirl_bytes whole = THIRL_BYTES(text, strlen(text)), b = thirl_screen_wrap_cut(whole, room - *used);
  thirl_screen_pen_text(pen, style, b);
  *used += thirl_screen_wrap_width(b);
}

static void draw_status(thirl_screen_foot *f, thirl_screen_pen *pen, const thirl_screen_place *place) {
  const char *dashes = place->ascii ? "--" : "\xe2\x94\x80\xe2\x94\x80";
  unsigned room = place->columns - 1, used = 0;
  thirl_screen_pen_clear_row(pen);
  put_piece(pen, THIRL_SCREEN_DIM, dashes, room, &used);
  for (unsigned i = 0; i < f->n_parts && used + 2 < room; i++) {
    const thirl_screen_part *part = &f->parts[i];
    put_piece(pen, THIRL_SCREEN_PLAIN, " ", room, &used);
    put_piece(pen, part->style, part->text, room, &used);
    if (used + 3 > room) break;
    put_piece(pen, THIRL_SCREEN_PLAIN, " ", room, &used);
    put_piece(pen, THIRL_SCREEN_DIM, dashes, room, &used);
  }
  f->status_width = used;
}

/* ---- the line ---- */

static unsigned width_at(const thirl_screen_line *line, size_t i) {
  return line->text[i] == '\n' ? 1 : thirl_screen_width_of(line->text[i]);
}

static unsigned columns_between(const thirl_screen_line *line, size_t from, size_t to) {
  unsigned n = 0;
  for (size_t i = from; i < to; i++)
    n += width_at(line, i);
  return n;
}

static unsigned room_of(const thirl_screen_place *place) {
  return place->columns - PROMPT - MARGIN;
}

/* So that the cursor is within what is shown, and has something to either side of it. */
static void scroll(thirl_screen_foot *f, const thirl_screen_place *place, const thirl_screen_line *line) {
  unsigned room = room_of(place);
  if (f->from > line->n) f->from = line->n;
  if (columns_between(line, 0, line->n) <= room) f->from = 0;
  if (line->at <= f->from && f->from > 0) {
    f->from = line->at;
    while (f->from > 0 && columns_between(line, f->from - 1, line->at) <= room / 3)
      f->from--;
  }
  unsigned before = columns_between(line, f->from, line->at);
  if (before > room || (before == room && line->at < line->n)) { /* behind the last one there is place for the cursor */
    f->from = line->at;
    while (f->from > 0 && columns_between(line, f->from - 1, line->at) <= room * 2 / 3)
      f->from--;
  }
  while (f->from > 0 && f->from < line->n && width_at(line, f->from) == 0)
    f->from--; /* never between a character and its marks */
}

static void put_line(thirl_screen_pen *pen, const thirl_screen_place *place, const thirl_screen_line *line, size_t from,
                     size_t to) {
  uint8_t b[THIRL_SCREEN_UTF8_MAX];
  for (size_t i = from; i < to; i++) {
    uint32_t c = line->text[i];
    if (c == '\n')
      thirl_screen_pen_word(pen, THIRL_SCREEN_DIM, place->ascii ? "|" : "\xe2\x86\xb5");
    else if (place->ascii && c > 0x7e)
      thirl_screen_pen_word(pen, THIRL_SCREEN_DIM, width_at(line, i) == 2 ? "??" : width_at(line, i) == 1 ? "?" : "");
    else
      thirl_screen_pen_text(pen, THIRL_SCREEN_PLAIN, THIRL_BYTES(b, thirl_screen_utf8_write(c, b)));
  }
}

static void draw_line(thirl_screen_foot *f, thirl_screen_pen *pen, const thirl_screen_place *place,
                      const thirl_screen_line *line) {
  unsigned room = room_of(place), used = 0, blank = pen->dumb && f->shown ? f->line_width : 0;
  size_t to;
  scroll(f, place, line);
  for (to = f->from; to < line->n && used + width_at(line, to) <= room; to++)
    used += width_at(line, to);
  const char *prompt = f->from == 0 ? "> " : place->ascii ? "< " : "\xe2\x80\xb9 ";
  thirl_screen_pen_cut_off(pen, true);
  thirl_screen_pen_clear_row(pen);
  thirl_screen_pen_word(pen, THIRL_SCREEN_OURS, prompt);
  put_line(pen, place, line, f->from, to);
  if (to < line->n) thirl_screen_pen_word(pen, THIRL_SCREEN_OURS, place->ascii ? ">" : "\xe2\x80\xba");
  thirl_screen_pen_cut_off(pen, false);
  f->line_width = PROMPT + used + (to < line->n);
  f->cursor = PROMPT + columns_between(line, f->from, line->at);
  if (blank > f->line_width) thirl_screen_pen_spaces(pen, blank - f->line_width);
  if (!pen->dumb) {
    thirl_screen_pen_return(pen);
    thirl_screen_pen_right(pen, f->cursor);
  } else if (line->at < to || blank > f->line_width) { /* what stands before the cursor once more */
    thirl_screen_pen_return(pen);
    thirl_screen_pen_word(pen, THIRL_SCREEN_OURS, prompt);
    put_line(pen, place, line, f->from, line->at);
  }
}

/* ---- both ---- */

void thirl_screen_foot_draw(thirl_screen_foot *f, thirl_screen_pen *pen, const thirl_screen_place *place,
                            const thirl_screen_line *line) {
  f->rows = !pen->dumb && place->rows >= ROWS_FOR_STATUS ? 2 : 1;
  f->status_width = 0;
  if (f->rows == 2) {
    draw_status(f, pen, place);
    thirl_screen_pen_newline(pen);
  }
  draw_line(f, pen, place, line);
  f->shown = true;
}

void thirl_screen_foot_redraw_line(thirl_screen_foot *f, thirl_screen_pen *pen, const thirl_screen_place *place,
                                   const thirl_screen_line *line) {
  thirl_screen_pen_return(pen);
  draw_line(f, pen, place, line);
}

void thirl_screen_foot_lift(thirl_screen_foot *f, thirl_screen_pen *pen, unsigned columns) {
  if (!f->shown) return;
  thirl_screen_pen_return(pen);
  if (pen->dumb) {
    thirl_screen_pen_spaces(pen, f->line_width);
    thirl_screen_pen_return(pen);
  } else {
    unsigned of_status = f->rows < 2 ? 0 : THIRL_MAX(1U, (f->status_width + columns - 1) / columns);
    thirl_screen_pen_up(pen, f->cursor / columns + of_status);
  }
  f->shown = false;
}
