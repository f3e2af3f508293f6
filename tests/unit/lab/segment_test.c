/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/virtio_net.h>

#include "lab/frame/segment.h"
#include "lab/frame/wire.h"
#include "rig.h"

enum { IP = THIRL_LAB_ETH_LEN, TCP = IP + 20, HEADERS = TCP + 32, PAYLOAD = 2500, SIZE = 1000 };

/* A TCP packet of 2500 bytes with options, CWR, PSH and FIN, as Linux hands it to a card. */
static size_t make(uint8_t *vnet, uint8_t *frame) {
  struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                             .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                             .hdr_len = HEADERS,
                             .gso_size = SIZE,
                             .csum_start = TCP,
                             .csum_offset = 16};
  memcpy(vnet, &h, sizeof h);
  memset(frame, 0, HEADERS);
  thirl_lab_wire_put16(frame + THIRL_LAB_ETH_TYPE, THIRL_LAB_TYPE_IPV4);
  frame[IP] = 0x45;
  thirl_lab_wire_put16(frame + IP + THIRL_LAB_IP_TOTAL_LEN, HEADERS - IP + PAYLOAD);
  thirl_lab_wire_put16(frame + IP + THIRL_LAB_IP_ID, 0xffff);
  frame[IP + THIRL_LAB_IP_TTL] = 64;
  frame[IP + THIRL_LAB_IP_PROTOCOL] = THIRL_LAB_PROTOCOL_TCP;
  thirl_lab_wire_put32(frame + IP + THIRL_LAB_IP_SOURCE, 0xcb007101);
  thirl_lab_wire_put32(frame + IP + THIRL_LAB_IP_DESTINATION, 0xcb007102);
  thirl_lab_wire_put32(frame + TCP + 4, 0xfffffff0);
  frame[TCP + 12] = 8 << 4;
  frame[TCP + 13] = 0x80 | 0x10 | 0x08 | 0x01;
  for (size_t i = 0; i < PAYLOAD; i++)
    frame[HEADERS + i] = (uint8_t)(i * 7);
  return HEADERS + PAYLOAD;
}

static void cuts_into_what_the_receiver_expects(void **state) {
  (void)state;
  static const struct {
    size_t at, n;
    uint16_t id;
    uint32_t sequence;
    uint8_t flags;
  } pieces[] = {{0, 1000, 0xffff, 0xfffffff0, 0x90}, {1000, 1000, 0, 0x3d8, 0x10}, {2000, 500, 1, 0x7c0, 0x19}};
  uint8_t vnet[THIRL_LAB_VNET_LEN], frame[HEADERS + PAYLOAD];
  size_t len = make(vnet, frame);
  thirl_lab_segment s;
  assert_true(thirl_lab_segment_is_large(vnet));
  assert_true(thirl_lab_segment_init(&s, vnet, frame, len));
  for (size_t i = 0; i < 3; i++) {
    thirl_lab_packet *p = thirl_lab_segment_next(&s);
    assert_non_null(p);
    assert_int_equal(p->len, HEADERS + pieces[i].n);
    assert_int_equal(thirl_lab_wire_get16(p->frame + IP + THIRL_LAB_IP_TOTAL_LEN), HEADERS - IP + pieces[i].n);
    assert_int_equal(thirl_lab_wire_get16(p->frame + IP + THIRL_LAB_IP_ID), pieces[i].id);
    assert_int_equal(thirl_lab_wire_checksum(p->frame + IP, 20, 0), 0);
    assert_int_equal(thirl_lab_wire_get32(p->frame + TCP + 4), pieces[i].sequence);
    assert_int_equal(p->frame[TCP + 13], pieces[i].flags);
    /* cb00 + 7101 + cb00 + 7102 + 6 + length, carries added */
    assert_int_equal(thirl_lab_wire_get16(p->frame + TCP + 16), 0x7803 + 2 + 6 + 32 + pieces[i].n);
    assert_memory_equal(p->frame + HEADERS, frame + HEADERS + pieces[i].at, pieces[i].n);
    struct virtio_net_hdr h;
    memcpy(&h, p->vnet, sizeof h);
    assert_int_equal(h.gso_type, VIRTIO_NET_HDR_GSO_NONE);
    assert_int_equal(h.gso_size, 0);
    assert_int_equal(h.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    assert_int_equal(h.csum_start, TCP);
    free(p);
  }
  assert_null(thirl_lab_segment_next(&s));
}

static void refuses_what_it_cannot_cut(void **state) {
  (void)state;
  uint8_t vnet[THIRL_LAB_VNET_LEN], frame[HEADERS + PAYLOAD];
  size_t len = make(vnet, frame);
  thirl_lab_segment s;
  assert_false(thirl_lab_segment_init(&s, vnet, frame, HEADERS));
  assert_false(thirl_lab_segment_init(&s, vnet, frame, TCP + 10));
  assert_false(thirl_lab_segment_init(&s, vnet, frame, 20));
  frame[TCP + 12] = 4 << 4; /* a TCP header of 16 bytes */
  assert_false(thirl_lab_segment_init(&s, vnet, frame, len));
  make(vnet, frame);
  frame[IP + THIRL_LAB_IP_PROTOCOL] = 17;
  assert_false(thirl_lab_segment_init(&s, vnet, frame, len));
  make(vnet, frame);
  frame[IP] = 0x65;
  assert_false(thirl_lab_segment_init(&s, vnet, frame, len));
  memset(vnet, 0, sizeof vnet);
  assert_false(thirl_lab_segment_is_large(vnet));
  frame[IP] = 0x45;
  assert_false(thirl_lab_segment_init(&s, vnet, frame, len));
}

/* Each piece is a whole packet, with its part of the payload and a right checksum. */
static void cut_like(const rig_send *s, size_t headers) {
  static uint8_t frame[RIG_FRAME_MAX];
  uint8_t vnet[RIG_VNET];
  size_t len = rig_write(s, vnet, frame), at = 0;
  thirl_lab_segment cut;
  assert_true(thirl_lab_segment_init(&cut, vnet, frame, len));
  assert_int_equal(thirl_lab_segment_longest(&cut), headers + s->gso);
  for (thirl_lab_packet *p; (p = thirl_lab_segment_next(&cut)); free(p)) {
    assert_true(rig_is_sound(p->vnet, p->frame, p->len));
    assert_memory_equal(p->frame + headers, frame + headers + at, p->len - headers);
    at += p->len - headers;
    assert_true(p->len == headers + s->gso || at == s->payload_len);
  }
  assert_int_equal(at, s->payload_len);
}

static void cuts_all_that_kernels_bundle(void **state) {
  (void)state;
  cut_like(&(rig_send){.from = "192.0.2.1:1", .to = "192.0.2.2:2", .protocol = 6, .payload_len = 5001, .gso = 1000},
           54);
  cut_like(
      &(rig_send){.from = "[2001:db8::1]:1", .to = "[2001:db8::2]:2", .protocol = 6, .payload_len = 5000, .gso = 999},
      74);
  cut_like(&(rig_send){.from = "192.0.2.1:1", .to = "192.0.2.2:2", .protocol = 17, .payload_len = 5000, .gso = 1200},
           42);
  cut_like(
      &(rig_send){
          .from = "[2001:db8::1]:1", .to = "[2001:db8::2]:2", .protocol = 17, .payload_len = 40000, .gso = 1201},
      62);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cuts_into_what_the_receiver_expects),
      cmocka_unit_test(refuses_what_it_cannot_cut),
      cmocka_unit_test(cuts_all_that_kernels_bundle),
  };
  return cmocka_run_group_tests_name("lab/segment", tests, NULL, NULL);
}
