/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "natbox/session.h"
#include "unit/natbox/pieces.h"

static thirl_natbox_config config;

static void scope_is_what_a_mapping_tells_apart(void **state) {
  (void)state;
  thirl_addr to = remote(1, 80);
  assert_nobody(thirl_natbox_binding_scope(THIRL_NATBOX_EIM, &to));
  assert_addr(thirl_natbox_binding_scope(THIRL_NATBOX_ADM, &to), remote(1, 0));
  assert_addr(thirl_natbox_binding_scope(THIRL_NATBOX_APDM, &to), remote(1, 80));
}

static void bindings_are_found_from_both_sides(void **state) {
  (void)state;
  thirl_natbox_bindings t;
  thirl_natbox_binding_init(&t, &config, 1);
  thirl_addr in = inner(1, 5), out = outer(6), scope = remote(1, 0), none = {0};
  thirl_natbox_binding like = {.protocol = THIRL_NATBOX_UDP, .inside = in, .outside = out, .scope = scope};
  thirl_natbox_binding *b = thirl_natbox_binding_add(&t, &like);
  assert_non_null(b);
  assert_ptr_equal(thirl_natbox_binding_of_inside(&t, THIRL_NATBOX_UDP, &in, &scope), b);
  assert_ptr_equal(thirl_natbox_binding_of_outside(&t, THIRL_NATBOX_UDP, &out), b);
  assert_null(thirl_natbox_binding_of_inside(&t, THIRL_NATBOX_TCP, &in, &scope));
  assert_null(thirl_natbox_binding_of_inside(&t, THIRL_NATBOX_UDP, &in, &none));
  assert_null(thirl_natbox_binding_of_outside(&t, THIRL_NATBOX_TCP, &out));
  thirl_natbox_binding_remove(&t, b);
  assert_null(thirl_natbox_binding_of_outside(&t, THIRL_NATBOX_UDP, &out));
  assert_int_equal(t.n, 0);
  thirl_natbox_binding_fini(&t);
}

static void several_bindings_share_a_port_and_leave_in_any_order(void **state) {
  (void)state;
  for (unsigned first_out = 0; first_out < 3; first_out++) {
    thirl_natbox_bindings t;
    thirl_natbox_binding_init(&t, &config, 1);
    thirl_natbox_binding *b[3];
    thirl_addr out = outer(6);
    for (uint8_t i = 0; i < 3; i++) {
      thirl_natbox_binding like = {
          .protocol = THIRL_NATBOX_TCP, .inside = inner(i, 6), .outside = out, .scope = remote(i, 1)};
      b[i] = thirl_natbox_binding_add(&t, &like);
      assert_non_null(b[i]);
    }
    for (unsigned gone = 0; gone < 3; gone++) {
      unsigned n = 0;
      for (thirl_natbox_binding *at = thirl_natbox_binding_of_outside(&t, THIRL_NATBOX_TCP, &out); at;
           at = at->next_same_port)
        n++;
      assert_int_equal(n, 3 - gone);
      thirl_natbox_binding_remove(&t, b[(first_out + gone) % 3]);
    }
    assert_null(thirl_natbox_binding_of_outside(&t, THIRL_NATBOX_TCP, &out));
    thirl_natbox_binding_fini(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scope_is_what_a_mapping_tells_apart),
      cmocka_unit_test(bindings_are_found_from_both_sides),
      cmocka_unit_test(several_bindings_share_a_port_and_leave_in_any_order),
  };
  return cmocka_run_group_tests_name("natbox/binding", tests, NULL, NULL);
}
