/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "support/server_rig.h"

enum { WINDOW = 262144 };

static void send_end(rig_client *c, uint16_t number, thirl_error reason) {
  thirl_meet_message m = rig_message_of(c, THIRL_STUN_INDICATION, THIRL_STUN_METHOD_THIRL_CHANNEL);
  m.has_channel = m.has_reason = true;
  m.channel = number;
  m.reason = reason;
  rig_send_message(c, &m);
}

static void expect_end(rig_client *c, uint16_t number, thirl_error reason) {
  const rig_message *m = rig_next(c);
  assert_non_null(m);
  assert_int_equal(m->m.cls, THIRL_STUN_INDICATION);
  assert_int_equal(m->m.method, THIRL_STUN_METHOD_THIRL_CHANNEL);
  assert_int_equal(m->m.channel, number);
  assert_true(m->m.has_reason && !m->m.has_credit);
  assert_int_equal(m->m.reason, reason);
}

static void expect_credit(rig_client *c, uint16_t number, uint32_t credit) {
  const rig_message *m = rig_next(c);
  assert_non_null(m);
  assert_int_equal(m->m.method, THIRL_STUN_METHOD_THIRL_CHANNEL);
  assert_int_equal(m->m.channel, number);
  assert_true(m->m.has_credit && !m->m.has_reason);
  assert_int_equal(m->m.credit, credit);
}

static void expect_data(rig_client *c, uint16_t number, uint64_t n) {
  rig_channel *ch = rig_channel_of(c, number);
  assert_int_equal(ch->n, n);
  assert_int_equal(ch->wrong, 0);
}

/* Two peers, one channel, and patterns expected on both ends: 1 from a, 2 from b. */
typedef struct pair {
  rig *r;
  rig_client *a, *b;
  uint16_t at_a, at_b;
} pair;

static pair joined(const thirl_server_limits *limits) {
  pair p = {.r = rig_new(3, limits)};
  p.a = rig_peer(p.r, 1);
  p.b = rig_peer(p.r, 2);
  rig_join(p.a, p.b, 2, 1, &p.at_a, &p.at_b);
  rig_channel_of(p.a, p.at_a)->pattern = 2;
  rig_channel_of(p.b, p.at_b)->pattern = 1;
  return p;
}

static void carries_bytes_both_ways(void **state) {
  (void)state;
  pair p = joined(NULL);
  const size_t sizes[] = {1, 2, 3, 4, 5, 1000, 4080, 4081, 16383, 16384, 40000};
  uint64_t sent = 0;
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    rig_send_data(p.a, p.at_a, 1, sent, sizes[i]);
    rig_send_data(p.b, p.at_b, 2, sent, sizes[i]);
    sent += sizes[i];
    expect_data(p.b, p.at_b, sent);
    expect_data(p.a, p.at_a, sent);
  }
  assert_int_equal(rig_stats(p.r)->relayed_bytes, 2 * sent);
  assert_int_equal(rig_stats(p.r)->relay_buffered, 0);
  assert_true(rig_channel_of(p.b, p.at_b)->largest <= 16384);
  rig_free(p.r);
}

