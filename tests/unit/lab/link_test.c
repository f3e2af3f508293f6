/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lab/frame/link.h"

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

static void a_rate_puts_one_behind_the_other(void **state) {
  (void)state;
  thirl_lab_link l;
  /* 12 Mbit/s: 1500 bytes a millisecond. */
  thirl_lab_link_init(&l, &(thirl_lab_link_terms){.rate = 12000000, .delay = 10}, 1);
  assert_true(thirl_lab_link_is_choosy(&l));
  put(&l, 1500, 1, 0);
  put(&l, 1500, 2, 0);
  put(&l, 750, 3, 100);
  takes(&l, THIRL_S, 1, 1010);
  takes(&l, THIRL_S, 2, 2010);
  takes(&l, THIRL_S, 3, 2510);
  put(&l, 1500, 4, 10000); /* after a rest: as at the beginning */
  takes(&l, THIRL_S, 4, 11010);
  thirl_lab_link_fini(&l);
}

static void a_rate_loses_no_time_to_rounding(void **state) {
  (void)state;
  thirl_lab_link l;
  thirl_lab_link_init(&l, &(thirl_lab_link_terms){.rate = 1000000000, .queue_max = 10 << 20}, 1);
  for (size_t i = 0; i < 1000; i++)
    put(&l, 1514, i, 0); /* 12.112 us each */
  thirl_time last = 0;
  for (thirl_lab_packet *p; (p = thirl_lab_link_take(&l, THIRL_S)); free(p))
    last = p->due;
  assert_int_equal(last, 12112);
  thirl_lab_link_fini(&l);
}

static void a_bucket_lets_a_burst_through(void **state) {
  (void)state;
  thirl_lab_link l;
  thirl_lab_link_init(&l, &(thirl_lab_link_terms){.rate = 8000000, .bucket = 3000}, 1);
  for (size_t i = 0; i < 5; i++)
    put(&l, 1000, i, 10000);
  takes(&l, THIRL_S, 0, 10000);
  takes(&l, THIRL_S, 1, 10000);
  takes(&l, THIRL_S, 2, 10000);
  takes(&l, THIRL_S, 3, 11000);
  takes(&l, THIRL_S, 4, 12000);
  thirl_lab_link_fini(&l);
}

static void the_queue_of_a_rate_is_what_waits(void **state) {
  (void)state;
  thirl_lab_link l;
  /* 1000 bytes a millisecond, a second of delay: what is under way does not count, what waits does. */
  thirl_lab_link_init(&l, &(thirl_lab_link_terms){.rate = 8000000, .delay = THIRL_S, .queue_max = 2500}, 1);
  for (size_t i = 0; i < 100; i++)
    put(&l, 1000, i, i * 1000);
  assert_int_equal(l.stats.dropped, 0);
  thirl_time t = 200 * THIRL_MS;
  put(&l, 1000, 100, t); /* leaves at once; then 1000, 2000 wait, and one more would be 3000 */
  put(&l, 1000, 101, t);
  put(&l, 1000, 102, t);
  assert_int_equal(l.stats.dropped, 1);
  put(&l, 500, 103, t);
  assert_int_equal(l.stats.dropped, 1);
  thirl_lab_link_fini(&l);
}

static void a_rate_alone_has_a_queue_of_its_own_size(void **state) {
  (void)state;
  thirl_lab_link l;
  thirl_lab_link_init(&l, &(thirl_lab_link_terms){.rate = 80000000}, 1); /* 100 ms: 1,000,000 bytes */
  for (size_t i = 0; i < 1100; i++)
    put(&l, 1000, i, 0);
  assert_int_equal(l.stats.dropped, 100);
  thirl_lab_link_fini(&l);
  thirl_lab_link_init(&l, &(thirl_lab_link_terms){.rate = 80000}, 1); /* 64 KiB at least */
  for (size_t i = 0; i < 100; i++)
    put(&l, 1024, i, 0);
  assert_int_equal(l.stats.dropped, 36);
  thirl_lab_link_fini(&l);
}

static void bursts_keep_the_share_and_their_length(void **state) {
  (void)state;
  thirl_lab_link l;
  enum { N = 200000 };
  thirl_lab_link_init(&l, &(thirl_lab_link_terms){.loss = 0.05, .burst = 8}, 5);
  size_t bursts = 0, lost = 0;
  bool was = false;
  for (size_t i = 0; i < N; i++) {
    uint64_t before = l.stats.lost;
    put(&l, 1, i, i);
    bool is = l.stats.lost > before;
    lost += is;
    bursts += is && !was;
    was = is;
    free(thirl_lab_link_take(&l, i));
  }
  assert_int_equal(lost, l.stats.lost);
  assert_in_range(lost, N * 45 / 1000, N * 55 / 1000);
  assert_in_range(lost * 10 / bursts, 74, 86); /* 8.0 in a row; 1.05 were they independent */
  thirl_lab_link_fini(&l);
}

