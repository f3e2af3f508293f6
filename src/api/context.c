/* SPDX-License-Identifier: MIT */
/*
 * A context: one endpoint, its carrier, and a loop that the caller turns. What lives elsewhere: the thread of the blocking calls (engine.c), what is
 * known of each session and its bytes (sessions.c), the way to the server (host.c), what waits to be told (events.c).
 */
#include "api/context.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/events.h"
#include "api/host.h"
#include "api/options.h"
#include "api/sessions.h"
#include "io/clock.h"
#include "io/keyfile.h"
#include "io/net.h"
#include "io/secrets.h"
#include "session/endpoint.h"

enum {
  DEFAULT_PORT = 3478,
  SERVERS_MAX = 8, /* addresses of one server */
  TURNS_MAX = 8    /* of the loop in one process() */
};

#define FAREWELL (300 * THIRL_MS) /* at most, in thirl_context_free */

_Static_assert((int)THIRL_TICKET_MAX >= (int)THIRL_MEET_TICKET_TEXT_MAX, "a ticket fits");

struct thirl_context {
  uv_loop_t loop;
  bool has_loop;
  bool
      is_dirty; /* turn the loop before waiting: what it watches may have changed, and libuv tells the kernel only in a turn */
  bool is_started;
  thirl_secure_identity *identity;
  thirl_secrets secrets;
  thirl_session_endpoint *endpoint;
  thirl_io_net *net;
  thirl_api_host host;
  thirl_api_sessions sessions;
  thirl_api_events events;
  char *server; /* of the options or the environment; NULL when none was named */
  char why[THIRL_API_EVENTS_WORDS];
};

