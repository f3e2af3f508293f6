/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "base/p256.h"

static void from_hex(const char *hex, uint8_t *out, size_t n) {
  assert_int_equal(strlen(hex), 2 * n);
  for (size_t i = 0; i < n; i++) {
    unsigned v;
    assert_int_equal(sscanf(hex + 2 * i, "%2x", &v), 1);
    out[i] = (uint8_t)v;
  }
}

static thirl_p256 *private_of(const char *hex) {
  uint8_t scalar[32];
  thirl_p256 *k;
  from_hex(hex, scalar, 32);
  assert_int_equal(thirl_p256_from_private(scalar, &k), THIRL_OK);
  return k;
}

static thirl_p256 *public_of(const char *x, const char *y) {
  uint8_t point[65] = {4};
  thirl_p256 *k;
  from_hex(x, point + 1, 32);
  from_hex(y, point + 33, 32);
  assert_int_equal(thirl_p256_from_public(point, &k), THIRL_OK);
  return k;
}

static const thirl_bytes message = {(const uint8_t *)"Example of ECDSA with P-256", 27};
static const char nist_d[] = "c477f9f65c22cce20657faa5b2d1d8122336f851a508a1ed04e479c34985bf96";
static const char nist_x[] = "b7e08afdfe94bad3f1dc8c734798ba1c62b3a0ad1e9ea2a38201cd0889bc7a19";
static const char nist_y[] = "3603f747959dbf7a4bb226e41928729063adc7ae43529e61b563bbc606cc5e09";

/* The error queue of this thread belongs to whoever calls SSL_get_error next. */
static void assert_queue_is_empty(void) {
  assert_int_equal(ERR_peek_error(), 0);
}

/* NIST's example of ECDSA with P-256 and SHA-256: the key and the signature, in DER. */
static void the_nist_example_verifies(void **state) {
  (void)state;
  uint8_t point[65], want[65] = {4}, scalar[32], d[32], signature[71];
  thirl_p256 *k = private_of(nist_d), *pub = public_of(nist_x, nist_y);
  thirl_p256_get_public(k, point);
  from_hex(nist_x, want + 1, 32);
  from_hex(nist_y, want + 33, 32);
  assert_memory_equal(point, want, 65);
  assert_int_equal(thirl_p256_get_private(k, scalar), THIRL_OK);
  from_hex(nist_d, d, 32);
  assert_memory_equal(scalar, d, 32);
  assert_int_equal(thirl_p256_get_private(pub, scalar), THIRL_E_STATE);
  from_hex("3045"
           "02202b42f576d07f4165ff65d1f3b1500f81e44c316f1f0b3ef57325b69aca46104f"
           "022100dc42c2122d6392cd3e3a993a89502a8198c1886fe69d262c4b329bdb6b63faf1",
           signature, 71);
  assert_int_equal(thirl_p256_verify(pub, message, THIRL_BYTES(signature, 71)), THIRL_OK);
  assert_int_equal(thirl_p256_verify(k, message, THIRL_BYTES(signature, 71)), THIRL_OK);
  for (size_t i = 0; i < 71 * 8; i++) { /* any bit */
    signature[i / 8] ^= (uint8_t)(1u << i % 8);
    assert_int_equal(thirl_p256_verify(pub, message, THIRL_BYTES(signature, 71)), THIRL_E_INTEGRITY);
    signature[i / 8] ^= (uint8_t)(1u << i % 8);
  }
  for (size_t n = 0; n < 71; n++) /* any length */
    assert_int_equal(thirl_p256_verify(pub, message, THIRL_BYTES(signature, n)), THIRL_E_INTEGRITY);
  assert_int_equal(thirl_p256_verify(pub, THIRL_BYTES(message.p, 26), THIRL_BYTES(signature, 71)), THIRL_E_INTEGRITY);
  assert_queue_is_empty();
  thirl_p256_free(pub);
  thirl_p256_free(k);
}

/* NIST CAVS 14.1, ECC CDH primitive, P-256, COUNT = 0. */
static void the_nist_agreement_agrees(void **state) {
  (void)state;
  uint8_t out[32], want[32];
  thirl_p256 *mine = private_of("7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534"),
             *theirs = public_of("700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287",
                                 "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac");
  from_hex("46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b", want, 32);
  assert_int_equal(thirl_p256_agree(mine, theirs, out), THIRL_OK);
  assert_memory_equal(out, want, 32);
  assert_int_equal(thirl_p256_agree(theirs, mine, out), THIRL_E_STATE);
  thirl_p256_free(mine);
  thirl_p256_free(theirs);
}

