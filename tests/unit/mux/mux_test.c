/* SPDX-License-Identifier: MIT */
/* Many streams on one: two ends, joined by bytes that the test carries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mux/mux.h"

enum { WIRE_MAX = 1 << 20 };

/* [0] dialed. */
typedef struct couple {
  thirl_mux *m[2];
  uint64_t carried[2]; /* bytes from this end */
} couple;

static couple open_couple(void) {
  couple c = {{thirl_mux_new(true, 1), thirl_mux_new(false, 2)}, {0, 0}};
  assert_non_null(c.m[0]);
  assert_non_null(c.m[1]);
  return c;
}

static void close_couple(couple *c) {
  thirl_mux_free(c->m[0]);
  thirl_mux_free(c->m[1]);
}

/* One pull of cap bytes from an end to the other. False: there was nothing. */
static bool carry(couple *c, int from, size_t cap) {
  static uint8_t wire[WIRE_MAX];
  size_t n = thirl_mux_pull(c->m[from], wire, cap);
  thirl_bytes in = {wire, n};
  bool spoke;
  assert_true(n <= cap);
  c->carried[from] += n;
  while (in.n > 0) {
    assert_int_equal(thirl_mux_input(c->m[!from], &in, &spoke), THIRL_OK);
    if (in.n > 0) assert_true(carry(c, !from, WIRE_MAX)); /* refusals first */
  }
  return n > 0;
}

static void settle(couple *c) {
  for (bool any = true; any;) {
    any = carry(c, 0, WIRE_MAX);
    any = carry(c, 1, WIRE_MAX) || any;
  }
  assert_false(thirl_mux_wants_pull(c->m[0]));
  assert_false(thirl_mux_wants_pull(c->m[1]));
}

static thirl_mux_event expect(couple *c, int end, thirl_mux_event_kind kind, uint32_t stream) {
  thirl_mux_event ev;
  assert_true(thirl_mux_next_event(c->m[end], &ev));
  assert_int_equal(ev.kind, kind);
  assert_int_equal(ev.stream, stream);
  return ev;
}

static void expect_nothing(couple *c, int end) {
  thirl_mux_event ev;
  assert_false(thirl_mux_next_event(c->m[end], &ev));
}

static uint32_t ask(couple *c, int end, const char *label) {
  uint32_t id;
  assert_int_equal(thirl_mux_open(c->m[end], THIRL_BYTES(label, strlen(label)), &id), THIRL_OK);
  return id;
}

static uint32_t open_stream(couple *c, int end) {
  uint32_t id = ask(c, end, "label");
  settle(c);
  expect(c, !end, THIRL_MUX_ASKED, id);
  assert_int_equal(thirl_mux_accept(c->m[!end], id), THIRL_OK);
  settle(c);
  expect(c, end, THIRL_MUX_ACCEPTED, id);
  return id;
}

static size_t put(couple *c, int end, uint32_t id, size_t n) {
  static uint8_t bytes[WIRE_MAX];
  size_t done;
  for (size_t i = 0; i < n; i++)
    bytes[i] = (uint8_t)(i * 7 + id);
  thirl_error e = thirl_mux_write(c->m[end], id, (thirl_bytes){bytes, n}, &done);
  assert_true(e == THIRL_OK || (e == THIRL_E_AGAIN && done == 0));
  return done;
}

static size_t waiting(couple *c, int end, uint32_t id) {
  thirl_bytes b;
  thirl_error e = thirl_mux_peek(c->m[end], id, &b);
  assert_true(e == THIRL_OK || e == THIRL_E_AGAIN);
  return b.n;
}

static void expect_text(couple *c, int end, uint32_t id, const char *text) {
  thirl_bytes b;
  assert_int_equal(thirl_mux_peek(c->m[end], id, &b), THIRL_OK);
  assert_int_equal(b.n, strlen(text));
  assert_memory_equal(b.p, text, b.n);
  thirl_mux_consume(c->m[end], id, b.n);
}

static void write_text(couple *c, int end, uint32_t id, const char *text) {
  size_t done;
  assert_int_equal(thirl_mux_write(c->m[end], id, THIRL_BYTES(text, strlen(text)), &done), THIRL_OK);
  assert_int_equal(done, strlen(text));
}

static thirl_error peek(couple *c, int end, uint32_t id) {
  thirl_bytes b;
  return thirl_mux_peek(c->m[end], id, &b);
}

/* ---- tests ---- */

