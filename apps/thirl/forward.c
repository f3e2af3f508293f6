/* SPDX-License-Identifier: MIT */
/* thirl forward: reach a peer, and carry TCP connections to what it allows. */
#include <stdio.h>

#include "pipe.h"
#include "reach.h"
#include "status.h"
#include "tunnel.h"
#include "turns.h"

typedef struct forward_run {
  turns turns;
  thirl_session_handle session;
  tunnel *tunnel;
  tunnel_rules rules; /* the peer may do nothing here */
  bool was_up, over;
  thirl_error error;
  const char *why;
  char sentence[2 * SPEC_TEXT_MAX]; /* for why */
} forward_run;

static void end(forward_run *r, thirl_error e, const char *why) {
  r->over = true;
  r->error = e;
  r->why = why;
  turns_stop(&r->turns);
}

static void look_at_tunnel(forward_run *r) {
  const char *why;
  thirl_error e = tunnel_result(r->tunnel, &why);
  if (e != THIRL_E_AGAIN && !r->over) end(r, e == THIRL_E_EOF ? THIRL_E_PEER_CLOSED : e, why);
}

static void on_event(const thirl_event *ev, void *owner) {
  forward_run *r = owner;
  if (ev->session && ev->session != r->session) return;
  status_event(ev);
  if (ev->kind == THIRL_EVENT_UP) r->was_up = true;
  if (ev->kind == THIRL_EVENT_FAILED) end(r, ev->error, thirl_context_explain(r->turns.context));
  if (ev->kind == THIRL_EVENT_FINISHED) end(r, THIRL_E_PEER_CLOSED, "");
  if (!r->over && (ev->kind == THIRL_EVENT_READABLE || ev->kind == THIRL_EVENT_WRITABLE)) tunnel_wake(r->tunnel);
  if (!r->over) look_at_tunnel(r);
}

/* A word of -L or -R that is none was found before anybody was asked. */
static int read_specs(const arguments *a, spec_forward *here, spec_forward *there) {
  for (unsigned i = 0; i < a->local.n; i++)
    if (spec_read_forward(a->local.at[i], &here[i]) != THIRL_OK) {
      status_error(THIRL_E_SYNTAX, "-L wants [bind:]port:host:hostport, such as 8022:localhost:22");
      return EXIT_USAGE;
    }
  for (unsigned i = 0; i < a->remote.n; i++)
    if (spec_read_forward(a->remote.at[i], &there[i]) != THIRL_OK) {
      status_error(THIRL_E_SYNTAX, "-R wants [bind:]port:host:hostport, such as 8080:localhost:80");
      return EXIT_USAGE;
    }
  if (a->udp_ways.n > 0) {
    status_error(THIRL_E_UNSUPPORTED, "forwarding UDP (-U) is not there yet");
    return EXIT_USAGE;
  }
  if (a->local.n + a->remote.n > 0) return EXIT_OK;
  status_error(THIRL_E_INVALID, "nothing to forward: say -L or -R");
  return EXIT_USAGE;
}

static thirl_error open_ways(forward_run *r, const arguments *a, spec_forward *here, const spec_forward *there) {
  char at[SPEC_TEXT_MAX], to[SPEC_TEXT_MAX];
  for (unsigned i = 0; i < a->local.n; i++) {
    thirl_error e = tunnel_open_here(r->tunnel, &here[i]);
    spec_write_end(&here[i].here, at);
    if (e != THIRL_OK) {
      snprintf(r->sentence, sizeof r->sentence, "cannot listen at %s: %s%s", at, thirl_error_text(e),
               e == THIRL_E_IN_USE ? "; take another port" : "");
      return e;
    }
    status_note("forward", "listening at %s, to %s of the peer", at, spec_write_end(&here[i].there, to));
  }
  for (unsigned i = 0; i < a->remote.n; i++) {
    thirl_error e = tunnel_open_there(r->tunnel, &there[i]);
    if (e != THIRL_OK) return e;
  }
  return THIRL_OK;
}

static int run(const arguments *a, thirl_context *c, thirl_session_handle session, spec_forward *here,
               const spec_forward *there) {
  static forward_run r;
  r.session = session;
  r.why = "";
  thirl_error e = turns_init(&r.turns, c, on_event, &r);
  if (e != THIRL_OK) {
    status_error(e, "");
    return command_exit_code(e, false);
  }
  r.tunnel = tunnel_new(&r.turns.loop, c, session, true, &r.rules);
  e = r.tunnel ? open_ways(&r, a, here, there) : THIRL_E_NOMEM;
  if (e != THIRL_OK)
    end(&r, e, r.sentence);
  else
    tunnel_wake(r.tunnel);
  if (!r.over) turns_run(&r.turns);
  if (!r.over && r.turns.error != THIRL_OK) end(&r, r.turns.error, "");
  bool interrupted = !r.over;
  if (interrupted) thirl_close(c, session); /* the peer need not wait for us in vain */
  tunnel_free(r.tunnel);
  int caught = r.turns.caught;
  turns_fini(&r.turns);
  if (interrupted) return EXIT_SIGNAL + caught;
  status_error(r.error, r.why);
  /* A session that carried nothing, since the peer does not do what was asked, was not interrupted. */
  if (r.was_up && (r.error == THIRL_E_PROTOCOL || r.error == THIRL_E_REFUSED)) return EXIT_GENERIC;
  return command_exit_code(r.error, r.was_up);
}

int command_forward(const arguments *a) {
  spec_forward here[TEXT_LIST_MAX], there[TEXT_LIST_MAX];
  thirl_session_handle session;
  thirl_context *c;
  status_init(a);
  int code = read_specs(a, here, there);
  if (code != EXIT_OK) return code;
  code = reach_peer(a, &c, &session);
  if (code != EXIT_OK) return code;
  code = run(a, c, session, here, there);
  thirl_context_free(c);
  return code;
}
