/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "stun/stream.h"
#include "stun/writer.h"

enum { WIRE_MAX = 1 << 16, PACKETS_MAX = 64, MAX = 1500 };

/* What a stream was cut into: the packets one behind the other, and how it ended. */
typedef struct cut {
  uint8_t bytes[WIRE_MAX];
  size_t ends[PACKETS_MAX], n;
  thirl_error last;
} cut;

static size_t cut_bytes(const cut *c) {
  return c->n ? c->ends[c->n - 1] : 0;
}

static bool cut_equal(const cut *a, const cut *b) {
  return a->n == b->n && a->last == b->last && memcmp(a->ends, b->ends, a->n * sizeof *a->ends) == 0 &&
         memcmp(a->bytes, b->bytes, cut_bytes(a)) == 0;
}

/* Everything that comes out of the stream for one piece of input, a copy in memory that ends with it. */
static void feed(thirl_stun_stream *s, const uint8_t *p, size_t n, cut *out) {
  uint8_t *piece = malloc(n ? n : 1);
  assert_non_null(piece);
  if (n) memcpy(piece, p, n);
  thirl_bytes in = {piece, n}, packet;
  while ((out->last = thirl_stun_stream_next(s, &in, &packet)) == THIRL_OK) {
    assert_true(out->n < PACKETS_MAX && cut_bytes(out) + packet.n <= WIRE_MAX);
    size_t at = cut_bytes(out);
    if (packet.n) memcpy(out->bytes + at, packet.p, packet.n);
    out->ends[out->n++] = at + packet.n;
  }
  if (out->last == THIRL_E_AGAIN) assert_int_equal(in.n, 0);
  assert_null(packet.p);
  free(piece);
}

typedef struct wire {
  uint8_t b[WIRE_MAX];
  size_t n;
} wire;

static void add_stun(wire *w, size_t data) {
  static const uint8_t tid[THIRL_STUN_TID_LEN] = {1};
  uint8_t zero[1400] = {0};
  thirl_stun_writer sw;
  thirl_bytes out;
  thirl_stun_writer_init(&sw, w->b + w->n, WIRE_MAX - w->n, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_BINDING, tid);
  if (data) thirl_stun_writer_bytes(&sw, THIRL_STUN_ATTR_DATA, THIRL_BYTES(zero, data));
  assert_int_equal(thirl_stun_writer_finish(&sw, &out), THIRL_OK);
  w->n += out.n;
}

static void add_channel(wire *w, uint16_t channel, size_t n) {
  thirl_stun_stream_put_channel(w->b + w->n, channel, (uint16_t)n);
  memset(w->b + w->n + 4, (int)(n & 0xff), n);
  memset(w->b + w->n + 4 + n, 0xee, 3); /* padding, whatever it holds */
  w->n += 4 + ((n + 3) & ~(size_t)3);
}

static void add_frame(wire *w, size_t n) {
  thirl_bytes_put_u16(w->b + w->n, (uint16_t)n);
  memset(w->b + w->n + 2, (int)(n & 0xff), n);
  w->n += 2 + n;
}

static wire *mixed(thirl_stun_framing framing) {
  static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 40, 127, 1000, 1496};
  wire *w = calloc(1, sizeof *w);
  assert_non_null(w);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    if (framing == THIRL_STUN_FRAMING_FRAME) {
      add_frame(w, sizes[i]);
    } else {
      if (i % 2) add_stun(w, i * 13);
      add_channel(w, (uint16_t)(0x4000 + i * 409), sizes[i]);
    }
  }
  return w;
}

static const thirl_stun_framing framings[] = {THIRL_STUN_FRAMING_TURN, THIRL_STUN_FRAMING_FRAME};

static void packets_come_out_as_they_went_in(void **state) {
  (void)state;
  wire w = {.n = 0};
  cut *c = calloc(1, sizeof *c);
  thirl_stun_stream s;
  add_stun(&w, 0);
  add_channel(&w, 0x4abc, 5);
  add_channel(&w, 0x4fff, 0);
  add_stun(&w, 8);
  thirl_stun_stream_init(&s, THIRL_STUN_FRAMING_TURN, MAX);
  feed(&s, w.b, w.n, c);
  assert_int_equal(c->n, 4);
  assert_int_equal(c->ends[0], 20);
  assert_int_equal(c->ends[1] - c->ends[0], 9); /* with the header, without the padding */
  assert_memory_equal(c->bytes + 20, "\x4a\xbc\x00\x05\5\5\5\5\5", 9);
  assert_int_equal(c->ends[2] - c->ends[1], 4);
  assert_int_equal(c->ends[3] - c->ends[2], 32);
  assert_int_equal(s.partial.cap, 0); /* nothing was copied */
  thirl_stun_stream_fini(&s);

  w.n = 0;
  memset(c, 0, sizeof *c);
  add_frame(&w, 3);
  add_frame(&w, 0);
  thirl_stun_stream_init(&s, THIRL_STUN_FRAMING_FRAME, MAX);
  feed(&s, w.b, w.n, c);
  assert_int_equal(c->n, 2);
  assert_int_equal(c->ends[0], 3);
  assert_int_equal(c->ends[1], 3); /* an empty packet is one */
  assert_memory_equal(c->bytes, "\3\3\3", 3);
  thirl_stun_stream_fini(&s);
  free(c);
}

