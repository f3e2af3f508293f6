/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"
#include "base/rand.h"

enum { KEYS = 700, STEPS = 40000 };

static int values[KEYS];

/* Key number i, of key_len bytes. Neighbours differ in one place only, which is where a weak hash collides. */
static void key_of(unsigned i, size_t key_len, uint8_t *out) {
  memset(out, 0x5a, key_len);
  out[i % key_len] = (uint8_t)(i >> 3);
  out[(i + 1) % key_len] ^= (uint8_t)i;
  if (key_len == 1) out[0] = (uint8_t)i;
}

static unsigned distinct_keys(size_t key_len) {
  return key_len == 1 ? 256 : 200;
}

/* The keys themselves for a length: the first that are different from each other. */
static unsigned make_keys(size_t key_len, uint8_t keys[KEYS][64]) {
  unsigned n = 0;
  for (unsigned i = 0; n < distinct_keys(key_len) && i < 20000; i++) {
    uint8_t k[64];
    bool is_new = true;
    key_of(i, key_len, k);
    for (unsigned j = 0; j < n && is_new; j++)
      is_new = memcmp(keys[j], k, key_len) != 0;
    if (is_new) memcpy(keys[n++], k, key_len);
  }
  return n;
}

static void assert_same(const thirl_map *m, void *const *model, uint8_t keys[KEYS][64], unsigned n_keys) {
  size_t n = 0, at = 0, walked = 0;
  for (unsigned i = 0; i < n_keys; i++) {
    assert_ptr_equal(thirl_map_get(m, keys[i]), model[i]);
    n += model[i] != NULL;
  }
  assert_int_equal(m->n, n);
  for (void *v; (v = thirl_map_next(m, &at)) != NULL;)
    walked++;
  assert_int_equal(walked, n);
}

/* Puts, replacements and removals at random against an array, for key lengths that end on and off a word. */
static void a_map_behaves_like_an_array(void **state) {
  (void)state;
  static const size_t lengths[] = {1, 4, 7, 8, 12, 16, 20, 24, 64};
  static uint8_t keys[KEYS][64];
  for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
    thirl_dice d;
    thirl_map m;
    void *model[KEYS] = {NULL};
    unsigned n_keys = make_keys(lengths[l], keys);
    assert_true(n_keys >= 200);
    thirl_dice_seed(&d, lengths[l]);
    thirl_map_init(&m, lengths[l], thirl_dice_u64(&d));
    for (int step = 0; step < STEPS; step++) {
      unsigned k = (unsigned)thirl_dice_below(&d, n_keys);
      bool growing = step / 4000 % 2 == 0; /* fuller and emptier by turns */
      if (thirl_dice_below(&d, 10) < (growing ? 7 : 3)) {
        model[k] = &values[thirl_dice_below(&d, KEYS)];
        assert_int_equal(thirl_map_put(&m, keys[k], model[k]), THIRL_OK);
      } else {
        assert_ptr_equal(thirl_map_remove(&m, keys[k]), model[k]);
        model[k] = NULL;
      }
      assert_ptr_equal(thirl_map_get(&m, keys[k]), model[k]);
      if (step % 500 == 0) assert_same(&m, model, keys, n_keys);
    }
    assert_same(&m, model, keys, n_keys);
    assert_true(m.cap <= 512);
    thirl_map_fini(&m);
  }
}

static void an_empty_map_holds_nothing_and_no_memory(void **state) {
  (void)state;
  thirl_map m;
  size_t at = 0;
  thirl_map_init(&m, 4, 1);
  assert_null(m.keys);
  assert_null(m.values);
  assert_null(thirl_map_get(&m, "abcd"));
  assert_null(thirl_map_remove(&m, "abcd"));
  assert_null(thirl_map_next(&m, &at));
  thirl_map_fini(&m);
}

static void a_map_is_usable_after_fini(void **state) {
  (void)state;
  thirl_map m;
  thirl_map_init(&m, 4, 1);
  assert_int_equal(thirl_map_put(&m, "abcd", values), THIRL_OK);
  thirl_map_fini(&m);
  assert_int_equal(m.n, 0);
  assert_null(thirl_map_get(&m, "abcd"));
  assert_int_equal(thirl_map_put(&m, "abcd", values), THIRL_OK);
  assert_ptr_equal(thirl_map_get(&m, "abcd"), values);
  thirl_map_fini(&m);
}

