/* SPDX-License-Identifier: MIT */
/* Which path carries the stream, when a path is given up, when another round is wanted, how a session ends. Exact times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "couple.h"

#define T0 (1000 * THIRL_S)

static couple world;

static couple *open_couple(void) {
  couple_open(&world, NULL, NULL);
  return &world;
}

static void expect_event(const couple_side *s, thirl_session_event_kind kind, size_t i, thirl_time at, thirl_error e) {
  const couple_event *k = couple_find(s, kind, i);
  assert_non_null(k);
  assert_int_equal(k->at, at);
  assert_int_equal(k->ev.error, e);
}

/* Both are up through the relay, and it is quiet: 1 s has passed. */
static couple *open_relayed(void) {
  couple *c = open_couple();
  thirl_session_begin_round(&c->d.s, c->now);
  thirl_session_end_round(&c->d.s, c->now, THIRL_OK);
  couple_relay_up(c);
  couple_run_to(c, T0 + THIRL_S);
  assert_int_equal(c->l.s.route, THIRL_SESSION_RELAY);
  return c;
}

static couple *open_both(void) {
  couple *c = open_relayed();
  couple_direct_up(c);
  couple_run_to(c, T0 + 2 * THIRL_S);
  assert_int_equal(c->d.s.route, THIRL_SESSION_DIRECT);
  assert_int_equal(c->l.s.route, THIRL_SESSION_DIRECT);
  return c;
}

/* ---- up ---- */

static void the_stream_is_up_when_tls_is(void **state) {
  (void)state;
  couple *c = open_couple();
  couple_relay_up(c);
  couple_run(c, THIRL_S);
  expect_event(&c->d, THIRL_SESSION_UP, 0, T0 + 100 * THIRL_MS, THIRL_OK);
  expect_event(&c->l, THIRL_SESSION_UP, 0, T0 + 150 * THIRL_MS, THIRL_OK);
  expect_event(&c->d, THIRL_SESSION_PATH, 0, T0 + 100 * THIRL_MS, THIRL_OK);
  assert_int_equal(couple_find(&c->d, THIRL_SESSION_PATH, 0)->ev.route, THIRL_SESSION_RELAY);
  assert_int_equal(c->d.n_events, 2);
  assert_int_equal(c->l.n_events, 2);
  couple_close(c);
}

static void what_was_written_before_goes_with_the_handshake(void **state) {
  (void)state;
  couple *c = open_couple();
  couple_write(c, &c->d, 1000);
  couple_relay_up(c);
  couple_run(c, 149 * THIRL_MS);
  assert_int_equal(c->l.read, 0);
  couple_run(c, 1 * THIRL_MS);
  assert_int_equal(c->l.read, 1000);
  couple_close(c);
}

static void the_direct_path_takes_over_and_back(void **state) {
  (void)state;
  couple *c = open_relayed();
  thirl_session_punch_started(&c->d.s, c->now - 70 * THIRL_MS);
  couple_direct_up(c);
  couple_run(c, THIRL_S);
  const couple_event *e = couple_find(&c->d, THIRL_SESSION_PATH, 1);
  assert_non_null(e);
  assert_int_equal(e->ev.route, THIRL_SESSION_DIRECT);
  assert_int_equal(e->ev.since_go, e->at - T0 - THIRL_S + 70 * THIRL_MS);
  assert_int_equal(e->ev.remote.port, 4000);
  couple_write(c, &c->d, 50000);
  couple_write(c, &c->l, 50000);
  couple_run(c, 30 * THIRL_MS);
  couple_down(c, COUPLE_DIRECT, THIRL_E_RESET);
  couple_run(c, THIRL_S);
  assert_int_equal(c->l.read, 50000);
  assert_int_equal(c->d.read, 50000);
  e = couple_find(&c->l, THIRL_SESSION_PATH, 2);
  assert_non_null(e);
  assert_int_equal(e->ev.route, THIRL_SESSION_RELAY);
  assert_int_equal(e->ev.error, THIRL_E_RESET);
  couple_close(c);
}

static void one_handshake_one_hello_and_then_silence(void **state) {
  (void)state;
  couple *c = open_both();
  size_t before[2] = {c->d.bytes_out[0] + c->l.bytes_out[0], c->d.bytes_out[1] + c->l.bytes_out[1]};
  couple_run_to(c, T0 + 25 * THIRL_S);
  assert_int_equal(c->d.bytes_out[0] + c->l.bytes_out[0], before[0]);
  assert_int_equal(c->d.bytes_out[1] + c->l.bytes_out[1], before[1]);
  couple_run(c, 3 * THIRL_S); /* both have asked on both by now, and both have answered */
  assert_true(c->d.bytes_out[0] + c->l.bytes_out[0] > before[0]);
  assert_true(c->d.bytes_out[1] + c->l.bytes_out[1] > before[1]);
  couple_close(c);
}

/* ---- a relay whose handshake begins with the question for it ---- */

static void a_prepared_relay_is_up_half_a_round_trip_sooner(void **state) {
  (void)state;
  uint8_t buf[400];
  couple *c = open_couple();
  size_t n = thirl_session_relay_prepare(&c->d.s, c->now, buf, sizeof buf);
  assert_in_range(n, 100, 376);
  couple_relay_up(c);
  assert_false(thirl_session_relay_wants_pull(&c->d.s)); /* it is said */
  assert_true(thirl_session_relay_input(&c->l.s, c->now, THIRL_BYTES(buf, n)));
  couple_settle(c);
  couple_run(c, THIRL_S);
  expect_event(&c->d, THIRL_SESSION_UP, 0, T0 + 50 * THIRL_MS, THIRL_OK);
  expect_event(&c->l, THIRL_SESSION_UP, 0, T0 + 100 * THIRL_MS, THIRL_OK);
  couple_close(c);
}

/* It stays apart until its channel is there: the present relay goes on, and nothing is asked of the next. */
static void a_prepared_relay_does_not_touch_the_present_one(void **state) {
  (void)state;
  uint8_t buf[400];
  couple *c = open_relayed();
  assert_true(thirl_session_relay_prepare(&c->d.s, c->now, buf, sizeof buf) > 0);
  couple_write(c, &c->d, 1000);
  couple_run(c, 20 * THIRL_S);
  assert_int_equal(c->l.read, 1000);
  assert_int_equal(couple_count(&c->d, THIRL_SESSION_PATH), 1);
  assert_true(thirl_session_path_is_set(&c->d.s.next_relay));
  couple_close(c);
}

static void what_cannot_go_with_the_question_goes_over_the_channel(void **state) {
  (void)state;
  uint8_t buf[400];
  couple *c = open_couple();
  assert_int_equal(thirl_session_relay_prepare(&c->d.s, c->now, buf, 50), 0); /* no room */
  couple_relay_up(c);
  couple_run(c, THIRL_S);
  expect_event(&c->d, THIRL_SESSION_UP, 0, T0 + 100 * THIRL_MS, THIRL_OK);
  couple_close(c);
  thirl_session_policy direct_only = {.direct_only = true};
  couple_open(&world, &direct_only, NULL);
  assert_int_equal(thirl_session_relay_prepare(&world.d.s, world.now, buf, sizeof buf), 0);
  couple_close(&world);
}

/* The question was refused, or another one is asked: what was prepared for it is of no use. */
static void a_handshake_belongs_to_one_question(void **state) {
  (void)state;
  uint8_t first[400], second[400];
  couple *c = open_couple();
  thirl_session_begin_round(&c->d.s, c->now);
  size_t n = thirl_session_relay_prepare(&c->d.s, c->now, first, sizeof first);
  assert_int_equal(thirl_session_relay_prepare(&c->d.s, c->now, second, sizeof second), n);
  assert_memory_not_equal(first, second, n);
  thirl_session_end_round(&c->d.s, c->now, THIRL_E_NO_PEER);
  assert_false(thirl_session_path_is_set(&c->d.s.next_relay));
  couple_relay_up(c);
  couple_run(c, THIRL_S);
  expect_event(&c->d, THIRL_SESSION_UP, 0, T0 + 100 * THIRL_MS, THIRL_OK);
  couple_close(c);
}

/* Ten seconds from the channel, not from the question, which the server may take long to answer. */
static void the_time_for_a_handshake_begins_with_the_channel(void **state) {
  (void)state;
  uint8_t buf[400];
  couple *c = open_couple();
  thirl_session_begin_round(&c->d.s, c->now);
  assert_true(thirl_session_relay_prepare(&c->d.s, c->now, buf, sizeof buf) > 0);
  couple_run(c, 9 * THIRL_S);
  thirl_session_end_round(&c->d.s, c->now, THIRL_OK);
  couple_relay_up(c);
  couple_run(c, 10 * THIRL_S - 1);
  assert_true(thirl_session_path_is_set(&c->d.s.relay));
  couple_run(c, 1);
  assert_false(thirl_session_path_is_set(&c->d.s.relay));
  couple_close(c);
}

/* ---- a direct path that is not confirmed yet ---- */

