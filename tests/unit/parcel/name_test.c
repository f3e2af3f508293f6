/* SPDX-License-Identifier: MIT */
/* Names from a peer: which may be written, and how they are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "parcel/name.h"

static bool safe(const char *name) {
  return thirl_parcel_name_is_safe(THIRL_BYTES(name, strlen(name)));
}

static void ordinary_names_are_safe(void **state) {
  (void)state;
  static const char *const names[] = {
      "a",         "a.txt",        "folder/file", "a/b/c/d", "...", ".hidden", "..a",  "a..", "with space",
      "new\nline", "\xff\xfe\x80", "\xc3\xa4",    "-rf",     "~",   "C:\\x",   "a\\b", "*",   ".thirl-part"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    assert_true(safe(names[i]));
}

static void names_that_lead_elsewhere_are_not(void **state) {
  (void)state;
  static const char *const names[] = {"",    "/",   "/etc/passwd", "..",   "../a", "a/..", "a/../b", ".",
                                      "./a", "a/.", "a/./b",       "a//b", "a/",   "//a",  "a/..//b"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    assert_false(safe(names[i]));
  assert_false(thirl_parcel_name_is_safe(THIRL_BYTES("a\0b", 3)));
  assert_false(thirl_parcel_name_is_safe(THIRL_BYTES("a/\0", 3)));
  assert_false(safe(".x.thirl-part"));
  assert_false(safe("a/.x.thirl-part"));
  assert_false(safe(".x.thirl-part/a"));
}

static void names_have_limits(void **state) {
  (void)state;
  char name[THIRL_PARCEL_NAME_MAX + 2];
  memset(name, 'a', sizeof name);
  assert_true(thirl_parcel_name_is_safe(THIRL_BYTES(name, 255)));
  assert_false(thirl_parcel_name_is_safe(THIRL_BYTES(name, 256)));
  for (size_t i = 200; i < sizeof name; i += 201)
    name[i] = '/';
  assert_true(thirl_parcel_name_is_safe(THIRL_BYTES(name, THIRL_PARCEL_NAME_MAX)));
  assert_false(thirl_parcel_name_is_safe(THIRL_BYTES(name, THIRL_PARCEL_NAME_MAX + 1)));
  for (size_t i = 0; i < 200; i++)
    name[i] = i % 2 ? '/' : 'a';
  assert_true(thirl_parcel_name_is_safe(THIRL_BYTES(name, 127)));  /* 64 parts */
  assert_false(thirl_parcel_name_is_safe(THIRL_BYTES(name, 129))); /* 65 */
}

static void an_unfinished_file_has_a_name_of_its_own(void **state) {
  (void)state;
  char out[THIRL_PARCEL_PART_MAX + 1], again[THIRL_PARCEL_PART_MAX + 1], part[256];
  assert_int_equal(thirl_parcel_name_unfinished(THIRL_BYTES("a.txt", 5), out), THIRL_OK);
  assert_string_equal(out, ".a.txt.thirl-part");
  assert_true(thirl_parcel_name_is_part(THIRL_BYTES(out, strlen(out))));
  assert_int_equal(thirl_parcel_name_unfinished(THIRL_BYTES("a/b", 3), out), THIRL_E_RANGE);
  assert_int_equal(thirl_parcel_name_unfinished(THIRL_BYTES("..", 2), out), THIRL_E_RANGE);
  memset(part, 'b', sizeof part);
  assert_int_equal(thirl_parcel_name_unfinished(THIRL_BYTES(part, 243), out), THIRL_OK);
  assert_int_equal(strlen(out), 255);
  assert_int_equal(thirl_parcel_name_unfinished(THIRL_BYTES(part, 244), out), THIRL_OK);
  assert_int_equal(strlen(out), 1 + 64 + 11);
  assert_true(thirl_parcel_name_is_part(THIRL_BYTES(out, strlen(out))));
  assert_int_equal(thirl_parcel_name_unfinished(THIRL_BYTES(part, 245), again), THIRL_OK);
  assert_string_not_equal(out, again);
}

