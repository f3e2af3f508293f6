/* SPDX-License-Identifier: MIT */
/* One page of the manual: what the tables say of it. The rest of it is prose.h. */
#ifndef THIRL_PAGES_PAGE_H
#define THIRL_PAGES_PAGE_H

#include "apps/options/exits.h"
#include "apps/options/options.h"
#include "prose.h"

enum { PAGE_MAX = 64, PAGE_EXITS_MAX = 16, PAGE_ROWS_MAX = 64 };

typedef struct page {
  char name[48];       /* "thirl-listen" */
  const char *section; /* "1" */
  const char *brief;   /* NAME: no full stop */
  const char *program; /* "thirl"; NULL: a file, without synopsis */
  const char *command; /* "listen", "lab matrix", "" */
  const char *synopsis;
  const option_row *const *rows;    /* NULL: none, or told by an insert */
  exit_row exits[PAGE_EXITS_MAX];   /* ends with a word that is NULL */
  const char *exit_words;           /* instead */
  void (*write_synopsis)(FILE *to); /* instead, where there are several */
  bool (*insert)(const char *what, const prose *p,
                 FILE *to); /* what an "@what" stands for; false: there is no such thing */
} page;

/** The i-th page that the tables of thirl, or of thirld, ask for. False past the last. */
bool page_thirl(size_t i, page *out);
bool page_thirld(size_t i, page *out);

#endif
