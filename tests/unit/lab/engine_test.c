/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rig.h"

static const char two_nets[] = "seed 7\n"
                               "net inet 203.0.113.0/24 2001:db8::/64\n"
                               "net far 198.51.100.0/24 2001:db8:1::/64\n"
                               "host s inet 203.0.113.10 2001:db8::10\n"
                               "host t inet 203.0.113.11 2001:db8::11\n"
                               "host f far 198.51.100.10 2001:db8:1::10\n";

static void routes_between_the_nets_of_the_internet(void **state) {
  (void)state;
  rig r;
  rig_open(&r, two_nets);
  rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:5000", .to = "198.51.100.10:80", .payload = "hello"});
  rig_gets(&r, "f", "203.0.113.10:5000 > 198.51.100.10:80 UDP 63 hello");
  rig_send_from(&r, "f", &(rig_send){.from = "[2001:db8:1::10]:80", .to = "[2001:db8::10]:5000", .payload = "six"});
  rig_gets(&r, "s", "[2001:db8:1::10]:80 > [2001:db8::10]:5000 UDP 63 six");
  rig_close(&r);
}

static void neighbours_talk_without_the_router(void **state) {
  (void)state;
  rig r;
  rig_open(&r, two_nets);
  rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:5000", .to = "203.0.113.11:80", .ttl = 1});
  rig_gets(&r, "t", "203.0.113.10:5000 > 203.0.113.11:80 UDP 1");
  rig_close(&r);
}

static void broadcast_and_multicast_stay_on_the_net(void **state) {
  (void)state;
  static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, group[6] = {0x01, 0, 0x5e, 0, 0, 0xfb};
  const uint8_t *to[] = {everybody, group};
  rig r;
  rig_open(&r, two_nets);
  for (int i = 0; i < 2; i++) {
    uint8_t vnet[RIG_VNET], frame[200] = {0};
    size_t len = rig_write(
        &(rig_send){.from = "203.0.113.10:5353", .to = i ? "224.0.0.251:5353" : "255.255.255.255:5353", .ttl = 1}, vnet,
        frame);
    memcpy(frame, to[i], 6);
    frame[6] = 0x06;
    rig_frame(&r, rig_port(&r, "s"), vnet, frame, len);
    assert_int_equal(rig_count(&r, "t"), 1);
    assert_int_equal(r.n, 1); /* not back, not to the other net, and no complaint */
    rig_clear(&r);
  }
  rig_close(&r);
}

static void answers_pings_to_its_own_addresses(void **state) {
  (void)state;
  rig r;
  rig_open(&r, two_nets);
  rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:77", .to = "203.0.113.254", .protocol = 1, .type = 8});
  rig_gets(&r, "s", "203.0.113.254:0 > 203.0.113.10:0 ICMP 0/0 id 77 64");
  rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:77", .to = "198.51.100.254", .protocol = 1, .type = 8});
  rig_gets(&r, "s", "198.51.100.254:0 > 203.0.113.10:0 ICMP 0/0 id 77 64");
  thirl_addr gateway = r.topology->nets[0].gateways[1].addr;
  char to[THIRL_ADDR_TEXT_MAX];
  rig_send_from(
      &r, "s",
      &(rig_send){.from = "[2001:db8::10]:9", .to = thirl_addr_format(&gateway, to), .protocol = 58, .type = 128});
  assert_string_equal(rig_text(rig_only(&r, "s")) + strlen(to), " > [2001:db8::10]:0 ICMP 129/0 id 9 64");
  rig_clear(&r);
  rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:5000", .to = "203.0.113.254:53"});
  assert_string_equal(rig_error_text(rig_only(&r, "s")), "3/3 0 203.0.113.10:5000 > 203.0.113.254:53 UDP 64");
  rig_clear(&r);
  rig_send_from(
      &r, "s", &(rig_send){.from = "203.0.113.10:5000", .to = "203.0.113.254:53", .protocol = 6, .flags = 2, .seq = 9});
  rig_gets(&r, "s", "203.0.113.254:53 > 203.0.113.10:5000 TCP RA 64");
  rig_close(&r);
}

