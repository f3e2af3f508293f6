/* SPDX-License-Identifier: MIT */
/*
 * Forming, pruning and ordering of pairs. What a pair does once it has its turn is link.c's (TCP) and check.c's.
 *
 * Pairs with a passive local candidate are not in the list (RFC 6544 6.2): such a pair appears when its connection has come in and has
 * proven itself.
 */
#include "ice/pair.h"

#include <string.h>

/* RFC 8445 6.1.2.3 */
static uint64_t priority_of(const thirl_ice *a, unsigned local, unsigned remote) {
  uint64_t ours = a->locals[local].priority, theirs = a->remotes[remote].priority;
  uint64_t g = a->controlling ? ours : theirs, d = a->controlling ? theirs : ours;
  return (THIRL_MIN(g, d) << 32) + 2 * THIRL_MAX(g, d) + (g > d ? 1 : 0);
}

bool thirl_ice_pair_is_tcp(const thirl_ice *a, uint8_t pair) {
  return thirl_ice_candidate_is_tcp(a->locals[a->pairs[pair].local].transport);
}

bool thirl_ice_pair_has_flow(const thirl_ice *a, uint8_t pair) {
  for (unsigned i = 0; i < a->n_flows; i++)
    if (a->flows[i].state != THIRL_ICE_FLOW_FREE && a->flows[i].pair == pair) return true;
  return false;
}

uint8_t thirl_ice_pair_find(const thirl_ice *a, bool tcp, const thirl_addr *base, const thirl_addr *remote) {
  for (unsigned i = 0; i < a->n_pairs; i++) {
    const thirl_ice_pair *p = &a->pairs[i];
    if (thirl_ice_pair_is_tcp(a, (uint8_t)i) == tcp && thirl_addr_equal(&a->remotes[p->remote].addr, remote) &&
        thirl_addr_equal(&a->locals[p->local].base, base))
      return (uint8_t)i;
  }
  return THIRL_ICE_NO_PAIR;
}

int thirl_ice_pair_local_of(const thirl_ice *a, bool tcp, const thirl_addr *local) {
  int best = -1, best_score = 0;
  for (unsigned i = 0; i < a->n_locals; i++) {
    const thirl_ice_candidate *c = &a->locals[i];
    if (thirl_ice_candidate_is_tcp(c->transport) != tcp || c->transport == THIRL_ICE_TCP_ACTIVE) continue;
    if (c->base.family != local->family || c->base.port != local->port) continue;
    int score = thirl_addr_same_ip(&c->base, local) ? 5 : thirl_addr_is_any(&c->base) ? 3 : 1;
    if (c->type == THIRL_ICE_HOST || c->type == THIRL_ICE_RELAY) score++;
    if (score > best_score) best = (int)i, best_score = score;
  }
  return best;
}