static void every_split_in_two_gives_the_same(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    wire *w = mixed(framings[i]);
    cut *whole = calloc(1, sizeof *whole), *c = calloc(1, sizeof *c);
    thirl_stun_stream s;
    thirl_stun_stream_init(&s, framings[i], MAX);
    feed(&s, w->b, w->n, whole);
    thirl_stun_stream_fini(&s);
    assert_int_equal(whole->last, THIRL_E_AGAIN);
    assert_int_equal(whole->n, i == 0 ? 15 : 10);
    for (size_t at = 0; at <= w->n; at++) {
      c->n = 0;
      thirl_stun_stream_init(&s, framings[i], MAX);
      feed(&s, w->b, at, c);
      feed(&s, w->b + at, w->n - at, c);
      assert_true(cut_equal(whole, c));
      assert_null(s.partial.p); /* an idle stream holds no memory */
      thirl_stun_stream_fini(&s);
    }
    free(whole);
    free(c);
    free(w);
  }
}

static void byte_by_byte_and_in_random_pieces_gives_the_same(void **state) {
  (void)state;
  thirl_dice d;
  thirl_dice_seed(&d, 1);
  for (int i = 0; i < 2; i++) {
    wire *w = mixed(framings[i]);
    cut *whole = calloc(1, sizeof *whole), *c = calloc(1, sizeof *c);
    thirl_stun_stream s;
    thirl_stun_stream_init(&s, framings[i], MAX);
    feed(&s, w->b, w->n, whole);
    thirl_stun_stream_fini(&s);
    for (unsigned largest = 1; largest < 300; largest++) {
      c->n = 0;
      thirl_stun_stream_init(&s, framings[i], MAX);
      for (size_t at = 0, n; at < w->n; at += n) {
        n = 1 + (size_t)thirl_dice_below(&d, largest);
        if (n > w->n - at) n = w->n - at;
        feed(&s, w->b + at, n, c);
      }
      assert_true(cut_equal(whole, c));
      thirl_stun_stream_fini(&s);
    }
    free(whole);
    free(c);
    free(w);
  }
}

/* A stream that is lost is lost at the same place however it comes, and says so for ever. */
static void assert_lost(thirl_stun_framing framing, const uint8_t *p, size_t n, size_t max) {
  cut *whole = calloc(1, sizeof *whole), *c = calloc(1, sizeof *c);
  thirl_stun_stream s;
  thirl_stun_stream_init(&s, framing, max);
  feed(&s, p, n, whole);
  assert_int_equal(whole->last, THIRL_E_PROTOCOL);
  feed(&s, (const uint8_t *)"", 0, whole);
  assert_int_equal(whole->last, THIRL_E_PROTOCOL);
  thirl_stun_stream_fini(&s);
  thirl_stun_stream_init(&s, framing, max);
  for (size_t i = 0; i < n; i++)
    feed(&s, p + i, 1, c);
  assert_true(cut_equal(whole, c));
  assert_null(s.partial.p);
  thirl_stun_stream_fini(&s);
  free(whole);
  free(c);
}

static void foreign_bytes_end_the_stream(void **state) {
  (void)state;
  wire w = {.n = 0};
  assert_lost(THIRL_STUN_FRAMING_TURN, (const uint8_t *)"\x80", 1, MAX);
  assert_lost(THIRL_STUN_FRAMING_TURN, (const uint8_t *)"\x50\0\0\0", 4, MAX); /* 0x5000 is reserved */
  assert_lost(THIRL_STUN_FRAMING_TURN, (const uint8_t *)"GET / HTTP/1.1\r\n", 16, MAX);
  assert_lost(THIRL_STUN_FRAMING_TURN, (const uint8_t *)"\x16\x03\x01\x02\x00\x01\x00\x01", 8, MAX); /* TLS */
  assert_lost(THIRL_STUN_FRAMING_TURN, (const uint8_t *)"\0\1\0\3", 4, MAX);                 /* not a multiple of 4 */
  assert_lost(THIRL_STUN_FRAMING_TURN, (const uint8_t *)"\0\1\0\0\x21\x12\xa4\x43", 8, MAX); /* a wrong cookie */
  add_stun(&w, 4);
  add_channel(&w, 0x4001, 9);
  w.b[w.n++] = 0xff;
  assert_lost(THIRL_STUN_FRAMING_TURN, w.b, w.n, MAX);
}

