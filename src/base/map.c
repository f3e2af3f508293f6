/* SPDX-License-Identifier: MIT */
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 16 };

void thirl_map_init(thirl_map *m, size_t key_len, uint64_t seed) {
  assert(key_len > 0 && key_len <= 64);
  *m = (thirl_map){.seed = seed, .key_len = key_len};
}

void thirl_map_fini(thirl_map *m) {
  free(m->keys);
  free(m->values);
  thirl_map_init(m, m->key_len, m->seed);
}

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
#define SIPROUND                                                                                                       \
  do {                                                                                                                 \
    v0 += v1, v1 = ROTL(v1, 13), v1 ^= v0, v0 = ROTL(v0, 32);                                                          \
    v2 += v3, v3 = ROTL(v3, 16), v3 ^= v2;                                                                             \
    v0 += v3, v3 = ROTL(v3, 21), v3 ^= v0;                                                                             \
    v2 += v1, v1 = ROTL(v1, 17), v1 ^= v2, v2 = ROTL(v2, 32);                                                          \
  } while (0)

/* SipHash-1-3 with the seed as both halves of the key: enough to keep a stranger from aiming at one slot. */
static uint64_t hash(const thirl_map *m, const uint8_t *key) {
  uint64_t k0 = m->seed, k1 = ~m->seed, v0 = k0 ^ 0x736f6d6570736575u, v1 = k1 ^ 0x646f72616e646f6du,
           v2 = k0 ^ 0x6c7967656e657261u, v3 = k1 ^ 0x7465646279746573u;
  size_t left = m->key_len;
  for (;; left -= 8, key += 8) {
    uint64_t w = 0;
    memcpy(&w, key, left < 8 ? left : 8);
    if (left < 8) w |= (uint64_t)m->key_len << 56;
    v3 ^= w;
    SIPROUND;
    v0 ^= w;
    if (left < 8) break;
  }
  v2 ^= 0xff;
  SIPROUND;
  SIPROUND;
  SIPROUND;
  return v0 ^ v1 ^ v2 ^ v3;
}

static uint8_t *key_at(const thirl_map *m, size_t i) {
  return m->keys + i * m->key_len;
}

/* The slot that holds the key, or the free one where it would go. The table is never full. */
static size_t slot_of(const thirl_map *m, const void *key) {
  size_t i = (size_t)hash(m, key) & (m->cap - 1);
  while (m->values[i] && memcmp(key_at(m, i), key, m->key_len) != 0)
    i = (i + 1) & (m->cap - 1);
  return i;
}

void *thirl_map_get(const thirl_map *m, const void *key) {
  return m->cap ? m->values[slot_of(m, key)] : NULL;
}

static thirl_error grow(thirl_map *m) {
  thirl_map bigger = *m;
  bigger.cap = m->cap ? m->cap * 2 : FIRST;
  bigger.keys = malloc(bigger.cap * m->key_len);
  bigger.values = calloc(bigger.cap, sizeof *bigger.values);
  if (!bigger.keys || !bigger.values) {
    free(bigger.keys);
    free(bigger.values);
    return THIRL_E_NOMEM;
  }
  for (size_t i = 0; i < m->cap; i++) {
    if (!m->values[i]) continue;
    size_t to = slot_of(&bigger, key_at(m, i));
    memcpy(key_at(&bigger, to), key_at(m, i), m->key_len);
    bigger.values[to] = m->values[i];
  }
  free(m->keys);
  free(m->values);
  *m = bigger;
  return THIRL_OK;
}

thirl_error thirl_map_put(thirl_map *m, const void *key, void *value) {
  assert(value);
  if (thirl_map_get(m, key)) {
    m->values[slot_of(m, key)] = value;
    return THIRL_OK;
  }
  if ((m->n + 1) * 4 > m->cap * 3) {
    thirl_error e = grow(m);
    if (e != THIRL_OK) return e;
  }
  size_t i = slot_of(m, key);
  memcpy(key_at(m, i), key, m->key_len);
  m->n++;
  m->values[i] = value;
  return THIRL_OK;
}

void *thirl_map_remove(thirl_map *m, const void *key) {
  if (!m->cap) return NULL;
  size_t hole = slot_of(m, key), mask = m->cap - 1;
  void *old = m->values[hole];
  if (!old) return NULL;
  m->n--;
  /* Backward shift: move up every later entry of the run whose home is at or before the hole. */
  for (size_t i = (hole + 1) & mask; m->values[i]; i = (i + 1) & mask) {
    size_t home = (size_t)hash(m, key_at(m, i)) & mask;
    if (((i - home) & mask) < ((i - hole) & mask)) continue;
    memcpy(key_at(m, hole), key_at(m, i), m->key_len);
    m->values[hole] = m->values[i];
    hole = i;
  }
  m->values[hole] = NULL;
  return old;
}

void *thirl_map_next(const thirl_map *m, size_t *at) {
  while (*at < m->cap) {
    void *v = m->values[(*at)++];
    if (v) return v;
  }
  return NULL;
}
