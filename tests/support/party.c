/* SPDX-License-Identifier: MIT */
#include "support/party.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/clock.h"
#include "io/secrets.h"
#include "server/server.h"
#include "session/streams.h"
#include "support/measure.h"

enum { MARK_EVERY = 16384 };

struct party {
  pthread_t thread;
  uv_loop_t loop;
  uv_async_t wake;
  thirl_io_net *net;
  thirl_secrets secrets;
  thirl_server *server;
  thirl_secure_identity *identity;
  thirl_session_endpoint *endpoint;
  uint32_t handle;
  /* its thread's */
  uint64_t written, read;
  /* everybody's, under the lock */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  uint64_t to_write, to_read;
  bool is_registered, is_moved, stop;
  thirl_session_route route;
};

/* ---- the application ---- */

static uint8_t mark(uint64_t offset) {
  return (uint8_t)((offset / MARK_EVERY) * 0x9d + 1);
}

static uint64_t next_mark(uint64_t offset) {
  return (offset + MARK_EVERY - 1) / MARK_EVERY * MARK_EVERY;
}

static bool write_some(party *p, thirl_time now, uint64_t to) {
  uint8_t *at;
  size_t n;
  bool did = false;
  while (p->written < to && thirl_session_streams_space(p->endpoint, p->handle, &at, &n) == THIRL_OK && n) {
    n = (size_t)THIRL_MIN((uint64_t)n, to - p->written);
    for (uint64_t k = next_mark(p->written); k < p->written + n; k += MARK_EVERY)
      at[k - p->written] = mark(k);
    p->written += n;
    measure_must(thirl_session_streams_commit(p->endpoint, now, p->handle, n) == THIRL_OK, "commit failed");
    did = true;
  }
  return did;
}

static bool read_some(party *p, thirl_time now) {
  thirl_bytes v;
  bool did = false;
  while (thirl_session_streams_peek(p->endpoint, p->handle, &v) == THIRL_OK) {
    for (uint64_t k = next_mark(p->read); k < p->read + v.n; k += MARK_EVERY)
      measure_must(v.p[k - p->read] == mark(k), "a wrong byte arrived");
    p->read += v.n;
    measure_must(thirl_session_streams_consume(p->endpoint, now, p->handle, v.n) == THIRL_OK, "consume failed");
    did = true;
  }
  return did;
}

static void take_event(party *p, const thirl_session_endpoint_event *ev) {
  pthread_mutex_lock(&p->lock);
  if (ev->kind == THIRL_SESSION_REGISTERED) p->is_registered = true;
  if (ev->kind == THIRL_SESSION_INCOMING) p->handle = ev->handle;
  if (ev->kind == THIRL_SESSION_OF && ev->of.kind == THIRL_SESSION_PATH) p->route = ev->of.route;
  measure_must(ev->kind != THIRL_SESSION_OF || ev->of.kind != THIRL_SESSION_FAILED, "the session failed");
  pthread_cond_broadcast(&p->changed);
  pthread_mutex_unlock(&p->lock);
}

static void after_turn(void *ctx) {
  party *p = ctx;
  thirl_session_endpoint_event ev;
  if (!p->endpoint) return;
  while (thirl_session_endpoint_next_event(p->endpoint, &ev))
    take_event(p, &ev);
  if (!p->handle) return;
  pthread_mutex_lock(&p->lock);
  uint64_t to_write = p->to_write, to_read = p->to_read;
  pthread_mutex_unlock(&p->lock);
  thirl_time now = thirl_io_clock_now();
  bool did = read_some(p, now);
  did = write_some(p, now, to_write) || did;
  if (did) thirl_io_net_kick(p->net);
  if (p->written < to_write || p->read < to_read) return;
  pthread_mutex_lock(&p->lock);
  p->is_moved = p->to_write == p->written && p->to_read == p->read;
  pthread_cond_broadcast(&p->changed);
  pthread_mutex_unlock(&p->lock);
}

/* ---- the thread ---- */

static void on_wake(uv_async_t *a) {
  party *p = a->data;
  pthread_mutex_lock(&p->lock);
  bool stop = p->stop;
  pthread_mutex_unlock(&p->lock);
  if (stop) {
    thirl_io_net_close(p->net, NULL, NULL);
    uv_close((uv_handle_t *)a, NULL);
    return;
  }
  after_turn(p);
  thirl_io_net_kick(p->net);
}

static void *run(void *ctx) {
  party *p = ctx;
  pthread_setname_np(pthread_self(), p->server ? "server" : "endpoint"); /* for profilers */
  uv_run(&p->loop, UV_RUN_DEFAULT);
  return NULL;
}

static party *party_new(void) {
  party *p = calloc(1, sizeof *p);
  measure_must(p && uv_loop_init(&p->loop) == 0 && uv_async_init(&p->loop, &p->wake, on_wake) == 0, "no loop");
  p->wake.data = p;
  p->secrets = thirl_io_secrets();
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  return p;
}

