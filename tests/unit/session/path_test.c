/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rand.h"
#include "session/path.h"

enum { WINDOW = 1 << 17 };

typedef struct side {
  thirl_secure_identity *id;
  thirl_secure_tls_context *tls;
  thirl_session_stream stream;
  thirl_session_path path;
  uint64_t written, read;
} side;

static const uint8_t session_id[THIRL_SESSION_ID_LEN] = {1, 2, 3, 4};

static void make(side *s) {
  memset(s, 0, sizeof *s);
  assert_int_equal(thirl_secure_identity_generate(&s->id), THIRL_OK);
  assert_int_equal(thirl_secure_tls_context_new(s->id, &s->tls), THIRL_OK);
  thirl_session_stream_init(&s->stream, WINDOW);
}

static void unmake(side *s) {
  thirl_session_path_fini(&s->path);
  thirl_session_stream_fini(&s->stream);
  thirl_secure_tls_context_free(s->tls);
  thirl_secure_identity_free(s->id);
}

static void begin(side *a, side *b, const uint8_t *id_b) {
  assert_int_equal(
      thirl_session_path_init(&a->path, 0, a->tls, true, thirl_secure_identity_peerid(b->id), session_id, 7), THIRL_OK);
  assert_int_equal(thirl_session_path_init(&b->path, 0, b->tls, false, thirl_secure_identity_peerid(a->id), id_b, 7),
                   THIRL_OK);
}

/* Frames that a session would act upon. */
static thirl_error take(side *s, const thirl_session_frame *f) {
  if (f->type == THIRL_SESSION_HELLO || f->type == THIRL_SESSION_ACK)
    return thirl_session_stream_acked(&s->stream, f->next, f->limit);
  if (f->type == THIRL_SESSION_FIN) return thirl_session_stream_fin(&s->stream, f->offset);
  return THIRL_OK;
}

static thirl_error feed(side *s, thirl_bytes in) {
  thirl_session_frame f;
  thirl_error e;
  while ((e = thirl_session_path_next(&s->path, 0, &s->stream, &in, &f)) == THIRL_OK)
    if ((e = take(s, &f)) != THIRL_OK) return e;
  assert_true(e != THIRL_E_AGAIN || in.n == 0);
  return e;
}

/* Moves what from has to say, in pieces of random size. Returns the number of bytes, or sets *e. */
static size_t move(side *from, side *to, thirl_dice *d, thirl_error *e) {
  static uint8_t buf[70000];
  size_t cap = 4096 + (size_t)thirl_dice_below(d, 60000);
  size_t n = thirl_session_path_pull(&from->path, &from->stream, buf, cap);
  for (size_t at = 0; at < n && *e == THIRL_E_AGAIN;) {
    size_t k = 1 + (size_t)thirl_dice_below(d, 3000);
    if (k > n - at) k = n - at;
    *e = feed(to, THIRL_BYTES(buf + at, k));
    at += k;
  }
  return n;
}

static void write_some(side *s, uint64_t total, size_t most) {
  uint8_t *p;
  size_t n;
  if (s->written == total) return;
  assert_int_equal(thirl_session_stream_space(&s->stream, &p, &n), THIRL_OK);
  if (n > most) n = most;
  if (n > total - s->written) n = (size_t)(total - s->written);
  for (size_t i = 0; i < n; i++)
    p[i] = (uint8_t)((s->written + i) * 37 >> 3);
  thirl_session_stream_commit(&s->stream, n);
  s->written += n;
  if (s->written == total) thirl_session_stream_finish(&s->stream);
}

static void read_some(side *s, size_t most) {
  thirl_bytes v = thirl_session_stream_peek(&s->stream);
  if (v.n > most) v.n = most;
  for (size_t i = 0; i < v.n; i++)
    assert_int_equal(v.p[i], (uint8_t)((s->read + i) * 37 >> 3));
  thirl_session_stream_consume(&s->stream, v.n);
  s->read += v.n;
}

