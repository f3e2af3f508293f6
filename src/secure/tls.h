/* SPDX-License-Identifier: MIT */
/*
 * TLS 1.3 as a transform of bytes: ciphertext in, plaintext out, and back. Both certificates are pinned to peer ids; chains, names and dates do
 * not count. No socket, no clock, no session tickets, no renegotiation. One object per path.
 *
 *   feed(ciphertext) -> [handshake] -> read(plaintext)        write(plaintext) -> ... -> pull(ciphertext)
 */
#ifndef THIRL_SECURE_TLS_H
#define THIRL_SECURE_TLS_H

#include "base/bytes.h"
#include "base/peerid.h"
#include "secure/identity.h"

typedef struct thirl_secure_tls thirl_secure_tls;
/** What many connections of one identity share (an SSL_CTX). */
typedef struct thirl_secure_tls_context thirl_secure_tls_context;

typedef enum thirl_secure_tls_state {
  THIRL_SECURE_TLS_HANDSHAKE,
  THIRL_SECURE_TLS_OPEN,    /* both keys are proven: application bytes may flow */
  THIRL_SECURE_TLS_CLOSED,  /* close_notify received */
  THIRL_SECURE_TLS_FAILED   /* see thirl_secure_tls_error */
} thirl_secure_tls_state;

enum { THIRL_SECURE_TLS_RECORD = 16384, THIRL_SECURE_TLS_OVERHEAD = 64 /* per record, generous */ };

/** The identity must outlive the context, the context its connections. */
thirl_error thirl_secure_tls_context_new(const thirl_secure_identity *id, thirl_secure_tls_context **out);
void thirl_secure_tls_context_free(thirl_secure_tls_context *c);

/**
 * is_client: the one who dials. expect: whose key the other side must prove; NULL accepts any key, which thirl_secure_tls_peer then names.
 * The client's first flight waits in pull() at once.
 */
thirl_error thirl_secure_tls_new(thirl_secure_tls_context *c, bool is_client, const thirl_peerid *expect, thirl_secure_tls **out);
void thirl_secure_tls_free(thirl_secure_tls *t);

thirl_secure_tls_state thirl_secure_tls_state_of(const thirl_secure_tls *t);
/** Why FAILED: E_WRONG_KEY, E_PROTOCOL, E_CRYPTO, E_NOMEM. A peer that refuses our key (alert) also gives E_WRONG_KEY. */
thirl_error thirl_secure_tls_error(const thirl_secure_tls *t);
/** The proven key's id once OPEN. */
const thirl_peerid *thirl_secure_tls_peer(const thirl_secure_tls *t);

/**
 * Ciphertext in. Drives the handshake. All of it is taken: what cannot be decrypted yet is kept (at most what was fed; feed only what you are
 * willing to see buffered, and read() until E_AGAIN after each feed). Errors as thirl_secure_tls_error.
 */
thirl_error thirl_secure_tls_feed(thirl_secure_tls *t, thirl_bytes in);
/** Plaintext out, straight into buf. OK with *n > 0, E_AGAIN, E_EOF after close_notify, or the failure. */
thirl_error thirl_secure_tls_read(thirl_secure_tls *t, uint8_t *buf, size_t cap, size_t *n);

/**
 * Ciphertext that waits to be sent (handshake flights, alerts, records from write): moves up to cap bytes into buf. *n = 0 when nothing waits.
 */
size_t thirl_secure_tls_pull(thirl_secure_tls *t, uint8_t *buf, size_t cap);
bool thirl_secure_tls_has_output(const thirl_secure_tls *t);

/**
 * Encrypt in (at most THIRL_SECURE_TLS_RECORD bytes, one record) and put the ciphertext straight into buf, behind nothing: only allowed when
 * has_output() is false and cap >= in.n + OVERHEAD. This is the fast path: one pass of the cipher, one copy.
 * E_STATE before OPEN; E_SPACE.
 */
thirl_error thirl_secure_tls_seal(thirl_secure_tls *t, thirl_bytes in, uint8_t *buf, size_t cap, size_t *n);

/** Queue close_notify; it waits in pull(). */
void thirl_secure_tls_close(thirl_secure_tls *t);

#endif
