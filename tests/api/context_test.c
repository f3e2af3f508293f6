/* SPDX-License-Identifier: MIT */
/* test-timeout: 180 */
/* The event loop interface: which event comes when, how often, and what each call says in which state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "api/rig.h"

static rig *server;
static rig_loop a, b; /* a listens, b dials */

enum { A_WHILE_MS = 120, WINDOW = 65536 };

static int setup(void **state) {
  (void)state;
  server = rig_new();
  memset(&a, 0, sizeof a);
  memset(&b, 0, sizeof b);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  rig_loop_free(&a);
  rig_loop_free(&b);
  rig_free(server);
  server = NULL;
  return 0;
}

static size_t write_some(rig_loop *l, const void *bytes, size_t n) {
  size_t done = 99;
  thirl_error e = thirl_write(l->context, l->session, bytes, n, &done);
  assert_int_equal(e, done ? THIRL_OK : THIRL_E_AGAIN);
  return done;
}

static thirl_error read_some(rig_loop *l, size_t cap, size_t *n) {
  static uint8_t nowhere[1 << 20];
  assert_true(cap <= sizeof nowhere);
  *n = 99;
  return thirl_read(l->context, l->session, nowhere, cap, n);
}

static void assert_readable(unsigned count) {
  assert_true(rig_until(&a, &b, THIRL_EVENT_READABLE, count));
  rig_turn_for(&a, &b, A_WHILE_MS);
  assert_int_equal(a.count[THIRL_EVENT_READABLE], count);
}

/* ---- coming up ---- */

static void test_events_of_a_meeting(void **state) {
  (void)state;
  rig_meet(server, &a, &b);
  rig_turn_for(&a, &b, A_WHILE_MS);
  assert_int_equal(a.count[THIRL_EVENT_REGISTERED], 1);
  assert_int_equal(b.count[THIRL_EVENT_REGISTERED], 1);
  assert_memory_equal(b.last[THIRL_EVENT_REGISTERED].address, "127.0.0.1:", 10);
  assert_int_equal(a.count[THIRL_EVENT_INCOMING], 1);
  assert_int_equal(b.count[THIRL_EVENT_INCOMING], 0);
  assert_int_equal(a.count[THIRL_EVENT_UP], 1);
  assert_int_equal(b.count[THIRL_EVENT_UP], 1);
  assert_false(a.last[THIRL_EVENT_PATH].direct);
  assert_int_equal(a.count[THIRL_EVENT_READABLE] + a.count[THIRL_EVENT_WRITABLE], 0);
  assert_int_equal(a.count[THIRL_EVENT_STRANGER] + b.count[THIRL_EVENT_STRANGER], 0);
  char id[THIRL_PEER_MAX];
  thirl_context_peer(a.context, id);
  assert_string_equal(b.last[THIRL_EVENT_UP].peer, id);
  thirl_context_peer(b.context, id);
  assert_string_equal(a.last[THIRL_EVENT_INCOMING].peer, id);
}

/* Waiting costs nothing: an idle context is turned a few times, not thousands. */
static void test_idle_contexts_sleep(void **state) {
  (void)state;
  thirl_options o = rig_options(server);
  a = rig_loop_new(&o);
  rig_turn_for(&a, NULL, A_WHILE_MS);
  assert_true(a.waits < 10);
  assert_int_equal(thirl_context_timeout_ms(a.context), -1); /* nobody was called yet */
  rig_loop_free(&a);
  rig_meet(server, &a, &b);
  rig_turn_for(&a, &b, 4 * A_WHILE_MS); /* acknowledgements and what else follows */
  a.waits = b.waits = 0;
  rig_turn_for(&a, &b, 2 * A_WHILE_MS);
  assert_true(a.waits < 15);
}

static void test_bytes_written_before_it_is_up(void **state) {
  (void)state;
  thirl_options o = rig_options(server);
  char ticket[THIRL_TICKET_MAX], got[8];
  size_t n;
  a = rig_loop_new(&o);
  b = rig_loop_new(&o);
  assert_int_equal(thirl_context_listen(a.context, ticket), THIRL_OK);
  assert_int_equal(thirl_context_dial(b.context, ticket, &b.session), THIRL_OK); /* nobody is registered yet */
  assert_int_equal(write_some(&b, "early", 5), 5);
  assert_int_equal(thirl_finish(b.context, b.session), THIRL_OK);
  assert_true(rig_until(&a, &b, THIRL_EVENT_READABLE, 1));
  assert_int_equal(thirl_read(a.context, a.session, got, sizeof got, &n), THIRL_OK);
  assert_int_equal(n, 5);
  assert_memory_equal(got, "early", 5);
}

