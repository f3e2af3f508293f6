/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "natbox/tracking.h"
#include "unit/natbox/pieces.h"

enum { A_ISN = 1000, B_ISN = 500000, OTHER_ISN = 2000000 };

/* A connection under watch: letters tell who sends what. */
typedef struct watch {
  thirl_natbox_tracking t;
  thirl_natbox_config config;
} watch;

static watch watch_of(thirl_natbox_tracking_rule rule) {
  watch w = {.config = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF)};
  w.config.tracking = rule;
  return w;
}

static thirl_natbox_judgement first(watch *w, uint8_t flags, uint32_t seq, uint32_t ack) {
  thirl_natbox_packet p = tcp(inner(1, 1), remote(1, 1), flags, seq, ack);
  return thirl_natbox_tracking_input(&w->t, &w->config, THIRL_NATBOX_DIR_ORIGINAL, &p);
}

static thirl_natbox_judgement other(watch *w, uint8_t flags, uint32_t seq, uint32_t ack) {
  thirl_natbox_packet p = tcp(remote(1, 1), outer(1), flags, seq, ack);
  return thirl_natbox_tracking_input(&w->t, &w->config, THIRL_NATBOX_DIR_REPLY, &p);
}

#define assert_state(w, s) assert_int_equal((w).t.state, s)

static watch established(thirl_natbox_tracking_rule rule) {
  watch w = watch_of(rule);
  assert_int_equal(first(&w, SYN, A_ISN, 0), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_SYN_SENT);
  assert_int_equal(other(&w, SYN | ACK, B_ISN, A_ISN + 1), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_SYN_RECV);
  assert_int_equal(first(&w, ACK, A_ISN + 1, B_ISN + 1), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_ESTABLISHED);
  return w;
}

static void an_ordinary_life(void **state) {
  (void)state;
  watch w = established(THIRL_NATBOX_STRICT);
  assert_int_equal(other(&w, ACK, B_ISN + 1, A_ISN + 1), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_ESTABLISHED);
  assert_int_equal(first(&w, FIN | ACK, A_ISN + 1, B_ISN + 1), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_FIN_WAIT);
  assert_int_equal(other(&w, ACK, B_ISN + 1, A_ISN + 2), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_CLOSE_WAIT);
  assert_int_equal(other(&w, FIN | ACK, B_ISN + 1, A_ISN + 2), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_LAST_ACK);
  assert_int_equal(first(&w, ACK, A_ISN + 2, B_ISN + 2), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_TIME_WAIT);
}

/* RFC 5382 REQ-2. */
static void simultaneous_open_passes(void **state) {
  (void)state;
  watch w = watch_of(THIRL_NATBOX_STRICT);
  first(&w, SYN, A_ISN, 0);
  assert_int_equal(other(&w, SYN, B_ISN, 0), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_SYN_SENT2);
  assert_int_equal(first(&w, SYN, A_ISN, 0), THIRL_NATBOX_VALID); /* a repetition */
  assert_state(w, THIRL_NATBOX_SYN_SENT2);
  assert_int_equal(first(&w, SYN | ACK, A_ISN, B_ISN + 1), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_SYN_RECV);
  assert_int_equal(other(&w, SYN | ACK, B_ISN, A_ISN + 1), THIRL_NATBOX_VALID);
  assert_int_equal(first(&w, ACK, A_ISN + 1, B_ISN + 1), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_ESTABLISHED);
}

static void a_syn_ack_from_the_opener_needs_a_crossing_syn(void **state) {
  (void)state;
  watch w = watch_of(THIRL_NATBOX_STRICT);
  first(&w, SYN, A_ISN, 0);
  assert_int_equal(first(&w, SYN | ACK, A_ISN, B_ISN + 1), THIRL_NATBOX_INVALID);
  assert_state(w, THIRL_NATBOX_SYN_SENT);
}

/* The listener that answers where a connecting socket had sent a SYN: lab rows L6 and L10. */
static void another_initial_number_after_the_crossing_is_invalid(void **state) {
  (void)state;
  watch w = watch_of(THIRL_NATBOX_STRICT);
  first(&w, SYN, A_ISN, 0);
  other(&w, SYN, B_ISN, 0);
  assert_int_equal(first(&w, SYN | ACK, OTHER_ISN, B_ISN + 1), THIRL_NATBOX_INVALID);
  assert_int_equal(first(&w, SYN, OTHER_ISN, 0), THIRL_NATBOX_INVALID);
  assert_state(w, THIRL_NATBOX_SYN_SENT2);
  assert_int_equal(first(&w, SYN | ACK, A_ISN, B_ISN + 1), THIRL_NATBOX_VALID); /* the old one still fits */
}

