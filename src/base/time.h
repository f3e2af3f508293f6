/* SPDX-License-Identifier: MIT */
/* Time as every machine sees it: microseconds of a monotonic clock, handed in with each input. No clock is read below io/. */
#ifndef THIRL_BASE_TIME_H
#define THIRL_BASE_TIME_H

#include <stdint.h>

typedef uint64_t thirl_time; /* microseconds since an arbitrary start */

#define THIRL_NEVER     UINT64_MAX
#define THIRL_US        ((thirl_time)1)
#define THIRL_MS        ((thirl_time)1000)
#define THIRL_S         ((thirl_time)1000000)
#define THIRL_MIN(a, b) ((a) < (b) ? (a) : (b))
#define THIRL_MAX(a, b) ((a) > (b) ? (a) : (b))

/** t + d, where NEVER stays NEVER and nothing wraps. */
static inline thirl_time thirl_time_after(thirl_time t, thirl_time d) {
  return d > THIRL_NEVER - t ? THIRL_NEVER : t + d;
}

#endif
