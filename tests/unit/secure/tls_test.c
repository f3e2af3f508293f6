/* SPDX-License-Identifier: MIT */
/*
 * Handshakes, keys and ends of a TLS connection between two of our own. Data is in tls_data_test.c, other programs'
 * TLS in tls_foreign_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/err.h>

#include "unit/secure/pair.h"

static void assert_state(const thirl_secure_tls *t, thirl_secure_tls_state state, thirl_error error) {
  assert_int_equal(thirl_secure_tls_state_of(t), state);
  assert_int_equal(thirl_secure_tls_error(t), error);
}

static void assert_no_byte(thirl_secure_tls *t, thirl_error e) {
  uint8_t buf[64];
  size_t n = 99;
  assert_int_equal(thirl_secure_tls_read(t, buf, sizeof buf, &n), e);
  assert_int_equal(n, 0);
}

static void seal_text(thirl_secure_tls *t, const char *text, uint8_t *wire, size_t cap, size_t *n) {
  assert_int_equal(thirl_secure_tls_seal(t, THIRL_BYTES(text, strlen(text)), wire, cap, n), THIRL_OK);
}

static void assert_reads(thirl_secure_tls *t, const char *text) {
  char buf[256] = "";
  size_t n;
  assert_int_equal(thirl_secure_tls_read(t, (uint8_t *)buf, sizeof buf - 1, &n), THIRL_OK);
  assert_string_equal(buf, text);
}

static void both_keys_pinned_opens_both(void **state) {
  (void)state;
  pair p;
  pair_init_open(&p);
  assert_true(thirl_peerid_equal(thirl_secure_tls_peer(p.client), thirl_secure_identity_peerid(p.ids[1])));
  assert_true(thirl_peerid_equal(thirl_secure_tls_peer(p.server), thirl_secure_identity_peerid(p.ids[0])));
  assert_no_byte(p.client, THIRL_E_AGAIN);
  assert_no_byte(p.server, THIRL_E_AGAIN);
  pair_fini(&p);
}

static void handshake_takes_three_flights_and_no_tickets(void **state) {
  (void)state;
  pair p;
  uint8_t buf[4096];
  pair_init(&p, NULL, NULL);
  assert_null(thirl_secure_tls_peer(p.client));
  assert_null(thirl_secure_tls_peer(p.server));
  assert_false(thirl_secure_tls_has_output(p.server));
  assert_int_equal(pair_move(p.client, p.server, PAIR_WIRE, NULL), THIRL_OK);
  assert_state(p.server, THIRL_SECURE_TLS_HANDSHAKE, THIRL_OK);
  assert_int_equal(pair_move(p.server, p.client, PAIR_WIRE, NULL), THIRL_OK);
  assert_state(p.client, THIRL_SECURE_TLS_OPEN, THIRL_OK);
  assert_null(thirl_secure_tls_peer(p.server));
  assert_int_equal(pair_move(p.client, p.server, PAIR_WIRE, NULL), THIRL_OK);
  assert_state(p.server, THIRL_SECURE_TLS_OPEN, THIRL_OK);
  assert_false(thirl_secure_tls_has_output(p.server));
  assert_int_equal(thirl_secure_tls_pull(p.server, buf, sizeof buf), 0);
  pair_fini(&p);
}

static void handshake_byte_by_byte(void **state) {
  (void)state;
  pair p;
  pair_init(&p, NULL, NULL);
  pair_shake(p.client, p.server, 1, NULL);
  assert_state(p.client, THIRL_SECURE_TLS_OPEN, THIRL_OK);
  assert_state(p.server, THIRL_SECURE_TLS_OPEN, THIRL_OK);
  pair_fini(&p);
}

static void handshake_in_random_pieces(void **state) {
  (void)state;
  thirl_dice dice;
  for (uint64_t seed = 0; seed < 40; seed++) {
    pair p;
    thirl_dice_seed(&dice, seed);
    pair_init(&p, NULL, NULL);
    pair_shake(p.client, p.server, 1 + thirl_dice_below(&dice, 400), &dice);
    assert_state(p.client, THIRL_SECURE_TLS_OPEN, THIRL_OK);
    assert_state(p.server, THIRL_SECURE_TLS_OPEN, THIRL_OK);
    pair_fini(&p);
  }
}

/* The whole connection through open alone, and the first byte glued to the last flight. */
static void open_alone_drives_the_handshake(void **state) {
  (void)state;
  pair p;
  uint8_t wire[4096], plain[64];
  size_t n, got;
  pair_init(&p, NULL, NULL);
  thirl_bytes in = THIRL_BYTES(wire, thirl_secure_tls_pull(p.client, wire, sizeof wire));
  assert_int_equal(thirl_secure_tls_open(p.server, &in, plain, sizeof plain, &got), THIRL_E_AGAIN);
  assert_int_equal(in.n, 0);
  in = THIRL_BYTES(wire, thirl_secure_tls_pull(p.server, wire, sizeof wire));
  assert_int_equal(thirl_secure_tls_open(p.client, &in, plain, sizeof plain, &got), THIRL_E_AGAIN);
  assert_state(p.client, THIRL_SECURE_TLS_OPEN, THIRL_OK);
  assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES("x", 1), wire, sizeof wire, &n), THIRL_E_STATE);
  size_t flight = thirl_secure_tls_pull(p.client, wire, sizeof wire);
  seal_text(p.client, "first", wire + flight, sizeof wire - flight, &n);
  in = THIRL_BYTES(wire, flight + n);
  assert_int_equal(thirl_secure_tls_open(p.server, &in, plain, sizeof plain, &got), THIRL_OK);
  assert_int_equal(got, 5);
  assert_memory_equal(plain, "first", 5);
  assert_int_equal(in.n, 0);
  pair_fini(&p);
}

