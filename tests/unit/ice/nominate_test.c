/* SPDX-License-Identifier: MIT */
/* Which pair is used. The random counterpart is converge_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ice/agent.h"
#include "unit/ice/toy.h"

static void regular(thirl_ice_config *c, int agent) {
  (void)agent;
  c->nominate_first = false;
}

static void three_lanes(toy *t) {
  for (uint8_t lane = 0; lane < 3; lane++)
    toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, lane, (uint16_t)(5000 + lane));
}

static void assert_same_connection(toy *t) {
  assert_int_equal(t->agent[0].selected, 1);
  assert_int_equal(t->agent[1].selected, 1);
  toy_conn *c = toy_conn_of(t, 0, t->agent[0].last_selected.link);
  assert_non_null(c);
  assert_ptr_equal(c, toy_conn_of(t, 1, t->agent[1].last_selected.link));
  assert_int_equal(toy_open_links(t, 0), 1);
  assert_int_equal(toy_open_links(t, 1), 1);
}

static void three_lanes_come_up_at_once(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  three_lanes(t);
  toy_go_and_run(t, 2 * THIRL_S);
  assert_same_connection(t);
  toy_agent *a = &t->agent[0], *b = &t->agent[1];
  assert_int_equal(a->nominations, 1); /* only on the first link */
  assert_int_equal(a->requests, 3);
  assert_int_equal(b->requests, 3);
  assert_int_equal(toy_ms(a->selected_at), 200);
  assert_int_equal(toy_ms(b->selected_at), 150);
  assert_int_equal(a->aborts, 2); /* at once */
  assert_int_equal(b->aborts, 0); /* they were closed before its patience was over */
  toy_free(t);
}

/* The controlled side keeps losers for five seconds, the controlling one not at all. */
static void losers_linger_on_the_controlled_side(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 0, 5000);
  for (int i = 0; i < 2; i++) { /* and one each that never connects */
    thirl_ice_candidate c = {
        .type = THIRL_ICE_SRFLX, .transport = THIRL_ICE_TCP_SO, .addr = thirl_addr_v4(198, 51, 100, 1, 5000)};
    assert_int_equal(thirl_ice_add_remote(t->agent[i].ice, t->now, &c), THIRL_OK);
  }
  toy_go(t, 0, t->now);
  toy_go(t, 1, t->now);
  toy_run(t, THIRL_S + 200 * THIRL_MS);
  assert_int_equal(t->agent[0].selected, 1);
  assert_int_equal(t->agent[0].aborts, 1);
  toy_run(t, THIRL_S + 5149 * THIRL_MS);
  assert_int_equal(t->agent[1].aborts, 0);
  toy_run(t, THIRL_S + 5150 * THIRL_MS); /* selected at 150 */
  assert_int_equal(t->agent[1].aborts, 1);
  toy_free(t);
}

static void a_better_pair_is_waited_for_with_regular_nomination(void **state) {
  (void)state;
  toy *t = toy_two(regular);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 0, 5000);
  thirl_ice_candidate c = {.type = THIRL_ICE_HOST,
                           .transport = THIRL_ICE_TCP_SO,
                           .addr = thirl_addr_v4(198, 51, 100, 1, 5000),
                           .priority = 2130706431};
  assert_int_equal(thirl_ice_add_remote(t->agent[0].ice, t->now, &c), THIRL_OK); /* never answers */
  toy_go_and_run(t, 3 * THIRL_S);
  assert_int_equal(t->agent[0].nominations, 1);
  assert_int_equal(t->agent[0].requests, 2);
  assert_int_equal(toy_ms(t->agent[0].selected_at), 200 + 500 + 100); /* valid, settled, one round trip */
  assert_int_equal(toy_ms(t->agent[1].selected_at), 750);
  assert_same_connection(t);
  toy_free(t);
}

static void without_anything_better_regular_nomination_is_immediate(void **state) {
  (void)state;
  toy *t = toy_two(regular);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 0, 5000);
  toy_go_and_run(t, THIRL_S);
  assert_int_equal(toy_ms(t->agent[0].selected_at), 300);
  assert_int_equal(toy_ms(t->agent[1].selected_at), 250);
  toy_free(t);
}

