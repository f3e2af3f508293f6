/* SPDX-License-Identifier: MIT */
#include "session/round.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const thirl_time T = 1000 * THIRL_S;

static thirl_session_round dialing(void) {
  thirl_session_round r;
  thirl_session_round_init(&r, T);
  return r;
}

static thirl_dice dice_of(uint64_t seed) {
  thirl_dice d;
  thirl_dice_seed(&d, seed);
  return d;
}

static void one_at_a_time(void **state) {
  thirl_session_round r = dialing();
  (void)state;
  assert_int_equal(thirl_session_round_next(&r), T);
  assert_int_equal(thirl_session_round_patience_ends(&r), THIRL_NEVER);
  thirl_session_round_begin(&r, T);
  assert_int_equal(thirl_session_round_next(&r), THIRL_NEVER);
  assert_int_equal(thirl_session_round_patience_ends(&r), T + 15 * THIRL_S);
}

static void who_does_not_dial_asks_for_none(void **state) {
  thirl_session_round r;
  (void)state;
  thirl_session_round_init(&r, THIRL_NEVER);
  assert_int_equal(thirl_session_round_next(&r), THIRL_NEVER);
}

/* Half the gap is certain, up to a gap more (at most 1 s) is diced; the gap doubles until its limit. */
static void in_vain_it_waits_longer_each_time(void **state) {
  (void)state;
  for (int pathless = 0; pathless < 2; pathless++) {
    thirl_session_round r = dialing();
    thirl_dice dice = dice_of(7);
    for (unsigned i = 0; i < 12; i++) {
      thirl_time gap = THIRL_MIN(THIRL_S << THIRL_MIN(i, 10u), (pathless ? 8 : 60) * THIRL_S);
      thirl_session_round_begin(&r, T);
      thirl_session_round_end(&r, T, THIRL_E_LIMIT, pathless, &dice);
      assert_in_range(r.at, T + gap / 2, T + gap / 2 + THIRL_MIN(gap, THIRL_S));
    }
    thirl_session_round_begin(&r, T);
    thirl_session_round_end(&r, T, THIRL_OK, pathless, &dice);
    assert_int_equal(r.at, THIRL_NEVER);
    assert_int_equal(r.failures, 0);
  }
}

static void a_lost_relay_is_asked_for_soon_but_not_sooner_than_a_second_after_the_last(void **state) {
  thirl_session_round r = dialing();
  thirl_dice dice = dice_of(1);
  (void)state;
  thirl_session_round_begin(&r, T);
  thirl_session_round_after_relay(&r, T, &dice); /* one is under way already */
  assert_int_equal(r.at, THIRL_NEVER);
  thirl_session_round_end(&r, T, THIRL_OK, false, &dice);
  thirl_session_round_after_relay(&r, T, &dice);
  assert_in_range(r.at, T + THIRL_S, T + 2 * THIRL_S);
  thirl_time before = r.at;
  thirl_session_round_after_relay(&r, T + 60 * THIRL_S, &dice); /* what is wanted earlier stays */
  assert_int_equal(r.at, before);
}

static void a_lost_direct_path_is_repaired_at_once(void **state) {
  thirl_session_round r = dialing();
  thirl_dice dice = dice_of(1);
  (void)state;
  thirl_session_round_begin(&r, T);
  thirl_session_round_end(&r, T, THIRL_OK, false, &dice);
  thirl_session_round_after_direct(&r, T + 60 * THIRL_S);
  assert_int_equal(r.at, T + 60 * THIRL_S);
}

static void punching_in_vain_is_tried_less_and_less(void **state) {
  static const unsigned relayed[] = {30, 60, 120, 240, 480, 600, 600}, repaired[] = {5, 10, 20, 40, 80, 160, 160};
  (void)state;
  for (int was_direct = 0; was_direct < 2; was_direct++) {
    thirl_session_round r = dialing();
    for (int i = 0; i < 7; i++) {
      thirl_session_round_rest(&r);
      thirl_session_round_after_punch(&r, T, true, was_direct);
      assert_int_equal(r.at, T + (was_direct ? repaired : relayed)[i] * THIRL_S);
    }
    thirl_session_round_rest(&r);
    thirl_session_round_after_punch(&r, T, false, was_direct); /* nothing carries: no patience */
    assert_int_equal(r.at, T + THIRL_S);
    thirl_session_round_after_punch(&r, T, true, was_direct);
    assert_int_equal(r.at, T + THIRL_S);
    thirl_session_round_punch_worked(&r);
    thirl_session_round_rest(&r);
    thirl_session_round_after_punch(&r, T, true, was_direct);
    assert_int_equal(r.at, T + (was_direct ? 5 : 30) * THIRL_S);
  }
}

static void when_the_server_is_back_what_waited_goes_on(void **state) {
  thirl_session_round r = dialing();
  (void)state;
  thirl_session_round_begin(&r, T);
  thirl_session_round_anew(&r, T + 5, false);
  assert_int_equal(thirl_session_round_next(&r), THIRL_NEVER);
  assert_int_equal(thirl_session_round_patience_ends(&r), THIRL_NEVER);
  thirl_session_round_anew(&r, T + 5, true);
  assert_int_equal(thirl_session_round_next(&r), T + 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_at_a_time),
      cmocka_unit_test(who_does_not_dial_asks_for_none),
      cmocka_unit_test(in_vain_it_waits_longer_each_time),
      cmocka_unit_test(a_lost_relay_is_asked_for_soon_but_not_sooner_than_a_second_after_the_last),
      cmocka_unit_test(a_lost_direct_path_is_repaired_at_once),
      cmocka_unit_test(punching_in_vain_is_tried_less_and_less),
      cmocka_unit_test(when_the_server_is_back_what_waited_goes_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
