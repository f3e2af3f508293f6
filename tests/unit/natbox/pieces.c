/* SPDX-License-Identifier: MIT */
#include "unit/natbox/pieces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

thirl_addr inner(uint8_t host, uint16_t port) {
  return thirl_addr_v4(10, 0, 0, host, port);
}

thirl_addr outer(uint16_t port) {
  return thirl_addr_v4(192, 0, 2, 1, port);
}

thirl_addr remote(uint8_t host, uint16_t port) {
  return thirl_addr_v4(203, 0, 113, host, port);
}

thirl_natbox_packet udp(thirl_addr src, thirl_addr dst) {
  return (thirl_natbox_packet){
      .protocol = THIRL_NATBOX_UDP, .ttl = 64, .src = src, .dst = dst, .payload = THIRL_BYTES("x", 1)};
}

thirl_natbox_packet tcp(thirl_addr src, thirl_addr dst, uint8_t flags, uint32_t seq, uint32_t ack) {
  return (thirl_natbox_packet){
      .protocol = THIRL_NATBOX_TCP, .flags = flags, .ttl = 64, .src = src, .dst = dst, .seq = seq, .ack = ack};
}

thirl_natbox_config config_of(thirl_natbox_mapping mapping, thirl_natbox_filtering filtering) {
  thirl_natbox_config c = thirl_natbox_config_of(mapping, filtering, outer(0));
  c.udp.allocation = c.tcp.allocation = THIRL_NATBOX_PRESERVE;
  return c;
}

thirl_natbox *box_of(const thirl_natbox_config *config) {
  thirl_natbox *box = thirl_natbox_new(config, 42);
  assert_non_null(box);
  return box;
}

thirl_addr out_udp(thirl_natbox *box, thirl_time now, thirl_addr src, thirl_addr dst) {
  thirl_natbox_packet p = udp(src, dst);
  if (thirl_natbox_outbound(box, now, &p) != THIRL_NATBOX_PASS) return (thirl_addr){0};
  assert_addr(p.dst, dst);
  assert_int_equal(p.payload.n, 1);
  return p.src;
}

thirl_addr in_udp(thirl_natbox *box, thirl_time now, thirl_addr src, thirl_addr dst) {
  thirl_natbox_packet p = udp(src, dst);
  return thirl_natbox_inbound(box, now, &p) == THIRL_NATBOX_PASS ? p.dst : (thirl_addr){0};
}

thirl_natbox_verdict out_tcp(thirl_natbox *box, thirl_time now, thirl_natbox_packet p) {
  return thirl_natbox_outbound(box, now, &p);
}

thirl_natbox_verdict in_tcp(thirl_natbox *box, thirl_time now, thirl_natbox_packet p) {
  return thirl_natbox_inbound(box, now, &p);
}

void expect_addr(thirl_addr is, thirl_addr want, const char *file, int line) {
  char a[THIRL_ADDR_TEXT_MAX], b[THIRL_ADDR_TEXT_MAX];
  if (thirl_addr_equal(&is, &want)) return;
  print_error("%s is not %s\n", thirl_addr_format(&is, a), thirl_addr_format(&want, b));
  _fail(file, line);
}

void expect_packet(const thirl_natbox_packet *is, const thirl_natbox_packet *want, const char *file, int line) {
  _assert_int_equal(is->protocol, want->protocol, file, line);
  _assert_int_equal(is->flags, want->flags, file, line);
  _assert_int_equal(is->icmp, want->icmp, file, line);
  _assert_int_equal(is->ttl, want->ttl, file, line);
  expect_addr(is->src, want->src, file, line);
  expect_addr(is->dst, want->dst, file, line);
  _assert_int_equal(is->seq, want->seq, file, line);
  _assert_int_equal(is->ack, want->ack, file, line);
  _assert_int_equal(is->payload.n, want->payload.n, file, line);
  _assert_int_equal(is->inner.protocol, want->inner.protocol, file, line);
  expect_addr(is->inner.src, want->inner.src, file, line);
  expect_addr(is->inner.dst, want->inner.dst, file, line);
  _assert_int_equal(is->inner.seq, want->inner.seq, file, line);
}
