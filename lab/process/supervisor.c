/* SPDX-License-Identifier: MIT */
#include "lab/process/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lab/process/control.h"
#include "lab/process/request.h"
#include "lab/process/running.h"

enum { CLIENTS_MAX = 64, LOG_MAX = 1 << 20 };

typedef struct supervisor {
  thirl_lab_running lab;
  thirl_lab_state state;
  FILE *log;
  int listener, signals, epoll;
  thirl_lab_request_client clients[CLIENTS_MAX];
  bool quits;
} supervisor;

/* ---- clients ---- */

enum { WHO_PUMP = CLIENTS_MAX, WHO_LISTENER, WHO_SIGNALS };

static int watch(const supervisor *s, int fd, uint32_t who) {
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = who};
  return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void welcome(supervisor *s) {
  int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
    if (s->clients[i].fd >= 0) continue;
    if (watch(s, fd, i) < 0) break;
    thirl_lab_request_client_init(&s->clients[i], fd);
    return;
  }
  close(fd);
}

static void listen_to(supervisor *s, thirl_lab_request_client *c) {
  if (c->fd < 0) return;
  switch (thirl_lab_request_serve(c, &s->lab, s->state.mark)) {
  case THIRL_LAB_REQUEST_GOES_ON:
    return;
  case THIRL_LAB_REQUEST_DOWN:
    s->quits = true;
    return; /* the connection ends with us */
  case THIRL_LAB_REQUEST_ENDS:
    break;
  }
  thirl_lab_request_client_fini(c, &s->lab);
}

/* ---- the loop ---- */

static void run(supervisor *s) {
  enum { EVENTS = 16, SOON_MS = 20 };
  bool waits = false; /* for the reader of a capture */
  struct epoll_event events[EVENTS];
  while (!s->quits) {
    int n = epoll_wait(s->epoll, events, EVENTS, waits ? SOON_MS : -1);
    if (n < 0 && errno != EINTR) break;
    for (int i = 0; i < n; i++) {
      uint32_t who = events[i].data.u32;
      if (who == WHO_PUMP) thirl_lab_running_step(&s->lab, s->log);
      if (who == WHO_LISTENER) welcome(s);
      if (who == WHO_SIGNALS) s->quits = true;
      if (who < CLIENTS_MAX) listen_to(s, &s->clients[who]);
    }
    waits = false;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
      waits |= thirl_lab_request_flush(&s->clients[i], &s->lab);
    if (ftell(s->log) > LOG_MAX) rewind(s->log);
  }
}

/* ---- beginning and end ---- */

static int block_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_DFL);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void close_all_but(int a, int b) {
  unsigned lo = (unsigned)(a < b ? a : b), hi = (unsigned)(a < b ? b : a);
  if (lo > 3) close_range(3, lo - 1, 0);
  if (hi > lo + 1) close_range(lo + 1, hi - 1, 0);
  close_range(hi + 1, ~0U, 0);
}

