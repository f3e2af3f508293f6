/* SPDX-License-Identifier: MIT */
#include "screen/view.h"

#include <string.h>

#include "base/time.h"
#include "screen/clean.h"
#include "screen/wrap.h"

#define CTRL(letter) ((letter)-64)

enum { FOR_TIME = 50, FOR_NAMES = 20 }; /* columns from which on there is room for them */

_Static_assert((int)THIRL_SCREEN_CLEAN_GROWTH == 4, "room for the largest clean text");

static thirl_screen_place place_of(unsigned columns, unsigned rows, bool ascii) {
  columns =
      THIRL_MIN(THIRL_MAX(columns, (unsigned)THIRL_SCREEN_VIEW_COLUMNS_MIN), (unsigned)THIRL_SCREEN_VIEW_COLUMNS_MAX);
  return (thirl_screen_place){columns, THIRL_MAX(rows, 1U), ascii};
}

void thirl_screen_view_init(thirl_screen_view *v, const thirl_screen_look *look) {
  memset(v, 0, sizeof *v);
  v->place = place_of(look->columns, look->rows, look->ascii);
  thirl_screen_pen_init(&v->pen, look->dumb, look->color);
  thirl_screen_line_init(&v->line);
  thirl_screen_history_init(&v->history);
  v->changed = true;
}

void thirl_screen_view_fini(thirl_screen_view *v) {
  thirl_screen_pen_fini(&v->pen);
  thirl_screen_history_fini(&v->history);
}

/* ---- messages ---- */

static void lift(thirl_screen_view *v) {
  thirl_screen_foot_lift(&v->foot, &v->pen, v->place.columns);
  v->changed = true;
}

/* What stands before the text of a message: the time, who, and the mark. */
typedef struct head {
  const char *clock, *name, *sign; /* sign: instead of the name where there is little room */
  thirl_screen_style style;
  const char *mark;
} head;

static const char *mark_of(const thirl_screen_view *v, bool delivered) {
  if (v->pen.dumb) return " ";
  if (v->place.ascii) return delivered ? "+" : ".";
  return delivered ? "\xe2\x9c\x93" : "\xc2\xb7";
}

/* Columns before the mark, which has one, with a space behind it. */
static unsigned mark_column(const thirl_screen_view *v) {
  return (v->place.columns >= FOR_TIME ? 6U : 0U) + (v->place.columns >= FOR_NAMES ? 5U : 0U);
}

static void put_head(thirl_screen_view *v, const head *h) {
  bool named = v->place.columns >= FOR_NAMES;
  if (v->place.columns >= FOR_TIME) {
    thirl_screen_pen_word(&v->pen, THIRL_SCREEN_DIM, h->clock);
    thirl_screen_pen_spaces(&v->pen, 1);
  }
  if (named) {
    thirl_screen_pen_spaces(&v->pen, 4 - THIRL_MIN(4U, (unsigned)strlen(h->name)));
    thirl_screen_pen_word(&v->pen, h->style, h->name);
    thirl_screen_pen_spaces(&v->pen, 1);
  }
  thirl_screen_pen_word(&v->pen, h->style, named || *h->mark != ' ' ? h->mark : h->sign);
  thirl_screen_pen_spaces(&v->pen, 1);
}

static void put_more(thirl_screen_view *v, unsigned indent) {
  thirl_screen_pen_clear_row(&v->pen);
  thirl_screen_pen_spaces(&v->pen, indent);
  thirl_screen_pen_word(&v->pen, THIRL_SCREEN_DIM, "...");
  thirl_screen_pen_newline(&v->pen);
  v->row++;
}

static void put_message(thirl_screen_view *v, const head *h, thirl_screen_style style, thirl_bytes text) {
  unsigned indent = mark_column(v) + 2, room = v->place.columns - 1 - indent, lines = 0;
  thirl_bytes row;
  bool begun = false, first = true;
  lift(v);
  while (thirl_screen_wrap_next(&text, room, &begun, &row)) {
    thirl_screen_pen_clear_row(&v->pen);
    if (first)
      put_head(v, h);
    else
      thirl_screen_pen_spaces(&v->pen, indent);
    thirl_screen_pen_text(&v->pen, style, row);
    thirl_screen_pen_newline(&v->pen);
    first = false;
    v->row++;
    if (row.p + row.n < text.p && row.p[row.n] == '\n' && ++lines == THIRL_SCREEN_VIEW_LINES_MAX && text.n > 0) {
      put_more(v, indent);
      break;
    }
  }
}

