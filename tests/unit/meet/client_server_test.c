/* SPDX-License-Identifier: MIT */
/* Two clients and the real server, without a network: what one half writes the other half reads. */
#include "meet/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes_of.h"
#include "server/server.h"
#include "stun/stream.h"

enum { EVENTS_MAX = 16, DATA_MAX = 64 };

typedef struct end {
  thirl_meet_client *c;
  thirl_p256 *key;
  thirl_peerid id;
  uint8_t drawn;
  thirl_secrets secrets;
  thirl_net_id net;
  thirl_meet_event events[EVENTS_MAX]; /* their views are dead */
  size_t n;
  char data[DATA_MAX]; /* what came on channels */
  size_t data_n;
} end;

typedef struct table {
  thirl_time now;
  thirl_server *server;
  uint8_t drawn;
  thirl_secrets secrets;
  end a, b;
} table;

static void end_init(end *e, unsigned first, thirl_net_id net) {
  uint8_t scalar[THIRL_P256_PRIVATE_LEN], point[THIRL_P256_PUBLIC_LEN];
  bytes_ramp(scalar, sizeof scalar, first);
  e->drawn = (uint8_t)first;
  e->net = net;
  e->secrets = bytes_secrets(&e->drawn);
  assert_int_equal(thirl_p256_from_private(scalar, &e->key), THIRL_OK);
  thirl_p256_get_public(e->key, point);
  assert_int_equal(thirl_peerid_of_public(THIRL_BYTES(point, sizeof point), &e->id), THIRL_OK);
  thirl_meet_client_config cfg = {.key = e->key, .id = e->id, .secrets = &e->secrets};
  assert_int_equal(thirl_meet_client_new(&cfg, &e->c), THIRL_OK);
}

static void take(table *t, end *e, thirl_bytes in) {
  thirl_meet_event ev;
  while (thirl_meet_client_next(e->c, t->now, &in, &ev) == THIRL_OK) {
    assert_true(e->n < EVENTS_MAX);
    if (ev.kind == THIRL_MEET_CHANNEL_DATA) {
      assert_true(e->data_n + ev.payload.n <= DATA_MAX);
      memcpy(e->data + e->data_n, ev.payload.p, ev.payload.n);
      e->data_n += ev.payload.n;
    }
    e->events[e->n++] = ev;
  }
}

static void to_server(table *t, thirl_net_kind kind, const end *e, thirl_bytes payload) {
  thirl_net_event ev = {.kind = kind,
                        .id = e->net,
                        .listener = 1,
                        .local = thirl_addr_v4(192, 0, 2, 1, 3478),
                        .remote = thirl_addr_v4(198, 51, 100, (uint8_t)e->net, 5000),
                        .payload = payload};
  thirl_server_input(t->server, t->now, &ev);
}

/* Carry bytes until nobody has any. Each turn takes a millisecond. */
static void carry(table *t) {
  uint8_t bytes[4096];
  end *ends[] = {&t->a, &t->b};
  for (bool busy = true; busy; t->now += THIRL_MS) {
    busy = false;
    thirl_net_action action;
    while (thirl_server_poll(t->server, t->now, &action))
      busy = true;
    for (int i = 0; i < 2; i++) {
      size_t n = thirl_meet_client_pull(ends[i]->c, bytes, sizeof bytes);
      if (n) to_server(t, THIRL_NET_DATA, ends[i], THIRL_BYTES(bytes, n));
      size_t m = thirl_server_pull(t->server, t->now, ends[i]->net, bytes, sizeof bytes);
      if (m) take(t, ends[i], THIRL_BYTES(bytes, m));
      busy = busy || n || m;
    }
  }
}

static int setup(void **state) {
  table *t = calloc(1, sizeof *t);
  assert_non_null(t);
  t->now = 1000 * THIRL_S;
  t->secrets = bytes_secrets(&t->drawn);
  thirl_server_config cfg = {.secrets = &t->secrets};
  cfg.listen_tcp[0] = thirl_addr_v4(192, 0, 2, 1, 3478);
  assert_int_equal(thirl_server_new(&cfg, t->now, &t->server), THIRL_OK);
  end_init(&t->a, 1, THIRL_NET_ID_ACCEPTED + 1);
  end_init(&t->b, 50, THIRL_NET_ID_ACCEPTED + 2);
  thirl_net_action action;
  assert_true(thirl_server_poll(t->server, t->now, &action));
  thirl_net_event ev = {.kind = THIRL_NET_LISTENING, .id = action.id, .local = cfg.listen_tcp[0]};
  thirl_server_input(t->server, t->now, &ev);
  *state = t;
  return 0;
}

static int teardown(void **state) {
  table *t = *state;
  thirl_meet_client_free(t->a.c);
  thirl_meet_client_free(t->b.c);
  thirl_p256_free(t->a.key);
  thirl_p256_free(t->b.key);
  thirl_server_free(t->server);
  free(t);
  return 0;
}

