/* SPDX-License-Identifier: MIT */
/* The line that is drawn: it fits, and says what it should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "apps/thirl/progress.h"

static void sizes_are_short(void **state) {
  (void)state;
  static const struct {
    uint64_t bytes;
    const char *text;
  } all[] = {{0, "0 B"},           {1023, "1023 B"},        {1024, "1.0 KiB"},       {1536, "1.5 KiB"},
             {1 << 20, "1.0 MiB"}, {5ull << 30, "5.0 GiB"}, {UINT64_MAX, "16.0 EiB"}};
  char out[PROGRESS_SIZE_MAX];
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    assert_string_equal(progress_size(all[i].bytes, out), all[i].text);
}

static progress_view half(void) {
  return (progress_view){.name = THIRL_BYTES("a.iso", 5),
                         .passed = 50 << 20,
                         .total = 100 << 20,
                         .rate = 2.5 * (1 << 20),
                         .has_left = true,
                         .left_s = 20};
}

static void a_line_on_80_columns(void **state) {
  (void)state;
  char out[PROGRESS_LINE_MAX];
  progress_view v = half();
  assert_string_equal(progress_line(&v, 80, out), " 50% [##############              ]   2.5 MiB/s 00:20 left  a.iso");
}

static void narrower_ones_lose_the_name_then_the_bar(void **state) {
  (void)state;
  char out[PROGRESS_LINE_MAX];
  progress_view v = half();
  assert_string_equal(progress_line(&v, 40, out), " 50% [#####     ]   2.5 MiB/s 00:20 left");
  assert_string_equal(progress_line(&v, 30, out), " 50%   2.5 MiB/s 00:20 left");
  for (unsigned columns = 0; columns < 600; columns++)
    assert_true(strlen(progress_line(&v, columns, out)) <= columns);
}

static void what_is_not_known_and_what_is_odd(void **state) {
  (void)state;
  char out[PROGRESS_LINE_MAX];
  progress_view v = {.total = 10};
  assert_non_null(strstr(progress_line(&v, 80, out), "  0% ["));
  assert_non_null(strstr(out, "--:-- left"));
  v = (progress_view){.total = 0};
  assert_non_null(strstr(progress_line(&v, 80, out), "100%"));
  v = half();
  v.passed = v.total * 2; /* a file that grew */
  assert_non_null(strstr(progress_line(&v, 80, out), "100% [####"));
  v.left_s = 100 * 3600 - 1;
  assert_non_null(strstr(progress_line(&v, 80, out), "99:59:59 left"));
  v.name = THIRL_BYTES("\x1b[2J\n", 5);
  for (const char *c = progress_line(&v, 80, out); *c; c++)
    assert_true((unsigned char)*c >= 0x20);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sizes_are_short), cmocka_unit_test(a_line_on_80_columns),
                                     cmocka_unit_test(narrower_ones_lose_the_name_then_the_bar),
                                     cmocka_unit_test(what_is_not_known_and_what_is_odd)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