/* RFC 8445 7.3.1.5: the nomination comes before the answer to its own check. */
static void a_strict_controlled_side_waits_for_its_own_check(void **state) {
  (void)state;
  toy *t = toy_new(7);
  for (int i = 0; i < 2; i++) {
    thirl_ice_config c = toy_config(t, i, i == 0);
    c.nominate_first = i == 0;
    toy_start(t, i, &c);
  }
  toy_credentials(t);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 0, 5000);
  toy_go_and_run(t, THIRL_S);
  assert_int_equal(toy_ms(t->agent[1].selected_at), 200);
  assert_int_equal(t->agent[0].nominations, 1);
  assert_same_connection(t);
  toy_free(t);
}

/* A machine on the peer's private address connects at once and is silent: it must not hold up what works. */
static void a_silent_stranger_loses_its_nomination(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 0, 5000);
  thirl_addr stranger = thirl_addr_v4(192, 168, 1, 7, 5000);
  toy_host(t, stranger, TOY_SILENT);
  toy_go(t, 0, t->now); /* B's GO is late, so the stranger is up first */
  thirl_ice_candidate c = {.type = THIRL_ICE_HOST, .transport = THIRL_ICE_TCP_SO, .addr = stranger};
  t->agent[1].listens = false;
  t->elsewhere = TOY_DROP;
  assert_int_equal(thirl_ice_add_remote(t->agent[0].ice, t->now, &c), THIRL_OK);
  toy_drain(t, 0);
  toy_go(t, 1, t->now + 130 * THIRL_MS);
  toy_run(t, t->now + 3 * THIRL_S);
  assert_int_equal(t->agent[0].strangers, 0);
  assert_int_equal(t->agent[0].nominations, 2);
  assert_same_connection(t);
  /* B fires at 130, A's SYN was refused at 50 and again; they cross, A is up at 230 at the latest; 100 for the check and 100 for the nomination */
  assert_in_range(toy_ms(t->agent[0].selected_at), 300, 500);
  toy_free(t);
}

static void the_first_link_dies_before_the_answer(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  three_lanes(t);
  toy_go(t, 0, t->now);
  toy_go(t, 1, t->now);
  toy_run(t, THIRL_S + 120 * THIRL_MS); /* all up, the nomination is on its way */
  assert_int_equal(t->agent[0].nominations, 1);
  toy_conn *first = toy_conn_of(t, 0, 1);
  toy_kill(t, (unsigned)(first - t->conns), t->now, t->now);
  toy_run(t, t->now + 2 * THIRL_S);
  assert_int_equal(t->agent[0].nominations, 2);
  assert_int_equal(toy_ms(t->agent[0].selected_at), 300); /* plain check answered at 200, nominated */
  assert_int_equal(toy_ms(t->agent[1].selected_at), 250);
  assert_same_connection(t);
  toy_free(t);
}

/* The controlled side has selected; the link dies for both; the controlling side had not seen the answer. */
static void the_controlled_side_follows_to_another_link(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  three_lanes(t);
  toy_go(t, 0, t->now);
  toy_go(t, 1, t->now);
  toy_run(t, THIRL_S + 160 * THIRL_MS);
  assert_int_equal(t->agent[1].selected, 1);
  assert_int_equal(t->agent[0].selected, 0);
  toy_kill(t, (unsigned)(toy_conn_of(t, 0, 1) - t->conns), t->now, t->now);
  toy_run(t, t->now + 2 * THIRL_S);
  assert_int_equal(t->agent[0].selected, 1);
  assert_int_equal(t->agent[1].selected, 2);
  assert_int_equal(t->agent[1].lost, 0);
  assert_ptr_equal(toy_conn_of(t, 0, t->agent[0].last_selected.link),
                   toy_conn_of(t, 1, t->agent[1].last_selected.link));
  toy_free(t);
}

