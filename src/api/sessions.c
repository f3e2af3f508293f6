/* SPDX-License-Identifier: MIT */
#include "api/sessions.h"

#include <stdlib.h>

#include "io/pump.h"
#include "io/secrets.h"
#include "session/streams.h"

struct thirl_api_session {
  thirl_api_session *next;
  thirl_api_sessions *all;
  uint32_t handle;
  bool wants_bytes, wants_room;  /* the caller waits */
  bool is_readable, is_writable; /* and shall be told */
  bool is_over;
  thirl_io_pump *pump;
};

void thirl_api_sessions_init(thirl_api_sessions *s, uv_loop_t *loop, thirl_session_endpoint *endpoint,
                             void (*touch)(void *ctx), void *ctx) {
  *s = (thirl_api_sessions){.loop = loop, .endpoint = endpoint, .touch = touch, .ctx = ctx};
}

static thirl_api_session *find(thirl_api_sessions *s, uint32_t handle) {
  for (thirl_api_session *k = s->first; k; k = k->next)
    if (k->handle == handle && !k->is_over) return k;
  return NULL;
}

static void unlink_and_free(thirl_api_session *k) {
  thirl_api_session **p = &k->all->first;
  while (*p && *p != k)
    p = &(*p)->next;
  if (*p) *p = k->next;
  free(k);
}

static void pump_is_closed(void *ctx) {
  thirl_api_session *k = ctx;
  k->pump = NULL;
  unlink_and_free(k);
}

static void let_go(thirl_api_session *k) {
  k->is_over = true;
  if (k->pump)
    thirl_io_pump_close(k->pump, pump_is_closed, k);
  else
    unlink_and_free(k);
}

void thirl_api_sessions_fini(thirl_api_sessions *s) {
  for (thirl_api_session *k = s->first, *next; k; k = next) {
    next = k->next;
    let_go(k);
  }
}

thirl_error thirl_api_sessions_add(thirl_api_sessions *s, uint32_t handle) {
  thirl_api_session *k = calloc(1, sizeof *k);
  if (!k) return THIRL_E_NOMEM;
  k->all = s;
  k->handle = handle;
  k->wants_bytes = true;
  k->next = s->first;
  s->first = k;
  return THIRL_OK;
}

void thirl_api_sessions_end(thirl_api_sessions *s, uint32_t handle) {
  thirl_api_session *k = find(s, handle);
  if (k) let_go(k);
}

/* ---- the stream as a pump sees it ---- */

static uint8_t *space(void *self, size_t *n) {
  thirl_api_session *k = self;
  uint8_t *p = NULL;
  return thirl_session_streams_space(k->all->endpoint, k->handle, &p, n) == THIRL_OK ? p : NULL;
}

static void commit(void *self, size_t n) {
  thirl_api_session *k = self;
  (void)thirl_session_streams_commit(k->all->endpoint, thirl_io_now(), k->handle, n);
}

static void finish(void *self) {
  thirl_api_session *k = self;
  (void)thirl_session_streams_finish(k->all->endpoint, thirl_io_now(), k->handle);
}

static thirl_bytes peek(void *self) {
  thirl_api_session *k = self;
  thirl_bytes v;
  (void)thirl_session_streams_peek(k->all->endpoint, k->handle, &v);
  return v;
}

static void consume(void *self, size_t n) {
  thirl_api_session *k = self;
  (void)thirl_session_streams_consume(k->all->endpoint, thirl_io_now(), k->handle, n);
}

static bool is_ended(void *self) {
  thirl_api_session *k = self;
  thirl_bytes v;
  return thirl_session_streams_peek(k->all->endpoint, k->handle, &v) == THIRL_E_EOF;
}

static void touched(void *ctx) {
  thirl_api_session *k = ctx;
  k->all->touch(k->all->ctx);
}

/* A descriptor that fails ends the session: the peer must not take it for the end of the data. */
static void pump_event(void *ctx, thirl_io_pump_event event, thirl_error error) {
  thirl_api_session *k = ctx;
  if (event != THIRL_IO_PUMP_INPUT_FAILED && event != THIRL_IO_PUMP_OUTPUT_FAILED) return;
  thirl_session_endpoint_abandon(k->all->endpoint, thirl_io_now(), k->handle, error);
  k->all->touch_due = true; /* not from here: the pump is in the middle of something */
}

thirl_error thirl_api_sessions_attach(thirl_api_sessions *s, uint32_t handle, int input_fd, int output_fd) {
  thirl_api_session *k = find(s, handle);
  if (!k) return THIRL_E_NOT_FOUND;
  if (k->pump) return THIRL_E_STATE;
  thirl_io_pump_config cfg = {
      .stream = {k, space, commit, finish, peek, consume, is_ended}, .touched = touched, .event = pump_event, .ctx = k};
  return thirl_io_pump_new(s->loop, &cfg, input_fd, output_fd, &k->pump);
}

/* ---- who can go on ---- */

static void look_at(thirl_api_session *k) {
  thirl_bytes v;
  uint8_t *p;
  size_t n = 0;
  thirl_error e = THIRL_E_AGAIN;
  if (k->wants_bytes) e = thirl_session_streams_peek(k->all->endpoint, k->handle, &v);
  if (e == THIRL_OK || e == THIRL_E_EOF) {
    k->wants_bytes = false;
    k->is_readable = true;
  }
  if (k->wants_room && thirl_session_streams_space(k->all->endpoint, k->handle, &p, &n) == THIRL_OK && n) {
    k->wants_room = false;
    k->is_writable = true;
  }
}

bool thirl_api_sessions_look(thirl_api_sessions *s) {
  bool moved = false;
  for (thirl_api_session *k = s->first, *next; k; k = next) {
    next = k->next;
    if (k->is_over) continue;
    if (k->pump)
      moved = thirl_io_pump_kick(k->pump) || moved;
    else
      look_at(k);
  }
  return moved;
}

void thirl_api_sessions_want_bytes(thirl_api_sessions *s, uint32_t handle) {
  thirl_api_session *k = find(s, handle);
  if (k) k->wants_bytes = true;
}

void thirl_api_sessions_want_room(thirl_api_sessions *s, uint32_t handle) {
  thirl_api_session *k = find(s, handle);
  if (k) k->wants_room = true;
}

bool thirl_api_sessions_next_readable(thirl_api_sessions *s, thirl_session_handle *out) {
  for (thirl_api_session *k = s->first; k; k = k->next) {
    if (!k->is_readable) continue;
    k->is_readable = false;
    *out = k->handle;
    return true;
  }
  return false;
}

bool thirl_api_sessions_next_writable(thirl_api_sessions *s, thirl_session_handle *out) {
  for (thirl_api_session *k = s->first; k; k = k->next) {
    if (!k->is_writable) continue;
    k->is_writable = false;
    *out = k->handle;
    return true;
  }
  return false;
}
