/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>
#include <stdbool.h>

#include "apps/options/options.h"

typedef struct said {
  bool flag;
  const char *text;
  unsigned number;
  text_list list;
  const char *words[8];
  unsigned n_words;
} said;

static const option_row flag = {.name = "--flag",
                                .value = NULL,
                                .kind = OPTION_FLAG,
                                .offset = offsetof(said, flag),
                                .least = 0,
                                .most = 0,
                                .wants = NULL};
static const option_row text = {.name = "--text",
                                .value = "WORD",
                                .kind = OPTION_TEXT,
                                .offset = offsetof(said, text),
                                .least = 0,
                                .most = 0,
                                .wants = NULL};
static const option_row number = {.name = "--number",
                                  .value = "N",
                                  .kind = OPTION_NUMBER,
                                  .offset = offsetof(said, number),
                                  .least = 5,
                                  .most = 70,
                                  .wants = "a number"};
static const option_row list = {.name = "-l",
                                .value = "WORD",
                                .kind = OPTION_LIST,
                                .offset = offsetof(said, list),
                                .least = 0,
                                .most = 0,
                                .wants = NULL};
static const option_row help = {.name = "--help",
                                .value = NULL,
                                .kind = OPTION_FLAG,
                                .offset = offsetof(said, flag),
                                .least = 0,
                                .most = 0,
                                .wants = NULL};
static const option_row choice = {.name = "--choice",
                                  .value = "WORD",
                                  .kind = OPTION_CHOICE,
                                  .offset = offsetof(said, text),
                                  .wants = "one two three",
                                  .brief = "-c"};
static const option_row empty = {
    .name = "--empty", .value = "WORD", .kind = OPTION_TEXT, .offset = offsetof(said, text), .may_be_empty = true};
static const option_row *const rows[] = {&flag, &text, &number, &list, &choice, &empty, &help, NULL};

static int on_word(char *word, void *owner) {
  said *s = owner;
  s->words[s->n_words++] = word;
  return strcmp(word, "bad") == 0 ? OPTIONS_WRONG : OPTIONS_FINE;
}

static int read_words(said *s, int argc, char **argv) {
  const options_reading r = {.who = "test", .rows = rows, .into = s, .on_word = on_word, .owner = s};
  memset(s, 0, sizeof *s);
  return options_read(&r, argc, argv);
}

#define READ(s, ...) read_words(s, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), (char *[]){__VA_ARGS__})

static void test_each_kind_lands_where_its_row_says(void **state) {
  said s;
  (void)state;
  assert_int_equal(READ(&s, "--text", "a", "x", "--number=5", "-l", "1", "--flag", "-l=2", "-", "y"), OPTIONS_FINE);
  assert_true(s.flag);
  assert_string_equal(s.text, "a");
  assert_int_equal(s.number, 5);
  assert_int_equal(s.list.n, 2);
  assert_string_equal(s.list.at[0], "1");
  assert_string_equal(s.list.at[1], "2");
  assert_int_equal(s.n_words, 3);
  assert_string_equal(s.words[0], "x");
  assert_string_equal(s.words[1], "-");
  assert_string_equal(s.words[2], "y");
}

static void test_a_value_may_begin_with_a_dash_and_hold_an_equals(void **state) {
  said s;
  (void)state;
  assert_int_equal(READ(&s, "--text", "--flag"), OPTIONS_FINE);
  assert_string_equal(s.text, "--flag");
  assert_false(s.flag);
  assert_int_equal(READ(&s, "--text=a=b"), OPTIONS_FINE);
  assert_string_equal(s.text, "a=b");
}

static void test_h_is_help(void **state) {
  said s;
  (void)state;
  assert_int_equal(READ(&s, "-h"), OPTIONS_FINE);
  assert_true(s.flag);
}

static void test_mistakes_are_usage_errors(void **state) {
  said s;
  (void)state;
  assert_int_equal(READ(&s, "--unknown"), OPTIONS_WRONG);
  assert_int_equal(READ(&s, "--fla"), OPTIONS_WRONG);
  assert_int_equal(READ(&s, "--flagg"), OPTIONS_WRONG);
  assert_int_equal(READ(&s, "--flag=yes"), OPTIONS_WRONG);
  assert_int_equal(READ(&s, "--text"), OPTIONS_WRONG);
  assert_int_equal(READ(&s, "--text="), OPTIONS_WRONG);
  assert_int_equal(READ(&s, "--number", "4"), OPTIONS_WRONG);
  assert_int_equal(READ(&s, "--number", "71"), OPTIONS_WRONG);
  assert_int_equal(READ(&s, "--number", "70"), OPTIONS_FINE);
  assert_int_equal(READ(&s, "--number", "-6"), OPTIONS_WRONG);
  assert_int_equal(READ(&s, "--number", " 6"), OPTIONS_WRONG);
  assert_int_equal(READ(&s, "--number", "6s"), OPTIONS_WRONG);
  assert_int_equal(READ(&s, "--number", "99999999999999999999"), OPTIONS_WRONG);
  assert_int_equal(READ(&s, "bad", "--flag"), OPTIONS_WRONG);
  assert_false(s.flag);
}

