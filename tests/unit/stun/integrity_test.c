/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "stun/integrity.h"
#include "stun/writer.h"
#include "unit/stun/vectors.h"

static const uint8_t tid[THIRL_STUN_TID_LEN] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

/* Whichever integrity attribute the message has. */
static thirl_error check_either(const vector *v, const thirl_stun_msg *m) {
  uint8_t buf[32];
  if (m->integrity256_at) return thirl_stun_integrity_check256(m, vector_key(v, true, buf));
  return thirl_stun_integrity_check(m, vector_key(v, false, buf));
}

static void vectors_pass_with_their_key_and_fail_with_another(void **state) {
  (void)state;
  for (int i = 0; i < VECTOR_COUNT; i++) {
    vector v;
    thirl_stun_msg m;
    vector_load(vector_names[i], &v);
    assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(v.b, v.n), &m), THIRL_OK);
    assert_int_equal(check_either(&v, &m), THIRL_OK);
    assert_int_equal(m.integrity256_at != 0, i == 4);
    assert_int_equal(thirl_stun_integrity_check(&m, vector_literal("wrong")),
                     i == 4 ? THIRL_E_NOT_FOUND : THIRL_E_INTEGRITY);
    assert_int_equal(thirl_stun_integrity_check256(&m, vector_literal("wrong")),
                     i == 4 ? THIRL_E_INTEGRITY : THIRL_E_NOT_FOUND);
    assert_int_not_equal(thirl_stun_integrity_check(&m, THIRL_BYTES(NULL, 0)), THIRL_OK);
  }
}

static void long_term_keys_are_those_of_the_rfcs(void **state) {
  (void)state;
  static const uint8_t userhash[32] = {0x4a, 0x3c, 0xf3, 0x8f, 0xef, 0x69, 0x92, 0xbd, 0xa9, 0x52, 0xc6,
                                       0x78, 0x04, 0x17, 0xda, 0x0f, 0x24, 0x81, 0x94, 0x15, 0x56, 0x9e,
                                       0x60, 0xb2, 0x05, 0xc4, 0x6e, 0x41, 0x40, 0x7f, 0x17, 0x04};
  /* RFC 8489 section 9.2.2: MD5("user:realm:pass") */
  static const uint8_t md5[16] = {0x84, 0x93, 0xfb, 0xc5, 0x3b, 0xa5, 0x82, 0xfb,
                                  0x4c, 0x04, 0x4c, 0x45, 0x6b, 0xdc, 0x40, 0xeb};
  uint8_t out[32];
  vector v;
  vector_load("rfc8489-b.1-request-sha256", &v);
  assert_int_equal(thirl_stun_integrity_userhash(vector_param(&v, "username"), vector_param(&v, "realm"), out),
                   THIRL_OK);
  assert_memory_equal(out, userhash, 32);
  assert_int_equal(
      thirl_stun_integrity_key_md5(vector_literal("user"), vector_literal("realm"), vector_literal("pass"), out),
      THIRL_OK);
  assert_memory_equal(out, md5, 16);
}

static void a_long_user_name_needs_no_special_case(void **state) {
  (void)state;
  static uint8_t joined[2 * 3000 + 1];
  uint8_t out[32], want[32];
  memset(joined, 'u', sizeof joined);
  joined[3000] = ':';
  assert_int_equal(thirl_hash_sha256(THIRL_BYTES(joined, sizeof joined), want), THIRL_OK);
  thirl_bytes half = {joined, 3000};
  assert_int_equal(thirl_stun_integrity_userhash(half, half, out), THIRL_OK);
  assert_memory_equal(out, want, 32);
}

/* What a receiver sees of a message: enough to notice any difference that matters. */
static bool same_content(const thirl_stun_msg *a, const thirl_stun_msg *b) {
  return a->cls == b->cls && a->method == b->method && memcmp(a->tid, b->tid, sizeof a->tid) == 0 &&
         thirl_bytes_equal(a->attrs, b->attrs) && a->integrity_at == b->integrity_at &&
         a->integrity256_at == b->integrity256_at && a->fingerprint_at == b->fingerprint_at;
}

/*
 * Every single bit of the five messages. With FINGERPRINT only a flip in its own type can pass: the message then is one without
 * FINGERPRINT, which is a different content and still authentic. Without FINGERPRINT nothing passes.
 */
static void every_bit_flip_is_rejected_or_seen(void **state) {
  (void)state;
  for (int i = 0; i < VECTOR_COUNT; i++) {
    vector v;
    thirl_stun_msg good, m;
    unsigned accepted = 0;
    vector_load(vector_names[i], &v);
    uint8_t b[VECTOR_BYTES_MAX];
    memcpy(b, v.b, v.n);
    assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(v.b, v.n), &good), THIRL_OK);
    for (size_t bit = 0; bit < v.n * 8; bit++) {
      b[bit / 8] ^= (uint8_t)(1u << bit % 8);
      if (thirl_stun_msg_decode(THIRL_BYTES(b, v.n), &m) == THIRL_OK && check_either(&v, &m) == THIRL_OK) {
        accepted++;
        assert_false(same_content(&good, &m));
        assert_true(bit / 8 == good.fingerprint_at || bit / 8 == good.fingerprint_at + 1);
        assert_int_equal(m.fingerprint_at, 0);
      }
      b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(accepted, good.fingerprint_at ? 16 : 0);
  }
}

