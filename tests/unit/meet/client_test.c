/* SPDX-License-Identifier: MIT */
/* The client registers, refreshes, and notices when it must not go on. */
#include "meet/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes_of.h"
#include "rig.h"
#include "stun/integrity.h"

static thirl_meet_client_stats stats(const rig *r) {
  return thirl_meet_client_stats_of(r->client);
}

/* ---- the good case ---- */

static void test_registers_in_two_requests(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  assert_int_equal(thirl_meet_client_state_of(r->client), THIRL_MEET_CLIENT_IDLE);
  assert_true(thirl_meet_client_deadline(r->client) == THIRL_NEVER);
  assert_int_equal(thirl_meet_client_connected(r->client, r->now), THIRL_OK);
  assert_int_equal(thirl_meet_client_state_of(r->client), THIRL_MEET_CLIENT_EXPECT_CHALLENGE);
  assert_true(thirl_meet_client_deadline(r->client) == r->now + RIG_TIMEOUT);

  assert_int_equal(rig_hear(r), 1);
  const thirl_meet_message *m = &r->heard[0].m;
  assert_int_equal(m->cls, THIRL_STUN_REQUEST);
  assert_int_equal(m->method, THIRL_STUN_METHOD_THIRL_REGISTER);
  assert_true(m->has_peer && thirl_peerid_equal(&m->peer, &r->id));
  assert_int_equal(r->heard[0].n, 20 + 24 + 8); /* nothing else */

  rig_say(r, rig_challenge(r, &r->heard[0], 401));
  r->now += 70 * THIRL_MS;
  rig_expect_no_event(r);
  assert_int_equal(thirl_meet_client_state_of(r->client), THIRL_MEET_CLIENT_EXPECT_REGISTERED);
  assert_true(thirl_meet_client_deadline(r->client) == r->now + RIG_TIMEOUT);
  assert_int_equal(rig_hear(r), 1);
  m = &r->heard[0].m;
  assert_int_equal(m->method, THIRL_STUN_METHOD_THIRL_REGISTER);
  assert_true(m->has_public && m->has_ephemeral && m->signature.n && m->nonce.n && m->has_counter && m->has_rtt);
  assert_int_equal(m->rtt_us, 70000);
  assert_false(m->has_offer || m->has_checks || m->has_peer);

  rig_say(r, rig_registered(&r->heard[0]));
  r->now += 90 * THIRL_MS;
  rig_expect(r, THIRL_MEET_REGISTERED, &ev);
  thirl_addr mapped = thirl_addr_v4(203, 0, 113, 5, 6000);
  assert_true(thirl_addr_equal(&ev.mapped, &mapped));
  assert_true(ev.rtt == 70 * THIRL_MS); /* the smaller one */
  assert_true(thirl_meet_client_rtt(r->client) == 70 * THIRL_MS);
  assert_int_equal(thirl_meet_client_state_of(r->client), THIRL_MEET_CLIENT_REGISTERED);
  assert_true(thirl_meet_client_deadline(r->client) == r->now + RIG_REFRESH);
  rig_expect_no_event(r);
  assert_int_equal(rig_hear(r), 0);
  assert_int_equal(stats(r).sent, 2);
  assert_int_equal(stats(r).received, 2);
  assert_int_equal(stats(r).malformed + stats(r).stray + stats(r).unauthenticated, 0);
}

static void test_registers_byte_by_byte(void **state) {
  rig *r = *state;
  r->chunk = 1;
  rig_until_registered(r);
  assert_int_equal(stats(r).sent, 2);
}

static void test_new_refuses(void **state) {
  rig *r = *state;
  thirl_meet_client *c;
  thirl_meet_client_config cfg = {.key = r->client_key, .id = r->id, .secrets = &r->secrets};
  cfg.id.b[3] ^= 1;
  assert_int_equal(thirl_meet_client_new(&cfg, &c), THIRL_E_INVALID);
  cfg = (thirl_meet_client_config){.id = r->id, .secrets = &r->secrets};
  assert_int_equal(thirl_meet_client_new(&cfg, &c), THIRL_E_INVALID);
  cfg = (thirl_meet_client_config){.key = r->client_key, .id = r->id};
  assert_int_equal(thirl_meet_client_new(&cfg, &c), THIRL_E_INVALID);
  assert_null(c);
  thirl_meet_client_free(NULL);
}

