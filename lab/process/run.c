/* SPDX-License-Identifier: MIT */
#include "lab/process/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lab/process/client.h"
#include "io/clock.h"

enum { OUTPUT_MAX = 1 << 20, EXIT_TIMEOUT = 124, EXIT_NOT_STARTED = 126, CHUNK = 4096 };

/* One command. What it has started in the background may go on writing when it has ended. */
typedef struct job {
  const thirl_lab_run *run;
  const char *host;
  pid_t pid;     /* 0: not running */
  int end, pipe; /* readable when it has ended; what it prints. -1: closed */
  thirl_time started, ended;
  bool is_done, timed_out;
  int exit_code;
  char *output; /* for the report, or the beginning of a line */
  size_t n, size;
  bool was_cut;
} job;

typedef struct runner {
  const thirl_lab_state *state;
  const thirl_lab_run_options *options;
  job jobs[THIRL_LAB_RUNS_MAX];
  size_t n;
  int signals;
  int caught; /* a signal's number; 0: none */
  sigset_t before;
} runner;

/* ---- output ---- */

static void print_lines(job *j, bool is_over) {
  size_t at = 0;
  if (j->n == 0) return;
  for (;;) {
    char *newline = memchr(j->output + at, '\n', j->n - at);
    if (!newline && !(is_over && at < j->n)) break;
    size_t len = newline ? (size_t)(newline - j->output) - at : j->n - at;
    printf("%s| %.*s\n", j->host, (int)len, j->output + at);
    at += len + (newline != NULL);
  }
  memmove(j->output, j->output + at, j->n - at);
  j->n -= at;
  fflush(stdout);
}

static void keep(job *j, const char *bytes, size_t n, bool whole) {
  if (j->n + n > OUTPUT_MAX) {
    j->was_cut = true;
    if (whole) return;
    j->n = 0; /* a line of that length is shown in parts */
  }
  if (j->n + n > j->size) {
    char *more = realloc(j->output, 2 * (j->n + n));
    if (!more) return;
    j->output = more;
    j->size = 2 * (j->n + n);
  }
  memcpy(j->output + j->n, bytes, n);
  j->n += n;
}

/* All that there is now. */
static void read_output(const runner *r, job *j) {
  char chunk[CHUNK];
  ssize_t n;
  while (j->pipe >= 0 && (n = read(j->pipe, chunk, sizeof chunk)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) break;
    keep(j, chunk, (size_t)n, r->options->json);
    if (!r->options->json) print_lines(j, false);
  }
  if (j->pipe < 0) return;
  if (!r->options->json) print_lines(j, true);
  close(j->pipe);
  j->pipe = -1;
}

/* ---- processes ---- */

__attribute__((noreturn)) static void become(const runner *r, const job *j, const thirl_lab_client_place *place,
                                             int out, pid_t parent) {
  thirl_lab_complaint why = {""};
  int nothing = open("/dev/null", O_RDONLY);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(EXIT_NOT_STARTED);
  setpgid(0, 0);
  dup2(nothing, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  sigprocmask(SIG_SETMASK, &r->before, NULL);
  if (thirl_lab_client_go(place, r->state, &why) == THIRL_OK) {
    execl("/bin/sh", "sh", "-c", j->run->command, (char *)NULL);
    perror("sh");
  } else
    fprintf(stderr, "%s\n", why.text);
  _exit(EXIT_NOT_STARTED);
}

static thirl_error start(runner *r, job *j, thirl_lab_complaint *why) {
  thirl_lab_client_place place;
  int ends[2];
  pid_t parent = getpid();
  thirl_error e = thirl_lab_client_find(r->state, j->host, &place, why);
  if (e != THIRL_OK) return e;
  if (pipe2(ends, O_CLOEXEC) < 0) {
    thirl_lab_client_leave(&place);
    return thirl_lab_words_complain(why, THIRL_E_IO, "no pipe: %s", strerror(errno));
  }
  fflush(stdout);
  j->pid = fork();
  if (j->pid == 0) become(r, j, &place, ends[1], parent);
  close(ends[1]);
  thirl_lab_client_leave(&place);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  j->pipe = ends[0];
  j->started = thirl_io_clock_now();
  j->end = j->pid > 0 ? (int)syscall(SYS_pidfd_open, j->pid, 0) : -1;
  if (j->end >= 0) {
    fcntl(j->end, F_SETFD, FD_CLOEXEC);
    return THIRL_OK;
  }
  return thirl_lab_words_complain(why, THIRL_E_IO, "no process: %s", strerror(errno));
}

static void finish(const runner *r, job *j) {
  int status = 0;
  while (waitpid(j->pid, &status, 0) < 0 && errno == EINTR)
    ;
  close(j->end);
  j->end = -1;
  j->pid = 0;
  j->ended = thirl_io_clock_now();
  j->is_done = true;
  j->exit_code = j->timed_out ? EXIT_TIMEOUT : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  read_output(r, j);
}

static void stop(job *j) {
  if (j->pid <= 0) return;
  kill(-j->pid, SIGKILL);
  kill(j->pid, SIGKILL);
}

/* ---- the loop ---- */

static int time_left(const runner *r) {
  thirl_time now = thirl_io_clock_now(), least = THIRL_NEVER;
  for (size_t i = 0; i < r->n && r->options->timeout_s; i++)
    if (r->jobs[i].pid > 0 && !r->jobs[i].timed_out)
      least = THIRL_MIN(least, r->jobs[i].started + r->options->timeout_s * THIRL_S);
  if (least == THIRL_NEVER) return -1;
  return least <= now ? 0 : (int)THIRL_MIN((least - now) / THIRL_MS + 1, (thirl_time)3600000);
}

static void end_late_ones(runner *r) {
  thirl_time now = thirl_io_clock_now();
  for (size_t i = 0; i < r->n && r->options->timeout_s; i++) {
    job *j = &r->jobs[i];
    if (j->pid <= 0 || j->timed_out || now < j->started + r->options->timeout_s * THIRL_S) continue;
    j->timed_out = true;
    stop(j);
  }
}

/* Something has happened to one of them, or there is a signal, or it is late. */
static void turn(runner *r) {
  struct pollfd fds[2 * THIRL_LAB_RUNS_MAX + 1];
  for (size_t i = 0; i < r->n; i++) {
    fds[2 * i] = (struct pollfd){.fd = r->jobs[i].pipe, .events = POLLIN};
    fds[2 * i + 1] = (struct pollfd){.fd = r->jobs[i].end, .events = POLLIN};
  }
  fds[2 * r->n] = (struct pollfd){.fd = r->signals, .events = POLLIN};
  poll(fds, 2 * r->n + 1, time_left(r));
  end_late_ones(r);
  for (size_t i = 0; i < r->n; i++) {
    if (fds[2 * i].revents) read_output(r, &r->jobs[i]);
    if (fds[2 * i + 1].revents) finish(r, &r->jobs[i]);
  }
  struct signalfd_siginfo info;
  if (fds[2 * r->n].revents && read(r->signals, &info, sizeof info) == (ssize_t)sizeof info)
    r->caught = (int)info.ssi_signo;
}

static bool is_any_running(const runner *r) {
  for (size_t i = 0; i < r->n; i++)
    if (r->jobs[i].pid > 0) return true;
  return false;
}

static thirl_error carry_out(runner *r, thirl_lab_complaint *why) {
  thirl_error e = THIRL_OK;
  for (size_t i = 0; e == THIRL_OK && i < r->n && !r->caught; i++) {
    e = start(r, &r->jobs[i], why);
    while (e == THIRL_OK && !r->options->parallel && r->jobs[i].pid > 0 && !r->caught)
      turn(r);
  }
  while (e == THIRL_OK && is_any_running(r) && !r->caught)
    turn(r);
  for (size_t i = 0; i < r->n; i++)
    stop(&r->jobs[i]);
  for (size_t i = 0; i < r->n; i++)
    if (r->jobs[i].pid > 0) finish(r, &r->jobs[i]);
  for (size_t i = 0; i < r->n; i++)
    if (r->jobs[i].pipe >= 0) read_output(r, &r->jobs[i]);
  return e;
}

/* ---- the report ---- */

static void print_json_text(const char *text, size_t n) {
  putchar('"');
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\')
      printf("\\%c", c);
    else if (c == '\n')
      printf("\\n");
    else if (c < ' ' || c >= 0x7f)
      printf("\\u%04x", c); /* bytes as they are: a command's output need not be UTF-8 */
    else
      putchar(c);
  }
  putchar('"');
}

