/* SPDX-License-Identifier: MIT */
#include "api/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include "io/clock.h"
#include "io/net.h"
#include "io/secrets.h"
#include "server/server.h"

/* What must not fail, outside of a test. */
static void must(bool good, const char *what) {
  if (good) return;
  fprintf(stderr, "rig: %s\n", what);
  abort();
}

long long rig_now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the server ---- */

struct rig {
  pthread_t thread;
  uv_loop_t loop;
  uv_async_t stop;
  thirl_secrets secrets;
  thirl_server *server;
  thirl_io_net *net;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool is_ready; /* under the lock */
  char name[THIRL_ADDR_TEXT_MAX];
};

static void after(void *ctx) {
  rig *r = ctx;
  thirl_addr at;
  if (r->name[0] || thirl_server_listener(r->server, false, 0, &at) != THIRL_OK) return;
  pthread_mutex_lock(&r->lock);
  thirl_addr_format(&at, r->name);
  r->is_ready = true;
  pthread_cond_signal(&r->changed);
  pthread_mutex_unlock(&r->lock);
}

static void on_stop(uv_async_t *a) {
  rig *r = a->data;
  thirl_io_net_close(r->net, NULL, NULL);
  uv_close((uv_handle_t *)a, NULL);
}

static void *serve(void *arg) {
  rig *r = arg;
  thirl_io_net_kick(r->net);
  uv_run(&r->loop, UV_RUN_DEFAULT);
  return NULL;
}

rig *rig_new(void) {
  rig *r = calloc(1, sizeof *r);
  must(r, "no memory");
  r->secrets = thirl_io_secrets();
  pthread_mutex_init(&r->lock, NULL);
  pthread_cond_init(&r->changed, NULL);
  must(uv_loop_init(&r->loop) == 0, "no loop");
  must(uv_async_init(&r->loop, &r->stop, on_stop) == 0, "no async");
  r->stop.data = r;
  thirl_server_config cfg = {.listen_tcp = {thirl_addr_v4(127, 0, 0, 1, 0)}, .secrets = &r->secrets};
  must(thirl_server_new(&cfg, thirl_io_clock_now(), &r->server) == THIRL_OK, "no server");
  thirl_net_machine machine = thirl_server_machine(r->server);
  thirl_io_net_config net = {.after = after, .ctx = r};
  must(thirl_io_net_new(&r->loop, &machine, &net, &r->net) == THIRL_OK, "no carrier");
  must(pthread_create(&r->thread, NULL, serve, r) == 0, "no thread");
  pthread_mutex_lock(&r->lock);
  while (!r->is_ready)
    pthread_cond_wait(&r->changed, &r->lock);
  pthread_mutex_unlock(&r->lock);
  return r;
}

void rig_free(rig *r) {
  if (!r) return;
  uv_async_send(&r->stop);
  pthread_join(r->thread, NULL);
  must(uv_loop_close(&r->loop) == 0, "the server left something open");
  thirl_server_free(r->server);
  pthread_cond_destroy(&r->changed);
  pthread_mutex_destroy(&r->lock);
  free(r);
}

const char *rig_server(const rig *r) {
  return r->name;
}

thirl_options rig_options(const rig *r) {
  thirl_options o = THIRL_OPTIONS_INIT;
  o.ephemeral = true;
  o.server = r ? r->name : NULL;
  return o;
}

/* ---- bytes ---- */

uint8_t rig_pattern(unsigned salt, uint64_t i) {
  return (uint8_t)((((i + salt) * 0x9e3779b97f4a7c15u) >> 56) ^ (i >> 16));
}

struct rig_writer {
  pthread_t thread;
  int fd;
  unsigned salt;
  uint64_t n, written;
  bool ends;
};

static void *write_pattern(void *arg) {
  rig_writer *w = arg;
  uint8_t buf[50000]; /* no power of two */
  while (w->written < w->n) {
    size_t n = w->n - w->written < sizeof buf ? (size_t)(w->n - w->written) : sizeof buf;
    for (size_t i = 0; i < n; i++)
      buf[i] = rig_pattern(w->salt, w->written + i);
    for (size_t at = 0; at < n;) {
      ssize_t put = send(w->fd, buf + at, n - at, MSG_NOSIGNAL);
      if (put < 0) return NULL;
      at += (size_t)put;
      w->written += (uint64_t)put;
    }
  }
  if (w->ends) shutdown(w->fd, SHUT_WR);
  return NULL;
}

rig_writer *rig_write(int fd, unsigned salt, uint64_t n, bool ends) {
  rig_writer *w = calloc(1, sizeof *w);
  must(w, "no memory");
  *w = (rig_writer){.fd = fd, .salt = salt, .n = n, .ends = ends};
  must(pthread_create(&w->thread, NULL, write_pattern, w) == 0, "no thread");
  return w;
}

