/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "unit/secure/pair.h"

/* The key of scalar 7, in the forms that OpenSSL's command line writes. */
static const char sec1_7[] = "-----BEGIN EC PRIVATE KEY-----\n"
                             "MHcCAQEEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAHoAoGCCqGSM49\n"
                             "AwEHoUQDQgAEjlM7b6C/e0YluzBmfAH7YH75+LioD+9bMAYocDGHsqNz6x294DMY\n"
                             "Nm0Gn4Om9ZAAU8c2M8sEGyHFXhqGwfQAtA==\n"
                             "-----END EC PRIVATE KEY-----\n";
static const char pkcs8_7[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAAAAAAAAAAAAAAAA\n"
                              "AAAAAAAAAAAAAAAAAAAAAAAAAAehRANCAASOUztvoL97RiW7MGZ8Aftgfvn4uKgP\n"
                              "71swBihwMYeyo3PrHb3gMxg2bQafg6b1kABTxzYzywQbIcVeGobB9AC0\n"
                              "-----END PRIVATE KEY-----\n";
static const char compressed_7[] = "-----BEGIN EC PRIVATE KEY-----\n"
                                   "MFcCAQEEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAHoAoGCCqGSM49\n"
                                   "AwEHoSQDIgACjlM7b6C/e0YluzBmfAH7YH75+LioD+9bMAYocDGHsqM=\n"
                                   "-----END EC PRIVATE KEY-----\n";
static const char no_public_7[] = "-----BEGIN EC PRIVATE KEY-----\n"
                                  "MDECAQEEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAHoAoGCCqGSM49\n"
                                  "AwEH\n"
                                  "-----END EC PRIVATE KEY-----\n";
static const char parameters_first[] = "-----BEGIN EC PARAMETERS-----\n"
                                       "BggqhkjOPQMBBw==\n"
                                       "-----END EC PARAMETERS-----\n";
static const char public_7[] = "-----BEGIN PUBLIC KEY-----\n"
                               "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEjlM7b6C/e0YluzBmfAH7YH75+Lio\n"
                               "D+9bMAYocDGHsqNz6x294DMYNm0Gn4Om9ZAAU8c2M8sEGyHFXhqGwfQAtA==\n"
                               "-----END PUBLIC KEY-----\n";
static const char encrypted_pkcs8[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                                      "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAikgxM00Sm+aAICCAAw\n"
                                      "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEAIk98oNnvQf4lTSgXA2AXsEgZCf\n"
                                      "ZJT1IGIev4byn8LpDmxDbgsSKCCen3ng2+52xywr7yNTklji5O48wnu5PymkAWww\n"
                                      "uyNMwQ5mE+hAXNr+hUAGsVZdNeS69lEb6On4MsV9RleTteS26faYDTEyZEJG8qqi\n"
                                      "mJO24r5G6LWswN3FYdlP8EzOddX4yR9gNydLGwojYjLQjJBQwhNUI1OCoqt9UDE=\n"
                                      "-----END ENCRYPTED PRIVATE KEY-----\n";
static const char encrypted_sec1[] = "-----BEGIN EC PRIVATE KEY-----\n"
                                     "Proc-Type: 4,ENCRYPTED\n"
                                     "DEK-Info: AES-128-CBC,F9648E56D2FF6343830C0EB661AA2D2F\n"
                                     "\n"
                                     "qvb2Pv9iGhHAB2uM54dCb6IPyWzDFIO1gXEfLFdrV+JtsqiOE8xdrW44vGsMGtC7\n"
                                     "PAZIAYS1FPHqNjUqyn3canzFalsP6X9ZuIglo8SlKAODT5oV3v3r4t0CulxgEvvJ\n"
                                     "cnVLclE21oYSnnXMibcWnUDGKNSWtYUzqhzelRW4gOA=\n"
                                     "-----END EC PRIVATE KEY-----\n";
static const char p384[] = "-----BEGIN PRIVATE KEY-----\n"
                           "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDogu1ujK9f71XY/Bae\n"
                           "HBwK+/0MMNCntHsWm6e0fh2+4jlSc7oqCR3WsqLpYM4+m1ChZANiAAScA+/W1xwF\n"
                           "/bjh4DXJo6b9Zoie+BBOSrOBNqAj84KW3NSaKMAhUEcWJ9toVtDNHtyEFmyBimVy\n"
                           "QXkgl18WKTeSReAzHYORvY9DJ45Ldtc1yOm+FHzge1HIrJRhTZ16LOY=\n"
                           "-----END PRIVATE KEY-----\n";
static const char ed25519[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEIKOa9NpYphGDXDpjV43wFHl7cKXChqS+C5+gO5YAhvcn\n"
                              "-----END PRIVATE KEY-----\n";

/* openssl pkey -in pkcs8_7 -pubout -outform DER | tail -c 65 | openssl dgst -sha256, the first 20 bytes */
static const uint8_t peerid_7[THIRL_PEERID_LEN] = {0xb3, 0x3e, 0x4d, 0x1c, 0x20, 0xdf, 0x27, 0x89, 0x12, 0x25,
                                                   0xe7, 0x31, 0xac, 0x50, 0x23, 0x4b, 0x2a, 0x20, 0x2e, 0xc4};

static thirl_error read_text(const char *text, thirl_secure_identity **id) {
  thirl_error e = thirl_secure_identity_from_pem(THIRL_BYTES(text, strlen(text)), id);
  assert_int_equal(ERR_peek_error(), 0);
  return e;
}

static void assert_is_7(const char *text) {
  thirl_secure_identity *id;
  char again[THIRL_SECURE_IDENTITY_PEM_CAP];
  size_t n;
  assert_int_equal(read_text(text, &id), THIRL_OK);
  assert_memory_equal(thirl_secure_identity_peerid(id)->b, peerid_7, sizeof peerid_7);
  assert_int_equal(thirl_secure_identity_to_pem(id, again, sizeof again, &n), THIRL_OK);
  assert_string_equal(again, pkcs8_7);
  assert_int_equal(n, sizeof pkcs8_7 - 1);
  thirl_secure_identity_free(id);
}

static void assert_refused(const char *text) {
  thirl_secure_identity *id = (void *)1;
  assert_int_equal(read_text(text, &id), THIRL_E_SYNTAX);
  assert_null(id);
}

static void the_peer_id_is_the_hash_of_the_point(void **state) {
  (void)state;
  thirl_secure_identity *id = pair_identity(7);
  uint8_t scalar[THIRL_P256_PRIVATE_LEN];
  assert_memory_equal(thirl_secure_identity_peerid(id)->b, peerid_7, sizeof peerid_7);
  assert_int_equal(thirl_p256_get_private(thirl_secure_identity_key(id), scalar), THIRL_OK);
  assert_int_equal(scalar[31], 7);
  thirl_secure_identity_free(id);
  thirl_secure_identity_free(NULL);
}

static void every_usual_form_of_a_key_is_read(void **state) {
  (void)state;
  char both[1024];
  assert_is_7(sec1_7);
  assert_is_7(pkcs8_7);
  assert_is_7(compressed_7);
  assert_is_7(no_public_7);
  snprintf(both, sizeof both, "a comment of its owner\n%s%s\nmore text\n", parameters_first, sec1_7);
  assert_is_7(both);
}

/* What the text says about the public half is not believed: here the one of scalar 7 beside the scalar 8. */
static void the_public_half_is_computed(void **state) {
  (void)state;
  char text[sizeof sec1_7];
  thirl_secure_identity *id, *eight = pair_identity(8);
  memcpy(text, sec1_7, sizeof text);
  char *at = strstr(text, "AAAAAAAAAAH");
  assert_non_null(at);
  at[10] = 'I'; /* base 64: ..07 a0 becomes ..08 a0 */
  assert_int_equal(read_text(text, &id), THIRL_OK);
  assert_true(thirl_peerid_equal(thirl_secure_identity_peerid(id), thirl_secure_identity_peerid(eight)));
  thirl_secure_identity_free(id);
  thirl_secure_identity_free(eight);
}

static void other_keys_are_refused(void **state) {
  (void)state;
  char rsa[4096];
  EVP_PKEY *key = EVP_RSA_gen(2048);
  BIO *bio = BIO_new(BIO_s_mem());
  assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
  int n = BIO_read(bio, rsa, sizeof rsa - 1);
  assert_true(n > 0);
  rsa[n] = '\0';
  BIO_free(bio);
  EVP_PKEY_free(key);
  assert_refused(rsa);
  assert_refused(p384);
  assert_refused(ed25519);
  assert_refused(public_7);
}

static void an_encrypted_key_is_refused_without_asking(void **state) {
  (void)state;
  assert_refused(encrypted_pkcs8);
  assert_refused(encrypted_sec1);
}

static void garbage_is_refused(void **state) {
  (void)state;
  static char long_text[THIRL_SECURE_IDENTITY_PEM_MAX + 2];
  thirl_secure_identity *id;
  assert_refused("");
  assert_refused("hello\n");
  assert_refused(parameters_first);
  for (size_t cut = 0; cut + 2 < sizeof pkcs8_7; cut++) { /* without its last line feed it is whole */
    assert_int_equal(thirl_secure_identity_from_pem(THIRL_BYTES(pkcs8_7, cut), &id), THIRL_E_SYNTAX);
    assert_null(id);
  }
  memset(long_text, '\n', sizeof long_text - 1);
  memcpy(long_text, pkcs8_7, sizeof pkcs8_7 - 1);
  assert_refused(long_text);
  long_text[THIRL_SECURE_IDENTITY_PEM_MAX] = '\0';
  assert_is_7(long_text);
}

static void scalars_out_of_range_are_refused(void **state) {
  (void)state;
  uint8_t scalar[THIRL_P256_PRIVATE_LEN] = {0};
  thirl_secure_identity *id;
  assert_int_equal(thirl_secure_identity_from_private(scalar, &id), THIRL_E_RANGE);
  assert_null(id);
  memset(scalar, 0xff, sizeof scalar);
  assert_int_equal(thirl_secure_identity_from_private(scalar, &id), THIRL_E_RANGE);
  assert_null(id);
}

static void generated_keys_differ_and_survive_their_text(void **state) {
  (void)state;
  thirl_secure_identity *a, *b, *again;
  char text[THIRL_SECURE_IDENTITY_PEM_CAP];
  size_t n;
  assert_int_equal(thirl_secure_identity_generate(&a), THIRL_OK);
  assert_int_equal(thirl_secure_identity_generate(&b), THIRL_OK);
  assert_false(thirl_peerid_equal(thirl_secure_identity_peerid(a), thirl_secure_identity_peerid(b)));
  assert_int_equal(thirl_secure_identity_to_pem(a, text, sizeof text, &n), THIRL_OK);
  assert_int_equal(read_text(text, &again), THIRL_OK);
  assert_true(thirl_peerid_equal(thirl_secure_identity_peerid(a), thirl_secure_identity_peerid(again)));
  assert_int_equal(thirl_secure_identity_to_pem(a, text, sizeof pkcs8_7 - 1, &n), THIRL_E_SPACE);
  assert_int_equal(n, 0);
  thirl_secure_identity_free(a);
  thirl_secure_identity_free(b);
  thirl_secure_identity_free(again);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_peer_id_is_the_hash_of_the_point),
      cmocka_unit_test(every_usual_form_of_a_key_is_read),
      cmocka_unit_test(the_public_half_is_computed),
      cmocka_unit_test(other_keys_are_refused),
      cmocka_unit_test(an_encrypted_key_is_refused_without_asking),
      cmocka_unit_test(garbage_is_refused),
      cmocka_unit_test(scalars_out_of_range_are_refused),
      cmocka_unit_test(generated_keys_differ_and_survive_their_text),
  };
  return cmocka_run_group_tests_name("secure/identity", tests, NULL, NULL);
}
