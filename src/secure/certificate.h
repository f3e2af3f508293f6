/* SPDX-License-Identifier: MIT */
/*
 * The certificate as an envelope of a P-256 key: made for our own, opened for the other side's. Nothing in it but the
 * key is believed.
 */
#ifndef THIRL_SECURE_CERTIFICATE_H
#define THIRL_SECURE_CERTIFICATE_H

#include <openssl/x509.h>

#include "base/p256.h"
#include "base/peerid.h"

/**
 * Self-signed X.509 v3 (RFC 5280) around a key pair, which the caller frees with X509_free. Only the signature
 * differs between two calls with one key: serial = the first 16 bytes of the peer id with the top bits 01, subject =
 * issuer = CN=thirl, valid from 1970-01-01 to 9999-12-31 (RFC 5280 section 4.1.2.5: no known end), no extensions.
 * E_NOMEM, E_CRYPTO.
 */
thirl_error thirl_secure_certificate_build(const thirl_p256 *key, const thirl_peerid *id, X509 **out);

/**
 * The point that a certificate carries. E_MALFORMED unless its SubjectPublicKeyInfo is byte for byte that of an
 * uncompressed point on the named curve P-256 (RFC 5480): no other algorithm, and no explicit curve parameters, with
 * which a stranger could own any point.
 */
thirl_error thirl_secure_certificate_point(const X509 *x509, uint8_t point[THIRL_P256_PUBLIC_LEN]);

#endif
