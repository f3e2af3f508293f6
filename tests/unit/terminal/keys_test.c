/* SPDX-License-Identifier: MIT */
/* Bytes of a terminal to keys, as xterm, the Linux console, rxvt and tmux send them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "terminal/keys.h"

enum { KEYS_MAX = 64, STOP = -2 };

typedef struct seen {
  thirl_key keys[KEYS_MAX];
  size_t n;
} seen;

static void note(seen *s, thirl_key key) {
  assert_true(s->n < KEYS_MAX);
  s->keys[s->n++] = key;
}

static void feed(thirl_terminal_keys *k, seen *s, thirl_time now, const char *bytes, size_t n) {
  thirl_bytes in = THIRL_BYTES(bytes, n);
  for (thirl_key key; thirl_terminal_keys_next(k, now, &in, &key);)
    note(s, key);
  assert_int_equal(in.n, 0);
}

static void tick(thirl_terminal_keys *k, seen *s, thirl_time now) {
  for (thirl_key key; thirl_terminal_keys_tick(k, now, &key);)
    note(s, key);
}

static void expect(const seen *s, const thirl_key *keys) {
  size_t n = 0;
  for (; keys[n] != STOP; n++) {
    assert_true(n < s->n);
    assert_int_equal(s->keys[n], keys[n]);
  }
  assert_int_equal(s->n, n);
}
#define EXPECT(s, ...) expect(s, (const thirl_key[]){__VA_ARGS__, STOP})

/* All at once, and byte by byte: the same keys, none of them left to a timeout. */
static void expect_keys(const char *bytes, const thirl_key *keys) {
  for (int pieces = 0; pieces < 2; pieces++) {
    thirl_terminal_keys k;
    seen s = {.n = 0};
    thirl_terminal_keys_init(&k);
    for (size_t i = 0, n = strlen(bytes), step = pieces ? 1 : n; i < n; i += step)
      feed(&k, &s, 0, bytes + i, step);
    expect(&s, keys);
    assert_true(thirl_terminal_keys_deadline(&k) == THIRL_NEVER);
  }
}
#define KEYS(bytes, ...) expect_keys(bytes, (const thirl_key[]){__VA_ARGS__, STOP})

static void characters(void **state) {
  (void)state;
  KEYS("aZ0~ ", 'a', 'Z', '0', '~', ' ');
  KEYS("\r\n\t\001\003\032", '\r', '\n', '\t', 1, 3, 26);
  KEYS("\177\b", THIRL_KEY_BACKSPACE, THIRL_KEY_BACKSPACE);
  KEYS("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xbb", 0xe9, 0x20ac, 0x1f43b);
  KEYS("\xc2\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf", 0x80, 0xffff, 0x10ffff);
}

/* One U+FFFD for each maximal part: Unicode 15, section 3.9. */
static void bytes_that_are_no_utf8(void **state) {
  (void)state;
  KEYS("\x80x\xff", 0xfffd, 'x', 0xfffd);
  KEYS("\xc0\x80\xc1", 0xfffd, 0xfffd, 0xfffd);                         /* overlong */
  KEYS("\xe0\x80\x80", 0xfffd, 0xfffd, 0xfffd);                         /* overlong */
  KEYS("\xed\xa0\x80", 0xfffd, 0xfffd, 0xfffd);                         /* a surrogate */
  KEYS("\xf4\x90\x80\x80\xf5", 0xfffd, 0xfffd, 0xfffd, 0xfffd, 0xfffd); /* beyond U+10FFFF */
  KEYS("\xe2\x82x\xf0\x9f\x90\xc3\xa9", 0xfffd, 'x', 0xfffd, 0xe9);     /* cut short */
}

static void arrows_and_their_neighbours(void **state) {
  (void)state;
  KEYS("\033[A\033[B\033[C\033[D", THIRL_KEY_UP, THIRL_KEY_DOWN, THIRL_KEY_RIGHT, THIRL_KEY_LEFT);
  KEYS("\033OA\033OB\033OC\033OD", THIRL_KEY_UP, THIRL_KEY_DOWN, THIRL_KEY_RIGHT, THIRL_KEY_LEFT);
  KEYS("\033[H\033[F\033OH\033OF", THIRL_KEY_HOME, THIRL_KEY_END, THIRL_KEY_HOME, THIRL_KEY_END);
  KEYS("\033[1~\033[4~\033[7~\033[8~", THIRL_KEY_HOME, THIRL_KEY_END, THIRL_KEY_HOME, THIRL_KEY_END);
  KEYS("\033[2~\033[3~\033[5~\033[6~", THIRL_KEY_INSERT, THIRL_KEY_DELETE, THIRL_KEY_PAGE_UP, THIRL_KEY_PAGE_DOWN);
  KEYS("\033[Z\033[E", THIRL_KEY_BACK_TAB, THIRL_KEY_CENTER);
}