/* The same, but the RST of the first link is lost: what the peer nominated last is what it uses, whatever the priorities are. */
static void the_controlled_side_follows_before_it_hears_of_the_loss(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  three_lanes(t);
  toy_go(t, 0, t->now);
  toy_go(t, 1, t->now);
  toy_run(t, THIRL_S + 160 * THIRL_MS);
  assert_int_equal(t->agent[1].selected, 1);
  toy_kill(t, (unsigned)(toy_conn_of(t, 0, 1) - t->conns), t->now, t->now + 3 * THIRL_S);
  toy_run(t, t->now + THIRL_S);
  assert_int_equal(t->agent[0].selected, 1);
  assert_int_equal(t->agent[1].selected, 2);
  assert_ptr_equal(toy_conn_of(t, 0, t->agent[0].last_selected.link),
                   toy_conn_of(t, 1, t->agent[1].last_selected.link));
  assert_true(t->agent[1].selected_at <= t->agent[0].selected_at); /* nothing of what the peer sends next is lost */
  toy_run(t, t->now + 4 * THIRL_S);
  assert_int_equal(t->agent[1].selected, 2);
  assert_int_equal(t->agent[1].lost, 0);
  toy_free(t);
}

static void both_controlling(void **state) {
  (void)state;
  for (int role = 0; role < 2; role++) {
    toy *t = toy_new(9);
    for (int i = 0; i < 2; i++) {
      thirl_ice_config c = toy_config(t, i, role);
      toy_start(t, i, &c);
    }
    toy_credentials(t);
    three_lanes(t);
    t->agent[0].ice->tie_breaker = 2;
    t->agent[1].ice->tie_breaker = 1;
    toy_go_and_run(t, 2 * THIRL_S);
    assert_true(thirl_ice_is_controlling(t->agent[0].ice)); /* the larger tie-breaker controls */
    assert_false(thirl_ice_is_controlling(t->agent[1].ice));
    assert_int_equal(t->agent[role ? 0 : 1].errors > 0, 1);
    assert_int_equal(t->agent[role ? 0 : 1].last_error_code, 487);
    assert_same_connection(t);
    toy_free(t);
  }
}

/* ---- what may follow a nomination that is not answered ---- */

static thirl_ice_link prospect_at(toy *t, thirl_time ms) {
  toy_run(t, THIRL_S + ms * THIRL_MS);
  return thirl_ice_prospect(t->agent[0].ice);
}

/* A private address is another machine's in another network: nothing follows before the peer's own check has come from there. */
static void a_private_host_has_to_show_that_it_is_the_peer(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 0, 5000);
  toy_go(t, 0, t->now);
  toy_go(t, 1, t->now);
  assert_int_equal(prospect_at(t, 100), 0); /* up, the nomination has gone */
  assert_int_equal(t->agent[0].nominations, 1);
  assert_int_equal(prospect_at(t, 149), 0);
  assert_int_equal(prospect_at(t, 150), t->agent[0].last_link); /* its check is here */
  assert_int_equal(thirl_ice_prospect(t->agent[1].ice), 0);     /* who is controlled nominates nothing */
  assert_int_equal(prospect_at(t, 199), t->agent[0].last_link);
  assert_int_equal(prospect_at(t, 200), 0); /* it is selected */
  assert_int_equal(t->agent[0].selected, 1);
  toy_free(t);
}

static void two_at(toy *t, thirl_ice_type type, thirl_addr at0, thirl_addr at1) {
  toy_candidate(t, 0, type, THIRL_ICE_TCP_SO, 0, at0, at0, true);
  toy_candidate(t, 1, type, THIRL_ICE_TCP_SO, 0, at1, at1, true);
  toy_go(t, 0, t->now);
  toy_go(t, 1, t->now);
}

