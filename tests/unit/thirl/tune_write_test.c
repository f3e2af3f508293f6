/* SPDX-License-Identifier: MIT */
/* Changes below a folder that stands for a machine: ordinary files are its settings, and one that leads to /dev/full cannot be set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "apps/thirl/tune_write.h"
#include "apps/thirl/exit.h"

static char root[64];

static const thirl_tune_change somaxconn = {.name = "net.core.somaxconn", .old = "4096", .made = "8192", .why = "TCP1"};
static const thirl_tune_change retries = {.name = "net.ipv4.tcp_retries2", .old = "10", .made = "15", .why = "TCP14"};

static const char *full_path(const char *path) {
  static char full[PATH_MAX];
  snprintf(full, sizeof full, "%s%s", root, path);
  return full;
}

static void put(const char *path, const char *text) {
  thirl_host_whole_folders made = {0};
  assert_int_equal(thirl_host_whole_make_folders(root, path, &made), THIRL_OK);
  int fd = open(full_path(path), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  close(fd);
}

static bool is_there(const char *path) {
  struct stat st;
  return lstat(full_path(path), &st) == 0;
}

static void expect(const char *path, const char *text) {
  char got[4096];
  int fd = open(full_path(path), O_RDONLY);
  assert_true(fd >= 0);
  ssize_t n = read(fd, got, sizeof got - 1);
  assert_true(n >= 0);
  close(fd);
  got[n] = '\0';
  assert_string_equal(got, text);
}

static int set_up(void **state) {
  (void)state;
  snprintf(root, sizeof root, "/tmp/thirl-write.XXXXXX");
  if (!mkdtemp(root)) return -1;
  put("/proc/sys/net/core/somaxconn", "4096\n");
  put("/proc/sys/net/ipv4/tcp_retries2", "10\n");
  return 0;
}

static int tear_down(void **state) {
  char command[128];
  (void)state;
  snprintf(command, sizeof command, "rm -rf '%s'", root);
  return system(command);
}

static void break_retries(void) {
  assert_int_equal(unlink(full_path("/proc/sys/net/ipv4/tcp_retries2")), 0);
  assert_int_equal(symlink("/dev/full", full_path("/proc/sys/net/ipv4/tcp_retries2")), 0);
}

static int write_both(tune_state *s) {
  const thirl_tune_change changes[] = {somaxconn, retries};
  return tune_write_all(root, s, changes, 2);
}

static void all_is_written(void **state) {
  (void)state;
  tune_state s = {0}, kept;
  assert_int_equal(write_both(&s), EXIT_OK);
  expect("/proc/sys/net/core/somaxconn", "8192\n");
  expect("/proc/sys/net/ipv4/tcp_retries2", "15\n");
  expect(TUNE_CONF_FILE, s.conf);
  assert_int_equal(tune_state_load(root, &kept), THIRL_OK);
  assert_int_equal(kept.journal.n, 2);
  assert_string_equal(kept.journal.list[1].old, "10");
  assert_string_equal(kept.journal.list[1].made, "15");
  assert_null(kept.conf_before);
  assert_string_equal(kept.conf, s.conf);
  tune_state_fini(&kept);
  tune_state_fini(&s);
}

static void a_failure_takes_all_back(void **state) {
  (void)state;
  tune_state s = {0};
  break_retries();
  assert_int_equal(write_both(&s), EXIT_GENERIC);
  expect("/proc/sys/net/core/somaxconn", "4096\n");
  assert_false(is_there("/etc"));
  assert_false(is_there("/var"));
  tune_state_fini(&s);
}

static void a_failure_leaves_what_was_applied_before(void **state) {
  (void)state;
  tune_state s = {0}, kept;
  char *conf;
  thirl_tune_change more = somaxconn;
  put(TUNE_CONF_FILE, "# somebody's\n");
  assert_int_equal(tune_write_all(root, &s, &somaxconn, 1), EXIT_OK);
  conf = strdup(s.conf);
  break_retries();
  snprintf(more.old, sizeof more.old, "8192");
  snprintf(more.made, sizeof more.made, "9999");
  const thirl_tune_change changes[] = {more, retries};
  assert_int_equal(tune_write_all(root, &s, changes, 2), EXIT_GENERIC);
  expect("/proc/sys/net/core/somaxconn", "8192\n");
  expect(TUNE_CONF_FILE, conf);
  assert_int_equal(tune_state_load(root, &kept), THIRL_OK);
  assert_int_equal(kept.journal.n, 1);
  assert_string_equal(kept.journal.list[0].old, "4096");
  assert_string_equal(kept.journal.list[0].made, "8192");
  assert_string_equal(kept.conf_before, "# somebody's\n");
  free(conf);
  tune_state_fini(&kept);
  tune_state_fini(&s);
}

static void a_file_that_cannot_be_written_takes_all_back(void **state) {
  (void)state;
  tune_state s = {0};
  put(TUNE_CONF_FILE ".new/in-the-way", "");
  assert_int_not_equal(write_both(&s), EXIT_OK);
  expect("/proc/sys/net/core/somaxconn", "4096\n");
  expect("/proc/sys/net/ipv4/tcp_retries2", "10\n");
  assert_false(is_there("/var"));
  tune_state_fini(&s);
}

static void without_a_journal_nothing_is_touched(void **state) {
  (void)state;
  tune_state s = {0};
  put("/var/lib/thirl", "a file where the folder should be");
  assert_int_equal(write_both(&s), EXIT_GENERIC);
  expect("/proc/sys/net/core/somaxconn", "4096\n");
  assert_false(is_there(TUNE_CONF_FILE));
  tune_state_fini(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(all_is_written, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_failure_takes_all_back, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_failure_leaves_what_was_applied_before, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_file_that_cannot_be_written_takes_all_back, set_up, tear_down),
      cmocka_unit_test_setup_teardown(without_a_journal_nothing_is_touched, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
