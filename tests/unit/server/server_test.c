/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "support/server_rig.h"

static const char BINDING[] = "\x00\x01\x00\x00\x21\x12\xa4\x42"
                              "0123456789ab";

static void opens_its_listeners_first(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  thirl_server_config cfg = {.secrets = &r->secrets, .log = &r->log};
  thirl_server *s;
  thirl_net_action a;
  thirl_addr bound;
  assert_int_equal(thirl_server_new(&cfg, 0, &s), THIRL_E_INVALID);
  assert_null(s);
  cfg.listen_tcp[1] = thirl_addr_v4(127, 0, 0, 1, 0);
  cfg.listen_tcp[3] = thirl_addr_v4(127, 0, 0, 2, 5);
  cfg.listen_udp[0] = thirl_addr_v4(127, 0, 0, 1, 7);
  assert_int_equal(thirl_server_new(&cfg, 0, &s), THIRL_OK);
  assert_int_equal(thirl_server_deadline(s), 0);
  for (thirl_net_id id = 1; id <= 3; id++) {
    assert_true(thirl_server_poll(s, 0, &a));
    assert_int_equal(a.verb, id == 3 ? THIRL_NET_BIND_UDP : THIRL_NET_LISTEN);
    assert_int_equal(a.id, id);
    assert_int_equal(a.local.port, id == 1 ? 0 : id == 2 ? 5 : 7);
  }
  assert_false(thirl_server_poll(s, 0, &a));
  assert_int_equal(thirl_server_deadline(s), THIRL_NEVER);
  assert_int_equal(thirl_server_listener(s, false, 0, &bound), THIRL_E_AGAIN);
  thirl_addr got = thirl_addr_v4(127, 0, 0, 1, 4242);
  thirl_server_input(s, 0, &(thirl_net_event){.kind = THIRL_NET_LISTENING, .id = 1, .local = got});
  assert_int_equal(thirl_server_listener(s, false, 0, &bound), THIRL_OK);
  assert_int_equal(bound.port, 4242);
  assert_int_equal(thirl_server_listener(s, true, 0, &bound), THIRL_E_AGAIN);
  assert_int_equal(thirl_server_listener(s, true, 1, &bound), THIRL_E_NOT_FOUND);
  thirl_server_input(s, 0, &(thirl_net_event){.kind = THIRL_NET_FAILED, .id = 2, .error = THIRL_E_IN_USE});
  assert_int_equal(thirl_server_listener(s, false, 1, &bound), THIRL_E_IN_USE);
  assert_string_equal(r->lines, "cannot listen on TCP 127.0.0.2:5: the address is in use\n");
  thirl_server_free(s);
  rig_free(r);
}

static void ends_silent_strangers(void **state) {
  (void)state;
  rig *r = rig_new(1, &(thirl_server_limits){.register_timeout_s = 10});
  rig_client *silent = rig_connect(r, rig_addr(1)), *asks = rig_connect(r, rig_addr(2));
  rig_wait(r, 9 * THIRL_S);
  rig_send(asks, THIRL_BYTES(BINDING, 20));
  assert_non_null(rig_next(asks));
  assert_int_equal(thirl_server_deadline(r->server), r->now + THIRL_S);
  rig_wait(r, THIRL_S - 1);
  assert_int_equal(silent->fate, RIG_OPEN);
  rig_wait(r, 1);
  assert_int_equal(silent->fate, RIG_ABORTED);
  rig_wait(r, 8 * THIRL_S);
  assert_int_equal(asks->fate, RIG_OPEN);
  rig_wait(r, THIRL_S);
  assert_int_equal(asks->fate, RIG_ABORTED);
  assert_int_equal(rig_stats(r)->connections, 0);
  assert_int_equal(rig_stats(r)->accepted, 2);
  assert_int_equal(thirl_server_deadline(r->server), THIRL_NEVER);
  rig_free(r);
}

static void ends_registrations_that_are_not_refreshed(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  rig_client *a = rig_peer(r, 1), *b = rig_peer(r, 2);
  uint16_t x, y;
  rig_join(a, b, 2, 1, &x, &y);
  for (int i = 0; i < 4; i++) {
    rig_wait(r, 40 * THIRL_S);
    thirl_meet_message m = rig_message_of(a, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_UPDATE);
    if (i == 2) assert_int_equal(rig_next(a)->m.reason, THIRL_E_LOST);
    rig_send_message(a, &m);
    assert_int_equal(rig_next(a)->m.lifetime_s, 90);
    assert_int_equal(b->fate, i < 2 ? RIG_OPEN : RIG_ABORTED);
  }
  assert_null(rig_next(a));
  assert_int_equal(rig_stats(r)->registrations, 1);
  assert_int_equal(rig_stats(r)->channels, 0);
  rig_free(r);
}

