/* SPDX-License-Identifier: MIT */
/* The requests are what Debian's stun sends, byte for byte, but for the transaction ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "unit/server/corners.h"

#define TID           "0123456789abcdef"
#define CHANGE(flags) "\0\1\0\x8" TID "\0\3\0\4\0\0\0" flags

static thirl_addr client(void) {
  return thirl_addr_v4(198, 51, 100, 7, 4711);
}

static void is_answer(const corners_sent *s, const char *bytes, size_t n) {
  assert_non_null(s);
  assert_int_equal(s->n, n);
  assert_memory_equal(s->bytes, bytes, n);
}

/* MAPPED-ADDRESS 198.51.100.7:4711, SOURCE-ADDRESS and CHANGED-ADDRESS as they are from the four sides. */
#define MAPPED              "\0\1\0\x8\0\1\x12\x67\xc6\x33\x64\7"
#define SOURCE(port, host)  "\0\4\0\x8\0\1\x0d" port "\xc0\0\2" host
#define CHANGED(port, host) "\0\5\0\x8\0\1\x0d" port "\xc0\0\2" host

static void answers_each_of_the_tests(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 0);
  const corners_sent *s = corners_ask(c, corners_at(0), client(), THIRL_BYTES(CHANGE("\0"), 28));
  is_answer(s, "\1\1\0\x24" TID MAPPED SOURCE("\x96", "\1") CHANGED("\x97", "\2"), 56);
  s = corners_ask(c, corners_at(0), client(), THIRL_BYTES(CHANGE("\4"), 28));
  is_answer(s, "\1\1\0\x24" TID MAPPED SOURCE("\x96", "\2") CHANGED("\x97", "\2"), 56);
  assert_int_equal(s->from.ip[3], 2);
  assert_int_equal(s->from.port, 3478);
  s = corners_ask(c, corners_at(0), client(), THIRL_BYTES(CHANGE("\2"), 28));
  is_answer(s, "\1\1\0\x24" TID MAPPED SOURCE("\x97", "\1") CHANGED("\x97", "\2"), 56);
  s = corners_ask(c, corners_at(3), client(), THIRL_BYTES(CHANGE("\6"), 28));
  is_answer(s, "\1\1\0\x24" TID MAPPED SOURCE("\x96", "\1") CHANGED("\x96", "\1"), 56);
  s = corners_ask(c, corners_at(0), client(), THIRL_BYTES("\0\1\0\0" TID, 20)); /* CHANGE-REQUEST may stay away */
  is_answer(s, "\1\1\0\x24" TID MAPPED SOURCE("\x96", "\1") CHANGED("\x97", "\2"), 56);
  assert_int_equal(thirl_server_stats_of(c->server)->bindings, 5);
  corners_free(c);
}

/* RESPONSE-ADDRESS (2) made a reflector of every server. */
static void goes_nowhere_else(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 0);
  const corners_sent *s =
      corners_ask(c, corners_at(0), client(), THIRL_BYTES("\0\1\0\xc" TID "\0\2\0\x8\0\1\0\x35\xcb\0\x71\1", 32));
  is_answer(s, "\1\x11\0\x10" TID "\0\x9\0\4\0\0\4\x14\0\xa\0\4\0\2\0\2", 36);
  assert_int_equal(s->to.ip[0], 198);
  assert_int_equal(s->to.port, 4711);
  corners_free(c);
}

static void names_what_it_does_not_know(void **state) {
  (void)state;
  uint8_t ask[20 + 10 * 4] = "\0\1\0\x28" TID;
  corners *c = corners_new(NULL, 0);
  /* USERNAME is known, what may be passed over is no error, two unknown ones are named. */
  const corners_sent *s = corners_ask(
      c, corners_at(0), client(), THIRL_BYTES("\0\1\0\x18" TID "\0\6\0\4user\x80\x22\0\0\x7f\1\0\4abcd\0\2\0\0", 44));
  is_answer(s, "\1\x11\0\x10" TID "\0\x9\0\4\0\0\4\x14\0\xa\0\4\x7f\1\0\2", 36);
  for (uint8_t i = 0; i < 10; i++)
    memcpy(ask + 20 + 4 * i, "\x70\0\0\0", 4);
  s = corners_ask(c, corners_at(0), client(), THIRL_BYTES(ask, sizeof ask));
  assert_int_equal(s->n, 48); /* eight of them */
  assert_memory_equal(s->bytes + 28, "\0\xa\0\x10\x70\0", 6);
  corners_free(c);
}

