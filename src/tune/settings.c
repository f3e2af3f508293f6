/* SPDX-License-Identifier: MIT */
#include "tune/settings.h"

#include <stdlib.h>
#include <string.h>

static const char *base_of(const thirl_tune_file *f) {
  const char *slash = strrchr(f->path, '/');
  return slash ? slash + 1 : f->path;
}

static bool is_of_dirs(const thirl_tune_file *f) {
  return f->place < THIRL_TUNE_PLACE_CONF;
}

/* Is there one of the same name in a stronger place? */
static bool is_hidden(const thirl_tune_file *f, const thirl_tune_file *files, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    if (files[i].place < f->place && strcmp(base_of(&files[i]), base_of(f)) == 0) return true;
  return false;
}

static bool has_link_to_conf(const thirl_tune_file *files, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    if (is_of_dirs(&files[i]) && files[i].is_conf && !is_hidden(&files[i], files, n)) return true;
  return false;
}

static int compare(const void *a, const void *b) {
  const thirl_tune_file *const *x = a, *const *y = b;
  if (is_of_dirs(*x) != is_of_dirs(*y)) return is_of_dirs(*x) ? -1 : 1; /* sysctl.conf is last */
  return strcmp(base_of(*x), base_of(*y));
}

/* Those that are read at all, in their order. */
static unsigned choose(thirl_tune_settings *s, const thirl_tune_file *files, unsigned n,
                       const thirl_tune_file *chosen[THIRL_TUNE_FILES_MAX]) {
  unsigned m = 0;
  bool is_linked = has_link_to_conf(files, n);
  for (unsigned i = 0; i < n; i++) {
    const thirl_tune_file *f = &files[i];
    if (f->place > THIRL_TUNE_PLACE_CONF) continue;
    if (f->place == THIRL_TUNE_PLACE_CONF && is_linked) continue;
    if (is_of_dirs(f) && is_hidden(f, files, n)) continue;
    if (f->place == THIRL_TUNE_PLACE_CONF) s->conf_is_last = true;
    if (m == THIRL_TUNE_FILES_MAX) {
      s->left_out++;
      continue;
    }
    chosen[m++] = f;
  }
  if (m) qsort(chosen, m, sizeof *chosen, compare);
  return m;
}

static void read_file(thirl_tune_settings *s, const thirl_tune_file *file) {
  thirl_tune_sysctl_file cursor = thirl_tune_sysctl_file_of(file->text);
  thirl_tune_line line;
  while (thirl_tune_sysctl_file_next(&cursor, &line)) {
    if (s->n == THIRL_TUNE_ENTRIES_MAX) {
      s->left_out++;
      continue;
    }
    s->entries[s->n] = (thirl_tune_entry){.line = line, .file = file, .winner = s->n};
    s->n++;
  }
  s->bad += cursor.bad;
}

static bool is_plain(const thirl_tune_entry *e) {
  return !e->line.is_pattern && !e->line.is_exclusion;
}

static void find_winners(thirl_tune_settings *s) {
  for (unsigned i = 0; i < s->n; i++)
    for (unsigned k = s->n; is_plain(&s->entries[i]) && k-- > i + 1;)
      if (is_plain(&s->entries[k]) && strcmp(s->entries[k].line.name, s->entries[i].line.name) == 0) {
        s->entries[i].winner = k;
        break;
      }
}

thirl_error thirl_tune_settings_read(thirl_tune_settings *s, const thirl_tune_file *files, unsigned n) {
  const thirl_tune_file *chosen[THIRL_TUNE_FILES_MAX];
  *s = (thirl_tune_settings){.entries = calloc(THIRL_TUNE_ENTRIES_MAX, sizeof *s->entries)};
  if (!s->entries) return THIRL_E_NOMEM;
  unsigned m = choose(s, files, n, chosen);
  for (unsigned i = 0; i < m; i++)
    read_file(s, chosen[i]);
  find_winners(s);
  return THIRL_OK;
}

void thirl_tune_settings_fini(thirl_tune_settings *s) {
  free(s->entries);
  *s = (thirl_tune_settings){0};
}

const thirl_tune_entry *thirl_tune_settings_find(const thirl_tune_settings *s, const char *name) {
  for (unsigned i = s->n; i-- > 0;)
    if (is_plain(&s->entries[i]) && strcmp(s->entries[i].line.name, name) == 0) return &s->entries[i];
  return NULL;
}
