/* SPDX-License-Identifier: MIT */
/* Rendezvous messages: the exact bytes of each kind, every field present and absent, every bit protected. */
#include "meet/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes_of.h"
#include "stun/integrity.h"
#include "stun/writer.h"

/* Which fields a message carries. */
enum {
  PEER = 1 << 0,
  SESSION = 1 << 1,
  PROOF = 1 << 2,
  OFFER_MAC = 1 << 3,
  OFFER = 1 << 4,
  NONCE = 1 << 5,
  SIGNATURE = 1 << 6,
  PUBLIC = 1 << 7,
  EPHEMERAL = 1 << 8,
  CHECKS = 1 << 9,
  CHANNEL = 1 << 10,
  FIRE_IN = 1 << 11,
  CREDIT = 1 << 12,
  REASON = 1 << 13,
  RTT = 1 << 14,
  LIFETIME = 1 << 15,
  COUNTER = 1 << 16,
  MAPPED = 1 << 17,
  FIELDS = 18,
  ALL = (1 << FIELDS) - 1,
  EMPTY_OFFER = 1 << 18,
  EMPTY_CHECKS = 1 << 19
};

static const uint8_t *key(void) {
  static uint8_t k[THIRL_MEET_KEY_LEN];
  bytes_ramp(k, sizeof k, 0x40);
  return k;
}

/* A view of a ramp that lives for ever. */
static thirl_bytes ramp_view(size_t n, unsigned first) {
  static uint8_t all[512];
  bytes_ramp(all, sizeof all, 0);
  return THIRL_BYTES(all + first, n);
}

static void put_big(thirl_meet_message *m, unsigned fields) {
  m->has_offer = fields & (OFFER | EMPTY_OFFER);
  m->offer = m->has_offer ? ramp_view(fields & OFFER ? 7 : 0, 0x60) : (thirl_bytes){0};
  m->nonce = fields & NONCE ? ramp_view(10, 0x70) : (thirl_bytes){0};
  m->signature = fields & SIGNATURE ? ramp_view(70, 0x80) : (thirl_bytes){0};
  m->has_public = fields & PUBLIC;
  if (m->has_public) bytes_ramp(m->public_key, sizeof m->public_key, 0x04);
  m->has_ephemeral = fields & EPHEMERAL;
  if (m->has_ephemeral) bytes_ramp(m->ephemeral, sizeof m->ephemeral, 0x50);
  m->has_checks = fields & (CHECKS | EMPTY_CHECKS);
  m->n_checks = fields & CHECKS ? 2 : 0;
  bytes_ramp(m->checks, m->n_checks * THIRL_MEET_CHECK_LEN, 0x90);
}

static void put_small(thirl_meet_message *m, unsigned fields) {
  m->has_peer = fields & PEER;
  if (m->has_peer) bytes_ramp(m->peer.b, sizeof m->peer.b, 0xa0);
  m->has_session = fields & SESSION;
  if (m->has_session) bytes_ramp(m->session, sizeof m->session, 0x10);
  m->has_proof = fields & PROOF;
  if (m->has_proof) bytes_ramp(m->proof, sizeof m->proof, 0x20);
  m->has_offer_mac = fields & OFFER_MAC;
  if (m->has_offer_mac) bytes_ramp(m->offer_mac, sizeof m->offer_mac, 0x30);
  m->has_channel = fields & CHANNEL;
  m->channel = m->has_channel ? 0x4002 : 0;
  m->has_fire_in = fields & FIRE_IN;
  m->fire_in_us = m->has_fire_in ? 12345 : 0;
  m->has_credit = fields & CREDIT;
  m->credit = m->has_credit ? 262144 : 0;
  m->has_reason = fields & REASON;
  m->reason = m->has_reason ? 19 : 0;
  m->has_rtt = fields & RTT;
  m->rtt_us = m->has_rtt ? 98765 : 0;
  m->has_lifetime = fields & LIFETIME;
  m->lifetime_s = m->has_lifetime ? 90 : 0;
  m->has_counter = fields & COUNTER;
  m->counter = m->has_counter ? 0x0102030405060708 : 0;
  m->has_mapped = fields & MAPPED;
  if (m->has_mapped) m->mapped = thirl_addr_v4(192, 0, 2, 7, 40000);
}

