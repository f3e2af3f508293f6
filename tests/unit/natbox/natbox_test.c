/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "natbox/held.h"
#include "unit/natbox/pieces.h"

enum { A_ISN = 1000, B_ISN = 500000, OTHER_ISN = 2000000 };

/* --- mapping and filtering -------------------------------------------------------------------------------------------------------- */

static void mapping_decides_which_flows_share_a_port(void **state) {
  (void)state;
  for (int m = 0; m < 3; m++)
    for (int is_tcp = 0; is_tcp < 2; is_tcp++) {
      thirl_natbox_config c = config_of((thirl_natbox_mapping)m, THIRL_NATBOX_APDF);
      c.udp.allocation = c.tcp.allocation = THIRL_NATBOX_RANDOM;
      thirl_natbox *box = box_of(&c);
      uint16_t got[3];
      const thirl_addr to[3] = {remote(1, 80), remote(1, 81), remote(2, 80)};
      for (int i = 0; i < 3; i++) {
        thirl_natbox_packet p = is_tcp ? tcp(inner(1, 5000), to[i], SYN, A_ISN, 0) : udp(inner(1, 5000), to[i]);
        assert_int_equal(thirl_natbox_outbound(box, 1, &p), THIRL_NATBOX_PASS);
        assert_addr(thirl_addr_with_port(p.src, 0), outer(0));
        assert_addr(p.dst, to[i]);
        assert_int_equal(p.seq, is_tcp ? A_ISN : 0);
        got[i] = p.src.port;
      }
      assert_int_equal(got[0] == got[1], m != THIRL_NATBOX_APDM);
      assert_int_equal(got[0] == got[2], m == THIRL_NATBOX_EIM);
      assert_int_equal(thirl_natbox_count_bindings(box, 1), m + 1);
      assert_int_equal(thirl_natbox_count_sessions(box, 1), 3);
      thirl_natbox_free(box);
    }
}

static void filtering_decides_who_may_come_in(void **state) {
  (void)state;
  for (int m = 0; m < 3; m++)
    for (int f = 0; f < 3; f++)
      for (int is_tcp = 0; is_tcp < 2; is_tcp++) {
        thirl_natbox_config c = config_of((thirl_natbox_mapping)m, (thirl_natbox_filtering)f);
        thirl_natbox *box = box_of(&c);
        thirl_natbox_packet p =
            is_tcp ? tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0) : udp(inner(1, 5000), remote(1, 80));
        thirl_natbox_outbound(box, 1, &p);
        const thirl_addr from[4] = {remote(1, 80), remote(1, 81), remote(2, 80), remote(2, 81)};
        for (int i = 0; i < 4; i++) {
          bool admitted = i == 0 || f == THIRL_NATBOX_EIF || (f == THIRL_NATBOX_ADF && i == 1);
          p = is_tcp ? tcp(from[i], outer(5000), SYN, B_ISN, 0) : udp(from[i], outer(5000));
          assert_int_equal(thirl_natbox_inbound(box, 1, &p), admitted ? THIRL_NATBOX_PASS : THIRL_NATBOX_DISCARD);
          if (!admitted) continue;
          assert_addr(p.dst, inner(1, 5000));
          assert_addr(p.src, from[i]);
        }
        assert_addr(in_udp(box, 1, remote(1, 80), outer(5001)), (thirl_addr){0});
        thirl_natbox_free(box);
      }
}

/* The trap of natlab: a filter that is kept by inner endpoint lets port-restricted and symmetric punch. */
static void a_filter_is_opened_for_one_mapping_only(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_APDM, THIRL_NATBOX_ADF);
  c.udp.allocation = THIRL_NATBOX_SEQUENTIAL;
  c.udp.port_lo = 40000;
  thirl_natbox *box = box_of(&c);
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(1, 80)), outer(40000));
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(2, 80)), outer(40001));
  assert_nobody(in_udp(box, 1, remote(2, 99), outer(40000)));
  assert_addr(in_udp(box, 1, remote(2, 99), outer(40001)), inner(1, 5000));
  thirl_natbox_free(box);
}

static void behaviours_are_per_protocol(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
  c.tcp.mapping = THIRL_NATBOX_APDM;
  c.tcp.allocation = THIRL_NATBOX_RANDOM;
  thirl_natbox *box = box_of(&c);
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(1, 80)), outer(5000));
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(2, 80)), outer(5000));
  thirl_natbox_packet a = tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0), b = a;
  b.dst = remote(2, 80);
  thirl_natbox_outbound(box, 1, &a);
  thirl_natbox_outbound(box, 1, &b);
  assert_int_not_equal(a.src.port, b.src.port);
  assert_int_equal(in_tcp(box, 1, tcp(remote(9, 9), a.src, SYN, 1, 0)), THIRL_NATBOX_PASS);
  thirl_natbox_free(box);
}

