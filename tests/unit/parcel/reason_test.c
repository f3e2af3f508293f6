/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "parcel/reason.h"

static void every_byte_has_a_sentence_and_a_word(void **state) {
  (void)state;
  for (int i = 0; i < 256; i++) {
    thirl_parcel_reason r = thirl_parcel_reason_of((uint8_t)i);
    assert_int_equal(r, i < THIRL_PARCEL_REASON_COUNT ? i : THIRL_PARCEL_IO);
    assert_true(strlen(thirl_parcel_reason_text(r)) > 0 && strlen(thirl_parcel_reason_word(r)) > 0);
  }
  /* On the wire: they stay. */
  assert_int_equal(THIRL_PARCEL_EXISTS, 3);
  assert_int_equal(THIRL_PARCEL_NO_SPACE, 6);
  assert_int_equal(THIRL_PARCEL_TOO_MANY, 15);
  assert_int_equal(THIRL_PARCEL_HIDDEN, 16);
  assert_string_equal(thirl_parcel_reason_word(THIRL_PARCEL_NO_SPACE), "no-space");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_byte_has_a_sentence_and_a_word)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
