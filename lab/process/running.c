/* SPDX-License-Identifier: MIT */
#include "lab/process/running.h"
#include "io/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

static thirl_error open_pump(thirl_lab_running *r, thirl_lab_complaint *why) {
  size_t n = thirl_lab_engine_count_ports(r->engine);
  thirl_error e = THIRL_E_NOMEM;
  char(*names)[THIRL_LAB_WIRING_PORT_NAME_MAX] = calloc(n + 1, sizeof *names);
  const char **interfaces = calloc(n + 1, sizeof *interfaces);
  for (size_t i = 0; names && interfaces && i < n; i++)
    interfaces[i] = thirl_lab_wiring_port_name(i, names[i]);
  if (names && interfaces)
    e = thirl_lab_pump_open(r->engine, -1, interfaces, &r->pump, why);
  else
    thirl_lab_words_complain(why, e, "out of memory");
  free(interfaces);
  free(names);
  return e;
}

thirl_error thirl_lab_running_open(thirl_lab_running *r, thirl_lab_topology *t, const thirl_lab_state *state,
                                   bool in_user, thirl_lab_complaint *why) {
  *r = (thirl_lab_running){.t = t, .spaces = {-1, -1}, .guard = {-1, -1, -1}, .started = thirl_io_clock_now()};
  for (size_t i = 0; i < THIRL_LAB_NODES_MAX; i++)
    r->wiring.nodes[i] = -1;
  thirl_error e = thirl_lab_namespace_enter(in_user, &r->spaces, why);
  if (e == THIRL_OK) e = thirl_lab_wiring_open(t, r->spaces.home, &r->wiring, why);
  if (e == THIRL_OK) e = thirl_lab_guard_start(&r->guard, state, r->wiring.ids, r->wiring.n_ids, why);
  if (e == THIRL_OK && !(r->engine = thirl_lab_engine_new(t, thirl_io_clock_now())))
    e = thirl_lab_words_complain(why, THIRL_E_NOMEM, "out of memory");
  if (e == THIRL_OK) e = thirl_lab_wiring_build(&r->wiring, t, r->engine, why);
  if (e == THIRL_OK) e = open_pump(r, why);
  return e;
}

void thirl_lab_running_close(thirl_lab_running *r, const thirl_lab_state *state) {
  if (r->guard.pid > 0) thirl_lab_sweep_kill(state->mark, r->wiring.ids, r->wiring.n_ids);
  thirl_lab_pump_close(r->pump);
  thirl_lab_engine_free(r->engine);
  thirl_lab_wiring_close(&r->wiring);
  if (r->spaces.home >= 0) close(r->spaces.home);
  if (r->spaces.user >= 0) close(r->spaces.user);
  thirl_lab_topology_free(r->t);
  if (r->guard.pid <= 0) return;
  close(r->guard.alive);
  close(r->guard.lifeline);
  while (waitpid(r->guard.pid, NULL, 0) < 0 && errno == EINTR)
    ;
}

/* The engine knows nothing of what the kernel's NATs are to do. */
static thirl_error apply_inside(thirl_lab_running *r, const thirl_lab_event *event, thirl_lab_complaint *why) {
  const thirl_lab_node *n = &r->t->nodes[event->node];
  bool is_nats = event->kind != THIRL_LAB_EVENT_LINK && event->kind != THIRL_LAB_EVENT_MOVE;
  if (is_nats && n->engine == THIRL_LAB_NETFILTER) return THIRL_OK;
  thirl_error e = thirl_lab_engine_apply(r->engine, thirl_io_clock_now(), event);
  if (e != THIRL_OK) thirl_lab_words_complain(why, e, "%s: %s", n->name, thirl_error_text(e));
  return e;
}

thirl_error thirl_lab_running_set(thirl_lab_running *r, const char *line, thirl_lab_complaint *why) {
  thirl_lab_event event;
  thirl_error e = thirl_lab_topology_read_event(r->t, line, &event, why);
  if (e == THIRL_OK) e = thirl_lab_wiring_apply(&r->wiring, r->t, &event, why);
  if (e == THIRL_OK) e = apply_inside(r, &event, why);
  if (e == THIRL_OK) thirl_lab_model_apply(r->t, &event);
  thirl_lab_pump_step(r->pump);
  return e;
}

static const char *side(const thirl_lab_running *r, const thirl_lab_note *n) {
  return n->node == SIZE_MAX ? "the internet" : r->t->nodes[n->node].name;
}

/* An event of the text has come about inside; now outside. */
static void follow(thirl_lab_running *r, const thirl_lab_event *event, FILE *log) {
  thirl_lab_complaint why = {""};
  thirl_error e = thirl_lab_wiring_apply(&r->wiring, r->t, event, &why);
  if (e == THIRL_OK)
    thirl_lab_model_apply(r->t, event);
  else
    fprintf(log, "line %u: %s\n", event->line, why.text);
}

static void take_note(thirl_lab_running *r, const thirl_lab_note *n, FILE *log) {
  char text[THIRL_LAB_ADDRESS_TEXT_MAX];
  thirl_time at = n->at > r->started ? n->at - r->started : 0;
  if (n->kind == THIRL_LAB_NOTE_EVENT && n->event == SIZE_MAX) return; /* by set, which has done it all */
  fprintf(log, "%" PRIu64 ".%03u s: ", at / THIRL_S, (unsigned)(at / THIRL_MS % 1000));
  switch (n->kind) {
  case THIRL_LAB_NOTE_EVENT:
    fprintf(log, "line %u\n", r->t->events[n->event].line);
    follow(r, &r->t->events[n->event], log);
    break;
  case THIRL_LAB_NOTE_UNREACHABLE:
    fprintf(log, "nobody answers for %s on %s%s\n", thirl_lab_address_format_ip(&n->addr, text),
            n->inner ? "the inside of " : "the net of ", side(r, n));
    break;
  case THIRL_LAB_NOTE_TOO_BIG:
    fprintf(log, "a packet is too big for the %s link of %s\n", n->inner ? "inner" : "outer", side(r, n));
    break;
  case THIRL_LAB_NOTE_FULL:
    fprintf(log, "the queue of the %s link of %s is full\n", n->inner ? "inner" : "outer", side(r, n));
    break;
  }
  fflush(log);
}

void thirl_lab_running_step(thirl_lab_running *r, FILE *log) {
  thirl_lab_note note;
  thirl_lab_pump_step(r->pump);
  while (thirl_lab_engine_note(r->engine, &note))
    take_note(r, &note, log);
}