static thirl_meet_message message(thirl_stun_class cls, uint16_t method, unsigned fields, unsigned code) {
  thirl_meet_message m;
  memset(&m, 0, sizeof m);
  m.cls = cls;
  m.method = method;
  m.error_code = code;
  bytes_ramp(m.tid, sizeof m.tid, 1);
  put_small(&m, fields);
  put_big(&m, fields);
  return m;
}

/* Everything but the views by memcmp, the views by what they show. */
static void expect_same(const thirl_meet_message *a, const thirl_meet_message *b) {
  thirl_meet_message x, y;
  memcpy(&x, a, sizeof x);
  memcpy(&y, b, sizeof y);
  assert_true(thirl_bytes_equal(x.offer, y.offer) && thirl_bytes_equal(x.nonce, y.nonce) &&
              thirl_bytes_equal(x.signature, y.signature));
  x.offer = x.nonce = x.signature = y.offer = y.nonce = y.signature = (thirl_bytes){NULL, 0};
  assert_memory_equal(&x, &y, sizeof x);
}

/* ---- exact bytes ---- */

/* Made by an implementation of the format in another language. */
static const struct {
  const char *name;
  thirl_stun_class cls;
  uint16_t method;
  unsigned fields, code;
  bool has_key;
  const char *hex;
} kinds[] = {
    {"register first", THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_REGISTER, PEER, 0, false,
     "02a100202112a4420102030405060708090a0b0c7e040014a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b380280004"
     "928aae01"},
    {"challenge", THIRL_STUN_ERROR, THIRL_STUN_METHOD_THIRL_REGISTER, NONCE | EPHEMERAL, 401, false,
     "03b100682112a4420102030405060708090a0b0c0015000a7071727374757677787900007e0200415051525354555657"
     "58595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f8081828384858687"
     "88898a8b8c8d8e8f900000000009000400000401802800048b385d25"},
    {"stale", THIRL_STUN_ERROR, THIRL_STUN_METHOD_THIRL_REGISTER, NONCE, 438, false,
     "03b100202112a4420102030405060708090a0b0c0015000a707172737475767778790000000900040000042680280004"
     "363301e9"},
    {"register signed", THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_REGISTER,
     OFFER | NONCE | SIGNATURE | PUBLIC | EPHEMERAL | CHECKS | RTT | COUNTER, 0, true,
     "02a1015c2112a4420102030405060708090a0b0c7e06000760616263646566000015000a707172737475767778790000"
     "7e030046808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaab"
     "acadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c500007e0100410405060708090a0b0c0d0e0f10111213"
     "1415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40414243"
     "440000007e020041505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f7071727374757677"
     "78797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f900000007e080020909192939495969798999a9b9c9d9e9f"
     "a0a1a2a3a4a5a6a7a8a9aaabacadaeaffe020004000181cd7e0c00080102030405060708001c0020bae497c2948fbb5a"
     "08d38eedb89ac8400bcc7beb0730763f5f32b24ce6783c5e80280004278e56b3"},
    {"registered", THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_THIRL_REGISTER, LIFETIME | COUNTER | MAPPED, 0, true,
     "03a1004c2112a4420102030405060708090a0b0c000d00040000005a7e0c00080102030405060708002000080001bd52"
     "e112a645001c0020bb9d0758e35142209c5609520bf09f853d2ea414fd624a8554e9663023e536d780280004bf9e5dab"},
    {"update", THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE, OFFER | CHECKS | RTT | COUNTER, 0, true,
     "02a200702112a4420102030405060708090a0b0c7e06000760616263646566007e080020909192939495969798999a9b"
     "9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaffe020004000181cd7e0c00080102030405060708001c00201a90b561"
     "192fe114837a69efc442da7fa7ffd47fce3942ca4f2e39edaf5cf194802800042bcfbbf5"},
    {"update nothing", THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE, EMPTY_OFFER | EMPTY_CHECKS | COUNTER, 0,
     true,
     "02a200402112a4420102030405060708090a0b0c7e0600007e0800007e0c00080102030405060708001c0020d7d4b67e"
     "79f62680869f8d0c8d73f21f21c139d2736875109c5edc0904b95b138028000475d7b97d"},
    {"updated", THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_THIRL_UPDATE, LIFETIME | COUNTER, 0, true,
     "03a200402112a4420102030405060708090a0b0c000d00040000005a7e0c00080102030405060708001c00204c24e36b"
     "a9c6b22d6ddd72122b64b4d05dfd87cc14ec58001958e1a990f3371a802800043c461a9c"},
    {"connect", THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_CONNECT,
     PEER | SESSION | PROOF | OFFER_MAC | OFFER | RTT | COUNTER, 0, true,
     "02a300b02112a4420102030405060708090a0b0c7e040014a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b37e050010"
     "101112131415161718191a1b1c1d1e1f7e090010202122232425262728292a2b2c2d2e2f7e0700203031323334353637"
     "38393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f7e0600076061626364656600fe020004000181cd7e0c0008"
     "0102030405060708001c0020031d18cacd65692ba11822881b197789d3de07384968839c3d32ab5b00cec1b080280004"
     "bad96bf1"},
    {"connected", THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_THIRL_CONNECT, OFFER | CHANNEL | FIRE_IN | CREDIT | COUNTER, 0,
     true,
     "03a3005c2112a4420102030405060708090a0b0c7e0600076061626364656600000c0004400200007e0a000400003039"
     "7e0b0004000400007e0c00080102030405060708001c002021e2df7302ab057bebecc57b2ccabccff453d5d6ac231204"
     "9b83fb7f9a863c1a80280004a9676048"},
    {"not connected", THIRL_STUN_ERROR, THIRL_STUN_METHOD_THIRL_CONNECT, COUNTER, 404, true,
     "03b300402112a4420102030405060708090a0b0c7e0c000801020304050607080009000400000404001c00205ab18e64"
     "4b17b97b142746306da1b862f1501af9b9efb60257878fbb071dfa7c80280004f6817d1f"},
    {"offer", THIRL_STUN_INDICATION, THIRL_STUN_METHOD_THIRL_OFFER,
     PEER | SESSION | OFFER_MAC | OFFER | CHANNEL | FIRE_IN | CREDIT | COUNTER, 0, true,
     "02b400ac2112a4420102030405060708090a0b0c7e040014a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b37e050010"
     "101112131415161718191a1b1c1d1e1f7e070020303132333435363738393a3b3c3d3e3f404142434445464748494a4b"
     "4c4d4e4f7e0600076061626364656600000c0004400200007e0a0004000030397e0b0004000400007e0c000801020304"
     "05060708001c0020cd4dbf3cc189bafdd301bb774b080387798014042845f692f443d17d13ade5ff80280004e86c6be8"},
    {"credit", THIRL_STUN_INDICATION, THIRL_STUN_METHOD_THIRL_CHANNEL, CHANNEL | CREDIT | COUNTER, 0, true,
     "02b500482112a4420102030405060708090a0b0c000c0004400200007e0b0004000400007e0c00080102030405060708"
     "001c00201a830d53121e317467cfc9d3ca08ca39c4c25afb8f42b5796522f9bceaa556c28028000428eb31f4"},
    {"end", THIRL_STUN_INDICATION, THIRL_STUN_METHOD_THIRL_CHANNEL, CHANNEL | REASON | COUNTER, 0, true,
     "02b500482112a4420102030405060708090a0b0c000c000440020000fe010004000000137e0c00080102030405060708"
     "001c00201cb74a6d6613397285d803991dc390a16e72022b309df6101acc7dc6b71fc8c580280004eaef7974"},
    {"drain", THIRL_STUN_INDICATION, THIRL_STUN_METHOD_THIRL_DRAIN, COUNTER, 0, true,
     "02b600382112a4420102030405060708090a0b0c7e0c00080102030405060708001c00209a084dfbcdc0584d03ad5b76"
     "c6f11b152eceedfe63b4034d9a155b53fd21cea280280004fe227618"},
};

