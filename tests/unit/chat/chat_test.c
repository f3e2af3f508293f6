/* SPDX-License-Identifier: MIT */
/* Two ends of a conversation in virtual time, and one end against a peer that breaks the rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "chat/chat.h"

typedef struct end {
  thirl_chat *c;
  unsigned said, delivered, rtts, ended, left;
  uint32_t last_delivered;
  thirl_time rtt_us;
  char text[THIRL_CHAT_TEXT_MAX + 1];
  size_t text_n;
} end;

static end new_end(bool paced) {
  end e = {.c = malloc(sizeof *e.c)};
  assert_non_null(e.c);
  thirl_chat_init(e.c, paced, 1000);
  return e;
}

static void free_end(end *e) {
  thirl_chat_fini(e->c);
  free(e->c);
}

static bool poll(end *e) {
  thirl_chat_event ev;
  if (!thirl_chat_poll(e->c, &ev)) return false;
  switch (ev.kind) {
  case THIRL_CHAT_SAID:
    e->said++;
    assert_int_equal(ev.number, e->said);
    memcpy(e->text, ev.text.p, ev.text.n);
    e->text[e->text_n = ev.text.n] = '\0';
    break;
  case THIRL_CHAT_DELIVERED:
    e->delivered++;
    e->last_delivered = ev.number;
    break;
  case THIRL_CHAT_RTT:
    e->rtts++;
    e->rtt_us = ev.rtt_us;
    break;
  case THIRL_CHAT_ENDED:
    e->ended++;
    break;
  case THIRL_CHAT_LEFT:
    e->left++;
    break;
  }
  return true;
}

static thirl_error give(end *e, thirl_time now, thirl_bytes in) {
  thirl_error error = THIRL_OK;
  while (in.n > 0 && error == THIRL_OK) {
    size_t before = in.n;
    error = thirl_chat_input(e->c, now, &in);
    while (poll(e))
      ;
    if (in.n == before) break;
  }
  return error;
}

/* What one end has to say, to the other, in pieces of so many bytes. Returns how many bytes there were. */
static size_t carry(end *from, end *to, thirl_time now, size_t step) {
  size_t all = 0;
  for (thirl_bytes b; (b = thirl_chat_output(from->c, now)).n > 0;) {
    if (b.n > step) b.n = step;
    assert_int_equal(give(to, now, b), THIRL_OK);
    thirl_chat_consume(from->c, b.n);
    all += b.n;
  }
  return all;
}

static uint32_t say(end *e, const char *text) {
  uint32_t number = 0;
  assert_int_equal(thirl_chat_say(e->c, THIRL_BYTES(text, strlen(text)), &number), THIRL_OK);
  return number;
}

static void what_is_said_is_heard_and_delivered(void **state) {
  (void)state;
  for (size_t step = 1; step < 40; step += 19) {
    end a = new_end(true), b = new_end(true);
    assert_int_equal(say(&a, "hello"), 1);
    assert_int_equal(say(&a, ""), 2);
    assert_int_equal(thirl_chat_unshown(a.c), 2);
    assert_int_equal(carry(&a, &b, 1000, step), 2 * 8 + 5);
    assert_int_equal(b.said, 2);
    assert_int_equal(b.text_n, 0);
    assert_int_equal(a.delivered, 0);
    assert_int_equal(carry(&b, &a, 1000, step), 8); /* one SHOWN for both */
    assert_int_equal(a.delivered, 1);
    assert_int_equal(a.last_delivered, 2);
    assert_int_equal(thirl_chat_unshown(a.c), 0);
    assert_int_equal(carry(&a, &b, 1000, step) + carry(&b, &a, 1000, step), 0);
    say(&b, "bye");
    carry(&b, &a, 1000, step);
    assert_string_equal(a.text, "bye");
    free_end(&a);
    free_end(&b);
  }
}

static void a_text_has_a_size(void **state) {
  (void)state;
  static char text[THIRL_CHAT_TEXT_MAX + 1];
  uint32_t number;
  end a = new_end(false), b = new_end(false);
  memset(text, 'x', sizeof text);
  assert_int_equal(thirl_chat_say(a.c, THIRL_BYTES(text, sizeof text), &number), THIRL_E_LIMIT);
  assert_int_equal(thirl_chat_say(a.c, THIRL_BYTES(text, sizeof text - 1), &number), THIRL_OK);
  carry(&a, &b, 1000, 1000);
  assert_int_equal(b.text_n, THIRL_CHAT_TEXT_MAX);
  free_end(&a);
  free_end(&b);
}

