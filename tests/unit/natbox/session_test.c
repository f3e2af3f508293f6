/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "natbox/session.h"
#include "unit/natbox/pieces.h"

static thirl_natbox_config config;

typedef struct tables {
  thirl_natbox_bindings bindings;
  thirl_natbox_sessions sessions;
  thirl_natbox_binding *b;
} tables;

static tables *setup(void) {
  static tables t;
  thirl_natbox_binding_init(&t.bindings, &config, 1);
  thirl_natbox_session_init(&t.sessions, 3, 1);
  thirl_natbox_binding like = {.protocol = THIRL_NATBOX_UDP, .inside = inner(1, 5), .outside = outer(5)};
  t.b = thirl_natbox_binding_add(&t.bindings, &like);
  assert_non_null(t.b);
  return &t;
}

static void teardown(tables *t) {
  thirl_natbox_session_clear(&t->sessions, &t->bindings);
  thirl_natbox_session_fini(&t->sessions);
  thirl_natbox_binding_fini(&t->bindings);
}

static thirl_natbox_session *add(tables *t, thirl_addr to, thirl_time expires) {
  thirl_natbox_session like = {.binding = t->b,
                               .protocol = THIRL_NATBOX_UDP,
                               .outside = t->b->outside,
                               .remote = to,
                               .seen_as = to,
                               .expires = expires};
  return thirl_natbox_session_add(&t->sessions, &like);
}

static void sessions_are_found_from_both_sides(void **state) {
  (void)state;
  tables *t = setup();
  thirl_natbox_session like = {.binding = t->b,
                               .protocol = THIRL_NATBOX_UDP,
                               .outside = outer(5),
                               .remote = remote(1, 80),
                               .seen_as = remote(1, 81),
                               .expires = 10};
  thirl_natbox_session *s = thirl_natbox_session_add(&t->sessions, &like);
  assert_non_null(s);
  thirl_natbox_session_hold(s);
  thirl_addr in = inner(1, 5), out = outer(5), real = remote(1, 80), seen = remote(1, 81);
  assert_ptr_equal(thirl_natbox_session_of_inside(&t->sessions, THIRL_NATBOX_UDP, &in, &seen), s);
  assert_null(thirl_natbox_session_of_inside(&t->sessions, THIRL_NATBOX_UDP, &in, &real));
  assert_ptr_equal(thirl_natbox_session_of_outside(&t->sessions, THIRL_NATBOX_UDP, &out, &real), s);
  assert_null(thirl_natbox_session_of_outside(&t->sessions, THIRL_NATBOX_TCP, &out, &real));
  teardown(t);
}

static void the_table_is_bounded(void **state) {
  (void)state;
  tables *t = setup();
  for (uint16_t i = 0; i < 3; i++)
    assert_non_null(add(t, remote(1, (uint16_t)(80 + i)), 10));
  assert_null(add(t, remote(1, 90), 10));
  assert_int_equal(t->sessions.n, 3);
  teardown(t);
}

static void a_binding_goes_with_the_last_session_that_holds_it(void **state) {
  (void)state;
  tables *t = setup();
  thirl_natbox_session *a = add(t, remote(1, 80), 10), *b = add(t, remote(1, 81), 20);
  assert_non_null(add(t, remote(1, 82), 30)); /* holds nothing */
  thirl_natbox_session_hold(a);
  thirl_natbox_session_hold(a);
  thirl_natbox_session_hold(b);
  assert_int_equal(t->b->holders, 2);
  thirl_natbox_session_expire(&t->sessions, &t->bindings, 9);
  assert_int_equal(t->sessions.n, 3);
  thirl_natbox_session_expire(&t->sessions, &t->bindings, 10);
  assert_int_equal(t->sessions.n, 2);
  assert_int_equal(t->bindings.n, 1);
  thirl_natbox_session_expire(&t->sessions, &t->bindings, 20);
  assert_int_equal(t->sessions.n, 0);
  assert_int_equal(t->bindings.n, 0);
  teardown(t);
}

static void a_later_expiry_is_seen_when_the_timer_comes(void **state) {
  (void)state;
  tables *t = setup();
  thirl_natbox_session *s = add(t, remote(1, 80), 10);
  thirl_natbox_session_hold(s);
  s->expires = 50;
  thirl_natbox_session_expire(&t->sessions, &t->bindings, 30);
  assert_int_equal(t->sessions.n, 1);
  thirl_natbox_session_expire(&t->sessions, &t->bindings, 50);
  assert_int_equal(t->sessions.n, 0);
  teardown(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sessions_are_found_from_both_sides),
      cmocka_unit_test(the_table_is_bounded),
      cmocka_unit_test(a_binding_goes_with_the_last_session_that_holds_it),
      cmocka_unit_test(a_later_expiry_is_seen_when_the_timer_comes),
  };
  return cmocka_run_group_tests_name("natbox/session", tests, NULL, NULL);
}
