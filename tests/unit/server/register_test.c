/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "meet/offer.h"
#include "support/server_rig.h"

static rig *world(void) {
  return rig_new(7, NULL);
}

static unsigned error_of(rig_client *c) {
  const rig_message *a = rig_next(c);
  assert_non_null(a);
  assert_int_equal(a->m.cls, THIRL_STUN_ERROR);
  assert_null(rig_next(c));
  return a->m.error_code;
}

static void registers_in_two_requests(void **state) {
  (void)state;
  rig *r = world();
  rig_client *c = rig_connect(r, rig_addr(1));
  rig_take_key(c, 1);
  rig_challenge(c);
  assert_int_equal(c->nonce_n, 40);
  assert_int_equal(rig_stats(r)->registrations, 0);
  thirl_meet_message m = rig_registration(c, NULL);
  rig_send_message(c, &m);
  const rig_message *a = rig_next(c);
  assert_int_equal(a->m.cls, THIRL_STUN_SUCCESS);
  assert_int_equal(a->m.lifetime_s, 90);
  assert_true(thirl_addr_equal(&a->m.mapped, &c->addr));
  assert_int_equal(a->m.counter, 1);
  assert_int_equal(rig_stats(r)->registrations, 1);
  assert_int_equal(rig_stats(r)->registered, 1);
  rig_free(r);
}

