/* SPDX-License-Identifier: MIT */
/*
 * test-timeout: 600
 *
 * Memory that runs out inside an endpoint: a whole meeting, from the registration to the last byte on the direct path, with one allocation of one of
 * the two endpoints failing, each of its own in turn, and every seventh of the cryptographic library's (all 11,000 take six minutes, and hold too).
 * Whatever is lost then, a path or the connection to the server, is had again: every byte arrives, and nothing is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "sim/rand.h"
#include "support/meeting.h"
#include "support/scarce.h"

enum { BYTES = 100000, CRYPTO_STRIDE = 7 };

/* ---- between an endpoint and its host: what the endpoint allocates is scarce ---- */

typedef struct miser {
  bool is_a; /* whose memory it is */
  thirl_net_machine inner;
} miser;

static void miser_input(void *self, thirl_time now, const thirl_net_event *ev) {
  miser *s = self;
  scarce.on = true;
  s->inner.input(s->inner.self, now, ev);
  scarce.on = false;
}

static bool miser_poll(void *self, thirl_time now, thirl_net_action *out) {
  miser *s = self;
  scarce.on = true;
  bool more = s->inner.poll(s->inner.self, now, out);
  scarce.on = false;
  return more;
}

static size_t miser_pull(void *self, thirl_time now, thirl_net_id id, uint8_t *buf, size_t cap) {
  miser *s = self;
  scarce.on = true;
  size_t n = s->inner.pull(s->inner.self, now, id, buf, cap);
  scarce.on = false;
  return n;
}

static thirl_time miser_deadline(void *self) {
  miser *s = self;
  return s->inner.deadline(s->inner.self);
}

static meeting *the_meeting;

static thirl_net_machine put_between(void *ctx, meeting_side *side, thirl_net_machine inner) {
  miser *s = ctx;
  if ((side == &the_meeting->a) != s->is_a) return inner;
  s->inner = inner;
  return (thirl_net_machine){s, miser_input, miser_poll, miser_pull, miser_deadline};
}

/* ---- one meeting ---- */

typedef struct outcome {
  bool complete, wrong, is_direct;
  thirl_error error;
  long made[SCARCE_KINDS], failures, leaked;
} outcome;

static outcome meet(bool is_a, long own, long crypto) {
  static meeting m;
  miser s = {.is_a = is_a};
  outcome o = {.leaked = scarce.live};
  thirl_natbox_config nat;
  assert_int_equal(thirl_natbox_config_preset("portrestricted", thirl_addr_v4(203, 0, 113, 1, 0), &nat), THIRL_OK);
  meeting_config c = meeting_config_of(5, nat, nat, 100 * THIRL_MS);
  c.wrap = put_between;
  c.wrap_ctx = &s;
  c.bytes_a = c.bytes_b = BYTES;
  the_meeting = &m;
  scarce_begin(own, crypto);
  meeting_open(&m, &c);
  meeting_run_on(&m, thirl_sim_now(m.sim) + 2 * THIRL_S);
  m.a.hold_end = m.b.hold_end = true;
  meeting_dial(&m);
  (void)meeting_run_until_direct(&m, thirl_sim_now(m.sim) + 20 * THIRL_S);
  o.is_direct = m.a.is_direct && m.b.is_direct;
  m.a.hold_end = m.b.hold_end = false;
  meeting_run(&m, thirl_sim_now(m.sim) + 100 * THIRL_S);
  meeting_run_on(&m, thirl_sim_now(m.sim) + 65 * THIRL_S); /* the other side learns of a failure */
  o.complete = meeting_is_complete(&m);
  o.error = m.b.failed ? m.b.error : m.a.error;
  o.wrong = m.a.wrong || m.b.wrong;
  o.failures = scarce.failures;
  o.made[0] = scarce.made[0];
  o.made[1] = scarce.made[1];
  meeting_close(&m);
  scarce_end();
  o.leaked = scarce.live - o.leaked;
  return o;
}

/* What is lost is lost each time; the library's caches, which a failure may empty or fill, are not. */
static bool leaks(bool is_a, long own, long crypto, long leaked) {
  for (int i = 0; leaked > 0 && i < 2; i++)
    leaked = meet(is_a, own, crypto).leaked;
  return leaked > 0;
}

static void each_failure(bool is_a) {
#ifdef SCARCE_SANITIZED
  print_message("malloc belongs to the sanitizer\n");
  skip();
#endif
  for (int i = 0; i < 3; i++)
    (void)meet(is_a, -1, -1); /* what libraries keep for ever */
  outcome calm = meet(is_a, -1, -1);
  assert_true(calm.complete && calm.is_direct);
  assert_int_equal(calm.leaked, 0);
  unsigned runs = 0, complete = 0, direct = 0;
  unsigned errors[THIRL_ERROR_COUNT] = {0};
  for (int kind = 0; kind < SCARCE_KINDS; kind++)
    for (long at = 0; at < calm.made[kind]; at += kind == SCARCE_OWN ? 1 : CRYPTO_STRIDE) {
      long own = kind == SCARCE_OWN ? at : -1, crypto = kind == SCARCE_CRYPTO ? at : -1;
      outcome o = meet(is_a, own, crypto);
      assert_false(o.wrong);
      assert_false(leaks(is_a, own, crypto, o.leaked));
      assert_int_equal(o.failures, 1);
      runs++;
      complete += o.complete;
      direct += o.is_direct;
      if (!o.complete) errors[o.error]++;
    }
  print_message("%s: %u failures among %ld and %ld allocations: %u complete, %u of all went direct\n",
                is_a ? "listener" : "dialer", runs, calm.made[0], calm.made[1], complete, direct);
  for (int e = 0; e < THIRL_ERROR_COUNT; e++)
    if (errors[e]) print_message("   %u ended with %s\n", errors[e], thirl_error_name((thirl_error)e));
  assert_true(runs > 100);
  assert_int_equal(complete, runs); /* a path that is lost is had again */
}

static void of_the_listener(void **state) {
  (void)state;
  each_failure(true);
}

static void of_the_dialer(void **state) {
  (void)state;
  each_failure(false);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(of_the_listener),
      cmocka_unit_test(of_the_dialer),
  };
  if (!scarce_init()) return 1;
  return cmocka_run_group_tests_name("sim/failure", tests, NULL, NULL);
}
