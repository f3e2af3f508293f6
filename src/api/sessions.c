/* SPDX-License-Identifier: MIT */
#include "api/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/pump.h"
#include "session/streams.h"

struct thirl_api_session {
  thirl_api_session *next;
  thirl_api_sessions *all;
  uint32_t handle;
  bool is_dialed, is_up;
  bool wants_bytes, wants_room;  /* the caller waits */
  bool is_readable, is_writable; /* and shall be told */
  bool is_over, is_complete;
  thirl_io_pump *pump;
  bool input_failed, output_failed;
  thirl_error failure; /* of a descriptor */
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

thirl_error thirl_api_sessions_add(thirl_api_sessions *s, uint32_t handle, bool is_dialed) {
  thirl_api_session *k = calloc(1, sizeof *k);
  if (!k) return THIRL_E_NOMEM;
  k->all = s;
  k->handle = handle;
  k->is_dialed = is_dialed;
  k->wants_bytes = true;
  k->next = s->first;
  s->first = k;
  return THIRL_OK;
}

void thirl_api_sessions_came_up(thirl_api_sessions *s, uint32_t handle) {
  thirl_api_session *k = find(s, handle);
  if (k) k->is_up = true;
}

/* ---- the end ---- */

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

static void explain(const thirl_api_session *k, char *why, size_t cap) {
  if (k->output_failed && k->failure == THIRL_E_RESET)
    snprintf(why, cap, "nobody reads the output any more");
  else if (k->output_failed)
    snprintf(why, cap, "the output cannot be written: %s", thirl_error_text(k->failure));
  else if (k->input_failed)
    snprintf(why, cap, "the input cannot be read: %s", thirl_error_text(k->failure));
}

void thirl_api_sessions_end(thirl_api_sessions *s, uint32_t handle, bool is_complete, char *why, size_t why_cap) {
  thirl_api_session *k = find(s, handle);
  why[0] = '\0';
  if (!k) return;
  explain(k, why, why_cap);
  k->is_complete = is_complete;
  if (k->pump && is_complete) (void)thirl_io_pump_kick(k->pump); /* passes the end on */
  let_go(k);
}

void thirl_api_sessions_abandon_dialed(thirl_api_sessions *s, thirl_error why) {
  for (thirl_api_session *k = s->first; k; k = k->next)
    if (k->is_dialed && !k->is_up && !k->is_over)
      thirl_session_endpoint_abandon(s->endpoint, thirl_io_clock_now(), k->handle, why);
}

void thirl_api_sessions_abandon(thirl_api_sessions *s, thirl_error why) {
  for (thirl_api_session *k = s->first; k; k = k->next) {
    thirl_bytes v;
    bool has_all = thirl_session_streams_peek(s->endpoint, k->handle, &v) == THIRL_E_EOF;
    if (k->is_over || (has_all && thirl_session_streams_is_delivered(s->endpoint, k->handle))) continue;
    thirl_session_endpoint_abandon(s->endpoint, thirl_io_clock_now(), k->handle, why);
  }
}

/* ---- the stream as a pump sees it ---- */

static uint8_t *space(void *self, size_t *n) {
  thirl_api_session *k = self;
  uint8_t *p = NULL;
  return thirl_session_streams_space(k->all->endpoint, k->handle, &p, n) == THIRL_OK ? p : NULL;
}

static void commit(void *self, size_t n) {
  thirl_api_session *k = self;
  k->all->is_busy = true;
  (void)thirl_session_streams_commit(k->all->endpoint, thirl_io_clock_now(), k->handle, n);
}

static void finish(void *self) {
  thirl_api_session *k = self;
  k->all->is_busy = true;
  (void)thirl_session_streams_finish(k->all->endpoint, thirl_io_clock_now(), k->handle);
}

static thirl_bytes peek(void *self) {
  thirl_api_session *k = self;
  thirl_bytes v;
  if (!k->all->is_looking) k->all->is_busy = true;
  (void)thirl_session_streams_peek(k->all->endpoint, k->handle, &v);
  return v;
}

static void consume(void *self, size_t n) {
  thirl_api_session *k = self;
  (void)thirl_session_streams_consume(k->all->endpoint, thirl_io_clock_now(), k->handle, n);
}

/* The last consume may have completed the session, and then the endpoint has forgotten it. */
static bool is_ended(void *self) {
  thirl_api_session *k = self;
  thirl_bytes v;
  return k->is_complete || thirl_session_streams_peek(k->all->endpoint, k->handle, &v) == THIRL_E_EOF;
}

static void touched(void *ctx) {
  thirl_api_session *k = ctx;
  k->all->touch(k->all->ctx);
}

/* A descriptor that fails ends the session: the peer must not take it for the end of the data. */
static void pump_event(void *ctx, thirl_io_pump_event event, thirl_error error) {
  thirl_api_session *k = ctx;
  if (event != THIRL_IO_PUMP_INPUT_FAILED && event != THIRL_IO_PUMP_OUTPUT_FAILED) return;
  if (k->is_over || k->is_complete || k->input_failed || k->output_failed) return;
  k->input_failed = event == THIRL_IO_PUMP_INPUT_FAILED;
  k->output_failed = !k->input_failed;
  k->failure = error;
  thirl_session_endpoint_abandon(k->all->endpoint, thirl_io_clock_now(), k->handle, error);
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

/* ---- the stream as the caller sees it ---- */

static thirl_error find_free(thirl_api_sessions *s, uint32_t handle, thirl_api_session **k) {
  *k = find(s, handle);
  if (!*k) return THIRL_E_NOT_FOUND;
  return (*k)->pump ? THIRL_E_STATE : THIRL_OK;
}

thirl_error thirl_api_sessions_write(thirl_api_sessions *s, uint32_t handle, const uint8_t *from, size_t n,
                                     size_t *done) {
  thirl_api_session *k;
  thirl_error e = find_free(s, handle, &k);
  *done = 0;
  if (k) k->wants_room = k->is_writable = false;
  while (e == THIRL_OK && *done < n) {
    uint8_t *to;
    size_t room;
    e = thirl_session_streams_space(s->endpoint, handle, &to, &room);
    if (e == THIRL_OK && !room) e = THIRL_E_AGAIN;
    if (e != THIRL_OK) break;
    if (room > n - *done) room = n - *done;
    memcpy(to, from + *done, room);
    e = thirl_session_streams_commit(s->endpoint, thirl_io_clock_now(), handle, room);
    *done += room;
  }
  if (k && e == THIRL_E_AGAIN) k->wants_room = true;
  return *done ? THIRL_OK : e;
}

thirl_error thirl_api_sessions_finish(thirl_api_sessions *s, uint32_t handle) {
  thirl_api_session *k;
  thirl_error e = find_free(s, handle, &k);
  return e == THIRL_OK ? thirl_session_streams_finish(s->endpoint, thirl_io_clock_now(), handle) : e;
}

thirl_error thirl_api_sessions_read(thirl_api_sessions *s, uint32_t handle, uint8_t *to, size_t n, size_t *done) {
  thirl_api_session *k;
  thirl_error e = find_free(s, handle, &k);
  *done = 0;
  if (k) k->wants_bytes = k->is_readable = false;
  while (e == THIRL_OK && *done < n) {
    thirl_bytes v;
    e = thirl_session_streams_peek(s->endpoint, handle, &v);
    if (e != THIRL_OK) break;
    if (v.n > n - *done) v.n = n - *done;
    memcpy(to + *done, v.p, v.n);
    e = thirl_session_streams_consume(s->endpoint, thirl_io_clock_now(), handle, v.n);
    *done += v.n;
  }
  /* When there is more than was asked for it is told again; after the end there is nothing more to tell. */
  if (k && (e == THIRL_E_AGAIN || *done)) k->wants_bytes = true;
  return *done ? THIRL_OK : e;
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
  s->is_looking = true;
  for (thirl_api_session *k = s->first, *next; k; k = next) {
    next = k->next;
    if (k->is_over) continue;
    if (k->pump)
      moved = thirl_io_pump_kick(k->pump) || moved;
    else
      look_at(k);
  }
  s->is_looking = false;
  return moved;
}

bool thirl_api_sessions_has_news(const thirl_api_sessions *s) {
  for (const thirl_api_session *k = s->first; k; k = k->next)
    if (!k->is_over && (k->is_readable || k->is_writable)) return true;
  return false;
}

bool thirl_api_sessions_next_news(thirl_api_sessions *s, thirl_event *out) {
  for (thirl_api_session *k = s->first; k; k = k->next) {
    if (k->is_over || (!k->is_readable && !k->is_writable)) continue;
    *out = (thirl_event){.kind = k->is_readable ? THIRL_EVENT_READABLE : THIRL_EVENT_WRITABLE, .session = k->handle};
    if (k->is_readable)
      k->is_readable = false;
    else
      k->is_writable = false;
    return true;
  }
  return false;
}
