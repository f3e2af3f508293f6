/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"

typedef struct sink {
  unsigned lines;
  thirl_log_level level;
  char text[600];
} sink;

static void take(void *ctx, thirl_log_level level, const char *text) {
  sink *s = ctx;
  s->lines++;
  s->level = level;
  snprintf(s->text, sizeof s->text, "%s", text);
}

static void lines_reach_the_sink_up_to_the_level(void **state) {
  (void)state;
  sink s = {0};
  thirl_log log = {take, &s, THIRL_LOG_INFO};
  thirl_log_print(&log, THIRL_LOG_WARN, "%s refused %d", "peer", 7);
  assert_int_equal(s.lines, 1);
  assert_int_equal(s.level, THIRL_LOG_WARN);
  assert_string_equal(s.text, "peer refused 7");
  thirl_log_print(&log, THIRL_LOG_INFO, "x");
  assert_int_equal(s.lines, 2);
  thirl_log_print(&log, THIRL_LOG_DEBUG, "y");
  assert_int_equal(s.lines, 2);
}

static void no_log_is_allowed(void **state) {
  (void)state;
  thirl_log none = {0};
  thirl_log_print(NULL, THIRL_LOG_ERROR, "x");
  thirl_log_print(&none, THIRL_LOG_ERROR, "x");
}

static void long_lines_are_cut(void **state) {
  (void)state;
  sink s = {0};
  thirl_log log = {take, &s, THIRL_LOG_DEBUG};
  thirl_log_print(&log, THIRL_LOG_ERROR, "%0600d", 1);
  assert_int_equal(s.lines, 1);
  assert_int_equal(strlen(s.text), 499);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_reach_the_sink_up_to_the_level),
      cmocka_unit_test(no_log_is_allowed),
      cmocka_unit_test(long_lines_are_cut),
  };
  return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
