/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "natcheck/verdict.h"

/* Who meets whom by punching alone, measured and computed: rows and columns EIM{EIF, ADF, APDF}, ADM{...}, APDM{...}. */
static const char *const matrix[] = {"+++++++++", "+++++++++", "++++..+..", "+++++++++", "++.+..+..",
                                     "++.+..+..", "+++++++++", "++.+..+..", "++.+..+.."};

static thirl_natcheck_mapping m_of(int i) {
  return (thirl_natcheck_mapping)(THIRL_NATCHECK_EIM + i / 3);
}
static thirl_natcheck_filtering f_of(int i) {
  return (thirl_natcheck_filtering)(THIRL_NATCHECK_EIF + i % 3);
}

static void all_pairs(void **state) {
  int yes = 0;
  (void)state;
  for (int a = 0; a < 9; a++)
    for (int b = 0; b < 9; b++) {
      thirl_natcheck_answer got = thirl_natcheck_verdict_connects(m_of(a), f_of(a), m_of(b), f_of(b));
      assert_int_equal(got, matrix[a][b] == '+' ? THIRL_NATCHECK_YES : THIRL_NATCHECK_NO);
      yes += got == THIRL_NATCHECK_YES;
    }
  assert_int_equal(yes, 57);
}

static void what_is_unknown_may_not_matter(void **state) {
  (void)state;
  const int um = THIRL_NATCHECK_MAPPING_UNKNOWN, uf = THIRL_NATCHECK_FILTERING_UNKNOWN;
  /* An open peer can be reached by everybody. */
  assert_int_equal(thirl_natcheck_verdict_connects(um, uf, THIRL_NATCHECK_EIM, THIRL_NATCHECK_EIF), THIRL_NATCHECK_YES);
  assert_int_equal(thirl_natcheck_verdict_connects(um, uf, THIRL_NATCHECK_EIM, THIRL_NATCHECK_APDF),
                   THIRL_NATCHECK_UNKNOWN);
  assert_int_equal(thirl_natcheck_verdict_connects(THIRL_NATCHECK_EIM, uf, THIRL_NATCHECK_EIM, THIRL_NATCHECK_APDF),
                   THIRL_NATCHECK_YES);
  assert_int_equal(thirl_natcheck_verdict_connects(THIRL_NATCHECK_APDM, THIRL_NATCHECK_APDF, um, uf),
                   THIRL_NATCHECK_UNKNOWN);
  assert_int_equal(thirl_natcheck_verdict_connects(THIRL_NATCHECK_NO_MAPPING, THIRL_NATCHECK_APDF, THIRL_NATCHECK_EIM,
                                                   THIRL_NATCHECK_APDF),
                   THIRL_NATCHECK_YES);
}

static bool advises(const thirl_natcheck_verdict *v, thirl_natcheck_advice a) {
  for (unsigned i = 0; i < v->n_advice; i++)
    if (v->advice[i] == a) return true;
  return false;
}

static thirl_natcheck_report report_of(thirl_natcheck_mapping m, thirl_natcheck_filtering f) {
  thirl_natcheck_report r = {.udp = {.reachable = THIRL_NATCHECK_YES, .mapping = m, .filtering = f, .n_outer = 1}};
  r.udp.outer[0] = thirl_addr_v4(203, 0, 113, 1, 0);
  r.tcp = r.udp;
  return r;
}

