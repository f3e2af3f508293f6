/* SPDX-License-Identifier: MIT */
/* The table of commands and options: one place for dispatch, usage text and (later) the manual and completion. */
#ifndef THIRL_APPS_COMMAND_H
#define THIRL_APPS_COMMAND_H

#include <stdbool.h>

#include "exit.h"

/** What the command line said. Strings point into argv or the environment. */
enum { ARGUMENTS_WORDS_MAX = 8, ARGUMENTS_LIST_MAX = 16 };

typedef struct arguments {
  const char *server, *identity, *ticket;
  bool json, quiet, direct_only, relay_only, ephemeral, help;
  bool udp, tcp, hairpin, ipv6;
  unsigned timeout_s;                     /* 0: default */
  unsigned lifetime_s, port;              /* 0: not asked for; any */
  const char *words[ARGUMENTS_WORDS_MAX]; /* what is no option */
  unsigned n_words;
  /* options that may be given several times */
  const char *local[ARGUMENTS_LIST_MAX], *remote[ARGUMENTS_LIST_MAX];
  const char *allow[ARGUMENTS_LIST_MAX], *allow_bind[ARGUMENTS_LIST_MAX];
  unsigned n_local, n_remote, n_allow, n_allow_bind;
} arguments;

typedef struct command {
  const char *name;
  const char *synopsis; /* behind the name */
  const char *summary;  /* one line */
  const char *options;  /* the letters of the options it takes, see option_table */
  bool takes_ticket;
  unsigned words_max; /* so many words that are no options */
  int (*run)(const arguments *a);
  int (*run_words)(int argc, char **argv); /* instead: it has commands and options of its own */
} command;

int command_listen(const arguments *a);
int command_connect(const arguments *a);
int command_forward(const arguments *a);
int command_key(const arguments *a);
int command_lab(int argc, char **argv);
int command_nat(const arguments *a);
int command_version(const arguments *a);

#endif
