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

static void catch_signals(void) {
  struct sigaction sa;
  memset(&sa, 0, sizeof sa);
  sa.sa_handler = on_signal; /* no SA_RESTART: poll returns */
  sigaction(SIGINT, &sa, NULL);
  sigaction(SIGTERM, &sa, NULL);
  sa.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &sa, NULL);
}

thirl_options pipe_options(const arguments *a) {
  thirl_options o = THIRL_OPTIONS_INIT;
  o.server = a->server;
  o.identity = a->identity;
  o.ephemeral = a->ephemeral;
  o.direct_only = a->direct_only;
  o.relay_only = a->relay_only;
  o.timeout_ms = a->timeout_s * 1000;
  o.max_incoming = 1;
  return o;
}

typedef struct pipe_state {
  thirl_context *context;
  thirl_session_handle session;
  bool was_up, over;
  int code;
} pipe_state;

static void take_event(pipe_state *p, const thirl_event *ev) {
  if (ev->kind == THIRL_EVENT_INCOMING && !p->session) p->session = ev->session;
  if (ev->session && ev->session != p->session) return; /* somebody came while we are busy: the peer hears so */
  status_event(ev);
  switch (ev->kind) {
  case THIRL_EVENT_UP: {
    p->was_up = true;
    thirl_error e = thirl_attach(p->context, p->session, STDIN_FILENO, STDOUT_FILENO);
    if (e != THIRL_OK) {
      status_error(e, thirl_context_explain(p->context));
      p->over = true;
      p->code = command_exit_code(e, false);
    }
    break;
  }
  case THIRL_EVENT_FINISHED:
    p->over = true;
    p->code = EXIT_OK;
    break;
  case THIRL_EVENT_FAILED:
    p->over = true;
    p->code = command_exit_code(ev->error, p->was_up);
    status_error(ev->error, thirl_context_explain(p->context));
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

int pipe_run(thirl_context *c, thirl_session_handle session, unsigned deadline_s) {
  pipe_state p = {.context = c, .session = session};
  long long give_up = deadline_s ? now_ms() + deadline_s * 1000LL : 0;
  thirl_event ev;
  catch_signals();
  while (!p.over && !caught) {
    int wait = thirl_context_timeout_ms(c);
    if (give_up && !p.session) {
      long long left = give_up - now_ms();
      if (left <= 0) {
        status_error(THIRL_E_NO_PEER, "nobody came in time");
        return EXIT_NO_PEER;
      }
      if (wait < 0 || left < wait) wait = (int)left;
    }
    struct pollfd fd = {.fd = thirl_context_fd(c), .events = POLLIN};
    if (poll(&fd, 1, wait) < 0 && errno != EINTR) return EXIT_GENERIC;
    thirl_error e = thirl_context_process(c);
    if (e != THIRL_OK) {
      status_error(e, thirl_context_explain(c));
      return command_exit_code(e, p.was_up);
    }
    while (!p.over && thirl_context_next_event(c, &ev))
      take_event(&p, &ev);
  }
  return caught ? EXIT_SIGNAL + caught : p.code;
}
