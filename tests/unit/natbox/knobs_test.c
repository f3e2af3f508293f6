/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "unit/natbox/pieces.h"

/* What the knobs beyond mapping, filtering and TCP do. */

static thirl_addr pooled(uint8_t last, uint16_t port) {
  return thirl_addr_v4(192, 0, 2, last, port);
}

/* --- times ------------------------------------------------------------------------------------------------------------------------ */

static void a_port_at_rest_is_given_to_nobody_else(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
  c.udp.hold_down = 120 * THIRL_S;
  c.udp.collision = THIRL_NATBOX_COLLIDE_NEXT;
  thirl_natbox *box = box_of(&c);
  assert_addr(out_udp(box, 0, inner(1, 5000), remote(1, 80)), outer(5000)); /* up to 30 s */
  assert_addr(out_udp(box, 31 * THIRL_S, inner(2, 5000), remote(1, 80)), outer(5001));
  assert_addr(out_udp(box, 31 * THIRL_S, inner(1, 5000), remote(1, 80)), outer(5000)); /* its last owner; up to 61 s */
  assert_addr(out_udp(box, 62 * THIRL_S, inner(3, 5000), remote(1, 80)), outer(5002)); /* 5000 rests from 62 s on */
  assert_addr(out_udp(box, 182 * THIRL_S - 1, inner(4, 5000), remote(1, 80)), outer(5003));
  assert_addr(out_udp(box, 182 * THIRL_S, inner(5, 5000), remote(1, 80)), outer(5000));
  thirl_natbox_reboot(box);
  assert_addr(out_udp(box, 183 * THIRL_S, inner(6, 5000), remote(1, 80)), outer(5000));
  thirl_natbox_free(box);
}

static void a_mapping_may_outlive_its_flows(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
  c.udp.allocation = THIRL_NATBOX_SEQUENTIAL;
  c.udp.map_timeout = 100 * THIRL_S;
  thirl_natbox *box = box_of(&c);
  thirl_addr first = out_udp(box, 0, inner(1, 5000), remote(1, 80));
  assert_nobody(in_udp(box, 31 * THIRL_S, remote(1, 80), first)); /* the flow, and with it the filter's hole, is gone */
  assert_int_equal(thirl_natbox_count_sessions(box, 31 * THIRL_S), 0);
  assert_int_equal(thirl_natbox_count_bindings(box, 31 * THIRL_S), 1);
  assert_addr(out_udp(box, 99 * THIRL_S, inner(1, 5000), remote(2, 80)), first);
  assert_int_equal(thirl_natbox_count_bindings(box, 199 * THIRL_S - 1), 1);
  assert_int_equal(thirl_natbox_count_bindings(box, 199 * THIRL_S), 0);
  assert_addr(out_udp(box, 199 * THIRL_S, inner(1, 5000), remote(2, 80)), outer((uint16_t)(first.port + 1)));
  thirl_natbox_free(box);
}

static void a_mapping_with_flows_does_not_end_before_them(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
  c.udp.map_timeout = 5 * THIRL_S;
  thirl_natbox *box = box_of(&c);
  out_udp(box, 0, inner(1, 5000), remote(1, 80));
  assert_addr(in_udp(box, 30 * THIRL_S - 1, remote(1, 80), outer(5000)), inner(1, 5000));
  thirl_natbox_free(box);
}

static void only_the_refreshing_direction_lengthens_a_mapping(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
  c.udp.map_timeout = 10 * THIRL_S;
  c.udp.new_timeout = c.udp.open_timeout = THIRL_S;
  c.udp.refresh = THIRL_NATBOX_REFRESH_OUT;
  thirl_natbox *box = box_of(&c);
  out_udp(box, 0, inner(1, 5000), remote(1, 80));
  assert_addr(in_udp(box, 9 * THIRL_S, remote(9, 80), outer(5000)), inner(1, 5000));
  assert_nobody(in_udp(box, 10 * THIRL_S, remote(9, 80), outer(5000)));
  thirl_natbox_free(box);
}

