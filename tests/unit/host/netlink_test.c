/* SPDX-License-Identifier: MIT */
/* Attributes of a message, also of one that lies about its lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "host/netlink.h"

enum { FIXED = 4 };

typedef struct message {
  struct nlmsghdr head;
  char rest[64];
} message;

static size_t used;

static void begin(message *m) {
  memset(m, 0, sizeof *m);
  used = FIXED;
}

static void add(message *m, uint16_t type, uint16_t length, const char *payload, size_t n) {
  struct nlattr a = {.nla_len = length, .nla_type = type};
  memcpy(m->rest + used, &a, sizeof a);
  memcpy(m->rest + used + sizeof a, payload, n);
  used += (sizeof a + n + 3) & ~(size_t)3;
  m->head.nlmsg_len = (uint32_t)(sizeof m->head + used);
}

static void found(void **state) {
  message m;
  (void)state;
  begin(&m);
  add(&m, 1, 9, "hello", 5); /* padded to 12 */
  add(&m, 2 | NLA_F_NESTED, 8, "abcd", 4);
  const void *one = thirl_host_netlink_find(&m.head, FIXED, 1, 1), *two = thirl_host_netlink_find(&m.head, FIXED, 2, 4);
  assert_memory_equal(one, "hello", 5);
  assert_int_equal(thirl_host_netlink_length(one), 5);
  assert_memory_equal(two, "abcd", 4);
  assert_null(thirl_host_netlink_find(&m.head, FIXED, 3, 0));
  assert_null(thirl_host_netlink_find(&m.head, FIXED, 2, 5)); /* too short for what is wanted */
}

static void one_within_another(void **state) {
  message m;
  struct nlattr inner = {.nla_len = 6, .nla_type = 7};
  char payload[8] = {0};
  (void)state;
  memcpy(payload, &inner, sizeof inner);
  memcpy(payload + sizeof inner, "hi", 2);
  begin(&m);
  add(&m, 1, 12, payload, 8);
  const void *outer = thirl_host_netlink_find(&m.head, FIXED, 1, 1);
  assert_memory_equal(thirl_host_netlink_inside(outer, thirl_host_netlink_length(outer), 7, 2), "hi", 2);
  assert_null(thirl_host_netlink_inside(outer, thirl_host_netlink_length(outer), 8, 0));
}

static void lengths_that_lie(void **state) {
  static const uint16_t lengths[] = {0, 1, 3, 9, 200, 65535}; /* of an attribute with 4 bytes, the last one */
  (void)state;
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    message m;
    begin(&m);
    add(&m, 1, lengths[i], "abcd", 4);
    assert_null(thirl_host_netlink_find(&m.head, FIXED, 1, 0));
    assert_null(thirl_host_netlink_find(&m.head, FIXED, 2, 0));
  }
}

static void messages_that_are_too_short(void **state) {
  message m;
  (void)state;
  begin(&m);
  for (uint32_t n = 0; n <= sizeof m.head + FIXED + 3; n++) {
    m.head.nlmsg_len = n;
    assert_null(thirl_host_netlink_find(&m.head, FIXED, 0, 0));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(found),
      cmocka_unit_test(one_within_another),
      cmocka_unit_test(lengths_that_lie),
      cmocka_unit_test(messages_that_are_too_short),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
