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
#include <sys/file.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "host/whole.h"

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

static const char path[] = "/var/lib/thirl/x.json";

static void expect(const char *text) {
  thirl_buffer b;
  thirl_buffer_init(&b, 1024);
  assert_int_equal(thirl_host_whole_read_own(root, path, &b), THIRL_OK);
  thirl_bytes v = thirl_buffer_view(&b);
  assert_int_equal(v.n, strlen(text));
  assert_memory_equal(v.p, text, v.n);
  thirl_buffer_fini(&b);
}

static void put(const char *text, unsigned mode) {
  assert_int_equal(thirl_host_whole_write(root, path, THIRL_BYTES(text, strlen(text)), mode), THIRL_OK);
}

static void what_was_made_is_removed(void **state) {
  (void)state;
  thirl_host_whole_folders made = {0};
  struct stat st;
  char full[PATH_MAX];
  snprintf(full, sizeof full, "%s/var", root);
  assert_int_equal(mkdir(full, 0700), 0);
  assert_int_equal(thirl_host_whole_make_folders(root, path, &made), THIRL_OK);
  assert_int_equal(made.n, 2);
  assert_string_equal(made.path[0], "/var/lib");
  assert_string_equal(made.path[1], "/var/lib/thirl");
  assert_int_equal(thirl_host_whole_make_folders(root, path, &made), THIRL_OK);
  assert_int_equal(made.n, 2);
  put("a", 0600);
  thirl_host_whole_remove_folders(root, &made);
  expect("a"); /* not empty: stays */
  assert_int_equal(thirl_host_whole_remove(root, path), THIRL_OK);
  assert_int_equal(thirl_host_whole_remove(root, path), THIRL_E_NOT_FOUND);
  thirl_host_whole_remove_folders(root, &made);
  assert_int_equal(stat(full, &st), 0);
  snprintf(full, sizeof full, "%s/var/lib", root);
  assert_int_not_equal(stat(full, &st), 0);
}

