/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/transaction.h"

static const uint8_t tid[THIRL_STUN_TID_LEN] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static thirl_stun_msg answer(thirl_stun_class cls) {
  thirl_stun_msg m = {.cls = cls, .method = THIRL_STUN_METHOD_BINDING};
  memcpy(m.tid, tid, sizeof tid);
  return m;
}

/* RFC 8489 section 6.2.1 names these moments. */
static void sends_come_at_the_moments_of_the_rfc(void **state) {
  (void)state;
  static const unsigned at_ms[] = {500, 1500, 3500, 7500, 15500, 31500};
  thirl_time start = 77 * THIRL_S;
  thirl_stun_transaction t;
  thirl_stun_transaction_start(&t, start, THIRL_STUN_RTO, tid);
  assert_int_equal(t.sent, 1);
  for (size_t i = 0; i < 6; i++) {
    thirl_time due = start + at_ms[i] * THIRL_MS;
    assert_true(thirl_stun_transaction_deadline(&t) == due);
    assert_int_equal(thirl_stun_transaction_tick(&t, due - 1), THIRL_E_AGAIN);
    assert_int_equal(thirl_stun_transaction_tick(&t, due), THIRL_OK);
    assert_int_equal(t.sent, i + 2);
  }
  thirl_time end = start + 39500 * THIRL_MS;
  assert_true(thirl_stun_transaction_deadline(&t) == end);
  assert_int_equal(thirl_stun_transaction_tick(&t, end - 1), THIRL_E_AGAIN);
  assert_int_equal(thirl_stun_transaction_tick(&t, end), THIRL_E_TIMEOUT);
  assert_int_equal(thirl_stun_transaction_tick(&t, end), THIRL_E_STATE);
  assert_true(thirl_stun_transaction_deadline(&t) == THIRL_NEVER);
}

static void a_stream_sends_once(void **state) {
  (void)state;
  thirl_stun_transaction t;
  thirl_stun_transaction_start_stream(&t, 0, THIRL_STUN_TIMEOUT, tid);
  assert_true(thirl_stun_transaction_deadline(&t) == 39500 * THIRL_MS);
  assert_int_equal(thirl_stun_transaction_tick(&t, 39499 * THIRL_MS), THIRL_E_AGAIN);
  assert_int_equal(thirl_stun_transaction_tick(&t, 39500 * THIRL_MS), THIRL_E_TIMEOUT);
  assert_int_equal(t.sent, 1);
}

static void a_late_tick_sends_once_not_in_a_burst(void **state) {
  (void)state;
  thirl_stun_transaction t;
  thirl_stun_transaction_start(&t, 0, THIRL_STUN_RTO, tid);
  assert_int_equal(thirl_stun_transaction_tick(&t, 3600 * THIRL_S), THIRL_OK);
  assert_int_equal(thirl_stun_transaction_tick(&t, 3600 * THIRL_S), THIRL_E_AGAIN);
  assert_true(thirl_stun_transaction_deadline(&t) == 3601 * THIRL_S);
}

static void the_first_matching_answer_ends_it(void **state) {
  (void)state;
  static const thirl_stun_class classes[] = {THIRL_STUN_SUCCESS, THIRL_STUN_ERROR};
  for (int i = 0; i < 2; i++) {
    thirl_stun_transaction t;
    thirl_time rtt = 1;
    thirl_stun_msg m = answer(classes[i]);
    thirl_stun_transaction_start(&t, 1000, THIRL_STUN_RTO, tid);
    assert_true(thirl_stun_transaction_match(&t, 41000, &m, &rtt));
    assert_true(rtt == 40 * THIRL_MS);
    assert_true(thirl_stun_transaction_deadline(&t) == THIRL_NEVER);
    assert_int_equal(thirl_stun_transaction_tick(&t, THIRL_S), THIRL_E_STATE);
    assert_false(thirl_stun_transaction_match(&t, 41000, &m, &rtt)); /* a duplicate */
    assert_true(rtt == 0);
  }
}

static void after_a_second_send_the_time_is_ambiguous(void **state) {
  (void)state;
  thirl_stun_transaction t;
  thirl_time rtt = 1;
  thirl_stun_msg m = answer(THIRL_STUN_SUCCESS);
  thirl_stun_transaction_start(&t, 0, THIRL_STUN_RTO, tid);
  assert_int_equal(thirl_stun_transaction_tick(&t, THIRL_STUN_RTO), THIRL_OK);
  assert_true(thirl_stun_transaction_match(&t, THIRL_S, &m, &rtt));
  assert_true(rtt == 0);
}

static void other_messages_do_not_match(void **state) {
  (void)state;
  thirl_stun_transaction t;
  thirl_stun_msg request = answer(THIRL_STUN_REQUEST), indication = answer(THIRL_STUN_INDICATION),
                 stray = answer(THIRL_STUN_SUCCESS);
  thirl_stun_transaction_start(&t, 0, THIRL_STUN_RTO, tid);
  assert_false(thirl_stun_transaction_match(&t, 1, &request, NULL));
  assert_false(thirl_stun_transaction_match(&t, 1, &indication, NULL));
  for (size_t i = 0; i < THIRL_STUN_TID_LEN; i++) {
    stray.tid[i] ^= 0x80;
    assert_false(thirl_stun_transaction_match(&t, 1, &stray, NULL));
    stray.tid[i] ^= 0x80;
  }
  assert_true(thirl_stun_transaction_match(&t, 1, &stray, NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sends_come_at_the_moments_of_the_rfc),      cmocka_unit_test(a_stream_sends_once),
      cmocka_unit_test(a_late_tick_sends_once_not_in_a_burst),     cmocka_unit_test(the_first_matching_answer_ends_it),
      cmocka_unit_test(after_a_second_send_the_time_is_ambiguous), cmocka_unit_test(other_messages_do_not_match),
  };
  return cmocka_run_group_tests_name("stun/transaction", tests, NULL, NULL);
}
