/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "stun/msg.h"
#include "unit/stun/vectors.h"

enum { MSG_MAX = 512 };

/* A message made by hand: header, then attributes as raw bytes. */
typedef struct raw {
  uint8_t b[MSG_MAX];
  size_t n;
} raw;

static raw raw_of(uint16_t type) {
  raw r = {.n = 20};
  thirl_bytes_put_u16(r.b, type);
  thirl_bytes_put_u32(r.b + 4, THIRL_STUN_COOKIE);
  for (uint8_t i = 0; i < 12; i++)
    r.b[8 + i] = (uint8_t)(0xa0 + i);
  return r;
}

static void raw_attr(raw *r, uint16_t type, const void *value, size_t n) {
  thirl_bytes_put_u16(r->b + r->n, type);
  thirl_bytes_put_u16(r->b + r->n + 2, (uint16_t)n);
  memcpy(r->b + r->n + 4, value, n);
  memset(r->b + r->n + 4 + n, 0x20, (4 - n % 4) % 4);
  r->n += 4 + ((n + 3) & ~(size_t)3);
  thirl_bytes_put_u16(r->b + 2, (uint16_t)(r->n - 20));
}

static thirl_error decode(const raw *r, thirl_stun_msg *m) {
  return thirl_stun_msg_decode(THIRL_BYTES(r->b, r->n), m);
}

static const uint8_t zero[64];

static void load(const char *name, vector *v, thirl_stun_msg *m) {
  vector_load(name, v);
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(v->b, v->n), m), THIRL_OK);
}

static void assert_text(const thirl_stun_msg *m, uint16_t type, thirl_bytes want) {
  thirl_bytes got;
  assert_true(want.n > 0);
  assert_true(thirl_stun_msg_find(m, type, &got));
  assert_true(thirl_bytes_equal(got, want));
}

static void the_sample_request_reads_as_printed(void **state) {
  (void)state;
  vector v;
  thirl_stun_msg m;
  uint32_t priority;
  uint64_t tie;
  static const uint8_t tid[12] = {0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae};
  load("rfc5769-2.1-request", &v, &m);
  assert_int_equal(v.n, 108);
  assert_int_equal(m.cls, THIRL_STUN_REQUEST);
  assert_int_equal(m.method, THIRL_STUN_METHOD_BINDING);
  assert_true(thirl_stun_msg_same_tid(&m, tid));
  assert_text(&m, THIRL_STUN_ATTR_SOFTWARE, vector_param(&v, "software"));
  assert_text(&m, THIRL_STUN_ATTR_USERNAME, vector_param(&v, "username"));
  assert_int_equal(thirl_stun_msg_get_u32(&m, THIRL_STUN_ATTR_PRIORITY, &priority), THIRL_OK);
  assert_int_equal(priority, 0x6e0001ff);
  assert_int_equal(thirl_stun_msg_get_u64(&m, THIRL_STUN_ATTR_ICE_CONTROLLED, &tie), THIRL_OK);
  assert_true(tie == 0x932ff9b151263b36u);
  assert_int_equal(m.n_unknown, 0);
  assert_int_equal(m.integrity_at, 76);
  assert_int_equal(m.fingerprint_at, 100);
  assert_int_equal(m.attrs.n, 56);
}

static void the_sample_responses_give_their_addresses(void **state) {
  (void)state;
  static const char *const names[] = {"rfc5769-2.2-response-v4", "rfc5769-2.3-response-v6"};
  for (int i = 0; i < 2; i++) {
    vector v;
    thirl_stun_msg m;
    thirl_addr a;
    char text[THIRL_ADDR_TEXT_MAX];
    load(names[i], &v, &m);
    assert_int_equal(m.cls, THIRL_STUN_SUCCESS);
    assert_text(&m, THIRL_STUN_ATTR_SOFTWARE, vector_param(&v, "software"));
    assert_int_equal(thirl_stun_msg_get_xor_addr(&m, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &a), THIRL_OK);
    assert_true(thirl_bytes_equal(vector_literal(thirl_addr_format(&a, text)), vector_param(&v, "mapped")));
    assert_int_equal(thirl_stun_msg_get_addr(&m, THIRL_STUN_ATTR_MAPPED_ADDRESS, &a), THIRL_E_NOT_FOUND);
  }
}

