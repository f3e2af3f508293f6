/* SPDX-License-Identifier: MIT */
/* Columns, against the C library's idea of them. */
#define _XOPEN_SOURCE 700 /* wcwidth */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <locale.h>
#include <wchar.h>
#include <cmocka.h>

#include "screen/width.h"

static void known_ones(void **state) {
  (void)state;
  static const struct {
    uint32_t c;
    unsigned width;
  } known[] = {{'a', 1},    {0, 0},      {0x1b, 0},   {0x7f, 0},    {0x9b, 0},   {0xa0, 1},   {0xe9, 1},
               {0x301, 0},  {0x20ac, 1}, {0x65e5, 2}, {0xac00, 2},  {0xff21, 2}, {0xff71, 1}, {0x1f44d, 2},
               {0x2713, 1}, {0x200d, 0}, {0xfe0f, 0}, {0x20000, 2}, {0x2500, 1}, {0xe000, 1}, {0x10ffff, 1}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    assert_int_equal(thirl_screen_width_of(known[i].c), known[i].width);
}

/* Another version of Unicode knows some more or fewer; all else is the same. */
static void nearly_all_are_as_wide_as_the_library_says(void **state) {
  (void)state;
  unsigned compared = 0, different = 0;
  if (!setlocale(LC_CTYPE, "C.UTF-8") || wcwidth(0x65e5) != 2) skip();
  for (uint32_t c = 0x20; c < 0x110000; c++) {
    int theirs = wcwidth((wchar_t)c);
    if (theirs < 0) continue;
    compared++;
    different += thirl_screen_width_of(c) != (unsigned)theirs;
  }
  assert_true(compared > 250000);
  assert_in_range(different, 0, 600);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_ones),
      cmocka_unit_test(nearly_all_are_as_wide_as_the_library_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
