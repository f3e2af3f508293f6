/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "unit/server/corners.h"

enum { ID = THIRL_NET_ID_ACCEPTED };

static thirl_addr client(uint8_t host) {
  return thirl_addr_v4(198, 51, 100, host, 4711);
}

static void is_at(thirl_addr a, thirl_addr b) {
  char x[THIRL_ADDR_TEXT_MAX], y[THIRL_ADDR_TEXT_MAX];
  assert_string_equal(thirl_addr_format(&a, x), thirl_addr_format(&b, y));
}

/* What the answer says of the probe. */
static void says(const corners_sent *s, thirl_error outcome) {
  uint32_t v;
  assert_non_null(s);
  assert_int_equal(s->msg.cls, THIRL_STUN_SUCCESS);
  assert_int_equal(thirl_stun_msg_get_u32(&s->msg, THIRL_STUN_ATTR_THIRL_PROBE, &v), THIRL_OK);
  assert_string_equal(thirl_error_name((thirl_error)v), thirl_error_name(outcome));
}

/* What becomes of the last CONNECT; the answer to it, if there is one. */
static const corners_sent *happens(corners *c, const thirl_net_action *a, thirl_net_kind kind, thirl_error error) {
  thirl_net_event ev = {.kind = kind, .id = a->id, .local = a->local, .remote = a->remote, .error = error};
  corners_input(c, &ev);
  return c->n_sent ? &c->sent[0] : NULL;
}

static thirl_net_action asks(corners *c, thirl_net_id id, uint32_t flags) {
  assert_null(corners_say(c, id, corners_change(flags)));
  assert_int_equal(c->n_connect, 1);
  return c->connect[0];
}

static void a_plain_request_is_answered_at_once(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 0);
  for (unsigned at = 0; at < 4; at++) {
    corners_accept(c, ID + at, corners_at(at), client(7));
    for (int i = 0; i < 2; i++) {
      const corners_sent *s = corners_say(c, ID + at, i ? corners_change(0) : corners_plain());
      is_at(corners_get(s, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS), client(7));
      is_at(corners_get(s, THIRL_STUN_ATTR_RESPONSE_ORIGIN), corners_at(at));
      is_at(corners_get(s, THIRL_STUN_ATTR_OTHER_ADDRESS), at & 2 && i == 0 ? (thirl_addr){0} : corners_at(at ^ 3));
      assert_false(thirl_stun_msg_has(&s->msg, THIRL_STUN_ATTR_THIRL_PROBE));
      assert_int_equal(c->n_connect, 0);
    }
  }
  corners_free(c);
}

static void connects_from_where_it_is_told(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 0);
  for (unsigned at = 0; at < 4; at++)
    for (unsigned across = 1; across < 4; across++) {
      thirl_net_id id = ID + at * 4 + across;
      corners_accept(c, id, corners_at(at), client((uint8_t)(id - ID)));
      thirl_net_action a = asks(c, id, across << 1);
      is_at(a.local, corners_at(at ^ across));
      is_at(a.remote, client((uint8_t)(id - ID)));
      assert_true(a.id > 16 && a.id < THIRL_NET_ID_ACCEPTED);
      const corners_sent *s = happens(c, &a, THIRL_NET_CONNECTED, THIRL_OK);
      says(s, THIRL_OK);
      is_at(corners_get(s, THIRL_STUN_ATTR_RESPONSE_ORIGIN), corners_at(at)); /* of the answer, not of the probe */
      assert_memory_equal(s->msg.tid, "corners-test", 12);
      assert_int_equal(c->n_aborted, 1);
      assert_int_equal(c->aborted[0], a.id);
    }
  assert_int_equal(thirl_server_stats_of(c->server)->probes, 12);
  corners_free(c);
}