static void print_json(const runner *r) {
  printf("{\"version\":1,\"lab\":\"%s\",\"runs\":[", r->state->name);
  for (size_t i = 0; i < r->n; i++) {
    const job *j = &r->jobs[i];
    printf("%s{\"host\":\"%s\",\"line\":%u,\"command\":", i ? "," : "", j->host, j->run->line);
    print_json_text(j->run->command, strlen(j->run->command));
    if (j->is_done)
      printf(",\"exit\":%d,\"seconds\":%.3f", j->exit_code, (double)(j->ended - j->started) / 1e6);
    else
      printf(",\"exit\":null,\"seconds\":null");
    printf(",\"output\":");
    print_json_text(j->output ? j->output : "", j->n);
    printf(",\"cut\":%s}", j->was_cut ? "true" : "false");
  }
  printf("]}\n");
}

static void print_report(const runner *r) {
  for (size_t i = 0; i < r->n; i++) {
    const job *j = &r->jobs[i];
    if (j->is_done)
      printf("%s %3d  %6.2f s  %s: %s%s\n", j->exit_code == 0 ? "ok  " : "bad ", j->exit_code,
             (double)(j->ended - j->started) / 1e6, j->host, j->run->command, j->timed_out ? "  (out of time)" : "");
    else
      printf("not carried out     %s: %s\n", j->host, j->run->command);
  }
}

thirl_error thirl_lab_run_all(const thirl_lab_topology *t, const thirl_lab_state *s,
                              const thirl_lab_run_options *options, int *exit_code, thirl_lab_complaint *why) {
  runner *r = calloc(1, sizeof *r);
  sigset_t set;
  if (!r) return thirl_lab_words_complain(why, THIRL_E_NOMEM, "out of memory");
  r->state = s;
  r->options = options;
  for (r->n = 0; r->n < t->n_runs; r->n++)
    r->jobs[r->n] = (job){.run = &t->runs[r->n], .host = t->nodes[t->runs[r->n].node].name, .end = -1, .pipe = -1};
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  sigprocmask(SIG_BLOCK, &set, &r->before);
  r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  thirl_error e = carry_out(r, why);
  if (options->json)
    print_json(r);
  else
    print_report(r);
  fflush(stdout);
  *exit_code = r->caught ? 128 + r->caught : 0;
  for (size_t i = 0; i < r->n; i++) {
    if (!r->caught && (!r->jobs[i].is_done || r->jobs[i].exit_code != 0)) *exit_code = 1;
    if (r->jobs[i].pipe >= 0) close(r->jobs[i].pipe);
    free(r->jobs[i].output);
  }
  if (r->signals >= 0) close(r->signals);
  free(r); /* the signals stay blocked: the lab is yet to be taken down */
  return e;
}
