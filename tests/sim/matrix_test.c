/* SPDX-License-Identifier: MIT */
/*
 * All 81 ordered pairs of the nine NAT behaviours over TCP: who gets a direct connection, and when. Whole sessions, not bare sockets.
 * The oracle is the rule, not our output: a path A to B opens iff B accepts from anybody, or B's mapping does not depend on the
 * destination and either B filters by address only or A's mapping does not depend on the destination either.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/meeting.h"

#define RTT (100 * THIRL_MS)

typedef struct behaviour {
  thirl_natbox_mapping m;
  thirl_natbox_filtering f;
} behaviour;

static behaviour behaviour_of(int i) {
  return (behaviour){(thirl_natbox_mapping)(i / 3), (thirl_natbox_filtering)(i % 3)};
}

static bool accepts(behaviour from, behaviour to) {
  if (to.f == THIRL_NATBOX_EIF) return true;
  return to.m == THIRL_NATBOX_EIM && (to.f == THIRL_NATBOX_ADF || from.m == THIRL_NATBOX_EIM);
}

/* punching.md 4.1, by hand: rows A, columns B. */
static const char *const table[9] = {
    "+++++++++", "+++++++++", "++++..+..", "+++++++++", "++.+..+..", "++.+..+..", "+++++++++", "++.+..+..", "++.+..+..",
};

static thirl_natbox_config box_of(behaviour b, thirl_natbox_unsolicited answer) {
  thirl_natbox_config c = thirl_natbox_config_of(b.m, b.f, thirl_addr_v4(203, 0, 113, 1, 0));
  c.tcp.unsolicited = answer;
  return c;
}

typedef struct outcome {
  bool complete, direct;
  thirl_error reason;
  thirl_time confirmed;        /* both sides, after GO */
  thirl_time dialer, listener; /* the stream is on the direct path, after GO */
} outcome;

static outcome play(uint64_t seed, behaviour a, behaviour b, thirl_natbox_unsolicited answer, double loss) {
  meeting m;
  outcome o = {0};
  meeting_config c = meeting_config_of(seed, box_of(a, answer), box_of(b, answer), RTT);
  c.link_a.loss = c.link_b.loss = loss / 2;
  meeting_open(&m, &c);
  meeting_run_on(&m, thirl_sim_now(m.sim) + 3 * THIRL_S);
  m.a.hold_end = m.b.hold_end = true;
  meeting_dial(&m);
  o.direct = meeting_run_until_direct(&m, thirl_sim_now(m.sim) + 40 * THIRL_S);
  o.confirmed = THIRL_MAX(m.a.confirmed_after, m.b.confirmed_after);
  if (!m.a.confirmed_at || !m.b.confirmed_at) o.confirmed = THIRL_NEVER;
  o.reason = m.b.reason;
  o.dialer = m.b.direct_after;
  o.listener = m.a.direct_after;
  m.a.hold_end = m.b.hold_end = false;
  meeting_run(&m, thirl_sim_now(m.sim) + 120 * THIRL_S);
  o.complete = meeting_is_complete(&m);
  meeting_close(&m);
  return o;
}

/*
 * The dialer's ClientHello goes out behind its nomination, as soon as its side of the connection is up; one round trip later it sends on the direct path,
 * half a round trip after that the listener. Where the listener has to connect to the dialer the latter is up half a round trip later.
 */
static bool is_slow(const outcome *o, bool dialer_gets_in, thirl_time slack) {
  thirl_time up = dialer_gets_in ? RTT : RTT * 3 / 2;
  return o->dialer > up + RTT + slack || o->listener > up + RTT * 3 / 2 + slack;
}

