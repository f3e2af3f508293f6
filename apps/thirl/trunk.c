/* SPDX-License-Identifier: MIT */
#include "trunk.h"

#include <stdlib.h>

#include "io/secrets.h"

enum { CHUNK = 65536 };

struct trunk {
  thirl_context *context;
  thirl_session_handle session;
  thirl_mux *mux;
  trunk_event on_event;
  void *owner;
  uint8_t in[CHUNK], out[CHUNK]; /* in[in_at..in_n) the mux has not taken, out[out_at..out_n) the session has not */
  size_t in_at, in_n, out_at, out_n;
  bool spoke; /* the peer speaks as a mux does */
  bool busy;  /* within wake: what is touched meanwhile is seen to at its end */
  thirl_error result;
  const char *not_one, *why;
};

trunk *trunk_new(thirl_context *context, thirl_session_handle session, bool dialed, const char *not_one,
                 trunk_event on_event, void *owner) {
  thirl_secrets secrets = thirl_io_secrets();
  trunk *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  t->context = context;
  t->session = session;
  t->not_one = not_one;
  t->on_event = on_event;
  t->owner = owner;
  t->result = THIRL_E_AGAIN;
  t->why = "";
  t->mux = thirl_mux_new(dialed, thirl_secrets_u64(&secrets));
  if (t->mux) return t;
  free(t);
  return NULL;
}

void trunk_free(trunk *t) {
  if (!t) return;
  thirl_mux_free(t->mux);
  free(t);
}

thirl_mux *trunk_mux(trunk *t) {
  return t->mux;
}

void trunk_end(trunk *t, thirl_error e, const char *why) {
  if (t->result != THIRL_E_AGAIN) return;
  t->result = e;
  t->why = why;
}

thirl_error trunk_result(const trunk *t, const char **why) {
  *why = t->why;
  return t->result;
}

bool trunk_is_flushed(const trunk *t) {
  return t->spoke && t->out_at == t->out_n && !thirl_mux_wants_pull(t->mux);
}

/* What the mux has to say, as far as the session takes it. */
static void send_out(trunk *t) {
  for (;;) {
    size_t done = 0;
    if (t->out_at == t->out_n) {
      t->out_at = 0;
      t->out_n = thirl_mux_pull(t->mux, t->out, sizeof t->out);
      if (t->out_n == 0) return;
    }
    thirl_error e = thirl_write(t->context, t->session, t->out + t->out_at, t->out_n - t->out_at, &done);
    t->out_at += done;
    if (e == THIRL_E_AGAIN) return;
    if (e != THIRL_OK) {
      trunk_end(t, e, "");
      return;
    }
  }
}

static bool has_input(trunk *t) {
  size_t done = 0;
  if (t->in_at < t->in_n) return true;
  thirl_error e = thirl_read(t->context, t->session, t->in, sizeof t->in, &done);
  t->in_at = 0;
  t->in_n = done;
  if (e == THIRL_E_EOF && !t->spoke)
    trunk_end(t, THIRL_E_PROTOCOL, t->not_one);
  else if (e != THIRL_OK && e != THIRL_E_AGAIN)
    trunk_end(t, e, "");
  return done > 0;
}

static void take_in(trunk *t) {
  thirl_bytes in = {t->in + t->in_at, t->in_n - t->in_at};
  size_t before = in.n;
  thirl_error e = thirl_mux_input(t->mux, &in, &t->spoke);
  t->in_at += before - in.n;
  if (e != THIRL_OK) trunk_end(t, e, t->spoke ? "" : t->not_one);
}

/* Until neither side has anything to say: an event may give the mux bytes, and sending them may make room that is an event. */
static void settle(trunk *t) {
  thirl_mux_event ev;
  bool any;
  do {
    any = false;
    send_out(t);
    while (t->result == THIRL_E_AGAIN && thirl_mux_next_event(t->mux, &ev)) {
      t->on_event(&ev, t->owner);
      any = true;
    }
  } while (any);
}

void trunk_wake(trunk *t) {
  if (t->busy || t->result != THIRL_E_AGAIN) return;
  t->busy = true;
  settle(t);
  while (t->result == THIRL_E_AGAIN && has_input(t)) {
    size_t before = t->in_at;
    take_in(t);
    settle(t);
    if (t->in_at == before && t->in_at < t->in_n) break; /* refusals wait for room in the session: WRITABLE will come */
  }
  t->busy = false;
}
