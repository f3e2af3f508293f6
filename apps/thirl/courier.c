/* SPDX-License-Identifier: MIT */
#include "courier.h"

#include <stdlib.h>
#include <string.h>

#include "hush.h"
#include "parcel/wire.h"
#include "reach.h"
#include "status.h"
#include "trunk.h"

enum {
  TICK_MS = 100,
  SILENT_MS = 5000, /* who says nothing for so long makes room for a peer that comes anew */
  LOST_MS = 20000,  /* so long a session waits without any path: another one is made sooner than that it comes back */
  PATIENCE_MS = 60000, /* after a break, since the last progress, unless --timeout says so */
  PARTING_MS = 2000,   /* for last words */
  PAUSE_MIN_MS = 500,  /* before the first new dial; doubled each time */
  PAUSE_MAX_MS = 8000
};

static const char no_parcel[] =
    "the other side neither sends nor receives files: one of us needs \"thirl send\", the other \"thirl receive\"";

struct courier {
  turns turns;
  thirl_context *context;
  const courier_cargo *cargo;
  void *owner;
  char ticket[THIRL_TICKET_MAX];        /* "" for who listens */
  uint64_t patience_ms, first_ms;       /* first_ms: 0 for ever */
  thirl_session_handle session, caller; /* caller: another peer that has come in */
  char peer[THIRL_PEER_MAX];
  trunk *trunk;
  uint32_t stream; /* 0: none yet */
  bool up, carrying, spoke, finished,
      said_end;                    /* of the session; carrying: the cargo has begun; spoke: the peer's has */
  bool was_up, met;                /* of any; met: the peer spoke as a parcel does */
  bool over, initialized, parting; /* parting: all is said, and the peer is to hear it */
  int code;
  uint64_t heard_at, progress_at, progress, redial_at, pause_ms, parting_until, up_at;
  uint64_t done_at; /* 0: the transfer is not over */
  uv_timer_t tick, again;
};

uv_loop_t *courier_loop(courier *c) {
  return &c->turns.loop;
}

void courier_stop(courier *c, int code) {
  if (c->over) return;
  c->over = true;
  c->code = code;
  turns_stop(&c->turns);
}

static void fail(courier *c, thirl_error e, const char *more, int code) {
  if (c->over) return;
  status_error(e, more);
  courier_stop(c, code);
}

/* Is there to be a line about what the peer does? */
static bool may_tell(const courier *c) {
  static hush of_all;
  unsigned missed;
  if (!hush_allows(&of_all, uv_now(&c->turns.loop), &missed)) return false;
  if (missed) status_note("broken", "%u lines about broken sessions were not printed", missed);
  return true;
}

static void tell_broken(const courier *c, thirl_error e, const char *more, const char *what) {
  if (may_tell(c))
    status_note("broken", "the session broke (%s); %s", more && *more ? more : thirl_error_text(e), what);
}

/* ---- a session ---- */

static void leave(courier *c) {
  if (c->carrying) c->cargo->end(c->owner);
  trunk_free(c->trunk);
  c->trunk = NULL;
  c->session = 0;
  c->stream = 0;
  c->up = c->carrying = c->spoke = c->finished = c->said_end = false;
}

static bool is_done(const courier *c) {
  return c->carrying && c->cargo->is_over(c->owner);
}

static bool may_come_back(thirl_error e) {
  return thirl_error_class_of(e) != THIRL_CLASS_AUTH && thirl_error_class_of(e) != THIRL_CLASS_USAGE &&
         thirl_error_class_of(e) != THIRL_CLASS_ENV && e != THIRL_E_ONLY_RELAY;
}

