/* SPDX-License-Identifier: MIT */
/* Tickets: the exact text of each kind of host, what people do to text, and the three values that come out of the secret. */
#include "meet/ticket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base32.h"
#include "bytes_of.h"

/* Made by an implementation of the format in another language. */
#define TEXT_V4 "thirl1040g3ey00010f851maht99d6mymakanbnjptxbxgp6sb7g61rb1w9he6rz4ckjpbsk6wxkt1q9650"
#define TEXT_V6 "thirl10410v5h0046vg0000000000000000001m2gt58x4mpkafa59nantsbdenyrb3cnkr30w5gy4rq3cfj69sb5wskeeswffhgnn"
#define TEXT_NAME                                                                                                      \
  "thirl10400v5kdcnjq8bk5f1gptw3ccmq6ywk7m2gt58x4mpkafa59nantsbdenyrb3cnkr30w5gy4rq3cfj69sb5wskeeswjg7dwn"

static thirl_meet_ticket ticket_of(const char *host, uint16_t port) {
  thirl_meet_ticket t = {.port = port};
  snprintf(t.host, sizeof t.host, "%s", host);
  bytes_ramp(t.peer.b, sizeof t.peer.b, 0xa0);
  bytes_ramp(t.secret, sizeof t.secret, 0xc0);
  return t;
}

static void expect_text(const char *host, uint16_t port, const char *text) {
  char got[THIRL_MEET_TICKET_TEXT_MAX];
  thirl_meet_ticket t = ticket_of(host, port), back;
  assert_int_equal(thirl_meet_ticket_format(&t, got), THIRL_OK);
  assert_string_equal(got, text);
  assert_int_equal(thirl_meet_ticket_parse(text, &back), THIRL_OK);
  assert_memory_equal(&back, &t, sizeof t);
}

static void test_exact_text(void **state) {
  (void)state;
  expect_text("192.0.2.7", 443, TEXT_V4);
  expect_text("2001:db8::1", 3478, TEXT_V6);
  expect_text("meet.example.org", 3478, TEXT_NAME);
}

/* A host comes back in its canonical form. */
static void expect_host(const char *host, const char *canonical) {
  char text[THIRL_MEET_TICKET_TEXT_MAX], again[THIRL_MEET_TICKET_TEXT_MAX];
  thirl_meet_ticket t = ticket_of(host, 1), back;
  assert_int_equal(thirl_meet_ticket_format(&t, text), THIRL_OK);
  assert_int_equal(thirl_meet_ticket_parse(text, &back), THIRL_OK);
  assert_string_equal(back.host, canonical);
  assert_int_equal(thirl_meet_ticket_format(&back, again), THIRL_OK);
  assert_string_equal(again, text);
}

