/* SPDX-License-Identifier: MIT */
/* Whole messages out of bytes that come in pieces. Only DATA is handed on piece by piece, as it comes, without a copy. */
#ifndef THIRL_PARCEL_INBOX_H
#define THIRL_PARCEL_INBOX_H

#include "parcel/wire.h"

/** All zeroes is an empty one. */
typedef struct thirl_parcel_inbox {
  uint8_t bytes[THIRL_PARCEL_HEAD_LEN + THIRL_PARCEL_BODY_MAX];
  size_t n, data_left;
  thirl_error dead;
} thirl_parcel_inbox;

/**
 * Takes from *in what makes one message, or one piece of DATA; *out borrows from *in or from the inbox until the next call.
 * E_AGAIN: not yet, all of *in was taken. E_PROTOCOL: now and ever after.
 */
thirl_error thirl_parcel_inbox_next(thirl_parcel_inbox *b, thirl_bytes *in, thirl_parcel_message *out);

#endif
