/* SPDX-License-Identifier: MIT */
/* One character of UTF-8 in and out. RFC 3629: nothing overlong, no surrogates, nothing beyond U+10FFFF. */
#ifndef THIRL_SCREEN_UTF8_H
#define THIRL_SCREEN_UTF8_H

#include "base/bytes.h"

enum { THIRL_SCREEN_UTF8_MAX = 4 }; /* bytes of a character */

/**
 * The next character; *in, which is not empty, shrinks by it. False: the bytes are none, *in shrinks by the longest beginning of one (Unicode 3.9, U+FFFD
 * once for each), at least a byte.
 */
bool thirl_screen_utf8_read(thirl_bytes *in, uint32_t *c);
/** c is a character. Returns how many bytes it takes. */
size_t thirl_screen_utf8_write(uint32_t c, uint8_t out[THIRL_SCREEN_UTF8_MAX]);

#endif
