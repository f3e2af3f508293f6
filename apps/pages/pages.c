/* SPDX-License-Identifier: MIT */
#include "pages.h"

#include <stdlib.h>
#include <string.h>

bool pages_get(size_t i, page *out) {
  size_t n = 0;
  if (page_thirl(i, out)) return true;
  while (page_thirl(n, out))
    n++;
  return page_thirld(i - n, out);
}

void pages_path(const page *p, const char *root, char *out, size_t size) {
  snprintf(out, size, "%s/docs/man/%s.txt", root, p->name);
}

static bool has_row(const page *p, const char *name) {
  for (const option_row *const *o = p->rows; o && *o; o++)
    if (strcmp((*o)->name, name) == 0) return true;
  return false;
}

/* An option that the prose speaks of and the table has not. */
static const block *find_stale(const page *p, const prose *words) {
  for (size_t i = prose_find(words, "options"); p->rows && prose_goes_on(words, i); i++)
    if (words->blocks[i].kind == BLOCK_TERM && !has_row(p, words->blocks[i].term)) return &words->blocks[i];
  return NULL;
}

static bool check_words(const page *p, const prose *words, char *complaint) {
  const block *stale = find_stale(p, words);
  static const char *const wanted[] = {"description", "examples", "see also"};
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    if (prose_goes_on(words, prose_find(words, wanted[i]))) continue;
    snprintf(complaint, 256, "docs/man/%s.txt has no \"== %s\"", p->name, wanted[i]);
    return false;
  }
  if (!stale) return true;
  snprintf(complaint, 256, "docs/man/%s.txt:%u: the table has no option %.60s", p->name, stale->line, stale->term);
  return false;
}

bool pages_check(const page *p, const char *root, char *complaint) {
  char path[512];
  prose *words = malloc(sizeof *words);
  pages_path(p, root, path, sizeof path);
  if (!words || !prose_read(path, words, complaint)) {
    snprintf(complaint, 256, "\"%s\" has no page: write docs/man/%s.txt (apps/pages/prose.h says how)", p->name,
             p->name);
    free(words);
    return false;
  }
  bool good = check_words(p, words, complaint);
  prose_free(words);
  free(words);
  return good;
}
