/* SPDX-License-Identifier: MIT */
/* Completion for fish. */
#include <string.h>

#include "apps/thirl/lab_command.h"
#include "complete.h"

static const char HEAD[] = "# fish completion for thirl\n"
                           "# SPDX-License-Identifier: MIT\n"
                           "# Written by thirl-pages.\n"
                           "\n"
                           "# __thirl_at WORD...: these are the first words, and what is typed stands behind them\n"
                           "function __thirl_at\n"
                           "    set -l words (commandline -opc)\n"
                           "    set -e words[1]\n"
                           "    test (count $words) -ge (count $argv); or return 1\n"
                           "    for i in (seq (count $argv))\n"
                           "        test $words[$i] = $argv[$i]; or return 1\n"
                           "    end\n"
                           "end\n"
                           "\n"
                           "# __thirl_is WORD...: these are all the words there are\n"
                           "function __thirl_is\n"
                           "    test (count (commandline -opc)) -eq (math (count $argv) + 1); and __thirl_at $argv\n"
                           "end\n"
                           "\n"
                           "# __thirl_place N OPTION... -- WORD...: behind these words, so many stand that are no "
                           "options; OPTIONs have a value\n"
                           "function __thirl_place\n"
                           "    set -l end (contains -i -- -- $argv)\n"
                           "    set -l valued $argv[2..$end]\n"
                           "    set -l first $argv[(math $end + 1)..-1]\n"
                           "    __thirl_at $first; or return 1\n"
                           "    set -l words (commandline -opc)\n"
                           "    set -l i (math (count $first) + 2)\n"
                           "    set -l n 0\n"
                           "    while test $i -le (count $words)\n"
                           "        if test $words[$i] != --; and contains -- $words[$i] $valued\n"
                           "            set i (math $i + 1)\n"
                           "        else if not string match -qr -- '^-.' $words[$i]\n"
                           "            set n (math $n + 1)\n"
                           "        end\n"
                           "        set i (math $i + 1)\n"
                           "    end\n"
                           "    test $n -eq $argv[1]\n"
                           "end\n"
                           "\n"
                           "function __thirl_presets\n"
                           "    thirl lab presets 2>/dev/null | string replace -r ' +' '\\t'\n"
                           "end\n"
                           "\n"
                           "function __thirl_labs\n"
                           "    thirl lab list 2>/dev/null | string replace -r ' +' '\\t'\n"
                           "end\n"
                           "\n"
                           "function __thirl_lab_hosts\n"
                           "    thirl lab show 2>/dev/null | string match -rg '─ ([A-Za-z0-9-]+) '\n"
                           "end\n"
                           "\n"
                           "complete -c thirl -f\n";

static void put_quoted(const char *text, FILE *to) {
  fputc('\'', to);
  for (; *text; text++) {
    if (*text == '\'' || *text == '\\') fputc('\\', to);
    fputc(*text, to);
  }
  fputc('\'', to);
}

/* What completes it, as options of complete. */
static const char *action_of(complete_kind kind) {
  switch (kind) {
  case COMPLETE_FILE:
    return " -F";
  case COMPLETE_DIRECTORY:
    return " -a '(__fish_complete_directories)'";
  case COMPLETE_COMMAND:
    return " -a '(__fish_complete_command)'";
  case COMPLETE_HOSTNAME:
    return " -a '(__fish_print_hostnames)'";
  case COMPLETE_PRESET:
    return " -a '(__thirl_presets)'";
  case COMPLETE_LAB:
    return " -a '(__thirl_labs)'";
  case COMPLETE_LAB_HOST:
    return " -a '(__thirl_lab_hosts)'";
  default:
    return "";
  }
}

static void put_option(const char *before, const command *c, const option_row *o, FILE *to) {
  bool is_long = o->name[1] == '-';
  char words[128];
  fprintf(to, "complete -c thirl -n '__thirl_at %s%s' %s %s", before, c->name, is_long ? "-l" : "-s",
          o->name + (is_long ? 2 : 1));
  if (strcmp(o->name, "--help") == 0) fputs(" -s h", to);
  fputs(" -d ", to);
  put_quoted(complete_help(o), to);
  if (o->value) fputs(complete_value(o) == COMPLETE_FILE ? " -r" : " -x", to);
  if (o->value && complete_value(o) == COMPLETE_CHOICE)
    fprintf(to, " -a '%s'", complete_choices(o, ' ', words, sizeof words));
  else if (o->value && complete_value(o) == COMPLETE_FINDING) {
    fputs(" -a '(__fish_complete_list , \"string split \\\\  ", to);
    complete_findings(to);
    fputs("\")'", to);
  } else if (o->value)
    fputs(action_of(complete_value(o)), to);
  fputc('\n', to);
}

static void put_place(const char *before, const command *c, size_t place, const char *action, FILE *to) {
  fprintf(to, "complete -c thirl -n '__thirl_place %zu", place);
  for (const option_row *const *o = c->options; *o; o++)
    if ((*o)->value) fprintf(to, " %s", (*o)->name);
  fprintf(to, " -- %s%s'%s\n", before, c->name, action);
}

static void put_words(const char *before, const command *c, FILE *to) {
  complete_word words[COMPLETE_WORDS_MAX];
  size_t n = complete_words(c->synopsis, words);
  for (size_t i = 0; i < n; i++) {
    char action[48];
    snprintf(action, sizeof action, " -a %s", words[i].literal);
    if (*words[i].literal) put_place(before, c, i, action, to);
    for (size_t k = 0; k < words[i].n; k++)
      if (*action_of(words[i].kinds[k])) put_place(before, c, i, action_of(words[i].kinds[k]), to);
  }
}

/* The commands of a table, offered behind the words in front of them. */
static void put_table(const char *before, const command *table, FILE *to) {
  for (const command *c = table; c->name; c++) {
    fprintf(to, "complete -c thirl -n '__thirl_is%s%.*s' -a %s -d ", *before ? " " : "",
            *before ? (int)strlen(before) - 1 : 0, before, c->name);
    put_quoted(c->summary, to);
    fputc('\n', to);
  }
  for (const command *c = table; c->name; c++) {
    char name[32];
    snprintf(name, sizeof name, "%s ", c->name);
    if (c->commands) put_table(name, c->commands, to);
    for (const option_row *const *o = c->options; o && *o; o++)
      put_option(before, c, *o, to);
    if (c->options) put_words(before, c, to);
  }
}

void complete_fish(FILE *to) {
  fputs(HEAD, to);
  put_table("", command_table, to);
  fputs("complete -c thirl -n __thirl_is -a help -d 'what a command takes'\n", to);
  for (const command *c = command_table; c->name; c++)
    fprintf(to, "complete -c thirl -n '__thirl_is help' -a %s\n", c->name);
}
