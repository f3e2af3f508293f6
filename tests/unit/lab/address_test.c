/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lab/text/address.h"

static thirl_lab_prefix parse(const char *text) {
  thirl_lab_prefix p;
  assert_int_equal(thirl_lab_address_parse(text, &p), THIRL_OK);
  return p;
}

static void is(thirl_addr a, const char *text) {
  char out[THIRL_LAB_ADDRESS_TEXT_MAX];
  assert_string_equal(thirl_lab_address_format_ip(&a, out), text);
}

static void to_text_and_back(void **state) {
  (void)state;
  static const char *const texts[] = {"192.168.1.10/24", "0.0.0.0/0", "255.255.255.255/32",
                                      "2001:db8::1/64",  "::/0",      "::ffff:1.2.3.4/96"};
  char out[THIRL_LAB_ADDRESS_TEXT_MAX];
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    thirl_lab_prefix p = parse(texts[i]);
    assert_string_equal(thirl_lab_address_format(&p, out), texts[i]);
  }
  assert_int_equal(parse("10.0.0.1").bits, 32);
  assert_int_equal(parse("2001:db8::1").bits, 128);
}

static void what_is_no_address(void **state) {
  (void)state;
  static const char *const texts[] = {
      "",          "/24",        "10.0.0.1/",  "10.0.0.1/33", "10.0.0.1/x",   "10.0.0.1/024x",
      "10.0.0",    "10.0.0.1:5", "[::1]",      "[::1]/64",    "::1/129",      "host",
      "10.0.0.1 ", "1",          "10.0.0.256", "10.0.0.1/-1", "10.0.0.1/0024"};
  thirl_lab_prefix p;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    assert_int_equal(thirl_lab_address_parse(texts[i], &p), THIRL_E_SYNTAX);
}

static void networks(void **state) {
  (void)state;
  thirl_lab_prefix p = parse("10.1.2.3/12"), n = thirl_lab_address_network(p);
  is(n.addr, "10.0.0.0");
  assert_false(thirl_lab_address_is_network(&p));
  assert_true(thirl_lab_address_is_network(&n));
  is(thirl_lab_address_first(&p), "10.0.0.1");
  is(thirl_lab_address_last(&p), "10.15.255.254");
  p = parse("2001:db8::/61");
  is(thirl_lab_address_first(&p), "2001:db8::1");
  is(thirl_lab_address_last(&p), "2001:db8:0:7:ffff:ffff:ffff:fffe");
}

static void contains_and_overlaps(void **state) {
  (void)state;
  thirl_lab_prefix a = parse("10.0.0.0/9"), b = parse("10.127.0.0/16"), c = parse("10.128.0.0/16"), six = parse("::/0");
  assert_true(thirl_lab_address_contains(&a, &b.addr));
  assert_false(thirl_lab_address_contains(&a, &c.addr));
  assert_false(thirl_lab_address_contains(&six, &a.addr));
  assert_true(thirl_lab_address_overlap(&a, &b));
  assert_true(thirl_lab_address_overlap(&b, &a));
  assert_false(thirl_lab_address_overlap(&a, &c));
  assert_false(thirl_lab_address_overlap(&six, &a));
}

static bool can_be_host(const char *network, const char *text) {
  thirl_lab_prefix n = parse(network), a = parse(text);
  return thirl_lab_address_is_host(&n, &a.addr);
}

static void what_a_host_can_have(void **state) {
  (void)state;
  assert_true(can_be_host("10.0.0.0/24", "10.0.0.1"));
  assert_false(can_be_host("10.0.0.0/24", "10.0.0.0"));
  assert_false(can_be_host("10.0.0.0/24", "10.0.0.255"));
  assert_false(can_be_host("127.0.0.0/8", "127.0.0.1"));
  assert_false(can_be_host("224.0.0.0/8", "224.0.0.1"));
  assert_false(can_be_host("0.0.0.0/8", "0.0.0.1"));
  assert_true(can_be_host("2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff"));
  assert_false(can_be_host("2001:db8::/64", "2001:db8::"));
  assert_false(can_be_host("::/64", "::1"));
  assert_false(can_be_host("ff02::/64", "ff02::1"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(to_text_and_back),      cmocka_unit_test(what_is_no_address),   cmocka_unit_test(networks),
      cmocka_unit_test(contains_and_overlaps), cmocka_unit_test(what_a_host_can_have),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
