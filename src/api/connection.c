/* SPDX-License-Identifier: MIT */
/* The blocking face: dial, listen, accept. What happens behind it is the engine's. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/engine.h"

enum { REGISTER_TIMEOUT_MS = 30000 };

static _Thread_local char why[THIRL_API_ENGINE_WHY];

const char *thirl_explain(void) {
  return why;
}

/* A context that could not be made, or could not do what it was made for. */
static thirl_error give_up(thirl_context *ctx, thirl_error e) {
  snprintf(why, sizeof why, "%s", thirl_context_explain(ctx));
  thirl_context_free(ctx);
  return e;
}

thirl_error thirl_dial(const thirl_options *options, const char *ticket, thirl_connection **out) {
  thirl_context *ctx = NULL;
  thirl_api_engine *engine = NULL;
  thirl_connection *c = NULL;
  thirl_session_handle session = 0;
  *out = NULL;
  why[0] = '\0';
  thirl_error e = thirl_context_new(options, &ctx);
  if (e == THIRL_OK) e = thirl_context_dial(ctx, ticket, &session);
  if (e != THIRL_OK) return give_up(ctx, e);
  e = thirl_api_engine_new(ctx, &engine);
  if (e != THIRL_OK) return e;
  e = thirl_api_engine_adopt(engine, session, &c);
  if (e == THIRL_OK) e = thirl_api_engine_run(engine);
  if (e != THIRL_OK) {
    thirl_api_engine_discard(engine);
    return e;
  }
  e = thirl_api_engine_wait_up(c, why);
  if (e == THIRL_OK)
    *out = c;
  else
    thirl_api_engine_release(engine); /* and c with it */
  return e;
}

struct thirl_listener {
  thirl_api_engine *engine;
};

static int register_timeout(const thirl_options *o) {
  if (!o || !o->timeout_ms) return REGISTER_TIMEOUT_MS;
  return o->timeout_ms > INT_MAX ? INT_MAX : (int)o->timeout_ms;
}

thirl_error thirl_listen(const thirl_options *options, thirl_listener **out, char *ticket) {
  thirl_context *ctx = NULL;
  *out = NULL;
  why[0] = ticket[0] = '\0';
  thirl_error e = thirl_context_new(options, &ctx);
  if (e == THIRL_OK) e = thirl_context_listen(ctx, ticket);
  if (e != THIRL_OK) return give_up(ctx, e);
  thirl_listener *l = calloc(1, sizeof *l);
  if (!l) return give_up(ctx, THIRL_E_NOMEM);
  e = thirl_api_engine_new(ctx, &l->engine);
  if (e == THIRL_OK) {
    e = thirl_api_engine_run(l->engine);
    if (e != THIRL_OK) thirl_api_engine_discard(l->engine);
  }
  if (e != THIRL_OK) {
    free(l);
    return e;
  }
  e = thirl_api_engine_wait_registered(l->engine, register_timeout(options), why);
  if (e == THIRL_OK)
    *out = l;
  else
    thirl_listener_close(l);
  return e;
}

thirl_error thirl_accept(thirl_listener *l, int timeout_ms, thirl_connection **out) {
  why[0] = '\0';
  return thirl_api_engine_wait_incoming(l->engine, timeout_ms, out);
}

void thirl_listener_close(thirl_listener *l) {
  if (!l) return;
  thirl_api_engine_stop_listening(l->engine);
  thirl_api_engine_release(l->engine);
  free(l);
}

int thirl_connection_fd(const thirl_connection *c) {
  return c->app_fd;
}

void thirl_connection_peer(const thirl_connection *c, char *out) {
  memcpy(out, c->peer, THIRL_PEER_MAX);
}

bool thirl_connection_is_direct(const thirl_connection *c) {
  return thirl_api_engine_is_direct(c);
}

thirl_error thirl_connection_close(thirl_connection *c, int linger_ms) {
  why[0] = '\0';
  return c ? thirl_api_engine_finish(c, linger_ms, why) : THIRL_OK;
}