/* The design error that natlab found: with a mapping by destination the SYN-ACK would leave from a port of its own. */
static void an_answer_leaves_by_the_port_that_the_question_came_in(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_APDM, THIRL_NATBOX_EIF);
  c.tcp.allocation = c.udp.allocation = THIRL_NATBOX_SEQUENTIAL;
  c.tcp.port_lo = c.udp.port_lo = 40000;
  thirl_natbox *box = box_of(&c);
  assert_int_equal(out_tcp(box, 1, tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0)), THIRL_NATBOX_PASS);
  assert_int_equal(in_tcp(box, 1, tcp(remote(2, 99), outer(40000), SYN, B_ISN, 0)), THIRL_NATBOX_PASS);
  thirl_natbox_packet answer = tcp(inner(1, 5000), remote(2, 99), SYN | ACK, OTHER_ISN, B_ISN + 1);
  assert_int_equal(thirl_natbox_outbound(box, 1, &answer), THIRL_NATBOX_PASS);
  assert_addr(answer.src, outer(40000));
  assert_addr(answer.dst, remote(2, 99));
  out_udp(box, 1, inner(1, 5000), remote(1, 80));
  assert_addr(in_udp(box, 1, remote(2, 99), outer(40000)), inner(1, 5000));
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(2, 99)), outer(40000));
  thirl_natbox_free(box);
}

/* Both ways between the same two endpoints at once, through two mappings: the newer one shows the inside another remote port. */
static void two_flows_between_the_same_ends_are_told_apart(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_APDM, THIRL_NATBOX_EIF);
  c.tcp.allocation = THIRL_NATBOX_SEQUENTIAL;
  c.tcp.port_lo = 40000;
  thirl_natbox *box = box_of(&c);
  out_tcp(box, 1, tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0));
  out_tcp(box, 1, tcp(inner(1, 5000), remote(2, 99), SYN, A_ISN, 0)); /* 40001 */
  thirl_natbox_packet p = tcp(remote(2, 99), outer(40000), SYN, B_ISN, 0);
  assert_int_equal(thirl_natbox_inbound(box, 1, &p), THIRL_NATBOX_PASS);
  assert_addr(p.dst, inner(1, 5000));
  assert_addr(thirl_addr_with_port(p.src, 0), remote(2, 0));
  assert_int_not_equal(p.src.port, 99);
  thirl_natbox_packet answer = tcp(p.dst, p.src, SYN | ACK, OTHER_ISN, B_ISN + 1);
  assert_int_equal(thirl_natbox_outbound(box, 1, &answer), THIRL_NATBOX_PASS);
  assert_addr(answer.src, outer(40000));
  assert_addr(answer.dst, remote(2, 99));
  thirl_natbox_packet icmp = thirl_natbox_packet_icmp_for(&answer, THIRL_NATBOX_TIME_EXCEEDED, remote(200, 0));
  assert_int_equal(thirl_natbox_inbound(box, 1, &icmp), THIRL_NATBOX_PASS); /* speaks of what the inside knows */
  assert_addr(icmp.inner.dst, p.src);
  thirl_natbox_packet own = tcp(inner(1, 5000), remote(2, 99), SYN, A_ISN, 0);
  thirl_natbox_outbound(box, 1, &own);
  assert_addr(own.src, outer(40001));
  thirl_natbox_free(box);
}

static void two_inner_hosts_on_one_port(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
  thirl_natbox *box = box_of(&c);
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(1, 80)), outer(5000));
  thirl_addr second = out_udp(box, 1, inner(2, 5000), remote(1, 80));
  assert_int_not_equal(second.port, 5000);
  assert_addr(out_udp(box, 1, inner(2, 5000), remote(2, 80)), second);
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(2, 81)), outer(5000));
  assert_addr(in_udp(box, 1, remote(1, 80), outer(5000)), inner(1, 5000));
  assert_addr(in_udp(box, 1, remote(1, 80), second), inner(2, 5000));
  thirl_natbox_free(box);
}

/* --- time ------------------------------------------------------------------------------------------------------------------------- */

static void a_udp_flow_lives_longer_once_it_is_answered(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
  thirl_natbox *box = box_of(&c);
  thirl_time t = THIRL_S;
  out_udp(box, t, inner(1, 5000), remote(1, 80));
  assert_int_equal(thirl_natbox_count_sessions(box, t + 30 * THIRL_S - 1), 1);
  assert_nobody(in_udp(box, t + 30 * THIRL_S, remote(1, 80), outer(5000)));
  out_udp(box, t += 60 * THIRL_S, inner(1, 5000), remote(1, 80));
  assert_addr(in_udp(box, t, remote(1, 80), outer(5000)), inner(1, 5000));
  assert_addr(in_udp(box, t + 120 * THIRL_S - 1, remote(1, 80), outer(5000)), inner(1, 5000));
  t += 120 * THIRL_S - 1;
  assert_nobody(in_udp(box, t + 120 * THIRL_S, remote(1, 80), outer(5000)));
  assert_int_equal(thirl_natbox_count_bindings(box, t + 120 * THIRL_S), 0);
  thirl_natbox_free(box);
}

/* One flow, answered at 0; traffic in one direction every 50 s; is it alive after 200 s? */
static bool survives(thirl_natbox_refresh refresh, bool outward) {
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
  c.udp.refresh = refresh;
  c.udp.new_timeout = c.udp.open_timeout = 120 * THIRL_S;
  thirl_natbox *box = box_of(&c);
  out_udp(box, 1, inner(1, 5000), remote(1, 80));
  for (thirl_time t = 0; t <= 200 * THIRL_S; t += 50 * THIRL_S) {
    if (thirl_natbox_count_sessions(box, t + 2) == 0) break;
    if (outward)
      out_udp(box, t + 2, inner(1, 5000), remote(1, 80));
    else
      in_udp(box, t + 2, remote(1, 80), outer(5000));
  }
  bool alive = thirl_natbox_count_sessions(box, 210 * THIRL_S) > 0;
  thirl_natbox_free(box);
  return alive;
}

