/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/rand.h"

static thirl_addr parsed(const char *text) {
  thirl_addr a;
  if (thirl_addr_parse(text, &a) != THIRL_OK) fail_msg("does not parse: %s", text);
  return a;
}

static void makers_fill_every_byte(void **state) {
  (void)state;
  thirl_addr a = thirl_addr_v4(192, 0, 2, 1, 443), b = parsed("192.0.2.1:443");
  assert_memory_equal(&a, &b, sizeof a); /* values compare by memcmp */
  static const uint8_t ip[16] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  a = thirl_addr_v6(ip, 80);
  b = parsed("[2001:db8::1]:80");
  assert_memory_equal(&a, &b, sizeof a);
  assert_int_equal(thirl_addr_ip_len(&a), 16);
  a = thirl_addr_with_port(a, 81);
  assert_int_equal(a.port, 81);
  assert_false(thirl_addr_equal(&a, &b));
  assert_true(thirl_addr_same_ip(&a, &b));
  a = thirl_addr_any(THIRL_FAMILY_V4, 5);
  assert_true(thirl_addr_is_any(&a));
  assert_int_equal(thirl_addr_ip_len(&a), 4);
  b = thirl_addr_any(THIRL_FAMILY_V6, 5);
  assert_true(thirl_addr_is_any(&b));
  assert_false(thirl_addr_same_ip(&a, &b));
  thirl_addr none = {0};
  assert_false(thirl_addr_is_set(&none));
  assert_false(thirl_addr_is_any(&none));
  assert_int_equal(thirl_addr_ip_len(&none), 0);
  assert_true(thirl_addr_is_set(&a));
}

static void only_mapped_addresses_unmap(void **state) {
  (void)state;
  thirl_addr a = thirl_addr_unmap(parsed("[::ffff:192.0.2.1]:7")), b = parsed("192.0.2.1:7");
  assert_memory_equal(&a, &b, sizeof a);
  static const char *const stay[] = {"[::192.0.2.1]:7", "[64:ff9b::192.0.2.1]:7", "[::ffff:0:192.0.2.1]:7",
                                     "192.0.2.1:7"};
  for (size_t i = 0; i < sizeof stay / sizeof *stay; i++) {
    b = parsed(stay[i]);
    a = thirl_addr_unmap(b);
    assert_memory_equal(&a, &b, sizeof a);
  }
}

static void text_comes_back(void **state) {
  (void)state;
  static const char *const texts[] = {"0.0.0.0:0",
                                      "255.255.255.255:65535",
                                      "[::]:0",
                                      "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
                                      "[::ffff:255.255.255.255]:65535",
                                      "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
                                      "[fe80::1]:1"};
  char out[THIRL_ADDR_TEXT_MAX];
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    thirl_addr a = parsed(texts[i]);
    assert_string_equal(thirl_addr_format(&a, out), texts[i]);
  }
  thirl_addr none = {0};
  assert_string_equal(thirl_addr_format(&none, out), "-");
  assert_int_equal(parsed("10.0.0.1").port, 0);
  assert_int_equal(parsed("::1").port, 0);
  assert_int_equal(parsed("[::1]").port, 0);
  assert_int_equal(parsed("::1:80").ip[15], 0x80); /* without brackets it is all address */
}

static void random_addresses_come_back(void **state) {
  (void)state;
  thirl_dice d;
  char out[THIRL_ADDR_TEXT_MAX];
  thirl_dice_seed(&d, 5);
  for (int i = 0; i < 20000; i++) {
    uint8_t ip[16];
    for (int k = 0; k < 16; k++)
      ip[k] = thirl_dice_below(&d, 2) ? 0 : (uint8_t)thirl_dice_u64(&d);
    uint16_t port = (uint16_t)thirl_dice_u64(&d);
    thirl_addr a = i % 2 ? thirl_addr_v6(ip, port) : thirl_addr_v4(ip[0], ip[1], ip[2], ip[3], port), b;
    assert_int_equal(thirl_addr_parse(thirl_addr_format(&a, out), &b), THIRL_OK);
    assert_memory_equal(&a, &b, sizeof a);
    assert_true(strlen(out) < THIRL_ADDR_TEXT_MAX);
  }
}

static void what_is_no_address_is_refused(void **state) {
  (void)state;
  static const char *const texts[] = {"",
                                      ":",
                                      ":80",
                                      "-",
                                      "localhost",
                                      "localhost:80",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "1.2.3.256",
                                      "01.2.3.4",
                                      "1.2.3.4:",
                                      "1.2.3.4:65536",
                                      "1.2.3.4:99999",
                                      "1.2.3.4:000080",
                                      "1.2.3.4:-1",
                                      "1.2.3.4:+1",
                                      "1.2.3.4: 1",
                                      "1.2.3.4:80x",
                                      "1.2.3.4:80:80",
                                      " 1.2.3.4:80",
                                      "1.2.3.4 :80",
                                      "[1.2.3.4]:80",
                                      "[::1",
                                      "[::1]80",
                                      "[::1]:",
                                      "[::1]:x",
                                      "[::1%lo]:80",
                                      "[]:80",
                                      "[[::1]]:80",
                                      "::1]:80",
                                      "1:2:3:4:5:6:7:8:9",
                                      "::g",
                                      "11111111111111111111111111111111111111111111111111111111",
                                      "[11111111111111111111111111111111111111111111111111111111]:1"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    thirl_addr a, zero = {0};
    memset(&a, 0xee, sizeof a);
    if (thirl_addr_parse(texts[i], &a) != THIRL_E_SYNTAX) fail_msg("parsed: %s", texts[i]);
    assert_memory_equal(&a, &zero, sizeof a);
  }
}

