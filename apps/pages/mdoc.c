/* SPDX-License-Identifier: MIT */
#include "mdoc.h"

#include <ctype.h>
#include <string.h>

#include "complete.h"
#include "inline.h"

#ifndef THIRL_VERSION
#define THIRL_VERSION "unknown"
#endif

/* Of the text; change it with it. */
static const char DATE[] = "November 30, 2026";

/* The order of mdoc(7). Other sections come after the description. */
static const char *const AFTER[] = {"environment", "files",     "exit status", "examples", "diagnostics",
                                    "see also",    "standards", "caveats",     "security"};
enum { AFTER_N = sizeof AFTER / sizeof AFTER[0] };

static void put_header(const char *macro, const char *title, FILE *to) {
  fprintf(to, ".%s ", macro);
  for (const char *c = title; *c; c++)
    fputc(strcmp(macro, "Sh") == 0 ? toupper((unsigned char)*c) : *c, to);
  fputc('\n', to);
}

/* ---- blocks ---- */

/* Where in a section we are: what has to be closed, and whether a paragraph needs room above. */
typedef struct flow {
  const char *list; /* "-bullet" or "-tag -width Ds", open; NULL: none */
  bool is_first;
  FILE *to;
} flow;

static void end_list(flow *f) {
  if (f->list) fputs(".El\n", f->to);
  f->list = NULL;
}

static void need_list(flow *f, const char *list) {
  if (f->list && strcmp(f->list, list) == 0) return;
  end_list(f);
  fprintf(f->to, ".Bl %s\n", list);
  f->list = list;
}

static void put_display(flow *f, const char *text) {
  fputs(".Bd -literal -offset indent\n", f->to);
  while (*text) {
    size_t n = strcspn(text, "\n");
    inline_literal(text, n, f->to);
    text += n + 1;
  }
  fputs(".Ed\n", f->to);
}

