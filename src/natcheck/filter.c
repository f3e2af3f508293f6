/* SPDX-License-Identifier: MIT */
#include "natcheck/filter.h"

#include <string.h>

enum {
  CHANGE_BOTH = THIRL_NATCHECK_CHANGE_IP | THIRL_NATCHECK_CHANGE_PORT,
  NO_QUESTION = THIRL_NATCHECK_ASK_QUESTIONS
};

/* ---- the test ---- */

static unsigned add_knock(thirl_natcheck_filter *f, thirl_natcheck_scene *s, thirl_time now, uint32_t change) {
  thirl_natcheck_question q = thirl_natcheck_scene_counted(s, f->socket, s->asked);
  q.change = change;
  if (change) q.expect = (thirl_addr){0};
  return thirl_natcheck_ask_add(&s->ask, now, &q);
}

void thirl_natcheck_filter_begin(thirl_natcheck_filter *f, thirl_natcheck_scene *s, thirl_time now) {
  memset(f, 0, sizeof *f);
  if (!thirl_addr_is_set(&s->port)) return;
  f->socket = thirl_natcheck_ask_open(&s->ask, 0);
  f->plain = add_knock(f, s, now, 0);
  f->both = thirl_addr_is_set(&s->other) ? add_knock(f, s, now, CHANGE_BOTH) : (unsigned)NO_QUESTION;
  f->port = add_knock(f, s, now, THIRL_NATCHECK_CHANGE_PORT);
}

static void look(thirl_natcheck_filter *f, const thirl_natcheck_scene *s) {
  const thirl_natcheck_asked *both = thirl_natcheck_scene_get(s, f->both), *port = thirl_natcheck_scene_get(s, f->port);
  f->knocks.from_other_ip = both->from_other_ip || port->from_other_ip;
  f->knocks.from_other_port = both->from_other_port || port->from_other_port;
  f->knocks.ignored_ip = both->from_asked || both->from_other_port;
  f->knocks.ignored_port = port->from_asked;
  f->refused = both->code != 0 || port->code != 0;
  f->tries = thirl_addr_is_set(&s->other) ? THIRL_MIN(both->sent, port->sent) : port->sent;
}

/* With one IP there is nothing more to learn once its other port has come in. */
static bool is_decided(const thirl_natcheck_filter *f, const thirl_natcheck_scene *s) {
  return f->refused || f->knocks.from_other_ip || (f->knocks.from_other_port && !thirl_addr_is_set(&s->other));
}

void thirl_natcheck_filter_hasten(thirl_natcheck_filter *f, thirl_natcheck_scene *s) {
  if (!thirl_addr_is_set(&s->port)) return;
  look(f, s);
  if (!is_decided(f, s)) return;
  thirl_natcheck_ask_stop(&s->ask, f->plain);
  thirl_natcheck_ask_stop(&s->ask, f->both);
  thirl_natcheck_ask_stop(&s->ask, f->port);
}

bool thirl_natcheck_filter_finish(thirl_natcheck_filter *f, thirl_natcheck_scene *s, thirl_time now) {
  if (!thirl_addr_is_set(&s->port)) return true;
  const thirl_natcheck_asked *plain = thirl_natcheck_scene_get(s, f->plain);
  look(f, s);

  f->knocks.lossy = !thirl_natcheck_classify_is_silence(f->tries, plain->sent, plain->n_heard);
  if (!is_decided(f, s) && f->knocks.lossy && plain->n_heard &&
      f->tries + THIRL_NATCHECK_BATCH <= THIRL_NATCHECK_ASK_TRIES) {
    thirl_natcheck_ask_more(&s->ask, f->plain, now, THIRL_NATCHECK_BATCH);
    thirl_natcheck_ask_more(&s->ask, f->both, now, THIRL_NATCHECK_BATCH);
    thirl_natcheck_ask_more(&s->ask, f->port, now, THIRL_NATCHECK_BATCH);
    return false;
  }
  s->out->asked += plain->sent;
  s->out->answered += plain->n_heard;
  thirl_natcheck_scene_note(s, plain);
  return true;
}

/* ---- the proof ---- */

static void conclude(const thirl_natcheck_filter *f, thirl_natcheck_protocol *out) {
  out->filtering = thirl_natcheck_classify_filtering(&f->knocks, &out->filtering_seems, &out->filtering_why);
}