static const thirl_addr far_end = {.family = THIRL_FAMILY_V4, .port = 4000, .ip = {198, 51, 100, 1}};

static void a_prospect_sends_its_first_flight_and_nothing_else(void **state) {
  (void)state;
  uint8_t buf[4096];
  couple *c = open_relayed();
  thirl_session_punch_started(&c->d.s, c->now);
  assert_int_equal(thirl_session_direct_prospect(&c->d.s, c->now, &far_end), THIRL_OK);
  assert_true(thirl_session_direct_wants_pull(&c->d.s));
  size_t n = thirl_session_direct_pull(&c->d.s, buf, sizeof buf);
  assert_in_range(n, 100, 500);
  assert_int_equal(buf[0], 22); /* RFC 8446 section 5.1: handshake */
  assert_int_equal(buf[5], 1);  /* section 4: client_hello */
  couple_write(c, &c->d, 1000);
  assert_false(thirl_session_direct_wants_pull(&c->d.s));
  assert_int_equal(thirl_session_direct_pull(&c->d.s, buf, sizeof buf), 0);
  assert_true(thirl_session_wants_punch(&c->d.s)); /* a round that begins now would still punch */
  couple_run(c, 60 * THIRL_S);                     /* ICE watches it, not the session */
  assert_true(thirl_session_path_is_set(&c->d.s.direct));
  assert_int_equal(c->l.read, 1000);
  couple_close(c);
}

/* It came to nothing: as if it had never been. */
static void a_prospect_withdrawn_leaves_no_trace(void **state) {
  (void)state;
  couple *c = open_relayed();
  thirl_session_punch_started(&c->d.s, c->now);
  size_t events = c->d.n_events;
  thirl_time round_at = c->d.s.round.at;
  assert_int_equal(thirl_session_direct_prospect(&c->d.s, c->now, &far_end), THIRL_OK);
  thirl_session_direct_withdrawn(&c->d.s);
  couple_settle(c);
  assert_false(thirl_session_path_is_set(&c->d.s.direct));
  assert_true(c->d.s.punching);
  assert_int_equal(c->d.s.relay_reason, THIRL_OK);
  assert_int_equal(c->d.s.round.at, round_at);
  assert_int_equal(c->d.s.round.punch_failures, 0);
  assert_int_equal(c->d.n_events, events);
  couple_direct_up(c);                     /* the next link */
  thirl_session_direct_withdrawn(&c->d.s); /* which is none */
  couple_run(c, THIRL_S);
  assert_int_equal(c->d.s.route, THIRL_SESSION_DIRECT);
  couple_close(c);
}

static void a_prospect_confirmed_is_a_path_like_any_other(void **state) {
  (void)state;
  couple *c = open_relayed();
  thirl_session_punch_started(&c->d.s, c->now);
  thirl_time t = c->now;
  assert_int_equal(thirl_session_direct_prospect(&c->d.s, c->now, &far_end), THIRL_OK);
  thirl_session_direct_confirmed(&c->d.s);
  assert_false(thirl_session_wants_punch(&c->d.s));
  couple_run_to(c, t + 10 * THIRL_S); /* nobody answers */
  assert_false(thirl_session_path_is_set(&c->d.s.direct));
  expect_event(&c->d, THIRL_SESSION_PATH, 1, t + 10 * THIRL_S, THIRL_E_TIMEOUT);
  couple_close(c);
}

/* ---- bytes by kind of path ---- */

static void expect_sum(const couple *c) {
  for (int i = 0; i < 2; i++) {
    const couple_side *s = i ? &c->l : &c->d;
    const couple_event *e = couple_find(s, THIRL_SESSION_FINISHED, 0);
    assert_non_null(e);
    assert_int_equal(e->ev.relayed + e->ev.direct, c->d.written + c->l.written);
  }
}

/* What was under way when the path changed is sent twice, and counted once: with the path that took it last. */
static void a_byte_that_is_sent_again_counts_once(void **state) {
  (void)state;
  couple *c = open_relayed();
  couple_write(c, &c->d, 30000);
  couple_run(c, 300 * THIRL_MS); /* 30000 relayed and acknowledged */
  couple_direct_up(c);
  couple_run(c, 90 * THIRL_MS);
  couple_write(c, &c->d, 20000); /* on the relay: 10 ms before the direct path is there */
  couple_run(c, 20 * THIRL_MS);
  assert_int_equal(c->d.s.route, THIRL_SESSION_DIRECT);
  uint64_t relayed, direct;
  thirl_session_moved(&c->d.s, &relayed, &direct);
  assert_int_equal(relayed, 30000);
  assert_int_equal(direct, 20000);
  couple_run(c, THIRL_S);
  couple_write(c, &c->d, 10000);
  c->cut[COUPLE_DIRECT] = true; /* lost with the path: it goes over the relay in the end */
  couple_run(c, 5 * THIRL_S);
  thirl_session_moved(&c->d.s, &relayed, &direct);
  assert_int_equal(relayed + direct, 60000);
  assert_int_equal(direct, 20000);
  couple_write(c, &c->l, 5000);
  couple_finish(c, &c->d);
  couple_finish(c, &c->l);
  couple_run(c, THIRL_S);
  expect_sum(c);
  couple_close(c);
}

/* The word that it has arrived comes before a byte of it was sent again: then the former path has brought it. */
static void what_a_former_path_has_brought_is_its_own(void **state) {
  (void)state;
  uint8_t *p, buf[4096];
  size_t n, skip;
  uint64_t relayed, direct;
  couple *c = open_both();
  thirl_session *d = &c->d.s, *l = &c->l.s;
  assert_int_equal(thirl_session_stream_space(&d->stream, &p, &n), THIRL_OK);
  memset(p, 0, 1000);
  thirl_session_stream_commit(&d->stream, 1000);
  thirl_session_stream_sent(&d->stream, 1000);
  d->direct.stream_out += 1000;
  assert_int_equal(thirl_session_stream_reserve(&l->stream, 0, 1000, &skip, &p, &n), THIRL_OK);
  memset(p, 0, 1000);
  thirl_session_stream_received(&l->stream, 1000);
  thirl_session_direct_down(d, c->now, THIRL_E_RESET);
  thirl_session_moved(d, &relayed, &direct);
  assert_int_equal(relayed + direct, 0); /* it counts as not sent */
  thirl_session_path_say_ack(&l->relay, &l->stream);
  n = thirl_session_relay_pull(l, buf, sizeof buf);
  assert_true(thirl_session_relay_input(d, c->now, THIRL_BYTES(buf, n)));
  thirl_session_moved(d, &relayed, &direct);
  assert_int_equal(direct, 1000);
  assert_int_equal(relayed, 0);
  couple_close(c);
}

/* ---- reasons ---- */

static void both_punch(couple *c) {
  thirl_session_punch_started(&c->d.s, c->now);
  thirl_session_punch_started(&c->l.s, c->now);
}

static void punches_fail(couple *c, thirl_error d, thirl_error l) {
  thirl_session_punch_failed(&c->d.s, c->now, d);
  thirl_session_punch_failed(&c->l.s, c->now, l);
  couple_settle(c);
}

static thirl_error last_reason(const couple_side *s) {
  return couple_find(s, THIRL_SESSION_PATH, couple_count(s, THIRL_SESSION_PATH) - 1)->ev.error;
}

/* What is known before the end of punching is told to the other side at once, and makes one event at the end. */
static void both_say_what_they_know_and_tell_it_once(void **state) {
  (void)state;
  couple *c = open_relayed();
  both_punch(c);
  thirl_session_mapping_is(&c->d.s, c->now, THIRL_SESSION_MAPPING_DEPENDENT);
  couple_settle(c);
  couple_run(c, 51 * THIRL_MS);
  assert_int_equal(c->l.s.theirs.mapping, THIRL_SESSION_MAPPING_DEPENDENT);
  assert_int_equal(couple_count(&c->d, THIRL_SESSION_PATH), 1); /* nothing has failed yet */
  punches_fail(c, THIRL_E_TIMEOUT, THIRL_E_TIMEOUT);
  couple_run(c, THIRL_S);
  assert_int_equal(couple_count(&c->d, THIRL_SESSION_PATH), 2);
  assert_int_equal(couple_count(&c->l, THIRL_SESSION_PATH), 2);
  assert_int_equal(last_reason(&c->d), THIRL_E_NAT_OURS);
  assert_int_equal(last_reason(&c->l), THIRL_E_NAT_THEIRS);
  couple_close(c);
}

/* What becomes known later makes the reason better. */
static void a_better_reason_is_told_when_it_is_known(void **state) {
  (void)state;
  couple *c = open_relayed();
  both_punch(c);
  punches_fail(c, THIRL_E_TIMEOUT, THIRL_E_REFUSED);
  couple_run(c, 51 * THIRL_MS);
  assert_int_equal(last_reason(&c->d), THIRL_E_REFUSED); /* the listener said so */
  thirl_session_mapping_is(&c->d.s, c->now, THIRL_SESSION_MAPPING_INDEPENDENT);
  thirl_session_mapping_is(&c->l.s, c->now, THIRL_SESSION_MAPPING_INDEPENDENT);
  couple_settle(c);
  couple_run(c, THIRL_S);
  assert_int_equal(last_reason(&c->d), THIRL_E_FIREWALL);
  assert_int_equal(last_reason(&c->l), THIRL_E_FIREWALL);
  assert_int_equal(couple_count(&c->d, THIRL_SESSION_PATH), 4);
  couple_close(c);
}

