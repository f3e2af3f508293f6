/* SPDX-License-Identifier: MIT */
/* The way to the server: when it is tried again, from which port, at which address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "secure/identity.h"
#include "session/control.h"

#define T0 (1000 * THIRL_S)

typedef struct rig {
  thirl_secure_identity *identity;
  thirl_dice dice;
  thirl_secrets secrets;
  thirl_session_control c;
  thirl_session_queue q;
  thirl_time now;
} rig;

static void fill(void *ctx, void *out, size_t n) {
  uint8_t *p = out;
  for (size_t i = 0; i < n; i++)
    p[i] = (uint8_t)thirl_dice_u64(ctx);
}

static thirl_addr server(int i) {
  return thirl_addr_v4(203, 0, 113, (uint8_t)(10 + i), 3478);
}

static int setup_seeded(void **state, uint64_t seed, size_t n_servers) {
  static rig r;
  static const uint8_t scalar[THIRL_P256_PRIVATE_LEN] = {1};
  thirl_meet_client *client;
  thirl_addr servers[2] = {server(0), server(1)};
  memset(&r, 0, sizeof r);
  r.now = T0;
  r.secrets = (thirl_secrets){fill, &r.dice};
  thirl_dice_seed(&r.dice, seed);
  assert_int_equal(thirl_secure_identity_from_private(scalar, &r.identity), THIRL_OK);
  thirl_meet_client_config mc = {.key = thirl_secure_identity_key(r.identity),
                                 .id = *thirl_secure_identity_peerid(r.identity),
                                 .secrets = &r.secrets};
  assert_int_equal(thirl_meet_client_new(&mc, &client), THIRL_OK);
  thirl_session_control_init(&r.c, client, seed);
  assert_int_equal(thirl_session_control_set_servers(&r.c, servers, n_servers), THIRL_OK);
  *state = &r;
  return 0;
}

static int setup(void **state) {
  return setup_seeded(state, 1, 2);
}

static int teardown(void **state) {
  rig *r = *state;
  thirl_session_control_fini(&r->c);
  thirl_secure_identity_free(r->identity);
  return 0;
}

/* The only action there is. */
static thirl_net_action only(rig *r) {
  thirl_net_action a, more;
  assert_true(thirl_session_queue_take(&r->q, &a));
  assert_false(thirl_session_queue_take(&r->q, &more));
  return a;
}

static void tick(rig *r) {
  thirl_session_control_tick(&r->c, r->now, &r->q);
}

static thirl_net_action start(rig *r) {
  thirl_session_control_start(&r->c, r->now);
  assert_int_equal(thirl_session_control_deadline(&r->c), r->now);
  tick(r);
  return only(r);
}

static bool lose(rig *r, thirl_error e) {
  return thirl_session_control_input(&r->c, r->now,
                                     &(thirl_net_event){.kind = THIRL_NET_FAILED, .id = r->c.conn, .error = e});
}

static void connected(rig *r, uint16_t port) {
  thirl_net_event ev = {.kind = THIRL_NET_CONNECTED, .id = r->c.conn, .local = thirl_addr_v4(192, 168, 1, 2, port)};
  assert_false(thirl_session_control_input(&r->c, r->now, &ev));
  assert_int_equal(r->c.state, THIRL_SESSION_CONTROL_UP);
}

static void nothing_before_start(void **state) {
  rig *r = *state;
  tick(r);
  thirl_net_action a;
  assert_false(thirl_session_queue_take(&r->q, &a));
  assert_true(thirl_session_control_deadline(&r->c) == THIRL_NEVER);
}

static void the_first_attempt_is_immediate_and_from_any_port(void **state) {
  rig *r = *state;
  thirl_net_action a = start(r);
  thirl_addr to = server(0);
  assert_int_equal(a.verb, THIRL_NET_CONNECT);
  assert_int_equal(a.id, r->c.conn);
  assert_true(thirl_addr_equal(&a.remote, &to));
  assert_true(thirl_addr_is_any(&a.local));
  assert_int_equal(a.local.port, 0);
  assert_int_equal(thirl_session_control_deadline(&r->c), T0 + 3 * THIRL_S); /* there is another address */
}

