/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "natbox/filter.h"
#include "unit/natbox/pieces.h"

/* A binding that has sent to 1:80; 2:80 has only been heard. */
static void filters_admit_as_rfc_4787_says(void **state) {
  (void)state;
  thirl_natbox_session sent = {.remote = remote(1, 80), .sent = true}, heard = {.remote = remote(2, 80)};
  thirl_natbox_binding b = {.outside = outer(5)};
  thirl_list_init(&b.sessions);
  thirl_list_append(&b.sessions, &heard.in_binding);
  thirl_list_append(&b.sessions, &sent.in_binding);
  static const struct {
    uint8_t host;
    uint16_t port;
    bool eif, adf, apdf;
  } rows[] = {
      {1, 80, true, true, true}, {1, 81, true, true, false}, {2, 80, true, false, false}, {3, 80, true, false, false}};
  for (unsigned i = 0; i < 4; i++) {
    thirl_addr from = remote(rows[i].host, rows[i].port);
    assert_int_equal(thirl_natbox_filter_admits(&b, THIRL_NATBOX_EIF, &from), rows[i].eif);
    assert_int_equal(thirl_natbox_filter_admits(&b, THIRL_NATBOX_ADF, &from), rows[i].adf);
    assert_int_equal(thirl_natbox_filter_admits(&b, THIRL_NATBOX_APDF, &from), rows[i].apdf);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(filters_admit_as_rfc_4787_says)};
  return cmocka_run_group_tests_name("natbox/filter", tests, NULL, NULL);
}
