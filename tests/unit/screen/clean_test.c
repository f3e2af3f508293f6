/* SPDX-License-Identifier: MIT */
/* What a stranger's bytes become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "screen/clean.h"
#include "screen/utf8.h"

static void expect_as(const char *in, size_t n, bool ascii, const char *expected) {
  uint8_t out[1024];
  size_t m = thirl_screen_clean(THIRL_BYTES(in, n), ascii, out);
  assert_true(m <= n * THIRL_SCREEN_CLEAN_GROWTH);
  assert_int_equal(m, strlen(expected));
  assert_memory_equal(out, expected, m);
}

static void expect(const char *in, const char *expected) {
  expect_as(in, strlen(in), false, expected);
}

static void text_stays(void **state) {
  (void)state;
  expect("", "");
  expect("plain ~ text", "plain ~ text");
  expect("caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x91\x8d", "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x91\x8d");
  expect("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"); /* right to left */
  expect("e\xcc\x81", "e\xcc\x81");
  expect("a\nb\r\nc", "a\nb\nc");
  expect("a\tb", "a    b");
}

static void controls_are_shown(void **state) {
  (void)state;
  expect("\033[2J", "^[[2J");
  expect_as("\0\a\b\r\x7f", 5, false, "^@^G^H^M^?");
  expect("\xc2\x9b"
         "2J\xc2\x85",
         "<U+009B>2J<U+0085>");
  expect("\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f", "<U+202E><U+2066><U+200F>");
  expect("a\xe2\x80\x8b\xef\xbb\xbf\xc2\xad", "a<U+200B><U+FEFF><U+00AD>");
  expect("\xe2\x80\xa8\xe2\x80\xa9", "<U+2028><U+2029>");
  expect("\xf3\xa0\x81\xa1\xef\xbf\xbf\xf4\x8f\xbf\xbf", "<U+E0061><U+FFFF><U+10FFFF>");
}

static void what_is_no_utf8(void **state) {
  (void)state;
  expect("a\x9b\xff"
         "b",
         "a\xef\xbf\xbd\xef\xbf\xbd"
         "b");
  expect("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void marks_need_something_to_stand_on_and_do_not_pile_up(void **state) {
  (void)state;
  expect("\xcc\x81", "\xe2\x97\x8c\xcc\x81");
  expect("a\n\xcc\x81", "a\n\xe2\x97\x8c\xcc\x81");
  expect("a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81"
         "b\xcc\x81",
         "a\xcc\x81\xcc\x81\xcc\x81\xcc\x81"
         "b\xcc\x81");
}

static void joiners_and_variants(void **state) {
  (void)state;
  expect("\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9", "\xf0\x9f\x91\xa8\xf0\x9f\x91\xa9");
  expect("\xe2\x9d\xa4\xef\xb8\x8f", "\xe2\x9d\xa4");
  expect("a\xe2\x80\x8d\xef\xb8\x8f", "a<U+200D><U+FE0F>");
}

static void a_terminal_that_reads_no_utf8(void **state) {
  (void)state;
  expect_as("caf\xc3\xa9 \xdb", 7, true, "caf<U+00E9> ?");
  expect_as("e\xcc\x81\xe2\x80\x8d", 6, true, "e<U+0301><U+200D>");
}

/* Whatever comes, what goes out is plain, and never longer than said. */
static void any_character(void **state) {
  (void)state;
  for (uint32_t c = 0; c <= 0x10ffff; c++) {
    uint8_t in[8] = "a", out[64];
    if (c >= 0xd800 && c <= 0xdfff) continue;
    size_t n = 1 + thirl_screen_utf8_write(c, in + 1);
    for (int ascii = 0; ascii < 2; ascii++) {
      thirl_bytes b = THIRL_BYTES(out, thirl_screen_clean(THIRL_BYTES(in, n), ascii, out));
      assert_true(b.n <= n * THIRL_SCREEN_CLEAN_GROWTH);
      while (b.n > 0) {
        uint32_t got;
        assert_true(thirl_screen_utf8_read(&b, &got));
        assert_true(got == '\n' || thirl_screen_clean_is_plain(got));
        assert_true(!ascii || got < 0x7f);
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_stays),           cmocka_unit_test(controls_are_shown),
      cmocka_unit_test(what_is_no_utf8),      cmocka_unit_test(marks_need_something_to_stand_on_and_do_not_pile_up),
      cmocka_unit_test(joiners_and_variants), cmocka_unit_test(a_terminal_that_reads_no_utf8),
      cmocka_unit_test(any_character),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
