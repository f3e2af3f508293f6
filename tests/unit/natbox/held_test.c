/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "natbox/held.h"
#include "unit/natbox/pieces.h"

static void a_syn_is_due_after_six_seconds(void **state) {
  (void)state;
  thirl_natbox_held h;
  thirl_natbox_packet first = tcp(remote(1, 9), outer(5), SYN, 100, 0), second = tcp(remote(2, 9), outer(5), SYN, 7, 0);
  thirl_natbox_packet got;
  thirl_natbox_held_init(&h);
  assert_int_equal(thirl_natbox_held_deadline(&h), THIRL_NEVER);
  assert_int_equal(thirl_natbox_held_put(&h, 10, &first), THIRL_OK);
  assert_int_equal(thirl_natbox_held_put(&h, 20, &second), THIRL_OK);
  assert_int_equal(thirl_natbox_held_put(&h, 30, &first), THIRL_OK); /* a retransmission */
  assert_int_equal(thirl_natbox_held_deadline(&h), 10 + 6 * THIRL_S);
  assert_false(thirl_natbox_held_take(&h, 9 + 6 * THIRL_S, &got));
  assert_true(thirl_natbox_held_take(&h, 10 + 6 * THIRL_S, &got));
  assert_packet(&got, &first);
  assert_false(thirl_natbox_held_take(&h, 19 + 6 * THIRL_S, &got));
  assert_true(thirl_natbox_held_take(&h, 20 + 6 * THIRL_S, &got));
  assert_packet(&got, &second);
  assert_int_equal(h.n, 0);
}

static void only_a_syn_the_other_way_cancels(void **state) {
  (void)state;
  thirl_natbox_held h;
  thirl_natbox_packet syn = tcp(remote(1, 9), outer(5), SYN, 100, 0);
  thirl_natbox_packet ack = tcp(outer(5), remote(1, 9), ACK, 1, 1), other = tcp(outer(6), remote(1, 9), SYN, 1, 0);
  thirl_natbox_packet answer = tcp(outer(5), remote(1, 9), SYN, 1, 0);
  thirl_natbox_held_init(&h);
  assert_int_equal(thirl_natbox_held_put(&h, 10, &syn), THIRL_OK);
  thirl_natbox_held_cancel(&h, &ack);
  thirl_natbox_held_cancel(&h, &other);
  assert_int_equal(h.n, 1);
  thirl_natbox_held_cancel(&h, &answer);
  assert_int_equal(h.n, 0);
  assert_int_equal(thirl_natbox_held_put(&h, 20, &syn), THIRL_OK);
  thirl_natbox_held_clear(&h);
  assert_int_equal(thirl_natbox_held_deadline(&h), THIRL_NEVER);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_syn_is_due_after_six_seconds),
      cmocka_unit_test(only_a_syn_the_other_way_cancels),
  };
  return cmocka_run_group_tests_name("natbox/held", tests, NULL, NULL);
}
