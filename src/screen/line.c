/* SPDX-License-Identifier: MIT */
#include "screen/line.h"

#include <string.h>

#include "screen/clean.h"
#include "screen/utf8.h"
#include "screen/width.h"

#define CTRL(letter) ((letter)-64)

void thirl_screen_line_init(thirl_screen_line *l) {
  memset(l, 0, sizeof *l);
}

static size_t bytes_of(uint32_t c) {
  uint8_t b[THIRL_SCREEN_UTF8_MAX];
  return thirl_screen_utf8_write(c, b);
}

/* ---- where things begin and end ---- */

static bool is_mark(uint32_t c) {
  return c != '\n' && thirl_screen_width_of(c) == 0;
}

static size_t before(const thirl_screen_line *l, size_t at) {
  while (at > 0 && is_mark(l->text[--at]))
    ;
  return at;
}

static size_t behind(const thirl_screen_line *l, size_t at) {
  if (at < l->n) at++;
  while (at < l->n && is_mark(l->text[at]))
    at++;
  return at;
}

/* Where the character of these marks begins. */
static size_t off_marks(const thirl_screen_line *l, size_t at) {
  while (at > 0 && at < l->n && is_mark(l->text[at]))
    at--;
  return at;
}

/* Letters and digits; of what is not ASCII all but the spaces. A mark is what its character is. */
static bool is_of_word(const thirl_screen_line *l, size_t i) {
  uint32_t c = l->text[off_marks(l, i)];
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c > 0xa0 && c != 0x3000 && !(c >= 0x2000 && c <= 0x206f));
}

static size_t word_before(const thirl_screen_line *l, size_t at) {
  while (at > 0 && !is_of_word(l, at - 1))
    at--;
  while (at > 0 && is_of_word(l, at - 1))
    at--;
  return off_marks(l, at);
}

static size_t word_behind(const thirl_screen_line *l, size_t at) {
  while (at < l->n && !is_of_word(l, at))
    at++;
  while (at < l->n && is_of_word(l, at))
    at++;
  return at;
}

/* What Ctrl-W cuts: up to a space, as in a shell. */
static size_t blank_before(const thirl_screen_line *l, size_t at) {
  while (at > 0 && (l->text[at - 1] == ' ' || l->text[at - 1] == '\n'))
    at--;
  while (at > 0 && l->text[at - 1] != ' ' && l->text[at - 1] != '\n')
    at--;
  return off_marks(l, at);
}

/* ---- changes ---- */

static void insert(thirl_screen_line *l, uint32_t c) {
  size_t bytes = bytes_of(c);
  if (is_mark(c) && (l->at == 0 || l->text[l->at - 1] == '\n')) return;
  if (l->bytes + bytes > THIRL_SCREEN_LINE_MAX) {
    l->refused++;
    return;
  }
  memmove(l->text + l->at + 1, l->text + l->at, (l->n - l->at) * sizeof *l->text);
  l->text[l->at++] = c;
  l->n++;
  l->bytes += bytes;
}

static void erase(thirl_screen_line *l, size_t from, size_t to) {
  for (size_t i = from; i < to; i++)
    l->bytes -= bytes_of(l->text[i]);
  memmove(l->text + from, l->text + to, (l->n - to) * sizeof *l->text);
  l->n -= to - from;
  l->at = from;
  if (l->n == 0) l->refused = 0;
}

/* Cuts that follow each other make one piece. */
static void cut(thirl_screen_line *l, size_t from, size_t to, bool was_cutting) {
  size_t n = to - from, kept = was_cutting ? l->n_cut : 0;
  bool in_front = from < l->at;
  if (kept + n > THIRL_SCREEN_LINE_MAX) kept = THIRL_SCREEN_LINE_MAX - n;
  if (in_front) memmove(l->cut + n, l->cut, kept * sizeof *l->cut);
  memcpy(in_front ? l->cut : l->cut + kept, l->text + from, n * sizeof *l->cut);
  l->n_cut = kept + n;
  l->cutting = true;
  erase(l, from, to);
}

static void put_back(thirl_screen_line *l) {
  for (size_t i = 0; i < l->n_cut; i++)
    insert(l, l->cut[i]);
}

/* ---- keys ---- */

