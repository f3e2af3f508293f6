/* SPDX-License-Identifier: MIT */
/*
 * Giving terminals back whatever happens: remembers how each was found, and puts it back on release, at exit, on signals that end the process, and
 * around a stop. What runs in signal handlers is async-signal-safe.
 */
#ifndef THIRL_TERMINAL_KEEP_H
#define THIRL_TERMINAL_KEEP_H

#include <termios.h>

#include "thirl/error.h"

enum { THIRL_TERMINAL_KEEP_MAX = 4 }; /* terminals at a time */

/**
 * The settings of in are now raw instead of found. hello and goodbye (static texts) are written to out whenever raw begins and ends; tell is an eventfd
 * that is rung when the window's size changes or the process goes on after a stop. E_LIMIT, E_IO, E_NOMEM.
 */
typedef struct thirl_terminal_keep_wish {
  int in, out, tell;
  struct termios found, raw;
  const char *hello, *goodbye;
} thirl_terminal_keep_wish;
thirl_error thirl_terminal_keep_take(const thirl_terminal_keep_wish *wish, unsigned *slot);
/** Puts the settings back as they were found. */
void thirl_terminal_keep_release(unsigned slot);

#endif
