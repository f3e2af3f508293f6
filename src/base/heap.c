/* SPDX-License-Identifier: MIT */
#include "base/heap.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST = 16 };

typedef struct thirl_heap_slot {
  thirl_time key;
  uint64_t order;
  thirl_heap_node *node;
} slot;

void thirl_heap_init(thirl_heap *h, size_t max) {
  assert(max > 0);
  *h = (thirl_heap){.max = max};
}

void thirl_heap_fini(thirl_heap *h) {
  free(h->slots);
  *h = (thirl_heap){.max = h->max};
}

static bool before(const slot *a, const slot *b) {
  return a->key != b->key ? a->key < b->key : a->order < b->order;
}

static void place(thirl_heap *h, size_t i, slot s) {
  h->slots[i] = s;
  s.node->at = i + 1;
}

/* Let s sink or rise from the hole at i to where it belongs. */
static void settle(thirl_heap *h, size_t i, slot s) {
  while (i > 0 && before(&s, &h->slots[(i - 1) / 2])) {
    place(h, i, h->slots[(i - 1) / 2]);
    i = (i - 1) / 2;
  }
  for (;;) {
    size_t child = 2 * i + 1;
    if (child + 1 < h->n && before(&h->slots[child + 1], &h->slots[child])) child++;
    if (child >= h->n || !before(&h->slots[child], &s)) break;
    place(h, i, h->slots[child]);
    i = child;
  }
  place(h, i, s);
}

static thirl_error grow(thirl_heap *h) {
  if (h->n >= h->max) return THIRL_E_LIMIT;
  size_t cap = h->cap ? h->cap * 2 : FIRST;
  if (cap > h->max) cap = h->max;
  slot *bigger = realloc(h->slots, cap * sizeof *bigger);
  if (!bigger) return THIRL_E_NOMEM;
  h->slots = bigger;
  h->cap = cap;
  return THIRL_OK;
}

thirl_error thirl_heap_set(thirl_heap *h, thirl_heap_node *node, thirl_time key) {
  size_t i = node->at;
  if (i == 0) {
    if (h->n == h->cap) {
      thirl_error e = grow(h);
      if (e != THIRL_OK) return e;
    }
    i = ++h->n;
  }
  settle(h, i - 1, (slot){.key = key, .order = h->next_order++, .node = node});
  return THIRL_OK;
}

void thirl_heap_remove(thirl_heap *h, thirl_heap_node *node) {
  if (node->at == 0) return;
  size_t hole = node->at - 1;
  slot last = h->slots[--h->n];
  node->at = 0;
  if (last.node != node) settle(h, hole, last);
}

thirl_heap_node *thirl_heap_first(const thirl_heap *h) {
  return h->n ? h->slots[0].node : NULL;
}

thirl_time thirl_heap_first_key(const thirl_heap *h) {
  return h->n ? h->slots[0].key : THIRL_NEVER;
}
