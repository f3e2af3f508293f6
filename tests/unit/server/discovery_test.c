/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "unit/server/corners.h"

enum { ORIGIN = THIRL_STUN_ATTR_RESPONSE_ORIGIN, OTHER = THIRL_STUN_ATTR_OTHER_ADDRESS };
enum { MAPPED = THIRL_STUN_ATTR_MAPPED_ADDRESS, XOR_MAPPED = THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS };

static const thirl_addr nowhere;

static thirl_addr client(uint8_t host) {
  return thirl_addr_v4(198, 51, 100, host, 4711);
}

static void is_at(thirl_addr a, thirl_addr b) {
  char x[THIRL_ADDR_TEXT_MAX], y[THIRL_ADDR_TEXT_MAX];
  assert_string_equal(thirl_addr_format(&a, x), thirl_addr_format(&b, y));
}

static size_t padding_of(const corners_sent *s) {
  thirl_bytes v;
  return thirl_stun_msg_find(&s->msg, THIRL_STUN_ATTR_PADDING, &v) ? v.n : SIZE_MAX;
}

/* RFC 5780 section 6.1, table 1, asked at each of the four: Da is where it was asked, Ca the other. */
static void follows_the_table_of_the_rfc(void **state) {
  (void)state;
  static const struct {
    uint32_t flags;
    unsigned across;
  } rows[] = {{0, 0}, {4, 2}, {2, 1}, {6, 3}};
  corners *c = corners_new(NULL, 0);
  for (unsigned at = 0; at < 4; at++)
    for (size_t i = 0; i < 4; i++) {
      const corners_sent *s = corners_ask(c, corners_at(at), client(7), corners_change(rows[i].flags));
      assert_non_null(s);
      is_at(s->from, corners_at(at ^ rows[i].across));
      is_at(s->to, client(7));
      is_at(corners_get(s, ORIGIN), s->from);
      is_at(corners_get(s, OTHER), corners_at(at ^ 3));
      is_at(corners_get(s, XOR_MAPPED), client(7));
      is_at(corners_get(s, MAPPED), client(7));
      assert_memory_equal(s->msg.tid, "corners-test", 12);
    }
  assert_int_equal(thirl_server_stats_of(c->server)->bindings, 16);
  corners_free(c);
}

static void a_plain_request_has_the_plain_answer(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 0);
  for (unsigned at = 0; at < 4; at++) {
    const corners_sent *s = corners_ask(c, corners_at(at), client(7), corners_plain());
    is_at(s->from, corners_at(at));
    is_at(corners_get(s, ORIGIN), s->from);
    /* coturn's client goes on from the last OTHER-ADDRESS: the second address does not name the first. */
    is_at(corners_get(s, OTHER), at & 2 ? nowhere : corners_at(at ^ 3));
    assert_int_equal(s->n, at & 2 ? 56 : 68);
  }
  corners_free(c);
}

static void sends_to_another_port_of_the_same_address(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 0);
  thirl_stun_writer *w = corners_begin();
  thirl_stun_writer_u16(w, THIRL_STUN_ATTR_RESPONSE_PORT, 9);
  const corners_sent *s = corners_ask(c, corners_at(0), client(7), corners_end(w));
  is_at(s->to, thirl_addr_with_port(client(7), 9));
  is_at(s->from, corners_at(0));
  is_at(corners_get(s, XOR_MAPPED), client(7));
  w = corners_begin();
  thirl_stun_writer_bytes(w, THIRL_STUN_ATTR_RESPONSE_PORT, THIRL_BYTES("\xff\xff", 2));
  thirl_stun_writer_u32(w, THIRL_STUN_ATTR_CHANGE_REQUEST, 6);
  s = corners_ask(c, corners_at(1), client(7), corners_end(w));
  is_at(s->to, thirl_addr_with_port(client(7), 65535));
  is_at(s->from, corners_at(2));
  corners_free(c);
}