static void refresh_counts_the_direction_it_is_told(void **state) {
  (void)state;
  assert_true(survives(THIRL_NATBOX_REFRESH_BOTH, true));
  assert_true(survives(THIRL_NATBOX_REFRESH_BOTH, false));
  assert_true(survives(THIRL_NATBOX_REFRESH_OUT, true));
  assert_false(survives(THIRL_NATBOX_REFRESH_OUT, false));
  assert_false(survives(THIRL_NATBOX_REFRESH_IN, true));
  assert_true(survives(THIRL_NATBOX_REFRESH_IN, false));
}

/* With outbound refresh strangers cannot keep a full cone open either. */
static void strangers_do_not_keep_a_mapping_with_outbound_refresh(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
  c.udp.refresh = THIRL_NATBOX_REFRESH_OUT;
  thirl_natbox *box = box_of(&c);
  out_udp(box, 0, inner(1, 5000), remote(1, 80));
  for (uint16_t i = 0; i < 29; i++)
    assert_addr(in_udp(box, i * THIRL_S, remote(9, (uint16_t)(100 + i)), outer(5000)), inner(1, 5000));
  assert_nobody(in_udp(box, 30 * THIRL_S, remote(9, 99), outer(5000)));
  assert_int_equal(thirl_natbox_count_sessions(box, 30 * THIRL_S), 0);
  thirl_natbox_free(box);
}

static void a_tcp_flow_has_three_lives(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
  thirl_natbox *box = box_of(&c);
  out_tcp(box, 0, tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0));
  assert_int_equal(thirl_natbox_count_sessions(box, 240 * THIRL_S - 1), 1);
  assert_int_equal(thirl_natbox_count_sessions(box, 240 * THIRL_S), 0);
  thirl_time t = 1000 * THIRL_S;
  out_tcp(box, t, tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0));
  in_tcp(box, t, tcp(remote(1, 80), outer(5000), SYN | ACK, B_ISN, A_ISN + 1));
  out_tcp(box, t, tcp(inner(1, 5000), remote(1, 80), ACK, A_ISN + 1, B_ISN + 1));
  assert_int_equal(thirl_natbox_count_sessions(box, t + 7440 * THIRL_S - 1), 1);
  t += 7440 * THIRL_S - 1;
  in_tcp(box, t, tcp(remote(1, 80), outer(5000), FIN | ACK, B_ISN + 1, A_ISN + 1)); /* sooner than before */
  assert_int_equal(thirl_natbox_count_sessions(box, t + 240 * THIRL_S - 1), 1);
  assert_int_equal(thirl_natbox_count_sessions(box, t + 240 * THIRL_S), 0);
  thirl_natbox_free(box);
}

/* The timer of the long life must not hide the end of the short one. */
static void a_closed_flow_does_not_live_on(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
  thirl_natbox *box = box_of(&c);
  out_tcp(box, 0, tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0));
  in_tcp(box, 0, tcp(remote(1, 80), outer(5000), SYN | ACK, B_ISN, A_ISN + 1));
  out_tcp(box, 0, tcp(inner(1, 5000), remote(1, 80), ACK, A_ISN + 1, B_ISN + 1));
  thirl_time t = 1000 * THIRL_S;
  assert_int_equal(thirl_natbox_count_sessions(box, t), 1);
  out_tcp(box, t, tcp(inner(1, 5000), remote(1, 80), FIN | ACK, A_ISN + 1, B_ISN + 1));
  assert_int_equal(thirl_natbox_count_sessions(box, t + 240 * THIRL_S - 1), 1);
  assert_int_equal(thirl_natbox_count_sessions(box, t + 240 * THIRL_S), 0);
  thirl_natbox_free(box);
}

/* --- answers to what nobody asked for --------------------------------------------------------------------------------------------- */

static thirl_natbox *box_that(thirl_natbox_unsolicited answers) {
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
  c.udp.unsolicited = c.tcp.unsolicited = answers;
  thirl_natbox *box = box_of(&c);
  out_tcp(box, 0, tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0));
  out_udp(box, 0, inner(1, 5000), remote(1, 80));
  return box;
}

static void unsolicited_drop(void **state) {
  (void)state;
  thirl_natbox *box = box_that(THIRL_NATBOX_DROP);
  assert_int_equal(in_tcp(box, 1, tcp(remote(2, 9), outer(5000), SYN, B_ISN, 0)), THIRL_NATBOX_DISCARD);
  assert_int_equal(in_tcp(box, 1, udp(remote(2, 9), outer(5000))), THIRL_NATBOX_DISCARD);
  assert_int_equal(in_tcp(box, 1, udp(remote(2, 9), outer(77))), THIRL_NATBOX_DISCARD);
  assert_int_equal(thirl_natbox_count(box).unsolicited, 3);
  assert_true(thirl_natbox_deadline(box) == THIRL_NEVER);
  thirl_natbox_free(box);
}

