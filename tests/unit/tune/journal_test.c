/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tune/journal.h"

static const thirl_tune_change first = {
    .name = "net.core.somaxconn", .old = "4096", .made = "65535", .why = "TCP1: the queue"};

static void the_oldest_value_is_kept(void **state) {
  (void)state;
  thirl_tune_journal j = {0};
  thirl_tune_change again = first;
  assert_int_equal(thirl_tune_journal_note(&j, &first), THIRL_OK);
  memcpy(again.old, "65535", 6);
  memcpy(again.made, "8192", 5);
  assert_int_equal(thirl_tune_journal_note(&j, &again), THIRL_OK);
  assert_int_equal(j.n, 1);
  assert_string_equal(j.list[0].old, "4096");
  assert_string_equal(j.list[0].made, "8192");
}

static void what_others_set_is_theirs(void **state) {
  (void)state;
  assert_int_equal(thirl_tune_journal_undo(&first, "65535"), THIRL_TUNE_UNDO_RESTORE);
  assert_int_equal(thirl_tune_journal_undo(&first, "4096"), THIRL_TUNE_UNDO_NOTHING);
  assert_int_equal(thirl_tune_journal_undo(&first, "1234"), THIRL_TUNE_UNDO_FOREIGN);
}

static void entries_come_and_go(void **state) {
  (void)state;
  static thirl_tune_journal j;
  thirl_tune_change c = first;
  memset(&j, 0, sizeof j);
  for (unsigned i = 0; i < THIRL_TUNE_JOURNAL_MAX; i++) {
    snprintf(c.name, sizeof c.name, "net.n%u", i);
    assert_int_equal(thirl_tune_journal_note(&j, &c), THIRL_OK);
  }
  assert_int_equal(thirl_tune_journal_note(&j, &first), THIRL_E_LIMIT);
  thirl_tune_journal_remove(&j, "net.n5");
  thirl_tune_journal_remove(&j, "net.n5");
  assert_int_equal(j.n, THIRL_TUNE_JOURNAL_MAX - 1);
  assert_null(thirl_tune_journal_find(&j, "net.n5"));
  assert_string_equal(j.list[5].name, "net.n6");
  assert_int_equal(thirl_tune_journal_note(&j, &first), THIRL_OK);
}

static void the_file_can_be_read_again(void **state) {
  (void)state;
  thirl_tune_journal j = {0};
  thirl_buffer b;
  thirl_tune_change ports = {.name = "net.ipv4.ip_local_reserved_ports", .made = "49152-65535"};
  thirl_tune_line l;
  memset(ports.why, 'w', sizeof ports.why - 1);
  ports.why[50] = ports.why[120] = ' ';
  thirl_buffer_init(&b, THIRL_TUNE_JOURNAL_TEXT_MAX);
  assert_int_equal(thirl_tune_journal_note(&j, &first), THIRL_OK);
  assert_int_equal(thirl_tune_journal_note(&j, &ports), THIRL_OK);
  assert_int_equal(thirl_tune_journal_format(&j, &b), THIRL_OK);
  thirl_tune_sysctl_file f = thirl_tune_sysctl_file_of(thirl_buffer_view(&b));
  assert_true(thirl_tune_sysctl_file_next(&f, &l));
  assert_string_equal(l.name, "net.core.somaxconn");
  assert_string_equal(l.value, "65535");
  assert_int_equal(l.line, 5);
  assert_true(thirl_tune_sysctl_file_next(&f, &l));
  assert_string_equal(l.name, "net.ipv4.ip_local_reserved_ports");
  assert_string_equal(l.value, "49152-65535");
  assert_false(thirl_tune_sysctl_file_next(&f, &l));
  assert_int_equal(f.bad, 0);
  assert_int_equal(thirl_buffer_append(&b, THIRL_BYTES("", 1)), THIRL_OK);
  assert_non_null(strstr((const char *)thirl_buffer_view(&b).p, "# TCP1: the queue\n# was: 4096\nnet.core.somaxconn"));
  thirl_buffer_fini(&b);
}

static void each_namespace_has_a_journal_of_its_own(void **state) {
  (void)state;
  thirl_tune_journal j = {0};
  assert_true(thirl_tune_journal_is_of(&j, THIRL_TUNE_WHERE_HOST)); /* made before this was written down */
  assert_false(thirl_tune_journal_is_of(&j, "net:[4026532123]"));
  memcpy(j.where, "net:[4026532123]", sizeof "net:[4026532123]");
  assert_true(thirl_tune_journal_is_of(&j, "net:[4026532123]"));
  assert_false(thirl_tune_journal_is_of(&j, "net:[402653212]"));
  assert_false(thirl_tune_journal_is_of(&j, THIRL_TUNE_WHERE_HOST));
  assert_false(thirl_tune_journal_is_of(&j, THIRL_TUNE_WHERE_ROOT));
}

static void a_full_buffer_is_told(void **state) {
  (void)state;
  thirl_tune_journal j = {0};
  thirl_buffer b;
  thirl_buffer_init(&b, 100);
  assert_int_equal(thirl_tune_journal_note(&j, &first), THIRL_OK);
  assert_int_equal(thirl_tune_journal_format(&j, &b), THIRL_E_LIMIT);
  thirl_buffer_fini(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_oldest_value_is_kept), cmocka_unit_test(what_others_set_is_theirs),
      cmocka_unit_test(entries_come_and_go),      cmocka_unit_test(the_file_can_be_read_again),
      cmocka_unit_test(a_full_buffer_is_told),    cmocka_unit_test(each_namespace_has_a_journal_of_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
