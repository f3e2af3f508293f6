/* SPDX-License-Identifier: MIT */
/* TCP connections for pairs: how many, when, and what is never done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ice/agent.h"
#include "unit/ice/toy.h"

/* Agent 0 alone with one so pair to nobody; link 1 is connecting. */
static toy *lonely(void (*tweak)(thirl_ice_config *, int)) {
  toy *t = toy_two(tweak);
  thirl_addr a = toy_addr(0, 5000);
  thirl_ice_candidate c = {.type = THIRL_ICE_SRFLX, .transport = THIRL_ICE_TCP_SO, .addr = toy_addr(1, 5000)};
  toy_candidate(t, 0, THIRL_ICE_HOST, THIRL_ICE_TCP_SO, 0, a, a, false);
  assert_int_equal(thirl_ice_add_remote(t->agent[0].ice, t->now, &c), THIRL_OK);
  return t;
}

/* From here on the test itself is the network for agent 0's connects. */
static void by_hand(toy *t) {
  t->refusals_left[0] = 1000;
  t->refusal_delay = 1000 * THIRL_S;
}

static void fail_link(toy *t, thirl_error error) {
  thirl_ice_input_event ev = {.kind = THIRL_ICE_LINK_FAILED, .link = t->agent[0].last_link, .error = error};
  toy_input(t, 0, &ev);
}

static void all_pairs_fire_at_go(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  for (uint8_t lane = 0; lane < 3; lane++)
    toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, lane, (uint16_t)(5000 + lane));
  toy_hosts(t, THIRL_ICE_TCP_ACTIVE, THIRL_ICE_TCP_PASSIVE, 0, 7000);
  toy_go(t, 0, t->now + 300 * THIRL_MS);
  assert_int_equal(t->agent[0].connects, 0);
  assert_true(thirl_ice_deadline(t->agent[0].ice) == t->now + 300 * THIRL_MS);
  toy_run(t, t->now + 300 * THIRL_MS);
  assert_int_equal(t->agent[0].connects, 4);
  for (int i = 0; i < 4; i++)
    assert_int_equal(toy_ms(t->agent[0].connect_times[i]), 300);
  toy_free(t);
}

static void a_passive_candidate_never_connects(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_TCP_PASSIVE, THIRL_ICE_TCP_ACTIVE, 0, 7000);
  toy_go_and_run(t, THIRL_S);
  assert_int_equal(t->agent[0].connects, 0);
  assert_int_equal(t->agent[1].connects, 1);
  assert_int_equal(t->agent[0].selected, 1);
  assert_int_equal(t->agent[1].selected, 1);
  toy_free(t);
}

static void a_refusal_is_answered_at_once_by_a_new_link(void **state) {
  (void)state;
  static const thirl_error errors[] = {THIRL_E_REFUSED, THIRL_E_UNREACHABLE, THIRL_E_RESET};
  for (size_t e = 0; e < 3; e++) {
    toy *t = lonely(NULL);
    by_hand(t);
    toy_go(t, 0, t->now);
    assert_int_equal(t->agent[0].connects, 1);
    for (unsigned k = 1; k <= 8; k++) {
      thirl_ice_link before = t->agent[0].last_link;
      toy_run(t, t->now + 100 * THIRL_MS);
      assert_int_equal(t->agent[0].connects, k); /* nothing by itself */
      fail_link(t, errors[e]);
      assert_int_equal(t->agent[0].connects, k + 1); /* in the same drain: gap 0 */
      assert_true(t->agent[0].last_link > before);
    }
    fail_link(t, errors[e]); /* the ninth in a row */
    assert_int_equal(t->agent[0].connects, 9);
    thirl_time next = thirl_ice_deadline(t->agent[0].ice);
    assert_true(next >= t->now + 150 * THIRL_MS && next <= t->now + 250 * THIRL_MS);
    toy_run(t, next - 1);
    assert_int_equal(t->agent[0].connects, 9);
    toy_run(t, next);
    assert_int_equal(t->agent[0].connects, 10);
    assert_int_equal(t->agent[0].aborts, 0);
    thirl_ice_evidence ev;
    thirl_ice_get_evidence(t->agent[0].ice, &ev);
    assert_int_equal(ev.connects, 10);
    assert_int_equal(ev.refused, errors[e] == THIRL_E_UNREACHABLE ? 0 : 9);
    assert_int_equal(ev.unreachable, errors[e] == THIRL_E_UNREACHABLE ? 9 : 0);
    toy_free(t);
  }
}

static void two_refusals(thirl_ice_config *c, int agent) {
  (void)agent;
  c->refusals = 2;
}

static void the_number_of_repetitions_is_the_callers(void **state) {
  (void)state;
  toy *t = lonely(two_refusals);
  by_hand(t);
  toy_go(t, 0, t->now);
  for (int k = 0; k < 5; k++)
    fail_link(t, THIRL_E_REFUSED);
  assert_int_equal(t->agent[0].connects, 3);
  toy_free(t);
}