static void a_slow_receiver_holds_up_its_own_channel_only(void **state) {
  (void)state;
  pair p = joined(NULL);
  rig_client *c = rig_peer(p.r, 3);
  uint16_t ac, ca;
  rig_join(p.a, c, 3, 2, &ac, &ca);
  rig_channel_of(c, ca)->pattern = 7;
  rig_stall(p.b, true);
  rig_send_data(p.a, p.at_a, 1, 0, WINDOW); /* all that was granted, to the byte */
  assert_int_equal(rig_stats(p.r)->relay_buffered, WINDOW);
  assert_null(rig_next(p.a));
  rig_wait(p.r, 10 * THIRL_S);
  assert_null(rig_next(p.a)); /* nothing comes back while nothing is read */

  rig_send_data(p.a, ac, 7, 0, WINDOW); /* a's other channel flows, and is granted again: in quarters */
  expect_data(c, ca, WINDOW);
  for (int i = 0; i < 4; i++)
    expect_credit(p.a, ac, WINDOW / 4);
  assert_int_equal(rig_stats(p.r)->relay_buffered, WINDOW);
  thirl_meet_message m = rig_message_of(p.a, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
  rig_send_message(p.a, &m); /* control messages pass */
  assert_int_equal(rig_next(p.a)->m.cls, THIRL_STUN_SUCCESS);
  m = rig_message_of(p.b, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
  rig_send_message(p.b, &m);
  assert_null(rig_next(p.b)); /* b does not read */

  /* b reads: first the answer that waits, ahead of all data */
  rig_pull(p.b, 200);
  assert_int_equal(rig_next(p.b)->m.cls, THIRL_STUN_SUCCESS);
  rig_stall(p.b, false);
  expect_data(p.b, p.at_b, WINDOW);
  expect_credit(p.a, p.at_a, WINDOW); /* b has read it all before a was told anything: one message */
  assert_null(rig_next(p.a));
  rig_free(p.r);
}

static void credit_comes_back_at_a_quarter_exactly(void **state) {
  (void)state;
  pair p = joined(NULL);
  rig_stall(p.b, true);
  rig_send_data(p.a, p.at_a, 1, 0, WINDOW);
  for (int i = 0; i < 4; i++) {
    assert_null(rig_next(p.a));
    assert_int_equal(rig_pull(p.b, 4 + 16384), 4 + 16384);
    assert_int_equal(thirl_server_deadline(p.r->server) <= p.r->now, i == 3); /* a has something to be told now */
    rig_settle(p.r);
  }
  expect_credit(p.a, p.at_a, WINDOW / 4);
  assert_int_equal(rig_stats(p.r)->relay_reserved, 2 * WINDOW);
  rig_free(p.r);
}

static void more_than_granted_ends_the_channel(void **state) {
  (void)state;
  pair p = joined(NULL);
  rig_stall(p.b, true);
  rig_send_data(p.a, p.at_a, 1, 0, WINDOW);
  rig_send_data(p.a, p.at_a, 1, WINDOW, 1);
  expect_end(p.a, p.at_a, THIRL_E_LIMIT);
  assert_int_equal(rig_stats(p.r)->limited, 1);
  assert_int_equal(rig_stats(p.r)->channels, 1); /* b is still to get what was right */
  rig_send_data(p.a, p.at_a, 1, WINDOW, 5000);   /* not a's any more */
  assert_int_equal(rig_stats(p.r)->relay_buffered, WINDOW);
  rig_stall(p.b, false);
  expect_data(p.b, p.at_b, WINDOW);
  expect_end(p.b, p.at_b, THIRL_E_LIMIT);
  assert_int_equal(rig_stats(p.r)->channels, 0);
  assert_int_equal(rig_stats(p.r)->relay_reserved, 0);
  assert_int_equal(p.a->fate, RIG_OPEN);
  rig_free(p.r);
}

static void pulls_of_any_size_get_on(void **state) {
  (void)state;
  const size_t caps[] = {1, 2, 3, 4, 5, 7, 8, 251, 256, 257, 1000, 1027, 1028, 1029, 4096, 16383, 16384, 16388, 16389};
  for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++) {
    pair p = joined(NULL);
    p.r->audit = false;
    p.b->cap = caps[i];
    rig_stall(p.b, true);
    rig_send_data(p.a, p.at_a, 1, 0, 40001);
    send_end(p.a, p.at_a, THIRL_E_PEER_CLOSED);
    rig_stall(p.b, false);
    expect_data(p.b, p.at_b, 40001);
    expect_end(p.b, p.at_b, THIRL_E_PEER_CLOSED);
    assert_true(thirl_server_is_consistent(p.r->server));
    rig_free(p.r);
  }
}

static void channels_take_turns(void **state) {
  (void)state;
  pair p = joined(NULL);
  uint16_t a2, b2;
  rig_join(p.a, p.b, 2, 2, &a2, &b2);
  rig_stall(p.b, true);
  rig_send_data(p.a, p.at_a, 1, 0, 100000);
  rig_send_data(p.a, a2, 1, 0, 20000);
  uint64_t want[][2] = {{16384, 0}, {16384, 16384}, {32768, 16384}, {32768, 20000}, {49152, 20000}, {65536, 20000}};
  for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
    rig_pull(p.b, i == 3 ? 4 + 3616 : 4 + 16384);
    assert_int_equal(rig_channel_of(p.b, p.at_b)->n, want[i][0]);
    assert_int_equal(rig_channel_of(p.b, b2)->n, want[i][1]);
  }
  rig_settle(p.r);
  rig_free(p.r);
}

