/* SPDX-License-Identifier: MIT */
/* Who is not direct is told why: within 15 s of GO, on both sides, for all 24 pairs of NATs that cannot be, and for what the callers have forbidden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "session/roster.h"
#include "support/meeting.h"

#define RTT (100 * THIRL_MS)

static meeting world;

static thirl_natbox_config box(int i, thirl_natbox_unsolicited answer) {
  thirl_natbox_config c = thirl_natbox_config_of((thirl_natbox_mapping)(i / 3), (thirl_natbox_filtering)(i % 3),
                                                 thirl_addr_v4(203, 0, 113, 1, 0));
  c.tcp.unsolicited = answer;
  c.tcp.allocation = THIRL_NATBOX_RANDOM;
  return c;
}

/* punching.md 4.1: rows A, columns B. */
static const char *const table[9] = {
    "+++++++++", "+++++++++", "++++..+..", "+++++++++", "++.+..+..", "++.+..+..", "+++++++++", "++.+..+..", "++.+..+..",
};

static bool is_telling(thirl_error e) {
  return e == THIRL_E_TIMEOUT || e == THIRL_E_REFUSED || e == THIRL_E_UNREACHABLE;
}

static meeting *open_world(uint64_t seed, int a, int b, thirl_natbox_unsolicited answer, thirl_session_policy policy) {
  meeting *m = &world;
  meeting_config c = meeting_config_of(seed, box(a, answer), box(b, answer), RTT);
  policy.window = c.policy.window;
  c.policy = policy;
  meeting_open(m, &c);
  m->a.hold_end = m->b.hold_end = true;
  meeting_run_on(m, thirl_sim_now(m->sim) + 3 * THIRL_S);
  return m;
}

static void finish_and_close(meeting *m) {
  m->a.hold_end = m->b.hold_end = false;
  meeting_run(m, thirl_sim_now(m->sim) + 60 * THIRL_S);
  assert_true(meeting_is_complete(m));
  meeting_close(m);
}

static void each_pair_that_cannot_be_direct(void **state) {
  (void)state;
  static const thirl_natbox_unsolicited answers[] = {THIRL_NATBOX_DROP, THIRL_NATBOX_RST_BACK, THIRL_NATBOX_ICMP_BACK};
  unsigned pairs = 0, seen[3][THIRL_ERROR_COUNT] = {{0}};
  for (int k = 0; k < 3; k++) {
    for (int i = 0; i < 81; i++) {
      if (table[i / 9][i % 9] == '+') continue;
      meeting *m = open_world((uint64_t)i + 1, i / 9, i % 9, answers[k], (thirl_session_policy){0});
      meeting_dial(m);
      while (thirl_server_stats_of(m->server)->introduced == 0)
        assert_true(thirl_sim_step(m->sim));
      meeting_run_on(m, thirl_sim_now(m->sim) + 15 * THIRL_S);
      bool told = is_telling(m->a.reason) && is_telling(m->b.reason) && !m->a.is_direct && !m->b.is_direct;
      if (!told)
        print_error("pair %d x %d, answer %d: A %s B %s\n", i / 9, i % 9, k, thirl_error_name(m->a.reason),
                    thirl_error_name(m->b.reason));
      assert_true(told);
      pairs++;
      seen[k][m->b.reason]++;
      finish_and_close(m);
    }
  }
  assert_int_equal(pairs, 3 * 24);
  assert_int_equal(seen[0][THIRL_E_TIMEOUT], 24); /* NATs that drop */
  assert_int_equal(seen[1][THIRL_E_REFUSED] + seen[2][THIRL_E_REFUSED], 48);
}

static void only_direct_is_not_to_be_had(void **state) {
  (void)state;
  meeting *m = open_world(4, 8, 8, THIRL_NATBOX_DROP, (thirl_session_policy){.direct_only = true});
  meeting_dial(m);
  meeting_run(m, thirl_sim_now(m->sim) + 15 * THIRL_S);
  assert_true(m->a.failed && m->b.failed);
  assert_int_equal(m->a.error, THIRL_E_ONLY_RELAY);
  assert_int_equal(m->b.error, THIRL_E_ONLY_RELAY);
  assert_int_equal(m->a.read + m->b.read, 0);
  assert_int_equal(thirl_server_stats_of(m->server)->relayed_bytes, 0);
  meeting_close(m);
}

