/* SPDX-License-Identifier: MIT */
/* Who stands at the door, for how long, and who has to go when it is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "session/anonymous.h"

#define T0 (1000 * THIRL_S)

static thirl_session_anonymous doors;
static thirl_net_id last;

static int setup(void **state) {
  (void)state;
  thirl_session_anonymous_init(&doors);
  last = THIRL_NET_ID_ACCEPTED;
  return 0;
}

static int teardown(void **state) {
  (void)state;
  thirl_session_anonymous_fini(&doors);
  return 0;
}

static thirl_session_door_verdict input(thirl_net_kind kind, thirl_net_id id, thirl_time now, thirl_addr from,
                                        thirl_bytes b) {
  thirl_net_event ev = {.kind = kind, .id = id, .remote = from, .payload = b};
  thirl_addr remote;
  return thirl_session_anonymous_input(&doors, now, &ev, &remote);
}

static thirl_net_id come(thirl_time now, thirl_addr from) {
  assert_int_equal(input(THIRL_NET_ACCEPTED, last, now, from, THIRL_BYTES("", 0)), THIRL_SESSION_DOOR_FINE);
  return last++;
}

static thirl_session_door_verdict say(thirl_net_id id, const char *p, size_t n) {
  static const thirl_addr nowhere;
  return input(THIRL_NET_DATA, id, T0, nowhere, THIRL_BYTES(p, n));
}

static thirl_addr from(uint8_t host) {
  return thirl_addr_v4(198, 51, 100, host, 4000);
}

static void one_packet_in_any_pieces(void **state) {
  (void)state;
  size_t at = 0;
  thirl_net_id id = come(T0, from(1));
  assert_null(thirl_session_anonymous_next_named(&doors, &at));
  static const char packet[] = {0, 3, 'a', 'b', 'c'};
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(say(id, packet + i, 1), THIRL_SESSION_DOOR_FINE);
  assert_null(thirl_session_anonymous_next_named(&doors, &at));
  assert_int_equal(say(id, packet + 4, 1), THIRL_SESSION_DOOR_FINE);
  thirl_session_door *d = thirl_session_anonymous_next_named(&doors, &at);
  assert_non_null(d);
  assert_int_equal(d->id, id);
  assert_int_equal(d->first_n, 3);
  assert_memory_equal(d->first, "abc", 3);
  assert_null(thirl_session_anonymous_next_named(&doors, &at));
}

/* Behind the first packet a ClientHello has room, in one piece with it or later; not more. */
static void what_comes_behind_the_first_packet_waits(void **state) {
  (void)state;
  static char rest[THIRL_SESSION_DOOR_REST_MAX + 1];
  size_t at = 0;
  thirl_net_id id = come(T0, from(1));
  assert_int_equal(say(id, "\x00\x01x\x00\x02yz", 7), THIRL_SESSION_DOOR_FINE);
  assert_int_equal(say(id, "\x00", 1), THIRL_SESSION_DOOR_FINE);
  thirl_session_door *d = thirl_session_anonymous_next_named(&doors, &at);
  assert_int_equal(d->first_n, 1);
  thirl_bytes waits = thirl_buffer_view(&d->rest);
  assert_int_equal(waits.n, 5);
  assert_memory_equal(waits.p, "\x00\x02yz\x00", 5);
  assert_int_equal(say(id, rest, THIRL_SESSION_DOOR_REST_MAX - 5), THIRL_SESSION_DOOR_FINE);
  assert_int_equal(say(id, rest, 1), THIRL_SESSION_DOOR_STRANGER);
  assert_false(thirl_session_anonymous_owns(&doors, id));
  id = come(T0, from(1));
  assert_int_equal(say(id, "\x00\x01x", 3), THIRL_SESSION_DOOR_FINE);
  assert_int_equal(say(id, rest, sizeof rest), THIRL_SESSION_DOOR_STRANGER);
  assert_false(thirl_session_anonymous_owns(&doors, id));
}

static void a_packet_longer_than_a_check_is_a_strangers(void **state) {
  (void)state;
  static const char big[2] = {(THIRL_SESSION_DOOR_PACKET_MAX + 1) >> 8, (THIRL_SESSION_DOOR_PACKET_MAX + 1) & 255};
  static const char fits[2 + THIRL_SESSION_DOOR_PACKET_MAX] = {THIRL_SESSION_DOOR_PACKET_MAX >> 8, 0};
  assert_int_equal(say(come(T0, from(1)), big, 2), THIRL_SESSION_DOOR_STRANGER);
  assert_int_equal(say(come(T0, from(1)), fits, sizeof fits), THIRL_SESSION_DOOR_FINE);
}