/* The session is gone. Is that the end, or will there be another one? */
static void on_gone(courier *c, thirl_error e, const char *more) {
  bool listens = !c->ticket[0], done = is_done(c), spoke = c->spoke, was_up = c->up;
  leave(c);
  if (c->parting) {
    courier_stop(c, c->code);
  } else if (done) {
    courier_stop(c, EXIT_OK);
  } else if (e == THIRL_E_PEER_CLOSED && spoke && !listens) {
    fail(c, e, "the other side has stopped; the same two commands go on from here", EXIT_INTERRUPTED);
  } else if (listens && e != THIRL_E_ONLY_RELAY && (may_come_back(e) || !was_up)) {
    tell_broken(c, e, more, "waiting for the other side to come again");
    if (!c->met && c->first_ms) c->progress_at = uv_now(&c->turns.loop);
  } else if ((c->met || (was_up && e == THIRL_E_PEER_CLOSED)) && may_come_back(e)) {
    c->redial_at = uv_now(&c->turns.loop) + c->pause_ms;
    c->pause_ms = c->pause_ms * 2 < PAUSE_MAX_MS ? c->pause_ms * 2 : PAUSE_MAX_MS;
    tell_broken(c, e, more, "trying again");
  } else {
    fail(c, e, more, command_exit_code(e, c->met));
  }
}

static void drop(courier *c, thirl_error e, const char *more) {
  thirl_session_handle s = c->session;
  on_gone(c, e, more);
  if (s) thirl_close(c->context, s);
}

/* A peer that is something else will be so the next time too. It gets to hear what we are. */
static void give_up(courier *c, thirl_error e, const char *more) {
  if (c->over || c->parting) return;
  status_error(e, more);
  c->parting = true;
  c->code = EXIT_GENERIC;
  c->parting_until = uv_now(&c->turns.loop) + PARTING_MS;
  (void)thirl_finish(c->context, c->session);
}

/* ---- bytes ---- */

/* From the cargo to the stream, as far as it goes. True: something went. */
static bool send_some(courier *c) {
  thirl_buffer *out = c->cargo->out(c->owner);
  thirl_bytes b = thirl_buffer_view(out);
  size_t done = 0;
  if (b.n > 0 && thirl_mux_write(trunk_mux(c->trunk), c->stream, b, &done) == THIRL_OK) thirl_buffer_consume(out, done);
  return done > 0;
}

static void on_again(uv_timer_t *t) {
  courier_wake(t->data);
}

/* From the stream to the cargo. True: something was done. */
static bool work_some(courier *c) {
  thirl_bytes b, in;
  thirl_error e = thirl_mux_peek(trunk_mux(c->trunk), c->stream, &b);
  in = b;
  if (e == THIRL_E_EOF) c->finished = true;
  thirl_error w = c->cargo->work(c->owner, &in);
  size_t taken = b.n - in.n;
  if (taken > 0) {
    c->heard_at = uv_now(&c->turns.loop);
    c->met = c->spoke = true;
    thirl_mux_consume(trunk_mux(c->trunk), c->stream, taken);
  }
  if (w == THIRL_E_STATE) {
    (void)send_some(c); /* the peer is to hear it too */
    trunk_end(c->trunk, w, c->cargo->same_role);
  } else if (w != THIRL_OK && w != THIRL_E_AGAIN) {
    trunk_end(c->trunk, w, "");
  } else if (w == THIRL_OK) {
    (void)uv_timer_start(&c->again, on_again, 0, 0); /* the loop has its turn first */
  }
  if (e == THIRL_E_EOF && !c->cargo->is_over(c->owner)) trunk_end(c->trunk, THIRL_E_PROTOCOL, "");
  return taken > 0;
}

static void pump(courier *c) {
  const char *why;
  bool any = true;
  while (any && c->stream && c->carrying && trunk_result(c->trunk, &why) == THIRL_E_AGAIN && !c->finished) {
    any = send_some(c);
    any = work_some(c) || any;
    any = send_some(c) || any;
  }
  if (c->stream && c->carrying && c->cargo->is_over(c->owner) && !c->said_end &&
      thirl_buffer_view(c->cargo->out(c->owner)).n == 0) {
    (void)thirl_mux_finish(trunk_mux(c->trunk), c->stream);
    c->said_end = true;
  }
}

