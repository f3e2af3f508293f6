/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lab/frame/wire.h"

/* An IPv4 header whose checksum is right, behind an Ethernet header. */
static void make(uint8_t *frame, uint8_t ttl) {
  uint8_t *ip = frame + THIRL_LAB_ETH_LEN;
  memset(frame, 0, THIRL_LAB_ETH_LEN + 20);
  thirl_lab_wire_put16(frame + THIRL_LAB_ETH_TYPE, THIRL_LAB_TYPE_IPV4);
  ip[0] = 0x45;
  ip[THIRL_LAB_IP_TTL] = ttl;
  thirl_lab_wire_put32(ip + THIRL_LAB_IP_SOURCE, 0xc0a8010a);
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_CHECKSUM, thirl_lab_wire_checksum(ip, 20, 0));
}

static void ttl_counts_down_and_the_checksum_follows(void **state) {
  (void)state;
  uint8_t frame[THIRL_LAB_ETH_LEN + 20];
  make(frame, 255);
  for (unsigned ttl = 254; ttl >= 1; ttl--) {
    assert_true(thirl_lab_wire_ttl_decrease(frame));
    assert_int_equal(frame[THIRL_LAB_ETH_LEN + THIRL_LAB_IP_TTL], ttl);
    assert_int_equal(thirl_lab_wire_checksum(frame + THIRL_LAB_ETH_LEN, 20, 0), 0);
  }
  assert_false(thirl_lab_wire_ttl_decrease(frame));
  assert_int_equal(frame[THIRL_LAB_ETH_LEN + THIRL_LAB_IP_TTL], 1);
}

static void checksum_of_rfc_1071(void **state) {
  (void)state;
  static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  assert_int_equal(thirl_lab_wire_checksum(example, sizeof example, 0), 0xffff & ~0xddf2);
  assert_int_equal(thirl_lab_wire_checksum(example, 4, 0xf4f5 + 0xf6f7), 0xffff & ~0xddf2);
}

static void knows_an_ip_header(void **state) {
  (void)state;
  uint8_t frame[THIRL_LAB_ETH_LEN + 20];
  make(frame, 64);
  assert_int_equal(thirl_lab_wire_ip_header_len(frame, sizeof frame), 20);
  assert_int_equal(thirl_lab_wire_ip_header_len(frame, sizeof frame - 1), 0);
  frame[THIRL_LAB_ETH_LEN] = 0x46;
  assert_int_equal(thirl_lab_wire_ip_header_len(frame, sizeof frame), 0);
  frame[THIRL_LAB_ETH_LEN] = 0x44;
  assert_int_equal(thirl_lab_wire_ip_header_len(frame, sizeof frame), 0);
  frame[THIRL_LAB_ETH_LEN] = 0x45;
  thirl_lab_wire_put16(frame + THIRL_LAB_ETH_TYPE, THIRL_LAB_TYPE_ARP);
  assert_int_equal(thirl_lab_wire_ip_header_len(frame, sizeof frame), 0);
}

static void arp_there_and_back(void **state) {
  (void)state;
  static const uint8_t host[6] = {2, 0, 0, 0, 0, 1};
  uint8_t frame[THIRL_LAB_ARP_FRAME_LEN];
  thirl_lab_arp a = {.is_request = true, .sender_mac = {2, 0, 0, 0, 0, 9}, .sender = 0xcb00710a, .target = 0xcb007101},
                b;
  thirl_lab_wire_arp_encode(&a, NULL, frame);
  assert_int_equal(frame[0] & frame[5], 0xff);
  assert_true(thirl_lab_wire_arp_decode(frame, sizeof frame, &b));
  assert_true(b.is_request);
  assert_memory_equal(b.sender_mac, a.sender_mac, 6);
  assert_int_equal(b.sender, 0xcb00710a);
  assert_int_equal(b.target, 0xcb007101);
  a.is_request = false;
  thirl_lab_wire_arp_encode(&a, host, frame);
  assert_memory_equal(frame, host, 6);
  assert_true(thirl_lab_wire_arp_decode(frame, sizeof frame, &b));
  assert_false(b.is_request);
  assert_false(thirl_lab_wire_arp_decode(frame, sizeof frame - 1, &b));
  frame[THIRL_LAB_ETH_LEN + 5] = 16; /* addresses of another length */
  assert_false(thirl_lab_wire_arp_decode(frame, sizeof frame, &b));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ttl_counts_down_and_the_checksum_follows),
      cmocka_unit_test(checksum_of_rfc_1071),
      cmocka_unit_test(knows_an_ip_header),
      cmocka_unit_test(arp_there_and_back),
  };
  return cmocka_run_group_tests_name("lab/wire", tests, NULL, NULL);
}