static void unsolicited_rst(void **state) {
  (void)state;
  thirl_natbox *box = box_that(THIRL_NATBOX_RST_BACK);
  thirl_natbox_packet p = tcp(remote(2, 9), outer(5000), SYN, B_ISN, 0);
  thirl_natbox_packet want = tcp(outer(5000), remote(2, 9), RST | ACK, 0, B_ISN + 1);
  assert_int_equal(thirl_natbox_inbound(box, 1, &p), THIRL_NATBOX_REPLY);
  assert_packet(&p, &want);
  p = tcp(remote(2, 9), outer(77), ACK, B_ISN, 12345); /* no mapping at all */
  want = tcp(outer(77), remote(2, 9), RST, 12345, 0);
  assert_int_equal(thirl_natbox_inbound(box, 1, &p), THIRL_NATBOX_REPLY);
  assert_packet(&p, &want);
  assert_int_equal(in_tcp(box, 1, tcp(remote(2, 9), outer(5000), RST, B_ISN, 0)), THIRL_NATBOX_DISCARD);
  assert_int_equal(in_tcp(box, 1, udp(remote(2, 9), outer(5000))), THIRL_NATBOX_DISCARD);
  /* the box's own RST opens no filter */
  assert_int_equal(in_tcp(box, 1, tcp(remote(2, 9), outer(5000), SYN, B_ISN, 0)), THIRL_NATBOX_REPLY);
  thirl_natbox_free(box);
}

static void unsolicited_icmp(void **state) {
  (void)state;
  thirl_natbox *box = box_that(THIRL_NATBOX_ICMP_BACK);
  thirl_natbox_packet p = tcp(remote(2, 9), outer(5000), SYN, B_ISN, 0), original = p;
  thirl_natbox_packet want = thirl_natbox_packet_icmp_for(&original, THIRL_NATBOX_PORT_UNREACHABLE, outer(0));
  assert_int_equal(thirl_natbox_inbound(box, 1, &p), THIRL_NATBOX_REPLY);
  assert_packet(&p, &want);
  p = original = udp(remote(2, 9), outer(5000));
  want = thirl_natbox_packet_icmp_for(&original, THIRL_NATBOX_PORT_UNREACHABLE, outer(0));
  assert_int_equal(thirl_natbox_inbound(box, 1, &p), THIRL_NATBOX_REPLY);
  assert_packet(&p, &want);
  assert_int_equal(in_tcp(box, 1, tcp(remote(2, 9), outer(5000), RST, B_ISN, 0)), THIRL_NATBOX_DISCARD);
  thirl_natbox_free(box);
}

/* RFC 5382 REQ-4. */
static void unsolicited_syn_is_held_for_six_seconds(void **state) {
  (void)state;
  thirl_natbox *box = box_that(THIRL_NATBOX_HOLD);
  thirl_natbox_packet syn = tcp(remote(2, 9), outer(5000), SYN, B_ISN, 0), p;
  thirl_time t = THIRL_S;
  assert_int_equal(in_tcp(box, t, syn), THIRL_NATBOX_DISCARD);
  assert_int_equal(in_tcp(box, t + 2 * THIRL_S, syn), THIRL_NATBOX_DISCARD); /* repeated: the six seconds go on */
  assert_int_equal(in_tcp(box, t, tcp(remote(2, 9), outer(5000), ACK, 1, 1)), THIRL_NATBOX_DISCARD);
  assert_int_equal(in_tcp(box, t, udp(remote(2, 9), outer(5000))), THIRL_NATBOX_DISCARD);
  assert_int_equal(thirl_natbox_deadline(box), t + 6 * THIRL_S);
  assert_int_equal(thirl_natbox_poll(box, t + 6 * THIRL_S - 1, &p), THIRL_NATBOX_NOTHING);
  assert_int_equal(thirl_natbox_poll(box, t + 6 * THIRL_S, &p), THIRL_NATBOX_PASS);
  thirl_natbox_packet want = thirl_natbox_packet_icmp_for(&syn, THIRL_NATBOX_PORT_UNREACHABLE, outer(0));
  assert_packet(&p, &want);
  assert_int_equal(thirl_natbox_poll(box, t + 6 * THIRL_S, &p), THIRL_NATBOX_NOTHING);
  assert_true(thirl_natbox_deadline(box) == THIRL_NEVER);
  thirl_natbox_free(box);
}

static void an_outbound_syn_makes_a_held_one_be_forgotten(void **state) {
  (void)state;
  thirl_natbox *box = box_that(THIRL_NATBOX_HOLD);
  thirl_natbox_packet p;
  in_tcp(box, 1, tcp(remote(2, 9), outer(5000), SYN, B_ISN, 0));
  in_tcp(box, 2, tcp(remote(3, 9), outer(5000), SYN, B_ISN, 0));
  assert_int_equal(out_tcp(box, 3, tcp(inner(1, 5000), remote(2, 9), SYN, A_ISN, 0)), THIRL_NATBOX_PASS);
  assert_int_equal(thirl_natbox_deadline(box), 6 * THIRL_S + 2);
  assert_int_equal(thirl_natbox_poll(box, 7 * THIRL_S, &p), THIRL_NATBOX_PASS);
  assert_addr(p.dst, remote(3, 0));
  assert_int_equal(thirl_natbox_poll(box, 7 * THIRL_S, &p), THIRL_NATBOX_NOTHING);
  thirl_natbox_free(box);
}

