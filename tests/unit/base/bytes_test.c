/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/rand.h"

static void equality_is_of_length_and_content(void **state) {
  (void)state;
  thirl_bytes empty = {NULL, 0}, a = THIRL_BYTES("abc", 3), b = THIRL_BYTES("abd", 3), c = THIRL_BYTES("abcd", 4);
  bool (*const equals[])(thirl_bytes, thirl_bytes) = {thirl_bytes_equal, thirl_bytes_equal_secret};
  for (int i = 0; i < 2; i++) {
    assert_true(equals[i](a, THIRL_BYTES("abc", 3)));
    assert_true(equals[i](empty, empty));
    assert_true(equals[i](empty, THIRL_BYTES("x", 0)));
    assert_false(equals[i](a, b));
    assert_false(equals[i](a, c));
    assert_false(equals[i](a, empty));
  }
}

static void wipe_zeroes(void **state) {
  (void)state;
  uint8_t b[5] = {1, 2, 3, 4, 5};
  thirl_bytes_wipe(b + 1, 3);
  assert_memory_equal(b, "\1\0\0\0\5", 5);
}

static void integers_are_big_endian(void **state) {
  (void)state;
  uint8_t b[14];
  thirl_writer w = thirl_writer_of(b, sizeof b);
  thirl_writer_u16(&w, 0x8182);
  thirl_writer_u32(&w, 0x83848586);
  thirl_writer_u64(&w, 0x8788898a8b8c8d8eu);
  thirl_bytes done = thirl_writer_done(&w);
  assert_int_equal(done.n, 14);
  for (uint8_t i = 0; i < 14; i++)
    assert_int_equal(b[i], 0x81 + i);
  thirl_reader r = thirl_reader_of(done);
  assert_int_equal(thirl_reader_u16(&r), 0x8182);
  assert_true(thirl_reader_u32(&r) == 0x83848586u);
  assert_true(thirl_reader_u64(&r) == 0x8788898a8b8c8d8eu);
  assert_int_equal(thirl_reader_left(&r), 0);
  assert_false(r.bad);
}

static void a_reader_that_failed_stays_failed(void **state) {
  (void)state;
  thirl_reader r = thirl_reader_of(THIRL_BYTES("\1\2\3", 3));
  uint8_t out[4] = {9, 9, 9, 9};
  assert_int_equal(thirl_reader_u8(&r), 1);
  assert_int_equal(thirl_reader_left(&r), 2);
  assert_int_equal(thirl_reader_u32(&r), 0);
  assert_true(r.bad);
  assert_int_equal(thirl_reader_left(&r), 0);
  assert_int_equal(thirl_reader_u8(&r), 0);
  thirl_reader_copy(&r, out, 2);
  assert_memory_equal(out, "\0\0\11\11", 4);
  thirl_bytes t = thirl_reader_take(&r, 0);
  assert_null(t.p);
  assert_int_equal(t.n, 0);
}

static void an_empty_reader_gives_empty_views(void **state) {
  (void)state;
  thirl_reader r = thirl_reader_of((thirl_bytes){NULL, 0});
  assert_int_equal(thirl_reader_left(&r), 0);
  assert_int_equal(thirl_reader_take(&r, 0).n, 0);
  thirl_reader_copy(&r, NULL, 0);
  assert_false(r.bad);
  assert_int_equal(thirl_reader_take(&r, 1).n, 0);
  assert_true(r.bad);
  r = thirl_reader_of(THIRL_BYTES("abc", 3));
  assert_int_equal(thirl_reader_take(&r, SIZE_MAX).n, 0);
  assert_true(r.bad);
}

static void a_reader_takes_views(void **state) {
  (void)state;
  const uint8_t b[] = "abcdef";
  thirl_reader r = thirl_reader_of(THIRL_BYTES(b, 6));
  thirl_bytes t = thirl_reader_take(&r, 4);
  assert_ptr_equal(t.p, b);
  assert_int_equal(t.n, 4);
  t = thirl_reader_take(&r, 2);
  assert_ptr_equal(t.p, b + 4);
  assert_false(r.bad);
}

static void a_writer_without_room_stays_bad_and_writes_nothing(void **state) {
  (void)state;
  uint8_t b[4] = {9, 9, 9, 9};
  thirl_writer w = thirl_writer_of(b, 3);
  thirl_writer_u8(&w, 1);
  thirl_writer_u32(&w, 0);
  assert_true(w.bad);
  assert_memory_equal(b, "\1\11\11\11", 4);
  thirl_writer_u8(&w, 2); /* would fit, but the failure sticks */
  assert_int_equal(w.n, 1);
  assert_null(thirl_writer_done(&w).p);
  assert_int_equal(thirl_writer_done(&w).n, 0);
  w = thirl_writer_of(NULL, 0);
  thirl_writer_bytes(&w, (thirl_bytes){NULL, 0});
  assert_false(w.bad);
  w = thirl_writer_of(b, 3);
  thirl_writer_copy(&w, b, SIZE_MAX);
  assert_true(w.bad);
}

