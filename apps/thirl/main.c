/* SPDX-License-Identifier: MIT */
/* thirl: the command line. Finds the command, reads its words, and nothing else. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "thirl/thirl.h"

static void print_usage(FILE *to) {
  fprintf(to, "usage: thirl COMMAND [options]\n\n");
  for (const command *c = command_table; c->name; c++)
    fprintf(to, "  %-8s %s\n", c->name, c->summary);
  fprintf(to,
          "\n\"thirl COMMAND --help\" tells more. Data goes through stdin and stdout, everything else to stderr.\n");
}

static void print_help(const command *c) {
  printf("usage: thirl %s %s\n%s\n\n", c->name, c->synopsis, c->summary);
  options_print(c->options, stdout);
  if (c->takes_ticket) printf("\nThe ticket may also come as the first line of stdin (\"-\") or in $THIRL_TICKET.\n");
  printf(
      "\nexit codes: 0 done, 1 other, 2 usage, 3 peer not there, 4 no path, 5 only a relayed path with --direct-only,\n"
      "            6 wrong key or ticket, 7 server unreachable, 8 interrupted, 130/143 signal\n");
  if (c->ends) printf("            %s\n", c->ends);
}

/* A ticket in argv can be read by every process of the machine: take it out as soon as it is copied. */
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
  const options_reading o = {"thirl", r->command->options, a, take_word, r};
  int bad = options_read(&o, argc, argv);
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
      print_help(c);
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
  bool asks = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0;
  if (asks && (argc == 2 || argv[1][0] == '-')) {
    print_usage(stdout);
    return EXIT_OK;
  }
  if (asks) { /* "help nat" is "nat --help" */
    static char help[] = "--help";
    char *words[] = {argv[0], argv[2], help, NULL};
    return dispatch(3, words);
  }
  return dispatch(argc, argv);
}