static void the_long_term_requests_read_as_printed(void **state) {
  (void)state;
  vector v;
  thirl_stun_msg m;
  load("rfc5769-2.4-request-long-term", &v, &m);
  assert_text(&m, THIRL_STUN_ATTR_USERNAME, vector_param(&v, "username"));
  assert_text(&m, THIRL_STUN_ATTR_NONCE, vector_param(&v, "nonce"));
  assert_text(&m, THIRL_STUN_ATTR_REALM, vector_param(&v, "realm"));
  assert_int_equal(m.fingerprint_at, 0);
  load("rfc8489-b.1-request-sha256", &v, &m);
  assert_text(&m, THIRL_STUN_ATTR_NONCE, vector_param(&v, "nonce"));
  assert_text(&m, THIRL_STUN_ATTR_REALM, vector_param(&v, "realm"));
  assert_text(&m, THIRL_STUN_ATTR_PASSWORD_ALGORITHM, THIRL_BYTES("\0\2\0\0", 4));
  assert_false(thirl_stun_msg_has(&m, THIRL_STUN_ATTR_USERNAME));
  assert_int_equal(m.integrity_at, 0);
  assert_int_equal(m.integrity256_at, 128);
}

/* RFC 8489 section 5: the class bits stand between the method bits. */
static void method_and_class_are_told_apart(void **state) {
  (void)state;
  static const struct {
    uint16_t type, method;
    thirl_stun_class cls;
  } rows[] = {
      {0x0001, 0x001, THIRL_STUN_REQUEST}, {0x0011, 0x001, THIRL_STUN_INDICATION},
      {0x0101, 0x001, THIRL_STUN_SUCCESS}, {0x0111, 0x001, THIRL_STUN_ERROR},
      {0x03a1, 0x0d1, THIRL_STUN_SUCCESS}, {0x02b4, 0x0d4, THIRL_STUN_INDICATION},
      {0x3eef, 0xfff, THIRL_STUN_REQUEST}, {0x3fff, 0xfff, THIRL_STUN_ERROR},
      {0x0009, 0x009, THIRL_STUN_REQUEST}, {0x0200, 0x080, THIRL_STUN_REQUEST},
      {0x0080, 0x040, THIRL_STUN_REQUEST}, {0x0020, 0x010, THIRL_STUN_REQUEST},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    thirl_stun_msg m;
    raw r = raw_of(rows[i].type);
    assert_int_equal(decode(&r, &m), THIRL_OK);
    assert_int_equal(m.method, rows[i].method);
    assert_int_equal(m.cls, rows[i].cls);
  }
}

static void kinds_follow_rfc_7983(void **state) {
  (void)state;
  assert_int_equal(thirl_stun_msg_kind(THIRL_BYTES(NULL, 0)), THIRL_STUN_KIND_OTHER);
  for (unsigned i = 0; i < 256; i++) {
    uint8_t b = (uint8_t)i;
    thirl_stun_kind want = i <= 3               ? THIRL_STUN_KIND_STUN
                           : i >= 20 && i <= 63 ? THIRL_STUN_KIND_TLS
                           : i >= 64 && i <= 79 ? THIRL_STUN_KIND_CHANNEL
                                                : THIRL_STUN_KIND_OTHER;
    assert_int_equal(thirl_stun_msg_kind(THIRL_BYTES(&b, 1)), want);
  }
}

static void foreign_bytes_are_not_stun(void **state) {
  (void)state;
  thirl_stun_msg m;
  raw r = raw_of(0x0001);
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(NULL, 0), &m), THIRL_E_NOT_STUN);
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(r.b, 19), &m), THIRL_E_NOT_STUN);
  r.b[0] = 0x40;
  assert_int_equal(decode(&r, &m), THIRL_E_NOT_STUN);
  r.b[0] = 0x80;
  assert_int_equal(decode(&r, &m), THIRL_E_NOT_STUN);
  r.b[0] = 0;
  r.b[7] ^= 1; /* RFC 3489 had no cookie */
  assert_int_equal(decode(&r, &m), THIRL_E_NOT_STUN);
}

