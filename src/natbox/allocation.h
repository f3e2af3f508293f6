/* SPDX-License-Identifier: MIT */
/* Which outer port a new binding gets. */
#ifndef THIRL_NATBOX_ALLOCATION_H
#define THIRL_NATBOX_ALLOCATION_H

#include "base/rand.h"
#include "natbox/session.h"

typedef struct thirl_natbox_allocator {
  thirl_dice dice;
  uint32_t next[THIRL_NATBOX_ECHO + 1]; /* by protocol, SEQUENTIAL: the port to try next; 0 = begin */
  thirl_map hosts;                      /* BLOCK, PAIRED: inner address -> 1 + its number, in the order of appearance */
} thirl_natbox_allocator;

void thirl_natbox_allocation_init(thirl_natbox_allocator *a, uint64_t seed);
void thirl_natbox_allocation_fini(thirl_natbox_allocator *a);
/** As after power-up: sequences begin again and blocks are dealt anew. */
void thirl_natbox_allocation_reset(thirl_natbox_allocator *a);

/**
 * The outer address for a new binding of an inner host: the only one, or one of the pool.
 *
 * THIRL_E_NOMEM   PAIRED only
 */
thirl_error thirl_natbox_allocation_external(thirl_natbox_allocator *a, const thirl_natbox_config *config,
                                             const thirl_addr *inside, thirl_addr *out);

/** What a port is wanted for. */
typedef struct thirl_natbox_wish {
  uint8_t protocol;
  thirl_addr inside, remote;
  thirl_addr external; /* port ignored */
  unsigned n_external; /* how many outer addresses inner hosts are dealt to in turn */
} thirl_natbox_wish;

/**
 * Choose the outer endpoint of a new binding. On E_IN_USE the endpoint in *out belongs to another binding that must be removed first
 * (COLLIDE_EVICT).
 *
 * THIRL_E_LIMIT   no port is free
 * THIRL_E_NOMEM   BLOCK only
 */
thirl_error thirl_natbox_allocation_pick(thirl_natbox_allocator *a, const thirl_natbox_rules *rules,
                                         const thirl_natbox_wish *wish, const thirl_natbox_bindings *bindings,
                                         const thirl_natbox_sessions *sessions, thirl_addr *out);

#endif
