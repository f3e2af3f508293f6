/* SPDX-License-Identifier: MIT */
/*
 * What a context remembers of each session: what the caller waits for, the descriptors that are attached, and why they failed. The bytes go
 * through here: by the caller's reads and writes, or by a pump between the stream and the descriptors, never both.
 */
#ifndef THIRL_API_SESSIONS_H
#define THIRL_API_SESSIONS_H

#include <uv.h>

#include "session/endpoint.h"
#include "thirl/thirl.h"

typedef struct thirl_api_session thirl_api_session;

typedef struct thirl_api_sessions {
  uv_loop_t *loop;
  thirl_session_endpoint *endpoint;
  thirl_api_session *first;
  bool is_looking;          /* inside thirl_api_sessions_look */
  bool is_busy;             /* the loop has called a pump since this was cleared: what it watches may have changed */
  bool touch_due;           /* a pump gave a session up: let the carrier act when the loop is back */
  void (*touch)(void *ctx); /* the endpoint was used outside an event */
  void *ctx;
} thirl_api_sessions;

void thirl_api_sessions_init(thirl_api_sessions *s, uv_loop_t *loop, thirl_session_endpoint *endpoint,
                             void (*touch)(void *ctx), void *ctx);
/** Detaches everything; the loop must run once more. */
void thirl_api_sessions_fini(thirl_api_sessions *s);

/** E_NOMEM. */
thirl_error thirl_api_sessions_add(thirl_api_sessions *s, uint32_t handle, bool is_dialed);
void thirl_api_sessions_came_up(thirl_api_sessions *s, uint32_t handle);
/**
 * The session is over and forgotten. is_complete: everything was delivered, so the output gets its end; otherwise its descriptors are closed as they are.
 * why: what one of them had done wrong, in a sentence; "" if nothing.
 */
void thirl_api_sessions_end(thirl_api_sessions *s, uint32_t handle, bool is_complete, char *why, size_t why_cap);
/** Give up those that were dialled and never were up. */
void thirl_api_sessions_abandon_dialed(thirl_api_sessions *s, thirl_error why);
/** Give up all that are not complete already. */
void thirl_api_sessions_abandon(thirl_api_sessions *s, thirl_error why);

/** As thirl_attach says. On failure the descriptors still are the caller's. */
thirl_error thirl_api_sessions_attach(thirl_api_sessions *s, uint32_t handle, int input_fd, int output_fd);
/** As thirl_write, thirl_finish and thirl_read say. */
thirl_error thirl_api_sessions_write(thirl_api_sessions *s, uint32_t handle, const uint8_t *from, size_t n,
                                     size_t *done);
thirl_error thirl_api_sessions_finish(thirl_api_sessions *s, uint32_t handle);
thirl_error thirl_api_sessions_read(thirl_api_sessions *s, uint32_t handle, uint8_t *to, size_t n, size_t *done);

/** After a turn: move what the pumps can move (true when they did), and find out who has become readable or writable. */
bool thirl_api_sessions_look(thirl_api_sessions *s);
/** Somebody is readable or writable and was not told. */
bool thirl_api_sessions_has_news(const thirl_api_sessions *s);
/** READABLE or WRITABLE of one of them, which is told by that; false when there is none. */
bool thirl_api_sessions_next_news(thirl_api_sessions *s, thirl_event *out);

#endif