static void lying_lengths_are_malformed(void **state) {
  (void)state;
  thirl_stun_msg m;
  raw r = raw_of(0x0001);
  raw_attr(&r, THIRL_STUN_ATTR_USERNAME, "abc", 3);
  assert_int_equal(decode(&r, &m), THIRL_OK);
  for (unsigned length = 0; length < 0x10000; length++) {
    thirl_bytes_put_u16(r.b + 2, (uint16_t)length);
    assert_int_equal(decode(&r, &m), length == 8 ? THIRL_OK : THIRL_E_MALFORMED);
  }
  thirl_bytes_put_u16(r.b + 2, 8);
  for (unsigned length = 0; length < 0x10000; length++) { /* of the attribute */
    thirl_bytes_put_u16(r.b + 22, (uint16_t)length);
    bool fits = length >= 1 && length <= 4; /* 0 leaves four bytes "abc " that are no attribute that fits */
    assert_int_equal(decode(&r, &m), fits ? THIRL_OK : THIRL_E_MALFORMED);
    assert_int_equal(m.raw.n, fits ? 28 : 0);
  }
}

static void fingerprint_must_be_last_and_right(void **state) {
  (void)state;
  vector v;
  thirl_stun_msg m;
  raw r = {.n = 0};
  vector_load("rfc5769-2.2-response-v4", &v);
  memcpy(r.b, v.b, v.n);
  r.n = v.n;
  r.b[r.n - 1] ^= 1;
  assert_int_equal(decode(&r, &m), THIRL_E_MALFORMED);
  r.b[r.n - 1] ^= 1;
  assert_int_equal(decode(&r, &m), THIRL_OK);
  /* something behind it, with a CRC that is right for the longer message */
  size_t crc_at = r.n - 4;
  raw_attr(&r, THIRL_STUN_ATTR_SOFTWARE, "late", 4);
  thirl_bytes_put_u32(r.b + crc_at, thirl_hash_crc32(THIRL_BYTES(r.b, crc_at - 4)) ^ 0x5354554e);
  assert_int_equal(decode(&r, &m), THIRL_E_MALFORMED);
  raw wrong_length = raw_of(0x0001);
  raw_attr(&wrong_length, THIRL_STUN_ATTR_FINGERPRINT, zero, 8);
  assert_int_equal(decode(&wrong_length, &m), THIRL_E_MALFORMED);
}

static void integrity_of_a_wrong_length_is_malformed(void **state) {
  (void)state;
  for (size_t n = 0; n <= 40; n++) {
    thirl_stun_msg m;
    raw r = raw_of(0x0001);
    raw_attr(&r, THIRL_STUN_ATTR_MESSAGE_INTEGRITY, zero, n);
    assert_int_equal(decode(&r, &m), n == 20 ? THIRL_OK : THIRL_E_MALFORMED);
    r = raw_of(0x0001);
    raw_attr(&r, THIRL_STUN_ATTR_MESSAGE_INTEGRITY_SHA256, zero, n);
    bool ok = n == 16 || n == 20 || n == 24 || n == 28 || n == 32;
    assert_int_equal(decode(&r, &m), ok ? THIRL_OK : THIRL_E_MALFORMED);
  }
}

