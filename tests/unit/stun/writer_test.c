/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/integrity.h"
#include "stun/writer.h"
#include "unit/stun/vectors.h"

static const uint8_t tid[THIRL_STUN_TID_LEN] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

/* A message's attributes up to its integrity, written again with ours; padding 0x20 becomes 0, so MACs may differ. */
static thirl_bytes rewrite(const vector *v, uint8_t *buf, size_t cap) {
  thirl_stun_msg m;
  thirl_stun_writer w;
  thirl_bytes out, value;
  uint16_t type;
  size_t at = 0;
  uint8_t key[32];
  thirl_addr a;
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(v->b, v->n), &m), THIRL_OK);
  thirl_stun_writer_init(&w, buf, cap, m.cls, m.method, m.tid);
  while (thirl_stun_msg_next(&m, &at, &type, &value)) {
    uint32_t u32;
    uint64_t u64;
    if (type == THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS) {
      assert_int_equal(thirl_stun_msg_get_xor_addr(&m, type, &a), THIRL_OK);
      thirl_stun_writer_xor_addr(&w, type, &a);
    } else if (type == THIRL_STUN_ATTR_PRIORITY) {
      assert_int_equal(thirl_stun_msg_get_u32(&m, type, &u32), THIRL_OK);
      thirl_stun_writer_u32(&w, type, u32);
    } else if (type == THIRL_STUN_ATTR_ICE_CONTROLLED) {
      assert_int_equal(thirl_stun_msg_get_u64(&m, type, &u64), THIRL_OK);
      thirl_stun_writer_u64(&w, type, u64);
    } else {
      thirl_stun_writer_bytes(&w, type, value);
    }
  }
  if (m.integrity_at) thirl_stun_writer_integrity(&w, vector_key(v, false, key));
  if (m.integrity256_at) thirl_stun_writer_integrity256(&w, vector_key(v, true, key));
  if (m.fingerprint_at) thirl_stun_writer_fingerprint(&w);
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
  return out;
}

/* The two vectors that pad with zeroes come out byte for byte. */
static void vectors_with_our_padding_are_reproduced(void **state) {
  (void)state;
  for (int i = 3; i < VECTOR_COUNT; i++) {
    vector v;
    uint8_t buf[VECTOR_BYTES_MAX];
    vector_load(vector_names[i], &v);
    thirl_bytes out = rewrite(&v, buf, v.n); /* in exactly the room it needs */
    assert_int_equal(out.n, v.n);
    assert_memory_equal(out.p, v.b, v.n);
  }
}

/*
 * The three others differ in their padding, and so in MAC and CRC; everything before is the same. Given their padding, our MAC and CRC
 * are theirs: patch it in, and take the MAC and the CRC over the result with the same functions.
 */
static void vectors_with_other_padding_are_reproduced_around_it(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    vector v;
    uint8_t buf[VECTOR_BYTES_MAX];
    thirl_stun_msg m;
    vector_load(vector_names[i], &v);
    thirl_bytes out = rewrite(&v, buf, sizeof buf);
    assert_int_equal(out.n, v.n);
    assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(v.b, v.n), &m), THIRL_OK);
    unsigned padding = 0;
    for (size_t k = 0; k < m.integrity_at + 4; k++) {
      if (buf[k] == v.b[k]) continue;
      assert_int_equal(v.b[k], 0x20);
      assert_int_equal(buf[k], 0);
      buf[k] = 0x20;
      padding++;
    }
    assert_int_equal(padding, i == 0 ? 3 : 1);
    thirl_stun_writer w = {.buf = buf, .n = m.integrity_at, .cap = sizeof buf};
    thirl_stun_writer_integrity(&w, vector_param(&v, "password"));
    thirl_stun_writer_fingerprint(&w);
    assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
    assert_int_equal(out.n, v.n);
    assert_memory_equal(out.p, v.b, v.n);
  }
}

