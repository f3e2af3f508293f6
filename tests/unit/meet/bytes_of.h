/* SPDX-License-Identifier: MIT */
/* Bytes that are easy to recognise, for the tests of meet/. */
#ifndef THIRL_TESTS_UNIT_MEET_BYTES_OF_H
#define THIRL_TESTS_UNIT_MEET_BYTES_OF_H

#include "base/bytes.h"
#include "base/rand.h"

/** first, first + 1, .. (n of them) into out. */
void bytes_ramp(void *out, size_t n, unsigned first);
/** Hex digits to bytes; returns how many. Fails the test on anything else and when cap is too small. */
size_t bytes_of_hex(const char *hex, uint8_t *out, size_t cap);
/** A source of "secrets" that counts: 1, 2, 3.. byte by byte, over *counter. */
thirl_secrets bytes_secrets(uint8_t *counter);

#endif
