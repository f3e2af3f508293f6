/* SPDX-License-Identifier: MIT */
/* How fast a transfer is, and how long it will take: a rate that forgets in some seconds, so that it neither jumps nor remembers a pause for ever. */
#ifndef THIRL_PARCEL_PROGRESS_H
#define THIRL_PARCEL_PROGRESS_H

#include <stdbool.h>

#include "base/time.h"

typedef struct thirl_parcel_progress {
  thirl_time last; /* when moved was last looked at; 0: never */
  uint64_t moved;
  double rate, weight; /* bytes a second, times weight; weight goes from 0 to 1 */
} thirl_parcel_progress;

/** All zeroes is a new one. moved: bytes that went over the wire so far, all sessions together; what was found to be there already is no speed. */
void thirl_parcel_progress_input(thirl_parcel_progress *p, thirl_time now, uint64_t moved);
/** Bytes a second; 0 when nothing is known yet. */
double thirl_parcel_progress_rate(const thirl_parcel_progress *p);
/** Seconds for so many bytes. False: nobody knows. */
bool thirl_parcel_progress_left(const thirl_parcel_progress *p, uint64_t bytes, uint64_t *seconds);

#endif
