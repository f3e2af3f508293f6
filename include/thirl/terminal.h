/* SPDX-License-Identifier: MIT */
/*
 * The keyboard and the screen of a terminal: which key was pressed, without waiting for Enter. Two ways to use it:
 *
 *   the four calls that conio.h has on other systems, for stdin and stdout of the process:
 *
 *       while (!thirl_terminal_kbhit()) work();
 *       int key = thirl_terminal_getch();
 *
 *   or a handle with one descriptor for an event loop: thirl_terminal_open, poll thirl_terminal_fd until it is readable or
 *   thirl_terminal_timeout is over, thirl_terminal_read until THIRL_E_AGAIN, thirl_terminal_close.
 *
 * The terminal is given back as it was found: on close, at exit, when a signal ends the process (any that can be caught, abort() too), and while
 * it is stopped (SIGTSTP). A signal that the program itself caught or ignored before is left alone: then it is the program that closes.
 * A standard input that is no terminal (a pipe, a file, /dev/null) works too: its bytes are keys, its end is THIRL_KEY_END_OF_INPUT.
 *
 * One thread at a time.
 */
#ifndef THIRL_TERMINAL_H
#define THIRL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "thirl/error.h"
#include "thirl/keys.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct thirl_terminal thirl_terminal;

typedef struct thirl_terminal_options {
  int in, out;          /* descriptors; they stay the caller's */
  bool signals_as_keys; /* Ctrl-C, Ctrl-Z and Ctrl-\ are keys and send no signal */
  bool bracketed_paste; /* ask the terminal to mark what is pasted */
} thirl_terminal_options;

/**
 * Takes the terminal over; *out is the caller's, to be closed.
 * E_INVALID (a descriptor that is not open), E_LIMIT (more than THIRL_TERMINAL_MAX), E_IO, E_NOMEM.
 */
thirl_error thirl_terminal_open(const thirl_terminal_options *options, thirl_terminal **out);
/** Gives the terminal back. NULL is allowed. */
void thirl_terminal_close(thirl_terminal *t);
/** Is the input a terminal, so that keys come one by one? */
bool thirl_terminal_is_interactive(const thirl_terminal *t);
/** Poll it for reading. The terminal's, not to be closed. */
int thirl_terminal_fd(const thirl_terminal *t);
/** Milliseconds after which to read even if nothing came (a lone ESC); -1: not needed. */
int thirl_terminal_timeout(const thirl_terminal *t);
/** The next key without waiting. E_AGAIN: none yet. At the end of the input, now and ever after: OK and THIRL_KEY_END_OF_INPUT. E_IO. */
thirl_error thirl_terminal_read(thirl_terminal *t, thirl_key *key);
/** The same, but waits up to timeout_ms milliseconds (-1: as long as it takes). E_AGAIN: none came in time. */
thirl_error thirl_terminal_wait(thirl_terminal *t, int timeout_ms, thirl_key *key);
/** All n bytes, as they are, waiting for a slow terminal. E_IO. */
thirl_error thirl_terminal_write(thirl_terminal *t, const void *bytes, size_t n);
/** Characters across and down; 80 and 24 when nobody knows. */
void thirl_terminal_size(const thirl_terminal *t, unsigned *columns, unsigned *rows);

enum { THIRL_TERMINAL_MAX = 4 }; /* open at a time */

/* The calls of conio.h, for stdin and stdout; the terminal is taken over by the first of them and given back at exit. */
/** Would getch return at once? Also true at the end of the input. */
bool thirl_terminal_kbhit(void);
/** The next key, not echoed; waits for it. THIRL_KEY_END_OF_INPUT at the end and on failure. */
thirl_key thirl_terminal_getch(void);
/** The same, echoed when it is a character. */
thirl_key thirl_terminal_getche(void);
/** One character to stdout, as UTF-8. Returns it, or THIRL_KEY_END_OF_INPUT when that was not possible. */
thirl_key thirl_terminal_putch(thirl_key character);

#ifdef __cplusplus
}
#endif

#endif
