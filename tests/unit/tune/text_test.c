/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tune/text.h"

static bool decimal(const char *s, int64_t *v) {
  return thirl_tune_text_decimal(thirl_tune_text_of(s), v);
}

static bool hex(const char *s, uint64_t *v) {
  return thirl_tune_text_hex(thirl_tune_text_of(s), v);
}

static void numbers(void **state) {
  (void)state;
  int64_t v;
  uint64_t x;
  assert_true(decimal("0", &v) && v == 0);
  assert_true(decimal("-4294967296", &v) && v == -4294967296);
  assert_true(decimal("9223372036854775807", &v) && v == INT64_MAX);
  assert_true(decimal("99999999999999999999", &v) && v == INT64_MAX);
  assert_false(decimal("", &v) || decimal("-", &v) || decimal("12a", &v) || decimal("+1", &v) || decimal(" 1", &v));
  assert_true(hex("00Ff", &x) && x == 255);
  assert_true(hex("ffffffffffffffff", &x) && x == UINT64_MAX);
  assert_true(hex("1ffffffffffffffff", &x) && x == UINT64_MAX);
  assert_false(hex("", &x) || hex("g", &x) || hex("0x1", &x));
}

static void lines_and_words(void **state) {
  (void)state;
  thirl_tune_text t = thirl_tune_text_of("a  bb\tc\n\nlast"), line, word;
  assert_true(thirl_tune_text_line(&t, &line) && line.n == 7);
  assert_true(thirl_tune_text_word(&line, &word) && thirl_tune_text_is(word, "a"));
  assert_true(thirl_tune_text_word(&line, &word) && thirl_tune_text_is(word, "bb"));
  assert_true(thirl_tune_text_word(&line, &word) && thirl_tune_text_is(word, "c"));
  assert_false(thirl_tune_text_word(&line, &word));
  assert_true(thirl_tune_text_line(&t, &line) && line.n == 0);
  assert_true(thirl_tune_text_line(&t, &line) && thirl_tune_text_is(line, "last"));
  assert_false(thirl_tune_text_line(&t, &line));
}

static void pieces(void **state) {
  (void)state;
  thirl_tune_text t = thirl_tune_text_of("key=value=more"), front;
  assert_true(thirl_tune_text_cut(&t, '=', &front) && thirl_tune_text_is(front, "key"));
  assert_true(thirl_tune_text_is(t, "value=more"));
  assert_false(thirl_tune_text_cut(&t, ':', &front));
  assert_true(thirl_tune_text_is(t, "value=more"));
  assert_true(thirl_tune_text_begins(t, "val") && !thirl_tune_text_begins(t, "value=more!"));
  assert_true(thirl_tune_text_has(t, "=mo") && !thirl_tune_text_has(t, "moo"));
}

static void names_that_mean_nothing_to_a_shell(void **state) {
  static const char *const plain[] = {"eth0", "br-lan", "eth0.5", "wg_0", "eth0:1", "veth@if2", "a+b"};
  static const char *const others[] = {"", "-rf", "a b", "$(x)", "`x`", "a;b", "a|b", "a'b", "a/b", "a\nb", "\xc3\xa9"};
  (void)state;
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
    assert_true(thirl_tune_text_is_plain(thirl_tune_text_of(plain[i])));
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    assert_false(thirl_tune_text_is_plain(thirl_tune_text_of(others[i])));
  assert_false(thirl_tune_text_is_plain((thirl_tune_text){"a\0b", 3}));
}

/* What others have named is printed: nothing of it moves a terminal. */
static void copies_are_printable_and_end(void **state) {
  (void)state;
  char to[6];
  thirl_tune_text_copy(thirl_tune_text_of("a\033[2J\xc3"), to, sizeof to);
  assert_string_equal(to, "a?[2J");
  thirl_tune_text_copy(thirl_tune_text_of("\xc3\n"), to, sizeof to);
  assert_string_equal(to, "??");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers),
      cmocka_unit_test(lines_and_words),
      cmocka_unit_test(pieces),
      cmocka_unit_test(names_that_mean_nothing_to_a_shell),
      cmocka_unit_test(copies_are_printable_and_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