static void test_exact_bytes(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    uint8_t expected[THIRL_MEET_MESSAGE_MAX], got[THIRL_MEET_MESSAGE_MAX];
    size_t expected_n = bytes_of_hex(kinds[i].hex, expected, sizeof expected), n;
    thirl_meet_message m = message(kinds[i].cls, kinds[i].method, kinds[i].fields, kinds[i].code), back;
    assert_int_equal(thirl_meet_message_encode(&m, kinds[i].has_key ? key() : NULL, got, sizeof got, &n), THIRL_OK);
    assert_int_equal(n, expected_n);
    assert_memory_equal(got, expected, n);

    thirl_stun_msg in;
    assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(expected, expected_n), &in), THIRL_OK);
    assert_int_equal(thirl_meet_message_decode(&in, &back), THIRL_OK);
    expect_same(&back, &m);
    assert_int_equal(thirl_stun_integrity_check256(&in, THIRL_BYTES(key(), THIRL_MEET_KEY_LEN)),
                     kinds[i].has_key ? THIRL_OK : THIRL_E_NOT_FOUND);
  }
}

/* ---- round trips ---- */

static void expect_round_trip(unsigned fields) {
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX];
  size_t n;
  thirl_stun_class cls = fields % 5 == 0 ? THIRL_STUN_ERROR : THIRL_STUN_REQUEST;
  thirl_meet_message m = message(cls, THIRL_STUN_METHOD_THIRL_UPDATE, fields, cls == THIRL_STUN_ERROR ? 699 : 0), back;
  thirl_stun_msg in;
  assert_int_equal(thirl_meet_message_encode(&m, NULL, bytes, sizeof bytes, &n), THIRL_OK);
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(bytes, n), &in), THIRL_OK);
  assert_int_equal(thirl_meet_message_decode(&in, &back), THIRL_OK);
  expect_same(&back, &m);
}

