/* SPDX-License-Identifier: MIT */
/* Two ends of a TLS connection and the wire between them, for the tests of this folder. */
#ifndef TESTS_UNIT_SECURE_PAIR_H
#define TESTS_UNIT_SECURE_PAIR_H

#include <openssl/ssl.h>

#include "base/rand.h"
#include "secure/identity.h"
#include "secure/tls.h"

enum { PAIR_WIRE = 1 << 16 };

/** The identity of the scalar n, 1 to 255. */
thirl_secure_identity *pair_identity(uint8_t n);

typedef struct pair {
  thirl_secure_identity *ids[2]; /* of the client, of the server */
  thirl_secure_tls_context *contexts[2];
  thirl_secure_tls *client, *server;
} pair;

/** Scalars 1 and 2, expecting these keys of each other; NULL expects none. Nothing has moved yet. */
void pair_init(pair *p, const thirl_peerid *client_expects, const thirl_peerid *server_expects);
/** Two new ends in place of the old ones, expecting no key, with the contexts as they are. */
void pair_again(pair *p);
/** The same as pair_init, with the right expectations, and the handshake done. */
void pair_init_open(pair *p);
void pair_fini(pair *p);

/** Feed all that waits in one to the other, in pieces of a random size up to most; gives what feed gave last. */
thirl_error pair_move(thirl_secure_tls *from, thirl_secure_tls *to, size_t most, thirl_dice *dice);
/** pair_move in both directions until nothing waits. */
void pair_shake(thirl_secure_tls *a, thirl_secure_tls *b, size_t most, thirl_dice *dice);

/** A TLS peer made of OpenSSL alone: what a stranger, another implementation or an old version may send. */
typedef struct pair_foreign {
  SSL_CTX *ctx;
  SSL *ssl;
  BIO *in, *out; /* the SSL reads in and writes out */
} pair_foreign;

/** No certificate, verifies nothing, every version; configure ctx, then start. */
void pair_foreign_init(pair_foreign *f);
void pair_foreign_start(pair_foreign *f, bool is_client);
void pair_foreign_fini(pair_foreign *f);
void pair_foreign_use_identity(pair_foreign *f, const thirl_secure_identity *id);
/** A self-signed certificate around the key, which is taken; NULL leaves it without. */
void pair_foreign_use_key_take(pair_foreign *f, EVP_PKEY *key);
/** Drive both until nothing moves. Application bytes that come to the foreign peer stay in it. */
void pair_foreign_shake(pair_foreign *f, thirl_secure_tls *t);
/** Feed what the foreign peer has written; gives what feed gave. */
thirl_error pair_foreign_move(pair_foreign *f, thirl_secure_tls *t);

#endif