uint64_t rig_written(rig_writer *w) {
  pthread_join(w->thread, NULL);
  uint64_t n = w->written;
  free(w);
  return n;
}

rig_sum rig_read(int fd, unsigned salt, uint64_t at_most) {
  uint8_t buf[30000];
  rig_sum s = {0};
  while (!at_most || s.n < at_most) {
    size_t cap = at_most && at_most - s.n < sizeof buf ? (size_t)(at_most - s.n) : sizeof buf;
    ssize_t n = recv(fd, buf, cap, 0);
    if (n < 0) s.error = errno;
    if (n <= 0) break;
    for (size_t i = 0; i < (size_t)n; i++)
      s.wrong += buf[i] != rig_pattern(salt, s.n + i);
    s.n += (uint64_t)n;
  }
  return s;
}

/* ---- pairs ---- */

void rig_connect_again(const rig *r, const char *ticket, thirl_listener *l, thirl_connection **dialed,
                       thirl_connection **accepted) {
  thirl_options o = rig_options(r);
  assert_int_equal(thirl_dial(&o, ticket, dialed), THIRL_OK);
  assert_int_equal(thirl_accept(l, RIG_PATIENCE_MS, accepted), THIRL_OK);
}

rig_pair rig_connect(const rig *r, const thirl_options *dialer, const thirl_options *listener) {
  thirl_options standard = rig_options(r);
  rig_pair p = {0};
  assert_int_equal(thirl_listen(listener ? listener : &standard, &p.listener, p.ticket), THIRL_OK);
  assert_int_equal(thirl_dial(dialer ? dialer : &standard, p.ticket, &p.dialed), THIRL_OK);
  assert_int_equal(thirl_accept(p.listener, RIG_PATIENCE_MS, &p.accepted), THIRL_OK);
  return p;
}

/* ---- event loop ---- */

rig_loop rig_loop_new(const thirl_options *options) {
  rig_loop l = {0};
  assert_int_equal(thirl_context_new(options, &l.context), THIRL_OK);
  return l;
}

void rig_loop_free(rig_loop *l) {
  thirl_context_free(l->context);
  l->context = NULL;
}

static void take(rig_loop *l) {
  thirl_event ev;
  if (!l) return;
  l->waits++;
  assert_int_equal(thirl_context_process(l->context), THIRL_OK);
  while (thirl_context_next_event(l->context, &ev)) {
    l->count[ev.kind]++;
    l->last[ev.kind] = ev;
    if (ev.kind == THIRL_EVENT_INCOMING && !l->session) l->session = ev.session;
  }
}

static int shorter(int a, int b) {
  if (a < 0) return b;
  return b < 0 || a < b ? a : b;
}

void rig_turn(rig_loop *a, rig_loop *b, int ms) {
  struct pollfd fds[2] = {{.fd = a ? thirl_context_fd(a->context) : -1, .events = POLLIN},
                          {.fd = b ? thirl_context_fd(b->context) : -1, .events = POLLIN}};
  if (a) ms = shorter(ms, thirl_context_timeout_ms(a->context));
  if (b) ms = shorter(ms, thirl_context_timeout_ms(b->context));
  (void)poll(fds, 2, ms);
  take(a);
  take(b);
}

bool rig_until(rig_loop *a, rig_loop *b, thirl_event_kind kind, unsigned count) {
  long long end = rig_now_ms() + RIG_PATIENCE_MS;
  while (a->count[kind] < count) {
    long long left = end - rig_now_ms();
    if (left <= 0) return false;
    rig_turn(a, b, (int)left);
  }
  return true;
}

void rig_turn_for(rig_loop *a, rig_loop *b, int ms) {
  long long end = rig_now_ms() + ms;
  for (long long left; (left = end - rig_now_ms()) > 0;)
    rig_turn(a, b, (int)left);
}

void rig_meet(const rig *r, rig_loop *a, rig_loop *b) {
  thirl_options o = rig_options(r);
  char ticket[THIRL_TICKET_MAX];
  *a = rig_loop_new(&o);
  *b = rig_loop_new(&o);
  assert_int_equal(thirl_context_listen(a->context, ticket), THIRL_OK);
  assert_true(rig_until(a, b, THIRL_EVENT_REGISTERED, 1));
  assert_int_equal(thirl_context_dial(b->context, ticket, &b->session), THIRL_OK);
  assert_true(rig_until(a, b, THIRL_EVENT_UP, 1));
  assert_true(rig_until(b, a, THIRL_EVENT_UP, 1));
}