/* Each field alone, each field missing, each pair, and many others. */
static void test_every_field_present_and_absent(void **state) {
  (void)state;
  expect_round_trip(0);
  expect_round_trip(ALL);
  expect_round_trip(EMPTY_OFFER | EMPTY_CHECKS);
  for (unsigned i = 0; i < FIELDS; i++) {
    expect_round_trip(1u << i);
    expect_round_trip(ALL & ~(1u << i));
    for (unsigned k = 0; k < i; k++)
      expect_round_trip(1u << i | 1u << k);
  }
  thirl_dice dice;
  thirl_dice_seed(&dice, 1);
  for (int i = 0; i < 2000; i++)
    expect_round_trip((unsigned)thirl_dice_below(&dice, ALL + 1));
}

static void test_largest_message_fits(void **state) {
  (void)state;
  static uint8_t much[THIRL_MEET_OFFER_MAX];
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX], ip[16] = {0x20, 1};
  size_t n, again;
  thirl_meet_message m = message(THIRL_STUN_ERROR, THIRL_STUN_METHOD_THIRL_REGISTER, ALL, 699), back;
  m.offer = THIRL_BYTES(much, sizeof much);
  m.nonce = ramp_view(THIRL_MEET_NONCE_MAX, 0);
  m.signature = ramp_view(THIRL_P256_SIGNATURE_MAX, 0);
  m.n_checks = THIRL_MEET_CHECKS_MAX;
  m.channel = 0x4fff;
  m.fire_in_us = m.credit = m.reason = m.rtt_us = m.lifetime_s = UINT32_MAX;
  m.counter = UINT64_MAX;
  m.mapped = thirl_addr_v6(ip, 1);
  thirl_stun_msg in;
  assert_int_equal(thirl_meet_message_encode(&m, key(), bytes, sizeof bytes, &n), THIRL_OK);
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(bytes, n), &in), THIRL_OK);
  assert_int_equal(thirl_meet_message_decode(&in, &back), THIRL_OK);
  expect_same(&back, &m);
  for (size_t cap = 0; cap < n; cap++)
    assert_int_equal(thirl_meet_message_encode(&m, key(), bytes, cap, &again), THIRL_E_SPACE);
  assert_int_equal(thirl_meet_message_encode(&m, key(), bytes, n, &again), THIRL_OK);
}

