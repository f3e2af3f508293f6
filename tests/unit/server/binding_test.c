/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "stun/writer.h"
#include "support/server_rig.h"

static thirl_bytes request(uint8_t *buf, size_t cap, thirl_stun_class cls, size_t unknown, bool fingerprint) {
  static const uint8_t tid[12] = "binding-test";
  thirl_stun_writer w;
  thirl_bytes out;
  thirl_stun_writer_init(&w, buf, cap, cls, THIRL_STUN_METHOD_BINDING, tid);
  for (size_t i = 0; i < unknown; i++)
    thirl_stun_writer_flag(&w, (uint16_t)(0x7000 + i));
  if (fingerprint) thirl_stun_writer_fingerprint(&w);
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
  return out;
}

static void answers_in_32_bytes(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  uint8_t buf[128];
  thirl_addr from = thirl_addr_v4(198, 51, 100, 7, 4711), seen;
  thirl_stun_msg in;
  rig_datagram(r, from, request(buf, sizeof buf, THIRL_STUN_REQUEST, 0, false));
  assert_int_equal(r->udp_n, 32);
  assert_true(thirl_addr_equal(&r->udp_to, &from));
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(r->udp, r->udp_n), &in), THIRL_OK);
  assert_int_equal(in.cls, THIRL_STUN_SUCCESS);
  assert_memory_equal(in.tid, "binding-test", 12);
  assert_int_equal(thirl_stun_msg_get_xor_addr(&in, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &seen), THIRL_OK);
  assert_true(thirl_addr_equal(&seen, &from));
  assert_int_equal(rig_stats(r)->bindings, 1);
  rig_free(r);
}

static void answers_ipv6_in_44_and_mapped_as_ipv4(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  uint8_t buf[128], six[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 9},
                    mapped[16] = {[10] = 0xff, [11] = 0xff, 198, 51, 100, 7};
  rig_datagram(r, thirl_addr_v6(six, 4711), request(buf, sizeof buf, THIRL_STUN_REQUEST, 0, false));
  assert_int_equal(r->udp_n, 44);
  rig_datagram(r, thirl_addr_v6(mapped, 4711), request(buf, sizeof buf, THIRL_STUN_REQUEST, 0, false));
  assert_int_equal(r->udp_n, 32);
  rig_free(r);
}

static void adds_fingerprint_only_when_asked_with_one(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  uint8_t buf[128];
  thirl_stun_msg in;
  rig_datagram(r, rig_addr(1), request(buf, sizeof buf, THIRL_STUN_REQUEST, 0, true));
  assert_int_equal(r->udp_n, 40);
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(r->udp, r->udp_n), &in), THIRL_OK);
  assert_int_equal(in.fingerprint_at, 32);
  rig_free(r);
}

static void names_unknown_attributes(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  uint8_t buf[256];
  thirl_stun_msg in;
  unsigned code;
  thirl_bytes list;
  rig_datagram(r, rig_addr(1), request(buf, sizeof buf, THIRL_STUN_REQUEST, 3, false));
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(r->udp, r->udp_n), &in), THIRL_OK);
  assert_int_equal(thirl_stun_msg_get_error(&in, &code, NULL), THIRL_OK);
  assert_int_equal(code, 420);
  assert_true(thirl_stun_msg_find(&in, THIRL_STUN_ATTR_UNKNOWN_ATTRIBUTES, &list));
  assert_int_equal(list.n, 6);
  assert_memory_equal(list.p, "\x70\x00\x70\x01\x70\x02", 6);
  assert_int_equal(rig_stats(r)->refused, 1);
  assert_int_equal(rig_stats(r)->bindings, 0);
  rig_free(r);
}

/* research: any unauthenticated answer but Binding's success is at most 72 bytes, and never more than was sent from six unknown attributes on. */
static void never_amplifies_errors(void **state) {
  (void)state;
  uint8_t buf[256];
  for (size_t unknown = 1; unknown <= 40; unknown++) {
    rig *r = rig_new(1, NULL);
    thirl_bytes ask = request(buf, sizeof buf, THIRL_STUN_REQUEST, unknown, unknown % 2 != 0);
    rig_datagram(r, rig_addr(1), ask);
    assert_int_equal(r->udp_answers, 1);
    assert_in_range(r->udp_n, 36, 72);
    if (unknown >= 6) assert_in_range(r->udp_n, 36, ask.n);
    rig_free(r);
  }
}

