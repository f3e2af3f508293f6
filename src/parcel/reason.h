/* SPDX-License-Identifier: MIT */
/* Why a file, or all of them, did not get across: one byte on the wire, and a sentence that is true on both sides. */
#ifndef THIRL_PARCEL_REASON_H
#define THIRL_PARCEL_REASON_H

#include <stdint.h>

/* X(name, word, sentence). The numbers are on the wire: new ones at the end. The word is for programs. */
#define THIRL_PARCEL_REASONS(X)                                                                                        \
  X(OK, "ok", "all is well")                                                                                           \
  X(PARTLY, "partly", "not every file got across")                                                                     \
  X(DECLINED, "declined", "the receiver does not want it")                                                             \
  X(EXISTS, "exists", "a file of that name is there already; --overwrite would replace it")                            \
  X(DIFFERS, "differs", "what is there already is another file")                                                       \
  X(MISMATCH, "mismatch", "what arrived is not what was sent; it is not kept")                                         \
  X(NO_SPACE, "no-space", "there is no room on the receiver's disk")                                                   \
  X(PERMISSION, "permission", "permission denied at the receiver")                                                     \
  X(IO, "io", "the receiver's disk failed")                                                                            \
  X(NAME, "name", "the name is not one that may be written")                                                           \
  X(LINK, "link", "a symbolic link is in the way at the receiver, and is not followed")                                \
  X(IN_THE_WAY, "in-the-way", "something that is no file, or no folder, is in the way at the receiver")                \
  X(LOCKED, "locked", "another thirl receive is writing it")                                                           \
  X(UNREADABLE, "unreadable", "the sender cannot read it")                                                             \
  X(CHANGED, "changed", "the file changed while it was sent; send it again")                                           \
  X(TOO_MANY, "too-many", "it is more than the receiver takes: too many files, or names too long in all")              \
  X(HIDDEN, "hidden", "hidden files that nobody was shown; the receiver takes them with --yes --into DIR")

typedef enum thirl_parcel_reason {
#define THIRL_PARCEL_REASON_ENUM(name, word, sentence) THIRL_PARCEL_##name,
  THIRL_PARCEL_REASONS(THIRL_PARCEL_REASON_ENUM)
#undef THIRL_PARCEL_REASON_ENUM
      THIRL_PARCEL_REASON_COUNT
} thirl_parcel_reason;

/** Bytes of later versions are IO. */
thirl_parcel_reason thirl_parcel_reason_of(uint8_t byte);
/** No capital, no full stop. Never NULL. */
const char *thirl_parcel_reason_text(thirl_parcel_reason r);
/** For programs. Never NULL. */
const char *thirl_parcel_reason_word(thirl_parcel_reason r);

#endif