static void refuse_encode(const thirl_meet_message *m) {
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX];
  size_t n = 99;
  assert_int_equal(thirl_meet_message_encode(m, key(), bytes, sizeof bytes, &n), THIRL_E_RANGE);
  assert_int_equal(n, 0);
}

static void test_encode_refuses(void **state) {
  (void)state;
  static uint8_t much[THIRL_MEET_OFFER_MAX + 1];
  const thirl_meet_message good = message(THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE, ALL, 0);
  thirl_meet_message m = good;
  m.offer = THIRL_BYTES(much, sizeof much);
  refuse_encode(&m);
  m = good;
  m.nonce = ramp_view(THIRL_MEET_NONCE_MAX + 1, 0);
  refuse_encode(&m);
  m = good;
  m.signature = ramp_view(THIRL_P256_SIGNATURE_MAX + 1, 0);
  refuse_encode(&m);
  m = good;
  m.n_checks = THIRL_MEET_CHECKS_MAX + 1;
  refuse_encode(&m);
  m = good;
  m.channel = 0x3fff;
  refuse_encode(&m);
  m.channel = 0x5000;
  refuse_encode(&m);
  m = good;
  m.mapped.family = 0;
  refuse_encode(&m);
  m = good;
  m.error_code = 400;
  refuse_encode(&m);
  m.cls = THIRL_STUN_ERROR;
  m.error_code = 299;
  refuse_encode(&m);
  m.error_code = 700;
  refuse_encode(&m);
  m.error_code = 0;
  refuse_encode(&m);
}

/* ---- what is refused on the way in ---- */

/* A message with one attribute of n bytes, and what decode says to it. */
static thirl_error decode_with(thirl_stun_class cls, uint16_t type, const void *value, size_t n) {
  static const thirl_meet_message zero;
  uint8_t bytes[4096], tid[THIRL_STUN_TID_LEN] = {0};
  thirl_stun_writer w;
  thirl_bytes done;
  thirl_stun_msg in;
  thirl_meet_message m;
  thirl_stun_writer_init(&w, bytes, sizeof bytes, cls, THIRL_STUN_METHOD_THIRL_UPDATE, tid);
  thirl_stun_writer_bytes(&w, type, THIRL_BYTES(value, n));
  assert_int_equal(thirl_stun_writer_finish(&w, &done), THIRL_OK);
  assert_int_equal(thirl_stun_msg_decode(done, &in), THIRL_OK);
  memset(&m, 0xee, sizeof m);
  thirl_error e = thirl_meet_message_decode(&in, &m);
  if (e != THIRL_OK) assert_memory_equal(&m, &zero, sizeof m);
  return e;
}

static void expect_lengths(uint16_t type, size_t min, size_t max, size_t step) {
  static uint8_t value[1024];
  memset(value, 0x40, sizeof value);
  for (size_t n = 0; n <= max + 20; n++)
    assert_int_equal(decode_with(THIRL_STUN_REQUEST, type, value, n),
                     n >= min && n <= max && (n - min) % step == 0 ? THIRL_OK : THIRL_E_MALFORMED);
}