static void addresses_take_turns(void **state) {
  rig *r = *state;
  thirl_net_action a = start(r);
  for (int i = 1; i < 6; i++) {
    assert_true(lose(r, THIRL_E_REFUSED));
    r->now = thirl_session_control_deadline(&r->c);
    tick(r);
    a = only(r);
    thirl_addr to = server(i % 2);
    assert_true(thirl_addr_equal(&a.remote, &to));
  }
}

/* Anywhere between at once and the bound, which doubles from 250 ms to 30 s: full jitter. */
static void waits_are_spread_over_a_doubling_bound(void **state) {
  (void)state;
  static const thirl_time bounds[] = {250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000}; /* ms */
  double sum[9] = {0};
  enum { N = 200 };
  for (uint64_t seed = 0; seed < N; seed++) {
    void *s;
    setup_seeded(&s, seed, 1);
    rig *r = s;
    (void)start(r);
    for (size_t i = 0; i < 9; i++) {
      assert_true(lose(r, THIRL_E_REFUSED));
      thirl_time wait = thirl_session_control_deadline(&r->c) - r->now;
      assert_in_range(wait, 1, bounds[i] * THIRL_MS);
      sum[i] += (double)wait / (double)(bounds[i] * THIRL_MS);
      r->now += wait;
      tick(r);
      (void)only(r);
    }
    teardown(&s);
  }
  for (size_t i = 0; i < 9; i++)
    assert_in_range((long)(sum[i] / N * 100), 42, 58); /* half of the bound on average */
}

static void the_port_is_kept(void **state) {
  rig *r = *state;
  (void)start(r);
  connected(r, 5555);
  assert_true(lose(r, THIRL_E_RESET));
  r->now = thirl_session_control_deadline(&r->c);
  tick(r);
  thirl_net_action a = only(r);
  assert_int_equal(a.local.port, 5555);
  thirl_addr to = server(0);
  assert_true(thirl_addr_equal(&a.remote, &to)); /* it was up: the address is a good one */
}

static void a_port_in_use_is_given_up(void **state) {
  rig *r = *state;
  (void)start(r);
  connected(r, 5555);
  assert_true(lose(r, THIRL_E_RESET));
  r->now = thirl_session_control_deadline(&r->c);
  tick(r);
  (void)only(r);
  assert_true(lose(r, THIRL_E_IN_USE));
  r->now = thirl_session_control_deadline(&r->c);
  tick(r);
  assert_int_equal(only(r).local.port, 0);
}

/* Every address once and without a wait; the wait comes when none has answered, and counts as one failure. */
static void all_addresses_are_tried_before_a_wait(void **state) {
  rig *r = *state;
  thirl_addr many[4] = {server(0), server(1), server(2), server(3)};
  many[1].family = many[3].family = THIRL_FAMILY_V6;
  assert_int_equal(thirl_session_control_set_servers(&r->c, many, 4), THIRL_OK);
  thirl_net_action a = start(r);
  for (unsigned sweep = 0; sweep < 3; sweep++) {
    for (int i = 0; i < 4; i++) {
      assert_true(thirl_addr_equal(&a.remote, &many[i]));
      assert_int_equal(a.local.family, many[i].family);
      assert_int_equal(r->c.failures, sweep);
      assert_true(lose(r, i % 2 ? THIRL_E_UNREACHABLE : THIRL_E_REFUSED));
      if (i == 3) break;
      assert_int_equal(thirl_session_control_deadline(&r->c), r->now);
      tick(r);
      a = only(r);
    }
    assert_int_equal(r->c.failures, sweep + 1);
    assert_true(thirl_session_control_deadline(&r->c) > r->now);
    r->now = thirl_session_control_deadline(&r->c);
    tick(r);
    a = only(r);
  }
}

