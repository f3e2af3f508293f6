/* SPDX-License-Identifier: MIT */
/*
 * Who I am: a P-256 key, its peer id, and the self-signed certificate that carries it in TLS. Bytes only; the file is
 * io/'s business.
 */
#ifndef THIRL_SECURE_IDENTITY_H
#define THIRL_SECURE_IDENTITY_H

#include "base/p256.h"
#include "base/peerid.h"

enum {
  THIRL_SECURE_IDENTITY_PEM_CAP = 512,  /* room for what to_pem writes */
  THIRL_SECURE_IDENTITY_PEM_MAX = 16384 /* the longest text from_pem looks at */
};

typedef struct thirl_secure_identity thirl_secure_identity;

/** A new key and its certificate. The caller frees. E_NOMEM, E_CRYPTO. */
thirl_error thirl_secure_identity_generate(thirl_secure_identity **out);
/**
 * From a PEM private key (PKCS#8 or SEC1, P-256, not encrypted); text around it and an EC PARAMETERS block are
 * skipped. E_SYNTAX for anything else. The view is borrowed for the call; the caller wipes it.
 */
thirl_error thirl_secure_identity_from_pem(thirl_bytes pem, thirl_secure_identity **out);
/** From a scalar, for tests and the simulator. E_RANGE when it is not in [1, n-1]. */
thirl_error thirl_secure_identity_from_private(const uint8_t scalar[THIRL_P256_PRIVATE_LEN],
                                               thirl_secure_identity **out);
/** NULL is allowed. */
void thirl_secure_identity_free(thirl_secure_identity *id);

/** PKCS#8 PEM with NUL into out; *n without NUL. E_SPACE; PEM_CAP bytes are enough. The caller wipes out. */
thirl_error thirl_secure_identity_to_pem(const thirl_secure_identity *id, char *out, size_t cap, size_t *n);
const thirl_peerid *thirl_secure_identity_peerid(const thirl_secure_identity *id);
const thirl_p256 *thirl_secure_identity_key(const thirl_secure_identity *id);
/** The X509 inside, borrowed, for code that speaks TLS. */
void *thirl_secure_identity_x509(const thirl_secure_identity *id);

#endif