static void client_refuses_a_wrong_key(void **state) {
  (void)state;
  pair p;
  thirl_secure_identity *other = pair_identity(3);
  pair_init(&p, thirl_secure_identity_peerid(other), NULL);
  assert_int_equal(pair_move(p.client, p.server, PAIR_WIRE, NULL), THIRL_OK);
  assert_int_equal(pair_move(p.server, p.client, PAIR_WIRE, NULL), THIRL_E_WRONG_KEY);
  assert_state(p.client, THIRL_SECURE_TLS_FAILED, THIRL_E_WRONG_KEY);
  assert_null(thirl_secure_tls_peer(p.client));
  assert_true(thirl_secure_tls_has_output(p.client)); /* the alert */
  assert_int_equal(pair_move(p.client, p.server, PAIR_WIRE, NULL), THIRL_E_WRONG_KEY);
  assert_state(p.server, THIRL_SECURE_TLS_FAILED, THIRL_E_WRONG_KEY);
  assert_null(thirl_secure_tls_peer(p.server));
  assert_no_byte(p.client, THIRL_E_WRONG_KEY);
  assert_no_byte(p.server, THIRL_E_WRONG_KEY);
  thirl_secure_identity_free(other);
  pair_fini(&p);
}

/*
 * TLS 1.3: the client is open, and may have sent, before the server has seen its key. None of it may come out at the
 * server.
 */
static void server_refuses_a_wrong_key(void **state) {
  (void)state;
  pair p;
  uint8_t wire[4096];
  size_t n;
  thirl_secure_identity *other = pair_identity(3);
  pair_init(&p, NULL, thirl_secure_identity_peerid(other));
  assert_int_equal(pair_move(p.client, p.server, PAIR_WIRE, NULL), THIRL_OK);
  assert_int_equal(thirl_secure_tls_seal(p.server, THIRL_BYTES("x", 1), wire, sizeof wire, &n), THIRL_E_STATE);
  assert_int_equal(pair_move(p.server, p.client, PAIR_WIRE, NULL), THIRL_OK);
  assert_state(p.client, THIRL_SECURE_TLS_OPEN, THIRL_OK);
  size_t flight = thirl_secure_tls_pull(p.client, wire, sizeof wire);
  seal_text(p.client, "too early", wire + flight, sizeof wire - flight, &n);
  assert_int_equal(thirl_secure_tls_feed(p.server, THIRL_BYTES(wire, flight + n)), THIRL_E_WRONG_KEY);
  assert_state(p.server, THIRL_SECURE_TLS_FAILED, THIRL_E_WRONG_KEY);
  assert_no_byte(p.server, THIRL_E_WRONG_KEY);
  assert_int_equal(thirl_secure_tls_seal(p.server, THIRL_BYTES("x", 1), wire, sizeof wire, &n), THIRL_E_WRONG_KEY);
  assert_int_equal(pair_move(p.server, p.client, PAIR_WIRE, NULL), THIRL_OK);
  assert_no_byte(p.client, THIRL_E_WRONG_KEY);
  assert_state(p.client, THIRL_SECURE_TLS_FAILED, THIRL_E_WRONG_KEY);
  assert_int_equal(ERR_peek_error(), 0);
  thirl_secure_identity_free(other);
  pair_fini(&p);
}

