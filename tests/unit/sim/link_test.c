/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim/link.h"

enum { N = 20000 };

static thirl_sim_link link_with(thirl_sim_link_rules rules) {
  thirl_sim_link l;
  thirl_sim_link_init(&l, 11);
  l.rules = rules;
  return l;
}

/* How many of N packets, one each millisecond, arrive; twice counts as two. */
static unsigned arrivals(thirl_sim_link *l) {
  unsigned n = 0;
  thirl_time out[THIRL_SIM_LINK_COPIES];
  for (thirl_time t = 0; t < N; t++)
    n += thirl_sim_link_cross(l, t * THIRL_MS, out);
  return n;
}

static void an_ideal_wire_takes_no_time(void **state) {
  (void)state;
  thirl_sim_link l = link_with((thirl_sim_link_rules){0});
  thirl_time out[THIRL_SIM_LINK_COPIES];
  assert_int_equal(thirl_sim_link_cross(&l, 5, out), 1);
  assert_int_equal(out[0], 5);
  l.rules.delay = 7;
  assert_int_equal(thirl_sim_link_cross(&l, 5, out), 1);
  assert_int_equal(out[0], 12);
}

static void a_link_that_is_down_loses_everything(void **state) {
  (void)state;
  thirl_sim_link l = link_with((thirl_sim_link_rules){.down = true});
  assert_int_equal(arrivals(&l), 0);
}

static void loss_and_doubles_are_what_was_asked_for(void **state) {
  (void)state;
  thirl_sim_link l = link_with((thirl_sim_link_rules){.loss = 0.3});
  assert_in_range(arrivals(&l), 0.69 * N, 0.71 * N);
  l = link_with((thirl_sim_link_rules){.duplicate = 0.2});
  assert_in_range(arrivals(&l), 1.19 * N, 1.21 * N);
}

static void bursts_have_their_length(void **state) {
  (void)state;
  thirl_sim_link l = link_with((thirl_sim_link_rules){.burst_begin = 0.01, .burst_end = 0.1});
  thirl_time out[THIRL_SIM_LINK_COPIES];
  unsigned lost = 0, bursts = 0, run = 0;
  for (int i = 0; i < N; i++) {
    bool gone = thirl_sim_link_cross(&l, 0, out) == 0;
    lost += gone;
    bursts += gone && run == 0;
    run = gone ? run + 1 : 0;
  }
  assert_in_range(lost, 0.07 * N, 0.11 * N); /* 10 of 110 */
  assert_in_range(lost / bursts, 8, 12);
}

static void jitter_keeps_the_order(void **state) {
  (void)state;
  thirl_sim_link l = link_with((thirl_sim_link_rules){.delay = 10 * THIRL_MS, .jitter = 30 * THIRL_MS});
  thirl_time last = 0, out[THIRL_SIM_LINK_COPIES], least = THIRL_NEVER, most = 0;
  for (thirl_time t = 0; t < N * THIRL_MS; t += THIRL_MS) {
    assert_int_equal(thirl_sim_link_cross(&l, t, out), 1);
    assert_true(out[0] >= last);
    last = out[0];
    least = THIRL_MIN(least, out[0] - t);
    most = THIRL_MAX(most, out[0] - t);
  }
  assert_true(least >= 10 * THIRL_MS && most <= 40 * THIRL_MS && most > 35 * THIRL_MS);
}

static void reordering_holds_some_back(void **state) {
  (void)state;
  thirl_sim_link l = link_with((thirl_sim_link_rules){.delay = 10, .reorder = 0.1, .reorder_by = 500});
  thirl_time out[THIRL_SIM_LINK_COPIES];
  unsigned late = 0;
  for (thirl_time t = 0; t < N; t++) {
    thirl_sim_link_cross(&l, t, out);
    assert_true(out[0] == t + 10 || out[0] == t + 510);
    late += out[0] == t + 510;
  }
  assert_in_range(late, 0.09 * N, 0.11 * N);
}

static void the_same_seed_gives_the_same_weather(void **state) {
  (void)state;
  thirl_sim_link_rules bad = {.delay = 5, .jitter = 9, .loss = 0.2, .duplicate = 0.1, .reorder = 0.1};
  thirl_sim_link a = link_with(bad), b = link_with(bad);
  for (thirl_time t = 0; t < 1000; t++) {
    thirl_time x[THIRL_SIM_LINK_COPIES] = {0}, y[THIRL_SIM_LINK_COPIES] = {0};
    assert_int_equal(thirl_sim_link_cross(&a, t, x), thirl_sim_link_cross(&b, t, y));
    assert_memory_equal(x, y, sizeof x);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_ideal_wire_takes_no_time),
      cmocka_unit_test(a_link_that_is_down_loses_everything),
      cmocka_unit_test(loss_and_doubles_are_what_was_asked_for),
      cmocka_unit_test(bursts_have_their_length),
      cmocka_unit_test(jitter_keeps_the_order),
      cmocka_unit_test(reordering_holds_some_back),
      cmocka_unit_test(the_same_seed_gives_the_same_weather),
  };
  return cmocka_run_group_tests_name("sim/link", tests, NULL, NULL);
}
