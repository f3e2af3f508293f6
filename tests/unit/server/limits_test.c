/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "server/limits.h"

static void zeroes_become_defaults(void **state) {
  (void)state;
  thirl_server_limits l = {.max_channels = 7, .channel_buffer = 1, .max_channels_per_peer = 100000};
  thirl_server_limits_complete(&l);
  assert_int_equal(l.max_connections, 20000);
  assert_int_equal(l.max_connections_per_ip, 64);
  assert_int_equal(l.max_registrations, 20000);
  assert_int_equal(l.max_registrations_per_peer, 8);
  assert_int_equal(l.max_channels, 7);
  assert_int_equal(l.max_channels_per_peer, 256);
  assert_int_equal(l.channel_buffer, 4096);
  assert_int_equal(l.relay_memory, 268435456);
  assert_int_equal(l.register_timeout_s, 30);
  assert_int_equal(l.idle_timeout_s, 90);
  assert_int_equal(l.connects_per_minute, 60);
  assert_int_equal(l.requests_per_second, 20);
}

static void are_set_by_name(void **state) {
  (void)state;
  thirl_server_limits l = {0};
  assert_int_equal(thirl_server_limits_set(&l, "relay-memory", 1ull << 33), THIRL_OK);
  assert_int_equal(l.relay_memory, 1ull << 33);
  assert_int_equal(thirl_server_limits_set(&l, "idle-timeout-s", 4), THIRL_E_RANGE);
  assert_int_equal(thirl_server_limits_set(&l, "idle-timeout-s", 0), THIRL_E_RANGE);
  assert_int_equal(thirl_server_limits_set(&l, "max-connections", 1ull << 33), THIRL_E_RANGE);
  assert_int_equal(l.idle_timeout_s, 0);
  assert_int_equal(thirl_server_limits_set(&l, "max-connection", 5), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_server_limits_set(&l, "max-connections-", 5), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_server_limits_set(&l, "max_connections", 5), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_server_limits_set(&l, "", 5), THIRL_E_NOT_FOUND);
}

static void describe_themselves(void **state) {
  (void)state;
  thirl_server_limits by_default, by_name;
  thirl_server_limits_row row;
  size_t n = 0;
  memset(&by_default, 0, sizeof by_default);
  memset(&by_name, 0, sizeof by_name);
  for (; thirl_server_limits_describe(n, &row); n++) {
    assert_true(row.least <= row.normal && row.normal <= row.most && row.what[0]);
    assert_int_equal(thirl_server_limits_set(&by_name, row.name, row.normal), THIRL_OK);
  }
  assert_int_equal(n, 17);
  thirl_server_limits_complete(&by_default);
  assert_memory_equal(&by_default, &by_name, sizeof by_name);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(zeroes_become_defaults),
      cmocka_unit_test(are_set_by_name),
      cmocka_unit_test(describe_themselves),
  };
  return cmocka_run_group_tests_name("server/limits", tests, NULL, NULL);
}
