/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server/budget.h"

static void fill(void *ctx, void *out, size_t n) {
  uint8_t *p = out;
  for (size_t i = 0; i < n; i++)
    p[i] = (uint8_t)(*(uint64_t *)ctx += 0x9d);
}

static unsigned taken(thirl_server_budget *b, thirl_time now, unsigned tries, uint32_t limit) {
  unsigned n = 0;
  for (unsigned i = 0; i < tries; i++)
    n += thirl_server_budget_take(b, now, 60 * THIRL_S, limit);
  return n;
}

static void gives_a_window_at_once_and_then_its_rate(void **state) {
  (void)state;
  thirl_server_budget b = {0};
  thirl_time now = 5;
  assert_int_equal(taken(&b, now, 100, 30), 30);
  assert_int_equal(taken(&b, now += 2 * THIRL_S - 1, 100, 30), 0);
  assert_int_equal(taken(&b, now += 1, 100, 30), 1);
  assert_int_equal(taken(&b, now += 20 * THIRL_S, 100, 30), 10);
  assert_int_equal(taken(&b, now += 3600 * THIRL_S, 100, 30), 30);
  assert_int_equal(taken(&b, now, 100, 1), 0);
  b.full_at = 0;
  assert_int_equal(taken(&b, now, 1000, 7), 7);
}

static void counts_by_prefix(void **state) {
  (void)state;
  static thirl_server_budget_table t;
  uint64_t at = 0;
  thirl_secrets secrets = {fill, &at};
  uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 1};
  thirl_addr a = thirl_addr_v4(198, 51, 100, 1, 1), same_net = thirl_addr_v4(198, 51, 100, 2, 1),
             a6 = thirl_addr_v6(six, 1);
  thirl_server_budget_table_init(&t, &secrets);
  for (unsigned i = 0; i < 5; i++) {
    assert_int_equal(thirl_server_budget_table_take(&t, 0, &a, THIRL_SERVER_BUDGET_HOST, 3), i < 3);
    assert_int_equal(thirl_server_budget_table_take(&t, 0, i % 2 ? &a : &same_net, THIRL_SERVER_BUDGET_NET, 3), i < 3);
  }
  assert_true(thirl_server_budget_table_take(&t, 0, &same_net, THIRL_SERVER_BUDGET_HOST, 3));
  assert_true(thirl_server_budget_table_take(&t, 0, &a6, THIRL_SERVER_BUDGET_HOST, 1));
  six[15] = 9; /* the same /64 */
  thirl_addr neighbour = thirl_addr_v6(six, 1);
  assert_false(thirl_server_budget_table_take(&t, 0, &neighbour, THIRL_SERVER_BUDGET_HOST, 1));
  six[7] = 2; /* another /64 of the same /48 */
  neighbour = thirl_addr_v6(six, 1);
  assert_true(thirl_server_budget_table_take(&t, 0, &neighbour, THIRL_SERVER_BUDGET_HOST, 1));
  assert_true(thirl_server_budget_table_take(&t, THIRL_S - 1, &neighbour, THIRL_SERVER_BUDGET_NET, 1));
  assert_false(thirl_server_budget_table_take(&t, THIRL_S - 1, &a6, THIRL_SERVER_BUDGET_NET, 1));
  assert_true(thirl_server_budget_table_take(&t, THIRL_S, &a6, THIRL_SERVER_BUDGET_NET, 1)); /* the next second */
}

/* research S8: sharing a cell must not cost strangers their turn. A fifth of the cells in use: fewer than one in twenty is refused. */
static void strangers_hardly_disturb_each_other(void **state) {
  (void)state;
  static thirl_server_budget_table t;
  uint64_t at = 77;
  thirl_secrets secrets = {fill, &at};
  unsigned refused = 0;
  thirl_server_budget_table_init(&t, &secrets);
  for (unsigned i = 0; i < 800; i++) {
    thirl_addr a = thirl_addr_v4(10, (uint8_t)(i >> 8), (uint8_t)i, 1, 1);
    refused += !thirl_server_budget_table_take(&t, 0, &a, THIRL_SERVER_BUDGET_NET, 1);
  }
  assert_in_range(refused, 0, 40);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gives_a_window_at_once_and_then_its_rate),
      cmocka_unit_test(counts_by_prefix),
      cmocka_unit_test(strangers_hardly_disturb_each_other),
  };
  return cmocka_run_group_tests_name("server/budget", tests, NULL, NULL);
}
