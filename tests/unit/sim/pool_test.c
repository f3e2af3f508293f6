/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim/pool.h"

static void a_payload_lives_as_long_as_its_last_holder(void **state) {
  (void)state;
  thirl_sim_pool pool;
  thirl_sim_pool_init(&pool);
  thirl_sim_payload *d = thirl_sim_pool_take_payload(&pool);
  assert_non_null(d);
  memcpy(d->bytes, "abc", 3);
  d->n = 3;
  thirl_sim_packet *packet = thirl_sim_pool_take_packet(&pool);
  packet->payload = d;
  packet->p.payload = THIRL_BYTES(d->bytes, 3);
  thirl_sim_packet *copy = thirl_sim_pool_copy_packet(&pool, packet);
  assert_ptr_equal(copy->payload, d);
  assert_int_equal(d->refs, 2);
  thirl_sim_pool_give_packet(&pool, packet);
  assert_memory_equal(copy->p.payload.p, "abc", 3);
  assert_int_equal(pool.n_payloads, 1);
  thirl_sim_pool_give_packet(&pool, copy);
  assert_int_equal(pool.n_payloads, 0);
  assert_int_equal(pool.n_packets, 0);
  thirl_sim_pool_fini(&pool);
}

static void what_is_given_back_is_taken_again_and_clean(void **state) {
  (void)state;
  thirl_sim_pool pool;
  thirl_sim_pool_init(&pool);
  thirl_sim_packet *packet = thirl_sim_pool_take_packet(&pool);
  packet->p.seq = 7;
  packet->n_sacks = 3;
  thirl_sim_pool_give_packet(&pool, packet);
  thirl_sim_packet *again = thirl_sim_pool_take_packet(&pool);
  assert_ptr_equal(again, packet);
  assert_int_equal(again->p.seq, 0);
  assert_int_equal(again->n_sacks, 0);
  thirl_sim_pool_give_packet(&pool, again);
  thirl_sim_segment *segment = thirl_sim_pool_take_segment(&pool);
  thirl_sim_note *note = thirl_sim_pool_take_note(&pool);
  assert_int_equal(pool.n_segments + pool.n_notes, 2);
  segment->payload = thirl_sim_pool_take_payload(&pool);
  note->payload = thirl_sim_pool_share(segment->payload);
  thirl_sim_pool_give_segment(&pool, segment);
  thirl_sim_pool_give_note(&pool, note);
  thirl_sim_pool_give_note(&pool, NULL);
  assert_null(thirl_sim_pool_share(NULL));
  assert_int_equal(pool.n_payloads, 0);
  thirl_sim_pool_fini(&pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_payload_lives_as_long_as_its_last_holder),
      cmocka_unit_test(what_is_given_back_is_taken_again_and_clean),
  };
  return cmocka_run_group_tests_name("sim/pool", tests, NULL, NULL);
}
