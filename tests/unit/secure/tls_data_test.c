/* SPDX-License-Identifier: MIT */
/* Application bytes of a TLS connection: sizes, cuts, limits, keys that change, and every byte of a record altered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/err.h>

#include "unit/secure/pair.h"

enum { SEALED_MAX = THIRL_SECURE_TLS_RECORD + THIRL_SECURE_TLS_OVERHEAD, RECORD_OVERHEAD = 22, KEY_UPDATE_LEN = 27 };

static uint8_t wire[SEALED_MAX], plain[SEALED_MAX], big[THIRL_SECURE_TLS_RECORD + 1];

/*
 * One direction of a long transfer: a byte's value follows from its place in the stream, so a lost, doubled or
 * swapped one shows.
 */
typedef struct stream {
  thirl_secure_tls *from, *to;
  uint64_t sent, got, total;
  thirl_buffer wire; /* ciphertext on its way */
} stream;

static uint8_t value_at(uint64_t offset) {
  return (uint8_t)((offset * 0x9e3779b97f4a7c15u) >> 56);
}

static void send_some(stream *s, thirl_dice *dice) {
  uint64_t left = s->total - s->sent;
  size_t n = (size_t)thirl_dice_below(dice, THIRL_SECURE_TLS_RECORD + 1) >> thirl_dice_below(dice, 14), sealed;
  if (n > left) n = (size_t)left;
  if (thirl_buffer_room(&s->wire) < SEALED_MAX) return;
  for (size_t i = 0; i < n; i++)
    big[i] = value_at(s->sent + i);
  size_t cap = n + THIRL_SECURE_TLS_OVERHEAD + (size_t)thirl_dice_below(dice, 100);
  assert_int_equal(
      thirl_secure_tls_seal(s->from, THIRL_BYTES(big, n), wire, cap < sizeof wire ? cap : sizeof wire, &sealed),
      THIRL_OK);
  assert_int_equal(thirl_buffer_append(&s->wire, THIRL_BYTES(wire, sealed)), THIRL_OK);
  s->sent += n;
}

static void check_plain(stream *s, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (plain[i] != value_at(s->got + i)) fail_msg("wrong byte at %llu", (unsigned long long)(s->got + i));
  s->got += n;
}

static void receive_some(stream *s, thirl_dice *dice) {
  thirl_bytes in = thirl_buffer_view(&s->wire);
  size_t n, cap = 1 + ((size_t)thirl_dice_below(dice, sizeof plain) >> thirl_dice_below(dice, 14));
  if (in.n) in.n = 1 + (size_t)thirl_dice_below(dice, in.n);
  size_t given = in.n;
  if (thirl_dice_below(dice, 3) == 0) { /* keep it inside, read a little of it */
    thirl_error e = thirl_secure_tls_feed(s->to, in);
    assert_true(e == THIRL_OK || e == THIRL_E_LIMIT);
    if (e == THIRL_OK) in.n = 0;
    if (thirl_secure_tls_read(s->to, plain, cap, &n) == THIRL_OK) check_plain(s, n);
  } else {
    thirl_error e = thirl_secure_tls_open(s->to, &in, plain, cap, &n);
    assert_true(e == THIRL_OK || (e == THIRL_E_AGAIN && in.n == 0));
    check_plain(s, n);
  }
  thirl_buffer_consume(&s->wire, given - in.n);
  assert_int_equal(ERR_peek_error(), 0);
}

static void transfer(uint64_t seed, uint64_t total, uint32_t rekey_records) {
  pair p;
  thirl_dice dice;
  thirl_dice_seed(&dice, seed);
  pair_init(&p, NULL, NULL);
  if (rekey_records) {
    for (int i = 0; i < 2; i++)
      thirl_secure_tls_context_set_rekey(p.contexts[i], rekey_records);
    pair_again(&p);
  }
  pair_shake(p.client, p.server, PAIR_WIRE, NULL);
  stream s[2] = {{.from = p.client, .to = p.server, .total = total},
                 {.from = p.server, .to = p.client, .total = total}};
  for (int i = 0; i < 2; i++)
    thirl_buffer_init(&s[i].wire, 100000);
  while (s[0].got < total || s[1].got < total) {
    stream *one = &s[thirl_dice_below(&dice, 2)];
    if (thirl_dice_below(&dice, 2))
      send_some(one, &dice);
    else
      receive_some(one, &dice);
  }
  for (int i = 0; i < 2; i++) {
    assert_int_equal(s[i].got, total);
    thirl_buffer_fini(&s[i].wire);
  }
  pair_fini(&p);
}

static void long_transfers_both_ways_in_random_pieces(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 8; seed++)
    transfer(seed, 1 << 20, 0);
}

static void keys_change_under_a_transfer(void **state) {
  (void)state;
  for (uint32_t records = 1; records <= 4; records++)
    transfer(records, 1 << 18, records);
}