static void held_syns_are_bounded(void **state) {
  (void)state;
  thirl_natbox *box = box_that(THIRL_NATBOX_HOLD);
  for (uint16_t i = 0; i < THIRL_NATBOX_HELD_MAX + 5; i++)
    in_tcp(box, 1, tcp(remote(2, (uint16_t)(1000 + i)), outer(5000), SYN, B_ISN, 0));
  assert_int_equal(thirl_natbox_count(box).limited, 5);
  unsigned n = 0;
  thirl_natbox_packet p;
  while (thirl_natbox_poll(box, 10 * THIRL_S, &p) == THIRL_NATBOX_PASS)
    n++;
  assert_int_equal(n, THIRL_NATBOX_HELD_MAX);
  thirl_natbox_free(box);
}

/* Plain masquerade: the early packet of a peer takes the port away from the inner host (lab row L16). */
static void a_packet_that_the_router_takes_poisons_the_port(void **state) {
  (void)state;
  thirl_natbox_config c;
  assert_int_equal(thirl_natbox_config_preset("linux-open", outer(0), &c), THIRL_OK);
  thirl_natbox *box = box_of(&c);
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(1, 80)), outer(5000));
  thirl_natbox_packet early = udp(remote(2, 9), outer(5000));
  assert_int_equal(thirl_natbox_inbound(box, 1, &early), THIRL_NATBOX_REPLY);
  assert_int_equal(early.protocol, THIRL_NATBOX_ICMP);
  thirl_addr mapped = out_udp(box, 2, inner(1, 5000), remote(2, 9));
  assert_true(thirl_addr_is_set(&mapped));
  assert_int_not_equal(mapped.port, 5000);
  assert_addr(out_udp(box, 2, inner(1, 5000), remote(3, 9)), mapped);      /* the newest port comes first */
  assert_addr(out_udp(box, 2, inner(2, 5000), remote(3, 9)), outer(5000)); /* towards others it is free */
  thirl_natbox_free(box);
  c.udp.unsolicited = THIRL_NATBOX_DROP; /* one rule in the firewall, and it does not happen */
  box = box_of(&c);
  out_udp(box, 1, inner(1, 5000), remote(1, 80));
  assert_nobody(in_udp(box, 1, remote(2, 9), outer(5000)));
  assert_addr(out_udp(box, 2, inner(1, 5000), remote(2, 9)), outer(5000));
  thirl_natbox_free(box);
}

/* --- resets, tracking ------------------------------------------------------------------------------------------------------------- */

static void a_reset_closes_the_own_hole_or_does_not(void **state) {
  (void)state;
  for (int keeps = 0; keeps < 2; keeps++) {
    thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
    c.rst = keeps ? THIRL_NATBOX_RST_KEEPS : THIRL_NATBOX_RST_DELETES;
    thirl_natbox *box = box_of(&c);
    out_tcp(box, 1, tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0));
    out_tcp(box, 1, tcp(inner(1, 5000), remote(2, 9), SYN, A_ISN, 0));
    thirl_natbox_packet rst = tcp(remote(2, 9), outer(5000), RST | ACK, 0, A_ISN + 1);
    assert_int_equal(thirl_natbox_inbound(box, 2, &rst), THIRL_NATBOX_PASS); /* the host hears it in any case */
    assert_addr(rst.dst, inner(1, 5000));
    assert_int_equal(thirl_natbox_count_sessions(box, 2), keeps ? 2 : 1);
    thirl_addr out;
    thirl_addr in = inner(1, 5000), to = remote(2, 9);
    assert_int_equal(thirl_natbox_lookup(box, 2, THIRL_NATBOX_TCP, &in, &to, &out), keeps);
    assert_int_equal(in_tcp(box, 3, tcp(remote(2, 9), outer(5000), SYN, B_ISN, 0)), THIRL_NATBOX_DISCARD);
    assert_int_equal(thirl_natbox_count(box).unsolicited, keeps ? 0 : 1);
    thirl_natbox_free(box);
  }
}

static void the_own_reset_ends_an_unanswered_flow(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
  thirl_natbox *box = box_of(&c);
  out_tcp(box, 1, tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0));
  thirl_natbox_packet rst = tcp(inner(1, 5000), remote(1, 80), RST, A_ISN + 1, 0);
  assert_int_equal(thirl_natbox_outbound(box, 2, &rst), THIRL_NATBOX_PASS);
  assert_addr(rst.src, outer(5000));
  assert_int_equal(thirl_natbox_count_sessions(box, 2), 0);
  thirl_natbox_free(box);
}

static void a_stray_segment_opens_no_flow_through_an_open_filter(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
  thirl_natbox *box = box_of(&c);
  out_tcp(box, 1, tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0));
  static const uint8_t stray[] = {SYN | ACK, FIN | ACK, RST};
  for (unsigned i = 0; i < sizeof stray; i++)
    assert_int_equal(in_tcp(box, 2, tcp(remote(2, 9), outer(5000), stray[i], B_ISN, 1)), THIRL_NATBOX_DISCARD);
  assert_int_equal(thirl_natbox_count(box).invalid, 3);
  assert_int_equal(thirl_natbox_count_sessions(box, 2), 1);
  thirl_natbox_free(box);
}

