/* SPDX-License-Identifier: MIT */
/* One endpoint whose network, server and peers are the test: who gets which event, what is told to the server, and all limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "session/anonymous.h"
#include "session/lanes.h"
#include "session/queue.h"
#include "support/desk.h"

static const thirl_peerid ally = {{7, 7, 7}};
static const thirl_peerid other = {{8, 8, 8}};

static const uint8_t *session_of(unsigned i) {
  static uint8_t id[THIRL_MEET_SESSION_ID_LEN];
  memset(id, 0, sizeof id);
  thirl_bytes_put_u32(id, i);
  return id;
}

static thirl_meet_ticket ticket_for(const thirl_peerid *peer) {
  thirl_meet_ticket t = {.host = "203.0.113.10", .port = 3478, .peer = *peer, .secret = {1, 2, 3}};
  return t;
}

static desk *listening(size_t max_incoming, thirl_meet_ticket *t) {
  desk *d = desk_new(1, max_incoming, NULL);
  assert_int_equal(thirl_session_endpoint_ticket(d->e, d->now, "203.0.113.10", 3478, t), THIRL_OK);
  desk_register(d);
  return d;
}

static uint32_t dial(desk *d, const thirl_session_policy *policy) {
  thirl_meet_ticket t = ticket_for(&ally);
  uint32_t handle = 0;
  assert_int_equal(thirl_session_endpoint_dial(d->e, d->now, &t, policy, &handle), THIRL_OK);
  desk_settle(d);
  return handle;
}

static const thirl_session_endpoint_event *of(const desk *d, thirl_session_event_kind kind, size_t i) {
  return desk_event(d, THIRL_SESSION_OF, kind, i);
}

/* ---- the server ---- */

static void before_start_nothing_is_sent(void **state) {
  (void)state;
  desk *d = desk_new(1, 1, NULL);
  uint32_t h = dial(d, NULL);
  desk_wait(d, 29 * THIRL_S);
  assert_int_equal(d->n_conns, 0);
  desk_wait(d, 2 * THIRL_S);
  assert_int_equal(of(d, THIRL_SESSION_FAILED, 0)->handle, h);
  assert_int_equal(of(d, THIRL_SESSION_FAILED, 0)->of.error, THIRL_E_NO_SERVER);
  assert_true(thirl_session_endpoint_is_idle(d->e));
  desk_free(d);
}

static void one_control_connection_and_two_lanes(void **state) {
  (void)state;
  desk *d = desk_new(1, 0, NULL);
  desk_register(d);
  assert_int_equal(desk_alive(d, DESK_OPEN), 3);
  assert_int_equal(desk_alive(d, DESK_LISTENING), 3);
  assert_int_equal(d->n_bindings, 2);
  assert_int_equal(d->n_updates, 0); /* nothing is left at the server */
  const thirl_session_endpoint_event *ev = desk_event(d, THIRL_SESSION_REGISTERED, 0, 0);
  assert_true(thirl_addr_same_ip(&ev->mapped, &d->mapped));
  assert_int_equal(thirl_session_endpoint_start(d->e, d->now, &desk_server, 1), THIRL_E_STATE);
  desk_free(d);
}

static void servers_are_counted(void **state) {
  (void)state;
  thirl_addr many[9] = {{0}};
  desk *d = desk_new(1, 0, NULL);
  assert_int_equal(thirl_session_endpoint_start(d->e, d->now, many, 0), THIRL_E_RANGE);
  assert_int_equal(thirl_session_endpoint_start(d->e, d->now, many, 9), THIRL_E_RANGE);
  assert_int_equal(thirl_session_endpoint_start(d->e, d->now, &desk_server, 1), THIRL_OK);
  desk_free(d);
}

static void relay_only_has_no_lanes(void **state) {
  (void)state;
  thirl_session_policy p = {.relay_only = true};
  desk *d = desk_new(1, 1, &p);
  thirl_meet_ticket t;
  assert_int_equal(thirl_session_endpoint_ticket(d->e, d->now, "h", 1, &t), THIRL_OK);
  desk_register(d);
  assert_int_equal(desk_alive(d, DESK_OPEN), 1);
  assert_int_equal(desk_alive(d, DESK_LISTENING), 0);
  assert_int_equal(d->standing.n, 0); /* no address is shown */
  assert_string_not_equal(d->standing.ufrag, "");
  assert_int_equal(d->n_checks, 1);
  dial(d, NULL);
  assert_int_equal(d->connects[0].offer.n, 0);
  desk_free(d);
}

static void the_standing_offer_is_left_once(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  assert_int_equal(d->standing.n, 4); /* a host candidate, and one of each lane */
  assert_int_equal(d->n_checks, 1);
  assert_int_equal(d->n_updates, 1);
  desk_wait(d, 20 * THIRL_S);
  assert_int_equal(d->n_updates, 1);
  desk_free(d);
}

