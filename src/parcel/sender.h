/* SPDX-License-Identifier: MIT */
/*
 * The side that has the files, for one session. Sans I/O: bytes from the peer go in, actions come out, and what is to be said to the peer waits in out.
 *
 *   init -> { step until E_AGAIN, answering its actions; take from out }* -> fini
 *
 * A file is read once, in order; of what the receiver has already, only the hash is compared.
 */
#ifndef THIRL_PARCEL_SENDER_H
#define THIRL_PARCEL_SENDER_H

#include "base/digest.h"
#include "parcel/inbox.h"
#include "parcel/terms.h"

typedef struct thirl_parcel_sender {
  const thirl_parcel_offer *offer;
  thirl_parcel_inbox inbox;
  thirl_buffer out; /* for the peer: view and consume */
  thirl_parcel_message wants[THIRL_PARCEL_WANTS_MAX];
  size_t first, n; /* a ring; the first is being served */
  int phase;
  uint64_t at, size; /* in the file that is being served */
  thirl_digest *digest;
  uint8_t *states; /* of each entry: what was said of it */
  uint32_t told;   /* entries of the offer that have been said */
  bool greeted, heard, waiting, over;
  thirl_error dead;
  thirl_parcel_tally tally;
} thirl_parcel_sender;

/** The offer is borrowed until fini, and has one entry at least. E_NOMEM: fini is all that is left to do. */
thirl_error thirl_parcel_sender_init(thirl_parcel_sender *s, const thirl_parcel_offer *offer);
void thirl_parcel_sender_fini(thirl_parcel_sender *s);
/**
 * The next thing to do; *in shrinks by what was taken of it.
 *
 * E_AGAIN      nothing, until there are more bytes, out has been taken from, or an action has been answered
 * E_STATE      the peer wants to send too
 * E_PROTOCOL   the peer broke the rules
 * E_CRYPTO, E_NOMEM
 */
thirl_error thirl_parcel_sender_step(thirl_parcel_sender *s, thirl_bytes *in, thirl_parcel_action *a);
/** The answer to DO_OPEN and to DO_CHECK: OK, or why not. */
void thirl_parcel_sender_opened(thirl_parcel_sender *s, thirl_parcel_reason r);
void thirl_parcel_sender_checked(thirl_parcel_sender *s, thirl_parcel_reason r);
/** The answer to DO_READ: from 1 to n bytes from offset, or why there are none. */
void thirl_parcel_sender_read(thirl_parcel_sender *s, thirl_bytes b, thirl_parcel_reason r);

#endif