static void a_liberal_nat_lets_another_initial_number_pass(void **state) {
  (void)state;
  watch w = watch_of(THIRL_NATBOX_LOOSE);
  first(&w, SYN, A_ISN, 0);
  other(&w, SYN, B_ISN, 0);
  assert_int_equal(first(&w, SYN | ACK, OTHER_ISN, B_ISN + 1), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_SYN_RECV);
}

static void before_an_answer_the_opener_may_begin_again(void **state) {
  (void)state;
  watch w = watch_of(THIRL_NATBOX_STRICT);
  first(&w, SYN, A_ISN, 0);
  assert_int_equal(first(&w, SYN, OTHER_ISN, 0), THIRL_NATBOX_VALID);
  assert_int_equal(first(&w, SYN, A_ISN, 0), THIRL_NATBOX_VALID); /* out of order; the later one counts */
  assert_int_equal(other(&w, SYN | ACK, B_ISN, A_ISN + 1), THIRL_NATBOX_INVALID); /* answers the first one */
  assert_int_equal(other(&w, SYN | ACK, B_ISN, OTHER_ISN + 1), THIRL_NATBOX_VALID);
}

static void a_syn_ack_must_acknowledge_what_was_sent(void **state) {
  (void)state;
  watch w = watch_of(THIRL_NATBOX_STRICT);
  first(&w, SYN, A_ISN, 0);
  assert_int_equal(other(&w, SYN | ACK, B_ISN, A_ISN + 2), THIRL_NATBOX_INVALID);
  assert_int_equal(other(&w, SYN | ACK, B_ISN, (uint32_t)A_ISN + 1 - 66001), THIRL_NATBOX_INVALID);
  assert_int_equal(other(&w, SYN | ACK, B_ISN, A_ISN + 1), THIRL_NATBOX_VALID);
}

static void a_reset_before_an_answer_ends_the_flow(void **state) {
  (void)state;
  watch w = watch_of(THIRL_NATBOX_STRICT);
  first(&w, SYN, A_ISN, 0);
  assert_int_equal(other(&w, RST | ACK, 0, A_ISN + 1), THIRL_NATBOX_LAST);
  w = watch_of(THIRL_NATBOX_STRICT);
  w.config.rst = THIRL_NATBOX_RST_KEEPS;
  first(&w, SYN, A_ISN, 0);
  assert_int_equal(other(&w, RST | ACK, 0, A_ISN + 1), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_CLOSED);
  w = established(THIRL_NATBOX_STRICT);
  assert_int_equal(other(&w, RST, B_ISN + 1, 0), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_CLOSED);
}

static void other_flags_are_no_tcp(void **state) {
  (void)state;
  static const uint8_t odd[] = {
      0, FIN, SYN | FIN, SYN | RST, FIN | RST, FIN | RST | ACK, SYN | FIN | ACK, SYN | RST | ACK};
  for (int rule = 0; rule < 2; rule++)
    for (size_t i = 0; i < sizeof odd; i++) {
      watch w = watch_of((thirl_natbox_tracking_rule)rule);
      assert_int_equal(first(&w, odd[i], A_ISN, 0), THIRL_NATBOX_INVALID);
      w = established((thirl_natbox_tracking_rule)rule);
      assert_int_equal(first(&w, odd[i], A_ISN + 1, B_ISN + 1), THIRL_NATBOX_INVALID);
      assert_state(w, THIRL_NATBOX_ESTABLISHED);
    }
}

static void a_syn_after_the_end_begins_anew(void **state) {
  (void)state;
  watch w = established(THIRL_NATBOX_STRICT);
  other(&w, RST, B_ISN + 1, 0);
  assert_int_equal(other(&w, SYN, OTHER_ISN, 0), THIRL_NATBOX_INVALID);
  assert_int_equal(first(&w, SYN, OTHER_ISN, 0),
                   THIRL_NATBOX_VALID); /* the other end ended it, and may take it or not */
  assert_state(w, THIRL_NATBOX_CLOSED);
  assert_int_equal(other(&w, SYN | ACK, 7000, OTHER_ISN + 1), THIRL_NATBOX_VALID); /* it does */
  assert_state(w, THIRL_NATBOX_SYN_RECV);
  w = established(THIRL_NATBOX_STRICT);
  first(&w, RST, A_ISN + 1, 0);
  assert_int_equal(first(&w, SYN, OTHER_ISN, 0), THIRL_NATBOX_ANEW);
  w.t.state = THIRL_NATBOX_TIME_WAIT;
  assert_int_equal(first(&w, SYN, OTHER_ISN, 0), THIRL_NATBOX_ANEW);
  assert_int_equal(other(&w, SYN, OTHER_ISN, 0), THIRL_NATBOX_ANEW);
}

