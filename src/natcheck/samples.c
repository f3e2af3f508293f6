/* SPDX-License-Identifier: MIT */
#include "natcheck/samples.h"

#include <string.h>

#include "natcheck/allocation.h"

enum { FAILURES_MAX = 2, TRIES = 5 };

static void next(thirl_natcheck_samples *t, thirl_natcheck_scene *s, thirl_time now) {
  t->socket = thirl_natcheck_ask_open(&s->ask, 0);
  thirl_natcheck_question q = thirl_natcheck_scene_plain(s, t->socket, s->asked);
  q.tries = TRIES;
  q.grace = thirl_natcheck_scene_grace(s);
  thirl_natcheck_ask_clear(&s->ask);
  t->question = thirl_natcheck_ask_add(&s->ask, now, &q);
}

void thirl_natcheck_samples_begin(thirl_natcheck_samples *t, thirl_natcheck_scene *s, thirl_time now) {
  memset(t, 0, sizeof *t);
  if (s->out->mapping != THIRL_NATCHECK_NO_MAPPING) next(t, s, now);
}

void thirl_natcheck_samples_conclude(const thirl_natcheck_sample *taken, unsigned n, thirl_natcheck_protocol *out) {
  if (out->mapping == THIRL_NATCHECK_NO_MAPPING) {
    out->allocation = (thirl_natcheck_allocation){.model = THIRL_NATCHECK_NO_ALLOCATION};
    out->preserves = THIRL_NATCHECK_YES;
    return;
  }
  out->allocation = thirl_natcheck_allocation_learn(taken, n);
  if (out->allocation.model == THIRL_NATCHECK_ALLOCATION_UNKNOWN) return;
  out->preserves = out->allocation.model == THIRL_NATCHECK_PRESERVING ? THIRL_NATCHECK_YES : THIRL_NATCHECK_NO;
}

bool thirl_natcheck_samples_finish(thirl_natcheck_samples *t, thirl_natcheck_scene *s, thirl_time now) {
  if (s->out->mapping != THIRL_NATCHECK_NO_MAPPING) {
    const thirl_natcheck_asked *k = thirl_natcheck_scene_get(s, t->question);
    thirl_natcheck_scene_note(s, k);
    s->out->asked += k->sent;
    s->out->answered += k->n_heard;
    if (k->n_heard && t->socket < s->ask.n_sockets)
      t->taken[t->n++] = (thirl_natcheck_sample){.local = s->ask.sockets[t->socket].local, .mapped = k->mapped};
    else
      t->failed++;
    if (t->n < THIRL_NATCHECK_SAMPLES && t->failed < FAILURES_MAX) {
      next(t, s, now);
      return false;
    }
  }
  thirl_natcheck_samples_conclude(t->taken, t->n, s->out);
  return true;
}