static void refuses_what_cannot_be(void **state) {
  (void)state;
  static const struct {
    uint16_t type;
    const char *value;
    size_t n, padding;
  } rows[] = {{THIRL_STUN_ATTR_RESPONSE_PORT, "\0\0\0", 4, SIZE_MAX},
              {THIRL_STUN_ATTR_RESPONSE_PORT, "\x11", 1, SIZE_MAX},
              {THIRL_STUN_ATTR_RESPONSE_PORT, "\x11\x11\0\0\0", 6, SIZE_MAX},
              {THIRL_STUN_ATTR_RESPONSE_PORT, "\x11\x11\0", 4, 100}, /* RFC 5780 section 6.1: not both */
              {THIRL_STUN_ATTR_CHANGE_REQUEST, "\0\0\0\6\0\0\0", 8, SIZE_MAX},
              {THIRL_STUN_ATTR_CHANGE_REQUEST, "", 0, SIZE_MAX}};
  static const uint8_t zeroes[100];
  corners *c = corners_new(NULL, 0);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    thirl_stun_writer *w = corners_begin();
    thirl_stun_writer_bytes(w, rows[i].type, THIRL_BYTES(rows[i].value, rows[i].n));
    if (rows[i].padding != SIZE_MAX)
      thirl_stun_writer_bytes(w, THIRL_STUN_ATTR_PADDING, THIRL_BYTES(zeroes, rows[i].padding));
    const corners_sent *s = corners_ask(c, corners_at(0), client(7), corners_end(w));
    assert_non_null(s);
    assert_int_equal(corners_code(s), 400);
    assert_int_equal(s->n, 28);
    is_at(s->to, client(7)); /* an error never goes elsewhere */
    is_at(s->from, corners_at(0));
  }
  assert_int_equal(thirl_server_stats_of(c->server)->refused, 6);
  corners_free(c);
}

static void unknown_attributes_come_first(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 0);
  thirl_stun_writer *w = corners_begin();
  thirl_bytes list;
  thirl_stun_writer_u32(w, THIRL_STUN_ATTR_CHANGE_REQUEST, 6);
  thirl_stun_writer_u16(w, THIRL_STUN_ATTR_RESPONSE_PORT, 9);
  thirl_stun_writer_flag(w, 0x7f01);
  const corners_sent *s = corners_ask(c, corners_at(0), client(7), corners_end(w));
  assert_int_equal(corners_code(s), 420);
  assert_true(thirl_stun_msg_find(&s->msg, THIRL_STUN_ATTR_UNKNOWN_ATTRIBUTES, &list));
  assert_int_equal(list.n, 2);
  assert_memory_equal(list.p, "\x7f\x01", 2);
  is_at(s->from, corners_at(0));
  is_at(s->to, client(7));
  corners_free(c);
}

/* PADDING in, n bytes in all -> PADDING out: what is left when the rest has its place, 1500 at most. */
static void pads_but_never_beyond_the_request(void **state) {
  (void)state;
  static const struct {
    size_t in, out;
    bool fingerprint;
  } rows[] = {{0, SIZE_MAX, false}, {44, SIZE_MAX, false}, {48, 0, false},      {49, 4, false},    {1500, 1452, false},
              {1500, 1452, true},   {1548, 1500, false},   {2000, 1500, false}, {4000, 1500, true}};
  static const uint8_t zeroes[4000];
  corners *c = corners_new(NULL, 0);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    thirl_stun_writer *w = corners_begin();
    thirl_stun_writer_bytes(w, THIRL_STUN_ATTR_PADDING, THIRL_BYTES(zeroes, rows[i].in));
    if (rows[i].fingerprint) thirl_stun_writer_fingerprint(w);
    thirl_bytes ask = corners_end(w);
    const corners_sent *s = corners_ask(c, corners_at(0), client(7), ask);
    assert_int_equal(padding_of(s), rows[i].out);
    assert_int_equal(s->msg.fingerprint_at != 0, rows[i].fingerprint);
    if (rows[i].out != SIZE_MAX)
      assert_in_range(s->n, 0, ask.n);
    else
      assert_int_equal(s->n, 68);
  }
  corners_free(c);
}

