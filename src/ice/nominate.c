/* SPDX-License-Identifier: MIT */
/* From valid pairs to the one in use. Everything here is derived from the flows; nothing is remembered that they do not say. */
#include "ice/nominate.h"

#include "ice/check.h"
#include "ice/consent.h"
#include "ice/link.h"
#include "ice/queue.h"

/* A nomination that is not answered yields to a pair that is valid, once it has had half as long again as the valid one needed. */
#define GRACE        (5 * THIRL_MS)
#define GRACE_PROVEN (200 * THIRL_MS)

/* How long the controlled side keeps losers (RFC 8445 8.3.1): whoever controls ends them much earlier, and may still need one of them, as long as
   our answer to its nomination is on the way and being repeated. */
#define LINGER (5 * THIRL_S)

/* A controlling peer checks the pair that it uses at least every 6 s (RFC 7675): so long without one, and it uses another. */
#define SILENCE (7 * THIRL_S)

static bool is_alive(const thirl_ice_flow *f) {
  return f->state != THIRL_ICE_FLOW_FREE;
}

static uint64_t priority_of(const thirl_ice *a, const thirl_ice_flow *f) {
  return f->pair == THIRL_ICE_NO_PAIR ? 0 : a->pairs[f->pair].priority;
}

static const thirl_ice_flow *nominee_of(const thirl_ice *a) {
  for (unsigned i = 0; i < a->n_flows; i++)
    if (is_alive(&a->flows[i]) && a->flows[i].check == THIRL_ICE_CHECK_SENT && a->flows[i].nominating)
      return &a->flows[i];
  return NULL;
}

thirl_ice_flow *thirl_ice_nominate_selected(thirl_ice *a) {
  for (unsigned i = 0; i < a->n_flows; i++)
    if (is_alive(&a->flows[i]) && a->flows[i].selected) return &a->flows[i];
  return NULL;
}

bool thirl_ice_nominate_has_selected(const thirl_ice *a) {
  for (unsigned i = 0; i < a->n_flows; i++)
    if (is_alive(&a->flows[i]) && a->flows[i].selected) return true;
  return false;
}

static const thirl_ice_flow *best_valid(const thirl_ice *a) {
  const thirl_ice_flow *best = NULL;
  for (unsigned i = 0; i < a->n_flows; i++) {
    const thirl_ice_flow *f = &a->flows[i];
    if (!is_alive(f) || !f->valid || f->nominating) continue;
    if (!best || priority_of(a, f) > priority_of(a, best)) best = f;
  }
  return best;
}

bool thirl_ice_nominate_rides(const thirl_ice *a, const thirl_ice_flow *f) {
  if (!a->controlling || !a->cfg.nominate_first || a->state != THIRL_ICE_AGENT_CHECKING) return false;
  if (nominee_of(a) || best_valid(a)) return false;
  return f->link != 0 ||
         f->heard; /* a UDP pair says nothing before its first answer; a connection has said that someone is there */
}

/* When may this unanswered nomination be taken back in favour of that valid pair? Over UDP never: it cannot be unsaid. */
static thirl_time steal_at(const thirl_ice_flow *nominee, const thirl_ice_flow *valid) {
  if (nominee->link == 0) return THIRL_NEVER;
  if (nominee->valid) return thirl_time_after(nominee->sent_at, 4 * THIRL_MAX(nominee->rtt, valid->rtt) + GRACE_PROVEN);
  return thirl_time_after(nominee->sent_at, valid->rtt + valid->rtt / 2 + GRACE);
}

/* Regular nomination waits for better pairs, for a while. */
static thirl_time settled_at(const thirl_ice *a, const thirl_ice_flow *best) {
  thirl_time first = best->valid_at;
  bool better_pending = false;
  for (unsigned i = 0; i < a->n_flows; i++)
    if (is_alive(&a->flows[i]) && a->flows[i].valid) first = THIRL_MIN(first, a->flows[i].valid_at);
  for (unsigned i = 0; i < a->n_pairs; i++)
    better_pending =
        better_pending || (a->pairs[i].state < THIRL_ICE_PAIR_SUCCEEDED && a->pairs[i].priority > priority_of(a, best));
  return better_pending ? thirl_time_after(first, a->cfg.settle) : first;
}

static thirl_time nominate_at(const thirl_ice *a, const thirl_ice_flow *nominee, const thirl_ice_flow *best) {
  if (!best) return THIRL_NEVER;
  if (nominee) return steal_at(nominee, best);
  return a->cfg.nominate_first ? a->now : settled_at(a, best);
}

static void nominate(thirl_ice *a) {
  const thirl_ice_flow *nominee = nominee_of(a), *best = best_valid(a);
  if (nominate_at(a, nominee, best) > a->now) return;
  if (nominee) thirl_ice_link_abort(a, &a->flows[nominee - a->flows], THIRL_OK);
  thirl_ice_check_begin(a, &a->flows[best - a->flows], true);
}

/*
 * RFC 8445 7.3.1.5 makes the controlled side wait for its own check. With nominate_first a connection on which an authenticated nomination
 * has come in counts at once: TCP has shown both directions, and the check goes on beside it.
 */
static bool is_usable(const thirl_ice *a, const thirl_ice_flow *f) {
  if (!is_alive(f)) return false;
  if (a->controlling) return f->confirmed;
  return f->nominated && (f->valid || (a->cfg.nominate_first && f->link != 0));
}