static void the_end_comes_after_the_data(void **state) {
  (void)state;
  for (int lost = 0; lost < 3; lost++) {
    pair p = joined(NULL);
    rig_stall(p.a, true);
    rig_stall(p.b, true);
    rig_send_data(p.a, p.at_a, 1, 0, 50000);
    rig_send_data(p.b, p.at_b, 2, 0, 60000);
    if (lost == 0) send_end(p.a, p.at_a, THIRL_E_NO_PATH);
    if (lost == 1) rig_lost(p.a);
    if (lost == 2) rig_eof(p.a);
    assert_int_equal(rig_stats(p.r)->relay_buffered, 50000); /* what b sent to a is gone, what a sent is not */
    rig_send_data(p.b, p.at_b, 2, 60000, 10000);             /* b has not heard of it yet */
    assert_int_equal(rig_stats(p.r)->relay_buffered, 50000);
    assert_null(rig_next(p.b));
    rig_stall(p.b, false);
    expect_data(p.b, p.at_b, 50000);
    expect_end(p.b, p.at_b, lost ? THIRL_E_LOST : THIRL_E_NO_PATH);
    assert_null(rig_next(p.b));
    rig_stall(p.a, false);
    assert_null(rig_next(p.a));
    expect_data(p.a, p.at_a, 0);
    assert_int_equal(rig_stats(p.r)->channels, 0);
    assert_int_equal(rig_stats(p.r)->relay_reserved, 0);
    rig_free(p.r);
  }
}

static void both_ends_may_end_it_at_once(void **state) {
  (void)state;
  pair p = joined(NULL);
  rig_stall(p.b, true);
  rig_send_data(p.a, p.at_a, 1, 0, 50000);
  send_end(p.a, p.at_a, THIRL_E_PEER_CLOSED);
  send_end(p.b, p.at_b, THIRL_E_TIMEOUT); /* b wants no more: what waits for it is dropped */
  assert_int_equal(rig_stats(p.r)->channels, 0);
  assert_int_equal(rig_stats(p.r)->relay_buffered, 0);
  send_end(p.b, p.at_b, THIRL_E_TIMEOUT);
  rig_stall(p.b, false);
  assert_null(rig_next(p.a));
  assert_null(rig_next(p.b));
  expect_data(p.b, p.at_b, 0);
  rig_free(p.r);
}