static void a_changed_mapping_is_told(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  d->mapped = thirl_addr_v4(203, 0, 113, 99, 0); /* the NAT has another address; the control connection has survived */
  desk_wait(d, 26 * THIRL_S);                    /* a keepalive of the lanes shows it */
  unsigned found = 0;
  for (size_t i = 0; i < d->standing.n; i++)
    found += thirl_addr_same_ip(&d->standing.candidates[i].addr, &d->mapped);
  assert_int_equal(found, 2);
  desk_free(d);
}

static void tickets_are_eight_and_taken_back(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  for (int i = 1; i < THIRL_SESSION_TICKETS_MAX; i++)
    assert_int_equal(thirl_session_endpoint_ticket(d->e, d->now, "h", 1, &t), THIRL_OK);
  assert_int_equal(thirl_session_endpoint_ticket(d->e, d->now, "h", 1, &t), THIRL_E_LIMIT);
  assert_int_equal(thirl_session_endpoint_admit(d->e, d->now, &t), THIRL_E_LIMIT);
  desk_settle(d);
  assert_int_equal(d->n_checks, 8);
  thirl_session_endpoint_stop_listening(d->e, d->now);
  desk_settle(d);
  assert_int_equal(d->n_checks, 0);
  assert_string_equal(d->standing.ufrag, "");
  desk_free(d);
}

static void what_was_left_is_left_again_at_the_next_registration(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  desk_fail(d, desk_control(d), THIRL_E_RESET);
  assert_int_equal(desk_count(d, THIRL_SESSION_UNREGISTERED, 0), 1);
  desk_wait(d, 2 * THIRL_S);
  assert_int_equal(d->n_registers, 2);
  assert_int_equal(d->n_checks, 1);
  assert_int_equal(d->standing.n, 4);
  assert_int_equal(desk_count(d, THIRL_SESSION_REGISTERED, 0), 2);
  desk_free(d);
}

/* The server was away for a minute: everything is there again a moment after it. */
static void the_lanes_come_back_with_the_server(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  d->server_is_away = true;
  for (size_t i = 0; i < d->n_conns; i++)
    if (d->conns[i].is_server) desk_fail(d, &d->conns[i], THIRL_E_RESET);
  desk_wait(d, 60 * THIRL_S);
  assert_int_equal(desk_alive(d, DESK_OPEN), 0);
  assert_true(desk_alive(d, DESK_CONNECTING) <= 3);
  d->server_is_away = false;
  thirl_time t0 = d->now;
  while (d->n_registers < 2)
    desk_wait(d, 10 * THIRL_MS);
  assert_true(d->now - t0 <= 30 * THIRL_S);
  desk_wait(d, 10 * THIRL_MS);
  assert_int_equal(desk_alive(d, DESK_OPEN), 3);
  assert_int_equal(d->standing.n, 4);
  desk_free(d);
}

static void a_deaf_server_is_left_after_10_s(void **state) {
  (void)state;
  desk *d = desk_new(1, 0, NULL);
  d->server_is_deaf = true;
  desk_start(d);
  desk_wait(d, 9 * THIRL_S);
  assert_int_equal(desk_count(d, THIRL_SESSION_UNREGISTERED, 0), 0);
  desk_wait(d, 2 * THIRL_S);
  assert_int_equal(desk_count(d, THIRL_SESSION_UNREGISTERED, 0), 1);
  desk_wait(d, 120 * THIRL_S);
  assert_int_equal(desk_count(d, THIRL_SESSION_UNREGISTERED, 0), 1); /* once is enough */
  desk_free(d);
}

static void lanes_that_are_not_mapped_are_waited_for_a_second(void **state) {
  (void)state;
  desk *d = desk_new(1, 0, NULL);
  d->lanes_are_deaf = true;
  dial(d, NULL);
  desk_start(d);
  desk_wait(d, 999 * THIRL_MS);
  assert_int_equal(d->n_connects, 0);
  desk_wait(d, 1 * THIRL_MS);
  assert_int_equal(d->n_connects, 1);
  assert_int_equal(d->connects[0].offer.n, 2); /* the control connection's own port */
  desk_free(d);
}

/* ---- dialling ---- */

static void our_own_ticket_is_refused(void **state) {
  (void)state;
  desk *d = desk_new(1, 1, NULL);
  thirl_meet_ticket t = ticket_for(desk_id());
  uint32_t h;
  assert_int_equal(thirl_session_endpoint_dial(d->e, d->now, &t, NULL, &h), THIRL_E_SELF);
  desk_free(d);
}

static void a_bad_policy_is_refused(void **state) {
  (void)state;
  desk *d = desk_new(1, 1, NULL);
  thirl_meet_ticket t = ticket_for(&ally);
  thirl_session_policy p = {.direct_only = true, .relay_only = true};
  uint32_t h;
  assert_int_equal(thirl_session_endpoint_dial(d->e, d->now, &t, &p, &h), THIRL_E_INVALID);
  assert_true(thirl_session_endpoint_is_idle(d->e));
  desk_free(d);
}

