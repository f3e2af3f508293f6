/* SPDX-License-Identifier: MIT */
#include "natcheck/hairpin.h"

#include <string.h>

#include "natcheck/classify.h"

void thirl_natcheck_hairpin_begin(thirl_natcheck_hairpin *h, thirl_natcheck_scene *s, thirl_time now) {
  memset(h, 0, sizeof *h);
  h->skipped = s->out->mapping == THIRL_NATCHECK_NO_MAPPING; /* there is no other side to come back from */
  for (int i = 0; i < 2 && !h->skipped; i++) {
    h->sockets[i] = thirl_natcheck_ask_open(&s->ask, 0);
    thirl_natcheck_question q = thirl_natcheck_scene_plain(s, h->sockets[i], s->asked);
    h->questions[i] = thirl_natcheck_ask_add(&s->ask, now, &q);
  }
}

void thirl_natcheck_hairpin_conclude_silence(thirl_natcheck_protocol *out) {
  bool meets = out->mapping == THIRL_NATCHECK_EIM || out->filtering == THIRL_NATCHECK_EIF;
  out->hairpin = meets ? THIRL_NATCHECK_NO : THIRL_NATCHECK_UNKNOWN;
  out->hairpin_why = meets ? THIRL_NATCHECK_WHY_KNOWN : THIRL_NATCHECK_WHY_FILTERED;
}

static bool prepare(thirl_natcheck_hairpin *h, thirl_natcheck_scene *s, thirl_time now) {
  const thirl_natcheck_asked *k[2] = {thirl_natcheck_scene_get(s, h->questions[0]),
                                      thirl_natcheck_scene_get(s, h->questions[1])};
  if (!k[0]->n_heard || !k[1]->n_heard) return false;
  thirl_addr to[2] = {k[1]->mapped, k[0]->mapped};
  if (!thirl_natcheck_classify_may_meet(&s->asked, &to[0]) || !thirl_natcheck_classify_may_meet(&s->asked, &to[1]))
    return false;
  thirl_natcheck_ask_clear(&s->ask);
  for (int i = 0; i < 2; i++) {
    thirl_natcheck_question q = thirl_natcheck_scene_counted(s, h->sockets[i], to[i]);
    h->questions[i] = thirl_natcheck_ask_add(&s->ask, now, &q);
  }
  h->prepared = true;
  return true;
}

bool thirl_natcheck_hairpin_finish(thirl_natcheck_hairpin *h, thirl_natcheck_scene *s, thirl_time now) {
  thirl_natcheck_protocol *out = s->out;
  if (h->skipped) {
    out->hairpin = THIRL_NATCHECK_YES;
    out->hairpin_why = THIRL_NATCHECK_WHY_KNOWN;
    return true;
  }
  if (!h->prepared) {
    if (prepare(h, s, now)) return false;
    out->hairpin_why = THIRL_NATCHECK_WHY_NO_ANSWER;
    return true;
  }
  const thirl_natcheck_asked *k[2] = {thirl_natcheck_scene_get(s, h->questions[0]),
                                      thirl_natcheck_scene_get(s, h->questions[1])};
  if (k[0]->returned || k[1]->returned) {
    out->hairpin = THIRL_NATCHECK_YES;
    out->hairpin_why = THIRL_NATCHECK_WHY_KNOWN;
    out->hairpin_shows_inner = k[0]->returned_inner || k[1]->returned_inner;
  } else {
    thirl_natcheck_hairpin_conclude_silence(out);
  }
  return true;
}
