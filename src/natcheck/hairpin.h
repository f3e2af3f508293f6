/* SPDX-License-Identifier: MIT */
/*
 * Does the NAT let two inner hosts meet at its outer address? RFC 4787 REQ-9; over UDP. Asked for only on demand: some firewalls take a packet from
 * their own address for an attack.
 *
 * Two sockets of ours send to each other's outer address at the same time, which opens their filters for each other. Where the mapping depends on the
 * destination and the filter on the source, neither hears the other whatever the NAT does: then the answer is unknown.
 */
#ifndef THIRL_NATCHECK_HAIRPIN_H
#define THIRL_NATCHECK_HAIRPIN_H

#include "natcheck/scene.h"

typedef struct thirl_natcheck_hairpin {
  unsigned sockets[2], questions[2];
  bool prepared, skipped;
} thirl_natcheck_hairpin;

void thirl_natcheck_hairpin_begin(thirl_natcheck_hairpin *h, thirl_natcheck_scene *s, thirl_time now);
bool thirl_natcheck_hairpin_finish(thirl_natcheck_hairpin *h, thirl_natcheck_scene *s, thirl_time now);

/** What no meeting means: NO, or UNKNOWN when the filter would hide it. */
void thirl_natcheck_hairpin_conclude_silence(thirl_natcheck_protocol *out);

#endif
