/* SPDX-License-Identifier: MIT */
#include "api/engine.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/context.h"

struct thirl_api_engine {
  thirl_context *context; /* the thread's */
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int wake_fd;
  unsigned users;
  bool stop_listening, is_registered;
  thirl_connection *connections;
};

/* ---- the thread ---- */

static thirl_connection *find(thirl_api_engine *e, thirl_session_handle s) {
  for (thirl_connection *c = e->connections; c; c = c->next)
    if (c->session == s) return c;
  return NULL;
}

static thirl_connection *new_connection(thirl_api_engine *e, thirl_session_handle s) {
  int fds[2];
  thirl_connection *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    free(c);
    return NULL;
  }
  c->engine = e;
  c->app_fd = fds[0];
  c->lib_fd = fds[1];
  c->session = s;
  c->next = e->connections;
  e->connections = c;
  return c;
}

static void unlink_and_free(thirl_api_engine *e, thirl_connection *c) {
  thirl_connection **p = &e->connections;
  while (*p && *p != c)
    p = &(*p)->next;
  if (*p) *p = c->next;
  close(c->app_fd);
  if (c->lib_fd >= 0) close(c->lib_fd);
  free(c);
}

static void end(thirl_api_engine *e, thirl_connection *c, thirl_error why) {
  c->is_over = true;
  c->result = why;
  if (!c->is_up && c->session && !c->is_taken) unlink_and_free(e, c); /* came and failed before anybody knew of it */
}

static void come_up(thirl_api_engine *e, thirl_connection *c, const thirl_event *ev) {
  memcpy(c->peer, ev->peer, sizeof c->peer);
  thirl_error err = thirl_attach(e->context, c->session, c->lib_fd, c->lib_fd);
  c->is_up = err == THIRL_OK;
  if (c->is_up) c->lib_fd = -1; /* the context's now */
  if (err != THIRL_OK) thirl_close(e->context, c->session);
}

