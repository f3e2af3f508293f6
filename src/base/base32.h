/* SPDX-License-Identifier: MIT */
/* Crockford's base 32, lower case: no i, l, o, u; reading forgives case, hyphens, and i/l for 1, o for 0. */
#ifndef THIRL_BASE_BASE32_H
#define THIRL_BASE_BASE32_H

#include "base/bytes.h"

/** Characters that n bytes need, without NUL. */
#define THIRL_BASE32_LEN(n) (((n)*8 + 4) / 5)

/** Writes THIRL_BASE32_LEN(in.n) characters and NUL. E_SPACE when cap is too small. */
thirl_error thirl_base32_encode(thirl_bytes in, char *out, size_t cap);
/** Decodes text[0..n) into out; *out_n bytes. E_SYNTAX for a foreign character or leftover bits that are not zero; E_SPACE. */
thirl_error thirl_base32_decode(const char *text, size_t n, uint8_t *out, size_t cap, size_t *out_n);
/** The value 0..31 of one character, or -1. Hyphens are not characters here. */
int thirl_base32_value(char c);
/** The character of a value 0..31. */
char thirl_base32_char(unsigned v);

#endif
