/* SPDX-License-Identifier: MIT */
/* Packets as bytes through the NATs of the engine. What a NAT decides is natbox's and tested there; here: that the bytes say what it decided. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rig.h"

enum { SYN = 2, RST = 4, ACK = 16, TCP = 6, UDP = 17, ICMP = 1, ICMP6 = 58 };

static const char home[] =
    "seed 7\n"
    "net inet 203.0.113.0/24 2001:db8::/64\n"
    "host s inet 203.0.113.10 2001:db8::10\n"
    "host t inet 203.0.113.11\n"
    "nat  h inet 203.0.113.1 2001:db8::1 lan 192.168.1.0/24 2001:db8:1::/64 preset=portrestricted alloc=preserve\n"
    "host a h 192.168.1.10 2001:db8:1::10\n"
    "host b h 192.168.1.11\n";

static void open_with(rig *r, const char *more) {
  char text[2048];
  snprintf(text, sizeof text, "%s%s", home, more);
  rig_open(r, text);
}

static void send(rig *r, const char *host, const char *from, const char *to, const char *payload) {
  rig_send_from(r, host, &(rig_send){.from = from, .to = to, .payload = payload});
}

static void udp_out_and_back(void **state) {
  (void)state;
  rig r;
  open_with(&r, "");
  send(&r, "a", "192.168.1.10:5000", "203.0.113.10:80", "question");
  rig_gets(&r, "s", "203.0.113.1:5000 > 203.0.113.10:80 UDP 63 question");
  send(&r, "s", "203.0.113.10:80", "203.0.113.1:5000", "answer");
  rig_gets(&r, "a", "203.0.113.10:80 > 192.168.1.10:5000 UDP 63 answer");
  /* Another port may not: filtering. */
  send(&r, "s", "203.0.113.10:81", "203.0.113.1:5000", "x");
  send(&r, "t", "203.0.113.11:80", "203.0.113.1:5000", "x");
  assert_int_equal(r.n, 0);
  rig_close(&r);
}

static void checksums_follow_however_they_come(void **state) {
  (void)state;
  static const rig_send forms[] = {
      {.payload = "odd"},
      {.payload = "even"},
      {.payload = "card", .unfinished = true},
      {.payload = "none", .without_sum = true},
      {.protocol = TCP, .flags = SYN, .payload = "odd"},
      {.protocol = TCP, .flags = SYN, .payload = "card", .unfinished = true},
  };
  rig r;
  open_with(&r, "");
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    char from[40], want[120];
    rig_send s = forms[i];
    snprintf(from, sizeof from, "192.168.1.10:%zu", 6000 + i);
    s.from = from;
    s.to = "203.0.113.10:80";
    rig_send_from(&r, "a", &s);
    snprintf(want, sizeof want, "203.0.113.1:%zu > 203.0.113.10:80 %s 63 %s", 6000 + i,
             s.protocol == TCP ? "TCP S" : "UDP", s.payload);
    const rig_packet *p = rig_only(&r, "s");
    assert_int_equal(p->vnet[0], s.unfinished); /* still the card's, or still done */
    if (s.without_sum) assert_int_equal(p->frame[RIG_ETH + 26] | p->frame[RIG_ETH + 27], 0);
    rig_gets(&r, "s", want);
  }
  rig_close(&r);
}

static void a_wrong_checksum_stays_wrong(void **state) {
  (void)state;
  uint8_t vnet[RIG_VNET], frame[200] = {0};
  rig r;
  open_with(&r, "");
  send(&r, "a", "192.168.1.10:5000", "203.0.113.10:80", "x");
  rig_clear(&r);
  size_t len =
      rig_write(&(rig_send){.from = "192.168.1.10:5000", .to = "203.0.113.10:80", .payload = "hello"}, vnet, frame);
  memcpy(frame, r.learned[rig_port(&r, "a")], 6);
  frame[len - 1] ^= 1;
  rig_frame(&r, rig_port(&r, "a"), vnet, frame, len);
  assert_int_equal(r.n, 1);
  assert_false(rig_is_sound(r.got[0].vnet, r.got[0].frame, r.got[0].len));
  rig_close(&r);
}

