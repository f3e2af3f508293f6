/* SPDX-License-Identifier: MIT */
/* What a context remembers of each session: what the caller waits for, and the descriptors that are attached. */
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
  bool touch_due;           /* call touch when the loop is back */
  void (*touch)(void *ctx); /* the endpoint was used outside an event */
  void *ctx;
} thirl_api_sessions;

void thirl_api_sessions_init(thirl_api_sessions *s, uv_loop_t *loop, thirl_session_endpoint *endpoint,
                             void (*touch)(void *ctx), void *ctx);
/** Detaches everything. */
void thirl_api_sessions_fini(thirl_api_sessions *s);
thirl_error thirl_api_sessions_add(thirl_api_sessions *s, uint32_t handle);
/** The session is over: its descriptors are let go after what has arrived was written. */
void thirl_api_sessions_end(thirl_api_sessions *s, uint32_t handle);
/** The descriptors are taken over. E_NOT_FOUND, E_STATE (attached already), or what the pump says: then they still are the caller's. */
thirl_error thirl_api_sessions_attach(thirl_api_sessions *s, uint32_t handle, int input_fd, int output_fd);
/** After a turn: move what the pumps can move (true when they did), and find out who has become readable or writable. */
bool thirl_api_sessions_look(thirl_api_sessions *s);
/** The caller found nothing to read: tell it once when there is something. */
void thirl_api_sessions_want_bytes(thirl_api_sessions *s, uint32_t handle);
/** The caller found no room: tell it once when there is some. */
void thirl_api_sessions_want_room(thirl_api_sessions *s, uint32_t handle);
bool thirl_api_sessions_next_readable(thirl_api_sessions *s, thirl_session_handle *out);
bool thirl_api_sessions_next_writable(thirl_api_sessions *s, thirl_session_handle *out);

#endif