static thirl_bytes clean(thirl_screen_view *v, thirl_bytes text) {
  if (text.n > THIRL_SCREEN_VIEW_TEXT_MAX) text.n = THIRL_SCREEN_VIEW_TEXT_MAX;
  return THIRL_BYTES(v->clean, thirl_screen_clean(text, v->place.ascii, v->clean));
}

void thirl_screen_view_theirs(thirl_screen_view *v, const char *clock, thirl_bytes text) {
  head h = {.clock = clock, .name = "peer", .sign = "<", .style = THIRL_SCREEN_THEIRS, .mark = " "};
  put_message(v, &h, THIRL_SCREEN_PLAIN, clean(v, text));
}

void thirl_screen_view_ours(thirl_screen_view *v, const char *clock, thirl_bytes text, uint32_t number) {
  head h = {.clock = clock, .name = "you", .sign = ">", .style = THIRL_SCREEN_OURS, .mark = mark_of(v, false)};
  uint64_t row = v->row;
  put_message(v, &h, THIRL_SCREEN_PLAIN, clean(v, text));
  if (v->pen.dumb) return;
  if (v->n_marks == THIRL_SCREEN_VIEW_MARKS_MAX) memmove(v->marks, v->marks + 1, --v->n_marks * sizeof *v->marks);
  v->marks[v->n_marks].number = number;
  v->marks[v->n_marks++].row = row;
}

void thirl_screen_view_note(thirl_screen_view *v, const char *clock, thirl_screen_style style, const char *text) {
  head h = {.clock = clock,
            .name = "",
            .sign = "-",
            .style = THIRL_SCREEN_DIM,
            .mark = v->place.ascii || v->pen.dumb ? "-" : "\xe2\x94\x80"};
  put_message(v, &h, style, clean(v, THIRL_BYTES(text, strlen(text))));
}

/* ---- marks ---- */

static void draw_mark(thirl_screen_view *v, uint64_t row) {
  uint64_t up = v->row - row + (v->foot.shown ? v->foot.rows - 1 : 0);
  if (up >= v->place.rows) return; /* it has left the screen */
  thirl_screen_pen_return(&v->pen);
  thirl_screen_pen_up(&v->pen, (unsigned)up);
  thirl_screen_pen_right(&v->pen, mark_column(v));
  thirl_screen_pen_word(&v->pen, THIRL_SCREEN_OURS, mark_of(v, true));
  thirl_screen_pen_return(&v->pen);
  thirl_screen_pen_down(&v->pen, (unsigned)up);
  if (v->foot.shown) thirl_screen_pen_right(&v->pen, v->foot.cursor);
}

void thirl_screen_view_mark(thirl_screen_view *v, uint32_t number) {
  unsigned n = 0;
  for (; n < v->n_marks && v->marks[n].number <= number; n++)
    draw_mark(v, v->marks[n].row);
  v->n_marks -= n;
  memmove(v->marks, v->marks + n, v->n_marks * sizeof *v->marks);
}

/* ---- the foot ---- */

void thirl_screen_view_status(thirl_screen_view *v, const thirl_screen_part *parts, unsigned n) {
  n = THIRL_MIN(n, (unsigned)THIRL_SCREEN_STATUS_PARTS);
  if (n == v->foot.n_parts && memcmp(parts, v->foot.parts, n * sizeof *parts) == 0) return;
  memcpy(v->foot.parts, parts, n * sizeof *parts);
  v->foot.n_parts = n;
  if (!v->pen.dumb) v->changed = true;
}

void thirl_screen_view_resize(thirl_screen_view *v, unsigned columns, unsigned rows) {
  thirl_screen_place place = place_of(columns, rows, v->place.ascii);
  if (place.columns != v->place.columns) v->n_marks = 0; /* nobody knows how the terminal has moved the rows */
  v->place = place;
  lift(v);
  thirl_screen_pen_clear_below(&v->pen);
}

void thirl_screen_view_renew(thirl_screen_view *v) {
  v->n_marks = 0;
  v->foot.shown = false;
  v->changed = true;
  thirl_screen_pen_return(&v->pen);
  thirl_screen_pen_clear_below(&v->pen);
}

void thirl_screen_view_leave(thirl_screen_view *v) {
  lift(v);
  thirl_screen_pen_clear_below(&v->pen);
  v->changed = v->line_changed = false;
}

/* ---- keys ---- */

static void empty_line(thirl_screen_view *v) {
  thirl_screen_line_set(&v->line, (thirl_bytes){NULL, 0});
  v->line_changed = true;
}