/* ---- stale nonces ---- */

static void test_stale_nonce_once(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  rig_until_signed(r);
  uint8_t ephemeral[THIRL_P256_PUBLIC_LEN], tid[THIRL_STUN_TID_LEN];
  memcpy(ephemeral, r->heard[0].m.ephemeral, sizeof ephemeral);
  memcpy(tid, r->heard[0].m.tid, sizeof tid);

  bytes_ramp(r->nonce, sizeof r->nonce, 0x99);
  thirl_meet_message stale = rig_challenge(r, &r->heard[0], 438);
  stale.has_ephemeral = false; /* the key is what it was */
  rig_say_plain(r, &stale);
  rig_expect_no_event(r);
  assert_int_equal(rig_hear(r), 1); /* counter 1 again, new keys, new nonce: the rig has checked that */
  assert_memory_not_equal(r->heard[0].m.ephemeral, ephemeral, sizeof ephemeral);
  assert_memory_not_equal(r->heard[0].m.tid, tid, sizeof tid);
  assert_int_equal(thirl_meet_client_state_of(r->client), THIRL_MEET_CLIENT_EXPECT_REGISTERED);
  rig_say(r, rig_registered(&r->heard[0]));
  rig_expect(r, THIRL_MEET_REGISTERED, &ev);
  assert_int_equal(stats(r).sent, 3);
}

static void test_stale_nonce_with_another_server_key(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  uint8_t scalar[THIRL_P256_PRIVATE_LEN];
  rig_until_signed(r);
  thirl_p256_free(r->server_key);
  bytes_ramp(scalar, sizeof scalar, 0x66);
  assert_int_equal(thirl_p256_from_private(scalar, &r->server_key), THIRL_OK);
  thirl_p256_get_public(r->server_key, r->server_point);
  thirl_meet_message stale = rig_challenge(r, &r->heard[0], 438);
  rig_say_plain(r, &stale);
  rig_expect_no_event(r);
  assert_int_equal(rig_hear(r), 1);
  rig_say(r, rig_registered(&r->heard[0]));
  rig_expect(r, THIRL_MEET_REGISTERED, &ev);
}

static void test_stale_nonce_twice(void **state) {
  rig *r = *state;
  rig_until_signed(r);
  for (int i = 0; i < 2; i++) {
    thirl_meet_message stale = rig_challenge(r, &r->heard[0], 438);
    rig_say_plain(r, &stale);
    if (i == 1) break;
    rig_expect_no_event(r);
    assert_int_equal(rig_hear(r), 1);
  }
  rig_expect_failed(r, THIRL_E_SERVER);
  assert_int_equal(stats(r).sent, 3);
}

/* A connection later, one is forgiven again. */
static void test_forgiveness_comes_back(void **state) {
  rig *r = *state;
  test_stale_nonce_twice(state);
  thirl_meet_client_lost(r->client);
  rig_until_signed(r);
  thirl_meet_message stale = rig_challenge(r, &r->heard[0], 438);
  rig_say_plain(r, &stale);
  rig_expect_no_event(r);
  assert_int_equal(rig_hear(r), 1);
}

static void test_stale_nonce_without_a_nonce(void **state) {
  rig *r = *state;
  rig_until_signed(r);
  thirl_meet_message stale = rig_error(&r->heard[0], 438);
  rig_say_plain(r, &stale);
  rig_expect_failed(r, THIRL_E_PROTOCOL);
}

/* ---- challenges that are none ---- */

/* A new connection whose first REGISTER waits for its answer. */
static void begin(rig *r) {
  thirl_meet_client_lost(r->client);
  r->has_keys = false;
  assert_int_equal(thirl_meet_client_connected(r->client, r->now), THIRL_OK);
  assert_int_equal(rig_hear(r), 1);
}

static void test_refused_at_once(void **state) {
  rig *r = *state;
  const unsigned codes[] = {300, 400, 403, 420, 429, 438, 500, 699};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    begin(r);
    rig_say(r, rig_challenge(r, &r->heard[0], codes[i]));
    rig_expect_failed(r, THIRL_E_SERVER);
  }
}

