/* SPDX-License-Identifier: MIT */
/* The answer to a challenge, seen from the server. */
#include "meet/register.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bytes_of.h"

static thirl_p256 *key_of(unsigned first) {
  uint8_t scalar[THIRL_P256_PRIVATE_LEN];
  thirl_p256 *k;
  bytes_ramp(scalar, sizeof scalar, first);
  assert_int_equal(thirl_p256_from_private(scalar, &k), THIRL_OK);
  return k;
}

static thirl_meet_message challenge(const uint8_t *nonce, size_t n, const thirl_p256 *server) {
  thirl_meet_message m = {.nonce = THIRL_BYTES(nonce, n), .has_ephemeral = server != NULL};
  if (server) thirl_p256_get_public(server, m.ephemeral);
  return m;
}

static void test_challenge_of_every_length(void **state) {
  (void)state;
  uint8_t nonce[THIRL_MEET_NONCE_MAX + 1];
  thirl_p256 *server = key_of(1);
  bytes_ramp(nonce, sizeof nonce, 9);
  for (size_t n = 0; n <= sizeof nonce; n++) {
    thirl_meet_challenge ch = {.nonce_n = 0};
    thirl_meet_message m = challenge(nonce, n, server);
    bool is_good = n >= 1 && n <= THIRL_MEET_NONCE_MAX;
    assert_int_equal(thirl_meet_register_challenge(&ch, &m), is_good ? THIRL_OK : THIRL_E_PROTOCOL);
    assert_int_equal(ch.nonce_n, is_good ? n : 0);
    if (!is_good) continue;
    assert_memory_equal(ch.nonce, nonce, n);
    assert_memory_equal(ch.server_key, m.ephemeral, sizeof ch.server_key);
  }
  thirl_p256_free(server);
}

static void test_key_may_be_left_out_once_it_is_known(void **state) {
  (void)state;
  const uint8_t one[] = "one", two[] = "zwei";
  thirl_p256 *server = key_of(1);
  thirl_meet_challenge ch = {.nonce_n = 0};
  thirl_meet_message m = challenge(two, 4, NULL);
  uint8_t point[THIRL_P256_PUBLIC_LEN];
  assert_int_equal(thirl_meet_register_challenge(&ch, &m), THIRL_E_PROTOCOL);
  m = challenge(one, 3, server);
  assert_int_equal(thirl_meet_register_challenge(&ch, &m), THIRL_OK);
  m = challenge(two, 4, NULL);
  assert_int_equal(thirl_meet_register_challenge(&ch, &m), THIRL_OK);
  assert_int_equal(ch.nonce_n, 4);
  assert_memory_equal(ch.nonce, "zwei", 4);
  thirl_p256_get_public(server, point);
  assert_memory_equal(ch.server_key, point, sizeof point);
  thirl_p256_free(server);
}

static void test_answer(void **state) {
  (void)state;
  uint8_t nonce[THIRL_MEET_NONCE_MAX], signature[THIRL_P256_SIGNATURE_MAX], point[THIRL_P256_PUBLIC_LEN];
  uint8_t to_sign[THIRL_MEET_SIGNED_MAX], first[THIRL_P256_PUBLIC_LEN] = {0};
  thirl_p256 *server = key_of(1), *client = key_of(40), *ephemeral;
  thirl_peerid id = {{7}};
  bytes_ramp(nonce, sizeof nonce, 9);
  thirl_p256_get_public(client, point);
  for (int i = 0; i < 2; i++) {
    thirl_meet_challenge ch = {.nonce_n = 0};
    thirl_meet_seal seal = {0};
    thirl_meet_keys keys;
    thirl_meet_message m = challenge(nonce, sizeof nonce, server);
    assert_int_equal(thirl_meet_register_challenge(&ch, &m), THIRL_OK);
    m = (thirl_meet_message){0};
    assert_int_equal(thirl_meet_register_answer(&ch, client, &id, &seal, signature, &m), THIRL_OK);
    assert_true(m.has_public && m.has_ephemeral);
    assert_memory_equal(m.public_key, point, sizeof point);
    assert_true(thirl_bytes_equal(m.nonce, THIRL_BYTES(nonce, sizeof nonce)));
    size_t n = thirl_meet_message_signed(m.nonce, ch.server_key, m.ephemeral, to_sign);
    assert_int_equal(thirl_p256_verify(client, THIRL_BYTES(to_sign, n), m.signature), THIRL_OK);
    assert_int_equal(thirl_p256_from_public(m.ephemeral, &ephemeral), THIRL_OK);
    assert_int_equal(thirl_meet_message_keys(server, ephemeral, m.nonce, &id, &keys), THIRL_OK);
    thirl_p256_free(ephemeral);
    assert_true(seal.ready && seal.sent == 0 && seal.received == 0);
    assert_memory_equal(seal.out_key, keys.to_server, sizeof keys.to_server);
    assert_memory_equal(seal.in_key, keys.to_client, sizeof keys.to_client);
    assert_memory_not_equal(first, m.ephemeral, sizeof first); /* a new one each time */
    memcpy(first, m.ephemeral, sizeof first);
  }
  thirl_p256_free(server);
  thirl_p256_free(client);
}

static void test_key_that_cannot_sign(void **state) {
  (void)state;
  uint8_t signature[THIRL_P256_SIGNATURE_MAX], point[THIRL_P256_PUBLIC_LEN];
  thirl_p256 *server = key_of(1), *client;
  thirl_peerid id = {{7}};
  thirl_meet_challenge ch = {.nonce_n = 1};
  thirl_meet_seal seal = {0};
  thirl_meet_message m = {0};
  thirl_p256_get_public(server, ch.server_key);
  thirl_p256_get_public(server, point);
  assert_int_equal(thirl_p256_from_public(point, &client), THIRL_OK);
  assert_int_equal(thirl_meet_register_answer(&ch, client, &id, &seal, signature, &m), THIRL_E_STATE);
  ch.server_key[1] ^= 1;
  assert_int_equal(thirl_meet_register_answer(&ch, server, &id, &seal, signature, &m), THIRL_E_PROTOCOL);
  thirl_p256_free(server);
  thirl_p256_free(client);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_challenge_of_every_length),
      cmocka_unit_test(test_key_may_be_left_out_once_it_is_known),
      cmocka_unit_test(test_answer),
      cmocka_unit_test(test_key_that_cannot_sign),
  };
  return cmocka_run_group_tests_name("meet/register", tests, NULL, NULL);
}
