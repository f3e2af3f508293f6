/* SPDX-License-Identifier: MIT */
#include "unit/secure/pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/x509.h>

thirl_secure_identity *pair_identity(uint8_t n) {
  uint8_t scalar[THIRL_P256_PRIVATE_LEN] = {[THIRL_P256_PRIVATE_LEN - 1] = n};
  thirl_secure_identity *id;
  assert_int_equal(thirl_secure_identity_from_private(scalar, &id), THIRL_OK);
  return id;
}

void pair_init(pair *p, const thirl_peerid *client_expects, const thirl_peerid *server_expects) {
  for (uint8_t i = 0; i < 2; i++) {
    p->ids[i] = pair_identity((uint8_t)(i + 1));
    assert_int_equal(thirl_secure_tls_context_new(p->ids[i], &p->contexts[i]), THIRL_OK);
  }
  assert_int_equal(thirl_secure_tls_new(p->contexts[0], true, client_expects, &p->client), THIRL_OK);
  assert_int_equal(thirl_secure_tls_new(p->contexts[1], false, server_expects, &p->server), THIRL_OK);
}

void pair_again(pair *p) {
  thirl_secure_tls_free(p->client);
  thirl_secure_tls_free(p->server);
  assert_int_equal(thirl_secure_tls_new(p->contexts[0], true, NULL, &p->client), THIRL_OK);
  assert_int_equal(thirl_secure_tls_new(p->contexts[1], false, NULL, &p->server), THIRL_OK);
}

void pair_init_open(pair *p) {
  thirl_secure_identity *one = pair_identity(1), *two = pair_identity(2);
  pair_init(p, thirl_secure_identity_peerid(two), thirl_secure_identity_peerid(one));
  pair_shake(p->client, p->server, PAIR_WIRE, NULL);
  assert_int_equal(thirl_secure_tls_state_of(p->client), THIRL_SECURE_TLS_OPEN);
  assert_int_equal(thirl_secure_tls_state_of(p->server), THIRL_SECURE_TLS_OPEN);
  thirl_secure_identity_free(one);
  thirl_secure_identity_free(two);
}

void pair_fini(pair *p) {
  thirl_secure_tls_free(p->client);
  thirl_secure_tls_free(p->server);
  for (int i = 0; i < 2; i++) {
    thirl_secure_tls_context_free(p->contexts[i]);
    thirl_secure_identity_free(p->ids[i]);
  }
}

thirl_error pair_move(thirl_secure_tls *from, thirl_secure_tls *to, size_t most, thirl_dice *dice) {
  uint8_t buf[PAIR_WIRE];
  thirl_error e = THIRL_OK;
  while (thirl_secure_tls_has_output(from)) {
    size_t cap = dice ? 1 + (size_t)thirl_dice_below(dice, most) : most;
    size_t n = thirl_secure_tls_pull(from, buf, cap);
    assert_in_range(n, 1, cap);
    e = thirl_secure_tls_feed(to, THIRL_BYTES(buf, n));
    assert_int_equal(ERR_peek_error(), 0);
  }
  return e;
}

void pair_shake(thirl_secure_tls *a, thirl_secure_tls *b, size_t most, thirl_dice *dice) {
  while (thirl_secure_tls_has_output(a) || thirl_secure_tls_has_output(b)) {
    (void)pair_move(a, b, most, dice);
    (void)pair_move(b, a, most, dice);
  }
}

/* ---- a foreign peer ---- */

static int accept_any(int ok, X509_STORE_CTX *store) {
  (void)ok, (void)store;
  return 1;
}

void pair_foreign_init(pair_foreign *f) {
  *f = (pair_foreign){.ctx = SSL_CTX_new(TLS_method())};
  assert_non_null(f->ctx);
  SSL_CTX_set_verify(f->ctx, SSL_VERIFY_PEER, accept_any);
}

void pair_foreign_start(pair_foreign *f, bool is_client) {
  f->ssl = SSL_new(f->ctx);
  f->in = BIO_new(BIO_s_mem());
  f->out = BIO_new(BIO_s_mem());
  assert_true(f->ssl && f->in && f->out);
  SSL_set_bio(f->ssl, f->in, f->out);
  if (is_client)
    SSL_set_connect_state(f->ssl);
  else
    SSL_set_accept_state(f->ssl);
  (void)SSL_do_handshake(f->ssl);
}

void pair_foreign_fini(pair_foreign *f) {
  SSL_free(f->ssl);
  SSL_CTX_free(f->ctx);
  ERR_clear_error();
}

void pair_foreign_use_identity(pair_foreign *f, const thirl_secure_identity *id) {
  assert_int_equal(SSL_CTX_use_certificate(f->ctx, thirl_secure_identity_x509(id)), 1);
  assert_int_equal(SSL_CTX_use_PrivateKey(f->ctx, thirl_p256_evp(thirl_secure_identity_key(id))), 1);
}

void pair_foreign_use_key_take(pair_foreign *f, EVP_PKEY *key) {
  X509 *x = X509_new();
  assert_true(key && x);
  assert_true(X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1));
  assert_true(X509_gmtime_adj(X509_getm_notBefore(x), 0) && X509_gmtime_adj(X509_getm_notAfter(x), 3600));
  assert_true(X509_set_pubkey(x, key) && X509_sign(x, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()));
  assert_int_equal(SSL_CTX_use_certificate(f->ctx, x), 1);
  assert_int_equal(SSL_CTX_use_PrivateKey(f->ctx, key), 1);
  X509_free(x);
  EVP_PKEY_free(key);
}

thirl_error pair_foreign_move(pair_foreign *f, thirl_secure_tls *t) {
  uint8_t buf[PAIR_WIRE];
  thirl_error e = THIRL_OK;
  int n;
  ERR_clear_error(); /* what the foreign side thinks is not ours */
  while ((n = BIO_read(f->out, buf, sizeof buf)) > 0) {
    e = thirl_secure_tls_feed(t, THIRL_BYTES(buf, (size_t)n));
    assert_int_equal(ERR_peek_error(), 0);
  }
  return e;
}

void pair_foreign_shake(pair_foreign *f, thirl_secure_tls *t) {
  uint8_t buf[PAIR_WIRE];
  while (thirl_secure_tls_has_output(t) || BIO_ctrl_pending(f->out) > 0) {
    size_t n = thirl_secure_tls_pull(t, buf, sizeof buf);
    if (n) {
      assert_int_equal(BIO_write(f->in, buf, (int)n), (int)n);
      if (!SSL_is_init_finished(f->ssl)) (void)SSL_do_handshake(f->ssl);
    }
    (void)pair_foreign_move(f, t);
  }
}
