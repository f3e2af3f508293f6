/* SPDX-License-Identifier: MIT */
#include "natcheck/lifetime.h"

#include <string.h>

enum { FIRST_AGE_S = 5, FINE_AGE_S = 60, TRIES = 5 };

/* Routers count in round numbers: knock a moment before. */
#define EARLY (500 * THIRL_MS)

static thirl_time age_after(thirl_time age_s) {
  return age_s < FINE_AGE_S ? age_s + FIRST_AGE_S : (age_s + age_s / 10 + 4) / 5 * 5;
}

void thirl_natcheck_lifetime_begin(thirl_natcheck_lifetime *l, thirl_natcheck_scene *s, thirl_time now,
                                   thirl_time limit) {
  memset(l, 0, sizeof *l);
  if (s->out->mapping == THIRL_NATCHECK_NO_MAPPING && s->out->filtering == THIRL_NATCHECK_EIF) return;
  l->started = now;
  l->limit = limit;
  l->ages[l->n++] = 0;
  for (thirl_time age_s = FIRST_AGE_S; l->n < THIRL_NATCHECK_LIFETIME_AGES && age_s * THIRL_S <= limit;
       age_s = age_after(age_s))
    l->ages[l->n++] = age_s * THIRL_S - EARLY;
  l->asker = thirl_natcheck_ask_open(&s->ask, 0);
  for (unsigned i = 0; i < l->n; i++) {
    l->sockets[i] = thirl_natcheck_ask_open(&s->ask, 0);
    thirl_natcheck_question q = thirl_natcheck_scene_plain(s, l->sockets[i], s->asked);
    l->questions[i] = thirl_natcheck_ask_add(&s->ask, now, &q);
  }
}

static void knock(thirl_natcheck_lifetime *l, thirl_natcheck_scene *s) {
  thirl_natcheck_asked made[THIRL_NATCHECK_LIFETIME_AGES];
  for (unsigned i = 0; i < l->n; i++)
    made[i] = *thirl_natcheck_scene_get(s, l->questions[i]);
  thirl_natcheck_ask_clear(&s->ask);
  for (unsigned i = 0; i < l->n; i++) {
    l->questions[i] = THIRL_NATCHECK_ASK_QUESTIONS;
    if (!made[i].n_heard) continue;
    thirl_natcheck_question q = thirl_natcheck_scene_plain(s, l->asker, s->asked);
    q.expect_at = l->sockets[i];
    q.response_port = made[i].mapped.port;
    q.tries = TRIES;
    q.grace = thirl_natcheck_scene_grace(s);
    thirl_time used = made[i].sent_at[made[i].sent - 1] + made[i].rtt;
    l->questions[i] = thirl_natcheck_ask_add(&s->ask, thirl_time_after(used, l->ages[i]), &q);
  }
  l->prepared = true;
}

void thirl_natcheck_lifetime_hasten(thirl_natcheck_lifetime *l, thirl_natcheck_scene *s) {
  if (!l->prepared || l->n == 0) return;
  const thirl_natcheck_asked *first = thirl_natcheck_scene_get(s, l->questions[0]);
  bool stop = first->code != 0 || (first->done && !first->n_heard);
  unsigned dead = 0;
  for (unsigned i = 1; i < l->n && !stop; i++) {
    const thirl_natcheck_asked *k = thirl_natcheck_scene_get(s, l->questions[i]);
    if (!k->done || !k->sent) continue;
    dead = k->n_heard ? 0 : dead + 1;
    stop = dead >= 2;
  }
  for (unsigned i = 0; i < l->n && stop; i++)
    thirl_natcheck_ask_stop(&s->ask, l->questions[i]);
}

static uint32_t seconds(thirl_time t) {
  return (uint32_t)(t / THIRL_S);
}

static void conclude(const thirl_natcheck_lifetime *l, const thirl_natcheck_scene *s, thirl_natcheck_protocol *out) {
  unsigned alive = 0, dead = 0;
  for (unsigned i = 1; i < l->n; i++) {
    const thirl_natcheck_asked *k = thirl_natcheck_scene_get(s, l->questions[i]);
    if (k->n_heard) alive = i;
  }
  for (unsigned i = l->n; i-- > 1;) { /* the first dead one behind the last that was alive */
    const thirl_natcheck_asked *k = thirl_natcheck_scene_get(s, l->questions[i]);
    if (i > alive && k->sent && !k->n_heard) dead = i;
  }
  out->lifetime_why = THIRL_NATCHECK_WHY_KNOWN;
  out->lifetime_s = alive ? seconds(l->ages[alive]) : 0;
  out->lifetime_max_s = dead ? seconds(l->ages[dead] + EARLY) : 0;
  if (!alive && !dead) out->lifetime_why = THIRL_NATCHECK_WHY_LOSS;
}

bool thirl_natcheck_lifetime_finish(thirl_natcheck_lifetime *l, thirl_natcheck_scene *s, thirl_time now) {
  (void)now;
  if (l->n == 0) { /* nothing between us and the server remembers anything */
    s->out->lifetime_why = THIRL_NATCHECK_WHY_KNOWN;
    return true;
  }
  if (!l->prepared) {
    knock(l, s);
    return false;
  }
  const thirl_natcheck_asked *first = thirl_natcheck_scene_get(s, l->questions[0]);
  if (first->n_heard)
    conclude(l, s, s->out);
  else
    s->out->lifetime_why = first->code ? THIRL_NATCHECK_WHY_NOT_OFFERED : THIRL_NATCHECK_WHY_UNPROVEN;
  return true;
}