static void test_challenge_that_makes_no_sense(void **state) {
  rig *r = *state;
  begin(r);
  thirl_meet_message m = rig_challenge(r, &r->heard[0], 401);
  m.nonce.n = 0;
  rig_say(r, m);
  rig_expect_failed(r, THIRL_E_PROTOCOL);

  begin(r);
  m = rig_challenge(r, &r->heard[0], 401);
  m.has_ephemeral = false;
  rig_say(r, m);
  rig_expect_failed(r, THIRL_E_PROTOCOL);

  begin(r);
  m = rig_challenge(r, &r->heard[0], 401);
  m.ephemeral[64] ^= 1; /* not on the curve */
  rig_say(r, m);
  rig_expect_failed(r, THIRL_E_PROTOCOL);

  begin(r);
  m = rig_registered(&r->heard[0]); /* a success, and nobody has proven anything */
  rig_say(r, m);
  rig_expect_failed(r, THIRL_E_PROTOCOL);

  begin(r);
  m = rig_challenge(r, &r->heard[0], 401);
  m.method = THIRL_STUN_METHOD_THIRL_UPDATE;
  rig_say(r, m);
  rig_expect_failed(r, THIRL_E_PROTOCOL);
}

/* What a server said on the last connection does not help this one. */
static void test_server_key_is_asked_again(void **state) {
  rig *r = *state;
  rig_until_registered(r);
  begin(r);
  thirl_meet_message m = rig_challenge(r, &r->heard[0], 401);
  m.has_ephemeral = false;
  rig_say(r, m);
  rig_expect_failed(r, THIRL_E_PROTOCOL);
}

/* ---- answers to the signed REGISTER ---- */

static void test_registration_refused(void **state) {
  rig *r = *state;
  const unsigned codes[] = {300, 400, 401, 403, 486, 500, 508, 699};
  for (size_t i = 0; i < 2 * sizeof codes / sizeof *codes; i++) {
    thirl_meet_client_lost(r->client);
    rig_until_signed(r);
    thirl_meet_message m = rig_error(&r->heard[0], codes[i / 2]);
    if (i % 2)
      rig_say(r, m);
    else
      rig_say_plain(r, &m); /* counts without a MAC */
    rig_expect_failed(r, THIRL_E_SERVER);
  }
}

static void test_success_with_a_wrong_mac(void **state) {
  rig *r = *state;
  rig_until_signed(r);
  rig_say_with(r, rig_registered(&r->heard[0]), 1, r->keys.to_server); /* the other direction's */
  rig_expect_failed(r, THIRL_E_INTEGRITY);

  rig_until_signed(r);
  thirl_meet_message m = rig_registered(&r->heard[0]);
  rig_say_plain(r, &m);
  rig_expect_failed(r, THIRL_E_INTEGRITY);
}

static void test_success_without_a_counter(void **state) {
  rig *r = *state;
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX];
  size_t n;
  rig_until_signed(r);
  thirl_meet_message m = rig_registered(&r->heard[0]);
  assert_int_equal(thirl_meet_message_encode(&m, r->keys.to_client, bytes, sizeof bytes, &n), THIRL_OK);
  rig_say_bytes(r, bytes, n);
  rig_expect_failed(r, THIRL_E_REPLAY);

  rig_until_signed(r);
  rig_say_with(r, rig_registered(&r->heard[0]), 0, r->keys.to_client);
  rig_expect_failed(r, THIRL_E_REPLAY);
}

static void test_success_that_makes_no_sense(void **state) {
  rig *r = *state;
  for (int i = 0; i < 3; i++) {
    rig_until_signed(r);
    thirl_meet_message m = rig_registered(&r->heard[0]);
    if (i == 0) m.has_mapped = false;
    if (i == 1) m.has_lifetime = false;
    if (i == 2) m.lifetime_s = 0;
    rig_say(r, m);
    rig_expect_failed(r, THIRL_E_PROTOCOL);
  }
}

/* ---- duplicates, strangers, noise ---- */

