/* SPDX-License-Identifier: MIT */
#include "spec.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { FIELDS_MAX = 4 };

static const char nobody_named[] = "localhost";

typedef struct field {
  const char *p;
  size_t n;
  bool bracketed;
} field;

/* Cut at colons, but not within brackets. 0: not well formed. */
static size_t cut(const char *text, field fields[FIELDS_MAX]) {
  size_t n = 0;
  for (const char *p = text;; p++) {
    if (n == FIELDS_MAX) return 0;
    field *f = &fields[n++];
    f->bracketed = *p == '[';
    if (f->bracketed) {
      f->p = p + 1;
      f->n = strcspn(f->p, "]");
      p = f->p + f->n;
      if (*p++ != ']' || f->n == 0) return 0;
    } else {
      f->p = p;
      f->n = strcspn(p, ":");
      p += f->n;
    }
    if (*p == '\0') return n;
    if (*p != ':') return 0;
  }
}

/* Letters, digits and what addresses need: nothing that a shell, a terminal or a log could mistake for something else. */
static bool is_host(const field *f, bool allow_any) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  if (f->n == 0 || f->n >= SPEC_HOST_MAX) return false;
  if (f->n == 1 && *f->p == '*') return allow_any && !f->bracketed;
  size_t ok = strspn(f->p, f->bracketed ? "0123456789abcdefABCDEF:.%" : letters);
  if (f->bracketed && ok < f->n && memchr(f->p, '%', ok)) ok += strspn(f->p + ok, letters); /* a zone */
  return ok >= f->n && f->p[0] != '-';
}

static bool read_port(const field *f, bool allow_zero, uint16_t *out) {
  unsigned v = 0;
  if (f->n == 0 || f->n > 5 || f->bracketed) return false;
  for (size_t i = 0; i < f->n; i++) {
    if (f->p[i] < '0' || f->p[i] > '9') return false;
    v = v * 10 + (unsigned)(f->p[i] - '0');
  }
  *out = (uint16_t)v;
  return v <= UINT16_MAX && (v > 0 || allow_zero);
}

static void set_host(spec_end *e, const field *f) {
  memcpy(e->host, f->p, f->n);
  e->host[f->n] = '\0';
}

thirl_error spec_read_forward(const char *text, spec_forward *out) {
  field f[FIELDS_MAX];
  size_t n = cut(text, f);
  memset(out, 0, sizeof *out);
  if (n != 3 && n != 4) return THIRL_E_SYNTAX;
  const field *bind = n == 4 ? &f[0] : NULL, *rest = &f[n - 3];
  bool every = bind && bind->n == 0 && !bind->bracketed; /* ":8022:..." is ssh for every address */
  if (bind && !every && !is_host(bind, true)) return THIRL_E_SYNTAX;
  if (!read_port(&rest[0], true, &out->here.port) || !is_host(&rest[1], false) ||
      !read_port(&rest[2], false, &out->there.port))
    return THIRL_E_SYNTAX;
  if (every)
    out->here.host[0] = '*';
  else if (bind)
    set_host(&out->here, bind);
  else
    memcpy(out->here.host, nobody_named, sizeof nobody_named);
  set_host(&out->there, &rest[1]);
  return THIRL_OK;
}

thirl_error spec_read_end(const char *text, bool allow_any, bool to_listen, spec_end *out) {
  field f[FIELDS_MAX];
  size_t n = cut(text, f);
  memset(out, 0, sizeof *out);
  if (n != 2 && !(n == 1 && to_listen)) return THIRL_E_SYNTAX;
  if (n == 2 && !is_host(&f[0], allow_any)) return THIRL_E_SYNTAX;
  bool any_port = f[n - 1].n == 1 && *f[n - 1].p == '*' && allow_any;
  if (!any_port && !read_port(&f[n - 1], to_listen, &out->port)) return THIRL_E_SYNTAX;
  if (n == 2)
    set_host(out, &f[0]);
  else
    memcpy(out->host, nobody_named, sizeof nobody_named);
  return THIRL_OK;
}

bool spec_allows(const spec_end *rule, const spec_end *asked) {
  bool host = strcmp(rule->host, "*") == 0 || strcasecmp(rule->host, asked->host) == 0;
  return host && (rule->port == 0 || rule->port == asked->port);
}

const char *spec_write_end(const spec_end *e, char *out) {
  bool v6 = strchr(e->host, ':') != NULL;
  snprintf(out, SPEC_TEXT_MAX, v6 ? "[%s]:%u" : "%s:%u", e->host, e->port);
  return out;
}
