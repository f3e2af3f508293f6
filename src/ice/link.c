/* SPDX-License-Identifier: MIT */
/*
 * TCP connections made for pairs. The rule of punching: a connecting socket is never closed and reopened; one that was refused is
 * replaced in the same instant, because between two SYNs of ours the NAT's door is shut.
 *
 *                 open                 up
 *   (pair waits) -----> CONNECTING ----------> UP ---> gone
 *                         |    ^
 *        refused: at once |    | retry_at (about 200 ms after cfg.refusals in a row; 1 s when the four-tuple is in use)
 *                         v    |
 *                       (pair in progress, no flow)
 */
#include "ice/link.h"

#include <string.h>

#include "ice/pair.h"
#include "ice/queue.h"

#define RETRY_GAP    (150 * THIRL_MS) /* and up to RETRY_SPREAD more: 200 ms on average */
#define RETRY_SPREAD (100 * THIRL_MS)
#define IN_USE_GAP   (1 * THIRL_S)

enum { ACCEPTED_MAX = 24 };

static thirl_ice_flow *new_flow(thirl_ice *a) {
  unsigned i = 0;
  while (i < a->n_flows && a->flows[i].state != THIRL_ICE_FLOW_FREE)
    i++;
  if (i == THIRL_ICE_LINKS_MAX) return NULL;
  if (i == a->n_flows) a->n_flows++;
  thirl_ice_flow *f = &a->flows[i];
  memset(f, 0, sizeof *f);
  f->pair = THIRL_ICE_NO_PAIR;
  f->next_at = f->expires_at = THIRL_NEVER;
  f->up_at = a->now;
  return f;
}

thirl_ice_flow *thirl_ice_link_open(thirl_ice *a, uint8_t pair) {
  thirl_ice_pair *p = &a->pairs[pair];
  const thirl_ice_candidate *l = &a->locals[p->local], *r = &a->remotes[p->remote];
  p->retry_at = THIRL_NEVER;
  thirl_ice_pair_set(a, pair, THIRL_ICE_PAIR_IN_PROGRESS);
  if (thirl_ice_pair_has_flow(a, pair)) return NULL;
  thirl_ice_flow *f = new_flow(a);
  if (!f) {
    p->retry_at = thirl_time_after(a->now, RETRY_GAP);
    return NULL;
  }
  f->pair = pair;
  f->local = l->base;
  f->remote = r->addr;
  f->state = THIRL_ICE_FLOW_UP;
  if (thirl_ice_candidate_is_tcp(l->transport)) {
    f->state = THIRL_ICE_FLOW_CONNECTING;
    f->link = ++a->last_link;
    a->evidence.connects++;
    thirl_ice_action out = {.kind = THIRL_ICE_CONNECT, .link = f->link, .local = f->local, .remote = f->remote};
    thirl_ice_queue_push(&a->queue, &out, NULL);
  } else {
    f->check = THIRL_ICE_CHECK_QUEUED;
    f->order = ++a->last_order;
  }
  return f;
}

thirl_ice_flow *thirl_ice_link_accept(thirl_ice *a, const thirl_addr *local, const thirl_addr *remote) {
  unsigned accepted = 0;
  for (unsigned i = 0; i < a->n_flows; i++)
    accepted += a->flows[i].state != THIRL_ICE_FLOW_FREE && a->flows[i].accepted;
  thirl_ice_flow *f = accepted < ACCEPTED_MAX ? new_flow(a) : NULL;
  if (!f) return NULL;
  f->state = THIRL_ICE_FLOW_UP;
  f->link = ++a->last_link;
  f->accepted = true;
  f->local = *local;
  f->remote = *remote;
  f->expires_at = thirl_time_after(a->now, a->cfg.check_timeout);
  int l = thirl_ice_pair_local_of(a, true, local);
  if (l >= 0) f->pair = thirl_ice_pair_find(a, true, &a->locals[l].base, remote);
  if (f->pair != THIRL_ICE_NO_PAIR) {
    a->pairs[f->pair].retry_at = THIRL_NEVER;
    thirl_ice_pair_set(a, f->pair, THIRL_ICE_PAIR_IN_PROGRESS);
  }
  a->evidence.links_up++;
  return f;
}

thirl_ice_flow *thirl_ice_link_find(thirl_ice *a, thirl_ice_link link) {
  for (unsigned i = 0; link != 0 && i < a->n_flows; i++)
    if (a->flows[i].state != THIRL_ICE_FLOW_FREE && a->flows[i].link == link) return &a->flows[i];
  return NULL;
}

thirl_ice_flow *thirl_ice_link_find_udp(thirl_ice *a, const thirl_addr *local, const thirl_addr *remote) {
  for (unsigned i = 0; i < a->n_flows; i++) {
    thirl_ice_flow *f = &a->flows[i];
    if (f->state != THIRL_ICE_FLOW_FREE && f->link == 0 && thirl_addr_equal(&f->remote, remote) &&
        thirl_addr_equal(&f->local, local))
      return f;
  }
  return NULL;
}