/* ---- READABLE ---- */

static void test_readable_comes_once_for_each_time_that_nothing_was_left(void **state) {
  (void)state;
  size_t n;
  rig_meet(server, &a, &b);
  assert_int_equal(read_some(&a, 10, &n), THIRL_E_AGAIN);
  assert_int_equal(n, 0);
  write_some(&b, "0123456789", 10);
  assert_readable(1);
  write_some(&b, "ab", 2); /* it was told, and has not looked: not told again */
  assert_readable(1);
  assert_int_equal(read_some(&a, 4, &n), THIRL_OK);
  assert_int_equal(n, 4);
  assert_readable(2); /* it has looked, and there is more */
  assert_int_equal(read_some(&a, 100, &n), THIRL_OK);
  assert_int_equal(n, 8);
  assert_int_equal(read_some(&a, 100, &n), THIRL_E_AGAIN);
  assert_readable(2);
  write_some(&b, "c", 1);
  assert_readable(3);
}

/* Whoever reads on until nothing is left, between two turns, needs no event for what it has read. */
static void test_readable_is_not_told_of_what_was_read(void **state) {
  (void)state;
  size_t n;
  rig_meet(server, &a, &b);
  write_some(&b, "0123456789", 10);
  assert_readable(1);
  for (size_t want = 10; want; want -= n)
    assert_int_equal(read_some(&a, 3, &n), THIRL_OK);
  assert_int_equal(read_some(&a, 3, &n), THIRL_E_AGAIN);
  assert_readable(1);
}

static void test_the_end_is_readable_once(void **state) {
  (void)state;
  size_t n;
  rig_meet(server, &a, &b);
  write_some(&b, "last", 4);
  assert_int_equal(thirl_finish(b.context, b.session), THIRL_OK);
  assert_readable(1);
  assert_int_equal(read_some(&a, 100, &n), THIRL_OK);
  assert_int_equal(n, 4);
  assert_readable(2); /* the end */
  assert_int_equal(read_some(&a, 100, &n), THIRL_E_EOF);
  assert_int_equal(n, 0);
  assert_int_equal(read_some(&a, 100, &n), THIRL_E_EOF);
  assert_readable(2);
  assert_int_equal(b.count[THIRL_EVENT_READABLE], 0);
  assert_int_equal(write_some(&a, "still", 5), 5); /* the other direction goes on */
  assert_true(rig_until(&b, &a, THIRL_EVENT_READABLE, 1));
}

static void test_reading_nothing(void **state) {
  (void)state;
  size_t n = 5;
  rig_meet(server, &a, &b);
  assert_int_equal(thirl_read(a.context, a.session, NULL, 0, &n), THIRL_OK);
  assert_int_equal(n, 0);
  n = 5;
  assert_int_equal(thirl_write(a.context, a.session, NULL, 0, &n), THIRL_OK);
  assert_int_equal(n, 0);
}

/* ---- WRITABLE ---- */

static uint8_t plenty[4 * WINDOW];

static size_t fill(rig_loop *l) {
  size_t sum = 0, n;
  while ((n = write_some(l, plenty, sizeof plenty)) > 0)
    sum += n;
  return sum;
}

static void meet_with_small_windows(void) {
  thirl_options o = rig_options(server);
  char ticket[THIRL_TICKET_MAX];
  o.window = WINDOW;
  a = rig_loop_new(&o);
  b = rig_loop_new(&o);
  assert_int_equal(thirl_context_listen(a.context, ticket), THIRL_OK);
  assert_int_equal(thirl_context_dial(b.context, ticket, &b.session), THIRL_OK);
  assert_true(rig_until(&a, &b, THIRL_EVENT_UP, 1));
  assert_true(rig_until(&b, &a, THIRL_EVENT_UP, 1));
}

static size_t drain(rig_loop *l) {
  size_t sum = 0, n;
  while (read_some(l, 1 << 20, &n) == THIRL_OK)
    sum += n;
  return sum;
}