static void the_frames_on_the_wire(void **state) {
  (void)state;
  thirl_mux *m = thirl_mux_new(true, 1);
  uint8_t wire[THIRL_MUX_PULL_MIN];
  uint32_t id;
  size_t done;
  assert_int_equal(thirl_mux_open(m, THIRL_BYTES("ab", 2), &id), THIRL_OK);
  assert_int_equal(id, 1);
  assert_int_equal(thirl_mux_write(m, id, THIRL_BYTES("xyz", 3), &done), THIRL_OK);
  assert_int_equal(thirl_mux_finish(m, id), THIRL_OK);
  size_t n = thirl_mux_pull(m, wire, sizeof wire);
  static const char expected[] = "thirlmx1"
                                 "\001\000\000\002\000\000\000\001"
                                 "ab"
                                 "\004\000\000\003\000\000\000\001"
                                 "xyz"
                                 "\006\000\000\000\000\000\000\001";
  assert_int_equal(n, sizeof expected - 1);
  assert_memory_equal(wire, expected, n);
  assert_false(thirl_mux_wants_pull(m));
  thirl_mux_free(m);
}

static void both_ends_open_streams(void **state) {
  (void)state;
  couple c = open_couple();
  uint32_t a = ask(&c, 0, "one"), b = ask(&c, 1, "two"), d = ask(&c, 0, "");
  assert_int_equal(a, 1);
  assert_int_equal(b, 2);
  assert_int_equal(d, 3);
  settle(&c);
  thirl_mux_event ev = expect(&c, 1, THIRL_MUX_ASKED, a);
  assert_int_equal(ev.label.n, 3);
  assert_memory_equal(ev.label.p, "one", 3);
  ev = expect(&c, 1, THIRL_MUX_ASKED, d);
  assert_int_equal(ev.label.n, 0);
  ev = expect(&c, 0, THIRL_MUX_ASKED, b);
  assert_memory_equal(ev.label.p, "two", 3);
  assert_int_equal(thirl_mux_accept(c.m[1], a), THIRL_OK);
  assert_int_equal(thirl_mux_accept(c.m[1], a), THIRL_E_STATE);
  assert_int_equal(thirl_mux_accept(c.m[0], a), THIRL_E_STATE);
  assert_int_equal(thirl_mux_accept(c.m[0], 77), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_mux_refuse(c.m[0], b, THIRL_E_PERMISSION), THIRL_OK);
  assert_int_equal(thirl_mux_refuse(c.m[0], b, THIRL_E_PERMISSION), THIRL_E_NOT_FOUND);
  settle(&c);
  expect(&c, 0, THIRL_MUX_ACCEPTED, a);
  ev = expect(&c, 1, THIRL_MUX_REFUSED, b);
  assert_int_equal(ev.error, THIRL_E_PERMISSION);
  expect_nothing(&c, 0);
  expect_nothing(&c, 1);
  assert_int_equal(thirl_mux_count(c.m[0]), 2);
  assert_int_equal(thirl_mux_count(c.m[1]), 2);
  close_couple(&c);
}

static void bytes_go_both_ways_and_each_way_ends_by_itself(void **state) {
  (void)state;
  couple c = open_couple();
  uint32_t id = open_stream(&c, 0);
  write_text(&c, 0, id, "question");
  assert_int_equal(thirl_mux_finish(c.m[0], id), THIRL_OK);
  size_t done;
  assert_int_equal(thirl_mux_write(c.m[0], id, THIRL_BYTES("x", 1), &done), THIRL_E_STATE);
  settle(&c);
  expect(&c, 1, THIRL_MUX_READABLE, id);
  expect_text(&c, 1, id, "question");
  assert_int_equal(peek(&c, 1, id), THIRL_E_EOF);
  write_text(&c, 1, id, "answer"); /* after the other's end */
  settle(&c);
  expect(&c, 0, THIRL_MUX_READABLE, id);
  expect_text(&c, 0, id, "answer");
  assert_int_equal(peek(&c, 0, id), THIRL_E_AGAIN);
  assert_int_equal(thirl_mux_finish(c.m[1], id), THIRL_OK);
  settle(&c);
  expect(&c, 0, THIRL_MUX_READABLE, id);
  assert_int_equal(peek(&c, 0, id), THIRL_E_EOF);
  assert_int_equal(peek(&c, 0, id), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_mux_count(c.m[0]), 0);
  assert_int_equal(thirl_mux_count(c.m[1]), 0);
  expect_nothing(&c, 0);
  expect_nothing(&c, 1);
  close_couple(&c);
}

