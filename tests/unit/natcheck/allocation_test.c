/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rand.h"
#include "natcheck/allocation.h"

/* Mappings of the inner ports 5000, 5010, ... to these outer ones. */
static unsigned samples_of(const uint16_t *ports, unsigned n, thirl_natcheck_sample *out) {
  for (unsigned i = 0; i < n; i++)
    out[i] = (thirl_natcheck_sample){.local = thirl_addr_v4(192, 168, 1, 10, (uint16_t)(5000 + 10 * i)),
                                     .mapped = thirl_addr_v4(203, 0, 113, 1, ports[i])};
  return n;
}

static thirl_natcheck_allocation learn(const uint16_t *ports, unsigned n) {
  thirl_natcheck_sample s[THIRL_NATCHECK_SAMPLES_MAX];
  return thirl_natcheck_allocation_learn(s, samples_of(ports, n, s));
}

#define LEARN(...) learn((const uint16_t[]){__VA_ARGS__}, sizeof(uint16_t[]){__VA_ARGS__} / sizeof(uint16_t))

static void kept_ports_are_preserving(void **state) {
  (void)state;
  thirl_natcheck_allocation a = LEARN(5000, 5010, 5020, 5030, 5040, 5050);
  assert_int_equal(a.model, THIRL_NATCHECK_PRESERVING);
  assert_float_equal(a.confidence, 1.0, 1e-9);
  assert_int_equal(a.samples, 6);
  assert_int_equal(a.lo, 5000);
  assert_int_equal(a.hi, 5050);
  a = LEARN(5000, 41234, 5020, 5030); /* one was taken */
  assert_int_equal(a.model, THIRL_NATCHECK_PRESERVING);
  assert_float_equal(a.confidence, 0.75, 1e-9);
}

static void even_steps_are_a_sequence(void **state) {
  (void)state;
  thirl_natcheck_allocation a = LEARN(40000, 40001, 40002, 40003);
  assert_int_equal(a.model, THIRL_NATCHECK_SEQUENTIAL);
  assert_int_equal(a.step, 1);
  assert_float_equal(a.confidence, 1.0, 1e-9);
  a = LEARN(40000, 40256, 40512, 40768);
  assert_int_equal(a.step, 256);
  a = LEARN(40008, 40006, 40004, 40002);
  assert_int_equal(a.model, THIRL_NATCHECK_SEQUENTIAL);
  assert_int_equal(a.step, -2);
  a = LEARN(40000, 40001, 40003, 40004, 40005, 40010, 40011, 40012); /* others take some in between */
  assert_int_equal(a.model, THIRL_NATCHECK_SEQUENTIAL);
  assert_int_equal(a.step, 1);
  assert_float_equal(a.confidence, 5.0 / 7, 1e-9);
  a = LEARN(41997, 41998, 41999, 40000, 40001, 40002); /* it begins anew */
  assert_int_equal(a.model, THIRL_NATCHECK_SEQUENTIAL);
  assert_int_equal(a.step, 1);
  assert_float_equal(a.confidence, 0.8, 1e-9);
}

static void few_samples_say_little(void **state) {
  (void)state;
  thirl_natcheck_allocation a = thirl_natcheck_allocation_learn(NULL, 0);
  assert_int_equal(a.model, THIRL_NATCHECK_ALLOCATION_UNKNOWN);
  assert_int_equal(a.why, THIRL_NATCHECK_WHY_FEW);
  a = LEARN(40000, 40001, 40002);
  assert_int_equal(a.model, THIRL_NATCHECK_ALLOCATION_UNKNOWN);
  a = LEARN(5000, 5010, 5020);
  assert_int_equal(a.model, THIRL_NATCHECK_ALLOCATION_UNKNOWN);
  a = LEARN(11111, 60000, 2000, 33333, 45000, 9000, 20000);
  assert_int_equal(a.model, THIRL_NATCHECK_ALLOCATION_UNKNOWN);
  assert_int_equal(a.why, THIRL_NATCHECK_WHY_FEW);
  assert_int_equal(a.lo, 2000);
  assert_int_equal(a.hi, 60000);
}

