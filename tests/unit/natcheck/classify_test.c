/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "natcheck/classify.h"

static thirl_addr server(int ip, int port) {
  return thirl_addr_v4(203, 0, 113, (uint8_t)(10 + ip), (uint16_t)(3478 + port));
}

static thirl_addr outer(uint16_t port) {
  return thirl_addr_v4(198, 51, 100, 1, port);
}

static const thirl_addr local = {.family = THIRL_FAMILY_V4, .port = 5000, .ip = {192, 168, 1, 10}};

static thirl_natcheck_mapping mapping(const thirl_natcheck_seen *seen, unsigned n, thirl_natcheck_why want) {
  thirl_natcheck_why why;
  thirl_natcheck_mapping m = thirl_natcheck_classify_mapping(&local, seen, n, &why);
  assert_int_equal(why, want);
  return m;
}

#define SEEN(...)                                                                                                      \
  (thirl_natcheck_seen[]) {                                                                                            \
    __VA_ARGS__                                                                                                        \
  }

static void the_three_mappings(void **state) {
  (void)state;
  thirl_addr a = server(0, 0), b = server(0, 1), c = server(1, 0), d = server(1, 1);
  assert_int_equal(mapping(SEEN({a, outer(1)}, {b, outer(1)}, {c, outer(1)}, {d, outer(1)}), 4, 0), THIRL_NATCHECK_EIM);
  assert_int_equal(mapping(SEEN({a, outer(1)}, {b, outer(1)}, {c, outer(2)}, {d, outer(2)}), 4, 0), THIRL_NATCHECK_ADM);
  assert_int_equal(mapping(SEEN({a, outer(1)}, {b, outer(2)}, {c, outer(3)}, {d, outer(4)}), 4, 0),
                   THIRL_NATCHECK_APDM);
  assert_int_equal(mapping(SEEN({a, local}, {d, local}), 2, 0), THIRL_NATCHECK_NO_MAPPING);
  /* Less is enough. */
  assert_int_equal(mapping(SEEN({a, outer(1)}, {d, outer(1)}), 2, 0), THIRL_NATCHECK_EIM);
  assert_int_equal(mapping(SEEN({a, outer(1)}, {b, outer(2)}), 2, 0), THIRL_NATCHECK_APDM);
  assert_int_equal(mapping(SEEN({a, outer(1)}, {c, outer(2)}, {d, outer(2)}), 3, 0), THIRL_NATCHECK_ADM);
  /* Another address for another destination is another mapping. */
  assert_int_equal(mapping(SEEN({a, outer(1)}, {b, thirl_addr_v4(198, 51, 100, 2, 1)}), 2, 0), THIRL_NATCHECK_APDM);
}

static void what_the_mapping_cannot_be_told_from(void **state) {
  (void)state;
  thirl_addr a = server(0, 0), b = server(0, 1), c = server(1, 0), e = server(2, 0);
  assert_int_equal(mapping(NULL, 0, THIRL_NATCHECK_WHY_NO_ANSWER), THIRL_NATCHECK_MAPPING_UNKNOWN);
  assert_int_equal(mapping(SEEN({a, outer(1)}), 1, THIRL_NATCHECK_WHY_NO_ALTERNATE), THIRL_NATCHECK_MAPPING_UNKNOWN);
  assert_int_equal(mapping(SEEN({a, outer(1)}, {a, outer(1)}), 2, THIRL_NATCHECK_WHY_NO_ALTERNATE),
                   THIRL_NATCHECK_MAPPING_UNKNOWN);
  assert_int_equal(mapping(SEEN({a, outer(1)}, {b, outer(1)}), 2, THIRL_NATCHECK_WHY_NO_ALTERNATE),
                   THIRL_NATCHECK_MAPPING_UNKNOWN);
  assert_int_equal(mapping(SEEN({a, outer(1)}, {c, outer(2)}), 2, THIRL_NATCHECK_WHY_NO_ALTERNATE),
                   THIRL_NATCHECK_MAPPING_UNKNOWN);
  assert_int_equal(mapping(SEEN({a, outer(1)}, {a, outer(2)}), 2, THIRL_NATCHECK_WHY_CONTRADICTION),
                   THIRL_NATCHECK_MAPPING_UNKNOWN);
  assert_int_equal(mapping(SEEN({a, outer(1)}, {c, outer(1)}, {e, outer(2)}), 3, THIRL_NATCHECK_WHY_CONTRADICTION),
                   THIRL_NATCHECK_MAPPING_UNKNOWN);
}