static void a_syn_in_the_middle_is_let_through_and_followed_if_the_other_end_takes_it(void **state) {
  (void)state;
  watch w = established(THIRL_NATBOX_STRICT);
  assert_int_equal(other(&w, SYN, OTHER_ISN, 0), THIRL_NATBOX_INVALID);
  assert_int_equal(first(&w, SYN, OTHER_ISN, 0), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_ESTABLISHED);
  assert_int_equal(other(&w, SYN | ACK, B_ISN + 7, OTHER_ISN + 1), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_SYN_RECV);
  assert_int_equal(first(&w, ACK, OTHER_ISN + 1, B_ISN + 8), THIRL_NATBOX_VALID);
  assert_state(w, THIRL_NATBOX_ESTABLISHED);
}

static void what_may_begin_a_flow(void **state) {
  (void)state;
  static const uint8_t never[] = {SYN | ACK, FIN | ACK, RST, RST | ACK, 0};
  for (unsigned loose = 0; loose < 2; loose++)
    for (unsigned i = 0; i < sizeof never; i++) {
      watch w = watch_of(loose ? THIRL_NATBOX_LOOSE : THIRL_NATBOX_STRICT);
      assert_int_equal(first(&w, never[i], A_ISN, B_ISN), THIRL_NATBOX_INVALID);
      assert_state(w, THIRL_NATBOX_NONE);
    }
  watch w = watch_of(THIRL_NATBOX_STRICT);
  assert_int_equal(first(&w, ACK, A_ISN, B_ISN), THIRL_NATBOX_VALID); /* picked up in the middle */
  assert_state(w, THIRL_NATBOX_ESTABLISHED);
  w = watch_of(THIRL_NATBOX_STRICT);
  w.config.without_pickup = true;
  assert_int_equal(first(&w, ACK, A_ISN, B_ISN), THIRL_NATBOX_INVALID);
}

static void life_time_follows_the_state(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
  thirl_natbox_tracking t = {.state = THIRL_NATBOX_SYN_SENT};
  assert_int_equal(thirl_natbox_tracking_timeout(&t, &c.tcp), 240 * THIRL_S);
  t.state = THIRL_NATBOX_SYN_RECV;
  assert_int_equal(thirl_natbox_tracking_timeout(&t, &c.tcp), 240 * THIRL_S);
  t.state = THIRL_NATBOX_ESTABLISHED;
  assert_int_equal(thirl_natbox_tracking_timeout(&t, &c.tcp), 7440 * THIRL_S);
  c.tcp.close_timeout = 9;
  t.state = THIRL_NATBOX_CLOSED;
  assert_int_equal(thirl_natbox_tracking_timeout(&t, &c.tcp), 9);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_ordinary_life),
      cmocka_unit_test(simultaneous_open_passes),
      cmocka_unit_test(a_syn_ack_from_the_opener_needs_a_crossing_syn),
      cmocka_unit_test(another_initial_number_after_the_crossing_is_invalid),
      cmocka_unit_test(a_liberal_nat_lets_another_initial_number_pass),
      cmocka_unit_test(before_an_answer_the_opener_may_begin_again),
      cmocka_unit_test(a_syn_ack_must_acknowledge_what_was_sent),
      cmocka_unit_test(a_reset_before_an_answer_ends_the_flow),
      cmocka_unit_test(other_flags_are_no_tcp),
      cmocka_unit_test(a_syn_after_the_end_begins_anew),
      cmocka_unit_test(a_syn_in_the_middle_is_let_through_and_followed_if_the_other_end_takes_it),
      cmocka_unit_test(what_may_begin_a_flow),
      cmocka_unit_test(life_time_follows_the_state),
  };
  return cmocka_run_group_tests_name("natbox/tracking", tests, NULL, NULL);
}
