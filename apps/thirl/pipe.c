/* SPDX-License-Identifier: MIT */
#include "pipe.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "status.h"

static volatile sig_atomic_t caught;

static void on_signal(int number) {
  caught = number;
}

/* Whoever ignores a signal for us (nohup, a shell that puts us in the background) means it. */
static void catch_signal(int number, sigset_t *caught_ones) {
  struct sigaction sa;
  sigaction(number, NULL, &sa);
  if (sa.sa_handler == SIG_IGN) return;
  memset(&sa, 0, sizeof sa);
  sa.sa_handler = on_signal;
  sigaction(number, &sa, NULL);
  sigaddset(caught_ones, number);
}

/* The two are blocked but while we wait, so that none comes between the look at caught and the wait. *waiting: the mask for that. */
static void catch_signals(sigset_t *waiting) {
  sigset_t ours;
  sigemptyset(&ours);
  catch_signal(SIGINT, &ours);
  catch_signal(SIGTERM, &ours);
  sigprocmask(SIG_BLOCK, &ours, waiting);
  signal(SIGPIPE, SIG_IGN);
}

/* From now on a second one ends us at once. */
static void release_signals(const sigset_t *before) {
  if (caught) signal(caught, SIG_DFL);
  sigprocmask(SIG_SETMASK, before, NULL);
}

typedef struct pipe_state {
  thirl_context *context;
  thirl_session_handle session;
  bool listens, was_up, over;
  int code;
} pipe_state;

static void end(pipe_state *p, thirl_error e) {
  p->over = true;
  p->code = command_exit_code(e, p->was_up);
  if (e != THIRL_OK) status_error(e, thirl_context_explain(p->context));
}

/* Somebody who held a ticket but did not arrive is no reason to stop waiting for the one who is meant. */
static bool may_wait_on(const pipe_state *p, thirl_error e) {
  return p->listens && !p->was_up && e != THIRL_E_ONLY_RELAY;
}

static void take_event(pipe_state *p, const thirl_event *ev) {
  if (ev->kind == THIRL_EVENT_INCOMING && !p->session) p->session = ev->session;
  if (ev->session && ev->session != p->session) return;
  status_event(ev);
  switch (ev->kind) {
  case THIRL_EVENT_UP: {
    thirl_error e = thirl_attach(p->context, p->session, STDIN_FILENO, STDOUT_FILENO);
    if (e != THIRL_OK)
      end(p, e);
    else
      p->was_up = true;
    break;
  }
  case THIRL_EVENT_UNREGISTERED:
    if (p->listens && ev->error == THIRL_E_NOT_FOUND) end(p, THIRL_E_NO_SERVER);
    break;
  case THIRL_EVENT_FINISHED:
    end(p, THIRL_OK);
    break;
  case THIRL_EVENT_FAILED:
    if (may_wait_on(p, ev->error)) {
      status_error(ev->error, thirl_context_explain(p->context));
      p->session = 0;
    } else {
      end(p, ev->error);
    }
    break;
  default:
    break;
  }
}

static long long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One wait and one turn. give_up: when to stop waiting for the first to come in, 0 for never. */
static void turn(pipe_state *p, long long give_up, const sigset_t *waiting) {
  long long ms = thirl_context_timeout_ms(p->context);
  struct pollfd fd = {.fd = thirl_context_fd(p->context), .events = POLLIN};
  thirl_event ev;
  if (give_up && !p->session) {
    long long left = give_up - now_ms();
    if (left <= 0) {
      p->over = true;
      p->code = EXIT_NO_PEER;
      status_error(THIRL_E_NO_PEER, "nobody came in time");
      return;
    }
    if (ms < 0 || left < ms) ms = left;
  }
  struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
  if (ppoll(&fd, 1, ms < 0 ? NULL : &wait, waiting) < 0 && errno != EINTR) {
    end(p, THIRL_E_IO);
    return;
  }
  thirl_error e = thirl_context_process(p->context);
  if (e != THIRL_OK) end(p, e);
  while (!p->over && thirl_context_next_event(p->context, &ev))
    take_event(p, &ev);
}

int pipe_run(thirl_context *c, thirl_session_handle session, unsigned deadline_s) {
  pipe_state p = {.context = c, .session = session, .listens = session == 0};
  long long give_up = deadline_s ? now_ms() + deadline_s * 1000LL : 0;
  sigset_t waiting;
  catch_signals(&waiting);
  while (!p.over && !caught)
    turn(&p, give_up, &waiting);
  if (!p.over && p.session) thirl_close(c, p.session); /* the peer need not wait for us in vain */
  release_signals(&waiting);
  return p.over ? p.code : EXIT_SIGNAL + caught;
}