static void test_duplicated_answers(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  begin(r);
  thirl_meet_message challenge = rig_challenge(r, &r->heard[0], 401);
  rig_say(r, challenge);
  rig_say(r, challenge);
  rig_expect_no_event(r);
  assert_int_equal(rig_hear(r), 1);
  assert_int_equal(stats(r).stray, 1);

  thirl_meet_message registered = rig_registered(&r->heard[0]);
  rig_say(r, registered);
  rig_say_with(r, registered, 1, r->keys.to_client);
  rig_say_plain(r, &challenge); /* a late one, too */
  rig_expect(r, THIRL_MEET_REGISTERED, &ev);
  rig_expect_no_event(r);
  assert_int_equal(rig_hear(r), 0);
  assert_int_equal(stats(r).stray, 3);
  assert_int_equal(thirl_meet_client_state_of(r->client), THIRL_MEET_CLIENT_REGISTERED);
}

static void test_noise_is_counted(void **state) {
  rig *r = *state;
  uint8_t bad[24] = {0x01, 0x11, 0, 4, 0x21, 0x12, 0xa4, 0x42, [20] = 0x80, 0x22, 0, 9}; /* an attribute too long */
  thirl_meet_message m = rig_indication(THIRL_STUN_METHOD_BINDING);
  rig_until_registered(r);
  rig_say_bytes(r, bad, sizeof bad);
  rig_expect_no_event(r);
  assert_int_equal(stats(r).malformed, 1);
  rig_say(r, m); /* authentic, but nothing that we know */
  rig_expect_no_event(r);
  assert_int_equal(stats(r).stray, 1);
  m.cls = THIRL_STUN_REQUEST;
  rig_say(r, m);
  rig_expect_no_event(r);
  assert_int_equal(stats(r).stray, 2);
  assert_int_equal(rig_hear(r), 0);
}

static void test_a_stream_that_is_none(void **state) {
  rig *r = *state;
  for (size_t chunk = 0; chunk < 2; chunk++) {
    r->chunk = chunk;
    rig_until_registered(r);
    rig_say_bytes(r, "SSH-2.0-OpenSSH_9.2\r\n", 21);
    rig_expect_failed(r, THIRL_E_PROTOCOL);
    rig_say(r, rig_indication(THIRL_STUN_METHOD_THIRL_DRAIN)); /* nobody listens any more */
    rig_expect_no_event(r);
  }
}

/* ---- time ---- */

static void expect_timeout(rig *r, thirl_time at) {
  assert_true(thirl_meet_client_deadline(r->client) == at);
  r->now = at - 1;
  thirl_meet_client_tick(r->client, r->now);
  rig_expect_no_event(r);
  r->now = at;
  thirl_meet_client_tick(r->client, r->now);
  assert_true(thirl_meet_client_deadline(r->client) == r->now); /* an event waits */
  rig_expect_failed(r, THIRL_E_TIMEOUT);
}

static void test_timeouts(void **state) {
  rig *r = *state;
  begin(r);
  expect_timeout(r, r->now + RIG_TIMEOUT);
  rig_until_signed(r);
  expect_timeout(r, r->now + RIG_TIMEOUT);
  rig_until_registered(r);
  r->now += RIG_REFRESH;
  thirl_meet_client_tick(r->client, r->now);
  assert_int_equal(rig_hear(r), 1);
  expect_timeout(r, r->now + RIG_TIMEOUT);
}

static void test_own_timeout_and_refresh(void **state) {
  rig *r = *state;
  thirl_meet_client_config cfg = {.key = r->client_key,
                                  .id = r->id,
                                  .secrets = &r->secrets,
                                  .request_timeout = 3 * THIRL_S,
                                  .refresh = 7 * THIRL_S};
  thirl_meet_client_free(r->client);
  assert_int_equal(thirl_meet_client_new(&cfg, &r->client), THIRL_OK);
  rig_until_registered(r);
  assert_true(thirl_meet_client_deadline(r->client) == r->now + 7 * THIRL_S);
  r->now += 7 * THIRL_S;
  thirl_meet_client_tick(r->client, r->now);
  expect_timeout(r, r->now + 3 * THIRL_S);
}

