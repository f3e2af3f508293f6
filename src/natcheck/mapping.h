/* SPDX-License-Identifier: MIT */
/*
 * One outer port for all destinations, or several: mapping over UDP. RFC 5780 section 4.3, with all four endpoints of the server, every other server that
 * answers, and each of them twice: who names two different ports for one mapping is not believed.
 */
#ifndef THIRL_NATCHECK_MAPPING_H
#define THIRL_NATCHECK_MAPPING_H

#include "natcheck/scene.h"

typedef struct thirl_natcheck_map {
  bool rechecks; /* the last question: is the first mapping still the same, or has it changed meanwhile? */
} thirl_natcheck_map;

void thirl_natcheck_mapping_begin(thirl_natcheck_map *m, thirl_natcheck_scene *s, thirl_time now);
bool thirl_natcheck_mapping_finish(thirl_natcheck_map *m, thirl_natcheck_scene *s, thirl_time now);

#endif