void thirl_ice_link_up(thirl_ice *a, thirl_ice_flow *f, const thirl_addr *local, const thirl_addr *remote) {
  if (f->state != THIRL_ICE_FLOW_CONNECTING) return;
  f->state = THIRL_ICE_FLOW_UP;
  f->up_at = a->now;
  if (thirl_addr_is_set(local)) f->local = *local;
  if (thirl_addr_is_set(remote)) f->remote = *remote;
  f->check = THIRL_ICE_CHECK_QUEUED;
  f->order = ++a->last_order;
  a->evidence.links_up++;
}

/* When the first of the connections to this very address came up: the one that is proven first need not be the one that was there first. */
static thirl_time first_up(const thirl_ice *a, const thirl_ice_flow *f) {
  thirl_time at = f->up_at;
  for (unsigned i = 0; i < a->n_flows; i++) {
    const thirl_ice_flow *o = &a->flows[i];
    if (o->state == THIRL_ICE_FLOW_UP && o->link && thirl_addr_same_ip(&o->remote, &f->remote))
      at = THIRL_MIN(at, o->up_at);
  }
  return at;
}

void thirl_ice_link_confirm(thirl_ice *a, const thirl_ice_flow *f) {
  if (a->link_confirmed || f->link == 0) return;
  a->link_confirmed = true;
  thirl_ice_action out = {
      .kind = THIRL_ICE_LINK_CONFIRMED, .link = f->link, .local = f->local, .remote = f->remote, .at = first_up(a, f)};
  thirl_ice_queue_push(&a->queue, &out, NULL);
}

static void count_failure(thirl_ice *a, thirl_error error) {
  a->evidence.refused += error == THIRL_E_REFUSED || error == THIRL_E_RESET;
  a->evidence.unreachable += error == THIRL_E_UNREACHABLE;
  a->evidence.timeouts += error == THIRL_E_TIMEOUT;
}

/*
 * When to connect again: at once after a refusal, as long as they are few. Later ones are spread, or two peers that are both refused could
 * miss each other for ever in the same rhythm. A four-tuple in use belongs to a connection that is coming in; should it die unseen, a later attempt finds out, at the price of a system call.
 */
static thirl_time again_at(thirl_ice *a, const thirl_ice_pair *p, thirl_error error, bool refused) {
  if (a->state != THIRL_ICE_AGENT_CHECKING) return THIRL_NEVER;
  if (error == THIRL_E_IN_USE) return thirl_time_after(a->now, IN_USE_GAP);
  if (!refused || !a->cfg.burst) return THIRL_NEVER;
  if (p->refused_in_row <= a->cfg.refusals) return a->now;
  return thirl_time_after(a->now, RETRY_GAP + thirl_dice_below(&a->dice, RETRY_SPREAD + 1));
}

void thirl_ice_link_failed(thirl_ice *a, thirl_ice_flow *f, thirl_error error) {
  if (f->state != THIRL_ICE_FLOW_CONNECTING) {
    thirl_ice_link_drop(a, f, THIRL_OK);
    return;
  }
  uint8_t pair = f->pair;
  thirl_ice_pair *p = &a->pairs[pair];
  bool refused = error == THIRL_E_REFUSED || error == THIRL_E_UNREACHABLE || error == THIRL_E_RESET;
  count_failure(a, error);
  p->refused_in_row += refused;
  if (refused || error == THIRL_E_TIMEOUT) p->why = error == THIRL_E_RESET ? THIRL_E_REFUSED : error;
  f->state = THIRL_ICE_FLOW_FREE;
  p->retry_at = again_at(a, p, error, refused);
  if (p->retry_at <= a->now)
    thirl_ice_link_open(a, pair);
  else if (p->retry_at == THIRL_NEVER && !thirl_ice_pair_has_flow(a, pair))
    thirl_ice_pair_set(a, pair, THIRL_ICE_PAIR_FAILED);
}

void thirl_ice_link_drop(thirl_ice *a, thirl_ice_flow *f, thirl_error why) {
  uint8_t pair = f->pair;
  f->state = THIRL_ICE_FLOW_FREE;
  f->selected = f->nominated = f->confirmed = f->nominating = false;
  if (pair == THIRL_ICE_NO_PAIR) return;
  if (why) a->pairs[pair].why = why;
  if (!thirl_ice_pair_has_flow(a, pair) && a->pairs[pair].retry_at == THIRL_NEVER)
    thirl_ice_pair_set(a, pair, THIRL_ICE_PAIR_FAILED);
}

void thirl_ice_link_abort(thirl_ice *a, thirl_ice_flow *f, thirl_error why) {
  if (f->link) {
    thirl_ice_action out = {.kind = THIRL_ICE_ABORT, .link = f->link, .local = f->local, .remote = f->remote};
    thirl_ice_queue_push(&a->queue, &out, NULL);
  }
  thirl_ice_link_drop(a, f, why);
}

void thirl_ice_link_retry(thirl_ice *a) {
  for (uint8_t i = 0; i < a->n_pairs; i++)
    if (a->pairs[i].retry_at <= a->now) thirl_ice_link_open(a, i);
}

void thirl_ice_link_stop(thirl_ice *a) {
  for (unsigned i = 0; i < a->n_pairs; i++)
    a->pairs[i].retry_at = THIRL_NEVER;
}

thirl_time thirl_ice_link_deadline(const thirl_ice *a) {
  thirl_time t = THIRL_NEVER;
  for (unsigned i = 0; i < a->n_pairs; i++)
    t = THIRL_MIN(t, a->pairs[i].retry_at);
  return t;
}
