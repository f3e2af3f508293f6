/* SPDX-License-Identifier: MIT */
/* Hashes and MACs, over OpenSSL's EVP. Every function sets all of its output or returns E_CRYPTO. */
#ifndef THIRL_BASE_HASH_H
#define THIRL_BASE_HASH_H

#include "base/bytes.h"

enum { THIRL_SHA1_LEN = 20, THIRL_SHA256_LEN = 32, THIRL_MD5_LEN = 16 };

thirl_error thirl_hash_sha256(thirl_bytes in, uint8_t out[THIRL_SHA256_LEN]);
/** Only for the key of STUN's long-term credentials with MD5 (RFC 8489 section 9.2.2). */
thirl_error thirl_hash_md5(thirl_bytes in, uint8_t out[THIRL_MD5_LEN]);
/** The MAC over the concatenation of n_parts views; no allocation after a thread's first call. */
thirl_error thirl_hash_hmac_sha1(thirl_bytes key, const thirl_bytes *parts, size_t n_parts,
                                 uint8_t out[THIRL_SHA1_LEN]);
thirl_error thirl_hash_hmac_sha256(thirl_bytes key, const thirl_bytes *parts, size_t n_parts,
                                   uint8_t out[THIRL_SHA256_LEN]);
/** HKDF-SHA256 (RFC 5869), out_n at most 255 * 32. */
thirl_error thirl_hash_hkdf(thirl_bytes secret, thirl_bytes salt, thirl_bytes info, uint8_t *out, size_t out_n);
/** CRC-32 (IEEE 802.3) as STUN's FINGERPRINT wants it, before the XOR. */
uint32_t thirl_hash_crc32(thirl_bytes in);

#endif
