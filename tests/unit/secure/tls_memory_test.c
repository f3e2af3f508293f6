/* SPDX-License-Identifier: MIT */
/* Memory that runs out: every step of a connection's life, with one allocation of OpenSSL failing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "unit/secure/pair.h"

enum { NEVER = -1, STRIDE = 7 /* of some 3000 to 7500 allocations; a prime, so that all kinds have their turn */ };

static long until_failure = NEVER, counted;

static bool fails_now(void) {
  counted++;
  return until_failure != NEVER && until_failure-- == 0;
}

static void *failing_malloc(size_t n, const char *file, int line) {
  (void)file, (void)line;
  return fails_now() ? NULL : malloc(n);
}

static void *failing_realloc(void *p, size_t n, const char *file, int line) {
  (void)file, (void)line;
  return fails_now() ? NULL : realloc(p, n);
}

static void plain_free(void *p, const char *file, int line) {
  (void)file, (void)line;
  free(p);
}

typedef struct life {
  thirl_secure_identity *id;
  thirl_secure_tls_context *context;
  thirl_secure_tls *client, *server;
  uint8_t plain[16];
  size_t got;
} life;

static thirl_error shake(thirl_secure_tls *from, thirl_secure_tls *to) {
  uint8_t wire[8192];
  thirl_error e = THIRL_OK;
  for (int flight = 0; flight < 3 && e == THIRL_OK; flight++) {
    e = thirl_secure_tls_feed(to, THIRL_BYTES(wire, thirl_secure_tls_pull(from, wire, sizeof wire)));
    thirl_secure_tls *t = from;
    from = to;
    to = t;
  }
  return e;
}

static thirl_error live(life *l) {
  static const uint8_t one[THIRL_P256_PRIVATE_LEN] = {[31] = 1};
  uint8_t wire[256];
  size_t n = 0;
  thirl_error e = thirl_secure_identity_from_private(one, &l->id);
  if (e == THIRL_OK) e = thirl_secure_tls_context_new(l->id, &l->context);
  if (e == THIRL_OK) e = thirl_secure_tls_new(l->context, true, thirl_secure_identity_peerid(l->id), &l->client);
  if (e == THIRL_OK) e = thirl_secure_tls_new(l->context, false, thirl_secure_identity_peerid(l->id), &l->server);
  if (e == THIRL_OK) e = shake(l->client, l->server);
  if (e == THIRL_OK) e = thirl_secure_tls_seal(l->client, THIRL_BYTES("hello", 5), wire, sizeof wire, &n);
  if (e == THIRL_OK) e = thirl_secure_tls_feed(l->server, THIRL_BYTES(wire, n));
  if (e == THIRL_OK) e = thirl_secure_tls_read(l->server, l->plain, sizeof l->plain, &l->got);
  if (e == THIRL_OK) thirl_secure_tls_close(l->client);
  return e;
}

/* Fails on anything but the right bytes or an honest error; leaks are the sanitizer's to find. */
static thirl_error live_and_die(long failure) {
  life l = {0};
  until_failure = failure;
  thirl_error e = live(&l);
  until_failure = NEVER;
  assert_int_equal(ERR_peek_error(), 0);
  if (e == THIRL_OK) {
    assert_int_equal(l.got, 5);
    assert_memory_equal(l.plain, "hello", 5);
  } else {
    /* PROTOCOL: what one side could not make for want of memory looks broken to the other */
    assert_true(e == THIRL_E_NOMEM || e == THIRL_E_CRYPTO || e == THIRL_E_PROTOCOL);
    assert_int_equal(l.got, 0);
  }
  thirl_secure_tls_free(l.client);
  thirl_secure_tls_free(l.server);
  thirl_secure_tls_context_free(l.context);
  thirl_secure_identity_free(l.id);
  return e;
}

static void any_allocation_may_fail(void **state) {
  (void)state;
  long failed = 0, tried = 0;
  assert_int_equal(live_and_die(NEVER), THIRL_OK); /* OpenSSL's first use, which allocates for good */
  counted = 0;
  assert_int_equal(live_and_die(NEVER), THIRL_OK);
  long total = counted;
  for (long at = 0; at < total; at += STRIDE, tried++)
    if (live_and_die(at) != THIRL_OK) failed++;
  assert_true(tried > 300 && failed > tried / 4);
  assert_int_equal(live_and_die(NEVER), THIRL_OK);
}

int main(void) {
  if (!CRYPTO_set_mem_functions(failing_malloc, failing_realloc, plain_free)) return 1; /* must come first */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_allocation_may_fail),
  };
  return cmocka_run_group_tests_name("secure/tls_memory", tests, NULL, NULL);
}
