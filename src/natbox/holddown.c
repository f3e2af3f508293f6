/* SPDX-License-Identifier: MIT */
#include "natbox/holddown.h"

#include <stdlib.h>

#include "base/list.h"

typedef struct resting_key {
  thirl_addr outside;
  uint32_t protocol;
} resting_key;

typedef struct resting {
  resting_key key;
  thirl_addr inside;
  thirl_heap_node timer;
} resting;

void thirl_natbox_holddown_init(thirl_natbox_holddown *h, uint64_t seed) {
  thirl_map_init(&h->ports, sizeof(resting_key), seed);
  thirl_heap_init(&h->timers, THIRL_NATBOX_HOLDDOWN_MAX);
}

static void wake(thirl_natbox_holddown *h, resting *r) {
  thirl_map_remove(&h->ports, &r->key);
  thirl_heap_remove(&h->timers, &r->timer);
  free(r);
}

void thirl_natbox_holddown_expire(thirl_natbox_holddown *h, thirl_time now) {
  for (thirl_heap_node *n; (n = thirl_heap_first(&h->timers)) != NULL && thirl_heap_first_key(&h->timers) <= now;)
    wake(h, THIRL_OWNER(n, resting, timer));
}

void thirl_natbox_holddown_clear(thirl_natbox_holddown *h) {
  for (thirl_heap_node *n; (n = thirl_heap_first(&h->timers)) != NULL;)
    wake(h, THIRL_OWNER(n, resting, timer));
}

void thirl_natbox_holddown_fini(thirl_natbox_holddown *h) {
  thirl_natbox_holddown_clear(h);
  thirl_map_fini(&h->ports);
  thirl_heap_fini(&h->timers);
}

void thirl_natbox_holddown_put(thirl_natbox_holddown *h, uint8_t protocol, const thirl_addr *outside,
                               const thirl_addr *inside, thirl_time until) {
  resting_key key = {.outside = *outside, .protocol = protocol};
  resting *r = thirl_map_get(&h->ports, &key);
  if (!r) {
    r = calloc(1, sizeof *r);
    if (!r) return;
    r->key = key;
    if (thirl_map_put(&h->ports, &key, r) != THIRL_OK) {
      free(r);
      return;
    }
  }
  r->inside = *inside;
  if (thirl_heap_set(&h->timers, &r->timer, until) != THIRL_OK) wake(h, r);
}

bool thirl_natbox_holddown_bars(const thirl_natbox_holddown *h, uint8_t protocol, const thirl_addr *outside,
                                const thirl_addr *inside) {
  if (h->ports.n == 0) return false;
  resting_key key = {.outside = *outside, .protocol = protocol};
  const resting *r = thirl_map_get(&h->ports, &key);
  return r && !thirl_addr_equal(&r->inside, inside);
}