static void bytes_may_go_before_the_answer(void **state) {
  (void)state;
  couple c = open_couple();
  uint32_t id = ask(&c, 0, "label");
  write_text(&c, 0, id, "early");
  settle(&c);
  expect(&c, 1, THIRL_MUX_ASKED, id);
  expect(&c, 1, THIRL_MUX_READABLE, id);
  expect_text(&c, 1, id, "early");
  assert_int_equal(thirl_mux_refuse(c.m[1], id, THIRL_E_REFUSED), THIRL_OK);
  settle(&c);
  assert_int_equal(expect(&c, 0, THIRL_MUX_REFUSED, id).error, THIRL_E_REFUSED);
  assert_int_equal(peek(&c, 0, id), THIRL_E_NOT_FOUND);
  expect_nothing(&c, 0);
  assert_int_equal(thirl_mux_count(c.m[0]) + thirl_mux_count(c.m[1]), 0);
  close_couple(&c);
}

/* A reader that does not read holds up its own stream only, at its credit. */
static void a_stalled_stream_stalls_no_other(void **state) {
  (void)state;
  couple c = open_couple();
  uint32_t stalled = open_stream(&c, 0), other = open_stream(&c, 0);
  for (int i = 0; i < 4; i++) {
    put(&c, 0, stalled, THIRL_MUX_WRITE_MAX);
    settle(&c);
  }
  assert_int_equal(waiting(&c, 1, stalled), THIRL_MUX_CREDIT_FIRST);
  assert_int_equal(put(&c, 0, stalled, 1), 0); /* and what waits here is full as well */
  for (int i = 0; i < 100; i++) {
    assert_int_equal(put(&c, 0, other, 50000), 50000);
    settle(&c);
    assert_int_equal(waiting(&c, 1, other), 50000);
    thirl_mux_consume(c.m[1], other, 50000);
    settle(&c);
  }
  assert_int_equal(waiting(&c, 1, stalled), THIRL_MUX_CREDIT_FIRST);
  thirl_mux_consume(c.m[1], stalled, THIRL_MUX_CREDIT_FIRST);
  settle(&c);
  assert_int_equal(waiting(&c, 1, stalled), THIRL_MUX_WRITE_MAX);
  close_couple(&c);
}

static void room_is_told(void **state) {
  (void)state;
  couple c = open_couple();
  uint32_t id = open_stream(&c, 0);
  assert_int_equal(thirl_mux_room(c.m[0], id), THIRL_MUX_WRITE_MAX);
  assert_int_equal(put(&c, 0, id, THIRL_MUX_WRITE_MAX), THIRL_MUX_WRITE_MAX);
  assert_int_equal(thirl_mux_room(c.m[0], id), 0);
  assert_int_equal(thirl_mux_room(c.m[0], 99), 0);
  expect_nothing(&c, 0);
  settle(&c);
  expect(&c, 0, THIRL_MUX_WRITABLE, id);
  expect_nothing(&c, 0);
  assert_int_equal(put(&c, 0, id, THIRL_MUX_WRITE_MAX + 5), THIRL_MUX_WRITE_MAX);
  settle(&c);
  expect_nothing(&c, 0); /* no credit */
  expect(&c, 1, THIRL_MUX_READABLE, id);
  assert_int_equal(waiting(&c, 1, id), THIRL_MUX_CREDIT_FIRST);
  thirl_mux_consume(c.m[1], id, THIRL_MUX_CREDIT_FIRST);
  settle(&c);
  expect(&c, 0, THIRL_MUX_WRITABLE, id);
  close_couple(&c);
}

/* What has carried much gets room for much, up to a bound. */
static void the_window_grows_with_what_it_carries(void **state) {
  (void)state;
  couple c = open_couple();
  uint32_t id = open_stream(&c, 0);
  size_t largest = 0;
  for (int i = 0; i < 60; i++) {
    while (put(&c, 0, id, THIRL_MUX_WRITE_MAX) > 0 && thirl_mux_wants_pull(c.m[0]))
      carry(&c, 0, WIRE_MAX);
    settle(&c);
    size_t n = waiting(&c, 1, id);
    if (n > largest) largest = n;
    thirl_mux_consume(c.m[1], id, n);
    settle(&c);
  }
  assert_int_equal(largest, THIRL_MUX_WINDOW_MAX);
  close_couple(&c);
}

