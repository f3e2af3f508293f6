/* SPDX-License-Identifier: MIT */
/* For a person: the worst first, each with what it is, what it does, how it is fixed and how that is undone. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "tune/capacity.h"
#include "tune/words.h"
#include "tune_print.h"

enum { PART_COLUMN = 10 };

static const char kept_in[] = "/etc/sysctl.d/60-thirl.conf";

bool tune_print_shows(const tune_result *r, thirl_tune_id id) {
  return r->report->asked[id] && (!r->has_only || r->only[id]);
}

static void print_part(FILE *to, const char *name, const char *text) {
  if (text && *text) fprintf(to, "      %-*s%s\n", PART_COLUMN, name, text);
}

/* ---- one finding ---- */

static void print_settings(FILE *to, const thirl_tune_finding *f) {
  for (unsigned i = 0; i < f->n_set; i++)
    fprintf(to, "      %-*ssysctl -w %s='%s'\n", PART_COLUMN, i ? "" : "fix", f->set[i].key, f->set[i].value);
}

static void print_kept(FILE *to, const thirl_tune_finding *f) {
  for (unsigned i = 0; i < f->n_set; i++)
    fprintf(to, "      %-*s%s = %s   (in %s)\n", PART_COLUMN, i ? "" : "for good", f->set[i].key, f->set[i].value,
            kept_in);
}

static void print_undo(FILE *to, const thirl_tune_finding *f) {
  for (unsigned i = 0; i < f->n_set; i++)
    if (f->set[i].was[0])
      fprintf(to, "      %-*ssysctl -w %s='%s', and delete the line\n", PART_COLUMN, i ? "" : "undo", f->set[i].key,
              f->set[i].was);
    else
      fprintf(to, "      %-*s%s could not be read: what it was is not known\n", PART_COLUMN, i ? "" : "undo",
              f->set[i].key);
}

static void print_fix(FILE *to, const thirl_tune_finding *f, const thirl_tune_row *row) {
  print_settings(to, f);
  print_part(to, f->n_set ? "" : "fix", f->line[0] ? f->line : row->now);
  print_kept(to, f);
  print_part(to, f->n_set ? "" : "for good", row->keep);
  print_undo(to, f);
  print_part(to, f->n_set ? "" : "undo", f->back[0] ? f->back : row->undo);
  fprintf(to, "      %-*s%s%s\n", PART_COLUMN, "where", thirl_tune_words_say_scope(f->scope),
          f->is_elsewhere ? ": cannot be fixed here" : "");
}

static void print_symptoms(FILE *to, const tune_result *r, thirl_tune_id cause) {
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++) {
    const thirl_tune_finding *f = &r->report->finding[id];
    if (!tune_print_shows(r, (thirl_tune_id)id) || f->cause != cause) continue;
    fprintf(to, "      %-*s%s (%s): %s\n", PART_COLUMN, "explains", thirl_tune_catalogue_row((thirl_tune_id)id)->word,
            thirl_tune_words_level(f->level), f->observed);
  }
}

static void print_finding(FILE *to, const tune_result *r, thirl_tune_id id) {
  const thirl_tune_finding *f = &r->report->finding[id];
  const thirl_tune_row *row = thirl_tune_catalogue_row(id);
  char level[16];
  snprintf(level, sizeof level, "%s", thirl_tune_words_level(f->level));
  for (char *p = level; *p; p++)
    *p = (char)toupper((unsigned char)*p);
  fprintf(to, "%-5s %-9s %s\n", level, row->word, row->title);
  fprintf(to, "      %-*s%s%s%s\n", PART_COLUMN, "is", f->observed,
          f->level > THIRL_TUNE_LEVEL_INFO && f->tense == THIRL_TUNE_TENSE_NOW ? " - broken now" : "",
          f->level > THIRL_TUNE_LEVEL_INFO && f->tense == THIRL_TUNE_TENSE_LATER ? " - will break" : "");
  if (f->level == THIRL_TUNE_LEVEL_OK) return;
  if (f->breaks_at) fprintf(to, "      %-*swith %" PRId64 " clients\n", PART_COLUMN, "breaks", f->breaks_at);
  print_part(to, "wanted", f->expected);
  print_part(to, "does", row->does);
  print_part(to, "measured", row->measured);
  print_fix(to, f, row);
  print_symptoms(to, r, id);
}

/* A cause that is left out by --only leaves its symptoms to stand for themselves. */
static bool is_symptom(const tune_result *r, thirl_tune_id id) {
  thirl_tune_id cause = r->report->finding[id].cause;
  return cause && tune_print_shows(r, cause);
}

static unsigned print_level(FILE *to, const tune_result *r, thirl_tune_level level) {
  unsigned n = 0;
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++) {
    if (!tune_print_shows(r, (thirl_tune_id)id) || r->report->finding[id].level != level) continue;
    if (is_symptom(r, (thirl_tune_id)id)) continue;
    if (n++) fputc('\n', to);
    print_finding(to, r, (thirl_tune_id)id);
  }
  if (n) fputc('\n', to);
  return n;
}