static void test_a_list_has_an_end(void **state) {
  said s;
  char *argv[2 * (TEXT_LIST_MAX + 1)];
  (void)state;
  for (int i = 0; i <= TEXT_LIST_MAX; i++) {
    argv[2 * i] = "-l";
    argv[2 * i + 1] = "x";
  }
  assert_int_equal(read_words(&s, 2 * TEXT_LIST_MAX, argv), OPTIONS_FINE);
  assert_int_equal(s.list.n, TEXT_LIST_MAX);
  assert_int_equal(read_words(&s, 2 * TEXT_LIST_MAX + 2, argv), OPTIONS_WRONG);
}

static void test_a_choice_is_one_of_its_words(void **state) {
  said s;
  (void)state;
  assert_int_equal(READ(&s, "--choice", "two"), OPTIONS_FINE);
  assert_string_equal(s.text, "two");
  assert_int_equal(READ(&s, "--choice", "tw"), OPTIONS_WRONG);
  assert_int_equal(READ(&s, "--choice", "one two"), OPTIONS_WRONG);
  assert_int_equal(READ(&s, "--choice=three"), OPTIONS_FINE);
}

static void test_an_option_may_have_a_brief_name(void **state) {
  said s;
  (void)state;
  assert_int_equal(READ(&s, "-c", "three"), OPTIONS_FINE);
  assert_string_equal(s.text, "three");
  char names[32];
  assert_string_equal(options_names(&choice, names, sizeof names), "-c, --choice");
  assert_string_equal(options_names(&help, names, sizeof names), "-h, --help");
  assert_string_equal(options_names(&list, names, sizeof names), "-l");
}

static void test_empty_is_a_value_where_the_row_says_so(void **state) {
  said s;
  (void)state;
  assert_int_equal(READ(&s, "--empty", ""), OPTIONS_FINE);
  assert_string_equal(s.text, "");
  assert_int_equal(READ(&s, "--empty="), OPTIONS_FINE);
  assert_int_equal(READ(&s, "--empty"), OPTIONS_WRONG);
}

static void test_two_dashes_end_the_options(void **state) {
  said s;
  (void)state;
  assert_int_equal(READ(&s, "--flag", "--", "--text", "--", "-h"), OPTIONS_FINE);
  assert_int_equal(s.n_words, 3);
  assert_string_equal(s.words[0], "--text");
  assert_string_equal(s.words[1], "--");
  assert_null(s.text);
}

static void test_options_may_have_to_stand_before_words(void **state) {
  said s = {.flag = false};
  char *argv[] = {"--text", "a", "host", "--", "--flag"};
  const options_reading r = {
      .who = "test", .rows = rows, .into = &s, .on_word = on_word, .owner = &s, .before_words = true};
  (void)state;
  assert_int_equal(options_read(&r, 5, argv), OPTIONS_FINE);
  assert_string_equal(s.text, "a");
  assert_int_equal(s.n_words, 3);
  assert_string_equal(s.words[1], "--");
  assert_string_equal(s.words[2], "--flag");
  assert_false(s.flag);
}

static void test_where_there_are_no_words_one_is_a_mistake(void **state) {
  said s;
  char *argv[] = {"word"};
  const options_reading r = {.who = "test", .rows = rows, .into = &s};
  (void)state;
  assert_int_equal(options_read(&r, 1, argv), OPTIONS_WRONG);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_kind_lands_where_its_row_says),
      cmocka_unit_test(test_a_value_may_begin_with_a_dash_and_hold_an_equals),
      cmocka_unit_test(test_h_is_help),
      cmocka_unit_test(test_mistakes_are_usage_errors),
      cmocka_unit_test(test_a_list_has_an_end),
      cmocka_unit_test(test_a_choice_is_one_of_its_words),
      cmocka_unit_test(test_an_option_may_have_a_brief_name),
      cmocka_unit_test(test_empty_is_a_value_where_the_row_says_so),
      cmocka_unit_test(test_two_dashes_end_the_options),
      cmocka_unit_test(test_options_may_have_to_stand_before_words),
      cmocka_unit_test(test_where_there_are_no_words_one_is_a_mistake),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