/* Nothing comes back from the first two: 3 s each, and 10 for the last. */
static void silent_addresses_cost_three_seconds(void **state) {
  rig *r = *state;
  thirl_addr many[3] = {server(0), server(1), server(2)};
  assert_int_equal(thirl_session_control_set_servers(&r->c, many, 3), THIRL_OK);
  thirl_net_action a = start(r);
  for (int i = 1; i < 3; i++) {
    r->now = thirl_session_control_deadline(&r->c);
    assert_int_equal(r->now, T0 + (thirl_time)i * 3 * THIRL_S);
    tick(r);
    thirl_net_action next;
    assert_true(thirl_session_queue_take(&r->q, &next));
    assert_int_equal(next.verb, THIRL_NET_ABORT);
    assert_int_equal(next.id, a.id);
    a = only(r);
    assert_true(thirl_addr_equal(&a.remote, &many[i]));
  }
  assert_int_equal(thirl_session_control_deadline(&r->c), T0 + 16 * THIRL_S);
  connected(r, 5555);
  assert_int_equal(r->c.failures, 0);
}

/* ---- its name was looked up again ---- */

static void move(rig *r, int first, int second) {
  thirl_addr to[2] = {server(first), server(second)};
  assert_int_equal(thirl_session_control_move(&r->c, r->now, to, 2, &r->q), THIRL_OK);
}

static void the_same_addresses_change_nothing(void **state) {
  rig *r = *state;
  (void)start(r);
  assert_true(lose(r, THIRL_E_REFUSED));
  tick(r);
  thirl_net_action a = only(r); /* to the second */
  thirl_time deadline = thirl_session_control_deadline(&r->c);
  move(r, 1, 0);
  tick(r);
  assert_int_equal(r->q.n, 0);
  assert_int_equal(r->c.conn, a.id);
  assert_int_equal(thirl_session_control_deadline(&r->c), deadline);
  assert_int_equal(thirl_session_control_move(&r->c, r->now, NULL, 0, &r->q), THIRL_E_RANGE);
}

static void a_server_that_moved_is_tried_soon(void **state) {
  rig *r = *state;
  (void)start(r);
  for (int i = 0; i < 20; i++) { /* the waits have become long */
    assert_true(lose(r, THIRL_E_REFUSED));
    r->now = thirl_session_control_deadline(&r->c);
    tick(r);
    (void)only(r);
  }
  while (r->c.tried == 0) {
    assert_true(lose(r, THIRL_E_REFUSED));
    tick(r);
    (void)only(r);
  }
  assert_true(lose(r, THIRL_E_REFUSED));
  move(r, 5, 6);
  assert_in_range(thirl_session_control_deadline(&r->c), r->now + 1, r->now + 250 * THIRL_MS);
  r->now = thirl_session_control_deadline(&r->c);
  tick(r);
  thirl_addr to = server(5);
  thirl_net_action a = only(r);
  assert_true(thirl_addr_equal(&a.remote, &to));
}

/* Not after three or ten seconds of waiting for an address that is nobody's any more. */
static void an_attempt_at_an_old_address_is_given_up(void **state) {
  rig *r = *state;
  thirl_net_action old = start(r);
  move(r, 5, 6);
  thirl_net_action a = only(r);
  assert_int_equal(a.verb, THIRL_NET_ABORT);
  assert_int_equal(a.id, old.id);
  assert_int_equal(thirl_session_control_deadline(&r->c), r->now);
  tick(r);
  thirl_addr to = server(5);
  a = only(r);
  assert_true(thirl_addr_equal(&a.remote, &to));
  move(r, 7, 5); /* this one is under way to an address that stays */
  tick(r);
  assert_int_equal(r->q.n, 0);
  assert_int_equal(r->c.conn, a.id);
  assert_true(lose(r, THIRL_E_REFUSED));
  tick(r);
  to = server(7); /* and then the other one's turn */
  a = only(r);
  assert_true(thirl_addr_equal(&a.remote, &to));
}

