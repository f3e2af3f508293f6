/* SPDX-License-Identifier: MIT */
/*
 * One thread that runs one context, for the blocking calls. The context belongs to the thread alone; everything that others may look at is in the
 * connections, under the engine's lock. The engine ends when its last user lets go.
 */
#ifndef THIRL_API_ENGINE_H
#define THIRL_API_ENGINE_H

#include <pthread.h>

#include "thirl/thirl.h"

typedef struct thirl_api_engine thirl_api_engine;

/** What a blocking caller holds; the fields below the line are the engine's, under its lock. */
struct thirl_connection {
  thirl_api_engine *engine;
  int app_fd; /* the caller's end of a socket pair */
  /* ---- */
  int lib_fd;
  thirl_session_handle session;
  bool is_up, is_over, is_direct, is_taken, wants_close;
  thirl_error result;
  char peer[THIRL_PEER_MAX];
  struct thirl_connection *next;
};

/** Takes the context over; the caller is the first user. The thread is not started yet. On failure the context is freed. */
thirl_error thirl_api_engine_new(thirl_context *context_take, thirl_api_engine **out);
/** Starts the thread. E_LIMIT. */
thirl_error thirl_api_engine_run(thirl_api_engine *e);
/** Frees an engine whose thread was never started. */
void thirl_api_engine_discard(thirl_api_engine *e);
/** One user less; the last one ends the thread and waits for it. */
void thirl_api_engine_release(thirl_api_engine *e);

/** A connection for a session dialled before run. */
thirl_error thirl_api_engine_adopt(thirl_api_engine *e, thirl_session_handle session, thirl_connection **out);
/** Wait until the server knows us. */
thirl_error thirl_api_engine_wait_registered(thirl_api_engine *e, int timeout_ms);
/** Wait until it is up: OK, or why not. */
thirl_error thirl_api_engine_wait_up(thirl_connection *c);
/** Wait for an incoming connection that is up; the caller becomes a user. timeout_ms < 0: for ever. E_TIMEOUT. */
thirl_error thirl_api_engine_wait_incoming(thirl_api_engine *e, int timeout_ms, thirl_connection **out);
void thirl_api_engine_stop_listening(thirl_api_engine *e);
/** Wait for its end, at most linger_ms, then give it up; frees it and lets go of the engine. */
thirl_error thirl_api_engine_finish(thirl_connection *c, int linger_ms);
bool thirl_api_engine_is_direct(const thirl_connection *c);

#endif
