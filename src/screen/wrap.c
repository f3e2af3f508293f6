/* SPDX-License-Identifier: MIT */
#include "screen/wrap.h"

#include "screen/utf8.h"
#include "screen/width.h"

bool thirl_screen_wrap_next(thirl_bytes *text, unsigned columns, bool *begun, thirl_bytes *row) {
  thirl_bytes rest = *text;
  size_t space = 0; /* how many bytes stand before the last space */
  unsigned used = 0;
  bool begun_word = false; /* no break within the spaces in front */
  *row = *text;
  if (text->n == 0 && *begun) return false;
  *begun = true;
  while (rest.n > 0) {
    size_t before = text->n - rest.n;
    uint32_t c = 0xfffd;
    (void)thirl_screen_utf8_read(&rest, &c);
    unsigned width = thirl_screen_width_of(c);
    if (c == '\n' || (c == ' ' && used == columns)) { /* the row is full, and the text has a gap just here */
      row->n = before;
      *text = rest;
      return true;
    }
    if (used + width > columns) {
      row->n = space > 0 ? space : before;
      size_t gone = space > 0 ? space + 1 : before;
      *text = (thirl_bytes){text->p + gone, text->n - gone};
      return true;
    }
    if (c == ' ' && begun_word) space = before;
    begun_word = begun_word || c != ' ';
    used += width;
  }
  *text = rest;
  return true;
}

unsigned thirl_screen_wrap_width(thirl_bytes text) {
  unsigned width = 0;
  uint32_t c;
  while (text.n > 0)
    width += thirl_screen_utf8_read(&text, &c) ? thirl_screen_width_of(c) : 1;
  return width;
}

thirl_bytes thirl_screen_wrap_cut(thirl_bytes text, unsigned columns) {
  thirl_bytes rest = text;
  unsigned width = 0;
  uint32_t c;
  while (rest.n > 0) {
    size_t before = text.n - rest.n;
    width += thirl_screen_utf8_read(&rest, &c) ? thirl_screen_width_of(c) : 1;
    if (width > columns) return (thirl_bytes){text.p, before};
  }
  return text;
}
