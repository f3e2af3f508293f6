/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tune/ports.h"

static int64_t all(const thirl_tune_ports *set) {
  return thirl_tune_ports_count(set, 0, 65535);
}

static void what_the_kernel_writes(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool ok;
    int64_t n;
  } rows[] = {{"", true, 0},
              {"\n", true, 0},
              {"none", true, 0},
              {"3478\n", true, 1},
              {"3478,49152-65535", true, 16385},
              {"0-65535", true, 65536},
              {"5-5", true, 1},
              {"6-5", false, 0},
              {"65536", false, 0},
              {"1,x", false, 1},
              {"-", false, 0},
              {"1-", false, 0},
              {",", false, 0},
              {"1,,2", false, 1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    thirl_tune_ports set = {0};
    assert_int_equal(thirl_tune_ports_parse(&set, thirl_tune_text_of(rows[i].text)), rows[i].ok);
    assert_int_equal(all(&set), rows[i].n);
  }
}

static void edges(void **state) {
  (void)state;
  thirl_tune_ports set = {0};
  thirl_tune_ports_add(&set, 65535, 65535);
  thirl_tune_ports_add(&set, 0, 0);
  thirl_tune_ports_add(&set, -1, 5);
  thirl_tune_ports_add(&set, 5, 65536);
  assert_int_equal(all(&set), 2);
  assert_true(thirl_tune_ports_has(&set, 0) && thirl_tune_ports_has(&set, 65535));
  assert_false(thirl_tune_ports_has(&set, -1) || thirl_tune_ports_has(&set, 65536) || thirl_tune_ports_has(&set, 1));
  assert_int_equal(thirl_tune_ports_count(&set, 1, 65534), 0);
  assert_int_equal(thirl_tune_ports_count(&set, 5, 1), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_the_kernel_writes),
      cmocka_unit_test(edges),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