static void start(party *p, thirl_net_machine machine) {
  thirl_io_net_config config = {.after = after_turn, .ctx = p};
  measure_must(thirl_io_net_new(&p->loop, &machine, &config, &p->net) == THIRL_OK, "no carrier");
  measure_must(pthread_create(&p->thread, NULL, run, p) == 0, "no thread");
}

static bool wait_for(party *p, bool (*is_done)(const party *p, int arg), int arg, double seconds) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += (time_t)seconds + 1;
  pthread_mutex_lock(&p->lock);
  while (!is_done(p, arg) && pthread_cond_timedwait(&p->changed, &p->lock, &until) == 0)
    ;
  bool done = is_done(p, arg);
  pthread_mutex_unlock(&p->lock);
  return done;
}

/* ---- life ---- */

party *party_serve(thirl_addr at) {
  party *p = party_new();
  thirl_addr bound;
  thirl_server_config config = {.listen_tcp = {at}, .secrets = &p->secrets};
  measure_must(thirl_server_new(&config, thirl_io_clock_now(), &p->server) == THIRL_OK, "no server");
  thirl_net_machine machine = thirl_server_machine(p->server);
  thirl_io_net_config net = {.after = after_turn, .ctx = p};
  measure_must(thirl_io_net_new(&p->loop, &machine, &net, &p->net) == THIRL_OK, "no carrier");
  uv_run(&p->loop, UV_RUN_NOWAIT);
  measure_must(thirl_server_listener(p->server, false, 0, &bound) == THIRL_OK, "the server cannot listen");
  measure_must(pthread_create(&p->thread, NULL, run, p) == 0, "no thread");
  return p;
}

static party *endpoint_new(thirl_addr server, const thirl_session_policy *policy, size_t max_incoming) {
  party *p = party_new();
  measure_must(thirl_secure_identity_generate(&p->identity) == THIRL_OK, "no identity");
  thirl_session_endpoint_config config = {
      .identity = p->identity, .policy = *policy, .max_incoming = max_incoming, .secrets = &p->secrets};
  thirl_time now = thirl_io_clock_now();
  measure_must(thirl_session_endpoint_new(&config, now, &p->endpoint) == THIRL_OK, "no endpoint");
  measure_must(thirl_session_endpoint_start(p->endpoint, now, &server, 1) == THIRL_OK, "the endpoint does not start");
  return p;
}

static bool is_registered(const party *p, int arg) {
  (void)arg;
  return p->is_registered;
}

party *party_listen(thirl_addr server, const thirl_session_policy *policy, thirl_meet_ticket *ticket) {
  party *p = endpoint_new(server, policy, 1);
  measure_must(thirl_session_endpoint_ticket(p->endpoint, thirl_io_clock_now(), "203.0.113.1", server.port, ticket) ==
                   THIRL_OK,
               "no ticket");
  start(p, thirl_session_endpoint_machine(p->endpoint));
  measure_must(wait_for(p, is_registered, 0, 10), "the listener is not registered");
  return p;
}

party *party_dial(thirl_addr server, const thirl_session_policy *policy, const thirl_meet_ticket *ticket) {
  party *p = endpoint_new(server, policy, 0);
  measure_must(thirl_session_endpoint_dial(p->endpoint, thirl_io_clock_now(), ticket, NULL, &p->handle) == THIRL_OK,
               "it does not dial");
  start(p, thirl_session_endpoint_machine(p->endpoint));
  return p;
}

void party_free(party *p) {
  pthread_mutex_lock(&p->lock);
  p->stop = true;
  pthread_mutex_unlock(&p->lock);
  uv_async_send(&p->wake);
  pthread_join(p->thread, NULL);
  uv_loop_close(&p->loop);
  thirl_server_free(p->server);
  thirl_session_endpoint_free(p->endpoint);
  thirl_secure_identity_free(p->identity);
  pthread_mutex_destroy(&p->lock);
  pthread_cond_destroy(&p->changed);
  free(p);
}

/* ---- the main thread's hands ---- */

static bool has_route(const party *p, int route) {
  return (int)p->route == route;
}

bool party_wait_route(party *p, thirl_session_route route, double seconds) {
  return wait_for(p, has_route, (int)route, seconds);
}

bool party_is_on(party *p, thirl_session_route route) {
  pthread_mutex_lock(&p->lock);
  bool is_on = p->route == route;
  pthread_mutex_unlock(&p->lock);
  return is_on;
}

void party_move(party *p, uint64_t write, uint64_t read) {
  pthread_mutex_lock(&p->lock);
  p->to_write += write;
  p->to_read += read;
  p->is_moved = false;
  pthread_mutex_unlock(&p->lock);
  uv_async_send(&p->wake);
}

static bool has_moved(const party *p, int arg) {
  (void)arg;
  return p->is_moved;
}

bool party_wait_moved(party *p, double seconds) {
  return wait_for(p, has_moved, 0, seconds);
}

double party_cpu(const party *p) {
  return measure_cpu_of(p->thread);
}

thirl_io_net_stats party_stats(party *p) {
  thirl_io_net_stats s;
  thirl_io_net_get_stats(p->net, &s);
  return s;
}
