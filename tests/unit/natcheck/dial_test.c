/* SPDX-License-Identifier: MIT */
#include "natcheck/dial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "stun/writer.h"

static void fill(void *ctx, void *out, size_t n) {
  uint8_t *count = ctx;
  memset(out, ++*count, n);
}

static uint8_t drawn;
static thirl_natcheck_dial dial;
static const thirl_addr server = {.family = THIRL_FAMILY_V4, .port = 3478, .ip = {203, 0, 113, 10}};
static const thirl_addr outside = {.family = THIRL_FAMILY_V4, .port = 40000, .ip = {198, 51, 100, 1}};

static int setup(void **state) {
  (void)state;
  thirl_secrets secrets = {.fill = fill, .ctx = &drawn};
  thirl_natcheck_dial_init(&dial, &secrets, 100);
  dial.local = thirl_addr_any(THIRL_FAMILY_V4, 0);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  thirl_natcheck_dial_fini(&dial);
  return 0;
}

static thirl_net_action next(thirl_time now) {
  thirl_net_action a;
  assert_true(thirl_natcheck_dial_poll(&dial, now, &a));
  return a;
}

static void nothing(thirl_time now) {
  thirl_net_action a;
  assert_false(thirl_natcheck_dial_poll(&dial, now, &a));
}

static void feed(thirl_time now, thirl_net_event ev) {
  assert_true(thirl_natcheck_dial_input(&dial, now, &ev));
}

static unsigned call(bool twice) {
  return thirl_natcheck_dial_add(
      &dial,
      &(thirl_natcheck_call){
          .door = THIRL_NATCHECK_DIAL_DOORS, .to = server, .twice = twice, .change = 6, .patience = 8 * THIRL_S});
}

/* Connects and asks; the request's transaction into tid. */
static thirl_net_id connect_and_ask(thirl_time now, uint8_t tid[THIRL_STUN_TID_LEN]) {
  uint8_t buf[THIRL_NET_PULL_MIN];
  thirl_stun_msg m;
  uint32_t change;
  thirl_net_action a = next(now);
  assert_int_equal(a.verb, THIRL_NET_CONNECT);
  feed(now + 50, (thirl_net_event){.kind = THIRL_NET_CONNECTED, .id = a.id, .local = outside, .remote = server});
  assert_int_equal(next(now + 50).verb, THIRL_NET_WRITE);
  size_t n = thirl_natcheck_dial_pull(&dial, a.id, buf, sizeof buf);
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(buf, n), &m), THIRL_OK);
  assert_int_equal(thirl_stun_msg_get_u32(&m, THIRL_STUN_ATTR_CHANGE_REQUEST, &change), THIRL_OK);
  assert_int_equal(change, 6);
  assert_int_equal(thirl_natcheck_dial_pull(&dial, a.id, buf, sizeof buf), 0);
  memcpy(tid, m.tid, THIRL_STUN_TID_LEN);
  return a.id;
}

static size_t answer(const uint8_t tid[THIRL_STUN_TID_LEN], const thirl_addr *mapped, uint8_t out[128]) {
  thirl_stun_writer w;
  thirl_bytes done;
  thirl_stun_writer_init(&w, out, 128, THIRL_STUN_SUCCESS, THIRL_STUN_METHOD_BINDING, tid);
  thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, mapped);
  thirl_stun_writer_u32(&w, THIRL_STUN_ATTR_THIRL_PROBE, THIRL_E_TIMEOUT);
  assert_int_equal(thirl_stun_writer_finish(&w, &done), THIRL_OK);
  return done.n;
}