static void each_session_asks_once(void **state) {
  (void)state;
  desk *d = desk_new(1, 0, NULL);
  desk_register(d);
  uint32_t a = dial(d, NULL), b = dial(d, NULL);
  assert_int_not_equal(a, b);
  assert_int_equal(d->n_connects, 2);
  assert_memory_equal(d->connects[0].peer.b, ally.b, sizeof ally.b);
  assert_memory_not_equal(d->connects[0].session, d->connects[1].session, THIRL_MEET_SESSION_ID_LEN);
  assert_string_not_equal(d->connects[0].offer.ufrag, d->connects[1].offer.ufrag);
  assert_int_equal(d->connects[0].offer.n, 4);
  desk_free(d);
}

static void a_peer_that_is_not_there_is_asked_for_until_the_time_is_over(void **state) {
  (void)state;
  desk *d = desk_new(1, 0, NULL);
  desk_register(d);
  uint32_t h = dial(d, NULL);
  for (int i = 0; i < 300; i++) {
    (void)desk_say_refused(d, 0, 404);
    desk_wait(d, 100 * THIRL_MS);
  }
  assert_in_range(d->n_connects, 7, 12);
  desk_wait(d, 1 * THIRL_S);
  assert_int_equal(of(d, THIRL_SESSION_FAILED, 0)->handle, h);
  assert_int_equal(of(d, THIRL_SESSION_FAILED, 0)->of.error, THIRL_E_NO_PEER);
  desk_free(d);
}

static void go_fires_at_its_moment_one_connection_per_pair(void **state) {
  (void)state;
  desk *d = desk_new(1, 0, NULL);
  desk_register(d);
  dial(d, NULL);
  thirl_meet_offer o = desk_offer(3);
  unsigned before = d->n_connecting;
  assert_true(desk_say_go(d, 0, &o, 0x4000, 40 * THIRL_MS));
  desk_wait(d, 40 * THIRL_MS - 1);
  assert_int_equal(d->n_connecting, before);
  desk_wait(d, 1);
  assert_int_equal(d->n_connecting, before + 3);
  for (size_t i = 0; i < 3; i++) { /* from the ports that the offer named */
    const desk_conn *c = desk_link(d, i);
    unsigned named = 0;
    for (size_t k = 0; k < d->connects[0].offer.n; k++)
      named += d->connects[0].offer.candidates[k].addr.port == c->local.port &&
               d->connects[0].offer.candidates[k].type == THIRL_MEET_SRFLX;
    assert_int_equal(named, 1);
  }
  desk_free(d);
}

static void forbidden_addresses_are_never_tried(void **state) {
  (void)state;
  desk *d = desk_new(1, 0, NULL);
  desk_register(d);
  dial(d, NULL);
  thirl_meet_offer o = desk_offer(7);
  static const uint8_t bad[6][4] = {{127, 0, 0, 1}, {224, 0, 0, 1}, {255, 255, 255, 255},
                                    {0, 0, 0, 0},   {127, 9, 9, 9}, {239, 1, 2, 3}};
  for (size_t i = 0; i < 6; i++)
    memcpy(o.candidates[i].addr.ip, bad[i], 4);
  o.candidates[3].addr.port = 0;
  unsigned before = d->n_connecting;
  assert_true(desk_say_go(d, 0, &o, 0x4000, 0));
  desk_wait(d, 10 * THIRL_S);
  assert_int_equal(d->n_connecting, before + 1); /* the desk itself would have complained */
  desk_free(d);
}

static void nobody_answers_and_the_reason_is_told(void **state) {
  (void)state;
  thirl_session_policy p = {.direct_only = true};
  desk *d = desk_new(1, 0, NULL);
  desk_register(d);
  dial(d, &p);
  thirl_meet_offer o = desk_offer(3);
  desk_say_go(d, 0, &o, 0x4000, 0);
  desk_wait(d, 12 * THIRL_S);
  assert_int_equal(d->ended_channel, 0x4000); /* the relay is not wanted, and the peer is told why */
  assert_int_equal(d->ended_why, THIRL_E_ONLY_RELAY);
  assert_int_equal(of(d, THIRL_SESSION_FAILED, 0)->of.error, THIRL_E_ONLY_RELAY);
  assert_int_equal(desk_alive(d, DESK_CONNECTING), 0);
  desk_free(d);
}

static void an_answer_for_a_dead_session_ends_the_channel(void **state) {
  (void)state;
  desk *d = desk_new(1, 0, NULL);
  desk_register(d);
  uint32_t h = dial(d, NULL);
  thirl_session_endpoint_abandon(d->e, d->now, h, THIRL_E_TIMEOUT);
  desk_settle(d);
  assert_int_equal(of(d, THIRL_SESSION_FAILED, 0)->of.error, THIRL_E_TIMEOUT);
  thirl_meet_offer o = desk_offer(3);
  assert_true(desk_say_go(d, 0, &o, 0x4001, 0));
  assert_int_equal(d->ended_channel, 0x4001);
  desk_wait(d, THIRL_S);
  assert_null(desk_link(d, 0));
  desk_free(d);
}