/* --- pools and limits --------------------------------------------------------------------------------------------------------------- */

static thirl_natbox *box_with_pool(thirl_natbox_pooling pooling) {
  thirl_natbox_config c = config_of(THIRL_NATBOX_APDM, THIRL_NATBOX_APDF);
  c.udp.allocation = THIRL_NATBOX_RANDOM;
  c.pooling = pooling;
  c.hairpin = THIRL_NATBOX_HAIRPIN_EXTERNAL;
  c.pool[c.n_pool++] = pooled(2, 0);
  c.pool[c.n_pool++] = pooled(3, 0);
  return box_of(&c);
}

static void a_paired_pool_gives_each_host_one_address(void **state) {
  (void)state;
  thirl_natbox *box = box_with_pool(THIRL_NATBOX_PAIRED);
  for (uint8_t host = 1; host <= 6; host++)
    for (uint16_t to = 80; to < 90; to++) {
      thirl_addr got = out_udp(box, 1, inner(host, (uint16_t)(5000 + to)), remote(1, to));
      assert_addr(thirl_addr_with_port(got, 0), pooled((uint8_t)(1 + (host - 1) % 3), 0));
    }
  thirl_natbox_free(box);
}

static void an_arbitrary_pool_gives_any(void **state) {
  (void)state;
  thirl_natbox *box = box_with_pool(THIRL_NATBOX_ARBITRARY);
  unsigned seen[4] = {0};
  for (uint16_t to = 80; to < 140; to++) {
    thirl_addr got = out_udp(box, 1, inner(1, 5000), remote(1, to));
    assert_in_range(got.ip[3], 1, 3);
    seen[got.ip[3]]++;
    assert_addr(in_udp(box, 1, remote(1, to), got), inner(1, 5000));
  }
  for (int i = 1; i <= 3; i++)
    assert_in_range(seen[i], 8, 40);
  thirl_natbox_free(box);
}

static void the_whole_pool_is_the_boxs_own(void **state) {
  (void)state;
  thirl_natbox *box = box_with_pool(THIRL_NATBOX_PAIRED);
  out_udp(box, 1, inner(1, 5000), remote(1, 80));
  thirl_addr second = out_udp(box, 1, inner(2, 5000), remote(1, 80));
  assert_int_equal(second.ip[3], 2);
  thirl_natbox_packet p = udp(inner(1, 5001), second), stranger = udp(remote(1, 80), pooled(4, second.port));
  assert_int_equal(thirl_natbox_outbound(box, 2, &p), THIRL_NATBOX_DISCARD); /* a hairpin, and APDF says no */
  assert_int_equal(thirl_natbox_count(box).unsolicited, 1);
  assert_int_equal(thirl_natbox_inbound(box, 2, &stranger), THIRL_NATBOX_DISCARD);
  thirl_natbox_free(box);
}

static void a_host_has_no_more_ports_than_its_limit(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
  c.udp.max_ports = 3;
  thirl_natbox *box = box_of(&c);
  for (uint16_t i = 0; i < 3; i++)
    assert_addr(out_udp(box, i, inner(1, (uint16_t)(5000 + i)), remote(1, 80)), outer((uint16_t)(5000 + i)));
  assert_nobody(out_udp(box, 3, inner(1, 5003), remote(1, 80)));
  assert_int_equal(thirl_natbox_count(box).limited, 1);
  assert_addr(out_udp(box, 3, inner(1, 5002), remote(2, 80)), outer(5002)); /* no new port */
  assert_addr(out_udp(box, 3, inner(2, 6000), remote(1, 80)), outer(6000)); /* another host */
  thirl_natbox_packet syn = tcp(inner(1, 5003), remote(1, 80), SYN, 1, 0);
  assert_int_equal(out_tcp(box, 3, syn), THIRL_NATBOX_PASS);                           /* another protocol */
  assert_addr(out_udp(box, 30 * THIRL_S, inner(1, 5003), remote(1, 80)), outer(5003)); /* the first is gone */
  thirl_natbox_free(box);
}