static void probeable_table(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool may;
  } rows[] = {
      {"192.0.2.1:1", true},
      {"8.8.8.8:65535", true},
      {"10.0.0.1:80", true}, /* private addresses are what host candidates are made of */
      {"172.16.0.1:80", true},
      {"192.168.1.1:80", true},
      {"100.64.0.1:80", true},
      {"169.254.1.1:80", true},
      {"1.0.0.0:80", true},
      {"126.255.255.255:80", true},
      {"128.0.0.1:80", true},
      {"223.255.255.255:80", true},
      {"192.0.2.1:0", false},
      {"192.0.2.1", false},
      {"0.0.0.0:80", false},
      {"0.0.0.1:80", false},
      {"0.255.255.255:80", false},
      {"127.0.0.0:80", false},
      {"127.0.0.1:80", false},
      {"127.255.255.255:80", false},
      {"224.0.0.1:80", false},
      {"239.255.255.250:1900", false},
      {"240.0.0.1:80", false},
      {"255.255.255.255:80", false},
      {"[2001:db8::1]:80", true},
      {"[2600::1]:80", true},
      {"[fe80::1]:80", true},
      {"[fd00::1]:80", true},
      {"[2001:db8::1]:0", false},
      {"[::]:80", false},
      {"[::1]:80", false},
      {"[ff02::1]:80", false},
      {"[ff0e::1]:80", false},
      {"[ffff::1]:80", false},
      /* mapped */
      {"[::ffff:192.0.2.1]:80", true},
      {"[::ffff:127.0.0.1]:80", false},
      {"[::ffff:0.0.0.0]:80", false},
      {"[::ffff:224.0.0.1]:80", false},
      {"[::ffff:255.255.255.255]:80", false},
      /* compatible */
      {"[::192.0.2.1]:80", true},
      {"[::127.0.0.1]:80", false},
      {"[::0.0.0.2]:80", false},
      {"[::239.1.1.1]:80", false},
      /* translated */
      {"[::ffff:0:192.0.2.1]:80", true},
      {"[::ffff:0:127.0.0.1]:80", false},
      /* 6to4 */
      {"[2002:c000:0201::1]:80", true},
      {"[2002:7f00:0001::1]:80", false},
      {"[2002:0000:0000::1]:80", false},
      {"[2002:e000:0001::]:80", false},
      {"[2003:7f00:0001::1]:80", true},
      /* NAT64 */
      {"[64:ff9b::192.0.2.1]:80", true},
      {"[64:ff9b::127.0.0.1]:80", false},
      {"[64:ff9b::224.0.0.251]:80", false},
      {"[64:ff9b:1::192.0.2.1]:80", false},
      {"[64:ff9b:1:7f00:0:100::]:80", false},
      {"[64:ff9c::127.0.0.1]:80", true},
      /* Teredo: the client's address inverted */
      {"[2001:0:4136:e378:8000:63bf:3fff:fdd2]:80", true},
      {"[2001:0:4136:e378:8000:63bf:80ff:fffe]:80", false}, /* 127.0.0.1 */
      {"[2001:0:4136:e378:8000:63bf:0:0]:80", false},       /* 255.255.255.255 */
      /* ISATAP */
      {"[fe80::5efe:192.0.2.1]:80", true},
      {"[fe80::5efe:127.0.0.1]:80", false},
      {"[2001:db8::200:5efe:127.0.0.1]:80", false},
      {"[2001:db8::100:5efe:127.0.0.1]:80", true},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    thirl_addr a = parsed(rows[i].text);
    if (thirl_addr_is_probeable(&a) != rows[i].may) fail_msg("%s: not %d", rows[i].text, rows[i].may);
  }
  thirl_addr none = {.port = 80};
  assert_false(thirl_addr_is_probeable(&none));
}

static void hashes_differ_by_every_part_and_by_key(void **state) {
  (void)state;
  thirl_addr a = parsed("[2001:db8::1]:80");
  uint64_t h = thirl_addr_hash(&a, 7);
  assert_true(h == thirl_addr_hash(&a, 7));
  assert_true(h != thirl_addr_hash(&a, 8));
  thirl_addr b = thirl_addr_with_port(a, 81);
  assert_true(h != thirl_addr_hash(&b, 7));
  for (int i = 0; i < 16; i++) {
    b = a;
    b.ip[i] ^= 1;
    assert_true(h != thirl_addr_hash(&b, 7));
  }
  thirl_addr v4 = thirl_addr_any(THIRL_FAMILY_V4, 1), v6 = thirl_addr_any(THIRL_FAMILY_V6, 1);
  assert_true(thirl_addr_hash(&v4, 7) != thirl_addr_hash(&v6, 7));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(makers_fill_every_byte),
      cmocka_unit_test(only_mapped_addresses_unmap),
      cmocka_unit_test(text_comes_back),
      cmocka_unit_test(random_addresses_come_back),
      cmocka_unit_test(what_is_no_address_is_refused),
      cmocka_unit_test(probeable_table),
      cmocka_unit_test(hashes_differ_by_every_part_and_by_key),
  };
  return cmocka_run_group_tests_name("base/addr", tests, NULL, NULL);
}
