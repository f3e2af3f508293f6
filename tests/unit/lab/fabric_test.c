/* SPDX-License-Identifier: MIT */
/* The links of an engine, from host to host. What each term does is link_test.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rig.h"

enum { ACK = 16, TCP = 6 };

static const char base[] = "seed 7\n"
                           "net inet 203.0.113.0/24 2001:db8::/64\n"
                           "host s inet 203.0.113.10 2001:db8::10\n"
                           "nat  h inet 203.0.113.1 lan 192.168.1.0/24 preset=portrestricted alloc=preserve\n"
                           "host a h 192.168.1.10\n";

static void open_with(rig *r, const char *more) {
  char text[2048];
  snprintf(text, sizeof text, "%s%s", base, more);
  rig_open(r, text);
}

static void apply(rig *r, const char *line) {
  thirl_lab_event event;
  thirl_lab_complaint why;
  if (thirl_lab_topology_read_event(r->topology, line, &event, &why) != THIRL_OK) fail_msg("%s", why.text);
  assert_int_equal(thirl_lab_engine_apply(r->engine, r->now, &event), THIRL_OK);
}

static thirl_lab_engine_counts count(rig *r, const char *node) {
  thirl_lab_engine_counts c;
  size_t i = thirl_lab_topology_find_node(r->topology, node);
  assert_int_equal(thirl_lab_engine_count(r->engine, (thirl_lab_engine_port){.node = i}, &c), THIRL_OK);
  return c;
}

static const rig_send question = {.from = "192.168.1.10:5000", .to = "203.0.113.10:80", .payload = "x"};

static void delays_add_up_to_the_microsecond(void **state) {
  (void)state;
  rig r;
  open_with(&r, "link a up latency=1ms\nlink h up latency=20ms\nlink s down latency=300us\nlink s up latency=7ms\n");
  rig_send_from(&r, "a", &question);
  rig_run(&r, r.now + THIRL_S); /* the NAT asks for the server over the same cables */
  rig_clear(&r);
  thirl_time sent = r.now;
  rig_send_from(&r, "a", &question);
  sent = r.now - (r.now - sent); /* asking for the router took its time too */
  rig_run(&r, r.now + THIRL_S);
  const rig_packet *p = rig_only(&r, "s");
  assert_int_equal((p->at - sent) % (50 * THIRL_MS), 21300);
  rig_close(&r);
}

static void a_late_tick_does_not_add_up(void **state) {
  (void)state;
  rig r;
  open_with(&r, "link h up latency=20ms\nlink s down latency=5ms\n");
  rig_send_from(&r, "a", &question);
  rig_run(&r, r.now + THIRL_S);
  rig_clear(&r);
  rig_send_from(&r, "a", &question);
  thirl_time sent = r.now;
  /* One tick, much later: the packet says when it should have been there. */
  r.now += 300 * THIRL_MS;
  thirl_lab_engine_tick(r.engine, r.now);
  rig_run(&r, r.now);
  assert_int_equal(rig_only(&r, "s")->at, sent + 25 * THIRL_MS);
  rig_close(&r);
}

/* What arrives where and when, as one number. */
static uint64_t play(const char *text) {
  uint64_t h = 1469598103934665603u;
  rig r;
  rig_open(&r, text);
  thirl_time start = r.now;
  for (int i = 0; i < 300; i++) {
    rig_send_from(&r, "a", &question);
    rig_run(&r, start + (thirl_time)(i + 1) * 100 * THIRL_MS);
    for (size_t k = 0; k < r.n; k++) {
      h = (h ^ r.got[k].at) * 1099511628211u;
      h = (h ^ r.got[k].port ^ r.got[k].len << 8) * 1099511628211u;
      h = (h ^ r.got[k].frame[RIG_ETH + 21]) * 1099511628211u;
    }
    rig_clear(&r);
  }
  rig_close(&r);
  return h;
}

static void the_same_seed_is_the_same_world(void **state) {
  (void)state;
  static const char like[] = "seed %d\n"
                             "net inet 203.0.113.0/24\n"
                             "host s inet 203.0.113.10\n"
                             "nat  h inet 203.0.113.1 lan 192.168.1.0/24 preset=symmetric udp.timeout=1s\n"
                             "host a h 192.168.1.10\n"
                             "link h up latency=20ms jitter=5ms loss=10%% burst=2 duplicate=10%% reorder=10%%\n";
  char one[600], two[600];
  snprintf(one, sizeof one, like, 1);
  snprintf(two, sizeof two, like, 2);
  uint64_t first = play(one);
  assert_true(first == play(one));
  assert_true(first != play(two));
}

