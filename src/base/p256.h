/* SPDX-License-Identifier: MIT */
/* Keys on the curve P-256: sign, verify, agree. Files and certificates live elsewhere. A failure leaves OpenSSL's error queue empty. */
#ifndef THIRL_BASE_P256_H
#define THIRL_BASE_P256_H

#include "base/bytes.h"

enum {
  THIRL_P256_PUBLIC_LEN = 65,  /* uncompressed point, 0x04 first */
  THIRL_P256_PRIVATE_LEN = 32, /* the scalar, big-endian */
  THIRL_P256_SHARED_LEN = 32,
  THIRL_P256_SIGNATURE_MAX = 72 /* DER */
};

typedef struct thirl_p256 thirl_p256; /* one key pair, or a public key alone */

/** A new key pair from OpenSSL's generator. The caller frees. */
thirl_error thirl_p256_generate(thirl_p256 **out);
/** A key pair from its scalar; E_RANGE when it is not in [1, n-1]. */
thirl_error thirl_p256_from_private(const uint8_t scalar[THIRL_P256_PRIVATE_LEN], thirl_p256 **out);
/** A public key from its point; E_MALFORMED when it is not on the curve. E_NOMEM, E_CRYPTO. */
thirl_error thirl_p256_from_public(const uint8_t point[THIRL_P256_PUBLIC_LEN], thirl_p256 **out);
/** Frees; NULL is allowed. */
void thirl_p256_free(thirl_p256 *k);

void thirl_p256_get_public(const thirl_p256 *k, uint8_t out[THIRL_P256_PUBLIC_LEN]);
/** E_STATE for a public key alone. The caller wipes out. */
thirl_error thirl_p256_get_private(const thirl_p256 *k, uint8_t out[THIRL_P256_PRIVATE_LEN]);

/** ECDSA with SHA-256 over in, DER. *n is set to the length. */
thirl_error thirl_p256_sign(const thirl_p256 *k, thirl_bytes in, uint8_t out[THIRL_P256_SIGNATURE_MAX], size_t *n);
/** E_INTEGRITY when the signature is not by this key over these bytes. */
thirl_error thirl_p256_verify(const thirl_p256 *k, thirl_bytes in, thirl_bytes signature);
/** ECDH: the x coordinate of the shared point. Feed it to HKDF before use. */
thirl_error thirl_p256_agree(const thirl_p256 *mine, const thirl_p256 *theirs, uint8_t out[THIRL_P256_SHARED_LEN]);

/** The EVP_PKEY inside, borrowed, for code that builds certificates. */
void *thirl_p256_evp(const thirl_p256 *k);

#endif
