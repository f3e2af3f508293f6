/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim/receiver.h"

enum { WINDOW = 1000 };

static thirl_sim_pool pool;

static int setup(void **state) {
  (void)state;
  thirl_sim_pool_init(&pool);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  thirl_sim_pool_fini(&pool);
  return 0;
}

static void put(thirl_sim_receiver *r, uint32_t seq, uint32_t n, bool fin) {
  thirl_sim_packet *packet = thirl_sim_pool_take_packet(&pool);
  packet->payload = thirl_sim_pool_take_payload(&pool);
  packet->payload->n = n;
  packet->p = (thirl_natbox_packet){.protocol = THIRL_NATBOX_TCP,
                                    .flags = fin ? THIRL_NATBOX_FIN : 0,
                                    .seq = seq,
                                    .payload = THIRL_BYTES(packet->payload->bytes, n)};
  assert_true(thirl_sim_receiver_put(r, &pool, packet, WINDOW));
  thirl_sim_pool_give_packet(&pool, packet);
}

/* The sequence number of what comes out next; 0 = nothing. */
static uint32_t take(thirl_sim_receiver *r) {
  thirl_sim_segment *seg = thirl_sim_receiver_take(r);
  uint32_t seq = seg ? seg->seq : 0;
  thirl_sim_pool_give_segment(&pool, seg);
  return seq;
}

static void order_comes_out_of_disorder(void **state) {
  (void)state;
  thirl_sim_receiver r;
  thirl_sim_receiver_init(&r, 1000);
  thirl_sim_range sacks[THIRL_SIM_SACKS];
  put(&r, 1300, 100, true);
  put(&r, 1100, 100, false);
  assert_int_equal(take(&r), 0);
  assert_int_equal(thirl_sim_receiver_sacks(&r, sacks), 2);
  assert_int_equal(sacks[0].from, 1100);
  assert_int_equal(sacks[0].to, 1200);
  assert_int_equal(sacks[1].from, 1300);
  assert_int_equal(sacks[1].to, 1401); /* FIN counts */
  put(&r, 1200, 100, false);
  assert_int_equal(thirl_sim_receiver_sacks(&r, sacks), 1);
  put(&r, 1000, 100, false);
  assert_int_equal(take(&r), 1000);
  assert_int_equal(take(&r), 1100);
  assert_int_equal(take(&r), 1200);
  assert_int_equal(take(&r), 1300);
  assert_int_equal(take(&r), 0);
  assert_int_equal(r.nxt, 1401);
  thirl_sim_receiver_fini(&r, &pool);
}

static void doubles_and_what_is_out_of_the_window_are_ignored(void **state) {
  (void)state;
  thirl_sim_receiver r;
  thirl_sim_receiver_init(&r, 1000);
  put(&r, 900, 100, false);
  put(&r, 1000 + WINDOW, 100, false);
  assert_true(thirl_list_is_empty(&r.early));
  put(&r, 1100, 100, false);
  put(&r, 1100, 100, false);
  assert_int_equal(pool.n_segments, 1);
  put(&r, 1000, 100, false);
  assert_int_equal(take(&r), 1000);
  assert_int_equal(take(&r), 1100);
  assert_int_equal(take(&r), 0);
  put(&r, 1100, 100, false);
  assert_int_equal(take(&r), 0);
  thirl_sim_receiver_fini(&r, &pool);
}

static void numbers_wrap(void **state) {
  (void)state;
  thirl_sim_receiver r;
  thirl_sim_receiver_init(&r, 0xffffffb0u);
  put(&r, 0x14, 100, false);
  put(&r, 0xffffffb0u, 100, false);
  assert_int_equal(take(&r), 0xffffffb0u);
  assert_int_equal(take(&r), 0x14);
  thirl_sim_receiver_fini(&r, &pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(order_comes_out_of_disorder, setup, teardown),
      cmocka_unit_test_setup_teardown(doubles_and_what_is_out_of_the_window_are_ignored, setup, teardown),
      cmocka_unit_test_setup_teardown(numbers_wrap, setup, teardown),
  };
  return cmocka_run_group_tests_name("sim/receiver", tests, NULL, NULL);
}