static void whole_matrix(thirl_natbox_unsolicited answer, bool timed) {
  int n_direct = 0, n_both = 0, wrong = 0;
  thirl_time worst[4] = {0};
  for (int i = 0; i < 81; i++) {
    behaviour a = behaviour_of(i / 9), b = behaviour_of(i % 9);
    bool ab = accepts(a, b), ba = accepts(b, a), want = table[i / 9][i % 9] == '+';
    assert_int_equal(want, ab || ba); /* the two oracles agree */
    outcome o = play((uint64_t)i + 1, a, b, answer, 0);
    thirl_time limit = ab && ba ? RTT * 105 / 100 : RTT * 155 / 100;
    bool late = timed && want && (o.confirmed > limit || is_slow(&o, ba, RTT / 20));
    if (want && ba) worst[0] = THIRL_MAX(worst[0], o.dialer), worst[1] = THIRL_MAX(worst[1], o.listener);
    if (want && !ba) worst[2] = THIRL_MAX(worst[2], o.dialer), worst[3] = THIRL_MAX(worst[3], o.listener);
    if (!o.complete || o.direct != want || (!want && o.reason == THIRL_OK) || late) {
      wrong++;
      print_error("pair %d x %d: complete %d direct %d (want %d) reason %s confirmed %llu us (limit %llu), direct at "
                  "%llu and %llu us\n",
                  i / 9, i % 9, o.complete, o.direct, want, thirl_error_name(o.reason), (unsigned long long)o.confirmed,
                  (unsigned long long)limit, (unsigned long long)o.dialer, (unsigned long long)o.listener);
    }
    n_direct += o.direct;
    n_both += ab && ba;
  }
  print_message("stream on the direct path after GO, dialer and listener: the dialer gets in %.2f and %.2f RTT, only "
                "the listener %.2f and %.2f RTT\n",
                (double)worst[0] / RTT, (double)worst[1] / RTT, (double)worst[2] / RTT, (double)worst[3] / RTT);
  assert_int_equal(wrong, 0);
  assert_int_equal(n_direct, 57);
  assert_int_equal(n_both, 21);
}

static void nats_that_drop(void **state) {
  (void)state;
  whole_matrix(THIRL_NATBOX_DROP, true);
}

static void nats_that_answer_rst(void **state) {
  (void)state;
  whole_matrix(THIRL_NATBOX_RST_BACK, false);
}

static void nats_that_answer_icmp(void **state) {
  (void)state;
  whole_matrix(THIRL_NATBOX_ICMP_BACK, false);
}

static int by_time(const void *a, const void *b) {
  thirl_time x = *(const thirl_time *)a, y = *(const thirl_time *)b;
  return (x > y) - (x < y);
}

/* 5 % of the packets between the peers are lost: 95 % are confirmed within two round trips of GO. */
static void five_percent_loss(void **state) {
  (void)state;
  enum { N = 200 };
  static thirl_time times[N];
  behaviour home = {THIRL_NATBOX_EIM, THIRL_NATBOX_APDF};
  for (int i = 0; i < N; i++) {
    outcome o = play((uint64_t)i + 1000, home, home, THIRL_NATBOX_DROP, 0.05);
    if (!o.complete || !o.direct)
      print_error("seed %d: complete %d direct %d reason %s\n", i + 1000, o.complete, o.direct,
                  thirl_error_name(o.reason));
    assert_true(o.complete && o.direct);
    times[i] = o.confirmed;
  }
  qsort(times, N, sizeof *times, by_time);
  print_message("confirmed after GO: p50 %llu ms, p95 %llu ms, worst %llu ms\n",
                (unsigned long long)times[N / 2] / 1000, (unsigned long long)times[N * 95 / 100] / 1000,
                (unsigned long long)times[N - 1] / 1000);
  assert_true(times[N * 95 / 100] <= 2 * RTT);
}