static void blocks_of_paired_hosts_fill_each_address(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
  c.udp.allocation = THIRL_NATBOX_BLOCK;
  c.udp.port_lo = 2000, c.udp.port_hi = 2019, c.udp.block = 10;
  c.pool[c.n_pool++] = pooled(2, 0);
  thirl_natbox *box = box_of(&c);
  for (uint8_t host = 1; host <= 4; host++) {
    thirl_addr got = out_udp(box, 1, inner(host, 5000), remote(1, 80));
    assert_int_equal(got.ip[3], 1 + (host - 1) % 2);
    assert_int_equal(got.port / 10, 200 + (host - 1) / 2);
  }
  for (uint16_t i = 1; i < 10; i++)
    assert_int_equal(out_udp(box, 1, inner(1, (uint16_t)(5000 + i)), remote(1, 80)).port / 10, 200);
  assert_nobody(out_udp(box, 1, inner(1, 5010), remote(1, 80))); /* the block is full, the other block is free */
  thirl_natbox_free(box);
}

/* --- the firewall's rules ----------------------------------------------------------------------------------------------------------- */

static void a_blocked_protocol_goes_nowhere(void **state) {
  (void)state;
  static const thirl_natbox_mode modes[] = {THIRL_NATBOX_TRANSLATE, THIRL_NATBOX_FIREWALL, THIRL_NATBOX_ROUTE};
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
    thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
    c.mode = modes[i];
    c.udp.only_allowed = true;
    thirl_natbox *box = box_of(&c);
    assert_nobody(out_udp(box, 1, inner(1, 5000), remote(1, 80)));
    assert_nobody(in_udp(box, 1, remote(1, 80), modes[i] == THIRL_NATBOX_TRANSLATE ? outer(5000) : inner(1, 5000)));
    assert_int_equal(thirl_natbox_count(box).refused, 2);
    assert_int_equal(out_tcp(box, 1, tcp(inner(1, 5000), remote(1, 80), SYN, 1, 0)), THIRL_NATBOX_PASS);
    assert_int_equal(thirl_natbox_count_sessions(box, 1), modes[i] == THIRL_NATBOX_ROUTE ? 0 : 1);
    thirl_natbox_free(box);
  }
}

static void only_allowed_ports_are_reached(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
  c.udp.only_allowed = true;
  c.udp.allow[c.udp.n_allow++] = 53;
  c.udp.allow[c.udp.n_allow++] = 443;
  thirl_natbox *box = box_of(&c);
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(1, 53)), outer(5000));
  assert_addr(out_udp(box, 1, inner(1, 5000), remote(1, 443)), outer(5000));
  assert_nobody(out_udp(box, 1, inner(1, 5000), remote(1, 3478)));
  assert_addr(in_udp(box, 1, remote(2, 443), outer(5000)), inner(1, 5000)); /* EIF */
  assert_nobody(in_udp(box, 1, remote(2, 444), outer(5000)));
  thirl_natbox_free(box);
}

static void a_refusal_is_silent_icmp_or_a_reset(void **state) {
  (void)state;
  static const thirl_natbox_refusal how[] = {THIRL_NATBOX_REFUSE_SILENTLY, THIRL_NATBOX_REFUSE_ICMP,
                                             THIRL_NATBOX_REFUSE_RST};
  for (size_t i = 0; i < 3; i++) {
    thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
    c.udp.only_allowed = c.tcp.only_allowed = true;
    c.udp.refusal = c.tcp.refusal = how[i];
    thirl_natbox *box = box_of(&c);
    thirl_natbox_packet syn = tcp(inner(1, 5000), remote(1, 80), SYN, 41, 0), p = syn, d = udp(syn.src, syn.dst), q = d;
    thirl_natbox_verdict v = thirl_natbox_outbound(box, 1, &p), w = thirl_natbox_outbound(box, 1, &q);
    assert_int_equal(v, i == 0 ? THIRL_NATBOX_DISCARD : THIRL_NATBOX_REPLY);
    assert_int_equal(w, i == 1 ? THIRL_NATBOX_REPLY : THIRL_NATBOX_DISCARD);
    if (i == 1) {
      thirl_natbox_packet about = thirl_natbox_packet_icmp_for(&syn, THIRL_NATBOX_PORT_UNREACHABLE, syn.dst);
      thirl_natbox_packet about_datagram = thirl_natbox_packet_icmp_for(&d, THIRL_NATBOX_PORT_UNREACHABLE, d.dst);
      assert_packet(&p, &about);
      assert_packet(&q, &about_datagram);
    }
    if (i == 2) {
      thirl_natbox_packet rst = tcp(remote(1, 80), inner(1, 5000), RST | ACK, 0, 42);
      assert_packet(&p, &rst);
    }
    thirl_natbox_free(box);
  }
}

