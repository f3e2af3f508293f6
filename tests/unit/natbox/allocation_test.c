/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "natbox/allocation.h"
#include "unit/natbox/pieces.h"

/* Ports as flows from different inner hosts get them, through the whole box. */
static thirl_natbox *box_with(thirl_natbox_allocation allocation, thirl_natbox_collision collision, uint16_t lo,
                              uint16_t hi) {
  thirl_natbox_config c = config_of(THIRL_NATBOX_APDM, THIRL_NATBOX_APDF);
  c.udp.allocation = allocation;
  c.udp.collision = collision;
  c.udp.port_lo = lo;
  c.udp.port_hi = hi;
  c.udp.block = 10;
  return box_of(&c);
}

static uint16_t port(thirl_natbox *box, uint8_t host, uint16_t from, uint16_t to) {
  return out_udp(box, 1, inner(host, from), remote(1, to)).port;
}

static void preserve_keeps_the_port_if_it_is_in_the_range(void **state) {
  (void)state;
  thirl_natbox *box = box_with(THIRL_NATBOX_PRESERVE, THIRL_NATBOX_COLLIDE_RANDOM, 1024, 65535);
  assert_int_equal(port(box, 1, 5000, 80), 5000);
  assert_int_equal(port(box, 1, 1024, 80), 1024);
  assert_in_range(port(box, 1, 1023, 80), 1024, 65535);
  thirl_natbox_free(box);
}

static void collision_random(void **state) {
  (void)state;
  thirl_natbox *box = box_with(THIRL_NATBOX_PRESERVE, THIRL_NATBOX_COLLIDE_RANDOM, 5000, 5001);
  assert_int_equal(port(box, 1, 5000, 80), 5000);
  assert_int_equal(port(box, 2, 5000, 80), 5001);
  assert_int_equal(port(box, 3, 5000, 80), 0); /* none is left */
  assert_int_equal(thirl_natbox_count(box).limited, 1);
  thirl_natbox_free(box);
}

static void collision_next(void **state) {
  (void)state;
  thirl_natbox *box = box_with(THIRL_NATBOX_PRESERVE, THIRL_NATBOX_COLLIDE_NEXT, 5000, 5003);
  assert_int_equal(port(box, 1, 5002, 80), 5002);
  assert_int_equal(port(box, 2, 5002, 80), 5003);
  assert_int_equal(port(box, 3, 5002, 80), 5000);
  assert_int_equal(port(box, 1, 5002, 81), 5001); /* another destination is another mapping */
  thirl_natbox_free(box);
}

static void collision_evict(void **state) {
  (void)state;
  thirl_natbox *box = box_with(THIRL_NATBOX_PRESERVE, THIRL_NATBOX_COLLIDE_EVICT, 1024, 65535);
  assert_int_equal(port(box, 1, 5000, 80), 5000);
  assert_addr(in_udp(box, 1, remote(1, 80), outer(5000)), inner(1, 5000));
  assert_int_equal(port(box, 2, 5000, 80), 5000);
  assert_addr(in_udp(box, 1, remote(1, 80), outer(5000)), inner(2, 5000));
  assert_int_equal(thirl_natbox_count_bindings(box, 1), 1);
  thirl_natbox_free(box);
}

static void collision_overlap_shares_while_remotes_differ(void **state) {
  (void)state;
  thirl_natbox *box = box_with(THIRL_NATBOX_PRESERVE, THIRL_NATBOX_COLLIDE_OVERLAP, 1024, 65535);
  assert_int_equal(port(box, 1, 5000, 80), 5000);
  assert_int_equal(port(box, 1, 5000, 81), 5000);
  assert_int_equal(port(box, 2, 5000, 82), 5000);
  assert_int_not_equal(port(box, 2, 5000, 80), 5000);
  assert_addr(in_udp(box, 1, remote(1, 81), outer(5000)), inner(1, 5000));
  assert_addr(in_udp(box, 1, remote(1, 82), outer(5000)), inner(2, 5000));
  thirl_natbox_free(box);
}