static void filtering(thirl_natcheck_knocks k, thirl_natcheck_filtering want, thirl_natcheck_filtering want_seems,
                      thirl_natcheck_why want_why) {
  thirl_natcheck_filtering seems;
  thirl_natcheck_why why;
  assert_int_equal(thirl_natcheck_classify_filtering(&k, &seems, &why), want);
  assert_int_equal(seems, want_seems);
  assert_int_equal(why, want_why);
}

static void the_three_filterings(void **state) {
  (void)state;
  const int unknown = THIRL_NATCHECK_FILTERING_UNKNOWN;
  filtering((thirl_natcheck_knocks){.from_other_ip = true}, THIRL_NATCHECK_EIF, THIRL_NATCHECK_EIF, 0);
  filtering((thirl_natcheck_knocks){.from_other_ip = true, .lossy = true, .ignored_port = true}, THIRL_NATCHECK_EIF,
            THIRL_NATCHECK_EIF, 0);
  filtering((thirl_natcheck_knocks){.from_other_port = true, .ip_proven = true}, THIRL_NATCHECK_ADF, THIRL_NATCHECK_ADF,
            0);
  filtering((thirl_natcheck_knocks){.port_proven = true}, THIRL_NATCHECK_APDF, THIRL_NATCHECK_APDF, 0);
  /* Silence without proof. */
  filtering((thirl_natcheck_knocks){.from_other_port = true, .port_proven = true}, unknown, THIRL_NATCHECK_ADF,
            THIRL_NATCHECK_WHY_UNPROVEN);
  filtering((thirl_natcheck_knocks){.ip_proven = true}, unknown, THIRL_NATCHECK_APDF, THIRL_NATCHECK_WHY_UNPROVEN);
  filtering((thirl_natcheck_knocks){.port_proven = true, .lossy = true}, unknown, unknown, THIRL_NATCHECK_WHY_LOSS);
  filtering((thirl_natcheck_knocks){.port_proven = true, .ignored_port = true}, unknown, unknown,
            THIRL_NATCHECK_WHY_IGNORED);
  filtering((thirl_natcheck_knocks){.from_other_port = true, .ip_proven = true, .ignored_ip = true}, unknown, unknown,
            THIRL_NATCHECK_WHY_IGNORED);
}

static void silence_needs_a_clean_path(void **state) {
  (void)state;
  assert_true(thirl_natcheck_classify_is_silence(8, 8, 8));
  assert_true(thirl_natcheck_classify_is_silence(8, 8, 7));
  assert_false(thirl_natcheck_classify_is_silence(8, 8, 5));
  assert_true(thirl_natcheck_classify_is_silence(16, 16, 10));
  assert_false(thirl_natcheck_classify_is_silence(3, 8, 8));
  assert_false(thirl_natcheck_classify_is_silence(24, 0, 0) && thirl_natcheck_classify_is_silence(8, 0, 0));
  assert_false(thirl_natcheck_classify_is_silence(24, 24, 0));
  assert_false(thirl_natcheck_classify_is_silence(0, 8, 8));
  assert_true(thirl_natcheck_classify_is_silence(8, 8, 9)); /* duplicates do not make it better than clean */
}

static thirl_addr ip(const char *text) {
  thirl_addr a;
  assert_int_equal(thirl_addr_parse(text, &a), THIRL_OK);
  return a;
}

static void inner_addresses(void **state) {
  static const char *const inner[] = {"10.1.2.3",    "172.16.0.1", "172.31.255.1", "192.168.0.1",
                                      "169.254.1.1", "100.64.0.1", "100.127.0.1",  "127.0.0.1",
                                      "fd00::1",     "fe80::1",    "::1"};
  static const char *const public[] = {"9.255.255.255", "11.0.0.1",   "172.15.0.1",  "172.32.0.1",  "192.167.0.1",
                                       "192.169.0.1",   "100.63.0.1", "100.128.0.1", "2001:db8::1", "203.0.113.1"};
  (void)state;
  for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
    thirl_addr a = ip(inner[i]);
    assert_true(thirl_natcheck_classify_is_inner(&a));
  }
  for (size_t i = 0; i < sizeof public / sizeof *public; i++) {
    thirl_addr a = ip(public[i]);
    assert_false(thirl_natcheck_classify_is_inner(&a));
  }
  assert_false(thirl_natcheck_classify_is_inner(&(thirl_addr){0}));
}

