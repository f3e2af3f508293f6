/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "natbox/alg.h"
#include "unit/natbox/pieces.h"

static void the_translated_address_is_found_wherever_it_stands(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
  uint8_t bytes[] = {10, 0, 10, 0, 0, 1, 0, 10, 0, 0, 1};
  const uint8_t translated[] = {10, 0, 192, 0, 2, 1, 0, 192, 0, 2, 1};
  uint8_t copy[sizeof bytes];
  memcpy(copy, bytes, sizeof bytes);
  thirl_natbox_packet before = udp(inner(1, 5), remote(1, 80)), after = before;
  before.payload = after.payload = THIRL_BYTES(bytes, sizeof bytes);
  after.src = outer(5);
  assert_int_equal(thirl_natbox_alg_translate(&c, &before, &after, copy, sizeof copy), 0);
  c.alg = THIRL_NATBOX_ALG_PAYLOAD;
  assert_int_equal(thirl_natbox_alg_translate(&c, &before, &after, NULL, 0), 2);
  assert_int_equal(thirl_natbox_alg_translate(&c, &before, &after, copy, sizeof copy), 2);
  assert_memory_equal(copy, translated, sizeof copy);
}

static void an_answer_is_translated_back(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
  c.alg = THIRL_NATBOX_ALG_PAYLOAD;
  uint8_t bytes[] = {192, 0, 2, 1, 19, 137}, copy[sizeof bytes];
  memcpy(copy, bytes, sizeof bytes);
  thirl_natbox_packet before = udp(remote(1, 80), outer(5)), after = before;
  before.payload = after.payload = THIRL_BYTES(bytes, sizeof bytes);
  after.dst = inner(1, 5);
  assert_int_equal(thirl_natbox_alg_translate(&c, &before, &after, copy, sizeof copy), 1);
  assert_memory_equal(copy, ((uint8_t[]){10, 0, 0, 1, 19, 137}), sizeof copy);
}

static void tcp_and_what_was_not_translated_stay(void **state) {
  (void)state;
  thirl_natbox_config c = config_of(THIRL_NATBOX_EIM, THIRL_NATBOX_EIF);
  c.alg = THIRL_NATBOX_ALG_PAYLOAD;
  uint8_t bytes[] = {10, 0, 0, 1};
  thirl_natbox_packet before = tcp(inner(1, 5), remote(1, 80), ACK, 1, 1), after = before;
  before.payload = after.payload = THIRL_BYTES(bytes, sizeof bytes);
  after.src = outer(5);
  assert_int_equal(thirl_natbox_alg_translate(&c, &before, &after, NULL, 0), 0);
  before = udp(inner(1, 5), remote(1, 80));
  before.payload = THIRL_BYTES(bytes, sizeof bytes);
  after = before;
  assert_int_equal(thirl_natbox_alg_translate(&c, &before, &after, NULL, 0), 0);
  before.payload.n = 3;
  after.src = outer(5);
  assert_int_equal(thirl_natbox_alg_translate(&c, &before, &after, NULL, 0), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_translated_address_is_found_wherever_it_stands),
      cmocka_unit_test(an_answer_is_translated_back),
      cmocka_unit_test(tcp_and_what_was_not_translated_stay),
  };
  return cmocka_run_group_tests_name("natbox/alg", tests, NULL, NULL);
}