static void strict_tracking_drops_the_listener_that_answers_for_a_dead_socket(void **state) {
  (void)state;
  for (int loose = 0; loose < 2; loose++) {
    thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
    c.tracking = loose ? THIRL_NATBOX_LOOSE : THIRL_NATBOX_STRICT;
    thirl_natbox *box = box_of(&c);
    out_tcp(box, 1, tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0));
    assert_int_equal(in_tcp(box, 2, tcp(remote(1, 80), outer(5000), SYN, B_ISN, 0)), THIRL_NATBOX_PASS);
    assert_int_equal(out_tcp(box, 3, tcp(inner(1, 5000), remote(1, 80), SYN | ACK, OTHER_ISN, B_ISN + 1)),
                     loose ? THIRL_NATBOX_PASS : THIRL_NATBOX_DISCARD);
    assert_int_equal(thirl_natbox_count(box).invalid, loose ? 0 : 1);
    /* and so it stays as long as the entry lives */
    assert_int_equal(out_tcp(box, 200 * THIRL_S, tcp(inner(1, 5000), remote(1, 80), SYN, OTHER_ISN, 0)),
                     loose ? THIRL_NATBOX_PASS : THIRL_NATBOX_DISCARD);
    assert_int_equal(out_tcp(box, 500 * THIRL_S, tcp(inner(1, 5000), remote(1, 80), SYN, OTHER_ISN, 0)),
                     THIRL_NATBOX_PASS);
    thirl_natbox_free(box);
  }
}

static void simultaneous_open_passes_the_box(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
  thirl_natbox *box = box_of(&c);
  assert_int_equal(out_tcp(box, 1, tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0)), THIRL_NATBOX_PASS);
  assert_int_equal(in_tcp(box, 2, tcp(remote(1, 80), outer(5000), SYN, B_ISN, 0)), THIRL_NATBOX_PASS);
  assert_int_equal(out_tcp(box, 2, tcp(inner(1, 5000), remote(1, 80), SYN | ACK, A_ISN, B_ISN + 1)), THIRL_NATBOX_PASS);
  assert_int_equal(in_tcp(box, 3, tcp(remote(1, 80), outer(5000), SYN | ACK, B_ISN, A_ISN + 1)), THIRL_NATBOX_PASS);
  assert_int_equal(out_tcp(box, 3, tcp(inner(1, 5000), remote(1, 80), ACK, A_ISN + 1, B_ISN + 1)), THIRL_NATBOX_PASS);
  assert_int_equal(thirl_natbox_count_sessions(box, 7000 * THIRL_S), 1); /* established */
  thirl_natbox_free(box);
}

static void a_connection_survives_a_reboot_if_ports_are_preserved_and_segments_adopted(void **state) {
  (void)state;
  for (int without = 0; without < 2; without++) {
    thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
    c.without_pickup = without;
    thirl_natbox *box = box_of(&c);
    out_tcp(box, 1, tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0));
    thirl_natbox_reboot(box);
    thirl_natbox_packet p = tcp(inner(1, 5000), remote(1, 80), ACK, A_ISN + 1, B_ISN + 1);
    assert_int_equal(thirl_natbox_outbound(box, 2, &p), without ? THIRL_NATBOX_DISCARD : THIRL_NATBOX_PASS);
    if (!without) assert_addr(p.src, outer(5000));
    assert_int_equal(in_tcp(box, 3, tcp(remote(1, 80), outer(5000), ACK, B_ISN + 1, A_ISN + 1)),
                     without ? THIRL_NATBOX_DISCARD : THIRL_NATBOX_PASS);
    thirl_natbox_free(box);
  }
}

/* --- hairpin ---------------------------------------------------------------------------------------------------------------------- */

static void hairpin_off_and_external(void **state) {
  (void)state;
  for (int on = 0; on < 2; on++) {
    thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
    c.hairpin = on ? THIRL_NATBOX_HAIRPIN_EXTERNAL : THIRL_NATBOX_HAIRPIN_OFF;
    thirl_natbox *box = box_of(&c);
    out_udp(box, 1, inner(1, 5001), remote(1, 80));
    out_udp(box, 1, inner(2, 5002), remote(1, 80));
    thirl_natbox_packet p = udp(inner(1, 5001), outer(5002));
    assert_int_equal(thirl_natbox_outbound(box, 2, &p), THIRL_NATBOX_DISCARD); /* filtered: 2 has not sent yet */
    p = udp(inner(2, 5002), outer(5001));
    assert_int_equal(thirl_natbox_outbound(box, 2, &p), on ? THIRL_NATBOX_HAIRPIN : THIRL_NATBOX_DISCARD);
    if (on) {
      assert_addr(p.src, outer(5002)); /* the outer source: RFC 4787 REQ-9a */
      assert_addr(p.dst, inner(1, 5001));
      p = udp(inner(1, 5001), outer(5002));
      assert_int_equal(thirl_natbox_outbound(box, 3, &p), THIRL_NATBOX_HAIRPIN);
      assert_addr(p.src, outer(5001));
      assert_addr(p.dst, inner(2, 5002));
      assert_int_equal(thirl_natbox_count(box).hairpinned, 2);
    }
    thirl_natbox_free(box);
  }
}