static void test_refreshes(void **state) {
  rig *r = *state;
  rig_until_registered(r);
  for (unsigned i = 0; i < 3; i++) {
    thirl_time at = r->now + RIG_REFRESH;
    assert_true(thirl_meet_client_deadline(r->client) == at);
    r->now = at - 1;
    thirl_meet_client_tick(r->client, r->now);
    assert_int_equal(rig_hear(r), 0);
    r->now = at;
    thirl_meet_client_tick(r->client, r->now);
    thirl_meet_client_tick(r->client, r->now);
    assert_int_equal(rig_hear(r), 1);
    const thirl_meet_message *m = &r->heard[0].m;
    assert_int_equal(m->method, THIRL_STUN_METHOD_THIRL_UPDATE);
    assert_true(m->has_rtt && !m->has_offer && !m->has_checks);
    assert_int_equal(m->rtt_us, i == 0 ? 100000 : 60000);
    assert_int_equal(r->heard[0].n, 20 + 8 + 12 + 36 + 8);
    rig_say(r, rig_answer(&r->heard[0], THIRL_STUN_SUCCESS));
    r->now += (60 + i) * THIRL_MS; /* only the smallest counts */
    rig_expect_no_event(r);
    r->now = at;
  }
  assert_int_equal(stats(r).sent, 5);
}

/* A caller with a stale clock changes nothing. */
static void test_time_does_not_run_back(void **state) {
  rig *r = *state;
  rig_until_registered(r);
  thirl_time deadline = thirl_meet_client_deadline(r->client);
  thirl_meet_client_tick(r->client, 5);
  r->now = 7;
  rig_expect_no_event(r);
  assert_true(thirl_meet_client_deadline(r->client) == deadline);
  assert_int_equal(rig_hear(r), 0);
}

static void test_refresh_follows_the_lifetime(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  rig_until_signed(r);
  thirl_meet_message m = rig_registered(&r->heard[0]);
  m.lifetime_s = 11;
  rig_say(r, m);
  rig_expect(r, THIRL_MEET_REGISTERED, &ev);
  assert_true(thirl_meet_client_deadline(r->client) == r->now + 5500 * THIRL_MS);
  r->now += 5500 * THIRL_MS;
  thirl_meet_client_tick(r->client, r->now);
  assert_int_equal(rig_hear(r), 1);
  m = rig_answer(&r->heard[0], THIRL_STUN_SUCCESS);
  m.has_lifetime = true;
  m.lifetime_s = 20; /* from the next refresh on */
  rig_say(r, m);
  rig_expect_no_event(r);
  r->now += 5500 * THIRL_MS;
  thirl_meet_client_tick(r->client, r->now);
  assert_int_equal(rig_hear(r), 1);
  rig_say(r, rig_answer(&r->heard[0], THIRL_STUN_SUCCESS));
  rig_expect_no_event(r);
  assert_true(thirl_meet_client_deadline(r->client) == r->now + 10 * THIRL_S);
}

/* ---- UPDATE ---- */

static void test_update_answers_that_end_it(void **state) {
  rig *r = *state;
  const thirl_error expected[] = {THIRL_E_SERVER,    THIRL_E_SERVER, THIRL_E_INTEGRITY,
                                  THIRL_E_INTEGRITY, THIRL_E_REPLAY, THIRL_E_PROTOCOL};
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    thirl_meet_client_lost(r->client);
    rig_until_registered(r);
    r->now += RIG_REFRESH;
    thirl_meet_client_tick(r->client, r->now);
    assert_int_equal(rig_hear(r), 1);
    thirl_meet_message ok = rig_answer(&r->heard[0], THIRL_STUN_SUCCESS), no = rig_error(&r->heard[0], 401);
    if (i == 0) rig_say(r, no);
    if (i == 1) rig_say(r, rig_error(&r->heard[0], 300));
    if (i == 2) rig_say_plain(r, &ok);
    if (i == 3) rig_say_plain(r, &no);
    if (i == 4) rig_say_with(r, ok, 1, r->keys.to_client);
    ok.method = THIRL_STUN_METHOD_THIRL_CONNECT;
    if (i == 5) rig_say(r, ok);
    rig_expect_failed(r, expected[i]);
  }
}

static uint8_t checks[THIRL_MEET_CHECKS_MAX + 1][THIRL_MEET_CHECK_LEN];

static thirl_error stand(rig *r, const thirl_meet_offer *offer, size_t n_checks) {
  bytes_ramp(checks, sizeof checks, 3);
  return thirl_meet_client_set_standing(r->client, r->now, offer, (const uint8_t(*)[THIRL_MEET_CHECK_LEN])checks,
                                        n_checks);
}