static void a_file_is_replaced_whole(void **state) {
  (void)state;
  thirl_host_whole_folders made = {0};
  struct stat st;
  char full[PATH_MAX], left[PATH_MAX];
  assert_int_equal(thirl_host_whole_make_folders(root, path, &made), THIRL_OK);
  snprintf(full, sizeof full, "%s%s", root, path);
  snprintf(left, sizeof left, "%s%s.new", root, path);
  assert_int_equal(symlink("/nowhere/at/all", left), 0); /* what a killed one, or a trickster, has left */
  mode_t old = umask(077);
  put("first", 0644);
  umask(old);
  expect("first");
  assert_int_equal(stat(full, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0644);
  put("", 0600);
  expect("");
  assert_int_equal(stat(full, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  assert_int_not_equal(lstat(left, &st), 0);
}

static void what_others_may_write_is_not_believed(void **state) {
  (void)state;
  thirl_host_whole_folders made = {0};
  thirl_buffer b;
  char full[PATH_MAX], other[PATH_MAX];
  thirl_buffer_init(&b, 16);
  assert_int_equal(thirl_host_whole_make_folders(root, path, &made), THIRL_OK);
  snprintf(full, sizeof full, "%s%s", root, path);
  snprintf(other, sizeof other, "%s%s.other", root, path);
  assert_int_equal(thirl_host_whole_read_own(root, path, &b), THIRL_E_NOT_FOUND);
  put("12345678901234567", 0622);
  assert_int_equal(thirl_host_whole_read_own(root, path, &b), THIRL_E_PERMISSION);
  assert_int_equal(thirl_host_whole_read(root, path, &b), THIRL_E_LIMIT);
  put("1", 0600);
  assert_int_equal(rename(full, other), 0);
  assert_int_equal(symlink(other, full), 0);
  assert_int_equal(thirl_host_whole_read_own(root, path, &b), THIRL_E_PERMISSION);
  assert_int_equal(unlink(full), 0);
  assert_int_equal(mkdir(full, 0700), 0);
  assert_int_equal(thirl_host_whole_read_own(root, path, &b), THIRL_E_IO);
  assert_int_not_equal(thirl_host_whole_write(root, path, THIRL_BYTES("x", 1), 0600), THIRL_OK);
  thirl_buffer_fini(&b);
}

static void two_do_not_work_at_once(void **state) {
  (void)state;
  thirl_host_whole_folders made = {0};
  struct stat st;
  char full[PATH_MAX];
  int one, two;
  snprintf(full, sizeof full, "%s%s", root, path);
  assert_int_equal(thirl_host_whole_lock(root, path, &one), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_host_whole_make_folders(root, path, &made), THIRL_OK);
  assert_int_equal(thirl_host_whole_lock(root, path, &one), THIRL_OK);
  assert_int_equal(stat(full, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  assert_int_equal(thirl_host_whole_lock(root, path, &two), THIRL_E_IN_USE);
  assert_int_equal(two, -1);
  thirl_host_whole_unlock(root, path, one);
  assert_int_not_equal(stat(full, &st), 0);
  assert_int_equal(thirl_host_whole_lock(root, path, &two), THIRL_OK);
  thirl_host_whole_unlock(root, path, two);
}

/* Whoever may open a file may lock it for ever, a folder too. */
static void nobody_else_can_lock(void **state) {
  (void)state;
  thirl_host_whole_folders made = {0};
  char full[PATH_MAX];
  int one;
  assert_int_equal(thirl_host_whole_make_folders(root, path, &made), THIRL_OK);
  snprintf(full, sizeof full, "%s/var/lib/thirl", root);
  int folder = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  assert_true(folder >= 0);
  assert_int_equal(flock(folder, LOCK_EX | LOCK_NB), 0);
  assert_int_equal(thirl_host_whole_lock(root, path, &one), THIRL_OK);
  thirl_host_whole_unlock(root, path, one);
  close(folder);
  snprintf(full, sizeof full, "%s%s", root, path);
  put("", 0644);
  assert_int_equal(thirl_host_whole_lock(root, path, &one), THIRL_E_PERMISSION);
  assert_int_equal(unlink(full), 0);
  assert_int_equal(symlink("x.other", full), 0);
  assert_int_equal(thirl_host_whole_lock(root, path, &one), THIRL_E_PERMISSION);
}

static void nothing_leaves_the_root(void **state) {
  (void)state;
  thirl_host_whole_folders made = {0};
  thirl_buffer b;
  struct stat st;
  char full[PATH_MAX], outside[PATH_MAX];
  int one;
  thirl_buffer_init(&b, 16);
  snprintf(outside, sizeof outside, "%s/outside", root);
  snprintf(full, sizeof full, "%s/var", root);
  assert_int_equal(mkdir(outside, 0700), 0);
  assert_int_equal(symlink(outside, full), 0);
  assert_int_equal(thirl_host_whole_make_folders(root, path, &made), THIRL_E_UNSUPPORTED);
  assert_int_equal(made.n, 0);
  snprintf(full, sizeof full, "%s/outside/lib", root);
  assert_int_not_equal(stat(full, &st), 0);
  assert_int_equal(mkdir(full, 0700), 0);
  snprintf(full, sizeof full, "%s/outside/lib/thirl", root);
  assert_int_equal(mkdir(full, 0700), 0);
  assert_int_equal(thirl_host_whole_write(root, path, THIRL_BYTES("x", 1), 0600), THIRL_E_UNSUPPORTED);
  assert_int_equal(thirl_host_whole_read_own(root, path, &b), THIRL_E_UNSUPPORTED);
  assert_int_equal(thirl_host_whole_remove(root, path), THIRL_E_UNSUPPORTED);
  assert_int_equal(thirl_host_whole_lock(root, path, &one), THIRL_E_UNSUPPORTED);
  assert_int_equal(rmdir(full), 0); /* nothing is in it */
  thirl_buffer_fini(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_was_made_is_removed, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_file_is_replaced_whole, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_others_may_write_is_not_believed, set_up, tear_down),
      cmocka_unit_test_setup_teardown(two_do_not_work_at_once, set_up, tear_down),
      cmocka_unit_test_setup_teardown(nobody_else_can_lock, set_up, tear_down),
      cmocka_unit_test_setup_teardown(nothing_leaves_the_root, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
