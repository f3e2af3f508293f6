/* SPDX-License-Identifier: MIT */
/*
 * The nonce of a 401, without a memory of having given it: who shows it again on the same connection has received it there.
 *
 *    hex of   seconds since start (4) || HMAC-SHA256(secret, address || connection || seconds)[0..16)
 */
#ifndef THIRL_SERVER_CHALLENGE_H
#define THIRL_SERVER_CHALLENGE_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/net.h"

enum { THIRL_SERVER_CHALLENGE_SECRET_LEN = 32, THIRL_SERVER_CHALLENGE_LEN = 40, THIRL_SERVER_CHALLENGE_AGE_S = 30 };

/** Where and when a nonce is good. */
typedef struct thirl_server_challenge {
  uint8_t secret[THIRL_SERVER_CHALLENGE_SECRET_LEN];
  thirl_addr remote;
  thirl_net_id conn;
  uint32_t second; /* since the server's start */
} thirl_server_challenge;

/** out holds THIRL_SERVER_CHALLENGE_LEN characters, no NUL. E_CRYPTO. */
thirl_error thirl_server_challenge_make(const thirl_server_challenge *c, uint8_t *out);
/**
 * Is this nonce ours, made for this connection, and not older than THIRL_SERVER_CHALLENGE_AGE_S? c->second is the time now.
 *
 * E_MALFORMED  not in the form of a nonce
 * E_REPLAY     right form, not made for this connection: what a recorded registration shows, or a forgery
 * E_TIMEOUT    made for this connection, too long ago
 * E_CRYPTO
 */
thirl_error thirl_server_challenge_check(const thirl_server_challenge *c, thirl_bytes nonce);

#endif
