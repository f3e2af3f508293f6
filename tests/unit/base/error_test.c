/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "thirl/error.h"

static void every_error_has_a_name_a_sentence_and_a_class(void **state) {
  (void)state;
  for (int i = 0; i < THIRL_ERROR_COUNT; i++) {
    const char *name = thirl_error_name((thirl_error)i), *text = thirl_error_text((thirl_error)i);
    assert_true(i == 0 ? strcmp(name, "OK") == 0 : strncmp(name, "E_", 2) == 0);
    assert_true(strlen(text) > 5);
    assert_true(text[0] < 'A' || text[0] > 'Z' || strncmp(text, "STUN", 4) == 0);
    assert_true(text[strlen(text) - 1] != '.');
    for (int k = 0; k < i; k++) {
      assert_string_not_equal(name, thirl_error_name((thirl_error)k));
      assert_string_not_equal(text, thirl_error_text((thirl_error)k));
    }
  }
  assert_string_equal(thirl_error_name(THIRL_E_TIMEOUT), "E_TIMEOUT");
  assert_int_equal(thirl_error_class_of(THIRL_OK), THIRL_CLASS_NONE);
  assert_int_equal(thirl_error_class_of(THIRL_E_WRONG_KEY), THIRL_CLASS_AUTH);
  assert_int_equal(thirl_error_class_of(THIRL_E_NOMEM), THIRL_CLASS_ENV);
}

static void numbers_outside_the_list_are_answered(void **state) {
  (void)state;
  static const int numbers[] = {THIRL_ERROR_COUNT, 10000, -1};
  for (int i = 0; i < 3; i++) {
    assert_string_equal(thirl_error_name((thirl_error)numbers[i]), "?");
    assert_non_null(thirl_error_text((thirl_error)numbers[i]));
    assert_int_equal(thirl_error_class_of((thirl_error)numbers[i]), THIRL_CLASS_NONE);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_error_has_a_name_a_sentence_and_a_class),
      cmocka_unit_test(numbers_outside_the_list_are_answered),
  };
  return cmocka_run_group_tests_name("base/error", tests, NULL, NULL);
}
