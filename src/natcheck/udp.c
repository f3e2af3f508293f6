/* SPDX-License-Identifier: MIT */
#include "natcheck/udp.h"

#include <string.h>

/* When one server has answered, the others get so long. */
#define STRAGGLERS (2500 * THIRL_MS)

void thirl_natcheck_udp_init(thirl_natcheck_udp *u, thirl_natcheck_report *report, const thirl_secrets *secrets,
                             const thirl_addr *local, thirl_net_id first_id) {
  memset(u, 0, sizeof *u);
  thirl_natcheck_ask_init(&u->scene.ask, secrets, first_id);
  u->scene.ask.local = *local;
  u->scene.report = report;
  u->scene.out = &report->udp;
}

/* ---- reach ---- */

static void begin_reach(thirl_natcheck_udp *u, thirl_time now) {
  thirl_natcheck_scene *s = &u->scene;
  s->socket = thirl_natcheck_ask_open(&s->ask, u->port);
  for (unsigned i = 0; i < s->report->n_servers; i++) {
    thirl_natcheck_question q = thirl_natcheck_scene_plain(s, s->socket, s->report->servers[i].addr);
    (void)thirl_natcheck_ask_add(&s->ask, now, &q);
  }
}

static bool has_answer(const thirl_natcheck_ask *a) {
  for (unsigned i = 0; i < a->n_questions; i++)
    if (a->questions[i].n_heard > 0) return true;
  return false;
}

static void hasten_reach(thirl_natcheck_udp *u, thirl_time now) {
  thirl_natcheck_ask *a = &u->scene.ask;
  if (!has_answer(a) || now < thirl_time_after(u->begun, STRAGGLERS)) return;
  for (unsigned i = 0; i < a->n_questions; i++)
    thirl_natcheck_ask_stop(a, i);
}

static void choose_server(thirl_natcheck_scene *s, unsigned i, const thirl_natcheck_asked *k) {
  s->server = i;
  s->asked = k->q.to;
  const thirl_natcheck_server *server = &s->report->servers[i];
  s->other = server->other_is_unusable ? (thirl_addr){0} : server->other;
  uint16_t port = thirl_addr_is_set(&s->other) ? s->other.port : server->other_port;
  s->port = port && port != s->asked.port ? thirl_addr_with_port(s->asked, port) : (thirl_addr){0};
}

static void finish_reach(thirl_natcheck_udp *u) {
  thirl_natcheck_scene *s = &u->scene;
  thirl_natcheck_protocol *out = s->out;
  for (unsigned i = 0; i < s->ask.n_questions; i++) {
    const thirl_natcheck_asked *k = &s->ask.questions[i];
    thirl_natcheck_server *server = &s->report->servers[i];
    thirl_natcheck_scene_note(s, k);
    if (k->code && !k->n_heard) out->why = THIRL_NATCHECK_WHY_REFUSED;
    if (!k->n_heard) continue;
    server->udp = true;
    server->other = k->other;
    server->other_port = k->other_port;
    server->other_is_unusable =
        thirl_addr_is_set(&k->other) && !thirl_natcheck_classify_may_ask(&server->addr, &server->other);
    bool first = out->reachable != THIRL_NATCHECK_YES;
    if (first) {
      out->reachable = THIRL_NATCHECK_YES;
      out->mapped = k->mapped;
      out->rtt = k->rtt;
    }
    bool full = thirl_addr_is_set(&server->other) && !server->other_is_unusable;
    if (first || (full && !thirl_addr_is_set(&s->other))) {
      choose_server(s, i, k);
      out->mapped = k->mapped;
      out->rtt = k->rtt;
    }
  }
  out->local = s->ask.sockets[s->socket].local;
  if (out->reachable == THIRL_NATCHECK_YES) {
    out->why = THIRL_NATCHECK_WHY_KNOWN;
    return;
  }
  out->reachable = THIRL_NATCHECK_NO;
  if (s->ask.sockets[s->socket].state == THIRL_NATCHECK_ASK_BROKEN) out->why = THIRL_NATCHECK_WHY_LOCAL;
  if (out->why == THIRL_NATCHECK_WHY_KNOWN) out->why = THIRL_NATCHECK_WHY_NO_ANSWER;
}

/* ---- the order ---- */

/* What is not known when everything ends has a reason at least. */
static void seal(thirl_natcheck_protocol *p, thirl_natcheck_why why) {
  if (p->mapping == THIRL_NATCHECK_MAPPING_UNKNOWN && !p->mapping_why) p->mapping_why = why;
  if (p->filtering == THIRL_NATCHECK_FILTERING_UNKNOWN && !p->filtering_why) p->filtering_why = why;
  if (p->allocation.model == THIRL_NATCHECK_ALLOCATION_UNKNOWN && !p->allocation.why) p->allocation.why = why;
}

