/* SPDX-License-Identifier: MIT */
/* Texts in rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "screen/wrap.h"

static void expect(const char *text, unsigned columns, const char *rows) {
  char got[512] = "";
  thirl_bytes in = THIRL_BYTES(text, strlen(text)), row;
  bool begun = false;
  while (thirl_screen_wrap_next(&in, columns, &begun, &row)) {
    assert_true(thirl_screen_wrap_width(row) <= columns);
    strncat(got, (const char *)row.p, row.n);
    strcat(got, "|");
    assert_true(strlen(got) < sizeof got - 64);
  }
  assert_string_equal(got, rows);
}

static void at_spaces(void **state) {
  (void)state;
  expect("", 5, "|");
  expect("a", 5, "a|");
  expect("abcde", 5, "abcde|");
  expect("ab cd", 5, "ab cd|");
  expect("ab cd ef", 5, "ab cd|ef|");
  expect("ab cde f", 5, "ab|cde f|");
  expect("abcde f", 5, "abcde|f|");
  expect("  indented", 5, "  ind|ented|");
  expect("a ", 5, "a |");
}

static void within_words_that_are_too_long(void **state) {
  (void)state;
  expect("abcdefghijkl", 5, "abcde|fghij|kl|");
  expect("a bcdefghijk", 5, "a|bcdef|ghijk|");
}

static void at_ends_of_lines(void **state) {
  (void)state;
  expect("a\nb", 5, "a|b|");
  expect("a\n\nb\n", 5, "a||b|");
  expect("abcde\nf", 5, "abcde|f|");
  expect("\n", 5, "|");
}

static void wide_ones_and_marks_stay_whole(void **state) {
  (void)state;
  expect("\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", 5, "\xe6\x97\xa5\xe6\x97\xa5|\xe6\x97\xa5|");
  expect("abcde\xcc\x81"
         "f",
         5, "abcde\xcc\x81|f|");
  expect("\xe6\x97\xa5\xe6\x97\xa5", 2, "\xe6\x97\xa5|\xe6\x97\xa5|");
}

static void a_beginning(void **state) {
  (void)state;
  thirl_bytes text = THIRL_BYTES("a\xe6\x97\xa5"
                                 "b",
                                 5);
  assert_int_equal(thirl_screen_wrap_width(text), 4);
  assert_int_equal(thirl_screen_wrap_cut(text, 0).n, 0);
  assert_int_equal(thirl_screen_wrap_cut(text, 2).n, 1);
  assert_int_equal(thirl_screen_wrap_cut(text, 3).n, 4);
  assert_int_equal(thirl_screen_wrap_cut(text, 9).n, 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(at_spaces),        cmocka_unit_test(within_words_that_are_too_long),
      cmocka_unit_test(at_ends_of_lines), cmocka_unit_test(wide_ones_and_marks_stay_whole),
      cmocka_unit_test(a_beginning),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
