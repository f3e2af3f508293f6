/* SPDX-License-Identifier: MIT */
/* thirl lab: finds the command, reads its words, and nothing else. What it does is in lab_verbs.c and lab_matrix.c. */
#include "lab_command.h"

#include <string.h>

#include "help.h"

typedef struct reading {
  const command *command;
  const char *who; /* "thirl lab up" */
  lab_arguments arguments;
} reading;

static int take_word(char *word, void *owner) {
  reading *r = owner;
  lab_arguments *a = &r->arguments;
  if ((unsigned)a->n_words >= r->command->words_max) return options_complain(r->who, "one word too many:", word);
  a->words[a->n_words++] = word;
  return EXIT_OK;
}

/* Words are kept in argv itself, in front of what is still to be read. */
static int parse(reading *r, int argc, char **argv) {
  lab_arguments *a = &r->arguments;
  const options_reading o = {.who = r->who,
                             .rows = r->command->options,
                             .into = a,
                             .on_word = take_word,
                             .owner = r,
                             .before_words = r->command->words_max == COMMAND_WORDS_ANY};
  a->words = argv;
  int bad = options_read(&o, argc, argv);
  if (bad) return bad;
  if (!a->help && (unsigned)a->n_words < r->command->words_least)
    return options_complain(r->who, "a word is missing", NULL);
  a->words[a->n_words] = NULL; /* argv has room for it: it ends with one itself */
  return EXIT_OK;
}

int command_lab(int argc, char **argv) {
  if (argc == 0 || help_is_asked(argv[0])) {
    help_list(lab_table, "thirl lab", argc ? stdout : stderr);
    fputc('\n', argc ? stdout : stderr);
    return argc ? EXIT_OK : EXIT_USAGE;
  }
  for (const command *c = lab_table; c->name; c++) {
    char who[32];
    if (strcmp(c->name, argv[0]) != 0) continue;
    snprintf(who, sizeof who, "thirl lab %s", c->name);
    reading r = {.command = c, .who = who, .arguments = {.latency_ms = LAB_LATENCY_MS}};
    int bad = parse(&r, argc - 1, argv + 1);
    if (bad) {
      fprintf(stderr, "usage: %s%s%s\n", who, *c->synopsis ? " " : "", c->synopsis);
      return bad;
    }
    if (!r.arguments.help) return c->run_lab(&r.arguments);
    help_print(c, "thirl lab");
    return EXIT_OK;
  }
  options_complain("thirl lab", "unknown command", argv[0]);
  help_list(lab_table, "thirl lab", stderr);
  fputc('\n', stderr);
  return EXIT_USAGE;
}