static void connect_to_server(table *t, end *e) {
  to_server(t, THIRL_NET_ACCEPTED, e, THIRL_BYTES(NULL, 0));
  assert_int_equal(thirl_meet_client_connected(e->c, t->now), THIRL_OK);
}

static thirl_meet_offer offer_of(const end *e) {
  thirl_meet_offer o = {.ufrag = "ufrag", .pwd = "password", .n = 1};
  o.candidates[0] = (thirl_meet_candidate){.type = THIRL_MEET_SRFLX,
                                           .transport = THIRL_MEET_TCP_SO,
                                           .addr = thirl_addr_v4(198, 51, 100, (uint8_t)e->net, 5000),
                                           .priority = 9};
  return o;
}

/* B leaves an offer and the check of a ticket, and registers. */
static thirl_meet_ticket stand(table *t) {
  uint8_t proof[THIRL_MEET_PROOF_LEN], check[1][THIRL_MEET_CHECK_LEN];
  thirl_meet_offer o = offer_of(&t->b);
  thirl_meet_ticket ticket;
  assert_int_equal(thirl_meet_ticket_make(&t->b.secrets, "example.org", 3478, &t->b.id, &ticket), THIRL_OK);
  assert_int_equal(thirl_meet_ticket_proof(&ticket, proof), THIRL_OK);
  assert_int_equal(thirl_meet_ticket_check(proof, check[0]), THIRL_OK);
  assert_int_equal(thirl_meet_client_set_standing(t->b.c, t->now, &o, (const uint8_t(*)[16])check, 1), THIRL_OK);
  connect_to_server(t, &t->b);
  carry(t);
  assert_int_equal(t->b.n, 1);
  assert_int_equal(t->b.events[0].kind, THIRL_MEET_REGISTERED);
  t->b.n = 0;
  return ticket;
}

static thirl_error dial(table *t, const thirl_meet_ticket *ticket, uint8_t session) {
  uint8_t id[THIRL_MEET_SESSION_ID_LEN] = {session};
  thirl_meet_offer o = offer_of(&t->a);
  return thirl_meet_client_connect(t->a.c, t->now, ticket, id, &o);
}

static void send_data(table *t, end *e, uint16_t channel, const char *text) {
  uint8_t bytes[4 + DATA_MAX] = {0};
  size_t n = strlen(text);
  assert_true(thirl_meet_client_channel_credit(e->c, channel) >= n);
  thirl_meet_client_channel_spend(e->c, channel, n);
  thirl_stun_stream_put_channel(bytes, channel, (uint16_t)n);
  memcpy(bytes + 4, text, n);
  to_server(t, THIRL_NET_DATA, e, THIRL_BYTES(bytes, 4 + (n + 3) / 4 * 4));
}

static void test_meet_and_talk(void **state) {
  table *t = *state;
  thirl_meet_ticket ticket = stand(t);
  uint8_t mac[THIRL_MEET_MAC_LEN], session[THIRL_MEET_SESSION_ID_LEN] = {7}, bytes[THIRL_MEET_OFFER_MAX];
  size_t n;
  connect_to_server(t, &t->a);
  assert_int_equal(dial(t, &ticket, 7), THIRL_OK); /* right behind the REGISTER */
  carry(t);
  assert_int_equal(t->a.n, 2);
  assert_int_equal(t->a.events[0].kind, THIRL_MEET_REGISTERED);
  const thirl_meet_event *go = &t->a.events[1], *offered = &t->b.events[0];
  assert_int_equal(go->kind, THIRL_MEET_CONNECTED);
  assert_int_equal(t->b.n, 1);
  assert_int_equal(offered->kind, THIRL_MEET_OFFERED);
  assert_memory_equal(go->session, session, sizeof session);
  assert_memory_equal(offered->session, session, sizeof session);
  assert_true(thirl_peerid_equal(&offered->peer, &t->a.id));
  thirl_meet_offer of_a = offer_of(&t->a), of_b = offer_of(&t->b);
  assert_memory_equal(&go->offer, &of_b, sizeof of_b);
  assert_memory_equal(&offered->offer, &of_a, sizeof of_a);
  assert_int_equal(thirl_meet_offer_encode(&of_a, bytes, sizeof bytes, &n), THIRL_OK);
  assert_int_equal(
      thirl_meet_ticket_mac(&ticket, &t->a.id, THIRL_BYTES(session, sizeof session), THIRL_BYTES(bytes, n), mac),
      THIRL_OK);
  assert_memory_equal(offered->offer_mac, mac, sizeof mac);

  send_data(t, &t->a, go->channel, "from a");
  send_data(t, &t->b, offered->channel, "from b!");
  carry(t);
  assert_int_equal(t->b.data_n, 6);
  assert_memory_equal(t->b.data, "from a", 6);
  assert_int_equal(t->a.data_n, 7);
  assert_memory_equal(t->a.data, "from b!", 7);

  t->b.n = 0;
  thirl_meet_client_end_channel(t->a.c, t->now, go->channel, THIRL_E_PEER_CLOSED);
  carry(t);
  assert_int_equal(t->b.n, 1);
  assert_int_equal(t->b.events[0].kind, THIRL_MEET_CHANNEL_ENDED);
  assert_int_equal(t->b.events[0].error, THIRL_E_PEER_CLOSED);
}

