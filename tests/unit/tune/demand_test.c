/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tune/demand.h"

static thirl_tune_demand d;

static thirl_error parse(const char *text) {
  const char *at = NULL;
  unsigned n = 0;
  d = thirl_tune_demand_of(THIRL_TUNE_SERVER);
  return thirl_tune_demand_parse(&d, text, &at, &n);
}

static void what_a_server_stands_for(void **state) {
  (void)state;
  d = thirl_tune_demand_of(THIRL_TUNE_SERVER);
  assert_int_equal(d.clients, 1000000);
  assert_int_equal(d.pps, 40000);
  assert_int_equal(d.stall_ms, 50);
  assert_false(d.is_given);
  assert_int_equal(thirl_tune_demand_files(&d), 65536);
  assert_int_equal(thirl_tune_demand_of(THIRL_TUNE_CLIENT).clients, 0);
}

static void numbers(void **state) {
  (void)state;
  assert_int_equal(parse("clients=1e6,pps=40k,stall-ms=50"), THIRL_OK);
  assert_int_equal(d.clients, 1000000);
  assert_int_equal(d.pps, 40000);
  assert_true(d.is_given);
  assert_int_equal(parse("clients=2M,tcp=5000,relays=0"), THIRL_OK);
  assert_int_equal(d.clients, 2000000);
  assert_int_equal(thirl_tune_demand_files(&d), 5064);
  assert_int_equal(parse("relays=10,relay-ports=49152-65535"), THIRL_OK);
  assert_int_equal(d.relay_first, 49152);
  assert_int_equal(d.relay_last, 65535);
  assert_int_equal(thirl_tune_demand_files(&d), 84);
  assert_int_equal(parse("clients=1e12"), THIRL_OK);
}

static void mistakes(void **state) {
  (void)state;
  static const struct {
    const char *text;
    thirl_error e;
    const char *wrong;
  } rows[] = {{"", THIRL_E_SYNTAX, ""},
              {"clients", THIRL_E_SYNTAX, "clients"},
              {"pps=1,client=5", THIRL_E_SYNTAX, "client=5"},
              {"pps=", THIRL_E_SYNTAX, "pps="},
              {"pps=1,", THIRL_E_SYNTAX, ""},
              {"pps=x", THIRL_E_SYNTAX, "pps=x"},
              {"pps=1e", THIRL_E_SYNTAX, "pps=1e"},
              {"pps=k", THIRL_E_SYNTAX, "pps=k"},
              {"pps=-1", THIRL_E_RANGE, "pps=-1"},
              {"pps=2e12", THIRL_E_RANGE, "pps=2e12"},
              {"pps=1e99", THIRL_E_RANGE, "pps=1e99"},
              {"relay-ports=5", THIRL_E_SYNTAX, "relay-ports=5"},
              {"relay-ports=5-4", THIRL_E_RANGE, "relay-ports=5-4"},
              {"relay-ports=0-4", THIRL_E_RANGE, "relay-ports=0-4"},
              {"relay-ports=1-65536", THIRL_E_RANGE, "relay-ports=1-65536"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *at = NULL;
    unsigned n = 0;
    d = thirl_tune_demand_of(THIRL_TUNE_SERVER);
    assert_int_equal(thirl_tune_demand_parse(&d, rows[i].text, &at, &n), rows[i].e);
    assert_int_equal(n, strlen(rows[i].wrong));
    assert_memory_equal(at, rows[i].wrong, n);
    assert_int_equal(d.pps, 40000); /* unchanged */
    assert_false(d.is_given);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_a_server_stands_for),
      cmocka_unit_test(numbers),
      cmocka_unit_test(mistakes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
