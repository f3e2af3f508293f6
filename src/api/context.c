/* SPDX-License-Identifier: MIT */
/* A context: one endpoint, its carrier, and a loop that the caller turns. What lives elsewhere: the thread (engine.c), bytes and fds (attach.c). */
#include "api/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/sessions.h"
#include "io/keyfile.h"
#include "io/net.h"
#include "io/resolve.h"
#include "io/secrets.h"
#include "session/endpoint.h"
#include "session/streams.h"

#define RESOLVE_AGAIN_MS 2000

enum { EVENTS_MAX = 128, WHY_MAX = 256, DEFAULT_INCOMING = 16, DEFAULT_PORT = 3478, SERVERS_MAX = 8 };

struct thirl_context {
  uv_loop_t loop;
  uv_timer_t again; /* resolve once more */
  bool has_loop, is_dirty, is_started, net_closed;
  thirl_secure_identity *identity;
  thirl_secrets secrets;
  thirl_session_endpoint *endpoint;
  thirl_io_net *net;
  thirl_io_resolve *resolving;
  char server[THIRL_MEET_HOST_MAX + 8]; /* of options or $THIRL_SERVER; "" when none was named */
  char host[THIRL_MEET_HOST_MAX + 1];   /* where this context goes; "" until the first ticket or listen */
  uint16_t port;
  thirl_api_sessions sessions;
  thirl_event events[EVENTS_MAX];
  size_t n_events;
  char why[WHY_MAX];
};

