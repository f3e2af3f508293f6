/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/hash.h"

/* A digest as text, so that vectors stand here as their RFCs print them. */
static void assert_hex(const uint8_t *got, size_t n, const char *want) {
  char text[2 * 128 + 1];
  assert_int_equal(strlen(want), 2 * n);
  for (size_t i = 0; i < n; i++)
    snprintf(text + 2 * i, 3, "%02x", got[i]);
  assert_string_equal(text, want);
}

static thirl_bytes text(const char *s) {
  return THIRL_BYTES(s, strlen(s));
}

static void digests_of_short_texts(void **state) {
  (void)state;
  uint8_t out[32];
  assert_int_equal(thirl_hash_sha256((thirl_bytes){NULL, 0}, out), THIRL_OK);
  assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert_int_equal(thirl_hash_sha256(text("abc"), out), THIRL_OK);
  assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert_int_equal(thirl_hash_md5((thirl_bytes){NULL, 0}, out), THIRL_OK); /* RFC 1321 appendix A.5 */
  assert_hex(out, 16, "d41d8cd98f00b204e9800998ecf8427e");
  assert_int_equal(thirl_hash_md5(text("message digest"), out), THIRL_OK);
  assert_hex(out, 16, "f96b697d7cb7938d525a2f31aaf161d0");
}

