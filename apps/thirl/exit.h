/* SPDX-License-Identifier: MIT */
/* What the shell is told at the end. */
#ifndef THIRL_APPS_EXIT_H
#define THIRL_APPS_EXIT_H

#include <stdbool.h>

#include "apps/options/exits.h"
#include "thirl/thirl.h"

/* Exit codes. exit_table says what they mean. */
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
  EXIT_WARN = 10,   /* tune: a warning, and nothing worse */
  EXIT_CRIT = 11,   /* tune: something critical */
  EXIT_SIGNAL = 128 /* plus its number */
};

/** A set of exit codes, for a command that cannot end with all of them: EXIT_SET(EXIT_OK) | EXIT_SET(EXIT_USAGE). */
#define EXIT_SET(code) (1u << ((code) < EXIT_SIGNAL ? (code) : 31))

/** Of a command that says nothing else: it has a session. */
#define EXIT_SESSION                                                                                                   \
  (EXIT_SET(EXIT_OK) | EXIT_SET(EXIT_GENERIC) | EXIT_SET(EXIT_USAGE) | EXIT_SET(EXIT_NO_PEER) |                        \
   EXIT_SET(EXIT_NO_PATH) | EXIT_SET(EXIT_ONLY_RELAY) | EXIT_SET(EXIT_AUTH) | EXIT_SET(EXIT_NO_SERVER) |               \
   EXIT_SET(EXIT_INTERRUPTED) | EXIT_SET(EXIT_SIGNAL))

/** All of them, in order; EXIT_SIGNAL stands for all signals. */
extern const exit_row exit_table[];

/** The exit code for an error; was_up: the stream had been usable before. */
int command_exit_code(thirl_error e, bool was_up);

#endif