static void explain(thirl_context *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void explain(thirl_context *c, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  vsnprintf(c->why, sizeof c->why, format, ap);
  va_end(ap);
}

const char *thirl_context_explain(const thirl_context *c) {
  return c ? c->why : "";
}

/* ---- events ---- */

static void push_event(thirl_context *c, const thirl_event *ev) {
  if (c->n_events == EVENTS_MAX) memmove(c->events, c->events + 1, --c->n_events * sizeof *c->events);
  c->events[c->n_events++] = *ev;
}

bool thirl_context_next_event(thirl_context *c, thirl_event *out) {
  if (!c->n_events) return false;
  *out = c->events[0];
  memmove(c->events, c->events + 1, --c->n_events * sizeof *c->events);
  return true;
}

static void translate_session_event(const thirl_session_endpoint_event *in, thirl_event *out) {
  const thirl_session_event *of = &in->of;
  static const thirl_event_kind kinds[] = {
      [THIRL_SESSION_UP] = THIRL_EVENT_UP,
      [THIRL_SESSION_PATH] = THIRL_EVENT_PATH,
      [THIRL_SESSION_CONFIRMED] = THIRL_EVENT_CONFIRMED,
      [THIRL_SESSION_STRANGER] = THIRL_EVENT_STRANGER,
      [THIRL_SESSION_FINISHED] = THIRL_EVENT_FINISHED,
      [THIRL_SESSION_FAILED] = THIRL_EVENT_FAILED,
  };
  out->kind = kinds[of->kind];
  out->error = of->error;
  out->direct = of->route == THIRL_SESSION_DIRECT;
  out->after_us = of->since_go;
  if (thirl_addr_is_set(&of->remote)) thirl_addr_format(&of->remote, out->address);
  out->relayed_bytes = of->relayed;
  out->direct_bytes = of->direct;
}

static void translate(thirl_context *c, const thirl_session_endpoint_event *in) {
  thirl_event out = {.session = in->handle, .error = in->error};
  if (in->handle) thirl_peerid_format(&in->peer, out.peer);
  switch (in->kind) {
  case THIRL_SESSION_REGISTERED:
    out.kind = THIRL_EVENT_REGISTERED;
    thirl_addr_format(&in->mapped, out.address);
    break;
  case THIRL_SESSION_UNREGISTERED:
    out.kind = THIRL_EVENT_UNREGISTERED;
    break;
  case THIRL_SESSION_INCOMING:
    out.kind = THIRL_EVENT_INCOMING;
    (void)thirl_api_sessions_add(&c->sessions, in->handle);
    break;
  case THIRL_SESSION_REJECTED:
    out.kind = THIRL_EVENT_STRANGER;
    if (thirl_addr_is_set(&in->remote)) thirl_addr_format(&in->remote, out.address);
    break;
  case THIRL_SESSION_OF:
    translate_session_event(in, &out);
    break;
  }
  push_event(c, &out);
}

/* At the end of every turn: what happened, and what became possible. */
static void collect(void *ctx) {
  thirl_context *c = ctx;
  thirl_session_endpoint_event in;
  while (thirl_session_endpoint_next_event(c->endpoint, &in)) {
    translate(c, &in);
    bool is_over =
        in.kind == THIRL_SESSION_OF && (in.of.kind == THIRL_SESSION_FINISHED || in.of.kind == THIRL_SESSION_FAILED);
    if (is_over) thirl_api_sessions_end(&c->sessions, in.handle);
  }
  if (thirl_api_sessions_look(&c->sessions)) thirl_io_net_kick(c->net);
  thirl_event ev = {.kind = THIRL_EVENT_READABLE};
  while (thirl_api_sessions_next_readable(&c->sessions, &ev.session))
    push_event(c, &ev);
  ev.kind = THIRL_EVENT_WRITABLE;
  while (thirl_api_sessions_next_writable(&c->sessions, &ev.session))
    push_event(c, &ev);
}

/* The machine was touched from outside an event: let the carrier act, and the next wait return at once so that new descriptors are watched. */
static void touch(void *ctx) {
  thirl_context *c = ctx;
  thirl_io_net_kick(c->net);
  collect(c);
  c->is_dirty = true;
}

/* ---- birth and death ---- */

static thirl_error load_identity(thirl_context *c, const thirl_options *o) {
  if (o->ephemeral) return thirl_secure_identity_generate(&c->identity);
  return thirl_io_keyfile_load(o->identity, true, &c->identity, NULL, 0, c->why, sizeof c->why);
}

static thirl_session_policy policy_of(const thirl_options *o) {
  return (thirl_session_policy){
      .direct_only = o->direct_only,
      .relay_only = o->relay_only,
      .dial_timeout = o->timeout_ms * THIRL_MS,
      .lost_after = o->lost_after_ms * THIRL_MS,
      .window = o->window,
  };
}

static thirl_error make_endpoint(thirl_context *c, const thirl_options *o) {
  thirl_session_endpoint_config cfg = {
      .identity = c->identity,
      .policy = policy_of(o),
      .max_incoming = o->max_incoming ? o->max_incoming : DEFAULT_INCOMING,
      .secrets = &c->secrets,
  };
  thirl_error e = thirl_session_endpoint_new(&cfg, thirl_io_now(), &c->endpoint);
  if (e != THIRL_OK) return e;
  thirl_api_sessions_init(&c->sessions, &c->loop, c->endpoint, touch, c);
  thirl_net_machine machine = thirl_session_endpoint_machine(c->endpoint);
  thirl_io_net_config net = {.after = collect, .ctx = c};
  return thirl_io_net_new(&c->loop, &machine, &net, &c->net);
}

thirl_error thirl_context_new(const thirl_options *options, thirl_context **out) {
  thirl_options o = THIRL_OPTIONS_INIT;
  *out = NULL;
  if (options) memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
  thirl_context *c = calloc(1, sizeof *c);
  if (!c) return THIRL_E_NOMEM;
  *out = c;
  c->secrets = thirl_io_secrets();
  const char *server = o.server ? o.server : getenv("THIRL_SERVER");
  if (server && snprintf(c->server, sizeof c->server, "%s", server) >= (int)sizeof c->server) {
    explain(c, "the server's name is too long");
    return THIRL_E_INVALID;
  }
  if (uv_loop_init(&c->loop) != 0) return THIRL_E_LIMIT;
  c->has_loop = true;
  uv_timer_init(&c->loop, &c->again);
  c->again.data = c;
  thirl_error e = load_identity(c, &o);
  return e == THIRL_OK ? make_endpoint(c, &o) : e;
}

static void net_closed(void *ctx) {
  ((thirl_context *)ctx)->net_closed = true;
}

void thirl_context_free(thirl_context *c) {
  if (!c) return;
  if (c->has_loop) {
    if (c->resolving) thirl_io_resolve_cancel(c->resolving);
    uv_close((uv_handle_t *)&c->again, NULL);
    if (c->endpoint) thirl_api_sessions_fini(&c->sessions);
    if (c->net) thirl_io_net_close(c->net, net_closed, c);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    uv_loop_close(&c->loop);
  }
  thirl_session_endpoint_free(c->endpoint);
  thirl_secure_identity_free(c->identity);
  free(c);
}

void thirl_context_peer(const thirl_context *c, char *out) {
  thirl_peerid_format(thirl_secure_identity_peerid(c->identity), out);
}

/* ---- the loop, turned from outside ---- */

int thirl_context_fd(const thirl_context *c) {
  return uv_backend_fd(&c->loop);
}

int thirl_context_timeout_ms(const thirl_context *c) {
  if (c->is_dirty || c->n_events) return 0;
  return uv_backend_timeout(&c->loop);
}

thirl_error thirl_context_process(thirl_context *c) {
  c->is_dirty = false;
  uv_run(&c->loop, UV_RUN_NOWAIT);
  if (c->sessions.touch_due) {
    c->sessions.touch_due = false;
    touch(c);
  }
  return THIRL_OK;
}

/* ---- the way to the server ---- */

static void resolve(thirl_context *c);

static void on_again(uv_timer_t *t) {
  resolve(t->data);
}

static void on_resolved(void *ctx, thirl_error e, const thirl_addr *addrs, size_t n) {
  thirl_context *c = ctx;
  c->resolving = NULL;
  if (e == THIRL_OK && !c->is_started) {
    c->is_started = true;
    (void)thirl_session_endpoint_start(c->endpoint, thirl_io_now(), addrs, n < SERVERS_MAX ? n : SERVERS_MAX);
    touch(c);
    return;
  }
  explain(c, "cannot resolve %s: %s", c->host, thirl_error_text(e));
  push_event(c, &(thirl_event){.kind = THIRL_EVENT_UNREGISTERED, .error = THIRL_E_NO_SERVER});
  uv_timer_start(&c->again, on_again, RESOLVE_AGAIN_MS, 0);
}

static void resolve(thirl_context *c) {
  thirl_error e = thirl_io_resolve_start(&c->loop, c->host, c->port, on_resolved, c, &c->resolving);
  if (e != THIRL_OK) on_resolved(c, e, NULL, 0);
  c->is_dirty = true;
}

/* One context has one server. */
static thirl_error go_to(thirl_context *c, const char *host, uint16_t port) {
  if (c->host[0]) {
    if (strcmp(c->host, host) == 0 && c->port == port) return THIRL_OK;
    explain(c, "this context is at %s:%u already; a peer at %s:%u needs another one", c->host, c->port, host, port);
    return THIRL_E_UNSUPPORTED;
  }
  snprintf(c->host, sizeof c->host, "%s", host);
  c->port = port;
  resolve(c);
  return THIRL_OK;
}

thirl_error thirl_context_listen(thirl_context *c, char *ticket) {
  char host[THIRL_IO_RESOLVE_HOST_MAX];
  uint16_t port;
  thirl_meet_ticket t;
  if (!c->server[0]) {
    explain(c, "no server: name one with --server or in THIRL_SERVER");
    return THIRL_E_INVALID;
  }
  thirl_error e = thirl_io_resolve_split(c->server, DEFAULT_PORT, host, &port);
  if (e != THIRL_OK) {
    explain(c, "not a server: %s", c->server);
    return e;
  }
  e = thirl_session_endpoint_ticket(c->endpoint, thirl_io_now(), host, port, &t);
  if (e == THIRL_OK) e = thirl_meet_ticket_format(&t, ticket);
  if (e == THIRL_OK) e = go_to(c, host, port);
  thirl_bytes_wipe(&t, sizeof t);
  if (e == THIRL_OK) touch(c);
  return e;
}

void thirl_api_context_stop_listening(thirl_context *c) {
  thirl_session_endpoint_stop_listening(c->endpoint, thirl_io_now());
  touch(c);
}

thirl_error thirl_context_dial(thirl_context *c, const char *ticket, thirl_session_handle *out) {
  thirl_meet_ticket t;
  uint32_t handle = 0;
  thirl_error e = thirl_meet_ticket_parse(ticket, &t);
  if (e != THIRL_OK) {
    explain(c, "the ticket was not understood");
    return e;
  }
  e = go_to(c, t.host, t.port);
  if (e == THIRL_OK) e = thirl_session_endpoint_dial(c->endpoint, thirl_io_now(), &t, NULL, &handle);
  if (e == THIRL_OK) e = thirl_api_sessions_add(&c->sessions, handle);
  thirl_bytes_wipe(&t, sizeof t);
  if (e != THIRL_OK) return e;
  *out = handle;
  touch(c);
  return THIRL_OK;
}

/* ---- streams ---- */

thirl_error thirl_write(thirl_context *c, thirl_session_handle s, const void *buf, size_t n, size_t *done) {
  const uint8_t *from = buf;
  *done = 0;
  while (*done < n) {
    uint8_t *to;
    size_t room;
    thirl_error e = thirl_session_streams_space(c->endpoint, s, &to, &room);
    if (e != THIRL_OK) return e;
    if (!room) break;
    if (room > n - *done) room = n - *done;
    memcpy(to, from + *done, room);
    (void)thirl_session_streams_commit(c->endpoint, thirl_io_now(), s, room);
    *done += room;
  }
  if (*done < n) thirl_api_sessions_want_room(&c->sessions, s);
  if (*done) touch(c);
  return *done || n == 0 ? THIRL_OK : THIRL_E_AGAIN;
}

thirl_error thirl_read(thirl_context *c, thirl_session_handle s, void *buf, size_t n, size_t *done) {
  uint8_t *to = buf;
  *done = 0;
  while (*done < n) {
    thirl_bytes v;
    thirl_error e = thirl_session_streams_peek(c->endpoint, s, &v);
    if (e == THIRL_E_AGAIN || (e != THIRL_OK && *done)) break;
    if (e != THIRL_OK) return e;
    if (v.n > n - *done) v.n = n - *done;
    memcpy(to + *done, v.p, v.n);
    (void)thirl_session_streams_consume(c->endpoint, thirl_io_now(), s, v.n);
    *done += v.n;
  }
  thirl_api_sessions_want_bytes(&c->sessions, s);
  if (*done) touch(c);
  return *done ? THIRL_OK : THIRL_E_AGAIN;
}

thirl_error thirl_finish(thirl_context *c, thirl_session_handle s) {
  thirl_error e = thirl_session_streams_finish(c->endpoint, thirl_io_now(), s);
  touch(c);
  return e;
}

void thirl_close(thirl_context *c, thirl_session_handle s) {
  thirl_session_endpoint_abandon(c->endpoint, thirl_io_now(), s, THIRL_E_PEER_CLOSED);
  touch(c);
}

thirl_error thirl_attach(thirl_context *c, thirl_session_handle s, int input_fd, int output_fd) {
  thirl_error e = thirl_api_sessions_attach(&c->sessions, s, input_fd, output_fd);
  if (e != THIRL_OK) explain(c, "%s", thirl_error_text(e));
  touch(c);
  return e;
}
