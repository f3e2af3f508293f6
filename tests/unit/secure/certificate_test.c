/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "secure/certificate.h"
#include "unit/secure/pair.h"

static void only_the_signature_differs_between_two(void **state) {
  (void)state;
  thirl_secure_identity *id = pair_identity(1);
  X509 *a, *b;
  unsigned char *tbs_a = NULL, *tbs_b = NULL;
  assert_int_equal(thirl_secure_certificate_build(thirl_secure_identity_key(id), thirl_secure_identity_peerid(id), &a),
                   THIRL_OK);
  assert_int_equal(thirl_secure_certificate_build(thirl_secure_identity_key(id), thirl_secure_identity_peerid(id), &b),
                   THIRL_OK);
  int n = i2d_re_X509_tbs(a, &tbs_a);
  assert_true(n > 0);
  assert_int_equal(i2d_re_X509_tbs(b, &tbs_b), n);
  assert_memory_equal(tbs_a, tbs_b, (size_t)n);
  assert_int_equal(X509_get_version(a), 2);
  assert_int_equal(X509_verify(a, thirl_p256_evp(thirl_secure_identity_key(id))), 1);
  OPENSSL_free(tbs_a);
  OPENSSL_free(tbs_b);
  X509_free(a);
  X509_free(b);
  thirl_secure_identity_free(id);
}

static void assert_time(const ASN1_TIME *t, int type, const char *text) {
  assert_int_equal(ASN1_STRING_type(t), type);
  assert_int_equal(ASN1_STRING_length(t), (int)strlen(text));
  assert_memory_equal(ASN1_STRING_get0_data(t), text, strlen(text));
}

static void fields_are_fixed(void **state) {
  (void)state;
  thirl_secure_identity *id = pair_identity(1);
  const X509 *x = thirl_secure_identity_x509(id);
  const thirl_peerid *peerid = thirl_secure_identity_peerid(id);
  const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
  char name[64];
  assert_time(X509_get0_notBefore(x), V_ASN1_UTCTIME, "700101000000Z");
  assert_time(X509_get0_notAfter(x), V_ASN1_GENERALIZEDTIME, "99991231235959Z");
  assert_string_equal(X509_NAME_oneline(X509_get_subject_name(x), name, sizeof name), "/CN=thirl");
  assert_string_equal(X509_NAME_oneline(X509_get_issuer_name(x), name, sizeof name), "/CN=thirl");
  assert_int_equal(ASN1_STRING_type(serial), V_ASN1_INTEGER); /* not V_ASN1_NEG_INTEGER */
  assert_int_equal(ASN1_STRING_length(serial), 16);
  assert_int_equal(ASN1_STRING_get0_data(serial)[0], (peerid->b[0] & 0x3f) | 0x40);
  assert_memory_equal(ASN1_STRING_get0_data(serial) + 1, peerid->b + 1, 15);
  assert_int_equal(X509_get_ext_count(x), 0);
  thirl_secure_identity_free(id);
}

static void the_point_comes_back_out(void **state) {
  (void)state;
  uint8_t point[THIRL_P256_PUBLIC_LEN], expected[THIRL_P256_PUBLIC_LEN];
  for (uint8_t n = 1; n < 20; n++) {
    thirl_secure_identity *id = pair_identity(n);
    thirl_p256_get_public(thirl_secure_identity_key(id), expected);
    assert_int_equal(thirl_secure_certificate_point(thirl_secure_identity_x509(id), point), THIRL_OK);
    assert_memory_equal(point, expected, sizeof point);
    thirl_secure_identity_free(id);
  }
}

static void assert_no_point(EVP_PKEY *key) {
  uint8_t point[THIRL_P256_PUBLIC_LEN];
  X509 *x = X509_new();
  assert_true(key && x && X509_set_pubkey(x, key));
  assert_int_equal(thirl_secure_certificate_point(x, point), THIRL_E_MALFORMED);
  X509_free(x);
  EVP_PKEY_free(key);
}

static EVP_PKEY *p256_with(const char *param, const char *value) {
  EVP_PKEY *key = NULL;
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
  assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
  assert_int_equal(EVP_PKEY_CTX_ctrl_str(ctx, "ec_paramgen_curve", "P-256"), 1);
  if (strcmp(param, "ec_param_enc") == 0) assert_int_equal(EVP_PKEY_CTX_ctrl_str(ctx, param, value), 1);
  assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
  if (strcmp(param, "point-format") == 0) assert_int_equal(EVP_PKEY_set_utf8_string_param(key, param, value), 1);
  EVP_PKEY_CTX_free(ctx);
  return key;
}

static void other_keys_have_no_point(void **state) {
  (void)state;
  uint8_t point[THIRL_P256_PUBLIC_LEN];
  X509 *empty = X509_new();
  assert_no_point(EVP_RSA_gen(2048));
  assert_no_point(EVP_EC_gen("P-384"));
  assert_no_point(EVP_EC_gen("secp256k1")); /* the lengths of P-256, another curve */
  assert_no_point(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
  assert_no_point(p256_with("ec_param_enc", "explicit"));
  assert_no_point(p256_with("point-format", "compressed"));
  assert_int_equal(thirl_secure_certificate_point(empty, point), THIRL_E_MALFORMED);
  X509_free(empty);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_the_signature_differs_between_two),
      cmocka_unit_test(fields_are_fixed),
      cmocka_unit_test(the_point_comes_back_out),
      cmocka_unit_test(other_keys_have_no_point),
  };
  return cmocka_run_group_tests_name("secure/certificate", tests, NULL, NULL);
}