/* RFC 8446 5.2: header 5, content type 1, tag 16 */
static void a_record_costs_22_bytes(void **state) {
  (void)state;
  pair p;
  size_t n, got;
  pair_init_open(&p);
  static const size_t lengths[] = {1, 100, 1200, THIRL_SECURE_TLS_RECORD};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES(big, lengths[i]), wire, sizeof wire, &n), THIRL_OK);
    assert_int_equal(n, lengths[i] + RECORD_OVERHEAD);
    thirl_bytes in = THIRL_BYTES(wire, n);
    assert_int_equal(thirl_secure_tls_open(p.server, &in, plain, sizeof plain, &got), THIRL_OK);
    assert_int_equal(got, lengths[i]);
  }
  pair_fini(&p);
}

/*
 * Both the record before the change and the one after stay inside OVERHEAD, also with the smallest cap that seal
 * accepts.
 */
static void a_key_change_fits_the_overhead(void **state) {
  (void)state;
  pair p;
  size_t n;
  pair_init(&p, NULL, NULL);
  thirl_secure_tls_context_set_rekey(p.contexts[0], 2);
  pair_again(&p);
  pair_shake(p.client, p.server, PAIR_WIRE, NULL);
  for (int i = 0; i < 9; i++) {
    size_t extra = i && i % 2 == 0 ? KEY_UPDATE_LEN : 0;
    assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES(big, THIRL_SECURE_TLS_RECORD), wire, sizeof wire, &n),
                     THIRL_OK);
    assert_int_equal(n, THIRL_SECURE_TLS_RECORD + RECORD_OVERHEAD + extra);
    assert_int_equal(thirl_secure_tls_feed(p.server, THIRL_BYTES(wire, n)), THIRL_OK);
    assert_int_equal(thirl_secure_tls_read(p.server, plain, sizeof plain, &n), THIRL_OK);
    assert_int_equal(n, THIRL_SECURE_TLS_RECORD);
    assert_false(thirl_secure_tls_has_output(p.server)); /* we ask for no answer */
  }
  pair_fini(&p);
}

static void seal_says_what_it_does_not_take(void **state) {
  (void)state;
  pair p;
  size_t n = 7;
  pair_init_open(&p);
  assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES(big, 0), wire, 0, &n), THIRL_OK);
  assert_int_equal(n, 0);
  assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES(big, 10), wire, 10 + THIRL_SECURE_TLS_OVERHEAD - 1, &n),
                   THIRL_E_SPACE);
  assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES(big, sizeof big), wire, sizeof wire, &n), THIRL_E_RANGE);
  assert_int_equal(n, 0);
  assert_int_equal(thirl_secure_tls_open(p.client, &(thirl_bytes){NULL, 0}, plain, 0, &n), THIRL_E_SPACE);
  assert_int_equal(thirl_secure_tls_open(p.client, &(thirl_bytes){NULL, 0}, plain, 1, &n), THIRL_E_AGAIN);
  pair_fini(&p);
}

static void feed_keeps_up_to_its_limit(void **state) {
  (void)state;
  pair p;
  size_t n, kept = 0, got = 0, sent = 0;
  pair_init_open(&p);
  for (;;) {
    assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES(big, THIRL_SECURE_TLS_RECORD), wire, sizeof wire, &n),
                     THIRL_OK);
    thirl_error e = thirl_secure_tls_feed(p.server, THIRL_BYTES(wire, n));
    if (e == THIRL_E_LIMIT) break;
    assert_int_equal(e, THIRL_OK);
    kept += n;
    sent += THIRL_SECURE_TLS_RECORD;
  }
  assert_in_range(kept, THIRL_SECURE_TLS_KEPT_MAX - SEALED_MAX, THIRL_SECURE_TLS_KEPT_MAX);
  while (thirl_secure_tls_read(p.server, plain, sizeof plain, &n) == THIRL_OK)
    got += n;
  assert_int_equal(got, sent);
  assert_int_equal(thirl_secure_tls_state_of(p.server), THIRL_SECURE_TLS_OPEN);
  assert_int_equal(thirl_secure_tls_feed(p.server, THIRL_BYTES(wire, SEALED_MAX / 2)),
                   THIRL_OK); /* the one refused still fits */
  pair_fini(&p);
}

