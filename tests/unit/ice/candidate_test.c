/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ice/candidate.h"

/* RFC 8445 5.1.2.1 and the example of RFC 6544 4.5 */
static void priorities_are_those_of_the_rfcs(void **state) {
  (void)state;
  assert_int_equal(thirl_ice_candidate_priority(THIRL_ICE_HOST, THIRL_ICE_UDP, 65535), 2130706431);
  assert_int_equal(thirl_ice_candidate_priority(THIRL_ICE_SRFLX, THIRL_ICE_UDP, 65535), 1694498815);
  assert_int_equal(thirl_ice_candidate_priority(THIRL_ICE_PRFLX, THIRL_ICE_UDP, 65535), 1862270975);
  assert_int_equal(thirl_ice_candidate_priority(THIRL_ICE_RELAY, THIRL_ICE_UDP, 65535), 16777215);
  assert_int_equal(thirl_ice_candidate_priority(THIRL_ICE_HOST, THIRL_ICE_TCP_ACTIVE, 8191), 2128609279);
  assert_int_equal(thirl_ice_candidate_priority(THIRL_ICE_HOST, THIRL_ICE_TCP_PASSIVE, 8191), 2124414975);
  assert_int_equal(thirl_ice_candidate_priority(THIRL_ICE_HOST, THIRL_ICE_TCP_SO, 8191), 2120220671);
  assert_int_equal(thirl_ice_candidate_priority(THIRL_ICE_SRFLX, THIRL_ICE_TCP_ACTIVE, 8191), 1688207359);
  assert_int_equal(thirl_ice_candidate_priority(THIRL_ICE_SRFLX, THIRL_ICE_TCP_PASSIVE, 8191), 1684013055);
  assert_int_equal(thirl_ice_candidate_priority(THIRL_ICE_SRFLX, THIRL_ICE_TCP_SO, 8191), 1692401663);
  assert_int_equal(thirl_ice_candidate_priority(THIRL_ICE_RELAY, THIRL_ICE_TCP_ACTIVE, 8191), 14680063);
}

static void a_preference_beyond_the_range_is_the_largest(void **state) {
  (void)state;
  assert_int_equal(thirl_ice_candidate_priority(THIRL_ICE_HOST, THIRL_ICE_UDP, 1u << 30), 2130706431);
  assert_int_equal(thirl_ice_candidate_priority(THIRL_ICE_HOST, THIRL_ICE_TCP_SO, 8192), 2120220671);
}

static void the_priority_in_a_check_is_that_of_a_prflx_candidate(void **state) {
  (void)state;
  thirl_ice_candidate c = {.type = THIRL_ICE_HOST, .transport = THIRL_ICE_UDP, .priority = 2130706431 - 256};
  assert_int_equal(thirl_ice_candidate_prflx_priority(&c), 1862270975 - 256);
  c = (thirl_ice_candidate){.type = THIRL_ICE_HOST, .transport = THIRL_ICE_TCP_SO, .priority = 2120220671};
  assert_int_equal(thirl_ice_candidate_prflx_priority(&c),
                   thirl_ice_candidate_priority(THIRL_ICE_PRFLX, THIRL_ICE_TCP_SO, 8191));
}

static void a_foundation_tells_type_base_transport_and_server(void **state) {
  (void)state;
  thirl_addr s1 = thirl_addr_v4(198, 51, 100, 1, 3478), s2 = thirl_addr_v4(198, 51, 100, 2, 3478);
  thirl_ice_candidate a = {.type = THIRL_ICE_SRFLX, .base = thirl_addr_v4(10, 0, 0, 1, 1000)}, b = a;
  b.base.port = 2000;
  b.addr = thirl_addr_v4(203, 0, 113, 1, 5);
  assert_int_equal(thirl_ice_candidate_foundation(&a, &s1), thirl_ice_candidate_foundation(&b, &s1));
  assert_int_not_equal(thirl_ice_candidate_foundation(&a, &s1), thirl_ice_candidate_foundation(&a, &s2));
  assert_int_not_equal(thirl_ice_candidate_foundation(&a, &s1), thirl_ice_candidate_foundation(&a, NULL));
  b.transport = THIRL_ICE_TCP_SO;
  assert_int_not_equal(thirl_ice_candidate_foundation(&a, NULL), thirl_ice_candidate_foundation(&b, NULL));
  b = a;
  b.type = THIRL_ICE_HOST;
  assert_int_not_equal(thirl_ice_candidate_foundation(&a, NULL), thirl_ice_candidate_foundation(&b, NULL));
  b = a;
  b.base = thirl_addr_v4(10, 0, 0, 2, 1000);
  assert_int_not_equal(thirl_ice_candidate_foundation(&a, NULL), thirl_ice_candidate_foundation(&b, NULL));
}

