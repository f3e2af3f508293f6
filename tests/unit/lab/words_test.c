/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lab/text/words.h"

static thirl_error split(const char *line, thirl_lab_words *out) {
  return thirl_lab_words_split(line, strlen(line), out, NULL);
}

static void a_line_is_words(void **state) {
  (void)state;
  thirl_lab_words w;
  assert_int_equal(split("  one\ttwo#2  three # four", &w), THIRL_OK);
  assert_int_equal(w.n, 3);
  assert_string_equal(w.word[0], "one");
  assert_string_equal(w.word[1], "two#2");
  assert_string_equal(w.word[2], "three");
  assert_null(w.rest);
  assert_int_equal(split("", &w), THIRL_OK);
  assert_int_equal(w.n, 0);
  assert_int_equal(split("one\r", &w), THIRL_OK);
  assert_string_equal(w.word[0], "one");
}

static void behind_two_hyphens_it_is_one_piece(void **state) {
  (void)state;
  thirl_lab_words w;
  assert_int_equal(split("run a --  sh -c 'x -- y' # z  ", &w), THIRL_OK);
  assert_int_equal(w.n, 2);
  assert_string_equal(w.rest, "sh -c 'x -- y' # z");
  assert_int_equal(split("run a --", &w), THIRL_OK);
  assert_string_equal(w.rest, "");
  assert_int_equal(split("run a --b", &w), THIRL_OK);
  assert_int_equal(w.n, 3);
  assert_null(w.rest);
}

static void what_cannot_be_printed_is_refused(void **state) {
  (void)state;
  thirl_lab_words w;
  thirl_lab_complaint why = {""};
  assert_int_equal(thirl_lab_words_split("a\0b", 3, &w, &why), THIRL_E_SYNTAX);
  assert_string_equal(why.text, "there is a character that cannot be printed (0x00)");
  assert_int_equal(split("a\x1b[2J", &w), THIRL_E_SYNTAX);
  thirl_lab_words_complain(&why, THIRL_E_SYNTAX, "\x1b[2J%s", "x");
  assert_string_equal(why.text, "?[2Jx");
}

static void there_are_so_many_words_and_bytes(void **state) {
  (void)state;
  char line[2 * THIRL_LAB_LINE_MAX];
  thirl_lab_words w;
  memset(line, ' ', sizeof line);
  for (size_t i = 0; i <= THIRL_LAB_WORDS_MAX; i++)
    line[2 * i] = 'x';
  assert_int_equal(thirl_lab_words_split(line, 2 * THIRL_LAB_WORDS_MAX, &w, NULL), THIRL_OK);
  assert_int_equal(w.n, THIRL_LAB_WORDS_MAX);
  assert_int_equal(thirl_lab_words_split(line, 2 * THIRL_LAB_WORDS_MAX + 1, &w, NULL), THIRL_E_LIMIT);
  assert_int_equal(thirl_lab_words_split(line, THIRL_LAB_LINE_MAX, &w, NULL), THIRL_E_LIMIT);
}

static void names(void **state) {
  (void)state;
  assert_true(thirl_lab_words_is_name("home-1", 6));
  assert_false(thirl_lab_words_is_name("home-12", 6));
  assert_false(thirl_lab_words_is_name("", 6));
  assert_false(thirl_lab_words_is_name("-x", 6));
  assert_false(thirl_lab_words_is_name("a.b", 6));
  assert_false(thirl_lab_words_is_name("../x", 6));
}

static void numbers(void **state) {
  (void)state;
  uint64_t n = 0;
  assert_true(thirl_lab_words_number("18446744073709551615", 0, UINT64_MAX, &n));
  assert_true(n == UINT64_MAX);
  assert_false(thirl_lab_words_number("18446744073709551616", 0, UINT64_MAX, &n));
  assert_false(thirl_lab_words_number("", 0, 9, &n));
  assert_false(thirl_lab_words_number("-1", 0, 9, &n));
  assert_false(thirl_lab_words_number("1x", 0, 9, &n));
  assert_false(thirl_lab_words_number("10", 0, 9, &n));
  assert_false(thirl_lab_words_number("0", 1, 9, &n));
}

static void times(void **state) {
  (void)state;
  thirl_time t = 0;
  assert_true(thirl_lab_words_time("1.5ms", 0, &t));
  assert_int_equal(t, 1500);
  assert_true(thirl_lab_words_time("250us", 0, &t));
  assert_int_equal(t, 250);
  assert_true(thirl_lab_words_time("2m", 0, &t));
  assert_int_equal(t, 120 * THIRL_S);
  assert_true(thirl_lab_words_time("1h", 0, &t));
  assert_int_equal(t, 3600 * THIRL_S);
  assert_true(thirl_lab_words_time("0.3s", 0, &t));
  assert_int_equal(t, 300000);
  assert_true(thirl_lab_words_time("5", THIRL_S, &t));
  assert_int_equal(t, 5 * THIRL_S);
  static const char *const bad[] = {
      "5", "", "s", ".5s", "5.s", "-5s", "5 s", "5S", "1e3s", "inf", "nan", "0x5s", "99999999999999999999s"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(thirl_lab_words_time(bad[i], 0, &t));
}

static void shares_sizes_and_rates(void **state) {
  (void)state;
  double share = 0;
  uint64_t n = 0;
  assert_true(thirl_lab_words_share("100%", &share));
  assert_true(share == 1);
  assert_true(thirl_lab_words_share("0.25%", &share));
  assert_true(share > 0.0024999 && share < 0.0025001);
  assert_false(thirl_lab_words_share("100.1%", &share));
  assert_false(thirl_lab_words_share("0.5", &share));
  assert_true(thirl_lab_words_size("1500", &n));
  assert_int_equal(n, 1500);
  assert_true(thirl_lab_words_size("1.5K", &n));
  assert_int_equal(n, 1536);
  assert_true(thirl_lab_words_size("2M", &n));
  assert_int_equal(n, 2 << 20);
  assert_false(thirl_lab_words_size("2G", &n));
  assert_true(thirl_lab_words_rate("2.5mbit", &n));
  assert_int_equal(n, 2500000);
  assert_false(thirl_lab_words_rate("20", &n));
}

static void choices(void **state) {
  (void)state;
  static const thirl_lab_words_choice c[] = {{"a", 1}, {"b", 2}, {"c", 7}, {NULL, 0}};
  unsigned v = 0;
  char list[32];
  assert_true(thirl_lab_words_choose(c, "c", &v));
  assert_int_equal(v, 7);
  assert_false(thirl_lab_words_choose(c, "d", &v));
  assert_string_equal(thirl_lab_words_name_of(c, 2), "b");
  assert_string_equal(thirl_lab_words_name_of(c, 3), "?");
  assert_string_equal(thirl_lab_words_list(c, list, sizeof list), "a, b or c");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_line_is_words),
      cmocka_unit_test(behind_two_hyphens_it_is_one_piece),
      cmocka_unit_test(what_cannot_be_printed_is_refused),
      cmocka_unit_test(there_are_so_many_words_and_bytes),
      cmocka_unit_test(names),
      cmocka_unit_test(numbers),
      cmocka_unit_test(times),
      cmocka_unit_test(shares_sizes_and_rates),
      cmocka_unit_test(choices),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