/* On another relay channel it is said again: the peer may not have heard it. */
static void a_report_is_said_once_on_every_path(void **state) {
  (void)state;
  couple *c = open_relayed();
  both_punch(c);
  thirl_session_mapping_is(&c->d.s, c->now, THIRL_SESSION_MAPPING_DEPENDENT);
  c->cut[COUPLE_RELAY] = true;
  couple_settle(c);
  couple_run(c, 100 * THIRL_MS);
  size_t said = c->d.bytes_out[COUPLE_RELAY];
  couple_run(c, 200 * THIRL_MS);
  assert_int_equal(c->d.bytes_out[COUPLE_RELAY], said);
  assert_int_equal(c->l.s.theirs.mapping, THIRL_SESSION_MAPPING_UNKNOWN);
  c->cut[COUPLE_RELAY] = false;
  couple_relay_up(c);
  couple_run(c, THIRL_S);
  assert_int_equal(c->l.s.theirs.mapping, THIRL_SESSION_MAPPING_DEPENDENT);
  couple_close(c);
}

/* NATs that have let a connection through are not the reason why it cannot be had back. */
static void who_was_direct_does_not_blame_the_nats(void **state) {
  (void)state;
  couple *c = open_both();
  thirl_session_mapping_is(&c->d.s, c->now, THIRL_SESSION_MAPPING_DEPENDENT);
  couple_down(c, COUPLE_DIRECT, THIRL_E_RESET);
  couple_run(c, 100 * THIRL_MS);
  assert_int_equal(last_reason(&c->d), THIRL_E_RESET);
  both_punch(c);
  punches_fail(c, THIRL_E_TIMEOUT, THIRL_E_TIMEOUT);
  couple_run(c, THIRL_S);
  assert_int_equal(last_reason(&c->d), THIRL_E_TIMEOUT);
  assert_int_equal(last_reason(&c->l), THIRL_E_TIMEOUT);
  couple_close(c);
}

static void nonsense_in_a_report_is_nothing(void **state) {
  (void)state;
  couple *c = open_relayed();
  both_punch(c);
  thirl_session_frame f = {.type = THIRL_SESSION_REPORT, .mapping = 3, .reason = THIRL_ERROR_COUNT};
  assert_true(thirl_session_path_say(&c->d.s.relay, &f));
  couple_settle(c);
  couple_run(c, 51 * THIRL_MS);
  assert_int_equal(c->l.s.theirs.mapping, THIRL_SESSION_MAPPING_UNKNOWN);
  assert_int_equal(c->l.s.theirs.saw, THIRL_OK);
  punches_fail(c, THIRL_E_TIMEOUT, THIRL_E_TIMEOUT);
  couple_run(c, THIRL_S);
  assert_int_equal(last_reason(&c->l), THIRL_E_TIMEOUT);
  couple_close(c);
}

static void a_survey_is_wanted_after_three_seconds_of_punching(void **state) {
  (void)state;
  couple *c = open_relayed();
  thirl_session *s = &c->d.s;
  assert_true(thirl_session_doubts_at(s) == THIRL_NEVER);
  thirl_session_punch_started(s, c->now);
  assert_int_equal(thirl_session_doubts_at(s), c->now + 3 * THIRL_S);
  thirl_session_doubts_heard(s);
  assert_true(thirl_session_doubts_at(s) == THIRL_NEVER);
  thirl_session_punch_failed(s, c->now, THIRL_E_TIMEOUT);
  thirl_session_punch_started(s, c->now); /* the next round */
  assert_int_equal(thirl_session_doubts_at(s), c->now + 3 * THIRL_S);
  thirl_session_punch_failed(s, c->now, THIRL_E_TIMEOUT);
  assert_true(thirl_session_doubts_at(s) == THIRL_NEVER);
  both_punch(c);
  couple_direct_up(c);
  couple_run(c, THIRL_S);
  assert_true(thirl_session_doubts_at(s) == THIRL_NEVER); /* it has worked */
  couple_close(c);
}

/* The relay channel is replaced in every round: that is no news. */
static void the_same_reason_is_not_told_twice(void **state) {
  (void)state;
  couple *c = open_relayed();
  both_punch(c);
  punches_fail(c, THIRL_E_TIMEOUT, THIRL_E_TIMEOUT);
  couple_run(c, THIRL_S);
  for (int i = 0; i < 3; i++) {
    couple_relay_up(c);
    both_punch(c);
    couple_run(c, THIRL_S);
    punches_fail(c, THIRL_E_TIMEOUT, THIRL_E_TIMEOUT);
    couple_run(c, THIRL_S);
  }
  assert_int_equal(couple_count(&c->d, THIRL_SESSION_PATH), 2);
  assert_int_equal(couple_count(&c->l, THIRL_SESSION_PATH), 2);
  couple_close(c);
}

/* ---- liveness ---- */

static void a_path_that_swallows_is_given_up_after_2500_ms(void **state) {
  (void)state;
  couple *c = open_both();
  couple_down(c, COUPLE_DIRECT, THIRL_OK);
  thirl_time heard = c->d.s.direct.heard_at, t = c->now;
  couple_write(c, &c->d, 100);
  assert_true(heard < t - 500 * THIRL_MS); /* so it asks at once */
  couple_run_to(c, t + 2 * THIRL_S - 1);
  assert_int_equal(c->d.s.route, THIRL_SESSION_DIRECT);
  couple_run_to(c, t + 2 * THIRL_S);
  assert_int_equal(c->d.s.route, THIRL_SESSION_RELAY);
  expect_event(&c->d, THIRL_SESSION_PATH, 2, t + 2 * THIRL_S, THIRL_E_TIMEOUT);
  couple_run(c, THIRL_S);
  assert_int_equal(c->l.read, 100);
  couple_close(c);
}

/* Nothing is asked of a path before it has been silent for half a second. */
static void half_a_second_of_silence_before_a_question(void **state) {
  (void)state;
  couple *c = open_both();
  couple_down(c, COUPLE_DIRECT, THIRL_OK);
  c->d.s.direct.heard_at = c->now;
  couple_write(c, &c->d, 100);
  thirl_time t = c->now;
  couple_run_to(c, t + 500 * THIRL_MS - 1);
  assert_true(c->d.s.direct.asked_at == THIRL_NEVER);
  couple_run_to(c, t + 500 * THIRL_MS);
  assert_int_equal(c->d.s.direct.asked_at, t + 500 * THIRL_MS);
  couple_close(c);
}

static void an_idle_path_is_asked_every_25_s(void **state) {
  (void)state;
  couple *c = open_both();
  thirl_time heard = c->d.s.direct.heard_at;
  couple_down(c, COUPLE_DIRECT, THIRL_OK);
  couple_run_to(c, heard + 27 * THIRL_S - 1);
  assert_int_equal(c->d.s.route, THIRL_SESSION_DIRECT);
  couple_run_to(c, heard + 27 * THIRL_S);
  assert_int_equal(c->d.s.route, THIRL_SESSION_RELAY);
  couple_close(c);
}

static void a_slow_path_is_not_a_dead_one(void **state) {
  (void)state;
  couple *c = open_couple();
  c->delay[COUPLE_RELAY] = 1500 * THIRL_MS; /* a round trip of 3 s */
  couple_relay_up(c);
  couple_run(c, 9 * THIRL_S);
  couple_write(c, &c->d, 60000);
  couple_write(c, &c->l, 60000);
  couple_run(c, 30 * THIRL_S);
  assert_int_equal(c->d.read, 60000);
  assert_int_equal(c->l.read, 60000);
  assert_int_equal(couple_count(&c->d, THIRL_SESSION_PATH), 1);
  assert_int_equal(couple_count(&c->l, THIRL_SESSION_PATH), 1);
  couple_close(c);
}

/* TLS and the peer's HELLO, or else it is no path: the reason is told, and the next try is patient as after any punching in vain. */
static void a_direct_path_without_hello_is_a_punch_in_vain(void **state) {
  (void)state;
  couple *c = open_relayed();
  c->rounds = true;
  thirl_session_punch_started(&c->d.s, c->now);
  thirl_session_punch_started(&c->l.s, c->now);
  c->cut[COUPLE_DIRECT] = true;
  thirl_time t = c->now;
  couple_direct_up(c);
  couple_write(c, &c->d, 1000);
  couple_run(c, 300 * THIRL_MS);
  assert_int_equal(c->l.read, 1000); /* the relay carries */
  couple_run_to(c, t + 11 * THIRL_S);
  expect_event(&c->d, THIRL_SESSION_PATH, 1, t + 10 * THIRL_S, THIRL_E_TIMEOUT);
  expect_event(&c->l, THIRL_SESSION_PATH, 1, t + 10 * THIRL_S, THIRL_E_TIMEOUT);
  assert_int_equal(couple_find(&c->l, THIRL_SESSION_PATH, 1)->ev.route, THIRL_SESSION_RELAY);
  couple_run_to(c, t + 40 * THIRL_S - 1);
  assert_int_equal(c->n_rounds, 0);
  couple_run_to(c, t + 40 * THIRL_S);
  assert_int_equal(c->n_rounds, 1);
  couple_close(c);
}

