/* SPDX-License-Identifier: MIT */
/*
 * Where OpenSSL's ciphertext comes from and goes to: a BIO over memory that the caller lends, so that nothing is
 * copied that need not be.
 *
 *   reading    first kept, then view         writing    into sink while one is lent, else behind out
 */
#ifndef THIRL_SECURE_WIRE_H
#define THIRL_SECURE_WIRE_H

#include <openssl/bio.h>

#include "base/bytes.h"

typedef struct thirl_secure_wire {
  thirl_buffer kept; /* ciphertext that was fed and not read yet */
  thirl_bytes view;  /* ciphertext lent for the call that runs; moved on as it is read */
  thirl_buffer out;  /* ciphertext that waits to be pulled */
  thirl_writer sink; /* lent for the call that runs; buf NULL when none is */
  thirl_error error; /* why a write failed: E_NOMEM, E_LIMIT, E_SPACE */
} thirl_secure_wire;

void thirl_secure_wire_init(thirl_secure_wire *w, size_t kept_max, size_t out_max);
void thirl_secure_wire_fini(thirl_secure_wire *w);
/** Bytes that can be read. */
size_t thirl_secure_wire_left(const thirl_secure_wire *w);

/** The caller frees with BIO_meth_free, after all its BIOs. NULL: out of memory. */
BIO_METHOD *thirl_secure_wire_method_new(void);
/** A BIO over w, borrowed: w must outlive it. NULL: out of memory. */
BIO *thirl_secure_wire_bio_new(const BIO_METHOD *method, thirl_secure_wire *w);

#endif
