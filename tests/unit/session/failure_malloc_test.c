/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out where the application calls: every allocation of a call fails in turn, it says so, nothing is changed or left behind, and
 * the same call works afterwards. What fails inside an endpoint while it runs: tests/sim/failure_malloc_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/rand.h"
#include "session/endpoint.h"
#include "session/stream.h"
#include "support/scarce.h"

#define T0 (1000 * THIRL_S)

static thirl_dice dice;
static thirl_secrets secrets;
static thirl_secure_identity *identity;
static thirl_session_endpoint_config config;

static void fill(void *ctx, void *out, size_t n) {
  uint8_t *p = out;
  for (size_t i = 0; i < n; i++)
    p[i] = (uint8_t)thirl_dice_u64(ctx);
}

static int setup(void **state) {
  static const uint8_t scalar[THIRL_P256_PRIVATE_LEN] = {1};
  (void)state;
  thirl_dice_seed(&dice, 1);
  secrets = (thirl_secrets){fill, &dice};
  if (thirl_secure_identity_from_private(scalar, &identity) != THIRL_OK) return 1;
  config = (thirl_session_endpoint_config){.identity = identity, .secrets = &secrets, .max_incoming = 4};
  return 0;
}

static int teardown(void **state) {
  (void)state;
  thirl_secure_identity_free(identity);
  return 0;
}

static void skip_under_a_sanitizer(void) {
#ifdef SCARCE_SANITIZED
  print_message("malloc belongs to the sanitizer\n");
  skip();
#endif
}

/* One more endpoint; with memory enough the error is OK and it is freed again. *failed: an allocation did fail. */
static thirl_error make_endpoint(long own, long crypto, bool *failed, long *leaked) {
  thirl_session_endpoint *e = NULL;
  long before = scarce.live;
  scarce_begin(own, crypto);
  scarce.on = true;
  thirl_error err = thirl_session_endpoint_new(&config, T0, &e);
  scarce.on = false;
  *failed = scarce.failures > 0;
  assert_true((e != NULL) == (err == THIRL_OK));
  thirl_session_endpoint_free(e);
  scarce_end();
  *leaked = scarce.live - before;
  return err;
}

static void a_new_endpoint(void **state) {
  (void)state;
  skip_under_a_sanitizer();
  bool failed;
  long leaked, refused = 0, n = 0;
  for (int i = 0; i < 3; i++)
    assert_int_equal(make_endpoint(-1, -1, &failed, &leaked), THIRL_OK); /* what libraries keep for ever */
  assert_int_equal(leaked, 0);
  for (int kind = 0; kind < SCARCE_KINDS; kind++)
    for (long at = 0;; at++, n++) {
      thirl_error e = make_endpoint(kind == SCARCE_OWN ? at : -1, kind == SCARCE_CRYPTO ? at : -1, &failed, &leaked);
      if (!failed) break;
      for (int i = 0; leaked > 0 && i < 2; i++) /* a cache of the library grows once */
        (void)make_endpoint(kind == SCARCE_OWN ? at : -1, kind == SCARCE_CRYPTO ? at : -1, &failed, &leaked);
      assert_true(leaked <= 0);
      refused += e != THIRL_OK;
      if (kind == SCARCE_OWN) assert_int_equal(e, THIRL_E_NOMEM);
      if (e != THIRL_OK) assert_true(e == THIRL_E_NOMEM || e == THIRL_E_CRYPTO);
    }
  print_message("%ld failures, %ld of them refused\n", n, refused);
  assert_true(refused > 20);
}

static void a_dial(void **state) {
  (void)state;
  skip_under_a_sanitizer();
  static const thirl_meet_ticket ticket = {.host = "h", .port = 1, .peer = {{7}}, .secret = {1}};
  thirl_session_endpoint *e;
  assert_int_equal(thirl_session_endpoint_new(&config, T0, &e), THIRL_OK);
  uint32_t handle = 99;
  long before = scarce.live;
  scarce_begin(0, -1);
  scarce.on = true;
  thirl_error err = thirl_session_endpoint_dial(e, T0, &ticket, NULL, &handle);
  scarce.on = false;
  assert_int_equal(scarce.live, before);
  scarce_end();
  assert_int_equal(err, THIRL_E_NOMEM);
  assert_int_equal(handle, 99);
  assert_true(thirl_session_endpoint_is_idle(e));
  assert_int_equal(thirl_session_endpoint_dial(e, T0, &ticket, NULL, &handle), THIRL_OK);
  assert_false(thirl_session_endpoint_is_idle(e));
  thirl_session_endpoint_free(e);
}

/* Without memory for a ring there is an error; without memory for a larger one the small one goes on. */
static void a_stream(void **state) {
  (void)state;
  skip_under_a_sanitizer();
  thirl_session_stream s;
  uint8_t *p;
  size_t n, skipped;
  uint64_t offset;
  long before = scarce.live;
  thirl_session_stream_init(&s, (size_t)1 << 20);
  scarce_begin(0, -1);
  scarce.on = true;
  assert_int_equal(thirl_session_stream_space(&s, &p, &n), THIRL_E_NOMEM);
  scarce.until[SCARCE_OWN] = 0;
  assert_int_equal(thirl_session_stream_reserve(&s, 0, 100, &skipped, &p, &n), THIRL_E_NOMEM);
  assert_int_equal(scarce.live, before);
  assert_int_equal(thirl_session_stream_space(&s, &p, &n), THIRL_OK);
  while (n) { /* full, and all of it sent: time for a larger ring, which there is no memory for */
    memset(p, 'x', n);
    thirl_session_stream_commit(&s, n);
    assert_int_equal(thirl_session_stream_space(&s, &p, &n), THIRL_OK);
  }
  assert_int_equal(thirl_session_stream_acked(&s, 0, 1 << 20), THIRL_OK);
  while ((n = thirl_session_stream_next_chunk(&s, SIZE_MAX, &p, &offset)) != 0)
    thirl_session_stream_sent(&s, n);
  scarce.until[SCARCE_OWN] = 0;
  long failures = scarce.failures;
  assert_int_equal(thirl_session_stream_space(&s, &p, &n), THIRL_OK);
  assert_int_equal(scarce.failures, failures + 1);
  assert_int_equal(n, 0);
  assert_int_equal(thirl_session_stream_space(&s, &p, &n), THIRL_OK);
  assert_true(n > 0); /* and then there was */
  scarce_end();
  thirl_session_stream_fini(&s);
  assert_int_equal(scarce.live, before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_endpoint),
      cmocka_unit_test(a_dial),
      cmocka_unit_test(a_stream),
  };
  if (!scarce_init()) return 1;
  return cmocka_run_group_tests_name("session/failure", tests, setup, teardown);
}