static void tcp_opens_through_it(void **state) {
  (void)state;
  rig r;
  open_with(&r, "");
  rig_send_from(
      &r, "a",
      &(rig_send){.from = "192.168.1.10:5000", .to = "203.0.113.10:80", .protocol = TCP, .flags = SYN, .seq = 100});
  rig_gets(&r, "s", "203.0.113.1:5000 > 203.0.113.10:80 TCP S 63");
  rig_send_from(&r, "s",
                &(rig_send){.from = "203.0.113.10:80",
                            .to = "203.0.113.1:5000",
                            .protocol = TCP,
                            .flags = SYN | ACK,
                            .seq = 7,
                            .ack = 101});
  rig_gets(&r, "a", "203.0.113.10:80 > 192.168.1.10:5000 TCP SA 63");
  /* A large one, as the kernel hands it over, passes in one piece. */
  rig_send_from(&r, "a",
                &(rig_send){.from = "192.168.1.10:5000",
                            .to = "203.0.113.10:80",
                            .protocol = TCP,
                            .flags = ACK,
                            .seq = 101,
                            .ack = 8,
                            .payload_len = 40000,
                            .gso = 1448});
  const rig_packet *p = rig_only(&r, "s");
  assert_int_equal(p->len, RIG_ETH + 20 + 20 + 40000);
  assert_int_equal(p->vnet[0], 1);
  assert_int_equal(p->vnet[1], 1);
  rig_close(&r);
}

static void two_hosts_with_one_port(void **state) {
  (void)state;
  rig r;
  open_with(&r, "");
  send(&r, "a", "192.168.1.10:5000", "203.0.113.10:80", "a");
  rig_gets(&r, "s", "203.0.113.1:5000 > 203.0.113.10:80 UDP 63 a");
  send(&r, "b", "192.168.1.11:5000", "203.0.113.10:80", "b");
  const rig_packet *p = rig_only(&r, "s");
  unsigned port = (unsigned)(p->frame[RIG_ETH + 20] << 8 | p->frame[RIG_ETH + 21]);
  assert_int_not_equal(port, 5000);
  rig_clear(&r);
  char to[40];
  snprintf(to, sizeof to, "203.0.113.1:%u", port);
  send(&r, "s", "203.0.113.10:80", to, "for b");
  rig_gets(&r, "b", "203.0.113.10:80 > 192.168.1.11:5000 UDP 63 for b");
  send(&r, "s", "203.0.113.10:80", "203.0.113.1:5000", "for a");
  rig_gets(&r, "a", "203.0.113.10:80 > 192.168.1.10:5000 UDP 63 for a");
  rig_close(&r);
}

/* The trap of kernels: the peer's packet that arrives before ours must not cost us our port. */
static void the_packet_that_arrives_first(void **state) {
  (void)state;
  rig r;
  open_with(&r, "");
  send(&r, "a", "192.168.1.10:5000", "203.0.113.10:80", "a");
  rig_clear(&r);
  send(&r, "t", "203.0.113.11:6000", "203.0.113.1:5000", "early");
  assert_int_equal(r.n, 0);
  send(&r, "a", "192.168.1.10:5000", "203.0.113.11:6000", "punch");
  rig_gets(&r, "t", "203.0.113.1:5000 > 203.0.113.11:6000 UDP 63 punch");
  send(&r, "t", "203.0.113.11:6000", "203.0.113.1:5000", "again");
  rig_gets(&r, "a", "203.0.113.11:6000 > 192.168.1.10:5000 UDP 63 again");
  rig_close(&r);
}