static void a_refused_hairpin_is_answered_inside(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
  c.hairpin = THIRL_NATBOX_HAIRPIN_EXTERNAL;
  c.tcp.unsolicited = THIRL_NATBOX_RST_BACK;
  thirl_natbox *box = box_of(&c);
  thirl_natbox_packet p = tcp(inner(1, 5001), outer(5002), SYN, A_ISN, 0);
  assert_int_equal(thirl_natbox_outbound(box, 1, &p), THIRL_NATBOX_HAIRPIN);
  thirl_natbox_packet want = tcp(outer(5002), inner(1, 5001), RST | ACK, 0, A_ISN + 1);
  assert_packet(&p, &want);
  assert_int_equal(thirl_natbox_count_sessions(box, 1), 0);
  c.tcp.unsolicited = THIRL_NATBOX_HOLD;
  thirl_natbox_configure(box, &c);
  p = tcp(inner(1, 5001), outer(5002), SYN, A_ISN, 0);
  assert_int_equal(thirl_natbox_outbound(box, 2, &p), THIRL_NATBOX_DISCARD);
  assert_int_equal(thirl_natbox_poll(box, 2 + 6 * THIRL_S, &p), THIRL_NATBOX_HAIRPIN);
  assert_addr(p.dst, inner(1, 0));
  assert_addr(p.inner.src, inner(1, 5001));
  thirl_natbox_free(box);
}

/* --- ICMP ------------------------------------------------------------------------------------------------------------------------- */

static void icmp_errors_follow_their_flow(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
  c.tcp.allocation = THIRL_NATBOX_SEQUENTIAL;
  c.tcp.port_lo = 40000;
  thirl_natbox *box = box_of(&c);
  thirl_natbox_packet syn = tcp(inner(1, 5000), remote(1, 80), SYN, A_ISN, 0);
  thirl_natbox_outbound(box, 1, &syn);
  thirl_natbox_packet p = thirl_natbox_packet_icmp_for(&syn, THIRL_NATBOX_TIME_EXCEEDED, remote(200, 0));
  assert_int_equal(thirl_natbox_inbound(box, 2, &p), THIRL_NATBOX_PASS);
  assert_addr(p.src, remote(200, 0));
  assert_addr(p.dst, inner(1, 0));
  assert_addr(p.inner.src, inner(1, 5000));
  assert_addr(p.inner.dst, remote(1, 80));
  assert_int_equal(p.inner.seq, A_ISN);
  assert_int_equal(thirl_natbox_count_sessions(box, 2), 1); /* and change nothing about it */
  p = thirl_natbox_packet_icmp_for(&syn, THIRL_NATBOX_TIME_EXCEEDED, remote(200, 0));
  p.inner.dst = remote(1, 81);
  assert_int_equal(thirl_natbox_inbound(box, 2, &p), THIRL_NATBOX_DISCARD);
  thirl_natbox_packet in = tcp(remote(1, 80), outer(40000), SYN, B_ISN, 0);
  thirl_natbox_inbound(box, 3, &in);
  p = thirl_natbox_packet_icmp_for(&in, THIRL_NATBOX_PORT_UNREACHABLE, inner(1, 0));
  assert_int_equal(thirl_natbox_outbound(box, 4, &p), THIRL_NATBOX_PASS);
  assert_addr(p.src, outer(0));
  assert_addr(p.dst, remote(1, 0));
  assert_addr(p.inner.src, remote(1, 80));
  assert_addr(p.inner.dst, outer(40000));
  c.without_icmp_errors = true;
  thirl_natbox_configure(box, &c);
  p = thirl_natbox_packet_icmp_for(&syn, THIRL_NATBOX_TIME_EXCEEDED, remote(200, 0));
  assert_int_equal(thirl_natbox_inbound(box, 5, &p), THIRL_NATBOX_DISCARD);
  thirl_natbox_free(box);
}

/* --- modes, faults, limits -------------------------------------------------------------------------------------------------------- */

static void a_firewall_filters_and_translates_nothing(void **state) {
  (void)state;
  uint8_t home[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 2}, far[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 2, [15] = 9};
  thirl_addr in = thirl_addr_v6(home, 5000), out = thirl_addr_v6(far, 80), other = thirl_addr_v6(far, 81);
  for (int f = 0; f < 3; f++) {
    thirl_natbox_config c = config_of(THIRL_NATBOX_APDM, (thirl_natbox_filtering)f);
    c.mode = THIRL_NATBOX_FIREWALL;
    thirl_natbox *box = box_of(&c);
    assert_nobody(in_udp(box, 1, out, in));
    assert_addr(out_udp(box, 1, in, out), in);
    assert_addr(in_udp(box, 1, out, in), in);
    assert_addr(in_udp(box, 1, other, in), f == THIRL_NATBOX_APDF ? (thirl_addr){0} : in);
    assert_nobody(in_udp(box, 1, out, thirl_addr_with_port(in, 5001)));
    thirl_natbox_free(box);
  }
}

static void a_router_passes_everything(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
  c.mode = THIRL_NATBOX_ROUTE;
  thirl_natbox *box = box_of(&c);
  assert_addr(in_udp(box, 1, remote(1, 80), inner(1, 5000)), inner(1, 5000));
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(1, 80)), inner(1, 5000));
  assert_int_equal(out_tcp(box, 1, tcp(inner(1, 1), remote(1, 1), FIN, 1, 1)), THIRL_NATBOX_PASS);
  assert_int_equal(thirl_natbox_count_sessions(box, 1), 0);
  thirl_natbox_free(box);
}