static void limits_errors_per_net(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  uint8_t buf[64];
  thirl_bytes ask = request(buf, sizeof buf, THIRL_STUN_REQUEST, 1, false);
  for (uint8_t i = 0; i < 100; i++)
    rig_datagram(r, thirl_addr_v4(198, 51, 100, i, 4711), ask);
  assert_int_equal(r->udp_answers, 10);
  assert_int_equal(rig_stats(r)->limited, 90);
  rig_datagram(r, thirl_addr_v4(198, 51, 101, 1, 4711), ask);
  assert_int_equal(r->udp_answers, 11);
  rig_wait(r, THIRL_S);
  rig_datagram(r, thirl_addr_v4(198, 51, 100, 1, 4711), ask);
  assert_int_equal(r->udp_answers, 12);
  rig_free(r);
}

static void ignores_what_is_no_request(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  uint8_t buf[64] = {0};
  thirl_stun_writer w;
  thirl_bytes out;
  rig_datagram(r, rig_addr(1), request(buf, sizeof buf, THIRL_STUN_INDICATION, 0, false));
  rig_datagram(r, rig_addr(1), request(buf, sizeof buf, THIRL_STUN_SUCCESS, 0, false));
  rig_datagram(r, rig_addr(1), request(buf, sizeof buf, THIRL_STUN_ERROR, 0, false));
  thirl_stun_writer_init(&w, buf, sizeof buf, THIRL_STUN_REQUEST, THIRL_STUN_METHOD_THIRL_REGISTER,
                         (const uint8_t *)"binding-test");
  assert_int_equal(thirl_stun_writer_finish(&w, &out), THIRL_OK);
  rig_datagram(r, rig_addr(1), out); /* REGISTER is for TCP */
  assert_int_equal(rig_stats(r)->malformed, 0);
  rig_datagram(r, rig_addr(1), THIRL_BYTES("garbage", 7));
  rig_datagram(r, rig_addr(1), THIRL_BYTES("", 0));
  assert_int_equal(r->udp_answers, 0);
  assert_int_equal(rig_stats(r)->malformed, 2);
  rig_free(r);
}

static void answers_over_tcp_byte_by_byte(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  uint8_t buf[64];
  rig_client *c = rig_connect(r, rig_addr(5));
  thirl_bytes ask = request(buf, sizeof buf, THIRL_STUN_REQUEST, 0, false);
  for (size_t i = 0; i < ask.n; i++) {
    assert_null(rig_next(c));
    rig_send(c, THIRL_BYTES(ask.p + i, 1));
  }
  const rig_message *a = rig_next(c);
  assert_non_null(a);
  assert_int_equal(a->n, 32);
  assert_true(thirl_addr_equal(&a->m.mapped, &c->addr));
  assert_null(rig_next(c));
  assert_int_equal(c->writes, 1);
  rig_free(r);
}

/* 64 datagrams before the first poll: 63 answers are kept, none is written over another. */
static void keeps_a_bounded_number_of_answers(void **state) {
  (void)state;
  rig *r = rig_new(1, NULL);
  uint8_t buf[64];
  thirl_net_action a;
  for (uint16_t i = 0; i < 80; i++) {
    thirl_net_event ev = {
        .kind = THIRL_NET_DATAGRAM, .id = 2, .remote = thirl_addr_v4(198, 51, 100, 7, (uint16_t)(i + 1))};
    ev.payload = request(buf, sizeof buf, THIRL_STUN_REQUEST, 0, false);
    thirl_server_input(r->server, r->now, &ev);
  }
  assert_int_equal(thirl_server_deadline(r->server), r->now);
  uint16_t n = 0;
  while (thirl_server_poll(r->server, r->now, &a)) {
    assert_int_equal(a.verb, THIRL_NET_SENDTO);
    assert_int_equal(a.remote.port, ++n);
  }
  assert_int_equal(n, 63);
  assert_int_equal(rig_stats(r)->limited, 17);
  assert_int_equal(thirl_server_deadline(r->server), THIRL_NEVER);
  rig_free(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_in_32_bytes),
      cmocka_unit_test(answers_ipv6_in_44_and_mapped_as_ipv4),
      cmocka_unit_test(adds_fingerprint_only_when_asked_with_one),
      cmocka_unit_test(names_unknown_attributes),
      cmocka_unit_test(never_amplifies_errors),
      cmocka_unit_test(limits_errors_per_net),
      cmocka_unit_test(ignores_what_is_no_request),
      cmocka_unit_test(answers_over_tcp_byte_by_byte),
      cmocka_unit_test(keeps_a_bounded_number_of_answers),
  };
  return cmocka_run_group_tests_name("server/binding", tests, NULL, NULL);
}