static void what_was_read_before_the_refusal_is_told_first(void **state) {
  (void)state;
  pair p;
  uint8_t wire[4096], plain[64];
  size_t a, b;
  pair_init_open(&p);
  seal_text(p.server, "good", wire, sizeof wire, &a);
  seal_text(p.server, "bad", wire + a, sizeof wire - a, &b);
  wire[a + b - 1] ^= 1;
  thirl_bytes in = THIRL_BYTES(wire, a + b);
  size_t n;
  assert_int_equal(thirl_secure_tls_open(p.client, &in, plain, sizeof plain, &n), THIRL_OK);
  assert_int_equal(n, 4);
  assert_memory_equal(plain, "good", 4);
  assert_int_equal(thirl_secure_tls_open(p.client, &in, plain, sizeof plain, &n), THIRL_E_INTEGRITY);
  assert_int_equal(n, 0);
  assert_int_equal(pair_move(p.client, p.server, PAIR_WIRE, NULL), THIRL_OK);
  assert_no_byte(p.server, THIRL_E_INTEGRITY); /* by the alert bad_record_mac */
  pair_fini(&p);
}

static void garbage_is_a_broken_protocol(void **state) {
  (void)state;
  thirl_dice dice;
  thirl_dice_seed(&dice, 7);
  for (int round = 0; round < 200; round++) {
    pair p;
    uint8_t junk[300];
    thirl_error e = THIRL_OK;
    pair_init(&p, NULL, NULL);
    thirl_secure_tls *t = round % 2 ? p.client : p.server;
    for (int i = 0; i < 60 && e == THIRL_OK; i++) { /* a length that lies makes it wait for 16 KiB at most */
      for (size_t k = 0; k < sizeof junk; k++)
        junk[k] = (uint8_t)thirl_dice_u64(&dice);
      if (i == 0 && round % 4 < 2) memcpy(junk, "\x16\x03\x01", 3);
      e = thirl_secure_tls_feed(t, THIRL_BYTES(junk, sizeof junk));
      assert_int_equal(ERR_peek_error(), 0);
    }
    assert_int_equal(e, THIRL_E_PROTOCOL);
    assert_state(t, THIRL_SECURE_TLS_FAILED, THIRL_E_PROTOCOL);
    assert_no_byte(t, THIRL_E_PROTOCOL);
    assert_int_equal(thirl_secure_tls_feed(t, THIRL_BYTES(junk, 1)), THIRL_E_PROTOCOL);
    pair_fini(&p);
  }
}

/* level fatal, then the description */
static thirl_error error_of_plain_alert(bool to_client, uint8_t description) {
  pair p;
  const uint8_t alert[] = {0x15, 0x03, 0x03, 0, 2, 2, description};
  pair_init(&p, NULL, NULL);
  thirl_error e = thirl_secure_tls_feed(to_client ? p.client : p.server, THIRL_BYTES(alert, sizeof alert));
  pair_fini(&p);
  return e;
}

static void alerts_of_strangers(void **state) {
  (void)state;
  assert_int_equal(error_of_plain_alert(true, 40), THIRL_E_PROTOCOL);  /* handshake_failure */
  assert_int_equal(error_of_plain_alert(false, 70), THIRL_E_PROTOCOL); /* protocol_version */
  assert_int_equal(error_of_plain_alert(true, 42), THIRL_E_PROTOCOL);  /* bad_certificate: nobody has seen ours yet */
  assert_int_equal(error_of_plain_alert(true, 0), THIRL_E_PROTOCOL);   /* close_notify */
}

