/* SPDX-License-Identifier: MIT */
/*
 * The engine when there is no memory: whichever allocation fails, it only loses packets. The n-th one fails, for every n, while hosts resolve each
 * other, talk through a NAT over links of all kinds, and events come about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lab/internet/engine.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

enum { NEVER_FAILS = -1, FRAME_LEN = 14 + 28 };

static long until_failure = NEVER_FAILS;
static bool has_failed;

#ifndef SANITIZED
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool fails_now(void) {
  if (until_failure == NEVER_FAILS || until_failure-- != 0) return false;
  until_failure = NEVER_FAILS;
  has_failed = true;
  return true;
}

void *malloc(size_t n) {
  return fails_now() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size) {
  return fails_now() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n) {
  return fails_now() ? NULL : __libc_realloc(p, n);
}
#endif

static const char text[] = "seed 7\n"
                           "net inet 203.0.113.0/24 2001:db8::/64\n"
                           "host s inet 203.0.113.10\n"
                           "nat  h inet 203.0.113.1 lan 192.168.1.0/24 preset=fullcone tcp.unsolicited=hold\n"
                           "host a h 192.168.1.10\n"
                           "link h up latency=2ms duplicate=50% reorder=50%\n"
                           "link s rate=1mbit queue=2K\n"
                           "at 40ms nat h reboot\n"
                           "at 80ms host a move inet 203.0.113.50\n";

static void ask(thirl_lab_engine_machine *e, thirl_time now, size_t port, const char *from, const char *for_whom) {
  uint8_t vnet[THIRL_LAB_VNET_LEN] = {0}, frame[FRAME_LEN];
  thirl_addr a, b;
  thirl_addr_parse(from, &a);
  thirl_addr_parse(for_whom, &b);
  thirl_lab_arp arp = {.is_request = true, .sender_mac = {6, 0, 0, 0, 0, (uint8_t)port}};
  arp.sender = thirl_lab_wire_get32(a.ip);
  arp.target = thirl_lab_wire_get32(b.ip);
  thirl_lab_wire_arp_encode(&arp, NULL, frame);
  thirl_lab_engine_input(e, now, port, vnet, frame, sizeof frame);
}

/* A datagram to the MAC of an interface of the engine, which number says. */
static void say(thirl_lab_engine_machine *e, thirl_time now, size_t port, uint8_t number, const char *from,
                const char *to) {
  uint8_t vnet[THIRL_LAB_VNET_LEN] = {0},
          frame[60] = {0x02, 0x74, 0, 0, 0, number, 6, 0, 0, 0, 0, (uint8_t)port, 8, 0, 0x45}, *ip = frame + 14;
  thirl_addr a, b;
  thirl_addr_parse(from, &a);
  thirl_addr_parse(to, &b);
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_TOTAL_LEN, sizeof frame - 14);
  ip[THIRL_LAB_IP_TTL] = 9;
  ip[THIRL_LAB_IP_PROTOCOL] = THIRL_LAB_PROTOCOL_UDP;
  memcpy(ip + THIRL_LAB_IP_SOURCE, a.ip, 4);
  memcpy(ip + THIRL_LAB_IP_DESTINATION, b.ip, 4);
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_CHECKSUM, thirl_lab_wire_checksum(ip, THIRL_LAB_IP_LEN_MIN, 0));
  thirl_lab_wire_put16(ip + 20, a.port);
  thirl_lab_wire_put16(ip + 22, b.port);
  thirl_lab_wire_put16(ip + 24, sizeof frame - 34);
  thirl_lab_engine_input(e, now, port, vnet, frame, sizeof frame);
}

/* Frames that came out for the server. */
static size_t play(thirl_lab_topology *t) {
  thirl_time now = THIRL_S;
  size_t n, sent = 0;
  thirl_lab_engine_machine *e = thirl_lab_engine_new(t, now);
  if (!e) return 0;
  thirl_lab_engine_port a = {.node = 2};
  (void)thirl_lab_engine_capture(e, a, 0, 0);
  ask(e, now, 0, "203.0.113.10", "203.0.113.1");
  ask(e, now, 1, "192.168.1.10", "192.168.1.1");
  for (int i = 0; i < 30; i++, now += 4 * THIRL_MS) {
    say(e, now, 1, 3, "192.168.1.10:5000", i % 3 ? "203.0.113.10:80" : "203.0.113.77:80");
    say(e, now, 0, 2, "203.0.113.10:80", "203.0.113.1:5000");
    thirl_lab_engine_tick(e, now + THIRL_MS);
    const thirl_lab_fabric_frame *f = thirl_lab_engine_frames(e, &n);
    for (size_t k = 0; k < n; k++)
      sent += f[k].port == 0;
    thirl_lab_engine_clear(e);
  }
  for (thirl_lab_note note; thirl_lab_engine_note(e, &note);)
    ;
  thirl_lab_engine_tick(e, now + 10 * THIRL_S);
  thirl_lab_engine_free(e);
  return sent;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
#ifdef SANITIZED
  skip(); /* its malloc is its own */
#endif
  thirl_lab_topology *t;
  thirl_lab_complaint why;
  long failures = 0;
  for (long n = 0;; n++) {
    assert_int_equal(thirl_lab_topology_read("test", text, sizeof text - 1, &t, &why), THIRL_OK); /* events change it */
    has_failed = false;
    until_failure = n;
    size_t sent = play(t);
    until_failure = NEVER_FAILS;
    thirl_lab_topology_free(t);
    if (has_failed) {
      failures++;
      continue;
    }
    assert_in_range(sent, 20, 200); /* with all its memory it has something to say */
    break;
  }
  print_message("%ld allocations failed in turn\n", failures);
  assert_true(failures > 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
  return cmocka_run_group_tests_name("lab/engine_malloc", tests, NULL, NULL);
}