static void ten_seconds(void **state) {
  (void)state;
  thirl_net_id id = come(T0, from(1)), gone;
  (void)come(T0 + THIRL_S, from(2));
  assert_int_equal(thirl_session_anonymous_deadline(&doors), T0 + 10 * THIRL_S);
  assert_false(thirl_session_anonymous_expire(&doors, T0 + 10 * THIRL_S - 1, &gone));
  assert_true(thirl_session_anonymous_expire(&doors, T0 + 10 * THIRL_S, &gone));
  assert_int_equal(gone, id);
  assert_false(thirl_session_anonymous_expire(&doors, T0 + 10 * THIRL_S, &gone));
  assert_int_equal(thirl_session_anonymous_deadline(&doors), T0 + 11 * THIRL_S);
}

static void of_too_many_the_oldest_of_the_crowd(void **state) {
  (void)state;
  thirl_net_id gone, lone = come(T0, from(1)), first = come(T0, from(2)), named = come(T0, from(3));
  for (int i = 0; i < 30; i++)
    (void)come(T0, from(2));
  for (int i = 0; i < 30; i++)
    (void)come(T0, from(3));
  assert_int_equal(say(named, "\x00\x01x", 3), THIRL_SESSION_DOOR_FINE);
  while (doors.n < THIRL_SESSION_DOORS_MAX)
    (void)come(T0, from(2));
  assert_false(thirl_session_anonymous_expire(&doors, T0, &gone));
  (void)come(T0, from(1));
  assert_true(thirl_session_anonymous_expire(&doors, T0, &gone));
  assert_int_equal(gone, first);
  assert_false(thirl_session_anonymous_expire(&doors, T0, &gone));
  assert_true(thirl_session_anonymous_owns(&doors, lone));
}

/* One host has 2^64 addresses of its own. */
static void an_ipv6_network_is_one_crowd(void **state) {
  (void)state;
  uint8_t ip[16] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1};
  thirl_net_id gone, lone = come(T0, from(1)), first = 0;
  for (uint8_t i = 0; i < THIRL_SESSION_DOORS_MAX; i++) {
    ip[15] = i;
    thirl_net_id id = come(T0, thirl_addr_v6(ip, 1));
    if (i == 0) first = id;
  }
  assert_true(thirl_session_anonymous_expire(&doors, T0, &gone));
  assert_int_equal(gone, first);
  assert_true(thirl_session_anonymous_owns(&doors, lone));
}

static void ends(void **state) {
  (void)state;
  static const thirl_addr nowhere;
  thirl_net_id id = come(T0, from(1));
  assert_int_equal(input(THIRL_NET_EOF, id, T0, nowhere, THIRL_BYTES("", 0)), THIRL_SESSION_DOOR_STRANGER);
  id = come(T0, from(1));
  assert_int_equal(input(THIRL_NET_FAILED, id, T0, nowhere, THIRL_BYTES("", 0)), THIRL_SESSION_DOOR_GONE);
  assert_int_equal(doors.n, 0);
  assert_true(thirl_session_anonymous_deadline(&doors) == THIRL_NEVER);
  assert_int_equal(say(id, "x", 1), THIRL_SESSION_DOOR_FINE); /* nobody's */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(one_packet_in_any_pieces, setup, teardown),
      cmocka_unit_test_setup_teardown(what_comes_behind_the_first_packet_waits, setup, teardown),
      cmocka_unit_test_setup_teardown(a_packet_longer_than_a_check_is_a_strangers, setup, teardown),
      cmocka_unit_test_setup_teardown(ten_seconds, setup, teardown),
      cmocka_unit_test_setup_teardown(of_too_many_the_oldest_of_the_crowd, setup, teardown),
      cmocka_unit_test_setup_teardown(an_ipv6_network_is_one_crowd, setup, teardown),
      cmocka_unit_test_setup_teardown(ends, setup, teardown),
  };
  return cmocka_run_group_tests_name("session/anonymous", tests, NULL, NULL);
}