static void limits_connections(void **state) {
  (void)state;
  rig *r = rig_new(1, &(thirl_server_limits){.max_connections = 5, .max_connections_per_ip = 2});
  uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8};
  rig_connect(r, rig_addr(1));
  rig_client *second = rig_connect(r, thirl_addr_with_port(rig_addr(1), 1));
  assert_int_equal(rig_connect(r, thirl_addr_with_port(rig_addr(1), 2))->fate, RIG_ABORTED);
  six[15] = 1; /* all of one /64 */
  rig_connect(r, thirl_addr_v6(six, 1));
  six[15] = 2;
  rig_connect(r, thirl_addr_v6(six, 1));
  six[15] = 3;
  assert_int_equal(rig_connect(r, thirl_addr_v6(six, 1))->fate, RIG_ABORTED);
  six[7] = 1; /* the next /64: five in all */
  assert_int_equal(rig_connect(r, thirl_addr_v6(six, 1))->fate, RIG_OPEN);
  assert_int_equal(rig_connect(r, rig_addr(2))->fate, RIG_ABORTED);
  assert_int_equal(rig_stats(r)->limited, 3);
  rig_lost(second);
  assert_int_equal(rig_connect(r, thirl_addr_with_port(rig_addr(1), 3))->fate, RIG_OPEN);
  assert_int_equal(rig_stats(r)->connections, 5);
  rig_free(r);
}

static void gives_up_streams_that_are_no_stun(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  const struct {
    const char *bytes;
    size_t n;
  } cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 18},
      {"\x16\x03\x01\x00\x05hello", 10},
      {"\x00\x01\x00\x01\x21\x12\xa4\x42", 8}, /* a length that is no multiple of four */
      {"\x00\x01\x08\x00\x21\x12\xa4\x42", 8}, /* longer than a stranger may be */
      {"\x00\x01\x00\x00\x21\x12\xa4\x43"
       "0123456789ab",
       20}, /* another cookie */
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    rig_client *c = rig_connect(r, rig_addr(i));
    rig_send(c, THIRL_BYTES(cases[i].bytes, cases[i].n));
    assert_int_equal(c->fate, RIG_ABORTED);
    assert_int_equal(rig_stats(r)->malformed, i + 1);
  }
  assert_int_equal(rig_stats(r)->connections, 0);
  rig_free(r);
}

static void drops_single_odd_messages(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  rig_client *c = rig_connect(r, rig_addr(1));
  thirl_meet_message m = rig_message_of(c, THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_THIRL_REGISTER);
  rig_send_message(c, &m);
  m = rig_message_of(c, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_ALLOCATE);
  rig_send_message(c, &m);
  rig_send(c, THIRL_BYTES("\x00\x01\x00\x04\x21\x12\xa4\x42"
                          "0123456789ab"
                          "\x80\x22\xff\xff",
                          24)); /* an attribute past the end */
  rig_send(c, THIRL_BYTES("\x02\xa1\x00\x08\x21\x12\xa4\x42"
                          "0123456789ab"
                          "\x7e\x04\x00\x04"
                          "abcd",
                          28)); /* a peer id of 4 bytes */
  assert_int_equal(rig_stats(r)->malformed, 4);
  assert_null(rig_next(c));
  rig_send(c, THIRL_BYTES("\x02\xa1\x00\x04\x21\x12\xa4\x42"
                          "0123456789ab"
                          "\x7f\xff\x00\x00",
                          24));
  assert_int_equal(rig_next(c)->m.error_code, 420);
  rig_send(c, THIRL_BYTES(BINDING, 20));
  assert_int_equal(rig_next(c)->n, 32);
  assert_int_equal(c->fate, RIG_OPEN);
  rig_free(r);
}

