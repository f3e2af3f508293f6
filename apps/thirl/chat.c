/* SPDX-License-Identifier: MIT */
/* thirl chat: two people, or two screens of one. Brings together a session, the conversation on it (talk.h) and who reads and writes (chat_front.h). */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat_front.h"
#include "hush.h"
#include "reach.h"
#include "status.h"
#include "talk.h"
#include "turns.h"

enum {
  TICK_MS = 1000,
  GOODBYE_MS = 1000,
  OPEN_S = 30
}; /* OPEN_S: for a peer that is there to chat, unless --timeout says else */

typedef struct chat {
  turns turns;
  uv_timer_t tick, patience; /* patience: for the first to come in, for it to chat, and for a goodbye after a signal */
  uv_signal_t hangup;
  const arguments *arguments;
  chat_front *front;
  chat_state state;
  thirl_session_handle session; /* 0: none */
  talk *talk;                   /* of the session */
  bool listens, was_up, opened; /* opened: the peer chats too */
  bool leaves;                  /* we want to go, and wait for nobody */
  bool gone;                    /* whoever sat at the screen */
  bool ended;                   /* our side has nothing more to say, whoever comes */
  char reason[192];
  uint64_t direct_after_us;
  unsigned long said, heard;
  long rtt_least_ms, rtt_most_ms;
  bool over;
  int failed; /* the exit code, whatever else happens */
  int code, caught;
} chat;

/* What was heard is written first, however long it takes; a signal ends that. */
static void finish(chat *c, int code) {
  if (c->over) return;
  c->over = true;
  c->code = c->failed ? c->failed : code;
  if (!c->front->holds(c->front)) turns_stop(&c->turns);
}

