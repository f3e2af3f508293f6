/* SPDX-License-Identifier: MIT */
#include "talk.h"

#include <stdlib.h>
#include <string.h>

#include "trunk.h"

enum { TEXTS_A_TURN = 64 }; /* then the keyboard has its turn */

static const char no_chat[] =
    "the other side does not chat: one of us needs \"thirl chat\" and the other \"thirl chat TICKET\"";

typedef enum stage {
  TALKING,
  LEAVING,  /* the goodbye is on its way into the session */
  FINISHING /* and the peer's end is awaited */
} stage;

struct talk {
  uv_loop_t *loop;
  uv_timer_t *timer; /* outlives us by the turn that closing it takes */
  thirl_context *context;
  thirl_session_handle session;
  trunk *trunk;
  uint32_t stream; /* 0: the peer has not asked for it yet */
  bool open, asked;
  bool gone;        /* the peer's direction is over, and was read */
  bool busy, again; /* within wake, and asked for another */
  stage stage;
  thirl_time linger_until;
  thirl_chat chat;
  talk_ear ear;
};

static thirl_time now_us(void) {
  return uv_hrtime() / 1000;
}

static void on_timer(uv_timer_t *timer) {
  talk *t = timer->data;
  if (!t) return;
  talk_wake(t);
  t->ear.woken(t->ear.owner);
}

static void free_timer(uv_handle_t *h) {
  free(h);
}

/* ---- between the conversation and the mux ---- */

static void write_out(talk *t) {
  for (;;) {
    size_t done = 0;
    if (!t->stream) return;
    thirl_bytes b = thirl_chat_output(&t->chat, now_us());
    if (b.n == 0) return;
    if (thirl_mux_write(trunk_mux(t->trunk), t->stream, b, &done) != THIRL_OK) return; /* WRITABLE comes, or BROKEN */
    thirl_chat_consume(&t->chat, done);
  }
}

static bool is_written(talk *t) {
  return !t->stream || thirl_chat_output(&t->chat, now_us()).n == 0;
}

static void begin_to_leave(talk *t) {
  if (t->stage != TALKING) return;
  thirl_chat_leave(&t->chat);
  t->stage = LEAVING;
  t->linger_until = now_us() + TALK_LINGER_MS * THIRL_MS;
}

static unsigned tell(talk *t) {
  thirl_chat_event ev;
  unsigned texts = 0;
  while (thirl_chat_poll(&t->chat, &ev)) {
    texts += ev.kind == THIRL_CHAT_SAID;
    t->ear.heard(&ev, t->ear.owner);
    if (ev.kind == THIRL_CHAT_LEFT) begin_to_leave(t);
  }
  return texts;
}

/* The peer's bytes, as many as whoever shows them wants now. False: there are more for another turn. */
static bool read_in(talk *t) {
  for (unsigned texts = 0; t->stream;) {
    thirl_bytes b, in;
    if (texts >= TEXTS_A_TURN) return false;
    if (t->stage == TALKING && t->ear.is_busy(t->ear.owner)) return true;
    thirl_error e = thirl_mux_peek(trunk_mux(t->trunk), t->stream, &b);
    if (e == THIRL_E_EOF || e == THIRL_E_NOT_FOUND) {
      t->gone = true;
      return true;
    }
    if (e != THIRL_OK) return true;
    in = b;
    e = thirl_chat_input(&t->chat, now_us(), &in);
    thirl_mux_consume(trunk_mux(t->trunk), t->stream, b.n - in.n);
    texts += tell(t);
    if (e != THIRL_OK) {
      trunk_end(t->trunk, e, "");
      return true;
    }
    if (in.n == b.n) return true; /* the allowance is used up: the timer brings us back */
  }
  return true;
}

static void follow_stage(talk *t) {
  if (t->stage == TALKING && thirl_chat_is_over(&t->chat)) begin_to_leave(t);
  write_out(t);
  if (t->stage == LEAVING && t->stream && is_written(t)) (void)thirl_mux_finish(trunk_mux(t->trunk), t->stream);
}

static void set_timer(talk *t, bool more) {
  thirl_time now = now_us(), due = t->open ? thirl_chat_deadline(&t->chat, now) : THIRL_NEVER;
  if (more) due = now;
  if (t->stage != TALKING && now < t->linger_until) due = THIRL_MIN(due, t->linger_until);
  if (due == THIRL_NEVER)
    (void)uv_timer_stop(t->timer);
  else
    (void)uv_timer_start(t->timer, on_timer, due <= now ? 0 : (due - now + THIRL_MS - 1) / THIRL_MS, 0);
}

/* ---- events of the mux ---- */

