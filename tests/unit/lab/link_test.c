/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lab/link.h"

static void put(thirl_lab_link *l, size_t len, size_t number, thirl_time when) {
  thirl_lab_packet *p = thirl_lab_link_packet_new(len);
  assert_non_null(p);
  p->out = number;
  thirl_lab_link_put(l, p, when);
}

static void takes(thirl_lab_link *l, thirl_time now, size_t number, thirl_time due) {
  thirl_lab_packet *p = thirl_lab_link_take(l, now);
  assert_non_null(p);
  assert_int_equal(p->out, number);
  assert_int_equal(p->due, due);
  free(p);
}

static void delays_to_the_microsecond(void **state) {
  (void)state;
  thirl_lab_link l;
  thirl_lab_link_init(&l, &(thirl_lab_link_terms){.delay = 25 * THIRL_MS, .queue_max = 1000}, 1);
  assert_false(thirl_lab_link_is_transparent(&l));
  assert_int_equal(thirl_lab_link_deadline(&l), THIRL_NEVER);
  put(&l, 100, 1, 1000);
  put(&l, 100, 2, 1001);
  assert_int_equal(thirl_lab_link_deadline(&l), 26000);
  assert_null(thirl_lab_link_take(&l, 25999));
  takes(&l, 26000, 1, 26000);
  assert_null(thirl_lab_link_take(&l, 26000));
  takes(&l, 30000, 2, 26001);
  assert_int_equal(thirl_lab_link_deadline(&l), THIRL_NEVER);
  thirl_lab_link_fini(&l);
}

static void jitter_stays_in_bounds_and_order(void **state) {
  (void)state;
  thirl_lab_link l;
  thirl_lab_link_init(&l, &(thirl_lab_link_terms){.delay = 1000, .jitter = 500, .queue_max = 1 << 20}, 7);
  thirl_time before = 0;
  size_t different = 0;
  for (size_t i = 0; i < 1000; i++)
    put(&l, 1, i, i * 10);
  for (size_t i = 0; i < 1000; i++) {
    thirl_lab_packet *p = thirl_lab_link_take(&l, THIRL_S);
    assert_non_null(p);
    assert_int_equal(p->out, i);
    assert_in_range(p->due, i * 10 + 1000, i * 10 + 1500);
    assert_true(p->due >= before);
    different += p->due != before;
    before = p->due;
    free(p);
  }
  assert_true(different > 100);
  thirl_lab_link_fini(&l);
}

static void loses_its_share_the_same_for_a_seed(void **state) {
  (void)state;
  uint64_t lost[2];
  for (int turn = 0; turn < 2; turn++) {
    thirl_lab_link l;
    thirl_lab_link_init(&l, &(thirl_lab_link_terms){.loss = 0.05, .queue_max = 1 << 20}, 42);
    assert_false(thirl_lab_link_is_transparent(&l));
    for (size_t i = 0; i < 10000; i++)
      put(&l, 1, i, 0);
    lost[turn] = l.stats.lost;
    assert_int_equal(l.stats.packets, 10000);
    assert_int_equal(l.queued, 10000 - lost[turn]);
    thirl_lab_link_fini(&l);
  }
  assert_in_range(lost[0], 400, 600);
  assert_int_equal(lost[0], lost[1]);
}

static void queue_is_bounded_in_bytes(void **state) {
  (void)state;
  thirl_lab_link l;
  thirl_lab_link_init(&l, &(thirl_lab_link_terms){.delay = 10, .queue_max = 250}, 1);
  put(&l, 100, 1, 0);
  put(&l, 100, 2, 0);
  put(&l, 51, 3, 0);
  assert_int_equal(l.stats.dropped, 1);
  put(&l, 50, 4, 0);
  assert_int_equal(l.stats.dropped, 1);
  assert_int_equal(l.stats.queued_max, 250);
  put(&l, 1, 5, 0);
  assert_int_equal(l.stats.dropped, 2);
  takes(&l, 10, 1, 10);
  put(&l, 100, 6, 20);
  assert_int_equal(l.stats.dropped, 2);
  assert_int_equal(l.stats.bytes, 402);
  thirl_lab_link_fini(&l);
}

static void without_terms_it_is_transparent(void **state) {
  (void)state;
  thirl_lab_link l;
  thirl_lab_link_init(&l, &(thirl_lab_link_terms){.queue_max = 250}, 1);
  assert_true(thirl_lab_link_is_transparent(&l));
  thirl_lab_link_pass(&l, 60);
  assert_int_equal(l.stats.packets, 1);
  assert_int_equal(l.stats.bytes, 60);
  put(&l, 10, 1, 5);
  assert_false(thirl_lab_link_is_transparent(&l)); /* nothing overtakes */
  takes(&l, 5, 1, 5);
  thirl_lab_link_fini(&l);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(delays_to_the_microsecond),           cmocka_unit_test(jitter_stays_in_bounds_and_order),
      cmocka_unit_test(loses_its_share_the_same_for_a_seed), cmocka_unit_test(queue_is_bounded_in_bytes),
      cmocka_unit_test(without_terms_it_is_transparent),
  };
  return cmocka_run_group_tests_name("lab/link", tests, NULL, NULL);
}