static void turns_are_taken(void **state) {
  (void)state;
  couple c = open_couple();
  uint32_t id[3];
  for (int i = 0; i < 3; i++)
    id[i] = open_stream(&c, 0);
  for (int i = 0; i < 3; i++)
    put(&c, 0, id[i], 50000);
  for (int turn = 1; turn <= 3; turn++) {
    carry(&c, 0, 3 * (THIRL_MUX_HEADER_LEN + THIRL_MUX_DATA_MAX));
    for (int i = 0; i < 3; i++)
      assert_int_equal(waiting(&c, 1, id[i]), turn * THIRL_MUX_DATA_MAX);
  }
  close_couple(&c);
}

static void a_reset_ends_both_directions(void **state) {
  (void)state;
  couple c = open_couple();
  uint32_t id = open_stream(&c, 0);
  put(&c, 0, id, 1000);
  put(&c, 1, id, 1000);
  settle(&c);
  put(&c, 0, id, 1000); /* under way when the reset comes */
  thirl_mux_reset(c.m[1], id, THIRL_E_RESET);
  assert_int_equal(peek(&c, 1, id), THIRL_E_NOT_FOUND);
  settle(&c);
  assert_int_equal(expect(&c, 0, THIRL_MUX_BROKEN, id).error, THIRL_E_RESET);
  assert_int_equal(peek(&c, 0, id), THIRL_E_NOT_FOUND);
  thirl_mux_reset(c.m[0], id, THIRL_E_RESET); /* of a dead one */
  expect_nothing(&c, 0);
  expect_nothing(&c, 1);
  assert_int_equal(thirl_mux_count(c.m[0]) + thirl_mux_count(c.m[1]), 0);
  close_couple(&c);
}

static void both_reset_at_once(void **state) {
  (void)state;
  couple c = open_couple();
  uint32_t id = open_stream(&c, 0), never = ask(&c, 0, "never said");
  thirl_mux_reset(c.m[0], never, THIRL_E_IO);
  thirl_mux_reset(c.m[0], id, THIRL_E_IO);
  thirl_mux_reset(c.m[1], id, THIRL_E_IO);
  settle(&c);
  expect_nothing(&c, 0);
  expect_nothing(&c, 1);
  assert_int_equal(thirl_mux_count(c.m[0]) + thirl_mux_count(c.m[1]), 0);
  uint32_t next = open_stream(&c, 0);
  assert_int_equal(next, never + 2);
  close_couple(&c);
}

static void asked_and_taken_back_is_not_told(void **state) {
  (void)state;
  couple c = open_couple();
  uint32_t id = ask(&c, 0, "label");
  carry(&c, 0, WIRE_MAX);
  thirl_mux_reset(c.m[0], id, THIRL_E_IO);
  settle(&c);
  expect_nothing(&c, 1);
  assert_int_equal(thirl_mux_count(c.m[1]), 0);
  close_couple(&c);
}

static void too_many_streams_are_refused(void **state) {
  (void)state;
  couple c = open_couple();
  uint32_t ours[THIRL_MUX_STREAMS_MAX], id;
  for (int i = 0; i < THIRL_MUX_STREAMS_MAX; i++)
    ours[i] = ask(&c, 0, "label");
  assert_int_equal(thirl_mux_open(c.m[0], THIRL_BYTES("", 0), &id), THIRL_E_LIMIT);
  assert_int_equal(id, 0);
  uint32_t theirs = ask(&c, 1, "label");
  settle(&c);
  for (int i = 0; i < THIRL_MUX_STREAMS_MAX - 1; i++)
    expect(&c, 1, THIRL_MUX_ASKED, ours[i]);
  /* Who has no room says so without asking its user. */
  assert_int_equal(expect(&c, 1, THIRL_MUX_REFUSED, theirs).error, THIRL_E_LIMIT);
  assert_int_equal(expect(&c, 0, THIRL_MUX_REFUSED, ours[THIRL_MUX_STREAMS_MAX - 1]).error, THIRL_E_LIMIT);
  expect_nothing(&c, 0);
  expect_nothing(&c, 1);
  close_couple(&c);
}

