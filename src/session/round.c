/* SPDX-License-Identifier: MIT */
#include "session/round.h"

#define GAP      (1 * THIRL_S)    /* between rounds at least */
#define FIRST    (100 * THIRL_MS) /* the first of them after "no such peer": a listener may just be coming up */
#define PATHLESS (8 * THIRL_S)    /* between rounds at most, while there is no path at all */
#define PARTIAL  (60 * THIRL_S)   /* the same, while one path carries and the other is to be had back */
#define REPAIR   (5 * THIRL_S)    /* first retry of punching where a direct path was before; doubles */
#define RELAYED  (30 * THIRL_S)   /* first retry of punching while the relay carries; doubles */
#define MOST     (600 * THIRL_S)
#define ANSWER   (15 * THIRL_S) /* a CONNECT without an answer */

void thirl_session_round_init(thirl_session_round *r, thirl_time at) {
  *r = (thirl_session_round){.at = at};
}

thirl_time thirl_session_round_next(const thirl_session_round *r) {
  return r->under_way ? THIRL_NEVER : r->at;
}

thirl_time thirl_session_round_patience_ends(const thirl_session_round *r) {
  return r->under_way ? thirl_time_after(r->started, ANSWER) : THIRL_NEVER;
}

void thirl_session_round_begin(thirl_session_round *r, thirl_time now) {
  r->under_way = true;
  r->started = now;
  r->at = THIRL_NEVER;
}

void thirl_session_round_end(thirl_session_round *r, thirl_time now, thirl_error e, bool pathless, thirl_dice *dice) {
  r->under_way = false;
  if (e == THIRL_OK) {
    r->failures = 0;
    return;
  }
  unsigned doublings = THIRL_MIN(r->failures, 10u);
  thirl_time first = e == THIRL_E_NO_PEER ? FIRST : GAP;
  thirl_time gap = THIRL_MIN(first << doublings, pathless ? PATHLESS : PARTIAL);
  r->failures++;
  r->at = now + gap / 2 + thirl_dice_below(dice, THIRL_MIN(gap, GAP));
}

/* Not sooner than a gap after the last. */
static thirl_time soon(const thirl_session_round *r, thirl_time now) {
  return THIRL_MAX(now, r->started + GAP);
}

void thirl_session_round_after_relay(thirl_session_round *r, thirl_time now, thirl_dice *dice) {
  if (!r->under_way) r->at = THIRL_MIN(r->at, soon(r, now) + thirl_dice_below(dice, GAP));
}

void thirl_session_round_after_direct(thirl_session_round *r, thirl_time now) {
  if (!r->under_way) r->at = soon(r, now);
}

void thirl_session_round_after_punch(thirl_session_round *r, thirl_time now, bool has_relay, bool was_direct) {
  unsigned doublings = THIRL_MIN(r->punch_failures, 5u);
  r->punch_failures++;
  if (r->at != THIRL_NEVER || r->under_way) return; /* one that is wanted for other reasons comes earlier */
  thirl_time first = was_direct ? REPAIR : RELAYED;
  r->at = now + (has_relay ? THIRL_MIN(first << doublings, MOST) : GAP);
}

void thirl_session_round_punch_worked(thirl_session_round *r) {
  r->punch_failures = 0;
}

void thirl_session_round_rest(thirl_session_round *r) {
  r->at = THIRL_NEVER;
}

void thirl_session_round_anew(thirl_session_round *r, thirl_time now, bool is_wanted) {
  r->under_way = false;
  if (is_wanted) r->at = now;
}