static void too_many_that_were_not_shown(void **state) {
  (void)state;
  uint32_t number;
  end a = new_end(false), b = new_end(false);
  for (int i = 0; i < THIRL_CHAT_UNSHOWN_MAX; i++)
    say(&a, "x");
  assert_int_equal(thirl_chat_say(a.c, THIRL_BYTES("x", 1), &number), THIRL_E_AGAIN);
  carry(&a, &b, 1000, 100000);
  assert_int_equal(thirl_chat_say(a.c, THIRL_BYTES("x", 1), &number), THIRL_E_AGAIN);
  carry(&b, &a, 1000, 100000);
  assert_int_equal(thirl_chat_say(a.c, THIRL_BYTES("x", 1), &number), THIRL_OK);
  assert_int_equal(number, THIRL_CHAT_UNSHOWN_MAX + 1);
  free_end(&a);
  free_end(&b);
  static char text[THIRL_CHAT_TEXT_MAX];
  a = new_end(false);
  int n = 0;
  while (thirl_chat_say(a.c, THIRL_BYTES(text, sizeof text), &number) == THIRL_OK)
    n++;
  assert_int_equal(n, THIRL_CHAT_HELD_MAX / THIRL_CHAT_FRAME_MAX);
  free_end(&a);
}

static void the_round_trip(void **state) {
  (void)state;
  end a = new_end(true), b = new_end(true);
  thirl_time now = 1000;
  thirl_chat_tick(a.c, now);
  for (unsigned i = 1; i <= 3; i++) {
    thirl_bytes ping = thirl_chat_output(a.c, now);
    assert_int_equal(ping.n, 12);
    now += 30 * THIRL_MS;
    assert_int_equal(thirl_chat_silence(a.c, now), 30 * THIRL_MS);
    assert_int_equal(give(&b, now, ping), THIRL_OK);
    thirl_chat_consume(a.c, ping.n);
    now += 20 * THIRL_MS;
    assert_int_equal(carry(&b, &a, now, 100), 12);
    assert_int_equal(a.rtts, i);
    assert_int_equal(a.rtt_us, 50 * THIRL_MS);
    assert_int_equal(thirl_chat_silence(a.c, now), 0);
    thirl_time due = thirl_chat_deadline(a.c, now);
    assert_int_equal(due, now + THIRL_CHAT_PING_S * THIRL_S);
    thirl_chat_tick(a.c, due - 1);
    assert_int_equal(thirl_chat_output(a.c, due - 1).n, 0);
    thirl_chat_tick(a.c, due);
    now = due;
  }
  free_end(&a);
  free_end(&b);
}

static void who_answers_nothing_is_asked_again(void **state) {
  (void)state;
  end a = new_end(true);
  thirl_chat_tick(a.c, 1000);
  assert_int_equal(thirl_chat_output(a.c, 1000).n, 12);
  thirl_chat_consume(a.c, 12);
  thirl_time due = thirl_chat_deadline(a.c, 1000);
  assert_in_range(due, 10 * THIRL_S, 200 * THIRL_S);
  thirl_chat_tick(a.c, due);
  thirl_bytes b = thirl_chat_output(a.c, due);
  assert_int_equal(b.n, 12);
  uint8_t pong[12]; /* the late answer to the first is no answer to the second */
  memcpy(pong, b.p, 12);
  pong[0] = THIRL_CHAT_PONG;
  pong[11]--;
  assert_int_equal(give(&a, due + 1, THIRL_BYTES(pong, 12)), THIRL_OK);
  assert_int_equal(a.rtts, 0);
  free_end(&a);
}