/* RFC 8489 14.5: what follows MESSAGE-INTEGRITY was not written by its author. */
static void attributes_behind_integrity_do_not_count(void **state) {
  (void)state;
  thirl_stun_msg m;
  thirl_bytes value;
  raw r = raw_of(0x0001);
  raw_attr(&r, THIRL_STUN_ATTR_USERNAME, "me", 2);
  raw_attr(&r, THIRL_STUN_ATTR_MESSAGE_INTEGRITY, zero, 20);
  raw_attr(&r, THIRL_STUN_ATTR_USE_CANDIDATE, "", 0);
  raw_attr(&r, 0x7fff, "", 0); /* unknown, but nobody vouches for it */
  raw_attr(&r, THIRL_STUN_ATTR_MESSAGE_INTEGRITY, zero, 7);
  raw_attr(&r, THIRL_STUN_ATTR_MESSAGE_INTEGRITY_SHA256, zero, 32);
  raw_attr(&r, THIRL_STUN_ATTR_REALM, "no", 2);
  assert_int_equal(decode(&r, &m), THIRL_OK);
  assert_int_equal(m.integrity_at, 28);
  assert_int_equal(m.integrity256_at, 28 + 24 + 4 + 4 + 12);
  assert_int_equal(m.attrs.n, 8);
  assert_int_equal(m.n_unknown, 0);
  assert_false(thirl_stun_msg_has(&m, THIRL_STUN_ATTR_USE_CANDIDATE));
  assert_false(thirl_stun_msg_find(&m, THIRL_STUN_ATTR_REALM, &value));
  assert_null(value.p);
  /* MESSAGE-INTEGRITY behind -SHA256 is one of the ignored */
  r = raw_of(0x0001);
  raw_attr(&r, THIRL_STUN_ATTR_MESSAGE_INTEGRITY_SHA256, zero, 32);
  raw_attr(&r, THIRL_STUN_ATTR_MESSAGE_INTEGRITY, zero, 20);
  assert_int_equal(decode(&r, &m), THIRL_OK);
  assert_int_equal(m.integrity_at, 0);
  assert_int_equal(m.integrity256_at, 20);
}

static void unknown_required_attributes_are_listed(void **state) {
  (void)state;
  thirl_stun_msg m;
  raw r = raw_of(0x0001);
  raw_attr(&r, 0x7abc, "x", 1);
  raw_attr(&r, THIRL_STUN_ATTR_PRIORITY, zero, 4);
  raw_attr(&r, 0xfabc, "x", 1); /* comprehension-optional */
  raw_attr(&r, 0x0007, "x", 1); /* RFC 3489's PASSWORD: no longer known */
  assert_int_equal(decode(&r, &m), THIRL_OK);
  assert_int_equal(m.n_unknown, 2);
  assert_int_equal(m.unknown[0], 0x7abc);
  assert_int_equal(m.unknown[1], 0x0007);
  r = raw_of(0x0001);
  for (uint16_t i = 0; i < 40; i++)
    raw_attr(&r, (uint16_t)(0x7a00 + i), "", 0);
  assert_int_equal(decode(&r, &m), THIRL_OK);
  assert_int_equal(m.n_unknown, 40);
  assert_int_equal(m.unknown[THIRL_STUN_UNKNOWN_MAX - 1], 0x7a0f);
}

static void every_attribute_of_the_table_is_known(void **state) {
  (void)state;
  static const uint16_t all[] = {
#define X(name, number, kind, remark) number,
      THIRL_STUN_ATTRS(X)
#undef X
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    thirl_stun_msg m;
    raw r = raw_of(0x0001);
    if (all[i] == THIRL_STUN_ATTR_FINGERPRINT) continue;
    raw_attr(&r, all[i], zero, 20);
    assert_int_equal(decode(&r, &m), THIRL_OK);
    assert_int_equal(m.n_unknown, 0);
  }
}

static void of_repeated_attributes_the_first_counts(void **state) {
  (void)state;
  thirl_stun_msg m;
  uint32_t v;
  raw r = raw_of(0x0001);
  raw_attr(&r, THIRL_STUN_ATTR_LIFETIME, "\0\0\0\1", 4);
  raw_attr(&r, THIRL_STUN_ATTR_LIFETIME, "\0\0\0\2", 4);
  assert_int_equal(decode(&r, &m), THIRL_OK);
  assert_int_equal(thirl_stun_msg_get_u32(&m, THIRL_STUN_ATTR_LIFETIME, &v), THIRL_OK);
  assert_int_equal(v, 1);
  size_t at = 0, n = 0;
  uint16_t type;
  thirl_bytes value;
  while (thirl_stun_msg_next(&m, &at, &type, &value)) {
    assert_int_equal(type, THIRL_STUN_ATTR_LIFETIME);
    assert_int_equal(value.p[3], ++n);
  }
  assert_int_equal(n, 2);
}