static void function_keys(void **state) {
  (void)state;
  KEYS("\033OP\033OQ\033OR\033OS", THIRL_KEY_F1, THIRL_KEY_F1 + 1, THIRL_KEY_F1 + 2, THIRL_KEY_F1 + 3);
  KEYS("\033[11~\033[14~\033[15~\033[17~", THIRL_KEY_F1, THIRL_KEY_F1 + 3, THIRL_KEY_F1 + 4, THIRL_KEY_F1 + 5);
  KEYS("\033[21~\033[23~\033[24~\033[34~", THIRL_KEY_F1 + 9, THIRL_KEY_F1 + 10, THIRL_KEY_F12, THIRL_KEY_F1 + 19);
  KEYS("\033[[A\033[[E\033[[F", THIRL_KEY_F1, THIRL_KEY_F1 + 4, THIRL_KEY_UNKNOWN);
}

static void keys_that_are_held(void **state) {
  (void)state;
  KEYS("\033[1;2A\033[1;3B\033[1;5C", THIRL_KEY_UP | THIRL_KEY_SHIFT, THIRL_KEY_DOWN | THIRL_KEY_ALT,
       THIRL_KEY_RIGHT | THIRL_KEY_CTRL);
  KEYS("\033[1;8D\033[1;9A", THIRL_KEY_LEFT | THIRL_KEY_MODIFIERS, THIRL_KEY_UP | THIRL_KEY_ALT);
  KEYS("\033[3;5~\033[15;2~\033[1;5P", THIRL_KEY_DELETE | THIRL_KEY_CTRL, (THIRL_KEY_F1 + 4) | THIRL_KEY_SHIFT,
       THIRL_KEY_F1 | THIRL_KEY_CTRL);
  KEYS("\033[a\033O5A", THIRL_KEY_UP | THIRL_KEY_SHIFT, THIRL_KEY_UP | THIRL_KEY_CTRL);
  KEYS("\033x\033\xc3\xa9\033\r\033\177", 'x' | THIRL_KEY_ALT, 0xe9 | THIRL_KEY_ALT, '\r' | THIRL_KEY_ALT,
       THIRL_KEY_BACKSPACE | THIRL_KEY_ALT);
  KEYS("\033[97;5u\033[27;5;105~\033[27u", 'a' | THIRL_KEY_CTRL, 'i' | THIRL_KEY_CTRL, THIRL_KEY_ESCAPE);
  KEYS("\033[1;1A\033[1;99A", THIRL_KEY_UP, THIRL_KEY_UP);
}

static void the_keypad(void **state) {
  (void)state;
  KEYS("\033OM\033Oj\033Om\033Op\033Oy", '\r', '*', '-', '0', '9');
}

static void what_nobody_knows_is_swallowed_whole(void **state) {
  (void)state;
  KEYS("\033[99~x", THIRL_KEY_UNKNOWN, 'x');
  KEYS("\033[24;80Rx", THIRL_KEY_UNKNOWN, 'x');    /* where the cursor is */
  KEYS("\033[?1;2cx", THIRL_KEY_UNKNOWN, 'x');     /* what the terminal is */
  KEYS("\033[?2026;2$yx", THIRL_KEY_UNKNOWN, 'x'); /* what it can do */
  KEYS("\033[1;2;3;4;5;6Ax", THIRL_KEY_UNKNOWN, 'x');
  KEYS("\033[99999999999999999999~x", THIRL_KEY_UNKNOWN, 'x');
  KEYS("\033[55296u\033[1114112u\033[0u", THIRL_KEY_UNKNOWN, THIRL_KEY_UNKNOWN, THIRL_KEY_UNKNOWN);
  KEYS("\033[12\x01", THIRL_KEY_UNKNOWN, 1);
  KEYS("\033[1\033[A", THIRL_KEY_UNKNOWN, THIRL_KEY_UP);
  KEYS("\033O\xc3\xa9", THIRL_KEY_UNKNOWN, 0xe9);
  KEYS("\033[000000000000000000000000000000000000000000000000~y", THIRL_KEY_UNKNOWN, 'y');
  KEYS("\033[0000000000000000000000000000000000000000000\ry", THIRL_KEY_UNKNOWN, '\r', 'y');
}

static void escape_alone_is_told_by_time(void **state) {
  (void)state;
  thirl_terminal_keys k;
  seen s = {.n = 0};
  thirl_terminal_keys_init(&k);
  feed(&k, &s, 1000, "\033", 1);
  assert_int_equal(thirl_terminal_keys_deadline(&k), 1000 + 50 * THIRL_MS);
  tick(&k, &s, 1000 + 50 * THIRL_MS - 1);
  assert_int_equal(s.n, 0);
  tick(&k, &s, 1000 + 50 * THIRL_MS);
  EXPECT(&s, THIRL_KEY_ESCAPE);
  assert_true(thirl_terminal_keys_deadline(&k) == THIRL_NEVER);
  feed(&k, &s, 2000000, "[A", 2); /* and then it is only text */
  EXPECT(&s, THIRL_KEY_ESCAPE, '[', 'A');
}

