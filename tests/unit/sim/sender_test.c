/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim/sender.h"

static thirl_sim_pool pool;

static int setup(void **state) {
  (void)state;
  thirl_sim_pool_init(&pool);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  thirl_sim_pool_fini(&pool);
  return 0;
}

static void push(thirl_sim_sender *s, thirl_time now, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    thirl_sim_payload *d = thirl_sim_pool_take_payload(&pool);
    d->n = 100;
    assert_non_null(thirl_sim_sender_push(s, &pool, now, d, false));
  }
}

static uint32_t lost_seq(thirl_sim_sender *s, thirl_time now) {
  const thirl_sim_segment *seg = thirl_sim_sender_next_lost(s, now);
  return seg ? seg->seq : 0;
}

static void acknowledged_segments_leave_and_the_timer_follows(void **state) {
  (void)state;
  thirl_sim_sender s;
  thirl_sim_sender_init(&s, 1000);
  assert_true(s.deadline == THIRL_NEVER);
  push(&s, 10 * THIRL_S, 3);
  assert_int_equal(s.in_flight, 300);
  assert_int_equal(s.nxt, 1300);
  assert_int_equal(s.deadline, 11 * THIRL_S); /* first RTO: 1 s */
  thirl_sim_sender_ack(&s, &pool, 10 * THIRL_S + 50 * THIRL_MS, 1200, NULL, 0);
  assert_int_equal(s.in_flight, 100);
  assert_int_equal(s.una, 1200);
  assert_int_equal(s.srtt, 50 * THIRL_MS);
  assert_int_equal(s.rto, 250 * THIRL_MS); /* srtt + max(4 * rttvar, 200 ms) */
  assert_int_equal(s.deadline, 10 * THIRL_S + 300 * THIRL_MS);
  thirl_sim_sender_ack(&s, &pool, 11 * THIRL_S, 1300, NULL, 0);
  assert_true(s.deadline == THIRL_NEVER);
  thirl_sim_sender_fini(&s, &pool);
}

static void three_later_arrivals_make_a_loss(void **state) {
  (void)state;
  thirl_sim_sender s;
  thirl_sim_sender_init(&s, 1000);
  push(&s, 0, 6);
  thirl_sim_range two = {1100, 1300}, three = {1100, 1400};
  thirl_sim_sender_ack(&s, &pool, 50, 1000, &two, 1);
  assert_int_equal(lost_seq(&s, 50), 0);
  thirl_sim_sender_ack(&s, &pool, 51, 1000, &three, 1);
  assert_int_equal(lost_seq(&s, 51), 1000);
  assert_int_equal(lost_seq(&s, 51), 0); /* only once */
  thirl_sim_sender_ack(&s, &pool, 100, 1400, NULL, 0);
  assert_int_equal(s.in_flight, 200);
  thirl_sim_sender_fini(&s, &pool);
}

static void after_an_expiry_everything_else_is_lost_once_the_path_answers(void **state) {
  (void)state;
  thirl_sim_sender s;
  thirl_sim_sender_init(&s, 1000);
  push(&s, 0, 3);
  const thirl_sim_segment *oldest = thirl_sim_sender_expire(&s, THIRL_S);
  assert_int_equal(oldest->seq, 1000);
  assert_int_equal(oldest->tries, 2);
  assert_int_equal(s.deadline, 3 * THIRL_S); /* doubled */
  assert_int_equal(s.stalled_from, THIRL_S);
  thirl_sim_sender_expire(&s, 3 * THIRL_S);
  assert_int_equal(s.deadline, 7 * THIRL_S);
  assert_int_equal(s.stalled_from, THIRL_S);
  assert_int_equal(lost_seq(&s, 3 * THIRL_S), 0); /* not before */
  thirl_sim_sender_ack(&s, &pool, 4 * THIRL_S, 1100, NULL, 0);
  assert_int_equal(lost_seq(&s, 4 * THIRL_S), 1100);
  assert_int_equal(lost_seq(&s, 4 * THIRL_S), 1200);
  assert_int_equal(lost_seq(&s, 4 * THIRL_S), 0);
  assert_true(s.stalled_from == THIRL_NEVER);
  assert_int_equal(s.srtt, 0); /* Karn: no sample from what was sent twice */
  thirl_sim_sender_fini(&s, &pool);
}

static void fin_counts_one(void **state) {
  (void)state;
  thirl_sim_sender s;
  thirl_sim_sender_init(&s, 0xffffffffu); /* and it wraps */
  assert_non_null(thirl_sim_sender_push(&s, &pool, 1, NULL, true));
  assert_int_equal(s.nxt, 0);
  thirl_sim_sender_ack(&s, &pool, 2, 0, NULL, 0);
  assert_true(thirl_list_is_empty(&s.unacked));
  assert_null(thirl_sim_sender_expire(&s, 3));
  thirl_sim_sender_fini(&s, &pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(acknowledged_segments_leave_and_the_timer_follows, setup, teardown),
      cmocka_unit_test_setup_teardown(three_later_arrivals_make_a_loss, setup, teardown),
      cmocka_unit_test_setup_teardown(after_an_expiry_everything_else_is_lost_once_the_path_answers, setup, teardown),
      cmocka_unit_test_setup_teardown(fin_counts_one, setup, teardown),
  };
  return cmocka_run_group_tests_name("sim/sender", tests, NULL, NULL);
}
