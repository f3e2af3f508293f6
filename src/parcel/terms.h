/* SPDX-License-Identifier: MIT */
/* What a sender and a receiver ask of their user, who has the files, and what they tell it. No code. */
#ifndef THIRL_PARCEL_TERMS_H
#define THIRL_PARCEL_TERMS_H

#include "parcel/offer.h"
#include "parcel/reason.h"

enum { THIRL_PARCEL_READ_MAX = 32768 }; /* bytes asked for at a time, and of one DATA that we send */

typedef enum thirl_parcel_action_kind {
  /* of a sender */
  THIRL_PARCEL_DO_OPEN,     /* index: open that file; answer with opened. It is the only one that is open */
  THIRL_PARCEL_DO_CHECK,    /* index: is it still what it was at the offer? It can be closed; answer with checked */
  THIRL_PARCEL_TELL_STORED, /* index, reason: the receiver has it, or why not */
  /* of a receiver */
  THIRL_PARCEL_DO_ASK,     /* the offer is complete: answer with accept or refuse, when you like */
  THIRL_PARCEL_DO_PREPARE, /* index: make that folder, or see what there is of that file; answer with prepared */
  THIRL_PARCEL_DO_BEGIN, /* index, offset, again (what was there is another file's): bytes will come from there on; shorten the unfinished file to that */
  THIRL_PARCEL_DO_WRITE, /* index, offset, data (borrowed until the next step) */
  THIRL_PARCEL_DO_COMMIT, /* index: all is there and right; put it where it belongs; answer with stored, when you like */
  THIRL_PARCEL_DO_KEEP,   /* index: all of it is there already */
  THIRL_PARCEL_DO_DROP,   /* index, reason: it does not come; of MISMATCH nothing is to be kept */
  /* of both */
  THIRL_PARCEL_DO_READ, /* index, offset, n: answer with read */
  THIRL_PARCEL_TELL_END /* reason, index or THIRL_PARCEL_NO_ENTRY, data: a name that was not safe. The machine has nothing more to do but to be drained */
} thirl_parcel_action_kind;

typedef struct thirl_parcel_action {
  thirl_parcel_action_kind kind;
  uint32_t index;
  thirl_parcel_reason reason;
  bool again;
  uint64_t offset;
  size_t n;
  thirl_bytes data;
} thirl_parcel_action;

typedef struct thirl_parcel_tally {
  uint64_t passed; /* bytes of all files up to where the transfer is; less than before when a file begins again */
  uint64_t moved;  /* bytes that went over the wire */
  uint64_t reused; /* bytes that did not have to, since the receiver had them */
  uint32_t stored, failed;
} thirl_parcel_tally;

#endif