/* The listener's HELLO is lost with the path: the dialer must not sit on it, silent, for ten seconds. */
static void an_open_path_that_goes_silent_stalls_2_s_at_most(void **state) {
  (void)state;
  couple *c = open_relayed();
  couple_direct_up(c);
  couple_run(c, 60 * THIRL_MS); /* the listener has answered */
  couple_down(c, COUPLE_DIRECT, THIRL_OK);
  couple_close(c);
  c = open_relayed();
  couple_direct_up(c);
  couple_run(c, 100 * THIRL_MS); /* TLS is open at the dialer; what it says now is lost */
  couple_down(c, COUPLE_DIRECT, THIRL_OK);
  couple_write(c, &c->d, 1000);
  couple_run(c, 2200 * THIRL_MS);
  assert_int_equal(c->l.read, 1000);
  couple_close(c);
}

/* ---- acknowledgements and paths ---- */

/* Everything has arrived on the direct path, but the word of it is lost with the path; the relay was there all the time. */
static void an_acknowledgement_lost_with_its_path_is_said_again(void **state) {
  (void)state;
  couple *c = open_both();
  couple_write(c, &c->d, 60000);
  couple_run(c, 51 * THIRL_MS);
  couple_down(c, COUPLE_DIRECT, THIRL_OK);
  assert_int_equal(c->l.read, 60000);
  couple_run(c, 4 * THIRL_S);
  assert_int_equal(c->d.s.stream.tx_acked, 60000);
  couple_write(c, &c->d, 60000);
  couple_run(c, THIRL_S);
  assert_int_equal(c->l.read, 120000);
  couple_close(c);
}

static void the_acknowledgement_of_the_end_lost_likewise(void **state) {
  (void)state;
  couple *c = open_both();
  couple_write(c, &c->d, 1000);
  couple_finish(c, &c->d);
  c->cut[COUPLE_DIRECT] = true; /* what is on the way arrives */
  couple_run(c, 4 * THIRL_S);
  assert_true(thirl_session_stream_is_read_out(&c->l.s.stream));
  assert_true(thirl_session_stream_is_delivered(&c->d.s.stream)); /* the other direction is still open */
  couple_write(c, &c->l, 1000);
  couple_finish(c, &c->l);
  couple_run(c, THIRL_S);
  assert_int_equal(couple_count(&c->d, THIRL_SESSION_FINISHED), 1);
  assert_int_equal(couple_count(&c->l, THIRL_SESSION_FINISHED), 1);
  couple_close(c);
}

/* An acknowledgement that was told in the HELLO of a direct path that never worked. */
static void an_acknowledgement_told_to_a_dead_handshake_is_said_again(void **state) {
  (void)state;
  couple *c = open_relayed();
  couple_direct_up(c);
  couple_run(c, 149 * THIRL_MS); /* the dialer's half arrives in 1 ms; the listener answers with HELLO */
  couple_write(c, &c->d, 100);   /* on the direct path already */
  c->cut[COUPLE_DIRECT] = true;
  couple_run(c, 6 * THIRL_S);
  assert_int_equal(c->l.read, 100);
  assert_int_equal(c->d.s.stream.tx_acked, 100);
  couple_close(c);
}

/* The dialer hears something on the relay and tells of it in the HELLO of the direct path, which is lost. The listener's route is the relay all the time. */
static void an_acknowledgement_in_a_lost_hello_is_said_again(void **state) {
  (void)state;
  couple *c = open_relayed();
  couple_direct_up(c);
  couple_run(c, 45 * THIRL_MS);
  c->l.s.relay.heard_at = c->now; /* no PING goes along, whose PONG would carry the ACK */
  couple_write(c, &c->l, 100);
  couple_run(c, 54 * THIRL_MS); /* it has been there for 4 ms; in 1 ms TLS is open */
  assert_int_equal(c->d.read, 100);
  c->cut[COUPLE_DIRECT] = true;
  couple_run(c, 100 * THIRL_MS);
  assert_int_equal(c->l.s.route, THIRL_SESSION_RELAY);
  assert_int_equal(c->l.s.stream.tx_acked, 0);
  couple_run(c, 3 * THIRL_S);
  assert_int_equal(c->l.s.stream.tx_acked, 100);
  couple_close(c);
}

/* One side has lost a path and speaks on the other; its peer does not know of the loss, and answers where it is spoken to. */
static void who_speaks_elsewhere_is_answered_there(void **state) {
  (void)state;
  couple *c = open_both();
  c->cut[COUPLE_DIRECT] = true;
  thirl_session_direct_down(&c->d.s, c->now, THIRL_E_RESET);
  couple_write(c, &c->d, 100);
  couple_run(c, 100 * THIRL_MS);
  assert_int_equal(c->l.s.route, THIRL_SESSION_DIRECT);
  assert_int_equal(c->d.s.stream.tx_acked, 100);
  couple_run(c, 2 * THIRL_S); /* and looks whether its own path is alive */
  assert_int_equal(c->l.s.route, THIRL_SESSION_RELAY);
  couple_close(c);
}

/* ---- the end ---- */

static void both_finish_within_three_one_way_times(void **state) {
  (void)state;
  couple *c = open_both();
  thirl_time t = c->now;
  couple_write(c, &c->d, 10);
  couple_finish(c, &c->d);
  couple_finish(c, &c->l);
  couple_run(c, THIRL_S);
  expect_event(&c->d, THIRL_SESSION_FINISHED, 0, t + 150 * THIRL_MS, THIRL_OK);
  expect_event(&c->l, THIRL_SESSION_FINISHED, 0, t + 150 * THIRL_MS, THIRL_OK);
  const couple_event *e = couple_find(&c->l, THIRL_SESSION_FINISHED, 0);
  assert_int_equal(e->ev.direct, 10);
  assert_int_equal(e->ev.relayed, 0);
  couple_close(c);
}

static void each_direction_ends_by_itself(void **state) {
  (void)state;
  couple *c = open_relayed();
  couple_finish(c, &c->d);
  couple_run(c, THIRL_S);
  assert_true(thirl_session_stream_is_read_out(&c->l.s.stream));
  assert_true(thirl_session_stream_is_delivered(&c->d.s.stream));
  couple_write(c, &c->l, 60000);
  couple_run(c, 30 * THIRL_S);
  assert_int_equal(c->d.read, 60000);
  assert_int_equal(couple_count(&c->d, THIRL_SESSION_FINISHED), 0);
  couple_finish(c, &c->l);
  couple_run(c, THIRL_S);
  assert_int_equal(couple_count(&c->d, THIRL_SESSION_FINISHED), 1);
  assert_int_equal(couple_count(&c->l, THIRL_SESSION_FINISHED), 1);
  couple_close(c);
}

/* The peer has finished and is gone; everything is here. However slowly the application reads, it gets it all. */
static void a_slow_reader_loses_nothing_when_the_peer_has_gone(void **state) {
  (void)state;
  couple *c = open_relayed();
  c->l.lazy = true;
  couple_write(c, &c->d, 30000);
  couple_finish(c, &c->d);
  couple_finish(c, &c->l);
  couple_run(c, 61 * THIRL_S); /* the dialer need not wait longer for the last word */
  assert_int_equal(couple_count(&c->d, THIRL_SESSION_FINISHED), 1);
  couple_down(c, COUPLE_RELAY, THIRL_E_LOST);
  couple_run(c, 600 * THIRL_S);
  assert_int_equal(c->l.n_events, 2);
  c->l.lazy = false;
  couple_settle(c);
  assert_int_equal(c->l.read, 30000);
  assert_int_equal(couple_count(&c->l, THIRL_SESSION_FINISHED), 1);
  couple_close(c);
}

static void the_relay_ends_while_the_last_word_is_awaited(void **state) {
  (void)state;
  couple *c = open_relayed();
  c->rounds = true;
  couple_finish(c, &c->d);
  couple_finish(c, &c->l);
  couple_run(c, 55 * THIRL_MS);
  couple_down(c, COUPLE_RELAY, THIRL_E_LOST);
  thirl_time t = c->now;
  couple_run(c, 60 * THIRL_S);
  assert_true(couple_find(&c->d, THIRL_SESSION_FINISHED, 0)->at < t + 3 * THIRL_S);
  assert_true(couple_find(&c->l, THIRL_SESSION_FINISHED, 0)->at < t + 3 * THIRL_S);
  couple_close(c);
}

