/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rig.h"
#include "tune/capacity.h"

#define ROW(x) rows[THIRL_TUNE_CAPACITY_##x]

static thirl_tune_capacity rows[THIRL_TUNE_CAPACITY_COUNT];

static void a_server(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->c.demand.tcp = 1000;
  g->c.demand.relays = 100;
  rig_gauge(g, GAUGE(MEMORY_TOTAL), 1 << 30);
  thirl_tune_capacity_of(&g->c, rows);
  assert_int_equal(ROW(FILES).room, 1048576 - 64 - 200);
  assert_int_equal(ROW(FILES).asked, 1000);
  assert_int_equal(ROW(TCP_MEMORY).room, (1 << 30) / 3994);
  assert_true(ROW(UDP_MEMORY).is_unlimited);
  assert_int_equal(ROW(TRACKING).room, 262144);
  assert_int_equal(ROW(TRACKING).asked, 999000);
  assert_int_equal(ROW(STALL).room, 1008); /* 33554432 bytes at 40000 datagrams of 832 bytes a second */
  assert_int_equal(ROW(PORTS).room, 470);
  assert_int_equal(ROW(RELAY_PORTS).why, THIRL_TUNE_WHY_NOT_LOOKED);
}

static void the_group_has_less_than_the_machine(void **state) {
  (void)state;
  rig *g = rig_new(S);
  rig_gauge(g, GAUGE(CGROUP_MAX), 3994 * 10);
  thirl_tune_capacity_of(&g->c, rows);
  assert_int_equal(ROW(TCP_MEMORY).room, 10);
}

static void what_is_not_known(void **state) {
  (void)state;
  rig *g = rig_blank(S);
  thirl_tune_capacity_of(&g->c, rows);
  assert_int_equal(ROW(FILES).why, THIRL_TUNE_WHY_NOT_LOOKED);
  assert_int_equal(ROW(TRACKING).why, THIRL_TUNE_WHY_NOT_LOOKED);
  assert_int_equal(ROW(PORTS).why, THIRL_TUNE_WHY_NOT_LOOKED);
}

static void relay_ports(void **state) {
  (void)state;
  rig *g = rig_new(S);
  g->c.demand.relay_first = 49152;
  g->c.demand.relay_last = 65535;
  thirl_tune_capacity_of(&g->c, rows);
  assert_int_equal(ROW(RELAY_PORTS).room, 16384);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_server),
      cmocka_unit_test(the_group_has_less_than_the_machine),
      cmocka_unit_test(what_is_not_known),
      cmocka_unit_test(relay_ports),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