static void test_lengths(void **state) {
  (void)state;
  expect_lengths(THIRL_STUN_ATTR_THIRL_PEER_ID, 20, 20, 1);
  expect_lengths(THIRL_STUN_ATTR_THIRL_SESSION_ID, 16, 16, 1);
  expect_lengths(THIRL_STUN_ATTR_THIRL_TICKET_PROOF, 16, 16, 1);
  expect_lengths(THIRL_STUN_ATTR_THIRL_OFFER_MAC, 32, 32, 1);
  expect_lengths(THIRL_STUN_ATTR_THIRL_OFFER, 0, THIRL_MEET_OFFER_MAX, 1);
  expect_lengths(THIRL_STUN_ATTR_NONCE, 1, THIRL_MEET_NONCE_MAX, 1);
  expect_lengths(THIRL_STUN_ATTR_THIRL_SIGNATURE, 1, THIRL_P256_SIGNATURE_MAX, 1);
  expect_lengths(THIRL_STUN_ATTR_THIRL_PUBLIC_KEY, 65, 65, 1);
  expect_lengths(THIRL_STUN_ATTR_THIRL_EPHEMERAL_KEY, 65, 65, 1);
  expect_lengths(THIRL_STUN_ATTR_THIRL_TICKET_CHECK, 0, 128, 16);
  expect_lengths(THIRL_STUN_ATTR_CHANNEL_NUMBER, 4, 4, 1);
  expect_lengths(THIRL_STUN_ATTR_THIRL_FIRE_IN, 4, 4, 1);
  expect_lengths(THIRL_STUN_ATTR_THIRL_CREDIT, 4, 4, 1);
  expect_lengths(THIRL_STUN_ATTR_THIRL_REASON, 4, 4, 1);
  expect_lengths(THIRL_STUN_ATTR_THIRL_RTT, 4, 4, 1);
  expect_lengths(THIRL_STUN_ATTR_LIFETIME, 4, 4, 1);
  expect_lengths(THIRL_STUN_ATTR_THIRL_COUNTER, 8, 8, 1);
}

static void test_values(void **state) {
  (void)state;
  const uint8_t below[4] = {0x3f, 0xff, 0, 0}, lowest[4] = {0x40, 0, 0, 0}, highest[4] = {0x4f, 0xff, 0xff, 0xff};
  const uint8_t above[4] = {0x50, 0, 0, 0}, address[8] = {0, 3, 1, 2, 3, 4, 5, 6};
  const uint8_t code_200[4] = {0, 0, 2, 0}, code_401[4] = {0, 0, 4, 1};
  assert_int_equal(decode_with(THIRL_STUN_REQUEST, THIRL_STUN_ATTR_CHANNEL_NUMBER, below, 4), THIRL_E_MALFORMED);
  assert_int_equal(decode_with(THIRL_STUN_REQUEST, THIRL_STUN_ATTR_CHANNEL_NUMBER, lowest, 4), THIRL_OK);
  assert_int_equal(decode_with(THIRL_STUN_REQUEST, THIRL_STUN_ATTR_CHANNEL_NUMBER, highest, 4), THIRL_OK);
  assert_int_equal(decode_with(THIRL_STUN_REQUEST, THIRL_STUN_ATTR_CHANNEL_NUMBER, above, 4), THIRL_E_MALFORMED);
  assert_int_equal(decode_with(THIRL_STUN_REQUEST, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, address, 8), THIRL_E_MALFORMED);
  assert_int_equal(decode_with(THIRL_STUN_ERROR, THIRL_STUN_ATTR_ERROR_CODE, code_401, 4), THIRL_OK);
  assert_int_equal(decode_with(THIRL_STUN_ERROR, THIRL_STUN_ATTR_ERROR_CODE, code_200, 4), THIRL_E_MALFORMED);
  assert_int_equal(decode_with(THIRL_STUN_ERROR, THIRL_STUN_ATTR_THIRL_RTT, code_401, 4),
                   THIRL_E_MALFORMED);                                                                  /* no code */
  assert_int_equal(decode_with(THIRL_STUN_REQUEST, THIRL_STUN_ATTR_ERROR_CODE, code_200, 4), THIRL_OK); /* no error */
}

