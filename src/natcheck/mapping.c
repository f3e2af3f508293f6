/* SPDX-License-Identifier: MIT */
#include "natcheck/mapping.h"

#include "natcheck/classify.h"

static void add(thirl_natcheck_scene *s, thirl_time now, thirl_addr to) {
  thirl_natcheck_question q = thirl_natcheck_scene_plain(s, s->socket, to);
  q.enough = 2;
  (void)thirl_natcheck_ask_add(&s->ask, now, &q);
}

void thirl_natcheck_mapping_begin(thirl_natcheck_map *m, thirl_natcheck_scene *s, thirl_time now) {
  *m = (thirl_natcheck_map){0};
  const thirl_natcheck_report *r = s->report;
  for (unsigned i = 0; i < r->n_servers; i++)
    if (r->servers[i].udp) add(s, now, r->servers[i].addr);
  if (thirl_addr_is_set(&s->port)) add(s, now, s->port);
  if (!thirl_addr_is_set(&s->other)) return;
  add(s, now, thirl_addr_with_port(s->other, s->asked.port));
  add(s, now, s->other);
}

static void forget(thirl_natcheck_protocol *out, thirl_natcheck_why why) {
  out->mapping = THIRL_NATCHECK_MAPPING_UNKNOWN;
  out->mapping_why = why;
}

static void conclude(thirl_natcheck_scene *s) {
  thirl_natcheck_seen seen[THIRL_NATCHECK_SERVERS_MAX + 4] = {{.to = s->asked, .mapped = s->out->mapped}};
  unsigned n = 1;
  bool contradictory = false, silent = false;
  for (unsigned i = 0; i < s->ask.n_questions && n < sizeof seen / sizeof *seen; i++) {
    const thirl_natcheck_asked *k = &s->ask.questions[i];
    thirl_natcheck_scene_note(s, k);
    contradictory |= k->contradictory;
    silent |= k->n_heard == 0;
    s->out->asked += k->n_heard ? k->sent : 0;
    s->out->answered += k->n_heard;
    if (k->n_heard) seen[n++] = (thirl_natcheck_seen){.to = k->q.to, .mapped = k->mapped};
  }
  const thirl_addr *local = &s->ask.sockets[s->socket].local;
  s->out->mapping = thirl_natcheck_classify_mapping(local, seen, n, &s->out->mapping_why);
  if (contradictory)
    forget(s->out, THIRL_NATCHECK_WHY_CONTRADICTION);
  else if (s->out->mapping_why == THIRL_NATCHECK_WHY_NO_ALTERNATE && silent)
    s->out->mapping_why = THIRL_NATCHECK_WHY_ALTERNATE_SILENT;
}

bool thirl_natcheck_mapping_finish(thirl_natcheck_map *m, thirl_natcheck_scene *s, thirl_time now) {
  if (m->rechecks) {
    const thirl_natcheck_asked *k = thirl_natcheck_scene_get(s, 0);
    if (!k->n_heard)
      forget(s->out, THIRL_NATCHECK_WHY_LOSS);
    else if (!thirl_addr_equal(&k->mapped, &s->out->mapped))
      forget(s->out, THIRL_NATCHECK_WHY_CONTRADICTION);
    return true;
  }
  conclude(s);
  m->rechecks = s->out->mapping == THIRL_NATCHECK_ADM || s->out->mapping == THIRL_NATCHECK_APDM;
  if (!m->rechecks) return true;
  thirl_natcheck_question q = thirl_natcheck_scene_plain(s, s->socket, s->asked);
  thirl_natcheck_ask_clear(&s->ask);
  (void)thirl_natcheck_ask_add(&s->ask, now, &q);
  return false;
}