/* ---- what is not known ---- */

static void print_unknown(FILE *to, const tune_result *r) {
  bool any = false;
  for (unsigned why = 0; why < THIRL_TUNE_WHY_COUNT; why++) {
    unsigned n = 0;
    for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++) {
      const thirl_tune_finding *f = &r->report->finding[id];
      if (!tune_print_shows(r, (thirl_tune_id)id) || f->level != THIRL_TUNE_LEVEL_UNKNOWN || f->why != why) continue;
      if (!any) fputs("unknown\n", to);
      any = true;
      fprintf(to, "%s%s", n++ ? " " : "      ", thirl_tune_catalogue_row((thirl_tune_id)id)->word);
    }
    if (n) fprintf(to, ": %s\n", thirl_tune_words_say_why((thirl_tune_why)why));
  }
  if (any) fputc('\n', to);
}

/* Ids that were asked for by --only and are for others. */
static void print_not_for(FILE *to, const tune_result *r) {
  bool any = false;
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++) {
    if (!r->has_only || !r->only[id] || r->report->asked[id]) continue;
    if (!any) fprintf(to, "not for a %s:", thirl_tune_words_profile(r->report->profile));
    any = true;
    fprintf(to, " %s", thirl_tune_catalogue_row((thirl_tune_id)id)->word);
  }
  if (any) fputs("\n\n", to);
}

/* ---- capacity ---- */

static void print_capacity(FILE *to, const tune_result *r) {
  thirl_tune_capacity rows[THIRL_TUNE_CAPACITY_COUNT];
  if (r->report->profile != THIRL_TUNE_SERVER && !r->c->demand.is_given) return;
  thirl_tune_capacity_of(r->c, rows);
  fputs("room for\n", to);
  for (unsigned i = 0; i < THIRL_TUNE_CAPACITY_COUNT; i++) {
    const thirl_tune_capacity *row = &rows[i];
    if (row->why == THIRL_TUNE_WHY_NOT_LOOKED) continue;
    char room[32], asked[48] = "";
    snprintf(room, sizeof room, "%" PRId64, row->room);
    if (row->is_unlimited) snprintf(room, sizeof room, "any number of");
    if (row->why != THIRL_TUNE_WHY_READ) snprintf(room, sizeof room, "?");
    if (row->asked > 0)
      snprintf(asked, sizeof asked, "; asked for %" PRId64 "%s", row->asked,
               row->why == THIRL_TUNE_WHY_READ && !row->is_unlimited && row->room < row->asked ? ": too few" : "");
    fprintf(to, "      %13s %s (%s%s)\n", room, row->counted, row->cost, asked);
  }
  fputc('\n', to);
}

/* ---- all of it ---- */

static void print_head(FILE *to, const tune_result *r) {
  const thirl_tune_facts *f = r->c->after;
  fprintf(to, "for a %s%s: %s\n", thirl_tune_words_profile(r->report->profile),
          r->is_guessed ? " (guessed; --profile says it)" : "", thirl_tune_words_say_profile(r->report->profile));
  fprintf(to, "kernel %u.%u, %s network namespace", f->kernel / 100, f->kernel % 100,
          f->home == THIRL_TUNE_HOME_CHILD   ? "a child"
          : f->home == THIRL_TUNE_HOME_FIRST ? "the first"
                                             : "an unknown");
  if (f->process.why == THIRL_TUNE_WHY_READ) fprintf(to, ", process %" PRId64 " (%s)", f->process.pid, f->process.name);
  if (f->sys_is_read_only) fputs(", /proc/sys is read-only", to);
  fprintf(to, ", watched for %.1f s\n\n", (double)r->c->window_us / 1e6);
}

void tune_print_text(FILE *to, const tune_result *r) {
  unsigned n[THIRL_TUNE_LEVEL_COUNT] = {0};
  if (!r->quiet) print_head(to, r);
  for (int level = THIRL_TUNE_LEVEL_CRIT; level >= (int)THIRL_TUNE_LEVEL_OK; level--) {
    if (level == THIRL_TUNE_LEVEL_OK && !r->all) continue;
    if (level < (int)THIRL_TUNE_LEVEL_WARN && r->quiet) continue;
    print_level(to, r, (thirl_tune_level)level);
  }
  if (r->myths) tune_myth_print_text(to, r->myths, r->quiet);
  if (r->quiet) return;
  print_capacity(to, r);
  print_unknown(to, r);
  print_not_for(to, r);
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++)
    if (tune_print_shows(r, (thirl_tune_id)id)) n[r->report->finding[id].level]++;
  fprintf(to, "critical: %u, warnings: %u, for information: %u, fine: %u, unknown: %u\n", n[THIRL_TUNE_LEVEL_CRIT],
          n[THIRL_TUNE_LEVEL_WARN], n[THIRL_TUNE_LEVEL_INFO], n[THIRL_TUNE_LEVEL_OK], n[THIRL_TUNE_LEVEL_UNKNOWN]);
}
