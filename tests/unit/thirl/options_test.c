/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>
#include <stdbool.h>

#include "apps/thirl/command.h"
#include "apps/thirl/exit.h"

typedef struct said {
  bool flag;
  const char *text;
  unsigned number;
  text_list list;
  const char *words[4];
  unsigned n_words;
} said;

static const option_row flag = {"--flag", NULL, "", OPTION_FLAG, offsetof(said, flag), 0, 0, NULL};
static const option_row text = {"--text", "WORD", "", OPTION_TEXT, offsetof(said, text), 0, 0, NULL};
static const option_row number = {"--number", "N", "", OPTION_NUMBER, offsetof(said, number), 5, 70, "a number"};
static const option_row list = {"-l", "WORD", "", OPTION_LIST, offsetof(said, list), 0, 0, NULL};
static const option_row help = {"--help", NULL, "", OPTION_FLAG, offsetof(said, flag), 0, 0, NULL};
static const option_row *const rows[] = {&flag, &text, &number, &list, &help, NULL};

static int on_word(char *word, void *owner) {
  said *s = owner;
  s->words[s->n_words++] = word;
  return strcmp(word, "bad") == 0 ? EXIT_USAGE : EXIT_OK;
}

static int read_words(said *s, int argc, char **argv) {
  const options_reading r = {"test", rows, s, on_word, s};
  memset(s, 0, sizeof *s);
  return options_read(&r, argc, argv);
}

#define READ(s, ...) read_words(s, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), (char *[]){__VA_ARGS__})

static void test_each_kind_lands_where_its_row_says(void **state) {
  said s;
  (void)state;
  assert_int_equal(READ(&s, "--text", "a", "x", "--number=5", "-l", "1", "--flag", "-l=2", "-", "y"), EXIT_OK);
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
  assert_int_equal(READ(&s, "--text", "--flag"), EXIT_OK);
  assert_string_equal(s.text, "--flag");
  assert_false(s.flag);
  assert_int_equal(READ(&s, "--text=a=b"), EXIT_OK);
  assert_string_equal(s.text, "a=b");
}

static void test_h_is_help(void **state) {
  said s;
  (void)state;
  assert_int_equal(READ(&s, "-h"), EXIT_OK);
  assert_true(s.flag);
}

static void test_mistakes_are_usage_errors(void **state) {
  said s;
  (void)state;
  assert_int_equal(READ(&s, "--unknown"), EXIT_USAGE);
  assert_int_equal(READ(&s, "--fla"), EXIT_USAGE);
  assert_int_equal(READ(&s, "--flagg"), EXIT_USAGE);
  assert_int_equal(READ(&s, "--flag=yes"), EXIT_USAGE);
  assert_int_equal(READ(&s, "--text"), EXIT_USAGE);
  assert_int_equal(READ(&s, "--text="), EXIT_USAGE);
  assert_int_equal(READ(&s, "--number", "4"), EXIT_USAGE);
  assert_int_equal(READ(&s, "--number", "71"), EXIT_USAGE);
  assert_int_equal(READ(&s, "--number", "70"), EXIT_OK);
  assert_int_equal(READ(&s, "--number", "-6"), EXIT_USAGE);
  assert_int_equal(READ(&s, "--number", " 6"), EXIT_USAGE);
  assert_int_equal(READ(&s, "--number", "6s"), EXIT_USAGE);
  assert_int_equal(READ(&s, "--number", "99999999999999999999"), EXIT_USAGE);
  assert_int_equal(READ(&s, "bad", "--flag"), EXIT_USAGE);
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
  assert_int_equal(read_words(&s, 2 * TEXT_LIST_MAX, argv), EXIT_OK);
  assert_int_equal(s.list.n, TEXT_LIST_MAX);
  assert_int_equal(read_words(&s, 2 * TEXT_LIST_MAX + 2, argv), EXIT_USAGE);
}

/* What each command takes has its place in arguments, a help, and one meaning per name. */
static void test_the_table_of_commands_is_whole(void **state) {
  (void)state;
  for (const command *c = command_table; c->name; c++) {
    assert_non_null(c->summary);
    assert_true((c->run != NULL) != (c->run_words != NULL));
    for (const option_row *const *o = c->options; o && *o; o++) {
      assert_true((*o)->offset < sizeof(arguments));
      assert_true(((*o)->kind == OPTION_FLAG) == ((*o)->value == NULL));
      assert_true((*o)->kind != OPTION_NUMBER || ((*o)->wants && (*o)->least <= (*o)->most));
      assert_true(strlen((*o)->help) > 0);
      for (const option_row *const *other = o + 1; *other; other++)
        assert_string_not_equal((*o)->name, (*other)->name);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_kind_lands_where_its_row_says),
      cmocka_unit_test(test_a_value_may_begin_with_a_dash_and_hold_an_equals),
      cmocka_unit_test(test_h_is_help),
      cmocka_unit_test(test_mistakes_are_usage_errors),
      cmocka_unit_test(test_a_list_has_an_end),
      cmocka_unit_test(test_the_table_of_commands_is_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
