/* SPDX-License-Identifier: MIT */
/* Completion for bash, without the package bash-completion. */
#include <string.h>

#include "apps/thirl/lab_command.h"
#include "complete.h"

static const char TITLE[] = "# bash completion for thirl                              -*- shell-script -*-\n"
                            "# SPDX-License-Identifier: MIT\n"
                            "# Written by thirl-pages.\n"
                            "\n";

static const char HEAD[] = "# _thirl_table COMMAND: sets options; values (of options, \"--name:kind\"); places (of "
                           "words, with the kinds that may stand there)\n"
                           "_thirl_table() {\n"
                           "  options='' values='' places=''\n"
                           "  case $1 in\n";

static const char TAIL[] =
    "  esac\n"
    "}\n"
    "\n"
    "# _thirl_reply WORD...: those that go on from what is typed\n"
    "_thirl_reply() {\n"
    "  local word\n"
    "  for word in \"$@\"; do\n"
    "    [[ $word == \"$current\"* ]] && COMPREPLY+=(\"$before$word\")\n"
    "  done\n"
    "}\n"
    "\n"
    "_thirl_lines() {\n"
    "  local line\n"
    "  while IFS= read -r line; do _thirl_reply \"$line\"; done\n"
    "}\n"
    "\n"
    "# _thirl_kind KIND: what may stand here\n"
    "_thirl_kind() {\n"
    "  local thirl=${COMP_WORDS[0]/#\\~/$HOME} name rest\n"
    "  case $1 in\n"
    "    file)\n"
    "      compopt -o filenames 2>/dev/null\n"
    "      _thirl_lines < <(compgen -f -- \"$current\")\n"
    "      ;;\n"
    "    directory)\n"
    "      compopt -o filenames 2>/dev/null\n"
    "      _thirl_lines < <(compgen -d -- \"$current\")\n"
    "      ;;\n"
    "    command) _thirl_lines < <(compgen -c -- \"$current\") ;;\n"
    "    hostname) _thirl_lines < <(compgen -A hostname -- \"$current\") ;;\n"
    "    preset) _thirl_lines < <(\"$thirl\" lab presets 2>/dev/null | while read -r name rest; do echo \"$name\"; "
    "done) ;;\n"
    "    lab) _thirl_lines < <(\"$thirl\" lab list 2>/dev/null | while read -r name rest; do echo \"$name\"; done) ;;\n"
    "    lab_host) _thirl_lines < <(\"$thirl\" lab show 2>/dev/null | sed -n 's/.*─ \\([A-Za-z0-9-]*\\) .*/\\1/p') ;;\n"
    "    finding)\n"
    "      [[ $current != *,* ]] || before=$before${current%,*},\n"
    "      current=${current##*,}\n"
    "      # shellcheck disable=SC2086\n"
    "      _thirl_reply $_thirl_findings\n"
    "      ;;\n"
    "    =*) _thirl_reply \"${1#=}\" ;;\n"
    "    */*) _thirl_reply ${1//\\// } ;;\n"
    "  esac\n"
    "}\n"
    "\n"
    "# The kinds of the word that is typed, by those before it; \"options\" for a word that begins with a dash.\n"
    "_thirl_kinds() {\n"
    "  local i word place=0 list\n"
    "  for ((i = $1; i < COMP_CWORD; i++)); do\n"
    "    word=${COMP_WORDS[i]}\n"
    "    if [[ $values == *\" $word:\"* ]]; then\n"
    "      i=$((i + 1))\n"
    "      [[ ${COMP_WORDS[i]} == = ]] && i=$((i + 1))\n"
    "      if ((i >= COMP_CWORD)); then\n"
    "        kinds=${values#* \"$word\":}\n"
    "        kinds=${kinds%% *}\n"
    "        return\n"
    "      fi\n"
    "    elif [[ $word != -?* ]]; then\n"
    "      place=$((place + 1))\n"
    "    fi\n"
    "  done\n"
    "  if [[ $current == -* ]]; then\n"
    "    kinds=options\n"
    "    return\n"
    "  fi\n"
    "  for list in $places; do\n"
    "    kinds=${list%+}\n"
    "    ((place-- == 0)) || [[ $list == *+ && $place -ge 0 ]] && return\n"
    "    kinds=\n"
    "  done\n"
    "}\n"
    "\n"
    "_thirl() {\n"
    "  local current=${COMP_WORDS[COMP_CWORD]} before='' options values places kinds='' kind command=${COMP_WORDS[1]} "
    "first=2\n"
    "  COMPREPLY=()\n"
    "  [[ $current == = ]] && current=''\n"
    "  if ((COMP_CWORD == 1)); then\n"
    "    _thirl_table ''\n"
    "  elif [[ $command == help ]]; then\n"
    "    _thirl_table ''\n"
    "    ((COMP_CWORD == 2)) || places=''\n"
    "  elif [[ $command == lab ]] && ((COMP_CWORD == 2)); then\n"
    "    _thirl_table lab\n"
    "  else\n"
    "    [[ $command == lab ]] && command=\"lab ${COMP_WORDS[2]}\" first=3\n"
    "    _thirl_table \"$command\"\n"
    "    if [[ $current == --*=* && $values == *\" ${current%%=*}:\"* ]]; then # where = does not break words\n"
    "      before=${current%%=*}=\n"
    "      kinds=${values#* \"${before%=}\":}\n"
    "      kinds=${kinds%% *}\n"
    "      current=${current#*=}\n"
    "    fi\n"
    "    [[ $kinds ]] || _thirl_kinds \"$first\"\n"
    "    if [[ $kinds == options ]]; then\n"
    "      # shellcheck disable=SC2086\n"
    "      _thirl_reply $options\n"
    "      return\n"
    "    fi\n"
    "    for kind in ${kinds//,/ }; do _thirl_kind \"$kind\"; done\n"
    "    return\n"
    "  fi\n"
    "  # shellcheck disable=SC2086\n"
    "  _thirl_reply $places\n"
    "}\n"
    "\n"
    "complete -F _thirl thirl\n";

