/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ice/pair.h"
#include "unit/ice/toy.h"

/* The agent's insides: this test and the others of rooms look at the check list itself. */

static void conforming(thirl_ice_config *c, int agent) {
  (void)agent;
  c->lanes = c->burst = c->nominate_first = false;
}

static thirl_ice_candidate candidate(thirl_ice_type type, thirl_ice_transport transport, thirl_addr addr,
                                     thirl_addr base) {
  return (thirl_ice_candidate){.type = type, .transport = transport, .addr = addr, .base = base};
}

static void add_local(toy *t, thirl_ice_candidate c) {
  assert_int_equal(thirl_ice_add_local(t->agent[0].ice, &c), THIRL_OK);
}

static void add_remote(toy *t, thirl_ice_candidate c) {
  assert_int_equal(thirl_ice_add_remote(t->agent[0].ice, t->now, &c), THIRL_OK);
}

static void pair_priority_is_that_of_the_rfc(void **state) {
  (void)state;
  for (int controlling = 0; controlling < 2; controlling++) {
    toy *t = toy_new(1);
    thirl_ice_config c = toy_config(t, 0, controlling);
    toy_start(t, 0, &c);
    thirl_ice_candidate l = candidate(THIRL_ICE_HOST, THIRL_ICE_UDP, toy_addr(0, 1), toy_addr(0, 1));
    thirl_ice_candidate r = candidate(THIRL_ICE_SRFLX, THIRL_ICE_UDP, toy_addr(1, 1), toy_addr(1, 1));
    add_local(t, l);
    add_remote(t, r);
    thirl_ice *a = t->agent[0].ice;
    assert_int_equal(a->n_pairs, 1);
    /* 2^32 * MIN(G,D) + 2 * MAX(G,D) + (G > D) with 2130706431 and 1694498815 */
    assert_true(a->pairs[0].priority ==
                ((uint64_t)1694498815 << 32) + 2 * (uint64_t)2130706431 + (controlling ? 1 : 0));
    a->controlling = !controlling;
    thirl_ice_pair_reprioritize(a);
    assert_true(a->pairs[0].priority ==
                ((uint64_t)1694498815 << 32) + 2 * (uint64_t)2130706431 + (controlling ? 0 : 1));
    toy_free(t);
  }
}

static void transports_and_families_do_not_mix(void **state) {
  (void)state;
  toy *t = toy_two(conforming);
  thirl_ice *a = t->agent[0].ice;
  uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, ll[16] = {0xfe, 0x80, [15] = 1};
  for (int k = 0; k < 4; k++) {
    add_local(t, candidate(THIRL_ICE_HOST, (thirl_ice_transport)k, toy_addr(0, (uint16_t)(100 + k)),
                           toy_addr(0, (uint16_t)(100 + k))));
    add_remote(t, candidate(THIRL_ICE_HOST, (thirl_ice_transport)k, toy_addr(1, (uint16_t)(100 + k)), toy_addr(1, 1)));
  }
  assert_int_equal(
      a->n_pairs, 3); /* UDP-UDP, active-passive, so-so; passive-active waits for the peer and is no pair of the list */
  add_remote(t, candidate(THIRL_ICE_HOST, THIRL_ICE_UDP, thirl_addr_v6(v6, 5), toy_addr(1, 1)));
  assert_int_equal(a->n_pairs, 3);
  add_local(t, candidate(THIRL_ICE_HOST, THIRL_ICE_UDP, thirl_addr_v6(v6, 6), thirl_addr_v6(v6, 6)));
  assert_int_equal(a->n_pairs, 4);
  add_remote(t, candidate(THIRL_ICE_HOST, THIRL_ICE_UDP, thirl_addr_v6(ll, 5), toy_addr(1, 1)));
  assert_int_equal(a->n_pairs, 4); /* link-local only with link-local */
  toy_free(t);
}