static void test_attributes_that_are_not_known(void **state) {
  (void)state;
  assert_int_equal(decode_with(THIRL_STUN_REQUEST, 0x7eff, "abcd", 4), THIRL_E_UNSUPPORTED);
  assert_int_equal(decode_with(THIRL_STUN_REQUEST, 0xfeff, "abcd", 4), THIRL_OK);
  assert_int_equal(decode_with(THIRL_STUN_REQUEST, THIRL_STUN_ATTR_SOFTWARE, "abcd", 4), THIRL_OK);
}

/* ---- protection ---- */

/* No bit of a protected message can be turned without somebody noticing: the decoder (lengths, fingerprint) or the MAC. With the fingerprint repaired it is the
 * MAC alone that notices, for every bit that it covers. */
static void test_every_bit_is_protected(void **state) {
  (void)state;
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX], changed[THIRL_MEET_MESSAGE_MAX];
  thirl_bytes k = THIRL_BYTES(key(), THIRL_MEET_KEY_LEN);
  thirl_meet_message m = message(THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_CONNECT, ALL, 0);
  size_t n, mac_caught = 0;
  assert_int_equal(thirl_meet_message_encode(&m, key(), bytes, sizeof bytes, &n), THIRL_OK);
  for (size_t bit = 0; bit < n * 8; bit++) {
    thirl_stun_msg in;
    memcpy(changed, bytes, n);
    changed[bit / 8] = (uint8_t)(changed[bit / 8] ^ 1u << bit % 8);
    if (bit / 8 >= n - 8) continue; /* FINGERPRINT itself, which protects nobody else */
    assert_int_not_equal(thirl_stun_msg_decode(THIRL_BYTES(changed, n), &in), THIRL_OK);

    /* without FINGERPRINT, whose absence nobody has to notice */
    thirl_bytes_put_u16(changed + 2, (uint16_t)(thirl_bytes_get_u16(changed + 2) - 8));
    if (thirl_stun_msg_decode(THIRL_BYTES(changed, n - 8), &in) != THIRL_OK) continue;
    assert_int_not_equal(thirl_stun_integrity_check256(&in, k), THIRL_OK);
    mac_caught++;
  }
  assert_true(mac_caught > (n - 100) * 8); /* nearly all of them */
}

static void test_wrong_key(void **state) {
  (void)state;
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX], other[THIRL_MEET_KEY_LEN];
  thirl_meet_message m = message(THIRL_STUN_INDICATION, THIRL_STUN_METHOD_THIRL_DRAIN, COUNTER, 0);
  thirl_stun_msg in;
  size_t n;
  assert_int_equal(thirl_meet_message_encode(&m, key(), bytes, sizeof bytes, &n), THIRL_OK);
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(bytes, n), &in), THIRL_OK);
  memcpy(other, key(), sizeof other);
  assert_int_equal(thirl_stun_integrity_check256(&in, THIRL_BYTES(other, sizeof other)), THIRL_OK);
  other[31] ^= 1;
  assert_int_equal(thirl_stun_integrity_check256(&in, THIRL_BYTES(other, sizeof other)), THIRL_E_INTEGRITY);
}

/* ---- keys ---- */

static thirl_p256 *private_key(unsigned first) {
  uint8_t scalar[THIRL_P256_PRIVATE_LEN];
  thirl_p256 *k;
  bytes_ramp(scalar, sizeof scalar, first);
  assert_int_equal(thirl_p256_from_private(scalar, &k), THIRL_OK);
  return k;
}

