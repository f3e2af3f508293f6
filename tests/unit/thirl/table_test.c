/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "apps/thirl/lab_command.h"

/* What each command takes has its place in the struct that is read into, a help, and one meaning per name. */
static void rows_are_whole(const option_row *const *rows, size_t size) {
  bool has_help = false;
  for (const option_row *const *o = rows; *o; o++) {
    assert_true((*o)->offset < size);
    assert_true(((*o)->kind == OPTION_FLAG) == ((*o)->value == NULL));
    assert_true((*o)->kind != OPTION_NUMBER || ((*o)->wants && (*o)->least <= (*o)->most));
    assert_true((*o)->kind != OPTION_CHOICE || (*o)->wants);
    assert_true(strlen((*o)->help) > 0);
    assert_true((*o)->help[strlen((*o)->help) - 1] != '.');
    has_help |= strcmp((*o)->name, "--help") == 0;
    for (const option_row *const *other = o + 1; *other; other++)
      assert_string_not_equal((*o)->name, (*other)->name);
  }
  assert_true(has_help);
}

static void command_is_whole(const command *c, size_t size) {
  assert_non_null(c->summary);
  assert_non_null(c->synopsis);
  assert_int_equal((c->run != NULL) + (c->run_lab != NULL) + (c->run_words != NULL), 1);
  assert_true((c->options == NULL) == (c->commands != NULL));
  assert_true(c->words_least <= c->words_max);
  if (c->options) rows_are_whole(c->options, size);
}

static void every_command_is_whole(void **state) {
  (void)state;
  for (const command *c = command_table; c->name; c++)
    command_is_whole(c, sizeof(arguments));
  for (const command *c = lab_table; c->name; c++)
    command_is_whole(c, sizeof(lab_arguments));
}

static void every_exit_code_has_words(void **state) {
  int before = -1;
  (void)state;
  for (const exit_row *e = exit_table; e->word; e++) {
    assert_true(e->code > before);
    assert_true(strlen(e->sentence) > 0);
    before = e->code;
  }
  for (int e = 0; e < THIRL_ERROR_COUNT; e++)
    for (int was_up = 0; was_up < 2; was_up++) {
      const exit_row *row = exit_table;
      while (row->word && row->code != command_exit_code((thirl_error)e, was_up))
        row++;
      assert_non_null(row->word);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_command_is_whole),
      cmocka_unit_test(every_exit_code_has_words),
  };
  return cmocka_run_group_tests_name("thirl/table", tests, NULL, NULL);
}
