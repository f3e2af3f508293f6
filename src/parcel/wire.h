/* SPDX-License-Identifier: MIT */
/*
 * The words of "parcel 1", between a sender and a receiver of files, on a stream that is reliable and in order. Each is
 *
 *    0                   1                   2                   3
 *   +---------------+-----------------------------------------------+
 *   |     Type      |                    Length                     |
 *   +---------------+-----------------------------------------------+
 *   |                        Length bytes ...                       |
 *
 *   both      HELLO   role (1; 1 sends, 2 receives), 3 zeroes for later
 *   sender    OFFER   entries (4), bytes of all files (8)
 *             ENTRY   kind (1; 1 file, 2 folder), mode (1; rwx of the user), 0 (2), modified: seconds (8), nanoseconds (4), size (8), name (the rest)
 *   receiver  WANT    entry (4), flags (1; 1: only if all of it is what I have), offset (8), SHA-256 (32) of the first offset bytes that I have
 *   sender    BEGIN   entry (4), offset (8): what DATA follows begins there, at the offset that was wanted, or at 0 if what the receiver has is something else
 *             DATA    1 to 65536 bytes
 *             DONE    entry (4), SHA-256 (32) of all of it
 *             FAIL    entry (4), reason (1): no DONE will come
 *   receiver  STORED  entry (4), reason (1): it is where it belongs, or why not
 *             END     reason (1), entry (4) or 0xffffffff: nothing more is wanted
 *
 *    sender                                   receiver
 *      | HELLO, OFFER, ENTRY... ---------------> |
 *      | <--------------------- HELLO, WANT, WANT |    entries in rising order, at most THIRL_PARCEL_WANTS_MAX at a time
 *      | BEGIN, DATA..., DONE -----------------> |    in the order of the WANTs
 *      | <------------------ STORED, WANT, ... END |    then both end the stream
 */
#ifndef THIRL_PARCEL_WIRE_H
#define THIRL_PARCEL_WIRE_H

#include "base/hash.h"
#include "parcel/name.h"

#define THIRL_PARCEL_LABEL "parcel 1"

enum {
  THIRL_PARCEL_HEAD_LEN = 4,
  THIRL_PARCEL_DATA_MAX = 65536,                                          /* bytes of one DATA */
  THIRL_PARCEL_ENTRY_MIN = 24,                                            /* bytes of ENTRY without the name */
  THIRL_PARCEL_BODY_MAX = THIRL_PARCEL_ENTRY_MIN + THIRL_PARCEL_NAME_MAX, /* of all but DATA */
  THIRL_PARCEL_WANTS_MAX = 64                                             /* that have no DONE or FAIL yet */
};

#define THIRL_PARCEL_NO_ENTRY UINT32_MAX

typedef enum thirl_parcel_type {
  THIRL_PARCEL_HELLO = 1,
  THIRL_PARCEL_OFFER,
  THIRL_PARCEL_ENTRY,
  THIRL_PARCEL_WANT,
  THIRL_PARCEL_BEGIN,
  THIRL_PARCEL_DATA,
  THIRL_PARCEL_DONE,
  THIRL_PARCEL_FAIL,
  THIRL_PARCEL_STORED,
  THIRL_PARCEL_END
} thirl_parcel_type;

typedef enum thirl_parcel_role { THIRL_PARCEL_SENDS = 1, THIRL_PARCEL_RECEIVES } thirl_parcel_role;
typedef enum thirl_parcel_kind { THIRL_PARCEL_FILE = 1, THIRL_PARCEL_FOLDER } thirl_parcel_kind;
enum { THIRL_PARCEL_ONLY_IF_SAME = 1 }; /* a flag of WANT */

typedef struct thirl_parcel_entry {
  uint8_t kind; /* thirl_parcel_kind */
  uint8_t mode; /* 0 to 7: rwx of the user */
  int64_t modified_s;
  uint32_t modified_ns;
  uint64_t size;
  thirl_bytes name; /* borrowed */
} thirl_parcel_entry;

/** Which fields there are is said by the type. */
typedef struct thirl_parcel_message {
  thirl_parcel_type type;
  uint8_t role, flags, reason;
  uint32_t entries, index;
  uint64_t bytes, offset;
  uint8_t hash[THIRL_SHA256_LEN];
  thirl_parcel_entry entry;
  thirl_bytes data; /* borrowed; not encoded */
} thirl_parcel_message;

/** All but DATA's bytes: of that its head only, for data.n bytes. Running out of room sticks to the writer. */
void thirl_parcel_wire_write(thirl_writer *w, const thirl_parcel_message *m);
/** E_PROTOCOL: an unknown type, or a length that it cannot have. */
thirl_error thirl_parcel_wire_read_head(const uint8_t p[THIRL_PARCEL_HEAD_LEN], thirl_parcel_type *type, size_t *n);
/** Any type but DATA; borrows from body. E_PROTOCOL: a field that cannot be. Whether a name is safe is not asked here. */
thirl_error thirl_parcel_wire_read(thirl_parcel_type type, thirl_bytes body, thirl_parcel_message *out);

#endif
