/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tune/choice.h"

static thirl_tune_report report;
static thirl_tune_choice list[THIRL_TUNE_CHOICES_MAX];

static thirl_tune_finding *find(thirl_tune_id id, thirl_tune_level level) {
  thirl_tune_finding *f = &report.finding[id];
  report.asked[id] = true;
  *f = (thirl_tune_finding){.id = id, .level = level};
  snprintf(f->observed, sizeof f->observed, "it is so");
  return f;
}

static void want(thirl_tune_finding *f, const char *key, const char *was, const char *value) {
  thirl_tune_setting *s = &f->set[f->n_set++];
  snprintf(s->key, sizeof s->key, "%s", key);
  snprintf(s->was, sizeof s->was, "%s", was);
  snprintf(s->value, sizeof s->value, "%s", value);
}

static int begin(void **state) {
  (void)state;
  memset(&report, 0, sizeof report);
  return 0;
}

static void only_what_is_due_is_chosen(void **state) {
  (void)state;
  want(find(THIRL_TUNE_UDP1, THIRL_TUNE_LEVEL_WARN), "net.core.rmem_max", "212992", "16777216");
  want(find(THIRL_TUNE_TCP1, THIRL_TUNE_LEVEL_INFO), "net.core.somaxconn", "4096", "65535");
  want(find(THIRL_TUNE_TCP3, THIRL_TUNE_LEVEL_OK), "net.ipv4.tcp_syncookies", "1", "1");
  thirl_tune_finding *f = find(THIRL_TUNE_UDP2, THIRL_TUNE_LEVEL_CRIT);
  want(f, "net.core.wmem_max", "1", "2");
  f->cause = THIRL_TUNE_UDP1;
  f = find(THIRL_TUNE_CT2, THIRL_TUNE_LEVEL_CRIT);
  want(f, "net.netfilter.nf_conntrack_max", "262144", "1048576");
  want(f, "net.netfilter.nf_conntrack_buckets", "262144", "262144"); /* is so already */
  f->is_elsewhere = true;
  want(find(THIRL_TUNE_MEM3, THIRL_TUNE_LEVEL_CRIT), "net.ipv4.udp_mem", "1 2 3", "");
  report.asked[THIRL_TUNE_TCP14] = false;
  report.finding[THIRL_TUNE_TCP14].level = THIRL_TUNE_LEVEL_CRIT;
  assert_int_equal(thirl_tune_choice_make(&report, list), 2);
  assert_string_equal(list[0].change.name, "net.core.rmem_max");
  assert_string_equal(list[0].change.old, "212992");
  assert_string_equal(list[0].change.made, "16777216");
  assert_string_equal(list[0].change.why, "UDP1, the receive buffer of the UDP sockets: it is so");
  assert_false(list[0].is_elsewhere);
  assert_string_equal(list[1].change.name, "net.netfilter.nf_conntrack_max");
  assert_true(list[1].is_elsewhere);
}

static void the_first_finding_decides(void **state) {
  (void)state;
  want(find(THIRL_TUNE_TCP6, THIRL_TUNE_LEVEL_WARN), "net.ipv4.tcp_tw_reuse", "0", "1");
  want(find(THIRL_TUNE_TCP8, THIRL_TUNE_LEVEL_WARN), "net.ipv4.tcp_tw_reuse", "0", "2");
  assert_int_equal(thirl_tune_choice_make(&report, list), 1);
  assert_string_equal(list[0].change.made, "1");
}

static void reserved_ports_are_joined(void **state) {
  (void)state;
  static const char name[] = "net.ipv4.ip_local_reserved_ports";
  want(find(THIRL_TUNE_UDP6, THIRL_TUNE_LEVEL_WARN), name, "22,8080", "49152-65535");
  want(find(THIRL_TUNE_TCP20, THIRL_TUNE_LEVEL_WARN), name, "22,8080", "8080,9000");
  assert_int_equal(thirl_tune_choice_make(&report, list), 1);
  assert_string_equal(list[0].change.made, "22,8080,49152-65535,8080,9000");
  begin(NULL);
  want(find(THIRL_TUNE_UDP6, THIRL_TUNE_LEVEL_WARN), name, "", "49152-65535");
  want(find(THIRL_TUNE_TCP20, THIRL_TUNE_LEVEL_WARN), name, "", "49152-65535");
  assert_int_equal(thirl_tune_choice_make(&report, list), 1);
  assert_string_equal(list[0].change.made, "49152-65535");
}

static void a_long_reason_is_cut(void **state) {
  (void)state;
  char why[THIRL_TUNE_REASON_MAX];
  thirl_tune_finding *f = find(THIRL_TUNE_UDP1, THIRL_TUNE_LEVEL_WARN);
  memset(f->observed, 'x', sizeof f->observed - 1);
  thirl_tune_choice_reason(&report, THIRL_TUNE_UDP1, why);
  assert_int_equal(strlen(why), THIRL_TUNE_REASON_MAX - 1);
  assert_string_equal(why + THIRL_TUNE_REASON_MAX - 5, "x...");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(only_what_is_due_is_chosen, begin),
      cmocka_unit_test_setup(the_first_finding_decides, begin),
      cmocka_unit_test_setup(reserved_ports_are_joined, begin),
      cmocka_unit_test_setup(a_long_reason_is_cut, begin),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
