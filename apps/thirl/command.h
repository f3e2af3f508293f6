/* SPDX-License-Identifier: MIT */
/* The table of commands and options: one place for dispatch, usage text and (later) the manual and completion. */
#ifndef THIRL_APPS_COMMAND_H
#define THIRL_APPS_COMMAND_H

#include <stdbool.h>

#include "thirl/thirl.h"

/* Exit codes, as thirl(1) lists them. */
enum {
  EXIT_OK = 0,
  EXIT_GENERIC = 1,
  EXIT_USAGE = 2,
  EXIT_NO_PEER = 3,
  EXIT_NO_PATH = 4,
  EXIT_ONLY_RELAY = 5,
  EXIT_AUTH = 6,
  EXIT_NO_SERVER = 7,
  EXIT_INTERRUPTED = 8,
  EXIT_SIGNAL = 128 /* plus its number */
};

/** What the command line said. Strings point into argv or the environment. */
typedef struct arguments {
  const char *server, *identity, *ticket;
  bool json, quiet, direct_only, relay_only, ephemeral, help;
  unsigned timeout_s; /* 0: default */
} arguments;

typedef struct command {
  const char *name;
  const char *synopsis; /* behind the name */
  const char *summary;  /* one line */
  const char *options;  /* the letters of the options it takes, see option_table */
  bool takes_ticket;
  int (*run)(const arguments *a);
} command;

int command_listen(const arguments *a);
int command_connect(const arguments *a);
int command_key(const arguments *a);
int command_version(const arguments *a);

/** The exit code for an error; was_up: the stream had been usable before. */
int command_exit_code(thirl_error e, bool was_up);

#endif