static void the_end_of_one_side_and_of_both(void **state) {
  (void)state;
  uint32_t number;
  end a = new_end(true), b = new_end(true);
  say(&a, "all there is");
  thirl_chat_end(a.c);
  thirl_chat_end(a.c);
  assert_int_equal(thirl_chat_say(a.c, THIRL_BYTES("x", 1), &number), THIRL_E_STATE);
  carry(&a, &b, 1000, 100);
  assert_int_equal(b.ended, 1);
  assert_false(thirl_chat_is_over(b.c));
  say(&b, "thanks");
  thirl_chat_end(b.c);
  assert_false(thirl_chat_is_over(b.c)); /* it was not shown yet */
  carry(&b, &a, 1000, 100);
  assert_true(thirl_chat_is_over(a.c));
  carry(&a, &b, 1000, 100);
  assert_true(thirl_chat_is_over(b.c));
  thirl_chat_leave(a.c);
  carry(&a, &b, 1000, 100);
  assert_int_equal(b.left, 1);
  assert_int_equal(thirl_chat_deadline(a.c, 1000), THIRL_NEVER);
  free_end(&a);
  free_end(&b);
}

static void who_leaves_has_said_everything(void **state) {
  (void)state;
  uint32_t number;
  end a = new_end(true), b = new_end(true);
  say(&b, "heard before");
  carry(&b, &a, 1000, 100);
  say(&a, "last words");
  thirl_chat_leave(a.c);
  assert_int_equal(thirl_chat_say(a.c, THIRL_BYTES("x", 1), &number), THIRL_E_STATE);
  carry(&a, &b, 1000, 100);
  assert_string_equal(b.text, "last words");
  assert_int_equal(b.last_delivered, 1); /* what it had heard it has confirmed */
  assert_int_equal(b.left, 1);
  assert_int_equal(thirl_chat_say(b.c, THIRL_BYTES("x", 1), &number), THIRL_E_STATE);
  free_end(&a);
  free_end(&b);
}

/* ---- a peer that is not honest ---- */

static void expect(const void *bytes, size_t n, thirl_error expected) {
  end a = new_end(true);
  say(&a, "one");
  assert_int_equal(give(&a, 1000, THIRL_BYTES(bytes, n)), expected);
  free_end(&a);
}

static void rules_that_are_broken(void **state) {
  (void)state;
  expect("\0\0\0\0", 4, THIRL_E_PROTOCOL); /* no such type */
  expect("\7\0\0\0", 4, THIRL_E_PROTOCOL);
  expect("\5\1\0\0", 4, THIRL_E_PROTOCOL); /* the zero is none */
  expect("\5\0\0\1", 4, THIRL_E_PROTOCOL); /* lengths that cannot be */
  expect("\1\0\0\3", 4, THIRL_E_PROTOCOL);
  expect("\1\0\x10\5", 4, THIRL_E_PROTOCOL);
  expect("\2\0\0\3", 4, THIRL_E_PROTOCOL);
  expect("\3\0\0\7", 4, THIRL_E_PROTOCOL);
  expect("\1\0\0\4\0\0\0\2", 8, THIRL_E_PROTOCOL);                  /* the second text, without a first */
  expect("\1\0\0\4\0\0\0\1\1\0\0\4\0\0\0\1", 16, THIRL_E_PROTOCOL); /* the first twice */
  expect("\2\0\0\4\0\0\0\2", 8, THIRL_E_PROTOCOL);                  /* shown what was never said */
  expect("\5\0\0\0\5\0\0\0", 8, THIRL_E_PROTOCOL);                  /* two ends */
  expect("\5\0\0\0\1\0\0\4\0\0\0\1", 12, THIRL_E_PROTOCOL);         /* a text behind the end */
  expect("\6\0\0\0\6\0\0\0", 8, THIRL_E_PROTOCOL);                  /* something behind the goodbye */
  expect("\2\0\0\4\0\0\0\1\2\0\0\4\0\0\0\1", 16, THIRL_OK);         /* told twice: no harm */
  expect("\4\0\0\10abcdefgh", 12, THIRL_OK);                        /* the answer to no question */
}

/* Exact counts: so many at once, and then one in each millisecond. */
static void a_flood_is_read_as_fast_as_a_person_can(void **state) {
  (void)state;
  enum { FLOOD = 3 * THIRL_CHAT_BURST };
  static uint8_t flood[FLOOD * 8];
  end a = new_end(true);
  for (uint32_t i = 0; i < FLOOD; i++) {
    thirl_chat_frame_write(flood + i * 8, THIRL_CHAT_TEXT, 4);
    thirl_bytes_put_u32(flood + i * 8 + 4, i + 1);
  }
  thirl_bytes in = THIRL_BYTES(flood, sizeof flood);
  thirl_time now = 1000;
  thirl_chat_tick(a.c, now);
  thirl_chat_consume(a.c, thirl_chat_output(a.c, now).n); /* the question for the round trip is no part of it */
  for (int i = 0; i < 3; i++) {
    for (size_t before = 0; before != in.n;) {
      before = in.n;
      assert_int_equal(thirl_chat_input(a.c, now, &in), THIRL_OK);
      while (poll(&a))
        ;
    }
    assert_int_equal(a.said, THIRL_CHAT_BURST + 1 + i);
    assert_int_equal(thirl_chat_deadline(a.c, now), now + THIRL_MS);
    now += THIRL_MS;
  }
  assert_int_equal(thirl_chat_output(a.c, now).n, 8); /* SHOWN */
  free_end(&a);
}

