/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/rand.h"

typedef struct item {
  thirl_heap_node node;
  thirl_time key;
  unsigned name;
} item;

static item *pop(thirl_heap *h) {
  thirl_heap_node *n = thirl_heap_first(h);
  if (!n) return NULL;
  thirl_heap_remove(h, n);
  return THIRL_OWNER(n, item, node);
}

static void empty_heap_has_no_first(void **state) {
  (void)state;
  thirl_heap h;
  thirl_heap_init(&h, 4);
  assert_null(thirl_heap_first(&h));
  assert_true(thirl_heap_first_key(&h) == THIRL_NEVER);
  thirl_heap_node lone = {0};
  thirl_heap_remove(&h, &lone);
  assert_false(thirl_heap_has(&lone));
  thirl_heap_fini(&h);
}

static void equal_keys_leave_in_the_order_of_setting(void **state) {
  (void)state;
  thirl_heap h;
  thirl_heap_init(&h, 100);
  item items[40] = {0};
  for (unsigned i = 0; i < 40; i++) {
    items[i].name = i;
    assert_int_equal(thirl_heap_set(&h, &items[i].node, 7), THIRL_OK);
  }
  assert_int_equal(thirl_heap_set(&h, &items[3].node, 7), THIRL_OK); /* set again: goes to the end */
  for (unsigned i = 0; i < 40; i++)
    if (i != 3) assert_int_equal(pop(&h)->name, i);
  assert_int_equal(pop(&h)->name, 3);
  assert_null(pop(&h));
  thirl_heap_fini(&h);
}

static void the_maximum_is_a_limit_but_moving_never_fails(void **state) {
  (void)state;
  thirl_heap h;
  thirl_heap_init(&h, 3);
  item items[4] = {0};
  for (unsigned i = 0; i < 3; i++)
    assert_int_equal(thirl_heap_set(&h, &items[i].node, 10 + i), THIRL_OK);
  assert_int_equal(thirl_heap_set(&h, &items[3].node, 1), THIRL_E_LIMIT);
  assert_false(thirl_heap_has(&items[3].node));
  assert_int_equal(thirl_heap_set(&h, &items[2].node, 1), THIRL_OK);
  assert_ptr_equal(thirl_heap_first(&h), &items[2].node);
  assert_int_equal(thirl_heap_first_key(&h), 1);
  thirl_heap_fini(&h);
}

static void random_sets_and_removes_agree_with_a_scan(void **state) {
  (void)state;
  enum { N = 200, STEPS = 20000 };
  static item items[N];
  thirl_heap h;
  thirl_dice d;
  thirl_dice_seed(&d, 42);
  thirl_heap_init(&h, N);
  for (int step = 0; step < STEPS; step++) {
    item *it = &items[thirl_dice_below(&d, N)];
    if (thirl_dice_below(&d, 3) == 0) {
      thirl_heap_remove(&h, &it->node);
      assert_false(thirl_heap_has(&it->node));
    } else {
      it->key = thirl_dice_below(&d, 1000);
      assert_int_equal(thirl_heap_set(&h, &it->node, it->key), THIRL_OK);
      assert_true(thirl_heap_has(&it->node));
    }
    thirl_time least = THIRL_NEVER;
    size_t n = 0;
    for (int i = 0; i < N; i++) {
      if (!thirl_heap_has(&items[i].node)) continue;
      n++;
      if (items[i].key < least) least = items[i].key;
    }
    assert_int_equal(h.n, n);
    assert_true(thirl_heap_first_key(&h) == least);
  }
  thirl_time last = 0;
  for (item *it; (it = pop(&h)) != NULL; last = it->key)
    assert_true(it->key >= last);
  thirl_heap_fini(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(empty_heap_has_no_first),
      cmocka_unit_test(equal_keys_leave_in_the_order_of_setting),
      cmocka_unit_test(the_maximum_is_a_limit_but_moving_never_fails),
      cmocka_unit_test(random_sets_and_removes_agree_with_a_scan),
  };
  return cmocka_run_group_tests_name("base/heap", tests, NULL, NULL);
}
