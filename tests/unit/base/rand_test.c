/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"

/* Counts up, so that a test can see which byte went where. */
static void counting(void *ctx, void *out, size_t n) {
  uint8_t *next = ctx, *p = out;
  for (size_t i = 0; i < n; i++)
    p[i] = (*next)++;
}

static void secrets_come_from_their_source(void **state) {
  (void)state;
  uint8_t next = 1, b[5] = {0};
  thirl_secrets s = {counting, &next};
  thirl_secrets_fill(&s, b, 4);
  assert_memory_equal(b, "\1\2\3\4\0", 5);
  uint64_t v = thirl_secrets_u64(&s);
  uint8_t want[8] = {5, 6, 7, 8, 9, 10, 11, 12};
  assert_memory_equal(&v, want, 8);
}

static void ice_text_uses_every_character_and_no_other(void **state) {
  (void)state;
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint8_t next = 0;
  thirl_secrets s = {counting, &next};
  char out[257];
  memset(out, 'x', sizeof out);
  thirl_secrets_ice_text(&s, out, 256);
  assert_int_equal(strlen(out), 256);
  assert_int_equal(strspn(out, alphabet), 256);
  for (const char *c = alphabet; *c; c++) { /* each equally often: 256 bytes, 64 characters */
    unsigned n = 0;
    for (size_t i = 0; i < 256; i++)
      n += out[i] == *c;
    assert_int_equal(n, 4);
  }
  thirl_secrets_ice_text(&s, out, 0);
  assert_string_equal(out, "");
}

/* The published sequence of xoshiro256** from the state 1, 2, 3, 4, and splitmix64's from the seed 0. */
static void dice_are_xoshiro256_star_star(void **state) {
  (void)state;
  thirl_dice d = {{1, 2, 3, 4}};
  assert_true(thirl_dice_u64(&d) == 11520);
  assert_true(thirl_dice_u64(&d) == 0);
  assert_true(thirl_dice_u64(&d) == 1509978240);
  assert_true(thirl_dice_u64(&d) == 1215971899390074240u);
  thirl_dice_seed(&d, 0);
  assert_true(d.s[0] == 0xe220a8397b1dcdafu && d.s[3] == 0xf88bb8a8724c81ecu);
  assert_true(thirl_dice_u64(&d) == 0x99ec5f36cb75f2b4u);
}

static void dice_replay_from_their_seed(void **state) {
  (void)state;
  thirl_dice a, b, c;
  thirl_dice_seed(&a, 42);
  thirl_dice_seed(&b, 42);
  thirl_dice_seed(&c, 43);
  bool differ = false;
  for (int i = 0; i < 1000; i++) {
    uint64_t v = thirl_dice_u64(&a);
    assert_true(v == thirl_dice_u64(&b));
    differ |= v != thirl_dice_u64(&c);
  }
  assert_true(differ);
}

static void below_stays_below_and_reaches_everything(void **state) {
  (void)state;
  thirl_dice d;
  unsigned seen[7] = {0};
  thirl_dice_seed(&d, 1);
  for (int i = 0; i < 70000; i++) {
    uint64_t v = thirl_dice_below(&d, 7);
    assert_true(v < 7);
    seen[v]++;
  }
  for (int i = 0; i < 7; i++)
    assert_in_range(seen[i], 9500, 10500); /* sigma is 93 */
  for (int i = 0; i < 100; i++)
    assert_int_equal(thirl_dice_below(&d, 1), 0);
}

/* Where a plain remainder would be visibly skewed: of n = 3 * 2^62, the lowest third would come twice as often. */
static void below_is_uniform_for_large_ranges(void **state) {
  (void)state;
  thirl_dice d;
  uint64_t third = (uint64_t)1 << 62;
  unsigned low = 0;
  thirl_dice_seed(&d, 2);
  for (int i = 0; i < 30000; i++)
    low += thirl_dice_below(&d, 3 * third) < third;
  assert_in_range(low, 9500, 10500); /* sigma is 82; a remainder gives 15000 */
}

static void unit_is_at_least_0_and_less_than_1(void **state) {
  (void)state;
  thirl_dice d;
  double sum = 0;
  thirl_dice_seed(&d, 3);
  for (int i = 0; i < 100000; i++) {
    double u = thirl_dice_unit(&d);
    assert_true(u >= 0 && u < 1);
    sum += u;
  }
  assert_true(sum > 49000 && sum < 51000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(secrets_come_from_their_source),
      cmocka_unit_test(ice_text_uses_every_character_and_no_other),
      cmocka_unit_test(dice_are_xoshiro256_star_star),
      cmocka_unit_test(dice_replay_from_their_seed),
      cmocka_unit_test(below_stays_below_and_reaches_everything),
      cmocka_unit_test(below_is_uniform_for_large_ranges),
      cmocka_unit_test(unit_is_at_least_0_and_less_than_1),
  };
  return cmocka_run_group_tests_name("base/rand", tests, NULL, NULL);
}