/* A half-closed client still gets its answer; then FIN. */
static void sends_what_waits_before_it_closes(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  rig_client *c = rig_connect(r, rig_addr(1)), *mute = rig_connect(r, rig_addr(2)),
             *plain = rig_connect(r, rig_addr(3));
  rig_stall(c, true);
  rig_stall(mute, true);
  rig_send(c, THIRL_BYTES(BINDING, 20));
  rig_send(mute, THIRL_BYTES(BINDING, 20));
  rig_eof(c);
  rig_eof(mute);
  rig_eof(plain);
  assert_int_equal(plain->fate, RIG_CLOSED);
  assert_int_equal(c->fate, RIG_OPEN);
  rig_stall(c, false);
  assert_int_equal(rig_next(c)->n, 32);
  assert_int_equal(c->fate, RIG_CLOSED);
  rig_wait(r, THIRL_SERVER_LINGER_S * THIRL_S);
  assert_int_equal(mute->fate, RIG_ABORTED);
  assert_int_equal(rig_stats(r)->connections, 0);
  rig_free(r);
}

static void gives_up_a_client_that_asks_and_never_reads(void **state) {
  (void)state;
  rig *r = rig_new(1, &(thirl_server_limits){.requests_per_second = 100000});
  rig_client *c = rig_connect(r, rig_addr(1));
  rig_stall(c, true);
  unsigned n = 0;
  for (; c->fate == RIG_OPEN && n < 10000; n++)
    rig_send(c, THIRL_BYTES(BINDING, 20));
  assert_int_equal(n, 65536 / 32 + 1);
  assert_int_equal(c->fate, RIG_ABORTED);
  assert_int_equal(rig_stats(r)->limited, 1);
  rig_free(r);
}

static void drains(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  rig_client *a = rig_peer(r, 1), *b = rig_peer(r, 2), *stranger = rig_connect(r, rig_addr(3));
  uint16_t x, y;
  rig_join(a, b, 2, 1, &x, &y);
  thirl_time deadline = r->now + 60 * THIRL_S;
  assert_false(thirl_server_is_drained(r->server, r->now));
  thirl_server_drain(r->server, r->now, deadline);
  rig_settle(r);
  assert_int_equal(rig_next(a)->m.method, THIRL_STUN_METHOD_THIRL_DRAIN);
  assert_int_equal(rig_next(b)->m.method, THIRL_STUN_METHOD_THIRL_DRAIN);
  assert_int_equal(r->aborted_listeners, 1);
  assert_int_equal(rig_connect(r, rig_addr(4))->fate, RIG_ABORTED);
  rig_take_key(stranger, 3);
  thirl_meet_message m = rig_message_of(stranger, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_REGISTER);
  rig_send_message(stranger, &m);
  assert_int_equal(rig_next(stranger)->m.error_code, 508);
  rig_send_connect(a, &b->peer, 2, 2);
  assert_int_equal(rig_next(a)->m.error_code, 508);
  rig_channel_of(b, y)->pattern = 5;
  rig_send_data(a, x, 5, 0, 100); /* what is there goes on */
  assert_int_equal(rig_channel_of(b, y)->n, 100);
  assert_false(thirl_server_is_drained(r->server, r->now));
  assert_true(thirl_server_is_drained(r->server, deadline));
  rig_eof(a);
  rig_next(b);
  assert_true(thirl_server_is_drained(r->server, r->now));
  rig_wait(r, 100 * THIRL_S); /* the deadline is said once and is no busy loop */
  rig_free(r);
}

static void lives_with_odd_carriers(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  rig_client *c = rig_connect(r, rig_addr(1));
  uint8_t buf[8];
  rig_input(r, &(thirl_net_event){.kind = THIRL_NET_ACCEPTED, .id = c->id, .remote = rig_addr(2)}); /* an id twice */
  assert_int_equal(c->fate, RIG_ABORTED);
  rig_input(r, &(thirl_net_event){.kind = THIRL_NET_DATA, .id = 0x80001234u, .payload = THIRL_BYTES(BINDING, 20)});
  assert_int_equal(r->stray_aborts_n, 1);
  assert_int_equal(r->stray_aborts[0], 0x80001234u);
  rig_input(r, &(thirl_net_event){.kind = THIRL_NET_EOF, .id = 0x80001235u});
  rig_input(r, &(thirl_net_event){.kind = THIRL_NET_FAILED, .id = 0x80001236u, .error = THIRL_E_RESET});
  rig_input(r, &(thirl_net_event){.kind = THIRL_NET_FAILED, .id = 77, .error = THIRL_E_RESET});
  rig_input(r, &(thirl_net_event){.kind = THIRL_NET_CONNECTED, .id = 1});
  assert_int_equal(r->stray_aborts_n, 1);
  assert_int_equal(thirl_server_pull(r->server, r->now, 0x80005555u, buf, sizeof buf), 0);
  rig_client *d = rig_connect(r, rig_addr(3));
  assert_int_equal(thirl_server_pull(r->server, r->now, d->id, buf, sizeof buf), 0);
  r->now -= 500 * THIRL_S; /* time never goes back inside */
  rig_send(d, THIRL_BYTES(BINDING, 20));
  assert_non_null(rig_next(d));
  rig_free(r);
}