static bool is_link_local(const thirl_addr *a) {
  return a->family == THIRL_FAMILY_V6 && a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

static bool may_pair(const thirl_ice *a, const thirl_ice_candidate *l, const thirl_ice_candidate *r) {
  if (!thirl_ice_candidate_matches(l->transport, r->transport) || l->transport == THIRL_ICE_TCP_PASSIVE) return false;
  if (r->type == THIRL_ICE_PRFLX) return false; /* known for one base only */
  if (l->base.family != r->addr.family || is_link_local(&l->base) != is_link_local(&r->addr)) return false;
  if (a->cfg.lanes && l->transport == THIRL_ICE_TCP_SO && l->lane != r->lane) return false;
  return !thirl_addr_equal(&l->base, &r->addr); /* that would be a connection with ourselves */
}

static bool is_spare(const thirl_ice *a, uint8_t pair) {
  const thirl_ice_pair *p = &a->pairs[pair];
  return (p->state == THIRL_ICE_PAIR_FROZEN || p->state == THIRL_ICE_PAIR_WAITING ||
          p->state == THIRL_ICE_PAIR_FAILED) &&
         p->retry_at == THIRL_NEVER && !thirl_ice_pair_has_flow(a, pair);
}

/* RFC 8445 6.1.2.5: with more pairs than the limit, the worst are dropped. A pair that proved itself takes the place of any other. */
static uint8_t make_room(thirl_ice *a, uint64_t priority) {
  if (a->n_pairs < THIRL_ICE_PAIRS_MAX) return (uint8_t)a->n_pairs++;
  uint8_t worst = THIRL_ICE_NO_PAIR;
  for (uint8_t i = 0; i < a->n_pairs; i++) {
    if (a->pairs[i].priority >= priority || !is_spare(a, i)) continue;
    if (worst == THIRL_ICE_NO_PAIR || a->pairs[i].priority < a->pairs[worst].priority) worst = i;
  }
  return worst;
}

static uint8_t insert(thirl_ice *a, unsigned local, unsigned remote, bool came) {
  uint64_t priority = priority_of(a, local, remote);
  uint8_t i = make_room(a, came ? UINT64_MAX : priority);
  if (i == THIRL_ICE_NO_PAIR) return i;
  a->pairs[i] = (thirl_ice_pair){.local = (uint8_t)local,
                                 .remote = (uint8_t)remote,
                                 .initiates = !came,
                                 .state = came ? THIRL_ICE_PAIR_WAITING : THIRL_ICE_PAIR_FROZEN,
                                 .priority = priority,
                                 .retry_at = THIRL_NEVER};
  return i;
}

uint8_t thirl_ice_pair_add(thirl_ice *a, unsigned local, unsigned remote) {
  return insert(a, local, remote, true);
}

/* RFC 8445 6.1.2.4: a reflexive local candidate is replaced by its base; of two pairs that look alike on the wire the better stays. */
static void form(thirl_ice *a, unsigned local, unsigned remote) {
  const thirl_ice_candidate *l = &a->locals[local], *r = &a->remotes[remote];
  if (!may_pair(a, l, r)) return;
  uint8_t twin = thirl_ice_pair_find(a, thirl_ice_candidate_is_tcp(l->transport), &l->base, &r->addr);
  if (twin == THIRL_ICE_NO_PAIR) {
    insert(a, local, remote, false);
    return;
  }
  uint64_t priority = priority_of(a, local, remote);
  thirl_ice_pair *p = &a->pairs[twin];
  if (priority <= p->priority) return;
  p->local = (uint8_t)local;
  p->remote = (uint8_t)remote;
  p->priority = priority;
}

void thirl_ice_pair_form_local(thirl_ice *a, unsigned local) {
  for (unsigned r = 0; r < a->n_remotes; r++)
    form(a, local, r);
}

void thirl_ice_pair_form_remote(thirl_ice *a, unsigned remote) {
  for (unsigned l = 0; l < a->n_locals; l++)
    form(a, l, remote);
}

static bool same_foundation(const thirl_ice *a, const thirl_ice_pair *x, const thirl_ice_pair *y) {
  return a->locals[x->local].foundation == a->locals[y->local].foundation &&
         a->remotes[x->remote].foundation == a->remotes[y->remote].foundation;
}

void thirl_ice_pair_set(thirl_ice *a, uint8_t pair, thirl_ice_pair_state state) {
  thirl_ice_pair *p = &a->pairs[pair];
  p->state = state;
  if (state != THIRL_ICE_PAIR_SUCCEEDED) return;
  for (unsigned i = 0; i < a->n_pairs; i++) /* RFC 8445 7.2.5.3.3 */
    if (a->pairs[i].state == THIRL_ICE_PAIR_FROZEN && same_foundation(a, p, &a->pairs[i]))
      a->pairs[i].state = THIRL_ICE_PAIR_WAITING;
}

static bool foundation_is_busy(const thirl_ice *a, const thirl_ice_pair *p) {
  for (unsigned i = 0; i < a->n_pairs; i++) {
    const thirl_ice_pair *o = &a->pairs[i];
    if ((o->state == THIRL_ICE_PAIR_WAITING || o->state == THIRL_ICE_PAIR_IN_PROGRESS) && same_foundation(a, o, p))
      return true;
  }
  return false;
}

/* RFC 8445 6.1.4.2. With burst nothing is frozen for long: every pair has its turn in the same instant. */
uint8_t thirl_ice_pair_next(const thirl_ice *a) {
  uint8_t best = THIRL_ICE_NO_PAIR;
  bool best_waits = false;
  for (uint8_t i = 0; i < a->n_pairs; i++) {
    const thirl_ice_pair *p = &a->pairs[i];
    bool frozen = p->state == THIRL_ICE_PAIR_FROZEN,
         waits = p->state == THIRL_ICE_PAIR_WAITING || (frozen && a->cfg.burst);
    if (!p->initiates || (!frozen && !waits) || (best_waits && !waits)) continue;
    if (best != THIRL_ICE_NO_PAIR && best_waits == waits && a->pairs[best].priority >= p->priority) continue;
    if (!waits && foundation_is_busy(a, p)) continue;
    best = i;
    best_waits = waits;
  }
  return best;
}

void thirl_ice_pair_reprioritize(thirl_ice *a) {
  for (unsigned i = 0; i < a->n_pairs; i++)
    a->pairs[i].priority = priority_of(a, a->pairs[i].local, a->pairs[i].remote);
}
