/* SPDX-License-Identifier: MIT */
/* A context on a libuv loop, for commands that wait for other things too: its events are handed on, SIGINT and SIGTERM end the loop. */
#ifndef THIRL_APPS_TURNS_H
#define THIRL_APPS_TURNS_H

#include <uv.h>

#include "thirl/thirl.h"

typedef struct turns {
  uv_loop_t loop;
  uv_poll_t poll;
  uv_timer_t timer;
  uv_prepare_t prepare;
  uv_signal_t signals[2];
  thirl_context *context;
  void (*on_event)(const thirl_event *ev, void *owner);
  void *owner;
  int caught;        /* a signal, or 0 */
  thirl_error error; /* of the context */
} turns;

/** context stays the caller's. E_IO, E_NOMEM. */
thirl_error turns_init(turns *t, thirl_context *context, void (*on_event)(const thirl_event *, void *), void *owner);
/** Until turns_stop, a signal, or an error of the context. */
void turns_run(turns *t);
void turns_stop(turns *t);
/** Closes all handles of the loop, those of others too, and waits for what they have under way. */
void turns_fini(turns *t);

#endif
