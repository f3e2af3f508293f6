/* SPDX-License-Identifier: MIT */
/* Offers: the exact bytes, what is refused on the way out and on the way in. */
#include "meet/offer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes_of.h"

enum { OFFER_BYTES_MAX = 1000 };

static thirl_meet_offer small(void) {
  thirl_meet_offer o = {.round = 0x0102, .ufrag = "aB3+", .pwd = "p/9", .n = 2};
  uint8_t ip[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
  o.candidates[0] = (thirl_meet_candidate){.type = THIRL_MEET_SRFLX,
                                           .transport = THIRL_MEET_TCP_SO,
                                           .lane = 2,
                                           .addr = thirl_addr_v4(192, 0, 2, 7, 40000),
                                           .priority = 0x01020304,
                                           .foundation = 0x0a0b0c0d};
  o.candidates[1] = (thirl_meet_candidate){.type = THIRL_MEET_HOST,
                                           .transport = THIRL_MEET_TCP_ACTIVE,
                                           .addr = thirl_addr_v6(ip, 9),
                                           .priority = 0xffffffff,
                                           .foundation = 1};
  return o;
}

static const char small_hex[] = "01"
                                "00000102"
                                "046142332b"
                                "03702f39"
                                "02"
                                "01030204"
                                "9c40c0000207010203040a0b0c0d"
                                "00010006"
                                "000920010db8000000000000000000000001ffffffff00000001";

/* The largest offer that there is. */
static thirl_meet_offer large(void) {
  thirl_meet_offer o = {.n = THIRL_MEET_CANDIDATES_MAX};
  memset(o.ufrag, 'u', THIRL_MEET_UFRAG_MAX);
  memset(o.pwd, 'p', THIRL_MEET_PWD_MAX);
  for (size_t i = 0; i < o.n; i++) {
    uint8_t ip[16] = {0xfd, [15] = (uint8_t)i};
    o.candidates[i] = (thirl_meet_candidate){.type = (thirl_meet_candidate_type)(i % 4),
                                             .transport = (thirl_meet_transport)(i / 4),
                                             .lane = (uint8_t)(255 - i),
                                             .addr = thirl_addr_v6(ip, (uint16_t)i),
                                             .priority = (uint32_t)i,
                                             .foundation = (uint32_t)(i * i)};
  }
  o.early_n = THIRL_MEET_EARLY_MAX;
  memset(o.early, 0xe1, sizeof o.early);
  return o;
}

static void test_exact_bytes(void **state) {
  (void)state;
  uint8_t expected[OFFER_BYTES_MAX], got[OFFER_BYTES_MAX];
  size_t expected_n = bytes_of_hex(small_hex, expected, sizeof expected), n;
  thirl_meet_offer o = small(), back;
  assert_int_equal(thirl_meet_offer_encode(&o, got, sizeof got, &n), THIRL_OK);
  assert_int_equal(n, expected_n);
  assert_memory_equal(got, expected, n);
  assert_int_equal(thirl_meet_offer_decode(THIRL_BYTES(expected, expected_n), &back), THIRL_OK);
  assert_memory_equal(&back, &o, sizeof o);
}

static void test_largest_offer_comes_back(void **state) {
  (void)state;
  uint8_t bytes[THIRL_MEET_OFFER_MAX];
  size_t n;
  thirl_meet_offer o = large(), back;
  assert_int_equal(thirl_meet_offer_encode(&o, bytes, sizeof bytes, &n), THIRL_OK);
  assert_int_equal(n, 1 + 4 + 33 + 65 + 1 + 16 * 30 + 2 + 376);
  assert_int_equal(thirl_meet_offer_decode(THIRL_BYTES(bytes, n), &back), THIRL_OK);
  assert_memory_equal(&back, &o, sizeof o);
}

/* Behind the candidates, with their length in front; none are no bytes at all. */
static void test_early_bytes(void **state) {
  (void)state;
  static const uint8_t want[] = {1, 0, 0, 0, 0, 1, 'a', 1, 'b', 0, 0, 3, 22, 3, 1};
  uint8_t bytes[THIRL_MEET_OFFER_MAX];
  size_t n;
  thirl_meet_offer o = {.ufrag = "a", .pwd = "b", .early_n = 3, .early = {22, 3, 1}}, back;
  assert_int_equal(thirl_meet_offer_encode(&o, bytes, sizeof bytes, &n), THIRL_OK);
  assert_int_equal(n, sizeof want);
  assert_memory_equal(bytes, want, n);
  assert_int_equal(thirl_meet_offer_decode(THIRL_BYTES(want, n), &back), THIRL_OK);
  assert_memory_equal(&back, &o, sizeof o);
  for (size_t cut = 11; cut < sizeof want; cut++)
    assert_int_equal(thirl_meet_offer_decode(THIRL_BYTES(want, cut), &back), THIRL_E_MALFORMED);
  const uint8_t none[] = {1, 0, 0, 0, 0, 1, 'a', 1, 'b', 0, 0, 0},
                rest[] = {1, 0, 0, 0, 0, 1, 'a', 1, 'b', 0, 0, 1, 22, 22};
  assert_int_equal(thirl_meet_offer_decode(THIRL_BYTES(none, sizeof none), &back), THIRL_E_MALFORMED);
  assert_int_equal(thirl_meet_offer_decode(THIRL_BYTES(rest, sizeof rest), &back), THIRL_E_MALFORMED);
  uint8_t much[12 + THIRL_MEET_EARLY_MAX + 1] = {
      1, 0, 0, 0, 0, 1, 'a', 1, 'b', 0, (THIRL_MEET_EARLY_MAX + 1) >> 8, (THIRL_MEET_EARLY_MAX + 1) & 255};
  assert_int_equal(thirl_meet_offer_decode(THIRL_BYTES(much, sizeof much), &back), THIRL_E_MALFORMED);
}

static void test_offer_without_candidates(void **state) {
  (void)state;
  uint8_t bytes[THIRL_MEET_OFFER_MAX];
  size_t n;
  thirl_meet_offer o = {.ufrag = "a", .pwd = "b"}, back;
  assert_int_equal(thirl_meet_offer_encode(&o, bytes, sizeof bytes, &n), THIRL_OK);
  assert_int_equal(n, 10);
  assert_int_equal(thirl_meet_offer_decode(THIRL_BYTES(bytes, n), &back), THIRL_OK);
  assert_memory_equal(&back, &o, sizeof o);
}

/* Every character, as a whole credential. */
static void test_alphabet(void **state) {
  (void)state;
  const char *alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
  for (int c = 1; c < 256; c++) {
    uint8_t bytes[] = {1, 0, 0, 0, 0, 1, (uint8_t)c, 1, 'p', 0}, out[sizeof bytes];
    size_t n;
    bool is_in = strchr(alphabet, c) != NULL;
    thirl_meet_offer o = {.ufrag = {(char)c}, .pwd = "p"}, back;
    assert_int_equal(thirl_meet_offer_encode(&o, out, sizeof out, &n), is_in ? THIRL_OK : THIRL_E_RANGE);
    assert_int_equal(thirl_meet_offer_decode(THIRL_BYTES(bytes, sizeof bytes), &back),
                     is_in ? THIRL_OK : THIRL_E_MALFORMED);
  }
}

static void refuse_encode(const thirl_meet_offer *o) {
  uint8_t bytes[THIRL_MEET_OFFER_MAX];
  size_t n = 99;
  assert_int_equal(thirl_meet_offer_encode(o, bytes, sizeof bytes, &n), THIRL_E_RANGE);
  assert_int_equal(n, 0);
}

static void test_encode_refuses(void **state) {
  (void)state;
  thirl_meet_offer o = small();
  o.ufrag[0] = '\0';
  refuse_encode(&o);
  o = small();
  o.pwd[0] = '\0';
  refuse_encode(&o);
  o = small();
  o.pwd[1] = ' ';
  refuse_encode(&o);
  o = small();
  memset(o.ufrag, 'a', sizeof o.ufrag); /* no NUL */
  refuse_encode(&o);
  o = small();
  memset(o.pwd, 'a', sizeof o.pwd);
  refuse_encode(&o);
  o = small();
  o.n = THIRL_MEET_CANDIDATES_MAX + 1;
  refuse_encode(&o);
  o = small();
  o.candidates[1].addr.family = 0;
  refuse_encode(&o);
  o = small();
  o.candidates[1].type = (thirl_meet_candidate_type)4;
  refuse_encode(&o);
  o = small();
  o.candidates[0].transport = (thirl_meet_transport)4;
  refuse_encode(&o);
  o = small();
  o.early_n = THIRL_MEET_EARLY_MAX + 1;
  refuse_encode(&o);
}

static void test_every_lack_of_space_is_told(void **state) {
  (void)state;
  uint8_t bytes[THIRL_MEET_OFFER_MAX];
  size_t n, whole;
  thirl_meet_offer o = small();
  assert_int_equal(thirl_meet_offer_encode(&o, bytes, sizeof bytes, &whole), THIRL_OK);
  for (size_t cap = 0; cap < whole; cap++)
    assert_int_equal(thirl_meet_offer_encode(&o, bytes, cap, &n), THIRL_E_SPACE);
  assert_int_equal(thirl_meet_offer_encode(&o, bytes, whole, &n), THIRL_OK);
}

/* bytes on the heap, so that a read past the end is seen */
static thirl_error decode(const uint8_t *bytes, size_t n) {
  static const thirl_meet_offer zero;
  thirl_meet_offer o;
  uint8_t *copy = malloc(n ? n : 1);
  assert_non_null(copy);
  memcpy(copy, bytes, n);
  memset(&o, 0xee, sizeof o);
  thirl_error e = thirl_meet_offer_decode(THIRL_BYTES(copy, n), &o);
  if (e != THIRL_OK) assert_memory_equal(&o, &zero, sizeof o);
  free(copy);
  return e;
}

static void test_every_cut_and_every_rest_is_malformed(void **state) {
  (void)state;
  uint8_t bytes[OFFER_BYTES_MAX];
  size_t n = bytes_of_hex(small_hex, bytes, sizeof bytes);
  for (size_t cut = 0; cut < n; cut++)
    assert_int_equal(decode(bytes, cut), THIRL_E_MALFORMED);
  assert_int_equal(decode(bytes, n), THIRL_OK);
  bytes[n] = 0;
  assert_int_equal(decode(bytes, n + 1), THIRL_E_MALFORMED);
}

static void refuse_changed(size_t at, uint8_t value) {
  uint8_t bytes[OFFER_BYTES_MAX];
  size_t n = bytes_of_hex(small_hex, bytes, sizeof bytes);
  assert_int_not_equal(bytes[at], value);
  bytes[at] = value;
  assert_int_equal(decode(bytes, n), THIRL_E_MALFORMED);
}

static void test_decode_refuses(void **state) {
  (void)state;
  refuse_changed(0, 2);    /* version */
  refuse_changed(5, 0);    /* no ufrag */
  refuse_changed(5, 33);   /* ufrag too long */
  refuse_changed(6, ' ');  /* not in the alphabet */
  refuse_changed(6, 0);    /* a NUL inside */
  refuse_changed(7, '-');  /* one of base 64url */
  refuse_changed(8, 0xc3); /* not ASCII */
  refuse_changed(10, 0);   /* no pwd */
  refuse_changed(10, 65);  /* pwd too long */
  refuse_changed(11, '=');
  refuse_changed(14, 1);  /* a candidate left over */
  refuse_changed(14, 3);  /* one is missing */
  refuse_changed(14, 17); /* too many */
  refuse_changed(15, 4);  /* type */
  refuse_changed(16, 4);  /* transport */
  refuse_changed(18, 5);  /* family */
  refuse_changed(18, 0);
}

/* A candidate that ends where its bad field would let a careless reader stop. */
static void test_short_candidates(void **state) {
  (void)state;
  const uint8_t type[] = {1, 0, 0, 0, 1, 1, 'u', 1, 'p', 1, 4, 0},
                transport[] = {1, 0, 0, 0, 1, 1, 'u', 1, 'p', 1, 0, 4};
  const uint8_t no_ip[] = {1, 0, 0, 0, 1, 1, 'u', 1, 'p', 1, 0, 0, 0, 0, 0, 9, 1, 1, 1, 1, 2, 2, 2, 2};
  assert_int_equal(decode(type, sizeof type), THIRL_E_MALFORMED);
  assert_int_equal(decode(transport, sizeof transport), THIRL_E_MALFORMED);
  assert_int_equal(decode(no_ip, sizeof no_ip), THIRL_E_MALFORMED);
}

static void test_more_candidates_than_allowed(void **state) {
  (void)state;
  uint8_t bytes[OFFER_BYTES_MAX];
  size_t n;
  thirl_meet_offer o = large();
  o.early_n = 0;
  assert_int_equal(thirl_meet_offer_encode(&o, bytes, sizeof bytes, &n), THIRL_OK);
  memcpy(bytes + n, bytes + n - 30, 30);
  bytes[103] = 17;
  assert_int_equal(decode(bytes, n + 30), THIRL_E_MALFORMED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exact_bytes),
      cmocka_unit_test(test_largest_offer_comes_back),
      cmocka_unit_test(test_early_bytes),
      cmocka_unit_test(test_offer_without_candidates),
      cmocka_unit_test(test_alphabet),
      cmocka_unit_test(test_encode_refuses),
      cmocka_unit_test(test_short_candidates),
      cmocka_unit_test(test_every_lack_of_space_is_told),
      cmocka_unit_test(test_every_cut_and_every_rest_is_malformed),
      cmocka_unit_test(test_decode_refuses),
      cmocka_unit_test(test_more_candidates_than_allowed),
  };
  return cmocka_run_group_tests_name("meet/offer", tests, NULL, NULL);
}