static void a_long_label_is_refused_here(void **state) {
  (void)state;
  couple c = open_couple();
  char label[THIRL_MUX_LABEL_MAX + 1];
  uint32_t id;
  memset(label, 'a', sizeof label);
  assert_int_equal(thirl_mux_open(c.m[0], THIRL_BYTES(label, sizeof label), &id), THIRL_E_LIMIT);
  assert_int_equal(thirl_mux_open(c.m[0], THIRL_BYTES(label, sizeof label - 1), &id), THIRL_OK);
  while (carry(&c, 0, THIRL_MUX_PULL_MIN)) /* it fits into the smallest pull */
    ;
  assert_int_equal(expect(&c, 1, THIRL_MUX_ASKED, id).label.n, THIRL_MUX_LABEL_MAX);
  close_couple(&c);
}

/* ---- a peer that breaks the rules ---- */

static thirl_error hear(const char *bytes, size_t n, bool *spoke) {
  thirl_mux *m = thirl_mux_new(false, 1);
  thirl_bytes in = THIRL_BYTES(bytes, n);
  uint8_t wire[THIRL_MUX_PULL_MIN];
  thirl_error e = thirl_mux_input(m, &in, spoke);
  if (e != THIRL_OK) { /* and it stays so */
    thirl_bytes more = THIRL_BYTES("x", 1);
    assert_int_equal(thirl_mux_input(m, &more, spoke), e);
    assert_false(thirl_mux_wants_pull(m));
    assert_int_equal(thirl_mux_pull(m, wire, sizeof wire), 0);
  }
  thirl_mux_free(m);
  return e;
}

#define FRAME(type, length, stream) type "\0\0" length "\0\0\0" stream

static void what_does_not_speak_this_is_noticed(void **state) {
  (void)state;
  bool spoke = true;
  assert_int_equal(hear("GET / HTTP/1.1\r\n", 16, &spoke), THIRL_E_PROTOCOL);
  assert_false(spoke);
  assert_int_equal(hear("thirlmx", 7, &spoke), THIRL_OK);
  assert_false(spoke);
  assert_int_equal(hear("thirlmx1", 8, &spoke), THIRL_OK);
  assert_true(spoke);
}

static void rules_are_kept(void **state) {
  (void)state;
  static const struct {
    const char *what;
    size_t n;
    thirl_error e;
  } table[] = {
      {FRAME("\1", "\0", "\1"), 8, THIRL_OK},
      {FRAME("\0", "\0", "\1"), 8, THIRL_E_PROTOCOL},                          /* no such type */
      {FRAME("\x8", "\0", "\1"), 8, THIRL_E_PROTOCOL},                         /* no such type */
      {"\1\1\0\0\0\0\0\1", 8, THIRL_E_PROTOCOL},                               /* the second byte is 0 */
      {FRAME("\1", "\0", "\0"), 8, THIRL_E_PROTOCOL},                          /* no stream */
      {FRAME("\1", "\0", "\2"), 8, THIRL_E_PROTOCOL},                          /* even numbers are ours */
      {FRAME("\1", "\0", "\3") FRAME("\1", "\0", "\1"), 16, THIRL_E_PROTOCOL}, /* not rising */
      {FRAME("\1", "\0", "\1") FRAME("\1", "\0", "\1"), 16, THIRL_E_PROTOCOL}, /* twice */
      {"\1\0\2\1\0\0\0\1", 8, THIRL_E_PROTOCOL},                               /* a label of 513 bytes */
      {FRAME("\4", "\1", "\1"), 8, THIRL_E_PROTOCOL},                          /* DATA for a stream that never was */
      {FRAME("\6", "\0", "\1"), 8, THIRL_E_PROTOCOL},                          /* END likewise */
      {FRAME("\6", "\0", "\2"), 8, THIRL_E_PROTOCOL},                          /* of ours, that never was */
      {FRAME("\1", "\0", "\1") FRAME("\4", "\0", "\1"), 16, THIRL_E_PROTOCOL}, /* DATA without bytes */
      {FRAME("\1", "\0", "\1") FRAME("\2", "\0", "\1"), 16, THIRL_E_PROTOCOL}, /* ACCEPT of its own */
      {FRAME("\1", "\0", "\1") FRAME("\3", "\1", "\1") "\1", 17, THIRL_E_PROTOCOL}, /* REFUSE of its own */
      {FRAME("\1", "\0", "\1") FRAME("\6", "\1", "\1"), 16, THIRL_E_PROTOCOL},      /* END with bytes */
      {FRAME("\1", "\0", "\1") FRAME("\6", "\0", "\1") FRAME("\6", "\0", "\1"), 24, THIRL_E_PROTOCOL}, /* twice */
      {FRAME("\1", "\0", "\1") FRAME("\6", "\0", "\1") FRAME("\4", "\1", "\1") "x", 25, THIRL_E_PROTOCOL},
      {FRAME("\1", "\0", "\1") FRAME("\5", "\4", "\1") "\0\x3f\0\0", 20, THIRL_OK}, /* all the credit there is */
      {FRAME("\1", "\0", "\1") FRAME("\5", "\4", "\1") "\0\x3f\0\1", 20, THIRL_E_PROTOCOL}, /* one more */
      {FRAME("\1", "\0", "\1") FRAME("\7", "\1", "\1") "\xff", 17, THIRL_OK},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    char bytes[64] = THIRL_MUX_PREFACE;
    bool spoke;
    memcpy(bytes + THIRL_MUX_PREFACE_LEN, table[i].what, table[i].n);
    assert_int_equal(hear(bytes, THIRL_MUX_PREFACE_LEN + table[i].n, &spoke), table[i].e);
    assert_true(spoke);
  }
}

