/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "natbox/prefix.h"
#include "unit/natbox/pieces.h"

static thirl_addr v6(const char *text) {
  thirl_addr a;
  assert_int_equal(thirl_addr_parse(text, &a), THIRL_OK);
  return a;
}

/* The sum that checksums are made of. */
static uint32_t sum_of(const thirl_addr *a) {
  uint32_t sum = 0;
  for (int i = 0; i < 16; i += 2)
    sum += (uint32_t)a->ip[i] << 8 | a->ip[i + 1];
  while (sum > 0xffff)
    sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

/* RFC 6296 section 3.1 does it with FD01:0203:0405:0001::1234 and 2001:0DB8:0001::/48. */
static void the_example_of_the_rfc(void **state) {
  (void)state;
  thirl_addr a = v6("fd01:203:405:1::1234"), in = v6("fd01:203:405::"), out = v6("2001:db8:1::");
  assert_true(thirl_natbox_prefix_change(&a, &in, &out, 48));
  assert_addr(a, v6("2001:db8:1:d550::1234"));
  assert_true(thirl_natbox_prefix_change(&a, &out, &in, 48));
  assert_addr(a, v6("fd01:203:405:1::1234"));
}

static void sums_stay_and_the_way_back_is_the_same(void **state) {
  (void)state;
  thirl_addr in = v6("fd12:3456:789a:bcde::"), out = v6("2001:db8:aaaa:5555::");
  for (unsigned bits = 1; bits <= 64; bits++)
    for (uint16_t host = 1; host < 300; host = (uint16_t)(host + 37)) {
      thirl_addr a = in;
      a.port = 99;
      a.ip[6] ^= (uint8_t)(bits <= 48 ? host : 0);
      a.ip[14] = (uint8_t)(host >> 8);
      a.ip[15] = (uint8_t)host;
      const thirl_addr was = a;
      assert_true(thirl_natbox_prefix_change(&a, &in, &out, bits));
      assert_true(thirl_natbox_prefix_has(&out, bits, &a));
      assert_int_equal(sum_of(&a), sum_of(&was));
      assert_int_equal(a.port, 99);
      assert_true(thirl_natbox_prefix_change(&a, &out, &in, bits));
      assert_addr(a, was);
    }
}

static void a_long_prefix_uses_the_interface(void **state) {
  (void)state;
  thirl_addr a = v6("fd00:0:0:1:ffff:ffff:1:9"), in = v6("fd00:0:0:1::"), out = v6("2001:db8::");
  thirl_addr full = v6("fd00:0:0:1:ffff:ffff:ffff:ffff"), was = full;
  assert_true(thirl_natbox_prefix_change(&a, &in, &out, 64));
  assert_int_equal(a.ip[8] & a.ip[9] & a.ip[10] & a.ip[11], 0xff);
  assert_int_equal(a.ip[15], 9);
  assert_false(a.ip[12] == 0 && a.ip[13] == 1);
  assert_false(thirl_natbox_prefix_change(&full, &in, &out, 64));
  assert_addr(full, was);
}

static void others_are_left_alone(void **state) {
  (void)state;
  thirl_addr in = v6("fd00::"), out = v6("2001:db8::"), four = inner(1, 5), was = four;
  thirl_addr six = v6("fd80::1"), ones = v6("fd00:0:0:ffff::1");
  assert_false(thirl_natbox_prefix_change(&four, &in, &out, 48));
  assert_addr(four, was);
  assert_false(thirl_natbox_prefix_change(&six, &in, &out, 9));
  assert_true(thirl_natbox_prefix_change(&six, &in, &out, 8));
  assert_false(thirl_natbox_prefix_change(&ones, &in, &out, 48));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_example_of_the_rfc),
      cmocka_unit_test(sums_stay_and_the_way_back_is_the_same),
      cmocka_unit_test(a_long_prefix_uses_the_interface),
      cmocka_unit_test(others_are_left_alone),
  };
  return cmocka_run_group_tests_name("natbox/prefix", tests, NULL, NULL);
}