static void refused_until_the_end(void **state) {
  (void)state;
  toy *t = lonely(NULL);
  toy_host(t, toy_addr(1, 0), TOY_REFUSE);
  toy_go(t, 0, t->now);
  toy_run(t, t->now + 60 * THIRL_S);
  toy_agent *g = &t->agent[0];
  assert_int_equal(g->failed, 1);
  assert_int_equal(toy_ms(g->failed_at), 39500);
  assert_int_equal(g->reason, THIRL_E_REFUSED);
  for (int i = 0; i < 9; i++)
    assert_int_equal(toy_ms(g->connect_times[i]), 100 * i);
  /* then one each 100 ms of waiting for the RST and 150 to 250 ms of rest */
  assert_in_range(g->connects, 9 + 38500 / 350, 9 + 38700 / 250);
  assert_int_equal(toy_open_links(t, 0), 0);
  toy_free(t);
}

static void conforming(thirl_ice_config *c, int agent) {
  (void)agent;
  c->lanes = c->burst = c->nominate_first = false;
}

static void without_burst_a_refused_pair_has_failed(void **state) {
  (void)state;
  toy *t = lonely(conforming);
  thirl_ice_end_of_candidates(t->agent[0].ice, t->now);
  by_hand(t);
  toy_go(t, 0, t->now);
  assert_int_equal(t->agent[0].connects, 1);
  fail_link(t, THIRL_E_REFUSED);
  assert_int_equal(t->agent[0].connects, 1);
  assert_int_equal(t->agent[0].failed, 1);
  assert_int_equal(t->agent[0].reason, THIRL_E_REFUSED);
  toy_free(t);
}

static void a_connecting_link_is_left_alone(void **state) {
  (void)state;
  toy *t = lonely(NULL); /* the SYN is lost for ever */
  toy_go(t, 0, t->now);
  toy_run(t, t->now + 39 * THIRL_S);
  assert_int_equal(t->agent[0].connects, 1);
  assert_int_equal(t->agent[0].aborts, 0);
  toy_run(t, t->now + THIRL_S);
  assert_int_equal(t->agent[0].aborts, 1); /* the end */
  assert_int_equal(t->agent[0].reason, THIRL_E_TIMEOUT);
  toy_free(t);
}

static void a_timeout_fails_the_pair(void **state) {
  (void)state;
  toy *t = lonely(NULL);
  thirl_ice_end_of_candidates(t->agent[0].ice, t->now);
  by_hand(t);
  toy_go(t, 0, t->now);
  fail_link(t, THIRL_E_TIMEOUT);
  assert_int_equal(t->agent[0].connects, 1);
  assert_int_equal(t->agent[0].failed, 1);
  assert_int_equal(t->agent[0].reason, THIRL_E_TIMEOUT);
  toy_free(t);
}

static void a_four_tuple_in_use_is_waited_for(void **state) {
  (void)state;
  toy *t = lonely(NULL);
  thirl_ice_end_of_candidates(t->agent[0].ice, t->now);
  by_hand(t);
  toy_go(t, 0, t->now);
  fail_link(t, THIRL_E_IN_USE);
  assert_int_equal(t->agent[0].connects, 1);
  assert_int_equal(t->agent[0].failed, 0);
  toy_run(t, t->now + 999 * THIRL_MS);
  assert_int_equal(t->agent[0].connects, 1);
  thirl_addr local = toy_addr(0, 5000), remote = toy_addr(1, 5000);
  thirl_ice_link link;
  assert_int_equal(thirl_ice_accept(t->agent[0].ice, t->now, &local, &remote, &link), THIRL_OK);
  assert_int_equal(link, 2);
  toy_drain(t, 0);
  toy_run(t, t->now + 5 * THIRL_S); /* the connection has come in: nothing more to connect */
  assert_int_equal(t->agent[0].connects, 1);
  assert_int_equal(t->agent[0].ice->n_pairs, 1); /* it belongs to the pair */
  toy_free(t);
}

static void a_four_tuple_that_is_free_again_is_tried_again(void **state) {
  (void)state;
  toy *t = lonely(NULL);
  by_hand(t);
  toy_go(t, 0, t->now);
  fail_link(t, THIRL_E_IN_USE);
  toy_run(t, t->now + 1000 * THIRL_MS);
  assert_int_equal(t->agent[0].connects, 2);
  toy_free(t);
}

static void one_connection_for_two_crossing_syns(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 0, 5000);
  toy_go_and_run(t, THIRL_S);
  for (int i = 0; i < 2; i++) {
    toy_agent *g = &t->agent[i];
    assert_int_equal(g->connects, 1);
    assert_int_equal(g->aborts, 0);
    assert_int_equal(g->requests, 1);
    assert_int_equal(g->responses, 1);
    assert_int_equal(g->nominations, i == 0);
    assert_int_equal(toy_ms(g->confirmed_at), 100); /* one round trip */
    assert_int_equal(toy_ms(g->selected_at), i ? 150 : 200);
    assert_int_equal(g->selected, 1);
    thirl_ice_evidence e;
    thirl_ice_get_evidence(g->ice, &e);
    assert_int_equal(e.links_up, 1);
    assert_int_equal(e.heard, 1);
    assert_int_equal(e.dropped, 0);
  }
  toy_free(t);
}