/* A peer that dials us with the very id of our session with somebody else. */
static void an_incoming_session_does_not_catch_our_answer(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  uint32_t h = dial(d, NULL);
  thirl_meet_offer o = desk_offer(3);
  desk_say_offer(d, &t, &other, d->connects[0].session, &o, 0x4001, 0);
  assert_int_equal(desk_count(d, THIRL_SESSION_INCOMING, 0), 1);
  for (int i = 0; i < 310; i++) {
    (void)desk_say_refused(d, 0, 404);
    desk_wait(d, 100 * THIRL_MS);
  }
  for (size_t i = 0; i < 2; i++) {
    const thirl_session_endpoint_event *ev = of(d, THIRL_SESSION_FAILED, i);
    if (ev->handle == h) assert_int_equal(ev->of.error, THIRL_E_NO_PEER);
  }
  desk_free(d);
}

static void sessions_are_256(void **state) {
  (void)state;
  desk *d = desk_new(1, 0, NULL);
  thirl_meet_ticket t = ticket_for(&ally);
  uint32_t h;
  for (int i = 0; i < THIRL_SESSION_PEERS_MAX; i++)
    assert_int_equal(thirl_session_endpoint_dial(d->e, d->now, &t, NULL, &h), THIRL_OK);
  assert_int_equal(thirl_session_endpoint_dial(d->e, d->now, &t, NULL, &h), THIRL_E_LIMIT);
  desk_free(d);
}

/* All fail in the same instant: more events than there is room for, and each of them is heard. */
static void no_end_of_a_session_is_lost(void **state) {
  (void)state;
  desk *d = desk_new(1, 0, NULL);
  thirl_meet_ticket t = ticket_for(&ally);
  bool heard[THIRL_SESSION_PEERS_MAX + 1] = {false};
  uint32_t h;
  d->sleeps = true;
  for (int i = 0; i < THIRL_SESSION_PEERS_MAX; i++)
    assert_int_equal(thirl_session_endpoint_dial(d->e, d->now, &t, NULL, &h), THIRL_OK);
  desk_wait(d, 40 * THIRL_S);
  assert_false(thirl_session_endpoint_is_idle(d->e));
  d->sleeps = false;
  desk_settle(d);
  assert_true(thirl_session_endpoint_is_idle(d->e));
  for (size_t i = 0; i < THIRL_SESSION_PEERS_MAX; i++) {
    const thirl_session_endpoint_event *ev = of(d, THIRL_SESSION_FAILED, i);
    assert_non_null(ev);
    assert_in_range(ev->handle, 1, THIRL_SESSION_PEERS_MAX);
    assert_false(heard[ev->handle]);
    heard[ev->handle] = true;
  }
  desk_free(d);
}

/* ---- the queue ---- */

/* 256 sessions begin to punch in one instant, and end it in another. */
static void all_sessions_punching_fit_the_queue(void **state) {
  (void)state;
  thirl_meet_ticket t;
  thirl_session_policy p = {.direct_only = true}; /* no relay channels, of which there may be 64 only */
  desk *d = desk_new(1, THIRL_SESSION_PEERS_MAX, &p);
  assert_int_equal(thirl_session_endpoint_ticket(d->e, d->now, "203.0.113.10", 3478, &t), THIRL_OK);
  desk_register(d);
  thirl_meet_offer o = desk_offer(THIRL_MEET_CANDIDATES_MAX);
  for (unsigned i = 0; i < THIRL_SESSION_PEERS_MAX; i++)
    desk_say_offer(d, &t, &other, session_of(i), &o, (uint16_t)(0x4000 + i), 5 * THIRL_S);
  assert_int_equal(desk_count(d, THIRL_SESSION_INCOMING, 0), THIRL_SESSION_PEERS_MAX);
  desk_wait(d, 5 * THIRL_S); /* GO for all, in one instant */
  assert_int_equal(desk_alive(d, DESK_CONNECTING), THIRL_SESSION_LINKS_MAX);
  desk_fail(d, desk_control(d), THIRL_E_RESET);
  desk_wait(d, 20 * THIRL_S);
  assert_int_equal(desk_alive(d, DESK_CONNECTING), 0);
  desk_free(d);
}

/* ---- incoming ---- */

static void an_offer_with_a_ticket_is_a_session(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  thirl_meet_offer o = desk_offer(3);
  desk_say_offer(d, &t, &ally, session_of(1), &o, 0x4000, 0);
  const thirl_session_endpoint_event *ev = desk_event(d, THIRL_SESSION_INCOMING, 0, 0);
  assert_non_null(ev);
  assert_memory_equal(ev->peer.b, ally.b, sizeof ally.b);
  assert_int_equal(desk_alive(d, DESK_CONNECTING), 3);
  o.round++;
  desk_say_offer(d, &t, &ally, session_of(1), &o, 0x4001, 0); /* another round of the same */
  assert_int_equal(desk_count(d, THIRL_SESSION_INCOMING, 0), 1);
  assert_int_equal(d->ended_channel, 0x4000); /* the new channel replaces it */
  desk_free(d);
}

