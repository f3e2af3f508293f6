/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include "files.h"
#include "mux/mux.h"
#include "status.h"
#include "turns.h"

/* Each stream of each peer can be a connection: one peer that opens all of its own leaves the others theirs, and us the sockets of the sessions. */
enum { FILES = SERVE_PEERS_MAX * THIRL_MUX_STREAMS_MAX + 1024 };

typedef struct guest {
  thirl_session_handle session; /* 0: free */
  tunnel *tunnel;
} guest;

typedef struct serve_state {
  turns turns;
  const tunnel_rules *rules;
  guest guests[SERVE_PEERS_MAX];
  thirl_error error;
} serve_state;

static guest *find(serve_state *s, thirl_session_handle session) {
  for (int i = 0; i < SERVE_PEERS_MAX; i++)
    if (s->guests[i].session == session) return &s->guests[i];
  return NULL;
}

static void come_in(serve_state *s, thirl_session_handle session) {
  guest *g = find(s, 0);
  tunnel *t = g ? tunnel_new(&s->turns.loop, s->turns.context, session, false, s->rules) : NULL;
  if (!t) {
    thirl_close(s->turns.context, session);
    return;
  }
  *g = (guest){session, t};
}

static void leave(guest *g) {
  tunnel_free(g->tunnel);
  *g = (guest){0, NULL};
}

/* A tunnel that has ended by itself takes its session with it. */
static void look_at(serve_state *s, guest *g) {
  const char *why;
  thirl_error e = tunnel_result(g->tunnel, &why);
  if (e == THIRL_E_AGAIN) return;
  if (e != THIRL_E_EOF) status_error(e, why);
  thirl_close(s->turns.context, g->session);
  leave(g);
}

static void on_event(const thirl_event *ev, void *owner) {
  serve_state *s = owner;
  if (ev->kind == THIRL_EVENT_INCOMING) come_in(s, ev->session);
  status_event(ev);
  if (ev->kind == THIRL_EVENT_UNREGISTERED && ev->error == THIRL_E_NOT_FOUND) {
    s->error = THIRL_E_NO_SERVER;
    turns_stop(&s->turns);
  }
  guest *g = ev->session ? find(s, ev->session) : NULL;
  if (!g) return;
  switch (ev->kind) {
  case THIRL_EVENT_UP:
  case THIRL_EVENT_READABLE:
  case THIRL_EVENT_WRITABLE:
    tunnel_wake(g->tunnel);
    look_at(s, g);
    break;
  case THIRL_EVENT_FAILED:
  case THIRL_EVENT_FINISHED:
    leave(g);
    break;
  default:
    break;
  }
}

int serve_run(thirl_context *c, const tunnel_rules *rules) {
  static serve_state s;
  files_allow(FILES);
  s.rules = rules;
  thirl_error e = turns_init(&s.turns, c, on_event, &s);
  if (e == THIRL_OK) {
    turns_run(&s.turns);
    e = s.error != THIRL_OK ? s.error : s.turns.error;
    for (int i = 0; i < SERVE_PEERS_MAX; i++) {
      if (!s.guests[i].session) continue;
      thirl_close(c, s.guests[i].session);
      leave(&s.guests[i]);
    }
    int caught = s.turns.caught;
    turns_fini(&s.turns);
    if (e == THIRL_OK) return EXIT_SIGNAL + caught;
  }
  status_error(e, thirl_context_explain(c));
  return command_exit_code(e, false);
}