static void what_is_not_for_the_outer_address_is_discarded(void **state) {
  (void)state;
  thirl_natbox *box = box_that(THIRL_NATBOX_RST_BACK);
  assert_int_equal(in_tcp(box, 1, tcp(remote(1, 80), inner(1, 5000), SYN, 1, 0)), THIRL_NATBOX_DISCARD);
  thirl_natbox_free(box);
}

static void reboot_forgets_and_renumber_changes_the_address(void **state) {
  (void)state;
  thirl_natbox *box = box_that(THIRL_NATBOX_HOLD);
  in_tcp(box, 1, tcp(remote(2, 9), outer(5000), SYN, B_ISN, 0));
  thirl_natbox_reboot(box);
  assert_int_equal(thirl_natbox_count_sessions(box, 1), 0);
  assert_true(thirl_natbox_deadline(box) == THIRL_NEVER);
  assert_nobody(in_udp(box, 1, remote(1, 80), outer(5000)));
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(1, 80)), outer(5000));
  thirl_addr moved = thirl_addr_v4(198, 51, 100, 7, 0);
  thirl_natbox_renumber(box, thirl_addr_with_port(moved, 9));
  assert_int_equal(thirl_natbox_count_sessions(box, 1), 0);
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(1, 80)), thirl_addr_with_port(moved, 5000));
  assert_nobody(in_udp(box, 1, remote(1, 80), outer(5000)));
  assert_addr(in_udp(box, 1, remote(1, 80), thirl_addr_with_port(moved, 5000)), inner(1, 5000));
  assert_addr(thirl_natbox_get_config(box)->external, moved);
  thirl_natbox_free(box);
}

static void sessions_are_limited(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
  c.max_sessions = 2;
  thirl_natbox *box = box_of(&c);
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(1, 80)), outer(5000));
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(1, 81)), outer(5000));
  assert_nobody(out_udp(box, 1, inner(1, 5000), remote(1, 82)));
  assert_nobody(out_udp(box, 1, inner(2, 5001), remote(1, 80)));
  assert_nobody(in_udp(box, 1, remote(3, 3), outer(5000)));
  assert_int_equal(thirl_natbox_count(box).limited, 3);
  assert_int_equal(thirl_natbox_count_bindings(box, 1), 1);
  assert_addr(out_udp(box, 31 * THIRL_S, inner(2, 5001), remote(1, 80)), outer(5001));
  thirl_natbox_free(box);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mapping_decides_which_flows_share_a_port),
      cmocka_unit_test(filtering_decides_who_may_come_in),
      cmocka_unit_test(a_filter_is_opened_for_one_mapping_only),
      cmocka_unit_test(behaviours_are_per_protocol),
      cmocka_unit_test(an_answer_leaves_by_the_port_that_the_question_came_in),
      cmocka_unit_test(two_flows_between_the_same_ends_are_told_apart),
      cmocka_unit_test(two_inner_hosts_on_one_port),
      cmocka_unit_test(a_udp_flow_lives_longer_once_it_is_answered),
      cmocka_unit_test(refresh_counts_the_direction_it_is_told),
      cmocka_unit_test(strangers_do_not_keep_a_mapping_with_outbound_refresh),
      cmocka_unit_test(a_tcp_flow_has_three_lives),
      cmocka_unit_test(a_closed_flow_does_not_live_on),
      cmocka_unit_test(the_own_reset_ends_an_unanswered_flow),
      cmocka_unit_test(a_stray_segment_opens_no_flow_through_an_open_filter),
      cmocka_unit_test(unsolicited_drop),
      cmocka_unit_test(unsolicited_rst),
      cmocka_unit_test(unsolicited_icmp),
      cmocka_unit_test(unsolicited_syn_is_held_for_six_seconds),
      cmocka_unit_test(an_outbound_syn_makes_a_held_one_be_forgotten),
      cmocka_unit_test(held_syns_are_bounded),
      cmocka_unit_test(a_packet_that_the_router_takes_poisons_the_port),
      cmocka_unit_test(a_reset_closes_the_own_hole_or_does_not),
      cmocka_unit_test(strict_tracking_drops_the_listener_that_answers_for_a_dead_socket),
      cmocka_unit_test(simultaneous_open_passes_the_box),
      cmocka_unit_test(a_connection_survives_a_reboot_if_ports_are_preserved_and_segments_adopted),
      cmocka_unit_test(hairpin_off_and_external),
      cmocka_unit_test(a_refused_hairpin_is_answered_inside),
      cmocka_unit_test(icmp_errors_follow_their_flow),
      cmocka_unit_test(a_firewall_filters_and_translates_nothing),
      cmocka_unit_test(a_router_passes_everything),
      cmocka_unit_test(what_is_not_for_the_outer_address_is_discarded),
      cmocka_unit_test(reboot_forgets_and_renumber_changes_the_address),
      cmocka_unit_test(sessions_are_limited),
  };
  return cmocka_run_group_tests_name("natbox/natbox", tests, NULL, NULL);
}
