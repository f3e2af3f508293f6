/* SPDX-License-Identifier: MIT */
#include "screen/clean.h"

#include "screen/utf8.h"
#include "screen/width.h"

enum { REPLACEMENT = 0xfffd, DOTTED_CIRCLE = 0x25cc, JOINER = 0x200d, NON_JOINER = 0x200c };

/* What takes no place of its own, or moves others: Unicode's default-ignorable characters, all its bidirectional controls, the separators. Hangul's fillers
   are letters that show nothing. */
static bool is_hidden(uint32_t c) {
  static const struct {
    uint32_t first, last;
  } hidden[] = {{0x00ad, 0x00ad},   {0x034f, 0x034f},  {0x061c, 0x061c}, {0x115f, 0x1160}, {0x17b4, 0x17b5},
                {0x180b, 0x180f},   {0x200b, 0x200f},  {0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},
                {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},  {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3},
                {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};
  for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
    if (c >= hidden[i].first && c <= hidden[i].last) return true;
  return false;
}

static bool is_control(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

static bool is_variant(uint32_t c) {
  return c == JOINER || c == NON_JOINER || (c >= 0xfe00 && c <= 0xfe0f);
}

bool thirl_screen_clean_is_plain(uint32_t c) {
  return !is_control(c) && !is_hidden(c) && (c & 0xfffe) != 0xfffe && c <= 0x10ffff;
}

/* ---- out ---- */

typedef struct page {
  uint8_t *out;
  size_t n;
  bool ascii;
  uint32_t before; /* the character that a mark would stand on; 0: none */
  unsigned marks;
} page;

static void put(page *p, char c) {
  p->out[p->n++] = (uint8_t)c;
}

static void put_name(page *p, uint32_t c) {
  int digits = c > 0xfffff ? 6 : c > 0xffff ? 5 : 4;
  for (const char *s = "<U+"; *s; s++)
    put(p, *s);
  for (int i = digits - 1; i >= 0; i--)
    put(p, "0123456789ABCDEF"[c >> (4 * i) & 15]);
  put(p, '>');
  p->before = '>';
  p->marks = 0;
}

static void put_plain(page *p, uint32_t c) {
  if (p->ascii && c > 0x7e) {
    put_name(p, c);
    return;
  }
  p->n += thirl_screen_utf8_write(c, p->out + p->n);
  p->before = c;
  p->marks = 0;
}

static void put_mark(page *p, uint32_t c) {
  if (p->ascii) {
    put_name(p, c);
    return;
  }
  if (!p->before) put_plain(p, DOTTED_CIRCLE);
  if (p->marks++ < THIRL_SCREEN_CLEAN_MARKS_MAX) p->n += thirl_screen_utf8_write(c, p->out + p->n);
}

static void put_control(page *p, uint32_t c) {
  if (c == '\t') {
    for (int i = 0; i < THIRL_SCREEN_CLEAN_TAB; i++)
      put(p, ' ');
  } else if (c < 0x80) {
    put(p, '^');
    put(p, (char)(c ^ 0x40));
  } else {
    put_name(p, c);
  }
  p->before = ' ';
  p->marks = 0;
}

static void put_character(page *p, uint32_t c) {
  if (c == '\n') {
    put(p, '\n');
    p->before = 0;
    p->marks = 0;
  } else if (is_control(c)) {
    put_control(p, c);
  } else if (is_variant(c) && p->before > 0x7e && !p->ascii) {
    return;
  } else if (!thirl_screen_clean_is_plain(c)) {
    put_name(p, c);
  } else if (thirl_screen_width_of(c) == 0) {
    put_mark(p, c);
  } else {
    put_plain(p, c);
  }
}

size_t thirl_screen_clean(thirl_bytes in, bool ascii, uint8_t *out) {
  page p = {.out = out, .ascii = ascii};
  while (in.n > 0) {
    uint32_t c;
    if (in.n > 1 && in.p[0] == '\r' && in.p[1] == '\n') in.p++, in.n--;
    if (thirl_screen_utf8_read(&in, &c))
      put_character(&p, c);
    else if (ascii)
      put(&p, '?');
    else
      put_plain(&p, REPLACEMENT);
  }
  return p.n;
}