static thirl_error explain(thirl_context *c, thirl_error e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says why and gives e: return explain(...) is one line. */
static thirl_error explain(thirl_context *c, thirl_error e, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  vsnprintf(c->why, sizeof c->why, format, ap);
  va_end(ap);
  return e;
}

/* Nothing more to say about this one than its own text. */
static thirl_error plain(thirl_context *c, thirl_error e) {
  if (e != THIRL_OK) c->why[0] = '\0';
  return e;
}

const char *thirl_context_explain(const thirl_context *c) {
  return c ? c->why : "";
}

/* ---- events ---- */

bool thirl_context_next_event(thirl_context *c, thirl_event *out) {
  const thirl_api_event *next = thirl_api_events_take(&c->events);
  if (!next) return thirl_api_sessions_next_news(&c->sessions, out);
  *out = next->of;
  if (out->error != THIRL_OK) explain(c, out->error, "%s", next->words);
  return true;
}

/* False: the application is not told, because it could do nothing with it. */
static bool note(thirl_context *c, const thirl_session_endpoint_event *in, char *words, size_t cap) {
  words[0] = '\0';
  if (in->kind == THIRL_SESSION_INCOMING) {
    thirl_error e = thirl_api_sessions_add(&c->sessions, in->handle, false);
    if (e != THIRL_OK) thirl_session_endpoint_abandon(c->endpoint, thirl_io_clock_now(), in->handle, e);
    return e == THIRL_OK;
  }
  if (in->kind == THIRL_SESSION_REGISTERED) thirl_api_host_reached(&c->host);
  if (in->kind == THIRL_SESSION_UNREGISTERED) {
    snprintf(words, cap, "%s", thirl_api_host_words(&c->host));
    thirl_api_host_lost(&c->host);
  }
  if (in->kind != THIRL_SESSION_OF) return true;
  if (in->of.kind == THIRL_SESSION_UP) thirl_api_sessions_came_up(&c->sessions, in->handle);
  if (in->of.kind == THIRL_SESSION_FINISHED) thirl_api_sessions_end(&c->sessions, in->handle, true, words, cap);
  if (in->of.kind == THIRL_SESSION_FAILED) {
    thirl_api_sessions_end(&c->sessions, in->handle, false, words, cap);
    if (in->of.error == THIRL_E_NO_SERVER) snprintf(words, cap, "%s", thirl_api_host_words(&c->host));
  }
  return true;
}

/* After every turn: what happened, and what became possible. */
static void collect(thirl_context *c) {
  thirl_session_endpoint_event in;
  char words[THIRL_API_EVENTS_WORDS];
  while (thirl_session_endpoint_next_event(c->endpoint, &in)) {
    if (!note(c, &in, words, sizeof words)) continue;
    thirl_event out = thirl_api_events_translate(&in);
    thirl_api_events_push(&c->events, &out, words);
  }
  if (thirl_api_sessions_look(&c->sessions)) thirl_io_net_kick(c->net);
}

/* The machine was touched from outside an event: let the carrier act. */
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

static void on_found(void *ctx, const thirl_addr *addrs, size_t n) {
  thirl_context *c = ctx;
  thirl_time now = thirl_io_clock_now();
  n = THIRL_MIN(n, (size_t)SERVERS_MAX);
  if (c->is_started)
    (void)thirl_session_endpoint_move(c->endpoint, now, addrs, n);
  else
    (void)thirl_session_endpoint_start(c->endpoint, now, addrs, n);
  c->is_started = true;
  touch(c);
}

/* A name that does not exist is a mistake: whoever dials hears of it at once. Otherwise time may help, and the dial's timeout decides. */
static void on_not_found(void *ctx, thirl_error e) {
  thirl_context *c = ctx;
  bool is_wrong = e == THIRL_E_NOT_FOUND;
  thirl_event ev = {.kind = THIRL_EVENT_UNREGISTERED, .error = is_wrong ? e : THIRL_E_NO_SERVER};
  thirl_api_events_push(&c->events, &ev, thirl_api_host_words(&c->host));
  if (is_wrong) thirl_api_sessions_abandon_dialed(&c->sessions, THIRL_E_NO_SERVER);
  touch(c);
}

static thirl_error make_endpoint(thirl_context *c, const thirl_options *o) {
  thirl_session_endpoint_config cfg = {
      .identity = c->identity,
      .policy = thirl_api_options_policy(o),
      .max_incoming = o->max_incoming,
      .secrets = &c->secrets,
  };
  thirl_error e = thirl_session_endpoint_new(&cfg, thirl_io_clock_now(), &c->endpoint);
  if (e != THIRL_OK) return e;
  thirl_api_sessions_init(&c->sessions, &c->loop, c->endpoint, touch, c);
  thirl_net_machine machine = thirl_session_endpoint_machine(c->endpoint);
  return thirl_io_net_new(&c->loop, &machine, NULL, &c->net);
}

static thirl_error make_loop(thirl_context *c) {
  if (uv_loop_init(&c->loop) != 0) return explain(c, THIRL_E_LIMIT, "no descriptors are left for an event loop");
  c->has_loop = true;
  thirl_api_host_init(&c->host, &c->loop);
  c->host.found = on_found;
  c->host.failed = on_not_found;
  c->host.ctx = c;
  return THIRL_OK;
}

thirl_error thirl_context_new(const thirl_options *options, thirl_context **out) {
  thirl_options o;
  thirl_context *c = *out = calloc(1, sizeof *c);
  if (!c) return THIRL_E_NOMEM;
  c->secrets = thirl_io_secrets();
  thirl_error e = thirl_api_options_read(options, &o, c->why, sizeof c->why);
  if (e == THIRL_OK && o.server && !(c->server = strdup(o.server))) e = THIRL_E_NOMEM;
  if (e == THIRL_OK) e = thirl_api_events_init(&c->events);
  if (e == THIRL_OK) e = load_identity(c, &o);
  if (e == THIRL_OK) e = make_loop(c);
  return e == THIRL_OK ? make_endpoint(c, &o) : e;
}

/* Give up what is left, and see to it that the last words leave this machine: without them the peers would wait for us in vain. */
static void say_farewell(thirl_context *c) {
  thirl_time end = thirl_io_clock_now() + FAREWELL;
  thirl_api_sessions_abandon(&c->sessions, THIRL_E_PEER_CLOSED);
  touch(c);
  while (!thirl_session_endpoint_is_idle(c->endpoint) || thirl_io_net_unsent(c->net)) {
    struct pollfd p = {.fd = thirl_context_fd(c), .events = POLLIN};
    thirl_time now = thirl_io_clock_now();
    if (now >= end) return;
    while (thirl_api_events_take(&c->events)) {
    }
    int ms = thirl_context_timeout_ms(c), left = (int)((end - now) / THIRL_MS) + 1;
    (void)poll(&p, 1, ms < 0 || ms > left ? left : ms);
    (void)thirl_context_process(c);
  }
}

void thirl_context_free(thirl_context *c) {
  if (!c) return;
  if (c->net) {
    say_farewell(c);
    thirl_io_net_close(c->net, NULL, NULL);
  }
  if (c->endpoint) thirl_api_sessions_fini(&c->sessions);
  if (c->has_loop) {
    thirl_api_host_close(&c->host);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    uv_loop_close(&c->loop);
  }
  thirl_session_endpoint_free(c->endpoint);
  thirl_secure_identity_free(c->identity);
  thirl_api_events_fini(&c->events);
  free(c->server);
  free(c);
}

void thirl_context_peer(const thirl_context *c, char *out) {
  thirl_peerid_format(thirl_secure_identity_peerid(c->identity), out);
}

/* ---- the loop, turned from outside ---- */

int thirl_context_fd(const thirl_context *c) {
  return uv_backend_fd(&c->loop);
}

static bool has_events(const thirl_context *c) {
  return c->events.n || thirl_api_sessions_has_news(&c->sessions);
}

int thirl_context_timeout_ms(thirl_context *c) {
  if (c->is_dirty || has_events(c)) return 0;
  if (!uv_loop_alive(&c->loop)) return -1; /* nothing to wait for; libuv would say 0 */
  uv_update_time(&c->loop);
  return uv_backend_timeout(&c->loop);
}

static uint64_t count_turns(const thirl_context *c) {
  thirl_io_net_stats stats;
  thirl_io_net_get_stats(c->net, &stats);
  return stats.turns;
}

/* What a turn makes libuv watch is known to the kernel only after the next turn began: turn until one has nothing to do. */
thirl_error thirl_context_process(thirl_context *c) {
  for (int i = 0; i < TURNS_MAX && (i == 0 || (c->is_dirty && !has_events(c))); i++) {
    uint64_t before = count_turns(c);
    c->is_dirty = c->sessions.is_busy = false;
    uv_run(&c->loop, UV_RUN_NOWAIT);
    if (c->sessions.touch_due) thirl_io_net_kick(c->net);
    c->sessions.touch_due = false;
    collect(c);
    c->is_dirty = c->is_dirty || c->sessions.is_busy || count_turns(c) != before;
  }
  return THIRL_OK;
}

/* ---- listening and dialling ---- */

/* One context has one server. */
static thirl_error check_host(thirl_context *c, const char *host, uint16_t port) {
  if (thirl_api_host_is(&c->host, host, port)) return THIRL_OK;
  return explain(c, THIRL_E_UNSUPPORTED, "this context is at %s, port %u already; %s, port %u needs another one",
                 c->host.name, c->host.port, host, port);
}

static thirl_error make_ticket(thirl_context *c, const char *host, uint16_t port, char *ticket) {
  thirl_meet_ticket t;
  thirl_error e = thirl_session_endpoint_ticket(c->endpoint, thirl_io_clock_now(), host, port, &t);
  if (e == THIRL_E_SYNTAX || e == THIRL_E_RANGE) return explain(c, e, "not a host and port: %s", c->server);
  if (e == THIRL_E_LIMIT) return explain(c, e, "%d tickets are the most", THIRL_SESSION_TICKETS_MAX);
  if (e == THIRL_OK) e = plain(c, thirl_meet_ticket_format(&t, ticket));
  thirl_bytes_wipe(&t, sizeof t);
  return e;
}

thirl_error thirl_context_listen(thirl_context *c, char *ticket) {
  char host[THIRL_IO_RESOLVE_HOST_MAX];
  uint16_t port;
  ticket[0] = '\0';
  if (!c->server || !c->server[0])
    return explain(c, THIRL_E_INVALID, "no server: name one with --server or in THIRL_SERVER");
  thirl_error e = thirl_io_resolve_split(c->server, DEFAULT_PORT, host, &port);
  if (e != THIRL_OK) return explain(c, e, "not a host and port: %s", c->server);
  e = check_host(c, host, port);
  if (e == THIRL_OK) e = make_ticket(c, host, port, ticket);
  if (e != THIRL_OK) return e;
  thirl_api_host_go(&c->host, host, port);
  touch(c);
  return THIRL_OK;
}

void thirl_api_context_stop_listening(thirl_context *c) {
  thirl_session_endpoint_stop_listening(c->endpoint, thirl_io_clock_now());
  touch(c);
}

static thirl_error parse_ticket(thirl_context *c, const char *text, thirl_meet_ticket *t) {
  thirl_error e = text ? thirl_meet_ticket_parse(text, t) : THIRL_E_SYNTAX;
  switch (e) {
  case THIRL_E_SYNTAX:
    if (text && strncasecmp(text, "thirl1", strlen("thirl1")) == 0)
      return explain(c, e, "the ticket was mistyped or cut off: copy the whole of it again");
    return explain(c, e, "this is not a ticket: one is a single word that begins with thirl1");
  case THIRL_E_CHECKSUM:
    return explain(c, e, "the ticket was mistyped or cut off: copy the whole of it again");
  case THIRL_E_UNSUPPORTED:
    return explain(c, e, "the ticket was made by a later version of thirl");
  default:
    return plain(c, e);
  }
}

thirl_error thirl_context_dial(thirl_context *c, const char *ticket, thirl_session_handle *out) {
  thirl_meet_ticket t;
  uint32_t handle = 0;
  *out = 0;
  thirl_error e = parse_ticket(c, ticket, &t);
  if (e == THIRL_OK) e = check_host(c, t.host, t.port);
  if (e == THIRL_OK) e = plain(c, thirl_session_endpoint_dial(c->endpoint, thirl_io_clock_now(), &t, NULL, &handle));
  if (e == THIRL_OK) {
    e = plain(c, thirl_api_sessions_add(&c->sessions, handle, true));
    if (e != THIRL_OK) thirl_session_endpoint_abandon(c->endpoint, thirl_io_clock_now(), handle, e);
  }
  if (e == THIRL_OK) {
    *out = handle;
    thirl_api_host_go(&c->host, t.host, t.port);
    touch(c);
  }
  thirl_bytes_wipe(&t, sizeof t);
  return e;
}

/* ---- streams ---- */

thirl_error thirl_write(thirl_context *c, thirl_session_handle s, const void *buf, size_t n, size_t *done) {
  thirl_error e = thirl_api_sessions_write(&c->sessions, s, buf, n, done);
  if (*done) touch(c);
  return plain(c, e);
}

thirl_error thirl_read(thirl_context *c, thirl_session_handle s, void *buf, size_t n, size_t *done) {
  thirl_error e = thirl_api_sessions_read(&c->sessions, s, buf, n, done);
  if (*done) touch(c);
  return plain(c, e);
}

thirl_error thirl_finish(thirl_context *c, thirl_session_handle s) {
  thirl_error e = thirl_api_sessions_finish(&c->sessions, s);
  if (e == THIRL_OK) touch(c);
  return plain(c, e);
}

void thirl_close(thirl_context *c, thirl_session_handle s) {
  thirl_session_endpoint_abandon(c->endpoint, thirl_io_clock_now(), s, THIRL_E_PEER_CLOSED);
  touch(c);
}

thirl_error thirl_attach(thirl_context *c, thirl_session_handle s, int input_fd, int output_fd) {
  thirl_error e = thirl_api_sessions_attach(&c->sessions, s, input_fd, output_fd);
  if (e == THIRL_OK) touch(c);
  return plain(c, e);
}