static void takes_new_limits(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  rig_client *a = rig_peer(r, 1), *b = rig_peer(r, 2);
  uint16_t x, y;
  rig_join(a, b, 2, 1, &x, &y);
  thirl_server_set_limits(r->server,
                          &(thirl_server_limits){.max_connections = 1, .idle_timeout_s = 5, .relay_memory = 65536});
  assert_int_equal(rig_connect(r, rig_addr(3))->fate, RIG_ABORTED);
  assert_int_equal(rig_stats(r)->connections, 2);
  rig_send_data(a, x, 1, 0, 262144); /* what was granted stays granted */
  assert_int_equal(rig_channel_of(b, y)->n, 262144);
  rig_settle(r);
  rig_wait(r, 5 * THIRL_S);
  assert_int_equal(a->fate, RIG_ABORTED);
  assert_int_equal(b->fate, RIG_ABORTED);
  rig_free(r);
}

static void is_the_same_as_a_vtable(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  thirl_net_machine m = thirl_server_machine(r->server);
  thirl_net_event ev = {
      .kind = THIRL_NET_DATAGRAM, .id = 2, .remote = rig_addr(1), .payload = THIRL_BYTES(BINDING, 20)};
  thirl_net_action a;
  uint8_t buf[4];
  m.input(m.self, r->now, &ev);
  assert_int_equal(m.deadline(m.self), r->now);
  assert_true(m.poll(m.self, r->now, &a));
  assert_int_equal(a.payload.n, 32);
  assert_false(m.poll(m.self, r->now, &a));
  assert_int_equal(m.pull(m.self, r->now, 9, buf, 4), 0);
  rig_free(r);
}

/* 200 peers, 300 channels, random amounts sent within the credit, random pulls, random ends: every byte arrives in its place or its channel has ended. */
enum { SOAK_PEERS = 200, SOAK_CHANNELS = 300, SOAK_STEPS = 20000 };

typedef struct soak_end {
  rig_client *from, *to;
  uint16_t at_from, at_to;
  uint64_t pattern, sent, credit;
  bool over;
} soak_end;

static void soak_collect(rig_client *c, soak_end *ends, size_t n) {
  for (const rig_message *m; (m = rig_next(c)) != NULL;) {
    if (m->m.method != THIRL_STUN_METHOD_THIRL_CHANNEL) continue;
    for (size_t i = 0; i < n; i++) {
      if (ends[i].from != c || ends[i].at_from != m->m.channel) continue;
      if (m->m.has_credit) ends[i].credit += m->m.credit;
      if (m->m.has_reason) ends[i].over = true;
    }
  }
}

static void soak_send(soak_end *e, thirl_dice *d) {
  size_t n = (size_t)thirl_dice_below(d, thirl_dice_below(d, 8) ? 3000 : 100000);
  n = THIRL_MIN(n, (size_t)e->credit);
  if (e->over || e->from->fate != RIG_OPEN || n == 0) return;
  rig_send_data(e->from, e->at_from, e->pattern, e->sent, n);
  e->sent += n;
  e->credit -= n;
}

