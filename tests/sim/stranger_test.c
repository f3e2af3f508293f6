/* SPDX-License-Identifier: MIT */
/*
 * Strangers: hosts that stand where the peer is looked for, peers with another key than their id, floods. Real endpoints, real server, invented network.
 * No application byte reaches a stranger, and the session comes up with the right peer whatever they do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "session/roster.h"
#include "support/hostile.h"
#include "support/meeting.h"

#define RTT (100 * THIRL_MS)

static thirl_natbox_config nat(const char *name) {
  thirl_natbox_config c;
  assert_int_equal(thirl_natbox_config_preset(name, thirl_addr_v4(203, 0, 113, 1, 0), &c), THIRL_OK);
  return c;
}

static hostile enemy;
static meeting world;

/* What A offers as its host candidate. */
static thirl_addr private_address_of_a(const meeting *m) {
  return thirl_addr_v4(192, 168, 1, 10, m->a.endpoint->lanes.lane[0].local.port);
}

/* On B's LAN there is a host with A's private address, and it listens on the port that A names. */
static meeting *open_world(hostile_kind kind, const char *nat_a, const char *nat_b) {
  meeting *m = &world;
  meeting_config c = meeting_config_of(3, nat(nat_a), nat(nat_b), RTT);
  meeting_open(m, &c);
  meeting_run_on(m, thirl_sim_now(m->sim) + 3 * THIRL_S);
  assert_int_equal(m->a.n_registered, 1);
  hostile_init(&enemy, kind);
  enemy.pwd = m->a.endpoint->pwd;
  enemy.listen_at = private_address_of_a(m);
  thirl_sim_host_config hc = {.name = "X", .below = m->b.nat, .addrs = {enemy.listen_at}, .n_addrs = 1};
  thirl_sim_node *x = thirl_sim_add_host(m->sim, &hc);
  assert_non_null(x);
  thirl_net_machine machine = hostile_machine(&enemy);
  thirl_sim_attach(x, &machine);
  m->a.hold_end = m->b.hold_end = true;
  meeting_dial(m);
  return m;
}

static void finish_and_close(meeting *m) {
  m->a.hold_end = m->b.hold_end = false;
  meeting_run(m, thirl_sim_now(m->sim) + 60 * THIRL_S);
  assert_true(meeting_is_complete(m));
  meeting_close(m);
  /* it was found, it was asked whether it is the peer, and nothing else was said to it */
  assert_true(enemy.accepted > 0);
  assert_true(enemy.checks > 0);
  assert_false(enemy.heard_others);
  hostile_fini(&enemy);
}

static void a_stranger_costs_little(hostile_kind kind, bool answers) {
  meeting *m = open_world(kind, "portrestricted", "portrestricted");
  assert_true(meeting_run_until_direct(m, thirl_sim_now(m->sim) + 5 * THIRL_S));
  assert_true(m->b.up_at <= m->b.direct_at);
  print_message("direct %llu ms after the first byte could go\n",
                (unsigned long long)(m->b.direct_at - m->b.up_at) / 1000);
  assert_true(m->b.direct_at - m->b.up_at <= 4 * RTT);
  if (answers)
    assert_true(m->b.n_strangers >= 1);
  else
    assert_int_equal(m->b.n_strangers, 0);
  finish_and_close(m);
}

static void one_that_answers_garbage(void **state) {
  (void)state;
  a_stranger_costs_little(HOSTILE_GARBAGE, true);
}

static void one_that_is_silent(void **state) {
  (void)state;
  a_stranger_costs_little(HOSTILE_SILENT, false);
}

static void one_that_echoes(void **state) {
  (void)state;
  a_stranger_costs_little(HOSTILE_ECHO, true);
}

static void one_that_replays_an_answer(void **state) {
  (void)state;
  a_stranger_costs_little(HOSTILE_REPLAY, true);
}