static void test_hosts(void **state) {
  (void)state;
  char longest[THIRL_MEET_HOST_MAX + 1];
  memset(longest, 'a', THIRL_MEET_HOST_MAX);
  longest[THIRL_MEET_HOST_MAX] = '\0';
  expect_host("0.0.0.0", "0.0.0.0");
  expect_host("255.255.255.255", "255.255.255.255");
  expect_host("::", "::");
  expect_host("::1", "::1");
  expect_host("2001:DB8:0::1", "2001:db8::1");
  expect_host("::ffff:192.0.2.7", "::ffff:192.0.2.7");
  expect_host("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  expect_host("a", "a");
  expect_host("1.2.3", "1.2.3");
  expect_host("Xn--Mnchen-3ya.Example_", "Xn--Mnchen-3ya.Example_");
  expect_host(longest, longest);
}

/* Every character as a name of one. */
static void test_alphabet_of_names(void **state) {
  (void)state;
  const char *alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
  for (int c = 1; c < 256; c++) {
    char text[THIRL_MEET_TICKET_TEXT_MAX], host[] = {(char)c, '\0'};
    thirl_meet_ticket t = ticket_of(host, 1);
    assert_int_equal(thirl_meet_ticket_format(&t, text), strchr(alphabet, c) ? THIRL_OK : THIRL_E_SYNTAX);
  }
}

static void refuse_host(const char *host, uint16_t port, thirl_error expected) {
  uint8_t counter = 0;
  thirl_secrets s = bytes_secrets(&counter);
  char text[THIRL_MEET_TICKET_TEXT_MAX] = "x";
  thirl_peerid me = {{1}};
  thirl_meet_ticket t;
  assert_int_equal(thirl_meet_ticket_make(&s, host, port, &me, &t), expected);
  assert_int_equal(counter, 0);
  if (strlen(host) > THIRL_MEET_HOST_MAX) return;
  t = ticket_of(host, port);
  assert_int_equal(thirl_meet_ticket_format(&t, text), expected);
  assert_string_equal(text, "");
}

static void test_hosts_that_are_none(void **state) {
  (void)state;
  char too_long[THIRL_MEET_HOST_MAX + 2];
  memset(too_long, 'a', sizeof too_long - 1);
  too_long[sizeof too_long - 1] = '\0';
  refuse_host("", 1, THIRL_E_RANGE);
  refuse_host(too_long, 1, THIRL_E_RANGE);
  refuse_host("a", 0, THIRL_E_RANGE);
  refuse_host("[::1]", 1, THIRL_E_SYNTAX);
  refuse_host("192.0.2.7:443", 1, THIRL_E_SYNTAX);
  refuse_host("192.0.2.7:0", 1, THIRL_E_SYNTAX);
  refuse_host("fe80::1%eth0", 1, THIRL_E_SYNTAX);
  refuse_host("a b", 1, THIRL_E_SYNTAX);
  refuse_host("m\xc3\xbcnchen.example", 1, THIRL_E_SYNTAX);
  refuse_host("a/b", 1, THIRL_E_SYNTAX);

  char text[THIRL_MEET_TICKET_TEXT_MAX];
  thirl_meet_ticket t = ticket_of("a", 1);
  memset(t.host, 'a', sizeof t.host); /* no NUL */
  assert_int_equal(thirl_meet_ticket_format(&t, text), THIRL_E_RANGE);
}

static void test_make_draws_a_secret(void **state) {
  (void)state;
  uint8_t counter = 0x2f, expected[THIRL_MEET_SECRET_LEN];
  thirl_secrets s = bytes_secrets(&counter);
  thirl_peerid me;
  thirl_meet_ticket t;
  bytes_ramp(me.b, sizeof me.b, 5);
  bytes_ramp(expected, sizeof expected, 0x30);
  assert_int_equal(thirl_meet_ticket_make(&s, "example.org", 99, &me, &t), THIRL_OK);
  assert_string_equal(t.host, "example.org");
  assert_int_equal(t.port, 99);
  assert_true(thirl_peerid_equal(&t.peer, &me));
  assert_memory_equal(t.secret, expected, sizeof expected);
}

static void parses(const char *text) {
  thirl_meet_ticket t, expected = ticket_of("192.0.2.7", 443);
  assert_int_equal(thirl_meet_ticket_parse(text, &t), THIRL_OK);
  assert_memory_equal(&t, &expected, sizeof t);
}

static void test_text_as_people_copy_it(void **state) {
  (void)state;
  parses("THIRL1040G3EY00010F851MAHT99D6MYMAKANBNJPTXBXGP6SB7G61RB1W9HE6RZ4CKJPBSK6WXKT1Q9650");
  parses("  \t\r\n" TEXT_V4 "\n \v\f");
  parses("thirl1-040g-3ey0-0010-f851-maht99d6mymakanbnjptxbxgp6sb7g61rb1w9he6rz4ckjpbsk6wxkt1q9650-");
  /* Crockford: o reads as 0, i and l as 1 */
  parses("thirl1O4og3eyOOO1Of85lmaht99d6mymakanbnjptxbxgp6sb7g6irb1w9he6rz4ckjpbsk6wxkt1q965o");
}

static void refuse(const char *text, thirl_error expected) {
  static const thirl_meet_ticket zero;
  thirl_meet_ticket t;
  memset(&t, 0xee, sizeof t);
  assert_int_equal(thirl_meet_ticket_parse(text, &t), expected);
  assert_memory_equal(&t, &zero, sizeof t);
}

static void test_text_that_is_no_ticket(void **state) {
  (void)state;
  char long_text[1000];
  refuse("", THIRL_E_SYNTAX);
  refuse(" ", THIRL_E_SYNTAX);
  refuse("thirl", THIRL_E_SYNTAX);
  refuse("thirl1", THIRL_E_SYNTAX);
  refuse("thirlx", THIRL_E_SYNTAX);
  refuse("thirl0", THIRL_E_SYNTAX);
  refuse("hello, world", THIRL_E_SYNTAX);
  refuse("throl1040g3ey00010f851maht99d6mymakanbnjptxbxgp6sb7g61rb1w9he6rz4ckjpbsk6wxkt1q9650", THIRL_E_SYNTAX);
  refuse("040g3ey00010f851maht99d6mymakanbnjptxbxgp6sb7g61rb1w9he6rz4ckjpbsk6wxkt1q9650", THIRL_E_SYNTAX);
  refuse("thirl1 040g3ey00010f851maht99d6mymakanbnjptxbxgp6sb7g61rb1w9he6rz4ckjpbsk6wxkt1q9650", THIRL_E_SYNTAX);
  refuse("thirl1u40g3ey00010f851maht99d6mymakanbnjptxbxgp6sb7g61rb1w9he6rz4ckjpbsk6wxkt1q9650", THIRL_E_SYNTAX);
  memset(long_text, '0', sizeof long_text - 1);
  memcpy(long_text, "thirl1", 6);
  long_text[sizeof long_text - 1] = '\0';
  refuse(long_text, THIRL_E_SYNTAX);
  memset(long_text, ' ', sizeof long_text - 1);
  refuse(long_text, THIRL_E_SYNTAX);
  /* hyphens alone make nothing too long */
  memset(long_text, '-', sizeof long_text - 1);
  memcpy(long_text + 200, TEXT_V4, strlen(TEXT_V4));
  parses(long_text);
}

static void test_later_versions(void **state) {
  (void)state;
  refuse("thirl2040g3ey00010f851maht99d6mymakanbnjptxbxgp6sb7g61rb1w9he6rz4ckjpbsk6wxkt1q9650", THIRL_E_UNSUPPORTED);
  refuse("thirl9", THIRL_E_UNSUPPORTED);
  refuse("thirl10800v5kdcnjq8bk5f1gptw3ccmq6ywk7m2gt58x4mpkafa59nantsbdenyrb3cnkr30w5gy4rq3cfj69sb5wskeeswb5310e",
         THIRL_E_UNSUPPORTED); /* version byte 2 */
  refuse("thirl10420v5kdcnjq8bk5f1gptw3ccmq6ywk7m2gt58x4mpkafa59nantsbdenyrb3cnkr30w5gy4rq3cfj69sb5wskeesxrqaa69",
         THIRL_E_UNSUPPORTED); /* a flag that is not known */
}

/* Their checksums are right. */
static void test_tickets_that_make_no_sense(void **state) {
  (void)state;
  refuse("thirl10400003dcnjq8bk5f1gptw3ccmq6ywk7m2gt58x4mpkafa59nantsbdenyrb3cnkr30w5gy4rq3cfj69sb5wskeesymew1cn",
         THIRL_E_SYNTAX); /* port 0 */
  refuse("thirl104003esh74s2wc1e68q3f851maht99d6mymakanbnjptxbxgp6sb7g61rb1w9he6rz4ckjpbsk6wxkwn0at08",
         THIRL_E_SYNTAX); /* an address written as a name */
  refuse("thirl104003evdcnjq8035f1gptw3ccpga38n3mjjtd9x8n6naqb5dntqv1cdjpf0c3gp3rk2wdhy8s75cqk6dsv7ht7dmcm",
         THIRL_E_SYNTAX); /* a NUL in the name */
  refuse("thirl104003ex0m6ha7955mtkthadanepavbnfp2rv5cy0r71c7h65rv3whjeasf6cvkpfnrjvx3r", THIRL_E_SYNTAX); /* no name */
  refuse("thirl1040g3ev1c9ht18d2mejab9n7n2mtnaxcnpqazc5hpasw1ge2rf2cbhp7s34wnjycsq7czakj5570",
         THIRL_E_SYNTAX); /* IPv4 of three bytes */
  refuse("thirl104103ev1c5gp2rb1c5gp2rb1c5gp2rb1c6ga38n3mjjtd9x8n6naqb5dntqv1cdjpf0c3gp3rk2wdhy8s75cqk6dsv7te12srw",
         THIRL_E_SYNTAX); /* IPv6 of seventeen */
  refuse(
      "thirl104003ev1c5gp2rb1c5gp2rb1c5gp2rb1c5gp2rb1c5gp2rb1c5gp2rb1c5gp2rb1c5gp2rb1c5gp2rb1c5gp2rb1c5gp2rb1c5gp2r"
      "b1c5gp2rb1c5gp2rb1c5gp2rb1c5gp2rb1c5gp2rb1c5gp2rb1c5gp2rb1c5gp2rb1m2gt58x4mpkafa59nantsbdenyrb3cnkr30w5gy4rq3c"
      "fj69sb5wskeesz4fgbxf",
      THIRL_E_SYNTAX); /* a name of 101 */
}

/* Every single wrong character is found, every missing end, and every swap of neighbours. */
static void test_mistyped(void **state) {
  (void)state;
  const char *good = TEXT_NAME;
  size_t n = strlen(good);
  char text[THIRL_MEET_TICKET_TEXT_MAX];
  thirl_meet_ticket t;
  for (size_t i = 6; i < n; i++) {
    for (unsigned v = 0; v < 32; v++) {
      memcpy(text, good, n + 1);
      if (text[i] == thirl_base32_char(v)) continue;
      text[i] = thirl_base32_char(v);
      thirl_error e = thirl_meet_ticket_parse(text, &t);
      assert_true(e == THIRL_E_CHECKSUM || (e == THIRL_E_SYNTAX && i == n - 1)); /* the last has bits left over */
    }
    memcpy(text, good, n + 1);
    if (i + 1 < n && text[i] != text[i + 1]) {
      text[i] = good[i + 1];
      text[i + 1] = good[i];
      assert_int_not_equal(thirl_meet_ticket_parse(text, &t), THIRL_OK);
    }
  }
  for (size_t cut = 0; cut < n; cut++) {
    char *exact = strndup(good, cut); /* a read past the end is seen */
    assert_non_null(exact);
    assert_int_not_equal(thirl_meet_ticket_parse(exact, &t), THIRL_OK);
    free(exact);
  }
}

static void test_values_of_the_secret(void **state) {
  (void)state;
  thirl_meet_ticket t = ticket_of("example.org", 1);
  uint8_t expected[32], proof[THIRL_MEET_PROOF_LEN], check[THIRL_MEET_CHECK_LEN], mac[THIRL_MEET_MAC_LEN];
  uint8_t session[16], offer[7];
  thirl_peerid dialer;
  bytes_ramp(session, sizeof session, 0x10);
  bytes_ramp(offer, sizeof offer, 0x60);
  bytes_ramp(dialer.b, sizeof dialer.b, 0x50);

  assert_int_equal(thirl_meet_ticket_proof(&t, proof), THIRL_OK);
  assert_int_equal(bytes_of_hex("29f6ecba730f8d04048db8075565e5d8", expected, sizeof expected), sizeof proof);
  assert_memory_equal(proof, expected, sizeof proof);
  assert_int_equal(thirl_meet_ticket_check(proof, check), THIRL_OK);
  assert_int_equal(bytes_of_hex("d2a8d55efcdeed52aa96f79f732eaa77", expected, sizeof expected), sizeof check);
  assert_memory_equal(check, expected, sizeof check);
  assert_int_equal(thirl_meet_ticket_mac(&t, &dialer, THIRL_BYTES(session, 16), THIRL_BYTES(offer, 7), mac), THIRL_OK);
  assert_int_equal(bytes_of_hex("169f88c86ee93d1da3a307a5c502d1bfa3ecc6ed8555a78536197ed515563bda", expected, 32), 32);
  assert_memory_equal(mac, expected, sizeof mac);
}

/* The MAC binds everything that it is made of. */
static void test_mac_differs(void **state) {
  (void)state;
  thirl_meet_ticket t = ticket_of("example.org", 1), other = t;
  uint8_t session[16] = {0}, offer[7] = {0}, mac[THIRL_MEET_MAC_LEN], changed[THIRL_MEET_MAC_LEN];
  thirl_peerid dialer = {{0}};
  thirl_bytes s = THIRL_BYTES(session, sizeof session), o = THIRL_BYTES(offer, sizeof offer);
  assert_int_equal(thirl_meet_ticket_mac(&t, &dialer, s, o, mac), THIRL_OK);
  for (unsigned i = 0; i < 5; i++) {
    uint8_t *bit = i == 0   ? &session[15]
                   : i == 1 ? &offer[0]
                   : i == 2 ? &dialer.b[19]
                   : i == 3 ? &other.peer.b[0]
                            : &other.secret[0];
    *bit ^= 1;
    assert_int_equal(thirl_meet_ticket_mac(&other, &dialer, s, o, changed), THIRL_OK);
    assert_memory_not_equal(mac, changed, sizeof mac);
    *bit ^= 1;
  }
  assert_int_equal(thirl_meet_ticket_mac(&other, &dialer, s, o, changed), THIRL_OK);
  assert_memory_equal(mac, changed, sizeof mac);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exact_text),
      cmocka_unit_test(test_hosts),
      cmocka_unit_test(test_alphabet_of_names),
      cmocka_unit_test(test_hosts_that_are_none),
      cmocka_unit_test(test_make_draws_a_secret),
      cmocka_unit_test(test_text_as_people_copy_it),
      cmocka_unit_test(test_text_that_is_no_ticket),
      cmocka_unit_test(test_later_versions),
      cmocka_unit_test(test_tickets_that_make_no_sense),
      cmocka_unit_test(test_mistyped),
      cmocka_unit_test(test_values_of_the_secret),
      cmocka_unit_test(test_mac_differs),
  };
  return cmocka_run_group_tests_name("meet/ticket", tests, NULL, NULL);
}