/* The peer has finished; our last word was lost, and to every further CONNECT it says that it has ended this session. */
static void a_peer_that_has_finished_need_not_be_waited_for(void **state) {
  (void)state;
  couple *c = open_relayed();
  couple_finish(c, &c->d);
  couple_finish(c, &c->l);
  couple_run(c, 120 * THIRL_MS); /* the dialer waits for BYE */
  assert_int_equal(c->d.s.state, THIRL_SESSION_STATE_CLOSING);
  thirl_session_relay_down(&c->d.s, c->now, THIRL_E_PEER_CLOSED);
  couple_settle(c);
  expect_event(&c->d, THIRL_SESSION_FINISHED, 0, c->now, THIRL_OK);
  couple_close(c);
}

/*
 * The end of the relay channel comes by way of the server, and may be there before the BYE on the direct path, which alone tells whether the peer could use
 * what it has. When that path is lost, the end of the channel is the last word.
 */
static void the_end_of_the_relay_is_not_the_last_word(void **state) {
  (void)state;
  for (int lost = 0; lost < 2; lost++) {
    couple *c = open_both();
    couple_finish(c, &c->d);
    couple_write(c, &c->l, 10);
    couple_finish(c, &c->l);
    c->d.lazy = true; /* all is there, and its application has not taken it */
    couple_run(c, 300 * THIRL_MS);
    assert_true(thirl_session_stream_is_complete(&c->l.s.stream));
    thirl_session_relay_down(&c->l.s, c->now, THIRL_E_PEER_CLOSED);
    couple_settle(c);
    couple_run(c, THIRL_S);
    assert_int_equal(couple_count(&c->l, THIRL_SESSION_FINISHED) + couple_count(&c->l, THIRL_SESSION_FAILED), 0);
    if (lost) {
      thirl_session_direct_down(&c->l.s, c->now, THIRL_E_LOST);
      couple_settle(c);
      expect_event(&c->l, THIRL_SESSION_FINISHED, 0, c->now, THIRL_OK);
    } else {
      thirl_time t = c->now;
      thirl_session_abandon(&c->d.s, c->now, THIRL_E_IO);
      couple_settle(c);
      couple_run(c, THIRL_S);
      expect_event(&c->l, THIRL_SESSION_FAILED, 0, t + 50 * THIRL_MS, THIRL_E_PEER_CLOSED);
    }
    couple_close(c);
  }
}

static void a_peer_that_has_given_up_is_believed_at_once(void **state) {
  (void)state;
  couple *c = open_couple();
  thirl_session_relay_down(&c->d.s, c->now, THIRL_E_PEER_CLOSED);
  couple_settle(c);
  expect_event(&c->d, THIRL_SESSION_FAILED, 0, c->now, THIRL_E_PEER_CLOSED);
  couple_close(c);
  c = open_relayed();
  couple_write(c, &c->d, 10);
  thirl_session_relay_down(&c->d.s, c->now, THIRL_E_PEER_CLOSED);
  couple_settle(c);
  expect_event(&c->d, THIRL_SESSION_FAILED, 0, c->now, THIRL_E_PEER_CLOSED);
  couple_close(c);
}

static void giving_up_is_told(void **state) {
  (void)state;
  couple *c = open_both();
  thirl_session_abandon(&c->d.s, c->now, THIRL_E_TIMEOUT);
  couple_settle(c);
  expect_event(&c->d, THIRL_SESSION_FAILED, 0, c->now, THIRL_E_TIMEOUT);
  thirl_time t = c->now;
  couple_run(c, THIRL_S);
  expect_event(&c->l, THIRL_SESSION_FAILED, 0, t + 50 * THIRL_MS, THIRL_E_PEER_CLOSED);
  couple_close(c);
}

/* Reason 0 would mean that all is well. */
static void giving_up_without_a_reason_is_still_giving_up(void **state) {
  (void)state;
  couple *c = open_both();
  couple_write(c, &c->l, 10);
  thirl_session_abandon(&c->d.s, c->now, THIRL_OK);
  couple_settle(c);
  couple_run(c, THIRL_S);
  assert_int_equal(couple_find(&c->l, THIRL_SESSION_FAILED, 0)->ev.error, THIRL_E_PEER_CLOSED);
  couple_close(c);
}

/* BYE says that everything is complete; before it is, it is a lie. */
static void a_farewell_before_the_end_breaks_the_protocol(void **state) {
  (void)state;
  couple *c = open_relayed();
  thirl_session_path_say(&c->d.s.relay, &(thirl_session_frame){.type = THIRL_SESSION_BYE});
  couple_run(c, 60 * THIRL_MS);
  assert_true(c->l.relay_ended);
  assert_int_equal(c->l.s.route, THIRL_SESSION_NO_PATH);
  couple_close(c);
}

/* What went over which kind of path is counted over all of them. */
static void the_end_says_what_went_where(void **state) {
  (void)state;
  couple *c = open_relayed();
  couple_write(c, &c->d, 100);
  couple_run(c, THIRL_S);
  couple_direct_up(c);
  couple_run(c, THIRL_S);
  couple_write(c, &c->d, 20);
  couple_write(c, &c->l, 3);
  couple_run(c, THIRL_S);
  couple_down(c, COUPLE_DIRECT, THIRL_E_RESET);
  couple_run(c, THIRL_S);
  couple_write(c, &c->l, 4000);
  couple_run(c, THIRL_S);
  couple_down(c, COUPLE_RELAY, THIRL_E_LOST);
  couple_relay_up(c);
  couple_finish(c, &c->d);
  couple_finish(c, &c->l);
  couple_run(c, THIRL_S);
  for (int i = 0; i < 2; i++) {
    const couple_event *e = couple_find(i ? &c->d : &c->l, THIRL_SESSION_FINISHED, 0);
    assert_non_null(e);
    assert_int_equal(e->ev.relayed, 4100);
    assert_int_equal(e->ev.direct, 23);
  }
  couple_close(c);
}

static void a_path_that_is_closed_politely_is_lost_too(void **state) {
  (void)state;
  couple *c = open_both();
  thirl_secure_tls_close(c->d.s.direct.tls);
  couple_run(c, 60 * THIRL_MS);
  assert_true(c->l.direct_ended);
  const couple_event *e = couple_find(&c->l, THIRL_SESSION_PATH, 2);
  assert_non_null(e);
  assert_int_equal(e->ev.error, THIRL_E_LOST);
  couple_close(c);
}

/* ---- time runs out ---- */

static void no_path_in_30_s_is_the_last_error(void **state) {
  (void)state;
  couple *c = open_couple();
  couple_run_to(c, T0 + 30 * THIRL_S);
  expect_event(&c->d, THIRL_SESSION_FAILED, 0, T0 + 30 * THIRL_S, THIRL_E_NO_SERVER);
  expect_event(&c->l, THIRL_SESSION_FAILED, 0, T0 + 30 * THIRL_S, THIRL_E_NO_SERVER);
  couple_close(c);
  couple_open(&world, NULL, NULL);
  c = &world;
  c->rounds = true;
  c->round_answer = THIRL_E_NO_PEER;
  couple_run_to(c, T0 + 30 * THIRL_S);
  expect_event(&c->d, THIRL_SESSION_FAILED, 0, T0 + 30 * THIRL_S, THIRL_E_NO_PEER);
  couple_close(c);
}

static void pathless_for_60_s_is_lost(void **state) {
  (void)state;
  couple *c = open_relayed();
  couple_down(c, COUPLE_RELAY, THIRL_E_NO_SERVER);
  couple_run_to(c, T0 + 61 * THIRL_S);
  expect_event(&c->d, THIRL_SESSION_FAILED, 0, T0 + 61 * THIRL_S, THIRL_E_LOST);
  expect_event(&c->l, THIRL_SESSION_FAILED, 0, T0 + 61 * THIRL_S, THIRL_E_LOST);
  couple_close(c);
}

static void patience_may_be_endless(void **state) {
  (void)state;
  thirl_session_policy p = {.dial_timeout = THIRL_NEVER, .lost_after = THIRL_NEVER};
  couple_open(&world, &p, &p);
  couple *c = &world;
  couple_run(c, 3600 * THIRL_S);
  assert_int_equal(c->d.n_events, 0);
  couple_relay_up(c);
  couple_run(c, THIRL_S);
  couple_down(c, COUPLE_RELAY, THIRL_E_LOST);
  couple_run(c, 3600 * THIRL_S);
  couple_relay_up(c);
  couple_write(c, &c->d, 10);
  couple_run(c, THIRL_S);
  assert_int_equal(c->l.read, 10);
  couple_finish(c, &c->d);
  couple_finish(c, &c->l);
  couple_run(c, THIRL_S);
  assert_int_equal(couple_count(&c->d, THIRL_SESSION_FINISHED), 1);
  couple_close(c);
}

