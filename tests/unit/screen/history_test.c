/* SPDX-License-Identifier: MIT */
/* What was said before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "screen/history.h"

static void add(thirl_screen_history *h, const char *text) {
  thirl_screen_history_add(h, THIRL_BYTES(text, strlen(text)));
}

static void older(thirl_screen_history *h, const char *draft, const char *expected) {
  thirl_bytes b;
  assert_int_equal(thirl_screen_history_older(h, THIRL_BYTES(draft, strlen(draft)), &b), expected != NULL);
  if (!expected) return;
  assert_int_equal(b.n, strlen(expected));
  assert_memory_equal(b.p, expected, b.n);
}

static void newer(thirl_screen_history *h, const char *expected) {
  thirl_bytes b;
  assert_int_equal(thirl_screen_history_newer(h, &b), expected != NULL);
  if (!expected) return;
  assert_int_equal(b.n, strlen(expected));
  assert_memory_equal(b.p, expected, b.n);
}

static void back_and_forth(void **state) {
  (void)state;
  thirl_screen_history h;
  thirl_screen_history_init(&h);
  older(&h, "draft", NULL);
  newer(&h, NULL);
  add(&h, "one");
  add(&h, "two");
  add(&h, "two");
  add(&h, "");
  older(&h, "draft", "two");
  older(&h, "two", "one");
  older(&h, "one", NULL);
  newer(&h, "two");
  newer(&h, "draft");
  newer(&h, NULL);
  older(&h, "another", "two");
  newer(&h, "another");
  add(&h, "three");
  older(&h, "", "three");
  thirl_screen_history_fini(&h);
}

static void the_oldest_is_forgotten(void **state) {
  (void)state;
  thirl_screen_history h;
  char text[16];
  thirl_screen_history_init(&h);
  for (int i = 0; i < 3 * THIRL_SCREEN_HISTORY_MAX; i++) {
    snprintf(text, sizeof text, "%d", i);
    add(&h, text);
  }
  for (int i = 3 * THIRL_SCREEN_HISTORY_MAX - 1; i >= 2 * THIRL_SCREEN_HISTORY_MAX; i--) {
    snprintf(text, sizeof text, "%d", i);
    older(&h, "draft", text);
  }
  older(&h, "", NULL);
  thirl_screen_history_fini(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(back_and_forth),
      cmocka_unit_test(the_oldest_is_forgotten),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