/* A server that kept an OFFER could take a session's paths away with it. */
static void an_offer_that_was_here_before_is_a_replay(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  thirl_meet_offer first = desk_offer(3), second = first;
  second.round++;
  desk_say_offer(d, &t, &ally, session_of(1), &first, 0x4000, 0);
  desk_say_offer(d, &t, &ally, session_of(1), &second, 0x4001, 0);
  desk_say_offer(d, &t, &ally, session_of(1), &first, 0x4002, 0);
  assert_int_equal(d->ended_channel, 0x4002);
  assert_int_equal(d->ended_why, THIRL_E_REPLAY);
  desk_say_offer(d, &t, &ally, session_of(1), &second, 0x4003, 0);
  assert_int_equal(d->ended_channel, 0x4003);
  assert_int_equal(d->ended_why, THIRL_E_REPLAY);
  const thirl_session_endpoint_event *ev = desk_event(d, THIRL_SESSION_REJECTED, 0, 1);
  assert_non_null(ev);
  assert_int_equal(ev->error, THIRL_E_REPLAY);
  assert_memory_equal(ev->peer.b, ally.b, sizeof ally.b);
  assert_int_equal(thirl_session_endpoint_stats_of(d->e)->bad_offers, 2);
  assert_int_equal(desk_count(d, THIRL_SESSION_INCOMING, 0), 1);
  desk_free(d);
}

static void a_forged_offer_is_rejected(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  thirl_meet_offer o = desk_offer(3);
  desk_say_offer(d, NULL, &ally, session_of(1), &o, 0x4000, 0);
  const thirl_session_endpoint_event *ev = desk_event(d, THIRL_SESSION_REJECTED, 0, 0);
  assert_non_null(ev);
  assert_int_equal(ev->error, THIRL_E_TICKET);
  assert_memory_equal(ev->peer.b, ally.b, sizeof ally.b);
  assert_int_equal(d->ended_channel, 0x4000);
  assert_int_equal(d->ended_why, THIRL_E_TICKET);
  assert_int_equal(desk_count(d, THIRL_SESSION_INCOMING, 0), 0);
  assert_null(desk_link(d, 0));
  assert_int_equal(thirl_session_endpoint_stats_of(d->e)->bad_offers, 1);
  desk_free(d);
}

static void no_more_than_were_allowed_come_in(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(2, &t);
  thirl_meet_offer o = desk_offer(0);
  for (unsigned i = 0; i < 3; i++)
    desk_say_offer(d, &t, &ally, session_of(i), &o, (uint16_t)(0x4000 + i), 0);
  assert_int_equal(desk_count(d, THIRL_SESSION_INCOMING, 0), 2);
  assert_int_equal(d->ended_channel, 0x4002);
  assert_int_equal(d->ended_why, THIRL_E_BUSY);
  /* One of them ends: its place is free at once, not only when its last words are said and its events taken. */
  d->sleeps = true;
  thirl_session_endpoint_abandon(d->e, d->now, desk_event(d, THIRL_SESSION_INCOMING, 0, 0)->handle, THIRL_E_TIMEOUT);
  desk_settle(d);
  desk_say_offer(d, &t, &ally, session_of(4), &o, 0x4003, 0);
  assert_int_not_equal(d->ended_channel, 0x4003);
  desk_say_offer(d, &t, &ally, session_of(5), &o, 0x4004, 0);
  assert_int_equal(d->ended_channel, 0x4004);
  assert_int_equal(d->ended_why, THIRL_E_BUSY);
  desk_free(d);
}

/* ---- a dialer that is not welcome ---- */

static const thirl_error refusals[] = {THIRL_E_BUSY, THIRL_E_TICKET, THIRL_E_NO_PEER};

static void a_refusal_is_heard_at_once(void **state) {
  (void)state;
  for (int direct_only = 0; direct_only < 2; direct_only++)
    for (size_t i = 0; i < 3; i++) {
      thirl_session_policy p = {.direct_only = direct_only};
      thirl_meet_offer o = desk_offer(3);
      desk *d = desk_new(1, 0, NULL);
      desk_register(d);
      uint32_t h = dial(d, &p);
      assert_true(desk_say_go(d, 0, &o, 0x4000, 0));
      assert_int_equal(desk_alive(d, DESK_CONNECTING), 3);
      assert_int_equal(d->n_channel_ends, 0);
      thirl_time at = d->now;
      desk_say_end(d, 0x4000, refusals[i]);
      const thirl_session_endpoint_event *ev = of(d, THIRL_SESSION_FAILED, 0);
      assert_non_null(ev);
      assert_int_equal(ev->handle, h);
      assert_int_equal(ev->of.error, refusals[i]);
      assert_int_equal(d->now, at);
      assert_int_equal(desk_alive(d, DESK_CONNECTING), 0); /* and nothing is tried any more */
      desk_wait(d, 60 * THIRL_S);
      assert_int_equal(d->n_connects, 1);
      assert_true(thirl_session_endpoint_is_idle(d->e));
      desk_free(d);
    }
}

