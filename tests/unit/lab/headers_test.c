/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lab/frame/headers.h"
#include "rig.h"

enum { TCP = 6, ROOM = 400 };

static size_t make(const char *from, const char *to, uint8_t protocol, uint8_t *frame) {
  uint8_t vnet[RIG_VNET];
  memset(frame, 0, ROOM);
  return rig_write(&(rig_send){.from = from, .to = to, .protocol = protocol, .payload = "hello"}, vnet, frame);
}

static void reads_both_families(void **state) {
  (void)state;
  uint8_t frame[ROOM];
  thirl_lab_headers h;
  char text[THIRL_ADDR_TEXT_MAX];
  size_t len = make("192.168.1.10:5000", "203.0.113.10:80", TCP, frame);
  assert_int_equal(thirl_lab_headers_read(frame, len + 3, &h), THIRL_LAB_HEADERS_OK); /* padding behind */
  assert_string_equal(thirl_addr_format(&h.src, text), "192.168.1.10:5000");
  assert_string_equal(thirl_addr_format(&h.dst, text), "203.0.113.10:80");
  assert_int_equal(h.protocol, TCP);
  assert_int_equal(h.ttl, 64);
  assert_int_equal(h.l4, 34);
  assert_int_equal(h.end, len);
  assert_true(h.has_ports && h.is_first && !h.is_fragment && !h.may_fragment);
  len = make("[2001:db8::1]:5000", "[2001:db8::2]:80", 17, frame);
  assert_int_equal(thirl_lab_headers_read(frame, len, &h), THIRL_LAB_HEADERS_OK);
  assert_string_equal(thirl_addr_format(&h.src, text), "[2001:db8::1]:5000");
  assert_int_equal(h.l4, 54);
  assert_true(h.has_ports);
}

/* Cut anywhere, a packet is malformed or has no ports, and nothing behind its end is read. */
static void every_length_is_checked(void **state) {
  (void)state;
  static const char *const ends[][2] = {{"192.168.1.10:5000", "203.0.113.10:80"},
                                        {"[2001:db8::1]:5000", "[2001:db8::2]:80"}};
  for (int family = 0; family < 2; family++) {
    uint8_t frame[ROOM];
    thirl_lab_headers h;
    size_t len = make(ends[family][0], ends[family][1], TCP, frame);
    for (size_t n = 0; n < len; n++) {
      uint8_t *exact = malloc(n ? n : 1);
      assert_non_null(exact);
      memcpy(exact, frame, n);
      assert_int_equal(thirl_lab_headers_read(exact, n, &h), THIRL_LAB_HEADERS_MALFORMED);
      if (n > 14) {
        thirl_lab_headers_verdict v = thirl_lab_headers_read_quoted(exact, 14, n, &h);
        size_t ip = family ? 40 : 20;
        assert_int_equal(v, n < 14 + ip ? THIRL_LAB_HEADERS_MALFORMED : THIRL_LAB_HEADERS_OK);
        if (v == THIRL_LAB_HEADERS_OK) assert_int_equal(h.has_ports, n >= 14 + ip + 8);
      }
      free(exact);
    }
  }
}

static void ipv6_extensions_are_followed(void **state) {
  (void)state;
  uint8_t frame[ROOM], *ip = frame + 14;
  thirl_lab_headers h;
  make("[2001:db8::1]:5000", "[2001:db8::2]:80", 17, frame);
  uint8_t udp[13];
  memcpy(udp, ip + 40, sizeof udp);
  /* hop by hop of 16 bytes, a fragment header (the first of several), destination options, UDP */
  static const uint8_t chain[] = {44, 1, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0,
                                  60, 0, 0, 1, 1, 2, 3, 4, 17, 0, 0, 0, 0, 0, 0, 0};
  ip[6] = 0;
  memcpy(ip + 40, chain, sizeof chain);
  memcpy(ip + 40 + sizeof chain, udp, sizeof udp);
  ip[5] = sizeof chain + sizeof udp;
  size_t len = 14 + 40 + sizeof chain + sizeof udp;
  assert_int_equal(thirl_lab_headers_read(frame, len, &h), THIRL_LAB_HEADERS_OK);
  assert_int_equal(h.protocol, 17);
  assert_int_equal(h.l4, 14 + 40 + 32);
  assert_true(h.is_fragment && h.is_first && h.has_ports);
  assert_int_equal(h.fragment_id, 0x01020304);
  ip[40 + 16 + 3] = 8; /* a later one: what follows is no header */
  assert_int_equal(thirl_lab_headers_read(frame, len, &h), THIRL_LAB_HEADERS_OK);
  assert_true(h.is_fragment && !h.is_first && !h.has_ports);
  assert_int_equal(h.protocol, 60);
  ip[41] = 200; /* longer than the packet */
  assert_int_equal(thirl_lab_headers_read(frame, len, &h), THIRL_LAB_HEADERS_MALFORMED);
  /* A chain without end. */
  memset(ip + 40, 0, 200);
  ip[5] = 200;
  assert_int_equal(thirl_lab_headers_read(frame, 14 + 40 + 200, &h), THIRL_LAB_HEADERS_MALFORMED);
}

static void ipv4_fragments_and_other_frames(void **state) {
  (void)state;
  uint8_t frame[ROOM], *ip = frame + 14;
  thirl_lab_headers h;
  size_t len = make("192.168.1.10:5000", "203.0.113.10:80", 17, frame);
  ip[6] = 0x20; /* more; the checksum of the header with it */
  ip[10] = ip[11] = 0;
  unsigned sum = 0;
  for (size_t i = 0; i < 20; i++)
    sum += i % 2 ? ip[i] : (unsigned)ip[i] << 8;
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  ip[10] = (uint8_t)(~sum >> 8);
  ip[11] = (uint8_t)~sum;
  assert_int_equal(thirl_lab_headers_read(frame, len, &h), THIRL_LAB_HEADERS_OK);
  assert_true(h.is_fragment && h.is_first && h.has_ports && h.may_fragment);
  assert_int_equal(h.fragment_id, 0x1234);
  frame[12] = 0x86;
  frame[13] = 0xdd; /* says IPv6 and is not */
  assert_int_equal(thirl_lab_headers_read(frame, len, &h), THIRL_LAB_HEADERS_MALFORMED);
  frame[12] = 0x81;
  frame[13] = 0;
  assert_int_equal(thirl_lab_headers_read(frame, len, &h), THIRL_LAB_HEADERS_NOT_IP);
}

static void groups_are_nobody(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool one;
  } cases[] = {{"192.0.2.1", true},        {"0.0.0.0", false},   {"224.0.0.1", false},
               {"255.255.255.255", false}, {"240.0.0.1", false}, {"2001:db8::1", true},
               {"fe80::1", true},          {"::", false},        {"ff02::1", false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    thirl_addr a;
    assert_int_equal(thirl_addr_parse(cases[i].text, &a), THIRL_OK);
    assert_int_equal(thirl_lab_headers_is_one_host(&a), cases[i].one);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_both_families),
      cmocka_unit_test(every_length_is_checked),
      cmocka_unit_test(ipv6_extensions_are_followed),
      cmocka_unit_test(ipv4_fragments_and_other_frames),
      cmocka_unit_test(groups_are_nobody),
  };
  return cmocka_run_group_tests_name("lab/headers", tests, NULL, NULL);
}