/* Whoever reads from the caller's streams must not wait for us. */
static FILE *open_log(const thirl_lab_state *state) {
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  int file = open(state->log, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  if (file >= 0) dup2(file, STDOUT_FILENO);
  if (file >= 0) dup2(file, STDERR_FILENO);
  if (nothing >= 0) close(nothing);
  return file < 0 ? NULL : fdopen(file, "w");
}

static thirl_error set_up(supervisor *s, thirl_lab_topology *t, bool in_user, thirl_lab_complaint *why) {
  s->epoll = epoll_create1(EPOLL_CLOEXEC);
  s->signals = block_signals();
  s->log = open_log(&s->state);
  int error = 0;
  if (s->epoll < 0 || s->signals < 0 || !s->log || watch(s, s->signals, WHO_SIGNALS) < 0) {
    thirl_lab_topology_free(t);
    return thirl_lab_words_complain(why, THIRL_E_IO, "cannot begin: %s", strerror(errno));
  }
  thirl_error e = thirl_lab_running_open(&s->lab, t, &s->state, in_user, why);
  if (e == THIRL_OK) error = thirl_lab_control_listen(s->state.control, &s->listener);
  if (e == THIRL_OK && !error &&
      (watch(s, s->listener, WHO_LISTENER) < 0 || watch(s, thirl_lab_pump_fd(s->lab.pump), WHO_PUMP) < 0))
    error = errno;
  if (error) e = thirl_lab_words_complain(why, THIRL_E_IO, "%s: %s", s->state.control, strerror(error));
  return e;
}

static void tear_down(supervisor *s) {
  for (size_t i = 0; i < CLIENTS_MAX; i++)
    thirl_lab_request_client_fini(&s->clients[i], &s->lab);
  thirl_lab_running_close(&s->lab, &s->state);
  thirl_lab_state_remove(&s->state);
}

typedef struct report {
  thirl_error error;
  thirl_lab_complaint why;
} report;

static void tell(int fd, const report *r) {
  while (write(fd, r, sizeof *r) < 0 && errno == EINTR)
    ;
  close(fd);
}

/* The whole life of the process. */
static void live(thirl_lab_topology *t, const thirl_lab_state *state, const thirl_lab_supervisor_options *options,
                 pid_t parent, int ready) {
  static supervisor s;
  report r = {.error = THIRL_OK};
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  prctl(PR_SET_NAME, "thirl-lab");
  s.state = *state;
  s.listener = -1;
  s.lab.t = NULL;
  for (size_t i = 0; i < CLIENTS_MAX; i++)
    s.clients[i].fd = -1;
  setsid();
  close_all_but(state->lock, ready);
  if (chdir("/") < 0) r.error = thirl_lab_words_complain(&r.why, THIRL_E_IO, "cannot change to /");
  if (r.error == THIRL_OK) r.error = set_up(&s, t, options->in_user, &r.why);
  bool is_up = r.error == THIRL_OK;
  if (is_up && options->stays) prctl(PR_SET_PDEATHSIG, 0);
  if (getppid() != parent) is_up = false;
  if (is_up) {
    tell(ready, &r);
    run(&s);
  }
  tear_down(&s);
  if (!is_up) tell(ready, &r); /* so that nothing is left when the caller hears of it */
}

/* The guard, too, is gone by then: its end of the pipe is closed. */
static bool hear(int fd, report *r) {
  size_t n = 0;
  ssize_t got;
  while (n < sizeof *r && (got = read(fd, (char *)r + n, sizeof *r - n)) != 0) {
    if (got < 0 && errno != EINTR) break;
    if (got > 0) n += (size_t)got;
  }
  return n == sizeof *r;
}

thirl_error thirl_lab_supervisor_start(thirl_lab_topology *t, thirl_lab_state *state,
                                       const thirl_lab_supervisor_options *options, pid_t *pid,
                                       thirl_lab_complaint *why) {
  int ready[2] = {-1, -1};
  report r;
  pid_t parent = getpid();
  *pid = -1;
  if (pipe2(ready, O_CLOEXEC) == 0) *pid = fork();
  if (*pid == 0) {
    live(t, state, options, parent, ready[1]);
    _exit(0);
  }
  thirl_lab_topology_free(t);
  if (ready[1] >= 0) close(ready[1]);
  if (*pid < 0) {
    if (ready[0] >= 0) close(ready[0]);
    thirl_lab_state_remove(state);
    return thirl_lab_words_complain(why, THIRL_E_IO, "cannot start a process: %s", strerror(errno));
  }
  close(state->lock);
  state->lock = -1;
  if (!hear(ready[0], &r))
    r.error = thirl_lab_words_complain(&r.why, THIRL_E_IO, "the lab has died while it was being set up");
  close(ready[0]);
  if (r.error == THIRL_OK) return THIRL_OK;
  while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
    ;
  *pid = -1;
  return thirl_lab_words_complain(why, r.error, "%s", r.why.text);
}
