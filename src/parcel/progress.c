/* SPDX-License-Identifier: MIT */
#include "parcel/progress.h"

#include <math.h>

static const double memory_s = 4;               /* after so long a change of speed counts for two thirds */
static const thirl_time least = 100 * THIRL_MS; /* shorter intervals say nothing */

void thirl_parcel_progress_input(thirl_parcel_progress *p, thirl_time now, uint64_t moved) {
  if (p->last == 0) {
    p->last = now;
    p->moved = moved;
    return;
  }
  if (now < p->last + least) return;
  double seconds = (double)(now - p->last) / (double)THIRL_S, share = 1 - exp(-seconds / memory_s);
  double sample = moved > p->moved ? (double)(moved - p->moved) / seconds : 0;
  p->rate += share * (sample - p->rate);
  p->weight += share * (1 - p->weight);
  p->last = now;
  p->moved = moved;
}

double thirl_parcel_progress_rate(const thirl_parcel_progress *p) {
  return p->weight > 0 ? p->rate / p->weight : 0;
}

bool thirl_parcel_progress_left(const thirl_parcel_progress *p, uint64_t bytes, uint64_t *seconds) {
  double rate = thirl_parcel_progress_rate(p);
  double left = rate > 0 ? ceil((double)bytes / rate) : 0;
  *seconds = 0;
  if (rate < 1 || left > 359999) return false; /* 99:59:59 */
  *seconds = (uint64_t)left;
  return true;
}