static void made_keys_sign_and_agree(void **state) {
  (void)state;
  for (int i = 0; i < 20; i++) {
    thirl_p256 *a, *b, *a_again, *b_public;
    uint8_t scalar[32], point[65], ab[32], ba[32], signature[THIRL_P256_SIGNATURE_MAX];
    size_t n;
    assert_int_equal(thirl_p256_generate(&a), THIRL_OK);
    assert_int_equal(thirl_p256_generate(&b), THIRL_OK);
    assert_int_equal(thirl_p256_get_private(a, scalar), THIRL_OK);
    assert_int_equal(thirl_p256_from_private(scalar, &a_again), THIRL_OK);
    thirl_p256_get_public(b, point);
    assert_int_equal(thirl_p256_from_public(point, &b_public), THIRL_OK);
    assert_int_equal(thirl_p256_agree(a_again, b_public, ab), THIRL_OK);
    assert_int_equal(thirl_p256_agree(b, a, ba), THIRL_OK);
    assert_memory_equal(ab, ba, 32);
    assert_int_equal(thirl_p256_sign(a_again, message, signature, &n), THIRL_OK);
    assert_true(n <= THIRL_P256_SIGNATURE_MAX);
    assert_int_equal(thirl_p256_verify(a, message, THIRL_BYTES(signature, n)), THIRL_OK);
    assert_int_equal(thirl_p256_verify(b, message, THIRL_BYTES(signature, n)), THIRL_E_INTEGRITY);
    assert_int_equal(thirl_p256_sign(b_public, message, signature, &n), THIRL_E_STATE);
    assert_non_null(thirl_p256_evp(a));
    assert_queue_is_empty();
    thirl_p256_free(a);
    thirl_p256_free(b);
    thirl_p256_free(a_again);
    thirl_p256_free(b_public);
  }
  thirl_p256_free(NULL);
}

static void scalars_out_of_range_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *hex;
    thirl_error e;
  } rows[] = {
      {"0000000000000000000000000000000000000000000000000000000000000000", THIRL_E_RANGE},
      {"0000000000000000000000000000000000000000000000000000000000000001", THIRL_OK},
      {"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550", THIRL_OK}, /* n - 1 */
      {"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", THIRL_E_RANGE},
      {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", THIRL_E_RANGE},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    uint8_t scalar[32], back[32];
    thirl_p256 *k;
    from_hex(rows[i].hex, scalar, 32);
    assert_int_equal(thirl_p256_from_private(scalar, &k), rows[i].e);
    if (rows[i].e == THIRL_OK) { /* leading zeroes come back */
      assert_int_equal(thirl_p256_get_private(k, back), THIRL_OK);
      assert_memory_equal(back, scalar, 32);
    } else {
      assert_null(k);
    }
    thirl_p256_free(k);
    assert_queue_is_empty();
  }
}

static void points_off_the_curve_are_refused(void **state) {
  (void)state;
  uint8_t point[65] = {4}, bad[65];
  thirl_p256 *k;
  from_hex(nist_x, point + 1, 32);
  from_hex(nist_y, point + 33, 32);
  for (size_t bit = 0; bit < 65 * 8; bit++) {
    memcpy(bad, point, sizeof bad);
    bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
    assert_int_equal(thirl_p256_from_public(bad, &k), THIRL_E_MALFORMED);
    assert_null(k);
  }
  memset(bad, 0, sizeof bad); /* the point at infinity has another length, (0, 0) is not on the curve */
  assert_int_equal(thirl_p256_from_public(bad, &k), THIRL_E_MALFORMED);
  bad[0] = 4;
  assert_int_equal(thirl_p256_from_public(bad, &k), THIRL_E_MALFORMED);
  memset(bad + 1, 0xff, 64); /* coordinates beyond the field */
  assert_int_equal(thirl_p256_from_public(bad, &k), THIRL_E_MALFORMED);
  assert_queue_is_empty();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_nist_example_verifies),        cmocka_unit_test(the_nist_agreement_agrees),
      cmocka_unit_test(made_keys_sign_and_agree),         cmocka_unit_test(scalars_out_of_range_are_refused),
      cmocka_unit_test(points_off_the_curve_are_refused),
  };
  return cmocka_run_group_tests_name("base/p256", tests, NULL, NULL);
}
