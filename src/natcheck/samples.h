/* SPDX-License-Identifier: MIT */
/* Fresh mappings, one after the other, to learn which ports the NAT hands out. Over UDP. */
#ifndef THIRL_NATCHECK_SAMPLES_H
#define THIRL_NATCHECK_SAMPLES_H

#include "natcheck/scene.h"

enum { THIRL_NATCHECK_SAMPLES = 12 }; /* how many are taken */

typedef struct thirl_natcheck_samples {
  thirl_natcheck_sample taken[THIRL_NATCHECK_SAMPLES_MAX];
  unsigned n, failed, socket, question;
} thirl_natcheck_samples;

void thirl_natcheck_samples_begin(thirl_natcheck_samples *t, thirl_natcheck_scene *s, thirl_time now);
bool thirl_natcheck_samples_finish(thirl_natcheck_samples *t, thirl_natcheck_scene *s, thirl_time now);
/** Write what the samples say into the report, when there is a NAT. */
void thirl_natcheck_samples_conclude(const thirl_natcheck_sample *taken, unsigned n, thirl_natcheck_protocol *out);

#endif
