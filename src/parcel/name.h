/* SPDX-License-Identifier: MIT */
/*
 * Names of files as a peer says them: bytes, with '/' between the parts, relative to a folder that the receiver has chosen. Which are safe is decided
 * here, without a look at any disk; that no part is a symbolic link there is the business of whoever opens it.
 */
#ifndef THIRL_PARCEL_NAME_H
#define THIRL_PARCEL_NAME_H

#include "base/bytes.h"

enum {
  THIRL_PARCEL_NAME_MAX = 4000, /* bytes: with a folder before it, it still has to be a path */
  THIRL_PARCEL_PART_MAX = 255,  /* bytes between two '/', as Linux has it */
  THIRL_PARCEL_DEPTH_MAX = 64,  /* parts */
  THIRL_PARCEL_SHOWN_MAX = 120  /* bytes that thirl_parcel_name_clean needs at most, NUL included */
};

/**
 * May a file of this name be written below a folder? Not when it is empty or absolute, has an empty part, "." or "..", a NUL, a part or a whole that is
 * too long, or is the name of one of our own unfinished files.
 */
bool thirl_parcel_name_is_safe(thirl_bytes name);
/** The last part. */
thirl_bytes thirl_parcel_name_last(thirl_bytes name);
/** So many bytes of the name lead to its first hidden part, that part included; hidden: it begins with '.'. 0: it has none. */
size_t thirl_parcel_name_hidden(thirl_bytes name);
/** Is this part one of our unfinished files, ".NAME.thirl-part"? */
bool thirl_parcel_name_is_part(thirl_bytes part);
/** The unfinished file of a part: ".NAME.thirl-part", or a hash for NAME when that is too long. E_RANGE: no part. E_CRYPTO. */
thirl_error thirl_parcel_name_unfinished(thirl_bytes part, char out[THIRL_PARCEL_PART_MAX + 1]);
/** For a terminal: control characters and bytes that are no UTF-8 become '?', a long name loses its middle. */
const char *thirl_parcel_name_clean(thirl_bytes name, char out[THIRL_PARCEL_SHOWN_MAX]);

#endif
