/* SPDX-License-Identifier: MIT */
/* The blocking face: dial, listen, accept. What happens behind it is the engine's. */
#include "api/engine.h"

#include <stdlib.h>
#include <string.h>

enum { REGISTER_TIMEOUT_MS = 30000 };

thirl_error thirl_dial(const thirl_options *options, const char *ticket, thirl_connection **out) {
  thirl_context *ctx = NULL;
  thirl_api_engine *engine = NULL;
  thirl_session_handle session = 0;
  *out = NULL;
  thirl_error e = thirl_context_new(options, &ctx);
  if (e == THIRL_OK) e = thirl_context_dial(ctx, ticket, &session);
  if (e != THIRL_OK) {
    thirl_context_free(ctx);
    return e;
  }
  e = thirl_api_engine_new(ctx, &engine);
  if (e != THIRL_OK) return e;
  e = thirl_api_engine_adopt(engine, session, out);
  if (e == THIRL_OK) e = thirl_api_engine_run(engine);
  if (e != THIRL_OK) {
    *out = NULL;
    thirl_api_engine_discard(engine);
    return e;
  }
  e = thirl_api_engine_wait_up(*out);
  if (e == THIRL_OK) return e;
  *out = NULL;
  thirl_api_engine_release(engine);
  return e;
}

struct thirl_listener {
  thirl_api_engine *engine;
};

thirl_error thirl_listen(const thirl_options *options, thirl_listener **out, char *ticket) {
  thirl_context *ctx = NULL;
  thirl_api_engine *engine = NULL;
  *out = NULL;
  thirl_error e = thirl_context_new(options, &ctx);
  if (e == THIRL_OK) e = thirl_context_listen(ctx, ticket);
  if (e != THIRL_OK) {
    thirl_context_free(ctx);
    return e;
  }
  e = thirl_api_engine_new(ctx, &engine);
  if (e != THIRL_OK) return e;
  e = thirl_api_engine_run(engine);
  if (e != THIRL_OK) {
    thirl_api_engine_discard(engine);
    return e;
  }
  e = thirl_api_engine_wait_registered(engine, REGISTER_TIMEOUT_MS);
  thirl_listener *l = e == THIRL_OK ? malloc(sizeof *l) : NULL;
  if (!l) {
    thirl_api_engine_release(engine);
    return e == THIRL_OK ? THIRL_E_NOMEM : e;
  }
  l->engine = engine;
  *out = l;
  return THIRL_OK;
}

thirl_error thirl_accept(thirl_listener *l, int timeout_ms, thirl_connection **out) {
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
  return c ? thirl_api_engine_finish(c, linger_ms) : THIRL_OK;
}