static void test_keys(void **state) {
  (void)state;
  thirl_p256 *client = private_key(0x01), *server = private_key(0x21);
  thirl_meet_keys a, b;
  thirl_peerid peer;
  uint8_t expected[THIRL_MEET_KEY_LEN];
  bytes_ramp(peer.b, sizeof peer.b, 0xa0);
  assert_int_equal(thirl_meet_message_keys(client, server, ramp_view(10, 0x70), &peer, &a), THIRL_OK);
  bytes_of_hex("f634048d935ae83b45fdd20709aac46366e828c966540816f92289b151e86440", expected, sizeof expected);
  assert_memory_equal(a.to_server, expected, sizeof expected);
  bytes_of_hex("d45413bf5b9d0e1a5f86907edcdd416e178232bb77223164dbf7622e0d374893", expected, sizeof expected);
  assert_memory_equal(a.to_client, expected, sizeof expected);
  assert_int_equal(thirl_meet_message_keys(server, client, ramp_view(10, 0x70), &peer, &b), THIRL_OK);
  assert_memory_equal(&a, &b, sizeof a);
  /* another nonce, another peer: other keys */
  assert_int_equal(thirl_meet_message_keys(server, client, ramp_view(10, 0x71), &peer, &b), THIRL_OK);
  assert_memory_not_equal(&a, &b, sizeof a);
  peer.b[0] ^= 1;
  assert_int_equal(thirl_meet_message_keys(server, client, ramp_view(10, 0x70), &peer, &b), THIRL_OK);
  assert_memory_not_equal(&a, &b, sizeof a);
  thirl_p256_free(client);
  thirl_p256_free(server);
}

static void test_keys_need_a_private_key(void **state) {
  (void)state;
  thirl_meet_keys keys, zero = {{0}, {0}};
  thirl_peerid peer = {{0}};
  uint8_t point[THIRL_P256_PUBLIC_LEN];
  thirl_p256 *client = private_key(0x01), *public_only;
  thirl_p256_get_public(client, point);
  assert_int_equal(thirl_p256_from_public(point, &public_only), THIRL_OK);
  assert_int_not_equal(thirl_meet_message_keys(public_only, client, ramp_view(1, 0), &peer, &keys), THIRL_OK);
  assert_memory_equal(&keys, &zero, sizeof keys);
  thirl_p256_free(client);
  thirl_p256_free(public_only);
}

static void test_signed_bytes(void **state) {
  (void)state;
  uint8_t server[THIRL_P256_PUBLIC_LEN], ephemeral[THIRL_P256_PUBLIC_LEN], got[THIRL_MEET_SIGNED_MAX];
  uint8_t expected[THIRL_MEET_SIGNED_MAX];
  bytes_ramp(server, sizeof server, 1);
  bytes_ramp(ephemeral, sizeof ephemeral, 100);
  memcpy(expected, "thirl register v1", 17);
  bytes_ramp(expected + 17, 10, 0x70);
  memcpy(expected + 27, server, 65);
  memcpy(expected + 92, ephemeral, 65);
  assert_int_equal(thirl_meet_message_signed(ramp_view(10, 0x70), server, ephemeral, got), 157);
  assert_memory_equal(got, expected, 157);
  assert_int_equal(thirl_meet_message_signed(ramp_view(THIRL_MEET_NONCE_MAX, 0), server, ephemeral, got),
                   THIRL_MEET_SIGNED_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exact_bytes),
      cmocka_unit_test(test_every_field_present_and_absent),
      cmocka_unit_test(test_largest_message_fits),
      cmocka_unit_test(test_encode_refuses),
      cmocka_unit_test(test_lengths),
      cmocka_unit_test(test_values),
      cmocka_unit_test(test_attributes_that_are_not_known),
      cmocka_unit_test(test_every_bit_is_protected),
      cmocka_unit_test(test_wrong_key),
      cmocka_unit_test(test_keys),
      cmocka_unit_test(test_keys_need_a_private_key),
      cmocka_unit_test(test_signed_bytes),
  };
  return cmocka_run_group_tests_name("meet/message", tests, NULL, NULL);
}
