/* SPDX-License-Identifier: MIT */
/*
 * The last two rows: what is to be known (status), and the line that is being edited, of which as much is shown as there is room for. Remembers how wide they
 * were drawn, since that is what has to be taken away when the window has another size. On a dumb terminal there is the line only.
 */
#ifndef THIRL_SCREEN_FOOT_H
#define THIRL_SCREEN_FOOT_H

#include "screen/line.h"
#include "screen/pen.h"

enum { THIRL_SCREEN_STATUS_PARTS = 6, THIRL_SCREEN_STATUS_TEXT = 160 };

/** One of the words between the dashes of the status row; ASCII. What does not fit is cut off at the end. */
typedef struct thirl_screen_part {
  thirl_screen_style style;
  char text[THIRL_SCREEN_STATUS_TEXT];
} thirl_screen_part;

typedef struct thirl_screen_foot {
  thirl_screen_part parts[THIRL_SCREEN_STATUS_PARTS];
  unsigned n_parts;
  size_t from; /* the first character of the line that is shown */
  bool shown;
  unsigned rows, status_width, line_width, cursor; /* as drawn */
} thirl_screen_foot;

/** The size of the window, and whether letters beyond ASCII may be used. */
typedef struct thirl_screen_place {
  unsigned columns, rows;
  bool ascii;
} thirl_screen_place;

/** Draws it from the cursor's row on, the cursor in the line. */
void thirl_screen_foot_draw(thirl_screen_foot *f, thirl_screen_pen *pen, const thirl_screen_place *place,
                            const thirl_screen_line *line);
/** Draws the line again where it is. */
void thirl_screen_foot_redraw_line(thirl_screen_foot *f, thirl_screen_pen *pen, const thirl_screen_place *place,
                                   const thirl_screen_line *line);
/**
 * Puts the cursor where it begins, to write over it; on a dumb terminal the line is blanked. columns: of the window now, which may have become narrower: then
 * the terminal has broken the rows in two, or cut them off.
 */
void thirl_screen_foot_lift(thirl_screen_foot *f, thirl_screen_pen *pen, unsigned columns);

#endif