/* What comes first, the kept or the given: open with half a record in each, in order. */
static void open_takes_what_was_kept_first(void **state) {
  (void)state;
  pair p;
  size_t a, b, n;
  pair_init_open(&p);
  assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES("one", 3), wire, sizeof wire, &a), THIRL_OK);
  assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES("two", 3), wire + a, sizeof wire - a, &b), THIRL_OK);
  assert_int_equal(thirl_secure_tls_feed(p.server, THIRL_BYTES(wire, a + 9)), THIRL_OK);
  thirl_bytes in = THIRL_BYTES(wire + a + 9, b - 9);
  assert_int_equal(thirl_secure_tls_open(p.server, &in, plain, 2, &n), THIRL_OK);
  assert_int_equal(n, 2);
  assert_int_equal(in.n, b - 9);
  assert_int_equal(thirl_secure_tls_open(p.server, &in, plain + 2, 100, &n), THIRL_OK);
  assert_int_equal(n, 4);
  assert_int_equal(in.n, 0);
  assert_memory_equal(plain, "onetwo", 6);
  pair_fini(&p);
}

/*
 * Every single byte of one record, altered: the reader must fail and give no byte; and the alert it sends says so to
 * the writer.
 */
static void every_altered_byte_of_a_record_fails(void **state) {
  (void)state;
  static const char text[] = "the quick brown fox jumps over the lazy dog";
  size_t len = sizeof text + RECORD_OVERHEAD;
  for (size_t at = 0; at < len; at++) {
    pair p;
    size_t n, got = 99;
    pair_init_open(&p);
    assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES(text, sizeof text), wire, sizeof wire, &n), THIRL_OK);
    assert_int_equal(n, len);
    wire[at] ^= (uint8_t)(1u << (at % 8));
    memset(wire + n, 0, 300); /* when the length lies and grew */
    thirl_bytes in = THIRL_BYTES(wire, n + 300);
    thirl_error e = thirl_secure_tls_open(p.server, &in, plain, sizeof plain, &got);
    assert_int_equal(got, 0);
    /* type, version (two bytes), length (two bytes), then what the tag protects. A grown length may wait for more. */
    if (at >= 5)
      assert_int_equal(e, THIRL_E_INTEGRITY);
    else
      assert_true(e == THIRL_E_INTEGRITY || e == THIRL_E_PROTOCOL || (at == 3 && e == THIRL_E_AGAIN));
    assert_int_equal(ERR_peek_error(), 0);
    pair_fini(&p);
  }
}

static void records_swapped_dropped_or_doubled_fail(void **state) {
  (void)state;
  for (int trick = 0; trick < 3; trick++) {
    pair p;
    size_t a, b, got;
    pair_init_open(&p);
    assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES("one", 3), wire, sizeof wire, &a), THIRL_OK);
    assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES("two", 3), wire + a, sizeof wire - a, &b), THIRL_OK);
    if (trick == 0) { /* dropped or swapped: the second comes first */
      assert_int_equal(thirl_secure_tls_feed(p.server, THIRL_BYTES(wire + a, b)), THIRL_OK);
    } else { /* doubled */
      assert_int_equal(thirl_secure_tls_feed(p.server, THIRL_BYTES(wire, a)), THIRL_OK);
      assert_int_equal(thirl_secure_tls_read(p.server, plain, sizeof plain, &got), THIRL_OK);
      assert_int_equal(got, 3);
      if (trick == 2) thirl_secure_tls_close(p.server); /* having closed changes nothing for the reader */
      assert_int_equal(thirl_secure_tls_feed(p.server, THIRL_BYTES(wire, a)), THIRL_OK);
    }
    assert_int_equal(thirl_secure_tls_read(p.server, plain, sizeof plain, &got), THIRL_E_INTEGRITY);
    assert_int_equal(got, 0);
    pair_fini(&p);
  }
}

/* The record of one connection in another one between the same two: different keys. */
static void a_record_replayed_into_another_connection_fails(void **state) {
  (void)state;
  pair p, q;
  size_t n, got;
  pair_init_open(&p);
  pair_init_open(&q);
  assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES("x", 1), wire, sizeof wire, &n), THIRL_OK);
  assert_int_equal(thirl_secure_tls_feed(q.server, THIRL_BYTES(wire, n)), THIRL_OK);
  assert_int_equal(thirl_secure_tls_read(q.server, plain, sizeof plain, &got), THIRL_E_INTEGRITY);
  pair_fini(&p);
  pair_fini(&q);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(long_transfers_both_ways_in_random_pieces),
      cmocka_unit_test(keys_change_under_a_transfer),
      cmocka_unit_test(a_record_costs_22_bytes),
      cmocka_unit_test(a_key_change_fits_the_overhead),
      cmocka_unit_test(seal_says_what_it_does_not_take),
      cmocka_unit_test(feed_keeps_up_to_its_limit),
      cmocka_unit_test(open_takes_what_was_kept_first),
      cmocka_unit_test(every_altered_byte_of_a_record_fails),
      cmocka_unit_test(records_swapped_dropped_or_doubled_fail),
      cmocka_unit_test(a_record_replayed_into_another_connection_fails),
  };
  return cmocka_run_group_tests_name("secure/tls_data", tests, NULL, NULL);
}