/* Where nothing else is to be reached the session stays on the relay, with a reason. */
static void strangers_only(void **state) {
  (void)state;
  static const hostile_kind kinds[] = {HOSTILE_GARBAGE, HOSTILE_SILENT, HOSTILE_ECHO, HOSTILE_REPLAY};
  for (size_t i = 0; i < 4; i++) {
    meeting *m = open_world(kinds[i], "symmetric", "symmetric");
    meeting_run_on(m, thirl_sim_now(m->sim) + 20 * THIRL_S);
    assert_false(m->a.is_direct || m->b.is_direct);
    assert_int_not_equal(m->b.reason, THIRL_OK);
    assert_int_not_equal(m->a.reason, THIRL_OK);
    assert_true(m->b.n_strangers >= 1 || kinds[i] == HOSTILE_SILENT);
    assert_int_equal(m->a.confirmed_at | m->b.confirmed_at, 0); /* connections came up, and led to strangers */
    finish_and_close(m);
  }
}

/* A whole endpoint of somebody else, with its lane on the very port. */
static void one_that_is_an_endpoint(void **state) {
  (void)state;
  meeting *m = &world;
  meeting_config c = meeting_config_of(3, nat("portrestricted"), nat("portrestricted"), RTT);
  meeting_open(m, &c);
  meeting_run_on(m, thirl_sim_now(m->sim) + 3 * THIRL_S);
  thirl_addr at = private_address_of_a(m);
  thirl_sim_host_config hc = {.name = "X", .below = m->b.nat, .addrs = {at}, .n_addrs = 1};
  thirl_sim_node *x = thirl_sim_add_host(m->sim, &hc);
  uint8_t scalar[THIRL_P256_PRIVATE_LEN] = {66};
  thirl_secure_identity *identity;
  thirl_session_endpoint *other;
  thirl_meet_ticket ticket;
  assert_int_equal(thirl_secure_identity_from_private(scalar, &identity), THIRL_OK);
  thirl_session_endpoint_config ec = {.identity = identity, .max_incoming = 4, .secrets = &m->server_secrets};
  assert_int_equal(thirl_session_endpoint_new(&ec, thirl_sim_clock(x), &other), THIRL_OK);
  other->control.local = at;
  static const thirl_addr server = {.family = THIRL_FAMILY_V4, .port = 3478, .ip = {203, 0, 113, 10}};
  assert_int_equal(thirl_session_endpoint_start(other, thirl_sim_clock(x), &server, 1), THIRL_OK);
  assert_int_equal(thirl_session_endpoint_ticket(other, thirl_sim_clock(x), "h", 1, &ticket), THIRL_OK);
  thirl_net_machine machine = thirl_session_endpoint_machine(other);
  thirl_sim_attach(x, &machine);
  meeting_run_on(m, thirl_sim_now(m->sim) + 3 * THIRL_S);
  assert_int_equal(other->lanes.lane[0].local.port, at.port);
  assert_int_not_equal(other->lanes.lane[0].listener, 0);
  m->a.hold_end = m->b.hold_end = true;
  meeting_dial(m);
  assert_true(meeting_run_until_direct(m, thirl_sim_now(m->sim) + 5 * THIRL_S));
  m->a.hold_end = m->b.hold_end = false;
  meeting_run(m, thirl_sim_now(m->sim) + 60 * THIRL_S);
  assert_true(meeting_is_complete(m));
  thirl_session_endpoint_event ev;
  while (thirl_session_endpoint_next_event(other, &ev))
    assert_int_not_equal(ev.kind, THIRL_SESSION_INCOMING);
  meeting_close(m);
  thirl_session_endpoint_free(other);
  thirl_secure_identity_free(identity);
}