/* The whole alphabet: more out than in only where the standard's own answer is longer than its request, never to another address. */
static void amplifies_nothing_but_the_plain_answer(void **state) {
  (void)state;
  static const uint8_t zeroes[1600];
  corners *c =
      corners_new(&(thirl_server_config){.listen_udp = {corners_at(0), corners_at(1), corners_at(2), corners_at(3)},
                                         .limits = {.discoveries_per_second_per_ip = 1000000}},
                  0);
  for (unsigned mask = 0; mask < 256; mask++) {
    static const size_t paddings[] = {0, 40, 800, 1600};
    thirl_stun_writer *w = corners_begin();
    if (mask & 1) thirl_stun_writer_u32(w, THIRL_STUN_ATTR_CHANGE_REQUEST, mask & 2 ? 6 : 2);
    if (mask & 4) thirl_stun_writer_u16(w, THIRL_STUN_ATTR_RESPONSE_PORT, 9);
    if (mask & 8) thirl_stun_writer_bytes(w, THIRL_STUN_ATTR_PADDING, THIRL_BYTES(zeroes, paddings[mask >> 4 & 3]));
    if (mask & 64) thirl_stun_writer_u16(w, THIRL_STUN_ATTR_THIRL_OTHER_PORT, 0);
    if (mask & 128) thirl_stun_writer_fingerprint(w);
    thirl_bytes ask = corners_end(w);
    c->now += THIRL_S; /* errors are few per second */
    const corners_sent *s = corners_ask(c, corners_at(0), client(7), ask);
    assert_non_null(s);
    assert_true(thirl_addr_same_ip(&s->to, &(thirl_addr){.family = THIRL_FAMILY_V4, .ip = {198, 51, 100, 7}}));
    assert_in_range(s->n, 28, THIRL_MAX(ask.n, (size_t)(68 + (mask & 128 ? 8 : 0))));
  }
  corners_free(c);
}

static void says_that_it_has_no_other_address(void **state) {
  (void)state;
  corners *c = corners_new(&(thirl_server_config){.listen_udp = {corners_at(0), corners_at(2)}}, 0);
  thirl_bytes list;
  for (uint32_t flags = 2; flags <= 6; flags += 2) {
    const corners_sent *s = corners_ask(c, corners_at(0), client(7), corners_change(flags));
    assert_int_equal(corners_code(s), 420);
    assert_true(thirl_stun_msg_find(&s->msg, THIRL_STUN_ATTR_UNKNOWN_ATTRIBUTES, &list));
    assert_int_equal(list.n, 2);
    assert_memory_equal(list.p, "\0\3", 2);
    is_at(s->from, corners_at(0));
  }
  const corners_sent *s = corners_ask(c, corners_at(0), client(7), corners_change(0)); /* asks for nothing */
  assert_int_equal(s->msg.cls, THIRL_STUN_SUCCESS);
  is_at(corners_get(s, ORIGIN), corners_at(0));
  is_at(corners_get(s, OTHER), nowhere);
  s = corners_ask(c, corners_at(0), client(7), corners_plain());
  assert_int_equal(s->n, 32);
  corners_free(c);
}

/* One corner could not be had: what cannot be kept is not promised. Ids: TCP 1-4, UDP 5-8. */
static void promises_nothing_with_a_corner_missing(void **state) {
  (void)state;
  for (thirl_net_id broken = 5; broken <= 8; broken++) {
    corners *c = corners_new(NULL, broken);
    unsigned at = broken == 5 ? 1 : 0;
    const corners_sent *s = corners_ask(c, corners_at(at), client(7), corners_plain());
    assert_int_equal(s->n, 32);
    s = corners_ask(c, corners_at(at), client(7), corners_change(6));
    assert_int_equal(corners_code(s), 420);
    thirl_server_pair p;
    assert_false(thirl_server_announces(c->server, true, 0, &p));
    assert_true(thirl_server_announces(c->server, false, 0, &p));
    is_at(p.primary, corners_at(0));
    is_at(p.alternate, corners_at(3));
    assert_false(thirl_server_announces(c->server, false, 1, &p));
    corners_free(c);
  }
}

static thirl_bytes ports_change(uint32_t flags) {
  thirl_stun_writer *w = corners_begin();
  thirl_stun_writer_u16(w, THIRL_STUN_ATTR_THIRL_OTHER_PORT, 0);
  if (flags) thirl_stun_writer_u32(w, THIRL_STUN_ATTR_CHANGE_REQUEST, flags);
  return corners_end(w);
}

