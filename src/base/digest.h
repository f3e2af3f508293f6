/* SPDX-License-Identifier: MIT */
/* A SHA-256 that runs along with bytes as they come, and can be looked at before they have all come. */
#ifndef THIRL_BASE_DIGEST_H
#define THIRL_BASE_DIGEST_H

#include "base/hash.h"

typedef struct thirl_digest thirl_digest;

/** NULL: no memory, or the cryptographic library failed. */
thirl_digest *thirl_digest_new(void);
/** NULL is allowed. */
void thirl_digest_free(thirl_digest *d);
/** E_CRYPTO. */
thirl_error thirl_digest_add(thirl_digest *d, thirl_bytes b);
/** The hash of what was added so far; more may follow. E_CRYPTO. */
thirl_error thirl_digest_get(const thirl_digest *d, uint8_t out[THIRL_SHA256_LEN]);
/** As new: nothing was added. E_CRYPTO. */
thirl_error thirl_digest_reset(thirl_digest *d);

#endif