static void a_buffer_is_bounded(void **state) {
  (void)state;
  thirl_buffer b;
  thirl_buffer_init(&b, 10);
  assert_int_equal(thirl_buffer_room(&b), 10);
  assert_int_equal(thirl_buffer_append(&b, THIRL_BYTES("0123456", 7)), THIRL_OK);
  assert_int_equal(thirl_buffer_append(&b, THIRL_BYTES("abcd", 4)), THIRL_E_LIMIT);
  assert_int_equal(thirl_buffer_room(&b), 3);
  assert_memory_equal(thirl_buffer_view(&b).p, "0123456", 7);
  assert_null(thirl_buffer_reserve(&b, 4));
  assert_null(thirl_buffer_reserve(&b, SIZE_MAX));
  assert_int_equal(thirl_buffer_append(&b, THIRL_BYTES("abc", 3)), THIRL_OK);
  assert_int_equal(thirl_buffer_room(&b), 0);
  assert_true(b.cap <= 10);
  thirl_buffer_consume(&b, 4);
  assert_memory_equal(thirl_buffer_view(&b).p, "456abc", 6);
  uint8_t *p = thirl_buffer_reserve(&b, 4);
  assert_non_null(p);
  memcpy(p, "wxyz", 4);
  thirl_buffer_commit(&b, 4);
  assert_int_equal(thirl_buffer_view(&b).n, 10);
  assert_memory_equal(thirl_buffer_view(&b).p, "456abcwxyz", 10);
  thirl_buffer_consume(&b, 10);
  assert_null(thirl_buffer_view(&b).p);
  assert_int_equal(thirl_buffer_append(&b, (thirl_bytes){NULL, 0}), THIRL_OK);
  thirl_buffer_fini(&b);
  assert_int_equal(b.max, 10); /* and may be used again */
  assert_int_equal(thirl_buffer_append(&b, THIRL_BYTES("x", 1)), THIRL_OK);
  thirl_buffer_fini(&b);
}

static void a_large_empty_buffer_gives_its_memory_back(void **state) {
  (void)state;
  static uint8_t big[100000];
  thirl_buffer b;
  thirl_buffer_init(&b, sizeof big);
  assert_int_equal(thirl_buffer_append(&b, THIRL_BYTES(big, sizeof big)), THIRL_OK);
  thirl_buffer_consume(&b, sizeof big);
  assert_null(b.p);
  assert_int_equal(b.cap, 0);
  assert_int_equal(thirl_buffer_append(&b, THIRL_BYTES(big, 100)), THIRL_OK);
  thirl_buffer_consume(&b, 100);
  assert_non_null(b.p); /* a small one keeps it */
  thirl_buffer_fini(&b);
}

/* Room at the front is used before memory is asked for. */
static void a_buffer_moves_down_before_it_grows(void **state) {
  (void)state;
  static const uint8_t some[1024] = {0};
  thirl_buffer b;
  thirl_buffer_init(&b, 10000);
  assert_int_equal(thirl_buffer_append(&b, THIRL_BYTES(some, 400)), THIRL_OK);
  const uint8_t *p = b.p;
  size_t cap = b.cap;
  thirl_buffer_consume(&b, 399);
  assert_int_equal(thirl_buffer_append(&b, THIRL_BYTES(some, cap - 1)), THIRL_OK);
  assert_ptr_equal(b.p, p);
  assert_int_equal(b.cap, cap);
  assert_int_equal(b.n, cap);
  thirl_buffer_fini(&b);
}

/* Against the plainest model: an array that is moved down at each consume. */
static void a_buffer_behaves_like_an_array(void **state) {
  (void)state;
  enum { MAX = 3000 };
  thirl_dice d;
  uint8_t model[MAX], piece[MAX + 10];
  for (uint64_t seed = 1; seed <= 20; seed++) {
    size_t n = 0;
    uint8_t next = 0;
    thirl_buffer b;
    thirl_dice_seed(&d, seed);
    thirl_buffer_init(&b, MAX);
    for (int step = 0; step < 2000; step++) {
      size_t k = (size_t)thirl_dice_below(&d, thirl_dice_below(&d, 10) ? 200 : MAX + 10);
      if (thirl_dice_below(&d, 2)) {
        for (size_t i = 0; i < k; i++)
          piece[i] = next++;
        thirl_error e = thirl_buffer_append(&b, THIRL_BYTES(piece, k));
        assert_int_equal(e, k <= MAX - n ? THIRL_OK : THIRL_E_LIMIT);
        if (e == THIRL_OK) {
          memcpy(model + n, piece, k);
          n += k;
        }
      } else {
        if (k > n) k = n;
        thirl_buffer_consume(&b, k);
        memmove(model, model + k, n - k);
        n -= k;
      }
      assert_int_equal(b.n, n);
      assert_true(b.cap <= MAX);
      assert_true(thirl_bytes_equal(thirl_buffer_view(&b), THIRL_BYTES(model, n)));
    }
    thirl_buffer_fini(&b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equality_is_of_length_and_content),
      cmocka_unit_test(wipe_zeroes),
      cmocka_unit_test(integers_are_big_endian),
      cmocka_unit_test(a_reader_that_failed_stays_failed),
      cmocka_unit_test(an_empty_reader_gives_empty_views),
      cmocka_unit_test(a_reader_takes_views),
      cmocka_unit_test(a_writer_without_room_stays_bad_and_writes_nothing),
      cmocka_unit_test(a_buffer_is_bounded),
      cmocka_unit_test(a_large_empty_buffer_gives_its_memory_back),
      cmocka_unit_test(a_buffer_moves_down_before_it_grows),
      cmocka_unit_test(a_buffer_behaves_like_an_array),
  };
  return cmocka_run_group_tests_name("base/bytes", tests, NULL, NULL);
}