static void losses_take_packets_not_bundles(void **state) {
  (void)state;
  rig r;
  open_with(&r, "link h up loss=10%\n");
  for (int i = 0; r.n == 0; i++) { /* the questions may be lost too */
    assert_true(i < 20);
    rig_send_from(&r, "a", &question);
    rig_run(&r, r.now + 2 * THIRL_S);
  }
  rig_clear(&r);
  rig_send_from(&r, "a",
                &(rig_send){.from = "192.168.1.10:5000",
                            .to = "203.0.113.10:80",
                            .protocol = TCP,
                            .flags = ACK,
                            .seq = 2,
                            .payload_len = 60000,
                            .gso = 1000});
  rig_run(&r, r.now + THIRL_S);
  assert_in_range(r.n, 40, 59);
  for (size_t i = 0; i < r.n; i++) {
    assert_int_equal(r.got[i].len, RIG_ETH + 40 + 1000);
    assert_int_equal(r.got[i].vnet[1], 0);
    assert_true(rig_is_sound(r.got[i].vnet, r.got[i].frame, r.got[i].len));
  }
  rig_close(&r);
}

static void delay_alone_leaves_bundles_whole(void **state) {
  (void)state;
  rig r;
  open_with(&r, "link s down latency=5ms\n");
  rig_send_from(&r, "a", &question);
  rig_run(&r, r.now + THIRL_S);
  rig_clear(&r);
  rig_send_from(&r, "a",
                &(rig_send){.from = "192.168.1.10:5000",
                            .to = "203.0.113.10:80",
                            .protocol = TCP,
                            .flags = ACK,
                            .seq = 2,
                            .payload_len = 60000,
                            .gso = 1000});
  rig_run(&r, r.now + 5 * THIRL_MS);
  assert_int_equal(rig_only(&r, "s")->len, RIG_ETH + 40 + 60000);
  rig_close(&r);
}

static void too_big_is_told(void **state) {
  (void)state;
  rig r;
  thirl_lab_note note;
  open_with(&r, "link h up mtu=1400\nlink s down mtu=1300\n");
  rig_send big = {.from = "192.168.1.10:5000", .to = "203.0.113.10:80", .payload_len = 1372};
  rig_send_from(&r, "a", &question);
  rig_gets(&r, "s", "203.0.113.1:5000 > 203.0.113.10:80 UDP 63 x");
  big.payload_len = 1373;
  rig_send_from(&r, "a", &big);
  const rig_packet *p = rig_only(&r, "a");
  assert_string_equal(rig_text(p), "203.0.113.254:0 > 192.168.1.10:0 ICMP 3/4 63");
  assert_string_equal(rig_error_text(p), "3/4 1400 192.168.1.10:5000 > 203.0.113.10:80 UDP 63");
  rig_clear(&r);
  big.payload_len = 1372; /* through the first, not the second */
  rig_send_from(&r, "a", &big);
  assert_string_equal(rig_error_text(rig_only(&r, "a")), "3/4 1300 192.168.1.10:5000 > 203.0.113.10:80 UDP 63");
  rig_clear(&r);
  big.payload_len = 1272;
  rig_send_from(&r, "a", &big);
  assert_int_equal(rig_count(&r, "s"), 1);
  rig_clear(&r);
  assert_int_equal(count(&r, "h").up.too_big, 1);
  assert_int_equal(count(&r, "s").down.too_big, 1);
  assert_true(thirl_lab_engine_note(r.engine, &note));
  assert_int_equal(note.kind, THIRL_LAB_NOTE_TOO_BIG);
  /* A bundle of packets that are too long each. */
  rig_send_from(&r, "a", &question);
  rig_clear(&r);
  rig_send bundle = {.from = "192.168.1.10:5000",
                     .to = "203.0.113.10:80",
                     .protocol = TCP,
                     .flags = ACK,
                     .seq = 2,
                     .payload_len = 9000,
                     .gso = 1460};
  rig_send_from(&r, "a", &bundle);
  assert_string_equal(rig_error_text(rig_only(&r, "a")), "3/4 1400 192.168.1.10:5000 > 203.0.113.10:80 TCP A 63");
  rig_clear(&r);
  bundle.gso = 1260;
  rig_send_from(&r, "a", &bundle);
  assert_int_equal(rig_only(&r, "s")->len, RIG_ETH + 40 + 9000);
  rig_close(&r);
}

