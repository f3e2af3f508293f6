/* SPDX-License-Identifier: MIT */
/*
 * When the dialer asks for another round (CONNECT, OFFER, GO), and how much longer it waits each time it was in vain. It knows of paths only what it
 * is told with each call.
 */
#ifndef THIRL_SESSION_ROUND_H
#define THIRL_SESSION_ROUND_H

#include <stdbool.h>

#include "base/rand.h"
#include "base/time.h"
#include "thirl/error.h"

typedef struct thirl_session_round {
  thirl_time at, started;            /* at: when the next is wanted, or NEVER */
  unsigned failures, punch_failures; /* in a row */
  bool under_way;
} thirl_session_round;

/** The first is wanted at this time; NEVER: we do not dial. */
void thirl_session_round_init(thirl_session_round *r, thirl_time at);
/** NEVER while one is under way. */
thirl_time thirl_session_round_next(const thirl_session_round *r);
/** When a CONNECT has been without an answer for too long; NEVER: none is under way. */
thirl_time thirl_session_round_patience_ends(const thirl_session_round *r);

/** A CONNECT went out. */
void thirl_session_round_begin(thirl_session_round *r, thirl_time now);
/** It came back with a channel (OK) or not. pathless: meanwhile there is no path at all. */
void thirl_session_round_end(thirl_session_round *r, thirl_time now, thirl_error e, bool pathless, thirl_dice *dice);
/** The relay channel is lost; with jitter, for a server that died had many clients. */
void thirl_session_round_after_relay(thirl_session_round *r, thirl_time now, thirl_dice *dice);
/** A direct path that had lasted is lost. */
void thirl_session_round_after_direct(thirl_session_round *r, thirl_time now);
/** Punching has led to nothing. has_relay: there is a relay meanwhile, so the next try waits longer each time. was_direct: it has worked before. */
void thirl_session_round_after_punch(thirl_session_round *r, thirl_time now, bool has_relay, bool was_direct);
/** A direct path has lasted: what was in vain before it is forgotten. */
void thirl_session_round_punch_worked(thirl_session_round *r);
/** Nothing is missing. */
void thirl_session_round_rest(thirl_session_round *r);
/** The server is there again: what was under way is not any more. is_wanted: what waited for it need not wait longer. */
void thirl_session_round_anew(thirl_session_round *r, thirl_time now, bool is_wanted);

#endif