/* The OFFER reaches the listener this much later than the server thinks: the moment it is sent, the listener's way from the server is longer. */
static outcome play_late(behaviour a, behaviour b, thirl_natbox_unsolicited answer, thirl_time skew) {
  meeting m;
  outcome o = {0};
  meeting_config c = meeting_config_of(skew / THIRL_MS + 7, box_of(a, answer), box_of(b, answer), RTT);
  c.link_server.delay = 1 * THIRL_MS; /* so that the OFFER can be caught on its way */
  meeting_open(&m, &c);
  meeting_run_on(&m, thirl_sim_now(m.sim) + 3 * THIRL_S);
  m.a.hold_end = m.b.hold_end = true;
  meeting_dial(&m);
  while (thirl_server_stats_of(m.server)->introduced == 0)
    assert_true(thirl_sim_step(m.sim));
  thirl_sim_link_rules slow = c.link_a;
  slow.delay += skew;
  thirl_sim_set_link(m.a.nat, NULL, &slow);
  meeting_run_on(&m, thirl_sim_now(m.sim) + 2 * THIRL_MS);
  thirl_sim_set_link(m.a.nat, NULL, &c.link_a);
  o.direct = meeting_run_until_direct(&m, thirl_sim_now(m.sim) + 40 * THIRL_S);
  o.confirmed = m.b.confirmed_at && m.a.confirmed_at
                    ? THIRL_MAX(m.a.confirmed_at, m.b.confirmed_at) - (m.b.confirmed_at - m.b.confirmed_after)
                    : THIRL_NEVER; /* since the earlier GO, which is the dialer's */
  m.a.hold_end = m.b.hold_end = false;
  meeting_run(&m, thirl_sim_now(m.sim) + 60 * THIRL_S);
  o.complete = meeting_is_complete(&m);
  meeting_close(&m);
  return o;
}

static void skew_costs_time_never_the_connection(void **state) {
  (void)state;
  static const thirl_natbox_unsolicited answers[] = {THIRL_NATBOX_DROP, THIRL_NATBOX_RST_BACK, THIRL_NATBOX_ICMP_BACK};
  static const char *const names[] = {"drop", "RST", "ICMP"};
  int wrong = 0, played = 0;
  for (int k = 0; k < 3; k++) {
    thirl_time worst = 0;
    for (thirl_time skew = 0; skew <= 2 * RTT; skew += 10 * THIRL_MS) {
      for (int i = 0; i < 81; i += skew % (50 * THIRL_MS) ? 80 : 4) { /* the corners always, more pairs every 50 ms */
        behaviour a = behaviour_of(i / 9), b = behaviour_of(i % 9);
        if (skew % (50 * THIRL_MS)) a = b = behaviour_of(2); /* home routers */
        if (!accepts(a, b) && !accepts(b, a)) continue;
        outcome o = play_late(a, b, answers[k], skew);
        played++;
        bool slow = o.confirmed > skew + 3 * RTT;
        if (o.confirmed != THIRL_NEVER && o.confirmed > skew) worst = THIRL_MAX(worst, o.confirmed - skew);
        bool needs_both =
            a.f == THIRL_NATBOX_APDF && b.f == THIRL_NATBOX_APDF; /* nobody is let in before the later GO */
        assert_true(!needs_both || o.confirmed == THIRL_NEVER || o.confirmed >= skew + RTT / 2);
        if (o.complete && o.direct && !slow) continue;
        wrong++;
        print_error("%s, skew %llu ms, pair %d x %d: complete %d direct %d confirmed %llu ms\n", names[k],
                    (unsigned long long)skew / 1000, i / 9, i % 9, o.complete, o.direct,
                    (unsigned long long)o.confirmed / 1000);
      }
    }
    print_message("%s: worst %llu ms after the later GO\n", names[k], (unsigned long long)worst / 1000);
  }
  assert_int_equal(wrong, 0);
  assert_true(played > 200);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nats_that_drop),        cmocka_unit_test(nats_that_answer_rst),
      cmocka_unit_test(nats_that_answer_icmp), cmocka_unit_test(skew_costs_time_never_the_connection),
      cmocka_unit_test(five_percent_loss),
  };
  return cmocka_run_group_tests_name("sim/matrix", tests, NULL, NULL);
}