static void on_asked(talk *t, const thirl_mux_event *ev) {
  char label[THIRL_MUX_LABEL_MAX + 1];
  memcpy(label, ev->label.p, ev->label.n);
  label[ev->label.n] = '\0';
  if (!t->stream && strcmp(label, THIRL_CHAT_LABEL) == 0) {
    t->stream = ev->stream;
    t->open = true;
    (void)thirl_mux_accept(trunk_mux(t->trunk), ev->stream);
    t->ear.open(t->ear.owner);
    return;
  }
  (void)thirl_mux_refuse(trunk_mux(t->trunk), ev->stream, THIRL_E_UNSUPPORTED);
  if (!t->asked) t->ear.asked(label, THIRL_E_UNSUPPORTED, t->ear.owner);
  t->asked = true; /* once is enough: a peer can ask for ever */
}

static void on_mux_event(const thirl_mux_event *ev, void *owner) {
  talk *t = owner;
  if (ev->kind == THIRL_MUX_ASKED) {
    on_asked(t, ev);
    return;
  }
  if (ev->stream != t->stream) return;
  if (ev->kind == THIRL_MUX_ACCEPTED) {
    t->open = true;
    t->ear.open(t->ear.owner);
  }
  if (ev->kind == THIRL_MUX_REFUSED) trunk_end(t->trunk, THIRL_E_PROTOCOL, no_chat);
  if (ev->kind == THIRL_MUX_BROKEN) trunk_end(t->trunk, THIRL_E_PEER_CLOSED, "");
}

/* ---- verbs ---- */

talk *talk_new(uv_loop_t *loop, thirl_context *context, thirl_session_handle session, bool dialed,
               const talk_ear *ear) {
  talk *t = calloc(1, sizeof *t);
  uv_timer_t *timer = malloc(sizeof *timer);
  trunk *k = t && timer ? trunk_new(context, session, dialed, no_chat, on_mux_event, t) : NULL;
  thirl_bytes label = THIRL_BYTES(THIRL_CHAT_LABEL, sizeof THIRL_CHAT_LABEL - 1);
  if (!k || (dialed && thirl_mux_open(trunk_mux(k), label, &t->stream) != THIRL_OK)) {
    trunk_free(k);
    free(timer);
    free(t);
    return NULL;
  }
  t->loop = loop;
  t->context = context;
  t->session = session;
  t->trunk = k;
  t->ear = *ear;
  t->timer = timer;
  (void)uv_timer_init(loop, timer);
  timer->data = t;
  thirl_chat_init(&t->chat, ear->is_paced, now_us());
  return t;
}

void talk_free(talk *t) {
  if (!t) return;
  t->timer->data = NULL;
  uv_close((uv_handle_t *)t->timer, free_timer);
  thirl_chat_fini(&t->chat);
  trunk_free(t->trunk);
  free(t);
}

/* Is our goodbye in the session, or is nobody left to hear it? */
static bool is_said(talk *t) {
  const char *why;
  return trunk_result(t->trunk, &why) != THIRL_E_AGAIN || (is_written(t) && (!t->stream || trunk_is_flushed(t->trunk)));
}

void talk_wake(talk *t) {
  const char *why;
  if (t->busy) { /* from within what we tell: once more in the loop's next turn */
    t->again = true;
    return;
  }
  t->busy = true;
  if (t->open) thirl_chat_tick(&t->chat, now_us());
  trunk_wake(t->trunk);
  bool more = !read_in(t); /* also what came before the end */
  if (trunk_result(t->trunk, &why) == THIRL_E_AGAIN || trunk_result(t->trunk, &why) == THIRL_E_EOF) {
    write_out(t);
    follow_stage(t);
    trunk_wake(t->trunk);
  }
  if (t->stage == LEAVING && is_said(t)) {
    (void)thirl_finish(t->context, t->session);
    t->stage = FINISHING;
  }
  t->busy = false;
  set_timer(t, more || t->again);
  t->again = false;
}

thirl_error talk_say(talk *t, thirl_bytes text, uint32_t *number) {
  if (!t->stream) return THIRL_E_STATE;
  t->again = t->busy;
  set_timer(t, true); /* it is sent in the loop's next turn, with what else is said until then */
  return thirl_chat_say(&t->chat, text, number);
}

void talk_end(talk *t) {
  thirl_chat_end(&t->chat);
  t->again = t->busy;
  set_timer(t, true);
}

void talk_leave(talk *t) {
  begin_to_leave(t);
  talk_wake(t);
}

uint32_t talk_unshown(const talk *t) {
  return thirl_chat_unshown(&t->chat);
}

unsigned talk_silence_ms(const talk *t) {
  return (unsigned)(thirl_chat_silence(&t->chat, now_us()) / THIRL_MS);
}

bool talk_is_leaving(const talk *t) {
  return t->stage != TALKING;
}

thirl_error talk_result(const talk *t, const char **why) {
  thirl_error e = trunk_result(t->trunk, why);
  if (t->stage != TALKING) return now_us() >= t->linger_until ? THIRL_OK : e == THIRL_E_EOF ? THIRL_E_AGAIN : e;
  if (t->gone || (e == THIRL_E_EOF && !t->stream)) return THIRL_E_PEER_CLOSED;
  return e == THIRL_E_EOF ? THIRL_E_AGAIN : e; /* there is something to be read yet */
}
