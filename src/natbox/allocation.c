/* SPDX-License-Identifier: MIT */
#include "natbox/allocation.h"

#include <string.h>

enum { RANDOM_TRIES = 32 };

void thirl_natbox_allocation_init(thirl_natbox_allocator *a, uint64_t seed) {
  *a = (thirl_natbox_allocator){0};
  thirl_dice_seed(&a->dice, seed);
  thirl_map_init(&a->hosts, sizeof(thirl_addr), seed);
}

void thirl_natbox_allocation_fini(thirl_natbox_allocator *a) {
  thirl_map_fini(&a->hosts);
}

void thirl_natbox_allocation_reset(thirl_natbox_allocator *a) {
  memset(a->next, 0, sizeof a->next);
  thirl_map_fini(&a->hosts);
}

/* A range of ports, both ends included. */
typedef struct range {
  uint32_t lo, hi;
} range;

typedef struct search {
  const thirl_natbox_rules *rules;
  const thirl_natbox_wish *wish;
  const thirl_natbox_bindings *bindings;
  const thirl_natbox_sessions *sessions;
} search;

static bool is_free(const search *s, uint32_t port) {
  thirl_addr outside = thirl_addr_with_port(s->wish->external, (uint16_t)port);
  if (thirl_natbox_holddown_bars(&s->bindings->resting, s->wish->protocol, &outside, &s->wish->inside)) return false;
  if (thirl_natbox_session_of_outside(s->sessions, s->wish->protocol, &outside, &s->wish->remote)) return false;
  return thirl_natbox_binding_overlaps(s->rules) ||
         !thirl_natbox_binding_of_outside(s->bindings, s->wish->protocol, &outside);
}

/* The first free port from start upwards, round the range in steps; 0 when there is none. */
static uint32_t scan(const search *s, range r, uint32_t start, uint32_t step) {
  uint32_t n = r.hi - r.lo + 1, at = start - r.lo;
  for (uint32_t i = 0; i < n; i++, at = (at + step) % n)
    if (is_free(s, r.lo + at)) return r.lo + at;
  return 0;
}

static uint32_t pick_random(thirl_natbox_allocator *a, const search *s, range r) {
  uint32_t n = r.hi - r.lo + 1;
  for (int i = 0; i < RANDOM_TRIES; i++) {
    uint32_t port = r.lo + (uint32_t)thirl_dice_below(&a->dice, n);
    if (is_free(s, port)) return port;
  }
  return scan(s, r, r.lo + (uint32_t)thirl_dice_below(&a->dice, n), 1);
}

static uint32_t pick_sequential(thirl_natbox_allocator *a, const search *s, range r) {
  uint32_t *next = &a->next[s->wish->protocol], step = s->rules->step ? s->rules->step : 1;
  if (*next < r.lo || *next > r.hi) *next = r.lo;
  uint32_t port = scan(s, r, *next, step);
  if (port == 0) return 0;
  *next = port + step > r.hi ? r.lo + (port + step - r.hi - 1) % (r.hi - r.lo + 1) : port + step;
  return port;
}

/* Inner hosts are numbered as they appear. */
static thirl_error number_of(thirl_natbox_allocator *a, const thirl_addr *inside, uintptr_t *out) {
  thirl_addr host = thirl_addr_with_port(*inside, 0);
  uintptr_t number = (uintptr_t)thirl_map_get(&a->hosts, &host);
  if (number == 0) {
    number = a->hosts.n + 1;
    thirl_error e = thirl_map_put(&a->hosts, &host, (void *)number); // NOLINT(performance-no-int-to-ptr)
    if (e != THIRL_OK) return e;
  }
  *out = number - 1;
  return THIRL_OK;
}

thirl_error thirl_natbox_allocation_external(thirl_natbox_allocator *a, const thirl_natbox_config *config,
                                             const thirl_addr *inside, thirl_addr *out) {
  uintptr_t number = 0;
  *out = config->external;
  if (config->n_pool == 0) return THIRL_OK;
  if (config->pooling == THIRL_NATBOX_ARBITRARY) {
    number = (uintptr_t)thirl_dice_below(&a->dice, config->n_pool + 1u);
  } else {
    thirl_error e = number_of(a, inside, &number);
    if (e != THIRL_OK) return e;
  }
  number %= config->n_pool + 1u;
  if (number > 0) *out = config->pool[number - 1];
  return THIRL_OK;
}

/* The ports that belong to the inner host. More hosts than blocks share them. */
static thirl_error block_of(thirl_natbox_allocator *a, const search *s, range *r) {
  uint32_t size = s->rules->block ? s->rules->block : 1, total = r->hi - r->lo + 1;
  uint32_t blocks = total / size;
  if (blocks == 0) return THIRL_OK;
  uintptr_t number = 0;
  thirl_error e = number_of(a, &s->wish->inside, &number);
  if (e != THIRL_OK) return e;
  if (s->wish->n_external > 1) number /= s->wish->n_external;
  r->lo += (uint32_t)(number % blocks) * size;
  r->hi = r->lo + size - 1;
  return THIRL_OK;
}

/* 0 = no port; *evict: it belongs to another binding, which must go. */
static uint32_t pick_preserved(thirl_natbox_allocator *a, const search *s, range r, bool *evict) {
  uint32_t port = s->wish->inside.port;
  bool in_range = port >= r.lo && port <= r.hi;
  /* Linux thinks first of the port that the same inner endpoint has towards another one, the newest. */
  const thirl_natbox_binding *newest = thirl_natbox_binding_newest_of(s->bindings, s->wish->protocol, &s->wish->inside);
  if (newest && thirl_natbox_binding_overlaps(s->rules) && newest->outside.port >= r.lo &&
      newest->outside.port <= r.hi && thirl_addr_same_ip(&newest->outside, &s->wish->external) &&
      is_free(s, newest->outside.port))
    return newest->outside.port;
  if (in_range && is_free(s, port)) return port;
  if (in_range && s->rules->collision == THIRL_NATBOX_COLLIDE_EVICT) {
    *evict = true;
    return port;
  }
  if (in_range && s->rules->collision == THIRL_NATBOX_COLLIDE_NEXT) return scan(s, r, port, 1);
  return pick_random(a, s, r);
}

thirl_error thirl_natbox_allocation_pick(thirl_natbox_allocator *a, const thirl_natbox_rules *rules,
                                         const thirl_natbox_wish *wish, const thirl_natbox_bindings *bindings,
                                         const thirl_natbox_sessions *sessions, thirl_addr *out) {
  search s = {.rules = rules, .wish = wish, .bindings = bindings, .sessions = sessions};
  range r = {.lo = rules->port_lo ? rules->port_lo : 1, .hi = rules->port_hi};
  uint32_t port = 0;
  bool evict = false;
  thirl_error e = THIRL_OK;
  if (r.lo > r.hi) return THIRL_E_LIMIT;
  switch (rules->allocation) {
  case THIRL_NATBOX_PRESERVE:
    port = pick_preserved(a, &s, r, &evict);
    break;
  case THIRL_NATBOX_SEQUENTIAL:
    port = pick_sequential(a, &s, r);
    break;
  case THIRL_NATBOX_BLOCK:
    e = block_of(a, &s, &r);
    if (e != THIRL_OK) return e;
    port = pick_random(a, &s, r);
    break;
  default:
    port = pick_random(a, &s, r);
    break;
  }
  *out = thirl_addr_with_port(wish->external, (uint16_t)port);
  if (port == 0) return THIRL_E_LIMIT;
  return evict ? THIRL_E_IN_USE : THIRL_OK;
}