static void the_maximum_counts_the_header_and_not_the_padding(void **state) {
  (void)state;
  cut *c = calloc(1, sizeof *c);
  for (size_t max = 21; max < 60; max++) {
    for (size_t n = 0; n < 60; n++) {
      wire w = {.n = 0};
      thirl_stun_stream s;
      c->n = 0;
      add_channel(&w, 0x4000, n);
      thirl_stun_stream_init(&s, THIRL_STUN_FRAMING_TURN, max);
      feed(&s, w.b, 1, c);
      feed(&s, w.b + 1, w.n - 1, c);
      assert_int_equal(c->last, 4 + n <= max ? THIRL_E_AGAIN : THIRL_E_PROTOCOL);
      assert_int_equal(c->n, 4 + n <= max);
      thirl_stun_stream_fini(&s);
      if (4 + n > max) assert_lost(THIRL_STUN_FRAMING_TURN, w.b, w.n, max);
      w.n = 0;
      add_frame(&w, n);
      c->n = 0;
      thirl_stun_stream_init(&s, THIRL_STUN_FRAMING_FRAME, max);
      feed(&s, w.b, w.n, c);
      assert_int_equal(c->n, 2 + n <= max);
      thirl_stun_stream_fini(&s);
    }
  }
  free(c);
  wire w = {.n = 0};
  add_stun(&w, 40);
  assert_lost(THIRL_STUN_FRAMING_TURN, w.b, w.n, 63);
}

/* A stranger who announces a large packet and sends four bytes of it costs four bytes' worth of memory, not the packet's. */
static void an_announced_length_allocates_nothing(void **state) {
  (void)state;
  cut *c = calloc(1, sizeof *c);
  thirl_stun_stream s;
  thirl_stun_stream_init(&s, THIRL_STUN_FRAMING_TURN, 70000);
  feed(&s, (const uint8_t *)"\x40\x00\xff\xff", 4, c);
  assert_int_equal(c->last, THIRL_E_AGAIN);
  assert_int_equal(s.partial.n, 4);
  assert_true(s.partial.cap <= 1024);
  thirl_stun_stream_fini(&s);
  free(c);
}

/* The contract: nothing behind the packet is taken before the next call, and the packet lives until then. */
static void a_packet_is_handed_out_before_more_is_taken(void **state) {
  (void)state;
  wire w = {.n = 0};
  thirl_stun_stream s;
  thirl_bytes in, packet;
  add_channel(&w, 0x4001, 8);
  add_channel(&w, 0x4002, 8);
  thirl_stun_stream_init(&s, THIRL_STUN_FRAMING_TURN, MAX);
  in = THIRL_BYTES(w.b, 6);
  assert_int_equal(thirl_stun_stream_next(&s, &in, &packet), THIRL_E_AGAIN);
  in = THIRL_BYTES(w.b + 6, w.n - 6);
  assert_int_equal(thirl_stun_stream_next(&s, &in, &packet), THIRL_OK);
  assert_int_equal(packet.n, 12);
  assert_memory_equal(packet.p, w.b, 12);
  assert_int_equal(in.n, 12);
  assert_int_equal(thirl_stun_stream_next(&s, &in, &packet), THIRL_OK);
  assert_ptr_equal(packet.p, w.b + 12); /* a view, not a copy */
  assert_int_equal(thirl_stun_stream_next(&s, &in, &packet), THIRL_E_AGAIN);
  thirl_stun_stream_fini(&s);
}

/* Who has shown himself may send more; what he has begun to say stays. */
static void the_maximum_can_be_raised_in_the_middle_of_a_packet(void **state) {
  (void)state;
  wire w = {.n = 0};
  cut *c = calloc(1, sizeof *c);
  thirl_stun_stream s;
  add_frame(&w, 30);
  add_frame(&w, 1400);
  assert_lost(THIRL_STUN_FRAMING_FRAME, w.b, w.n, 40);
  thirl_stun_stream_init(&s, THIRL_STUN_FRAMING_FRAME, 40);
  feed(&s, w.b, 33, c); /* the first, and one byte of the second's length */
  assert_int_equal(c->n, 1);
  thirl_stun_stream_set_max(&s, 1402);
  feed(&s, w.b + 33, w.n - 33, c);
  assert_int_equal(c->n, 2);
  assert_int_equal(cut_bytes(c), 1430);
  assert_int_equal(c->last, THIRL_E_AGAIN);
  w.n = 0;
  add_frame(&w, 1401);
  feed(&s, w.b, w.n, c);
  assert_int_equal(c->last, THIRL_E_PROTOCOL);
  thirl_stun_stream_fini(&s);
  free(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(packets_come_out_as_they_went_in),
      cmocka_unit_test(every_split_in_two_gives_the_same),
      cmocka_unit_test(byte_by_byte_and_in_random_pieces_gives_the_same),
      cmocka_unit_test(foreign_bytes_end_the_stream),
      cmocka_unit_test(the_maximum_counts_the_header_and_not_the_padding),
      cmocka_unit_test(an_announced_length_allocates_nothing),
      cmocka_unit_test(a_packet_is_handed_out_before_more_is_taken),
      cmocka_unit_test(the_maximum_can_be_raised_in_the_middle_of_a_packet),
  };
  return cmocka_run_group_tests_name("stun/stream", tests, NULL, NULL);
}
