/* SPDX-License-Identifier: MIT */
#include "lab/internet/neighbour.h"

#include <stdlib.h>
#include <string.h>

static const thirl_time ASK_AGAIN = THIRL_S;      /* RFC 4861 section 10: RETRANS_TIMER */
static const thirl_time KNOWN_FOR = 30 * THIRL_S; /* REACHABLE_TIME; it is used on while it is asked for again */

void thirl_lab_neighbour_init(thirl_lab_neighbours *t, uint64_t seed) {
  memset(t, 0, sizeof *t);
  thirl_map_init(&t->by_addr, sizeof(thirl_addr), seed);
  thirl_heap_init(&t->timers, THIRL_LAB_NEIGHBOURS_MAX);
}

void thirl_lab_neighbour_remove(thirl_lab_neighbours *t, thirl_lab_neighbour *n) {
  t->dropped += n->waiting.n;
  thirl_lab_flight_clear(&n->waiting);
  thirl_heap_remove(&t->timers, &n->timer);
  thirl_map_remove(&t->by_addr, &n->addr);
  t->n--;
  free(n);
}

void thirl_lab_neighbour_clear(thirl_lab_neighbours *t) {
  for (thirl_heap_node *k; (k = thirl_heap_first(&t->timers));)
    thirl_lab_neighbour_remove(t, THIRL_OWNER(k, thirl_lab_neighbour, timer)); /* every entry has a timer */
}

void thirl_lab_neighbour_fini(thirl_lab_neighbours *t) {
  thirl_lab_neighbour_clear(t);
  thirl_map_fini(&t->by_addr);
  thirl_heap_fini(&t->timers);
}

thirl_lab_neighbour *thirl_lab_neighbour_find(const thirl_lab_neighbours *t, const thirl_addr *addr) {
  return thirl_map_get(&t->by_addr, addr);
}

static thirl_lab_neighbour *make_entry(thirl_lab_neighbours *t, const thirl_addr *addr, thirl_time until) {
  thirl_lab_neighbour *n = t->n < THIRL_LAB_NEIGHBOURS_MAX ? calloc(1, sizeof *n) : NULL;
  if (!n) return NULL;
  n->addr = *addr;
  if (thirl_heap_set(&t->timers, &n->timer, until) != THIRL_OK || thirl_map_put(&t->by_addr, addr, n) != THIRL_OK) {
    thirl_heap_remove(&t->timers, &n->timer);
    free(n);
    return NULL;
  }
  t->n++;
  return n;
}

thirl_lab_neighbour *thirl_lab_neighbour_want(thirl_lab_neighbours *t, thirl_time now, const thirl_addr *addr,
                                              bool *ask) {
  thirl_lab_neighbour *n = thirl_lab_neighbour_find(t, addr);
  *ask = !n;
  if (!n) {
    n = make_entry(t, addr, thirl_time_after(now, ASK_AGAIN));
    if (!n) return NULL;
    n->asked = 1;
  }
  n->is_used = true;
  return n;
}

void thirl_lab_neighbour_wait(thirl_lab_neighbours *t, thirl_lab_neighbour *n, thirl_lab_packet *p) {
  thirl_lab_flight_append(&n->waiting, p);
  if (n->waiting.n <= THIRL_LAB_NEIGHBOUR_WAITING_MAX) return;
  free(thirl_lab_flight_first(&n->waiting));
  t->dropped++;
}

thirl_lab_neighbour *thirl_lab_neighbour_learn(thirl_lab_neighbours *t, thirl_time now, const thirl_addr *addr,
                                               const uint8_t *mac, bool make) {
  thirl_time until = thirl_time_after(now, KNOWN_FOR);
  thirl_lab_neighbour *n = thirl_lab_neighbour_find(t, addr);
  if (!n && make) n = make_entry(t, addr, until);
  if (!n) return NULL;
  memcpy(n->mac, mac, sizeof n->mac);
  n->is_known = true;
  n->is_used = n->waiting.n > 0;
  n->asked = 0;
  (void)thirl_heap_set(&t->timers, &n->timer, until); /* moving never fails */
  return n;
}

bool thirl_lab_neighbour_due(thirl_lab_neighbours *t, thirl_time now, thirl_lab_neighbour **out, bool *ask) {
  thirl_lab_neighbour *n = NULL;
  while (thirl_heap_first_key(&t->timers) <= now) {
    n = THIRL_OWNER(thirl_heap_first(&t->timers), thirl_lab_neighbour, timer);
    if (n->is_used) break;
    thirl_lab_neighbour_remove(t, n);
    n = NULL;
  }
  if (!n) return false;
  *out = n;
  *ask = n->asked < THIRL_LAB_NEIGHBOUR_TRIES;
  if (!*ask) return true;
  n->asked++;
  (void)thirl_heap_set(&t->timers, &n->timer, thirl_time_after(now, ASK_AGAIN)); /* moving never fails */
  return true;
}

thirl_time thirl_lab_neighbour_deadline(const thirl_lab_neighbours *t) {
  return thirl_heap_first_key(&t->timers);
}
