/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "parcel/inbox.h"

static const uint8_t said[] = "\x01\0\0\x04\x01\0\0\0"      /* HELLO */
                              "\x06\0\0\x05hello"           /* DATA */
                              "\x09\0\0\x05\0\0\0\x07\x02"; /* STORED */

static void pieces_of_any_length(void **state) {
  (void)state;
  for (size_t step = 1; step < sizeof said; step++) {
    thirl_parcel_inbox b = {.n = 0};
    thirl_parcel_message m;
    char data[8] = "";
    unsigned hellos = 0, stored = 0;
    for (size_t at = 0; at < sizeof said - 1;) {
      size_t n = sizeof said - 1 - at < step ? sizeof said - 1 - at : step;
      thirl_bytes in = {said + at, n};
      at += n;
      thirl_error e;
      while ((e = thirl_parcel_inbox_next(&b, &in, &m)) == THIRL_OK) {
        if (m.type == THIRL_PARCEL_HELLO) hellos++;
        if (m.type == THIRL_PARCEL_STORED && m.index == 7 && m.reason == 2) stored++;
        if (m.type == THIRL_PARCEL_DATA) strncat(data, (const char *)m.data.p, m.data.n);
      }
      assert_int_equal(e, THIRL_E_AGAIN);
      assert_int_equal(in.n, 0);
    }
    assert_int_equal(hellos, 1);
    assert_int_equal(stored, 1);
    assert_string_equal(data, "hello");
  }
}

static void what_is_wrong_once_stays_wrong(void **state) {
  (void)state;
  thirl_parcel_inbox b = {.n = 0};
  thirl_parcel_message m;
  thirl_bytes in = THIRL_BYTES("\x63\0\0\x01", 4);
  assert_int_equal(thirl_parcel_inbox_next(&b, &in, &m), THIRL_E_PROTOCOL);
  in = THIRL_BYTES(said, sizeof said - 1);
  assert_int_equal(thirl_parcel_inbox_next(&b, &in, &m), THIRL_E_PROTOCOL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(pieces_of_any_length),
                                     cmocka_unit_test(what_is_wrong_once_stays_wrong)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
