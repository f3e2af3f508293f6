/* SPDX-License-Identifier: MIT */
/* The routers of an engine: hops, ways, families, and what happens to them while they run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rig.h"

enum { ICMP6 = 58 };

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

static void apply(rig *r, const char *line) {
  thirl_lab_event event;
  thirl_lab_complaint why;
  if (thirl_lab_topology_read_event(r->topology, line, &event, &why) != THIRL_OK) fail_msg("%s", why.text);
  assert_int_equal(thirl_lab_engine_apply(r->engine, r->now, &event), THIRL_OK);
}

static void send(rig *r, const char *host, const char *from, const char *to, const char *payload) {
  rig_send_from(r, host, &(rig_send){.from = from, .to = to, .payload = payload});
}

static void hops_end_at_the_nat(void **state) {
  (void)state;
  rig r;
  open_with(&r, "");
  rig_send_from(&r, "a", &(rig_send){.from = "192.168.1.10:5000", .to = "203.0.113.10:80", .ttl = 1});
  assert_string_equal(rig_text(rig_only(&r, "a")), "192.168.1.1:0 > 192.168.1.10:0 ICMP 11/0 64");
  rig_clear(&r);
  rig_send_from(&r, "a", &(rig_send){.from = "192.168.1.10:5000", .to = "203.0.113.10:80", .ttl = 2});
  rig_gets(&r, "s", "203.0.113.1:5000 > 203.0.113.10:80 UDP 1");
  rig_send_from(&r, "s", &(rig_send){.from = "203.0.113.10:80", .to = "203.0.113.1:5000", .ttl = 1});
  assert_string_equal(rig_error_text(rig_only(&r, "s")), "11/0 0 203.0.113.10:80 > 203.0.113.1:5000 UDP 1");
  rig_clear(&r);
  /* The internet's router says it about the outer packet; the NAT makes it the inner one again. */
  rig_send_from(&r, "a", &(rig_send){.from = "192.168.1.10:5000", .to = "8.8.8.8:80"});
  assert_string_equal(rig_text(rig_only(&r, "a")), "203.0.113.254:0 > 192.168.1.10:0 ICMP 3/0 63");
  assert_string_equal(rig_error_text(rig_only(&r, "a")), "3/0 0 192.168.1.10:5000 > 8.8.8.8:80 UDP 63");
  rig_close(&r);
}

static void nobody_at_the_other_end(void **state) {
  (void)state;
  rig r;
  open_with(&r, "");
  r.silent[rig_port(&r, "t")] = true;
  send(&r, "a", "192.168.1.10:5000", "203.0.113.11:80", "x");
  assert_int_equal(r.n, 0);
  rig_run(&r, r.now + 3 * THIRL_S);
  assert_string_equal(rig_text(rig_only(&r, "a")), "203.0.113.1:0 > 192.168.1.10:0 ICMP 3/1 64");
  assert_string_equal(rig_error_text(rig_only(&r, "a")), "3/1 0 192.168.1.10:5000 > 203.0.113.11:80 UDP 63");
  rig_close(&r);
}

static void ipv6_meets_a_firewall(void **state) {
  (void)state;
  rig r;
  open_with(&r, "");
  send(&r, "s", "[2001:db8::10]:80", "[2001:db8:1::10]:5000", "x");
  assert_int_equal(r.n, 0);
  send(&r, "a", "[2001:db8:1::10]:5000", "[2001:db8::10]:80", "question");
  rig_gets(&r, "s", "[2001:db8:1::10]:5000 > [2001:db8::10]:80 UDP 63 question");
  /* The way back leads over the router of the internet, which knows who has the prefix. */
  send(&r, "s", "[2001:db8::10]:80", "[2001:db8:1::10]:5000", "answer");
  rig_gets(&r, "a", "[2001:db8::10]:80 > [2001:db8:1::10]:5000 UDP 62 answer");
  send(&r, "s", "[2001:db8::10]:81", "[2001:db8:1::10]:5000", "x");
  assert_int_equal(r.n, 0);
  rig_send_from(&r, "s", &(rig_send){.from = "[2001:db8::10]:5", .to = "2001:db8::1", .protocol = ICMP6, .type = 128});
  rig_gets(&r, "s", "[2001:db8::1]:0 > [2001:db8::10]:0 ICMP 129/0 id 5 64");
  rig_close(&r);
}