static void every_truncation_is_rejected(void **state) {
  (void)state;
  for (int i = 0; i < VECTOR_COUNT; i++) {
    vector v;
    thirl_stun_msg m;
    vector_load(vector_names[i], &v);
    for (size_t n = 0; n < v.n; n++) {
      thirl_error e = thirl_stun_msg_decode(THIRL_BYTES(v.b, n), &m);
      assert_int_equal(e, n < THIRL_STUN_HEADER_LEN ? THIRL_E_NOT_STUN : THIRL_E_MALFORMED);
      assert_null(m.raw.p);
      /* and with a length that was made to fit */
      if (n < THIRL_STUN_HEADER_LEN || n % 4) continue;
      uint8_t b[VECTOR_BYTES_MAX];
      memcpy(b, v.b, n);
      thirl_bytes_put_u16(b + 2, (uint16_t)(n - THIRL_STUN_HEADER_LEN));
      if (thirl_stun_msg_decode(THIRL_BYTES(b, n), &m) == THIRL_OK && check_either(&v, &m) == THIRL_OK)
        assert_int_equal(n, v.n - 8); /* only FINGERPRINT is missing, which no MAC covers */
    }
  }
}

/* RFC 8489 14.6: the two MACs and FINGERPRINT in one message, each over its own length. */
static void both_macs_and_fingerprint_live_together(void **state) {
  (void)state;
  uint8_t buf[256];
  thirl_stun_writer w;
  thirl_stun_msg m;
  thirl_bytes out, key = vector_literal("a key");
  thirl_stun_writer_init(&w, buf, sizeof buf, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, tid);
  thirl_stun_writer_bytes(&w, THIRL_STUN_ATTR_USERNAME, vector_literal("a:b"));
  thirl_stun_writer_integrity(&w, key);
  thirl_stun_writer_integrity256(&w, key);
  thirl_stun_writer_fingerprint(&w);
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
  assert_int_equal(out.n, 20 + 8 + 24 + 36 + 8);
  assert_int_equal(thirl_stun_msg_decode(out, &m), THIRL_OK);
  assert_int_equal(m.integrity_at, 28);
  assert_int_equal(m.integrity256_at, 52);
  assert_int_equal(m.fingerprint_at, 88);
  assert_int_equal(thirl_stun_integrity_check(&m, key), THIRL_OK);
  assert_int_equal(thirl_stun_integrity_check256(&m, key), THIRL_OK);
}

static void a_truncated_sha256_is_refused_by_policy(void **state) {
  (void)state;
  uint8_t buf[128];
  thirl_stun_writer w;
  thirl_stun_msg m;
  thirl_bytes out, key = vector_literal("a key");
  thirl_stun_writer_init(&w, buf, sizeof buf, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, tid);
  thirl_stun_writer_integrity256(&w, key);
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
  /* 16 bytes of it: legal by RFC 8489 14.6, but not for us */
  thirl_bytes_put_u16(buf + 22, 16);
  thirl_bytes_put_u16(buf + 2, 20);
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(buf, 40), &m), THIRL_OK);
  assert_int_equal(thirl_stun_integrity_check256(&m, key), THIRL_E_INTEGRITY);
  /* 12 bytes: not legal at all */
  thirl_bytes_put_u16(buf + 22, 12);
  thirl_bytes_put_u16(buf + 2, 16);
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(buf, 36), &m), THIRL_E_MALFORMED);
}

static void a_message_without_integrity_is_not_found(void **state) {
  (void)state;
  uint8_t buf[64];
  thirl_stun_writer w;
  thirl_stun_msg m;
  thirl_bytes out;
  thirl_stun_writer_init(&w, buf, sizeof buf, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, tid);
  thirl_stun_writer_fingerprint(&w);
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
  assert_int_equal(thirl_stun_msg_decode(out, &m), THIRL_OK);
  assert_int_equal(thirl_stun_integrity_check(&m, vector_literal("k")), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_stun_integrity_check256(&m, vector_literal("k")), THIRL_E_NOT_FOUND);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(vectors_pass_with_their_key_and_fail_with_another),
      cmocka_unit_test(long_term_keys_are_those_of_the_rfcs),
      cmocka_unit_test(a_long_user_name_needs_no_special_case),
      cmocka_unit_test(every_bit_flip_is_rejected_or_seen),
      cmocka_unit_test(every_truncation_is_rejected),
      cmocka_unit_test(both_macs_and_fingerprint_live_together),
      cmocka_unit_test(a_truncated_sha256_is_refused_by_policy),
      cmocka_unit_test(a_message_without_integrity_is_not_found),
  };
  return cmocka_run_group_tests_name("stun/integrity", tests, NULL, NULL);
}
