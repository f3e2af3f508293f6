/* SPDX-License-Identifier: MIT */
#include "tune/sysctl_file.h"

#include <fnmatch.h>
#include <string.h>

static bool is_blank(uint8_t c) {
  return c == ' ' || c == '\t' || c == '\r';
}

static thirl_bytes trim(thirl_bytes b) {
  while (b.n && is_blank(b.p[0]))
    b.p++, b.n--;
  while (b.n && is_blank(b.p[b.n - 1]))
    b.n--;
  return b;
}

bool thirl_tune_sysctl_file_name(thirl_bytes written, char out[THIRL_TUNE_NAME_MAX]) {
  size_t first = 0;
  out[0] = '\0';
  if (written.n == 0 || written.n >= THIRL_TUNE_NAME_MAX) return false;
  while (first < written.n && written.p[first] != '/' && written.p[first] != '.')
    first++;
  bool by_slash = first < written.n && written.p[first] == '/';
  for (size_t i = 0; i < written.n; i++) {
    uint8_t c = written.p[i];
    if (c <= ' ' || c >= 0x7f) {
      out[0] = '\0';
      return false;
    }
    if (by_slash && (c == '/' || c == '.')) c = c == '/' ? '.' : '/';
    out[i] = (char)c;
  }
  out[written.n] = '\0';
  return true;
}

bool thirl_tune_sysctl_file_path(const char *name, char out[THIRL_TUNE_NAME_MAX]) {
  size_t n = strlen(name);
  if (n == 0 || n >= THIRL_TUNE_NAME_MAX) return false;
  for (size_t i = 0; i <= n; i++)
    out[i] = name[i];
  for (char *c = out; *c; c++)
    if (*c == '.' || *c == '/') *c = *c == '.' ? '/' : '.';
  for (const char *part = out;;) { /* no part may be empty, "." or ".." */
    size_t len = strcspn(part, "/");
    if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && part[0] == '.' && part[1] == '.')) return false;
    if (!part[len]) return true;
    part += len + 1;
  }
}

bool thirl_tune_sysctl_file_match(const char *pattern, const char *name) {
  char a[THIRL_TUNE_NAME_MAX], b[THIRL_TUNE_NAME_MAX];
  return thirl_tune_sysctl_file_path(pattern, a) && thirl_tune_sysctl_file_path(name, b) &&
         fnmatch(a, b, FNM_PATHNAME | FNM_NOESCAPE) == 0;
}

static bool take_value(thirl_bytes in, char out[THIRL_TUNE_VALUE_MAX]) {
  size_t n = 0;
  for (size_t i = 0; i < in.n; i++) {
    uint8_t c = is_blank(in.p[i]) ? ' ' : in.p[i];
    if (c < ' ' || c >= 0x7f) return false;
    if (c == ' ' && n && out[n - 1] == ' ') continue;
    if (n == THIRL_TUNE_VALUE_MAX - 1) return false;
    out[n++] = (char)c;
  }
  out[n] = '\0';
  return true;
}

static thirl_bytes next_line(thirl_tune_sysctl_file *f) {
  const uint8_t *p = f->text.p + f->at;
  size_t left = f->text.n - f->at;
  const uint8_t *end = memchr(p, '\n', left);
  size_t n = end ? (size_t)(end - p) : left;
  f->at += n + (end != NULL);
  f->line++;
  return trim(THIRL_BYTES(p, n));
}

static bool take_setting(thirl_bytes line, thirl_tune_line *s) {
  const uint8_t *equals = memchr(line.p, '=', line.n);
  thirl_bytes name = line;
  bool minus = line.p[0] == '-';
  if (equals) name = trim(THIRL_BYTES(line.p, (size_t)(equals - line.p)));
  if (minus && name.n) name = trim(THIRL_BYTES(name.p + 1, name.n - 1));
  if (!equals && !minus) return false;
  if (!thirl_tune_sysctl_file_name(name, s->name)) return false;
  s->may_fail = minus && equals;
  s->is_exclusion = !equals;
  s->is_pattern = strpbrk(s->name, "*?[") != NULL;
  if (!equals) return true;
  size_t rest = line.n - (size_t)(equals + 1 - line.p);
  return take_value(trim(THIRL_BYTES(equals + 1, rest)), s->value);
}

thirl_tune_sysctl_file thirl_tune_sysctl_file_of(thirl_bytes text) {
  return (thirl_tune_sysctl_file){.text = text};
}

bool thirl_tune_sysctl_file_next(thirl_tune_sysctl_file *f, thirl_tune_line *out) {
  while (f->at < f->text.n) {
    thirl_bytes line = next_line(f);
    if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';') continue;
    *out = (thirl_tune_line){.line = f->line};
    if (take_setting(line, out)) return true;
    f->bad++;
  }
  *out = (thirl_tune_line){0};
  return false;
}