/* stun takes every answer for one from elsewhere: better none. */
static void is_silent_when_there_is_no_elsewhere(void **state) {
  (void)state;
  corners *c = corners_new(&(thirl_server_config){.listen_udp = {corners_at(0)}}, 0);
  const corners_sent *s = corners_ask(c, corners_at(0), client(), THIRL_BYTES(CHANGE("\0"), 28));
  is_answer(s, "\1\1\0\x18" TID MAPPED SOURCE("\x96", "\1"), 44);
  assert_null(corners_ask(c, corners_at(0), client(), THIRL_BYTES(CHANGE("\2"), 28)));
  assert_null(corners_ask(c, corners_at(0), client(), THIRL_BYTES(CHANGE("\4"), 28)));
  assert_int_equal(thirl_server_stats_of(c->server)->refused, 2);
  corners_free(c);
}

static void counts_what_is_no_request(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t n;
  } rows[] = {{"\0\1\0\x8" TID "\0\3\0\x8\0\0\0\0", 28},            /* longer than it is */
              {"\0\1\0\x8" TID "\0\3\0\3\0\0\0\0", 28},             /* no multiple of four */
              {"\0\1\0\xc" TID "\x80\x22\0\2ab\x80\x22\0\2cd", 32}, /* nor this, twice */
              {"\0\1\0\x4" TID "\0\3\0\0", 24},                     /* an empty CHANGE-REQUEST */
              {"\0\1\0\2" TID "\0\3", 22},                          /* half a header */
              {"\0\1\0\4" TID, 20},                                 /* cut */
              {"\0\1\0\0" TID "x", 21},                             /* something behind it */
              {"\0\2\0\0" TID, 20},                                 /* Shared Secret */
              {"\1\1\0\0" TID, 20},                                 /* an answer: never answer one */
              {"\0\1\0\0" TID, 19}};
  corners *c = corners_new(NULL, 0);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_null(corners_ask(c, corners_at(0), client(), THIRL_BYTES(rows[i].bytes, rows[i].n)));
    assert_int_equal(thirl_server_stats_of(c->server)->malformed, i + 1);
  }
  corners_free(c);
}

static void shares_the_limits(void **state) {
  (void)state;
  thirl_server_config cfg = {.limits = {.discoveries_per_second_per_ip = 2}};
  for (unsigned i = 0; i < 4; i++)
    cfg.listen_udp[i] = corners_at(i);
  corners *c = corners_new(&cfg, 0);
  assert_non_null(corners_ask(c, corners_at(0), client(), THIRL_BYTES(CHANGE("\2"), 28)));
  assert_non_null(corners_ask(c, corners_at(0), client(), corners_change(2)));
  assert_null(corners_ask(c, corners_at(0), client(), THIRL_BYTES(CHANGE("\2"), 28)));
  unsigned errors = 0;
  for (int i = 0; i < 30; i++)
    errors += corners_ask(c, corners_at(0), client(), THIRL_BYTES("\0\1\0\4" TID "\0\2\0\0", 24)) != NULL;
  assert_int_equal(errors, 10);
  corners_free(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_each_of_the_tests),   cmocka_unit_test(goes_nowhere_else),
      cmocka_unit_test(names_what_it_does_not_know), cmocka_unit_test(is_silent_when_there_is_no_elsewhere),
      cmocka_unit_test(counts_what_is_no_request),   cmocka_unit_test(shares_the_limits),
  };
  return cmocka_run_group_tests_name("server/classic", tests, NULL, NULL);
}
