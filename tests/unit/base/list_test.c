/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/list.h"

typedef struct item {
  int value;
  thirl_link link;
} item;

static void assert_values(const thirl_list *l, const int *want, int n) {
  int i = 0;
  for (thirl_link *k = thirl_list_first(l); k; k = thirl_list_next(l, k), i++) {
    assert_true(i < n);
    assert_int_equal(THIRL_OWNER(k, item, link)->value, want[i]);
  }
  assert_int_equal(i, n);
  assert_int_equal(thirl_list_is_empty(l), n == 0);
}

static void links_keep_their_order(void **state) {
  (void)state;
  thirl_list l;
  item a = {.value = 1}, b = {.value = 2}, c = {.value = 3};
  thirl_list_init(&l);
  assert_values(&l, NULL, 0);
  assert_null(thirl_list_first(&l));
  thirl_list_append(&l, &a.link);
  assert_values(&l, (int[]){1}, 1);
  thirl_list_append(&l, &b.link);
  thirl_list_append(&l, &c.link);
  assert_values(&l, (int[]){1, 2, 3}, 3);
  thirl_list_remove(&b.link);
  assert_values(&l, (int[]){1, 3}, 2);
  thirl_list_append(&l, &b.link);
  assert_values(&l, (int[]){1, 3, 2}, 3);
  thirl_list_remove(&a.link);
  thirl_list_remove(&b.link);
  assert_values(&l, (int[]){3}, 1);
  thirl_list_remove(&c.link);
  assert_values(&l, NULL, 0);
}

static void removing_what_is_in_no_list_does_nothing(void **state) {
  (void)state;
  thirl_list l;
  item a = {.value = 1}, b = {.value = 2};
  thirl_list_init(&l);
  thirl_list_remove(&a.link);
  thirl_list_append(&l, &a.link);
  thirl_list_append(&l, &b.link);
  thirl_list_remove(&a.link);
  thirl_list_remove(&a.link);
  assert_values(&l, (int[]){2}, 1);
}

static void a_walk_survives_the_removal_of_where_it_was(void **state) {
  (void)state;
  thirl_list l;
  item items[5];
  thirl_list_init(&l);
  for (int i = 0; i < 5; i++) {
    items[i].value = i;
    thirl_list_append(&l, &items[i].link);
  }
  for (thirl_link *k = thirl_list_first(&l), *next; k; k = next) {
    next = thirl_list_next(&l, k);
    if (THIRL_OWNER(k, item, link)->value % 2 == 0) thirl_list_remove(k);
  }
  assert_values(&l, (int[]){1, 3}, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(links_keep_their_order),
      cmocka_unit_test(removing_what_is_in_no_list_does_nothing),
      cmocka_unit_test(a_walk_survives_the_removal_of_where_it_was),
  };
  return cmocka_run_group_tests_name("base/list", tests, NULL, NULL);
}
