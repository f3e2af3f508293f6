/* SPDX-License-Identifier: MIT */
#include "lab/text/show.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/text/natwords.h"
#include "lab/text/terms.h"

enum {
  COLUMNS = 80,
  TEXT_MAX = 4096,
  BARS_MAX = 1024,
  DEPTH_MAX = 40 /* deeper, the bars alone would fill the line: such nets are named and not drawn */
};

typedef struct drawing {
  const thirl_lab_topology *t;
  FILE *out;
} drawing;

/* Of UTF-8, one for each character: all that is printed here is narrow. */
static size_t columns(const char *text) {
  size_t n = 0;
  for (; *text; text++)
    n += ((unsigned char)*text & 0xc0) != 0x80;
  return n;
}

/* Text behind bars, and where it is too long for the line, again behind the bars of the rest and a little further in. */
static void put(const drawing *d, const char *first, const char *rest, const char *text) {
  size_t used = columns(first);
  bool is_fresh = true;
  fputs(first, d->out);
  while (*text) {
    size_t n = strcspn(text, " ");
    if (!is_fresh && used + 1 + n > COLUMNS) {
      fprintf(d->out, "\n%s  ", rest);
      used = columns(rest) + 2;
      is_fresh = true;
    }
    fprintf(d->out, "%s%.*s", is_fresh ? "" : " ", (int)n, text);
    used += n + !is_fresh;
    is_fresh = false;
    text += n;
    text += strspn(text, " ");
  }
  fputc('\n', d->out);
}

typedef struct line {
  char text[TEXT_MAX];
  size_t n;
} line;

__attribute__((format(printf, 2, 3))) static void add(line *l, const char *format, ...) {
  va_list list;
  va_start(list, format);
  int n = vsnprintf(l->text + l->n, sizeof l->text - l->n, format, list);
  va_end(list);
  if (n > 0) l->n = THIRL_MIN(l->n + (size_t)n, sizeof l->text - 1);
}

static void add_addresses(line *l, const thirl_lab_cable *c) {
  char text[THIRL_LAB_ADDRESS_TEXT_MAX];
  for (size_t i = 0; i < c->n_addrs; i++)
    add(l, " %s", thirl_lab_address_format_ip(&c->addrs[i].addr, text));
}

static void put_link(const drawing *d, const char *bars, const char *name, const thirl_lab_cable *c) {
  char up[THIRL_LAB_LINE_MAX], down[THIRL_LAB_LINE_MAX];
  line l = {.n = 0};
  thirl_lab_terms_format(&c->up, up, sizeof up);
  thirl_lab_terms_format(&c->down, down, sizeof down);
  if (!*up && !*down) return;
  if (strcmp(up, down) == 0)
    add(&l, "%s: %s", name, up);
  else {
    add(&l, "%s:", name);
    if (*up) add(&l, " up %s%s", up, *down ? "," : "");
    if (*down) add(&l, " down %s", down);
  }
  put(d, bars, bars, l.text);
}

/* Bars and some more, or, where the nets are too deep, the bars alone. */
static void join(char out[BARS_MAX], const char *bars, const char *more) {
  size_t n = strlen(bars), m = strlen(more);
  memcpy(out, bars, n + 1);
  if (n + m < BARS_MAX) memcpy(out + n, more, m + 1);
}

/* The last node on a net, SIZE_MAX: there is none. */
static size_t last_on(const thirl_lab_topology *t, size_t net) {
  for (size_t i = t->n_nodes; i-- > 0;)
    if (t->nodes[i].outer.net == net) return i;
  return SIZE_MAX;
}

static void put_nat(const drawing *d, const thirl_lab_node *n, const char *bars) {
  char words[TEXT_MAX / 2];
  line l = {.n = 0};
  if (n->recipe[0])
    add(&l, "NAT, netfilter: the recipe %s", n->recipe);
  else
    add(&l, "NAT%s: %s", n->engine == THIRL_LAB_NETFILTER ? ", netfilter" : "",
        thirl_lab_natwords_format(&n->nat, words, sizeof words));
  put(d, bars, bars, l.text);
  put_link(d, bars, "inner link", &n->inner);
}

static void put_members(const drawing *d, size_t net, const char *bars, unsigned depth);

static void put_node(const drawing *d, const thirl_lab_node *n, const char *bars, bool is_last, unsigned depth) {
  char first[BARS_MAX], rest[BARS_MAX], below[BARS_MAX], text[THIRL_LAB_ADDRESS_TEXT_MAX];
  bool is_nat = n->kind == THIRL_LAB_NAT, is_deep = depth >= DEPTH_MAX;
  line l = {.n = 0};
  join(first, bars, is_last ? "└─ " : "├─ ");
  join(rest, bars, is_last ? "   " : "│  ");
  join(below, rest, is_nat && !is_deep && last_on(d->t, n->inner.net) != SIZE_MAX ? "│  " : "   ");
  add(&l, is_nat ? "[%s]" : "%s", n->name);
  add_addresses(&l, &n->outer);
  if (is_nat) add(&l, " ->");
  for (size_t i = 0; is_nat && i < n->inner.n_addrs; i++)
    add(&l, " %s", thirl_lab_address_format(&n->inner.addrs[i], text));
  put(d, first, below, l.text);
  if (is_nat) put_nat(d, n, below);
  put_link(d, below, "link", &n->outer);
  if (is_nat && !is_deep) put_members(d, n->inner.net, rest, depth + 1);
}

static void put_members(const drawing *d, size_t net, const char *bars, unsigned depth) {
  size_t last = last_on(d->t, net);
  for (size_t i = 0; i < d->t->n_nodes; i++)
    if (d->t->nodes[i].outer.net == net) put_node(d, &d->t->nodes[i], bars, i == last, depth);
}

/* A part of the internet. */
static void put_root(const drawing *d, size_t net, const char *first, const char *bars) {
  const thirl_lab_net *n = &d->t->nets[net];
  char text[THIRL_LAB_ADDRESS_TEXT_MAX], below[BARS_MAX];
  line l = {.n = 0};
  add(&l, "%s", n->name);
  for (size_t i = 0; i < n->n_prefixes; i++)
    add(&l, " %s", thirl_lab_address_format(&n->prefixes[i], text));
  join(below, bars, last_on(d->t, net) == SIZE_MAX ? "   " : "│  ");
  put(d, first, below, l.text);
  put_members(d, net, bars, 0);
}

char *thirl_lab_show_draw(const thirl_lab_topology *t) {
  char *text = NULL;
  size_t size = 0, n_roots = 0, seen = 0;
  drawing d = {.t = t, .out = open_memstream(&text, &size)};
  if (!d.out) return NULL;
  for (size_t i = 0; i < t->n_nets; i++)
    n_roots += t->nets[i].nat < 0;
  if (n_roots > 1) fputs("the internet\n", d.out);
  for (size_t i = 0; i < t->n_nets; i++) {
    if (t->nets[i].nat >= 0) continue;
    bool is_last = ++seen == n_roots;
    if (n_roots == 1)
      put_root(&d, i, "", "");
    else
      put_root(&d, i, is_last ? "└─ " : "├─ ", is_last ? "   " : "│  ");
  }
  bool failed = ferror(d.out) != 0;
  if (fclose(d.out) != 0 || failed) {
    free(text);
    return NULL;
  }
  return text;
}