/* Exact: a text of n new lines uses up 1 + n/64 + n of the allowance, and the rest waits until it is back. */
static void new_lines_are_what_fills_a_screen(void **state) {
  (void)state;
  enum { LINES = THIRL_CHAT_TEXT_MAX, UNITS = 1 + (LINES + 4) / 64 + LINES };
  static uint8_t frames[2][THIRL_CHAT_FRAME_MAX];
  for (uint32_t i = 0; i < 2; i++) {
    memset(frames[i], '\n', sizeof frames[i]);
    thirl_chat_frame_write(frames[i], THIRL_CHAT_TEXT, 4 + LINES);
    thirl_bytes_put_u32(frames[i] + 4, i + 1);
  }
  end a = new_end(true);
  thirl_bytes in = THIRL_BYTES(frames, sizeof frames);
  thirl_time back = 1000 + (UNITS - THIRL_CHAT_BURST) * THIRL_MS;
  assert_int_equal(give(&a, 1000, in), THIRL_OK);
  assert_int_equal(a.said, 1);
  in = THIRL_BYTES(frames[1], sizeof frames[1]);
  assert_int_equal(give(&a, back - 1, in), THIRL_OK);
  assert_int_equal(a.said, 1);
  assert_int_equal(give(&a, back, in), THIRL_OK);
  assert_int_equal(a.said, 2);
  free_end(&a);
}

static void a_text_that_nobody_takes_stops_the_rest(void **state) {
  (void)state;
  end a = new_end(false);
  thirl_bytes in = THIRL_BYTES("\1\0\0\4\0\0\0\1\1\0\0\4\0\0\0\2", 16);
  assert_int_equal(thirl_chat_input(a.c, 1000, &in), THIRL_OK);
  assert_int_equal(in.n, 8);
  assert_int_equal(thirl_chat_input(a.c, 1000, &in), THIRL_OK);
  assert_int_equal(in.n, 8);
  assert_int_equal(thirl_chat_output(a.c, 1000).n, 0); /* nor is it called shown */
  assert_true(poll(&a));
  assert_int_equal(thirl_chat_input(a.c, 1000, &in), THIRL_OK);
  assert_int_equal(in.n, 0);
  free_end(&a);
}

static void questions_without_number_get_one_answer(void **state) {
  (void)state;
  end a = new_end(false);
  uint8_t ping[12] = {THIRL_CHAT_PING, 0, 0, 8};
  for (int i = 0; i < 100000; i++) {
    ping[11] = (uint8_t)i;
    assert_int_equal(give(&a, 1000, THIRL_BYTES(ping, 12)), THIRL_OK);
  }
  thirl_bytes b = thirl_chat_output(a.c, 1000);
  assert_int_equal(b.n, 12);
  assert_int_equal(b.p[0], THIRL_CHAT_PONG);
  assert_int_equal(b.p[11], (uint8_t)99999);
  free_end(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_said_is_heard_and_delivered),
      cmocka_unit_test(a_text_has_a_size),
      cmocka_unit_test(too_many_that_were_not_shown),
      cmocka_unit_test(the_round_trip),
      cmocka_unit_test(who_answers_nothing_is_asked_again),
      cmocka_unit_test(the_end_of_one_side_and_of_both),
      cmocka_unit_test(who_leaves_has_said_everything),
      cmocka_unit_test(rules_that_are_broken),
      cmocka_unit_test(a_flood_is_read_as_fast_as_a_person_can),
      cmocka_unit_test(new_lines_are_what_fills_a_screen),
      cmocka_unit_test(a_text_that_nobody_takes_stops_the_rest),
      cmocka_unit_test(questions_without_number_get_one_answer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
