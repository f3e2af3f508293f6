/* SPDX-License-Identifier: MIT */
/* The published messages of tests/vectors, for the tests of stun/. */
#ifndef THIRL_TESTS_UNIT_STUN_VECTORS_H
#define THIRL_TESTS_UNIT_STUN_VECTORS_H

#include "base/bytes.h"

enum { VECTOR_COUNT = 5, VECTOR_BYTES_MAX = 256, VECTOR_TEXT_MAX = 4096 };

extern const char *const vector_names[VECTOR_COUNT];

typedef struct vector {
  uint8_t b[VECTOR_BYTES_MAX];
  size_t n;
  char text[VECTOR_TEXT_MAX];
} vector;

/** Loads tests/vectors/<name>.hex; fails the test when it cannot. */
void vector_load(const char *name, vector *out);
/** The parameter of this name ("#: name value"), a view into v; empty when there is none. */
thirl_bytes vector_param(const vector *v, const char *name);
/** The key of its integrity attribute: the password, or the long-term key (SHA-256 or MD5) where there is a realm. Returns its view of out. */
thirl_bytes vector_key(const vector *v, bool sha256, uint8_t out[32]);
/** A literal as bytes. */
thirl_bytes vector_literal(const char *s);

#endif