static void values_of_a_wrong_length_are_malformed_and_zero(void **state) {
  (void)state;
  for (size_t n = 0; n <= 24; n++) {
    thirl_stun_msg m;
    uint16_t v16 = 9;
    uint32_t v32 = 9;
    uint64_t v64 = 9;
    uint8_t fixed[16];
    uint8_t ones[24];
    memset(ones, 1, sizeof ones);
    memset(fixed, 9, sizeof fixed);
    raw r = raw_of(0x0001);
    raw_attr(&r, THIRL_STUN_ATTR_DATA, ones, n);
    assert_int_equal(decode(&r, &m), THIRL_OK);
    bool ok = n == 2 || n == 4;
    assert_int_equal(thirl_stun_msg_get_u16(&m, THIRL_STUN_ATTR_DATA, &v16), ok ? THIRL_OK : THIRL_E_MALFORMED);
    assert_int_equal(v16, ok ? 0x0101 : 0);
    ok = n == 4;
    assert_int_equal(thirl_stun_msg_get_u32(&m, THIRL_STUN_ATTR_DATA, &v32), ok ? THIRL_OK : THIRL_E_MALFORMED);
    assert_int_equal(v32, ok ? 0x01010101 : 0);
    ok = n == 8;
    assert_int_equal(thirl_stun_msg_get_u64(&m, THIRL_STUN_ATTR_DATA, &v64), ok ? THIRL_OK : THIRL_E_MALFORMED);
    assert_true(v64 == (ok ? 0x0101010101010101u : 0));
    ok = n == 16;
    assert_int_equal(thirl_stun_msg_get_fixed(&m, THIRL_STUN_ATTR_DATA, fixed, 16), ok ? THIRL_OK : THIRL_E_MALFORMED);
    assert_memory_equal(fixed, ok ? ones : zero, 16);
    memset(fixed, 9, sizeof fixed);
    assert_int_equal(thirl_stun_msg_get_fixed(&m, THIRL_STUN_ATTR_NONCE, fixed, 16), THIRL_E_NOT_FOUND);
    assert_memory_equal(fixed, zero, 16);
  }
}

static void addresses_want_their_family_and_length(void **state) {
  (void)state;
  for (unsigned family = 0; family < 256; family++) {
    for (size_t n = 0; n <= 24; n++) {
      thirl_stun_msg m;
      thirl_addr a;
      uint8_t value[24] = {0xff, (uint8_t)family, 0x12, 0x34, 192, 0, 2, 7}; /* the first byte MUST be ignored */
      raw r = raw_of(0x0101);
      raw_attr(&r, THIRL_STUN_ATTR_MAPPED_ADDRESS, value, n);
      assert_int_equal(decode(&r, &m), THIRL_OK);
      thirl_error e = thirl_stun_msg_get_addr(&m, THIRL_STUN_ATTR_MAPPED_ADDRESS, &a);
      bool ok = (family == 1 && n == 8) || (family == 2 && n == 20);
      assert_int_equal(e, ok ? THIRL_OK : THIRL_E_MALFORMED);
      assert_int_equal(a.family, ok ? (family == 1 ? THIRL_FAMILY_V4 : THIRL_FAMILY_V6) : THIRL_FAMILY_NONE);
      assert_int_equal(a.port, ok ? 0x1234 : 0);
      if (family == 1 && ok) {
        thirl_addr want = thirl_addr_v4(192, 0, 2, 7, 0x1234);
        assert_memory_equal(&a, &want, sizeof a);
      }
    }
  }
}

