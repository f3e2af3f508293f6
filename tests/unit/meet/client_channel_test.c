/* SPDX-License-Identifier: MIT */
/* The client's relay channels: data, credit, ends. */
#include "meet/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

enum { CHANNEL = 0x4001 };

static thirl_meet_client_stats stats(const rig *r) {
  return thirl_meet_client_stats_of(r->client);
}

static size_t credit(const rig *r) {
  return thirl_meet_client_channel_credit(r->client, CHANNEL);
}

static thirl_meet_message credit_message(uint16_t channel, uint32_t n) {
  thirl_meet_message m = rig_indication(THIRL_STUN_METHOD_THIRL_CHANNEL);
  m.has_channel = m.has_credit = true;
  m.channel = channel;
  m.credit = n;
  return m;
}

static thirl_meet_message end_message(uint16_t channel, uint32_t reason) {
  thirl_meet_message m = rig_indication(THIRL_STUN_METHOD_THIRL_CHANNEL);
  m.has_channel = m.has_reason = true;
  m.channel = channel;
  m.reason = reason;
  return m;
}

static void expect_data(rig *r, uint16_t channel, const char *text) {
  thirl_meet_event ev;
  rig_expect(r, THIRL_MEET_CHANNEL_DATA, &ev);
  assert_int_equal(ev.channel, channel);
  assert_true(thirl_bytes_equal(ev.payload, THIRL_BYTES(text, strlen(text))));
}

static void test_data(void **state) {
  rig *r = *state;
  rig_until_channel(r, CHANNEL);
  rig_say_data(r, CHANNEL, "a");
  rig_say_data(r, CHANNEL, ""); /* tells nothing */
  rig_say_data(r, CHANNEL, "bcd");
  rig_say_data(r, CHANNEL + 1, "to nobody");
  rig_say_data(r, CHANNEL, "efgh");
  expect_data(r, CHANNEL, "a");
  expect_data(r, CHANNEL, "bcd");
  expect_data(r, CHANNEL, "efgh");
  rig_expect_no_event(r);
  assert_int_equal(stats(r).stray_data, 1);
  assert_int_equal(rig_hear(r), 0);
}

static void test_largest_data(void **state) {
  rig *r = *state;
  static char text[THIRL_MEET_DATA_MAX + 2];
  memset(text, 'x', THIRL_MEET_DATA_MAX);
  for (size_t chunk = 0; chunk <= 1000; chunk += 1000) {
    r->chunk = chunk;
    thirl_meet_client_lost(r->client);
    rig_until_channel(r, CHANNEL);
    rig_say_data(r, CHANNEL, text);
    expect_data(r, CHANNEL, text);
    rig_expect_no_event(r);
  }
  text[THIRL_MEET_DATA_MAX] = 'x';
  rig_say_data(r, CHANNEL, text);
  rig_expect_failed(r, THIRL_E_PROTOCOL);
}

static void test_data_before_the_registration(void **state) {
  rig *r = *state;
  rig_until_signed(r);
  rig_say_data(r, CHANNEL, "early");
  rig_expect_no_event(r);
  assert_int_equal(stats(r).stray_data, 1);
}

static void test_credit(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  assert_int_equal(credit(r), 0);
  thirl_meet_client_channel_spend(r->client, CHANNEL, 5); /* not open: nothing to count */
  rig_until_channel(r, CHANNEL);
  assert_int_equal(credit(r), 1000);
  thirl_meet_client_channel_spend(r->client, CHANNEL, 999);
  assert_int_equal(credit(r), 1);
  thirl_meet_client_channel_spend(r->client, CHANNEL, 1);
  assert_int_equal(credit(r), 0);
  rig_say(r, credit_message(CHANNEL, 300));
  rig_say(r, credit_message(CHANNEL, 0));
  rig_say(r, credit_message(CHANNEL, 50));
  for (int i = 0; i < 3; i++) {
    rig_expect(r, THIRL_MEET_CHANNEL_ROOM, &ev);
    assert_int_equal(ev.channel, CHANNEL);
    assert_int_equal(credit(r), i == 2 ? 350 : 300);
  }
  rig_expect_no_event(r);
}

static void test_credit_has_an_end(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  rig_until_channel(r, CHANNEL);
  for (int i = 0; i < 3; i++) {
    rig_say(r, credit_message(CHANNEL, UINT32_MAX));
    rig_expect(r, THIRL_MEET_CHANNEL_ROOM, &ev);
    assert_int_equal(credit(r), THIRL_MEET_CREDIT_MAX);
  }
}

static void test_credit_of_two_channels(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  rig_until_channel(r, CHANNEL);
  rig_say(r, rig_offered(CHANNEL + 1));
  rig_expect(r, THIRL_MEET_OFFERED, &ev);
  thirl_meet_client_channel_spend(r->client, CHANNEL, 1000);
  assert_int_equal(thirl_meet_client_channel_credit(r->client, CHANNEL + 1), 1000);
  rig_say(r, credit_message(CHANNEL + 1, 1));
  rig_expect(r, THIRL_MEET_CHANNEL_ROOM, &ev);
  assert_int_equal(ev.channel, CHANNEL + 1);
  assert_int_equal(credit(r), 0);
}