static void says_what_does_not_get_through(void **state) {
  (void)state;
  rig r;
  rig_open(&r, two_nets);
  rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:5000", .to = "198.51.100.10:80", .ttl = 1});
  const rig_packet *p = rig_only(&r, "s");
  assert_string_equal(rig_text(p), "203.0.113.254:0 > 203.0.113.10:0 ICMP 11/0 64");
  assert_string_equal(rig_error_text(p), "11/0 0 203.0.113.10:5000 > 198.51.100.10:80 UDP 1");
  rig_clear(&r);
  rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:5000", .to = "8.8.8.8:80"});
  assert_string_equal(rig_error_text(rig_only(&r, "s")), "3/0 0 203.0.113.10:5000 > 8.8.8.8:80 UDP 64");
  rig_clear(&r);
  rig_send_from(&r, "s", &(rig_send){.from = "[2001:db8::10]:5000", .to = "[2001:db8:9::1]:80", .payload = "x"});
  assert_string_equal(rig_error_text(rig_only(&r, "s")), "1/0 0 [2001:db8::10]:5000 > [2001:db8:9::1]:80 UDP 64");
  rig_clear(&r);
  /* An error about an error is never sent. */
  rig_send_from(&r, "s",
                &(rig_send){.from = "203.0.113.10", .to = "8.8.8.8", .protocol = 1, .type = 3, .payload_len = 28});
  rig_send_from(&r, "s",
                &(rig_send){.from = "203.0.113.10", .to = "198.51.100.10", .protocol = 1, .type = 11, .ttl = 1});
  assert_int_equal(r.n, 0);
  rig_close(&r);
}

static void asks_three_times_and_gives_up(void **state) {
  (void)state;
  thirl_lab_note note;
  rig r;
  rig_open(&r, two_nets);
  thirl_time start = r.now;
  r.silent[rig_port(&r, "f")] = true;
  rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:5000", .to = "198.51.100.10:80", .payload = "a"});
  assert_int_equal(r.n_questions, 1);
  rig_run(&r, start + 3 * THIRL_S - 1);
  assert_int_equal(r.n_questions, 3);
  assert_int_equal(r.n, 0);
  assert_false(thirl_lab_engine_note(r.engine, &note));
  rig_run(&r, start + 3 * THIRL_S);
  assert_int_equal(r.n_questions, 3);
  assert_string_equal(rig_error_text(rig_only(&r, "s")), "3/1 0 203.0.113.10:5000 > 198.51.100.10:80 UDP 63");
  assert_true(thirl_lab_engine_note(r.engine, &note));
  assert_int_equal(note.kind, THIRL_LAB_NOTE_UNREACHABLE);
  assert_int_equal(note.at, start + 3 * THIRL_S);
  assert_int_equal(note.node, SIZE_MAX);
  thirl_addr f = thirl_addr_v4(198, 51, 100, 10, 0);
  assert_true(thirl_addr_equal(&note.addr, &f));
  rig_clear(&r);
  /* It comes back; what waits for the answer arrives, in order. */
  rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:5000", .to = "198.51.100.10:80", .payload = "b"});
  rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:5000", .to = "198.51.100.10:80", .payload = "c"});
  assert_int_equal(r.n, 0);
  r.silent[rig_port(&r, "f")] = false;
  rig_run(&r, r.now + THIRL_S);
  assert_int_equal(r.n, 2);
  assert_string_equal(rig_text(&r.got[0]), "203.0.113.10:5000 > 198.51.100.10:80 UDP 63 b");
  assert_string_equal(rig_text(&r.got[1]), "203.0.113.10:5000 > 198.51.100.10:80 UDP 63 c");
  rig_close(&r);
}

static void forgets_neighbours_that_nobody_needs(void **state) {
  (void)state;
  rig r;
  rig_open(&r, two_nets);
  rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:5000", .to = "198.51.100.10:80"});
  assert_int_equal(r.n_questions, 1);
  rig_run(&r, r.now + 10 * THIRL_S);
  rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:5000", .to = "198.51.100.10:80"});
  assert_int_equal(r.n_questions, 1);
  rig_run(&r, r.now + 20 * THIRL_S); /* it was used since: asked again, once, and straight */
  assert_int_equal(r.n_questions, 2);
  rig_run(&r, r.now + 300 * THIRL_S);
  assert_int_equal(r.n_questions, 2);
  assert_int_equal(thirl_lab_engine_deadline(r.engine), THIRL_NEVER);
  rig_close(&r);
}

static void frames_pass_whole_and_in_place_where_nothing_happens_to_them(void **state) {
  (void)state;
  static uint8_t frame[RIG_FRAME_MAX];
  uint8_t vnet[RIG_VNET];
  size_t n;
  rig r;
  rig_open(&r, two_nets);
  rig_send like = {.from = "203.0.113.10:1",
                   .to = "198.51.100.10:2",
                   .protocol = 6,
                   .flags = 0x10,
                   .payload_len = 60000,
                   .gso = 1448};
  rig_send_from(&r, "s", &like);
  const rig_packet *p = rig_only(&r, "f");
  assert_int_equal(p->len, RIG_ETH + 20 + 20 + 60000);
  assert_int_equal(p->vnet[1], 1);
  rig_clear(&r);
  size_t len = rig_write(&like, vnet, frame);
  memcpy(frame, r.learned[rig_port(&r, "s")], 6);
  thirl_lab_engine_input(r.engine, r.now, rig_port(&r, "s"), vnet, frame, len);
  const thirl_lab_fabric_frame *out = thirl_lab_engine_frames(r.engine, &n);
  assert_int_equal(n, 1);
  assert_ptr_equal(out[0].data, frame);
  assert_ptr_equal(out[0].vnet, vnet);
  thirl_lab_engine_clear(r.engine);
  rig_close(&r);
}

