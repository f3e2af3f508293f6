/* SPDX-License-Identifier: MIT */
/* ssh's grammar of forwarding, and what --allow-forward allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "apps/thirl/spec.h"

static void expect_forward(const char *text, const char *here, unsigned port, const char *there, unsigned to) {
  spec_forward f;
  assert_int_equal(spec_read_forward(text, &f), THIRL_OK);
  assert_string_equal(f.here.host, here);
  assert_int_equal(f.here.port, port);
  assert_string_equal(f.there.host, there);
  assert_int_equal(f.there.port, to);
}

static void forwards(void **state) {
  (void)state;
  expect_forward("8022:localhost:22", "localhost", 8022, "localhost", 22);
  expect_forward("127.0.0.2:80:example.org:8080", "127.0.0.2", 80, "example.org", 8080);
  expect_forward("*:1:h:65535", "*", 1, "h", 65535);
  expect_forward(":1:h:2", "*", 1, "h", 2);
  expect_forward("0:h:2", "localhost", 0, "h", 2);
  expect_forward("[::1]:5:[2001:db8::1]:6", "::1", 5, "2001:db8::1", 6);
  expect_forward("[fe80::1%eth0]:5:h_1.x-y:6", "fe80::1%eth0", 5, "h_1.x-y", 6);
}

static void what_is_no_forward(void **state) {
  (void)state;
  static const char *const bad[] = {"",
                                    "22",
                                    "8022:22",
                                    "a:b:c",
                                    "8022:localhost:",
                                    "8022::22",
                                    "8022:localhost:0",
                                    "8022:localhost:65536",
                                    "65536:localhost:22",
                                    "8022:localhost:22:",
                                    "1:2:3:4:5",
                                    "x:8022:localhost:22:y",
                                    "-1:localhost:22",
                                    "8022:-oops:22",
                                    "8022:*:22",
                                    "8022:local host:22",
                                    "8022:a\nb:22",
                                    "8022:a\033[31m:22",
                                    "8022:[::1:22",
                                    "8022:[]:22",
                                    "8022:[::1]x:22",
                                    "8022:[local]:22",
                                    "[8022]:h:22",
                                    "::1:5:h:6",
                                    "8022:localhost:022222",
                                    " 8022:localhost:22"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    spec_forward f;
    assert_int_equal(spec_read_forward(bad[i], &f), THIRL_E_SYNTAX);
  }
  char text[SPEC_HOST_MAX + 16] = "1:";
  spec_forward f;
  memset(text + 2, 'a', SPEC_HOST_MAX - 1);
  memcpy(text + 1 + SPEC_HOST_MAX, ":2", 3);
  assert_int_equal(spec_read_forward(text, &f), THIRL_OK);
  memset(text + 2, 'a', SPEC_HOST_MAX);
  memcpy(text + 2 + SPEC_HOST_MAX, ":2", 3);
  assert_int_equal(spec_read_forward(text, &f), THIRL_E_SYNTAX);
}

static spec_end end_of(const char *text, bool to_listen) {
  spec_end e;
  assert_int_equal(spec_read_end(text, true, to_listen, &e), THIRL_OK);
  return e;
}

static void ends(void **state) {
  (void)state;
  spec_end e = end_of("*:22", false);
  assert_string_equal(e.host, "*");
  e = end_of("h:*", false);
  assert_int_equal(e.port, 0);
  e = end_of("8080", true);
  assert_string_equal(e.host, "localhost");
  assert_int_equal(e.port, 8080);
  assert_int_equal(spec_read_end("8080", true, false, &e), THIRL_E_SYNTAX);
  assert_int_equal(spec_read_end("*:22", false, false, &e), THIRL_E_SYNTAX);
  assert_int_equal(spec_read_end("h:*", false, false, &e), THIRL_E_SYNTAX);
  assert_int_equal(spec_read_end("h:0", false, false, &e), THIRL_E_SYNTAX);
  assert_int_equal(spec_read_end("h:0", false, true, &e), THIRL_OK);
  assert_int_equal(spec_read_end("h:1:2", false, true, &e), THIRL_E_SYNTAX);
}

static bool allows(const char *rule, const char *asked) {
  spec_end r = end_of(rule, true), a;
  assert_int_equal(spec_read_end(asked, false, false, &a), THIRL_OK);
  return spec_allows(&r, &a);
}

static void rules_allow_what_they_name(void **state) {
  (void)state;
  assert_true(allows("localhost:22", "localhost:22"));
  assert_true(allows("localhost:22", "LocalHost:22"));
  assert_false(allows("localhost:22", "localhost:23"));
  assert_false(allows("localhost:22", "127.0.0.1:22")); /* as written */
  assert_false(allows("localhost:22", "localhost.:22"));
  assert_true(allows("*:22", "anything.example:22"));
  assert_false(allows("*:22", "anything.example:21"));
  assert_true(allows("h:*", "h:1"));
  assert_false(allows("h:*", "hh:1"));
  assert_true(allows("*:*", "[::1]:9"));
}

static void ends_are_written_as_they_are_read(void **state) {
  (void)state;
  static const char *const texts[] = {"localhost:22", "[2001:db8::1]:65535", "10.0.0.1:1"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    char text[SPEC_TEXT_MAX];
    spec_end e = end_of(texts[i], false);
    assert_string_equal(spec_write_end(&e, text), texts[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(forwards),
      cmocka_unit_test(what_is_no_forward),
      cmocka_unit_test(ends),
      cmocka_unit_test(rules_allow_what_they_name),
      cmocka_unit_test(ends_are_written_as_they_are_read),
  };
  return cmocka_run_group_tests_name("thirl/spec", tests, NULL, NULL);
}
