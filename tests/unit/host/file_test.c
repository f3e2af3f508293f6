/* SPDX-License-Identifier: MIT */
/* Files below a root, whole and in pieces, and what is made of those that cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "host/file.h"

static char dir[64], second[80];
static thirl_host_dump d;

static void put(const char *root, const char *name, const char *text, size_t n) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", root, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  assert_int_equal(fwrite(text, 1, n, f), n);
  fclose(f);
}

static int set_up(void **state) {
  (void)state;
  snprintf(dir, sizeof dir, "/tmp/thirl-file.XXXXXX");
  assert_non_null(mkdtemp(dir));
  snprintf(second, sizeof second, "%s/second", dir);
  assert_int_equal(mkdir(second, 0700), 0);
  thirl_host_dump_init(&d);
  return 0;
}

static int tear_down(void **state) {
  static const char *const names[] = {"second/b", "second", "a", "b", "long", "lines", ""};
  char path[256];
  (void)state;
  thirl_host_dump_fini(&d);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(path, sizeof path, "%s/%s", dir, names[i]);
    if (unlink(path) != 0) (void)rmdir(path);
  }
  return 0;
}

static void whole_files(void **state) {
  thirl_tune_text t;
  (void)state;
  put(dir, "a", "hello\n", 6);
  assert_int_equal(thirl_host_file_read(dir, "a", &d, &t), THIRL_TUNE_WHY_READ);
  assert_true(thirl_tune_text_is(t, "hello\n"));
  assert_int_equal(thirl_host_file_read(dir, "nosuch", &d, &t), THIRL_TUNE_WHY_NO_SUCH);
  assert_int_equal(thirl_host_file_read(dir, "a/b", &d, &t), THIRL_TUNE_WHY_NO_SUCH);
  assert_int_equal(thirl_host_file_read(dir, "second", &d, &t), THIRL_TUNE_WHY_MALFORMED); /* a directory */
}

static void the_first_root_that_has_it(void **state) {
  char roots[256];
  thirl_tune_text t;
  (void)state;
  snprintf(roots, sizeof roots, "%s:%s/", second, dir);
  put(dir, "a", "base", 4);
  put(dir, "b", "base", 4);
  put(second, "b", "later", 5);
  assert_int_equal(thirl_host_file_read(roots, "a", &d, &t), THIRL_TUNE_WHY_READ);
  assert_true(thirl_tune_text_is(t, "base"));
  assert_int_equal(thirl_host_file_read(roots, "b", &d, &t), THIRL_TUNE_WHY_READ);
  assert_true(thirl_tune_text_is(t, "later"));
  assert_int_equal(thirl_host_file_read(roots, "nosuch", &d, &t), THIRL_TUNE_WHY_NO_SUCH);
}

static void paths_that_are_too_long(void **state) {
  char name[THIRL_HOST_FILE_PATH + 8], out[THIRL_HOST_FILE_PATH];
  thirl_tune_text t;
  (void)state;
  memset(name, 'a', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  assert_false(thirl_host_file_join(dir, name, out));
  assert_int_equal(thirl_host_file_read(dir, name, &d, &t), THIRL_TUNE_WHY_MALFORMED);
}

static void more_than_a_dump_holds(void **state) {
  char path[256];
  thirl_tune_text t;
  (void)state;
  put(dir, "long", "", 0);
  snprintf(path, sizeof path, "%s/long", dir);
  assert_int_equal(truncate(path, THIRL_HOST_DUMP_MAX + 1), 0);
  assert_int_equal(thirl_host_file_read(dir, "long", &d, &t), THIRL_TUNE_WHY_TOO_MANY);
}

typedef struct taken {
  size_t bytes, pieces, lines;
  int torn; /* a piece that does not end with a line, and is not the last */
} taken;

static void take(void *ctx, thirl_tune_text piece) {
  taken *t = ctx;
  t->torn += t->pieces && t->lines == 0;
  t->pieces++;
  t->bytes += piece.n;
  for (size_t i = 0; i < piece.n; i++)
    t->lines += piece.p[i] == '\n';
}

static void pieces_end_with_a_line(void **state) {
  enum { LINE = 101, LINES = 2000 };
  static char text[LINE * LINES];
  taken t = {0};
  (void)state;
  memset(text, 'x', sizeof text);
  for (size_t i = 1; i <= LINES; i++)
    text[i * LINE - 1] = '\n';
  put(dir, "lines", text, sizeof text - 1); /* the last line has no end */
  assert_int_equal(thirl_host_file_walk(dir, "lines", SIZE_MAX, take, &t), THIRL_TUNE_WHY_READ);
  assert_int_equal(t.bytes, sizeof text - 1);
  assert_int_equal(t.lines, LINES - 1);
  assert_true(t.pieces > 2 && t.torn == 0);
  t = (taken){0};
  assert_int_equal(thirl_host_file_walk(dir, "lines", 1000, take, &t), THIRL_TUNE_WHY_TOO_MANY);
  assert_int_equal(thirl_host_file_walk(dir, "nosuch", 1000, take, &t), THIRL_TUNE_WHY_NO_SUCH);
}

static void a_line_without_end_is_dropped(void **state) {
  static char text[100000];
  taken t = {0};
  (void)state;
  memset(text, 'x', sizeof text);
  put(dir, "lines", text, sizeof text);
  assert_int_equal(thirl_host_file_walk(dir, "lines", SIZE_MAX, take, &t), THIRL_TUNE_WHY_READ);
  assert_true(t.bytes < 32768);
}

static void reasons(void **state) {
  (void)state;
  assert_int_equal(thirl_host_file_why(ENOENT), THIRL_TUNE_WHY_NO_SUCH);
  assert_int_equal(thirl_host_file_why(ESRCH), THIRL_TUNE_WHY_NO_SUCH);
  assert_int_equal(thirl_host_file_why(EACCES), THIRL_TUNE_WHY_NOT_PERMITTED);
  assert_int_equal(thirl_host_file_why(EPERM), THIRL_TUNE_WHY_NOT_PERMITTED);
  assert_int_equal(thirl_host_file_why(EIO), THIRL_TUNE_WHY_MALFORMED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(whole_files, set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_first_root_that_has_it, set_up, tear_down),
      cmocka_unit_test_setup_teardown(paths_that_are_too_long, set_up, tear_down),
      cmocka_unit_test_setup_teardown(more_than_a_dump_holds, set_up, tear_down),
      cmocka_unit_test_setup_teardown(pieces_end_with_a_line, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_line_without_end_is_dropped, set_up, tear_down),
      cmocka_unit_test(reasons),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