static void put_term(flow *f, const block *b) {
  need_list(f, "-tag -width Ds");
  fputs(".It ", f->to);
  bool is_variable = strspn(b->term, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == strlen(b->term);
  const char *macro = is_variable ? "Ev" : strchr("~/", *b->term) ? "Pa" : *b->term == '$' ? "Pa" : "Ic";
  if (*b->term == '`' || strchr(b->term, ' ') || strcmp(macro, "Ic") != 0) {
    fprintf(f->to, "%s \"", macro);
    for (const char *c = b->term; *c; c++)
      fputs(*c == '-' ? "\\-" : *c == '"' ? "\\(dq" : *c == '`' ? "" : (char[]){*c, '\0'}, f->to);
    fputs("\"\n", f->to);
  } else {
    fprintf(f->to, "%s %s\n", macro, b->term);
  }
  inline_text(b->text, f->to);
}

static bool put_block(flow *f, const page *p, const prose *words, const block *b) {
  bool was_first = f->is_first;
  f->is_first = false;
  switch (b->kind) {
  case BLOCK_SUBSECTION:
    end_list(f);
    put_header("Ss", b->text, f->to);
    f->is_first = true;
    break;
  case BLOCK_PARAGRAPH:
    end_list(f);
    if (!was_first) fputs(".Pp\n", f->to);
    inline_text(b->text, f->to);
    break;
  case BLOCK_ITEM:
    need_list(f, "-bullet");
    fputs(".It\n", f->to);
    inline_text(b->text, f->to);
    break;
  case BLOCK_TERM:
    put_term(f, b);
    break;
  case BLOCK_DISPLAY:
    put_display(f, b->text);
    break;
  case BLOCK_INSERT:
    end_list(f);
    if (p->insert && p->insert(b->text, words, f->to)) break;
    fprintf(stderr, "%s.txt:%u: there is no @%s\n", p->name, b->line, b->text);
    return false;
  default:
    break;
  }
  return true;
}

/* What the prose has below one title. */
static bool put_section(const page *p, const prose *words, const char *title, bool is_first, FILE *to) {
  flow f = {.is_first = is_first, .to = to};
  for (size_t i = prose_find(words, title); prose_goes_on(words, i); i++)
    if (!put_block(&f, p, words, &words->blocks[i])) return false;
  end_list(&f);
  return true;
}

/* ---- what the tables say ---- */

static void put_names(const option_row *o, FILE *to) {
  char names[48], *comma;
  options_names(o, names, sizeof names);
  if ((comma = strstr(names, ", "))) {
    *comma = '\0';
    fprintf(to, "Fl %s , Fl %s", names + 1, comma + 3);
  } else {
    fprintf(to, "Fl %s", names + 1);
  }
  if (!o->value) return;
  fputc(' ', to);
  inline_value(o->value, to);
}

void mdoc_options(const option_row *const *rows, const prose *words, FILE *to) {
  fputs(".Bl -tag -width Ds\n", to);
  for (; *rows; rows++) {
    const block *more = prose_term(words, "options", (*rows)->name);
    fputs(".It ", to);
    put_names(*rows, to);
    fputc('\n', to);
    inline_sentence(complete_help(*rows), to);
    if (more) inline_text(more->text, to);
  }
  fputs(".El\n", to);
}

void mdoc_synopsis(const char *program, const char *command, const option_row *const *rows, const char *synopsis,
                   FILE *to) {
  static const char options[] = "[options]";
  bool are_meant = strncmp(synopsis, options, sizeof options - 1) == 0;
  fprintf(to, ".Nm %s\n", program);
  if (*command) fprintf(to, ".Cm %s\n", command);
  for (; rows && are_meant && *rows; rows++) {
    if (strcmp((*rows)->name, "--help") == 0) continue;
    fprintf(to, ".Op Fl %s", ((*rows)->brief ? (*rows)->brief : (*rows)->name) + 1);
    if ((*rows)->value) {
      fputc(' ', to);
      inline_value((*rows)->value, to);
    }
    fputc('\n', to);
  }
  synopsis += are_meant ? sizeof options - 1 : 0;
  synopsis += strspn(synopsis, " ");
  if (!*synopsis) return;
  fputc('.', to);
  inline_value(synopsis, to);
  fputc('\n', to);
}

static void put_exits(const page *p, FILE *to) {
  if (p->exit_words) {
    inline_sentence(p->exit_words, to);
    return;
  }
  fputs(".Bl -tag -width 99999 -compact\n", to);
  for (const exit_row *e = p->exits; e->word; e++) {
    if (e->code == 128)
      fputs(".It 128+\n", to);
    else
      fprintf(to, ".It %d\n", e->code);
    inline_sentence(e->sentence, to);
  }
  fputs(".El\n", to);
}

/* ---- the page ---- */

static void put_head(const page *p, FILE *to) {
  fputs(".\\\" SPDX-License-Identifier: MIT\n.\\\" Written by thirl-pages.\n", to);
  fprintf(to, ".Dd %s\n.Dt ", DATE);
  for (const char *c = p->name; *c; c++)
    fputc(toupper((unsigned char)*c), to);
  fprintf(to, " %s\n.Os thirl " THIRL_VERSION "\n.Sh NAME\n.Nm %s\n.Nd %s\n", p->section, p->name, p->brief);
  if (!p->program) return;
  fputs(".Sh SYNOPSIS\n", to);
  if (p->write_synopsis)
    p->write_synopsis(to);
  else
    mdoc_synopsis(p->program, p->command, p->rows, p->synopsis, to);
}

/* Sections that have their place, or that are looked into for what a table has. */
static bool is_placed(const char *title) {
  static const char *const others[] = {"description", "options", "commands"};
  for (size_t i = 0; i < AFTER_N; i++)
    if (strcmp(AFTER[i], title) == 0) return true;
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    if (strcmp(others[i], title) == 0) return true;
  return false;
}

static bool put_others(const page *p, const prose *words, FILE *to) {
  for (size_t i = 0; i < words->n; i++) {
    const block *b = &words->blocks[i];
    if (b->kind != BLOCK_SECTION || is_placed(b->text)) continue;
    put_header("Sh", b->text, to);
    if (!put_section(p, words, b->text, true, to)) return false;
  }
  return true;
}

bool mdoc_write(const page *p, const prose *words, FILE *to) {
  bool good = true;
  put_head(p, to);
  put_header("Sh", "description", to);
  good = put_section(p, words, "description", true, to);
  if (p->rows) {
    if (prose_goes_on(words, prose_find(words, "description"))) fputs(".Pp\n", to);
    fputs("The options are:\n", to);
    mdoc_options(p->rows, words, to);
  }
  good = good && put_others(p, words, to);
  for (size_t i = 0; i < AFTER_N && good; i++) {
    bool is_exit = strcmp(AFTER[i], "exit status") == 0 && (p->exit_words || p->exits[0].word);
    bool is_there = prose_find(words, AFTER[i]) < words->n;
    if (!is_exit && !is_there) continue;
    put_header("Sh", strcmp(AFTER[i], "security") == 0 ? "security considerations" : AFTER[i], to);
    if (is_exit) put_exits(p, to);
    good = put_section(p, words, AFTER[i], !is_exit, to);
  }
  return good;
}
