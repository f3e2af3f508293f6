/* SPDX-License-Identifier: MIT */
/*
 * The report as JSON: {"v": 1, "type": "tune", "profile": ..., "findings": [...], "unknown": [...], "capacity": [...], ...}, described in docs/tune-json.md.
 * Words are those of tune/terms.h, ids those of tune/row.h. Within version 1 members are only added.
 */
#include <stdlib.h>

#include <jansson.h>

#include "tune/capacity.h"
#include "tune/words.h"
#include "tune_print.h"

static void put(json_t *o, const char *key, json_t *value) {
  (void)json_object_set_new(o, key, value);
}

static void put_word(json_t *o, const char *key, const char *word) {
  if (word && *word) put(o, key, json_string(word));
}

static void put_number(json_t *o, const char *key, int64_t n) {
  put(o, key, json_integer((json_int_t)n));
}

/* ---- findings ---- */

static json_t *settings(const thirl_tune_finding *f) {
  json_t *list = json_array();
  for (unsigned i = 0; i < f->n_set; i++) {
    json_t *o = json_object();
    put_word(o, "key", f->set[i].key);
    put_word(o, "value", f->set[i].value);
    put(o, "was", f->set[i].was[0] ? json_string(f->set[i].was) : json_null());
    (void)json_array_append_new(list, o);
  }
  return list;
}

static json_t *finding(const thirl_tune_finding *f) {
  const thirl_tune_row *row = thirl_tune_catalogue_row(f->id);
  json_t *o = json_object();
  put_word(o, "id", row->word);
  put_word(o, "level", thirl_tune_words_level(f->level));
  put_word(o, "title", row->title);
  put_word(o, "observed", f->observed);
  if (f->level == THIRL_TUNE_LEVEL_OK) return o;
  put_word(o, "tense", thirl_tune_words_tense(f->tense));
  put_word(o, "expected", f->expected);
  put_word(o, "does", row->does);
  put_word(o, "measured", row->measured);
  if (f->breaks_at) put_number(o, "breaks_at_clients", f->breaks_at);
  put(o, "set", settings(f));
  put_word(o, "fix", f->line[0] ? f->line : row->now);
  put_word(o, "keep", row->keep);
  put_word(o, "undo", f->back[0] ? f->back : row->undo);
  put_word(o, "scope", thirl_tune_words_scope(f->scope));
  put(o, "fixable_here", json_boolean(!f->is_elsewhere));
  if (f->cause) put_word(o, "cause", thirl_tune_catalogue_row(f->cause)->word);
  if (f->explained > f->level) put_word(o, "explains_level", thirl_tune_words_level(f->explained));
  return o;
}

static json_t *not_known(const thirl_tune_finding *f) {
  json_t *o = json_object();
  put_word(o, "id", thirl_tune_catalogue_row(f->id)->word);
  put_word(o, "title", thirl_tune_catalogue_row(f->id)->title);
  put_word(o, "why", thirl_tune_words_why(f->why));
  put_word(o, "text", thirl_tune_words_say_why(f->why));
  return o;
}

static void put_findings(json_t *o, const tune_result *r) {
  json_t *others = json_array(); /* ids of --only that are for another profile */
  json_t *found = json_array(), *fine = json_array(), *unknown = json_array(), *counts = json_object();
  unsigned n[THIRL_TUNE_LEVEL_COUNT] = {0};
  for (int level = THIRL_TUNE_LEVEL_CRIT; level >= (int)THIRL_TUNE_LEVEL_UNKNOWN; level--)
    for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++) {
      const thirl_tune_finding *f = &r->report->finding[id];
      if (!tune_print_shows(r, (thirl_tune_id)id) || (int)f->level != level) continue;
      n[level]++;
      if (level == THIRL_TUNE_LEVEL_UNKNOWN)
        (void)json_array_append_new(unknown, not_known(f));
      else
        (void)json_array_append_new(level == THIRL_TUNE_LEVEL_OK ? fine : found, finding(f));
    }
  for (int level = THIRL_TUNE_LEVEL_CRIT; level >= (int)THIRL_TUNE_LEVEL_UNKNOWN; level--)
    put_number(counts, thirl_tune_words_level((thirl_tune_level)level), n[level]);
  put(o, "counts", counts);
  put(o, "findings", found);
  put(o, "fine", fine);
  put(o, "unknown", unknown);
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++)
    if (r->has_only && r->only[id] && !r->report->asked[id])
      (void)json_array_append_new(others, json_string(thirl_tune_catalogue_row((thirl_tune_id)id)->word));
  put(o, "not_for_profile", others);
}

/* ---- the rest ---- */

static json_t *capacity(const thirl_tune_case *c) {
  thirl_tune_capacity rows[THIRL_TUNE_CAPACITY_COUNT];
  json_t *list = json_array();
  thirl_tune_capacity_of(c, rows);
  for (unsigned i = 0; i < THIRL_TUNE_CAPACITY_COUNT; i++) {
    if (rows[i].why == THIRL_TUNE_WHY_NOT_LOOKED) continue;
    json_t *o = json_object();
    bool known = rows[i].why == THIRL_TUNE_WHY_READ;
    put_word(o, "of", rows[i].word);
    put_word(o, "counted", rows[i].counted);
    put_word(o, "cost", rows[i].cost);
    put(o, "room", known && !rows[i].is_unlimited ? json_integer((json_int_t)rows[i].room) : json_null());
    put(o, "unlimited", json_boolean(known && rows[i].is_unlimited));
    if (!known) put_word(o, "why", thirl_tune_words_why(rows[i].why));
    if (rows[i].asked > 0) put_number(o, "asked", rows[i].asked);
    (void)json_array_append_new(list, o);
  }
  return list;
}

static json_t *process(const thirl_tune_process *p) {
  json_t *o = json_object();
  if (p->why != THIRL_TUNE_WHY_READ) {
    json_decref(o);
    return json_null();
  }
  put_number(o, "pid", p->pid);
  put_word(o, "name", p->name);
  put_word(o, "unit", p->unit);
  return o;
}

bool tune_print_json(FILE *to, const tune_result *r) {
  const thirl_tune_facts *f = r->c->after;
  char kernel[32];
  json_t *o = json_object();
  snprintf(kernel, sizeof kernel, "%u.%u", f->kernel / 100, f->kernel % 100);
  put_number(o, "v", 1);
  put_word(o, "type", "tune");
  put_word(o, "profile", thirl_tune_words_profile(r->report->profile));
  put(o, "profile_guessed", json_boolean(r->is_guessed));
  put_word(o, "kernel", kernel);
  put_word(o, "namespace",
           f->home == THIRL_TUNE_HOME_CHILD   ? "child"
           : f->home == THIRL_TUNE_HOME_FIRST ? "first"
                                              : "unknown");
  put(o, "read_only", json_boolean(f->sys_is_read_only));
  put(o, "process", process(&f->process));
  put_number(o, "window_us", r->c->window_us);
  put_findings(o, r);
  if (r->myths) put(o, "files", tune_myth_json(r->myths));
  put(o, "capacity", capacity(r->c));
  char *text = json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER);
  json_decref(o);
  if (!text) return false;
  fprintf(to, "%s\n", text);
  free(text);
  return true;
}
