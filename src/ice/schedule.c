/* SPDX-License-Identifier: MIT */
/*
 * Triggered checks first, then the list in the order of its priorities. Checks over a connection that is up are never paced: the
 * connection was.
 */
#include "ice/schedule.h"

#include "ice/check.h"
#include "ice/link.h"
#include "ice/nominate.h"
#include "ice/pair.h"

static bool is_queued(const thirl_ice *a, const thirl_ice_flow *f) {
  return f->state == THIRL_ICE_FLOW_UP && f->pair != THIRL_ICE_NO_PAIR && f->check == THIRL_ICE_CHECK_QUEUED &&
         a->has_remote;
}

/* The queued check that has waited longest; paced: among those that have to keep to the pace. */
static thirl_ice_flow *next_queued(thirl_ice *a, bool paced) {
  thirl_ice_flow *next = NULL;
  for (unsigned i = 0; i < a->n_flows; i++) {
    thirl_ice_flow *f = &a->flows[i];
    if (!is_queued(a, f) || paced != (f->link == 0 && !a->cfg.burst)) continue;
    if (!next || f->order < next->order) next = f;
  }
  return next;
}

static bool may_open(const thirl_ice *a) {
  return a->begun && a->state == THIRL_ICE_AGENT_CHECKING;
}

static void begin(thirl_ice *a, thirl_ice_flow *f) {
  thirl_ice_check_begin(a, f, thirl_ice_nominate_rides(a, f));
}

static void open_all(thirl_ice *a) {
  for (uint8_t pair; (pair = thirl_ice_pair_next(a)) != THIRL_ICE_NO_PAIR;) {
    thirl_ice_flow *f = thirl_ice_link_open(a, pair);
    if (f && is_queued(a, f)) begin(a, f);
  }
}

static void open_one(thirl_ice *a) {
  thirl_ice_flow *f = next_queued(a, true);
  if (!f && may_open(a)) {
    uint8_t pair = thirl_ice_pair_next(a);
    if (pair == THIRL_ICE_NO_PAIR) return;
    f = thirl_ice_link_open(a, pair);
  } else if (!f) {
    return;
  }
  if (f && is_queued(a, f)) begin(a, f);
  a->pace_at = thirl_time_after(a->now, a->cfg.ta);
}

void thirl_ice_schedule_run(thirl_ice *a) {
  if (a->has_start && !a->begun && a->start_at <= a->now) a->begun = true;
  if (may_open(a)) thirl_ice_link_retry(a);
  for (thirl_ice_flow *f; (f = next_queued(a, false)) != NULL;)
    begin(a, f);
  if (a->cfg.burst && may_open(a))
    open_all(a);
  else if (!a->cfg.burst && a->pace_at <= a->now)
    open_one(a);
}

thirl_time thirl_ice_schedule_deadline(const thirl_ice *a) {
  if (a->stirred) return a->now;
  thirl_time t = a->has_start && !a->begun ? a->start_at : THIRL_NEVER;
  if (a->cfg.burst) return t;
  bool work = may_open(a) && thirl_ice_pair_next(a) != THIRL_ICE_NO_PAIR;
  for (unsigned i = 0; i < a->n_flows && !work; i++)
    work = is_queued(a, &a->flows[i]);
  return work ? THIRL_MIN(t, THIRL_MAX(a->pace_at, a->now)) : t;
}