/*
 * RFC 8445 8.1.1: of several nominated pairs the one with the highest priority. But a peer that nominates over TCP before it knows that the
 * connection is good takes that back by aborting it and nominating another, and its RST may be lost or late: there the last one counts.
 */
static bool is_better(const thirl_ice *a, const thirl_ice_flow *f, const thirl_ice_flow *than) {
  if (!a->controlling && a->cfg.nominate_first && f->link && than->link)
    return f->nominated_order > than->nominated_order;
  return priority_of(a, f) > priority_of(a, than);
}

static thirl_ice_flow *best_nominated(thirl_ice *a) {
  thirl_ice_flow *best = NULL;
  for (unsigned i = 0; i < a->n_flows; i++) {
    thirl_ice_flow *f = &a->flows[i];
    if (is_usable(a, f) && (!best || is_better(a, f, best))) best = f;
  }
  return best;
}

static void select_flow(thirl_ice *a, thirl_ice_flow *f) {
  for (unsigned i = 0; i < a->n_flows; i++)
    a->flows[i].selected = false;
  f->selected = true;
  a->state = THIRL_ICE_AGENT_SELECTED;
  a->selected_at = a->now;
  thirl_ice_link_stop(a);
  thirl_ice_consent_start(a);
  thirl_ice_action out = {.kind = THIRL_ICE_SELECTED,
                          .link = f->link,
                          .local = f->local,
                          .remote = f->remote,
                          .mapped = f->mapped,
                          .local_type = f->valid ? f->local_type : a->locals[a->pairs[f->pair].local].type,
                          .remote_type = a->remotes[a->pairs[f->pair].remote].type};
  thirl_ice_queue_push(&a->queue, &out, NULL);
}

static thirl_time dropped_at(const thirl_ice *a) {
  return a->controlling ? a->selected_at : thirl_time_after(a->selected_at, LINGER);
}

static void drop_losers(thirl_ice *a) {
  for (unsigned i = 0; i < a->n_flows; i++) {
    thirl_ice_flow *f = &a->flows[i];
    if (is_alive(f) && !f->selected && dropped_at(a) <= a->now) thirl_ice_link_abort(a, f, THIRL_OK);
  }
}

static bool any_alive(const thirl_ice *a) {
  for (unsigned i = 0; i < a->n_flows; i++)
    if (is_alive(&a->flows[i])) return true;
  return false;
}

static void lose(thirl_ice *a) {
  a->state = THIRL_ICE_AGENT_LOST;
  thirl_ice_queue_push(&a->queue, &(thirl_ice_action){.kind = THIRL_ICE_CONSENT_LOST}, NULL);
}

bool thirl_ice_nominate_lingers(const thirl_ice *a) {
  return a->state == THIRL_ICE_AGENT_SELECTED && !a->controlling && a->now < thirl_time_after(a->selected_at, LINGER);
}

bool thirl_ice_nominate_reopen(thirl_ice *a) {
  thirl_ice_flow *f = thirl_ice_nominate_selected(a);
  if (a->controlling || !f || thirl_time_after(f->heard_at, SILENCE) > a->now) return false;
  f->nominated = false;
  a->selected_at = a->now;
  return true;
}

void thirl_ice_nominate_evaluate(thirl_ice *a) {
  if (a->state == THIRL_ICE_AGENT_CHECKING && a->controlling && !best_nominated(a)) nominate(a);
  if (a->state != THIRL_ICE_AGENT_CHECKING && a->state != THIRL_ICE_AGENT_SELECTED) return;
  thirl_ice_flow *best = best_nominated(a), *selected = thirl_ice_nominate_selected(a);
  if (best && best != selected && (!selected || !a->controlling)) select_flow(a, best);
  if (a->state != THIRL_ICE_AGENT_SELECTED) return;
  drop_losers(a);
  if (!any_alive(a)) lose(a);
}

/* Addresses that mean another machine in each network: RFC 1918, 6598, 3927, 4193, 4291. */
static bool is_of_many(const thirl_addr *addr) {
  const uint8_t *ip = addr->ip;
  if (addr->family == THIRL_FAMILY_V6) return (ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
  return ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) || (ip[0] == 192 && ip[1] == 168) ||
         (ip[0] == 100 && (ip[1] & 0xc0) == 64) || (ip[0] == 169 && ip[1] == 254);
}

thirl_ice_link thirl_ice_nominate_prospect(const thirl_ice *a) {
  if (!a->controlling || !a->cfg.nominate_first || a->state != THIRL_ICE_AGENT_CHECKING) return 0;
  const thirl_ice_flow *f = nominee_of(a);
  if (!f) return 0;
  const thirl_ice_candidate *remote = &a->remotes[a->pairs[f->pair].remote];
  bool shown = f->heard || f->valid;
  return shown || remote->type != THIRL_ICE_HOST || !is_of_many(&remote->addr) ? f->link : 0;
}

thirl_time thirl_ice_nominate_deadline(const thirl_ice *a) {
  thirl_time t = THIRL_NEVER;
  if (a->state == THIRL_ICE_AGENT_CHECKING && a->controlling) return nominate_at(a, nominee_of(a), best_valid(a));
  if (a->state != THIRL_ICE_AGENT_SELECTED) return t;
  for (unsigned i = 0; i < a->n_flows; i++)
    if (is_alive(&a->flows[i]) && !a->flows[i].selected) t = THIRL_MIN(t, dropped_at(a));
  return t;
}