static void offers_a_second_port_to_who_asks_for_it(void **state) {
  (void)state;
  thirl_server_config one = {.log = NULL};
  one.listen_udp[0] = thirl_addr_any(THIRL_FAMILY_V4, 3478);
  one.listen_udp[1] = thirl_addr_any(THIRL_FAMILY_V4, 3479);
  corners *c = corners_new(&one, 0);
  uint16_t port;
  const corners_sent *s = corners_ask(c, corners_at(2), client(7), ports_change(0));
  assert_int_equal(thirl_stun_msg_get_u16(&s->msg, THIRL_STUN_ATTR_THIRL_OTHER_PORT, &port), THIRL_OK);
  assert_int_equal(port, 3479);
  is_at(corners_get(s, ORIGIN), corners_at(2));
  is_at(s->from, corners_at(2));
  s = corners_ask(c, corners_at(2), client(7), ports_change(2));
  is_at(s->from, corners_at(3));
  is_at(corners_get(s, ORIGIN), corners_at(3));
  is_at(corners_get(s, OTHER), nowhere);
  s = corners_ask(c, corners_at(3), client(7), ports_change(2));
  is_at(s->from, corners_at(2));
  assert_int_equal(corners_code(corners_ask(c, corners_at(2), client(7), ports_change(4))), 420);
  assert_int_equal(corners_code(corners_ask(c, corners_at(2), client(7), ports_change(6))), 420);
  assert_int_equal(corners_code(corners_ask(c, corners_at(2), client(7), corners_change(2))), 420);
  assert_int_equal(corners_ask(c, corners_at(2), client(7), corners_plain())->n, 32);
  corners_free(c);
}

static void where_there_is_an_other_address_the_port_is_not_said(void **state) {
  (void)state;
  corners *c = corners_new(NULL, 0);
  const corners_sent *s = corners_ask(c, corners_at(0), client(7), ports_change(0));
  is_at(corners_get(s, OTHER), corners_at(3));
  assert_false(thirl_stun_msg_has(&s->msg, THIRL_STUN_ATTR_THIRL_OTHER_PORT));
  assert_int_equal(s->n, 68);
  corners_free(c);
}

/* Sockets on every address: the answer leaves from the one that the pair says. */
static void changes_between_addresses_of_wildcard_sockets(void **state) {
  (void)state;
  thirl_server_config any = {.pairs = {{corners_at(0), corners_at(3)}}};
  any.listen_udp[0] = thirl_addr_any(THIRL_FAMILY_V4, 3478);
  any.listen_udp[1] = thirl_addr_any(THIRL_FAMILY_V4, 3479);
  corners *c = corners_new(&any, 0);
  for (unsigned at = 0; at < 4; at++)
    for (unsigned across = 0; across < 4; across++) {
      const corners_sent *s = corners_ask(c, corners_at(at), client(7), corners_change(across << 1));
      is_at(s->from, corners_at(at ^ (across & 1) ^ (across & 2)));
      is_at(corners_get(s, OTHER), corners_at(at ^ 3));
    }
  /* A third address of the machine is none of the pair. */
  thirl_addr third = thirl_addr_v4(127, 0, 0, 1, 3478);
  const corners_sent *s = corners_ask(c, third, client(7), corners_plain());
  assert_int_equal(s->n, 32);
  is_at(s->from, third);
  assert_int_equal(corners_code(corners_ask(c, third, client(7), corners_change(4))), 420);
  corners_free(c);
}