static void test_writable_comes_once_when_there_is_room_again(void **state) {
  (void)state;
  meet_with_small_windows();
  size_t sent = fill(&b), got = 0;
  for (int i = 0; i < 20; i++) { /* until both windows are full */
    rig_turn_for(&a, &b, 20);
    sent += fill(&b);
  }
  unsigned told = b.count[THIRL_EVENT_WRITABLE];
  assert_in_range(sent, WINDOW, 2 * WINDOW);
  rig_turn_for(&a, &b, A_WHILE_MS);
  assert_int_equal(b.count[THIRL_EVENT_WRITABLE], told); /* nobody has read */
  got += drain(&a);
  assert_true(rig_until(&b, &a, THIRL_EVENT_WRITABLE, told + 1));
  rig_turn_for(&a, &b, A_WHILE_MS);
  assert_int_equal(b.count[THIRL_EVENT_WRITABLE], told + 1);
  while (got < sent) {
    rig_turn(&a, &b, 100);
    got += drain(&a);
  }
  assert_int_equal(got, sent);
  assert_int_equal(write_some(&b, "x", 1), 1); /* it fits: there is nothing to be told */
  rig_turn_for(&a, &b, A_WHILE_MS);
  assert_int_equal(b.count[THIRL_EVENT_WRITABLE], told + 1);
}

static void test_writable_is_not_told_to_who_does_not_wait(void **state) {
  (void)state;
  meet_with_small_windows();
  (void)drain(&a);
  assert_int_equal(write_some(&b, plenty, 1000), 1000);
  rig_turn_for(&a, &b, A_WHILE_MS);
  assert_int_equal(b.count[THIRL_EVENT_WRITABLE], 0);
}

/* The ring grows when all in it is on its way, so the next call finds room before any event could say so. */
static void test_writable_is_not_told_to_who_has_written_on(void **state) {
  (void)state;
  rig_meet(server, &a, &b);
  size_t first = write_some(&b, plenty, 100000);
  assert_in_range(first, 1, 99999);
  for (size_t left = 100000 - first, n; left; left -= n) {
    n = write_some(&b, plenty, left);
    if (!n) rig_turn(&a, &b, 100);
  }
  unsigned told = b.count[THIRL_EVENT_WRITABLE];
  rig_turn_for(&a, &b, A_WHILE_MS);
  assert_int_equal(b.count[THIRL_EVENT_WRITABLE], told);
}

/* ---- bytes ---- */

/* Both at once on one thread, as much as goes in each turn. */
static void test_megabytes_both_ways(void **state) {
  (void)state;
  const uint64_t total = 5 * 1024 * 1024 + 3;
  uint64_t written[2] = {0}, got[2] = {0}, wrong = 0;
  bool ended[2] = {false};
  rig_loop *of[2] = {&a, &b};
  uint8_t buf[40000];
  size_t n;
  rig_meet(server, &a, &b);
  long long end = rig_now_ms() + 4 * RIG_PATIENCE_MS;
  while ((!a.count[THIRL_EVENT_FINISHED] || !b.count[THIRL_EVENT_FINISHED]) && rig_now_ms() < end) {
    rig_turn(&a, &b, 1000);
    for (unsigned i = 0; i < 2; i++) {
      thirl_error e = THIRL_OK;
      while (e == THIRL_OK && written[i] < total) {
        size_t want = total - written[i] < sizeof buf ? (size_t)(total - written[i]) : sizeof buf;
        for (size_t k = 0; k < want; k++)
          buf[k] = rig_pattern(i, written[i] + k);
        e = thirl_write(of[i]->context, of[i]->session, buf, want, &n);
        written[i] += n;
        if (written[i] == total) assert_int_equal(thirl_finish(of[i]->context, of[i]->session), THIRL_OK);
      }
      while ((e = thirl_read(of[i]->context, of[i]->session, buf, sizeof buf, &n)) == THIRL_OK) {
        for (size_t k = 0; k < n; k++)
          wrong += buf[k] != rig_pattern(1 - i, got[i] + k);
        got[i] += n;
      }
      ended[i] = ended[i] || e == THIRL_E_EOF;
    }
  }
  assert_int_equal(got[0], total);
  assert_int_equal(got[1], total);
  assert_int_equal(wrong, 0);
  assert_int_equal(a.count[THIRL_EVENT_FINISHED], 1);
  assert_int_equal(b.count[THIRL_EVENT_FINISHED], 1);
  assert_int_equal(a.last[THIRL_EVENT_FINISHED].direct_bytes, 0);
  assert_int_equal(a.last[THIRL_EVENT_FINISHED].relayed_bytes, 2 * total); /* not one was sent twice */
  assert_int_equal(b.last[THIRL_EVENT_FINISHED].relayed_bytes, 2 * total);
}

/* ---- ends ---- */

static void assert_dead(rig_loop *l) {
  size_t n;
  assert_int_equal(thirl_write(l->context, l->session, "x", 1, &n), THIRL_E_NOT_FOUND);
  assert_int_equal(n, 0);
  assert_int_equal(read_some(l, 1, &n), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_finish(l->context, l->session), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_attach(l->context, l->session, 0, 1), THIRL_E_NOT_FOUND);
  thirl_close(l->context, l->session);
}