static void transports_pair_as_rfc_6544_says(void **state) {
  (void)state;
  static const bool yes[4][4] = {
      {true}, {false, false, true, false}, {false, true, false, false}, {false, false, false, true}};
  for (int l = 0; l < 4; l++)
    for (int r = 0; r < 4; r++)
      assert_int_equal(thirl_ice_candidate_matches((thirl_ice_transport)l, (thirl_ice_transport)r), yes[l][r]);
}

/* RFC 8839 and RFC 6544 4.5 */
static const char *const examples[] = {
    "1 1 UDP 2130706431 203.0.113.141 8998 typ host",
    "2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998",
    "1 1 UDP 2130706431 2001:db8::1 6054 typ host",
    "1 1 TCP 2128609279 10.0.1.1 9 typ host tcptype active",
    "2 1 TCP 2124414975 10.0.1.1 8998 typ host tcptype passive",
    "3 1 TCP 2120220671 10.0.1.1 8999 typ host tcptype so",
    "4 1 TCP 1688207359 192.0.2.3 9 typ srflx raddr 10.0.1.1 rport 9 tcptype active",
    "5 1 TCP 1684013055 192.0.2.3 45664 typ srflx raddr 10.0.1.1 rport 8998 tcptype passive",
    "6 1 TCP 1692401663 192.0.2.3 45687 typ srflx raddr 10.0.1.1 rport 8999 tcptype so",
    "7 1 UDP 16777215 198.51.100.7 50000 typ relay raddr 192.0.2.3 rport 45664",
    "8 1 UDP 1862270975 192.0.2.9 4711 typ prflx",
};

static void the_examples_of_the_rfcs_survive_the_round_trip(void **state) {
  (void)state;
  char text[THIRL_ICE_CANDIDATE_TEXT_MAX];
  for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
    thirl_ice_candidate c;
    assert_int_equal(thirl_ice_candidate_parse(examples[i], &c), THIRL_OK);
    assert_int_equal(thirl_ice_candidate_format(&c, text, sizeof text), THIRL_OK);
    assert_string_equal(text, examples[i]);
  }
}

static void an_example_is_read_to_the_last_field(void **state) {
  (void)state;
  thirl_ice_candidate c;
  assert_int_equal(thirl_ice_candidate_parse(examples[8], &c), THIRL_OK);
  thirl_addr addr = thirl_addr_v4(192, 0, 2, 3, 45687), related = thirl_addr_v4(10, 0, 1, 1, 8999);
  assert_int_equal(c.type, THIRL_ICE_SRFLX);
  assert_int_equal(c.transport, THIRL_ICE_TCP_SO);
  assert_int_equal(c.foundation, 6);
  assert_int_equal(c.priority, 1692401663);
  assert_true(thirl_addr_equal(&c.addr, &addr));
  assert_true(thirl_addr_equal(&c.related, &related));
  assert_false(thirl_addr_is_set(&c.base));
}

static void what_browsers_write_is_read(void **state) {
  (void)state;
  thirl_ice_candidate c;
  assert_int_equal(
      thirl_ice_candidate_parse("candidate:842163049 1 udp 1677729535 192.0.2.15 60065 typ srflx raddr 10.0.1.5 rport "
                                "60065 generation 0 ufrag sXP5 network-cost 999",
                                &c),
      THIRL_OK);
  assert_int_equal(c.foundation, 842163049);
  assert_int_equal(c.addr.port, 60065);
  assert_int_equal(thirl_ice_candidate_parse(
                       "a=candidate:H76f0ae12 1 tcp 1518280447 192.0.2.7 0 typ host tcptype active generation 0", &c),
                   THIRL_OK);
  assert_int_equal(c.transport, THIRL_ICE_TCP_ACTIVE);
  assert_int_not_equal(c.foundation, 0);
  thirl_ice_candidate other;
  assert_int_equal(thirl_ice_candidate_parse("H76f0ae13 1 udp 1 192.0.2.7 1 typ host", &other), THIRL_OK);
  assert_int_not_equal(c.foundation, other.foundation);
}