static void a_mapping_ends_at_its_time(void **state) {
  (void)state;
  rig r;
  open_with(&r, "");
  thirl_time start = r.now;
  send(&r, "a", "192.168.1.10:5000", "203.0.113.10:80", "a");
  rig_clear(&r);
  rig_run(&r, start + 30 * THIRL_S - 1);
  send(&r, "s", "203.0.113.10:80", "203.0.113.1:5000", "in time");
  rig_gets(&r, "a", "203.0.113.10:80 > 192.168.1.10:5000 UDP 63 in time");
  rig_run(&r, start + 150 * THIRL_S - 1); /* answered: 120 s from the last packet */
  send(&r, "s", "203.0.113.10:80", "203.0.113.1:5000", "too late");
  assert_int_equal(r.n, 0);
  rig_close(&r);
}

static void answers_to_what_nobody_asked_for(void **state) {
  (void)state;
  rig r;
  open_with(&r, "at 1s nat h tcp.unsolicited=rst udp.unsolicited=icmp\n"
                "at 2s nat h tcp.unsolicited=hold\n");
  thirl_time start = r.now;
  rig_send syn = {.from = "203.0.113.10:80", .to = "203.0.113.1:5000", .protocol = TCP, .flags = SYN, .seq = 41};
  rig_send_from(&r, "s", &syn);
  send(&r, "s", "203.0.113.10:80", "203.0.113.1:5000", "x");
  assert_int_equal(r.n, 0);
  rig_run(&r, start + THIRL_S);
  rig_send_from(&r, "s", &syn);
  const rig_packet *p = rig_only(&r, "s");
  assert_int_equal(p->frame[RIG_ETH + 20 + 11], 42); /* it acknowledges the SYN */
  rig_gets(&r, "s", "203.0.113.1:5000 > 203.0.113.10:80 TCP RA 64");
  send(&r, "s", "203.0.113.10:80", "203.0.113.1:5000", "x");
  assert_string_equal(rig_error_text(rig_only(&r, "s")), "3/3 0 203.0.113.10:80 > 203.0.113.1:5000 UDP 64");
  rig_clear(&r);
  rig_run(&r, start + 2 * THIRL_S);
  rig_send_from(&r, "s", &syn);
  rig_run(&r, start + 8 * THIRL_S - 1);
  assert_int_equal(r.n, 0);
  rig_run(&r, start + 8 * THIRL_S);
  p = rig_only(&r, "s");
  assert_int_equal(p->at, start + 8 * THIRL_S);
  assert_string_equal(rig_text(p), "203.0.113.1:0 > 203.0.113.10:0 ICMP 3/3 64");
  assert_string_equal(rig_error_text(p), "3/3 0 203.0.113.10:80 > 203.0.113.1:5000 ? 64");
  rig_close(&r);
}