static void http_is_not_tls(void **state) {
  (void)state;
  static const char http[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
  pair p;
  pair_init(&p, NULL, NULL);
  assert_int_equal(thirl_secure_tls_feed(p.client, THIRL_BYTES(http, sizeof http - 1)), THIRL_E_PROTOCOL);
  assert_int_equal(thirl_secure_tls_feed(p.server, THIRL_BYTES(http, sizeof http - 1)), THIRL_E_PROTOCOL);
  pair_fini(&p);
}

static void our_own_flight_reflected(void **state) {
  (void)state;
  pair p;
  uint8_t wire[4096];
  pair_init(&p, NULL, NULL);
  size_t n = thirl_secure_tls_pull(p.client, wire, sizeof wire);
  assert_int_equal(thirl_secure_tls_feed(p.client, THIRL_BYTES(wire, n)), THIRL_E_PROTOCOL);
  pair_fini(&p);
}

/*
 * Runs a handshake with one bit of byte at wrong; false when there are fewer bytes. *unharmed: both sides came to be
 * OPEN.
 */
static bool shake_with_altered_byte(pair *p, size_t at, bool *unharmed, bool *in_version) {
  uint8_t wire[4096];
  size_t seen = 0;
  bool found = false;
  pair_again(p);
  while (thirl_secure_tls_has_output(p->client) || thirl_secure_tls_has_output(p->server)) {
    bool from_client = thirl_secure_tls_has_output(p->client);
    size_t n = thirl_secure_tls_pull(from_client ? p->client : p->server, wire, sizeof wire);
    for (size_t r = 0; r + 5 <= n; r += 5u + thirl_bytes_get_u16(wire + r + 3)) /* over the records of the flight */
      if (seen + r + 1 == at || seen + r + 2 == at) *in_version = true;
    if (at >= seen && at < seen + n) {
      wire[at - seen] ^= (uint8_t)(1u << (at % 8));
      found = true;
    }
    seen += n;
    (void)thirl_secure_tls_feed(from_client ? p->server : p->client, THIRL_BYTES(wire, n));
    assert_int_equal(ERR_peek_error(), 0);
  }
  *unharmed = thirl_secure_tls_state_of(p->client) == THIRL_SECURE_TLS_OPEN &&
              thirl_secure_tls_state_of(p->server) == THIRL_SECURE_TLS_OPEN;
  return found;
}

/*
 * Every byte of the three flights. Only the version in a plaintext record's header is not authenticated: it "MUST be
 * ignored" (RFC 8446 5.1).
 */
static void every_altered_handshake_byte_fails(void **state) {
  (void)state;
  pair p;
  bool unharmed, in_version = false;
  size_t at = 0;
  pair_init(&p, NULL, NULL);
  for (; shake_with_altered_byte(&p, at, &unharmed, &in_version); at++, in_version = false)
    if (unharmed && !in_version) fail_msg("byte %zu of the handshake may be altered", at);
  assert_in_range(at, 1200, 3000);
  pair_fini(&p);
}

static void close_ends_one_direction_at_a_time(void **state) {
  (void)state;
  pair p;
  uint8_t wire[256];
  size_t n;
  pair_init_open(&p);
  seal_text(p.client, "last words", wire, sizeof wire, &n);
  assert_int_equal(thirl_secure_tls_feed(p.server, THIRL_BYTES(wire, n)), THIRL_OK);
  thirl_secure_tls_close(p.client);
  thirl_secure_tls_close(p.client);
  assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES("x", 1), wire, sizeof wire, &n), THIRL_E_STATE);
  assert_int_equal(pair_move(p.client, p.server, PAIR_WIRE, NULL), THIRL_OK);
  assert_false(thirl_secure_tls_has_output(p.client));
  assert_int_equal(thirl_secure_tls_seal(p.client, THIRL_BYTES("x", 1), wire, sizeof wire, &n), THIRL_E_STATE);
  seal_text(p.server, "answer", wire, sizeof wire, &n);
  assert_int_equal(thirl_secure_tls_feed(p.client, THIRL_BYTES(wire, n)), THIRL_OK);
  assert_reads(p.client, "answer");
  assert_reads(p.server, "last words");
  assert_no_byte(p.server, THIRL_E_EOF);
  assert_state(p.server, THIRL_SECURE_TLS_CLOSED, THIRL_OK);
  assert_int_equal(thirl_secure_tls_feed(p.server, THIRL_BYTES("junk", 4)), THIRL_OK);
  assert_no_byte(p.server, THIRL_E_EOF);
  thirl_secure_tls_close(p.server);
  assert_int_equal(pair_move(p.server, p.client, PAIR_WIRE, NULL), THIRL_OK);
  assert_no_byte(p.client, THIRL_E_EOF);
  assert_non_null(thirl_secure_tls_peer(p.client));
  pair_fini(&p);
}

static void close_in_the_handshake_says_nothing(void **state) {
  (void)state;
  pair p;
  pair_init(&p, NULL, NULL);
  thirl_secure_tls_close(p.server);
  assert_false(thirl_secure_tls_has_output(p.server));
  pair_shake(p.client, p.server, PAIR_WIRE, NULL);
  assert_state(p.client, THIRL_SECURE_TLS_OPEN, THIRL_OK);
  pair_fini(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(both_keys_pinned_opens_both),
      cmocka_unit_test(handshake_takes_three_flights_and_no_tickets),
      cmocka_unit_test(handshake_byte_by_byte),
      cmocka_unit_test(handshake_in_random_pieces),
      cmocka_unit_test(open_alone_drives_the_handshake),
      cmocka_unit_test(client_refuses_a_wrong_key),
      cmocka_unit_test(server_refuses_a_wrong_key),
      cmocka_unit_test(what_was_read_before_the_refusal_is_told_first),
      cmocka_unit_test(garbage_is_a_broken_protocol),
      cmocka_unit_test(alerts_of_strangers),
      cmocka_unit_test(http_is_not_tls),
      cmocka_unit_test(our_own_flight_reflected),
      cmocka_unit_test(every_altered_handshake_byte_fails),
      cmocka_unit_test(close_ends_one_direction_at_a_time),
      cmocka_unit_test(close_in_the_handshake_says_nothing),
  };
  return cmocka_run_group_tests_name("secure/tls", tests, NULL, NULL);
}