static void twice_escape_and_an_arrow_after_escape(void **state) {
  (void)state;
  thirl_terminal_keys k;
  seen s = {.n = 0};
  thirl_terminal_keys_init(&k);
  feed(&k, &s, 0, "\033\033", 2);
  EXPECT(&s, THIRL_KEY_ESCAPE);
  feed(&k, &s, 0, "[A", 2);
  EXPECT(&s, THIRL_KEY_ESCAPE, THIRL_KEY_UP);
}

static void sequences_that_stop_in_the_middle(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    thirl_key key;
  } table[] = {{"\033[", '[' | THIRL_KEY_ALT}, {"\033O", 'O' | THIRL_KEY_ALT}, {"\033[1;", THIRL_KEY_UNKNOWN},
               {"\033[[", THIRL_KEY_UNKNOWN},  {"\033O5", THIRL_KEY_UNKNOWN},  {"\033\xc3", 0xfffd | THIRL_KEY_ALT}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    thirl_terminal_keys k;
    seen s = {.n = 0};
    thirl_terminal_keys_init(&k);
    feed(&k, &s, 0, table[i].bytes, strlen(table[i].bytes));
    assert_int_equal(s.n, 0);
    tick(&k, &s, 50 * THIRL_MS);
    EXPECT(&s, table[i].key);
    assert_true(thirl_terminal_keys_deadline(&k) == THIRL_NEVER);
  }
}

static void half_a_character_is_waited_for(void **state) {
  (void)state;
  thirl_terminal_keys k;
  seen s = {.n = 0};
  thirl_terminal_keys_init(&k);
  feed(&k, &s, 0, "\xe2\x82", 2);
  assert_true(thirl_terminal_keys_deadline(&k) == THIRL_NEVER);
  tick(&k, &s, 10 * THIRL_S);
  assert_int_equal(s.n, 0);
  feed(&k, &s, 10 * THIRL_S, "\xac", 1);
  EXPECT(&s, 0x20ac);
}

static void at_the_end_everything_is_due(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    thirl_key key;
  } table[] = {{"\033", THIRL_KEY_ESCAPE},
               {"\xe2\x82", 0xfffd},
               {"\033[000000000000000000000000000000000000000000", THIRL_KEY_UNKNOWN}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    thirl_terminal_keys k;
    seen s = {.n = 0};
    thirl_terminal_keys_init(&k);
    feed(&k, &s, 7, table[i].bytes, strlen(table[i].bytes));
    thirl_terminal_keys_end(&k);
    assert_int_equal(thirl_terminal_keys_deadline(&k), 0);
    tick(&k, &s, 7);
    EXPECT(&s, table[i].key);
    assert_true(thirl_terminal_keys_deadline(&k) == THIRL_NEVER);
  }
}

/* What is pasted cannot press keys: only the end of the paste is a sequence. */
static void a_paste_is_text(void **state) {
  (void)state;
  KEYS("\033[200~a\r\033[A\177\033[201~\033[A", THIRL_KEY_PASTE_BEGIN, 'a', '\r', 0x1b, '[', 'A', 127,
       THIRL_KEY_PASTE_END, THIRL_KEY_UP);
  KEYS("\033[200~\033\033[20\033[201~", THIRL_KEY_PASTE_BEGIN, 0x1b, 0x1b, '[', '2', '0', THIRL_KEY_PASTE_END);
  KEYS("\033[201~", THIRL_KEY_UNKNOWN);
  thirl_terminal_keys k;
  seen s = {.n = 0};
  thirl_terminal_keys_init(&k);
  feed(&k, &s, 0, "\033[200~\033[2", 9);
  tick(&k, &s, 50 * THIRL_MS);
  EXPECT(&s, THIRL_KEY_PASTE_BEGIN, 0x1b, '[', '2');
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(characters),
      cmocka_unit_test(bytes_that_are_no_utf8),
      cmocka_unit_test(arrows_and_their_neighbours),
      cmocka_unit_test(function_keys),
      cmocka_unit_test(keys_that_are_held),
      cmocka_unit_test(the_keypad),
      cmocka_unit_test(what_nobody_knows_is_swallowed_whole),
      cmocka_unit_test(escape_alone_is_told_by_time),
      cmocka_unit_test(twice_escape_and_an_arrow_after_escape),
      cmocka_unit_test(sequences_that_stop_in_the_middle),
      cmocka_unit_test(half_a_character_is_waited_for),
      cmocka_unit_test(at_the_end_everything_is_due),
      cmocka_unit_test(a_paste_is_text),
  };
  return cmocka_run_group_tests_name("terminal/keys", tests, NULL, NULL);
}
