/* SPDX-License-Identifier: MIT */
/*
 * TLS 1.3 as a transform of bytes: ciphertext in, plaintext out, and back. Both certificates are pinned to peer ids;
 * chains, names and dates do not count. No socket, no clock, no session tickets, no resumption, no early data. One
 * object per path.
 *
 *   ciphertext -> open(plaintext)      or, keeping what is not read at once:   ciphertext -> feed ... read(plaintext)
 *   plaintext  -> seal(ciphertext)     handshake flights and alerts:           has_output -> pull(ciphertext)
 *
 * After every call that takes ciphertext ask has_output: a flight or an alert may wait, in every state, FAILED
 * included.
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
  /**
   * The other side has proven its key: application bytes may flow. In TLS 1.3 the client comes here one flight before
   * the server has judged the client's key; when the server refuses it, the client's next open or read gives
   * E_WRONG_KEY. So the client knows that it is accepted when the first application byte of the server arrives, not
   * before. The server is OPEN only after both proofs.
   */
  THIRL_SECURE_TLS_OPEN,
  THIRL_SECURE_TLS_CLOSED, /* close_notify received, all before it was read */
  THIRL_SECURE_TLS_FAILED  /* see thirl_secure_tls_error */
} thirl_secure_tls_state;

enum {
  THIRL_SECURE_TLS_RECORD = 16384,          /* the most that seal takes at once */
  THIRL_SECURE_TLS_OVERHEAD = 64,           /* the most that seal adds: 22 a record, 27 a KeyUpdate before it */
  THIRL_SECURE_TLS_KEPT_MAX = 1 << 18,      /* ciphertext that feed keeps */
  THIRL_SECURE_TLS_OUTPUT_MAX = 1 << 15,    /* flights and alerts that wait in pull; a handshake is below 3 KiB */
  THIRL_SECURE_TLS_CERTIFICATES_MAX = 4096, /* a stranger's Certificate message; ours is some 330 bytes */
  THIRL_SECURE_TLS_REKEY_RECORDS = 1 << 24  /* below the 2^24.5 records of RFC 8446 section 5.5 */
};

/** The identity must outlive the context, the context its connections. E_NOMEM, E_CRYPTO. */
thirl_error thirl_secure_tls_context_new(const thirl_secure_identity *id, thirl_secure_tls_context **out);
/** NULL is allowed. */
void thirl_secure_tls_context_free(thirl_secure_tls_context *c);
/**
 * After how many sealed records a connection made from now on changes its sending key; at least 1.
 * THIRL_SECURE_TLS_REKEY_RECORDS unless told.
 */
void thirl_secure_tls_context_set_rekey(thirl_secure_tls_context *c, uint32_t records);

/**
 * is_client: the one who dials. expect (copied): whose key the other side must prove; NULL accepts any key, which
 * thirl_secure_tls_peer then names. The client's first flight waits in pull() at once. E_NOMEM, E_CRYPTO.
 */
thirl_error thirl_secure_tls_new(thirl_secure_tls_context *c, bool is_client, const thirl_peerid *expect,
                                 thirl_secure_tls **out);
/** NULL is allowed. Sends nothing: close and pull first. */
void thirl_secure_tls_free(thirl_secure_tls *t);

thirl_secure_tls_state thirl_secure_tls_state_of(const thirl_secure_tls *t);
/**
 * Why FAILED, THIRL_OK in other states:
 *
 * E_WRONG_KEY   the other side proved another key than expect, or it refused ours (by an alert)
 * E_INTEGRITY   a record was altered on the way, here or as the other side saw it
 * E_PROTOCOL    anything else that is not TLS 1.3 with a P-256 certificate; a peer that gave up in the handshake
 * E_NOMEM, E_CRYPTO
 */
thirl_error thirl_secure_tls_error(const thirl_secure_tls *t);
/** The proven key's id; NULL until the connection was OPEN. */
const thirl_peerid *thirl_secure_tls_peer(const thirl_secure_tls *t);

/**
 * Ciphertext in, plaintext straight into buf: the fast path. The view is borrowed for the call only; *in is moved on
 * by what was used. Drives the handshake as well. Decrypts until buf is full or *in is used up: what feed has kept
 * comes first.
 *
 * OK        *n > 0 bytes are in buf. When *in is not empty call again
 * E_AGAIN   *n = 0, *in is used up (half a record stays inside)
 * E_EOF     close_notify was received; what is left of *in means nothing
 * E_SPACE   cap is 0
 * otherwise the failure, as thirl_secure_tls_error. Plaintext before the failing record was handed out by earlier calls
 */
thirl_error thirl_secure_tls_open(thirl_secure_tls *t, thirl_bytes *in, uint8_t *buf, size_t cap, size_t *n);

/**
 * Ciphertext in, all of it: the handshake is driven at once, what comes after it is copied and kept for read.
 * E_LIMIT, and nothing taken, when more than KEPT_MAX would be kept: read first. After the end (CLOSED) bytes are
 * ignored. Otherwise errors as thirl_secure_tls_error.
 */
thirl_error thirl_secure_tls_feed(thirl_secure_tls *t, thirl_bytes in);
/** Plaintext of what was fed: as thirl_secure_tls_open with nothing in. */
thirl_error thirl_secure_tls_read(thirl_secure_tls *t, uint8_t *buf, size_t cap, size_t *n);

/** Flights and alerts that wait to be sent: moves up to cap bytes into buf and says how many; 0 when nothing waits. */
size_t thirl_secure_tls_pull(thirl_secure_tls *t, uint8_t *buf, size_t cap);
bool thirl_secure_tls_has_output(const thirl_secure_tls *t);

/**
 * Encrypt in as one record straight into buf. The ciphertext follows all that was pulled and sealed before. in and
 * buf must not overlap. Nothing in gives nothing out.
 *
 * E_STATE   not OPEN, after close, or output waits: pull it first
 * E_RANGE   in is longer than RECORD
 * E_SPACE   cap < in.n + OVERHEAD
 * E_AGAIN   the other side is in the middle of a key change: give it the next ciphertext first, then seal again
 * otherwise the failure, as thirl_secure_tls_error
 */
thirl_error thirl_secure_tls_seal(thirl_secure_tls *t, thirl_bytes in, uint8_t *buf, size_t cap, size_t *n);

/**
 * Queue close_notify; it waits in pull(). Reading goes on until E_EOF, sealing is over. Does nothing in the handshake
 * or after a failure.
 */
void thirl_secure_tls_close(thirl_secure_tls *t);

#endif