static void begin_step(thirl_natcheck_udp *u, thirl_time now, thirl_natcheck_udp_step step) {
  thirl_natcheck_scene *s = &u->scene;
  thirl_natcheck_ask_clear(&s->ask);
  u->step = step;
  u->begun = now;
  switch (step) {
  case THIRL_NATCHECK_UDP_REACH:
    begin_reach(u, now);
    break;
  case THIRL_NATCHECK_UDP_FILTER:
    thirl_natcheck_filter_begin(&u->filter, s, now);
    break;
  case THIRL_NATCHECK_UDP_MAP:
    thirl_natcheck_mapping_begin(&u->map, s, now);
    break;
  case THIRL_NATCHECK_UDP_PROVE:
    thirl_natcheck_filter_begin_proof(&u->proof, &u->filter, s, now);
    break;
  case THIRL_NATCHECK_UDP_SAMPLE:
    thirl_natcheck_samples_begin(&u->samples, s, now);
    break;
  case THIRL_NATCHECK_UDP_HAIRPIN:
    if (u->hairpin_wanted) thirl_natcheck_hairpin_begin(&u->hairpin, s, now);
    break;
  case THIRL_NATCHECK_UDP_LIFETIME:
    if (u->lifetime) thirl_natcheck_lifetime_begin(&u->life, s, now, u->lifetime);
    break;
  case THIRL_NATCHECK_UDP_OVER:
    seal(s->out, s->out->why ? s->out->why : THIRL_NATCHECK_WHY_STOPPED);
    thirl_natcheck_ask_end(&s->ask);
    break;
  case THIRL_NATCHECK_UDP_IDLE:
    break;
  }
}

static bool finish_step(thirl_natcheck_udp *u, thirl_time now) {
  thirl_natcheck_scene *s = &u->scene;
  switch (u->step) {
  case THIRL_NATCHECK_UDP_REACH:
    finish_reach(u);
    return true;
  case THIRL_NATCHECK_UDP_FILTER:
    return thirl_natcheck_filter_finish(&u->filter, s, now);
  case THIRL_NATCHECK_UDP_MAP:
    return thirl_natcheck_mapping_finish(&u->map, s, now);
  case THIRL_NATCHECK_UDP_PROVE:
    return thirl_natcheck_filter_finish_proof(&u->proof, s, now);
  case THIRL_NATCHECK_UDP_SAMPLE:
    return thirl_natcheck_samples_finish(&u->samples, s, now);
  case THIRL_NATCHECK_UDP_HAIRPIN:
    return !u->hairpin_wanted || thirl_natcheck_hairpin_finish(&u->hairpin, s, now);
  case THIRL_NATCHECK_UDP_LIFETIME:
    return !u->lifetime || thirl_natcheck_lifetime_finish(&u->life, s, now);
  default:
    return true;
  }
}

static void hasten(thirl_natcheck_udp *u, thirl_time now) {
  if (u->step == THIRL_NATCHECK_UDP_REACH) hasten_reach(u, now);
  if (u->step == THIRL_NATCHECK_UDP_FILTER) thirl_natcheck_filter_hasten(&u->filter, &u->scene);
  if (u->step == THIRL_NATCHECK_UDP_LIFETIME) thirl_natcheck_lifetime_hasten(&u->life, &u->scene);
}

/* One step further when all questions of this one are done. False: there is nothing to do but wait. */
static bool evaluate(thirl_natcheck_udp *u, thirl_time now) {
  hasten(u, now);
  if (u->step == THIRL_NATCHECK_UDP_IDLE || u->step == THIRL_NATCHECK_UDP_OVER) return false;
  if (!thirl_natcheck_ask_is_idle(&u->scene.ask)) return false;
  if (finish_step(u, now)) {
    bool silent = u->scene.out->reachable != THIRL_NATCHECK_YES;
    begin_step(u, now, silent ? THIRL_NATCHECK_UDP_OVER : u->step + 1);
  }
  return true;
}

void thirl_natcheck_udp_start(thirl_natcheck_udp *u, thirl_time now) {
  u->scene.out->why = THIRL_NATCHECK_WHY_KNOWN;
  u->scene.out->hairpin_why = u->scene.out->lifetime_why = THIRL_NATCHECK_WHY_NOT_ASKED;
  begin_step(u, now, THIRL_NATCHECK_UDP_REACH);
}

void thirl_natcheck_udp_stop(thirl_natcheck_udp *u) {
  if (u->step == THIRL_NATCHECK_UDP_OVER) return;
  if (u->step <= THIRL_NATCHECK_UDP_REACH) u->scene.out->why = THIRL_NATCHECK_WHY_STOPPED;
  begin_step(u, u->begun, THIRL_NATCHECK_UDP_OVER);
}

bool thirl_natcheck_udp_input(thirl_natcheck_udp *u, thirl_time now, const thirl_net_event *ev) {
  return thirl_natcheck_ask_input(&u->scene.ask, now, ev);
}

bool thirl_natcheck_udp_poll(thirl_natcheck_udp *u, thirl_time now, thirl_net_action *out) {
  do
    if (thirl_natcheck_ask_poll(&u->scene.ask, now, out)) return true;
  while (evaluate(u, now));
  return false;
}

thirl_time thirl_natcheck_udp_deadline(const thirl_natcheck_udp *u) {
  thirl_time due = thirl_natcheck_ask_deadline(&u->scene.ask);
  if (u->step == THIRL_NATCHECK_UDP_REACH && has_answer(&u->scene.ask))
    due = THIRL_MIN(due, thirl_time_after(u->begun, STRAGGLERS));
  return due;
}