/* Registered under one key, and with another in its TLS: the one who looks closely says so, and not a byte has moved. */
static void a_wrong_key(bool at_dialer) {
  meeting *m = &world;
  meeting_config c = meeting_config_of(5, nat("portrestricted"), nat("portrestricted"), RTT);
  meeting_open(m, &c);
  meeting_side *judge = at_dialer ? &m->b : &m->a, *judged = at_dialer ? &m->a : &m->b;
  uint8_t scalar[THIRL_P256_PRIVATE_LEN] = {66};
  thirl_secure_identity *identity;
  thirl_secure_tls_context *mask, *own = judged->endpoint->tls;
  assert_int_equal(thirl_secure_identity_from_private(scalar, &identity), THIRL_OK);
  assert_int_equal(thirl_secure_tls_context_new(identity, &mask), THIRL_OK);
  judged->endpoint->tls = mask;
  meeting_run_on(m, thirl_sim_now(m->sim) + 3 * THIRL_S);
  meeting_dial(m);
  meeting_run(m, thirl_sim_now(m->sim) + 5 * THIRL_S);
  assert_true(judge->failed);
  assert_int_equal(judge->error, THIRL_E_WRONG_KEY);
  assert_int_equal(judge->up_at, 0);
  meeting_run_on(m, thirl_sim_now(m->sim) + 5 * THIRL_S);
  assert_true(judged->failed);
  assert_int_equal(judged->error, THIRL_E_WRONG_KEY); /* it was told */
  assert_int_equal(m->a.read + m->b.read, 0);
  judged->endpoint->tls = own;
  meeting_close(m);
  thirl_secure_tls_context_free(mask);
  thirl_secure_identity_free(identity);
}

static void a_listener_with_another_key(void **state) {
  (void)state;
  a_wrong_key(true);
}

static void a_dialer_with_another_key(void **state) {
  (void)state;
  a_wrong_key(false);
}

/* Ten thousand connections to the listener's port, which anybody may reach. */
static void a_flood_at_the_door(void **state) {
  (void)state;
  meeting *m = &world;
  meeting_config c = meeting_config_of(9, nat("fullcone"), nat("symmetric"), RTT);
  meeting_open(m, &c);
  meeting_run_on(m, thirl_sim_now(m->sim) + 3 * THIRL_S);
  hostile_init(&enemy, HOSTILE_SILENT);
  enemy.target = m->a.endpoint->lanes.lane[0].mapped;
  enemy.to_connect = 10000;
  enemy.at_once = 20;
  enemy.gap = 10 * THIRL_MS;
  thirl_sim_host_config hc = {.name = "X", .addrs = {thirl_addr_v4(203, 0, 113, 66, 0)}, .n_addrs = 1};
  thirl_sim_node *x = thirl_sim_add_host(m->sim, &hc);
  thirl_net_machine machine = hostile_machine(&enemy);
  thirl_sim_attach(x, &machine);
  meeting_run_on(m, thirl_sim_now(m->sim) + 2 * THIRL_S);
  size_t most = 0;
  m->a.hold_end = m->b.hold_end = true;
  meeting_dial(m);
  thirl_time t0 = thirl_sim_now(m->sim);
  while (!(m->a.is_direct && m->b.is_direct) && thirl_sim_now(m->sim) < t0 + 5 * THIRL_S) {
    meeting_run_on(m, thirl_sim_now(m->sim) + THIRL_MS);
    most = THIRL_MAX(most, m->a.endpoint->doors.n);
  }
  assert_true(m->a.is_direct && m->b.is_direct); /* B can only come in at the same door */
  assert_int_equal(most, THIRL_SESSION_DOORS_MAX);
  m->a.hold_end = m->b.hold_end = false;
  meeting_run(m, thirl_sim_now(m->sim) + 60 * THIRL_S);
  assert_true(meeting_is_complete(m));
  meeting_run_on(m, thirl_sim_now(m->sim) + 30 * THIRL_S);
  assert_int_equal(enemy.to_connect, 0);
  assert_int_equal(m->a.endpoint->doors.n, 0);
  assert_true(thirl_session_endpoint_stats_of(m->a.endpoint)->anonymous_refused > 9000);
  assert_int_equal(enemy.heard, 0);
  meeting_close(m);
  hostile_fini(&enemy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_that_answers_garbage),
      cmocka_unit_test(one_that_is_silent),
      cmocka_unit_test(one_that_echoes),
      cmocka_unit_test(one_that_replays_an_answer),
      cmocka_unit_test(strangers_only),
      cmocka_unit_test(one_that_is_an_endpoint),
      cmocka_unit_test(a_listener_with_another_key),
      cmocka_unit_test(a_dialer_with_another_key),
      cmocka_unit_test(a_flood_at_the_door),
  };
  return cmocka_run_group_tests_name("sim/stranger", tests, NULL, NULL);
}
