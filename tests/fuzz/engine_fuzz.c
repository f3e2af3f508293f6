/* SPDX-License-Identifier: MIT */
/*
 * Any frames into any ports of an engine with NATs, firewalls, links of every kind and events. It must not break, and promises that what comes out is
 * a whole Ethernet frame for a port that there is, and that time goes on.
 *
 *   byte: topology   then for each step: op, port, length (2 bytes), bytes
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "lab/internet/engine.h"
#include "lab/frame/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 200, FRAME_MAX = 2048, TICKS_MAX = 20000, N_TEXTS = 3 };

static const char *const texts[N_TEXTS] = {
    "seed 1\n"
    "net inet 203.0.113.0/24 2001:db8::/64\n"
    "host s inet 203.0.113.10 2001:db8::10\n"
    "nat h inet 203.0.113.1 2001:db8::1 lan 192.168.1.0/24 2001:db8:1::/64 preset=fullcone hairpin=external\n"
    "host a h 192.168.1.10 2001:db8:1::10\n"
    "host b h 192.168.1.11\n",
    "seed 2\n"
    "net inet 203.0.113.0/24\n"
    "net far 198.51.100.0/24\n"
    "host s inet 203.0.113.10\n"
    "host f far 198.51.100.10\n"
    "nat c inet 203.0.113.2 lan 100.64.0.0/16 preset=cgn\n"
    "nat h c 100.64.0.7 lan 192.168.1.0/24 preset=symmetric tcp.unsolicited=hold udp.unsolicited=icmp\n"
    "host a h 192.168.1.10\n"
    "link h up latency=3ms jitter=1ms loss=10% duplicate=10% reorder=10% rate=1mbit mtu=1000\n"
    "link s loss=5% burst=3 mtu=576 black-hole=yes\n"
    "at 1s nat h reboot\n"
    "at 2s nat h renumber 100.64.0.9\n"
    "at 3s host a move inet 203.0.113.77\n"
    "at 4s link s down\n",
    "seed 3\n"
    "net inet 203.0.113.0/24 2001:db8::/64\n"
    "host s inet 203.0.113.10 2001:db8::10\n"
    "nat r inet 203.0.113.3 2001:db8::3 lan 198.51.100.0/24 2001:db8:3::/64 preset=none\n"
    "host a r 198.51.100.10 2001:db8:3::10\n"
    "nat w inet 203.0.113.4 2001:db8::4 lan 198.18.5.0/24 2001:db8:4::/64 preset=firewall\n"
    "host b w 198.18.5.10 2001:db8:4::10\n"};

static void promise(bool kept) {
  if (!kept) abort();
}

static void take(thirl_lab_engine_machine *e) {
  size_t n;
  const thirl_lab_fabric_frame *f = thirl_lab_engine_frames(e, &n);
  for (size_t i = 0; i < n; i++)
    promise(f[i].port < thirl_lab_engine_count_ports(e) && f[i].len >= THIRL_LAB_ETH_LEN);
  thirl_lab_engine_clear(e);
  for (thirl_lab_note note; thirl_lab_engine_note(e, &note);)
    ;
}

static void run_until(thirl_lab_engine_machine *e, thirl_time until) {
  int ticks = 0;
  for (thirl_time t; (t = thirl_lab_engine_deadline(e)) <= until; take(e)) {
    thirl_lab_engine_tick(e, t);
    promise(++ticks < TICKS_MAX);
  }
  thirl_lab_engine_tick(e, until);
  take(e);
}

/* Makes the frame one that somebody listens to: the MAC of one of the engine's interfaces, a right checksum of the IPv4 header. */
static void mend(uint8_t *frame, size_t len, uint8_t op) {
  static const uint8_t like[THIRL_LAB_MAC_LEN] = {0x02, 0x74};
  if (len < THIRL_LAB_ETH_LEN + THIRL_LAB_IP_LEN_MIN) return;
  memcpy(frame, like, sizeof like);
  frame[5] = (uint8_t)(1 + op / 16 % 8);
  if (op & 4) thirl_lab_wire_put16(frame + THIRL_LAB_ETH_TYPE, op & 8 ? THIRL_LAB_TYPE_IPV6 : THIRL_LAB_TYPE_IPV4);
  uint8_t *ip = frame + THIRL_LAB_ETH_LEN;
  if (op & 8) {
    ip[0] = 0x60;
    return;
  }
  ip[0] = 0x45;
  if (op & 4) thirl_lab_wire_put16(ip + THIRL_LAB_IP_TOTAL_LEN, (uint16_t)(len - THIRL_LAB_ETH_LEN));
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_CHECKSUM, 0);
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_CHECKSUM, thirl_lab_wire_checksum(ip, THIRL_LAB_IP_LEN_MIN, 0));
}

static void step(thirl_lab_engine_machine *e, thirl_reader *r, thirl_time *now) {
  uint8_t op = thirl_reader_u8(r), port = thirl_reader_u8(r), vnet[THIRL_LAB_VNET_LEN] = {0};
  size_t len = thirl_reader_u16(r) % FRAME_MAX;
  thirl_bytes in = thirl_reader_take(r, THIRL_MIN(len, thirl_reader_left(r)));
  if (op & 2) {
    *now += (thirl_time)port * 40 * THIRL_MS;
    run_until(e, *now);
  }
  if (op & 1 && in.n >= sizeof vnet) {
    memcpy(vnet, in.p, sizeof vnet);
    in.p += sizeof vnet;
    in.n -= sizeof vnet;
  }
  uint8_t *frame = malloc(in.n ? in.n : 1);
  if (!frame) return;
  if (in.n > 0) memcpy(frame, in.p, in.n);
  if (op & 12) mend(frame, in.n, op);
  thirl_lab_engine_input(e, *now, port % thirl_lab_engine_count_ports(e), vnet, frame, in.n);
  take(e);
  free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  thirl_reader r = thirl_reader_of(THIRL_BYTES(data, size));
  const char *text = texts[thirl_reader_u8(&r) % N_TEXTS];
  thirl_lab_topology *t;
  thirl_lab_complaint why;
  thirl_time now = THIRL_S;
  promise(thirl_lab_topology_read("fuzz", text, strlen(text), &t, &why) == THIRL_OK);
  thirl_lab_engine_machine *e = thirl_lab_engine_new(t, now);
  if (e) {
    thirl_lab_engine_port all = {.node = 0};
    (void)thirl_lab_engine_capture(e, all, 0, 100);
    for (int i = 0; i < STEPS_MAX && thirl_reader_left(&r) >= 4; i++)
      step(e, &r, &now);
    run_until(e, now + 20 * THIRL_S);
    (void)thirl_lab_engine_capture_take(e, all, NULL);
  }
  thirl_lab_engine_free(e);
  thirl_lab_topology_free(t);
  return 0;
}