static void pings_are_told_apart(void **state) {
  (void)state;
  rig r;
  open_with(&r, "");
  rig_send_from(
      &r, "a",
      &(rig_send){.from = "192.168.1.10:77", .to = "203.0.113.10", .protocol = ICMP, .type = 8, .payload = "data"});
  const rig_packet *p = rig_only(&r, "s");
  unsigned first = (unsigned)(p->frame[RIG_ETH + 24] << 8 | p->frame[RIG_ETH + 25]);
  assert_memory_equal(p->frame + RIG_ETH + 12, "\xcb\x00\x71\x01", 4);
  rig_clear(&r);
  rig_send_from(&r, "b", &(rig_send){.from = "192.168.1.11:77", .to = "203.0.113.10", .protocol = ICMP, .type = 8});
  p = rig_only(&r, "s");
  unsigned second = (unsigned)(p->frame[RIG_ETH + 24] << 8 | p->frame[RIG_ETH + 25]);
  assert_int_not_equal(first, second);
  rig_clear(&r);
  char from[40];
  snprintf(from, sizeof from, "203.0.113.10:%u", first);
  rig_send_from(&r, "s", &(rig_send){.from = from, .to = "203.0.113.1", .protocol = ICMP, .type = 0});
  rig_gets(&r, "a", "203.0.113.10:0 > 192.168.1.10:0 ICMP 0/0 id 77 63");
  snprintf(from, sizeof from, "203.0.113.10:%u", second);
  rig_send_from(&r, "s", &(rig_send){.from = from, .to = "203.0.113.1", .protocol = ICMP, .type = 0});
  rig_gets(&r, "b", "203.0.113.10:0 > 192.168.1.11:0 ICMP 0/0 id 77 63");
  /* The router itself answers, on both sides. */
  rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:9", .to = "203.0.113.1", .protocol = ICMP, .type = 8});
  rig_gets(&r, "s", "203.0.113.1:0 > 203.0.113.10:0 ICMP 0/0 id 9 64");
  rig_send_from(&r, "a", &(rig_send){.from = "192.168.1.10:9", .to = "192.168.1.1", .protocol = ICMP, .type = 8});
  rig_gets(&r, "a", "192.168.1.1:0 > 192.168.1.10:0 ICMP 0/0 id 9 64");
  rig_send_from(&r, "a", &(rig_send){.from = "192.168.1.10:9", .to = "203.0.113.1", .protocol = ICMP, .type = 8});
  rig_gets(&r, "a", "203.0.113.1:0 > 192.168.1.10:0 ICMP 0/0 id 9 64");
  rig_close(&r);
}

/* What the host at s says about the packet that it got: an ICMP error with the packet in it. */
static void complain_about(rig *r, const char *host, const char *from, const char *to, uint8_t type, uint8_t code) {
  uint8_t vnet[RIG_VNET], frame[600] = {0};
  const rig_packet got = *rig_only(r, host);
  bool v6 = got.frame[12] == 0x86;
  size_t ip_len = v6 ? 40 : 20, quoted = got.len - RIG_ETH;
  rig_send s = {
      .from = from, .to = to, .protocol = v6 ? ICMP6 : ICMP, .type = type, .code = code, .payload_len = quoted};
  size_t len = rig_write(&s, vnet, frame);
  /* The quotation in place of the pattern; the checksum by RFC 1624 is not to be trusted here: once more over all. */
  uint8_t *icmp = frame + RIG_ETH + ip_len;
  unsigned sum = 0;
  memcpy(icmp + 8, got.frame + RIG_ETH, quoted);
  icmp[2] = icmp[3] = 0;
  for (size_t i = 0; i < len - RIG_ETH - ip_len; i++)
    sum += i % 2 ? icmp[i] : (unsigned)icmp[i] << 8;
  if (v6) {
    for (size_t i = 8; i < 40; i++)
      sum += i % 2 ? frame[RIG_ETH + i] : (unsigned)frame[RIG_ETH + i] << 8;
    sum += ICMP6 + (unsigned)(len - RIG_ETH - ip_len);
  }
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  icmp[2] = (uint8_t)(~sum >> 8);
  icmp[3] = (uint8_t)~sum;
  memcpy(frame, got.frame + 6, 6);
  memcpy(frame + 6, got.frame, 6);
  rig_clear(r);
  assert_true(rig_is_sound(vnet, frame, len));
  rig_frame(r, rig_port(r, host), vnet, frame, len);
}

/* The checksum of the packet that an error quotes whole, too, must be that of the packet as it was sent. */
static void check_quoted(const rig_packet *p) {
  uint8_t frame[600] = {0}, vnet[RIG_VNET] = {0};
  size_t ip_len = p->frame[12] == 0x86 ? 40 : 20, at = RIG_ETH + ip_len + 8;
  memcpy(frame, p->frame, RIG_ETH);
  memcpy(frame + RIG_ETH, p->frame + at, p->len - at);
  assert_true(rig_is_sound(vnet, frame, RIG_ETH + p->len - at));
}

