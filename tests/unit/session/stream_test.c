/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/rand.h"
#include "base/time.h"
#include "session/stream.h"

enum { WINDOW = 32768 };

static uint8_t byte_at(uint64_t offset) {
  return (uint8_t)(offset * 131 + (offset >> 8) * 7 + 3);
}

static size_t fill(thirl_session_stream *s, uint64_t *written, size_t most) {
  uint8_t *p;
  size_t n;
  assert_int_equal(thirl_session_stream_space(s, &p, &n), THIRL_OK);
  n = THIRL_MIN(n, most);
  for (size_t i = 0; i < n; i++)
    p[i] = byte_at(*written + i);
  thirl_session_stream_commit(s, n);
  *written += n;
  return n;
}

static void drain(thirl_session_stream *s, uint64_t *read, size_t most) {
  thirl_bytes v = thirl_session_stream_peek(s);
  v.n = THIRL_MIN(v.n, most);
  for (size_t i = 0; i < v.n; i++)
    assert_int_equal(v.p[i], byte_at(*read + i));
  thirl_session_stream_consume(s, v.n);
  *read += v.n;
}

/* What a path does with a DATA frame. */
static void deliver(thirl_session_stream *to, uint64_t offset, const uint8_t *p, size_t len) {
  while (len) {
    size_t skip, n;
    uint8_t *at;
    assert_int_equal(thirl_session_stream_reserve(to, offset, len, &skip, &at, &n), THIRL_OK);
    size_t used = skip;
    if (!skip) {
      assert_true(n > 0);
      memcpy(at, p, n);
      thirl_session_stream_received(to, n);
      used = n;
    }
    offset += used;
    p += used;
    len -= used;
  }
}

static void ack(thirl_session_stream *from, thirl_session_stream *to) {
  uint64_t next, limit;
  thirl_session_stream_ack(from, &next, &limit);
  thirl_session_stream_ack_told(from, next, limit);
  assert_int_equal(thirl_session_stream_acked(to, next, limit), THIRL_OK);
}

/* Random writes, chunks, lost paths (rewind), late duplicates, slow readers: every byte once, in order. */
static void every_byte_once_whatever_the_paths_do(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    thirl_dice d;
    thirl_dice_seed(&d, seed);
    thirl_session_stream a, b;
    thirl_session_stream_init(&a, (size_t)WINDOW << thirl_dice_below(&d, 3));
    thirl_session_stream_init(&b, (size_t)WINDOW << thirl_dice_below(&d, 3));
    uint64_t written = 0, read = 0, total = 200000 + thirl_dice_below(&d, 200000);
    static uint8_t old[4096];
    uint64_t old_at = 0;
    size_t old_n = 0;
    for (int step = 0; read < total || !thirl_session_stream_is_delivered(&a); step++) {
      assert_true(step < 200000);
      uint64_t some = 1 + thirl_dice_below(&d, 9000);
      if (written < total) fill(&a, &written, (size_t)THIRL_MIN(total - written, some));
      if (written == total) thirl_session_stream_finish(&a);
      uint8_t *p;
      uint64_t offset;
      size_t n = thirl_session_stream_next_chunk(&a, 1 + (size_t)thirl_dice_below(&d, 5000), &p, &offset);
      if (n) {
        deliver(&b, offset, p, n);
        if (thirl_dice_below(&d, 4) == 0) {
          old_n = THIRL_MIN(n, sizeof old);
          old_at = offset;
          memcpy(old, p, old_n);
        }
        thirl_session_stream_sent(&a, n);
      }
      if (old_n && thirl_dice_below(&d, 8) == 0) deliver(&b, old_at, old, old_n);
      if (thirl_session_stream_fin_due(&a)) {
        a.fin_sent = true;
        assert_int_equal(thirl_session_stream_fin(&b, a.tx_end), THIRL_OK);
      }
      if (thirl_dice_below(&d, 3)) drain(&b, &read, 1 + (size_t)thirl_dice_below(&d, 20000));
      if (thirl_dice_below(&d, 3) == 0) ack(&b, &a);
      if (thirl_dice_below(&d, 30) == 0) thirl_session_stream_rewind(&a);
    }
    assert_int_equal(read, total);
    assert_true(thirl_session_stream_is_read_out(&b));
    thirl_session_stream_fini(&a);
    thirl_session_stream_fini(&b);
  }
}

