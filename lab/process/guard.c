/* SPDX-License-Identifier: MIT */
#include "lab/process/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>

__attribute__((noreturn)) static void guard(int watch, thirl_lab_state *state, const uint64_t *ids, size_t n) {
  static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP};
  char byte;
  ssize_t got;
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
    signal(ignored[i], SIG_IGN);
  prctl(PR_SET_NAME, "thirl-lab-guard");
  prctl(PR_SET_PDEATHSIG, 0);
  setsid();
  do
    got = read(watch, &byte, 1);
  while (got > 0 || (got < 0 && errno == EINTR));
  thirl_lab_sweep_kill(state->mark, ids, n);
  thirl_lab_state_remove(state);
  _exit(0);
}

/* The guard must not keep a terminal, or a pipe at whose end somebody waits. */
static void let_go_of_streams(void) {
  int nothing = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; fd++)
    if (nothing >= 0) dup2(nothing, fd);
  if (nothing > 2) close(nothing);
}

thirl_error thirl_lab_guard_start(thirl_lab_guard *g, const thirl_lab_state *state, const uint64_t *ids, size_t n,
                                  thirl_lab_complaint *why) {
  int watch[2] = {-1, -1}, line[2] = {-1, -1};
  *g = (thirl_lab_guard){.pid = -1, .alive = -1, .lifeline = -1};
  if (pipe2(watch, O_CLOEXEC) == 0 && pipe2(line, O_CLOEXEC) == 0) g->pid = fork();
  if (g->pid == 0) {
    thirl_lab_state copy = *state;
    close(watch[1]);
    close(line[0]);
    let_go_of_streams();
    guard(watch[0], &copy, ids, n);
  }
  if (watch[0] >= 0) close(watch[0]);
  if (g->pid > 0) { /* line[1] stays open, in both */
    g->alive = watch[1];
    g->lifeline = line[0];
    return THIRL_OK;
  }
  int error = errno;
  if (watch[1] >= 0) close(watch[1]);
  if (line[0] >= 0) close(line[0]);
  if (line[1] >= 0) close(line[1]);
  return thirl_lab_words_complain(why, THIRL_E_IO, "cannot start the guard: %s", strerror(error));
}
