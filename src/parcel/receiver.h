/* SPDX-License-Identifier: MIT */
/*
 * The side that gets the files, for one session. Sans I/O: bytes from the peer go in, actions come out, and what is to be said to the peer waits in out.
 *
 *   init -> { step until E_AGAIN, answering its actions; take from out }* -> fini
 *
 * Nothing the peer says is believed: a name that is not safe ends the transfer before anything is asked or written, no byte is handed out beyond the size
 * that was announced, and no file is committed whose hash is not the sender's. What is there already is not sent again if its hash is right.
 */
#ifndef THIRL_PARCEL_RECEIVER_H
#define THIRL_PARCEL_RECEIVER_H

#include "base/digest.h"
#include "parcel/inbox.h"
#include "parcel/terms.h"

/** What there is of a file. */
typedef struct thirl_parcel_have {
  thirl_parcel_reason reason; /* OK, or why this one is not to come */
  bool whole;                 /* what is there is not an unfinished file but one of that name and size */
  uint64_t n;                 /* bytes; with whole the size */
} thirl_parcel_have;

typedef struct thirl_parcel_slot {
  uint32_t index;
  int state;
  bool whole;
  uint64_t size, have, at;
  thirl_digest *digest;
} thirl_parcel_slot;

typedef struct thirl_parcel_receiver {
  thirl_parcel_offer offer; /* complete from DO_ASK on */
  uint32_t announced;
  uint64_t announced_bytes;
  thirl_parcel_inbox inbox;
  thirl_buffer out; /* for the peer: view and consume */
  thirl_parcel_slot slots[THIRL_PARCEL_WANTS_MAX];
  size_t first, n, storing; /* a ring: the first is coming, or will be next; those that are being stored have left it */
  uint32_t next;            /* entry to be prepared */
  int phase;
  bool greeted, heard, waiting, overwrite;
  thirl_parcel_reason end_reason;
  uint32_t end_index;
  thirl_error dead;
  thirl_parcel_tally tally;
} thirl_parcel_receiver;

/** Allocates little; nothing of the offer's announced size. */
void thirl_parcel_receiver_init(thirl_parcel_receiver *r);
void thirl_parcel_receiver_fini(thirl_parcel_receiver *r);
/**
 * The next thing to do; *in shrinks by what was taken of it.
 *
 * E_AGAIN      nothing, until there are more bytes, out has been taken from, or an action has been answered
 * E_STATE      the peer wants to receive too
 * E_PROTOCOL   the peer broke the rules
 * E_CRYPTO, E_NOMEM
 */
thirl_error thirl_parcel_receiver_step(thirl_parcel_receiver *r, thirl_bytes *in, thirl_parcel_action *a);
/** The answer to DO_ASK. overwrite: a file that is there already may be replaced. */
void thirl_parcel_receiver_accept(thirl_parcel_receiver *r, bool overwrite);
/** No to the offer, or the end of a transfer that cannot go on; index or THIRL_PARCEL_NO_ENTRY. At any time. TELL_END follows. */
void thirl_parcel_receiver_refuse(thirl_parcel_receiver *r, thirl_parcel_reason reason, uint32_t index);
/** The answer to DO_PREPARE. */
void thirl_parcel_receiver_prepared(thirl_parcel_receiver *r, thirl_parcel_have have);
/** The answer to DO_READ: from 1 to n bytes from offset; none: there are no more, or they cannot be read. */
void thirl_parcel_receiver_read(thirl_parcel_receiver *r, thirl_bytes b);
/** The answer to DO_COMMIT: OK, or why not. Not in any order, and also after the end. */
void thirl_parcel_receiver_stored(thirl_parcel_receiver *r, uint32_t index, thirl_parcel_reason reason);

#endif