static void signing_off_is_told_as_such(void **state) {
  (void)state;
  pair p = joined(NULL);
  thirl_meet_message m = rig_message_of(p.a, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
  m.has_lifetime = true;
  rig_send_message(p.a, &m);
  expect_end(p.b, p.at_b, THIRL_E_PEER_CLOSED);
  assert_int_equal(rig_stats(p.r)->registrations, 1);
  rig_free(p.r);
}

static void ignores_what_belongs_to_no_channel(void **state) {
  (void)state;
  pair p = joined(NULL);
  rig_send_data(p.a, 0x4fff, 1, 0, 100);
  rig_send(p.a, THIRL_BYTES("\x40\x00\x00\x00", 4)); /* nothing on the right one */
  send_end(p.a, 0x4001, THIRL_E_PEER_CLOSED);
  thirl_meet_message m = rig_message_of(p.a, THIRL_STUN_INDICATION, THIRL_STUN_METHOD_THIRL_CHANNEL);
  m.has_channel = m.has_credit = true; /* credit is the server's to give */
  m.channel = p.at_a;
  m.credit = 1 << 30;
  rig_send_message(p.a, &m);
  assert_null(rig_next(p.b));
  assert_int_equal(rig_stats(p.r)->channels, 1);
  assert_int_equal(rig_stats(p.r)->relay_reserved, 2 * WINDOW);
  assert_int_equal(p.b->channels_n, 1);
  expect_data(p.b, p.at_b, 0);
  rig_free(p.r);
}

static void writes_one_line_per_session_without_addresses(void **state) {
  (void)state;
  pair p = joined(NULL);
  char a[THIRL_PEERID_TEXT_MAX], b[THIRL_PEERID_TEXT_MAX], want[200];
  rig_send_data(p.a, p.at_a, 1, 0, 1234);
  rig_send_data(p.b, p.at_b, 2, 0, 77);
  rig_wait(p.r, 12345 * THIRL_MS);
  assert_int_equal(p.r->n_lines, 0);
  send_end(p.a, p.at_a, THIRL_E_PEER_CLOSED);
  snprintf(want, sizeof want,
           "session %.11s to %.11s: 12.345 s, 1234 bytes there, 77 back, the peer ended the session\n",
           thirl_peerid_format(&p.a->peer, a), thirl_peerid_format(&p.b->peer, b));
  assert_string_equal(p.r->lines, want);
  assert_int_equal(rig_stats(p.r)->sessions, 1);
  rig_free(p.r);
}

/* 1 MiB in all: while half of it is free each direction gets its 64 KiB, then its share of the other half, then nobody. */
static void memory_is_bounded(void **state) {
  (void)state;
  thirl_server_limits l = {
      .relay_memory = 1048576, .channel_buffer = 65536, .max_channels = 32, .max_channels_per_peer = 256};
  rig *r = rig_new(1, &l);
  rig_client *a = rig_peer(r, 1), *b = rig_peer(r, 2);
  uint16_t at_a[32], at_b[32];
  rig_stall(b, true);
  for (uint8_t i = 0; i < 32; i++) {
    rig_send_connect(a, &b->peer, 2, i);
    const rig_message *m = rig_next(a);
    assert_int_equal(m->m.cls, THIRL_STUN_SUCCESS);
    assert_int_equal(m->m.credit, i < 4 ? 65536 : 8192);
    at_a[i] = m->m.channel;
    assert_true(rig_stats(r)->relay_reserved <= l.relay_memory);
    rig_send_data(a, at_a[i], 100 + i, 0, m->m.credit);
  }
  assert_int_equal(rig_stats(r)->relay_reserved, 4 * 2 * 65536 + 28 * 2 * 8192);
  assert_int_equal(rig_stats(r)->relay_buffered, 4 * 65536 + 28 * 8192);
  /* b reads the offers and everything else; whoever was short may now have more, and nobody is left dry */
  rig_stall(b, false);
  for (uint8_t i = 0; i < 32; i++)
    at_b[i] = rig_next(b)->m.channel;
  assert_int_equal(rig_stats(r)->relay_buffered, 0);
  uint64_t granted[32] = {0};
  for (const rig_message *m; (m = rig_next(a)) != NULL;)
    granted[m->m.channel - 0x4000] += m->m.credit;
  for (uint8_t i = 0; i < 32; i++) {
    assert_true(granted[i] >= 8192 / 4);
    assert_int_equal(rig_channel_of(b, at_b[i])->n, i < 4 ? 65536 : 8192);
  }
  assert_true(rig_stats(r)->relay_reserved <= l.relay_memory);
  rig_free(r);
}

static void no_memory_left_refuses_channels(void **state) {
  (void)state;
  thirl_server_limits l = {
      .relay_memory = 65536, .channel_buffer = 65536, .max_channels = 4000, .max_channels_per_peer = 256};
  rig *r = rig_new(1, &l);
  rig_client *a = rig_peer(r, 1), *b = rig_peer(r, 2);
  uint64_t opened = 0;
  for (uint8_t i = 0; i < 60; i++) {
    rig_send_connect(a, &b->peer, 2, i);
    const rig_message *m = rig_next(a);
    if (m->m.cls == THIRL_STUN_SUCCESS) {
      opened++;
      continue;
    }
    assert_int_equal(m->m.error_code, 508);
  }
  assert_int_equal(opened, 16); /* 32768 at once for the first direction, 1024 for each other: 32768 + 31 * 1024 */
  assert_int_equal(rig_stats(r)->relay_reserved, 32768 + 31 * 1024);
  rig_free(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(carries_bytes_both_ways),
      cmocka_unit_test(a_slow_receiver_holds_up_its_own_channel_only),
      cmocka_unit_test(credit_comes_back_at_a_quarter_exactly),
      cmocka_unit_test(more_than_granted_ends_the_channel),
      cmocka_unit_test(pulls_of_any_size_get_on),
      cmocka_unit_test(channels_take_turns),
      cmocka_unit_test(the_end_comes_after_the_data),
      cmocka_unit_test(both_ends_may_end_it_at_once),
      cmocka_unit_test(signing_off_is_told_as_such),
      cmocka_unit_test(ignores_what_belongs_to_no_channel),
      cmocka_unit_test(writes_one_line_per_session_without_addresses),
      cmocka_unit_test(memory_is_bounded),
      cmocka_unit_test(no_memory_left_refuses_channels),
  };
  return cmocka_run_group_tests_name("server/relay", tests, NULL, NULL);
}