static void reflexive_candidates_are_replaced_by_their_base(void **state) {
  (void)state;
  toy *t = toy_two(conforming);
  thirl_ice *a = t->agent[0].ice;
  add_remote(t, candidate(THIRL_ICE_HOST, THIRL_ICE_TCP_SO, toy_addr(1, 5000), toy_addr(1, 5000)));
  add_local(t, candidate(THIRL_ICE_SRFLX, THIRL_ICE_TCP_SO, thirl_addr_v4(203, 0, 113, 1, 6000), toy_addr(0, 5000)));
  assert_int_equal(a->n_pairs, 1);
  uint64_t low = a->pairs[0].priority;
  add_local(t, candidate(THIRL_ICE_HOST, THIRL_ICE_TCP_SO, toy_addr(0, 5000), toy_addr(0, 5000)));
  assert_int_equal(a->n_pairs, 1);
  assert_true(a->pairs[0].priority > low); /* of two that look alike on the wire the better stays */
  assert_int_equal(a->locals[a->pairs[0].local].type, THIRL_ICE_HOST);
  toy_free(t);
}

static void lanes_are_paired_with_themselves(void **state) {
  (void)state;
  for (int lanes = 0; lanes < 2; lanes++) {
    toy *t = toy_two(lanes ? NULL : conforming);
    for (uint8_t lane = 0; lane < 3; lane++)
      toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, lane, (uint16_t)(5000 + lane));
    assert_int_equal(t->agent[0].ice->n_pairs, lanes ? 3 : 9);
    toy_free(t);
  }
}

static void we_do_not_connect_to_ourselves(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  add_local(t, candidate(THIRL_ICE_HOST, THIRL_ICE_TCP_SO, toy_addr(0, 5000), toy_addr(0, 5000)));
  add_remote(t, candidate(THIRL_ICE_HOST, THIRL_ICE_TCP_SO, toy_addr(0, 5000), toy_addr(1, 1)));
  assert_int_equal(t->agent[0].ice->n_pairs, 0);
  toy_free(t);
}

static void the_list_is_bounded_and_keeps_the_best(void **state) {
  (void)state;
  toy *t = toy_two(conforming);
  thirl_ice *a = t->agent[0].ice;
  for (uint16_t i = 0; i < 4; i++)
    add_local(t, candidate(THIRL_ICE_HOST, THIRL_ICE_UDP, toy_addr(0, (uint16_t)(100 + i)),
                           toy_addr(0, (uint16_t)(100 + i))));
  for (uint16_t i = 0; i < 1000; i++) {
    thirl_ice_candidate c = candidate(THIRL_ICE_HOST, THIRL_ICE_UDP, toy_addr(1, (uint16_t)(1000 + i)), toy_addr(1, 1));
    c.priority = 1000u + i; /* each better than the one before */
    assert_int_equal(thirl_ice_add_remote(a, t->now, &c), i < THIRL_ICE_REMOTE_MAX ? THIRL_OK : THIRL_E_LIMIT);
  }
  assert_int_equal(a->n_remotes, THIRL_ICE_REMOTE_MAX);
  assert_int_equal(a->n_pairs, THIRL_ICE_PAIRS_MAX);
  for (unsigned i = 0; i < a->n_pairs; i++) /* 4 x 32 pairs, room for those of the best 16 */
    assert_true(a->remotes[a->pairs[i].remote].priority >= 1000 + 16);
  toy_free(t);
}

