/* SPDX-License-Identifier: MIT */
/* On loopback there are no routers; those of a network are in tests/lab/natcheck_test.sh. */
#include "io/hops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/socket.h"

static const thirl_bytes payload = {(const uint8_t *)"x", 1};

static void what_cannot_be_traced(void **state) {
  (void)state;
  thirl_addr at[THIRL_IO_HOPS_MAX];
  unsigned reached = 7;
  thirl_addr six = thirl_addr_any(THIRL_FAMILY_V6, 9), four = thirl_addr_v4(127, 0, 0, 1, 9);
  assert_int_equal(thirl_io_hops_trace(&six, payload, 3, THIRL_MS, at, &reached), THIRL_E_UNSUPPORTED);
  assert_int_equal(reached, 0);
  assert_int_equal(thirl_io_hops_trace(&four, payload, THIRL_IO_HOPS_MAX + 1, THIRL_MS, at, &reached), THIRL_E_RANGE);
}

static void a_destination_that_says_nothing(void **state) {
  (void)state;
  thirl_addr at[THIRL_IO_HOPS_MAX], local = thirl_addr_v4(127, 0, 0, 1, 0);
  unsigned reached;
  int fd;
  assert_int_equal(thirl_io_socket_udp(&local, &(thirl_io_socket_options){0}, &fd), THIRL_OK);
  thirl_addr to = thirl_io_socket_local(fd);
  assert_int_equal(thirl_io_hops_trace(&to, payload, 3, 20 * THIRL_MS, at, &reached), THIRL_OK);
  assert_int_equal(reached, 0);
  char got[4];
  for (int i = 0; i < 3; i++) /* all three have come */
    assert_int_equal(read(fd, got, sizeof got), 1);
  for (int i = 0; i < THIRL_IO_HOPS_MAX; i++)
    assert_false(thirl_addr_is_set(&at[i]));
  close(fd);
  /* A closed port: an error that is no router's. */
  assert_int_equal(thirl_io_hops_trace(&to, payload, 2, 20 * THIRL_MS, at, &reached), THIRL_OK);
  assert_int_equal(reached, 0);
  assert_false(thirl_addr_is_set(&at[0]));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_cannot_be_traced),
      cmocka_unit_test(a_destination_that_says_nothing),
  };
  return cmocka_run_group_tests_name("io/hops", tests, NULL, NULL);
}