/* What the server says when it loses the peer or has no room, and what the peer says for other reasons, is tried again. */
static void other_ends_of_a_channel_are_no_refusal(void **state) {
  (void)state;
  static const thirl_error others[] = {THIRL_E_LOST, THIRL_E_RESET, THIRL_E_LIMIT, THIRL_E_NOMEM, THIRL_E_ONLY_RELAY};
  for (int direct_only = 0; direct_only < 2; direct_only++)
    for (size_t i = 0; i < 5; i++) {
      thirl_session_policy p = {.direct_only = direct_only};
      thirl_meet_offer o = desk_offer(3);
      desk *d = desk_new(1, 0, NULL);
      desk_register(d);
      dial(d, &p);
      assert_true(desk_say_go(d, 0, &o, 0x4000, 0));
      desk_say_end(d, 0x4000, others[i]);
      desk_wait(d, 5 * THIRL_S);
      assert_null(of(d, THIRL_SESSION_FAILED, 0));
      desk_free(d);
    }
}

/* It stays open for a refusal and no longer: the listener hears that no relay is wanted when the punching is over. */
static void a_channel_that_is_not_wanted_is_ended(void **state) {
  (void)state;
  thirl_session_policy p = {.direct_only = true};
  thirl_meet_offer o = desk_offer(3);
  desk *d = desk_new(1, 0, NULL);
  desk_register(d);
  dial(d, &p);
  assert_true(desk_say_go(d, 0, &o, 0x4000, 0));
  desk_say_data(d, 0x4000, THIRL_BYTES("not for me", 10));
  desk_wait(d, 11 * THIRL_S);
  assert_int_equal(d->n_channel_ends, 0);
  desk_wait(d, 2 * THIRL_S);
  assert_int_equal(d->n_channel_ends, 1);
  assert_int_equal(d->ended_channel, 0x4000);
  assert_int_equal(d->ended_why, THIRL_E_ONLY_RELAY);
  assert_int_equal(of(d, THIRL_SESSION_FAILED, 0)->of.error, THIRL_E_ONLY_RELAY);
  desk_free(d);
}

/* The connection to the server is lost: its channels are gone with it, and a new one may have the same number. */
static void a_refusal_belongs_to_its_connection(void **state) {
  (void)state;
  thirl_session_policy p = {.direct_only = true};
  thirl_meet_offer o = desk_offer(3);
  desk *d = desk_new(1, 0, NULL);
  desk_register(d);
  dial(d, &p);
  assert_true(desk_say_go(d, 0, &o, 0x4000, 0));
  desk_fail(d, desk_control(d), THIRL_E_RESET);
  desk_wait(d, 2 * THIRL_S);
  desk_say_end(d, 0x4000, THIRL_E_BUSY);
  assert_null(of(d, THIRL_SESSION_FAILED, 0));
  assert_true(desk_say_go(d, 0, &o, 0x4000, 0));
  desk_say_end(d, 0x4000, THIRL_E_BUSY);
  assert_int_equal(of(d, THIRL_SESSION_FAILED, 0)->of.error, THIRL_E_BUSY);
  desk_free(d);
}

static void a_session_that_has_ended_does_not_come_again(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  thirl_meet_offer o = desk_offer(0);
  desk_say_offer(d, &t, &ally, session_of(1), &o, 0x4000, 0);
  thirl_session_endpoint_abandon(d->e, d->now, desk_event(d, THIRL_SESSION_INCOMING, 0, 0)->handle, THIRL_E_TIMEOUT);
  desk_settle(d);
  for (uint16_t i = 1; i < 3; i++) { /* at once, and later */
    desk_say_offer(d, &t, &ally, session_of(1), &o, (uint16_t)(0x4000 + i), 0);
    assert_int_equal(d->ended_channel, 0x4000 + i);
    assert_int_equal(d->ended_why, THIRL_E_PEER_CLOSED);
    desk_wait(d, 2 * THIRL_S);
  }
  assert_int_equal(desk_count(d, THIRL_SESSION_INCOMING, 0), 1);
  desk_free(d);
}

static void after_stop_listening_the_old_may_come_again_and_nobody_else(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  thirl_meet_offer o = desk_offer(3);
  desk_say_offer(d, &t, &ally, session_of(1), &o, 0x4000, 0);
  thirl_session_endpoint_stop_listening(d->e, d->now);
  desk_settle(d);
  assert_int_equal(d->n_checks, 1); /* the server must still let the peer through */
  o.round++;
  desk_say_offer(d, &t, &ally, session_of(1), &o, 0x4001, 0);
  assert_int_not_equal(d->ended_channel, 0x4001);
  desk_say_offer(d, &t, &ally, session_of(2), &o, 0x4002, 0);
  assert_int_equal(d->ended_channel, 0x4002);
  assert_int_equal(d->ended_why, THIRL_E_NO_PEER);
  thirl_session_endpoint_abandon(d->e, d->now, desk_event(d, THIRL_SESSION_INCOMING, 0, 0)->handle, THIRL_E_TIMEOUT);
  desk_settle(d);
  desk_wait(d, 2 * THIRL_S);
  assert_int_equal(d->n_checks, 0);
  desk_free(d);
}

