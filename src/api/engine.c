/* SPDX-License-Identifier: MIT */
#include "api/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/context.h"

struct thirl_api_engine {
  thirl_context *context; /* the thread's */
  pthread_t thread;
  int wake_fd;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  /* ---- under the lock ---- */
  unsigned users;
  bool is_registered, is_hopeless; /* the server's name does not exist */
  bool stop_listening, has_wishes;
  char why[THIRL_API_ENGINE_WHY];
  thirl_connection *connections; /* newest first */
};

/* ---- connections, under the lock ---- */

static thirl_connection *find(thirl_api_engine *e, thirl_session_handle s) {
  for (thirl_connection *c = e->connections; c; c = c->next)
    if (c->session == s && !c->is_over) return c;
  return NULL;
}

static ino_t inode_of(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* The caller shall not close its end, but some will. */
static void close_app_end(thirl_connection *c) {
  if (c->app_fd >= 0 && inode_of(c->app_fd) == c->app_inode) close(c->app_fd);
  if (c->app_dup >= 0) close(c->app_dup);
  c->app_fd = c->app_dup = -1;
}

static thirl_connection *new_connection(thirl_api_engine *e, thirl_session_handle s) {
  int fds[2];
  thirl_connection *c = calloc(1, sizeof *c);
  if (!c || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    free(c);
    return NULL;
  }
  *c = (thirl_connection){.engine = e, .app_fd = fds[0], .lib_fd = fds[1], .session = s, .next = e->connections};
  c->app_inode = inode_of(fds[0]);
  c->app_dup = fcntl(fds[0], F_DUPFD_CLOEXEC, 3);
  if (c->app_dup < 0) {
    close(fds[0]);
    close(fds[1]);
    free(c);
    return NULL;
  }
  e->connections = c;
  return c;
}

static void unlink_and_free(thirl_api_engine *e, thirl_connection *c) {
  thirl_connection **p = &e->connections;
  while (*p && *p != c)
    p = &(*p)->next;
  if (*p) *p = c->next;
  close_app_end(c);
  if (c->lib_fd >= 0) close(c->lib_fd);
  free(c);
}

/*
 * The context has closed its duplicate; now the caller's end learns how it was. What was delivered is still read. A socket that is closed with unread
 * bytes in it resets its other end, so after a failure one is put there: the caller must not take a failure for the end of the data.
 */
static void end_pair(thirl_connection *c, thirl_error why) {
  if (why != THIRL_OK && c->is_held) (void)!send(c->app_dup, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  close(c->lib_fd);
  c->lib_fd = -1;
}

static void end(thirl_api_engine *e, thirl_connection *c, thirl_error why) {
  c->is_over = true;
  if (c->result == THIRL_OK) {
    c->result = why;
    snprintf(c->why, sizeof c->why, "%s", thirl_context_explain(e->context));
  }
  end_pair(c, why);
  bool waits_for_accept = c->is_up && why == THIRL_OK && !e->stop_listening;
  if (!c->is_held && !waits_for_accept) unlink_and_free(e, c);
}

static void come_up(thirl_api_engine *e, thirl_connection *c, const thirl_event *ev) {
  memcpy(c->peer, ev->peer, sizeof c->peer);
  int fd = fcntl(c->lib_fd, F_DUPFD_CLOEXEC, 3);
  thirl_error err = fd < 0 ? THIRL_E_LIMIT : thirl_attach(e->context, c->session, fd, fd);
  c->is_up = err == THIRL_OK;
  if (c->is_up) return;
  if (fd >= 0) close(fd);
  if (err == THIRL_E_NOT_FOUND) return; /* it came up and ended in one turn: its FAILED tells why */
  c->result = err;
  thirl_close(e->context, c->session);
}

static size_t count_waiting(const thirl_api_engine *e) {
  size_t n = 0;
  for (const thirl_connection *c = e->connections; c; c = c->next)
    n += !c->is_held;
  return n;
}

static void come_in(thirl_api_engine *e, thirl_session_handle s) {
  bool has_room = !e->stop_listening && count_waiting(e) < THIRL_API_ENGINE_BACKLOG;
  if (!has_room || !new_connection(e, s)) thirl_close(e->context, s);
}

/* ---- the thread ---- */

static void take_event(thirl_api_engine *e, const thirl_event *ev) {
  thirl_connection *c = ev->session ? find(e, ev->session) : NULL;
  switch (ev->kind) {
  case THIRL_EVENT_REGISTERED:
    e->is_registered = true;
    break;
  case THIRL_EVENT_UNREGISTERED:
    e->is_hopeless = ev->error == THIRL_E_NOT_FOUND;
    snprintf(e->why, sizeof e->why, "%s", thirl_context_explain(e->context));
    break;
  case THIRL_EVENT_INCOMING:
    come_in(e, ev->session);
    break;
  case THIRL_EVENT_UP:
    if (c) come_up(e, c, ev);
    break;
  case THIRL_EVENT_PATH:
    if (c) c->is_direct = ev->direct;
    break;
  case THIRL_EVENT_FINISHED:
  case THIRL_EVENT_FAILED:
    if (c) end(e, c, ev->error);
    break;
  default:
    break;
  }
}

static void do_wish(thirl_api_engine *e, thirl_connection *c) {
  bool is_unwanted = e->stop_listening && !c->is_held;
  if (!c->wants_close && !is_unwanted) return;
  c->wants_close = false;
  if (c->is_over)
    unlink_and_free(e, c);
  else
    thirl_close(e->context, c->session);
}

static void do_wishes(thirl_api_engine *e) {
  if (!e->has_wishes) return;
  e->has_wishes = false;
  if (e->stop_listening) thirl_api_context_stop_listening(e->context);
  for (thirl_connection *c = e->connections, *next; c; c = next) {
    next = c->next;
    do_wish(e, c);
  }
}

/* False: nobody uses the engine any more. */
static bool turn(thirl_api_engine *e) {
  thirl_event ev;
  pthread_mutex_lock(&e->lock);
  do_wishes(e);
  pthread_mutex_unlock(&e->lock);
  (void)thirl_context_process(e->context);
  pthread_mutex_lock(&e->lock);
  bool has_changed = false;
  while (thirl_context_next_event(e->context, &ev)) {
    take_event(e, &ev);
    has_changed = true;
  }
  if (has_changed) pthread_cond_broadcast(&e->changed);
  bool is_used = e->users > 0;
  pthread_mutex_unlock(&e->lock);
  return is_used;
}

static void *run(void *arg) {
  thirl_api_engine *e = arg;
  do {
    struct pollfd fds[2] = {{.fd = thirl_context_fd(e->context), .events = POLLIN},
                            {.fd = e->wake_fd, .events = POLLIN}};
    uint64_t n;
    (void)poll(fds, 2, thirl_context_timeout_ms(e->context));
    if (fds[1].revents) (void)!read(e->wake_fd, &n, sizeof n);
  } while (turn(e));
  return NULL;
}

/* ---- life ---- */

static void free_engine(thirl_api_engine *e) {
  while (e->connections)
    unlink_and_free(e, e->connections);
  thirl_context_free(e->context);
  if (e->wake_fd >= 0) close(e->wake_fd);
  pthread_cond_destroy(&e->changed);
  pthread_mutex_destroy(&e->lock);
  free(e);
}

thirl_error thirl_api_engine_new(thirl_context *context_take, thirl_api_engine **out) {
  thirl_api_engine *e = calloc(1, sizeof *e);
  pthread_condattr_t attr;
  *out = NULL;
  if (!e) {
    thirl_context_free(context_take);
    return THIRL_E_NOMEM;
  }
  e->context = context_take;
  e->users = 1;
  pthread_mutex_init(&e->lock, NULL);
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&e->changed, &attr);
  pthread_condattr_destroy(&attr);
  e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (e->wake_fd < 0) {
    free_engine(e);
    return THIRL_E_LIMIT;
  }
  *out = e;
  return THIRL_OK;
}

thirl_error thirl_api_engine_adopt(thirl_api_engine *e, thirl_session_handle session, thirl_connection **out) {
  thirl_connection *c = new_connection(e, session);
  if (!c) return THIRL_E_LIMIT;
  c->is_held = true;
  *out = c;
  return THIRL_OK;
}

/* Signals are the application's: its own threads shall handle them. */
thirl_error thirl_api_engine_run(thirl_api_engine *e) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int rc = pthread_create(&e->thread, NULL, run, e);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return rc == 0 ? THIRL_OK : THIRL_E_LIMIT;
}

