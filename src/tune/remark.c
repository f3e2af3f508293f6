/* SPDX-License-Identifier: MIT */
#include "tune/remark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_known(const thirl_tune_number *n) {
  return n->why == THIRL_TUNE_WHY_READ;
}

thirl_tune_scene thirl_tune_remark_scene(const thirl_tune_facts *f) {
  const thirl_tune_number *forward = &f->sysctl[THIRL_TUNE_SYSCTL_IP_FORWARD],
                          *cookies = &f->sysctl[THIRL_TUNE_SYSCTL_TCP_SYNCOOKIES],
                          *nr_open = &f->sysctl[THIRL_TUNE_SYSCTL_NR_OPEN];
  bool knows_rules = f->ruleset.why == THIRL_TUNE_WHY_READ && !f->ruleset.has_foreign;
  bool translates = f->ruleset.has_nat || f->ruleset.has_masquerade;
  bool forwards = is_known(forward) && forward->v != 0;
  return (thirl_tune_scene){
      .is_nat = translates && forwards,
      .is_no_nat = (is_known(forward) && forward->v == 0) || (knows_rules && !translates),
      .cookies_are_off = is_known(cookies) && cookies->v == 0,
      .has_bbr = f->congestion.why == THIRL_TUNE_WHY_READ && strncmp(f->congestion.text, "bbr", 3) == 0,
      .nr_open = is_known(nr_open) && nr_open->v > 0 ? (uint64_t)nr_open->v : 0,
  };
}

static thirl_tune_remark *add(thirl_tune_remarks *r, const thirl_tune_myth *myth, const thirl_tune_file *file,
                              unsigned line) {
  if (r->n == THIRL_TUNE_REMARKS_MAX) {
    r->left_out++;
    return NULL;
  }
  thirl_tune_remark *m = &r->list[r->n++];
  *m = (thirl_tune_remark){.myth = myth, .path = file->path, .line = line};
  return m;
}

static void judge_setting(thirl_tune_remarks *r, const thirl_tune_scene *scene, const thirl_tune_settings *all,
                          unsigned i) {
  const thirl_tune_entry *e = &all->entries[i], *winner = &all->entries[e->winner];
  const thirl_tune_myth *myth = thirl_tune_myth_of_setting(scene, e->line.name, e->line.value);
  bool loses = e->winner != i;
  if (e->line.is_exclusion) return;
  if (loses)
    myth = strcmp(e->line.value, winner->line.value) == 0 ? thirl_tune_myth_twice() : thirl_tune_myth_overridden();
  else if (!myth && e->file->place == THIRL_TUNE_PLACE_CONF)
    myth = thirl_tune_myth_unread();
  if (!myth) return;
  thirl_tune_remark *m = add(r, myth, e->file, e->line.line);
  if (!m) return;
  memcpy(m->name, e->line.name, sizeof m->name);
  memcpy(m->value, e->line.value, sizeof m->value);
  if (loses) {
    m->other_path = winner->file->path;
    m->other_line = winner->line.line;
  }
}

static void judge_limits(thirl_tune_remarks *r, const thirl_tune_scene *scene, const thirl_tune_file *file) {
  static const char *const types[] = {"soft", "hard", "-"};
  thirl_tune_limits_file cursor = thirl_tune_limits_file_of(file->text);
  thirl_tune_limit limit;
  while (thirl_tune_limits_file_next(&cursor, &limit)) {
    const thirl_tune_myth *myth = thirl_tune_myth_of_limit(scene, &limit);
    thirl_tune_remark *m = myth ? add(r, myth, file, limit.line) : NULL;
    if (!m) continue;
    snprintf(m->name, sizeof m->name, "%s %s %s", limit.domain, types[limit.type], limit.item);
    snprintf(m->value, sizeof m->value, "%s", limit.value);
  }
}

thirl_error thirl_tune_remark_judge(const thirl_tune_scene *scene, const thirl_tune_file *files, unsigned n,
                                    thirl_tune_remarks *out) {
  thirl_tune_settings all;
  *out = (thirl_tune_remarks){.list = calloc(THIRL_TUNE_REMARKS_MAX, sizeof *out->list)};
  if (!out->list) return THIRL_E_NOMEM;
  thirl_error e = thirl_tune_settings_read(&all, files, n);
  if (e != THIRL_OK) {
    thirl_tune_remark_fini(out);
    return e;
  }
  for (unsigned i = 0; i < all.n; i++)
    judge_setting(out, scene, &all, i);
  for (unsigned i = 0; i < n; i++)
    if (files[i].place == THIRL_TUNE_PLACE_PAM) judge_limits(out, scene, &files[i]);
  out->left_out += all.left_out;
  thirl_tune_settings_fini(&all);
  return THIRL_OK;
}

void thirl_tune_remark_fini(thirl_tune_remarks *r) {
  free(r->list);
  *r = (thirl_tune_remarks){0};
}