static void one_nat_behind_another(void **state) {
  (void)state;
  rig r;
  rig_open(&r, "seed 3\n"
               "net inet 203.0.113.0/24\n"
               "host s inet 203.0.113.10\n"
               "nat cgn inet 203.0.113.2 lan 100.64.0.0/16 preset=fullcone alloc=preserve\n"
               "nat h cgn 100.64.0.7 lan 192.168.1.0/24 preset=portrestricted alloc=preserve\n"
               "host a h 192.168.1.10\n");
  send(&r, "a", "192.168.1.10:5000", "203.0.113.10:80", "x");
  rig_gets(&r, "s", "203.0.113.2:5000 > 203.0.113.10:80 UDP 62 x");
  send(&r, "s", "203.0.113.10:80", "203.0.113.2:5000", "y");
  rig_gets(&r, "a", "203.0.113.10:80 > 192.168.1.10:5000 UDP 62 y");
  send(&r, "s", "203.0.113.10:81", "203.0.113.2:5000", "y"); /* past the outer one, not the inner one */
  assert_int_equal(r.n, 0);
  rig_close(&r);
}

static void reboots_renumbers_and_changes(void **state) {
  (void)state;
  thirl_lab_note note;
  rig r;
  open_with(&r, "at 10s nat h reboot\n");
  thirl_time start = r.now;
  send(&r, "a", "192.168.1.10:5000", "203.0.113.10:80", "x");
  rig_clear(&r);
  rig_run(&r, start + 10 * THIRL_S - 1);
  send(&r, "s", "203.0.113.10:80", "203.0.113.1:5000", "x");
  assert_int_equal(r.n, 1);
  rig_clear(&r);
  rig_run(&r, start + 10 * THIRL_S);
  assert_true(thirl_lab_engine_note(r.engine, &note));
  assert_int_equal(note.kind, THIRL_LAB_NOTE_EVENT);
  assert_int_equal(note.event, 0);
  assert_int_equal(note.at, start + 10 * THIRL_S);
  send(&r, "s", "203.0.113.10:80", "203.0.113.1:5000", "x");
  assert_int_equal(r.n, 0);
  send(&r, "a", "192.168.1.10:5000", "203.0.113.10:80", "x");
  rig_gets(&r, "s", "203.0.113.1:5000 > 203.0.113.10:80 UDP 63 x");
  apply(&r, "nat h renumber 203.0.113.99");
  send(&r, "a", "192.168.1.10:5000", "203.0.113.10:80", "x");
  rig_gets(&r, "s", "203.0.113.99:5000 > 203.0.113.10:80 UDP 63 x");
  send(&r, "s", "203.0.113.10:80", "203.0.113.99:5000", "x");
  rig_gets(&r, "a", "203.0.113.10:80 > 192.168.1.10:5000 UDP 63 x");
  apply(&r, "nat h filter=eif");
  send(&r, "t", "203.0.113.11:1", "203.0.113.99:5000", "x");
  rig_gets(&r, "a", "203.0.113.11:1 > 192.168.1.10:5000 UDP 63 x");
  rig_close(&r);
}

static void a_host_moves(void **state) {
  (void)state;
  rig r;
  open_with(&r, "");
  send(&r, "a", "192.168.1.10:5000", "203.0.113.10:80", "at home");
  rig_gets(&r, "s", "203.0.113.1:5000 > 203.0.113.10:80 UDP 63 at home");
  apply(&r, "host a move inet 203.0.113.50");
  send(&r, "a", "203.0.113.50:5000", "203.0.113.10:80", "outside");
  rig_gets(&r, "s", "203.0.113.50:5000 > 203.0.113.10:80 UDP 64 outside");
  send(&r, "s", "203.0.113.10:80", "203.0.113.50:5000", "welcome");
  rig_gets(&r, "a", "203.0.113.10:80 > 203.0.113.50:5000 UDP 64 welcome");
  apply(&r, "host a move h 192.168.1.12");
  send(&r, "a", "192.168.1.12:5000", "203.0.113.10:80", "back");
  assert_int_equal(rig_count(&r, "s"), 1);
  rig_close(&r);
}

static void a_plain_router_hides_nothing(void **state) {
  (void)state;
  rig r;
  rig_open(&r, "seed 3\n"
               "net inet 203.0.113.0/24\n"
               "host s inet 203.0.113.10\n"
               "nat x inet 203.0.113.2 lan 198.51.100.0/24 preset=none\n"
               "host a x 198.51.100.10\n");
  send(&r, "s", "203.0.113.10:80", "198.51.100.10:5000", "in");
  rig_gets(&r, "a", "203.0.113.10:80 > 198.51.100.10:5000 UDP 62 in");
  send(&r, "a", "198.51.100.10:5000", "203.0.113.10:80", "out");
  rig_gets(&r, "s", "198.51.100.10:5000 > 203.0.113.10:80 UDP 63 out");
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hops_end_at_the_nat),           cmocka_unit_test(nobody_at_the_other_end),
      cmocka_unit_test(ipv6_meets_a_firewall),         cmocka_unit_test(one_nat_behind_another),
      cmocka_unit_test(reboots_renumbers_and_changes), cmocka_unit_test(a_host_moves),
      cmocka_unit_test(a_plain_router_hides_nothing),
  };
  return cmocka_run_group_tests_name("lab/gateway", tests, NULL, NULL);
}