static void every_kind_of_value_comes_back(void **state) {
  (void)state;
  uint8_t buf[512];
  static const uint8_t ip6[16] = {0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  static const uint16_t unknown[] = {0x7001, 0x7002, 0x7003};
  thirl_addr v4 = thirl_addr_v4(203, 0, 113, 9, 0xbeef), v6 = thirl_addr_v6(ip6, 1), got;
  thirl_stun_writer w;
  thirl_stun_msg m;
  thirl_bytes out, bytes;
  thirl_stun_writer_init(&w, buf, sizeof buf, THIRL_STUN_ERROR, THIRL_STUN_METHOD_THIRL_CONNECT, tid);
  thirl_stun_writer_flag(&w, THIRL_STUN_ATTR_USE_CANDIDATE);
  thirl_stun_writer_u16(&w, THIRL_STUN_ATTR_RESPONSE_PORT, 0xabcd);
  thirl_stun_writer_u32(&w, THIRL_STUN_ATTR_LIFETIME, 0x01020304);
  thirl_stun_writer_u64(&w, THIRL_STUN_ATTR_THIRL_COUNTER, 0x0102030405060708u);
  thirl_stun_writer_addr(&w, THIRL_STUN_ATTR_MAPPED_ADDRESS, &v4);
  thirl_stun_writer_addr(&w, THIRL_STUN_ATTR_OTHER_ADDRESS, &v6);
  thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &v6);
  thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_PEER_ADDRESS, &v4);
  thirl_stun_writer_error(&w, 420, "Unknown");
  thirl_stun_writer_unknown(&w, unknown, 3);
  thirl_stun_writer_bytes(&w, THIRL_STUN_ATTR_DATA, THIRL_BYTES(NULL, 0));
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
  assert_int_equal(thirl_stun_msg_decode(out, &m), THIRL_OK);
  assert_int_equal(m.cls, THIRL_STUN_ERROR);
  assert_int_equal(m.method, THIRL_STUN_METHOD_THIRL_CONNECT);
  assert_true(thirl_stun_msg_same_tid(&m, tid));

  uint16_t u16;
  uint32_t u32;
  uint64_t u64;
  unsigned code;
  assert_true(thirl_stun_msg_has(&m, THIRL_STUN_ATTR_USE_CANDIDATE));
  assert_int_equal(thirl_stun_msg_get_u16(&m, THIRL_STUN_ATTR_RESPONSE_PORT, &u16), THIRL_OK);
  assert_int_equal(u16, 0xabcd);
  assert_int_equal(thirl_stun_msg_get_u32(&m, THIRL_STUN_ATTR_LIFETIME, &u32), THIRL_OK);
  assert_int_equal(u32, 0x01020304);
  assert_int_equal(thirl_stun_msg_get_u64(&m, THIRL_STUN_ATTR_THIRL_COUNTER, &u64), THIRL_OK);
  assert_true(u64 == 0x0102030405060708u);
  assert_int_equal(thirl_stun_msg_get_addr(&m, THIRL_STUN_ATTR_MAPPED_ADDRESS, &got), THIRL_OK);
  assert_memory_equal(&got, &v4, sizeof got);
  assert_int_equal(thirl_stun_msg_get_addr(&m, THIRL_STUN_ATTR_OTHER_ADDRESS, &got), THIRL_OK);
  assert_memory_equal(&got, &v6, sizeof got);
  assert_int_equal(thirl_stun_msg_get_xor_addr(&m, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &got), THIRL_OK);
  assert_memory_equal(&got, &v6, sizeof got);
  assert_int_equal(thirl_stun_msg_get_xor_addr(&m, THIRL_STUN_ATTR_XOR_PEER_ADDRESS, &got), THIRL_OK);
  assert_memory_equal(&got, &v4, sizeof got);
  assert_int_equal(thirl_stun_msg_get_error(&m, &code, &bytes), THIRL_OK);
  assert_int_equal(code, 420);
  assert_true(thirl_bytes_equal(bytes, vector_literal("Unknown")));
  assert_true(thirl_stun_msg_find(&m, THIRL_STUN_ATTR_UNKNOWN_ATTRIBUTES, &bytes));
  assert_int_equal(bytes.n, 6);
  assert_memory_equal(bytes.p, "\x70\x01\x70\x02\x70\x03", 6);
  assert_true(thirl_stun_msg_find(&m, THIRL_STUN_ATTR_DATA, &bytes));
  assert_int_equal(bytes.n, 0);
}

/* Uninitialised padding leaks memory to strangers. */
static void padding_is_zero(void **state) {
  (void)state;
  for (size_t n = 1; n <= 8; n++) {
    uint8_t buf[64];
    thirl_stun_writer w;
    thirl_bytes out;
    memset(buf, 0xee, sizeof buf);
    thirl_stun_writer_init(&w, buf, sizeof buf, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, tid);
    thirl_stun_writer_bytes(&w, THIRL_STUN_ATTR_USERNAME, THIRL_BYTES("12345678", n));
    assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
    assert_int_equal(out.n, n <= 4 ? 28 : 32);
    for (size_t i = 24 + n; i < out.n; i++)
      assert_int_equal(out.p[i], 0);
    assert_int_equal(buf[out.n], 0xee);
  }
}