static void the_next_pair_is_the_best_that_waits(void **state) {
  (void)state;
  toy *t = toy_two(conforming);
  thirl_ice *a = t->agent[0].ice;
  add_local(t, candidate(THIRL_ICE_HOST, THIRL_ICE_UDP, toy_addr(0, 100), toy_addr(0, 100)));
  for (uint16_t i = 0; i < 3; i++) {
    thirl_ice_candidate c = candidate(THIRL_ICE_HOST, THIRL_ICE_UDP, toy_addr(1, (uint16_t)(200 + i)), toy_addr(1, 1));
    c.priority = 100u + i;
    c.foundation = i < 2 ? 7 : 8;
    assert_int_equal(thirl_ice_add_remote(a, t->now, &c), THIRL_OK);
  }
  assert_int_equal(thirl_ice_pair_next(a), 2); /* the best of all */
  thirl_ice_pair_set(a, 2, THIRL_ICE_PAIR_IN_PROGRESS);
  assert_int_equal(thirl_ice_pair_next(a), 1); /* its foundation is not being checked */
  thirl_ice_pair_set(a, 1, THIRL_ICE_PAIR_IN_PROGRESS);
  assert_int_equal(thirl_ice_pair_next(a), THIRL_ICE_NO_PAIR); /* pair 0 is frozen: its twin is being checked */
  thirl_ice_pair_set(a, 1, THIRL_ICE_PAIR_SUCCEEDED);
  assert_int_equal(a->pairs[0].state, THIRL_ICE_PAIR_WAITING);
  assert_int_equal(thirl_ice_pair_next(a), 0);
  toy_free(t);
}

static void what_is_frozen_has_its_turn_when_its_twin_has_failed(void **state) {
  (void)state;
  toy *t = toy_two(conforming);
  thirl_ice *a = t->agent[0].ice;
  add_local(t, candidate(THIRL_ICE_HOST, THIRL_ICE_UDP, toy_addr(0, 100), toy_addr(0, 100)));
  for (uint16_t i = 0; i < 2; i++) {
    thirl_ice_candidate c = candidate(THIRL_ICE_HOST, THIRL_ICE_UDP, toy_addr(1, (uint16_t)(200 + i)), toy_addr(1, 1));
    c.foundation = 7;
    assert_int_equal(thirl_ice_add_remote(a, t->now, &c), THIRL_OK);
  }
  thirl_ice_pair_set(a, 0, THIRL_ICE_PAIR_IN_PROGRESS);
  assert_int_equal(thirl_ice_pair_next(a), THIRL_ICE_NO_PAIR);
  thirl_ice_pair_set(a, 0, THIRL_ICE_PAIR_FAILED);
  assert_int_equal(thirl_ice_pair_next(a), 1);
  toy_free(t);
}

static void a_listener_on_every_address_counts_for_each(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  thirl_ice *a = t->agent[0].ice;
  thirl_addr any = thirl_addr_any(THIRL_FAMILY_V4, 5000), got = toy_addr(0, 5000), other = toy_addr(0, 5001);
  add_local(t, candidate(THIRL_ICE_SRFLX, THIRL_ICE_TCP_SO, thirl_addr_v4(203, 0, 113, 1, 6000), any));
  assert_int_equal(thirl_ice_pair_local_of(a, true, &got), 0);
  add_local(t, candidate(THIRL_ICE_HOST, THIRL_ICE_TCP_SO, got, got));
  assert_int_equal(thirl_ice_pair_local_of(a, true, &got), 1);
  assert_int_equal(thirl_ice_pair_local_of(a, false, &got), -1);
  assert_int_equal(thirl_ice_pair_local_of(a, true, &other), -1);
  toy_free(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pair_priority_is_that_of_the_rfc),
      cmocka_unit_test(transports_and_families_do_not_mix),
      cmocka_unit_test(reflexive_candidates_are_replaced_by_their_base),
      cmocka_unit_test(lanes_are_paired_with_themselves),
      cmocka_unit_test(we_do_not_connect_to_ourselves),
      cmocka_unit_test(the_list_is_bounded_and_keeps_the_best),
      cmocka_unit_test(the_next_pair_is_the_best_that_waits),
      cmocka_unit_test(what_is_frozen_has_its_turn_when_its_twin_has_failed),
      cmocka_unit_test(a_listener_on_every_address_counts_for_each),
  };
  return cmocka_run_group_tests_name("ice/pair", tests, NULL, NULL);
}
