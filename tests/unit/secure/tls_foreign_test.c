/* SPDX-License-Identifier: MIT */
/* OpenSSL configured by somebody else at the other end: what is refused, and that what conforms is accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "unit/secure/pair.h"

typedef struct scene {
  thirl_secure_identity *mine, *theirs;
  thirl_secure_tls_context *context;
  thirl_secure_tls *t;
  pair_foreign f;
} scene;

static void begin(scene *s) {
  s->mine = pair_identity(1);
  s->theirs = pair_identity(2);
  s->t = NULL;
  assert_int_equal(thirl_secure_tls_context_new(s->mine, &s->context), THIRL_OK);
  pair_foreign_init(&s->f);
}

static void shake(scene *s, bool foreign_is_client, const thirl_peerid *expect) {
  assert_int_equal(thirl_secure_tls_new(s->context, !foreign_is_client, expect, &s->t), THIRL_OK);
  pair_foreign_start(&s->f, foreign_is_client);
  pair_foreign_shake(&s->f, s->t);
}

static void end(scene *s) {
  thirl_secure_tls_free(s->t);
  thirl_secure_tls_context_free(s->context);
  thirl_secure_identity_free(s->mine);
  thirl_secure_identity_free(s->theirs);
  pair_foreign_fini(&s->f);
}

static void assert_refused(const scene *s, thirl_error why) {
  assert_int_equal(thirl_secure_tls_state_of(s->t), THIRL_SECURE_TLS_FAILED);
  assert_int_equal(thirl_secure_tls_error(s->t), why);
  assert_null(thirl_secure_tls_peer(s->t));
}

static void conforming_peers_are_accepted(void **state) {
  (void)state;
  for (int is_client = 0; is_client < 2; is_client++) {
    scene s;
    char buf[16] = "";
    uint8_t wire[256];
    size_t n;
    begin(&s);
    pair_foreign_use_identity(&s.f, s.theirs);
    shake(&s, is_client, thirl_secure_identity_peerid(s.theirs));
    assert_int_equal(thirl_secure_tls_state_of(s.t), THIRL_SECURE_TLS_OPEN);
    assert_int_equal(SSL_write(s.f.ssl, "hello", 5), 5);
    assert_int_equal(pair_foreign_move(&s.f, s.t), THIRL_OK);
    assert_int_equal(thirl_secure_tls_read(s.t, (uint8_t *)buf, sizeof buf, &n), THIRL_OK);
    assert_string_equal(buf, "hello");
    assert_int_equal(thirl_secure_tls_seal(s.t, THIRL_BYTES("world", 5), wire, sizeof wire, &n), THIRL_OK);
    assert_int_equal(BIO_write(s.f.in, wire, (int)n), (int)n);
    assert_int_equal(SSL_read(s.f.ssl, buf, sizeof buf), 5);
    assert_string_equal(buf, "world");
    assert_string_equal(SSL_get_version(s.f.ssl), "TLSv1.3");
    assert_string_equal(SSL_get_cipher_name(s.f.ssl), "TLS_AES_128_GCM_SHA256");
    end(&s);
  }
}

static void no_session_is_resumable(void **state) {
  (void)state;
  scene s;
  char buf[16];
  begin(&s);
  pair_foreign_use_identity(&s.f, s.theirs);
  shake(&s, true, NULL);
  assert_int_equal(thirl_secure_tls_state_of(s.t), THIRL_SECURE_TLS_OPEN);
  assert_int_equal(SSL_read(s.f.ssl, buf, sizeof buf), -1);
  assert_int_equal(SSL_SESSION_is_resumable(SSL_get_session(s.f.ssl)), 0);
  end(&s);
}

static void another_key_is_refused(void **state) {
  (void)state;
  for (int is_client = 0; is_client < 2; is_client++) {
    scene s;
    begin(&s);
    pair_foreign_use_identity(&s.f, s.theirs);
    shake(&s, is_client, thirl_secure_identity_peerid(s.mine));
    assert_refused(&s, THIRL_E_WRONG_KEY);
    end(&s);
  }
}

/*
 * A key whose public half is that of one and whose private half is that of another: OpenSSL pairs it with the first
 * one's certificate.
 */
static EVP_PKEY *chimera(const thirl_p256 *public_of, const thirl_p256 *private_of) {
  uint8_t point[THIRL_P256_PUBLIC_LEN], scalar[THIRL_P256_PRIVATE_LEN];
  EVP_PKEY *key = NULL;
  thirl_p256_get_public(public_of, point);
  assert_int_equal(thirl_p256_get_private(private_of, scalar), THIRL_OK);
  BIGNUM *d = BN_bin2bn(scalar, sizeof scalar, NULL);
  OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
  assert_true(d && bld && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
              OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) &&
              OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d));
  OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
  assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
  assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params), 1);
  EVP_PKEY_CTX_free(ctx);
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(bld);
  BN_free(d);
  return key;
}

/*
 * The certificate of the one whom we expect, shown by one who lacks its key: refused at CertificateVerify, which no
 * pin can spare.
 */
static void a_stolen_certificate_is_refused(void **state) {
  (void)state;
  for (int is_client = 0; is_client < 2; is_client++) {
    scene s;
    begin(&s);
    EVP_PKEY *key = chimera(thirl_secure_identity_key(s.theirs), thirl_secure_identity_key(s.mine));
    assert_int_equal(SSL_CTX_use_certificate(s.f.ctx, thirl_secure_identity_x509(s.theirs)), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(s.f.ctx, key), 1);
    EVP_PKEY_free(key);
    shake(&s, is_client, thirl_secure_identity_peerid(s.theirs));
    assert_refused(&s, THIRL_E_PROTOCOL);
    end(&s);
  }
}