void thirl_api_engine_discard(thirl_api_engine *e) {
  free_engine(e);
}

static void wake(thirl_api_engine *e) {
  uint64_t one = 1;
  (void)!write(e->wake_fd, &one, sizeof one); /* EAGAIN: it is awake enough */
}

void thirl_api_engine_release(thirl_api_engine *e) {
  pthread_mutex_lock(&e->lock);
  bool is_last = --e->users == 0;
  wake(e);
  pthread_mutex_unlock(&e->lock);
  if (!is_last) return;
  pthread_join(e->thread, NULL);
  free_engine(e);
}

/* ---- waiting ---- */

/* A point in time; of a negative number of milliseconds: never. */
typedef struct limit {
  bool is_set;
  struct timespec at;
} limit;

static limit limit_in(int ms) {
  limit l = {.is_set = ms >= 0};
  if (!l.is_set) return l;
  clock_gettime(CLOCK_MONOTONIC, &l.at);
  l.at.tv_sec += ms / 1000;
  l.at.tv_nsec += (long)(ms % 1000) * 1000000;
  if (l.at.tv_nsec >= 1000000000) {
    l.at.tv_sec++;
    l.at.tv_nsec -= 1000000000;
  }
  return l;
}

/* For poll: rounded up, -1 for never. */
static int milliseconds_left(const limit *l) {
  struct timespec now;
  if (!l->is_set) return -1;
  clock_gettime(CLOCK_MONOTONIC, &now);
  long long us = (long long)(l->at.tv_sec - now.tv_sec) * 1000000 + (l->at.tv_nsec - now.tv_nsec) / 1000;
  return us <= 0 ? 0 : (int)((us + 999) / 1000);
}

