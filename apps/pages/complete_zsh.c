/* SPDX-License-Identifier: MIT */
/* Completion for zsh. */
#include <string.h>

#include "apps/thirl/lab_command.h"
#include "complete.h"

static const char HEAD[] = "#compdef thirl\n"
                           "# SPDX-License-Identifier: MIT\n"
                           "# Written by thirl-pages.\n"
                           "\n"
                           "_thirl_presets() {\n"
                           "  local -a names\n"
                           "  names=(${(f)\"$(_call_program presets thirl lab presets 2>/dev/null)\"})\n"
                           "  names=(${names/ ##/:})\n"
                           "  _describe -t presets preset names\n"
                           "}\n"
                           "\n"
                           "_thirl_labs() {\n"
                           "  local -a names\n"
                           "  names=(${${(f)\"$(_call_program labs thirl lab list 2>/dev/null)\"}%% *})\n"
                           "  _describe -t labs lab names\n"
                           "}\n"
                           "\n"
                           "_thirl_lab_hosts() {\n"
                           "  local -a names\n"
                           "  names=(${(f)\"$(_call_program hosts thirl lab show 2>/dev/null | sed -n 's/.*─ "
                           "\\([A-Za-z0-9-]*\\) .*/\\1/p')\"})\n"
                           "  _describe -t hosts host names\n"
                           "}\n";

/* Inside of single quotes; what has a meaning in a specification of _arguments has a backslash. */
static void put_text(const char *text, const char *special, FILE *to) {
  for (; *text; text++) {
    if (*text == '\'')
      fputs("'\\''", to);
    else if (strchr(special, *text))
      fprintf(to, "\\%c", *text);
    else
      fputc(*text, to);
  }
}

static const char *action_of(complete_kind kind) {
  switch (kind) {
  case COMPLETE_FILE:
    return "_files";
  case COMPLETE_DIRECTORY:
    return "_files -/";
  case COMPLETE_COMMAND:
    return "_command_names";
  case COMPLETE_HOSTNAME:
    return "_hosts";
  case COMPLETE_PRESET:
    return "_thirl_presets";
  case COMPLETE_LAB:
    return "_thirl_labs";
  case COMPLETE_LAB_HOST:
    return "_thirl_lab_hosts";
  default:
    return " ";
  }
}

static void put_option(const option_row *o, FILE *to) {
  bool is_long = o->name[1] == '-';
  char words[128];
  fprintf(to, "        '%s%s%s[", o->kind == OPTION_LIST ? "*" : "", o->name, o->value ? (is_long ? "=" : "+") : "");
  put_text(complete_help(o), "[]:", to);
  fputc(']', to);
  if (o->value) {
    fputc(':', to);
    put_text(o->value, "[]:", to);
    fputc(':', to);
    if (complete_value(o) == COMPLETE_CHOICE)
      fprintf(to, "(%s)", complete_choices(o, ' ', words, sizeof words));
    else if (complete_value(o) == COMPLETE_FINDING)
      fputs("_thirl_findings", to);
    else
      fputs(action_of(complete_value(o)), to);
  }
  fputs("' \\\n", to);
}

static void put_word(const complete_word *w, size_t place, FILE *to) {
  if (w->repeats && w->n == 1 && w->kinds[0] == COMPLETE_COMMAND) {
    fputs("        '*:: :_normal' \\\n", to);
    return;
  }
  if (w->repeats)
    fprintf(to, "        '*:%s:", w->label);
  else
    fprintf(to, "        '%zu:%s:", place, w->label);
  if (w->n == 1 && !*w->literal) {
    if (*action_of(w->kinds[0]) == ' ') /* options go on being offered */
      fprintf(to, "_guard \"^-*\" %s' \\\n", w->label);
    else
      fprintf(to, "%s' \\\n", action_of(w->kinds[0]));
    return;
  }
  fputc('{', to);
  if (*w->literal) fprintf(to, "compadd %s;", w->literal);
  for (size_t i = 0; i < w->n; i++)
    if (action_of(w->kinds[i])[0] != ' ') fprintf(to, "%s;", action_of(w->kinds[i]));
  fputs("}' \\\n", to);
}

static void put_command(const command *c, FILE *to) {
  complete_word words[COMPLETE_WORDS_MAX];
  size_t n = complete_words(c->synopsis, words);
  bool before_words = c->words_max == COMMAND_WORDS_ANY;
  fprintf(to, "    %s)\n      _arguments %s\\\n", c->name, before_words ? "-A '-*' " : "");
  for (const option_row *const *o = c->options; *o; o++)
    put_option(*o, to);
  for (size_t i = 0; i < n; i++)
    put_word(&words[i], i + 1, to);
  fputs("        && return 0\n      ;;\n", to);
}

/* A function for the commands of a table. */
static void put_table(const char *name, const command *table, const char *more, FILE *to) {
  fprintf(
      to,
      "\n%s() {\n  local curcontext=$curcontext state line\n  local -a commands\n  typeset -A opt_args\n  commands=(\n",
      name);
  for (const command *c = table; c->name; c++) {
    fprintf(to, "    '%s:", c->name);
    put_text(c->summary, "", to);
    fputs("'\n", to);
  }
  fprintf(to,
          "%s  )\n  _arguments -C '1:command:{_describe command commands}' '*:: :->rest' && return 0\n  case $words[1] "
          "in\n",
          more);
  for (const command *c = table; c->name; c++) {
    if (c->commands)
      fprintf(to, "    %s) %s_%s ;;\n", c->name, name, c->name);
    else
      put_command(c, to);
  }
  if (*more) fputs("    help) _arguments '1:command:{_describe command commands}' ;;\n", to);
  fputs("  esac\n}\n", to);
}

void complete_zsh(FILE *to) {
  fputs(HEAD, to);
  fputs("\n_thirl_findings() {\n  _values -s , finding ", to);
  complete_findings(to);
  fputs("\n}\n", to);
  for (const command *c = command_table; c->name; c++) {
    char name[32];
    snprintf(name, sizeof name, "_thirl_%s", c->name);
    if (c->commands) put_table(name, c->commands, "", to);
  }
  put_table("_thirl", command_table, "    'help:what a command takes'\n", to);
  fputs("\n_thirl \"$@\"\n", to);
}
