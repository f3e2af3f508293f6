/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/digest.h"

static void assert_is(const thirl_digest *d, const char *hex) {
  static const char digits[] = "0123456789abcdef";
  uint8_t out[THIRL_SHA256_LEN];
  assert_int_equal(thirl_digest_get(d, out), THIRL_OK);
  for (size_t i = 0; i < sizeof out; i++) {
    assert_int_equal(hex[2 * i], digits[out[i] >> 4]);
    assert_int_equal(hex[2 * i + 1], digits[out[i] & 15]);
  }
}

/* FIPS 180-2 appendix B.1 and B.2. */
static void it_can_be_looked_at_on_the_way(void **state) {
  (void)state;
  static const char longer[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  thirl_digest *d = thirl_digest_new();
  assert_non_null(d);
  assert_is(d, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert_int_equal(thirl_digest_add(d, THIRL_BYTES("ab", 2)), THIRL_OK);
  assert_int_equal(thirl_digest_add(d, THIRL_BYTES(NULL, 0)), THIRL_OK);
  assert_int_equal(thirl_digest_add(d, THIRL_BYTES("c", 1)), THIRL_OK);
  assert_is(d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert_is(d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert_int_equal(thirl_digest_add(d, THIRL_BYTES(longer + 3, strlen(longer) - 3)), THIRL_OK);
  assert_int_equal(thirl_digest_reset(d), THIRL_OK);
  assert_int_equal(thirl_digest_add(d, THIRL_BYTES(longer, strlen(longer))), THIRL_OK);
  assert_is(d, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  thirl_digest_free(d);
  thirl_digest_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(it_can_be_looked_at_on_the_way)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