static void megabytes_both_ways_in_any_pieces(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 4; seed++) {
    thirl_dice d;
    side a, b;
    thirl_error e = THIRL_E_AGAIN;
    thirl_dice_seed(&d, seed);
    make(&a);
    make(&b);
    begin(&a, &b, session_id);
    const uint64_t total = 1500000;
    for (int step = 0; a.read < total || b.read < total || !a.stream.fin_acked || !b.stream.fin_acked; step++) {
      assert_true(step < 100000);
      write_some(&a, total, 1 + (size_t)thirl_dice_below(&d, 40000));
      write_some(&b, total, 1 + (size_t)thirl_dice_below(&d, 40000));
      move(&a, &b, &d, &e);
      assert_int_equal(e, THIRL_E_AGAIN);
      move(&b, &a, &d, &e);
      assert_int_equal(e, THIRL_E_AGAIN);
      read_some(&a, (size_t)thirl_dice_below(&d, 60000));
      read_some(&b, (size_t)thirl_dice_below(&d, 60000));
    }
    assert_true(thirl_session_path_is_proven(&a.path) && thirl_session_path_is_proven(&b.path));
    assert_int_equal(a.path.stream_out, total);
    assert_int_equal(b.path.stream_in, total);
    unmake(&a);
    unmake(&b);
  }
}

/* What is pulled at once is one packet on the way: the first 64 KiB of a path in such as fit into a fresh connection's first flight. */
static void a_fresh_path_begins_with_short_packets(void **state) {
  (void)state;
  static uint8_t buf[300000];
  side a, b;
  thirl_dice d;
  thirl_error e = THIRL_E_AGAIN;
  thirl_dice_seed(&d, 9);
  make(&a);
  make(&b);
  begin(&a, &b, session_id);
  for (int i = 0; i < 4; i++) {
    move(&a, &b, &d, &e);
    move(&b, &a, &d, &e);
  }
  assert_true(thirl_session_path_is_proven(&a.path));
  a.stream.tx_limit = WINDOW;
  for (int i = 0; i < 2; i++) /* the ring grows when it is sent */
    write_some(&a, WINDOW, WINDOW);
  size_t n, pulls = 0;
  while ((n = thirl_session_path_pull(&a.path, &a.stream, buf, sizeof buf)) > 0) {
    assert_true(n <= 4096);
    assert_true(n > 4000 || a.path.stream_out == 65536);
    assert_int_equal(feed(&b, THIRL_BYTES(buf, n)), THIRL_E_AGAIN);
    pulls++;
  }
  assert_int_equal(a.path.stream_out, 65536);
  assert_int_equal(pulls, 65536 / (4096 - THIRL_SECURE_TLS_OVERHEAD - THIRL_SESSION_DATA_HEADER) + 1);
  read_some(&b, WINDOW);
  write_some(&a, WINDOW, WINDOW);
  n = thirl_session_path_pull(&a.path, &a.stream, buf, sizeof buf);
  assert_int_equal(thirl_bytes_get_u16(buf + 3), 16384 + 17); /* RFC 8446 section 5.2: content type and tag */
  assert_true(n > 2 * 16384);
  unmake(&a);
  unmake(&b);
}

/* The stream's own bytes around a chunk are not touched by the header that borrows their place. */
static void sealing_leaves_the_ring_as_it_was(void **state) {
  (void)state;
  side a, b;
  thirl_dice d;
  thirl_error e = THIRL_E_AGAIN;
  thirl_dice_seed(&d, 9);
  make(&a);
  make(&b);
  begin(&a, &b, session_id);
  write_some(&a, 60000, 60000);
  uint8_t before[60000];
  memcpy(before, a.stream.tx, sizeof before);
  for (int i = 0; i < 20; i++) {
    move(&a, &b, &d, &e);
    move(&b, &a, &d, &e);
  }
  assert_int_equal(b.stream.rx_next, 60000);
  assert_memory_equal(before, a.stream.tx, sizeof before);
  unmake(&a);
  unmake(&b);
}