static void tells_how_it_went(void **state) {
  (void)state;
  static const thirl_error outcomes[] = {THIRL_E_REFUSED, THIRL_E_UNREACHABLE, THIRL_E_IN_USE, THIRL_E_LIMIT};
  corners *c = corners_new(NULL, 0);
  corners_accept(c, ID, corners_at(0), client(7));
  for (size_t i = 0; i < 4; i++) {
    thirl_net_action a = asks(c, ID, 6);
    says(happens(c, &a, THIRL_NET_FAILED, outcomes[i]), outcomes[i]);
    assert_int_equal(c->n_aborted, 0); /* it is dead already */
  }
  corners_free(c);
}

static void gives_up_after_four_seconds(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 0);
  corners_accept(c, ID, corners_at(0), client(7));
  thirl_net_action a = asks(c, ID, 2);
  assert_int_equal(thirl_server_deadline(c->server), c->now + 4 * THIRL_S);
  corners_wait(c, 4 * THIRL_S - 1);
  assert_int_equal(c->n_sent + c->n_aborted, 0);
  corners_wait(c, 1);
  assert_int_equal(c->n_sent, 1);
  says(&c->sent[0], THIRL_E_TIMEOUT);
  assert_int_equal(c->n_aborted, 1);
  assert_int_equal(c->aborted[0], a.id);
  assert_null(happens(c, &a, THIRL_NET_CONNECTED, THIRL_OK)); /* nobody any more */
  corners_free(c);
}

static void one_at_a_time_for_one_connection(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 0);
  corners_accept(c, ID, corners_at(0), client(7));
  corners_accept(c, ID + 1, corners_at(0), client(8));
  thirl_net_action a = asks(c, ID, 6), b = asks(c, ID + 1, 6);
  assert_int_not_equal(a.id, b.id);
  const corners_sent *s = corners_say(c, ID, corners_change(6));
  says(s, THIRL_E_LIMIT);
  is_at(corners_get(s, THIRL_STUN_ATTR_RESPONSE_ORIGIN), corners_at(0));
  assert_int_equal(c->n_connect, 0);
  says(happens(c, &b, THIRL_NET_FAILED, THIRL_E_REFUSED), THIRL_E_REFUSED);
  says(happens(c, &a, THIRL_NET_CONNECTED, THIRL_OK), THIRL_OK);
  thirl_net_action again = asks(c, ID, 6);
  assert_int_not_equal(again.id, a.id);
  assert_int_not_equal(again.id, b.id);
  corners_free(c);
}

/* Two things in one turn, before the server was asked what it wants to do: the first one counts. */
static void late_news_are_no_news(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 0);
  corners_accept(c, ID, corners_at(0), client(7));
  thirl_net_action a = asks(c, ID, 6);
  c->now += 4 * THIRL_S;
  thirl_server_input(c->server, c->now, &(thirl_net_event){.kind = THIRL_NET_TICK});
  says(happens(c, &a, THIRL_NET_CONNECTED, THIRL_OK), THIRL_E_TIMEOUT);
  assert_int_equal(c->n_sent, 1);
  assert_int_equal(c->n_aborted, 1);
  a = asks(c, ID, 6);
  thirl_server_input(c->server, c->now, &(thirl_net_event){.kind = THIRL_NET_CONNECTED, .id = a.id});
  says(corners_say(c, ID, corners_change(6)), THIRL_OK); /* of the first; the second has begun */
  assert_int_equal(c->n_connect, 1);
  assert_int_not_equal(c->connect[0].id, a.id);
  corners_free(c);
}

/* base/net.h: ids are never used twice. */
static void ids_do_not_come_again(void **state) {
  (void)state;
  enum { N = 2500 };
  static thirl_net_id seen[N];
  thirl_server_config cfg = {.limits = {.probes_per_second_per_ip = 1000000, .requests_per_second = 100000}};
  for (unsigned i = 0; i < 4; i++)
    cfg.listen_tcp[i] = corners_at(i);
  corners *c = corners_new(&cfg, 0);
  corners_accept(c, ID, corners_at(0), client(7));
  for (size_t i = 0; i < N; i++) {
    thirl_net_action a = asks(c, ID, 6);
    seen[i] = a.id;
    for (size_t k = 0; k < i; k++)
      if (seen[k] == a.id) fail_msg("%zu is %zu again", i, k);
    says(happens(c, &a, THIRL_NET_FAILED, THIRL_E_REFUSED), THIRL_E_REFUSED);
  }
  corners_free(c);
}