static void errors_speak_of_what_was_sent(void **state) {
  (void)state;
  rig r;
  open_with(&r, "");
  send(&r, "a", "192.168.1.10:5000", "203.0.113.10:80", "nobody there?");
  complain_about(&r, "s", "203.0.113.10", "203.0.113.1", 3, 3);
  const rig_packet *p = rig_only(&r, "a");
  assert_string_equal(rig_text(p), "203.0.113.10:0 > 192.168.1.10:0 ICMP 3/3 63");
  assert_string_equal(rig_error_text(p), "3/3 0 192.168.1.10:5000 > 203.0.113.10:80 UDP 63");
  check_quoted(p);
  rig_clear(&r);
  rig_send_from(&r, "a", &(rig_send){.from = "192.168.1.10:77", .to = "203.0.113.10", .protocol = ICMP, .type = 8});
  complain_about(&r, "s", "203.0.113.10", "203.0.113.1", 11, 0);
  assert_string_equal(rig_error_text(rig_only(&r, "a")), "11/0 0 192.168.1.10:0 > 203.0.113.10:0 ICMP 8/0 id 77 63");
  check_quoted(rig_only(&r, "a"));
  rig_clear(&r);
  /* And from the inside out. */
  send(&r, "s", "203.0.113.10:80", "203.0.113.1:5000", "answer");
  complain_about(&r, "a", "192.168.1.10", "203.0.113.10", 3, 3);
  p = rig_only(&r, "s");
  assert_string_equal(rig_text(p), "203.0.113.1:0 > 203.0.113.10:0 ICMP 3/3 63");
  assert_string_equal(rig_error_text(p), "3/3 0 203.0.113.10:80 > 203.0.113.1:5000 UDP 63");
  check_quoted(p);
  rig_close(&r);
}

static void hairpins(void **state) {
  (void)state;
  rig r;
  open_with(&r, "at 1s nat h hairpin=external filter=eif\n");
  send(&r, "b", "192.168.1.11:6000", "203.0.113.10:80", "x");
  rig_clear(&r);
  send(&r, "a", "192.168.1.10:5000", "203.0.113.1:6000", "x");
  assert_int_equal(r.n, 0);
  rig_run(&r, r.now + THIRL_S);
  send(&r, "a", "192.168.1.10:5000", "203.0.113.1:6000", "neighbour");
  rig_gets(&r, "b", "203.0.113.1:5000 > 192.168.1.11:6000 UDP 63 neighbour");
  send(&r, "b", "192.168.1.11:6000", "203.0.113.1:5000", "yes");
  rig_gets(&r, "a", "203.0.113.1:6000 > 192.168.1.10:5000 UDP 63 yes");
  rig_close(&r);
}