/* The line is "~", just typed: what does the next key make of it? */
static bool take_tilde(thirl_screen_view *v, thirl_key key, thirl_screen_action *out) {
  static const struct {
    thirl_key key;
    thirl_screen_action action;
  } meanings[] = {
      {'.', THIRL_SCREEN_LEAVE}, {'?', THIRL_SCREEN_HELP}, {'s', THIRL_SCREEN_STATS}, {'~', THIRL_SCREEN_NOTHING}};
  v->tilde = false;
  for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
    if (meanings[i].key != key) continue;
    if (key != '~') empty_line(v); /* the second tilde stands for nothing, and the first is text now */
    *out = meanings[i].action;
    return true;
  }
  return false;
}

static void look_back(thirl_screen_view *v, bool older) {
  uint8_t now[THIRL_SCREEN_LINE_MAX];
  thirl_bytes text, present = {now, thirl_screen_line_read(&v->line, now)};
  if (older ? thirl_screen_history_older(&v->history, present, &text) : thirl_screen_history_newer(&v->history, &text))
    thirl_screen_line_set(&v->line, text);
  v->line_changed = true;
}

static void clear_screen(thirl_screen_view *v) {
  if (v->pen.dumb) return;
  thirl_screen_pen_home(&v->pen);
  thirl_screen_view_renew(v);
}

/* Keys that are not for the line. */
static bool take_own_key(thirl_screen_view *v, thirl_key key, thirl_screen_action *out) {
  switch (key) {
  case '\r':
  case '\n':
    if (v->line.n > 0) *out = THIRL_SCREEN_SEND;
    return true;
  case CTRL('C'):
    *out = THIRL_SCREEN_INTERRUPT;
    return true;
  case CTRL('Z'):
    *out = THIRL_SCREEN_STOP;
    return true;
  case CTRL('\\'):
    *out = THIRL_SCREEN_QUIT;
    return true;
  case CTRL('D'):
    if (v->line.n == 0) *out = THIRL_SCREEN_LEAVE;
    return v->line.n == 0;
  case THIRL_KEY_UP:
  case CTRL('P'):
    look_back(v, true);
    return true;
  case THIRL_KEY_DOWN:
  case CTRL('N'):
    look_back(v, false);
    return true;
  case CTRL('L'):
    clear_screen(v);
    return true;
  default:
    return false;
  }
}

thirl_screen_action thirl_screen_view_key(thirl_screen_view *v, thirl_key key) {
  thirl_screen_action action = THIRL_SCREEN_NOTHING;
  bool was_empty = v->line.n == 0, pasting = v->line.pasting;
  if (key == THIRL_KEY_END_OF_INPUT) return THIRL_SCREEN_LEAVE;
  if (!pasting && v->tilde && take_tilde(v, key, &action)) return action;
  if (!pasting && take_own_key(v, key, &action)) return action;
  if (thirl_screen_line_key(&v->line, key)) v->line_changed = true;
  v->tilde = !pasting && was_empty && key == '~' && v->line.n == 1;
  return action;
}

size_t thirl_screen_view_read(const thirl_screen_view *v, uint8_t out[THIRL_SCREEN_LINE_MAX]) {
  return thirl_screen_line_read(&v->line, out);
}

size_t thirl_screen_view_sent(thirl_screen_view *v) {
  uint8_t text[THIRL_SCREEN_LINE_MAX];
  size_t refused = v->line.refused;
  thirl_screen_history_add(&v->history, THIRL_BYTES(text, thirl_screen_line_read(&v->line, text)));
  v->tilde = false;
  empty_line(v);
  return refused;
}

/* ---- out ---- */

thirl_bytes thirl_screen_view_output(thirl_screen_view *v) {
  if (v->changed) {
    thirl_screen_foot_lift(&v->foot, &v->pen, v->place.columns);
    thirl_screen_foot_draw(&v->foot, &v->pen, &v->place, &v->line);
  } else if (v->line_changed) {
    thirl_screen_foot_redraw_line(&v->foot, &v->pen, &v->place, &v->line);
  }
  return thirl_screen_view_rest(v);
}

thirl_bytes thirl_screen_view_rest(thirl_screen_view *v) {
  v->changed = v->line_changed = false;
  return thirl_buffer_view(&v->pen.out);
}

void thirl_screen_view_consume(thirl_screen_view *v, size_t n) {
  thirl_buffer_consume(&v->pen.out, n);
}

bool thirl_screen_view_is_full(const thirl_screen_view *v) {
  return v->pen.out.n > THIRL_SCREEN_VIEW_HELD_MAX;
}
