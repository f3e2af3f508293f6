/* SPDX-License-Identifier: MIT */
/* A terminal and a pipe that nobody reads: whoever writes is not held up, nothing is lost below the maximum, and their flags stay as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "apps/thirl/spout.h"

enum { MUCH = 700000, STEP = 1000 };

static int rooms;

static void on_room(void *owner) {
  (void)owner;
  rooms++;
}

static uint8_t byte_at(size_t i) {
  return (uint8_t)('a' + i * 7 % 23);
}

static void close_handle(uv_handle_t *h, void *arg) {
  (void)arg;
  if (!uv_is_closing(h)) uv_close(h, NULL);
}

/* Writes MUCH bytes to out, which nobody reads meanwhile, then reads them at in, while the loop turns. */
static void fill_and_drain(int out, int in) {
  static uint8_t got[MUCH];
  uv_loop_t loop;
  spout s;
  int flags = fcntl(out, F_GETFL);
  assert_int_equal(uv_loop_init(&loop), 0);
  assert_true(spout_init(&s, &loop, out, on_room, NULL));
  rooms = 0;
  for (size_t i = 0; i < MUCH; i += STEP) {
    uint8_t bytes[STEP];
    for (size_t j = 0; j < STEP; j++)
      bytes[j] = byte_at(i + j);
    spout_put(&s, THIRL_BYTES(bytes, STEP));
  }
  assert_true(spout_is_full(&s));
  assert_int_equal(fcntl(out, F_GETFL), flags);
  for (size_t n = 0; n < MUCH;) {
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    ssize_t r = read(in, got + n, MUCH - n);
    if (r > 0) n += (size_t)r;
  }
  for (size_t i = 0; i < MUCH; i++)
    if (got[i] != byte_at(i)) fail_msg("another byte at %zu", i);
  (void)uv_run(&loop, UV_RUN_NOWAIT);
  assert_int_equal(rooms, 1);
  assert_false(spout_is_full(&s));
  assert_int_equal(s.error, THIRL_OK);
  assert_true(spout_fini(&s, 0));
  uv_walk(&loop, close_handle, NULL);
  (void)uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_terminal_that_is_stopped(void **state) {
  (void)state;
  int master, slave;
  struct termios raw;
  assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
  assert_int_equal(tcgetattr(slave, &raw), 0);
  cfmakeraw(&raw);
  assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
  assert_int_equal(fcntl(master, F_SETFL, O_NONBLOCK), 0);
  fill_and_drain(slave, master);
  close(master);
  close(slave);
}

static void a_pipe_that_nobody_reads(void **state) {
  (void)state;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
  fill_and_drain(ends[1], ends[0]);
  close(ends[0]);
  close(ends[1]);
}

static void what_is_lost_at_the_end(void **state) {
  (void)state;
  static uint8_t much[MUCH];
  int ends[2];
  uv_loop_t loop;
  spout s;
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(uv_loop_init(&loop), 0);
  assert_true(spout_init(&s, &loop, ends[1], on_room, NULL));
  spout_put(&s, THIRL_BYTES(much, sizeof much));
  assert_false(spout_fini(&s, 0));
  uv_walk(&loop, close_handle, NULL);
  (void)uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(&loop), 0);
  close(ends[0]);
  close(ends[1]);
}

static void whoever_is_gone(void **state) {
  (void)state;
  int ends[2];
  uv_loop_t loop;
  spout s;
  assert_int_equal(pipe(ends), 0);
  close(ends[0]);
  assert_int_equal(uv_loop_init(&loop), 0);
  assert_true(spout_init(&s, &loop, ends[1], on_room, NULL));
  spout_put(&s, THIRL_BYTES("x", 1));
  assert_int_equal(s.error, THIRL_E_IO);
  spout_put(&s, THIRL_BYTES("x", 1));
  assert_false(spout_is_full(&s));
  assert_true(spout_fini(&s, 0));
  uv_walk(&loop, close_handle, NULL);
  (void)uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(&loop), 0);
  close(ends[1]);
}

static int ignore_sigpipe(void **state) {
  (void)state;
  return signal(SIGPIPE, SIG_IGN) == SIG_ERR;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_terminal_that_is_stopped),
      cmocka_unit_test(a_pipe_that_nobody_reads),
      cmocka_unit_test(what_is_lost_at_the_end),
      cmocka_unit_test(whoever_is_gone),
  };
  return cmocka_run_group_tests(tests, ignore_sigpipe, NULL);
}
