/* SPDX-License-Identifier: MIT */
/* Characters to bytes and back, and every kind of bytes that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "screen/utf8.h"

static void every_character_comes_back(void **state) {
  (void)state;
  for (uint32_t c = 0; c <= 0x10ffff; c++) {
    uint8_t b[THIRL_SCREEN_UTF8_MAX];
    uint32_t back;
    if (c >= 0xd800 && c <= 0xdfff) continue;
    thirl_bytes in = {b, thirl_screen_utf8_write(c, b)};
    assert_true(thirl_screen_utf8_read(&in, &back));
    assert_int_equal(back, c);
    assert_int_equal(in.n, 0);
  }
}

/* How many pieces, and which of them are characters: Unicode 3.9, table 3-8. */
static void expect(const char *bytes, size_t n, const char *pieces) {
  thirl_bytes in = THIRL_BYTES(bytes, n);
  uint32_t c;
  for (; *pieces; pieces++) {
    assert_true(in.n > 0);
    assert_int_equal(thirl_screen_utf8_read(&in, &c), *pieces == 'c');
  }
  assert_int_equal(in.n, 0);
}

static void what_is_none(void **state) {
  (void)state;
  expect("\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64", 13, "cxxxcxcxxc");
  expect("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", 9, "xxxxxxxxc");
  expect("\xed\xa0\x80\xed\xbf\xbf", 6, "xxxxxx");
  expect("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", 9, "xxxxxcxxc");
  expect("\xe2\x82", 2, "x");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_character_comes_back),
      cmocka_unit_test(what_is_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
