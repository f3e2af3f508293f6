/* SPDX-License-Identifier: MIT */
/* The table of requests that wait. */
#include "meet/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static thirl_meet_request *add(thirl_meet_requests *t, thirl_meet_request_kind kind) {
  thirl_meet_request *q;
  assert_int_equal(thirl_meet_request_add(t, kind, &q), THIRL_OK);
  assert_int_equal(q->kind, kind);
  assert_false(q->sent);
  assert_int_equal(q->dial != NULL, kind == THIRL_MEET_REQUEST_CONNECT);
  return q;
}

static thirl_meet_request *start(thirl_meet_requests *t, thirl_time now, thirl_time timeout, uint8_t tid) {
  uint8_t bytes[THIRL_STUN_TID_LEN] = {tid};
  thirl_meet_request *q = add(t, THIRL_MEET_REQUEST_CONNECT);
  thirl_meet_request_start(q, now, timeout, bytes);
  return q;
}

static thirl_stun_msg response(thirl_stun_class cls, uint8_t tid) {
  return (thirl_stun_msg){.cls = cls, .tid = {tid}};
}

static void test_limits_by_kind(void **state) {
  (void)state;
  thirl_meet_requests t = {0};
  thirl_meet_request *q;
  for (int i = 0; i < THIRL_MEET_CONNECTS_MAX; i++)
    add(&t, THIRL_MEET_REQUEST_CONNECT);
  assert_int_equal(thirl_meet_request_add(&t, THIRL_MEET_REQUEST_CONNECT, &q), THIRL_E_LIMIT);
  assert_null(q);
  for (int i = 0; i < THIRL_MEET_UPDATES_MAX; i++)
    add(&t, THIRL_MEET_REQUEST_UPDATE);
  assert_int_equal(thirl_meet_request_add(&t, THIRL_MEET_REQUEST_UPDATE, &q), THIRL_E_LIMIT);
  add(&t, THIRL_MEET_REQUEST_REGISTER);
  assert_int_equal(thirl_meet_request_add(&t, THIRL_MEET_REQUEST_REGISTER, &q), THIRL_E_LIMIT);
  thirl_meet_request_remove(&t.all[0]);
  add(&t, THIRL_MEET_REQUEST_CONNECT);
  thirl_meet_request_clear(&t);
  for (size_t i = 0; i < THIRL_MEET_REQUESTS_MAX; i++)
    assert_true(t.all[i].kind == THIRL_MEET_REQUEST_FREE && !t.all[i].dial && !t.all[i].sent);
}

static void test_match(void **state) {
  (void)state;
  thirl_meet_requests t = {0};
  thirl_time rtt;
  thirl_meet_request *a = start(&t, 100, 50, 1), *b = start(&t, 110, 50, 2);
  thirl_stun_msg in = response(THIRL_STUN_SUCCESS, 2);
  assert_ptr_equal(thirl_meet_request_match(&t, 125, &in, &rtt), b);
  assert_true(rtt == 15);
  assert_null(thirl_meet_request_match(&t, 126, &in, &rtt)); /* once */
  in = response(THIRL_STUN_INDICATION, 1);
  assert_null(thirl_meet_request_match(&t, 126, &in, &rtt));
  in = response(THIRL_STUN_REQUEST, 1);
  assert_null(thirl_meet_request_match(&t, 126, &in, &rtt));
  in = response(THIRL_STUN_ERROR, 3);
  assert_null(thirl_meet_request_match(&t, 126, &in, &rtt));
  in = response(THIRL_STUN_ERROR, 1);
  assert_ptr_equal(thirl_meet_request_match(&t, 126, &in, &rtt), a);
  thirl_meet_request_clear(&t);
}

/* One that was not sent, or has been sent again, is not answered by an old transaction id. */
static void test_match_only_what_was_sent_last(void **state) {
  (void)state;
  thirl_meet_requests t = {0};
  thirl_time rtt;
  uint8_t second[THIRL_STUN_TID_LEN] = {9};
  thirl_stun_msg in = response(THIRL_STUN_SUCCESS, 0), first = response(THIRL_STUN_SUCCESS, 1);
  add(&t, THIRL_MEET_REQUEST_UPDATE);
  assert_null(thirl_meet_request_match(&t, 1, &in, &rtt));
  thirl_meet_request *q = start(&t, 1, 50, 1);
  thirl_meet_request_start(q, 2, 50, second);
  assert_null(thirl_meet_request_match(&t, 3, &first, &rtt));
  in = response(THIRL_STUN_SUCCESS, 9);
  assert_ptr_equal(thirl_meet_request_match(&t, 5, &in, &rtt), q);
  assert_true(rtt == 3);
  thirl_meet_request_clear(&t);
}

static void test_time(void **state) {
  (void)state;
  thirl_meet_requests t = {0};
  assert_true(thirl_meet_request_deadline(&t) == THIRL_NEVER);
  assert_false(thirl_meet_request_has_expired(&t, THIRL_NEVER - 1));
  add(&t, THIRL_MEET_REQUEST_CONNECT);
  assert_true(thirl_meet_request_deadline(&t) == THIRL_NEVER); /* not sent */
  start(&t, 110, 50, 2);
  start(&t, 100, 50, 1);
  assert_true(thirl_meet_request_deadline(&t) == 150);
  assert_false(thirl_meet_request_has_expired(&t, 149));
  assert_true(thirl_meet_request_has_expired(&t, 150));
  thirl_meet_request_clear(&t);
}

static void test_find(void **state) {
  (void)state;
  thirl_meet_requests t = {0};
  uint8_t session[THIRL_MEET_SESSION_ID_LEN] = {0};
  add(&t, THIRL_MEET_REQUEST_UPDATE);
  assert_null(thirl_meet_request_find(&t, session));
  thirl_meet_request *q = add(&t, THIRL_MEET_REQUEST_CONNECT);
  q->dial->session[15] = 1;
  assert_null(thirl_meet_request_find(&t, session));
  session[15] = 1;
  assert_ptr_equal(thirl_meet_request_find(&t, session), q);
  thirl_meet_request_clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_limits_by_kind),
      cmocka_unit_test(test_match),
      cmocka_unit_test(test_match_only_what_was_sent_last),
      cmocka_unit_test(test_time),
      cmocka_unit_test(test_find),
  };
  return cmocka_run_group_tests_name("meet/request", tests, NULL, NULL);
}
