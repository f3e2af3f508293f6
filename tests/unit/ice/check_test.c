/* SPDX-License-Identifier: MIT */
/* Requests on the wire: how many, when, and what follows from the answers. The one-way delay is 50 ms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ice/agent.h"
#include "unit/ice/toy.h"

static void conforming(thirl_ice_config *c, int agent) {
  (void)agent;
  c->lanes = c->burst = c->nominate_first = false;
}

static void patient(thirl_ice_config *c, int agent) {
  conforming(c, agent);
  c->give_up = 100 * THIRL_S;
}

static void regular_burst(thirl_ice_config *c, int agent) {
  (void)agent;
  c->nominate_first = false;
}

static void assert_times(const toy_agent *g, const unsigned *ms, unsigned n) {
  assert_int_equal(g->requests, n);
  for (unsigned i = 0; i < n; i++)
    assert_int_equal(toy_ms(g->request_times[i]), ms[i]);
}

static void nobody_answers_over_udp(void **state) {
  (void)state;
  static const unsigned rfc[] = {0, 500, 1500, 3500, 7500, 15500, 31500};
  static const unsigned burst[] = {0, 10, 30, 70, 130, 220, 355};
  for (int i = 0; i < 2; i++) {
    toy *t = toy_two(i ? regular_burst : patient);
    t->udp_cut = true;
    toy_hosts(t, THIRL_ICE_UDP, THIRL_ICE_UDP, 0, 5000);
    thirl_ice_end_of_candidates(t->agent[0].ice, t->now);
    toy_go_and_run(t, 90 * THIRL_S);
    assert_times(&t->agent[0], i ? burst : rfc, 7);
    assert_int_equal(t->agent[0].failed, 1);
    assert_int_equal(toy_ms(t->agent[0].failed_at), i ? 10000 : 39500);
    assert_int_equal(t->agent[0].reason, THIRL_E_TIMEOUT);
    assert_int_equal(t->agent[1].failed, i); /* not told that there are no more candidates, it waits for give_up */
    if (i) assert_int_equal(toy_ms(t->agent[1].failed_at), 39500);
    thirl_ice_evidence e;
    thirl_ice_get_evidence(t->agent[0].ice, &e);
    assert_int_equal(e.timeouts, 1);
    assert_int_equal(e.checks, 7);
    assert_true(thirl_ice_deadline(t->agent[0].ice) == THIRL_NEVER);
    toy_free(t);
  }
}

static void checks_keep_the_pace(void **state) {
  (void)state;
  static const unsigned ms[] = {0, 50, 100, 150, 200};
  toy *t = toy_two(conforming);
  t->udp_cut = true;
  thirl_addr a = toy_addr(0, 5000);
  toy_candidate(t, 0, THIRL_ICE_HOST, THIRL_ICE_UDP, 0, a, a, true);
  for (uint32_t i = 0; i < 5; i++) {
    thirl_ice_candidate c = {.type = THIRL_ICE_HOST, .addr = toy_addr(1, (uint16_t)(5000 + i)), .foundation = i + 1};
    assert_int_equal(thirl_ice_add_remote(t->agent[0].ice, t->now, &c), THIRL_OK);
  }
  toy_go(t, 0, t->now);
  toy_run(t, t->now + 400 * THIRL_MS);
  assert_times(&t->agent[0], ms, 5);
  toy_free(t);
}

static void one_foundation_is_checked_once_at_a_time(void **state) {
  (void)state;
  toy *t = toy_two(conforming);
  t->udp_cut = true;
  thirl_addr a = toy_addr(0, 5000);
  toy_candidate(t, 0, THIRL_ICE_HOST, THIRL_ICE_UDP, 0, a, a, true);
  for (uint16_t i = 0; i < 2; i++) {
    thirl_ice_candidate c = {.type = THIRL_ICE_HOST, .addr = toy_addr(1, (uint16_t)(5000 + i)), .foundation = 1};
    assert_int_equal(thirl_ice_add_remote(t->agent[0].ice, t->now, &c), THIRL_OK);
  }
  toy_go(t, 0, t->now);
  toy_run(t, t->now + 400 * THIRL_MS);
  assert_int_equal(t->agent[0].requests, 1);
  toy_free(t);
}