static thirl_server_config four(void) {
  thirl_server_config cfg = {.log = NULL};
  for (unsigned i = 0; i < 4; i++)
    cfg.listen_tcp[i] = corners_at(i);
  return cfg;
}

static void so_many_at_a_time_in_all(void **state) {
  (void)state;
  thirl_server_config cfg = four();
  cfg.limits.max_probes = 2;
  corners *c = corners_new(&cfg, 0);
  thirl_net_action a[3];
  for (uint8_t i = 0; i < 3; i++) {
    corners_accept(c, ID + i, corners_at(0), client(i));
    if (i < 2) a[i] = asks(c, ID + i, 6);
  }
  says(corners_say(c, ID + 2, corners_change(6)), THIRL_E_LIMIT);
  assert_int_equal(thirl_server_stats_of(c->server)->limited, 1);
  says(happens(c, &a[0], THIRL_NET_FAILED, THIRL_E_REFUSED), THIRL_E_REFUSED);
  a[2] = asks(c, ID + 2, 6);
  corners_free(c);
}

static void so_many_per_second_to_one_address(void **state) {
  (void)state;
  thirl_server_config cfg = four();
  cfg.limits.probes_per_second_per_ip = 2;
  corners *c = corners_new(&cfg, 0);
  for (uint16_t i = 0; i < 4; i++) {
    thirl_addr from = thirl_addr_with_port(client(7), (uint16_t)(100 + i));
    corners_accept(c, ID + i, corners_at(0), from);
    if (i < 2)
      asks(c, ID + i, 6);
    else
      says(corners_say(c, ID + i, corners_change(6)), THIRL_E_LIMIT);
  }
  corners_accept(c, ID + 9, corners_at(0), client(8));
  asks(c, ID + 9, 6);
  c->now += THIRL_S;
  asks(c, ID + 3, 6);
  corners_free(c);
}

static void nobody_is_told_when_the_asker_has_gone(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 0);
  corners_accept(c, ID, corners_at(0), client(7));
  thirl_net_action a = asks(c, ID, 6);
  corners_input(c, &(thirl_net_event){.kind = THIRL_NET_FAILED, .id = ID, .error = THIRL_E_RESET});
  assert_null(happens(c, &a, THIRL_NET_CONNECTED, THIRL_OK));
  assert_int_equal(c->n_aborted, 1);
  corners_accept(c, ID + 1, corners_at(0), client(7));
  a = asks(c, ID + 1, 6);
  corners_input(c, &(thirl_net_event){.kind = THIRL_NET_EOF, .id = ID + 1});
  corners_wait(c, 4 * THIRL_S);
  assert_int_equal(c->n_sent, 0);
  assert_int_equal(c->n_aborted, 1);
  assert_int_equal(c->aborted[0], a.id);
  assert_int_equal(thirl_server_deadline(c->server), THIRL_NEVER);
  corners_free(c);
}

static void refuses_what_tcp_cannot(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 0);
  corners_accept(c, ID, corners_at(0), client(7));
  thirl_stun_writer *w = corners_begin();
  thirl_stun_writer_u16(w, THIRL_STUN_ATTR_RESPONSE_PORT, 9);
  assert_int_equal(corners_code(corners_say(c, ID, corners_end(w))), 400);
  w = corners_begin();
  thirl_stun_writer_bytes(w, THIRL_STUN_ATTR_CHANGE_REQUEST, THIRL_BYTES("\0\0\0\6\0\0\0", 8));
  assert_int_equal(corners_code(corners_say(c, ID, corners_end(w))), 400);
  w = corners_begin();
  thirl_stun_writer_u32(w, THIRL_STUN_ATTR_CHANGE_REQUEST, 6);
  thirl_stun_writer_flag(w, 0x7f01);
  assert_int_equal(corners_code(corners_say(c, ID, corners_end(w))), 420);
  assert_int_equal(c->n_connect, 0);
  corners_free(c);
}

