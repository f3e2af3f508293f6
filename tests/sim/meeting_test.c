/* SPDX-License-Identifier: MIT */
/* Two peers meet, talk through the relay at once, and move to a direct connection: real endpoints, real server, invented network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "support/meeting.h"

static thirl_natbox_config nat(const char *name) {
  thirl_natbox_config c;
  assert_int_equal(thirl_natbox_config_preset(name, thirl_addr_v4(203, 0, 113, 1, 0), &c), THIRL_OK);
  return c;
}

static void open_and_dial(meeting *m, const meeting_config *c) {
  meeting_open(m, c);
  meeting_run_on(m, thirl_sim_now(m->sim) + 3 * THIRL_S);
  assert_int_equal(m->a.n_registered, 1);
  meeting_dial(m);
}

static void two_home_routers_become_direct(void **state) {
  (void)state;
  meeting m;
  meeting_config c = meeting_config_of(7, nat("portrestricted"), nat("portrestricted"), 100 * THIRL_MS);
  open_and_dial(&m, &c);
  m.a.hold_end = m.b.hold_end = true;
  assert_true(meeting_run_until_direct(&m, thirl_sim_now(m.sim) + 10 * THIRL_S));
  assert_true(m.b.up_at < m.b.direct_at);
  m.a.hold_end = m.b.hold_end = false;
  meeting_run(&m, thirl_sim_now(m.sim) + 30 * THIRL_S);
  assert_true(meeting_is_complete(&m));
  meeting_close(&m);
}

/*
 * From CONNECT on, with 25 ms between each peer and the server, that is 100 ms from peer to peer and back: the ClientHello arrives with the OFFER, the
 * dialer sends after one round trip, and the listener after one and a half.
 */
static void the_relay_carries_after_one_round_trip(void **state) {
  (void)state;
  meeting m;
  meeting_config c = meeting_config_of(7, nat("symmetric"), nat("symmetric"), 100 * THIRL_MS);
  meeting_open(&m, &c);
  meeting_start(&m);
  meeting_run_on(&m, thirl_sim_now(m.sim) + 3 * THIRL_S);
  m.a.hold_end = m.b.hold_end = true;
  thirl_time t = thirl_sim_now(m.sim);
  meeting_dial(&m);
  meeting_run_on(&m, t + 2 * THIRL_S);
  print_message("after CONNECT: up %llu and %llu ms, first byte at the listener %llu ms, at the dialer %llu ms\n",
                (unsigned long long)(m.b.up_at - t) / 1000, (unsigned long long)(m.a.up_at - t) / 1000,
                (unsigned long long)(m.a.first_read_at - t) / 1000, (unsigned long long)(m.b.first_read_at - t) / 1000);
  assert_in_range(m.b.up_at - t, 100 * THIRL_MS, 101 * THIRL_MS);
  assert_in_range(m.a.first_read_at - t, 150 * THIRL_MS, 151 * THIRL_MS);
  assert_in_range(m.a.up_at - t, 150 * THIRL_MS, 151 * THIRL_MS);
  assert_in_range(m.b.first_read_at - t, 200 * THIRL_MS, 201 * THIRL_MS);
  meeting_close(&m);
}

/* Each in its turn: the first byte over the relay, then the direct path. */
static void the_relay_is_first_and_the_direct_path_soon_after(void **state) {
  (void)state;
  meeting m;
  meeting_config c = meeting_config_of(7, nat("portrestricted"), nat("portrestricted"), 100 * THIRL_MS);
  meeting_open(&m, &c);
  meeting_start(&m);
  meeting_run_on(&m, thirl_sim_now(m.sim) + 3 * THIRL_S);
  m.a.hold_end = m.b.hold_end = true;
  thirl_time t = thirl_sim_now(m.sim);
  meeting_dial(&m);
  meeting_run_on(&m, t + 2 * THIRL_S);
  assert_in_range(m.b.up_at - t, 100 * THIRL_MS, 101 * THIRL_MS);
  assert_in_range(m.b.direct_at - t, 250 * THIRL_MS, 252 * THIRL_MS); /* GO after 50 ms, and two round trips */
  assert_in_range(m.a.direct_at - t, 300 * THIRL_MS, 302 * THIRL_MS);
  assert_int_equal(m.a.n_path_events, 2);
  assert_int_equal(m.b.n_path_events, 2);
  meeting_close(&m);
}

static void our_own_ticket_is_refused(void **state) {
  (void)state;
  meeting m;
  meeting_config c = meeting_config_of(8, nat("portrestricted"), nat("portrestricted"), 100 * THIRL_MS);
  uint32_t handle = 0;
  meeting_open(&m, &c);
  assert_int_equal(thirl_session_endpoint_dial(m.a.endpoint, thirl_sim_clock(m.a.host), &m.ticket, NULL, &handle),
                   THIRL_E_SELF);
  assert_int_equal(handle, 0);
  assert_true(thirl_session_endpoint_is_idle(m.a.endpoint));
  meeting_close(&m);
}

/*
 * B dials in the moment in which A's registration is known to A: what A leaves at the server is still on its way, and the first answer is 404. Asked
 * again soon, and not often.
 */
static void a_dial_right_after_listen(void **state) {
  (void)state;
  unsigned not_found = 0;
  thirl_time longest = 0;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    meeting m;
    meeting_config c = meeting_config_of(seed, nat("portrestricted"), nat("portrestricted"), 100 * THIRL_MS);
    c.link_a.delay = 100 * THIRL_MS; /* A is far from the server, B is near: what is shown has the longest way */
    meeting_open(&m, &c);
    meeting_start(&m);
    while (!m.a.n_registered)
      meeting_run_on(&m, thirl_sim_now(m.sim) + THIRL_MS);
    thirl_time start = thirl_sim_now(m.sim);
    assert_int_equal(m.b.n_registered, 1);
    meeting_dial(&m);
    meeting_run_on(&m, start + 3 * THIRL_S);
    const thirl_server_stats *st = thirl_server_stats_of(m.server);
    assert_int_equal(st->introduced, 1);
    assert_int_equal(st->connects, st->not_found + 1);
    assert_in_range(st->not_found, 1, 2);
    assert_in_range(m.b.up_at - start, 1, 600 * THIRL_MS);
    not_found += (unsigned)st->not_found;
    longest = THIRL_MAX(longest, m.b.up_at - start);
    meeting_close(&m);
  }
  print_message("20 dials: %u times 404, up after %u ms at most\n", not_found, (unsigned)(longest / THIRL_MS));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_home_routers_become_direct),
      cmocka_unit_test(the_relay_carries_after_one_round_trip),
      cmocka_unit_test(the_relay_is_first_and_the_direct_path_soon_after),
      cmocka_unit_test(our_own_ticket_is_refused),
      cmocka_unit_test(a_dial_right_after_listen),
  };
  return cmocka_run_group_tests_name("sim/meeting", tests, NULL, NULL);
}
