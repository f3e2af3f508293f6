/* SPDX-License-Identifier: MIT */
/*
 * One thread that runs one context, for the blocking calls. The context belongs to the thread alone; everything that others may look at is in the
 * connections, under the engine's lock. The engine ends when its last user lets go: the listener is one, each connection that a caller holds is one.
 */
#ifndef THIRL_API_ENGINE_H
#define THIRL_API_ENGINE_H

#include <pthread.h>
#include <sys/types.h>

#include "thirl/thirl.h"

enum {
  THIRL_API_ENGINE_WHY = 256,    /* characters of an explanation, NUL included */
  THIRL_API_ENGINE_BACKLOG = 128 /* connections that came in and wait to be accepted; more are turned away */
};

typedef struct thirl_api_engine thirl_api_engine;

/** What a blocking caller holds; the fields below the line are the engine's, under its lock. */
struct thirl_connection {
  thirl_api_engine *engine;
  int app_fd;      /* the caller's end of a socket pair */
  ino_t app_inode; /* of it, so that we know it when the caller has closed it and the number is another file's */
  char peer[THIRL_PEER_MAX]; /* set before the caller has the connection */
  /* ---- */
  int app_dup; /* the caller's end, for us */
  int lib_fd;  /* the other end; the context works on a duplicate, so that it is ours to say how it ends */
  thirl_session_handle session;
  bool is_up, is_over, is_direct;
  bool is_held;     /* by a caller */
  bool wants_close; /* give the session up */
  thirl_error result;
  char why[THIRL_API_ENGINE_WHY];
  struct thirl_connection *next;
};

/** Takes the context over; the caller is the first user. The thread is not started yet. On failure the context is freed. E_NOMEM, E_LIMIT. */
thirl_error thirl_api_engine_new(thirl_context *context_take, thirl_api_engine **out);
/** A connection for a session dialled before run; the first user holds it. E_NOMEM, E_LIMIT. */
thirl_error thirl_api_engine_adopt(thirl_api_engine *e, thirl_session_handle session, thirl_connection **out);
/** Starts the thread, which handles no signals. E_LIMIT. */
thirl_error thirl_api_engine_run(thirl_api_engine *e);
/** Frees an engine whose thread was never started. */
void thirl_api_engine_discard(thirl_api_engine *e);
/** One user less; the last one ends the thread and waits for it. */
void thirl_api_engine_release(thirl_api_engine *e);

/** Wait until the server knows us. E_NO_SERVER: not in time, or its name does not exist; then why (THIRL_API_ENGINE_WHY) says more. */
thirl_error thirl_api_engine_wait_registered(thirl_api_engine *e, int timeout_ms, char *why);
/** Wait until it is up: OK, or why not. Then the caller holds nothing any more but its use of the engine. */
thirl_error thirl_api_engine_wait_up(thirl_connection *c, char *why);
/** Wait for an incoming connection that is up; the caller becomes a user. timeout_ms < 0: for ever. E_TIMEOUT. */
thirl_error thirl_api_engine_wait_incoming(thirl_api_engine *e, int timeout_ms, thirl_connection **out);
/** Nothing comes in any more, and what nobody has accepted is given up. */
void thirl_api_engine_stop_listening(thirl_api_engine *e);
/** Wait for its end, at most linger_ms (< 0: without limit), then give it up; frees it and lets go of the engine. */
thirl_error thirl_api_engine_finish(thirl_connection *c, int linger_ms, char *why);
bool thirl_api_engine_is_direct(const thirl_connection *c);

#endif
