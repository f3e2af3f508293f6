/* SPDX-License-Identifier: MIT */
/* Memory that runs out: each step of a registration with one allocation of OpenSSL failing. The client fails and says so, or goes on as if nothing were. */
#include "meet/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "rig.h"

enum { NEVER = -1, STRIDE = 3, CHANNEL = 0x4001 };

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

static bool is_honest(thirl_error e) {
  /* PROTOCOL: a point that could not be checked for want of memory counts as none */
  return e == THIRL_E_CRYPTO || e == THIRL_E_NOMEM || e == THIRL_E_PROTOCOL;
}

/* The client's next event with one allocation failing. *ev is zeroed when there is none. Returns how many allocations there were. */
static long event_without_memory(rig *r, long failure, thirl_meet_event *ev) {
  counted = 0;
  until_failure = failure;
  bool has = rig_event(r, ev);
  until_failure = NEVER;
  if (!has) memset(ev, 0, sizeof *ev);
  ERR_clear_error();
  return counted;
}

static void expect_honest_end(rig *r, const thirl_meet_event *ev) {
  assert_int_equal(ev->kind, THIRL_MEET_FAILED);
  if (!is_honest(ev->error)) fail_msg("%s", thirl_error_name(ev->error));
  assert_int_equal(thirl_meet_client_state_of(r->client), THIRL_MEET_CLIENT_DEAD);
  assert_int_equal(rig_hear(r), 0);
}

static void test_answering_the_challenge(void **state) {
  rig *r = *state;
  long n = 1, failures = 0;
  for (long at = 0; at < n; at += STRIDE) {
    thirl_meet_event ev;
    thirl_meet_client_lost(r->client);
    r->has_keys = false;
    assert_int_equal(thirl_meet_client_connected(r->client, r->now), THIRL_OK);
    assert_int_equal(rig_hear(r), 1);
    rig_say(r, rig_challenge(r, &r->heard[0], 401));
    long used = event_without_memory(r, at, &ev);
    n = THIRL_MAX(n, used);
    if (thirl_meet_client_state_of(r->client) == THIRL_MEET_CLIENT_EXPECT_REGISTERED) {
      assert_int_equal(rig_hear(r), 1); /* and it is right, says the rig */
      continue;
    }
    expect_honest_end(r, &ev);
    failures++;
  }
  assert_true(n > 100 && failures > 20);
}

static void test_reading_the_answer(void **state) {
  rig *r = *state;
  long n = 1, failures = 0;
  for (long at = 0; at < n; at++) {
    thirl_meet_event ev;
    thirl_meet_client_lost(r->client);
    rig_until_signed(r);
    rig_say(r, rig_registered(&r->heard[0]));
    long used = event_without_memory(r, at, &ev);
    n = THIRL_MAX(n, used);
    if (ev.kind == THIRL_MEET_REGISTERED && thirl_meet_client_state_of(r->client) == THIRL_MEET_CLIENT_REGISTERED)
      continue;
    expect_honest_end(r, &ev);
    failures++;
  }
  assert_true(failures > 0);
}

/* An OFFER whose MAC cannot be computed is not dropped as a stranger's: the peer would wait for us. */
static void test_reading_an_offer(void **state) {
  rig *r = *state;
  long n = 1, failures = 0;
  for (long at = 0; at < n; at++) {
    thirl_meet_event ev;
    thirl_meet_client_lost(r->client);
    rig_until_registered(r);
    rig_say(r, rig_offered(CHANNEL));
    long used = event_without_memory(r, at, &ev);
    n = THIRL_MAX(n, used);
    assert_int_equal(thirl_meet_client_stats_of(r->client).unauthenticated, 0);
    if (ev.kind == THIRL_MEET_OFFERED) continue;
    expect_honest_end(r, &ev);
    failures++;
  }
  assert_true(failures > 0);
}

static void test_dialing(void **state) {
  rig *r = *state;
  long n = 1, failures = 0;
  rig_until_registered(r);
  for (long at = 0; at < n; at++) {
    counted = 0;
    until_failure = at;
    thirl_error e = rig_dial(r, 1);
    until_failure = NEVER;
    n = THIRL_MAX(n, counted);
    assert_int_equal(thirl_meet_client_state_of(r->client), THIRL_MEET_CLIENT_REGISTERED);
    if (e == THIRL_OK) break;
    assert_true(is_honest(e));
    assert_int_equal(rig_hear(r), 0); /* nothing said, no place taken */
    failures++;
  }
  assert_true(failures > 0);
  assert_int_equal(rig_hear(r), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_answering_the_challenge),
      TEST(test_reading_the_answer),
      TEST(test_reading_an_offer),
      TEST(test_dialing),
  };
  if (CRYPTO_set_mem_functions(failing_malloc, failing_realloc, plain_free) != 1) return 1;
  return cmocka_run_group_tests_name("meet/client_memory", tests, NULL, NULL);
}