static void challenges_whoever_is_not_registered(void **state) {
  (void)state;
  rig *r = world();
  rig_client *c = rig_connect(r, rig_addr(1));
  thirl_meet_message m = rig_message_of(c, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
  rig_send_message(c, &m);
  assert_int_equal(error_of(c), 401);
  m.method = THIRL_STUN_METHOD_THIRL_CONNECT;
  rig_send_message(c, &m);
  assert_int_equal(error_of(c), 401);
  m.method = THIRL_STUN_METHOD_THIRL_CHANNEL;
  m.cls = THIRL_STUN_INDICATION;
  rig_send_message(c, &m);
  rig_send(c, THIRL_BYTES("\x40\x00\x00\x04"
                          "data",
                          8));
  assert_null(rig_next(c));
  assert_int_equal(rig_stats(r)->malformed, 2);
  rig_free(r);
}

/* The bytes that registered a peer, sent again by somebody who has recorded them. */
static void refuses_a_recorded_registration(void **state) {
  (void)state;
  rig *r = world();
  rig_client *c = rig_peer(r, 1);
  rig_client *thief = rig_connect(r, rig_addr(2)), *neighbour = rig_connect(r, c->addr);
  rig_send(thief, THIRL_BYTES(c->last, c->last_n));
  assert_int_equal(error_of(thief), 438);
  rig_send(neighbour, THIRL_BYTES(c->last, c->last_n)); /* the very same address and port, another connection */
  assert_int_equal(error_of(neighbour), 438);
  assert_int_equal(rig_stats(r)->replayed, 2);
  assert_int_equal(rig_stats(r)->registrations, 1);
  rig_send(c, THIRL_BYTES(c->last, c->last_n)); /* on the connection itself */
  assert_int_equal(error_of(c), 400);
  assert_int_equal(rig_stats(r)->registered, 1);
  char want[400], peer[THIRL_PEERID_TEXT_MAX];
  thirl_peerid_format(&c->peer, peer);
  snprintf(
      want, sizeof want,
      "a registration made for another connection was replayed: from 198.18.0.2:40000, as peer %.11s; refused, nothing "
      "was given\n"
      "a registration made for another connection was replayed: from 198.18.0.1:40000, as peer %.11s; refused, nothing "
      "was given\n",
      peer, peer);
  assert_string_equal(r->lines, want);
  rig_free(r);
}

/* However often it is tried: so many lines a minute, and how many were left out. */
static void says_so_but_not_too_often(void **state) {
  (void)state;
  rig *r = rig_new(7, &(thirl_server_limits){.warnings_per_minute = 3, .max_connections_per_ip = 1000});
  rig_client *c = rig_peer(r, 1), *thief = rig_connect(r, rig_addr(2));
  for (int i = 0; i < 15; i++) {
    rig_send(thief, THIRL_BYTES(c->last, c->last_n));
    assert_int_equal(error_of(thief), 438);
  }
  assert_int_equal(r->n_lines, 3);
  assert_int_equal(rig_stats(r)->replayed, 15);
  rig_wait(r, 20 * THIRL_S - 1);
  rig_send(thief, THIRL_BYTES(c->last, c->last_n));
  assert_int_equal(r->n_lines, 3);
  rig_wait(r, 1);
  r->lines[0] = '\0';
  rig_send(thief, THIRL_BYTES(c->last, c->last_n));
  assert_int_equal(r->n_lines, 4);
  assert_non_null(strstr(r->lines, "; and 13 more since the last such line\n"));
  rig_free(r);
}

static void refuses_it_also_after_signing_off(void **state) {
  (void)state;
  rig *r = world();
  rig_client *c = rig_peer(r, 1);
  uint8_t recorded[THIRL_MEET_MESSAGE_MAX];
  size_t n = c->last_n;
  memcpy(recorded, c->last, n);
  thirl_meet_message m = rig_message_of(c, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
  m.has_lifetime = true;
  rig_send_message(c, &m);
  const rig_message *a = rig_next(c);
  assert_int_equal(a->m.cls, THIRL_STUN_SUCCESS);
  assert_true(a->m.has_lifetime);
  assert_int_equal(a->m.lifetime_s, 0);
  assert_int_equal(rig_stats(r)->registrations, 0);
  rig_send(c, THIRL_BYTES(recorded, n));
  assert_int_equal(error_of(c), 400);
  assert_int_equal(rig_stats(r)->registrations, 0);
  rig_free(r);
}

static void asks_again_when_the_nonce_is_old(void **state) {
  (void)state;
  rig *r = world();
  rig_client *c = rig_connect(r, rig_addr(1));
  rig_take_key(c, 1);
  rig_challenge(c);
  thirl_meet_message m = rig_registration(c, NULL);
  rig_wait(r, 29 * THIRL_S);
  rig_send(c, THIRL_BYTES("\x00\x01\x00\x00\x21\x12\xa4\x42"
                          "keepalive123",
                          20)); /* so that it is not timed out */
  assert_non_null(rig_next(c));
  rig_wait(r, 2 * THIRL_S);
  rig_send_message(c, &m);
  const rig_message *a = rig_next(c);
  assert_int_equal(a->m.error_code, 438);
  assert_int_equal(a->m.nonce.n, 40);
  assert_true(a->m.has_ephemeral);
  assert_int_equal(rig_stats(r)->stale_nonce, 1);
  assert_int_equal(rig_stats(r)->replayed, 0);
  memcpy(c->nonce, a->m.nonce.p, 40);
  m = rig_registration(c, NULL);
  rig_send_message(c, &m);
  assert_int_equal(rig_next(c)->m.cls, THIRL_STUN_SUCCESS);
  rig_free(r);
}

static void refuses_forged_nonces(void **state) {
  (void)state;
  rig *r = world();
  for (size_t i = 0; i < 40; i++) {
    rig_client *c = rig_connect(r, rig_addr(i));
    rig_take_key(c, 1);
    rig_challenge(c);
    c->nonce[i] = c->nonce[i] == '0' ? '1' : '0';
    thirl_meet_message m = rig_registration(c, NULL);
    rig_send_message(c, &m);
    assert_int_equal(error_of(c), 438);
    c->nonce[i] = 'G';
    m = rig_registration(c, NULL);
    rig_send_message(c, &m);
    assert_int_equal(error_of(c), 438);
  }
  assert_int_equal(rig_stats(r)->replayed, 40);
  assert_int_equal(rig_stats(r)->malformed, 40);
  assert_int_equal(rig_stats(r)->registrations, 0);
  rig_free(r);
}

/* My signature and my MAC, somebody else's key. */
static void claim_another_key(rig_client *c, thirl_meet_message *m) {
  rig_client other = {.r = c->r};
  thirl_p256 *theirs;
  rig_take_key(&other, 2);
  memcpy(m->public_key, other.public_key, sizeof m->public_key);
  assert_int_equal(thirl_p256_from_public(c->server_key, &theirs), THIRL_OK);
  assert_int_equal(thirl_meet_message_keys(c->ephemeral, theirs, m->nonce, &other.peer, &c->keys), THIRL_OK);
  thirl_p256_free(theirs);
  thirl_p256_free(other.key);
  thirl_p256_free(other.ephemeral);
}

static void refuses_wrong_proofs(void **state) {
  (void)state;
  rig *r = world();
  enum { SIGNATURE, OTHER_KEY, MAC, WRONG_ID, BAD_POINT, BAD_EPHEMERAL, CASES };
  for (int i = 0; i < CASES; i++) {
    rig_client *c = rig_connect(r, rig_addr((uint64_t)i));
    uint8_t signature[THIRL_P256_SIGNATURE_MAX];
    rig_take_key(c, 1);
    rig_challenge(c);
    thirl_meet_message m = rig_registration(c, NULL);
    memcpy(signature, m.signature.p, m.signature.n);
    m.signature.p = signature;
    if (i == SIGNATURE) signature[m.signature.n - 1] ^= 1;
    if (i == OTHER_KEY) claim_another_key(c, &m);
    if (i == MAC) c->keys.to_server[0] ^= 1;
    m.has_peer = i == WRONG_ID; /* all zeroes */
    if (i == BAD_POINT) m.public_key[40] ^= 1;
    if (i == BAD_EPHEMERAL) m.ephemeral[40] ^= 1;
    rig_send_message(c, &m);
    assert_int_equal(error_of(c), 403);
    assert_int_equal(rig_stats(r)->bad_signature, i + 1);
  }
  assert_int_equal(rig_stats(r)->registrations, 0);
  rig_free(r);
}

static void refuses_incomplete_requests(void **state) {
  (void)state;
  rig *r = world();
  for (int i = 0; i < 2; i++) {
    rig_client *c = rig_connect(r, rig_addr((uint64_t)i));
    rig_take_key(c, 1);
    rig_challenge(c);
    thirl_meet_message m = rig_registration(c, NULL);
    if (i == 0) m.has_ephemeral = false;
    if (i == 1) m.signature = THIRL_BYTES(NULL, 0);
    rig_send_message(c, &m);
    assert_int_equal(error_of(c), 400);
  }
  rig_free(r);
}

/* A change of network: the same key and the same ticket over a new connection, while the old one is not known to be dead. */
static void the_newest_holder_of_a_ticket_counts(void **state) {
  (void)state;
  rig *r = world();
  rig_client *old = rig_peer(r, 1), *other = rig_peer(r, 2), *fresh = rig_connect(r, rig_addr(3));
  uint16_t at_old, at_other;
  rig_join(other, old, 1, 1, &at_other, &at_old);
  rig_register(fresh, 1);
  assert_int_equal(rig_stats(r)->registrations, 2);
  assert_int_equal(old->fate, RIG_CLOSED);
  const rig_message *m = rig_next(old);
  assert_int_equal(m->m.method, THIRL_STUN_METHOD_THIRL_CHANNEL);
  assert_int_equal(m->m.channel, at_old);
  assert_int_equal(m->m.reason, THIRL_E_LOST);
  m = rig_next(other);
  assert_int_equal(m->m.channel, at_other);
  assert_int_equal(m->m.reason, THIRL_E_LOST);
  rig_join(other, fresh, 1, 2, &at_other, &at_old); /* and it is the new one that is found */
  rig_free(r);
}

/* Key i with these tickets. */
static rig_client *holder_of(rig *r, uint64_t i, const uint64_t *tickets, size_t n) {
  uint8_t offer[THIRL_MEET_OFFER_MAX];
  rig_client *c = rig_connect(r, rig_addr(100 + r->clients_n));
  thirl_meet_message extras = {.has_offer = true, .has_checks = true, .n_checks = n};
  extras.offer = THIRL_BYTES(offer, rig_offer(c, offer));
  for (size_t k = 0; k < n; k++)
    rig_check(tickets[k], extras.checks[k]);
  rig_take_key(c, i);
  rig_challenge(c);
  thirl_meet_message m = rig_registration(c, &extras);
  rig_send_message(c, &m);
  assert_int_equal(rig_next(c)->m.cls, THIRL_STUN_SUCCESS);
  return c;
}

/* Two terminals of one user listen, and a third one dials: nobody throws anybody out, and each ticket leads to its own. */
static void registrations_of_one_key_stand_side_by_side(void **state) {
  (void)state;
  rig *r = world();
  const uint64_t one[] = {11}, two[] = {12, 13}, both[] = {11, 13};
  rig_client *a = holder_of(r, 1, one, 1), *b = holder_of(r, 1, two, 2), *dialer = holder_of(r, 1, NULL, 0);
  rig_client *other = rig_peer(r, 2);
  uint16_t at_other, at;
  assert_int_equal(rig_stats(r)->registrations, 4);
  rig_join(other, a, 11, 1, &at_other, &at);
  rig_join(other, b, 12, 2, &at_other, &at);
  rig_join(other, b, 13, 3, &at_other, &at);
  rig_join(dialer, other, 2, 4, &at, &at_other);
  rig_send_connect(dialer, &a->peer, 12, 5); /* also among themselves */
  assert_int_equal(rig_next(dialer)->m.cls, THIRL_STUN_SUCCESS);
  assert_int_equal(rig_next(b)->m.method, THIRL_STUN_METHOD_THIRL_OFFER);
  rig_send_connect(b, &b->peer, 12, 6); /* but not with itself */
  assert_int_equal(rig_next(b)->m.error_code, 404);
  rig_eof(a);
  rig_send_connect(other, &a->peer, 11, 7);
  assert_int_equal(rig_next(other)->m.reason, THIRL_E_LOST);
  assert_int_equal(rig_next(other)->m.error_code, 404);
  assert_int_equal(rig_stats(r)->not_found, 2);
  assert_int_equal(b->fate | dialer->fate, RIG_OPEN);
  rig_client *fresh = holder_of(r, 1, both, 2); /* a ticket of each: of those that are here, only b has one of them */
  assert_int_equal(b->fate, RIG_CLOSED);
  assert_int_equal(dialer->fate, RIG_OPEN);
  for (int i = 0; i < 2; i++)
    assert_int_equal(rig_next(other)->m.reason, THIRL_E_LOST);
  rig_join(other, fresh, 11, 8, &at_other, &at);
  assert_int_equal(rig_stats(r)->registrations, 3);
  rig_free(r);
}

/* Two machines with one and the same ticket cannot be told from one that has come again: the newest has it. */
static void one_registration_can_replace_several(void **state) {
  (void)state;
  rig *r = world();
  const uint64_t one[] = {11}, two[] = {12}, three[] = {13}, some[] = {13, 11};
  rig_client *a = holder_of(r, 1, one, 1), *b = holder_of(r, 1, two, 1), *c = holder_of(r, 1, three, 1);
  holder_of(r, 1, some, 2);
  assert_int_equal(a->fate, RIG_CLOSED);
  assert_int_equal(b->fate, RIG_OPEN);
  assert_int_equal(c->fate, RIG_CLOSED);
  assert_int_equal(rig_stats(r)->registrations, 2);
  rig_free(r);
}

static unsigned try_to_register(rig_client *c, uint64_t i);

/* At the limit those that live stay, and the newcomer is told 508; one that has missed two refreshes makes room. */
static void limits_registrations_of_one_key(void **state) {
  (void)state;
  rig *r = rig_new(1, &(thirl_server_limits){.max_registrations_per_peer = 3});
  rig_client *c[3];
  for (uint64_t i = 0; i < 3; i++)
    c[i] = holder_of(r, 1, &i, 1);
  rig_client *fourth = rig_connect(r, rig_addr(4));
  assert_int_equal(try_to_register(fourth, 1), 508);
  assert_int_equal(try_to_register(rig_connect(r, rig_addr(5)), 2), 0); /* another id has its own places */
  rig_wait(r, 59 * THIRL_S);
  for (int i = 0; i < 3; i += 2) {
    thirl_meet_message m = rig_message_of(c[i], THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
    rig_send_message(c[i], &m);
    assert_int_equal(rig_next(c[i])->m.cls, THIRL_STUN_SUCCESS);
  }
  fourth = rig_connect(r, rig_addr(4));
  assert_int_equal(try_to_register(fourth, 1), 508);
  assert_int_equal(rig_stats(r)->registrations, 4);
  rig_wait(r, THIRL_S);
  assert_int_equal(try_to_register(fourth, 1), 0);
  assert_int_equal(c[1]->fate, RIG_CLOSED); /* silent for 60 of 90 s */
  assert_int_equal(c[0]->fate | c[2]->fate, RIG_OPEN);
  assert_int_equal(rig_stats(r)->registrations, 4);
  rig_client *again = holder_of(r, 1, &(uint64_t){2}, 1); /* whoever comes again needs no further place */
  assert_int_equal(c[2]->fate, RIG_CLOSED);
  assert_int_equal(c[0]->fate | again->fate, RIG_OPEN);
  rig_free(r);
}

/* Whatever order they come and go in, the ones that are left are found. */
static void any_of_them_may_go(void **state) {
  (void)state;
  for (unsigned order = 0; order < 27; order++) {
    rig *r = world();
    rig_client *c[3], *other = rig_peer(r, 9);
    for (uint64_t i = 0; i < 3; i++)
      c[i] = holder_of(r, 1, &i, 1);
    unsigned gone[3] = {order % 3, order / 3 % 3, order / 9};
    bool is_gone[3] = {false};
    for (unsigned step = 0; step < 3; step++) {
      if (!is_gone[gone[step]]) rig_lost(c[gone[step]]);
      is_gone[gone[step]] = true;
      for (uint8_t i = 0; i < 3; i++) {
        rig_send_connect(other, &c[0]->peer, i, (uint8_t)(step * 3 + i));
        unsigned code = 1;
        for (const rig_message *m; (m = rig_next(other)) != NULL;)
          if (m->m.method == THIRL_STUN_METHOD_THIRL_CONNECT) code = m->m.error_code;
        assert_int_equal(code, is_gone[i] ? 404 : 0);
      }
    }
    rig_free(r);
  }
}

/* The old connection is dead and reads nothing: it is given up after the linger. */
static void a_replaced_connection_that_does_not_read_is_aborted(void **state) {
  (void)state;
  rig *r = world();
  rig_client *old = rig_peer(r, 1), *other = rig_peer(r, 2);
  uint16_t at_old, at_other;
  rig_join(other, old, 1, 1, &at_other, &at_old);
  rig_stall(old, true);
  rig_send_data(other, at_other, 1, 0, 100000);
  rig_register(rig_connect(r, rig_addr(3)), 1);
  assert_int_equal(rig_stats(r)->relay_buffered, 0);
  assert_int_equal(old->fate, RIG_OPEN);
  rig_wait(r, THIRL_SERVER_LINGER_S * THIRL_S - 1);
  assert_int_equal(old->fate, RIG_OPEN);
  rig_wait(r, 1);
  assert_int_equal(old->fate, RIG_ABORTED);
  rig_free(r);
}

static const thirl_meet_message *update(rig_client *c, thirl_meet_message extras) {
  thirl_meet_message m = rig_message_of(c, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
  m.has_checks = extras.has_checks;
  m.n_checks = extras.n_checks;
  memcpy(m.checks, extras.checks, sizeof m.checks);
  m.has_offer = extras.has_offer;
  m.offer = extras.offer;
  rig_send_message(c, &m);
  return &rig_next(c)->m;
}

static void an_update_changes_what_it_carries(void **state) {
  (void)state;
  rig *r = world();
  rig_client *a = rig_peer(r, 1), *b = rig_peer(r, 2);
  uint16_t at_a, at_b;
  thirl_meet_message extras = {.has_checks = true, .n_checks = 2};
  rig_check(50, extras.checks[0]);
  rig_check(51, extras.checks[1]);
  assert_int_equal(update(b, extras)->lifetime_s, 90);
  rig_send_connect(a, &b->peer, 2, 1); /* the old ticket */
  assert_int_equal(rig_next(a)->m.error_code, 404);
  rig_join(a, b, 51, 2, &at_a, &at_b);
  assert_int_equal(update(b, (thirl_meet_message){.cls = 0})->cls, THIRL_STUN_SUCCESS); /* only a refresh */
  rig_join(a, b, 50, 3, &at_a, &at_b);
  assert_int_equal(update(b, (thirl_meet_message){.has_offer = true})->cls, THIRL_STUN_SUCCESS); /* taken back */
  rig_send_connect(a, &b->peer, 50, 4);
  assert_int_equal(rig_next(a)->m.error_code, 404);
  assert_int_equal(rig_stats(r)->refreshed, 3);
  rig_free(r);
}

static size_t offer_with(thirl_meet_candidate_type type, thirl_addr addr, uint8_t *out) {
  thirl_meet_offer o = {.ufrag = "abcd", .pwd = "abcdefghijklmnopqrstuvwx", .n = 1};
  o.candidates[0] = (thirl_meet_candidate){.type = type, .addr = addr};
  size_t n;
  assert_int_equal(thirl_meet_offer_encode(&o, out, THIRL_MEET_OFFER_MAX, &n), THIRL_OK);
  return n;
}

static void refuses_offers_that_hurt_others(void **state) {
  (void)state;
  rig *r = world();
  uint8_t offer[THIRL_MEET_OFFER_MAX], six[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
  thirl_addr mine = rig_addr(1);
  const struct {
    thirl_meet_candidate_type type;
    thirl_addr addr;
    unsigned code; /* 0: taken */
  } cases[] = {
      {THIRL_MEET_SRFLX, mine, 0},
      {THIRL_MEET_SRFLX, thirl_addr_with_port(mine, 1), 0},
      {THIRL_MEET_HOST, thirl_addr_v4(192, 168, 1, 1, 9), 0},
      {THIRL_MEET_SRFLX, thirl_addr_v4(198, 51, 100, 1, 9), 400},
      {THIRL_MEET_PRFLX, thirl_addr_v4(198, 51, 100, 1, 9), 400},
      {THIRL_MEET_HOST, thirl_addr_v4(127, 0, 0, 1, 9), 400},
      {THIRL_MEET_HOST, thirl_addr_v4(224, 0, 0, 1, 9), 400},
      {THIRL_MEET_HOST, thirl_addr_v4(10, 0, 0, 1, 0), 400},
      {THIRL_MEET_HOST, thirl_addr_v6(six, 9), 400},
  };
  rig_client *c = rig_peer(r, 1);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    thirl_meet_message extras = {.has_offer = true};
    extras.offer = THIRL_BYTES(offer, offer_with(cases[i].type, cases[i].addr, offer));
    assert_int_equal(update(c, extras)->error_code, cases[i].code);
    /* the same at the door */
    rig_client *fresh = rig_connect(r, mine);
    rig_take_key(fresh, 99);
    rig_challenge(fresh);
    thirl_meet_message m = rig_registration(fresh, &extras);
    rig_send_message(fresh, &m);
    assert_int_equal(rig_next(fresh)->m.error_code, cases[i].code);
    rig_eof(fresh);
  }
  rig_free(r);
}

static void drops_old_counters_and_wrong_macs(void **state) {
  (void)state;
  rig *r = world();
  rig_client *c = rig_peer(r, 1);
  thirl_meet_message m = rig_message_of(c, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
  rig_send_message(c, &m);
  assert_int_equal(rig_next(c)->m.cls, THIRL_STUN_SUCCESS);
  rig_send(c, THIRL_BYTES(c->last, c->last_n)); /* the same bytes */
  m.counter = 0;
  rig_send_message(c, &m);
  m.has_counter = false;
  rig_send_message(c, &m);
  assert_int_equal(rig_stats(r)->replayed, 3);
  assert_int_equal(r->n_lines, 3);
  assert_memory_equal(r->lines, "an old message was replayed: from 198.18.0.1:40000, as peer ", 59);
  m = rig_message_of(c, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
  c->keys.to_server[5] ^= 1;
  rig_send_message(c, &m);
  c->keys.to_server[5] ^= 1;
  assert_int_equal(rig_stats(r)->bad_signature, 1);
  assert_null(rig_next(c));
  m.counter = 1000; /* growing by more than one is no harm */
  rig_send_message(c, &m);
  assert_int_equal(rig_next(c)->m.cls, THIRL_STUN_SUCCESS);
  assert_int_equal(rig_stats(r)->refreshed, 2);
  rig_free(r);
}

static void gives_up_a_connection_that_guesses_macs(void **state) {
  (void)state;
  rig *r = rig_new(1, &(thirl_server_limits){.requests_per_second = 5});
  rig_client *c = rig_peer(r, 1); /* two of the five */
  c->keys.to_server[5] ^= 1;
  for (int i = 0; i < 4; i++) {
    assert_int_equal(c->fate, RIG_OPEN);
    thirl_meet_message m = rig_message_of(c, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
    rig_send_message(c, &m);
  }
  assert_int_equal(c->fate, RIG_ABORTED);
  assert_int_equal(rig_stats(r)->registrations, 0);
  rig_free(r);
}

static unsigned try_to_register(rig_client *c, uint64_t i) {
  c->has_keys = false;
  rig_take_key(c, i);
  rig_challenge(c);
  thirl_meet_message m = rig_registration(c, NULL);
  rig_send_message(c, &m);
  return rig_next(c)->m.error_code;
}

static void limits_registrations_per_address(void **state) {
  (void)state;
  rig *r = rig_new(1, &(thirl_server_limits){.registers_per_second_per_ip = 2});
  for (uint16_t i = 0; i < 3; i++) {
    rig_client *c = rig_connect(r, thirl_addr_with_port(rig_addr(9), (uint16_t)(100 + i)));
    assert_int_equal(try_to_register(c, i), i < 2 ? 0 : 429);
  }
  assert_int_equal(try_to_register(rig_connect(r, rig_addr(10)), 10), 0);
  rig_wait(r, THIRL_S);
  assert_int_equal(try_to_register(r->clients[2], 2), 0);
  assert_int_equal(rig_stats(r)->limited, 1);
  rig_free(r);
}

static void limits_registrations_in_all(void **state) {
  (void)state;
  rig *r = rig_new(1, &(thirl_server_limits){.max_registrations = 2});
  rig_client *a = rig_peer(r, 1), *c = rig_connect(r, rig_addr(3));
  rig_peer(r, 2);
  assert_int_equal(try_to_register(c, 3), 508);
  rig_client *again = rig_connect(r, rig_addr(4));
  assert_int_equal(try_to_register(again, 1), 508);
  rig_eof(again);
  again = rig_connect(r, rig_addr(5)); /* the same ticket once more is not one more */
  rig_register(again, 1);
  assert_int_equal(a->fate, RIG_CLOSED);
  rig_eof(again);
  assert_int_equal(try_to_register(c, 3), 0);
  assert_int_equal(rig_stats(r)->registrations, 2);
  rig_free(r);
}

static void limits_requests_of_a_stranger(void **state) {
  (void)state;
  rig *r = rig_new(1, &(thirl_server_limits){.requests_per_second = 4});
  rig_client *c = rig_connect(r, rig_addr(1));
  unsigned answers = 0;
  for (int i = 0; i < 50; i++) {
    thirl_meet_message m = rig_message_of(c, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_REGISTER);
    rig_send_message(c, &m);
    answers += rig_next(c) != NULL;
  }
  assert_int_equal(answers, 4);
  assert_int_equal(rig_stats(r)->limited, 46);
  assert_int_equal(c->fate, RIG_OPEN);
  rig_wait(r, THIRL_S / 4);
  rig_take_key(c, 1);
  rig_challenge(c);
  rig_free(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(registers_in_two_requests),
      cmocka_unit_test(challenges_whoever_is_not_registered),
      cmocka_unit_test(refuses_a_recorded_registration),
      cmocka_unit_test(says_so_but_not_too_often),
      cmocka_unit_test(refuses_it_also_after_signing_off),
      cmocka_unit_test(asks_again_when_the_nonce_is_old),
      cmocka_unit_test(refuses_forged_nonces),
      cmocka_unit_test(refuses_wrong_proofs),
      cmocka_unit_test(refuses_incomplete_requests),
      cmocka_unit_test(the_newest_holder_of_a_ticket_counts),
      cmocka_unit_test(registrations_of_one_key_stand_side_by_side),
      cmocka_unit_test(one_registration_can_replace_several),
      cmocka_unit_test(limits_registrations_of_one_key),
      cmocka_unit_test(any_of_them_may_go),
      cmocka_unit_test(a_replaced_connection_that_does_not_read_is_aborted),
      cmocka_unit_test(an_update_changes_what_it_carries),
      cmocka_unit_test(refuses_offers_that_hurt_others),
      cmocka_unit_test(drops_old_counters_and_wrong_macs),
      cmocka_unit_test(gives_up_a_connection_that_guesses_macs),
      cmocka_unit_test(limits_registrations_per_address),
      cmocka_unit_test(limits_registrations_in_all),
      cmocka_unit_test(limits_requests_of_a_stranger),
  };
  return cmocka_run_group_tests_name("server/register", tests, NULL, NULL);
}