/* Credit comes back for what has been carried, so that more than the first grant can be sent. */
static void test_credit_comes_back(void **state) {
  table *t = *state;
  thirl_meet_ticket ticket = stand(t);
  connect_to_server(t, &t->a);
  assert_int_equal(dial(t, &ticket, 7), THIRL_OK);
  carry(t);
  uint16_t channel = t->a.events[1].channel;
  size_t grant = thirl_meet_client_channel_credit(t->a.c, channel), sent = 0;
  assert_true(grant > 0);
  while (sent <= 2 * grant) {
    static const uint8_t zeroes[THIRL_MEET_DATA_MAX];
    uint8_t header[THIRL_STUN_CHANNEL_HEADER_LEN];
    size_t room = thirl_meet_client_channel_credit(t->a.c, channel), n = room < sizeof zeroes ? room : sizeof zeroes;
    n -= n % 4;
    assert_true(n > 0);
    thirl_meet_client_channel_spend(t->a.c, channel, n);
    thirl_stun_stream_put_channel(header, channel, (uint16_t)n);
    to_server(t, THIRL_NET_DATA, &t->a, THIRL_BYTES(header, sizeof header));
    to_server(t, THIRL_NET_DATA, &t->a, THIRL_BYTES(zeroes, n));
    uint8_t sink[65536];
    thirl_net_action action;
    do {
      while (thirl_server_poll(t->server, t->now, &action)) {
      }
    } while (thirl_server_pull(t->server, t->now, t->b.net, sink, sizeof sink));
    size_t m;
    while ((m = thirl_server_pull(t->server, t->now, t->a.net, sink, sizeof sink)) != 0) {
      t->a.n = 0;
      take(t, &t->a, THIRL_BYTES(sink, m));
    }
    sent += n;
  }
  assert_int_equal(thirl_meet_client_state_of(t->a.c), THIRL_MEET_CLIENT_REGISTERED);
}

static void test_wrong_ticket(void **state) {
  table *t = *state;
  thirl_meet_ticket ticket = stand(t), other = ticket;
  connect_to_server(t, &t->a);
  ticket.secret[0] ^= 1;
  other.peer.b[0] ^= 1;
  assert_int_equal(dial(t, &ticket, 1), THIRL_OK);
  assert_int_equal(dial(t, &other, 2), THIRL_OK);
  carry(t);
  assert_int_equal(t->b.n, 0);
  assert_int_equal(t->a.n, 3);
  for (size_t i = 1; i < 3; i++) {
    assert_int_equal(t->a.events[i].kind, THIRL_MEET_NOT_CONNECTED);
    assert_int_equal(t->a.events[i].error, THIRL_E_NO_PEER);
  }
}

static void test_refresh_and_withdraw(void **state) {
  table *t = *state;
  thirl_meet_ticket ticket = stand(t);
  t->now = thirl_meet_client_deadline(t->b.c);
  thirl_meet_client_tick(t->b.c, t->now);
  carry(t);
  assert_int_equal(t->b.n, 0);
  assert_int_equal(thirl_server_stats_of(t->server)->refreshed, 1);
  assert_int_equal(thirl_meet_client_set_standing(t->b.c, t->now, NULL, NULL, 0), THIRL_OK);
  carry(t);
  assert_int_equal(thirl_server_stats_of(t->server)->refreshed, 2);
  connect_to_server(t, &t->a);
  assert_int_equal(dial(t, &ticket, 1), THIRL_OK);
  carry(t);
  assert_int_equal(t->a.events[1].kind, THIRL_MEET_NOT_CONNECTED);
  assert_int_equal(t->a.events[1].error, THIRL_E_NO_PEER);
}

static void test_drain(void **state) {
  table *t = *state;
  stand(t);
  thirl_server_drain(t->server, t->now, t->now + 10 * THIRL_S);
  carry(t);
  assert_int_equal(t->b.n, 1);
  assert_int_equal(t->b.events[0].kind, THIRL_MEET_DRAINING);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_meet_and_talk), TEST(test_credit_comes_back),    TEST(test_wrong_ticket),
      TEST(test_drain),         TEST(test_refresh_and_withdraw),
  };
  return cmocka_run_group_tests_name("meet/client_server", tests, NULL, NULL);
}