/* With every capacity below the need: E_SPACE, and never a byte beyond it. */
static void too_little_room_sticks(void **state) {
  (void)state;
  for (size_t cap = 0; cap <= 100; cap++) {
    uint8_t *buf = malloc(cap + 1);
    thirl_stun_writer w;
    thirl_bytes out;
    thirl_addr a = thirl_addr_v4(1, 2, 3, 4, 5);
    assert_non_null(buf);
    buf[cap] = 0xee;
    thirl_stun_writer_init(&w, buf, cap, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, tid);
    thirl_stun_writer_bytes(&w, THIRL_STUN_ATTR_USERNAME, vector_literal("abc"));
    thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_PEER_ADDRESS, &a);
    thirl_stun_writer_integrity(&w, vector_literal("key"));
    thirl_stun_writer_integrity256(&w, vector_literal("key"));
    thirl_stun_writer_fingerprint(&w);
    thirl_error e = thirl_stun_writer_finish(&w, &out);
    assert_int_equal(e, THIRL_E_SPACE);
    assert_null(out.p);
    assert_int_equal(buf[cap], 0xee);
    free(buf);
  }
  uint8_t exact[108];
  thirl_stun_writer w;
  thirl_bytes out;
  thirl_addr a = thirl_addr_v4(1, 2, 3, 4, 5);
  thirl_stun_writer_init(&w, exact, sizeof exact, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, tid);
  thirl_stun_writer_bytes(&w, THIRL_STUN_ATTR_USERNAME, vector_literal("abc"));
  thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_PEER_ADDRESS, &a);
  thirl_stun_writer_integrity(&w, vector_literal("key"));
  thirl_stun_writer_integrity256(&w, vector_literal("key"));
  thirl_stun_writer_fingerprint(&w);
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
  assert_int_equal(out.n, sizeof exact);
}

static thirl_stun_writer fresh(uint8_t *buf, size_t cap) {
  thirl_stun_writer w;
  thirl_stun_writer_init(&w, buf, cap, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, tid);
  return w;
}

static void what_cannot_be_written_is_an_error(void **state) {
  (void)state;
  static uint8_t buf[70000], big[70000];
  static char reason[129];
  thirl_addr none = {0};
  thirl_bytes out;

  thirl_stun_writer w;
  thirl_stun_writer_init(&w, buf, sizeof buf, THIRL_STUN_REQUEST, 0x1000, tid);
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_E_RANGE);

  static const unsigned codes[] = {0, 299, 700, 1000};
  for (size_t i = 0; i < 4; i++) {
    w = fresh(buf, sizeof buf);
    thirl_stun_writer_error(&w, codes[i], "");
    assert_int_equal(w.error, THIRL_E_RANGE);
  }
  memset(reason, 'x', 128);
  w = fresh(buf, sizeof buf);
  thirl_stun_writer_error(&w, 400, reason);
  assert_int_equal(w.error, THIRL_E_RANGE);
  reason[127] = '\0';
  w = fresh(buf, sizeof buf);
  thirl_stun_writer_error(&w, 699, reason);
  assert_int_equal(w.error, THIRL_OK);

  w = fresh(buf, sizeof buf);
  thirl_stun_writer_addr(&w, THIRL_STUN_ATTR_MAPPED_ADDRESS, &none);
  assert_int_equal(w.error, THIRL_E_INVALID);

  /* the length field has 16 bits, of which the last two are zero */
  w = fresh(buf, sizeof buf);
  thirl_stun_writer_bytes(&w, THIRL_STUN_ATTR_DATA, THIRL_BYTES(big, 0xfff8));
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
  assert_int_equal(out.n, 20 + 0xfffc);
  thirl_stun_writer_flag(&w, THIRL_STUN_ATTR_USE_CANDIDATE);
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_E_RANGE);
  w = fresh(buf, sizeof buf);
  thirl_stun_writer_bytes(&w, THIRL_STUN_ATTR_DATA, THIRL_BYTES(big, 0xfff9));
  assert_int_equal(w.error, THIRL_E_RANGE);
  w = fresh(buf, sizeof buf);
  thirl_stun_writer_unknown(&w, (const uint16_t *)(void *)big, 0x8000);
  assert_int_equal(w.error, THIRL_E_RANGE);

  w = fresh(buf, sizeof buf);
  thirl_stun_writer_fingerprint(&w);
  thirl_stun_writer_u32(&w, THIRL_STUN_ATTR_LIFETIME, 1);
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_E_STATE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(vectors_with_our_padding_are_reproduced),
      cmocka_unit_test(vectors_with_other_padding_are_reproduced_around_it),
      cmocka_unit_test(every_kind_of_value_comes_back),
      cmocka_unit_test(padding_is_zero),
      cmocka_unit_test(too_little_room_sticks),
      cmocka_unit_test(what_cannot_be_written_is_an_error),
  };
  return cmocka_run_group_tests_name("stun/writer", tests, NULL, NULL);
}
