/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "server/challenge.h"

static thirl_server_challenge place(void) {
  thirl_server_challenge c = {.conn = 0x80000007u, .second = 1000, .remote = thirl_addr_v4(198, 51, 100, 1, 4000)};
  memset(c.secret, 0x5a, sizeof c.secret);
  return c;
}

static void is_good_in_its_place_for_30_seconds(void **state) {
  (void)state;
  thirl_server_challenge c = place();
  uint8_t nonce[THIRL_SERVER_CHALLENGE_LEN];
  assert_int_equal(thirl_server_challenge_make(&c, nonce), THIRL_OK);
  assert_memory_equal(nonce, "000003e8", 8);
  thirl_bytes n = THIRL_BYTES(nonce, sizeof nonce);
  assert_int_equal(thirl_server_challenge_check(&c, n), THIRL_OK);
  c.second = 1030;
  assert_int_equal(thirl_server_challenge_check(&c, n), THIRL_OK);
  c.second = 1031;
  assert_int_equal(thirl_server_challenge_check(&c, n), THIRL_E_TIMEOUT);
  c.second = 999;
  assert_int_equal(thirl_server_challenge_check(&c, n), THIRL_E_REPLAY);
}

static void is_bad_anywhere_else(void **state) {
  (void)state;
  thirl_server_challenge good = place(), c;
  uint8_t nonce[THIRL_SERVER_CHALLENGE_LEN];
  assert_int_equal(thirl_server_challenge_make(&good, nonce), THIRL_OK);
  thirl_bytes n = THIRL_BYTES(nonce, sizeof nonce);
  c = good;
  c.conn++;
  assert_int_equal(thirl_server_challenge_check(&c, n), THIRL_E_REPLAY);
  c = good;
  c.remote.port++;
  assert_int_equal(thirl_server_challenge_check(&c, n), THIRL_E_REPLAY);
  c = good;
  c.remote.ip[3]++;
  assert_int_equal(thirl_server_challenge_check(&c, n), THIRL_E_REPLAY);
  c = good;
  c.secret[31]++;
  c.second = 2000; /* old as well: still nobody's */
  assert_int_equal(thirl_server_challenge_check(&c, n), THIRL_E_REPLAY);
}

static void every_bit_counts(void **state) {
  (void)state;
  thirl_server_challenge c = place();
  uint8_t nonce[THIRL_SERVER_CHALLENGE_LEN];
  assert_int_equal(thirl_server_challenge_make(&c, nonce), THIRL_OK);
  for (size_t i = 0; i < 8 * sizeof nonce; i++) {
    nonce[i / 8] ^= (uint8_t)(1 << i % 8);
    assert_int_not_equal(thirl_server_challenge_check(&c, THIRL_BYTES(nonce, sizeof nonce)), THIRL_OK);
    nonce[i / 8] ^= (uint8_t)(1 << i % 8);
  }
  assert_int_equal(thirl_server_challenge_check(&c, THIRL_BYTES(nonce, sizeof nonce - 1)), THIRL_E_MALFORMED);
  assert_int_equal(thirl_server_challenge_check(&c, THIRL_BYTES(nonce, 0)), THIRL_E_MALFORMED);
  nonce[10] = 'A'; /* one way to write it only */
  assert_int_equal(thirl_server_challenge_check(&c, THIRL_BYTES(nonce, sizeof nonce)), THIRL_E_MALFORMED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(is_good_in_its_place_for_30_seconds),
      cmocka_unit_test(is_bad_anywhere_else),
      cmocka_unit_test(every_bit_counts),
  };
  return cmocka_run_group_tests_name("server/challenge", tests, NULL, NULL);
}