static void take_event(thirl_api_engine *e, const thirl_event *ev) {
  thirl_connection *c = ev->session ? find(e, ev->session) : NULL;
  switch (ev->kind) {
  case THIRL_EVENT_REGISTERED:
    e->is_registered = true;
    break;
  case THIRL_EVENT_INCOMING:
    if (!c && !new_connection(e, ev->session)) thirl_close(e->context, ev->session);
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

static void do_wishes(thirl_api_engine *e) {
  if (e->stop_listening) thirl_api_context_stop_listening(e->context);
  for (thirl_connection *c = e->connections, *next; c; c = next) {
    next = c->next;
    if (c->wants_close && !c->is_over) thirl_close(e->context, c->session);
    c->wants_close = false;
  }
}

static void *run(void *arg) {
  thirl_api_engine *e = arg;
  thirl_event ev;
  for (;;) {
    struct pollfd fds[2] = {{.fd = thirl_context_fd(e->context), .events = POLLIN},
                            {.fd = e->wake_fd, .events = POLLIN}};
    (void)poll(fds, 2, thirl_context_timeout_ms(e->context));
    uint64_t n;
    if (fds[1].revents && read(e->wake_fd, &n, sizeof n) < 0 && errno != EAGAIN) break;
    pthread_mutex_lock(&e->lock);
    bool is_last = e->users == 0;
    if (!is_last) do_wishes(e);
    (void)thirl_context_process(e->context);
    while (thirl_context_next_event(e->context, &ev))
      take_event(e, &ev);
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
    if (is_last) break;
  }
  return NULL;
}

/* ---- the callers ---- */

static void wake(thirl_api_engine *e) {
  uint64_t one = 1;
  while (write(e->wake_fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

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
  if (!e) {
    thirl_context_free(context_take);
    return THIRL_E_NOMEM;
  }
  e->context = context_take;
  e->users = 1;
  e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  pthread_mutex_init(&e->lock, NULL);
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&e->changed, &attr);
  pthread_condattr_destroy(&attr);
  *out = e;
  if (e->wake_fd >= 0) return THIRL_OK;
  free_engine(e);
  *out = NULL;
  return THIRL_E_LIMIT;
}

thirl_error thirl_api_engine_run(thirl_api_engine *e) {
  return pthread_create(&e->thread, NULL, run, e) == 0 ? THIRL_OK : THIRL_E_LIMIT;
}

void thirl_api_engine_discard(thirl_api_engine *e) {
  free_engine(e);
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

static struct timespec deadline_after(int ms) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  t.tv_sec += ms / 1000;
  t.tv_nsec += (long)(ms % 1000) * 1000000;
  if (t.tv_nsec >= 1000000000) {
    t.tv_sec++;
    t.tv_nsec -= 1000000000;
  }
  return t;
}

/* One wait under the lock; false when the time is over. until NULL: for ever. */
static bool wait_change(thirl_api_engine *e, const struct timespec *until) {
  if (!until) return pthread_cond_wait(&e->changed, &e->lock) == 0;
  return pthread_cond_timedwait(&e->changed, &e->lock, until) == 0;
}

thirl_error thirl_api_engine_adopt(thirl_api_engine *e, thirl_session_handle session, thirl_connection **out) {
  thirl_connection *c = new_connection(e, session);
  if (!c) return THIRL_E_LIMIT;
  c->is_taken = true;
  *out = c;
  return THIRL_OK;
}

thirl_error thirl_api_engine_wait_registered(thirl_api_engine *e, int timeout_ms) {
  struct timespec until = deadline_after(timeout_ms);
  pthread_mutex_lock(&e->lock);
  while (!e->is_registered && wait_change(e, &until)) {
  }
  bool ok = e->is_registered;
  pthread_mutex_unlock(&e->lock);
  return ok ? THIRL_OK : THIRL_E_NO_SERVER;
}

thirl_error thirl_api_engine_wait_up(thirl_connection *c) {
  thirl_api_engine *e = c->engine;
  pthread_mutex_lock(&e->lock);
  while (!c->is_up && !c->is_over)
    (void)wait_change(e, NULL);
  thirl_error err = c->is_up ? THIRL_OK : c->result;
  pthread_mutex_unlock(&e->lock);
  return err;
}

thirl_error thirl_api_engine_wait_incoming(thirl_api_engine *e, int timeout_ms, thirl_connection **out) {
  struct timespec until = deadline_after(timeout_ms < 0 ? 0 : timeout_ms);
  thirl_error err = THIRL_E_TIMEOUT;
  *out = NULL;
  pthread_mutex_lock(&e->lock);
  do {
    thirl_connection *oldest = NULL;
    for (thirl_connection *c = e->connections; c; c = c->next)
      if (c->is_up && !c->is_taken) oldest = c; /* new ones are put in front */
    if (!oldest) continue;
    oldest->is_taken = true;
    e->users++;
    *out = oldest;
    err = THIRL_OK;
    break;
  } while (wait_change(e, timeout_ms < 0 ? NULL : &until));
  pthread_mutex_unlock(&e->lock);
  return err;
}

void thirl_api_engine_stop_listening(thirl_api_engine *e) {
  pthread_mutex_lock(&e->lock);
  e->stop_listening = true;
  wake(e);
  pthread_mutex_unlock(&e->lock);
}

bool thirl_api_engine_is_direct(const thirl_connection *c) {
  pthread_mutex_lock(&c->engine->lock);
  bool is_direct = c->is_direct;
  pthread_mutex_unlock(&c->engine->lock);
  return is_direct;
}

thirl_error thirl_api_engine_finish(thirl_connection *c, int linger_ms) {
  thirl_api_engine *e = c->engine;
  struct timespec until = deadline_after(linger_ms < 0 ? 0 : linger_ms);
  shutdown(c->app_fd, SHUT_RDWR); /* our end is said; what the peer still says is not wanted */
  pthread_mutex_lock(&e->lock);
  while (!c->is_over && wait_change(e, &until)) {
  }
  thirl_error err = c->is_over ? c->result : THIRL_E_TIMEOUT;
  if (!c->is_over) {
    struct timespec soon = deadline_after(1000);
    c->wants_close = true;
    wake(e);
    while (!c->is_over && wait_change(e, &soon)) {
    }
  }
  if (c->is_over) unlink_and_free(e, c);
  pthread_mutex_unlock(&e->lock);
  thirl_api_engine_release(e);
  return err;
}