static void without_another_address_only_the_port_changes(void **state) {
  (void)state;
  thirl_server_config one = {.log = NULL};
  one.listen_tcp[0] = thirl_addr_any(THIRL_FAMILY_V4, 3478);
  one.listen_tcp[1] = thirl_addr_any(THIRL_FAMILY_V4, 3479);
  corners *c = corners_new(&one, 0);
  corners_accept(c, ID, corners_at(0), client(7));
  assert_int_equal(corners_code(corners_say(c, ID, corners_change(6))), 420);
  assert_int_equal(corners_code(corners_say(c, ID, corners_change(2))), 420);
  thirl_stun_writer *w = corners_begin();
  uint16_t port;
  thirl_stun_writer_u16(w, THIRL_STUN_ATTR_THIRL_OTHER_PORT, 0);
  thirl_stun_writer_u32(w, THIRL_STUN_ATTR_CHANGE_REQUEST, 2);
  assert_null(corners_say(c, ID, corners_end(w)));
  assert_int_equal(c->n_connect, 1);
  thirl_net_action a = c->connect[0];
  is_at(a.local, corners_at(1));
  const corners_sent *s = happens(c, &a, THIRL_NET_FAILED, THIRL_E_REFUSED);
  says(s, THIRL_E_REFUSED);
  assert_int_equal(thirl_stun_msg_get_u16(&s->msg, THIRL_STUN_ATTR_THIRL_OTHER_PORT, &port), THIRL_OK);
  assert_int_equal(port, 3479);
  corners_free(c);
}

/* UDP has all four, TCP has not: each is asked for itself. Ids: TCP 1-4, UDP 5-8. */
static void tcp_and_udp_have_their_own_corners(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 4);
  corners_accept(c, ID, corners_at(0), client(7));
  assert_int_equal(corners_say(c, ID, corners_plain())->n, 32);
  assert_int_equal(corners_ask(c, corners_at(0), client(7), corners_plain())->n, 68);
  corners_free(c);
}

/* With the listeners given back nothing can be promised any more. */
static void draining_ends_it(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 0);
  corners_accept(c, ID, corners_at(0), client(7));
  thirl_server_drain(c->server, c->now, c->now + THIRL_S);
  corners_wait(c, 1);
  assert_int_equal(corners_code(corners_say(c, ID, corners_change(6))), 420);
  assert_int_equal(corners_say(c, ID, corners_plain())->n, 32);
  corners_free(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_plain_request_is_answered_at_once),
      cmocka_unit_test(connects_from_where_it_is_told),
      cmocka_unit_test(tells_how_it_went),
      cmocka_unit_test(gives_up_after_four_seconds),
      cmocka_unit_test(one_at_a_time_for_one_connection),
      cmocka_unit_test(late_news_are_no_news),
      cmocka_unit_test(ids_do_not_come_again),
      cmocka_unit_test(so_many_at_a_time_in_all),
      cmocka_unit_test(so_many_per_second_to_one_address),
      cmocka_unit_test(nobody_is_told_when_the_asker_has_gone),
      cmocka_unit_test(refuses_what_tcp_cannot),
      cmocka_unit_test(without_another_address_only_the_port_changes),
      cmocka_unit_test(tcp_and_udp_have_their_own_corners),
      cmocka_unit_test(draining_ends_it),
  };
  return cmocka_run_group_tests_name("server/probe", tests, NULL, NULL);
}
