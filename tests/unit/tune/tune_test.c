/* SPDX-License-Identifier: MIT */
/* All judges together: silence on a healthy machine, no verdict without facts, and causes before symptoms. */
#include "rig.h"

static void a_healthy_machine_is_fine(void **state) {
  (void)state;
  static const struct {
    thirl_tune_profile profile;
    const char *unknown;
  } rows[] = {{S, ""}, {R, ""}, {C, "CT15 NAT1 NAT2 NAT3 NAT4 NAT7 NAT9"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rig *g = rig_new(rows[i].profile);
    assert_string_equal(rig_list(g, CRIT), "");
    assert_string_equal(rig_list(g, WARN), "");
    assert_string_equal(rig_list(g, INFO), "");
    assert_string_equal(rig_list(g, UNKNOWN), rows[i].unknown);
    assert_int_equal(g->report.worst, OK);
  }
}

static void without_facts_there_is_no_verdict(void **state) {
  (void)state;
  for (unsigned p = 0; p < THIRL_TUNE_PROFILE_COUNT; p++) {
    rig *g = rig_blank((thirl_tune_profile)p);
    g->c.demand.relay_first = 49152;
    g->c.demand.relay_last = 65535;
    thirl_tune_evaluate(&g->c, &g->report);
    for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++) {
      assert_int_equal(g->report.finding[id].level, UNKNOWN);
      assert_int_not_equal(g->report.finding[id].why, THIRL_TUNE_WHY_READ);
    }
    assert_int_equal(g->report.worst, OK);
  }
}

static void every_id_is_for_somebody(void **state) {
  (void)state;
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++)
    assert_int_not_equal(thirl_tune_catalogue_row((thirl_tune_id)id)->profiles & THIRL_TUNE_ALL, 0);
}

static void a_cause_takes_its_symptoms(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_sysctl(g, SYSCTL(SOMAXCONN), 8);
  rig_rise(g, COUNTER(LISTEN_OVERFLOWS), 62);
  rig_rise(g, COUNTER(SYNCOOKIES_SENT), 10);
  const thirl_tune_finding *f = rig_judge(g, ID(TCP2));
  assert_int_equal(f->level, CRIT);
  assert_int_equal(f->cause, ID(TCP1));
  assert_int_equal(g->report.finding[ID(TCP5)].cause, ID(TCP1));
  assert_int_equal(g->report.finding[ID(TCP1)].level, WARN);
  assert_int_equal(g->report.finding[ID(TCP1)].explained, CRIT);
  assert_int_equal(g->report.finding[ID(TCP1)].cause, THIRL_TUNE_NONE);
  assert_int_equal(g->report.worst, CRIT);
}

static void a_cause_that_is_fine_explains_nothing(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_rise(g, COUNTER(LISTEN_OVERFLOWS), 1);
  assert_int_equal(rig_judge(g, ID(TCP2))->cause, THIRL_TUNE_NONE);
}

/* CT3 <- CT2 <- CT1: the first one is named. */
static void causes_of_causes_are_followed(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.ruleset.uses_conntrack = true;
  rig_sysctl(g, SYSCTL(CT_COUNT), 262144);
  rig_rise(g, COUNTER(CT_DROP), 5);
  assert_int_equal(rig_judge(g, ID(CT3))->level, CRIT);
  assert_int_equal(g->report.finding[ID(CT3)].cause, ID(CT1));
  assert_int_equal(g->report.finding[ID(CT2)].cause, ID(CT1));
}

static void a_fix_says_what_it_was(void **state) {
  (void)state;
  rig *g = rig_new(R);
  rig_sysctl(g, SYSCTL(CT_UDP_TIMEOUT), 30);
  const thirl_tune_finding *f = rig_judge(g, ID(CT9));
  assert_int_equal(f->n_set, 1); /* the stream's is right already */
  assert_string_equal(f->set[0].key, "net.netfilter.nf_conntrack_udp_timeout");
  assert_string_equal(f->set[0].value, "120");
  assert_string_equal(f->set[0].was, "30");
}

static void what_belongs_to_the_host_is_not_fixed_in_a_child(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_sysctl(g, SYSCTL(RMEM_MAX), 212992);
  g->after.sockets.udp[0].rcvbuf.v = 212992;
  rig_expect(g, ID(UDP1), CRIT);
  assert_false(g->report.finding[ID(UDP1)].is_elsewhere);
  g->after.home = THIRL_TUNE_HOME_CHILD;
  rig_expect(g, ID(UDP1), CRIT);
  assert_true(g->report.finding[ID(UDP1)].is_elsewhere);
  rig_sysctl(g, SYSCTL(SOMAXCONN), 8);
  rig_expect(g, ID(TCP1), WARN);
  assert_false(g->report.finding[ID(TCP1)].is_elsewhere);
  g->after.sys_is_read_only = true; /* a container */
  rig_expect(g, ID(TCP1), WARN);
  assert_true(g->report.finding[ID(TCP1)].is_elsewhere);
}

static void counters_that_were_reset_rose_by_what_they_are(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->after.counter[COUNTER(LISTEN_DROPS)].v = 3;
  rig_expect(g, ID(TCP2), CRIT);
}

static void the_profile_is_guessed_by_what_runs(void **state) {
  (void)state;
  rig *g = rig_new(S);
  assert_int_equal(thirl_tune_guess(&g->after), S);
  g->after.process.why = THIRL_TUNE_WHY_NO_SUBJECT;
  assert_int_equal(thirl_tune_guess(&g->after), C);
  g->after.ruleset.has_nat = true;
  assert_int_equal(thirl_tune_guess(&g->after), R);
  rig_sysctl(g, SYSCTL(IP_FORWARD), 0);
  assert_int_equal(thirl_tune_guess(&g->after), C);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_healthy_machine_is_fine),
      cmocka_unit_test(without_facts_there_is_no_verdict),
      cmocka_unit_test(every_id_is_for_somebody),
      cmocka_unit_test(a_cause_takes_its_symptoms),
      cmocka_unit_test(a_cause_that_is_fine_explains_nothing),
      cmocka_unit_test(causes_of_causes_are_followed),
      cmocka_unit_test(a_fix_says_what_it_was),
      cmocka_unit_test(what_belongs_to_the_host_is_not_fixed_in_a_child),
      cmocka_unit_test(counters_that_were_reset_rose_by_what_they_are),
      cmocka_unit_test(the_profile_is_guessed_by_what_runs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
