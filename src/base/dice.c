/* SPDX-License-Identifier: MIT */
#include "base/rand.h"

#include <assert.h>

static uint64_t rotl(uint64_t x, int k) {
  return (x << k) | (x >> (64 - k));
}

void thirl_dice_seed(thirl_dice *d, uint64_t seed) {
  for (int i = 0; i < 4; i++) { /* splitmix64 */
    seed += 0x9e3779b97f4a7c15u;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    d->s[i] = z ^ (z >> 31);
  }
}

uint64_t thirl_dice_u64(thirl_dice *d) {
  uint64_t *s = d->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotl(s[3], 45);
  return result;
}

uint64_t thirl_dice_below(thirl_dice *d, uint64_t n) {
  assert(n > 0);
  for (;;) {
    uint64_t v = thirl_dice_u64(d), r = v % n;
    if (v - r <= 0 - n) return r; /* else v is in the last, incomplete run of n numbers: throw again */
  }
}

double thirl_dice_unit(thirl_dice *d) {
  return (double)(thirl_dice_u64(d) >> 11) * 0x1.0p-53;
}
