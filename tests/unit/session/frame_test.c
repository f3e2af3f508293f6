/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "session/frame.h"

/* The wire format as literals: a change here is a change of the protocol. */
static void ack_is_these_bytes(void **state) {
  (void)state;
  uint8_t buf[64];
  thirl_writer w = thirl_writer_of(buf, sizeof buf);
  thirl_session_frame_encode(&w, &(thirl_session_frame){.type = THIRL_SESSION_ACK, .next = 0x0102, .limit = 0x030405});
  static const uint8_t want[] = {3, 0, 0, 16, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 3, 4, 5};
  assert_int_equal(w.n, sizeof want);
  assert_memory_equal(buf, want, sizeof want);
}

static void data_header_is_these_bytes(void **state) {
  (void)state;
  uint8_t buf[THIRL_SESSION_DATA_HEADER];
  thirl_session_frame_put_data(buf, 0, 0x1122334455667788u, 16372);
  static const uint8_t want[] = {2, 0, 0x3f, 0xfc, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
  assert_memory_equal(buf, want, sizeof want);
}

static void report_is_these_bytes(void **state) {
  (void)state;
  uint8_t buf[64];
  thirl_writer w = thirl_writer_of(buf, sizeof buf);
  thirl_session_frame_encode(&w,
                             &(thirl_session_frame){.type = THIRL_SESSION_REPORT, .mapping = 2, .reason = 0x01020304});
  static const uint8_t want[] = {8, 0, 0, 8, 2, 0, 0, 0, 1, 2, 3, 4};
  assert_int_equal(w.n, sizeof want);
  assert_memory_equal(buf, want, sizeof want);
}

/* A later version may say more. */
static void a_longer_report_is_read_as_far_as_it_is_known(void **state) {
  (void)state;
  static const uint8_t in[] = {8, 0, 0, 10, 1, 7, 7, 7, 0, 0, 0, 22, 9, 9};
  thirl_session_frame f;
  assert_int_equal(thirl_session_frame_decode_header(in, &f), THIRL_OK);
  assert_int_equal(thirl_session_frame_decode_body(THIRL_BYTES(in + 4, 10), &f), THIRL_OK);
  assert_int_equal(f.mapping, 1);
  assert_int_equal(f.reason, 22);
  assert_int_equal(thirl_session_frame_decode_header((const uint8_t[]){8, 0, 0, 60}, &f), THIRL_OK);
  assert_int_equal(thirl_session_frame_decode_header((const uint8_t[]){8, 0, 0, 61}, &f), THIRL_E_PROTOCOL);
  assert_int_equal(thirl_session_frame_decode_header((const uint8_t[]){8, 0, 0, 7}, &f), THIRL_E_PROTOCOL);
}

static void every_frame_comes_back(void **state) {
  (void)state;
  for (uint8_t type = THIRL_SESSION_HELLO; type <= THIRL_SESSION_REPORT; type++) {
    if (type == THIRL_SESSION_DATA) continue;
    uint8_t buf[THIRL_SESSION_FRAME_MAX];
    thirl_session_frame in = {.type = type,
                              .stream = 0,
                              .offset = 7,
                              .next = 8,
                              .limit = 9,
                              .token = 10,
                              .reason = 11,
                              .mapping = 1,
                              .incarnation = 12},
                        out;
    memset(in.session, 0xab, sizeof in.session);
    thirl_writer w = thirl_writer_of(buf, sizeof buf);
    thirl_session_frame_encode(&w, &in);
    assert_false(w.bad);
    assert_int_equal(thirl_session_frame_decode_header(buf, &out), THIRL_OK);
    assert_int_equal(out.type, type);
    assert_int_equal(out.length + THIRL_SESSION_FRAME_HEADER, w.n);
    thirl_bytes body = {buf + THIRL_SESSION_FRAME_HEADER, out.length};
    assert_int_equal(thirl_session_frame_decode_body(body, &out), THIRL_OK);
    bool is_hello = type == THIRL_SESSION_HELLO, is_ack = type == THIRL_SESSION_ACK;
    assert_int_equal(out.next, is_hello || is_ack ? 8 : 0);
    assert_int_equal(out.limit, is_hello || is_ack ? 9 : 0);
    assert_int_equal(out.offset, type == THIRL_SESSION_FIN ? 7 : 0);
    assert_int_equal(out.token, type == THIRL_SESSION_PING || type == THIRL_SESSION_PONG ? 10 : 0);
    assert_int_equal(out.reason, type == THIRL_SESSION_BYE || type == THIRL_SESSION_REPORT ? 11 : 0);
    assert_int_equal(out.mapping, type == THIRL_SESSION_REPORT ? 1 : 0);
    assert_true(thirl_session_frame_is_known(type));
    assert_int_equal(out.session[3], is_hello ? 0xab : 0);
    assert_int_equal(out.incarnation, is_hello ? 12 : 0);
    if (body.n) {
      body.n--;
      assert_int_equal(thirl_session_frame_decode_body(body, &out), THIRL_E_PROTOCOL);
    }
  }
}

static void wrong_lengths_are_refused_and_unknown_types_are_not(void **state) {
  (void)state;
  thirl_session_frame f;
  assert_int_equal(thirl_session_frame_decode_header((const uint8_t[]){3, 0, 0, 15}, &f), THIRL_E_PROTOCOL);
  assert_int_equal(thirl_session_frame_decode_header((const uint8_t[]){2, 0, 0, 8}, &f), THIRL_E_PROTOCOL);
  assert_int_equal(thirl_session_frame_decode_header((const uint8_t[]){2, 0, 0, 9}, &f), THIRL_OK);
  assert_int_equal(thirl_session_frame_decode_header((const uint8_t[]){200, 0, 1, 1}, &f), THIRL_OK);
  assert_int_equal(f.length, 257);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ack_is_these_bytes),     cmocka_unit_test(data_header_is_these_bytes),
      cmocka_unit_test(report_is_these_bytes),  cmocka_unit_test(a_longer_report_is_read_as_far_as_it_is_known),
      cmocka_unit_test(every_frame_comes_back), cmocka_unit_test(wrong_lengths_are_refused_and_unknown_types_are_not),
  };
  return cmocka_run_group_tests_name("session/frame", tests, NULL, NULL);
}