/* ---- doors ---- */

static thirl_addr stranger(unsigned i) {
  return thirl_addr_v4(192, 0, 2, (uint8_t)i, (uint16_t)(1024 + i));
}

static void who_talks_nonsense_is_shown_the_door(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  static const char *const talk[] = {"GET / HTTP/1.1\r\n\r\n", "\x00\x05hello", "\x00\x01x\x00\x01y"};
  for (unsigned i = 0; i < 3; i++) {
    desk_conn *c = desk_accept(d, stranger(i));
    if (i == 0) desk_data(d, c, THIRL_BYTES("\xff", 1));
    desk_data(d, c, i == 0 ? THIRL_BYTES(talk[0], 18) : THIRL_BYTES(talk[i], i == 1 ? 7 : 6));
    assert_int_equal(c->state, DESK_DEAD);
    const thirl_session_endpoint_event *ev = desk_event(d, THIRL_SESSION_REJECTED, 0, i);
    assert_non_null(ev);
    assert_int_equal(ev->error, THIRL_E_STRANGER);
    thirl_addr from = stranger(i);
    assert_true(thirl_addr_equal(&ev->remote, &from));
  }
  assert_int_equal(thirl_session_endpoint_stats_of(d->e)->strangers, 3);
  desk_free(d);
}

static void who_says_nothing_is_shown_out_after_10_s(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  desk_conn *c = desk_accept(d, stranger(1));
  desk_wait(d, 10 * THIRL_S - 1);
  assert_int_equal(c->state, DESK_OPEN);
  desk_wait(d, 1);
  assert_int_equal(c->state, DESK_DEAD);
  assert_int_equal(thirl_session_endpoint_stats_of(d->e)->anonymous_timeouts, 1);
  desk_free(d);
}

static void who_hangs_up_is_a_stranger_and_who_breaks_off_is_nothing(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  desk_conn *c = desk_accept(d, stranger(1));
  desk_eof(d, c);
  assert_int_equal(c->state, DESK_DEAD);
  c = desk_accept(d, stranger(2));
  desk_fail(d, c, THIRL_E_RESET);
  assert_int_equal(desk_count(d, THIRL_SESSION_REJECTED, 0), 1);
  desk_free(d);
}

/* A thousand silent connections from one address: the one from elsewhere stays. */
static void a_flood_crowds_out_only_itself(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  desk_conn *good = desk_accept(d, stranger(9));
  for (unsigned i = 0; i < 1000; i++) {
    thirl_addr from = stranger(66);
    from.port = (uint16_t)(2000 + i);
    (void)desk_accept(d, from);
  }
  assert_int_equal(good->state, DESK_OPEN);
  assert_int_equal(desk_alive(d, DESK_OPEN), 3 + THIRL_SESSION_DOORS_MAX);
  assert_int_equal(thirl_session_endpoint_stats_of(d->e)->anonymous_refused, 1001 - THIRL_SESSION_DOORS_MAX);
  desk_free(d);
}

static void strangers_may_not_drown_the_events(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  d->sleeps = true;
  thirl_meet_offer o = desk_offer(0);
  desk_say_offer(d, &t, &ally, session_of(1), &o, 0x4000, 0);
  for (unsigned i = 0; i < 200; i++)
    desk_data(d, desk_accept(d, stranger(i)), THIRL_BYTES("\x00\x01x\x00\x01y", 6));
  d->sleeps = false;
  desk_settle(d);
  assert_int_equal(desk_count(d, THIRL_SESSION_INCOMING, 0), 1);
  assert_int_equal(desk_count(d, THIRL_SESSION_REJECTED, 0), THIRL_SESSION_ENDPOINT_EVENTS_OWN);
  assert_int_equal(thirl_session_endpoint_stats_of(d->e)->events_lost, 200 - THIRL_SESSION_ENDPOINT_EVENTS_OWN);
  desk_free(d);
}

/* The connection is quicker than the OFFER: it waits at the door and is let in. */
static void who_comes_early_waits_for_its_offer(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  thirl_meet_offer o = desk_offer(3);
  uint8_t check[512];
  desk_conn *c = desk_accept(d, thirl_addr_v4(198, 51, 100, 1, 5000));
  size_t n = desk_check(check, sizeof check, d->standing.ufrag, d->standing.pwd, o.ufrag, true, true);
  desk_data(d, c, THIRL_BYTES(check, n));
  assert_int_equal(c->bytes_out, 0);
  desk_wait(d, THIRL_S);
  desk_say_offer(d, &t, &ally, session_of(1), &o, 0x4000, 0);
  assert_int_equal(c->state, DESK_OPEN);
  assert_true(c->bytes_out > 0); /* the check is answered */
  desk_wait(d, 60 * THIRL_S);
  desk_free(d);
}

