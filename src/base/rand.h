/* SPDX-License-Identifier: MIT */
/* Two kinds of randomness that the compiler keeps apart: secrets, which must be unpredictable, and dice, which need not be. */
#ifndef THIRL_BASE_RAND_H
#define THIRL_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

/** Where keys, passwords, nonces and transaction ids come from. The driver backs it by the operating system, the simulator by its seed. */
typedef struct thirl_secrets {
  void (*fill)(void *ctx, void *out, size_t n); /* fills all of it or does not return */
  void *ctx;
} thirl_secrets;

void thirl_secrets_fill(const thirl_secrets *s, void *out, size_t n);
uint64_t thirl_secrets_u64(const thirl_secrets *s);
/** n characters of the ICE alphabet (RFC 8839: ALPHA / DIGIT / "+" / "/"), then NUL: out holds n + 1. */
void thirl_secrets_ice_text(const thirl_secrets *s, char *out, size_t n);

/** Jitter and simulated worlds: a small deterministic generator (xoshiro256**). Never for anything that must not be guessed. */
typedef struct thirl_dice {
  uint64_t s[4];
} thirl_dice;

void thirl_dice_seed(thirl_dice *d, uint64_t seed);
uint64_t thirl_dice_u64(thirl_dice *d);
/** Uniform in [0, n); n > 0. */
uint64_t thirl_dice_below(thirl_dice *d, uint64_t n);
/** Uniform in [0, 1). */
double thirl_dice_unit(thirl_dice *d);

#endif