/* --- ping --------------------------------------------------------------------------------------------------------------------------- */

static thirl_natbox_packet ping(thirl_addr src, thirl_addr dst) {
  return (thirl_natbox_packet){.protocol = THIRL_NATBOX_ECHO, .ttl = 64, .src = src, .dst = dst};
}

static void a_ping_and_its_answer_pass(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_APDF);
  thirl_natbox *box = box_of(&c);
  thirl_natbox_packet a = ping(inner(1, 3000), remote(1, 0)), b = ping(inner(2, 3000), remote(1, 0));
  assert_int_equal(thirl_natbox_outbound(box, 1, &a), THIRL_NATBOX_PASS);
  assert_int_equal(thirl_natbox_outbound(box, 1, &b), THIRL_NATBOX_PASS);
  assert_addr(a.src, outer(3000));
  assert_int_not_equal(b.src.port, 3000);
  thirl_natbox_packet answer = ping(remote(1, 0), b.src), stranger = ping(remote(2, 0), b.src);
  assert_int_equal(thirl_natbox_inbound(box, 2, &answer), THIRL_NATBOX_PASS);
  assert_addr(answer.dst, inner(2, 3000));
  assert_int_equal(thirl_natbox_inbound(box, 2, &stranger), THIRL_NATBOX_DISCARD);
  thirl_natbox_packet expired = thirl_natbox_packet_icmp_for(&a, THIRL_NATBOX_TIME_EXCEEDED, remote(7, 0));
  assert_int_equal(thirl_natbox_inbound(box, 2, &expired), THIRL_NATBOX_PASS);
  assert_addr(expired.dst, inner(1, 0));
  assert_addr(expired.inner.src, inner(1, 3000));
  thirl_natbox_free(box);
}

static void a_ping_from_outside_is_not_answered_here(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
  c.udp.unsolicited = THIRL_NATBOX_ICMP_BACK;
  thirl_natbox *box = box_of(&c);
  thirl_natbox_packet p = ping(remote(1, 9), outer(0));
  assert_int_equal(thirl_natbox_inbound(box, 1, &p), THIRL_NATBOX_DISCARD);
  c.without_echo = true;
  thirl_natbox_configure(box, &c);
  p = ping(inner(1, 9), remote(1, 0));
  assert_int_equal(thirl_natbox_outbound(box, 1, &p), THIRL_NATBOX_DISCARD);
  assert_int_equal(thirl_natbox_count(box).refused, 1);
  thirl_natbox_free(box);
}

/* --- hairpin, prefixes ---------------------------------------------------------------------------------------------------------------- */

