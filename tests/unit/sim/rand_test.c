/* SPDX-License-Identifier: MIT */
/*
 * With OpenSSL's randomness from a seed, keys, certificates and whole TLS connections replay bit for bit: nothing
 * else enters, no clock either.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include <openssl/rand.h>

#include "secure/identity.h"
#include "secure/tls.h"
#include "sim/rand.h"

enum { TRANSCRIPT_MAX = 1 << 16 };

/* All that moved between two ends: ours to compare. */
typedef struct transcript {
  uint8_t b[TRANSCRIPT_MAX];
  size_t n;
} transcript;

static void carry(transcript *t, thirl_secure_tls *from, thirl_secure_tls *to) {
  size_t n = thirl_secure_tls_pull(from, t->b + t->n, TRANSCRIPT_MAX - t->n);
  assert_int_equal(thirl_secure_tls_feed(to, THIRL_BYTES(t->b + t->n, n)), THIRL_OK);
  t->n += n;
}

static void record(transcript *t, uint64_t seed) {
  static const uint8_t one[THIRL_P256_PRIVATE_LEN] = {[31] = 1}, two[THIRL_P256_PRIVATE_LEN] = {[31] = 2};
  thirl_secure_identity *ids[2];
  thirl_secure_tls_context *contexts[2];
  thirl_secure_tls *client, *server;
  uint8_t plain[100];
  size_t n;
  t->n = 0;
  assert_int_equal(thirl_sim_rand_install(seed), THIRL_OK);
  assert_int_equal(thirl_secure_identity_from_private(one, &ids[0]), THIRL_OK);
  assert_int_equal(thirl_secure_identity_from_private(two, &ids[1]), THIRL_OK);
  for (int i = 0; i < 2; i++)
    assert_int_equal(thirl_secure_tls_context_new(ids[i], &contexts[i]), THIRL_OK);
  assert_int_equal(thirl_secure_tls_new(contexts[0], true, NULL, &client), THIRL_OK);
  assert_int_equal(thirl_secure_tls_new(contexts[1], false, NULL, &server), THIRL_OK);
  carry(t, client, server);
  carry(t, server, client);
  carry(t, client, server);
  assert_int_equal(thirl_secure_tls_state_of(server), THIRL_SECURE_TLS_OPEN);
  assert_int_equal(thirl_secure_tls_seal(client, THIRL_BYTES("hello", 5), t->b + t->n, TRANSCRIPT_MAX - t->n, &n),
                   THIRL_OK);
  assert_int_equal(thirl_secure_tls_feed(server, THIRL_BYTES(t->b + t->n, n)), THIRL_OK);
  assert_int_equal(thirl_secure_tls_read(server, plain, sizeof plain, &n), THIRL_OK);
  t->n += n;
  thirl_secure_tls_close(server);
  carry(t, server, client);
  thirl_secure_tls_free(client);
  thirl_secure_tls_free(server);
  for (int i = 0; i < 2; i++) {
    thirl_secure_tls_context_free(contexts[i]);
    thirl_secure_identity_free(ids[i]);
  }
  thirl_sim_rand_restore();
}

static void a_connection_replays_from_its_seed(void **state) {
  (void)state;
  static transcript a, b, c;
  record(&a, 1);
  time_t begin = time(NULL);
  while (time(NULL) == begin) /* the next second, lest a timestamp be the same by luck; at most one second of work */
    record(&b, 1);
  record(&b, 1);
  record(&c, 2);
  assert_in_range(a.n, 1300, 3000);
  assert_int_equal(a.n, b.n);
  assert_memory_equal(a.b, b.b, a.n);
  assert_true(a.n != c.n || memcmp(a.b, c.b, a.n) != 0);
}

static void keys_replay_from_their_seed(void **state) {
  (void)state;
  thirl_secure_identity *id[3];
  static const uint64_t seeds[] = {5, 5, 6};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(thirl_sim_rand_install(seeds[i]), THIRL_OK);
    assert_int_equal(thirl_secure_identity_generate(&id[i]), THIRL_OK);
  }
  thirl_sim_rand_restore();
  assert_true(thirl_peerid_equal(thirl_secure_identity_peerid(id[0]), thirl_secure_identity_peerid(id[1])));
  assert_false(thirl_peerid_equal(thirl_secure_identity_peerid(id[0]), thirl_secure_identity_peerid(id[2])));
  for (int i = 0; i < 3; i++)
    thirl_secure_identity_free(id[i]);
}

/*
 * The first bytes of xoshiro256** seeded by splitmix64 with 0, little-endian: 0x99ec5f36cb75f2b4, 0xbf6e1f784956452a.
 */
static void the_bytes_are_those_of_the_dice(void **state) {
  (void)state;
  static const uint8_t expected[] = {0xb4, 0xf2, 0x75, 0xcb, 0x36, 0x5f, 0xec, 0x99, 0x2a, 0x45, 0x56};
  uint8_t got[sizeof expected], priv[sizeof expected];
  assert_int_equal(thirl_sim_rand_install(0), THIRL_OK);
  assert_int_equal(RAND_bytes(got, sizeof got), 1);
  assert_int_equal(thirl_sim_rand_install(0), THIRL_OK);
  assert_int_equal(RAND_priv_bytes(priv, sizeof priv), 1);
  thirl_sim_rand_restore();
  assert_memory_equal(got, expected, sizeof expected);
  assert_memory_equal(priv, expected, sizeof expected);
}

static void restore_gives_the_real_generator_back(void **state) {
  (void)state;
  uint8_t a[32], b[32];
  thirl_sim_rand_restore();
  for (int i = 0; i < 2; i++) {
    assert_int_equal(thirl_sim_rand_install(9), THIRL_OK);
    thirl_sim_rand_restore();
    assert_int_equal(RAND_bytes(i ? b : a, sizeof a), 1);
  }
  assert_memory_not_equal(a, b, sizeof a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_connection_replays_from_its_seed),
      cmocka_unit_test(keys_replay_from_their_seed),
      cmocka_unit_test(the_bytes_are_those_of_the_dice),
      cmocka_unit_test(restore_gives_the_real_generator_back),
  };
  return cmocka_run_group_tests_name("sim/rand", tests, NULL, NULL);
}