/* Both check at 0; each is asked at 50, answers and checks once more; both are answered at 100; the nomination arrives at 150. */
static void two_conforming_agents_over_udp(void **state) {
  (void)state;
  toy *t = toy_two(conforming);
  toy_hosts(t, THIRL_ICE_UDP, THIRL_ICE_UDP, 0, 5000);
  toy_go_and_run(t, THIRL_S);
  toy_agent *a = &t->agent[0], *b = &t->agent[1];
  assert_int_equal(a->requests, 3);
  assert_int_equal(a->nominations, 1);
  assert_int_equal(a->responses, 2);
  assert_int_equal(b->requests, 2);
  assert_int_equal(b->nominations, 0);
  assert_int_equal(b->responses, 3);
  assert_int_equal(a->sent + b->sent, 10);
  assert_int_equal(toy_ms(a->selected_at), 200);
  assert_int_equal(toy_ms(b->selected_at), 150);
  assert_int_equal(a->last_selected.link, 0);
  thirl_addr there = toy_addr(1, 5000), here = toy_addr(0, 5000);
  assert_true(thirl_addr_equal(&a->last_selected.remote, &there));
  assert_true(thirl_addr_equal(&a->last_selected.local, &here));
  assert_true(thirl_addr_equal(&a->last_selected.mapped, &here));
  assert_int_equal(a->last_selected.local_type, THIRL_ICE_HOST);
  assert_int_equal(a->last_selected.remote_type, THIRL_ICE_HOST);
  toy_free(t);
}

/* With nominate_first the triggered check at 50 nominates: one round trip and a half. */
static void two_hasty_agents_over_udp(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_UDP, THIRL_ICE_UDP, 0, 5000);
  toy_go_and_run(t, THIRL_S);
  assert_int_equal(toy_ms(t->agent[0].selected_at), 150);
  assert_int_equal(toy_ms(t->agent[1].selected_at), 100);
  assert_int_equal(t->agent[0].selected + t->agent[1].selected, 2);
  toy_free(t);
}

static void one_request_over_tcp_and_no_repetition(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_host(t, toy_addr(1, 0), TOY_SILENT);
  thirl_addr a = toy_addr(0, 5000);
  toy_candidate(t, 0, THIRL_ICE_HOST, THIRL_ICE_TCP_SO, 0, a, a, true);
  thirl_ice_candidate c = {.type = THIRL_ICE_HOST, .transport = THIRL_ICE_TCP_SO, .addr = toy_addr(1, 5000)};
  assert_int_equal(thirl_ice_add_remote(t->agent[0].ice, t->now, &c), THIRL_OK);
  thirl_ice_end_of_candidates(t->agent[0].ice, t->now);
  toy_go(t, 0, t->now);
  toy_run(t, t->now + 60 * THIRL_S);
  toy_agent *g = &t->agent[0];
  assert_int_equal(g->connects, 1);
  assert_int_equal(g->confirmed, 0); /* somebody is there, and has not shown that it is the peer */
  assert_int_equal(g->requests, 1);
  assert_int_equal(g->strangers, 0); /* silence is no stranger */
  assert_int_equal(g->aborts, 1);
  assert_int_equal(g->failed, 1);
  assert_int_equal(toy_ms(g->failed_at), 10100);
  assert_int_equal(g->reason, THIRL_E_TIMEOUT);
  toy_free(t);
}

/* RFC 8445 7.2.5.2.1. B's port is translated on the way out only: its answers do not come from where A has asked. */
static void an_answer_from_elsewhere_fails_the_pair(void **state) {
  (void)state;
  toy *t = toy_two(conforming);
  toy_hosts(t, THIRL_ICE_UDP, THIRL_ICE_UDP, 0, 5000);
  toy_map(t, toy_addr(1, 5000), toy_addr(1, 6000));
  toy_go(t, 0, t->now);
  toy_run(t, t->now + 120 * THIRL_MS);
  thirl_ice *a = t->agent[0].ice;
  assert_int_equal(a->pairs[0].state, THIRL_ICE_PAIR_FAILED);
  assert_int_equal(a->n_pairs, 2); /* B's triggered check came from the other port: a peer-reflexive candidate */
  toy_run(t, t->now + THIRL_S);
  assert_int_equal(t->agent[0].selected, 1);
  assert_int_equal(t->agent[0].last_selected.remote_type, THIRL_ICE_PRFLX);
  assert_int_equal(t->agent[0].last_selected.remote.port, 6000);
  assert_int_equal(t->agent[1].selected, 1);
  assert_int_equal(t->agent[1].last_selected.local_type, THIRL_ICE_PRFLX);
  assert_int_equal(t->agent[1].last_selected.mapped.port, 6000);
  toy_free(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nobody_answers_over_udp),
      cmocka_unit_test(checks_keep_the_pace),
      cmocka_unit_test(one_foundation_is_checked_once_at_a_time),
      cmocka_unit_test(two_conforming_agents_over_udp),
      cmocka_unit_test(two_hasty_agents_over_udp),
      cmocka_unit_test(one_request_over_tcp_and_no_repetition),
      cmocka_unit_test(an_answer_from_elsewhere_fails_the_pair),
  };
  return cmocka_run_group_tests_name("ice/check", tests, NULL, NULL);
}