/* Behind a NAT that maps whole addresses: sent from the inner ones, spoken of as the outer ones. */
static void speaks_of_itself_as_others_see_it(void **state) {
  (void)state;
  thirl_server_config cfg = {.log = NULL};
  for (unsigned i = 0; i < 4; i++)
    cfg.listen_udp[i] = cfg.listen_tcp[i] = corners_at(i);
  cfg.aliases[0] = (thirl_server_alias){thirl_addr_v4(192, 0, 2, 2, 0), thirl_addr_v4(203, 0, 113, 2, 0)};
  cfg.aliases[2] = (thirl_server_alias){thirl_addr_v4(192, 0, 2, 1, 0), thirl_addr_v4(203, 0, 113, 1, 0)};
  corners *c = corners_new(&cfg, 0);
  const corners_sent *s = corners_ask(c, corners_at(0), client(7), corners_change(6));
  is_at(s->from, corners_at(3));
  is_at(corners_get(s, ORIGIN), thirl_addr_v4(203, 0, 113, 2, 3479));
  is_at(corners_get(s, OTHER), thirl_addr_v4(203, 0, 113, 2, 3479));
  is_at(corners_get(s, XOR_MAPPED), client(7));
  corners_accept(c, THIRL_NET_ID_ACCEPTED, corners_at(0), client(7));
  s = corners_say(c, THIRL_NET_ID_ACCEPTED, corners_plain());
  is_at(corners_get(s, ORIGIN), thirl_addr_v4(203, 0, 113, 1, 3478));
  is_at(corners_get(s, OTHER), thirl_addr_v4(203, 0, 113, 2, 3479));
  assert_null(corners_say(c, THIRL_NET_ID_ACCEPTED, corners_change(4)));
  is_at(c->connect[0].local, corners_at(2));
  s = corners_ask(c, corners_at(2), client(7), corners_plain());
  is_at(corners_get(s, ORIGIN), thirl_addr_v4(203, 0, 113, 2, 3478));
  is_at(corners_get(s, OTHER), nowhere);
  corners_free(c);
}

static thirl_addr six(uint8_t host, uint16_t port) {
  uint8_t ip[16] = {0x20, 1, 0xd, 0xb8, [15] = host};
  return thirl_addr_v6(ip, port);
}

/* A socket on every IPv6 address does not speak for an IPv4 one. */
static void families_do_not_help_each_other(void **state) {
  (void)state;
  thirl_server_config any = {.pairs = {{corners_at(0), corners_at(3)}}};
  any.listen_udp[0] = thirl_addr_any(THIRL_FAMILY_V4, 3478);
  any.listen_udp[1] = thirl_addr_any(THIRL_FAMILY_V6, 3479);
  corners *c = corners_new(&any, 0);
  assert_int_equal(corners_ask(c, corners_at(0), client(7), corners_plain())->n, 32);
  assert_int_equal(corners_code(corners_ask(c, corners_at(0), client(7), ports_change(2))), 420);
  corners_free(c);
}

static void of_several_ports_the_lowest_is_offered(void **state) {
  (void)state;
  thirl_server_config one = {.log = NULL};
  static const uint16_t ports[] = {3478, 5000, 4000, 4500};
  for (size_t i = 0; i < 4; i++)
    one.listen_udp[i] = thirl_addr_any(THIRL_FAMILY_V4, ports[i]);
  corners *c = corners_new(&one, 0);
  uint16_t port;
  const corners_sent *s = corners_ask(c, corners_at(0), client(7), ports_change(2));
  assert_int_equal(thirl_stun_msg_get_u16(&s->msg, THIRL_STUN_ATTR_THIRL_OTHER_PORT, &port), THIRL_OK);
  assert_int_equal(port, 4000);
  assert_int_equal(s->from.port, 4000);
  corners_free(c);
}

static void does_the_same_over_ipv6(void **state) {
  (void)state;
  thirl_server_config both = {.log = NULL};
  for (unsigned i = 0; i < 4; i++) {
    both.listen_udp[i] = corners_at(i);
    both.listen_udp[4 + i] = six(i & 2 ? 2 : 1, i & 1 ? 3479 : 3478);
  }
  corners *c = corners_new(&both, 0);
  const corners_sent *s = corners_ask(c, six(1, 3478), six(77, 4711), corners_change(6));
  is_at(s->from, six(2, 3479));
  is_at(corners_get(s, ORIGIN), six(2, 3479));
  is_at(corners_get(s, OTHER), six(2, 3479));
  is_at(corners_get(s, XOR_MAPPED), six(77, 4711));
  assert_int_equal(s->n, 116);
  s = corners_ask(c, corners_at(1), client(7), corners_change(4));
  is_at(s->from, corners_at(3));
  assert_int_equal(s->n, 68);
  thirl_server_pair p;
  assert_true(thirl_server_announces(c->server, true, 1, &p));
  is_at(p.alternate, six(2, 3479));
  corners_free(c);
}