static void test_ended_there(void **state) {
  rig *r = *state;
  static const struct {
    uint32_t reason;
    thirl_error e;
  } all[] = {{THIRL_E_PEER_CLOSED, THIRL_E_PEER_CLOSED},
             {THIRL_E_LIMIT, THIRL_E_LIMIT},
             {THIRL_ERROR_COUNT - 1, (thirl_error)(THIRL_ERROR_COUNT - 1)},
             {THIRL_OK, THIRL_E_PEER_CLOSED}, /* an end is never no error */
             {THIRL_ERROR_COUNT, THIRL_E_PEER_CLOSED},
             {UINT32_MAX, THIRL_E_PEER_CLOSED}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    thirl_meet_event ev;
    thirl_meet_client_lost(r->client);
    rig_until_channel(r, CHANNEL);
    rig_say(r, end_message(CHANNEL, all[i].reason));
    rig_say_data(r, CHANNEL, "late");
    rig_expect(r, THIRL_MEET_CHANNEL_ENDED, &ev);
    assert_int_equal(ev.channel, CHANNEL);
    assert_int_equal(ev.error, all[i].e);
    assert_int_equal(credit(r), 0);
    rig_expect_no_event(r);
    assert_int_equal(stats(r).stray_data, i + 1);
    assert_int_equal(rig_hear(r), 0); /* the server knows */
  }
}

static void test_ended_here(void **state) {
  rig *r = *state;
  rig_until_channel(r, CHANNEL);
  thirl_meet_client_end_channel(r->client, r->now, CHANNEL, THIRL_E_WRONG_KEY);
  assert_int_equal(credit(r), 0);
  /* what was on its way */
  rig_say_data(r, CHANNEL, "late");
  rig_say(r, credit_message(CHANNEL, 5));
  rig_say(r, end_message(CHANNEL, THIRL_E_PEER_CLOSED));
  rig_expect_no_event(r);
  assert_int_equal(stats(r).stray_data, 1);
  assert_int_equal(stats(r).stray, 2);
  thirl_meet_client_end_channel(r->client, r->now, CHANNEL, THIRL_E_WRONG_KEY);
  assert_int_equal(rig_hear(r), 1); /* one word about it */
  const thirl_meet_message *m = &r->heard[0].m;
  assert_int_equal(m->cls, THIRL_STUN_INDICATION);
  assert_int_equal(m->method, THIRL_STUN_METHOD_THIRL_CHANNEL);
  assert_int_equal(m->channel, CHANNEL);
  assert_int_equal(m->reason, THIRL_E_WRONG_KEY);
}

static void test_number_comes_again(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  rig_until_channel(r, CHANNEL);
  thirl_meet_client_channel_spend(r->client, CHANNEL, 900);
  rig_say(r, end_message(CHANNEL, THIRL_E_PEER_CLOSED));
  rig_say(r, rig_offered(CHANNEL));
  rig_expect(r, THIRL_MEET_CHANNEL_ENDED, &ev);
  rig_expect(r, THIRL_MEET_OFFERED, &ev);
  assert_int_equal(credit(r), 1000);
}

static void test_words_that_make_no_sense(void **state) {
  rig *r = *state;
  rig_until_channel(r, CHANNEL);
  thirl_meet_message m = credit_message(CHANNEL, 5);
  m.has_credit = false; /* neither credit nor reason */
  rig_say(r, m);
  m = credit_message(CHANNEL, 5);
  m.has_channel = false;
  rig_say(r, m);
  m = credit_message(CHANNEL, 5);
  rig_say_plain(r, &m);
  rig_expect_no_event(r);
  assert_int_equal(stats(r).malformed, 2);
  assert_int_equal(stats(r).unauthenticated, 1);
  assert_int_equal(credit(r), 1000);
}

static void test_lost_ends_all(void **state) {
  rig *r = *state;
  rig_until_channel(r, CHANNEL);
  thirl_meet_client_lost(r->client);
  assert_int_equal(credit(r), 0);
  thirl_meet_client_end_channel(r->client, r->now, CHANNEL, THIRL_E_LOST);
  assert_false(thirl_meet_client_has_output(r->client));
  rig_until_registered(r);
  rig_say_data(r, CHANNEL, "of the last connection");
  rig_expect_no_event(r);
  assert_int_equal(stats(r).stray_data, 1);
}

/* Pulling in pieces of any size gives the same bytes. */
static void test_pull_in_pieces(void **state) {
  rig *r = *state;
  uint8_t all[4096], one;
  size_t n = 0;
  rig_until_channel(r, CHANNEL);
  assert_int_equal(rig_dial(r, 1), THIRL_OK);
  thirl_meet_client_end_channel(r->client, r->now, CHANNEL, THIRL_E_LOST);
  assert_int_equal(thirl_meet_client_pull(r->client, all, 0), 0);
  while (thirl_meet_client_pull(r->client, &one, 1) == 1) {
    assert_true(n < sizeof all);
    all[n++] = one;
    thirl_stun_msg in;
    if (n > 20 && thirl_stun_msg_decode(THIRL_BYTES(all, n), &in) == THIRL_OK) n = 0;
  }
  assert_int_equal(n, 0);
  assert_false(thirl_meet_client_has_output(r->client));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_data),
      TEST(test_largest_data),
      TEST(test_data_before_the_registration),
      TEST(test_credit),
      TEST(test_credit_has_an_end),
      TEST(test_credit_of_two_channels),
      TEST(test_ended_there),
      TEST(test_ended_here),
      TEST(test_number_comes_again),
      TEST(test_words_that_make_no_sense),
      TEST(test_lost_ends_all),
      TEST(test_pull_in_pieces),
  };
  return cmocka_run_group_tests_name("meet/client_channel", tests, NULL, NULL);
}