static bool is_parcel(const thirl_mux_event *ev) {
  return thirl_bytes_equal(ev->label, THIRL_BYTES(THIRL_PARCEL_LABEL, strlen(THIRL_PARCEL_LABEL)));
}

static void on_mux_event(const thirl_mux_event *ev, void *owner) {
  courier *c = owner;
  if (ev->kind == THIRL_MUX_ASKED) {
    if (c->stream || !is_parcel(ev)) {
      (void)thirl_mux_refuse(trunk_mux(c->trunk), ev->stream, THIRL_E_UNSUPPORTED);
      if (!c->stream) trunk_end(c->trunk, THIRL_E_UNSUPPORTED, no_parcel);
      return;
    }
    (void)thirl_mux_accept(trunk_mux(c->trunk), ev->stream);
    c->stream = ev->stream;
  }
  if (ev->stream != c->stream) return;
  if (ev->kind == THIRL_MUX_REFUSED) trunk_end(c->trunk, THIRL_E_UNSUPPORTED, no_parcel);
  if (ev->kind == THIRL_MUX_BROKEN) trunk_end(c->trunk, ev->error, "");
  pump(c);
}

/* After each turn of the trunk: has it ended, and is all said? */
static void look(courier *c) {
  const char *why;
  thirl_error e = trunk_result(c->trunk, &why);
  if (e == THIRL_E_AGAIN) {
    if (is_done(c) && c->said_end && trunk_is_flushed(c->trunk)) (void)thirl_finish(c->context, c->session);
  } else if (is_done(c)) {
    if (e == THIRL_E_EOF || e == THIRL_E_NOT_FOUND)
      (void)thirl_finish(c->context, c->session);
    else
      drop(c, e, why);
  } else if (e == THIRL_E_UNSUPPORTED || e == THIRL_E_STATE || (e == THIRL_E_PROTOCOL && why[0])) {
    give_up(c, e, why);
  } else if (e == THIRL_E_PROTOCOL || e == THIRL_E_CRYPTO || e == THIRL_E_NOMEM) {
    give_up(c, e, "");
  } else if (e != THIRL_E_NOT_FOUND) { /* of a session that is over its event says why */
    drop(c, e == THIRL_E_EOF ? THIRL_E_PEER_CLOSED : e, why);
  }
}

/* Last words are said; what still comes is nobody's. */
static void part(courier *c) {
  uint8_t waste[4096];
  size_t n;
  while (thirl_read(c->context, c->session, waste, sizeof waste, &n) == THIRL_OK)
    continue;
}

void courier_wake(courier *c) {
  if (!c->up || c->over) return;
  if (c->parting) {
    part(c);
    return;
  }
  pump(c);
  trunk_wake(c->trunk);
  pump(c);
  trunk_wake(c->trunk);
  look(c);
}

static void on_up(courier *c, const thirl_event *ev) {
  bool dialed = c->ticket[0];
  c->trunk = trunk_new(c->context, c->session, dialed, no_parcel, on_mux_event, c);
  thirl_error e = c->trunk ? THIRL_OK : THIRL_E_NOMEM;
  if (e == THIRL_OK && dialed)
    e = thirl_mux_open(trunk_mux(c->trunk), THIRL_BYTES(THIRL_PARCEL_LABEL, strlen(THIRL_PARCEL_LABEL)), &c->stream);
  if (e == THIRL_OK) c->carrying = c->cargo->begin(c->owner);
  if (!c->carrying) {
    fail(c, e == THIRL_OK ? THIRL_E_NOMEM : e, "", EXIT_GENERIC);
    return;
  }
  c->up = c->was_up = true;
  c->heard_at = c->up_at = uv_now(&c->turns.loop);
  memcpy(c->peer, ev->peer, sizeof c->peer);
  courier_wake(c);
}

/* ---- events of the context ---- */

