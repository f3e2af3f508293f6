/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "lab/process/control.h"

static char directory[64], path[80];

static int set_up(void **state) {
  (void)state;
  const char *tmp = getenv("TMPDIR");
  snprintf(directory, sizeof directory, "%.40s/thirl-control.XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
  if (!mkdtemp(directory)) return -1;
  snprintf(path, sizeof path, "%s/control", directory);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  unlink(path);
  return rmdir(directory);
}

static void only_this_user_may_ask(void **state) {
  (void)state;
  struct stat st;
  int listener, other;
  assert_int_equal(thirl_lab_control_connect(path, &other), ENOENT);
  assert_int_equal(other, -1);
  assert_int_equal(thirl_lab_control_listen(path, &listener), 0);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0700);
  close(listener);
  assert_int_equal(thirl_lab_control_connect(path, &other), ECONNREFUSED);
}

static void packets_carry_descriptors(void **state) {
  (void)state;
  static thirl_lab_control_packet p;
  int ends[2], pipe_ends[2];
  char byte = 0;
  assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
  assert_int_equal(pipe(pipe_ends), 0);
  assert_int_equal(thirl_lab_control_receive(ends[0], &p), THIRL_E_AGAIN);
  assert_int_equal(p.fds[0], -1);
  int fds[2] = {-1, pipe_ends[1]};
  assert_true(thirl_lab_control_send(ends[1], THIRL_LAB_CONTROL_DONE, "hello", 5, fds, 2));
  assert_true(thirl_lab_control_send(ends[1], THIRL_LAB_CONTROL_TEXT, "", 0, NULL, 0));
  close(pipe_ends[1]);
  assert_int_equal(thirl_lab_control_receive(ends[0], &p), THIRL_OK);
  assert_int_equal(p.kind, THIRL_LAB_CONTROL_DONE);
  assert_string_equal(p.text, "hello");
  assert_int_equal(p.len, 5);
  assert_true(p.fds[0] >= 0);
  assert_int_equal(p.fds[1], -1);
  assert_int_equal(write(p.fds[0], "x", 1), 1);
  assert_int_equal(read(pipe_ends[0], &byte, 1), 1);
  assert_int_equal(byte, 'x');
  close(p.fds[0]);
  assert_int_equal(thirl_lab_control_receive(ends[0], &p), THIRL_OK);
  assert_int_equal(p.kind, THIRL_LAB_CONTROL_TEXT);
  assert_int_equal(p.len, 0);
  close(ends[1]);
  assert_int_equal(thirl_lab_control_receive(ends[0], &p), THIRL_E_EOF);
  close(ends[0]);
  close(pipe_ends[0]);
}

static void a_packet_that_is_too_long_is_an_error(void **state) {
  (void)state;
  static thirl_lab_control_packet p;
  static char text[THIRL_LAB_CONTROL_PACKET_MAX];
  int ends[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
  memset(text, 'x', sizeof text);
  assert_true(thirl_lab_control_send(ends[1], THIRL_LAB_CONTROL_TEXT, text, sizeof text - 1, NULL, 0));
  assert_true(thirl_lab_control_send(ends[1], THIRL_LAB_CONTROL_TEXT, text, sizeof text, NULL, 0));
  assert_int_equal(thirl_lab_control_receive(ends[0], &p), THIRL_OK);
  assert_int_equal(p.len, sizeof text - 1);
  assert_int_equal(thirl_lab_control_receive(ends[0], &p), THIRL_E_IO);
  close(ends[0]);
  close(ends[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(only_this_user_may_ask, set_up, tear_down),
      cmocka_unit_test(packets_carry_descriptors),
      cmocka_unit_test(a_packet_that_is_too_long_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
