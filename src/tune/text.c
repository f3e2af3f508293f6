/* SPDX-License-Identifier: MIT */
#include "tune/text.h"

#include <string.h>

thirl_tune_text thirl_tune_text_of(const char *string) {
  return (thirl_tune_text){string, strlen(string)};
}

static thirl_tune_text skip(thirl_tune_text t, size_t n) {
  return (thirl_tune_text){t.p + n, t.n - n};
}

bool thirl_tune_text_line(thirl_tune_text *rest, thirl_tune_text *line) {
  if (!rest->n) return false;
  const char *end = memchr(rest->p, '\n', rest->n);
  size_t n = end ? (size_t)(end - rest->p) : rest->n;
  *line = (thirl_tune_text){rest->p, n};
  *rest = skip(*rest, end ? n + 1 : n);
  return true;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool thirl_tune_text_word(thirl_tune_text *rest, thirl_tune_text *word) {
  size_t from = 0, to;
  while (from < rest->n && is_blank(rest->p[from]))
    from++;
  for (to = from; to < rest->n && !is_blank(rest->p[to]);)
    to++;
  if (from == to) return false;
  *word = (thirl_tune_text){rest->p + from, to - from};
  *rest = skip(*rest, to);
  return true;
}

bool thirl_tune_text_cut(thirl_tune_text *rest, char at, thirl_tune_text *front) {
  const char *found = rest->n ? memchr(rest->p, at, rest->n) : NULL;
  if (!found) return false;
  size_t n = (size_t)(found - rest->p);
  *front = (thirl_tune_text){rest->p, n};
  *rest = skip(*rest, n + 1);
  return true;
}

bool thirl_tune_text_is(thirl_tune_text t, const char *word) {
  return strlen(word) == t.n && memcmp(t.p, word, t.n) == 0;
}

bool thirl_tune_text_begins(thirl_tune_text t, const char *word) {
  size_t n = strlen(word);
  return n <= t.n && memcmp(t.p, word, n) == 0;
}

bool thirl_tune_text_has(thirl_tune_text t, const char *word) {
  size_t n = strlen(word);
  for (size_t i = 0; i + n <= t.n; i++)
    if (memcmp(t.p + i, word, n) == 0) return true;
  return false;
}

bool thirl_tune_text_decimal(thirl_tune_text t, int64_t *out) {
  bool minus = t.n > 1 && t.p[0] == '-';
  uint64_t v = 0;
  if (minus) t = skip(t, 1);
  if (!t.n) return false;
  for (size_t i = 0; i < t.n; i++) {
    if (t.p[i] < '0' || t.p[i] > '9') return false;
    uint64_t digit = (uint64_t)(t.p[i] - '0');
    v = v > (INT64_MAX - digit) / 10 ? INT64_MAX : v * 10 + digit;
  }
  *out = minus ? -(int64_t)v : (int64_t)v;
  return true;
}

bool thirl_tune_text_hex(thirl_tune_text t, uint64_t *out) {
  uint64_t v = 0;
  if (!t.n) return false;
  for (size_t i = 0; i < t.n; i++) {
    char c = t.p[i];
    uint64_t digit;
    if (c >= '0' && c <= '9')
      digit = (uint64_t)(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = (uint64_t)(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F')
      digit = (uint64_t)(c - 'A') + 10;
    else
      return false;
    v = v >> 60 ? UINT64_MAX : v << 4 | digit;
  }
  *out = v;
  return true;
}

bool thirl_tune_text_is_plain(thirl_tune_text t) {
  for (size_t i = 0; i < t.n; i++) {
    char c = t.p[i];
    bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alnum && (!c || !strchr("-_.:@+", c))) return false;
  }
  return t.n > 0 && t.p[0] != '-';
}

void thirl_tune_text_copy(thirl_tune_text t, char *to, size_t size) {
  size_t n = t.n < size ? t.n : size - 1;
  for (size_t i = 0; i < n; i++)
    to[i] = t.p[i] >= ' ' && t.p[i] <= '~' ? t.p[i] : '?';
  to[n] = '\0';
}