static void error_codes_are_within_their_classes(void **state) {
  (void)state;
  for (unsigned cls = 0; cls < 256; cls++) {
    for (unsigned number = 0; number < 256; number++) {
      thirl_stun_msg m;
      unsigned code;
      thirl_bytes reason;
      uint8_t value[6] = {0xff, 0xff, (uint8_t)cls, (uint8_t)number, 'n', 'o'}; /* 21 reserved bits */
      raw r = raw_of(0x0111);
      raw_attr(&r, THIRL_STUN_ATTR_ERROR_CODE, value, sizeof value);
      assert_int_equal(decode(&r, &m), THIRL_OK);
      unsigned hundreds = cls & 7;
      bool ok = hundreds >= 3 && hundreds <= 6 && number <= 99;
      assert_int_equal(thirl_stun_msg_get_error(&m, &code, &reason), ok ? THIRL_OK : THIRL_E_MALFORMED);
      assert_int_equal(code, ok ? hundreds * 100 + number : 0);
      assert_int_equal(reason.n, ok ? 2 : 0);
      assert_int_equal(thirl_stun_msg_get_error(&m, &code, NULL), ok ? THIRL_OK : THIRL_E_MALFORMED);
    }
  }
  thirl_stun_msg m;
  unsigned code;
  raw r = raw_of(0x0111);
  assert_int_equal(decode(&r, &m), THIRL_OK);
  assert_int_equal(thirl_stun_msg_get_error(&m, &code, NULL), THIRL_E_NOT_FOUND);
  raw_attr(&r, THIRL_STUN_ATTR_ERROR_CODE, "\0\0\4", 3);
  assert_int_equal(decode(&r, &m), THIRL_OK);
  assert_int_equal(thirl_stun_msg_get_error(&m, &code, NULL), THIRL_E_MALFORMED);
}

static void a_zeroed_message_is_empty(void **state) {
  (void)state;
  thirl_stun_msg m = {0};
  uint16_t type;
  thirl_bytes value;
  size_t at = 0;
  assert_false(thirl_stun_msg_next(&m, &at, &type, &value));
  assert_false(thirl_stun_msg_has(&m, THIRL_STUN_ATTR_USERNAME));
}

/* At every alignment, in memory that ends with the message. */
static void nothing_depends_on_alignment(void **state) {
  (void)state;
  vector v;
  vector_load("rfc5769-2.3-response-v6", &v);
  for (size_t shift = 0; shift < 8; shift++) {
    uint8_t *b = malloc(v.n + shift);
    thirl_stun_msg m;
    thirl_addr a;
    assert_non_null(b);
    memcpy(b + shift, v.b, v.n);
    assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(b + shift, v.n), &m), THIRL_OK);
    assert_int_equal(thirl_stun_msg_get_xor_addr(&m, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &a), THIRL_OK);
    assert_int_equal(a.port, 32853);
    free(b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_sample_request_reads_as_printed),
      cmocka_unit_test(the_sample_responses_give_their_addresses),
      cmocka_unit_test(the_long_term_requests_read_as_printed),
      cmocka_unit_test(method_and_class_are_told_apart),
      cmocka_unit_test(kinds_follow_rfc_7983),
      cmocka_unit_test(foreign_bytes_are_not_stun),
      cmocka_unit_test(lying_lengths_are_malformed),
      cmocka_unit_test(fingerprint_must_be_last_and_right),
      cmocka_unit_test(integrity_of_a_wrong_length_is_malformed),
      cmocka_unit_test(attributes_behind_integrity_do_not_count),
      cmocka_unit_test(unknown_required_attributes_are_listed),
      cmocka_unit_test(every_attribute_of_the_table_is_known),
      cmocka_unit_test(of_repeated_attributes_the_first_counts),
      cmocka_unit_test(values_of_a_wrong_length_are_malformed_and_zero),
      cmocka_unit_test(addresses_want_their_family_and_length),
      cmocka_unit_test(error_codes_are_within_their_classes),
      cmocka_unit_test(a_zeroed_message_is_empty),
      cmocka_unit_test(nothing_depends_on_alignment),
  };
  return cmocka_run_group_tests_name("stun/msg", tests, NULL, NULL);
}