static void fragments_follow_the_first(void **state) {
  (void)state;
  uint8_t vnet[RIG_VNET], frame[2200] = {0}, piece[1600];
  rig r;
  open_with(&r, "");
  send(&r, "a", "192.168.1.10:5000", "203.0.113.10:80", "x");
  rig_clear(&r);
  rig_send whole = {.from = "192.168.1.10:5000", .to = "203.0.113.10:80", .payload_len = 2000, .may_fragment = true};
  size_t len = rig_write(&whole, vnet, frame), port = rig_port(&r, "a"), l4 = RIG_ETH + 20, first = 1200;
  memcpy(frame, r.learned[port], 6);
  for (int turn = 0; turn < 2; turn++) { /* the second piece, then the first, then the second again */
    for (int i = turn == 0; i < 2; i++) {
      size_t from = i ? first : 0, n = i ? len - l4 - first : first;
      memcpy(piece, frame, l4);
      memcpy(piece + l4, frame + l4 + from, n);
      piece[RIG_ETH + 2] = (uint8_t)((20 + n) >> 8);
      piece[RIG_ETH + 3] = (uint8_t)(20 + n);
      piece[RIG_ETH + 6] = (uint8_t)((i ? 0 : 0x20) | from / 8 >> 8);
      piece[RIG_ETH + 7] = (uint8_t)(from / 8);
      piece[RIG_ETH + 10] = piece[RIG_ETH + 11] = 0;
      unsigned sum = 0;
      for (size_t k = 0; k < 20; k++)
        sum += k % 2 ? piece[RIG_ETH + k] : (unsigned)piece[RIG_ETH + k] << 8;
      while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
      piece[RIG_ETH + 10] = (uint8_t)(~sum >> 8);
      piece[RIG_ETH + 11] = (uint8_t)~sum;
      rig_frame(&r, port, vnet, piece, l4 + n);
    }
    assert_int_equal(r.n, turn ? 2 : 0);
  }
  thirl_lab_engine_counts c;
  thirl_lab_engine_count(r.engine, (thirl_lab_engine_port){.node = thirl_lab_topology_find_node(r.topology, "h")}, &c);
  assert_int_equal(c.fragments, 1);
  /* Put together they are the packet, with a right checksum. */
  uint8_t all[2200];
  memcpy(all, r.got[0].frame, r.got[0].len);
  memcpy(all + r.got[0].len, r.got[1].frame + l4, r.got[1].len - l4);
  all[RIG_ETH + 2] = frame[RIG_ETH + 2];
  all[RIG_ETH + 3] = frame[RIG_ETH + 3];
  all[RIG_ETH + 6] = 0;
  all[RIG_ETH + 10] = all[RIG_ETH + 11] = 0;
  unsigned sum = 0;
  for (size_t k = 0; k < 20; k++)
    sum += k % 2 ? all[RIG_ETH + k] : (unsigned)all[RIG_ETH + k] << 8;
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  all[RIG_ETH + 10] = (uint8_t)(~sum >> 8);
  all[RIG_ETH + 11] = (uint8_t)~sum;
  assert_true(rig_is_sound(r.got[0].vnet, all, len));
  assert_memory_equal(all + RIG_ETH + 12, "\xcb\x00\x71\x01", 4);
  rig_close(&r);
}

static void a_router_that_looks_into_datagrams(void **state) {
  (void)state;
  rig r;
  open_with(&r, "at 0s nat h alg=payload\n");
  /* 192.168.1.10 as four bytes, in the middle of an odd number of them. */
  for (int i = 0; i < 2; i++) {
    rig_send_from(
        &r, "a",
        &(rig_send){
            .from = "192.168.1.10:5000", .to = "203.0.113.10:80", .payload = "a\xc0\xa8\x01\x0a.", .without_sum = i});
    const rig_packet *p = rig_only(&r, "s");
    assert_memory_equal(p->frame + RIG_ETH + 28, "a\xcb\x00\x71\x01.", 6);
    rig_clear(&r);
  }
  rig_send_from(
      &r, "a",
      &(rig_send){
          .from = "192.168.1.10:5000", .to = "203.0.113.10:80", .payload = "aa\xc0\xa8\x01\x0a.", .unfinished = true});
  assert_memory_equal(rig_only(&r, "s")->frame + RIG_ETH + 28, "aa\xcb\x00\x71\x01.", 7);
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(udp_out_and_back),
      cmocka_unit_test(checksums_follow_however_they_come),
      cmocka_unit_test(a_wrong_checksum_stays_wrong),
      cmocka_unit_test(tcp_opens_through_it),
      cmocka_unit_test(two_hosts_with_one_port),
      cmocka_unit_test(the_packet_that_arrives_first),
      cmocka_unit_test(a_mapping_ends_at_its_time),
      cmocka_unit_test(answers_to_what_nobody_asked_for),
      cmocka_unit_test(pings_are_told_apart),
      cmocka_unit_test(errors_speak_of_what_was_sent),
      cmocka_unit_test(hairpins),
      cmocka_unit_test(fragments_follow_the_first),
      cmocka_unit_test(a_router_that_looks_into_datagrams),
  };
  return cmocka_run_group_tests_name("lab/nat", tests, NULL, NULL);
}
