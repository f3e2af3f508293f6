/* SPDX-License-Identifier: MIT */
/* What a person may write for a server, and what becomes of it. No name server is asked: literals and localhost only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "io/box.h"
#include "io/resolve.h"
#include "io/clock.h"
#include "io/secrets.h"

typedef struct answer {
  unsigned calls;
  thirl_error error;
  thirl_addr addrs[THIRL_IO_RESOLVE_MAX];
  size_t n;
} answer;

static void on_done(void *ctx, thirl_error e, const thirl_addr *addrs, size_t n) {
  answer *a = ctx;
  a->calls++;
  a->error = e;
  a->n = n;
  for (size_t i = 0; i < n; i++)
    a->addrs[i] = addrs[i];
}

static bool is_answered(void *ctx) {
  return ((answer *)ctx)->calls != 0;
}

static answer resolve(const char *text, uint16_t port) {
  uv_loop_t loop;
  answer a = {0};
  thirl_io_resolve *r;
  assert_int_equal(uv_loop_init(&loop), 0);
  assert_int_equal(thirl_io_resolve_start(&loop, text, port, on_done, &a, &r), THIRL_OK);
  assert_int_equal(a.calls, 0); /* never from inside start */
  assert_true(box_run(&loop, is_answered, &a));
  assert_int_equal(uv_loop_close(&loop), 0);
  return a;
}

static void test_literals(void **state) {
  (void)state;
  thirl_addr v4 = thirl_addr_v4(192, 0, 2, 1, 443), v6;
  answer a = resolve("192.0.2.1:443", 1);
  assert_int_equal(a.error, THIRL_OK);
  assert_int_equal(a.n, 1); /* one, not one per socket type */
  assert_true(thirl_addr_equal(&a.addrs[0], &v4));
  assert_int_equal(thirl_addr_parse("[2001:db8::1]:3478", &v6), THIRL_OK);
  a = resolve("2001:db8::1", 3478);
  assert_int_equal(a.error, THIRL_OK);
  assert_true(thirl_addr_equal(&a.addrs[0], &v6));
  a = resolve("[2001:db8::1]:3478", 1);
  assert_true(thirl_addr_equal(&a.addrs[0], &v6));
  a = resolve("::ffff:192.0.2.1", 443); /* IPv4 in disguise */
  assert_true(thirl_addr_equal(&a.addrs[0], &v4));
}

static void test_localhost(void **state) {
  (void)state;
  answer a = resolve("localhost:7", 1);
  assert_int_equal(a.error, THIRL_OK);
  assert_true(a.n >= 1);
  for (size_t i = 0; i < a.n; i++) {
    assert_int_equal(a.addrs[i].port, 7);
    for (size_t k = 0; k < i; k++)
      assert_false(thirl_addr_equal(&a.addrs[i], &a.addrs[k]));
  }
}

static void test_split(void **state) {
  (void)state;
  char host[THIRL_IO_RESOLVE_HOST_MAX], longest[300];
  uint16_t port;
  assert_int_equal(thirl_io_resolve_split("example.org", 3478, host, &port), THIRL_OK);
  assert_string_equal(host, "example.org");
  assert_int_equal(port, 3478);
  assert_int_equal(thirl_io_resolve_split("example.org:65535", 3478, host, &port), THIRL_OK);
  assert_string_equal(host, "example.org");
  assert_int_equal(port, 65535);
  assert_int_equal(thirl_io_resolve_split("[::1]", 3478, host, &port), THIRL_OK);
  assert_string_equal(host, "::1");
  assert_int_equal(port, 3478);
  const char *wrong[] = {"",     ":1",     "a:",     "a:0", "a:65536", "a:-1", "a:1x", "a:99999999999",
                         "[::1", "[::1]x", "[::1]:", "[]:1"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_int_equal(thirl_io_resolve_split(wrong[i], 1, host, &port), THIRL_E_SYNTAX);
  memset(longest, 'a', sizeof longest);
  longest[THIRL_IO_RESOLVE_HOST_MAX - 1] = '\0';
  assert_int_equal(thirl_io_resolve_split(longest, 1, host, &port), THIRL_OK);
  longest[THIRL_IO_RESOLVE_HOST_MAX - 1] = 'a';
  longest[THIRL_IO_RESOLVE_HOST_MAX] = '\0';
  assert_int_equal(thirl_io_resolve_split(longest, 1, host, &port), THIRL_E_SYNTAX);
}

static thirl_addr address(char family, int i) {
  uint8_t ip[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)i};
  return family == '6' ? thirl_addr_v6(ip, 1) : thirl_addr_v4(192, 0, 2, (uint8_t)i, 1);
}

/* Each in its own order. */
static void test_alternate(void **state) {
  (void)state;
  const struct {
    const char *before, *after, *order; /* the families, and whose place was which */
  } cases[] = {
      {"", "", ""},
      {"4", "4", "0"},
      {"666", "666", "012"},
      {"64", "64", "01"},
      {"6644", "6464", "0213"},
      {"66664", "64666", "04123"},
      {"4666", "4666", "0123"},
      {"444466", "464644", "041523"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    thirl_addr a[THIRL_IO_RESOLVE_MAX];
    size_t n = strlen(cases[k].before);
    for (size_t i = 0; i < n; i++)
      a[i] = address(cases[k].before[i], (int)i);
    thirl_io_resolve_alternate(a, n);
    for (size_t i = 0; i < n; i++) {
      thirl_addr want = address(cases[k].after[i], cases[k].order[i] - '0');
      assert_true(thirl_addr_equal(&a[i], &want));
    }
  }
}

static void test_cancel(void **state) {
  (void)state;
  uv_loop_t loop;
  answer a = {0};
  thirl_io_resolve *r;
  assert_int_equal(uv_loop_init(&loop), 0);
  for (int i = 0; i < 20; i++) {
    assert_int_equal(thirl_io_resolve_start(&loop, "127.0.0.1", 1, on_done, &a, &r), THIRL_OK);
    if (i % 2) uv_run(&loop, UV_RUN_NOWAIT);
    if (!a.calls) thirl_io_resolve_cancel(r);
    while (uv_run(&loop, UV_RUN_ONCE))
      ;
    a.calls = 0;
  }
  assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_secrets_and_clock(void **state) {
  (void)state;
  thirl_secrets s = thirl_io_secrets();
  uint8_t a[1000] = {0}, b[1000] = {0};
  thirl_secrets_fill(&s, a, sizeof a);
  thirl_secrets_fill(&s, b, sizeof b);
  assert_memory_not_equal(a, b, sizeof a);
  size_t zeroes = 0;
  for (size_t i = 0; i < sizeof a; i++)
    zeroes += a[i] == 0;
  assert_true(zeroes < 40); /* all of it was filled */
  thirl_time before = thirl_io_clock_now();
  assert_true(thirl_io_clock_now() >= before);
  assert_true(uv_hrtime() / 1000 - before < 10 * THIRL_S);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_literals), cmocka_unit_test(test_localhost),         cmocka_unit_test(test_split),
      cmocka_unit_test(test_cancel),   cmocka_unit_test(test_secrets_and_clock), cmocka_unit_test(test_alternate),
  };
  return cmocka_run_group_tests_name("io/resolve", tests, NULL, NULL);
}