/* RFC 2202 section 3 and RFC 4231 section 4: the same cases for SHA-1 and SHA-256, with two lengths of the long key. */
static void hmac_vectors(void **state) {
  (void)state;
  static uint8_t aa[131], dd[50], cd[50], counted[25], b0[20], c0[20];
  memset(aa, 0xaa, sizeof aa);
  memset(dd, 0xdd, sizeof dd);
  memset(cd, 0xcd, sizeof cd);
  memset(b0, 0x0b, sizeof b0);
  memset(c0, 0x0c, sizeof c0);
  for (uint8_t i = 0; i < 25; i++)
    counted[i] = (uint8_t)(i + 1);
  static const char first[] = "Test Using Larger Than Block-Size Key - Hash Key First";
  const struct {
    thirl_bytes key, data;
    const char *sha1, *sha256;
  } rows[] = {
      {THIRL_BYTES(b0, 20), text("Hi There"), "b617318655057264e28bc0b6fb378c8ef146be00",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {text("Jefe"), text("what do ya want for nothing?"), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {THIRL_BYTES(aa, 20), THIRL_BYTES(dd, 50), "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {THIRL_BYTES(counted, 25), THIRL_BYTES(cd, 50), "4c9007f4026250c6bc8414f9bf50c86c2d7235da",
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {THIRL_BYTES(c0, 20), text("Test With Truncation"), "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04", NULL},
      {THIRL_BYTES(aa, 80), text(first), "aa4ae5e15272d00e95705637ce8a3b55ed402112", NULL},
      {THIRL_BYTES(aa, 80), text("Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data"),
       "e8e99d0f45237d786d6bbaa7965c7808bbff1a91", NULL},
      {THIRL_BYTES(aa, 131), text(first), NULL, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {THIRL_BYTES(aa, 131),
       text("This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
            "hashed before being used by the HMAC algorithm."),
       NULL, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    uint8_t out[32];
    for (size_t cut = 0; cut <= rows[i].data.n; cut++) { /* in two parts, cut anywhere */
      thirl_bytes parts[] = {{rows[i].data.p, cut}, {NULL, 0}, {rows[i].data.p + cut, rows[i].data.n - cut}};
      assert_int_equal(thirl_hash_hmac_sha1(rows[i].key, parts, 3, out), THIRL_OK);
      if (rows[i].sha1) assert_hex(out, 20, rows[i].sha1);
      assert_int_equal(thirl_hash_hmac_sha256(rows[i].key, parts, 3, out), THIRL_OK);
      if (rows[i].sha256) assert_hex(out, 32, rows[i].sha256);
    }
  }
}

/* RFC 4231 case 5 gives only the first 128 bits. */
static void hmac_vector_that_is_printed_in_part(void **state) {
  (void)state;
  uint8_t key[20], out[32];
  thirl_bytes data = text("Test With Truncation");
  memset(key, 0x0c, sizeof key);
  assert_int_equal(thirl_hash_hmac_sha256(THIRL_BYTES(key, 20), &data, 1, out), THIRL_OK);
  assert_hex(out, 16, "a3b6167473100ee06e0c796c2955552b");
}

/* Keys about the block size: values from another implementation. An empty key and a message without parts are allowed. */
static void hmac_of_odd_keys(void **state) {
  (void)state;
  uint8_t key[65], out[32];
  memset(key, 'k', sizeof key);
  thirl_bytes data = text("data");
  assert_int_equal(thirl_hash_hmac_sha256((thirl_bytes){NULL, 0}, NULL, 0, out), THIRL_OK);
  assert_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  static const char *const want[] = {"ac606b54f050fbdd53bb5848b99dd0bb6f1222bd375ea2aaf66f1af02fcf73e7",
                                     "93244b031118b8060c6619e5900fcf916faefb2d8d020fecb22ae0f62275db08",
                                     "a79b53d0bf1cb4bb00c301979e6e60ef792a435cafabd76ab9e8989bbdef2dff"};
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(thirl_hash_hmac_sha256(THIRL_BYTES(key, 63 + i), &data, 1, out), THIRL_OK);
    assert_hex(out, 32, want[i]);
  }
}

/* RFC 5869 appendix A.1 to A.3. */
static void hkdf_vectors(void **state) {
  (void)state;
  uint8_t b0[22], counted[256], out[82];
  memset(b0, 0x0b, sizeof b0);
  for (unsigned i = 0; i < 256; i++)
    counted[i] = (uint8_t)i;
  assert_int_equal(
      thirl_hash_hkdf(THIRL_BYTES(b0, 22), THIRL_BYTES(counted, 13), THIRL_BYTES(counted + 0xf0, 10), out, 42),
      THIRL_OK);
  assert_hex(out, 42, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  assert_int_equal(thirl_hash_hkdf(THIRL_BYTES(counted, 80), THIRL_BYTES(counted + 0x60, 80),
                                   THIRL_BYTES(counted + 0xb0, 80), out, 82),
                   THIRL_OK);
  assert_hex(out, 82,
             "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da32"
             "75600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  assert_int_equal(thirl_hash_hkdf(THIRL_BYTES(b0, 22), (thirl_bytes){NULL, 0}, (thirl_bytes){NULL, 0}, out, 42),
                   THIRL_OK);
  assert_hex(out, 42, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

static void hkdf_ends_at_255_blocks(void **state) {
  (void)state;
  static uint8_t out[255 * 32 + 1];
  assert_int_equal(thirl_hash_hkdf(text("k"), text("s"), text("i"), out, 255 * 32), THIRL_OK);
  assert_hex(out + 254 * 32, 32, "615731fb221c012561cd34c636f30223ea3f2aa7e2b87b6e405fa6872a8adb49");
  assert_int_equal(thirl_hash_hkdf(text("k"), text("s"), text("i"), out, 255 * 32 + 1), THIRL_E_RANGE);
}

static uint32_t crc_by_bits(thirl_bytes in) {
  uint32_t c = 0xffffffffu;
  for (size_t i = 0; i < in.n; i++) {
    c ^= in.p[i];
    for (int k = 0; k < 8; k++)
      c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
  }
  return ~c;
}

static void crc_is_that_of_ethernet(void **state) {
  (void)state;
  uint8_t b[100];
  assert_true(thirl_hash_crc32(text("123456789")) == 0xcbf43926u);
  assert_true(thirl_hash_crc32((thirl_bytes){NULL, 0}) == 0);
  for (uint8_t i = 0; i < sizeof b; i++)
    b[i] = (uint8_t)(i * 37 + 11);
  for (size_t at = 0; at < 9; at++) /* every length at every alignment */
    for (size_t n = 0; n <= sizeof b - at; n++)
      assert_true(thirl_hash_crc32(THIRL_BYTES(b + at, n)) == crc_by_bits(THIRL_BYTES(b + at, n)));
}

static void *hash_much(void *arg) {
  uint8_t *failed = arg, out[32], again[32];
  thirl_bytes data = THIRL_BYTES(failed + 1, 60);
  if (thirl_hash_hmac_sha256(data, &data, 1, out) != THIRL_OK) *failed = 1;
  for (int i = 0; i < 200; i++)
    if (thirl_hash_hmac_sha256(data, &data, 1, again) != THIRL_OK || memcmp(out, again, 32) != 0) *failed = 1;
  return NULL;
}

static void threads_do_not_share_a_context(void **state) {
  (void)state;
  pthread_t threads[4];
  uint8_t args[4][61] = {{0}};
  for (uint8_t i = 0; i < 4; i++) {
    memset(args[i] + 1, i, 60);
    assert_int_equal(pthread_create(&threads[i], NULL, hash_much, args[i]), 0);
  }
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
    assert_int_equal(args[i][0], 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(digests_of_short_texts),
      cmocka_unit_test(hmac_vectors),
      cmocka_unit_test(hmac_vector_that_is_printed_in_part),
      cmocka_unit_test(hmac_of_odd_keys),
      cmocka_unit_test(hkdf_vectors),
      cmocka_unit_test(hkdf_ends_at_255_blocks),
      cmocka_unit_test(crc_is_that_of_ethernet),
      cmocka_unit_test(threads_do_not_share_a_context),
  };
  return cmocka_run_group_tests_name("base/hash", tests, NULL, NULL);
}
