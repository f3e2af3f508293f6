/* SPDX-License-Identifier: MIT */
/*
 * The real alternative for benchmarks: a stream over a TCP connection, with OpenSSL on both sides or bare, one thread a side. SSL_write and
 * SSL_read of 16 KiB from and into one buffer.
 *
 * Whatever goes wrong ends the program (measure_must).
 */
#ifndef THIRL_TEST_SUPPORT_PLAIN_H
#define THIRL_TEST_SUPPORT_PLAIN_H

#include <openssl/ssl.h>

#include "base/addr.h"
#include "secure/identity.h"

typedef struct plain_side {
  int fd;
  SSL *ssl; /* NULL: bare TCP */
  uint64_t out, in;
  double cpu;
} plain_side;

/** a has connected, b has accepted. */
typedef struct plain_pair {
  plain_side a, b;
} plain_pair;

/** What a transfer took, in seconds: CPU of either thread, and wall clock. */
typedef struct plain_cost {
  double a, b, wall;
} plain_cost;

/** A listening socket on this address; *at has its port. */
int plain_listen(thirl_addr on, thirl_addr *at);
int plain_accept(int listener);
/** A blocking connection. */
int plain_connect(thirl_addr to);
/** Both ends of one connection to this machine, without anything between. */
plain_pair plain_pair_new(thirl_addr on);

/** As thirl has it: TLS 1.3, AES-128-GCM, both sides show a certificate, no tickets. */
SSL_CTX *plain_context_new(const thirl_secure_identity *id, bool read_ahead);
/** The handshake, a is the client. */
void plain_secure(plain_pair *p, SSL_CTX *ctx);
/** From now on driven by poll: needed for both ways at a time. */
void plain_set_nonblocking(plain_pair *p);
/** So many bytes from a to b, and so many back. Both are in seconds of CPU when it returns. */
plain_cost plain_move(plain_pair *p, uint64_t there, uint64_t back);

#endif