static void an_answer_byte_by_byte(void **state) {
  uint8_t tid[THIRL_STUN_TID_LEN], bytes[128];
  (void)state;
  unsigned c = call(false);
  thirl_net_id id = connect_and_ask(1000, tid);
  size_t n = answer(tid, &outside, bytes);
  for (size_t i = 0; i < n; i++) {
    assert_false(thirl_natcheck_dial_is_idle(&dial));
    feed(2000, (thirl_net_event){.kind = THIRL_NET_DATA, .id = id, .payload = THIRL_BYTES(bytes + i, 1)});
  }
  assert_true(thirl_natcheck_dial_is_idle(&dial));
  const thirl_natcheck_dialled *k = &dial.calls[c];
  assert_true(k->connected && k->answered == 1 && k->error == THIRL_OK);
  assert_true(thirl_addr_equal(&k->mapped, &outside));
  assert_true(k->has_probe);
  assert_int_equal(k->probe, THIRL_E_TIMEOUT);
  assert_int_equal(k->rtt, 50);
  nothing(9 * THIRL_S); /* it stays connected */
  thirl_natcheck_dial_end(&dial);
  assert_int_equal(next(9 * THIRL_S).verb, THIRL_NET_ABORT);
  nothing(9 * THIRL_S);
}

static void asked_twice_it_must_say_the_same(void **state) {
  uint8_t tid[THIRL_STUN_TID_LEN], bytes[128], buf[THIRL_NET_PULL_MIN];
  thirl_stun_msg m;
  (void)state;
  unsigned c = call(true);
  thirl_net_id id = connect_and_ask(1000, tid);
  size_t n = answer(tid, &outside, bytes);
  feed(2000, (thirl_net_event){.kind = THIRL_NET_DATA, .id = id, .payload = THIRL_BYTES(bytes, n)});
  assert_int_equal(next(2000).verb, THIRL_NET_WRITE);
  n = thirl_natcheck_dial_pull(&dial, id, buf, sizeof buf);
  assert_int_equal(thirl_stun_msg_decode(THIRL_BYTES(buf, n), &m), THIRL_OK);
  assert_memory_not_equal(m.tid, tid, sizeof tid);
  memcpy(tid, m.tid, sizeof tid);
  thirl_addr elsewhere = thirl_addr_with_port(outside, 40001);
  n = answer(tid, &elsewhere, bytes);
  feed(3000, (thirl_net_event){.kind = THIRL_NET_DATA, .id = id, .payload = THIRL_BYTES(bytes, n)});
  assert_true(dial.calls[c].contradictory);
  assert_int_equal(dial.calls[c].answered, 2);
  assert_true(thirl_addr_equal(&dial.calls[c].mapped, &outside));
  assert_true(thirl_natcheck_dial_again(&dial, c, 4000));
  assert_false(thirl_natcheck_dial_is_idle(&dial));
  feed(4000, (thirl_net_event){.kind = THIRL_NET_FAILED, .id = id, .error = THIRL_E_RESET});
  assert_true(thirl_natcheck_dial_is_idle(&dial));
  assert_false(thirl_natcheck_dial_again(&dial, c, 4000));
}

static void calls_that_fail(void **state) {
  uint8_t tid[THIRL_STUN_TID_LEN];
  (void)state;
  unsigned refused = call(false);
  thirl_net_action a = next(1000);
  feed(2000, (thirl_net_event){.kind = THIRL_NET_FAILED, .id = a.id, .error = THIRL_E_REFUSED});
  assert_int_equal(dial.calls[refused].error, THIRL_E_REFUSED);
  nothing(2000); /* a dead id is not aborted */

  unsigned slow = call(false);
  a = next(2000);
  assert_int_equal(thirl_natcheck_dial_deadline(&dial), 2000 + 8 * THIRL_S);
  thirl_net_action b = next(2000 + 8 * THIRL_S);
  assert_int_equal(b.verb, THIRL_NET_ABORT);
  assert_int_equal(b.id, a.id);
  assert_int_equal(dial.calls[slow].error, THIRL_E_TIMEOUT);

  unsigned garbled = call(false);
  thirl_net_id id = connect_and_ask(3000, tid);
  feed(4000, (thirl_net_event){.kind = THIRL_NET_DATA, .id = id, .payload = THIRL_BYTES("HTTP/1.1 400 Bad", 16)});
  assert_int_equal(dial.calls[garbled].error, THIRL_E_PROTOCOL);
  assert_int_equal(next(4000).verb, THIRL_NET_ABORT);

  unsigned ended = call(false);
  id = connect_and_ask(5000, tid);
  feed(6000, (thirl_net_event){.kind = THIRL_NET_EOF, .id = id});
  assert_int_equal(dial.calls[ended].error, THIRL_E_EOF);
  assert_int_equal(next(6000).verb, THIRL_NET_ABORT);
  nothing(6000);
}

