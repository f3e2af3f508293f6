/* SPDX-License-Identifier: MIT */
/*
 * What the command line said, and the commands. table.c has the table of both, which dispatch, --help, the manual and completion are made of; that each
 * command has its page is checked by tests/unit/pages/pages_test.c.
 */
#ifndef THIRL_APPS_COMMAND_H
#define THIRL_APPS_COMMAND_H

#include <stdbool.h>

#include "apps/options/options.h"
#include "exit.h"

enum { ARGUMENTS_WORDS_MAX = 4096, COMMAND_WORDS_ANY = 1 << 20 /* and options stand before them */ };

/** What the command line said. Strings point into argv or the environment. */
typedef struct arguments {
  const char *server, *identity, *ticket;
  bool json, quiet, direct_only, relay_only, ephemeral, help;
  bool udp, tcp, hairpin, ipv6, keep;
  unsigned timeout_s;                     /* 0: default */
  unsigned lifetime_s, port;              /* 0: not asked for; any */
  const char *words[ARGUMENTS_WORDS_MAX]; /* what is no option */
  unsigned n_words;
  const char *profile, *what_if, *only, *root, *nat_report; /* tune */
  unsigned window_s, pid;
  bool all;
  bool print, apply, undo, force, watch;
  const char *format;
  unsigned interval_s, count;
  text_list local, remote, udp_ways; /* -L, -R, -U */
  text_list allow, allow_bind;
  const char *to, *into; /* --to, --into of files */
  bool recursive, overwrite;
  bool yes; /* what is asked otherwise */
} arguments;

struct lab_arguments; /* lab_command.h */

typedef struct command {
  const char *name;
  const char *synopsis; /* behind the name; its words in capitals are completed as apps/pages/complete.c says */
  const char *summary;  /* one line */
  const option_row *const *options; /* ends with a NULL */
  bool takes_ticket;
  unsigned words_least, words_max; /* so many words that are no options */
  unsigned exits;                  /* EXIT_SET of those it can end with; 0: EXIT_SESSION */
  const char *exit_words;          /* instead: what the exit code is, where it is somebody else's */
  int (*run)(const arguments *a);
  int (*run_lab)(const struct lab_arguments *a); /* instead, in the table of lab */
  int (*run_words)(int argc, char **argv);       /* instead: it has commands, which it reads itself */
  const struct command *commands;                /* those; ends with a name that is NULL */
} command;

/** All of them, in the order in which they are shown; ends with a name that is NULL. */
extern const command command_table[];

int command_listen(const arguments *a);
int command_chat(const arguments *a);
int command_connect(const arguments *a);
int command_forward(const arguments *a);
int command_key(const arguments *a);
int command_lab(int argc, char **argv);
int command_nat(const arguments *a);
int command_tune(const arguments *a);
int command_receive(const arguments *a);
int command_send(const arguments *a);
int command_version(const arguments *a);

#endif
