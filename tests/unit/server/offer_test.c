/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "meet/offer.h"
#include "server/offer.h"

static thirl_error admit(thirl_meet_candidate_type type, const char *candidate, const char *sender) {
  thirl_meet_offer o = {.ufrag = "abcd", .pwd = "abcdefghijklmnopqrstuvwx", .n = 2};
  uint8_t bytes[THIRL_MEET_OFFER_MAX];
  size_t n;
  thirl_addr from;
  o.candidates[0].addr = thirl_addr_v4(192, 168, 0, 1, 9); /* a good one comes first */
  o.candidates[1].type = type;
  assert_int_equal(thirl_addr_parse(candidate, &o.candidates[1].addr), THIRL_OK);
  assert_int_equal(thirl_addr_parse(sender, &from), THIRL_OK);
  assert_int_equal(thirl_meet_offer_encode(&o, bytes, sizeof bytes, &n), THIRL_OK);
  return thirl_server_offer_admit(THIRL_BYTES(bytes, n), &from);
}

static void reflexive_candidates_are_the_senders_own(void **state) {
  (void)state;
  assert_int_equal(admit(THIRL_MEET_SRFLX, "198.51.100.1:5", "198.51.100.1:9"), THIRL_OK);
  assert_int_equal(admit(THIRL_MEET_PRFLX, "198.51.100.1:5", "198.51.100.1:9"), THIRL_OK);
  assert_int_equal(admit(THIRL_MEET_SRFLX, "[::ffff:198.51.100.1]:5", "198.51.100.1:9"), THIRL_OK);
  assert_int_equal(admit(THIRL_MEET_SRFLX, "[2001:db8::1]:5", "[2001:db8::1]:9"), THIRL_OK);
  assert_int_equal(admit(THIRL_MEET_SRFLX, "198.51.100.2:5", "198.51.100.1:9"), THIRL_E_INVALID);
  assert_int_equal(admit(THIRL_MEET_PRFLX, "198.51.100.2:5", "198.51.100.1:9"), THIRL_E_INVALID);
  assert_int_equal(admit(THIRL_MEET_SRFLX, "[2001:db8::2]:5", "[2001:db8::1]:9"), THIRL_E_INVALID);
  assert_int_equal(admit(THIRL_MEET_SRFLX, "[2001:db8::1]:5", "198.51.100.1:9"), THIRL_E_INVALID);
}

static void nobody_is_sent_where_nobody_may_probe(void **state) {
  (void)state;
  static const char *const forbidden[] = {
      "127.0.0.1:5", "0.0.0.0:5",   "224.0.0.1:5",          "255.255.255.255:5", "10.0.0.1:0",         "[::1]:5",
      "[::]:5",      "[ff02::1]:5", "[::ffff:127.0.0.1]:5", "[2002:7f00:1::]:5", "[64:ff9b::7f00:1]:5"};
  for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
    assert_int_equal(admit(THIRL_MEET_HOST, forbidden[i], "198.51.100.1:9"), THIRL_E_INVALID);
  assert_int_equal(admit(THIRL_MEET_HOST, "10.0.0.1:5", "198.51.100.1:9"), THIRL_OK);
  assert_int_equal(admit(THIRL_MEET_HOST, "[fe80::1]:5", "198.51.100.1:9"), THIRL_OK);
}

static void loopback_may_be_named_from_loopback(void **state) {
  (void)state;
  assert_int_equal(admit(THIRL_MEET_HOST, "127.0.0.1:5", "127.0.0.1:9"), THIRL_OK);
  assert_int_equal(admit(THIRL_MEET_SRFLX, "127.0.0.1:5", "127.0.0.1:9"), THIRL_OK);
  assert_int_equal(admit(THIRL_MEET_HOST, "[::1]:5", "[::1]:9"), THIRL_OK);
  assert_int_equal(admit(THIRL_MEET_HOST, "127.0.0.1:0", "127.0.0.1:9"), THIRL_E_INVALID);
  assert_int_equal(admit(THIRL_MEET_SRFLX, "127.0.0.2:5", "127.0.0.1:9"), THIRL_E_INVALID);
  assert_int_equal(admit(THIRL_MEET_HOST, "224.0.0.1:5", "127.0.0.1:9"), THIRL_E_INVALID);
}

static void other_bytes_are_no_offer(void **state) {
  (void)state;
  thirl_addr from = thirl_addr_v4(198, 51, 100, 1, 9);
  assert_int_equal(thirl_server_offer_admit(THIRL_BYTES("", 0), &from), THIRL_E_MALFORMED);
  assert_int_equal(thirl_server_offer_admit(THIRL_BYTES("hello", 5), &from), THIRL_E_MALFORMED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reflexive_candidates_are_the_senders_own),
      cmocka_unit_test(nobody_is_sent_where_nobody_may_probe),
      cmocka_unit_test(loopback_may_be_named_from_loopback),
      cmocka_unit_test(other_bytes_are_no_offer),
  };
  return cmocka_run_group_tests_name("server/offer", tests, NULL, NULL);
}