static void advice_for_common_cases(void **state) {
  (void)state;
  thirl_natcheck_report r = report_of(THIRL_NATCHECK_NO_MAPPING, THIRL_NATCHECK_EIF);
  thirl_natcheck_verdict v = thirl_natcheck_verdict_of(&r);
  assert_int_equal(v.n_advice, 1);
  assert_int_equal(v.advice[0], THIRL_NATCHECK_ADVICE_OPEN);
  assert_int_equal(v.is_double, THIRL_NATCHECK_NO);

  r = report_of(THIRL_NATCHECK_APDM, THIRL_NATCHECK_APDF);
  r.udp.allocation.model = THIRL_NATCHECK_SEQUENTIAL;
  r.gateway.upnp = THIRL_NATCHECK_YES;
  r.tcp.unsolicited = THIRL_NATCHECK_UNSOLICITED_REFUSED;
  v = thirl_natcheck_verdict_of(&r);
  assert_true(advises(&v, THIRL_NATCHECK_ADVICE_SYMMETRIC));
  assert_true(advises(&v, THIRL_NATCHECK_ADVICE_PREDICTABLE));
  assert_true(advises(&v, THIRL_NATCHECK_ADVICE_MAP_PORT));
  assert_true(advises(&v, THIRL_NATCHECK_ADVICE_REFUSES));
  assert_int_equal(v.n_advice, 4);
  assert_int_equal(v.udp[8], THIRL_NATCHECK_NO);
  assert_int_equal(v.udp[0], THIRL_NATCHECK_YES);

  r.gateway.upnp_outer = thirl_addr_v4(100, 64, 0, 9, 0);
  v = thirl_natcheck_verdict_of(&r);
  assert_true(advises(&v, THIRL_NATCHECK_ADVICE_DOUBLE));
  assert_false(advises(&v, THIRL_NATCHECK_ADVICE_MAP_PORT)); /* it would not help */
  assert_int_equal(v.sign, THIRL_NATCHECK_GATEWAY_INNER);
}

static void advice_for_cones(void **state) {
  (void)state;
  thirl_natcheck_report r = report_of(THIRL_NATCHECK_EIM, THIRL_NATCHECK_APDF);
  thirl_natcheck_verdict v = thirl_natcheck_verdict_of(&r);
  assert_int_equal(v.n_advice, 1);
  assert_int_equal(v.advice[0], THIRL_NATCHECK_ADVICE_STRICT);
  r = report_of(THIRL_NATCHECK_EIM, THIRL_NATCHECK_ADF);
  v = thirl_natcheck_verdict_of(&r);
  assert_int_equal(v.n_advice, 0);
}

static void advice_about_servers(void **state) {
  (void)state;
  thirl_natcheck_report r = {.udp = {.reachable = THIRL_NATCHECK_NO, .why = THIRL_NATCHECK_WHY_NO_ANSWER},
                             .tcp = {.reachable = THIRL_NATCHECK_NO, .why = THIRL_NATCHECK_WHY_NO_ANSWER}};
  thirl_natcheck_verdict v = thirl_natcheck_verdict_of(&r);
  assert_int_equal(v.n_advice, 1);
  assert_int_equal(v.advice[0], THIRL_NATCHECK_ADVICE_NO_SERVER);
  r.tcp = (thirl_natcheck_protocol){.reachable = THIRL_NATCHECK_YES,
                                    .mapping_why = THIRL_NATCHECK_WHY_NO_ALTERNATE,
                                    .filtering_why = THIRL_NATCHECK_WHY_NO_ALTERNATE};
  v = thirl_natcheck_verdict_of(&r);
  assert_int_equal(v.n_advice, 2);
  assert_int_equal(v.advice[0], THIRL_NATCHECK_ADVICE_NO_UDP);
  assert_int_equal(v.advice[1], THIRL_NATCHECK_ADVICE_ASK_MORE);
  assert_int_equal(v.udp[0], THIRL_NATCHECK_NO);
  assert_int_equal(v.tcp[0], THIRL_NATCHECK_YES);
  assert_int_equal(v.tcp[8], THIRL_NATCHECK_UNKNOWN);
}

static void every_advice_has_words(void **state) {
  (void)state;
  for (int i = 0; i < THIRL_NATCHECK_ADVICE_COUNT; i++) {
    assert_true(strlen(thirl_natcheck_verdict_word((thirl_natcheck_advice)i)) > 2);
    assert_true(strlen(thirl_natcheck_verdict_sentence((thirl_natcheck_advice)i)) > 20);
  }
  assert_string_equal(thirl_natcheck_verdict_word((thirl_natcheck_advice)THIRL_NATCHECK_ADVICE_COUNT), "unknown");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_pairs),
      cmocka_unit_test(what_is_unknown_may_not_matter),
      cmocka_unit_test(advice_for_common_cases),
      cmocka_unit_test(advice_for_cones),
      cmocka_unit_test(advice_about_servers),
      cmocka_unit_test(every_advice_has_words),
  };
  return cmocka_run_group_tests_name("natcheck/verdict", tests, NULL, NULL);
}