/* A choice is its words with slashes between them. */
static void put_kind(const option_row *o, FILE *to) {
  complete_kind kind = complete_value(o);
  if (kind != COMPLETE_CHOICE) {
    fputs(complete_kind_name(kind), to);
    return;
  }
  char words[128];
  fputs(complete_choices(o, '/', words, sizeof words), to);
}

static void put_places(const char *synopsis, FILE *to) {
  complete_word words[COMPLETE_WORDS_MAX];
  size_t n = complete_words(synopsis, words);
  for (size_t i = 0; i < n; i++) {
    const char *between = i ? " " : "";
    if (*words[i].literal) fprintf(to, "%s=%s", between, words[i].literal);
    if (*words[i].literal) between = ",";
    for (size_t k = 0; k < words[i].n; k++) {
      fprintf(to, "%s%s", between, complete_kind_name(words[i].kinds[k]));
      between = ",";
    }
    if (words[i].repeats) fputc('+', to);
  }
}

static void put_command(const char *before, const command *c, FILE *to) {
  fprintf(to, "    '%s%s')\n      options='", before, c->name);
  for (const option_row *const *o = c->options; o && *o; o++)
    fprintf(to, "%s%s", o == c->options ? "" : " ", (*o)->name);
  fputs("'\n      values=' ", to);
  for (const option_row *const *o = c->options; o && *o; o++) {
    if (!(*o)->value) continue;
    fprintf(to, "%s:", (*o)->name);
    put_kind(*o, to);
    fputc(' ', to);
  }
  fputs("'\n      places='", to);
  put_places(c->synopsis, to);
  fputs("'\n      ;;\n", to);
}

/* A table: its names are the places. */
static void put_table(const char *name, const command *table, const char *more, FILE *to) {
  fprintf(to, "    '%s') places='", name);
  for (const command *c = table; c->name; c++)
    fprintf(to, "%s%s", c == table ? "" : " ", c->name);
  fprintf(to, "%s' ;;\n", more);
}

void complete_bash(FILE *to) {
  fputs(TITLE, to);
  fputs("_thirl_findings='", to);
  complete_findings(to);
  fputs("'\n\n", to);
  fputs(HEAD, to);
  put_table("", command_table, " help", to);
  for (const command *c = command_table; c->name; c++) {
    if (!c->commands) {
      put_command("", c, to);
      continue;
    }
    put_table(c->name, c->commands, "", to);
    for (const command *s = c->commands; s->name; s++)
      put_command("lab ", s, to);
  }
  fputs(TAIL, to);
}
