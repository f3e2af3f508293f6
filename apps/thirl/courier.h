/* SPDX-License-Identifier: MIT */
/*
 * One transfer over as many sessions as it takes: who dialed dials again when a session breaks, who listens goes on listening. Of what is carried
 * nothing is known here: the cargo is a machine that eats and makes bytes.
 */
#ifndef THIRL_APPS_COURIER_H
#define THIRL_APPS_COURIER_H

#include "base/bytes.h"
#include "command.h"
#include "turns.h"

typedef struct courier courier;

/** What is carried, for one session at a time. E_AGAIN from work: nothing more now. OK: there is more to do, without more bytes. Others end it all. */
typedef struct courier_cargo {
  bool (*begin)(void *owner);                        /* a new session is there; false: no memory */
  thirl_error (*work)(void *owner, thirl_bytes *in); /* a slice of work; *in shrinks by what was taken */
  thirl_buffer *(*out)(void *owner);                 /* for the peer: what is taken is consumed */
  bool (*is_over)(void *owner);                      /* nothing more is to be done, but that out goes out */
  void (*end)(void *owner);                          /* the session is gone */
  void (*tick)(void *owner);                         /* ten times a second */
  uint64_t (*progress)(void *owner);                 /* something that changes when the transfer gets on */
  const char *same_role;                             /* the sentence for E_STATE: the peer wants the same */
} courier_cargo;

/** ticket: the one to dial; NULL: make one, and show "thirl WORDS TICKET BEHIND". NULL: could not begin; *code says why, and the complaint is made. */
courier *courier_new(const arguments *a, const char *ticket, const char *words, const char *behind, int *code);
/** Until the cargo is over and delivered, or all hope is gone. 0: it is over; otherwise the exit code, and the complaint is made. Call it once. */
int courier_run(courier *c, const courier_cargo *cargo, void *owner);
uv_loop_t *courier_loop(courier *c);
/** The cargo has something to do, by what happened outside of it. */
void courier_wake(courier *c);
/** Gives the peer up and ends courier_run with this exit code; the first counts. */
void courier_stop(courier *c, int code);
void courier_free(courier *c);

#endif
