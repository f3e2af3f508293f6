/* SPDX-License-Identifier: MIT */
#include "screen/pen.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

void thirl_screen_pen_init(thirl_screen_pen *p, bool dumb, bool color) {
  thirl_buffer_init(&p->out, THIRL_SCREEN_PEN_MAX);
  p->dumb = dumb;
  p->color = color && !dumb;
}

void thirl_screen_pen_fini(thirl_screen_pen *p) {
  thirl_buffer_fini(&p->out);
}

static void put(thirl_screen_pen *p, const char *text) {
  (void)thirl_buffer_append(&p->out, THIRL_BYTES(text, strlen(text)));
}

void thirl_screen_pen_text(thirl_screen_pen *p, thirl_screen_style style, thirl_bytes text) {
  static const char *const on[THIRL_SCREEN_STYLES] = {"",           "\033[2m",  "\033[1;32m",
                                                      "\033[1;36m", "\033[32m", "\033[33m"};
  bool colored = p->color && style != THIRL_SCREEN_PLAIN && text.n > 0;
  if (colored) put(p, on[style]);
  (void)thirl_buffer_append(&p->out, text);
  if (colored) put(p, "\033[m");
}

void thirl_screen_pen_word(thirl_screen_pen *p, thirl_screen_style style, const char *text) {
  thirl_screen_pen_text(p, style, THIRL_BYTES(text, strlen(text)));
}

void thirl_screen_pen_spaces(thirl_screen_pen *p, unsigned n) {
  static const char spaces[] = "                                ";
  for (; n > 0; n -= THIRL_MIN(n, sizeof spaces - 1))
    (void)thirl_buffer_append(&p->out, THIRL_BYTES(spaces, THIRL_MIN(n, sizeof spaces - 1)));
}

void thirl_screen_pen_return(thirl_screen_pen *p) {
  put(p, "\r");
}

void thirl_screen_pen_newline(thirl_screen_pen *p) {
  put(p, "\r\n");
}

static void move(thirl_screen_pen *p, unsigned n, char where) {
  char sequence[24];
  assert(!p->dumb);
  if (n == 0) return;
  snprintf(sequence, sizeof sequence, "\033[%u%c", n, where);
  put(p, sequence);
}

void thirl_screen_pen_up(thirl_screen_pen *p, unsigned n) {
  move(p, n, 'A');
}

void thirl_screen_pen_down(thirl_screen_pen *p, unsigned n) {
  move(p, n, 'B');
}

void thirl_screen_pen_right(thirl_screen_pen *p, unsigned n) {
  move(p, n, 'C');
}

void thirl_screen_pen_clear_row(thirl_screen_pen *p) {
  if (!p->dumb) put(p, "\033[K");
}

void thirl_screen_pen_clear_below(thirl_screen_pen *p) {
  if (!p->dumb) put(p, "\033[J");
}

void thirl_screen_pen_home(thirl_screen_pen *p) {
  if (!p->dumb) put(p, "\033[H");
}

void thirl_screen_pen_cut_off(thirl_screen_pen *p, bool on) {
  if (!p->dumb) put(p, on ? "\033[?7l" : "\033[?7h");
}
