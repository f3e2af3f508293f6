/* SPDX-License-Identifier: MIT */
#include "tune/limits_file.h"

#include <string.h>

static bool is_blank(uint8_t c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of a line; false: none, too long, or with bytes that are no printable ASCII. */
static bool take_word(thirl_bytes *line, char out[THIRL_TUNE_LIMIT_WORD_MAX]) {
  size_t n = 0;
  while (line->n && is_blank(line->p[0]))
    line->p++, line->n--;
  for (; line->n && !is_blank(line->p[0]); line->p++, line->n--) {
    if (line->p[0] <= ' ' || line->p[0] >= 0x7f || n == THIRL_TUNE_LIMIT_WORD_MAX - 1) return false;
    out[n++] = (char)line->p[0];
  }
  out[n] = '\0';
  return n > 0;
}

static thirl_bytes next_line(thirl_tune_limits_file *f) {
  const uint8_t *p = f->text.p + f->at;
  size_t left = f->text.n - f->at;
  const uint8_t *end = memchr(p, '\n', left);
  size_t n = end ? (size_t)(end - p) : left;
  const uint8_t *comment;
  f->at += n + (end != NULL);
  f->line++;
  if (n && (comment = memchr(p, '#', n))) n = (size_t)(comment - p);
  while (n && is_blank(p[n - 1]))
    n--;
  return THIRL_BYTES(p, n);
}

static bool take_type(const char *word, thirl_tune_limit_type *type) {
  static const char *const words[] = {"soft", "hard", "-"};
  for (unsigned i = 0; i < 3; i++)
    if (strcmp(word, words[i]) == 0) {
      *type = (thirl_tune_limit_type)i;
      return true;
    }
  return false;
}

static void take_number(thirl_tune_limit *l) {
  uint64_t v = 0;
  l->is_unlimited =
      strcmp(l->value, "unlimited") == 0 || strcmp(l->value, "infinity") == 0 || strcmp(l->value, "-1") == 0;
  for (const char *c = l->value; *c; c++) {
    if (*c < '0' || *c > '9') return;
    if (v > (UINT64_MAX - 9) / 10) return;
    v = v * 10 + (uint64_t)(*c - '0');
  }
  l->number = v;
}

static bool take_limit(thirl_bytes line, thirl_tune_limit *l) {
  char type[THIRL_TUNE_LIMIT_WORD_MAX], more[THIRL_TUNE_LIMIT_WORD_MAX];
  if (!take_word(&line, l->domain) || !take_word(&line, type) || !take_type(type, &l->type)) return false;
  if (!take_word(&line, l->item) || !take_word(&line, l->value)) return false;
  if (line.n && (take_word(&line, more) || line.n)) return false;
  take_number(l);
  return true;
}

thirl_tune_limits_file thirl_tune_limits_file_of(thirl_bytes text) {
  return (thirl_tune_limits_file){.text = text};
}

bool thirl_tune_limits_file_next(thirl_tune_limits_file *f, thirl_tune_limit *out) {
  while (f->at < f->text.n) {
    thirl_bytes line = next_line(f);
    while (line.n && is_blank(line.p[0]))
      line.p++, line.n--;
    if (line.n == 0) continue;
    *out = (thirl_tune_limit){.line = f->line};
    if (take_limit(line, out)) return true;
    f->bad++;
  }
  *out = (thirl_tune_limit){0};
  return false;
}
