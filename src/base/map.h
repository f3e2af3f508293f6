/* SPDX-License-Identifier: MIT */
/* A hash map from short fixed-size keys to pointers. Keyed hash, so that a stranger who chooses keys cannot choose collisions. */
#ifndef THIRL_BASE_MAP_H
#define THIRL_BASE_MAP_H

#include "base/bytes.h"

typedef struct thirl_map {
  uint64_t seed;
  size_t key_len, n, cap; /* cap is 0 or a power of two */
  uint8_t *keys;
  void **values; /* NULL: free slot */
} thirl_map;

/** key_len 1..64 bytes; seed from the secrets. Allocates nothing yet. */
void thirl_map_init(thirl_map *m, size_t key_len, uint64_t seed);
/** Frees the table, not the values. */
void thirl_map_fini(thirl_map *m);
void *thirl_map_get(const thirl_map *m, const void *key);
/** Adds or replaces; value must not be NULL. Replacing allocates nothing and does not fail. E_NOMEM leaves the map as it was. */
thirl_error thirl_map_put(thirl_map *m, const void *key, void *value);
/** The value that was there, or NULL. */
void *thirl_map_remove(thirl_map *m, const void *key);
/** Walks all values: start with *at = 0; NULL at the end. Do not change the map while walking. */
void *thirl_map_next(const thirl_map *m, size_t *at);

#endif