static void another_session_is_refused(void **state) {
  (void)state;
  side a, b;
  thirl_dice d;
  thirl_error e = THIRL_E_AGAIN;
  static const uint8_t other[THIRL_SESSION_ID_LEN] = {9};
  thirl_dice_seed(&d, 1);
  make(&a);
  make(&b);
  begin(&a, &b, other);
  for (int i = 0; i < 10 && e == THIRL_E_AGAIN; i++) {
    move(&a, &b, &d, &e);
    if (e == THIRL_E_AGAIN) move(&b, &a, &d, &e);
  }
  assert_int_equal(e, THIRL_E_PROTOCOL);
  unmake(&a);
  unmake(&b);
}

static void a_wrong_key_gets_no_byte(void **state) {
  (void)state;
  side a, b, c;
  thirl_dice d;
  thirl_error e = THIRL_E_AGAIN;
  thirl_dice_seed(&d, 1);
  make(&a);
  make(&b);
  make(&c);
  begin(&a, &b, session_id);
  /* b expects c */
  thirl_session_path_fini(&b.path);
  assert_int_equal(thirl_session_path_init(&b.path, 0, b.tls, false, thirl_secure_identity_peerid(c.id), session_id, 7),
                   THIRL_OK);
  write_some(&a, 1000, 1000);
  for (int i = 0; i < 10 && e == THIRL_E_AGAIN; i++) {
    move(&a, &b, &d, &e);
    if (e == THIRL_E_AGAIN) move(&b, &a, &d, &e);
  }
  assert_int_equal(e, THIRL_E_WRONG_KEY);
  assert_int_equal(b.stream.rx_next, 0);
  unmake(&a);
  unmake(&b);
  unmake(&c);
}

static void ping_measures_the_round_trip(void **state) {
  (void)state;
  side a, b;
  thirl_dice d;
  thirl_error e = THIRL_E_AGAIN;
  thirl_dice_seed(&d, 1);
  make(&a);
  make(&b);
  begin(&a, &b, session_id);
  for (int i = 0; i < 6; i++) {
    move(&a, &b, &d, &e);
    move(&b, &a, &d, &e);
  }
  assert_true(thirl_session_path_is_proven(&a.path));
  thirl_session_path_ask(&a.path, 0);
  assert_int_equal(a.path.asked_at, 0);
  move(&a, &b, &d, &e);
  move(&b, &a, &d, &e);
  assert_int_equal(e, THIRL_E_AGAIN);
  assert_true(a.path.asked_at == THIRL_NEVER);
  unmake(&a);
  unmake(&b);
}

static void open_paths(side *a, side *b) {
  thirl_dice d;
  thirl_error e = THIRL_E_AGAIN;
  thirl_dice_seed(&d, 1);
  make(a);
  make(b);
  begin(a, b, session_id);
  for (int i = 0; i < 6; i++) {
    move(a, b, &d, &e);
    move(b, a, &d, &e);
  }
  assert_true(thirl_session_path_is_proven(&a->path) && thirl_session_path_is_proven(&b->path));
}

/* Plaintext of a's, as it is, into b. */
static thirl_error say_raw(side *a, side *b, thirl_bytes plain) {
  uint8_t sealed[1024];
  size_t n;
  assert_int_equal(thirl_secure_tls_seal(a->path.tls, plain, sealed, sizeof sealed, &n), THIRL_OK);
  return feed(b, THIRL_BYTES(sealed, n));
}

/* Whoever asks a thousand times gets some hundred answers; what is said only once finds its place all the same. */
static void a_flood_of_pings_leaves_room_for_the_end(void **state) {
  (void)state;
  side a, b;
  open_paths(&a, &b);
  static const uint8_t ping[12] = {THIRL_SESSION_PING, 0, 0, 8};
  for (int i = 0; i < 1000; i++)
    assert_int_equal(say_raw(&a, &b, THIRL_BYTES(ping, sizeof ping)), THIRL_E_AGAIN);
  assert_in_range(b.path.say.n, 7000, 8192 - 1024);
  assert_false(thirl_session_path_say(&b.path, &(thirl_session_frame){.type = THIRL_SESSION_PING}));
  assert_false(thirl_session_path_say(&b.path, &(thirl_session_frame){.type = THIRL_SESSION_ACK}));
  assert_true(thirl_session_path_say(&b.path, &(thirl_session_frame){.type = THIRL_SESSION_FIN}));
  assert_true(thirl_session_path_say(&b.path, &(thirl_session_frame){.type = THIRL_SESSION_BYE}));
  unmake(&a);
  unmake(&b);
}