static void more_than_the_credit_breaks_the_rules(void **state) {
  (void)state;
  thirl_mux *m = thirl_mux_new(false, 1);
  static uint8_t wire[THIRL_MUX_CREDIT_FIRST + 64] = "thirlmx1\1\0\0\0\0\0\0\1\4\0\xff\xff\0\0\0\1";
  thirl_bytes in = {wire, 24 + 65535};
  bool spoke;
  assert_int_equal(thirl_mux_input(m, &in, &spoke), THIRL_OK);
  static const uint8_t one[] = {4, 0, 0, 1, 0, 0, 0, 1, 'x'}, two[] = {4, 0, 0, 1, 0, 0, 0, 1};
  in = THIRL_BYTES(one, sizeof one);
  assert_int_equal(thirl_mux_input(m, &in, &spoke), THIRL_OK);
  in = THIRL_BYTES(two, sizeof two);
  assert_int_equal(thirl_mux_input(m, &in, &spoke), THIRL_E_PROTOCOL);
  thirl_mux_free(m);
}

/* Nobody reads the refusals: then no more is asked. */
static void a_flood_of_questions_waits_for_its_answers(void **state) {
  (void)state;
  thirl_mux *m = thirl_mux_new(false, 1);
  static uint8_t wire[8 + 8 * 1000];
  memcpy(wire, THIRL_MUX_PREFACE, 8);
  for (uint32_t i = 0; i < 1000; i++)
    thirl_mux_frame_write(wire + 8 + 8 * i, THIRL_MUX_OPEN, 0, 2 * i + 1);
  thirl_bytes in = {wire, sizeof wire};
  bool spoke;
  assert_int_equal(thirl_mux_input(m, &in, &spoke), THIRL_OK);
  assert_int_equal(in.n, 8 * (1000 - THIRL_MUX_STREAMS_MAX - THIRL_MUX_REFUSALS_MAX));
  uint8_t out[4096];
  assert_int_equal(thirl_mux_pull(m, out, sizeof out), 8 + 9 * THIRL_MUX_REFUSALS_MAX);
  assert_int_equal(thirl_mux_input(m, &in, &spoke), THIRL_OK);
  assert_int_equal(in.n, 8 * (1000 - THIRL_MUX_STREAMS_MAX - 2 * THIRL_MUX_REFUSALS_MAX));
  thirl_mux_free(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_frames_on_the_wire),
      cmocka_unit_test(both_ends_open_streams),
      cmocka_unit_test(bytes_go_both_ways_and_each_way_ends_by_itself),
      cmocka_unit_test(bytes_may_go_before_the_answer),
      cmocka_unit_test(a_stalled_stream_stalls_no_other),
      cmocka_unit_test(room_is_told),
      cmocka_unit_test(the_window_grows_with_what_it_carries),
      cmocka_unit_test(turns_are_taken),
      cmocka_unit_test(a_reset_ends_both_directions),
      cmocka_unit_test(both_reset_at_once),
      cmocka_unit_test(asked_and_taken_back_is_not_told),
      cmocka_unit_test(too_many_streams_are_refused),
      cmocka_unit_test(a_long_label_is_refused_here),
      cmocka_unit_test(what_does_not_speak_this_is_noticed),
      cmocka_unit_test(rules_are_kept),
      cmocka_unit_test(more_than_the_credit_breaks_the_rules),
      cmocka_unit_test(a_flood_of_questions_waits_for_its_answers),
  };
  return cmocka_run_group_tests_name("mux/mux", tests, NULL, NULL);
}