/* One wait under the lock; false when the time is over. */
static bool wait_change(thirl_api_engine *e, const limit *l) {
  if (!l->is_set) return pthread_cond_wait(&e->changed, &e->lock) == 0;
  return pthread_cond_timedwait(&e->changed, &e->lock, &l->at) == 0;
}

thirl_error thirl_api_engine_wait_registered(thirl_api_engine *e, int timeout_ms, char *why) {
  limit l = limit_in(timeout_ms);
  pthread_mutex_lock(&e->lock);
  while (!e->is_registered && !e->is_hopeless && wait_change(e, &l)) {
  }
  thirl_error err = e->is_registered ? THIRL_OK : THIRL_E_NO_SERVER;
  snprintf(why, THIRL_API_ENGINE_WHY, "%s", err == THIRL_OK ? "" : e->why);
  pthread_mutex_unlock(&e->lock);
  return err;
}

thirl_error thirl_api_engine_wait_up(thirl_connection *c, char *why) {
  thirl_api_engine *e = c->engine;
  limit never = limit_in(-1); /* the session has a time limit of its own */
  pthread_mutex_lock(&e->lock);
  while (!c->is_up && !c->is_over)
    (void)wait_change(e, &never);
  thirl_error err = c->is_up ? THIRL_OK : c->result;
  snprintf(why, THIRL_API_ENGINE_WHY, "%s", err == THIRL_OK ? "" : c->why);
  pthread_mutex_unlock(&e->lock);
  return err;
}

static thirl_connection *oldest_waiting(const thirl_api_engine *e) {
  thirl_connection *oldest = NULL;
  for (thirl_connection *c = e->connections; c; c = c->next)
    if (c->is_up && !c->is_held) oldest = c;
  return oldest;
}

thirl_error thirl_api_engine_wait_incoming(thirl_api_engine *e, int timeout_ms, thirl_connection **out) {
  limit l = limit_in(timeout_ms);
  pthread_mutex_lock(&e->lock);
  while (!(*out = oldest_waiting(e)) && wait_change(e, &l)) {
  }
  if (*out) {
    (*out)->is_held = true;
    e->users++;
  }
  pthread_mutex_unlock(&e->lock);
  return *out ? THIRL_OK : THIRL_E_TIMEOUT;
}

bool thirl_api_engine_is_direct(const thirl_connection *c) {
  pthread_mutex_lock(&c->engine->lock);
  bool is_direct = c->is_direct && !c->is_over;
  pthread_mutex_unlock(&c->engine->lock);
  return is_direct;
}

/* ---- ending ---- */

static void wish(thirl_api_engine *e) {
  e->has_wishes = true;
  wake(e);
}

void thirl_api_engine_stop_listening(thirl_api_engine *e) {
  pthread_mutex_lock(&e->lock);
  e->stop_listening = true;
  wish(e);
  pthread_mutex_unlock(&e->lock);
}

/* Until the peer's end, a failure or the limit. What comes is not wanted any more, but it must go somewhere before its end can come. */
static void read_out(int fd, const limit *l) {
  char nowhere[16384];
  struct pollfd p = {.fd = fd, .events = POLLIN};
  for (;;) {
    int rc = poll(&p, 1, milliseconds_left(l));
    if (rc == 0) return;
    if (rc < 0 && errno == EINTR) continue;
    ssize_t n = recv(fd, nowhere, sizeof nowhere, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return;
  }
}

thirl_error thirl_api_engine_finish(thirl_connection *c, int linger_ms, char *why) {
  thirl_api_engine *e = c->engine;
  limit l = limit_in(linger_ms);
  (void)shutdown(c->app_dup, SHUT_WR);
  read_out(c->app_dup, &l);
  pthread_mutex_lock(&e->lock);
  while (!c->is_over && wait_change(e, &l)) {
  }
  thirl_error err = c->is_over ? c->result : THIRL_E_TIMEOUT;
  snprintf(why, THIRL_API_ENGINE_WHY, "%s", c->is_over && err != THIRL_OK ? c->why : "");
  c->is_held = false;
  if (c->is_over) {
    unlink_and_free(e, c);
  } else { /* the thread gives it up, and frees it when that has happened */
    close_app_end(c);
    c->is_up = false; /* so that nobody accepts it again */
    c->wants_close = true;
    wish(e);
  }
  pthread_mutex_unlock(&e->lock);
  thirl_api_engine_release(e);
  return err;
}