static void expect_standing(const thirl_meet_message *m, bool has_offer, size_t n_checks) {
  uint8_t bytes[THIRL_MEET_OFFER_MAX];
  size_t n;
  assert_int_equal(thirl_meet_offer_encode(rig_offer(), bytes, sizeof bytes, &n), THIRL_OK);
  assert_true(m->has_offer && m->has_checks);
  assert_true(thirl_bytes_equal(m->offer, THIRL_BYTES(bytes, has_offer ? n : 0)));
  assert_int_equal(m->n_checks, n_checks);
  assert_memory_equal(m->checks, checks, n_checks * THIRL_MEET_CHECK_LEN);
}

static void test_standing_goes_with_register(void **state) {
  rig *r = *state;
  assert_int_equal(stand(r, rig_offer(), 2), THIRL_OK);
  rig_until_registered(r);
  expect_standing(&r->heard[0].m, true, 2);
  assert_int_equal(rig_hear(r), 0);
  /* and with the next connection's, unasked */
  thirl_meet_client_lost(r->client);
  rig_until_registered(r);
  expect_standing(&r->heard[0].m, true, 2);
  assert_int_equal(rig_hear(r), 0);
}

static void test_half_a_standing_goes_with_register(void **state) {
  rig *r = *state;
  assert_int_equal(stand(r, NULL, 1), THIRL_OK);
  rig_until_signed(r);
  expect_standing(&r->heard[0].m, false, 1);
  thirl_meet_client_lost(r->client);
  assert_int_equal(stand(r, rig_offer(), 0), THIRL_OK);
  rig_until_signed(r);
  expect_standing(&r->heard[0].m, true, 0);
}

static void test_standing_is_told_at_once(void **state) {
  rig *r = *state;
  rig_until_registered(r);
  r->now += THIRL_S;
  assert_int_equal(stand(r, rig_offer(), THIRL_MEET_CHECKS_MAX), THIRL_OK);
  assert_int_equal(rig_hear(r), 1);
  assert_int_equal(r->heard[0].m.method, THIRL_STUN_METHOD_THIRL_UPDATE);
  expect_standing(&r->heard[0].m, true, THIRL_MEET_CHECKS_MAX);
  rig_say(r, rig_answer(&r->heard[0], THIRL_STUN_SUCCESS));
  rig_expect_no_event(r);
  assert_true(thirl_meet_client_deadline(r->client) == r->now + RIG_REFRESH); /* it was a refresh */
  /* taken back */
  assert_int_equal(stand(r, NULL, 0), THIRL_OK);
  assert_int_equal(rig_hear(r), 1);
  expect_standing(&r->heard[0].m, false, 0);
}

static void test_standing_set_while_registering(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  rig_until_signed(r);
  assert_int_equal(stand(r, rig_offer(), 1), THIRL_OK);
  assert_int_equal(rig_hear(r), 0);
  rig_say(r, rig_registered(&r->heard[0]));
  /* rig_hear has replaced what was heard, but for its first place */
  rig_expect(r, THIRL_MEET_REGISTERED, &ev);
  assert_int_equal(rig_hear(r), 1);
  expect_standing(&r->heard[0].m, true, 1);
}

/* Many changes in one round trip: a few go out, then the last one. */
static void test_standing_changed_often(void **state) {
  rig *r = *state;
  rig_until_registered(r);
  for (size_t i = 0; i < 8; i++)
    assert_int_equal(stand(r, rig_offer(), i + 1), THIRL_OK);
  assert_int_equal(rig_hear(r), THIRL_MEET_UPDATES_MAX);
  for (size_t i = 0; i < THIRL_MEET_UPDATES_MAX; i++)
    expect_standing(&r->heard[i].m, true, i + 1);
  for (size_t i = 0; i < THIRL_MEET_UPDATES_MAX; i++)
    rig_say(r, rig_answer(&r->heard[i], THIRL_STUN_SUCCESS));
  rig_expect_no_event(r);
  assert_int_equal(rig_hear(r), 1);
  expect_standing(&r->heard[0].m, true, 8);
}