/* Somebody with the ticket while there is a session: the same peer anew, or one in the place of a peer that is gone, or one too many. */
static void on_caller(courier *c, const thirl_event *ev) {
  bool same = strcmp(ev->peer, c->peer) == 0, silent = uv_now(&c->turns.loop) - c->heard_at >= SILENT_MS;
  c->caller = 0;
  if (c->up && !same && !silent) {
    if (may_tell(c)) status_note("busy", "another peer with the ticket came, and was turned away");
    thirl_close(c->context, ev->session);
    return;
  }
  thirl_session_handle old = c->session;
  if (old) {
    if (may_tell(c)) status_note("again", "the other side has come again");
    leave(c);
    thirl_close(c->context, old);
  }
  c->session = ev->session;
  on_up(c, ev);
}

static void on_event(const thirl_event *ev, void *owner) {
  courier *c = owner;
  if (c->over) return;
  if (ev->kind == THIRL_EVENT_INCOMING) {
    if (!c->session)
      c->session = ev->session;
    else
      c->caller = ev->session;
  }
  if (ev->session && ev->session == c->caller) {
    if (ev->kind == THIRL_EVENT_UP) on_caller(c, ev);
    if (ev->kind == THIRL_EVENT_FAILED || ev->kind == THIRL_EVENT_FINISHED) c->caller = 0;
    return;
  }
  if (ev->session && ev->session != c->session) return;
  status_event(ev);
  switch (ev->kind) {
  case THIRL_EVENT_UP:
    on_up(c, ev);
    break;
  case THIRL_EVENT_READABLE:
    c->heard_at = uv_now(&c->turns.loop);
    courier_wake(c);
    break;
  case THIRL_EVENT_WRITABLE:
    courier_wake(c);
    break;
  case THIRL_EVENT_FINISHED:
    on_gone(c, THIRL_E_PEER_CLOSED, "");
    break;
  case THIRL_EVENT_FAILED:
    on_gone(c, ev->error, thirl_context_explain(c->context));
    break;
  case THIRL_EVENT_UNREGISTERED:
    if (!c->ticket[0] && ev->error == THIRL_E_NOT_FOUND)
      fail(c, THIRL_E_NO_SERVER, thirl_context_explain(c->context), EXIT_NO_SERVER);
    break;
  default:
    break;
  }
}

/* ---- time ---- */

static void dial_again(courier *c) {
  c->redial_at = 0;
  thirl_error e = thirl_context_dial(c->context, c->ticket, &c->session);
  if (e != THIRL_OK) fail(c, e, thirl_context_explain(c->context), EXIT_INTERRUPTED);
}

/* A session whose peer says nothing, or whose transfer is over and which does not end: neither holds us for ever. */
static void look_at_session(courier *c) {
  static const char silent[] = "the other side said nothing in time";
  uint64_t now = uv_now(&c->turns.loop);
  if (is_done(c)) {
    if (!c->done_at) c->done_at = now;
    if (now - c->done_at >= LOST_MS) courier_stop(c, EXIT_OK);
  } else if (c->up && !c->spoke && now - c->up_at >= c->patience_ms) {
    if (!c->ticket[0] && !c->first_ms)
      drop(c, THIRL_E_TIMEOUT, silent); /* who waits for ever waits for another */
    else
      fail(c, THIRL_E_TIMEOUT, silent, c->met ? EXIT_INTERRUPTED : EXIT_NO_PEER);
  }
}

