/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tune/catalogue.h"
#include "tune/sysctl.h"
#include "tune/words.h"

static const thirl_tune_row *row(unsigned id) {
  return thirl_tune_catalogue_row((thirl_tune_id)id);
}

static void each_row_has_its_own_id(void **state) {
  (void)state;
#define CHECK(id) assert_string_equal(row(THIRL_TUNE_##id)->word, #id);
  THIRL_TUNE_IDS(CHECK)
#undef CHECK
  assert_int_equal(THIRL_TUNE_ID_COUNT - 1, 10 + 8 + 22 + 15 + 15 + 10);
}

static void each_row_says_what_and_what_it_does(void **state) {
  (void)state;
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++) {
    assert_non_null(row(id)->title);
    assert_non_null(row(id)->does);
    assert_true(strlen(row(id)->title) >= 4 && strlen(row(id)->does) > 20);
    for (const char *p = row(id)->does; *p; p++)
      assert_in_range(*p, ' ', '~');
  }
}

/* A setting that is advised is one that is read: otherwise it could not be put back. */
static void every_setting_can_be_undone(void **state) {
  (void)state;
  static const char *const words[] = {"net.ipv4.ip_local_reserved_ports", "net.core.default_qdisc"};
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++)
    for (unsigned i = 0; i < THIRL_TUNE_SETTINGS && row(id)->set[i].key; i++) {
      thirl_tune_sysctl s;
      bool known = thirl_tune_sysctl_find(row(id)->set[i].key, &s);
      for (size_t k = 0; k < 2; k++)
        known |= strcmp(words[k], row(id)->set[i].key) == 0;
      if (!known) print_error("%s\n", row(id)->set[i].key);
      assert_true(known);
    }
}

static void depth(unsigned id, unsigned level) {
  assert_true(level < 8);
  for (unsigned i = 0; i < THIRL_TUNE_CAUSES && row(id)->causes[i]; i++)
    depth(row(id)->causes[i], level + 1);
}

static void causes_make_no_circle(void **state) {
  (void)state;
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++)
    depth(id, 0);
}

static void ids_are_found(void **state) {
  (void)state;
  assert_int_equal(thirl_tune_catalogue_find("UDP1", 4), THIRL_TUNE_UDP1);
  assert_int_equal(thirl_tune_catalogue_find("tcp22x", 5), THIRL_TUNE_TCP22);
  assert_int_equal(thirl_tune_catalogue_find("UDP", 3), THIRL_TUNE_NONE);
  assert_int_equal(thirl_tune_catalogue_find("", 0), THIRL_TUNE_NONE);
}

static void words(void **state) {
  (void)state;
  thirl_tune_profile p;
  assert_true(thirl_tune_words_find_profile("router", &p) && p == THIRL_TUNE_ROUTER);
  assert_false(thirl_tune_words_find_profile("routers", &p));
  assert_string_equal(thirl_tune_words_level(THIRL_TUNE_LEVEL_CRIT), "crit");
  assert_string_equal(thirl_tune_words_level((thirl_tune_level)99), "unknown");
  assert_string_equal(thirl_tune_words_why(THIRL_TUNE_WHY_NO_TOOL), "no-tool");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_row_has_its_own_id),
      cmocka_unit_test(each_row_says_what_and_what_it_does),
      cmocka_unit_test(every_setting_can_be_undone),
      cmocka_unit_test(causes_make_no_circle),
      cmocka_unit_test(ids_are_found),
      cmocka_unit_test(words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