static void sequential_counts_in_steps_and_wraps(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_APDM, THIRL_NATBOX_APDF);
  c.udp.allocation = THIRL_NATBOX_SEQUENTIAL;
  c.udp.port_lo = 40000;
  c.udp.port_hi = 40004;
  c.udp.step = 2;
  thirl_natbox *box = box_of(&c);
  static const uint16_t want[] = {40000, 40002, 40004, 40001, 40003, 0};
  for (uint16_t i = 0; i < 6; i++)
    assert_int_equal(port(box, 1, 5000, (uint16_t)(80 + i)), want[i]);
  thirl_natbox_reboot(box);
  assert_int_equal(port(box, 1, 5000, 80), 40000);
  thirl_natbox_free(box);
}

static void random_fills_the_range_without_a_double(void **state) {
  (void)state;
  thirl_natbox *box = box_with(THIRL_NATBOX_RANDOM, THIRL_NATBOX_COLLIDE_RANDOM, 6000, 6099);
  bool seen[100] = {false};
  unsigned in_order = 0;
  uint16_t last = 0;
  for (uint16_t i = 0; i < 100; i++) {
    uint16_t p = port(box, 1, 5000, (uint16_t)(80 + i));
    assert_in_range(p, 6000, 6099);
    assert_false(seen[p - 6000]);
    seen[p - 6000] = true;
    in_order += p == last + 1;
    last = p;
  }
  assert_true(in_order < 20);
  assert_int_equal(port(box, 1, 5000, 1), 0);
  thirl_natbox_free(box);
}

static void a_block_belongs_to_an_inner_host(void **state) {
  (void)state;
  thirl_natbox *box = box_with(THIRL_NATBOX_BLOCK, THIRL_NATBOX_COLLIDE_RANDOM, 7000, 7029);
  for (uint16_t i = 0; i < 10; i++) {
    assert_in_range(port(box, 1, 5000, (uint16_t)(80 + i)), 7000, 7009);
    assert_in_range(port(box, 2, 5000, (uint16_t)(80 + i)), 7010, 7019);
  }
  assert_int_equal(port(box, 1, 5000, 1), 0); /* its block is full */
  assert_in_range(port(box, 3, 5000, 1), 7020, 7029);
  assert_int_equal(port(box, 4, 5000, 1), 0); /* shares the first block */
  thirl_natbox_free(box);
}

static void the_same_seed_gives_the_same_ports(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_APDM, THIRL_NATBOX_APDF);
  c.udp.allocation = THIRL_NATBOX_RANDOM;
  thirl_natbox *a = thirl_natbox_new(&c, 5), *b = thirl_natbox_new(&c, 5), *other = thirl_natbox_new(&c, 6);
  unsigned differ = 0;
  for (uint16_t i = 0; i < 20; i++) {
    uint16_t p = port(a, 1, 5000, (uint16_t)(80 + i));
    assert_int_equal(port(b, 1, 5000, (uint16_t)(80 + i)), p);
    differ += port(other, 1, 5000, (uint16_t)(80 + i)) != p;
  }
  assert_true(differ > 15);
  thirl_natbox_free(a);
  thirl_natbox_free(b);
  thirl_natbox_free(other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(preserve_keeps_the_port_if_it_is_in_the_range),
      cmocka_unit_test(collision_random),
      cmocka_unit_test(collision_next),
      cmocka_unit_test(collision_evict),
      cmocka_unit_test(collision_overlap_shares_while_remotes_differ),
      cmocka_unit_test(sequential_counts_in_steps_and_wraps),
      cmocka_unit_test(random_fills_the_range_without_a_double),
      cmocka_unit_test(a_block_belongs_to_an_inner_host),
      cmocka_unit_test(the_same_seed_gives_the_same_ports),
  };
  return cmocka_run_group_tests_name("natbox/allocation", tests, NULL, NULL);
}
