/* SPDX-License-Identifier: MIT */
#include "tune_myth.h"

#include <string.h>

thirl_error tune_myth_read(const char *root, const thirl_tune_facts *f, tune_myths *m) {
  thirl_tune_scene scene = thirl_tune_remark_scene(f);
  *m = (tune_myths){0};
  thirl_error e = thirl_host_sysctl_dirs_read(strcmp(root, "/") == 0 ? "" : root, &m->dirs);
  if (e == THIRL_OK) e = thirl_tune_remark_judge(&scene, m->dirs.files, m->dirs.n, &m->remarks);
  if (e != THIRL_OK) tune_myth_fini(m);
  return e;
}

void tune_myth_fini(tune_myths *m) {
  thirl_tune_remark_fini(&m->remarks);
  thirl_host_sysctl_dirs_fini(&m->dirs);
}

static bool does_harm(const thirl_tune_remark *r) {
  return r->myth->verdict <= THIRL_TUNE_MYTH_IMPOSSIBLE;
}

bool tune_myth_is_harmful(const tune_myths *m) {
  for (unsigned i = 0; i < m->remarks.n; i++)
    if (does_harm(&m->remarks.list[i])) return true;
  return false;
}

static void print_part(FILE *to, const char *name, const char *text) {
  if (text) fprintf(to, "      %-10s%s\n", name, text);
}

static void print_remark(FILE *to, const thirl_tune_remark *r) {
  fprintf(to, "      %s:%u: %s = %s\n", r->path, r->line, r->name, r->value);
  fprintf(to, "      %-10s%s: %s\n", "is", thirl_tune_myth_word(r->myth->verdict), r->myth->sentence);
  if (r->other_path) fprintf(to, "      %-10s%s:%u\n", "wins", r->other_path, r->other_line);
  print_part(to, "measured", r->myth->figure);
  print_part(to, "instead", r->myth->instead);
}

void tune_myth_print_text(FILE *to, const tune_myths *m, bool only_harmful) {
  bool any = false;
  for (unsigned i = 0; i < m->remarks.n; i++) {
    const thirl_tune_remark *r = &m->remarks.list[i];
    if (only_harmful && !does_harm(r)) continue;
    fputs(any ? "\n" : "lines in configuration files that are not what they seem (docs/tuning-2012.md)\n", to);
    print_remark(to, r);
    any = true;
  }
  if (any && m->remarks.left_out) fprintf(to, "\n      and %u more\n", m->remarks.left_out);
  if (any) fputc('\n', to);
}

static void put_text(json_t *o, const char *key, const char *text) {
  if (text) (void)json_object_set_new(o, key, json_string(text));
}

json_t *tune_myth_json(const tune_myths *m) {
  json_t *list = json_array();
  for (unsigned i = 0; i < m->remarks.n; i++) {
    const thirl_tune_remark *r = &m->remarks.list[i];
    json_t *o = json_object();
    put_text(o, "id", r->myth->id);
    put_text(o, "verdict", thirl_tune_myth_word(r->myth->verdict));
    put_text(o, "file", r->path);
    (void)json_object_set_new(o, "line", json_integer(r->line));
    put_text(o, "name", r->name);
    put_text(o, "value", r->value);
    put_text(o, "text", r->myth->sentence);
    put_text(o, "measured", r->myth->figure);
    put_text(o, "instead", r->myth->instead);
    put_text(o, "wins_file", r->other_path);
    if (r->other_path) (void)json_object_set_new(o, "wins_line", json_integer(r->other_line));
    (void)json_array_append_new(list, o);
  }
  return list;
}