static void where_nobody_else_can_be_it_follows_at_once(void **state) {
  (void)state;
  static const uint8_t global[16] = {0x20, 1, 0xd, 0xb8, [15] = 1}, local[16] = {0xfd, [15] = 1};
  static const struct {
    thirl_ice_type type;
    bool is_v6;
    uint8_t v4[4];
    const uint8_t *v6;
    bool at_once;
  } cases[] = {
      {THIRL_ICE_SRFLX, false, {10, 0, 1, 2}, NULL, true},
      {THIRL_ICE_HOST, false, {198, 51, 100, 9}, NULL, true},
      {THIRL_ICE_HOST, false, {172, 16, 0, 1}, NULL, false},
      {THIRL_ICE_HOST, false, {172, 31, 9, 9}, NULL, false},
      {THIRL_ICE_HOST, false, {172, 32, 0, 1}, NULL, true},
      {THIRL_ICE_HOST, false, {192, 168, 3, 4}, NULL, false},
      {THIRL_ICE_HOST, false, {192, 169, 3, 4}, NULL, true},
      {THIRL_ICE_HOST, false, {100, 64, 0, 1}, NULL, false},
      {THIRL_ICE_HOST, false, {100, 127, 0, 1}, NULL, false},
      {THIRL_ICE_HOST, false, {100, 128, 0, 1}, NULL, true},
      {THIRL_ICE_HOST, false, {169, 254, 7, 7}, NULL, false},
      {THIRL_ICE_HOST, true, {0}, global, true},
      {THIRL_ICE_HOST, true, {0}, local, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    toy *t = toy_two(NULL);
    const uint8_t *ip = cases[i].v4;
    thirl_addr far =
        cases[i].is_v6 ? thirl_addr_v6(cases[i].v6, 5000) : thirl_addr_v4(ip[0], ip[1], ip[2], ip[3], 5000);
    thirl_addr near = far;
    near.ip[cases[i].is_v6 ? 14 : 3] ^= 0x55;
    two_at(t, cases[i].type, near, far);
    assert_int_equal(prospect_at(t, 99), 0);
    assert_int_equal(prospect_at(t, 100) != 0, cases[i].at_once);
    assert_int_equal(prospect_at(t, 150), t->agent[0].last_link);
    toy_free(t);
  }
}

static void only_what_is_nominated_at_once_has_prospects(void **state) {
  (void)state;
  toy *t = toy_two(regular);
  two_at(t, THIRL_ICE_SRFLX, toy_addr(0, 5000), toy_addr(1, 5000));
  for (thirl_time ms = 100; ms < 400; ms += 10)
    assert_int_equal(prospect_at(t, ms), 0);
  assert_int_equal(t->agent[0].selected, 1);
  toy_free(t);
}

static void prospects_die_with_their_link(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  two_at(t, THIRL_ICE_SRFLX, toy_addr(0, 5000), toy_addr(1, 5000));
  assert_int_equal(prospect_at(t, 110), 1);
  toy_kill(t, (unsigned)(toy_conn_of(t, 0, 1) - t->conns), t->now, t->now);
  assert_int_equal(prospect_at(t, 111), 0);
  toy_free(t);
}

static void after_the_end_nothing_more_is_wanted(void **state) {
  (void)state;
  toy *t = toy_two(NULL);
  toy_hosts(t, THIRL_ICE_TCP_SO, THIRL_ICE_TCP_SO, 0, 5000);
  toy_go_and_run(t, 6 * THIRL_S);
  thirl_ice_link link;
  for (int i = 0; i < 2; i++) {
    thirl_addr local = toy_addr(i, 5000), remote = toy_addr(1 - i, 7777);
    assert_int_equal(thirl_ice_accept(t->agent[i].ice, t->now, &local, &remote, &link), THIRL_E_STATE);
  }
  toy_free(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(three_lanes_come_up_at_once),
      cmocka_unit_test(losers_linger_on_the_controlled_side),
      cmocka_unit_test(a_better_pair_is_waited_for_with_regular_nomination),
      cmocka_unit_test(without_anything_better_regular_nomination_is_immediate),
      cmocka_unit_test(a_strict_controlled_side_waits_for_its_own_check),
      cmocka_unit_test(a_silent_stranger_loses_its_nomination),
      cmocka_unit_test(the_first_link_dies_before_the_answer),
      cmocka_unit_test(the_controlled_side_follows_to_another_link),
      cmocka_unit_test(the_controlled_side_follows_before_it_hears_of_the_loss),
      cmocka_unit_test(both_controlling),
      cmocka_unit_test(a_private_host_has_to_show_that_it_is_the_peer),
      cmocka_unit_test(where_nobody_else_can_be_it_follows_at_once),
      cmocka_unit_test(only_what_is_nominated_at_once_has_prospects),
      cmocka_unit_test(prospects_die_with_their_link),
      cmocka_unit_test(after_the_end_nothing_more_is_wanted),
  };
  return cmocka_run_group_tests_name("ice/nominate", tests, NULL, NULL);
}