static void bad_text_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *text;
    thirl_error error;
  } bad[] = {
      {"", THIRL_E_SYNTAX},
      {"1", THIRL_E_SYNTAX},
      {"1 1 UDP", THIRL_E_SYNTAX},
      {"1 0 UDP 1 192.0.2.1 1 typ host", THIRL_E_SYNTAX},
      {"1 2 UDP 1 192.0.2.1 1 typ host", THIRL_E_UNSUPPORTED},
      {"1 1 SCTP 1 192.0.2.1 1 typ host", THIRL_E_UNSUPPORTED},
      {"1 1 UDP 0 192.0.2.1 1 typ host", THIRL_E_SYNTAX},
      {"1 1 UDP 2147483648 192.0.2.1 1 typ host", THIRL_E_SYNTAX},
      {"1 1 UDP -1 192.0.2.1 1 typ host", THIRL_E_SYNTAX},
      {"1 1 UDP 1 192.0.2.256 1 typ host", THIRL_E_SYNTAX},
      {"1 1 UDP 1 192.0.2.1:5 1 typ host", THIRL_E_SYNTAX},
      {"1 1 UDP 1 [2001:db8::1] 1 typ host", THIRL_E_SYNTAX},
      {"1 1 UDP 1 f0e1.local 1 typ host", THIRL_E_UNSUPPORTED},
      {"1 1 UDP 1 192.0.2.1 65536 typ host", THIRL_E_SYNTAX},
      {"1 1 UDP 1 192.0.2.1 1 typ", THIRL_E_SYNTAX},
      {"1 1 UDP 1 192.0.2.1 1 type host", THIRL_E_SYNTAX},
      {"1 1 UDP 1 192.0.2.1 1 typ guest", THIRL_E_UNSUPPORTED},
      {"1 1 UDP 1 192.0.2.1 1 typ host generation", THIRL_E_SYNTAX},
      {"1 1 UDP 1 192.0.2.1 1 typ srflx raddr 10.0.0.1", THIRL_E_SYNTAX},
      {"1 1 UDP 1 192.0.2.1 1 typ srflx raddr 10.0.0.1 rport x", THIRL_E_SYNTAX},
      {"1 1 TCP 1 192.0.2.1 1 typ host", THIRL_E_SYNTAX},
      {"1 1 TCP 1 192.0.2.1 1 typ host tcptype", THIRL_E_SYNTAX},
      {"1 1 TCP 1 192.0.2.1 1 typ host tcptype sideways", THIRL_E_UNSUPPORTED},
      {"a:b 1 UDP 1 192.0.2.1 1 typ host", THIRL_E_SYNTAX},
      {"012345678901234567890123456789012 1 UDP 1 192.0.2.1 1 typ host", THIRL_E_SYNTAX},
  };
  static const thirl_ice_candidate zero;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    thirl_ice_candidate c;
    memset(&c, 0xff, sizeof c);
    assert_int_equal(thirl_ice_candidate_parse(bad[i].text, &c), bad[i].error);
    assert_memory_equal(&c, &zero, sizeof c);
  }
}

static void a_small_buffer_is_told(void **state) {
  (void)state;
  thirl_ice_candidate c;
  char text[THIRL_ICE_CANDIDATE_TEXT_MAX];
  assert_int_equal(thirl_ice_candidate_parse(examples[0], &c), THIRL_OK);
  size_t n = strlen(examples[0]);
  assert_int_equal(thirl_ice_candidate_format(&c, text, n), THIRL_E_SPACE);
  assert_int_equal(thirl_ice_candidate_format(&c, text, n + 1), THIRL_OK);
  memset(&c, 0, sizeof c);
  assert_int_equal(thirl_ice_candidate_format(&c, text, sizeof text), THIRL_E_INVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(priorities_are_those_of_the_rfcs),
      cmocka_unit_test(a_preference_beyond_the_range_is_the_largest),
      cmocka_unit_test(the_priority_in_a_check_is_that_of_a_prflx_candidate),
      cmocka_unit_test(a_foundation_tells_type_base_transport_and_server),
      cmocka_unit_test(transports_pair_as_rfc_6544_says),
      cmocka_unit_test(the_examples_of_the_rfcs_survive_the_round_trip),
      cmocka_unit_test(an_example_is_read_to_the_last_field),
      cmocka_unit_test(what_browsers_write_is_read),
      cmocka_unit_test(bad_text_is_refused),
      cmocka_unit_test(a_small_buffer_is_told),
  };
  return cmocka_run_group_tests_name("ice/candidate", tests, NULL, NULL);
}