static bool move_key(thirl_screen_line *l, thirl_key key) {
  switch (key) {
  case THIRL_KEY_LEFT:
  case CTRL('B'):
    l->at = before(l, l->at);
    return true;
  case THIRL_KEY_RIGHT:
  case CTRL('F'):
    l->at = behind(l, l->at);
    return true;
  case THIRL_KEY_HOME:
  case CTRL('A'):
    l->at = 0;
    return true;
  case THIRL_KEY_END:
  case CTRL('E'):
    l->at = l->n;
    return true;
  case THIRL_KEY_LEFT | THIRL_KEY_CTRL:
  case THIRL_KEY_LEFT | THIRL_KEY_ALT:
  case 'b' | THIRL_KEY_ALT:
    l->at = word_before(l, l->at);
    return true;
  case THIRL_KEY_RIGHT | THIRL_KEY_CTRL:
  case THIRL_KEY_RIGHT | THIRL_KEY_ALT:
  case 'f' | THIRL_KEY_ALT:
    l->at = word_behind(l, l->at);
    return true;
  default:
    return false;
  }
}

static bool cut_key(thirl_screen_line *l, thirl_key key, bool was_cutting) {
  switch (key) {
  case THIRL_KEY_BACKSPACE:
    erase(l, before(l, l->at), l->at);
    return true;
  case THIRL_KEY_DELETE:
  case CTRL('D'):
    erase(l, l->at, behind(l, l->at));
    return true;
  case CTRL('K'):
    cut(l, l->at, l->n, was_cutting);
    return true;
  case CTRL('U'):
    cut(l, 0, l->at, was_cutting);
    return true;
  case CTRL('W'):
    cut(l, blank_before(l, l->at), l->at, was_cutting);
    return true;
  case THIRL_KEY_BACKSPACE | THIRL_KEY_ALT:
  case THIRL_KEY_BACKSPACE | THIRL_KEY_CTRL:
    cut(l, word_before(l, l->at), l->at, was_cutting);
    return true;
  case 'd' | THIRL_KEY_ALT:
  case THIRL_KEY_DELETE | THIRL_KEY_CTRL:
    cut(l, l->at, word_behind(l, l->at), was_cutting);
    return true;
  case CTRL('Y'):
    put_back(l);
    return true;
  default:
    return false;
  }
}

static bool is_character(thirl_key key) {
  return thirl_keys_is_character(key) && thirl_screen_clean_is_plain((uint32_t)key);
}

/* Within a paste nothing but its end is a key. */
static void pasted_key(thirl_screen_line *l, thirl_key key) {
  if (key == '\r' || key == '\n')
    insert(l, '\n');
  else if (key == '\t')
    insert(l, ' ');
  else if (is_character(key))
    insert(l, (uint32_t)key);
}

bool thirl_screen_line_key(thirl_screen_line *l, thirl_key key) {
  bool was_cutting = l->cutting;
  l->cutting = false;
  if (key == THIRL_KEY_PASTE_BEGIN || key == THIRL_KEY_PASTE_END) {
    l->pasting = key == THIRL_KEY_PASTE_BEGIN;
    return true;
  }
  if (l->pasting) {
    pasted_key(l, key);
    return true;
  }
  if (is_character(key)) {
    insert(l, (uint32_t)key);
    return true;
  }
  return move_key(l, key) || cut_key(l, key, was_cutting);
}

size_t thirl_screen_line_read(const thirl_screen_line *l, uint8_t out[THIRL_SCREEN_LINE_MAX]) {
  size_t n = 0;
  uint8_t b[THIRL_SCREEN_UTF8_MAX];
  for (size_t i = 0; i < l->n; i++) {
    size_t m = thirl_screen_utf8_write(l->text[i], b);
    memcpy(out + n, b, m);
    n += m;
  }
  return n;
}

void thirl_screen_line_set(thirl_screen_line *l, thirl_bytes text) {
  l->n = l->at = l->bytes = l->refused = 0;
  l->cutting = false;
  while (text.n > 0) {
    uint32_t c;
    if (thirl_screen_utf8_read(&text, &c) && (c == '\n' || thirl_screen_clean_is_plain(c))) insert(l, c);
  }
}
