/* SPDX-License-Identifier: MIT */
/* thirl tune --watch: a look at the counters each second, as a screen on a terminal and as lines anywhere else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/host.h"
#include "io/clock.h"
#include "thirl/terminal.h"
#include "tune_watch.h"
#include "tune_screen.h"
#include "looks.h"

typedef struct watching {
  const arguments *args;
  const char *root;
  int64_t pid;
  thirl_tune_facts facts;
  thirl_tune_watch watch;
  thirl_terminal *terminal; /* NULL: lines */
  bool colour, keys_are_over;
} watching;

static void look(watching *w) {
  thirl_host_glance(w->root, w->pid, &w->facts);
  thirl_tune_watch_input(&w->watch, thirl_io_clock_now(), &w->facts);
}

/* ---- a screen ---- */

static bool draw(watching *w) {
  tune_screen s = {.colour = w->colour};
  thirl_buffer b;
  thirl_buffer_init(&b, TUNE_SCREEN_BYTES_MAX);
  thirl_terminal_size(w->terminal, &s.columns, &s.rows);
  tune_screen_draw(&w->watch, &s, &b);
  thirl_bytes v = thirl_buffer_view(&b);
  bool good = thirl_terminal_write(w->terminal, v.p, v.n) == THIRL_OK;
  thirl_buffer_fini(&b);
  return good;
}

static void sleep_until(thirl_time when) {
  thirl_time now = thirl_io_clock_now();
  if (now >= when) return;
  struct timespec t = {.tv_sec = (time_t)((when - now) / THIRL_S), .tv_nsec = (long)((when - now) % THIRL_S * 1000)};
  while (nanosleep(&t, &t) != 0 && errno == EINTR)
    ;
}

/* Waits for the next look, and for keys. False: it is over. */
static bool wait_on_terminal(watching *w, thirl_time when) {
  for (;;) {
    thirl_time now = thirl_io_clock_now();
    thirl_key key;
    if (w->keys_are_over) sleep_until(when);
    if (now >= when || w->keys_are_over) return true;
    thirl_error e = thirl_terminal_wait(w->terminal, (int)((when - now) / THIRL_MS) + 1, &key);
    if (e == THIRL_E_AGAIN) continue;
    if (e != THIRL_OK) return false;
    if (key == 'q' || key == 'Q') return false;
    if (key == ' ') return true; /* now */
    if (key == THIRL_KEY_END_OF_INPUT) w->keys_are_over = true;
    if (key == THIRL_KEY_RESIZED && !draw(w)) return false;
  }
}

static int run_on_terminal(watching *w) {
  thirl_time next = thirl_io_clock_now();
  const thirl_time step = w->args->interval_s ? w->args->interval_s * THIRL_S : THIRL_S;
  static const char clear[] = "\033[2J", below[] = "\r\n";
  bool good = thirl_terminal_write(w->terminal, clear, sizeof clear - 1) == THIRL_OK;
  for (unsigned n = 0; good; n++) {
    look(w);
    good = draw(w);
    if (!good || (w->args->count && n + 1 >= w->args->count)) break;
    next = thirl_io_clock_now() - next > step ? thirl_io_clock_now() + step : next + step; /* late ones are left out */
    if (!wait_on_terminal(w, next)) break;
  }
  (void)thirl_terminal_write(w->terminal, below, sizeof below - 1);
  return good ? EXIT_OK : EXIT_GENERIC;
}

/* ---- lines ---- */

static bool print(watching *w) {
  thirl_buffer b;
  thirl_buffer_init(&b, TUNE_SCREEN_BYTES_MAX);
  tune_screen_print(&w->watch, &b);
  thirl_bytes v = thirl_buffer_view(&b);
  bool good = (v.n == 0 || fwrite(v.p, 1, v.n, stdout) == v.n) && fflush(stdout) == 0;
  thirl_buffer_fini(&b);
  return good;
}

static int run_as_lines(watching *w) {
  thirl_time next = thirl_io_clock_now();
  const thirl_time step = w->args->interval_s ? w->args->interval_s * THIRL_S : THIRL_S;
  for (unsigned n = 0;; n++) {
    look(w);
    if (!print(w)) return EXIT_GENERIC;
    if (w->args->count && n + 1 >= w->args->count) return EXIT_OK;
    next = thirl_time_after(next, step);
    if (next < thirl_io_clock_now()) next = thirl_io_clock_now();
    sleep_until(next);
  }
}

int tune_watch(const arguments *a, const char *root, int64_t pid) {
  watching *w = calloc(1, sizeof *w);
  if (!w) return EXIT_GENERIC;
  *w = (watching){.args = a, .root = root, .pid = pid, .colour = looks_coloured()};
  const thirl_terminal_options options = {.in = STDIN_FILENO, .out = STDOUT_FILENO};
  thirl_error e = THIRL_OK;
  int code = EXIT_GENERIC;
  thirl_tune_watch_init(&w->watch);
  if (isatty(STDOUT_FILENO) && !looks_dumb()) e = thirl_terminal_open(&options, &w->terminal);
  if (e != THIRL_OK)
    fprintf(stderr, "thirl: the terminal cannot be used: %s\n", thirl_error_text(e));
  else
    code = w->terminal ? run_on_terminal(w) : run_as_lines(w);
  thirl_terminal_close(w->terminal);
  free(w);
  return code;
}
