/* SPDX-License-Identifier: MIT */
/* The name of a peer: a hash of its public key, in a form that can be read aloud. */
#ifndef THIRL_BASE_PEERID_H
#define THIRL_BASE_PEERID_H

#include "base/bytes.h"

enum {
  THIRL_PEERID_LEN = 20,
  THIRL_PEERID_TEXT_MAX = 42 /* seven groups of five characters, six hyphens, NUL */
};

/** The first 160 bits of SHA-256 over the uncompressed P-256 point (65 bytes). */
typedef struct thirl_peerid {
  uint8_t b[THIRL_PEERID_LEN];
} thirl_peerid;

thirl_error thirl_peerid_of_public(thirl_bytes point, thirl_peerid *out);
bool thirl_peerid_equal(const thirl_peerid *a, const thirl_peerid *b);
/**
 * 32 characters of base 32 and 3 of checksum: "1k2mn-…". The checksum is a CRC-15: every mistyped character and every swap of
 * neighbours is found. Returns out.
 */
const char *thirl_peerid_format(const thirl_peerid *id, char out[THIRL_PEERID_TEXT_MAX]);
/** Case, hyphens and spaces do not matter. E_SYNTAX, E_CHECKSUM. */
thirl_error thirl_peerid_parse(const char *text, thirl_peerid *out);

#endif