static void a_connection_that_is_up_stays(void **state) {
  rig *r = *state;
  (void)start(r);
  connected(r, 5555);
  thirl_net_id id = r->c.conn;
  move(r, 5, 6);
  tick(r);
  assert_int_equal(r->q.n, 0);
  assert_int_equal(r->c.conn, id);
  assert_true(lose(r, THIRL_E_RESET));
  r->now = thirl_session_control_deadline(&r->c);
  tick(r);
  thirl_addr to = server(5);
  thirl_net_action a = only(r);
  assert_true(thirl_addr_equal(&a.remote, &to));
}

/* Perhaps the port is what some box on the way remembers wrongly. */
static void ten_seconds_without_an_answer_are_enough(void **state) {
  rig *r = *state;
  thirl_addr one = server(0);
  assert_int_equal(thirl_session_control_set_servers(&r->c, &one, 1), THIRL_OK);
  (void)start(r);
  connected(r, 5555);
  assert_true(lose(r, THIRL_E_RESET));
  r->now = thirl_session_control_deadline(&r->c);
  tick(r);
  thirl_net_action first = only(r);
  r->now += 10 * THIRL_S - 1;
  tick(r);
  assert_int_equal(r->q.n, 0);
  r->now++;
  tick(r);
  thirl_net_action a = only(r);
  assert_int_equal(a.verb, THIRL_NET_ABORT);
  assert_int_equal(a.id, first.id);
  r->now = thirl_session_control_deadline(&r->c);
  tick(r);
  a = only(r);
  assert_true(thirl_addr_equal(&a.remote, &one));
  assert_int_equal(a.local.port, 0);
  assert_int_not_equal(a.id, first.id);
}

static void what_is_dropped_comes_back(void **state) {
  rig *r = *state;
  thirl_net_action first = start(r);
  connected(r, 5555);
  thirl_session_control_drop(&r->c, r->now, THIRL_E_SERVER, &r->q);
  thirl_net_action a = only(r);
  assert_int_equal(a.verb, THIRL_NET_ABORT);
  assert_int_equal(a.id, first.id);
  assert_int_equal(r->c.last_error, THIRL_E_SERVER);
  assert_int_equal(r->c.conn, 0);
  assert_in_range(thirl_session_control_deadline(&r->c), T0 + 1, T0 + 250 * THIRL_MS);
}

static void what_is_stopped_does_not(void **state) {
  rig *r = *state;
  (void)start(r);
  connected(r, 5555);
  thirl_session_control_stop(&r->c, &r->q);
  assert_int_equal(only(r).verb, THIRL_NET_CLOSE);
  assert_true(thirl_session_control_deadline(&r->c) == THIRL_NEVER);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(nothing_before_start, setup, teardown),
      cmocka_unit_test_setup_teardown(the_first_attempt_is_immediate_and_from_any_port, setup, teardown),
      cmocka_unit_test_setup_teardown(addresses_take_turns, setup, teardown),
      cmocka_unit_test(waits_are_spread_over_a_doubling_bound),
      cmocka_unit_test_setup_teardown(the_port_is_kept, setup, teardown),
      cmocka_unit_test_setup_teardown(a_port_in_use_is_given_up, setup, teardown),
      cmocka_unit_test_setup_teardown(all_addresses_are_tried_before_a_wait, setup, teardown),
      cmocka_unit_test_setup_teardown(silent_addresses_cost_three_seconds, setup, teardown),
      cmocka_unit_test_setup_teardown(the_same_addresses_change_nothing, setup, teardown),
      cmocka_unit_test_setup_teardown(a_server_that_moved_is_tried_soon, setup, teardown),
      cmocka_unit_test_setup_teardown(an_attempt_at_an_old_address_is_given_up, setup, teardown),
      cmocka_unit_test_setup_teardown(a_connection_that_is_up_stays, setup, teardown),
      cmocka_unit_test_setup_teardown(ten_seconds_without_an_answer_are_enough, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_dropped_comes_back, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_stopped_does_not, setup, teardown),
  };
  return cmocka_run_group_tests_name("session/control", tests, NULL, NULL);
}
