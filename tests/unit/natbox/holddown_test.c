/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "natbox/holddown.h"
#include "unit/natbox/pieces.h"

static void a_port_rests_for_everybody_but_its_last_owner(void **state) {
  (void)state;
  thirl_natbox_holddown h;
  thirl_natbox_holddown_init(&h, 1);
  thirl_addr port = outer(6), other_port = outer(7), owner = inner(1, 5), stranger = inner(2, 5);
  thirl_natbox_holddown_put(&h, THIRL_NATBOX_UDP, &port, &owner, 10);
  assert_true(thirl_natbox_holddown_bars(&h, THIRL_NATBOX_UDP, &port, &stranger));
  assert_false(thirl_natbox_holddown_bars(&h, THIRL_NATBOX_UDP, &port, &owner));
  assert_false(thirl_natbox_holddown_bars(&h, THIRL_NATBOX_TCP, &port, &stranger));
  assert_false(thirl_natbox_holddown_bars(&h, THIRL_NATBOX_UDP, &other_port, &stranger));
  thirl_natbox_holddown_expire(&h, 9);
  assert_true(thirl_natbox_holddown_bars(&h, THIRL_NATBOX_UDP, &port, &stranger));
  thirl_natbox_holddown_expire(&h, 10);
  assert_false(thirl_natbox_holddown_bars(&h, THIRL_NATBOX_UDP, &port, &stranger));
  thirl_natbox_holddown_fini(&h);
}

static void the_last_owner_and_the_last_time_count(void **state) {
  (void)state;
  thirl_natbox_holddown h;
  thirl_natbox_holddown_init(&h, 1);
  thirl_addr port = outer(6), first = inner(1, 5), second = inner(2, 5);
  thirl_natbox_holddown_put(&h, THIRL_NATBOX_UDP, &port, &first, 10);
  thirl_natbox_holddown_put(&h, THIRL_NATBOX_UDP, &port, &second, 20);
  thirl_natbox_holddown_expire(&h, 19);
  assert_true(thirl_natbox_holddown_bars(&h, THIRL_NATBOX_UDP, &port, &first));
  assert_false(thirl_natbox_holddown_bars(&h, THIRL_NATBOX_UDP, &port, &second));
  thirl_natbox_holddown_clear(&h);
  assert_false(thirl_natbox_holddown_bars(&h, THIRL_NATBOX_UDP, &port, &first));
  thirl_natbox_holddown_fini(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_port_rests_for_everybody_but_its_last_owner),
      cmocka_unit_test(the_last_owner_and_the_last_time_count),
  };
  return cmocka_run_group_tests_name("natbox/holddown", tests, NULL, NULL);
}
