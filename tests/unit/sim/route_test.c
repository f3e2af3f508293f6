/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim/route.h"

static void exact_first_then_the_longest_prefix(void **state) {
  (void)state;
  thirl_sim_route r;
  int a, b, c, d;
  thirl_sim_route_init(&r, 1);
  thirl_addr host = thirl_addr_v4(10, 1, 2, 3, 99), net16 = thirl_addr_v4(10, 1, 0, 0, 0),
             net20 = thirl_addr_v4(10, 1, 16, 0, 0);
  thirl_addr other = thirl_addr_v4(10, 1, 2, 4, 0), in20 = thirl_addr_v4(10, 1, 31, 9, 0),
             past20 = thirl_addr_v4(10, 1, 32, 9, 0), out = thirl_addr_v4(10, 2, 0, 1, 0),
             all = thirl_addr_v4(0, 0, 0, 0, 0);
  assert_int_equal(thirl_sim_route_add_prefix(&r, &net20, 20, &c), THIRL_OK);
  assert_int_equal(thirl_sim_route_add_prefix(&r, &net16, 16, &b), THIRL_OK);
  assert_int_equal(thirl_sim_route_add_prefix(&r, &all, 0, &d), THIRL_OK);
  assert_ptr_equal(thirl_sim_route_find(&r, &out), &d);
  thirl_sim_route_remove(&r, &d, NULL, 0);
  assert_int_equal(thirl_sim_route_add(&r, &host, &a), THIRL_OK);
  assert_int_equal(thirl_sim_route_add(&r, &host, &a), THIRL_OK);
  assert_int_equal(thirl_sim_route_add(&r, &host, &d), THIRL_E_IN_USE);
  assert_ptr_equal(thirl_sim_route_find(&r, &host), &a);
  assert_ptr_equal(thirl_sim_route_find(&r, &other), &b);
  assert_ptr_equal(thirl_sim_route_find(&r, &in20), &c);
  assert_ptr_equal(thirl_sim_route_find(&r, &past20), &b);
  assert_null(thirl_sim_route_find(&r, &out));
  thirl_sim_route_remove(&r, &a, &host, 1);
  thirl_sim_route_remove(&r, &b, NULL, 0);
  assert_null(thirl_sim_route_find(&r, &host));
  assert_ptr_equal(thirl_sim_route_find(&r, &in20), &c);
  uint8_t v6[16] = {10, 1, 16};
  thirl_addr six = thirl_addr_v6(v6, 0);
  assert_null(thirl_sim_route_find(&r, &six));
  thirl_sim_route_fini(&r);
}

static void prefixes_are_limited(void **state) {
  (void)state;
  thirl_sim_route r;
  int a;
  thirl_sim_route_init(&r, 1);
  thirl_addr net = thirl_addr_v4(10, 0, 0, 0, 0);
  for (int i = 0; i < THIRL_SIM_ROUTE_PREFIXES; i++)
    assert_int_equal(thirl_sim_route_add_prefix(&r, &net, 8, &a), THIRL_OK);
  assert_int_equal(thirl_sim_route_add_prefix(&r, &net, 8, &a), THIRL_E_LIMIT);
  thirl_sim_route_fini(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exact_first_then_the_longest_prefix),
      cmocka_unit_test(prefixes_are_limited),
  };
  return cmocka_run_group_tests_name("sim/route", tests, NULL, NULL);
}
