/* SPDX-License-Identifier: MIT */
/* thirl: the command line. Finds the command, reads its words, and nothing else. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "help.h"
#include "thirl/thirl.h"

static void print_usage(FILE *to) {
  help_list(command_table, "thirl", to);
  fprintf(to, " Data goes through stdin and stdout, everything else to stderr.\n");
}

/*
 * A ticket in argv can be read by every process of the machine: take it out as soon as it is copied. What is too long for a ticket stays too long. One copy is
 * enough: no command takes a ticket both as a word and as --to.
 */
static const char *take_ticket(char *word) {
  static char copy[THIRL_TICKET_MAX + 2];
  snprintf(copy, sizeof copy, "%s", word);
  if (strcmp(word, "-") != 0) memset(word, 'x', strlen(word));
  return copy;
}

typedef struct reading {
  const command *command;
  arguments arguments;
} reading;

static int take_word(char *word, void *owner) {
  reading *r = owner;
  arguments *a = &r->arguments;
  if (a->n_words < r->command->words_max) {
    a->words[a->n_words++] = word;
    return EXIT_OK;
  }
  if (r->command->words_max) return options_complain("thirl", "too many arguments at", word);
  if (!r->command->takes_ticket) return options_complain("thirl", "unexpected argument", word);
  if (a->ticket) return options_complain("thirl", "only one ticket at a time", NULL);
  a->ticket = take_ticket(word);
  return EXIT_OK;
}

static int parse(reading *r, int argc, char **argv) {
  arguments *a = &r->arguments;
  const options_reading o = {.who = "thirl", .rows = r->command->options, .into = a, .on_word = take_word, .owner = r};
  int bad = options_read(&o, argc, argv);
  if (a->to) a->to = take_ticket((char *)(uintptr_t)a->to); /* a word of argv, which is ours to write */
  if (bad == EXIT_OK && a->direct_only && a->relay_only)
    return options_complain("thirl", "--direct-only and --relay-only exclude each other", NULL);
  return bad;
}

/*
 * A standard stream that is closed would be the number of the next file that is opened. Nothing comes from /dev/null, and what is written to it, being
 * open for reading only, fails as it should.
 */
static void open_closed_streams(void) {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) != fd) _exit(EXIT_GENERIC);
}

/* argv[1] is the name of a command, and the rest is for it. */
static int dispatch(int argc, char **argv) {
  const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
  for (const command *c = command_table; c->name; c++) {
    if (strcmp(c->name, name) != 0) continue;
    if (c->run_words) return c->run_words(argc - 2, argv + 2);
    reading r = {.command = c};
    int bad = parse(&r, argc - 2, argv + 2);
    if (bad) {
      fprintf(stderr, "thirl: see \"thirl %s --help\"\n", c->name);
      return bad;
    }
    if (r.arguments.help) {
      help_print(c, "thirl");
      return EXIT_OK;
    }
    return c->run(&r.arguments);
  }
  options_complain("thirl", "unknown command", argv[1]);
  print_usage(stderr);
  return EXIT_USAGE;
}

int main(int argc, char **argv) {
  open_closed_streams();
  if (argc < 2) {
    print_usage(stderr);
    return EXIT_USAGE;
  }
  bool asks = help_is_asked(argv[1]);
  if (asks && (argc == 2 || argv[1][0] == '-')) {
    print_usage(stdout);
    return EXIT_OK;
  }
  if (asks) { /* "help nat" is "nat --help", "help lab up" is "lab up --help" */
    static char help[] = "--help";
    char *words[] = {argv[0], argv[2], argc > 3 ? argv[3] : help, argc > 3 ? help : NULL, NULL};
    return dispatch(argc > 3 ? 4 : 3, words);
  }
  return dispatch(argc, argv);
}
