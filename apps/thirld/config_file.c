/* SPDX-License-Identifier: MIT */
#include "config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "config_table.h"

typedef struct parse {
  config *c;
  thirl_bytes left;
  unsigned line;
  char *complaint;
  bool failed;
} parse;

/* The first complaint is kept. */
static int complain(parse *p, const char *format, const char *a, const char *b) {
  if (p->failed) return 0;
  int n = snprintf(p->complaint, CONFIG_COMPLAINT_MAX, "%u: ", p->line);
  /* The formats are the literals below. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(p->complaint + n, (size_t)(CONFIG_COMPLAINT_MAX - n), format, a, b);
#pragma GCC diagnostic pop
  p->failed = true;
  return 0;
}

static int complain_range(parse *p, const char *name, const char *value) {
  config_row row;
  char text[160];
  for (size_t i = 0; config_table_get(i, &row); i++) {
    if (strcmp(row.name, name) != 0 || !row.most) continue;
    snprintf(text, sizeof text, "is out of range: from %llu to %llu", (unsigned long long)row.least,
             (unsigned long long)row.most);
    return complain(p, "%s %s", name, text);
  }
  return complain(p, "%s is out of range: \"%s\"", name, value);
}

static const char *too_many(const char *name) {
  if (strncmp(name, "listen", 6) == 0) return "too many of %s: eight at most, not \"%s\" too";
  if (strcmp(name, "public") == 0) return "too many of %s: four at most, not \"%s\" too";
  return "%s is given twice for one family: \"%s\"";
}

static int on_setting(void *user, const char *section, const char *name, const char *value) {
  parse *p = user;
  if (p->failed) return 0;
  if (!config_table_has_section(section))
    return complain(p, "there is no section [%s]; \"%s\" belongs into [server] or [limits]", section, name);
  switch (config_table_set(p->c, section, name, value)) {
  case THIRL_OK:
    return 1;
  case THIRL_E_NOT_FOUND:
    return complain(p, "[%s] has no setting \"%s\"", section, name);
  case THIRL_E_LIMIT:
    return complain(p, too_many(name), name, value);
  case THIRL_E_RANGE:
    return complain_range(p, name, value);
  default:
    return complain(p, "%s cannot be \"%s\"", name, value);
  }
}

/* fgets over the text, for inih. A line that would be cut, or one with a NUL, is a mistake and not a shorter line. */
static char *next_line(char *out, int cap, void *user) {
  parse *p = user;
  const uint8_t *end = memchr(p->left.p, '\n', p->left.n);
  size_t n = end ? (size_t)(end - p->left.p) + 1 : p->left.n;
  if (p->left.n == 0 || p->failed) return NULL;
  p->line++;
  if (n > CONFIG_LINE_MAX || n + 1 > (size_t)cap)
    complain(p, "the line is too long%s%s", "", "");
  else if (memchr(p->left.p, '\0', n))
    complain(p, "the line is no text%s%s", "", "");
  if (p->failed) return NULL;
  memcpy(out, p->left.p, n);
  out[n] = '\0';
  p->left.p += n;
  p->left.n -= n;
  return out;
}

thirl_error config_parse(config *c, thirl_bytes text, char complaint[CONFIG_COMPLAINT_MAX]) {
  parse p = {.c = c, .left = text, .complaint = complaint};
  complaint[0] = '\0';
  if (text.n == 0) return THIRL_OK;
  int line = ini_parse_stream(next_line, &p, on_setting, &p);
  if (line == 0 && !p.failed) return THIRL_OK;
  if (!p.failed) { /* inih's own: a line that is neither a section nor a setting */
    p.line = line > 0 ? (unsigned)line : 0;
    complain(&p, "neither [section] nor name = value%s%s", "", "");
  }
  return THIRL_E_SYNTAX;
}

thirl_error config_load(config *c, const char *path, char complaint[CONFIG_COMPLAINT_MAX]) {
  thirl_error e = THIRL_E_IO;
  uint8_t *text = malloc(CONFIG_BYTES_MAX + 1);
  FILE *f = text ? fopen(path, "rb") : NULL;
  int err = errno;
  size_t n = f ? fread(text, 1, CONFIG_BYTES_MAX + 1, f) : 0;
  if (!text)
    e = THIRL_E_NOMEM;
  else if (!f)
    e = err == ENOENT ? THIRL_E_NOT_FOUND : err == EACCES ? THIRL_E_PERMISSION : THIRL_E_IO;
  else if (n > CONFIG_BYTES_MAX)
    e = THIRL_E_LIMIT;
  else if (!ferror(f))
    e = config_parse(c, THIRL_BYTES(text, n), complaint);
  if (e != THIRL_OK && e != THIRL_E_SYNTAX) snprintf(complaint, CONFIG_COMPLAINT_MAX, "%s", thirl_error_text(e));
  if (f) fclose(f);
  free(text);
  return e;
}