static void what_may_be_split_is(void **state) {
  (void)state;
  static const size_t sizes[] = {976, 976, 56};
  static const unsigned offsets[] = {0, 122, 244};
  rig r;
  open_with(&r, "link h up mtu=1000\n");
  for (int turn = 0; turn < 2; turn++) {
    uint8_t whole[2100], vnet[RIG_VNET] = {0};
    size_t len = RIG_ETH + 20;
    rig_send_from(&r, "a",
                  &(rig_send){.from = "192.168.1.10:5000",
                              .to = "203.0.113.10:80",
                              .payload_len = 2000,
                              .may_fragment = true,
                              .unfinished = turn});
    assert_int_equal(r.n, 3);
    for (size_t i = 0; i < 3; i++) {
      const uint8_t *ip = r.got[i].frame + RIG_ETH;
      assert_int_equal(r.got[i].len, RIG_ETH + 20 + sizes[i]);
      assert_int_equal(ip[6] << 8 | ip[7], offsets[i] | (i < 2 ? 0x2000 : 0));
      assert_true(rig_is_sound(r.got[i].vnet, r.got[i].frame, r.got[i].len)); /* the header's checksum */
      if (i == 0) memcpy(whole, r.got[i].frame, RIG_ETH + 20);
      memcpy(whole + len, ip + 20, sizes[i]);
      len += sizes[i];
    }
    /* Together they are the packet. */
    assert_int_equal(len, RIG_ETH + 20 + 8 + 2000);
    uint8_t *ip = whole + RIG_ETH;
    unsigned header = (unsigned)(ip[10] << 8 | ip[11]) + (unsigned)(ip[2] << 8 | ip[3]) + 0x2000 + 0xffff - 2028;
    header = (header & 0xffff) + (header >> 16);
    header = (header & 0xffff) + (header >> 16);
    ip[2] = 2028 >> 8;
    ip[3] = 2028 & 255;
    ip[6] = 0;
    ip[10] = (uint8_t)(header >> 8);
    ip[11] = (uint8_t)header;
    assert_true(rig_is_sound(vnet, whole, len));
    rig_clear(&r);
  }
  assert_int_equal(count(&r, "h").up.too_big, 0);
  rig_close(&r);
}

static void a_black_hole_says_nothing(void **state) {
  (void)state;
  rig r;
  open_with(&r, "link h up mtu=1400 black-hole=yes\n");
  rig_send_from(&r, "a", &(rig_send){.from = "192.168.1.10:5000", .to = "203.0.113.10:80", .payload_len = 1373});
  assert_int_equal(r.n, 0);
  assert_int_equal(count(&r, "h").up.too_big, 1);
  rig_close(&r);
}

static void cables_are_cut_and_mended(void **state) {
  (void)state;
  rig r;
  open_with(&r, "");
  rig_send_from(&r, "a", &question);
  rig_gets(&r, "s", "203.0.113.1:5000 > 203.0.113.10:80 UDP 63 x");
  apply(&r, "link h down");
  rig_send_from(&r, "a", &question);
  assert_int_equal(r.n, 0);
  assert_int_equal(count(&r, "h").up.lost, 1);
  apply(&r, "link h up");
  rig_send_from(&r, "a", &question);
  rig_gets(&r, "s", "203.0.113.1:5000 > 203.0.113.10:80 UDP 63 x");
  apply(&r, "link h latency=40ms");
  rig_send_from(&r, "a", &question);
  assert_int_equal(r.n, 0);
  rig_run(&r, r.now + 40 * THIRL_MS);
  rig_gets(&r, "s", "203.0.113.1:5000 > 203.0.113.10:80 UDP 63 x");
  rig_close(&r);
}

static void a_rate_is_kept(void **state) {
  (void)state;
  rig r;
  thirl_lab_note note;
  open_with(&r, "link s up rate=8mbit queue=20K\n"); /* 1000 bytes a millisecond */
  rig_send like = {.from = "203.0.113.10:80", .to = "203.0.113.1:5000", .payload_len = 1000 - 42};
  rig_send_from(&r, "a", &question);
  rig_run(&r, r.now + THIRL_S);
  rig_clear(&r);
  rig_send_from(&r, "s", &like); /* and with it a question of 42 bytes */
  rig_run(&r, r.now + THIRL_S);
  rig_clear(&r);
  static uint8_t frame[RIG_FRAME_MAX];
  uint8_t vnet[RIG_VNET];
  size_t len = rig_write(&like, vnet, frame), port = rig_port(&r, "s");
  memcpy(frame, r.learned[port], 6);
  thirl_time start = r.now;
  for (int i = 0; i < 30; i++)
    rig_frame(&r, port, vnet, frame, len);
  rig_run(&r, r.now + THIRL_S);
  assert_int_equal(rig_count(&r, "a"), 20);
  for (size_t i = 0; i < 20; i++)
    assert_int_equal(r.got[i].at, start + (i + 1) * THIRL_MS);
  assert_int_equal(count(&r, "s").up.dropped, 10);
  assert_true(thirl_lab_engine_note(r.engine, &note));
  assert_int_equal(note.kind, THIRL_LAB_NOTE_FULL);
  assert_false(thirl_lab_engine_note(r.engine, &note)); /* said once */
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(delays_add_up_to_the_microsecond),
      cmocka_unit_test(a_late_tick_does_not_add_up),
      cmocka_unit_test(the_same_seed_is_the_same_world),
      cmocka_unit_test(losses_take_packets_not_bundles),
      cmocka_unit_test(delay_alone_leaves_bundles_whole),
      cmocka_unit_test(too_big_is_told),
      cmocka_unit_test(what_may_be_split_is),
      cmocka_unit_test(a_black_hole_says_nothing),
      cmocka_unit_test(cables_are_cut_and_mended),
      cmocka_unit_test(a_rate_is_kept),
  };
  return cmocka_run_group_tests_name("lab/fabric", tests, NULL, NULL);
}