static void the_limit_is_kept_and_enforced(void **state) {
  (void)state;
  thirl_session_stream a, b;
  thirl_session_stream_init(&a, WINDOW * 4);
  thirl_session_stream_init(&b, WINDOW);
  uint64_t written = 0, read = 0, offset;
  uint8_t *p;
  while (fill(&a, &written, 1 << 20) > 0) {
  }
  size_t n, sent = 0, skip;
  while ((n = thirl_session_stream_next_chunk(&a, 5000, &p, &offset)) > 0) {
    deliver(&b, offset, p, n);
    thirl_session_stream_sent(&a, n);
    sent += n;
  }
  assert_int_equal(sent, THIRL_SESSION_STREAM_INITIAL);
  /* one byte beyond what was allowed */
  assert_int_equal(thirl_session_stream_reserve(&b, sent, 1, &skip, &p, &n), THIRL_E_PROTOCOL);
  assert_int_equal(thirl_session_stream_reserve(&b, UINT64_MAX - 3, 100, &skip, &p, &n), THIRL_E_PROTOCOL);
  drain(&b, &read, 1000);
  ack(&b, &a);
  assert_int_equal(thirl_session_stream_next_chunk(&a, 5000, &p, &offset), 1000);
  /* acknowledging what was never written */
  assert_int_equal(thirl_session_stream_acked(&a, written + 1, 0), THIRL_E_PROTOCOL);
  thirl_session_stream_fini(&a);
  thirl_session_stream_fini(&b);
}

static void contradicting_ends_are_refused(void **state) {
  (void)state;
  thirl_session_stream s;
  size_t skip, n;
  uint8_t *p;
  thirl_session_stream_init(&s, WINDOW);
  deliver(&s, 0, (const uint8_t *)"hello", 5);
  assert_int_equal(thirl_session_stream_fin(&s, 4), THIRL_E_PROTOCOL);
  assert_int_equal(thirl_session_stream_fin(&s, 5), THIRL_OK);
  assert_int_equal(thirl_session_stream_fin(&s, 5), THIRL_OK);
  assert_int_equal(thirl_session_stream_fin(&s, 6), THIRL_E_PROTOCOL);
  assert_int_equal(thirl_session_stream_reserve(&s, 5, 1, &skip, &p, &n), THIRL_E_PROTOCOL);
  assert_false(thirl_session_stream_is_read_out(&s));
  thirl_session_stream_consume(&s, 5);
  assert_true(thirl_session_stream_is_read_out(&s));
  thirl_session_stream_fini(&s);
}

static void a_gap_is_not_an_error_and_changes_nothing(void **state) {
  (void)state;
  thirl_session_stream s;
  size_t skip, n;
  uint8_t *p;
  thirl_session_stream_init(&s, WINDOW);
  assert_int_equal(thirl_session_stream_reserve(&s, 10, 20, &skip, &p, &n), THIRL_OK);
  assert_int_equal(n, 0);
  assert_int_equal(skip, 20);
  assert_int_equal(s.rx_next, 0);
  thirl_session_stream_fini(&s);
}

static void rings_start_small_and_grow_only_for_delay(void **state) {
  (void)state;
  thirl_session_stream s;
  thirl_session_stream_init(&s, 1 << 20);
  uint64_t written = 0, offset;
  uint8_t *p;
  while (fill(&s, &written, 1 << 20) > 0) {
  }
  assert_int_equal(s.tx_cap,
                   THIRL_SESSION_STREAM_FIRST); /* nothing sent yet: waiting for the network does not make it grow */
  s.tx_limit = 1 << 20;
  size_t n;
  while ((n = thirl_session_stream_next_chunk(&s, 1 << 20, &p, &offset)) > 0)
    thirl_session_stream_sent(&s, n);
  assert_true(fill(&s, &written, 1 << 20) > 0); /* all in flight: the delay needs more */
  assert_int_equal(s.tx_cap, 2 * THIRL_SESSION_STREAM_FIRST);
  thirl_session_stream_fini(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_byte_once_whatever_the_paths_do),
      cmocka_unit_test(the_limit_is_kept_and_enforced),
      cmocka_unit_test(contradicting_ends_are_refused),
      cmocka_unit_test(a_gap_is_not_an_error_and_changes_nothing),
      cmocka_unit_test(rings_start_small_and_grow_only_for_delay),
  };
  return cmocka_run_group_tests_name("session/stream", tests, NULL, NULL);
}
