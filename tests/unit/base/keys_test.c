/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "thirl/keys.h"

static void what_can_be_shown(void **state) {
  (void)state;
  static const thirl_key yes[] = {' ', 'x', '~', 0xa0, 0xe9, 0x20ac, 0xd7ff, 0xe000, 0x1f44d, 0x10ffff};
  static const thirl_key no[] = {THIRL_KEY_END_OF_INPUT,
                                 0,
                                 '\r',
                                 27,
                                 0x7f,
                                 0x80,
                                 0x9b,
                                 0xd800,
                                 0xdfff,
                                 THIRL_KEY_ESCAPE,
                                 THIRL_KEY_UNKNOWN,
                                 'x' | THIRL_KEY_ALT,
                                 THIRL_KEY_LEFT | THIRL_KEY_CTRL};
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
    assert_true(thirl_keys_is_character(yes[i]));
  for (size_t i = 0; i < sizeof no / sizeof *no; i++)
    assert_false(thirl_keys_is_character(no[i]));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_can_be_shown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
