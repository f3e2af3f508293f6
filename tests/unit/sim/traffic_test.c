/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim/traffic.h"

static void traffic_is_summed_by_address_and_port(void **state) {
  (void)state;
  thirl_sim_traffic t;
  thirl_sim_traffic_init(&t, 1);
  thirl_addr a = thirl_addr_v4(1, 2, 3, 4, 5), b = thirl_addr_v4(1, 2, 3, 4, 6), c = thirl_addr_v4(1, 2, 3, 5, 5),
             ip = thirl_addr_v4(1, 2, 3, 4, 0);
  thirl_sim_traffic_add(&t, &a, 10, 100);
  thirl_sim_traffic_add(&t, &a, 20, 200);
  thirl_sim_traffic_add(&t, &b, 1, 150);
  thirl_sim_traffic_entry e = thirl_sim_traffic_of(&t, &a);
  assert_int_equal(e.packets, 2);
  assert_int_equal(e.bytes, 30);
  assert_int_equal(e.last, 200);
  e = thirl_sim_traffic_of(&t, &ip);
  assert_int_equal(e.packets, 3);
  assert_int_equal(e.bytes, 31);
  assert_int_equal(e.last, 200);
  assert_int_equal(thirl_sim_traffic_of(&t, &c).packets, 0);
  thirl_sim_traffic_fini(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(traffic_is_summed_by_address_and_port)};
  return cmocka_run_group_tests_name("sim/traffic", tests, NULL, NULL);
}
