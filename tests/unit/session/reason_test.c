/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "session/reason.h"

enum {
  UNKNOWN = THIRL_SESSION_MAPPING_UNKNOWN,
  SAME = THIRL_SESSION_MAPPING_INDEPENDENT,
  VARIES = THIRL_SESSION_MAPPING_DEPENDENT
};

static thirl_error reason(int ours, thirl_error we_saw, int theirs, thirl_error they_saw) {
  thirl_session_findings o = {(thirl_session_mapping)ours, we_saw}, t = {(thirl_session_mapping)theirs, they_saw};
  return thirl_session_reason_of(&o, &t);
}

static void who_varies_is_to_blame(void **state) {
  (void)state;
  static const thirl_error ends[] = {THIRL_E_TIMEOUT, THIRL_E_REFUSED, THIRL_E_UNREACHABLE};
  for (int i = 0; i < 9; i++) {
    thirl_error we = ends[i / 3], they = ends[i % 3];
    assert_int_equal(reason(VARIES, we, VARIES, they), THIRL_E_NAT_BOTH);
    assert_int_equal(reason(VARIES, we, SAME, they), THIRL_E_NAT_OURS);
    assert_int_equal(reason(VARIES, we, UNKNOWN, they), THIRL_E_NAT_OURS);
    assert_int_equal(reason(SAME, we, VARIES, they), THIRL_E_NAT_THEIRS);
    assert_int_equal(reason(UNKNOWN, we, VARIES, they), THIRL_E_NAT_THEIRS);
    assert_int_equal(reason(VARIES, we, VARIES, THIRL_OK), THIRL_E_NAT_BOTH); /* the peer's is not over yet */
  }
}

static void a_refusal_is_a_firewalls_when_no_nat_can_be_it(void **state) {
  (void)state;
  assert_int_equal(reason(SAME, THIRL_E_REFUSED, SAME, THIRL_E_TIMEOUT), THIRL_E_FIREWALL);
  assert_int_equal(reason(SAME, THIRL_E_TIMEOUT, SAME, THIRL_E_REFUSED), THIRL_E_FIREWALL);
  assert_int_equal(reason(SAME, THIRL_E_UNREACHABLE, SAME, THIRL_E_REFUSED), THIRL_E_FIREWALL);
  assert_int_equal(reason(UNKNOWN, THIRL_E_REFUSED, SAME, THIRL_E_REFUSED), THIRL_E_REFUSED);
  assert_int_equal(reason(SAME, THIRL_E_REFUSED, UNKNOWN, THIRL_E_REFUSED), THIRL_E_REFUSED);
  assert_int_equal(reason(UNKNOWN, THIRL_E_TIMEOUT, UNKNOWN, THIRL_E_REFUSED), THIRL_E_REFUSED);
}

static void what_is_not_known_is_not_said(void **state) {
  (void)state;
  for (int i = 0; i < 4; i++) {
    assert_int_equal(reason(i / 2, THIRL_E_TIMEOUT, i % 2, THIRL_E_TIMEOUT), THIRL_E_TIMEOUT);
    assert_int_equal(reason(i / 2, THIRL_E_TIMEOUT, i % 2, THIRL_OK), THIRL_E_TIMEOUT);
    assert_int_equal(reason(i / 2, THIRL_E_UNREACHABLE, i % 2, THIRL_E_TIMEOUT), THIRL_E_UNREACHABLE);
  }
}

/* A NAT does not explain a stranger, and nothing is to be explained while punching goes on. */
static void what_says_more_stays(void **state) {
  (void)state;
  static const thirl_error ends[] = {THIRL_OK,     THIRL_E_STRANGER, THIRL_E_NO_PATH, THIRL_E_HIDDEN,
                                     THIRL_E_LOST, THIRL_E_RESET,    THIRL_E_NOMEM};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    assert_int_equal(reason(VARIES, ends[i], VARIES, THIRL_E_REFUSED), ends[i]);
}

static void sameness(void **state) {
  (void)state;
  thirl_session_findings a = {THIRL_SESSION_MAPPING_DEPENDENT, THIRL_E_TIMEOUT}, b = a;
  assert_true(thirl_session_reason_same(&a, &b));
  b.saw = THIRL_E_REFUSED;
  assert_false(thirl_session_reason_same(&a, &b));
  b = a;
  b.mapping = THIRL_SESSION_MAPPING_UNKNOWN;
  assert_false(thirl_session_reason_same(&a, &b));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_varies_is_to_blame),
      cmocka_unit_test(a_refusal_is_a_firewalls_when_no_nat_can_be_it),
      cmocka_unit_test(what_is_not_known_is_not_said),
      cmocka_unit_test(what_says_more_stays),
      cmocka_unit_test(sameness),
  };
  return cmocka_run_group_tests_name("session/reason", tests, NULL, NULL);
}
