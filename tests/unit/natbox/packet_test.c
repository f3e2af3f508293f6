/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/natbox/pieces.h"

static void sequence_numbers_wrap(void **state) {
  (void)state;
  assert_true(thirl_natbox_packet_seq_after(1, 0));
  assert_false(thirl_natbox_packet_seq_after(0, 0));
  assert_true(thirl_natbox_packet_seq_after(5, 0xfffffff0u));
  assert_false(thirl_natbox_packet_seq_after(0xfffffff0u, 5));
  thirl_natbox_packet p = tcp(inner(1, 1), remote(1, 1), SYN | FIN, 0xffffffffu, 0);
  p.payload = THIRL_BYTES("abc", 3);
  assert_int_equal(thirl_natbox_packet_seq_end(&p), 4);
}

static void only_a_pure_syn_opens(void **state) {
  (void)state;
  thirl_natbox_packet p = tcp(inner(1, 1), remote(1, 1), SYN, 1, 0);
  assert_true(thirl_natbox_packet_is_syn(&p));
  p.flags = SYN | ACK;
  assert_false(thirl_natbox_packet_is_syn(&p));
  p.flags = SYN | RST;
  assert_false(thirl_natbox_packet_is_syn(&p));
  p = udp(inner(1, 1), remote(1, 1));
  p.flags = SYN;
  assert_false(thirl_natbox_packet_is_syn(&p));
}

/* RFC 9293 section 3.5.2, group 1. */
static void rst_answers_as_a_closed_port(void **state) {
  (void)state;
  thirl_natbox_packet syn = tcp(remote(1, 7), outer(5), SYN, 1000, 0);
  thirl_natbox_packet rst = thirl_natbox_packet_rst_for(&syn), want = tcp(outer(5), remote(1, 7), RST | ACK, 0, 1001);
  assert_packet(&rst, &want);
  thirl_natbox_packet ack = tcp(remote(1, 7), outer(5), ACK, 1000, 777);
  ack.payload = THIRL_BYTES("abc", 3);
  rst = thirl_natbox_packet_rst_for(&ack);
  want = tcp(outer(5), remote(1, 7), RST, 777, 0);
  assert_packet(&rst, &want);
}

static void icmp_carries_the_packet_it_is_about(void **state) {
  (void)state;
  thirl_natbox_packet syn = tcp(remote(1, 7), outer(5), SYN, 1000, 0);
  thirl_natbox_packet p = thirl_natbox_packet_icmp_for(&syn, THIRL_NATBOX_TIME_EXCEEDED, remote(99, 9));
  thirl_natbox_packet want = {
      .protocol = THIRL_NATBOX_ICMP,
      .icmp = THIRL_NATBOX_TIME_EXCEEDED,
      .ttl = 64,
      .src = remote(99, 0),
      .dst = remote(1, 0),
      .inner = {.protocol = THIRL_NATBOX_TCP, .src = remote(1, 7), .dst = outer(5), .seq = 1000}};
  assert_packet(&p, &want);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sequence_numbers_wrap),
      cmocka_unit_test(only_a_pure_syn_opens),
      cmocka_unit_test(rst_answers_as_a_closed_port),
      cmocka_unit_test(icmp_carries_the_packet_it_is_about),
  };
  return cmocka_run_group_tests_name("natbox/packet", tests, NULL, NULL);
}