static void who_knocks_is_remembered_and_reset(void **state) {
  (void)state;
  unsigned door = thirl_natcheck_dial_open(&dial, 5000);
  unsigned c = thirl_natcheck_dial_add(&dial, &(thirl_natcheck_call){.door = door, .to = server, .patience = THIRL_S});
  thirl_net_action a = next(1000);
  assert_int_equal(a.verb, THIRL_NET_LISTEN);
  assert_int_equal(a.local.port, 5000);
  nothing(1000); /* the call waits for the door */
  feed(1000,
       (thirl_net_event){.kind = THIRL_NET_LISTENING, .id = a.id, .local = thirl_addr_any(THIRL_FAMILY_V4, 5000)});
  thirl_net_action b = next(1000);
  assert_int_equal(b.verb, THIRL_NET_CONNECT);
  assert_int_equal(b.local.port, 5000);
  for (thirl_net_id i = 0; i < 6; i++)
    feed(2000, (thirl_net_event){.kind = THIRL_NET_ACCEPTED,
                                 .listener = a.id,
                                 .id = THIRL_NET_ID_ACCEPTED + i,
                                 .remote = thirl_addr_with_port(server, (uint16_t)(1000 + i))});
  assert_int_equal(dial.doors[door].n_knocks, THIRL_NATCHECK_DIAL_KNOCKS);
  assert_int_equal(dial.doors[door].knocks[0].port, 1000);
  feed(2000, (thirl_net_event){.kind = THIRL_NET_FAILED, .id = THIRL_NET_ID_ACCEPTED + 2, .error = THIRL_E_RESET});
  for (int i = 0; i < 5; i++) {
    thirl_net_action r = next(2000);
    assert_int_equal(r.verb, THIRL_NET_ABORT);
    assert_true(r.id >= THIRL_NET_ID_ACCEPTED && r.id != THIRL_NET_ID_ACCEPTED + 2);
  }
  nothing(2000);
  thirl_natcheck_dial_stop(&dial, c);
  assert_int_equal(next(2000).id, b.id);
}

static void a_door_that_cannot_be_opened(void **state) {
  (void)state;
  unsigned door = thirl_natcheck_dial_open(&dial, 5000);
  unsigned c = thirl_natcheck_dial_add(&dial, &(thirl_natcheck_call){.door = door, .to = server, .patience = THIRL_S});
  thirl_net_action a = next(1000);
  feed(1000, (thirl_net_event){.kind = THIRL_NET_FAILED, .id = a.id, .error = THIRL_E_IN_USE});
  nothing(1000);
  assert_true(thirl_natcheck_dial_is_idle(&dial));
  assert_int_equal(dial.calls[c].error, THIRL_E_IN_USE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(an_answer_byte_by_byte, setup, teardown),
      cmocka_unit_test_setup_teardown(asked_twice_it_must_say_the_same, setup, teardown),
      cmocka_unit_test_setup_teardown(calls_that_fail, setup, teardown),
      cmocka_unit_test_setup_teardown(who_knocks_is_remembered_and_reset, setup, teardown),
      cmocka_unit_test_setup_teardown(a_door_that_cannot_be_opened, setup, teardown),
  };
  return cmocka_run_group_tests_name("natcheck/dial", tests, NULL, NULL);
}