/* Not even when the next new key would make the table grow: so that it cannot fail. */
static void replacing_allocates_nothing(void **state) {
  (void)state;
  thirl_map m;
  thirl_map_init(&m, sizeof(uint32_t), 5);
  for (uint32_t i = 0; i < 12; i++)
    assert_int_equal(thirl_map_put(&m, &i, &values[i]), THIRL_OK);
  const uint8_t *keys_before = m.keys;
  for (uint32_t i = 0; i < 12; i++)
    assert_int_equal(thirl_map_put(&m, &i, &values[i + 12]), THIRL_OK);
  assert_ptr_equal(m.keys, keys_before);
  assert_int_equal(m.n, 12);
  assert_int_equal(m.cap, 16);
  for (uint32_t i = 0; i < 12; i++)
    assert_ptr_equal(thirl_map_get(&m, &i), &values[i + 12]);
  thirl_map_fini(&m);
}

/* The walk gives each value once, whatever was removed before. */
static void a_walk_gives_each_value_once(void **state) {
  (void)state;
  thirl_map m;
  unsigned seen[300] = {0};
  thirl_map_init(&m, sizeof(uint32_t), 77);
  for (uint32_t i = 0; i < 300; i++)
    assert_int_equal(thirl_map_put(&m, &i, &values[i]), THIRL_OK);
  for (uint32_t i = 0; i < 300; i += 3)
    assert_ptr_equal(thirl_map_remove(&m, &i), &values[i]);
  size_t at = 0;
  for (int *v; (v = thirl_map_next(&m, &at)) != NULL;)
    seen[v - values]++;
  for (unsigned i = 0; i < 300; i++)
    assert_int_equal(seen[i], i % 3 != 0);
  thirl_map_fini(&m);
}

/* Keys that fall into one slot of one table do not in that of another seed. */
static void the_seed_decides_the_places(void **state) {
  (void)state;
  unsigned moved = 0;
  for (uint64_t seed = 1; seed <= 64; seed++) {
    thirl_map a, b;
    thirl_map_init(&a, 4, 0);
    thirl_map_init(&b, 4, seed);
    assert_int_equal(thirl_map_put(&a, "abcd", values), THIRL_OK);
    assert_int_equal(thirl_map_put(&b, "abcd", values), THIRL_OK);
    size_t at_a = 0, at_b = 0;
    (void)thirl_map_next(&a, &at_a);
    (void)thirl_map_next(&b, &at_b);
    moved += at_a != at_b;
    thirl_map_fini(&a);
    thirl_map_fini(&b);
  }
  assert_true(moved >= 48); /* 60 of 64 expected with 16 slots */
}

/* Keys that differ in one byte only, wherever it stands, are spread over the slots: else a stranger could choose collisions. */
static void every_byte_of_a_key_decides_its_place(void **state) {
  (void)state;
  static const size_t lengths[] = {1, 4, 7, 8, 12, 20, 64};
  for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
    for (size_t i = 0; i < lengths[l]; i++) {
      unsigned slots = 0;
      for (unsigned v = 0; v < 64; v++) {
        uint8_t key[64] = {0};
        size_t at = 0;
        thirl_map m;
        key[i] = (uint8_t)v;
        thirl_map_init(&m, lengths[l], 1);
        assert_int_equal(thirl_map_put(&m, key, values), THIRL_OK);
        assert_ptr_equal(thirl_map_next(&m, &at), values);
        slots |= 1u << at;
        thirl_map_fini(&m);
      }
      assert_in_range(__builtin_popcount(slots), 12, 16); /* of 16; 15.7 expected */
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_map_behaves_like_an_array), cmocka_unit_test(an_empty_map_holds_nothing_and_no_memory),
      cmocka_unit_test(a_map_is_usable_after_fini),  cmocka_unit_test(a_walk_gives_each_value_once),
      cmocka_unit_test(the_seed_decides_the_places), cmocka_unit_test(every_byte_of_a_key_decides_its_place),
      cmocka_unit_test(replacing_allocates_nothing),
  };
  return cmocka_run_group_tests_name("base/map", tests, NULL, NULL);
}