/* Nobody there: for how long already? */
static void look_at_clock(courier *c) {
  uint64_t now = uv_now(&c->turns.loop), waited = now - c->progress_at;
  if (c->carrying) {
    uint64_t progress = c->cargo->progress(c->owner);
    if (progress != c->progress) c->pause_ms = PAUSE_MIN_MS;
    if (progress != c->progress || c->up) c->progress_at = now;
    c->progress = progress;
    return;
  }
  if (!c->ticket[0] && !c->session && c->first_ms && waited >= c->first_ms) {
    if (c->met)
      fail(c, THIRL_E_TIMEOUT, "the other side did not come again in time; the same two commands go on from here",
           EXIT_INTERRUPTED);
    else
      fail(c, THIRL_E_NO_PEER, "nobody came in time", EXIT_NO_PEER);
  } else if (c->ticket[0] && c->was_up && waited >= c->patience_ms) {
    fail(c, THIRL_E_TIMEOUT, "the other side did not come back in time; the same two commands go on from here",
         EXIT_INTERRUPTED);
  } else if (c->redial_at && now >= c->redial_at) {
    dial_again(c);
  }
}

static void on_tick(uv_timer_t *t) {
  courier *c = t->data;
  if (c->parting && uv_now(&c->turns.loop) >= c->parting_until) courier_stop(c, c->code);
  if (c->over || c->parting) return;
  look_at_session(c);
  if (!c->over) look_at_clock(c);
  if (!c->over) c->cargo->tick(c->owner);
}

/* ---- the whole ---- */

static int begin_listening(courier *c, thirl_options *o, const char *words, const char *behind) {
  char ticket[THIRL_TICKET_MAX];
  o->max_incoming = 2; /* the one, and the same one anew before the first is known to be gone */
  int code = reach_listen(o, ticket, &c->context);
  if (code == EXIT_OK) status_ticket_and(ticket, words, behind);
  return code;
}

courier *courier_new(const arguments *a, const char *ticket, const char *words, const char *behind, int *code) {
  thirl_options o = reach_options(a);
  courier *c = calloc(1, sizeof *c);
  *code = EXIT_GENERIC;
  if (!c) return NULL;
  o.lost_after_ms = LOST_MS;
  c->first_ms = a->timeout_s * 1000ull;
  c->patience_ms = a->timeout_s ? c->first_ms : PATIENCE_MS;
  c->pause_ms = PAUSE_MIN_MS;
  if (ticket && strlen(ticket) >= sizeof c->ticket) {
    status_error(THIRL_E_SYNTAX, "this is no ticket");
    *code = EXIT_USAGE;
  } else if (ticket) {
    strcpy(c->ticket, ticket);
    *code = reach_dial(&o, c->ticket, &c->context, &c->session);
  } else {
    *code = begin_listening(c, &o, words, behind);
  }
  if (*code == EXIT_OK) {
    thirl_error e = turns_init(&c->turns, c->context, on_event, c);
    c->initialized = e == THIRL_OK;
    if (c->initialized) return c;
    status_error(e, "");
    *code = command_exit_code(e, false);
  }
  courier_free(c);
  return NULL;
}

int courier_run(courier *c, const courier_cargo *cargo, void *owner) {
  c->cargo = cargo;
  c->owner = owner;
  uv_timer_init(&c->turns.loop, &c->tick);
  uv_timer_init(&c->turns.loop, &c->again);
  c->tick.data = c->again.data = c;
  (void)uv_timer_start(&c->tick, on_tick, TICK_MS, TICK_MS);
  c->progress_at = uv_now(&c->turns.loop);
  if (!c->over) turns_run(&c->turns);
  if (!c->over && c->turns.error != THIRL_OK) fail(c, c->turns.error, "", EXIT_GENERIC);
  if (!c->over && is_done(c)) { /* a signal between the last word and the end takes nothing back */
    c->over = true;
    c->code = EXIT_OK;
  }
  int code = c->over ? c->code : EXIT_SIGNAL + c->turns.caught;
  if (!c->over && c->met) status_note("stopped", "stopped; the same two commands go on from here");
  if (c->session && !(c->over && code == EXIT_OK))
    thirl_close(c->context, c->session); /* the peer need not wait for us in vain */
  leave(c);
  return code;
}

void courier_free(courier *c) {
  if (!c) return;
  if (c->initialized) turns_fini(&c->turns);
  thirl_context_free(c->context);
  free(c);
}
