/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/natbox/pieces.h"

static void a_home_router_has_the_documented_times(void **state) {
  (void)state;
  thirl_natbox_config c = thirl_natbox_config_of(THIRL_NATBOX_ADM, THIRL_NATBOX_EIF, outer(77));
  assert_int_equal(c.mode, THIRL_NATBOX_TRANSLATE);
  assert_addr(c.external, outer(0));
  assert_int_equal(c.udp.mapping, THIRL_NATBOX_ADM);
  assert_int_equal(c.tcp.filtering, THIRL_NATBOX_EIF);
  assert_int_equal(c.udp.allocation, THIRL_NATBOX_RANDOM);
  assert_int_equal(c.udp.new_timeout, 30 * THIRL_S);
  assert_int_equal(c.udp.open_timeout, 120 * THIRL_S);
  assert_int_equal(c.tcp.new_timeout, 240 * THIRL_S);
  assert_int_equal(c.tcp.open_timeout, 7440 * THIRL_S);
  assert_int_equal(c.tcp.close_timeout, 240 * THIRL_S);
}

static void presets_are_found_by_name(void **state) {
  (void)state;
  thirl_natbox_config c;
  unsigned n = 0;
  for (const char *name; (name = thirl_natbox_config_preset_name(n)) != NULL; n++) {
    assert_int_equal(thirl_natbox_config_preset(name, outer(0), &c), THIRL_OK);
    assert_non_null(thirl_natbox_config_preset_sentence(n));
  }
  assert_int_equal(n, 17);
  assert_null(thirl_natbox_config_preset_sentence(n));
  assert_int_equal(thirl_natbox_config_preset("nosuch", outer(0), &c), THIRL_E_NOT_FOUND);
}

static void presets_are_what_they_are_called(void **state) {
  (void)state;
  thirl_natbox_config c;
  thirl_natbox_config_preset("restricted", outer(0), &c);
  assert_int_equal(c.udp.mapping, THIRL_NATBOX_EIM);
  assert_int_equal(c.tcp.filtering, THIRL_NATBOX_ADF);
  assert_int_equal(c.tcp.allocation, THIRL_NATBOX_PRESERVE);
  thirl_natbox_config_preset("symmetric-seq", outer(0), &c);
  assert_int_equal(c.tcp.mapping, THIRL_NATBOX_APDM);
  assert_int_equal(c.udp.allocation, THIRL_NATBOX_SEQUENTIAL);
  thirl_natbox_config_preset("linux-open", outer(0), &c);
  assert_int_equal(c.udp.collision, THIRL_NATBOX_COLLIDE_OVERLAP);
  assert_int_equal(c.udp.unsolicited, THIRL_NATBOX_LOCAL);
  thirl_natbox_config_preset("cgn", outer(0), &c);
  assert_int_equal(c.tcp.allocation, THIRL_NATBOX_BLOCK);
  assert_int_equal(c.hairpin, THIRL_NATBOX_HAIRPIN_EXTERNAL);
  thirl_natbox_config_preset("cloudnat", outer(0), &c);
  assert_int_equal(c.udp.open_timeout, 350 * THIRL_S);
  thirl_natbox_config_preset("firewall", outer(0), &c);
  assert_int_equal(c.mode, THIRL_NATBOX_FIREWALL);
  thirl_natbox_config_preset("none", outer(0), &c);
  assert_int_equal(c.mode, THIRL_NATBOX_ROUTE);
  thirl_natbox_config_preset("udp-blocked", outer(0), &c);
  assert_true(c.udp.only_allowed);
  assert_int_equal(c.udp.n_allow, 0);
  assert_false(c.tcp.only_allowed);
  thirl_natbox_config_preset("corporate", outer(0), &c);
  assert_int_equal(c.tcp.n_allow, 2);
  assert_int_equal(c.tcp.allow[1], 443);
  assert_int_equal(c.tcp.refusal, THIRL_NATBOX_REFUSE_ICMP);
}

static void a_pool_belongs_to_the_outer_addresses(void **state) {
  (void)state;
  thirl_natbox_config c = thirl_natbox_config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF, outer(0));
  thirl_addr second = thirl_addr_v4(192, 0, 2, 2, 0), second_with_port = thirl_addr_v4(192, 0, 2, 2, 99);
  assert_true(thirl_natbox_config_has_external(&c, &c.external));
  assert_false(thirl_natbox_config_has_external(&c, &second_with_port));
  c.pool[c.n_pool++] = second;
  assert_true(thirl_natbox_config_has_external(&c, &second_with_port));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_home_router_has_the_documented_times),
      cmocka_unit_test(presets_are_found_by_name),
      cmocka_unit_test(presets_are_what_they_are_called),
      cmocka_unit_test(a_pool_belongs_to_the_outer_addresses),
  };
  return cmocka_run_group_tests_name("natbox/config", tests, NULL, NULL);
}
