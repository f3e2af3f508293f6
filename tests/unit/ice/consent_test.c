/* SPDX-License-Identifier: MIT */
/* RFC 7675, over TCP and UDP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "unit/ice/toy.h"

static toy *connected(bool tcp) {
  toy *t = toy_two(NULL);
  toy_hosts(t, tcp ? THIRL_ICE_TCP_SO : THIRL_ICE_UDP, tcp ? THIRL_ICE_TCP_SO : THIRL_ICE_UDP, 0, 5000);
  toy_go_and_run(t, THIRL_S);
  assert_int_equal(t->agent[0].selected, 1);
  assert_int_equal(t->agent[1].selected, 1);
  return t;
}

static void a_check_every_four_to_six_seconds(void **state) {
  (void)state;
  for (int tcp = 0; tcp < 2; tcp++) {
    toy *t = connected(tcp);
    for (int i = 0; i < 2; i++) {
      toy_agent *g = &t->agent[i];
      unsigned before = g->requests;
      thirl_time last = g->selected_at;
      bool differ = false;
      for (int k = 0; k < 20; k++) {
        while (g->requests == before + (unsigned)k)
          toy_run(t, THIRL_MIN(thirl_ice_deadline(t->agent[0].ice), thirl_ice_deadline(t->agent[1].ice)));
        assert_int_equal(g->requests, before + (unsigned)k + 1);
        if (i == 0 || k > 0) assert_in_range(t->now - last, 4 * THIRL_S, 6 * THIRL_S);
        differ = differ || t->now - last < 4500 * THIRL_MS || t->now - last > 5500 * THIRL_MS;
        last = t->now;
      }
      assert_true(differ); /* jitter */
      assert_int_equal(g->lost, 0);
    }
    toy_free(t);
  }
}

static void thirty_seconds_without_an_answer(void **state) {
  (void)state;
  toy *t = connected(false);
  toy_run(t, t->now + 20 * THIRL_S);
  /* the last answer came before now; from here on everything is lost */
  t->udp_cut = true;
  thirl_time cut = t->now;
  toy_run(t, cut + 23 * THIRL_S);
  assert_int_equal(t->agent[0].lost, 0);
  assert_int_equal(t->agent[1].lost, 0);
  toy_run(t, cut + 31 * THIRL_S);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(t->agent[i].lost, 1);
    assert_int_equal(t->agent[i].failed, 0);
    assert_in_range(t->agent[i].lost_at, cut + 23 * THIRL_S, cut + 30 * THIRL_S);
    unsigned sent = t->agent[i].sent;
    toy_run(t, t->now + 60 * THIRL_S);
    assert_int_equal(t->agent[i].sent, sent); /* nothing is sent to an address after that */
    assert_true(thirl_ice_deadline(t->agent[i].ice) == THIRL_NEVER);
  }
  toy_free(t);
}

static void exactly_thirty_seconds_when_nothing_was_ever_answered(void **state) {
  (void)state;
  toy *t = connected(false);
  t->udp_cut = true;
  toy_run(t, t->now + 60 * THIRL_S);
  for (int i = 0; i < 2; i++)
    assert_true(t->agent[i].lost_at == t->agent[i].selected_at + 30 * THIRL_S);
  toy_free(t);
}

static void a_short_silence_is_survived(void **state) {
  (void)state;
  toy *t = connected(false);
  for (int k = 0; k < 5; k++) {
    t->udp_cut = true;
    toy_run(t, t->now + 20 * THIRL_S);
    t->udp_cut = false;
    toy_run(t, t->now + 10 * THIRL_S);
  }
  assert_int_equal(t->agent[0].lost, 0);
  assert_int_equal(t->agent[1].lost, 0);
  toy_free(t);
}

static void a_closed_connection_is_lost_at_once(void **state) {
  (void)state;
  toy *t = connected(true);
  toy_run(t, t->now + 4 * THIRL_S);
  thirl_time at = t->now;
  toy_kill(t, 0, at, at + 10 * THIRL_MS);
  if (!t->conns[0].used) toy_kill(t, 1, at, at + 10 * THIRL_MS);
  toy_run(t, at + THIRL_S);
  assert_int_equal(t->agent[0].lost, 1);
  assert_int_equal(t->agent[1].lost, 1);
  assert_in_range(t->agent[0].lost_at, at, at + 10 * THIRL_MS);
  toy_free(t);
}

static void a_silent_connection_is_given_back(void **state) {
  (void)state;
  toy *t = connected(true);
  toy_run(t, t->now + 4 * THIRL_S);
  thirl_ice_input_event tick = {.kind = THIRL_ICE_TICK};
  thirl_ice_action a;
  bool aborted = false, lost = false;
  for (thirl_ice *g = t->agent[0].ice; thirl_ice_deadline(g) != THIRL_NEVER;) { /* nobody carries anything any more */
    t->now = thirl_ice_deadline(g);
    thirl_ice_input(g, t->now, &tick);
    while (thirl_ice_poll(g, t->now, &a)) {
      aborted = aborted || (a.kind == THIRL_ICE_ABORT && a.link == t->agent[0].last_selected.link);
      lost = lost || a.kind == THIRL_ICE_CONSENT_LOST;
    }
  }
  assert_true(aborted);
  assert_true(lost);
  toy_free(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_check_every_four_to_six_seconds),
      cmocka_unit_test(thirty_seconds_without_an_answer),
      cmocka_unit_test(exactly_thirty_seconds_when_nothing_was_ever_answered),
      cmocka_unit_test(a_short_silence_is_survived),
      cmocka_unit_test(a_closed_connection_is_lost_at_once),
      cmocka_unit_test(a_silent_connection_is_given_back),
  };
  return cmocka_run_group_tests_name("ice/consent", tests, NULL, NULL);
}