static void test_finished(void **state) {
  (void)state;
  size_t n;
  rig_meet(server, &a, &b);
  assert_int_equal(thirl_finish(a.context, a.session), THIRL_OK);
  assert_int_equal(thirl_write(a.context, a.session, "x", 1, &n), THIRL_E_STATE);
  assert_int_equal(n, 0);
  assert_int_equal(thirl_finish(a.context, a.session), THIRL_OK); /* saying it twice says it once */
  rig_turn_for(&a, &b, A_WHILE_MS);
  assert_int_equal(a.count[THIRL_EVENT_FINISHED] + b.count[THIRL_EVENT_FINISHED], 0);
  assert_int_equal(thirl_finish(b.context, b.session), THIRL_OK);
  assert_true(rig_until(&a, &b, THIRL_EVENT_FINISHED, 1));
  assert_true(rig_until(&b, &a, THIRL_EVENT_FINISHED, 1));
  assert_dead(&a);
  assert_dead(&b);
  rig_turn_for(&a, &b, A_WHILE_MS);
  assert_int_equal(a.count[THIRL_EVENT_FAILED] + b.count[THIRL_EVENT_FAILED], 0);
}

/* What was not read yet holds the end back. */
static void test_not_finished_before_all_is_read(void **state) {
  (void)state;
  size_t n;
  rig_meet(server, &a, &b);
  write_some(&b, "unread", 6);
  assert_int_equal(thirl_finish(b.context, b.session), THIRL_OK);
  assert_int_equal(thirl_finish(a.context, a.session), THIRL_OK);
  rig_turn_for(&a, &b, 3 * A_WHILE_MS);
  assert_int_equal(a.count[THIRL_EVENT_FINISHED] + b.count[THIRL_EVENT_FINISHED], 0);
  assert_int_equal(read_some(&a, 100, &n), THIRL_OK);
  assert_true(rig_until(&a, &b, THIRL_EVENT_FINISHED, 1));
  assert_true(rig_until(&b, &a, THIRL_EVENT_FINISHED, 1));
}

static void test_close(void **state) {
  (void)state;
  rig_meet(server, &a, &b);
  thirl_close(a.context, a.session);
  assert_true(rig_until(&a, &b, THIRL_EVENT_FAILED, 1));
  assert_true(rig_until(&b, &a, THIRL_EVENT_FAILED, 1));
  assert_int_equal(a.last[THIRL_EVENT_FAILED].error, THIRL_E_PEER_CLOSED);
  assert_int_equal(b.last[THIRL_EVENT_FAILED].error, THIRL_E_PEER_CLOSED);
  assert_dead(&a);
  assert_dead(&b);
  rig_turn_for(&a, &b, A_WHILE_MS);
  assert_int_equal(a.count[THIRL_EVENT_FAILED], 1);
}

static void test_a_context_freed_in_the_middle_tells_the_peer(void **state) {
  (void)state;
  rig_meet(server, &a, &b);
  write_some(&a, "abc", 3);
  rig_loop_free(&a);
  assert_true(rig_until(&b, NULL, THIRL_EVENT_FAILED, 1));
  assert_int_equal(b.last[THIRL_EVENT_FAILED].error, THIRL_E_PEER_CLOSED);
}

static void test_dial_is_given_up(void **state) {
  (void)state;
  thirl_options o = rig_options(server);
  char ticket[THIRL_TICKET_MAX];
  a = rig_loop_new(&o);
  assert_int_equal(thirl_context_listen(a.context, ticket), THIRL_OK);
  rig_loop_free(&a); /* the ticket is good, its owner is gone */
  o.timeout_ms = 300;
  b = rig_loop_new(&o);
  long long begin = rig_now_ms();
  assert_int_equal(thirl_context_dial(b.context, ticket, &b.session), THIRL_OK);
  assert_true(rig_until(&b, NULL, THIRL_EVENT_FAILED, 1));
  assert_in_range(rig_now_ms() - begin, 290, 5000);
  assert_int_equal(b.last[THIRL_EVENT_FAILED].error, THIRL_E_NO_PEER);
  assert_int_equal(b.count[THIRL_EVENT_UP], 0);
}

/* ---- several ---- */

enum { MANY = 20 };