static void test_standing_refuses(void **state) {
  rig *r = *state;
  thirl_meet_offer bad = *rig_offer();
  bad.pwd[0] = '\0';
  assert_int_equal(stand(r, rig_offer(), 2), THIRL_OK);
  assert_int_equal(stand(r, rig_offer(), THIRL_MEET_CHECKS_MAX + 1), THIRL_E_RANGE);
  assert_int_equal(stand(r, &bad, 1), THIRL_E_RANGE);
  rig_until_signed(r);
  expect_standing(&r->heard[0].m, true, 2); /* as it was */
}

/* ---- the end of a connection ---- */

static void test_lost_at_any_time(void **state) {
  rig *r = *state;
  for (int i = 0; i < 5; i++) {
    if (i == 1) begin(r);
    if (i == 2) rig_until_signed(r);
    if (i == 3) rig_until_registered(r);
    if (i == 4) {
      begin(r);
      rig_say(r, rig_error(&r->heard[0], 500));
      rig_expect_failed(r, THIRL_E_SERVER);
    }
    rig_say_bytes(r, "\0", 1); /* half a message */
    rig_expect_no_event(r);
    thirl_meet_client_lost(r->client);
    assert_int_equal(thirl_meet_client_state_of(r->client), THIRL_MEET_CLIENT_IDLE);
    assert_true(thirl_meet_client_deadline(r->client) == THIRL_NEVER);
    assert_true(thirl_meet_client_rtt(r->client) == 0);
    assert_false(thirl_meet_client_has_output(r->client));
    thirl_meet_client_tick(r->client, r->now);
    rig_expect_no_event(r);
  }
  rig_until_registered(r);
}

static void test_lost_swallows_a_waiting_failure(void **state) {
  rig *r = *state;
  begin(r);
  r->now += RIG_TIMEOUT;
  thirl_meet_client_tick(r->client, r->now);
  thirl_meet_client_lost(r->client);
  rig_expect_no_event(r);
}

static void test_connected_twice(void **state) {
  rig *r = *state;
  begin(r);
  assert_int_equal(thirl_meet_client_connected(r->client, r->now), THIRL_E_STATE);
  rig_say(r, rig_error(&r->heard[0], 500));
  rig_expect_failed(r, THIRL_E_SERVER);
  assert_int_equal(thirl_meet_client_connected(r->client, r->now), THIRL_OK); /* lost() is implied */
}

static void test_drain(void **state) {
  rig *r = *state;
  thirl_meet_event ev;
  rig_until_registered(r);
  rig_say(r, rig_indication(THIRL_STUN_METHOD_THIRL_DRAIN));
  rig_expect(r, THIRL_MEET_DRAINING, &ev);
  assert_int_equal(thirl_meet_client_state_of(r->client), THIRL_MEET_CLIENT_REGISTERED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_registers_in_two_requests),
      TEST(test_registers_byte_by_byte),
      TEST(test_new_refuses),
      TEST(test_stale_nonce_once),
      TEST(test_stale_nonce_with_another_server_key),
      TEST(test_stale_nonce_twice),
      TEST(test_forgiveness_comes_back),
      TEST(test_stale_nonce_without_a_nonce),
      TEST(test_refused_at_once),
      TEST(test_challenge_that_makes_no_sense),
      TEST(test_server_key_is_asked_again),
      TEST(test_registration_refused),
      TEST(test_success_with_a_wrong_mac),
      TEST(test_success_without_a_counter),
      TEST(test_success_that_makes_no_sense),
      TEST(test_duplicated_answers),
      TEST(test_noise_is_counted),
      TEST(test_a_stream_that_is_none),
      TEST(test_timeouts),
      TEST(test_own_timeout_and_refresh),
      TEST(test_refreshes),
      TEST(test_time_does_not_run_back),
      TEST(test_refresh_follows_the_lifetime),
      TEST(test_update_answers_that_end_it),
      TEST(test_standing_goes_with_register),
      TEST(test_half_a_standing_goes_with_register),
      TEST(test_standing_is_told_at_once),
      TEST(test_standing_set_while_registering),
      TEST(test_standing_changed_often),
      TEST(test_standing_refuses),
      TEST(test_lost_at_any_time),
      TEST(test_lost_swallows_a_waiting_failure),
      TEST(test_connected_twice),
      TEST(test_drain),
  };
  return cmocka_run_group_tests_name("meet/client", tests, NULL, NULL);
}