static void only_direct_where_it_is_possible(void **state) {
  (void)state;
  meeting *m = open_world(4, 2, 2, THIRL_NATBOX_DROP, (thirl_session_policy){.direct_only = true});
  meeting_dial(m);
  assert_true(meeting_run_until_direct(m, thirl_sim_now(m->sim) + 5 * THIRL_S));
  meeting_run_on(m, thirl_sim_now(m->sim) + 60 * THIRL_S);
  assert_int_equal(thirl_server_stats_of(m->server)->connects, 1); /* nobody asks for a relay */
  finish_and_close(m);
}

static void only_the_relay_shows_no_address(void **state) {
  (void)state;
  meeting *m = open_world(4, 2, 2, THIRL_NATBOX_DROP, (thirl_session_policy){.relay_only = true});
  meeting_dial(m);
  meeting_run_on(m, thirl_sim_now(m->sim) + 60 * THIRL_S);
  assert_false(m->a.is_direct || m->b.is_direct);
  assert_int_equal(m->a.endpoint->standing.n, 0);
  thirl_addr to_a = thirl_addr_v4(203, 0, 113, 1, 0), to_b = thirl_addr_v4(203, 0, 113, 2, 0);
  assert_int_equal(thirl_sim_sent_by(m->b.host, to_a).packets, 0);
  assert_int_equal(thirl_sim_sent_by(m->a.host, to_b).packets, 0);
  assert_int_equal(thirl_server_stats_of(m->server)->connects, 1);
  finish_and_close(m);
}

/* One side has forbidden what the other would like. */
static void one_side_wants_no_direct_path(void **state) {
  (void)state;
  for (int who = 0; who < 2; who++) {
    meeting *m = open_world(4, 2, 2, THIRL_NATBOX_DROP, (thirl_session_policy){0});
    meeting_start(m);
    (who ? &m->b : &m->a)->endpoint->cfg.policy.relay_only = true;
    m->a.endpoint->standing_due = true;
    thirl_session_endpoint_evaluate(m->a.endpoint, thirl_sim_clock(m->a.host));
    thirl_sim_kick(m->a.host);
    meeting_run_on(m, thirl_sim_now(m->sim) + 3 * THIRL_S);
    meeting_dial(m);
    meeting_run_on(m, thirl_sim_now(m->sim) + 15 * THIRL_S);
    assert_false(m->a.is_direct || m->b.is_direct);
    assert_int_equal(m->a.reason, THIRL_E_NO_PATH);
    assert_int_equal(m->b.reason, THIRL_E_NO_PATH);
    finish_and_close(m);
  }
}

/* The listener takes no relay; the dialer has no objection to one. */
static void one_side_wants_no_relay(void **state) {
  (void)state;
  meeting *m = open_world(4, 2, 2, THIRL_NATBOX_DROP, (thirl_session_policy){0});
  m->a.endpoint->cfg.policy.direct_only = true;
  meeting_dial(m);
  assert_true(meeting_run_until_direct(m, thirl_sim_now(m->sim) + 5 * THIRL_S));
  meeting_run_on(m, thirl_sim_now(m->sim) + 60 * THIRL_S);
  assert_true(thirl_server_stats_of(m->server)->connects <= 2);
  assert_int_equal(m->b.n_path_events, 1);
  finish_and_close(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_pair_that_cannot_be_direct),  cmocka_unit_test(only_direct_is_not_to_be_had),
      cmocka_unit_test(only_direct_where_it_is_possible), cmocka_unit_test(only_the_relay_shows_no_address),
      cmocka_unit_test(one_side_wants_no_direct_path),    cmocka_unit_test(one_side_wants_no_relay),
  };
  return cmocka_run_group_tests_name("sim/reasons", tests, NULL, NULL);
}