static void soak(uint64_t seed) {
  thirl_server_limits l = {
      .relay_memory = 16 << 20, .connects_per_minute = 100000, .idle_timeout_s = 86400, .max_channels = 400};
  rig *r = rig_new(seed, &l);
  rig_client **peers = calloc(SOAK_PEERS, sizeof *peers);
  soak_end *ends = calloc(2 * SOAK_CHANNELS, sizeof *ends);
  thirl_dice d;
  size_t n = 0;
  r->audit = false;
  thirl_dice_seed(&d, seed);
  for (uint64_t i = 0; i < SOAK_PEERS; i++)
    peers[i] = rig_peer(r, i);
  for (uint64_t i = 0; i < SOAK_CHANNELS; i++) {
    uint64_t x = thirl_dice_below(&d, SOAK_PEERS), y = (x + 1 + thirl_dice_below(&d, SOAK_PEERS - 1)) % SOAK_PEERS;
    soak_end a = {.from = peers[x], .to = peers[y], .pattern = 2 * i + 1},
             b = {.from = peers[y], .to = peers[x], .pattern = 2 * i + 2};
    rig_send_connect(peers[x], &peers[y]->peer, y, (uint8_t)i);
    const rig_message *at_x = rig_next(peers[x]), *at_y = rig_next(peers[y]);
    if (at_x->m.cls != THIRL_STUN_SUCCESS) continue;
    a.at_from = b.at_to = at_x->m.channel;
    b.at_from = a.at_to = at_y->m.channel;
    a.credit = at_x->m.credit;
    b.credit = at_y->m.credit;
    rig_channel_of(peers[x], a.at_from)->pattern = b.pattern;
    rig_channel_of(peers[y], b.at_from)->pattern = a.pattern;
    ends[n++] = a;
    ends[n++] = b;
  }
  assert_true(n > SOAK_CHANNELS);
  for (unsigned step = 0; step < SOAK_STEPS; step++) {
    rig_client *c = peers[thirl_dice_below(&d, SOAK_PEERS)];
    uint64_t what = thirl_dice_below(&d, 1000);
    if (what < 500)
      soak_send(&ends[thirl_dice_below(&d, n)], &d);
    else if (what < 700)
      rig_stall(c, true);
    else if (what < 900 && c->fate == RIG_OPEN)
      c->cap = (size_t)(1 + thirl_dice_below(&d, 20000)), rig_stall(c, false);
    else if (what < 990 && c->fate == RIG_OPEN)
      rig_pull(c, (size_t)(1 + thirl_dice_below(&d, 3000)));
    else if (what == 999 && c->fate == RIG_OPEN)
      rig_lost(c);
    rig_settle(r);
    soak_collect(c, ends, n);
    assert_true(rig_stats(r)->relay_reserved <= l.relay_memory);
    if (step % 500 == 0) assert_true(thirl_server_is_consistent(r->server));
  }
  for (size_t i = 0; i < SOAK_PEERS; i++)
    if (peers[i]->fate == RIG_OPEN) rig_stall(peers[i], false);
  assert_true(thirl_server_is_consistent(r->server));
  assert_int_equal(rig_stats(r)->relay_buffered, 0);
  uint64_t delivered = 0, whole = 0;
  for (size_t i = 0; i < n; i++) {
    rig_channel *ch = rig_channel_of(ends[i].to, ends[i].at_to);
    assert_int_equal(ch->wrong, 0);
    assert_true(ch->n <= ends[i].sent);
    if (ends[i].to->fate == RIG_OPEN && ends[i].from->fate == RIG_OPEN) {
      assert_int_equal(ch->n, ends[i].sent);
      whole++;
    }
    delivered += ch->n;
  }
  assert_true(whole > 0 && delivered > 1000000);
  for (size_t i = 0; i < SOAK_PEERS; i++)
    if (peers[i]->fate == RIG_OPEN) rig_eof(peers[i]);
  const thirl_server_stats *st = rig_stats(r);
  assert_int_equal(st->connections | st->registrations | st->channels | st->relay_buffered | st->relay_reserved, 0);
  assert_int_equal(st->sessions, n / 2);
  free(ends);
  free(peers);
  rig_free(r);
}

static void moves_every_byte_of_a_random_crowd(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 3; seed++)
    soak(seed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(opens_its_listeners_first),
      cmocka_unit_test(ends_silent_strangers),
      cmocka_unit_test(ends_registrations_that_are_not_refreshed),
      cmocka_unit_test(limits_connections),
      cmocka_unit_test(gives_up_streams_that_are_no_stun),
      cmocka_unit_test(drops_single_odd_messages),
      cmocka_unit_test(sends_what_waits_before_it_closes),
      cmocka_unit_test(gives_up_a_client_that_asks_and_never_reads),
      cmocka_unit_test(drains),
      cmocka_unit_test(lives_with_odd_carriers),
      cmocka_unit_test(takes_new_limits),
      cmocka_unit_test(is_the_same_as_a_vtable),
      cmocka_unit_test(moves_every_byte_of_a_random_crowd),
  };
  return cmocka_run_group_tests_name("server/server", tests, NULL, NULL);
}
