/* SPDX-License-Identifier: MIT */
/* A bounded binary heap of deadlines: embed a thirl_heap_node, recover the owner with THIRL_OWNER. Owns nothing but its array. */
#ifndef THIRL_BASE_HEAP_H
#define THIRL_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "thirl/error.h"

/** Zeroed it is in no heap. It may not move in memory while it is in one. */
typedef struct thirl_heap_node {
  size_t at; /* place in the array plus 1; 0 = in no heap */
} thirl_heap_node;

typedef struct thirl_heap {
  struct thirl_heap_slot *slots;
  size_t n, cap, max;
  uint64_t next_order; /* nodes with equal keys leave in the order in which they were set */
} thirl_heap;

/** At most max nodes; max > 0. Allocates nothing yet. */
void thirl_heap_init(thirl_heap *h, size_t max);
/** Frees the array; the nodes are the owner's. */
void thirl_heap_fini(thirl_heap *h);
/**
 * Add the node, or move it when it is in the heap already. A node that is set again goes behind all others with the same key.
 *
 * THIRL_E_LIMIT, THIRL_E_NOMEM   the node was not in the heap and still is not; moving never fails
 */
thirl_error thirl_heap_set(thirl_heap *h, thirl_heap_node *node, thirl_time key);
/** Also safe for a node that is in no heap. */
void thirl_heap_remove(thirl_heap *h, thirl_heap_node *node);
/** The node with the smallest key, or NULL. */
thirl_heap_node *thirl_heap_first(const thirl_heap *h);
/** The smallest key, or THIRL_NEVER. */
thirl_time thirl_heap_first_key(const thirl_heap *h);
static inline bool thirl_heap_has(const thirl_heap_node *node) {
  return node->at != 0;
}

#endif