static void the_last_part(void **state) {
  (void)state;
  thirl_bytes last = thirl_parcel_name_last(THIRL_BYTES("a/bc", 4));
  assert_int_equal(last.n, 2);
  assert_memory_equal(last.p, "bc", 2);
  assert_int_equal(thirl_parcel_name_last(THIRL_BYTES("abc", 3)).n, 3);
  assert_int_equal(thirl_parcel_name_last(THIRL_BYTES("abc/", 4)).n, 0);
}

static size_t hidden(const char *name) {
  return thirl_parcel_name_hidden(THIRL_BYTES(name, strlen(name)));
}

static void hidden_parts_are_found(void **state) {
  (void)state;
  assert_int_equal(hidden("a.b/c.d."), 0);
  assert_int_equal(hidden(".bashrc"), 7);
  assert_int_equal(hidden(".ssh/authorized_keys"), 4);
  assert_int_equal(hidden("a/.git/b/.c"), 6);
  assert_int_equal(hidden("a/b/.c"), 6);
}

static void assert_clean(const char *name, const char *shown) {
  char out[THIRL_PARCEL_SHOWN_MAX];
  assert_string_equal(thirl_parcel_name_clean(THIRL_BYTES(name, strlen(name)), out), shown);
}

static void what_is_shown_cannot_steer_a_terminal(void **state) {
  (void)state;
  assert_clean("plain name", "plain name");
  assert_clean("\x1b[2Jx\r\n\t\x7f", "?[2Jx????");
  assert_clean("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
  assert_clean("\xc2\x9b"
               "31m",
               "??31m"); /* C1: the same as ESC [ */
  assert_clean("\xff\xc3", "??");
  assert_clean("\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80", "?????????"); /* overlong, a surrogate, too high */
  assert_clean("a\xe2\x80\xae"
               "b",
               "a???b"); /* text from right to left */
  assert_clean("\xd8\x9c\xc2\xad\xe2\x81\xa0\xe3\x85\xa4\xf3\xa0\x80\xa0",
               "??????????????"); /* U+061C, U+00AD, U+2060, U+3164, U+E0020: what nobody sees */
}

static void a_long_name_loses_its_middle(void **state) {
  (void)state;
  char name[400], out[THIRL_PARCEL_SHOWN_MAX];
  memset(name, 'a', sizeof name);
  memcpy(name + sizeof name - 4, ".txt", 4);
  thirl_parcel_name_clean(THIRL_BYTES(name, sizeof name), out);
  assert_int_equal(strlen(out), THIRL_PARCEL_SHOWN_MAX - 1);
  assert_string_equal(out + strlen(out) - 4, ".txt");
  assert_non_null(strstr(out, "a...a"));
  thirl_parcel_name_clean(THIRL_BYTES(name, THIRL_PARCEL_SHOWN_MAX - 1), out);
  assert_null(strstr(out, "..."));
  for (size_t i = 0; i + 1 < sizeof name; i += 2)
    memcpy(name + i, "\xc3\xa4", 2);
  for (size_t n = 119; n < 140; n++) {
    thirl_parcel_name_clean(THIRL_BYTES(name, n / 2 * 2), out);
    assert_true(strlen(out) < THIRL_PARCEL_SHOWN_MAX);
    assert_null(strchr(out, '?')); /* no character was cut in two */
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ordinary_names_are_safe),
      cmocka_unit_test(names_that_lead_elsewhere_are_not),
      cmocka_unit_test(names_have_limits),
      cmocka_unit_test(an_unfinished_file_has_a_name_of_its_own),
      cmocka_unit_test(the_last_part),
      cmocka_unit_test(hidden_parts_are_found),
      cmocka_unit_test(what_is_shown_cannot_steer_a_terminal),
      cmocka_unit_test(a_long_name_loses_its_middle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