/* A's SYN passes, B's does not: B has no way to connect, but a listener. */
static void the_listener_takes_what_does_not_cross(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  thirl_addr a = toy_addr(0, 5000), b = toy_addr(1, 5000);
  toy_candidate(t, 0, THIRL_ICE_HOST, THIRL_ICE_TCP_SO, 0, a, a, false);
  toy_candidate(t, 1, THIRL_ICE_HOST, THIRL_ICE_TCP_SO, 0, b, b, true);
  toy_go_and_run(t, THIRL_S);
  assert_int_equal(t->agent[0].connects, 1);
  assert_int_equal(t->agent[1].connects, 0);
  assert_int_equal(toy_ms(t->agent[0].confirmed_at), 100);
  assert_int_equal(toy_ms(t->agent[1].confirmed_at), 150);
  assert_int_equal(toy_ms(t->agent[0].selected_at), 200);
  assert_int_equal(toy_ms(t->agent[1].selected_at), 150);
  assert_int_equal(t->agent[1].last_selected.remote_type, THIRL_ICE_PRFLX);
  toy_free(t);
}

static void links_are_bounded(void **state) {
  (void)state;
  toy *t = lonely(NULL);
  thirl_addr local = toy_addr(0, 5000);
  thirl_ice_link link = 0;
  unsigned ok = 0;
  for (uint16_t i = 0; i < 1000; i++) {
    thirl_addr remote = toy_addr(1, (uint16_t)(10000 + i));
    thirl_error e = thirl_ice_accept(t->agent[0].ice, t->now, &local, &remote, &link);
    assert_true(e == THIRL_OK || e == THIRL_E_LIMIT);
    assert_true((link != 0) == (e == THIRL_OK));
    ok += e == THIRL_OK;
    toy_drain(t, 0);
  }
  assert_int_equal(ok, 24);
  toy_run(t, t->now + 10 * THIRL_S); /* silence: they are thrown out, and there is room again */
  assert_int_equal(t->agent[0].aborts, 24);
  assert_int_equal(t->agent[0].strangers, 0);
  thirl_addr remote = toy_addr(1, 9999);
  assert_int_equal(thirl_ice_accept(t->agent[0].ice, t->now, &local, &remote, &link), THIRL_OK);
  toy_free(t);
}

static void an_accepted_connection_needs_a_candidate(void **state) {
  (void)state;
  toy *t = lonely(NULL);
  thirl_addr local = toy_addr(0, 5001), remote = toy_addr(1, 5000);
  thirl_ice_link link;
  assert_int_equal(thirl_ice_accept(t->agent[0].ice, t->now, &local, &remote, &link), THIRL_E_NOT_FOUND);
  toy_free(t);
}

static void an_active_pair_connects_from_any_port(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_TCP_ACTIVE, THIRL_ICE_TCP_PASSIVE, 0, 7000);
  thirl_ice_candidate c;
  assert_true(thirl_ice_get_local(t->agent[0].ice, 0, &c));
  assert_int_equal(c.addr.port, 9);
  assert_int_equal(c.base.port, 0);
  toy_go_and_run(t, THIRL_S);
  assert_int_equal(t->agent[0].selected, 1);
  assert_int_equal(t->agent[0].last_selected.local_type,
                   THIRL_ICE_HOST); /* the port says nothing about an active candidate */
  assert_int_equal(t->agent[1].last_selected.remote_type, THIRL_ICE_PRFLX);
  toy_free(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_pairs_fire_at_go),
      cmocka_unit_test(a_passive_candidate_never_connects),
      cmocka_unit_test(a_refusal_is_answered_at_once_by_a_new_link),
      cmocka_unit_test(the_number_of_repetitions_is_the_callers),
      cmocka_unit_test(refused_until_the_end),
      cmocka_unit_test(without_burst_a_refused_pair_has_failed),
      cmocka_unit_test(a_connecting_link_is_left_alone),
      cmocka_unit_test(a_timeout_fails_the_pair),
      cmocka_unit_test(a_four_tuple_in_use_is_waited_for),
      cmocka_unit_test(a_four_tuple_that_is_free_again_is_tried_again),
      cmocka_unit_test(one_connection_for_two_crossing_syns),
      cmocka_unit_test(the_listener_takes_what_does_not_cross),
      cmocka_unit_test(links_are_bounded),
      cmocka_unit_test(an_accepted_connection_needs_a_candidate),
      cmocka_unit_test(an_active_pair_connects_from_any_port),
  };
  return cmocka_run_group_tests_name("ice/link", tests, NULL, NULL);
}