static void late_ones_are_overtaken(void **state) {
  (void)state;
  thirl_lab_link l;
  thirl_lab_link_init(&l, &(thirl_lab_link_terms){.delay = 1000, .reorder = 0.1, .reorder_by = 350}, 3);
  for (size_t i = 0; i < 1000; i++)
    put(&l, 1, i, i * 100);
  size_t late = 0, n = 0, overtaken = 0, highest = 0;
  thirl_time before = 0;
  for (thirl_lab_packet *p; (p = thirl_lab_link_take(&l, THIRL_S)); free(p), n++) {
    bool is_late = p->due == p->out * 100 + 1350;
    assert_true(is_late || p->due == p->out * 100 + 1000);
    assert_true(p->due >= before);
    before = p->due;
    late += is_late;
    overtaken += p->out < highest;
    highest = THIRL_MAX(highest, p->out);
  }
  assert_int_equal(n, 1000);
  assert_int_equal(late, l.stats.late);
  assert_in_range(late, 70, 130);
  assert_in_range(overtaken, late - 5, late); /* but for three late ones in a row, and the last */
  thirl_lab_link_fini(&l);
}

static void doubles_come_right_behind(void **state) {
  (void)state;
  thirl_lab_link l;
  thirl_lab_link_init(&l, &(thirl_lab_link_terms){.duplicate = 0.2}, 3);
  for (size_t i = 0; i < 1000; i++)
    put(&l, 1, i, i * 100);
  size_t n = 0, doubled = 0, last = SIZE_MAX;
  for (thirl_lab_packet *p; (p = thirl_lab_link_take(&l, THIRL_S)); free(p), n++) {
    assert_int_equal(p->due, p->out * 100);
    doubled += p->out == last;
    last = p->out;
  }
  assert_int_equal(n, 1000 + doubled);
  assert_int_equal(doubled, l.stats.doubled);
  assert_in_range(doubled, 150, 250);
  thirl_lab_link_fini(&l);
}

static void a_cut_link_delivers_what_was_under_way(void **state) {
  (void)state;
  thirl_lab_link l;
  thirl_lab_link_init(&l, &(thirl_lab_link_terms){.delay = 10}, 1);
  put(&l, 1, 1, 0);
  thirl_lab_link_set_terms(&l, &(thirl_lab_link_terms){.cut = true});
  assert_false(thirl_lab_link_is_transparent(&l));
  put(&l, 1, 2, 5);
  takes(&l, 10, 1, 10);
  assert_null(thirl_lab_link_take(&l, THIRL_S));
  assert_int_equal(l.stats.lost, 1);
  assert_false(thirl_lab_link_is_transparent(&l));
  thirl_lab_link_set_terms(&l, &(thirl_lab_link_terms){0});
  assert_true(thirl_lab_link_is_transparent(&l));
  thirl_lab_link_fini(&l);
}

static void senseless_terms_are_bounded(void **state) {
  (void)state;
  thirl_lab_link l;
  thirl_lab_link_init(&l,
                      &(thirl_lab_link_terms){.delay = THIRL_NEVER,
                                              .jitter = THIRL_NEVER,
                                              .rate = 1,
                                              .bucket = SIZE_MAX,
                                              .mtu = 1,
                                              .burst = 1e300,
                                              .loss = 0.5},
                      1);
  assert_int_equal(l.terms.mtu, THIRL_LAB_LINK_MTU_MIN);
  assert_int_equal(l.terms.rate, THIRL_LAB_LINK_RATE_MIN);
  for (size_t i = 0; i < 1000; i++)
    put(&l, 1500, i, i);
  assert_null(thirl_lab_link_take(&l, THIRL_NEVER - 1));
  thirl_lab_link_fini(&l);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(delays_to_the_microsecond),
      cmocka_unit_test(jitter_stays_in_bounds_and_order),
      cmocka_unit_test(loses_its_share_the_same_for_a_seed),
      cmocka_unit_test(queue_is_bounded_in_bytes),
      cmocka_unit_test(without_terms_it_is_transparent),
      cmocka_unit_test(a_rate_puts_one_behind_the_other),
      cmocka_unit_test(a_rate_loses_no_time_to_rounding),
      cmocka_unit_test(a_bucket_lets_a_burst_through),
      cmocka_unit_test(the_queue_of_a_rate_is_what_waits),
      cmocka_unit_test(a_rate_alone_has_a_queue_of_its_own_size),
      cmocka_unit_test(bursts_keep_the_share_and_their_length),
      cmocka_unit_test(late_ones_are_overtaken),
      cmocka_unit_test(doubles_come_right_behind),
      cmocka_unit_test(a_cut_link_delivers_what_was_under_way),
      cmocka_unit_test(senseless_terms_are_bounded),
  };
  return cmocka_run_group_tests_name("lab/link", tests, NULL, NULL);
}