static void an_internal_hairpin_shows_the_inner_source(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_ADF);
  c.hairpin = THIRL_NATBOX_HAIRPIN_INTERNAL;
  thirl_natbox *box = box_of(&c);
  out_udp(box, 1, inner(2, 6000), remote(1, 80));
  thirl_natbox_packet p = udp(inner(1, 5000), outer(6000));
  assert_int_equal(thirl_natbox_outbound(box, 2, &p), THIRL_NATBOX_DISCARD); /* the filter has its say */
  p = udp(inner(2, 6000), outer(5000));
  assert_int_equal(thirl_natbox_outbound(box, 2, &p), THIRL_NATBOX_HAIRPIN);
  assert_addr(p.src, inner(2, 6000));
  assert_addr(p.dst, inner(1, 5000));
  p = udp(inner(1, 5000), outer(6000));
  assert_int_equal(thirl_natbox_outbound(box, 3, &p), THIRL_NATBOX_HAIRPIN);
  assert_addr(p.src, inner(1, 5000));
  assert_addr(p.dst, inner(2, 6000));
  thirl_natbox_free(box);
}

static thirl_addr v6(const char *text) {
  thirl_addr a;
  assert_int_equal(thirl_addr_parse(text, &a), THIRL_OK);
  return a;
}

static void a_prefix_is_changed_both_ways_without_state(void **state) {
  (void)state;
  thirl_natbox_config c;
  assert_int_equal(thirl_natbox_config_preset("nptv6", v6("2001:db8:1::"), &c), THIRL_OK);
  c.inner_prefix = v6("fd01:203:405::");
  c.prefix_bits = 48;
  thirl_natbox *box = box_of(&c);
  const thirl_addr in = v6("[fd01:203:405:1::1234]:5"), out = v6("[2001:db8:1:d550::1234]:5"),
                   far = v6("[2001:db8:9::1]:80");
  thirl_natbox_packet p = udp(far, out);
  assert_int_equal(thirl_natbox_inbound(box, 1, &p), THIRL_NATBOX_PASS); /* nobody has sent anything */
  assert_addr(p.dst, in);
  p = udp(in, far);
  assert_int_equal(thirl_natbox_outbound(box, 1, &p), THIRL_NATBOX_PASS);
  assert_addr(p.src, out);
  assert_addr(p.dst, far);
  thirl_natbox_packet about = thirl_natbox_packet_icmp_for(&p, THIRL_NATBOX_TIME_EXCEEDED, v6("2001:db8:7::1"));
  assert_int_equal(thirl_natbox_inbound(box, 1, &about), THIRL_NATBOX_PASS);
  assert_addr(about.dst, thirl_addr_with_port(in, 0));
  assert_addr(about.inner.src, in);
  p = udp(v6("[fd01:203:405:2::1]:6"), out);
  assert_int_equal(thirl_natbox_outbound(box, 1, &p), THIRL_NATBOX_HAIRPIN);
  assert_addr(p.dst, in);
  assert_int_equal(p.src.ip[0], 0x20);
  assert_int_equal(thirl_natbox_count_sessions(box, 1), 0);
  thirl_natbox_free(box);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_port_at_rest_is_given_to_nobody_else),
      cmocka_unit_test(a_mapping_may_outlive_its_flows),
      cmocka_unit_test(a_mapping_with_flows_does_not_end_before_them),
      cmocka_unit_test(only_the_refreshing_direction_lengthens_a_mapping),
      cmocka_unit_test(a_paired_pool_gives_each_host_one_address),
      cmocka_unit_test(an_arbitrary_pool_gives_any),
      cmocka_unit_test(the_whole_pool_is_the_boxs_own),
      cmocka_unit_test(a_host_has_no_more_ports_than_its_limit),
      cmocka_unit_test(blocks_of_paired_hosts_fill_each_address),
      cmocka_unit_test(a_blocked_protocol_goes_nowhere),
      cmocka_unit_test(only_allowed_ports_are_reached),
      cmocka_unit_test(a_refusal_is_silent_icmp_or_a_reset),
      cmocka_unit_test(a_ping_and_its_answer_pass),
      cmocka_unit_test(a_ping_from_outside_is_not_answered_here),
      cmocka_unit_test(an_internal_hairpin_shows_the_inner_source),
      cmocka_unit_test(a_prefix_is_changed_both_ways_without_state),
  };
  return cmocka_run_group_tests_name("natbox/knobs", tests, NULL, NULL);
}