static void give_up(thirl_natcheck_protocol *out, thirl_natcheck_why why) {
  out->filtering = out->filtering_seems = THIRL_NATCHECK_FILTERING_UNKNOWN;
  out->filtering_why = why;
}

void thirl_natcheck_filter_begin_proof(thirl_natcheck_proof *p, thirl_natcheck_filter *f, thirl_natcheck_scene *s,
                                       thirl_time now) {
  thirl_natcheck_filtering seems;
  thirl_natcheck_why why;
  *p = (thirl_natcheck_proof){.filter = f};
  if (!thirl_addr_is_set(&s->port) || f->refused) return;
  (void)thirl_natcheck_classify_filtering(&f->knocks, &seems, &why);
  bool ip = seems == THIRL_NATCHECK_ADF;
  if (why != THIRL_NATCHECK_WHY_UNPROVEN || (ip && !thirl_addr_is_set(&s->other))) return;
  p->change = ip ? CHANGE_BOTH : THIRL_NATCHECK_CHANGE_PORT;
  p->target = ip ? s->other : s->port;
  p->socket = thirl_natcheck_ask_open(&s->ask, 0);
  thirl_natcheck_question asked = thirl_natcheck_scene_plain(s, p->socket, s->asked),
                          opened = thirl_natcheck_scene_plain(s, p->socket, p->target);
  p->asked = thirl_natcheck_ask_add(&s->ask, now, &asked);
  p->opened = thirl_natcheck_ask_add(&s->ask, now, &opened);
}

/*
 * The hole is open for the server's other side. When it is the very mapping that the request leaves by, the answer comes through it; otherwise the server
 * is told the port of the one that is open (RESPONSE-PORT), as long as both are on one outer address.
 */
static bool prepare(thirl_natcheck_proof *p, thirl_natcheck_scene *s, thirl_time now) {
  const thirl_natcheck_asked *asked = thirl_natcheck_scene_get(s, p->asked),
                             *opened = thirl_natcheck_scene_get(s, p->opened);
  thirl_natcheck_scene_note(s, asked);
  thirl_natcheck_scene_note(s, opened);
  if (!asked->n_heard || !opened->n_heard || !thirl_addr_same_ip(&asked->mapped, &opened->mapped)) return false;
  thirl_natcheck_question q = thirl_natcheck_scene_counted(s, p->socket, s->asked);
  q.change = p->change;
  q.expect = p->target;
  if (asked->mapped.port != opened->mapped.port) q.response_port = opened->mapped.port;
  thirl_natcheck_ask_clear(&s->ask);
  p->question = thirl_natcheck_ask_add(&s->ask, now, &q);
  p->prepared = true;
  return true;
}

bool thirl_natcheck_filter_finish_proof(thirl_natcheck_proof *p, thirl_natcheck_scene *s, thirl_time now) {
  thirl_natcheck_filter *f = p->filter;
  bool needs_ip = !thirl_addr_is_set(&s->other) && f->knocks.from_other_port;
  if (!thirl_addr_is_set(&s->port) || f->refused || needs_ip) {
    bool unusable = s->report->servers[s->server].other_is_unusable;
    give_up(s->out, f->refused ? THIRL_NATCHECK_WHY_NOT_OFFERED
                               : (unusable ? THIRL_NATCHECK_WHY_ALTERNATE_SILENT : THIRL_NATCHECK_WHY_NO_ALTERNATE));
    return true;
  }
  if (!p->change) {
    conclude(f, s->out);
    return true;
  }
  if (!p->prepared) {
    if (prepare(p, s, now)) return false;
    bool silent = !thirl_natcheck_scene_get(s, p->opened)->n_heard;
    conclude(f, s->out);
    if (silent) s->out->filtering_why = THIRL_NATCHECK_WHY_ALTERNATE_SILENT;
    return true;
  }
  const thirl_natcheck_asked *k = thirl_natcheck_scene_get(s, p->question);
  bool enough = thirl_natcheck_classify_is_silence(f->tries, k->sent, k->n_heard);
  if (!enough && k->n_heard && k->sent + THIRL_NATCHECK_BATCH <= THIRL_NATCHECK_ASK_TRIES) {
    thirl_natcheck_ask_more(&s->ask, p->question, now, THIRL_NATCHECK_BATCH);
    return false;
  }
  *(p->change == CHANGE_BOTH ? &f->knocks.ip_proven : &f->knocks.port_proven) = k->n_heard > 0;
  f->knocks.lossy |= k->n_heard > 0 && !enough;
  conclude(f, s->out);
  return true;
}
