/* SPDX-License-Identifier: MIT */
/* The keys of STUN: short-term and long-term credentials, and whether a received message was made with them. RFC 8489 section 9. */
#ifndef THIRL_STUN_INTEGRITY_H
#define THIRL_STUN_INTEGRITY_H

#include "stun/msg.h"

/** Verify MESSAGE-INTEGRITY. E_NOT_FOUND when the message has none, E_INTEGRITY when it is wrong. Constant-time compare. */
thirl_error thirl_stun_integrity_check(const thirl_stun_msg *m, thirl_bytes key);
/** Verify MESSAGE-INTEGRITY-SHA256; only the full 32 bytes are accepted (a truncated one is E_INTEGRITY, by policy). */
thirl_error thirl_stun_integrity_check256(const thirl_stun_msg *m, thirl_bytes key);
/** Long-term key, MD5: MD5(username ":" realm ":" password). */
thirl_error thirl_stun_integrity_key_md5(thirl_bytes user, thirl_bytes realm, thirl_bytes password, uint8_t out[16]);
/** Long-term key, SHA-256: SHA-256(username ":" realm ":" password). */
thirl_error thirl_stun_integrity_key_sha256(thirl_bytes user, thirl_bytes realm, thirl_bytes password, uint8_t out[32]);
/** USERHASH: SHA-256(username ":" realm). */
thirl_error thirl_stun_integrity_userhash(thirl_bytes user, thirl_bytes realm, uint8_t out[32]);

#endif