static void a_pair_has_to_be_of_its_family_and_sound(void **state) {
  (void)state;
  thirl_server *server;
  corners *c = corners_new(NULL, 0); /* for its secrets */
  thirl_server_config cfg = {.secrets = &c->secrets, .listen_udp = {corners_at(0)}};
  cfg.pairs[1] = (thirl_server_pair){corners_at(0), corners_at(3)};
  assert_int_equal(thirl_server_new(&cfg, 0, &server), THIRL_E_INVALID);
  cfg.pairs[1] = (thirl_server_pair){.primary = nowhere};
  cfg.pairs[0] = (thirl_server_pair){corners_at(0), corners_at(1)};
  assert_int_equal(thirl_server_new(&cfg, 0, &server), THIRL_E_INVALID);
  assert_null(server);
  corners_free(c);
}

static void counts_what_is_asked_beyond_the_plain_answer(void **state) {
  (void)state;
  thirl_server_config cfg = {.limits = {.discoveries_per_second_per_ip = 3}};
  for (unsigned i = 0; i < 4; i++)
    cfg.listen_udp[i] = corners_at(i);
  corners *c = corners_new(&cfg, 0);
  for (int i = 0; i < 5; i++) {
    thirl_addr from = client(7);
    from.port = (uint16_t)(100 + i);
    assert_int_equal(corners_ask(c, corners_at(0), from, corners_change(2)) != NULL, i < 3);
  }
  assert_int_equal(thirl_server_stats_of(c->server)->limited, 2);
  assert_null(corners_ask(c, corners_at(0), client(7), corners_change(4)));
  thirl_stun_writer *w = corners_begin();
  thirl_stun_writer_u16(w, THIRL_STUN_ATTR_RESPONSE_PORT, 9);
  assert_null(corners_ask(c, corners_at(0), client(7), corners_end(w)));
  w = corners_begin();
  thirl_stun_writer_flag(w, THIRL_STUN_ATTR_PADDING);
  assert_null(corners_ask(c, corners_at(0), client(7), corners_end(w)));
  assert_non_null(corners_ask(c, corners_at(0), client(7), corners_plain()));
  assert_non_null(corners_ask(c, corners_at(0), client(7), corners_change(0)));
  assert_non_null(corners_ask(c, corners_at(0), client(8), corners_change(2)));
  c->now += THIRL_S;
  assert_non_null(corners_ask(c, corners_at(0), client(7), corners_change(2)));
  corners_free(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(follows_the_table_of_the_rfc),
      cmocka_unit_test(a_plain_request_has_the_plain_answer),
      cmocka_unit_test(sends_to_another_port_of_the_same_address),
      cmocka_unit_test(refuses_what_cannot_be),
      cmocka_unit_test(unknown_attributes_come_first),
      cmocka_unit_test(pads_but_never_beyond_the_request),
      cmocka_unit_test(amplifies_nothing_but_the_plain_answer),
      cmocka_unit_test(says_that_it_has_no_other_address),
      cmocka_unit_test(promises_nothing_with_a_corner_missing),
      cmocka_unit_test(offers_a_second_port_to_who_asks_for_it),
      cmocka_unit_test(where_there_is_an_other_address_the_port_is_not_said),
      cmocka_unit_test(changes_between_addresses_of_wildcard_sockets),
      cmocka_unit_test(speaks_of_itself_as_others_see_it),
      cmocka_unit_test(families_do_not_help_each_other),
      cmocka_unit_test(of_several_ports_the_lowest_is_offered),
      cmocka_unit_test(does_the_same_over_ipv6),
      cmocka_unit_test(a_pair_has_to_be_of_its_family_and_sound),
      cmocka_unit_test(counts_what_is_asked_beyond_the_plain_answer),
  };
  return cmocka_run_group_tests_name("server/discovery", tests, NULL, NULL);
}