static void test_many_sessions_of_two_contexts(void **state) {
  (void)state;
  thirl_session_handle s[MANY];
  char ticket[THIRL_TICKET_MAX];
  thirl_options o = rig_options(server);
  o.max_incoming = MANY;
  a = rig_loop_new(&o);
  b = rig_loop_new(&o);
  assert_int_equal(thirl_context_listen(a.context, ticket), THIRL_OK);
  for (unsigned i = 0; i < MANY; i++) {
    assert_int_equal(thirl_context_dial(b.context, ticket, &s[i]), THIRL_OK);
    assert_int_not_equal(s[i], 0);
    if (i) assert_int_not_equal(s[i], s[i - 1]);
  }
  assert_true(rig_until(&b, &a, THIRL_EVENT_UP, MANY));
  assert_true(rig_until(&a, &b, THIRL_EVENT_UP, MANY));
  for (unsigned i = 0; i < MANY; i++)
    thirl_close(b.context, s[i]);
  assert_true(rig_until(&a, &b, THIRL_EVENT_FAILED, MANY));
  assert_int_equal(b.count[THIRL_EVENT_FAILED], MANY);
  assert_int_equal(a.count[THIRL_EVENT_INCOMING], MANY);
}

static void test_one_too_many(void **state) {
  (void)state;
  thirl_options o = rig_options(server);
  char ticket[THIRL_TICKET_MAX];
  o.max_incoming = 1;
  o.timeout_ms = 1200;
  a = rig_loop_new(&o);
  b = rig_loop_new(&o);
  assert_int_equal(thirl_context_listen(a.context, ticket), THIRL_OK);
  assert_true(rig_until(&a, NULL, THIRL_EVENT_REGISTERED, 1));
  rig_turn_for(&a, NULL, A_WHILE_MS); /* now the server knows the ticket too */
  assert_int_equal(thirl_context_dial(b.context, ticket, &b.session), THIRL_OK);
  assert_true(rig_until(&b, &a, THIRL_EVENT_UP, 1));
  rig_loop c = rig_loop_new(&o);
  assert_int_equal(thirl_context_dial(c.context, ticket, &c.session), THIRL_OK);
  while (!c.count[THIRL_EVENT_FAILED] && !c.count[THIRL_EVENT_UP]) {
    rig_turn(&c, &a, 20);
    rig_turn(NULL, &b, 0);
  }
  assert_int_equal(c.last[THIRL_EVENT_FAILED].error, THIRL_E_BUSY);
  assert_int_equal(a.count[THIRL_EVENT_INCOMING], 1);
  assert_int_equal(a.count[THIRL_EVENT_FAILED] + b.count[THIRL_EVENT_FAILED], 0);
  rig_loop_free(&c);
}

/* ---- the server ---- */

static void test_the_loss_of_the_server_is_told(void **state) {
  (void)state;
  thirl_options o = rig_options(server);
  char ticket[THIRL_TICKET_MAX], name[64];
  strcpy(name, rig_server(server));
  a = rig_loop_new(&o);
  assert_int_equal(thirl_context_listen(a.context, ticket), THIRL_OK);
  assert_true(rig_until(&a, NULL, THIRL_EVENT_REGISTERED, 1));
  rig_free(server);
  server = NULL;
  assert_true(rig_until(&a, NULL, THIRL_EVENT_UNREGISTERED, 1));
  assert_int_equal(a.last[THIRL_EVENT_UNREGISTERED].error, THIRL_E_NO_SERVER);
  assert_string_equal(a.last[THIRL_EVENT_UNREGISTERED].address, name);
  assert_non_null(strstr(thirl_context_explain(a.context), name));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_events_of_a_meeting),
      TEST(test_idle_contexts_sleep),
      TEST(test_bytes_written_before_it_is_up),
      TEST(test_readable_comes_once_for_each_time_that_nothing_was_left),
      TEST(test_readable_is_not_told_of_what_was_read),
      TEST(test_the_end_is_readable_once),
      TEST(test_reading_nothing),
      TEST(test_writable_comes_once_when_there_is_room_again),
      TEST(test_writable_is_not_told_to_who_does_not_wait),
      TEST(test_writable_is_not_told_to_who_has_written_on),
      TEST(test_megabytes_both_ways),
      TEST(test_finished),
      TEST(test_not_finished_before_all_is_read),
      TEST(test_close),
      TEST(test_a_context_freed_in_the_middle_tells_the_peer),
      TEST(test_dial_is_given_up),
      TEST(test_many_sessions_of_two_contexts),
      TEST(test_one_too_many),
      TEST(test_the_loss_of_the_server_is_told),
  };
  return cmocka_run_group_tests_name("api/context", tests, NULL, NULL);
}