static void note(chat *c, chat_tone tone, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void note(chat *c, chat_tone tone, const char *format, ...) {
  char text[512];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  if (c->gone)
    status_note("chat", "%s", text);
  else
    c->front->note(c->front, tone, text);
}

/* ---- how things stand ---- */

static void show_state(chat *c) {
  c->state.undelivered = c->talk ? talk_unshown(c->talk) : 0;
  c->state.silence_ms = c->talk && c->opened ? talk_silence_ms(c->talk) : 0;
  c->front->state(c->front, &c->state);
}

static void forget_peer(chat *c) {
  talk_free(c->talk);
  c->talk = NULL;
  c->session = 0;
  c->was_up = c->opened = false;
  c->state = (chat_state){.rtt_ms = -1};
  c->said = c->heard = 0;
  c->direct_after_us = 0;
  show_state(c);
}

static void on_tick(uv_timer_t *timer) {
  show_state(timer->data);
}

static void say_stats(void *owner) {
  chat *c = owner;
  if (!c->talk || !c->was_up) {
    note(c, CHAT_TELL, "nobody is there yet");
    return;
  }
  note(c, CHAT_TELL, "peer %s", c->state.peer);
  if (c->state.is_direct)
    note(c, CHAT_TELL, "path: %s, to %s, %.0f ms after the start", c->state.path, c->reason,
         (double)c->direct_after_us / 1000);
  else
    note(c, CHAT_TELL, "path: %s%s%s", c->state.path, c->reason[0] ? ", because: " : "; looking for a direct one",
         c->reason);
  if (c->state.rtt_ms >= 0)
    note(c, CHAT_TELL, "round trip: %ld ms now, %ld to %ld so far", c->state.rtt_ms, c->rtt_least_ms, c->rtt_most_ms);
  note(c, CHAT_TELL, "messages: %lu to the peer, %u of them not shown there yet; %lu from the peer", c->said,
       (unsigned)talk_unshown(c->talk), c->heard);
}

/* ---- the end of a talk ---- */

static void tell_undelivered(chat *c) {
  unsigned n = c->talk ? talk_unshown(c->talk) : 0;
  if (n) note(c, CHAT_WARN, "%u of your messages %s not shown at the other side", n, n == 1 ? "was" : "were");
}

/* The peer is gone: that is the end, unless the next one is waited for. */
static void part(chat *c, thirl_error e, const char *why) {
  bool waits = c->listens && (c->arguments->keep || !c->was_up) && !c->leaves && e != THIRL_E_ONLY_RELAY;
  bool lost = e == THIRL_OK && !c->front->is_screen && talk_unshown(c->talk) > 0; /* a program wants to know */
  thirl_session_handle old = c->session;
  const char *more = why && *why ? why : thirl_error_text(e);
  bool other = c->was_up && (e == THIRL_E_PROTOCOL || e == THIRL_E_REFUSED);
  if (c->was_up) tell_undelivered(c);
  if (waits) {
    if (e != THIRL_OK) note(c, CHAT_WARN, "%s", more);
    thirl_close(c->turns.context, old);
    forget_peer(c);
    note(c, CHAT_TELL, "waiting for the next");
    return;
  }
  thirl_close(c->turns.context, old);
  talk_free(c->talk);
  c->talk = NULL;
  if (e != THIRL_OK) {
    if (c->front->is_screen) note(c, CHAT_WARN, "%s", more);
    if (!c->front->is_screen || c->arguments->json) status_error(e, why);
  }
  finish(c, other ? EXIT_GENERIC : lost ? EXIT_INTERRUPTED : command_exit_code(e, c->was_up));
}

static void look_at_talk(chat *c) {
  const char *why;
  if (!c->talk || c->over) return;
  thirl_error e = talk_result(c->talk, &why);
  if (e != THIRL_E_AGAIN) part(c, e, why);
}

static void on_woken(void *owner) {
  look_at_talk(owner);
}

static void wake(chat *c) {
  if (!c->talk || c->over) return;
  talk_wake(c->talk);
  look_at_talk(c);
}

/* ---- what the talk tells ---- */

static void on_open(void *owner) {
  chat *c = owner;
  c->opened = true;
  (void)uv_timer_stop(&c->patience);
  if (c->ended) talk_end(c->talk);
  show_state(c);
  c->front->room(c->front);
}

static void on_asked(const char *label, thirl_error e, void *owner) {
  chat *c = owner;
  (void)label, (void)e; /* a stranger's words */
  note(c, CHAT_WARN,
       "the other side wants something else than a chat, which was refused: it needs \"thirl chat TICKET\"");
}

static bool is_busy(void *owner) {
  chat *c = owner;
  return c->front->is_full(c->front);
}

static void take_rtt(chat *c, thirl_time rtt_us) {
  long ms = (long)((rtt_us + THIRL_MS / 2) / THIRL_MS);
  bool first = c->state.rtt_ms < 0;
  c->state.rtt_ms = ms;
  if (first || ms < c->rtt_least_ms) c->rtt_least_ms = ms;
  if (first || ms > c->rtt_most_ms) c->rtt_most_ms = ms;
  show_state(c);
}

static void on_heard(const thirl_chat_event *ev, void *owner) {
  chat *c = owner;
  switch (ev->kind) {
  case THIRL_CHAT_SAID:
    c->heard++;
    c->front->heard(c->front, ev->text);
    break;
  case THIRL_CHAT_DELIVERED:
    c->front->delivered(c->front, ev->number);
    break;
  case THIRL_CHAT_RTT:
    take_rtt(c, ev->rtt_us);
    break;
  case THIRL_CHAT_ENDED:
    if (c->front->is_screen) note(c, CHAT_TELL, "the peer's input is at its end; it still reads what you write");
    break;
  case THIRL_CHAT_LEFT:
    if (!talk_is_leaving(c->talk)) note(c, CHAT_TELL, "the peer has left");
    break;
  }
}

/* ---- what the front wants ---- */

static thirl_error on_say(thirl_bytes text, uint32_t *number, void *owner) {
  chat *c = owner;
  if (!c->talk || talk_is_leaving(c->talk)) return THIRL_E_STATE;
  thirl_error e = talk_say(c->talk, text, number);
  if (e == THIRL_OK) c->said++;
  return e;
}

static void on_end(void *owner) {
  chat *c = owner;
  c->ended = true;
  if (c->talk) talk_end(c->talk);
}

static void on_leave(void *owner) {
  chat *c = owner;
  c->gone = c->leaves = true;
  if (!c->talk || !c->opened)
    finish(c, EXIT_OK);
  else
    talk_leave(c->talk);
}

/* There is nobody to show anything to: the peer is told that we go. */
static void on_fail(thirl_error e, const char *why, void *owner) {
  chat *c = owner;
  if (c->failed) return;
  if (!c->gone) status_error(e, why);
  c->failed = c->gone ? EXIT_OK : EXIT_GENERIC;
  if (c->over) {
    c->code = c->failed;
    turns_stop(&c->turns);
  } else {
    on_leave(c);
  }
}

static void on_signal(int number, void *owner) {
  chat *c = owner;
  c->turns.caught = number;
  turns_stop(&c->turns);
}

static void on_room(void *owner) {
  chat *c = owner;
  if (c->over)
    turns_stop(&c->turns);
  else
    wake(c);
}

/* A terminal that goes away says so twice, itself and by its shell: the second is no wish to go without a goodbye. */
static void on_hangup(uv_signal_t *s, int number) {
  const chat *c = s->data;
  if (!c->leaves) on_signal(number, s->data);
}

/* ---- the session ---- */

static void begin_talk(chat *c, thirl_session_handle session) {
  talk_ear ear = {.open = on_open,
                  .heard = on_heard,
                  .is_busy = is_busy,
                  .asked = on_asked,
                  .woken = on_woken,
                  .is_paced = c->front->is_screen,
                  .owner = c};
  c->talk = talk_new(&c->turns.loop, c->turns.context, session, !c->listens, &ear);
  if (!c->talk) {
    thirl_close(c->turns.context, session);
    return;
  }
  c->session = session;
}

static void take_path(chat *c, const thirl_event *ev) {
  c->state.is_direct = ev->direct;
  snprintf(c->state.path, sizeof c->state.path, "%s", ev->direct ? "direct TCP" : "relay TCP");
  snprintf(c->reason, sizeof c->reason, "%s",
           ev->direct              ? ev->address
           : ev->error != THIRL_OK ? thirl_error_text(ev->error)
                                   : "");
  snprintf(c->state.why, sizeof c->state.why, "%s", ev->direct ? "" : c->reason);
  if (ev->direct) c->direct_after_us = ev->after_us;
  show_state(c);
}

/* What a person at a screen wants to know of it; elsewhere stderr tells. */
static void tell_event(chat *c, const thirl_event *ev) {
  static hush of_strangers; /* whoever has no ticket can knock as often as they like */
  char text[STATUS_SENTENCE_MAX];
  unsigned missed = 0;
  bool is_warning = ev->kind == THIRL_EVENT_UNREGISTERED || ev->kind == THIRL_EVENT_STRANGER;
  bool is_told = is_warning || ev->kind == THIRL_EVENT_PATH;
  if (!c->front->is_screen || c->arguments->json) status_event(ev);
  if (c->front->is_screen && ev->kind == THIRL_EVENT_STRANGER)
    is_told = hush_allows(&of_strangers, uv_now(&c->turns.loop), &missed);
  if (missed) note(c, CHAT_WARN, "%u lines about strangers were not shown", missed);
  if (c->front->is_screen && is_told && status_sentence(ev, text, sizeof text))
    note(c, is_warning ? CHAT_WARN : CHAT_TELL, "%s", text);
  if (c->front->is_screen && ev->kind == THIRL_EVENT_UP)
    note(c, CHAT_TELL, "peer %s: its key is proven", ev->peer); /* fits a row */
}

static const char silent[] =
    "the other side is there, but does not chat: one of us needs \"thirl chat\" and the other \"thirl chat TICKET\"";

static uint64_t open_ms(const chat *c) {
  return (c->arguments->timeout_s ? c->arguments->timeout_s : OPEN_S) * 1000ULL;
}

static void on_patience(uv_timer_t *timer) {
  chat *c = timer->data;
  if (c->over || c->caught) {
    turns_stop(&c->turns);
  } else if (c->was_up && !c->opened) {
    part(c, THIRL_E_PROTOCOL, silent);
  } else if (!c->session) {
    status_error(THIRL_E_NO_PEER, "nobody came in time");
    finish(c, EXIT_NO_PEER);
  }
}

static void on_event(const thirl_event *ev, void *owner) {
  chat *c = owner;
  if (c->over) return;
  if (ev->kind == THIRL_EVENT_INCOMING && !c->session) begin_talk(c, ev->session);
  if (ev->session && ev->session != c->session) return;
  tell_event(c, ev);
  switch (ev->kind) {
  case THIRL_EVENT_UNREGISTERED:
    if (!c->listens || ev->error != THIRL_E_NOT_FOUND) break;
    status_error(THIRL_E_NO_SERVER, thirl_context_explain(c->turns.context));
    finish(c, EXIT_NO_SERVER);
    break;
  case THIRL_EVENT_UP:
    c->was_up = c->state.is_there = true;
    (void)uv_timer_start(&c->patience, on_patience, open_ms(c), 0);
    snprintf(c->state.peer, sizeof c->state.peer, "%s", ev->peer);
    show_state(c);
    wake(c);
    break;
  case THIRL_EVENT_PATH:
    take_path(c, ev);
    break;
  case THIRL_EVENT_READABLE:
  case THIRL_EVENT_WRITABLE:
    wake(c);
    break;
  case THIRL_EVENT_FINISHED:
    part(c, talk_is_leaving(c->talk) ? THIRL_OK : THIRL_E_PEER_CLOSED, "");
    break;
  case THIRL_EVENT_FAILED:
    part(c, talk_is_leaving(c->talk) ? THIRL_OK : ev->error, thirl_context_explain(c->turns.context));
    break;
  default:
    break;
  }
}

/* ---- begin and end ---- */

static thirl_error set_up(chat *c, thirl_context *context) {
  const arguments *a = c->arguments;
  chat_wishes w = {.say = on_say,
                   .end = on_end,
                   .leave = on_leave,
                   .fail = on_fail,
                   .signal = on_signal,
                   .room = on_room,
                   .stats = say_stats,
                   .owner = c};
  struct sigaction hup;
  thirl_error e = turns_init(&c->turns, context, on_event, c);
  if (e != THIRL_OK) return e;
  (void)uv_timer_init(&c->turns.loop, &c->tick);
  (void)uv_timer_init(&c->turns.loop, &c->patience);
  (void)uv_signal_init(&c->turns.loop, &c->hangup);
  c->tick.data = c->patience.data = c->hangup.data = c;
  if (sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler != SIG_IGN)
    (void)uv_signal_start(&c->hangup, on_hangup, SIGHUP);
  if (chat_screen_is_possible(a->json))
    e = chat_screen_open(&c->turns.loop, &w, &c->front);
  else
    e = chat_pipe_open(&c->turns.loop, &w, &c->front);
  if (e != THIRL_OK) {
    turns_fini(&c->turns);
    free(c->front);
    return e;
  }
  (void)uv_timer_start(&c->tick, on_tick, 0, TICK_MS);
  if (c->listens && a->timeout_s) (void)uv_timer_start(&c->patience, on_patience, a->timeout_s * 1000ULL, 0);
  return THIRL_OK;
}

/* After a signal: the peer hears of it, if it does so soon. A second signal does not wait. */
static void say_goodbye(chat *c) {
  c->caught = c->turns.caught;
  c->leaves = true;
  bool is_heard = c->talk && c->opened;
  if (c->over || (!is_heard && !c->front->holds(c->front))) return;
  (void)uv_timer_start(&c->patience, on_patience, GOODBYE_MS, 0);
  if (is_heard)
    talk_leave(c->talk);
  else
    finish(c, EXIT_OK);
  turns_run(&c->turns);
}

static int run(const arguments *a, thirl_context *context, thirl_session_handle session) {
  static chat c;
  c.arguments = a;
  c.listens = session == 0;
  c.state.rtt_ms = -1;
  thirl_error e = set_up(&c, context);
  if (e != THIRL_OK) {
    status_error(e, "");
    return command_exit_code(e, false);
  }
  if (session) begin_talk(&c, session);
  if (session && !c.talk) finish(&c, EXIT_GENERIC);
  if (!c.over) turns_run(&c.turns);
  if (!c.over && c.turns.caught) say_goodbye(&c);
  c.caught = c.turns.caught;
  e = c.turns.error;
  if (!c.front->close(c.front) && !c.failed) {
    status_error(THIRL_E_IO, "the end of what was heard is lost: standard output took it too slowly");
    c.code = EXIT_INTERRUPTED;
  }
  if (c.session && !c.over) thirl_close(context, c.session);
  talk_free(c.talk);
  turns_fini(&c.turns);
  free(c.front);
  if (e != THIRL_OK) {
    status_error(e, "");
    return command_exit_code(e, c.was_up);
  }
  return c.caught ? EXIT_SIGNAL + c.caught : c.code;
}

/* Without a ticket: one is made, and said before the terminal is taken. */
static int wait_for_peer(const arguments *a) {
  thirl_options o = reach_options(a);
  char ticket[THIRL_TICKET_MAX];
  thirl_context *c;
  o.max_incoming = 1;
  int code = reach_listen(&o, ticket, &c);
  if (code != EXIT_OK) return code;
  status_ticket(ticket, "chat");
  code = run(a, c, 0);
  thirl_context_free(c);
  return code;
}

int command_chat(const arguments *a) {
  const char *ticket = getenv("THIRL_TICKET");
  thirl_session_handle session;
  thirl_context *c;
  status_init(a);
  if (!a->ticket && (!ticket || !*ticket)) return wait_for_peer(a);
  if (a->keep) {
    status_error(THIRL_E_INVALID, "--keep is for the side without a ticket: it waits for the next peer");
    return EXIT_USAGE;
  }
  int code = reach_peer(a, &c, &session);
  if (code != EXIT_OK) return code;
  code = run(a, c, session);
  thirl_context_free(c);
  return code;
}