static void a_narrow_range_is_a_block(void **state) {
  (void)state;
  thirl_natcheck_allocation a = LEARN(20100, 20480, 20011, 20300, 20150, 20420, 20233, 20055);
  assert_int_equal(a.model, THIRL_NATCHECK_BLOCK);
  assert_int_equal(a.from, 20011 - 469 / 7);
  assert_int_equal(a.to, 20480 + 469 / 7);
  assert_true(a.confidence > 0.9999);
  a = LEARN(1030, 1400, 1100, 1500, 1200, 1490, 1050, 1300); /* not below 1024 */
  assert_int_equal(a.model, THIRL_NATCHECK_BLOCK);
  assert_int_equal(a.from, 1024);
  a = LEARN(65535, 65100, 65400, 65200, 65530, 65110, 65300, 65500);
  assert_int_equal(a.to, 65535);
}

static void the_rest_is_random(void **state) {
  (void)state;
  thirl_natcheck_allocation a = LEARN(11111, 60000, 2000, 33333, 45000, 9000, 20000, 50000);
  assert_int_equal(a.model, THIRL_NATCHECK_RANDOM);
  assert_int_equal(a.why, THIRL_NATCHECK_WHY_KNOWN);
  assert_int_equal(a.lo, 2000);
  assert_int_equal(a.hi, 60000);
}

/* With twelve samples none of many random worlds is taken for something else, and every block is found. */
static void chance_deceives_nobody(void **state) {
  (void)state;
  thirl_dice d;
  thirl_dice_seed(&d, 7);
  for (int world = 0; world < 20000; world++) {
    uint16_t wide[12], narrow[12];
    uint16_t base = (uint16_t)(1024 + thirl_dice_below(&d, 60000));
    for (int i = 0; i < 12; i++) {
      wide[i] = (uint16_t)(1024 + thirl_dice_below(&d, 64512));
      narrow[i] = (uint16_t)(base + thirl_dice_below(&d, 512));
    }
    assert_int_equal(learn(wide, 12).model, THIRL_NATCHECK_RANDOM);
    thirl_natcheck_model m = learn(narrow, 12).model;
    assert_true(m == THIRL_NATCHECK_BLOCK);
  }
}

static void what_comes_next(void **state) {
  (void)state;
  uint16_t out[4] = {0};
  thirl_natcheck_sample last = {.local = thirl_addr_v4(192, 168, 1, 10, 5000),
                                .mapped = thirl_addr_v4(203, 0, 113, 1, 40000)};
  thirl_natcheck_allocation a = {.model = THIRL_NATCHECK_SEQUENTIAL, .step = 2};
  assert_int_equal(thirl_natcheck_allocation_predict(&a, &last, 6000, out, 4), 4);
  assert_int_equal(out[0], 40002);
  assert_int_equal(out[3], 40008);
  a.step = -3;
  assert_int_equal(thirl_natcheck_allocation_predict(&a, &last, 6000, out, 2), 2);
  assert_int_equal(out[0], 39997);
  last.mapped.port = 65533;
  a.step = 1;
  assert_int_equal(thirl_natcheck_allocation_predict(&a, &last, 6000, out, 4),
                   2); /* nobody knows where it begins anew */
  assert_int_equal(out[1], 65535);
  last.mapped.port = 2;
  a.step = -1;
  assert_int_equal(thirl_natcheck_allocation_predict(&a, &last, 6000, out, 4), 1);
  a = (thirl_natcheck_allocation){.model = THIRL_NATCHECK_PRESERVING};
  assert_int_equal(thirl_natcheck_allocation_predict(&a, &last, 6000, out, 4), 1);
  assert_int_equal(out[0], 6000);
  assert_int_equal(thirl_natcheck_allocation_predict(&a, &last, 6000, out, 0), 0);
  a.model = THIRL_NATCHECK_RANDOM;
  assert_int_equal(thirl_natcheck_allocation_predict(&a, &last, 6000, out, 4), 0);
  a.model = THIRL_NATCHECK_BLOCK;
  assert_int_equal(thirl_natcheck_allocation_predict(&a, &last, 6000, out, 4), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(kept_ports_are_preserving), cmocka_unit_test(even_steps_are_a_sequence),
      cmocka_unit_test(few_samples_say_little),    cmocka_unit_test(a_narrow_range_is_a_block),
      cmocka_unit_test(the_rest_is_random),        cmocka_unit_test(chance_deceives_nobody),
      cmocka_unit_test(what_comes_next),
  };
  return cmocka_run_group_tests_name("natcheck/allocation", tests, NULL, NULL);
}
