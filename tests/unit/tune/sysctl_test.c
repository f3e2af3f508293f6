/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tune/sysctl.h"

#define AT(x) THIRL_TUNE_SYSCTL_##x

static thirl_tune_facts f;

static int fresh(void **state) {
  (void)state;
  memset(&f, 0, sizeof f);
  return 0;
}

static void parse(thirl_tune_sysctl s, const char *text) {
  thirl_tune_sysctl_parse(&f, s, thirl_tune_text_of(text));
}

static void numbers_of_a_file(void **state) {
  fresh(state);
  parse(AT(TCP_MEM_MAX), "188700\t251600\t377400\n");
  assert_int_equal(f.sysctl[AT(TCP_MEM_MAX)].v, 377400);
  assert_string_equal(f.sysctl_text[AT(TCP_MEM_MAX)], "188700 251600 377400");
  parse(AT(PORT_LAST), "32768\t60999\n");
  assert_int_equal(f.sysctl[AT(PORT_LAST)].v, 60999);
  parse(AT(UDP_HASH_ENTRIES), "-8192\n");
  assert_int_equal(f.sysctl[AT(UDP_HASH_ENTRIES)].v, -8192);
}

static void what_is_no_number(void **state) {
  static const char *const texts[] = {"", "\n", "yes", "1x"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    fresh(state);
    parse(AT(RMEM_MAX), texts[i]);
    assert_int_equal(f.sysctl[AT(RMEM_MAX)].why, THIRL_TUNE_WHY_MALFORMED);
    assert_string_equal(f.sysctl_text[AT(RMEM_MAX)], "");
  }
  fresh(state);
  parse(AT(PORT_LAST), "32768"); /* the second number is missing */
  assert_int_equal(f.sysctl[AT(PORT_LAST)].why, THIRL_TUNE_WHY_MALFORMED);
}