static void second_addresses(void **state) {
  (void)state;
  thirl_addr at = server(0, 0), good = server(1, 1), same_ip = server(0, 1), same_port = server(1, 0);
  thirl_addr loop = ip("127.0.0.2:3479"), group = ip("224.0.0.1:3479"), six = ip("[2001:db8::1]:3479");
  thirl_addr own = ip("127.0.0.1:3478"), none = thirl_addr_with_port(good, 0);
  assert_true(thirl_natcheck_classify_may_ask(&at, &good));
  assert_false(thirl_natcheck_classify_may_ask(&at, &same_ip));
  assert_false(thirl_natcheck_classify_may_ask(&at, &same_port));
  assert_false(thirl_natcheck_classify_may_ask(&at, &loop));
  assert_false(thirl_natcheck_classify_may_ask(&at, &group));
  assert_false(thirl_natcheck_classify_may_ask(&at, &six));
  assert_false(thirl_natcheck_classify_may_ask(&at, &none));
  assert_false(thirl_natcheck_classify_may_ask(&at, &(thirl_addr){0}));
  assert_true(thirl_natcheck_classify_may_ask(&own, &loop)); /* the user's own server on loopback */
}

static void claimed_addresses(void **state) {
  (void)state;
  thirl_addr at = server(0, 0), good = outer(40000), loop = ip("127.0.0.1:22"), group = ip("224.0.0.1:5000"),
             own = ip("127.0.0.1:3478");
  assert_true(thirl_natcheck_classify_may_meet(&at, &good));
  assert_false(thirl_natcheck_classify_may_meet(&at, &loop));
  assert_false(thirl_natcheck_classify_may_meet(&at, &group));
  assert_true(thirl_natcheck_classify_may_meet(&own, &loop));
}

/* ---- double NAT ---- */

static thirl_natcheck_report behind(const char *seen) {
  thirl_natcheck_report r = {.udp = {.mapping = THIRL_NATCHECK_EIM, .n_outer = 1}};
  r.udp.outer[0] = ip(seen);
  return r;
}

static void is_double(const thirl_natcheck_report *r, thirl_natcheck_answer want, thirl_natcheck_sign want_sign) {
  thirl_natcheck_sign sign;
  assert_int_equal(thirl_natcheck_classify_double(r, &sign), want);
  assert_int_equal(sign, want_sign);
}

static void a_router_tells_of_a_second_nat(void **state) {
  (void)state;
  thirl_natcheck_report r = behind("203.0.113.1");
  is_double(&r, THIRL_NATCHECK_UNKNOWN, THIRL_NATCHECK_NO_SIGN);
  r.gateway.upnp_outer = ip("203.0.113.1");
  is_double(&r, THIRL_NATCHECK_NO, THIRL_NATCHECK_NO_SIGN);
  r.gateway.upnp_outer = ip("198.51.100.7");
  is_double(&r, THIRL_NATCHECK_YES, THIRL_NATCHECK_GATEWAY_DIFFERS);
  r.gateway.upnp_outer = ip("100.64.3.4");
  is_double(&r, THIRL_NATCHECK_YES, THIRL_NATCHECK_GATEWAY_INNER);
  r.gateway.upnp_outer = ip("0.0.0.0"); /* it is not connected, it says: no answer */
  r.gateway.natpmp_outer = ip("10.0.0.2");
  is_double(&r, THIRL_NATCHECK_YES, THIRL_NATCHECK_GATEWAY_INNER);
  r.udp.mapping = THIRL_NATCHECK_NO_MAPPING;
  is_double(&r, THIRL_NATCHECK_NO, THIRL_NATCHECK_NO_SIGN);
}

static void hops_tell_of_a_second_nat(void **state) {
  (void)state;
  thirl_natcheck_report r = behind("203.0.113.1");
  r.hops = (thirl_natcheck_hops){.n = 3, .at = {ip("192.168.1.1"), ip("203.0.113.200")}};
  is_double(&r, THIRL_NATCHECK_UNKNOWN, THIRL_NATCHECK_NO_SIGN);
  r.hops.at[1] = ip("192.168.0.1");
  is_double(&r, THIRL_NATCHECK_UNKNOWN, THIRL_NATCHECK_HOPS_INNER);
  r.hops.at[1] = ip("192.168.1.254"); /* the same network: a switch that routes */
  is_double(&r, THIRL_NATCHECK_UNKNOWN, THIRL_NATCHECK_NO_SIGN);
  r.hops.at[1] = ip("100.64.0.1");
  is_double(&r, THIRL_NATCHECK_YES, THIRL_NATCHECK_HOP_SHARED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_three_mappings),        cmocka_unit_test(what_the_mapping_cannot_be_told_from),
      cmocka_unit_test(the_three_filterings),      cmocka_unit_test(silence_needs_a_clean_path),
      cmocka_unit_test(inner_addresses),           cmocka_unit_test(second_addresses),
      cmocka_unit_test(claimed_addresses),         cmocka_unit_test(a_router_tells_of_a_second_nat),
      cmocka_unit_test(hops_tell_of_a_second_nat),
  };
  return cmocka_run_group_tests_name("natcheck/classify", tests, NULL, NULL);
}
