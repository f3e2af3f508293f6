/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "apps/thirl/tune_screen.h"

static thirl_tune_watch w;
static char text[TUNE_SCREEN_BYTES_MAX + 1];

static void drawn(const tune_screen *s) {
  thirl_buffer b;
  thirl_buffer_init(&b, TUNE_SCREEN_BYTES_MAX);
  if (s)
    tune_screen_draw(&w, s, &b);
  else
    tune_screen_print(&w, &b);
  thirl_bytes v = thirl_buffer_view(&b);
  if (v.n) memcpy(text, v.p, v.n);
  text[v.n] = '\0';
  thirl_buffer_fini(&b);
}

static thirl_tune_watch_row *row(thirl_tune_wall wall, int64_t used, int64_t limit) {
  thirl_tune_watch_row *r = &w.row[wall];
  *r = (thirl_tune_watch_row){.why = THIRL_TUNE_WHY_READ, .has_use = true, .used = used, .limit = limit};
  r->permille = (unsigned)(used * 1000 / limit);
  return r;
}

static int begin(void **state) {
  (void)state;
  thirl_tune_watch_init(&w);
  w.now = 65 * THIRL_S;
  thirl_tune_watch_row *r = row(THIRL_TUNE_WALL_CONNTRACK, 228000, 262144);
  r->fills = true;
  r->full_s = 28;
  r->rate_milli = 1200000;
  r->has_lost = true;
  r = row(THIRL_TUNE_WALL_LISTEN, 8, 8);
  r->has_lost = true;
  r->lost = 31;
  r->lost_per_s = 31;
  r->lost_all = 62;
  snprintf(r->detail, sizeof r->detail, "port 3478");
  w.row[THIRL_TUNE_WALL_SOFTNET] = (thirl_tune_watch_row){.why = THIRL_TUNE_WHY_READ, .has_lost = true};
  w.has_nearest = true;
  w.nearest = THIRL_TUNE_WALL_LISTEN;
  return 0;
}

static void lines_are_exact(void **state) {
  (void)state;
  drawn(NULL);
  assert_string_equal(
      text, "65.0 - conntrack table: 228000 of 262144 entries, 86.9 %, +1200.0/s, full in 28 s, lost 0 (0 so far)\n"
            "65.0 * listen queue: 8 of 8 waiting, 100.0 %, +0.0/s, full, lost 31 (62 so far) (port 3478)\n"
            "65.0 - packet backlog: lost 0 (0 so far)\n");
}

static void forty_columns_are_enough(void **state) {
  (void)state;
  drawn(&(tune_screen){.columns = 40, .rows = 24});
  assert_string_equal(text, "\033[Hthirl tune: 65 s so far; q quits\033[K\n"
                            "nearest: listen queue 100.0%, LOST 31/s\033[K\n"
                            "conntrack table    86.9%  full in 28 s\033[K\n"
                            "listen queue      100.0%  LOST 31/s\033[K\n"
                            "  port 3478\033[K\n"
                            "packet backlog            lost 0\033[K\033[J");
}

static void a_wide_screen_has_bars_and_colours(void **state) {
  (void)state;
  drawn(&(tune_screen){.columns = 100, .rows = 24, .colour = true});
  assert_non_null(strstr(text, "\n\033[1mnearest: listen queue 100.0%, LOST 31/s\033[0m\033[K"));
  assert_non_null(strstr(text, "\nconntrack table   [#########.]  86.9% 228000/262144  full in 28 s\033[K"));
  assert_non_null(strstr(text, "\n\033[31mlisten queue      [##########] 100.0%           8/8  full"
                               "            LOST 31/s\033[0m\033[K"));
}

/* Whatever the size: no line too long, none too many, and never a step beyond the last. */
static void it_always_fits(void **state) {
  (void)state;
  for (unsigned i = 0; i < THIRL_TUNE_WALL_COUNT; i++) {
    thirl_tune_watch_row *r = row((thirl_tune_wall)i, INT64_MAX / 2000, INT64_MAX / 1001);
    r->has_lost = r->fills = true;
    r->lost = r->lost_per_s = r->lost_all = r->full_s = INT64_MAX;
    memset(r->detail, 'd', sizeof r->detail - 1);
  }
  for (unsigned columns = 1; columns <= 200; columns++)
    for (unsigned rows = 1; rows <= 30; rows++) {
      unsigned lines = 1, column = 0;
      drawn(&(tune_screen){.columns = columns, .rows = rows, .colour = true});
      for (const char *c = text; *c; c++) {
        if (*c == '\033') {
          c += strcspn(c, "HKJm");
        } else if (*c == '\n') {
          lines++;
          column = 0;
        } else {
          assert_true(++column <= columns);
        }
      }
      assert_true(lines <= rows);
    }
}

static void nothing_is_said_too(void **state) {
  (void)state;
  thirl_tune_watch_init(&w);
  drawn(NULL);
  assert_string_equal(text, "");
  drawn(&(tune_screen){.columns = 40, .rows = 24});
  assert_non_null(strstr(text, "no wall in sight"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(lines_are_exact, begin),
      cmocka_unit_test_setup(forty_columns_are_enough, begin),
      cmocka_unit_test_setup(a_wide_screen_has_bars_and_colours, begin),
      cmocka_unit_test_setup(it_always_fits, begin),
      cmocka_unit_test_setup(nothing_is_said_too, begin),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