/* Half a line must never be written back. */
static void a_line_that_is_too_long_is_not_kept(void **state) {
  char text[200];
  fresh(state);
  memset(text, '1', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  parse(AT(RMEM_MAX), text);
  assert_int_equal(f.sysctl[AT(RMEM_MAX)].why, THIRL_TUNE_WHY_READ);
  assert_string_equal(f.sysctl_text[AT(RMEM_MAX)], "");
}

static void kernels(void **state) {
  static const struct {
    const char *text;
    uint32_t kernel;
  } rows[] = {{"6.18.44-fc-v782\n", 618},
              {"5.10.0-28-amd64\n", 510},
              {"6.1\n", 601},
              {"4.19.100", 419},
              {"x", 0},
              {"6", 0},
              {"6.", 0},
              {"", 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    fresh(state);
    thirl_tune_sysctl_kernel(&f, thirl_tune_text_of(rows[i].text));
    assert_int_equal(f.kernel, rows[i].kernel);
  }
}

static void a_container_has_proc_sys_read_only(void **state) {
  static const struct {
    const char *text;
    bool ro;
  } rows[] = {{"21 26 0:20 / /proc rw,relatime - proc proc rw\n", false},
              {"21 26 0:20 / /proc rw - proc proc rw\n700 690 0:60 /sys /proc/sys ro,nosuid,nodev,noexec,relatime - "
               "proc proc rw\n",
               true},
              {"700 690 0:60 /sys /proc/sys rw,nosuid - proc proc rw\n", false},
              {"700 690 0:60 /sys /proc/sysrq-trigger ro - proc proc rw\n", false},
              {"1 2 3\n\n/proc/sys ro\n", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    fresh(state);
    thirl_tune_sysctl_mounts(&f, thirl_tune_text_of(rows[i].text));
    assert_int_equal(f.sys_is_read_only, rows[i].ro);
  }
}

static void all_missing(uint32_t kernel) {
  f.kernel = kernel;
  for (unsigned i = 0; i < THIRL_TUNE_SYSCTL_COUNT; i++)
    f.sysctl[i].why = THIRL_TUNE_WHY_NO_SUCH;
  f.default_qdisc.why = f.congestion.why = f.reserved.why = THIRL_TUNE_WHY_NO_SUCH;
}

static void why_something_is_missing(void **state) {
  fresh(state);
  all_missing(601);
  parse(AT(SOMAXCONN), "4096");
  thirl_tune_sysctl_settle(&f);
  assert_int_equal(f.home, THIRL_TUNE_HOME_CHILD);
  assert_int_equal(f.sysctl[AT(TCP_MEM_MAX)].why, THIRL_TUNE_WHY_NOT_IN_NAMESPACE);
  assert_int_equal(f.sysctl[AT(NEIGH_THRESH3)].why, THIRL_TUNE_WHY_NOT_IN_NAMESPACE);
  assert_int_equal(f.sysctl[AT(TCP_SYN_LINEAR_TIMEOUTS)].why, THIRL_TUNE_WHY_NOT_IN_KERNEL);
  assert_int_equal(f.sysctl[AT(CT_MAX)].why, THIRL_TUNE_WHY_NOT_LOADED);
  assert_int_equal(f.sysctl[AT(IPV6_DISABLED)].why, THIRL_TUNE_WHY_NOT_IN_KERNEL);
  assert_int_equal(f.default_qdisc.why, THIRL_TUNE_WHY_NOT_IN_NAMESPACE);
}

static void the_first_namespace(void **state) {
  fresh(state);
  all_missing(612);
  parse(AT(SOMAXCONN), "4096");
  parse(AT(NETDEV_BUDGET), "300");
  parse(AT(CT_TCP_LOOSE), "1");
  thirl_tune_sysctl_settle(&f);
  assert_int_equal(f.home, THIRL_TUNE_HOME_FIRST);
  assert_int_equal(f.sysctl[AT(CT_HELPER)].why, THIRL_TUNE_WHY_NOT_IN_KERNEL);
  assert_int_equal(f.sysctl[AT(TCP_MEM_MAX)].why, THIRL_TUNE_WHY_NOT_IN_KERNEL);
}

static void nothing_is_known_when_nothing_could_be_read(void **state) {
  fresh(state);
  all_missing(612);
  for (unsigned i = 0; i < THIRL_TUNE_SYSCTL_COUNT; i++)
    f.sysctl[i].why = THIRL_TUNE_WHY_NOT_PERMITTED;
  thirl_tune_sysctl_settle(&f);
  assert_int_equal(f.home, THIRL_TUNE_HOME_UNKNOWN);
  assert_int_equal(f.sysctl[AT(TCP_MEM_MAX)].why, THIRL_TUNE_WHY_NOT_PERMITTED);
}

static void keys_are_found_both_ways(void **state) {
  thirl_tune_sysctl s;
  (void)state;
  for (unsigned i = 0; i < THIRL_TUNE_SYSCTL_COUNT; i++) {
    assert_true(thirl_tune_sysctl_find(thirl_tune_sysctl_path((thirl_tune_sysctl)i), &s));
    assert_string_equal(thirl_tune_sysctl_path(s), thirl_tune_sysctl_path((thirl_tune_sysctl)i));
  }
  assert_true(thirl_tune_sysctl_find("net.core.rmem_max", &s) && s == AT(RMEM_MAX));
  assert_false(thirl_tune_sysctl_find("net.core.rmem_ma", &s));
  assert_false(thirl_tune_sysctl_find("net.core.rmem_max2", &s));
}

static void words(void **state) {
  fresh(state);
  thirl_tune_sysctl_congestion(&f, thirl_tune_text_of("bbr\n"));
  assert_string_equal(f.congestion.text, "bbr");
  thirl_tune_sysctl_default_qdisc(&f, thirl_tune_text_of("\n"));
  assert_int_equal(f.default_qdisc.why, THIRL_TUNE_WHY_MALFORMED);
  thirl_tune_sysctl_reserved(&f, thirl_tune_text_of("3478,49152-65535\n"));
  assert_int_equal(f.reserved.why, THIRL_TUNE_WHY_READ);
  assert_string_equal(f.reserved_text, "3478,49152-65535");
  thirl_tune_sysctl_reserved(&f, thirl_tune_text_of("\n"));
  assert_string_equal(f.reserved_text, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_of_a_file),
      cmocka_unit_test(what_is_no_number),
      cmocka_unit_test(a_line_that_is_too_long_is_not_kept),
      cmocka_unit_test(kernels),
      cmocka_unit_test(a_container_has_proc_sys_read_only),
      cmocka_unit_test(why_something_is_missing),
      cmocka_unit_test(the_first_namespace),
      cmocka_unit_test(nothing_is_known_when_nothing_could_be_read),
      cmocka_unit_test(keys_are_found_both_ways),
      cmocka_unit_test(words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