static void old_versions_are_refused(void **state) {
  (void)state;
  for (int is_client = 0; is_client < 2; is_client++) {
    scene s;
    begin(&s);
    pair_foreign_use_identity(&s.f, s.theirs);
    SSL_CTX_set_max_proto_version(s.f.ctx, TLS1_2_VERSION);
    shake(&s, is_client, NULL);
    assert_refused(&s, THIRL_E_PROTOCOL);
    end(&s);
  }
}

static void a_client_without_certificate_is_refused(void **state) {
  (void)state;
  scene s;
  begin(&s);
  shake(&s, true, NULL);
  assert_refused(&s, THIRL_E_PROTOCOL);
  end(&s);
}

static void assert_key_refused(EVP_PKEY *(*make)(void)) {
  for (int is_client = 0; is_client < 2; is_client++) {
    scene s;
    begin(&s);
    pair_foreign_use_key_take(&s.f, make());
    shake(&s, is_client, NULL);
    assert_refused(&s, THIRL_E_PROTOCOL);
    end(&s);
  }
}

static EVP_PKEY *make_rsa(void) {
  return EVP_RSA_gen(2048);
}

static EVP_PKEY *make_p384(void) {
  return EVP_EC_gen("P-384");
}

static EVP_PKEY *make_ed25519(void) {
  return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static void other_kinds_of_keys_are_refused(void **state) {
  (void)state;
  assert_key_refused(make_rsa);
  assert_key_refused(make_p384);
  assert_key_refused(make_ed25519);
}

static void other_ciphers_and_groups_are_refused(void **state) {
  (void)state;
  for (int is_client = 0; is_client < 2; is_client++) {
    scene s;
    begin(&s);
    pair_foreign_use_identity(&s.f, s.theirs);
    assert_int_equal(SSL_CTX_set_ciphersuites(s.f.ctx, "TLS_AES_256_GCM_SHA384"), 1);
    shake(&s, is_client, NULL);
    assert_refused(&s, THIRL_E_PROTOCOL);
    end(&s);
    begin(&s);
    pair_foreign_use_identity(&s.f, s.theirs);
    assert_int_equal(SSL_CTX_set1_groups_list(s.f.ctx, "P-384"), 1);
    shake(&s, is_client, NULL);
    assert_refused(&s, THIRL_E_PROTOCOL);
    end(&s);
  }
}

/* The group that is our second choice costs a HelloRetryRequest, and works. */
static void p256_alone_is_accepted(void **state) {
  (void)state;
  for (int is_client = 0; is_client < 2; is_client++) {
    scene s;
    begin(&s);
    pair_foreign_use_identity(&s.f, s.theirs);
    assert_int_equal(SSL_CTX_set1_groups_list(s.f.ctx, "P-256"), 1);
    shake(&s, is_client, thirl_secure_identity_peerid(s.theirs));
    assert_int_equal(thirl_secure_tls_state_of(s.t), THIRL_SECURE_TLS_OPEN);
    end(&s);
  }
}

/* A key change that asks for ours: it goes out in front of the next record, inside OVERHEAD. */
static void an_asked_for_key_change_is_answered(void **state) {
  (void)state;
  scene s;
  char buf[16] = "";
  uint8_t wire[256];
  size_t n;
  begin(&s);
  pair_foreign_use_identity(&s.f, s.theirs);
  shake(&s, true, NULL);
  for (int i = 0; i < 5; i++) {
    assert_int_equal(SSL_key_update(s.f.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    assert_int_equal(SSL_write(s.f.ssl, "a", 1), 1);
    assert_int_equal(pair_foreign_move(&s.f, s.t), THIRL_OK);
    assert_int_equal(thirl_secure_tls_read(s.t, (uint8_t *)buf, sizeof buf, &n), THIRL_OK);
    assert_int_equal(n, 1);
    assert_false(thirl_secure_tls_has_output(s.t));
    assert_int_equal(thirl_secure_tls_seal(s.t, THIRL_BYTES("b", 1), wire, 1 + THIRL_SECURE_TLS_OVERHEAD, &n),
                     THIRL_OK);
    assert_int_equal(n, 1 + 22 + 27);
    assert_int_equal(BIO_write(s.f.in, wire, (int)n), (int)n);
    assert_int_equal(SSL_read(s.f.ssl, buf, sizeof buf), 1);
  }
  end(&s);
}

/* A certificate chain that is longer than it may be, from one who need not be known for that. */
static void a_heavy_certificate_message_is_refused(void **state) {
  (void)state;
  scene s;
  begin(&s);
  pair_foreign_use_identity(&s.f, s.theirs);
  for (int i = 0; i < 20; i++)
    assert_int_equal(SSL_CTX_add1_chain_cert(s.f.ctx, thirl_secure_identity_x509(s.theirs)), 1);
  shake(&s, true, NULL);
  assert_refused(&s, THIRL_E_PROTOCOL);
  end(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(conforming_peers_are_accepted),
      cmocka_unit_test(no_session_is_resumable),
      cmocka_unit_test(another_key_is_refused),
      cmocka_unit_test(a_stolen_certificate_is_refused),
      cmocka_unit_test(old_versions_are_refused),
      cmocka_unit_test(a_client_without_certificate_is_refused),
      cmocka_unit_test(other_kinds_of_keys_are_refused),
      cmocka_unit_test(other_ciphers_and_groups_are_refused),
      cmocka_unit_test(p256_alone_is_accepted),
      cmocka_unit_test(an_asked_for_key_change_is_answered),
      cmocka_unit_test(a_heavy_certificate_message_is_refused),
  };
  return cmocka_run_group_tests_name("secure/tls_foreign", tests, NULL, NULL);
}
