/* SPDX-License-Identifier: MIT */
/*
 * How long an idle mapping lives, over UDP. RFC 5780 section 4.6, all ages at once instead of one after the other: many sockets make a mapping at the same
 * moment, and each is knocked at once, at an age of its own, by the server, which another socket asks to send there (RESPONSE-PORT). It takes as long
 * as the mapping lives, or as long as is asked for.
 */
#ifndef THIRL_NATCHECK_LIFETIME_H
#define THIRL_NATCHECK_LIFETIME_H

#include "natcheck/scene.h"

enum { THIRL_NATCHECK_LIFETIME_AGES = 44 };

typedef struct thirl_natcheck_lifetime {
  unsigned n; /* ages; number 0 is asked at once: it shows that the server can do this */
  thirl_time ages[THIRL_NATCHECK_LIFETIME_AGES];
  unsigned sockets[THIRL_NATCHECK_LIFETIME_AGES], questions[THIRL_NATCHECK_LIFETIME_AGES];
  unsigned asker;
  thirl_time started, limit;
  bool prepared;
} thirl_natcheck_lifetime;

/** limit: the greatest age that is looked at. */
void thirl_natcheck_lifetime_begin(thirl_natcheck_lifetime *l, thirl_natcheck_scene *s, thirl_time now,
                                   thirl_time limit);
bool thirl_natcheck_lifetime_finish(thirl_natcheck_lifetime *l, thirl_natcheck_scene *s, thirl_time now);
/** No need to go on when two ages in a row were dead, or the first request was in vain. */
void thirl_natcheck_lifetime_hasten(thirl_natcheck_lifetime *l, thirl_natcheck_scene *s);

#endif
