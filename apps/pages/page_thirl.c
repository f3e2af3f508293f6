/* SPDX-License-Identifier: MIT */
/* The pages of thirl: thirl(1), one for each command, thirl-lab(1) and thirl-lab-matrix(1). */
#include <string.h>

#include "apps/thirl/lab_command.h"
#include "inline.h"
#include "lab/text/preset.h"
#include "mdoc.h"
#include "page.h"
#include "tune/catalogue.h"

/* A command of lab that is too large for thirl-lab(1). */
static bool has_own_page(const command *lab) {
  return strcmp(lab->name, "matrix") == 0;
}

/* ---- thirl(1) ---- */

static bool insert_in_thirl(const char *what, const prose *words, FILE *to) {
  (void)words;
  if (strcmp(what, "commands") == 0) {
    fputs(".Bl -tag -width Ds\n", to);
    for (const command *c = command_table; c->name; c++) {
      fprintf(to, ".It Xr thirl-%s 1\n", c->name);
      inline_sentence(c->summary, to);
    }
    fputs(".El\n", to);
    return true;
  }
  if (strcmp(what, "errors") != 0) return false;
  fputs(".Pp\n.Bl -tag -width E_UNSUPPORTED -compact\n", to);
  for (int e = THIRL_OK + 1; e < THIRL_ERROR_COUNT; e++) {
    fprintf(to, ".It Er %s\n", thirl_error_name((thirl_error)e));
    inline_sentence(thirl_error_text((thirl_error)e), to);
  }
  fputs(".El\n", to);
  return true;
}

/* ---- thirl-tune(1) ---- */

static bool insert_in_tune(const char *what, const prose *words, FILE *to) {
  (void)words;
  if (strcmp(what, "findings") != 0) return false;
  fputs(".Bl -tag -width NAT10 -compact\n", to);
  for (int id = THIRL_TUNE_NONE + 1; id < THIRL_TUNE_ID_COUNT; id++) {
    const thirl_tune_row *row = thirl_tune_catalogue_row((thirl_tune_id)id);
    fprintf(to, ".It %s\n", row->word);
    inline_sentence(row->title, to);
  }
  fputs(".El\n", to);
  return true;
}

/* ---- thirl-lab(1) ---- */

static void write_lab_synopsis(FILE *to) {
  char name[32];
  for (const command *c = lab_table; c->name; c++) {
    snprintf(name, sizeof name, "lab %s", c->name);
    if (!has_own_page(c)) mdoc_synopsis("thirl", name, c->options, c->synopsis, to);
  }
  fputs(".Nm thirl\n.Cm lab matrix\n.Op Ar options\n", to);
}

static void put_lab_commands(const prose *words, FILE *to) {
  fputs(".Bl -tag -width Ds\n", to);
  for (const command *c = lab_table; c->name; c++) {
    const block *more = prose_term(words, "commands", c->name);
    const char *synopsis = c->synopsis;
    if (strncmp(synopsis, "[options]", 9) == 0 || strncmp(synopsis, "[--name", 7) == 0)
      synopsis += strcspn(synopsis, "]") + 1;
    synopsis += strspn(synopsis, " ");
    fprintf(to, ".It Cm %s%s", c->name, *synopsis ? " " : "");
    inline_value(synopsis, to);
    fputc('\n', to);
    inline_sentence(c->summary, to);
    if (more) inline_text(more->text, to);
  }
  fputs(".El\n", to);
}

/* The options of all commands, each once. */
static void put_lab_options(const prose *words, FILE *to) {
  const option_row *rows[PAGE_ROWS_MAX + 1];
  size_t n = 0;
  for (const command *c = lab_table; c->name; c++)
    for (const option_row *const *o = c->options; *o && !has_own_page(c); o++) {
      size_t i = 0;
      while (i < n && rows[i] != *o)
        i++;
      if (i == n && n < PAGE_ROWS_MAX) rows[n++] = *o;
    }
  rows[n] = NULL;
  mdoc_options(rows, words, to);
}

static void put_presets(FILE *to) {
  const thirl_lab_preset *p;
  fputs(".Pp\n.Bl -tag -width port-restricted -compact\n", to);
  for (size_t i = 0; (p = thirl_lab_preset_get(i)); i++) {
    fprintf(to, ".It Cm %s\n", p->name);
    inline_sentence(p->sentence, to);
  }
  fputs(".El\n", to);
}

static bool insert_in_lab(const char *what, const prose *words, FILE *to) {
  if (strcmp(what, "commands") == 0)
    put_lab_commands(words, to);
  else if (strcmp(what, "options") == 0)
    put_lab_options(words, to);
  else if (strcmp(what, "presets") == 0)
    put_presets(to);
  else
    return false;
  return true;
}

/* ---- all of them ---- */

static void copy_exits(const command *c, page *out) {
  size_t n = 0;
  unsigned exits = c && c->exits ? c->exits : EXIT_SESSION;
  for (const exit_row *e = exit_table; e->word && n + 1 < PAGE_EXITS_MAX; e++)
    if (exits & EXIT_SET(e->code)) out->exits[n++] = *e;
}

static void fill(const command *c, const char *before, page *out) {
  *out = (page){.section = "1",
                .brief = c->summary,
                .program = "thirl",
                .command = c->name,
                .synopsis = c->synopsis,
                .rows = c->options,
                .exit_words = c->exit_words};
  snprintf(out->name, sizeof out->name, "%s-%s", before, c->name);
  copy_exits(c, out);
}

bool page_thirl(size_t i, page *out) {
  if (i == 0) {
    *out = (page){.name = "thirl",
                  .section = "1",
                  .brief = "direct encrypted connections between two machines behind NATs",
                  .program = "thirl",
                  .command = "",
                  .synopsis = "COMMAND [OPTIONS]",
                  .insert = insert_in_thirl};
    copy_exits(NULL, out);
    return true;
  }
  i--;
  for (const command *c = command_table; c->name; c++) {
    if (i-- > 0) continue;
    fill(c, "thirl", out);
    if (strcmp(c->name, "tune") == 0) out->insert = insert_in_tune;
    if (!c->commands) return true;
    out->brief = "any network of hosts and NATs on this machine";
    out->write_synopsis = write_lab_synopsis;
    out->insert = insert_in_lab;
    out->exit_words = "0 when it is done, 1 when the machine said no, 2 when the command line or the text of a network "
                      "is wrong; that of exec is the one of its command";
    return true;
  }
  for (const command *c = lab_table; c->name; c++) {
    if (!has_own_page(c) || i-- > 0) continue;
    fill(c, "thirl-lab", out);
    out->command = "lab matrix";
    return true;
  }
  return false;
}
