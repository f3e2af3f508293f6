/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "host/knob.h"

static char root[64];

static int set_up(void **state) {
  (void)state;
  snprintf(root, sizeof root, "/tmp/thirl-host.XXXXXX");
  return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state) {
  char command[128];
  (void)state;
  snprintf(command, sizeof command, "rm -rf '%s'", root);
  return system(command);
}

/* A file that stands for a setting. */
static void put(const char *path, const char *text) {
  char full[PATH_MAX];
  snprintf(full, sizeof full, "%s/proc/sys/%s", root, path);
  for (char *c = full + strlen(root) + 1; (c = strchr(c, '/')) != NULL; c++) {
    *c = '\0';
    (void)mkdir(full, 0755);
    *c = '/';
  }
  int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  close(fd);
}

static void values_are_read_and_written(void **state) {
  (void)state;
  char value[THIRL_TUNE_VALUE_MAX];
  put("net/ipv4/ip_local_port_range", "32768\t60999\n");
  put("net/ipv4/ip_local_reserved_ports", "\n");
  assert_int_equal(thirl_host_knob_read(root, "net.ipv4.ip_local_port_range", value), THIRL_OK);
  assert_string_equal(value, "32768 60999");
  assert_int_equal(thirl_host_knob_read(root, "net.ipv4.ip_local_reserved_ports", value), THIRL_OK);
  assert_string_equal(value, "");
  assert_int_equal(thirl_host_knob_write(root, "net.ipv4.ip_local_port_range", "16384 49151"), THIRL_OK);
  assert_int_equal(thirl_host_knob_read(root, "net.ipv4.ip_local_port_range", value), THIRL_OK);
  assert_string_equal(value, "16384 49151");
  assert_int_equal(thirl_host_knob_try(root, "net.ipv4.ip_local_port_range"), THIRL_OK);
}

static void nothing_but_the_list_is_written(void **state) {
  (void)state;
  char value[THIRL_TUNE_VALUE_MAX];
  put("kernel/modules_disabled", "0\n");
  put("net/core/somaxconn", "4096\n");
  assert_int_equal(thirl_host_knob_write(root, "kernel.modules_disabled", "1"), THIRL_E_INVALID);
  assert_int_equal(thirl_host_knob_try(root, "kernel.modules_disabled"), THIRL_E_INVALID);
  assert_int_equal(thirl_host_knob_write(root, "net/core/somaxconn", "1"), THIRL_E_INVALID);
  assert_int_equal(thirl_host_knob_write(root, "net.core.somaxconn", "1\n2"), THIRL_E_INVALID);
  assert_int_equal(thirl_host_knob_read(root, "kernel.modules_disabled", value), THIRL_OK);
  assert_string_equal(value, "0");
  assert_int_equal(thirl_host_knob_read(root, "../../etc/passwd", value), THIRL_E_INVALID);
}

static void what_is_not_there_is_told(void **state) {
  (void)state;
  char value[THIRL_TUNE_VALUE_MAX], text[3 * THIRL_TUNE_VALUE_MAX];
  assert_int_equal(thirl_host_knob_read(root, "net.core.somaxconn", value), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_host_knob_write(root, "net.core.somaxconn", "1"), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_host_knob_try(root, "net.core.somaxconn"), THIRL_E_NOT_FOUND);
  memset(text, '1', sizeof text);
  text[sizeof text - 1] = '\0';
  put("net/core/somaxconn", text);
  assert_int_equal(thirl_host_knob_read(root, "net.core.somaxconn", value), THIRL_E_LIMIT);
  put("net/core/somaxconn", "a\033b");
  assert_int_equal(thirl_host_knob_read(root, "net.core.somaxconn", value), THIRL_E_LIMIT);
}

/* point(FROM, TO): a link below root, to another folder or file below root */
static void point(const char *from, const char *to) {
  char one[PATH_MAX], other[PATH_MAX];
  snprintf(one, sizeof one, "%s/%s", root, from);
  snprintf(other, sizeof other, "%s/%s", root, to);
  assert_int_equal(symlink(other, one), 0);
}

static void a_link_is_read_but_not_written_through(void **state) {
  (void)state;
  char value[THIRL_TUNE_VALUE_MAX];
  put("elsewhere/somaxconn", "4096\n");
  put("net/ipv4/x", "1\n");
  point("proc/sys/net/core", "proc/sys/elsewhere");                          /* on the way */
  point("proc/sys/net/ipv4/tcp_syncookies", "proc/sys/elsewhere/somaxconn"); /* at its end */
  assert_int_equal(thirl_host_knob_try(root, "net.core.somaxconn"), THIRL_E_UNSUPPORTED);
  assert_int_equal(thirl_host_knob_write(root, "net.core.somaxconn", "1"), THIRL_E_UNSUPPORTED);
  assert_int_equal(thirl_host_knob_try(root, "net.ipv4.tcp_syncookies"), THIRL_E_UNSUPPORTED);
  assert_int_equal(thirl_host_knob_write(root, "net.ipv4.tcp_syncookies", "1"), THIRL_E_UNSUPPORTED);
  assert_int_equal(thirl_host_knob_read(root, "net.core.somaxconn", value), THIRL_OK);
  assert_string_equal(value, "4096");
}

static void a_child_does_not_show_the_machine(void **state) {
  (void)state;
  put("net/core/somaxconn", "1");
  assert_true(thirl_host_knob_is_child(root));
  put("net/core/netdev_max_backlog", "1000\n");
  assert_false(thirl_host_knob_is_child(root));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(values_are_read_and_written, set_up, tear_down),
      cmocka_unit_test_setup_teardown(nothing_but_the_list_is_written, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_is_not_there_is_told, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_link_is_read_but_not_written_through, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_child_does_not_show_the_machine, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
