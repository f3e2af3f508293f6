/* SPDX-License-Identifier: MIT */
/* Memory that runs out inside the carrier: one scene, again and again, with its first, second, ... allocation failing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>

#include "io/box.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

static bool inside; /* the carrier, not the test */
static long until_failure, failures;

#ifndef SANITIZED
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

static bool fails_now(void) {
  if (!inside || until_failure < 0 || until_failure-- > 0) return false;
  failures++;
  return true;
}

void *malloc(size_t n) {
  return fails_now() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size) {
  return fails_now() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n) {
  return fails_now() ? NULL : __libc_realloc(p, n);
}
#endif

/* libuv ends the process when it gets no memory; that is not what is tested here. */
static void spare_libuv(void) {
#ifndef SANITIZED
  uv_replace_allocator(__libc_malloc, __libc_realloc, __libc_calloc, __libc_free);
#endif
}

static size_t open_descriptors(void) {
  size_t n = 0;
  DIR *d = opendir("/proc/self/fd");
  while (readdir(d))
    n++;
  closedir(d);
  return n;
}

enum { CONNECTS = 70, EACH = 30000 }; /* more than the first room for outcomes, more than one send takes */

static void turn(uv_loop_t *loop) {
  inside = true;
  uv_run(loop, UV_RUN_NOWAIT);
  inside = false;
}

static bool is_settled(const box *b) {
  for (size_t i = 0; i < b->conns_n; i++)
    if (!b->conns[i].failed && b->conns[i].received < b->conns[i].to_send) return false;
  return b->conns_n == CONNECTS;
}

/* True when nothing failed: there was no such allocation. */
static bool play(long failing) {
  uv_loop_t loop;
  thirl_io_net_config crumbs = {.sndbuf = 4608, .backlog = 4096};
  assert_int_equal(uv_loop_init(&loop), 0);
  box *a = box_new(&loop, &crumbs), *b = box_new(&loop, &crumbs);
  a->echo = true;
  until_failure = failing;
  failures = 0;
  box_udp(a, thirl_addr_v4(127, 0, 0, 1, 0));
  box_listen(a, thirl_addr_v4(127, 0, 0, 1, 0)); /* last, so that a->listening is its port */
  for (int i = 0; i < 100000 && a->count[THIRL_NET_LISTENING] + a->count[THIRL_NET_FAILED] < 2; i++)
    turn(&loop);
  assert_int_equal(a->count[THIRL_NET_LISTENING] + a->count[THIRL_NET_FAILED], 2); /* each has its answer */
  if (a->count[THIRL_NET_LISTENING] == 2) {
    thirl_addr to = a->listening;
    to.port = 0;
    for (size_t i = 0; i < CONNECTS; i++)
      box_connect(b, to, i % 2 ? a->listening : thirl_addr_v4(255, 255, 255, 255, 9), EACH);
    inside = true;
    thirl_io_net_kick(b->net);
    inside = false;
    for (int i = 0; i < 1000000 && !is_settled(b); i++)
      turn(&loop);
    assert_true(is_settled(b)); /* all through, or told that they are not */
    assert_true(b->count[THIRL_NET_CONNECTED] + b->count[THIRL_NET_FAILED] >= CONNECTS);
  }
  until_failure = -1;
  long happened = failures;
  box_free(&loop, a);
  box_free(&loop, b);
  uv_run(&loop, UV_RUN_NOWAIT);
  assert_int_equal(uv_loop_close(&loop), 0);
  return happened == 0;
}

static void test_each_allocation_fails_once(void **state) {
  (void)state;
#ifdef SANITIZED
  skip(); /* its malloc is its own */
#endif
  play(-1);
  size_t before = open_descriptors();
  long n = 0;
  while (!play(n)) {
    assert_int_equal(open_descriptors(), before);
    n++;
  }
  assert_true(n > 50); /* it was about something */
}

static void test_no_memory_for_a_carrier(void **state) {
  (void)state;
#ifdef SANITIZED
  skip();
#endif
  thirl_net_machine m = {0};
  thirl_io_net *n;
  uv_loop_t loop;
  assert_int_equal(uv_loop_init(&loop), 0);
  until_failure = 0;
  inside = true;
  thirl_error e = thirl_io_net_new(&loop, &m, NULL, &n);
  inside = false;
  until_failure = -1;
  assert_int_equal(e, THIRL_E_NOMEM);
  assert_null(n);
  assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_allocation_fails_once),
      cmocka_unit_test(test_no_memory_for_a_carrier),
  };
  spare_libuv();
  return cmocka_run_group_tests_name("io/memory", tests, NULL, NULL);
}
