/* SPDX-License-Identifier: MIT */
/*
 * RAND_set_rand_method is the one hook that reaches every draw, RAND_priv_bytes included; OpenSSL 3 calls it
 * deprecated and offers in its place a provider, which a process cannot take back. Hence the define, for this file
 * only.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sim/rand.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/rand.h"

static struct {
  bool installed;
  const RAND_METHOD *before;
  thirl_dice dice;
} world;

static int draw(unsigned char *out, int n) {
  size_t left = n > 0 ? (size_t)n : 0;
  while (left) {
    uint64_t v = thirl_dice_u64(&world.dice);
    size_t take = left < sizeof v ? left : sizeof v;
    for (size_t i = 0; i < take; i++) /* the same bytes on a machine of either endianness */
      *out++ = (unsigned char)(v >> (8 * i));
    left -= take;
  }
  return 1;
}

static int ignore_seed(const void *buf, int n) {
  (void)buf, (void)n;
  return 1;
}

static int ignore_entropy(const void *buf, int n, double entropy) {
  (void)buf, (void)n, (void)entropy;
  return 1;
}

static int ready(void) {
  return 1;
}

static const RAND_METHOD seeded = {
    .seed = ignore_seed, .bytes = draw, .add = ignore_entropy, .pseudorand = draw, .status = ready};

thirl_error thirl_sim_rand_install(uint64_t seed) {
  thirl_dice_seed(&world.dice, seed);
  if (world.installed) return THIRL_OK;
  world.before = RAND_get_rand_method();
  if (RAND_set_rand_method(&seeded) != 1) return THIRL_E_CRYPTO;
  world.installed = true;
  return THIRL_OK;
}

void thirl_sim_rand_restore(void) {
  if (!world.installed) return;
  (void)RAND_set_rand_method(world.before);
  memset(&world, 0, sizeof world);
}