/* The last error is the server's as long as nothing was asked of it. */
static void asked_and_not_answered_is_a_timeout(void **state) {
  (void)state;
  couple *c = open_couple();
  thirl_session_begin_round(&c->d.s, c->now);
  couple_run_to(c, T0 + 30 * THIRL_S);
  expect_event(&c->d, THIRL_SESSION_FAILED, 0, T0 + 30 * THIRL_S, THIRL_E_TIMEOUT);
  couple_close(c);
  c = open_couple();
  thirl_session_begin_round(&c->d.s, c->now);
  thirl_session_end_round(&c->d.s, c->now, THIRL_E_NO_PEER);
  thirl_session_begin_round(&c->d.s, c->now + 29 * THIRL_S);
  couple_run_to(c, T0 + 30 * THIRL_S);
  expect_event(&c->d, THIRL_SESSION_FAILED, 0, T0 + 30 * THIRL_S, THIRL_E_NO_PEER);
  couple_close(c);
}

/* ---- rounds ---- */

/* least: of the waits, in ms; the last one for all that follow. Up to as much again is added, at most 1 s. */
static void expect_gaps(const couple *c, const thirl_time *least, size_t n) {
  assert_int_equal(c->round_at[0], T0);
  for (size_t i = 1; i < c->n_rounds; i++) {
    thirl_time from = least[THIRL_MIN(i - 1, n - 1)], spread = THIRL_MIN(2 * from, (thirl_time)1000);
    assert_in_range((c->round_at[i] - c->round_at[i - 1]) / THIRL_MS, from, from + spread + 1);
  }
}

static void rounds_in_vain_come_slower_and_spread(void **state) {
  (void)state;
  static const thirl_time least[] = {500, 1000, 2000, 4000};
  thirl_session_policy p = {.dial_timeout = 120 * THIRL_S};
  couple_open(&world, &p, NULL);
  couple *c = &world;
  c->rounds = true;
  c->round_answer = THIRL_E_LIMIT;
  couple_run(c, 119 * THIRL_S);
  expect_gaps(c, least, 4);
  assert_in_range(c->n_rounds, 25, 31);
  couple_close(c);
}

/* The peer may be about to come: asked for again soon, and then more and more slowly. */
static void a_peer_that_is_not_there_is_asked_for_soon(void **state) {
  (void)state;
  static const thirl_time least[] = {50,  100,  200,  400,
                                     800, 1600, 3200, 4000}; /* ms; and up to twice as much, but 1 s */
  thirl_session_policy p = {.dial_timeout = 120 * THIRL_S};
  unsigned in_a_second = 0, in_30 = 0;
  couple_open(&world, &p, NULL);
  couple *c = &world;
  c->rounds = true;
  c->round_answer = THIRL_E_NO_PEER;
  couple_run(c, 119 * THIRL_S);
  expect_gaps(c, least, 8);
  for (size_t i = 0; i < c->n_rounds; i++) {
    in_a_second += c->round_at[i] < T0 + THIRL_S;
    in_30 += c->round_at[i] < T0 + 30 * THIRL_S;
  }
  assert_in_range(in_a_second, 4, 5); /* of the 60 in a minute that a server allows */
  assert_in_range(in_30, 11, 13);
  assert_in_range(c->n_rounds, 29, 34);
  couple_close(c);
}

static void a_round_without_an_answer_is_over_after_15_s(void **state) {
  (void)state;
  couple *c = open_couple();
  thirl_session_begin_round(&c->d.s, c->now);
  couple_run_to(c, T0 + 15 * THIRL_S - 1);
  assert_true(thirl_session_next_round(&c->d.s) == THIRL_NEVER);
  couple_run_to(c, T0 + 15 * THIRL_S);
  assert_in_range(thirl_session_next_round(&c->d.s), c->now + 500 * THIRL_MS, c->now + 1500 * THIRL_MS);
  couple_close(c);
}

static void a_lost_relay_is_asked_for_again_within_2_s(void **state) {
  (void)state;
  couple *c = open_relayed();
  c->rounds = true;
  couple_down(c, COUPLE_RELAY, THIRL_E_LOST);
  couple_run(c, 2 * THIRL_S);
  assert_int_equal(c->n_rounds, 1);
  assert_true(c->round_punches[0]);
  assert_int_equal(c->d.s.route, THIRL_SESSION_RELAY);
  couple_close(c);
}

static void with_a_direct_path_the_relay_is_repaired_without_punching(void **state) {
  (void)state;
  couple *c = open_both();
  c->rounds = true;
  couple_down(c, COUPLE_RELAY, THIRL_E_LOST);
  couple_run(c, 2 * THIRL_S);
  assert_int_equal(c->n_rounds, 1);
  assert_false(c->round_punches[0]);
  couple_run(c, 100 * THIRL_S);
  assert_int_equal(c->n_rounds, 1);
  couple_close(c);
}

/* A peer that takes no relay: it is not asked for one every second. */
static void a_relay_that_is_not_wanted_is_not_asked_for(void **state) {
  (void)state;
  couple *c = open_both();
  c->rounds = true;
  couple_down(c, COUPLE_RELAY, THIRL_E_ONLY_RELAY);
  couple_run(c, 100 * THIRL_S);
  assert_int_equal(c->n_rounds, 0);
  couple_close(c);
}

/* The peer has lost the server; the direct path carries. */
static void with_a_direct_path_rounds_in_vain_become_rare(void **state) {
  (void)state;
  couple *c = open_both();
  c->rounds = true;
  c->round_answer = THIRL_E_NO_PEER;
  couple_down(c, COUPLE_RELAY, THIRL_E_LOST);
  couple_run(c, 600 * THIRL_S);
  assert_in_range(c->n_rounds, 5, 30);
  couple_close(c);
}

static void punching_in_vain_is_repeated_after_30_s_and_doubles(void **state) {
  (void)state;
  couple *c = open_relayed();
  c->rounds = true;
  c->round_answer = THIRL_E_LIMIT; /* leaves the relay as it is */
  couple_run(c, THIRL_S);
  static const thirl_time waits[] = {30, 60, 120, 240, 480, 600, 600};
  for (size_t i = 0; i < 7; i++) {
    thirl_session_begin_round(&c->d.s, c->now);
    thirl_session_end_round(&c->d.s, c->now, THIRL_OK);
    thirl_session_punch_started(&c->d.s, c->now);
    thirl_session_punch_failed(&c->d.s, c->now, THIRL_E_TIMEOUT);
    assert_int_equal(thirl_session_next_round(&c->d.s), c->now + waits[i] * THIRL_S);
  }
  couple_settle(c);
  const couple_event *e = couple_find(&c->d, THIRL_SESSION_PATH, 1);
  assert_int_equal(e->ev.route, THIRL_SESSION_RELAY);
  assert_int_equal(e->ev.error, THIRL_E_TIMEOUT);
  couple_close(c);
}

/* A direct path that dies again and again right after it came: every round costs the relay's stream a handshake. */
static void a_direct_path_that_flaps_is_not_chased(void **state) {
  (void)state;
  couple *c = open_relayed();
  c->rounds = true;
  size_t flaps = 0;
  for (int i = 0; i < 120; i++) {
    size_t n = c->n_rounds;
    couple_run(c, THIRL_S);
    if (i > 0 && c->n_rounds == n) continue;
    thirl_session_punch_started(&c->d.s, c->now);
    couple_direct_up(c);
    couple_run(c, 400 * THIRL_MS);
    couple_down(c, COUPLE_DIRECT, THIRL_E_RESET);
    flaps++;
  }
  assert_in_range(flaps, 2, 6);
  couple_close(c);
}

static void registered_again_what_is_missing_is_asked_for_at_once(void **state) {
  (void)state;
  couple *c = open_relayed();
  thirl_session_begin_round(&c->d.s, c->now);
  thirl_session_end_round(&c->d.s, c->now, THIRL_OK);
  thirl_session_punch_failed(&c->d.s, c->now, THIRL_E_TIMEOUT);
  thirl_session_hurry_round(&c->d.s, c->now);
  assert_int_equal(thirl_session_next_round(&c->d.s), c->now);
  couple_close(c);
  c = open_both();
  thirl_session_begin_round(&c->d.s, c->now);
  thirl_session_end_round(&c->d.s, c->now, THIRL_OK);
  thirl_session_hurry_round(&c->d.s, c->now);
  assert_true(thirl_session_next_round(&c->d.s) == THIRL_NEVER); /* nothing is missing */
  thirl_session_hurry_round(&c->l.s, c->now);
  assert_true(thirl_session_next_round(&c->l.s) == THIRL_NEVER); /* a listener never asks */
  assert_false(thirl_session_wants_round(&c->l.s, c->now));
  couple_close(c);
}

static void punching_in_vain_without_a_relay_is_repeated_after_a_second(void **state) {
  (void)state;
  couple *c = open_couple();
  thirl_session_begin_round(&c->d.s, c->now);
  thirl_session_end_round(&c->d.s, c->now, THIRL_OK);
  thirl_session_punch_failed(&c->d.s, c->now, THIRL_E_TIMEOUT);
  assert_int_equal(thirl_session_next_round(&c->d.s), c->now + THIRL_S);
  assert_int_equal(c->d.s.state, THIRL_SESSION_STATE_OPENING); /* a relay may still come */
  couple_close(c);
}

