/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out in the middle of a punch: every allocation of two agents in turn, those of the cryptographic library included. A check that
 * cannot be made or read is a check that was lost: it is made again, or the agent says that it found nothing. Nothing is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "support/scarce.h"
#include "toy.h"

enum { LANES = 3 };

typedef struct outcome {
  bool both_selected;
  unsigned said; /* SELECTED and FAILED of both agents: none stays without a word */
  long made[SCARCE_KINDS], leaked, failures;
} outcome;

static outcome punch(long own, long crypto) {
  outcome o = {.leaked = scarce.live};
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 0, 5000);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 1, 5001);
  toy_hosts(t, THIRL_ICE_UDP, THIRL_ICE_UDP, 2, 5002);
  scarce_begin(own, crypto);
  scarce.on = true;
  toy_go_and_run(t, 40 * THIRL_S);
  scarce.on = false;
  for (int i = 0; i < SCARCE_KINDS; i++)
    o.made[i] = scarce.made[i];
  o.failures = scarce.failures;
  o.both_selected = t->agent[0].selected && t->agent[1].selected;
  for (int i = 0; i < 2; i++)
    o.said += t->agent[i].selected || t->agent[i].failed;
  toy_free(t);
  scarce_end();
  o.leaked = scarce.live - o.leaked;
  return o;
}

/* What is lost is lost each time; the library's caches, which a failure may empty or fill, are not. */
static bool leaks(long own, long crypto, long leaked) {
  for (int i = 0; leaked > 0 && i < 2; i++)
    leaked = punch(own, crypto).leaked;
  return leaked > 0;
}

static void a_check_that_could_not_be_made_is_a_lost_one(void **state) {
  (void)state;
#ifdef SCARCE_SANITIZED
  print_message("malloc belongs to the sanitizer\n");
  skip();
#endif
  for (int i = 0; i < 3; i++)
    (void)punch(-1, -1); /* what libraries keep for ever */
  outcome calm = punch(-1, -1);
  assert_true(calm.both_selected);
  assert_int_equal(calm.leaked, 0);
  assert_int_equal(calm.failures, 0);
  unsigned runs = 0, in_vain = 0;
  for (int kind = 0; kind < SCARCE_KINDS; kind++)
    for (long at = 0; at < calm.made[kind] && at < 4000; at++) {
      long own = kind == SCARCE_OWN ? at : -1, crypto = kind == SCARCE_CRYPTO ? at : -1;
      outcome o = punch(own, crypto);
      assert_int_equal(o.failures, 1);
      assert_false(leaks(own, crypto, o.leaked));
      assert_int_equal(o.said, 2);
      in_vain += !o.both_selected;
      runs++;
    }
  print_message("%u failures among %ld and %ld allocations: %u punches came to nothing\n", runs, calm.made[SCARCE_OWN],
                calm.made[SCARCE_CRYPTO], in_vain);
  assert_true(runs > 20);
  assert_int_equal(in_vain, 0);
}

/* The agent itself. */
static void a_new_agent_needs_memory(void **state) {
  (void)state;
#ifdef SCARCE_SANITIZED
  skip();
#endif
  toy *t = toy_new(1);
  thirl_ice_config cfg = toy_config(t, 0, true);
  thirl_ice *a = (thirl_ice *)t;
  long before = scarce.live, at = 0;
  for (;; at++) {
    scarce_begin(at, -1);
    scarce.on = true;
    thirl_error e = thirl_ice_new(&cfg, &a);
    bool failed = scarce.failures > 0;
    scarce_end();
    if (!failed) {
      assert_int_equal(e, THIRL_OK);
      break;
    }
    assert_int_equal(e, THIRL_E_NOMEM);
    assert_null(a);
    assert_int_equal(scarce.live, before);
  }
  assert_true(at >= 1);
  thirl_ice_free(a);
  assert_int_equal(scarce.live, before);
  toy_free(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_check_that_could_not_be_made_is_a_lost_one),
      cmocka_unit_test(a_new_agent_needs_memory),
  };
  if (!scarce_init()) return 1;
  return cmocka_run_group_tests_name("ice/failure", tests, NULL, NULL);
}
