/* SPDX-License-Identifier: MIT */
/*
 * Two sessions of one id on one table, in virtual time: d dials, l listens. Between them two pipes, the relay and the direct one, each with its own delay,
 * that can be opened, closed with a reason, or made to swallow everything. Real TLS; what is not told to a session does not happen.
 *
 * Held at every moment: a session that wants to be pulled gives bytes, and no deadline stays in the past.
 */
#ifndef THIRL_TESTS_UNIT_SESSION_COUPLE_H
#define THIRL_TESTS_UNIT_SESSION_COUPLE_H

#include "secure/identity.h"
#include "session/session.h"

enum { COUPLE_EVENTS_MAX = 256, COUPLE_ROUNDS_MAX = 256 };

typedef enum couple_pipe { COUPLE_RELAY, COUPLE_DIRECT } couple_pipe;

typedef struct couple_event {
  thirl_time at;
  thirl_session_event ev;
} couple_event;

typedef struct couple_side {
  thirl_secure_identity *identity;
  thirl_secure_tls_context *tls;
  thirl_session s;
  couple_event events[COUPLE_EVENTS_MAX];
  size_t n_events;
  uint64_t written, read;
  bool lazy;                      /* reads nothing */
  bool relay_ended, direct_ended; /* its session said that the pipe is of no more use */
  size_t bytes_out[2];            /* ciphertext per pipe */
} couple_side;

typedef struct couple_packet couple_packet;

typedef struct couple {
  thirl_time now;
  thirl_time delay[2]; /* one way */
  bool cut[2];         /* what is sent is lost; what is on the way arrives */
  bool open[2];
  bool rounds; /* answer every round with a new relay, half a millisecond later */
  thirl_error round_answer;
  thirl_time round_at[COUPLE_ROUNDS_MAX];
  bool round_punches[COUPLE_ROUNDS_MAX];
  size_t n_rounds;
  couple_side d, l;
  couple_packet *packets;
} couple;

extern const uint8_t couple_id[THIRL_SESSION_ID_LEN];

/** Both sessions are new at 1000 s; both delays are 50 ms. NULL: the default policy with a window of 128 KiB. */
void couple_open(couple *c, const thirl_session_policy *policy_d, const thirl_session_policy *policy_l);
void couple_close(couple *c);
/** A fresh session on this side, as after a restart of the process. */
void couple_restart(couple *c, couple_side *s, const thirl_session_policy *policy);
/** The relay channel is there, or ICE has selected a connection, for both. */
void couple_relay_up(couple *c);
void couple_direct_up(couple *c);
/** Everything on the way is lost, and both are told; THIRL_OK: they are not. */
void couple_down(couple *c, couple_pipe p, thirl_error why);
/** Time passes, deadline by deadline. */
void couple_run(couple *c, thirl_time d);
/** The same until this moment. */
void couple_run_to(couple *c, thirl_time until);
/** n bytes of a pattern; the end. */
void couple_write(couple *c, couple_side *s, size_t n);
void couple_finish(couple *c, couple_side *s);
/** Evaluate and pump after a use of the stream. */
void couple_settle(couple *c);

/** The i-th event of this kind; NULL. */
const couple_event *couple_find(const couple_side *s, thirl_session_event_kind kind, size_t i);
size_t couple_count(const couple_side *s, thirl_session_event_kind kind);

#endif
