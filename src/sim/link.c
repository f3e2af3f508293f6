/* SPDX-License-Identifier: MIT */
#include "sim/link.h"

void thirl_sim_link_init(thirl_sim_link *l, uint64_t seed) {
  *l = (thirl_sim_link){0};
  thirl_dice_seed(&l->dice, seed);
}

/* An ideal wire draws no dice, so that a fault-free part of a world does not depend on the generator. */
static bool happens(thirl_sim_link *l, double probability) {
  return probability > 0 && thirl_dice_unit(&l->dice) < probability;
}

static bool is_lost(thirl_sim_link *l) {
  const thirl_sim_link_rules *r = &l->rules;
  if (r->down) return true;
  if (l->in_burst) {
    l->in_burst = r->burst_begin > 0 && !happens(l, r->burst_end);
    return true;
  }
  l->in_burst = happens(l, r->burst_begin);
  return happens(l, r->loss);
}

static thirl_time arrival(thirl_sim_link *l, thirl_time now) {
  const thirl_sim_link_rules *r = &l->rules;
  thirl_time t = thirl_time_after(now, r->delay);
  if (r->jitter) t = thirl_time_after(t, thirl_dice_below(&l->dice, r->jitter + 1));
  if (happens(l, r->reorder)) return thirl_time_after(t, r->reorder_by ? r->reorder_by : r->delay);
  if (t < l->last_arrival) t = l->last_arrival;
  l->last_arrival = t;
  return t;
}

unsigned thirl_sim_link_cross(thirl_sim_link *l, thirl_time now, thirl_time out[THIRL_SIM_LINK_COPIES]) {
  unsigned n = 0;
  if (is_lost(l)) return 0;
  out[n++] = arrival(l, now);
  if (happens(l, l->rules.duplicate)) out[n++] = arrival(l, now);
  return n;
}