static void at_the_end_no_round_is_wanted(void **state) {
  (void)state;
  couple *c = open_couple();
  assert_true(thirl_session_next_round(&c->d.s) == c->now);
  assert_true(thirl_session_next_round(&c->l.s) == THIRL_NEVER);
  thirl_session_abandon(&c->d.s, c->now, THIRL_E_TIMEOUT);
  assert_true(thirl_session_next_round(&c->d.s) == THIRL_NEVER);
  assert_false(thirl_session_wants_round(&c->d.s, c->now));
  couple_close(c);
  c = open_relayed(); /* the peer has said goodbye: for our own word to it nobody need be asked */
  c->d.lazy = true;
  couple_write(c, &c->l, 10);
  couple_finish(c, &c->d);
  couple_finish(c, &c->l);
  couple_run(c, THIRL_S);
  assert_true(c->d.s.bye_heard);
  couple_down(c, COUPLE_RELAY, THIRL_E_LOST);
  assert_true(thirl_session_next_round(&c->d.s) == THIRL_NEVER);
  assert_false(thirl_session_wants_round(&c->d.s, c->now + 10 * THIRL_S));
  couple_close(c);
}

/* A session with a direct path, or one of whose sides shows no address, does not punch. */
static void why_nothing_was_tried(void **state) {
  (void)state;
  couple *c = open_couple();
  thirl_session_punch_omitted(&c->d.s);
  couple_relay_up(c);
  couple_run(c, THIRL_S);
  assert_int_equal(couple_find(&c->d, THIRL_SESSION_PATH, 0)->ev.error, THIRL_E_HIDDEN);
  couple_close(c);
  c = open_both();
  thirl_session_punch_omitted(&c->d.s);
  assert_int_equal(c->d.s.relay_reason, THIRL_OK);
  couple_close(c);
  c = open_relayed();
  thirl_session_punch_started(&c->d.s, c->now); /* another round came while the last still punches */
  thirl_session_punch_omitted(&c->d.s);
  assert_int_equal(c->d.s.relay_reason, THIRL_OK);
  couple_close(c);
}

/* ---- what the caller allows ---- */

static void only_direct_means_that_the_relay_carries_nothing(void **state) {
  (void)state;
  thirl_session_policy p = {.direct_only = true};
  couple_open(&world, &p, &p);
  couple *c = &world;
  couple_write(c, &c->d, 100);
  couple_relay_up(c);
  couple_run(c, THIRL_S);
  assert_int_equal(c->l.read, 0);
  assert_int_equal(c->d.n_events, 0);
  couple_direct_up(c);
  couple_run(c, THIRL_S);
  assert_int_equal(c->l.read, 100);
  assert_int_equal(couple_find(&c->d, THIRL_SESSION_UP, 0)->ev.route, THIRL_SESSION_DIRECT);
  couple_close(c);
}

static void only_direct_and_no_path_is_its_own_error(void **state) {
  (void)state;
  thirl_session_policy p = {.direct_only = true};
  couple_open(&world, &p, &p);
  couple *c = &world;
  couple_run(c, THIRL_S);
  thirl_session_punch_failed(&c->d.s, c->now, THIRL_E_REFUSED);
  thirl_session_punch_failed(&c->l.s, c->now, THIRL_E_REFUSED);
  couple_settle(c);
  expect_event(&c->d, THIRL_SESSION_FAILED, 0, T0 + THIRL_S, THIRL_E_ONLY_RELAY);
  expect_event(&c->l, THIRL_SESSION_FAILED, 0, T0 + THIRL_S, THIRL_E_ONLY_RELAY);
  couple_close(c);
}

static void only_direct_waits_when_it_was_there(void **state) {
  (void)state;
  thirl_session_policy p = {.direct_only = true};
  couple_open(&world, &p, &p);
  couple *c = &world;
  couple_direct_up(c);
  couple_run(c, 20 * THIRL_S);
  couple_down(c, COUPLE_DIRECT, THIRL_E_RESET);
  assert_int_equal(thirl_session_next_round(&c->d.s), c->now); /* at once */
  thirl_session_punch_failed(&c->d.s, c->now, THIRL_E_REFUSED);
  couple_run(c, 59 * THIRL_S);
  assert_int_equal(couple_count(&c->d, THIRL_SESSION_FAILED), 0);
  couple_run(c, THIRL_S);
  assert_int_equal(couple_find(&c->d, THIRL_SESSION_FAILED, 0)->ev.error, THIRL_E_LOST);
  couple_close(c);
}

static void only_direct_and_a_wrong_key(void **state) {
  (void)state;
  thirl_session_policy p = {.direct_only = true};
  couple_open(&world, &p, &p);
  couple *c = &world;
  c->d.s.peer.b[0] ^= 1;
  couple_direct_up(c);
  couple_run(c, THIRL_S);
  assert_int_equal(couple_find(&c->d, THIRL_SESSION_FAILED, 0)->ev.error, THIRL_E_WRONG_KEY);
  assert_int_equal(couple_count(&c->d, THIRL_SESSION_STRANGER), 1);
  couple_close(c);
}

/* Nonsense in the handshake is a lost channel, not the end: the server may have mixed something up. */
static void nonsense_in_the_handshake_is_not_the_end(void **state) {
  (void)state;
  couple *c = open_couple();
  couple_relay_up(c);
  assert_false(thirl_session_relay_input(&c->l.s, c->now, THIRL_BYTES("GET / HTTP/1.1\r\n\r\n", 18)));
  couple_settle(c);
  couple_direct_up(c);
  assert_false(thirl_session_direct_input(&c->l.s, c->now, THIRL_BYTES("GET / HTTP/1.1\r\n\r\n", 18)));
  couple_settle(c);
  assert_int_equal(c->l.s.state, THIRL_SESSION_STATE_OPENING);
  assert_int_equal(c->l.n_events, 0);
  couple_relay_up(c);
  couple_run(c, THIRL_S);
  assert_int_equal(couple_count(&c->l, THIRL_SESSION_UP), 1);
  couple_write(c, &c->l, 1000); /* on the way through the relay */
  couple_direct_up(c);
  assert_false(thirl_session_direct_input(&c->l.s, c->now, THIRL_BYTES("GET / HTTP/1.1\r\n\r\n", 18)));
  assert_int_equal(c->l.s.stream.tx_sent, 1000); /* and not again */
  couple_settle(c);
  assert_int_equal(couple_count(&c->l, THIRL_SESSION_STRANGER), 0);
  assert_int_equal(c->l.n_events, 2); /* UP, relayed: the attempt changes nothing */
  couple_close(c);
}

static void only_the_relay_means_no_punching(void **state) {
  (void)state;
  thirl_session_policy p = {.relay_only = true};
  couple_open(&world, &p, NULL);
  couple *c = &world;
  assert_true(thirl_session_wants_round(&c->d.s, c->now));
  assert_false(thirl_session_wants_punch(&c->d.s));
  couple_close(c);
}