static void a_check_with_a_wrong_password_is_a_strangers(void **state) {
  (void)state;
  thirl_meet_ticket t;
  desk *d = listening(4, &t);
  thirl_meet_offer o = desk_offer(3);
  uint8_t check[512];
  desk_say_offer(d, &t, &ally, session_of(1), &o, 0x4000, 10 * THIRL_S);
  desk_conn *c = desk_accept(d, thirl_addr_v4(198, 51, 100, 1, 5000));
  size_t n = desk_check(check, sizeof check, d->standing.ufrag, "nottherightpasswordatall", o.ufrag, true, true);
  desk_data(d, c, THIRL_BYTES(check, n));
  assert_int_equal(c->state, DESK_DEAD);
  assert_int_equal(desk_count(d, THIRL_SESSION_OF, THIRL_SESSION_STRANGER), 1);
  desk_free(d);
}

/* ---- dead handles ---- */

static void a_dead_handle_does_nothing(void **state) {
  (void)state;
  desk *d = desk_new(1, 0, NULL);
  uint32_t h = dial(d, NULL);
  thirl_session_endpoint_abandon(d->e, d->now, h, THIRL_OK);
  desk_settle(d);
  assert_int_equal(of(d, THIRL_SESSION_FAILED, 0)->of.error, THIRL_E_PEER_CLOSED);
  thirl_session_endpoint_abandon(d->e, d->now, h, THIRL_E_TIMEOUT);
  thirl_session_endpoint_abandon(d->e, d->now, 4711, THIRL_E_TIMEOUT);
  desk_settle(d);
  assert_int_equal(desk_count(d, THIRL_SESSION_OF, THIRL_SESSION_FAILED), 1);
  assert_true(thirl_session_endpoint_is_idle(d->e));
  desk_free(d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(before_start_nothing_is_sent),
      cmocka_unit_test(one_control_connection_and_two_lanes),
      cmocka_unit_test(servers_are_counted),
      cmocka_unit_test(relay_only_has_no_lanes),
      cmocka_unit_test(the_standing_offer_is_left_once),
      cmocka_unit_test(a_changed_mapping_is_told),
      cmocka_unit_test(tickets_are_eight_and_taken_back),
      cmocka_unit_test(what_was_left_is_left_again_at_the_next_registration),
      cmocka_unit_test(the_lanes_come_back_with_the_server),
      cmocka_unit_test(a_deaf_server_is_left_after_10_s),
      cmocka_unit_test(lanes_that_are_not_mapped_are_waited_for_a_second),
      cmocka_unit_test(our_own_ticket_is_refused),
      cmocka_unit_test(a_bad_policy_is_refused),
      cmocka_unit_test(each_session_asks_once),
      cmocka_unit_test(a_peer_that_is_not_there_is_asked_for_until_the_time_is_over),
      cmocka_unit_test(go_fires_at_its_moment_one_connection_per_pair),
      cmocka_unit_test(forbidden_addresses_are_never_tried),
      cmocka_unit_test(nobody_answers_and_the_reason_is_told),
      cmocka_unit_test(an_answer_for_a_dead_session_ends_the_channel),
      cmocka_unit_test(an_incoming_session_does_not_catch_our_answer),
      cmocka_unit_test(sessions_are_256),
      cmocka_unit_test(no_end_of_a_session_is_lost),
      cmocka_unit_test(all_sessions_punching_fit_the_queue),
      cmocka_unit_test(an_offer_with_a_ticket_is_a_session),
      cmocka_unit_test(an_offer_that_was_here_before_is_a_replay),
      cmocka_unit_test(a_forged_offer_is_rejected),
      cmocka_unit_test(no_more_than_were_allowed_come_in),
      cmocka_unit_test(a_refusal_is_heard_at_once),
      cmocka_unit_test(other_ends_of_a_channel_are_no_refusal),
      cmocka_unit_test(a_channel_that_is_not_wanted_is_ended),
      cmocka_unit_test(a_refusal_belongs_to_its_connection),
      cmocka_unit_test(a_session_that_has_ended_does_not_come_again),
      cmocka_unit_test(after_stop_listening_the_old_may_come_again_and_nobody_else),
      cmocka_unit_test(who_talks_nonsense_is_shown_the_door),
      cmocka_unit_test(who_says_nothing_is_shown_out_after_10_s),
      cmocka_unit_test(who_hangs_up_is_a_stranger_and_who_breaks_off_is_nothing),
      cmocka_unit_test(a_flood_crowds_out_only_itself),
      cmocka_unit_test(strangers_may_not_drown_the_events),
      cmocka_unit_test(who_comes_early_waits_for_its_offer),
      cmocka_unit_test(a_check_with_a_wrong_password_is_a_strangers),
      cmocka_unit_test(a_dead_handle_does_nothing),
  };
  return cmocka_run_group_tests_name("session/endpoint", tests, NULL, NULL);
}
