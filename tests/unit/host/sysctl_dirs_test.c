/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>

#include <limits.h>

#include "host/sysctl_dirs.h"

enum { ROOT_MAX = 64 };

static char root[ROOT_MAX];

static void put(const char *path, const char *text) {
  char full[PATH_MAX];
  snprintf(full, sizeof full, "%s%s", root, path);
  for (char *c = full + strlen(root) + 1; (c = strchr(c, '/')) != NULL; c++) {
    *c = '\0';
    (void)mkdir(full, 0755);
    *c = '/';
  }
  FILE *f = fopen(full, "w");
  assert_non_null(f);
  assert_true(fputs(text, f) >= 0);
  assert_int_equal(fclose(f), 0);
}

static int set_up(void **state) {
  (void)state;
  snprintf(root, sizeof root, "/tmp/thirl-sysctl.XXXXXX");
  return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state) {
  char command[128];
  (void)state;
  snprintf(command, sizeof command, "rm -rf '%s'", root);
  return system(command);
}

static void an_empty_root_holds_nothing(void **state) {
  (void)state;
  thirl_host_sysctl_dirs d;
  assert_int_equal(thirl_host_sysctl_dirs_read(root, &d), THIRL_OK);
  assert_int_equal(d.n + d.left_out, 0);
  thirl_host_sysctl_dirs_fini(&d);
}

static void files_are_found_where_they_belong(void **state) {
  (void)state;
  thirl_host_sysctl_dirs d;
  char path[PATH_MAX], to[PATH_MAX];
  put("/etc/sysctl.d/60-a.conf", "net.a = 1\n");
  put("/etc/sysctl.d/README", "net.b = 1\n");
  put("/etc/sysctl.d/.hidden.conf", "net.c = 1\n");
  put("/etc/sysctl.conf", "net.d = 1\n");
  put("/usr/lib/sysctl.d/50-b.conf", "net.e = 1\n");
  put("/etc/security/limits.conf", "");
  put("/etc/security/limits.d/1.conf", "* - nofile 5\n");
  snprintf(path, sizeof path, "%s/lib", root);
  assert_int_equal(symlink("usr/lib", path), 0); /* seen once */
  snprintf(path, sizeof path, "%s/etc/sysctl.d/99-sysctl.conf", root);
  assert_int_equal(symlink("../sysctl.conf", path), 0);
  snprintf(path, sizeof path, "%s/etc/sysctl.d/50-b.conf", root);
  assert_int_equal(symlink("/dev/null", path), 0);
  snprintf(path, sizeof path, "%s/etc/sysctl.d/70-dangling.conf", root);
  assert_int_equal(symlink("nowhere", path), 0);
  snprintf(path, sizeof path, "%s/etc/sysctl.d/80-folder.conf", root);
  assert_int_equal(mkdir(path, 0755), 0);
  snprintf(to, sizeof to, "%s/etc/sysctl.d/81-fifo.conf", root);
  assert_int_equal(mkfifo(to, 0600), 0);
  assert_int_equal(thirl_host_sysctl_dirs_read(root, &d), THIRL_OK);
  static const struct {
    const char *path;
    thirl_tune_place place;
    size_t n;
    bool is_conf;
  } expected[] = {
      {"/etc/sysctl.d/50-b.conf", THIRL_TUNE_PLACE_ETC, 0, false},
      {"/etc/sysctl.d/60-a.conf", THIRL_TUNE_PLACE_ETC, 10, false},
      {"/etc/sysctl.d/99-sysctl.conf", THIRL_TUNE_PLACE_ETC, 10, true},
      {"/usr/lib/sysctl.d/50-b.conf", THIRL_TUNE_PLACE_LIB, 10, false},
      {"/etc/security/limits.d/1.conf", THIRL_TUNE_PLACE_PAM, 13, false},
      {"/etc/sysctl.conf", THIRL_TUNE_PLACE_CONF, 10, true},
      {"/etc/security/limits.conf", THIRL_TUNE_PLACE_PAM, 0, false},
  };
  assert_int_equal(d.n, 7);
  for (unsigned i = 0; i < d.n; i++) {
    assert_string_equal(d.files[i].path, expected[i].path);
    assert_int_equal(d.files[i].place, expected[i].place);
    assert_int_equal(d.files[i].text.n, expected[i].n);
    assert_int_equal(d.files[i].is_conf, expected[i].is_conf);
  }
  assert_int_equal(d.left_out, 3); /* what is no file: it does not hang at the fifo */
  thirl_host_sysctl_dirs_fini(&d);
}

static void a_name_is_printable(void **state) {
  (void)state;
  thirl_host_sysctl_dirs d;
  put("/etc/sysctl.d/1\033[2J\xff.conf", "a = 1\n");
  assert_int_equal(thirl_host_sysctl_dirs_read(root, &d), THIRL_OK);
  assert_int_equal(d.n, 1);
  assert_string_equal(d.files[0].path, "/etc/sysctl.d/1?[2J?.conf");
  assert_int_equal(d.files[0].text.n, 6);
  thirl_host_sysctl_dirs_fini(&d);
}

static void a_file_too_long_is_left_out(void **state) {
  (void)state;
  static char text[THIRL_HOST_SYSCTL_FILE_MAX + 2];
  thirl_host_sysctl_dirs d;
  memset(text, '#', sizeof text - 1);
  put("/etc/sysctl.d/1.conf", text);
  text[sizeof text - 2] = '\0';
  put("/etc/sysctl.d/2.conf", text);
  assert_int_equal(thirl_host_sysctl_dirs_read(root, &d), THIRL_OK);
  assert_int_equal(d.n, 1);
  assert_string_equal(d.files[0].path, "/etc/sysctl.d/2.conf");
  assert_int_equal(d.left_out, 1);
  thirl_host_sysctl_dirs_fini(&d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(an_empty_root_holds_nothing, set_up, tear_down),
      cmocka_unit_test_setup_teardown(files_are_found_where_they_belong, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_name_is_printable, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_file_too_long_is_left_out, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