static void a_policy_that_cannot_be_is_refused(void **state) {
  (void)state;
  thirl_session s;
  thirl_peerid peer = {0};
  static const thirl_session_policy bad[] = {
      {.direct_only = true, .relay_only = true}, {.window = 16384}, {.window = 40000}, {.window = 1}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(thirl_session_init(&s, T0, true, &peer, couple_id, &bad[i], NULL, 1), THIRL_E_INVALID);
}

/* ---- who is there ---- */

/* The process at the other end has begun anew, and knows nothing of this stream. */
static void another_incarnation_is_the_end(void **state) {
  (void)state;
  couple *c = open_relayed();
  couple_write(c, &c->d, 1000);
  couple_write(c, &c->l, 1000);
  couple_run(c, THIRL_S);
  couple_down(c, COUPLE_RELAY, THIRL_E_LOST);
  couple_restart(c, &c->l, NULL);
  thirl_time t = c->now;
  couple_relay_up(c);
  couple_run(c, THIRL_S);
  assert_in_range(couple_find(&c->d, THIRL_SESSION_FAILED, 0)->at, t, t + 200 * THIRL_MS);
  assert_int_equal(couple_find(&c->d, THIRL_SESSION_FAILED, 0)->ev.error, THIRL_E_LOST);
  assert_int_equal(c->l.read, 0);
  /* and the new one does not hang */
  assert_non_null(couple_find(&c->l, THIRL_SESSION_FAILED, 0));
  couple_close(c);
}

/* The same when the former one had said nothing yet, so that the numbers fit. */
static void another_incarnation_with_no_byte_between_them(void **state) {
  (void)state;
  couple *c = open_relayed();
  couple_down(c, COUPLE_RELAY, THIRL_E_LOST);
  couple_restart(c, &c->l, NULL);
  couple_relay_up(c);
  couple_run(c, THIRL_S);
  assert_int_equal(couple_find(&c->d, THIRL_SESSION_FAILED, 0)->ev.error, THIRL_E_LOST);
  assert_int_equal(couple_find(&c->l, THIRL_SESSION_FAILED, 0)->ev.error, THIRL_E_PEER_CLOSED);
  couple_close(c);
}

static void a_wrong_key_is_told_on_both_sides(void **state) {
  (void)state;
  couple *c = open_couple();
  thirl_peerid right = c->l.s.peer;
  c->l.s.peer.b[0] ^= 1; /* the listener expects somebody else */
  couple_write(c, &c->d, 100);
  couple_relay_up(c);
  couple_run(c, THIRL_S);
  assert_int_equal(couple_find(&c->l, THIRL_SESSION_FAILED, 0)->ev.error, THIRL_E_WRONG_KEY);
  assert_int_equal(couple_find(&c->d, THIRL_SESSION_FAILED, 0)->ev.error, THIRL_E_WRONG_KEY);
  assert_int_equal(c->l.read, 0);
  assert_null(couple_find(&c->l, THIRL_SESSION_UP, 0));
  couple_close(c);
  c = open_couple();
  c->l.s.peer = right;
  c->d.s.peer.b[0] ^= 1; /* the dialer expects somebody else */
  couple_write(c, &c->d, 100);
  couple_relay_up(c);
  couple_run(c, THIRL_S);
  assert_int_equal(couple_find(&c->d, THIRL_SESSION_FAILED, 0)->ev.error, THIRL_E_WRONG_KEY);
  assert_null(couple_find(&c->d, THIRL_SESSION_UP, 0));
  assert_null(couple_find(&c->l, THIRL_SESSION_UP, 0));
  assert_int_equal(c->l.read, 0);
  couple_close(c);
}

/* With another key at the end of a direct connection the session goes on through the relay, and tells of the stranger. */
static void a_stranger_on_the_direct_path_costs_nothing(void **state) {
  (void)state;
  couple *c = open_relayed();
  c->d.s.peer.b[0] ^= 1;
  couple_direct_up(c);
  c->d.s.peer.b[0] ^= 1;
  couple_write(c, &c->d, 1000);
  couple_run(c, THIRL_S);
  const couple_event *e = couple_find(&c->d, THIRL_SESSION_STRANGER, 0);
  assert_non_null(e);
  assert_int_equal(e->ev.error, THIRL_E_WRONG_KEY);
  assert_int_equal(e->ev.remote.port, 4000);
  assert_true(c->d.direct_ended);
  assert_int_equal(c->l.read, 1000);
  assert_int_equal(c->d.s.state, THIRL_SESSION_STATE_OPEN);
  couple_close(c);
}

/* ---- events ---- */

static void of_too_many_events_the_newest_stay(void **state) {
  (void)state;
  couple *c = open_couple();
  thirl_addr at = {.family = THIRL_FAMILY_V4, .ip = {1, 2, 3, 4}};
  for (uint16_t i = 1; i <= 20; i++) {
    at.port = i;
    thirl_session_stranger(&c->d.s, &at, THIRL_E_STRANGER);
  }
  thirl_session_event ev;
  for (uint16_t i = 5; i <= 20; i++) {
    assert_true(thirl_session_next_event(&c->d.s, &ev));
    assert_int_equal(ev.remote.port, i);
  }
  assert_false(thirl_session_next_event(&c->d.s, &ev));
  assert_int_equal(c->d.s.events_lost, 4);
  couple_close(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_stream_is_up_when_tls_is),
      cmocka_unit_test(what_was_written_before_goes_with_the_handshake),
      cmocka_unit_test(the_direct_path_takes_over_and_back),
      cmocka_unit_test(one_handshake_one_hello_and_then_silence),
      cmocka_unit_test(a_path_that_swallows_is_given_up_after_2500_ms),
      cmocka_unit_test(an_idle_path_is_asked_every_25_s),
      cmocka_unit_test(a_slow_path_is_not_a_dead_one),
      cmocka_unit_test(a_direct_path_without_hello_is_a_punch_in_vain),
      cmocka_unit_test(a_prepared_relay_is_up_half_a_round_trip_sooner),
      cmocka_unit_test(a_prepared_relay_does_not_touch_the_present_one),
      cmocka_unit_test(what_cannot_go_with_the_question_goes_over_the_channel),
      cmocka_unit_test(a_handshake_belongs_to_one_question),
      cmocka_unit_test(the_time_for_a_handshake_begins_with_the_channel),
      cmocka_unit_test(a_prospect_sends_its_first_flight_and_nothing_else),
      cmocka_unit_test(a_prospect_withdrawn_leaves_no_trace),
      cmocka_unit_test(a_prospect_confirmed_is_a_path_like_any_other),
      cmocka_unit_test(a_byte_that_is_sent_again_counts_once),
      cmocka_unit_test(what_a_former_path_has_brought_is_its_own),
      cmocka_unit_test(both_say_what_they_know_and_tell_it_once),
      cmocka_unit_test(a_better_reason_is_told_when_it_is_known),
      cmocka_unit_test(a_report_is_said_once_on_every_path),
      cmocka_unit_test(who_was_direct_does_not_blame_the_nats),
      cmocka_unit_test(nonsense_in_a_report_is_nothing),
      cmocka_unit_test(a_survey_is_wanted_after_three_seconds_of_punching),
      cmocka_unit_test(the_same_reason_is_not_told_twice),
      cmocka_unit_test(an_open_path_that_goes_silent_stalls_2_s_at_most),
      cmocka_unit_test(an_acknowledgement_lost_with_its_path_is_said_again),
      cmocka_unit_test(the_acknowledgement_of_the_end_lost_likewise),
      cmocka_unit_test(an_acknowledgement_told_to_a_dead_handshake_is_said_again),
      cmocka_unit_test(both_finish_within_three_one_way_times),
      cmocka_unit_test(each_direction_ends_by_itself),
      cmocka_unit_test(a_slow_reader_loses_nothing_when_the_peer_has_gone),
      cmocka_unit_test(the_relay_ends_while_the_last_word_is_awaited),
      cmocka_unit_test(a_peer_that_has_finished_need_not_be_waited_for),
      cmocka_unit_test(the_end_of_the_relay_is_not_the_last_word),
      cmocka_unit_test(a_peer_that_has_given_up_is_believed_at_once),
      cmocka_unit_test(giving_up_is_told),
      cmocka_unit_test(giving_up_without_a_reason_is_still_giving_up),
      cmocka_unit_test(a_farewell_before_the_end_breaks_the_protocol),
      cmocka_unit_test(no_path_in_30_s_is_the_last_error),
      cmocka_unit_test(pathless_for_60_s_is_lost),
      cmocka_unit_test(patience_may_be_endless),
      cmocka_unit_test(rounds_in_vain_come_slower_and_spread),
      cmocka_unit_test(a_peer_that_is_not_there_is_asked_for_soon),
      cmocka_unit_test(a_round_without_an_answer_is_over_after_15_s),
      cmocka_unit_test(a_lost_relay_is_asked_for_again_within_2_s),
      cmocka_unit_test(with_a_direct_path_the_relay_is_repaired_without_punching),
      cmocka_unit_test(a_relay_that_is_not_wanted_is_not_asked_for),
      cmocka_unit_test(with_a_direct_path_rounds_in_vain_become_rare),
      cmocka_unit_test(punching_in_vain_is_repeated_after_30_s_and_doubles),
      cmocka_unit_test(a_direct_path_that_flaps_is_not_chased),
      cmocka_unit_test(registered_again_what_is_missing_is_asked_for_at_once),
      cmocka_unit_test(only_direct_means_that_the_relay_carries_nothing),
      cmocka_unit_test(only_direct_and_no_path_is_its_own_error),
      cmocka_unit_test(only_the_relay_means_no_punching),
      cmocka_unit_test(a_policy_that_cannot_be_is_refused),
      cmocka_unit_test(another_incarnation_is_the_end),
      cmocka_unit_test(another_incarnation_with_no_byte_between_them),
      cmocka_unit_test(a_wrong_key_is_told_on_both_sides),
      cmocka_unit_test(a_stranger_on_the_direct_path_costs_nothing),
      cmocka_unit_test(an_acknowledgement_in_a_lost_hello_is_said_again),
      cmocka_unit_test(who_speaks_elsewhere_is_answered_there),
      cmocka_unit_test(the_end_says_what_went_where),
      cmocka_unit_test(a_path_that_is_closed_politely_is_lost_too),
      cmocka_unit_test(asked_and_not_answered_is_a_timeout),
      cmocka_unit_test(punching_in_vain_without_a_relay_is_repeated_after_a_second),
      cmocka_unit_test(at_the_end_no_round_is_wanted),
      cmocka_unit_test(why_nothing_was_tried),
      cmocka_unit_test(only_direct_waits_when_it_was_there),
      cmocka_unit_test(only_direct_and_a_wrong_key),
      cmocka_unit_test(nonsense_in_the_handshake_is_not_the_end),
      cmocka_unit_test(half_a_second_of_silence_before_a_question),
      cmocka_unit_test(of_too_many_events_the_newest_stay),
  };
  return cmocka_run_group_tests_name("session/session", tests, NULL, NULL);
}