static void captures_are_pcap(void **state) {
  (void)state;
  rig r;
  rig_open(&r, two_nets);
  thirl_lab_engine_port s = thirl_lab_engine_get_port(r.engine, rig_port(&r, "s"));
  uint64_t missed = 9;
  assert_int_equal(thirl_lab_engine_capture_take(r.engine, s, &missed).n, 0);
  assert_int_equal(thirl_lab_engine_capture(r.engine, s, 5 * THIRL_S, 0), THIRL_OK);
  assert_int_equal(thirl_lab_engine_capture(r.engine, s, 0, 0), THIRL_E_IN_USE);
  thirl_bytes b = thirl_lab_engine_capture_take(r.engine, s, &missed);
  uint32_t words[6];
  assert_int_equal(b.n, 24);
  memcpy(words, b.p, 24);
  assert_int_equal(words[0], 0xa1b2c3d4);
  assert_int_equal(words[5], 1);
  r.now += 42;
  rig_send_from(&r, "s",
                &(rig_send){.from = "203.0.113.10:5000", .to = "203.0.113.11:80", .payload = "x", .unfinished = true});
  b = thirl_lab_engine_capture_take(r.engine, s, &missed);
  /* The question, the answer, and the packet, whose checksum the card would have done. */
  size_t at = 0, lens[] = {42, 42, 43};
  uint8_t done[RIG_VNET] = {0};
  for (int i = 0; i < 3; i++) {
    memcpy(words, b.p + at, 16);
    assert_int_equal(words[0], 1005);
    assert_int_equal(words[1], 42);
    assert_int_equal(words[2], lens[i]);
    assert_int_equal(words[3], lens[i]);
    if (i == 2) assert_true(rig_is_sound(done, b.p + at + 16, lens[i]));
    at += 16 + lens[i];
  }
  assert_int_equal(at, b.n);
  assert_int_equal(missed, 0);
  thirl_lab_engine_capture_stop(r.engine, s);
  rig_close(&r);
}

static void odd_frames_are_dropped(void **state) {
  (void)state;
  uint8_t vnet[RIG_VNET], frame[300] = {0};
  rig r;
  rig_open(&r, two_nets);
  rig_send like = {.from = "203.0.113.10:5000", .to = "198.51.100.10:80", .payload = "hello"};
  rig_send_from(&r, "s", &like);
  rig_clear(&r);
  size_t port = rig_port(&r, "s"), len = rig_write(&like, vnet, frame);
  memcpy(frame, r.learned[port], 6);
  for (size_t n = 0; n < len; n++)
    rig_frame(&r, port, vnet, frame, n);
  frame[24] ^= 1; /* the checksum of the IP header */
  rig_frame(&r, port, vnet, frame, len);
  frame[24] ^= 1;
  frame[26] = 224; /* from a group */
  rig_frame(&r, port, vnet, frame, len);
  assert_int_equal(r.n, 0);
  len = rig_write(&like, vnet, frame);
  memcpy(frame, r.learned[port], 6);
  memcpy(frame + len, "padding", 7); /* as of a short frame on a real wire */
  rig_frame(&r, port, vnet, frame, len + 7);
  assert_int_equal(rig_count(&r, "f"), 1);
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(routes_between_the_nets_of_the_internet),
      cmocka_unit_test(neighbours_talk_without_the_router),
      cmocka_unit_test(broadcast_and_multicast_stay_on_the_net),
      cmocka_unit_test(answers_pings_to_its_own_addresses),
      cmocka_unit_test(says_what_does_not_get_through),
      cmocka_unit_test(asks_three_times_and_gives_up),
      cmocka_unit_test(forgets_neighbours_that_nobody_needs),
      cmocka_unit_test(frames_pass_whole_and_in_place_where_nothing_happens_to_them),
      cmocka_unit_test(captures_are_pcap),
      cmocka_unit_test(odd_frames_are_dropped),
  };
  return cmocka_run_group_tests_name("lab/engine", tests, NULL, NULL);
}