static void version_1_has_one_stream(void **state) {
  (void)state;
  static const uint8_t frames[][16] = {
      {THIRL_SESSION_PING, 1, 0, 8}, {THIRL_SESSION_DATA, 1, 0, 9}, {THIRL_SESSION_FIN, 9, 0, 8}};
  for (size_t i = 0; i < 3; i++) {
    side a, b;
    open_paths(&a, &b);
    assert_int_equal(say_raw(&a, &b, THIRL_BYTES(frames[i], 13)), THIRL_E_PROTOCOL);
    assert_int_equal(b.stream.rx_next, 0);
    unmake(&a);
    unmake(&b);
  }
}

/* A frame of a later version is passed over, whatever stream it names. */
static void unknown_frames_are_skipped(void **state) {
  (void)state;
  side a, b;
  open_paths(&a, &b);
  static const uint8_t frames[] = {99, 7, 0, 3, 'a', 'b', 'c', 100, 0, 0, 0, THIRL_SESSION_DATA,
                                   0,  0, 9, 0, 0,   0,   0,   0,   0, 0, 0, 'x'};
  for (size_t i = 0; i < sizeof frames; i++) /* one byte in each record */
    assert_int_equal(say_raw(&a, &b, THIRL_BYTES(frames + i, 1)), THIRL_E_AGAIN);
  assert_int_equal(b.stream.rx_next, 1);
  assert_int_equal(thirl_session_stream_peek(&b.stream).p[0], 'x');
  unmake(&a);
  unmake(&b);
}

/* The handshake has shown the round trip: 40 ms for each side, to the millisecond. */
static void the_handshake_measures_the_round_trip(void **state) {
  (void)state;
  side a, b;
  uint8_t buf[8192];
  make(&a);
  make(&b);
  thirl_time t = 1000;
  assert_int_equal(thirl_session_path_init(&a.path, t, a.tls, true, thirl_secure_identity_peerid(b.id), session_id, 7),
                   THIRL_OK);
  assert_int_equal(thirl_session_path_init(&b.path, t, b.tls, false, thirl_secure_identity_peerid(a.id), session_id, 7),
                   THIRL_OK);
  side *from = &a, *to = &b;
  for (int i = 0; i < 4; i++) {
    size_t n = thirl_session_path_pull(&from->path, &from->stream, buf, sizeof buf);
    thirl_bytes in = THIRL_BYTES(buf, n);
    thirl_session_frame f;
    t += 20 * THIRL_MS;
    while (thirl_session_path_next(&to->path, t, &to->stream, &in, &f) == THIRL_OK) {
    }
    side *other = from;
    from = to;
    to = other;
  }
  assert_int_equal(a.path.rtt, 40 * THIRL_MS);
  assert_int_equal(b.path.rtt, 40 * THIRL_MS);
  unmake(&a);
  unmake(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(megabytes_both_ways_in_any_pieces),
      cmocka_unit_test(a_fresh_path_begins_with_short_packets),
      cmocka_unit_test(sealing_leaves_the_ring_as_it_was),
      cmocka_unit_test(another_session_is_refused),
      cmocka_unit_test(a_wrong_key_gets_no_byte),
      cmocka_unit_test(ping_measures_the_round_trip),
      cmocka_unit_test(a_flood_of_pings_leaves_room_for_the_end),
      cmocka_unit_test(version_1_has_one_stream),
      cmocka_unit_test(unknown_frames_are_skipped),
      cmocka_unit_test(the_handshake_measures_the_round_trip),
  };
  return cmocka_run_group_tests_name("session/path", tests, NULL, NULL);
}
