/* SPDX-License-Identifier: MIT */
/* Files below a folder: what is in the way, what is never followed, and what becomes of an unfinished one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "apps/thirl/parcel_files.h"

static char top[] = "/tmp/thirl-files.XXXXXX";
static int root; /* top/in */

static thirl_parcel_entry entry(const char *name, uint64_t size) {
  return (thirl_parcel_entry){.kind = THIRL_PARCEL_FILE,
                              .mode = 6,
                              .modified_s = 1000000000,
                              .size = size,
                              .name = THIRL_BYTES(name, strlen(name))};
}

static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  close(fd);
}

static void assert_text(const char *path, const char *text) {
  char got[64] = "";
  int fd = open(path, O_RDONLY | O_NOFOLLOW);
  assert_true(fd >= 0);
  assert_int_equal(read(fd, got, sizeof got - 1), strlen(text));
  assert_string_equal(got, text);
  close(fd);
}

static int set_up(void **state) {
  (void)state;
  strcpy(top + strlen(top) - 6, "XXXXXX");
  if (!mkdtemp(top) || chdir(top) != 0 || mkdir("in", 0700) != 0 || mkdir("outside", 0700) != 0) return -1;
  put("outside/victim", "keep");
  root = open("in", O_RDONLY | O_DIRECTORY);
  return root < 0;
}

static int tear_down(void **state) {
  char command[64];
  (void)state;
  close(root);
  snprintf(command, sizeof command, "rm -rf %s", top);
  return chdir("/") != 0 || system(command) != 0;
}

static void a_file_comes_to_its_place(void **state) {
  (void)state;
  parcel_file f;
  thirl_parcel_entry e = entry("a/b/file", 5);
  struct stat st;
  thirl_parcel_have have = parcel_files_look(root, &e, false, &f);
  assert_int_equal(have.reason, THIRL_PARCEL_OK);
  assert_int_equal(have.n, 0);
  assert_false(have.whole);
  assert_int_equal(parcel_files_begin(&f, 0), THIRL_PARCEL_OK);
  assert_int_equal(parcel_files_write(&f, 0, THIRL_BYTES("hel", 3)), THIRL_PARCEL_OK);
  assert_text("in/a/b/.file.thirl-part", "hel");
  assert_int_equal(access("in/a/b/file", F_OK), -1);
  parcel_files_drop(&f, false); /* there is something in it */
  parcel_files_close(&f);
  have = parcel_files_look(root, &e, false, &f);
  assert_int_equal(have.n, 3);
  assert_int_equal(parcel_files_begin(&f, 3), THIRL_PARCEL_OK);
  assert_int_equal(parcel_files_write(&f, 3, THIRL_BYTES("lo", 2)), THIRL_PARCEL_OK);
  assert_int_equal(parcel_files_commit(&f, &e, false), THIRL_PARCEL_OK);
  parcel_files_close(&f);
  assert_text("in/a/b/file", "hello");
  assert_int_equal(access("in/a/b/.file.thirl-part", F_OK), -1);
  assert_int_equal(stat("in/a/b/file", &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  assert_int_equal(st.st_mtim.tv_sec, 1000000000);
  have = parcel_files_look(root, &e, false, &f);
  assert_true(have.whole);
  assert_int_equal(have.n, 5);
  parcel_files_close(&f);
}

static void nothing_is_replaced_unasked(void **state) {
  (void)state;
  parcel_file f;
  uint64_t there;
  thirl_parcel_entry e = entry("file", 5);
  put("in/file", "mine");
  assert_int_equal(parcel_files_look(root, &e, false, &f).reason, THIRL_PARCEL_EXISTS);
  assert_int_equal(parcel_files_foresee(root, &e, false, &there), THIRL_PARCEL_EXISTS);
  assert_int_equal(parcel_files_foresee(root, &e, true, &there), THIRL_PARCEL_OK);
  unlink("in/file");
  assert_int_equal(parcel_files_look(root, &e, false, &f).reason, THIRL_PARCEL_OK);
  assert_int_equal(parcel_files_begin(&f, 0), THIRL_PARCEL_OK);
  put("in/file", "mine"); /* it appears meanwhile */
  e.mode = 4;
  assert_int_equal(parcel_files_commit(&f, &e, false), THIRL_PARCEL_EXISTS);
  struct stat st;
  assert_int_equal(stat("in/.file.thirl-part", &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600); /* so that it can be gone on with */
  assert_text("in/file", "mine");
  assert_int_equal(parcel_files_commit(&f, &e, true), THIRL_PARCEL_OK);
  assert_text("in/file", "");
  assert_int_equal(stat("in/file", &st), 0);
  assert_int_equal(st.st_mode & 07777, 0400);
  parcel_files_close(&f);
}

static void links_are_not_followed(void **state) {
  (void)state;
  parcel_file f;
  uint64_t there;
  int fd;
  assert_int_equal(symlink("../outside", "in/folder"), 0);
  assert_int_equal(symlink("../outside/victim", "in/file"), 0);
  assert_int_equal(symlink("../outside/victim", "in/.other.thirl-part"), 0);
  assert_int_equal(symlink("../outside/new", "in/dangling"), 0);
  static const char *const names[] = {"folder/victim", "folder/new", "file", "other", "dangling"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    thirl_parcel_entry e = entry(names[i], 4);
    assert_int_equal(parcel_files_look(root, &e, true, &f).reason, THIRL_PARCEL_LINK);
    if (i != 3) assert_int_equal(parcel_files_foresee(root, &e, true, &there), THIRL_PARCEL_LINK);
  }
  assert_int_equal(parcel_files_make(root, THIRL_BYTES("folder", 6)), THIRL_PARCEL_LINK);
  assert_int_equal(parcel_files_make(root, THIRL_BYTES("folder/x", 8)), THIRL_PARCEL_LINK);
  assert_int_equal(parcel_files_enter(root, THIRL_BYTES("folder/x", 8), true, &fd), THIRL_PARCEL_LINK);
  assert_text("outside/victim", "keep");
  assert_int_equal(access("outside/new", F_OK), -1);
}

/* A link that is put in the place of the unfinished file between the look and the first byte. */
static void nor_are_those_that_come_late(void **state) {
  (void)state;
  parcel_file f;
  thirl_parcel_entry e = entry("file", 4);
  assert_int_equal(parcel_files_look(root, &e, false, &f).reason, THIRL_PARCEL_OK);
  assert_int_equal(symlink("../outside/victim", "in/.file.thirl-part"), 0);
  assert_int_not_equal(parcel_files_begin(&f, 0), THIRL_PARCEL_OK);
  parcel_files_close(&f);
  unlink("in/.file.thirl-part");
  assert_int_equal(parcel_files_look(root, &e, false, &f).reason, THIRL_PARCEL_OK);
  assert_int_equal(parcel_files_begin(&f, 0), THIRL_PARCEL_OK);
  unlink("in/.file.thirl-part");
  put("in/.file.thirl-part", "evil"); /* nor is another file renamed in its place */
  assert_int_equal(parcel_files_commit(&f, &e, false), THIRL_PARCEL_IO);
  assert_int_equal(access("in/file", F_OK), -1);
  parcel_files_close(&f);
  assert_text("outside/victim", "keep");
}

static void what_is_no_file_of_ours_is_in_the_way(void **state) {
  (void)state;
  parcel_file f;
  thirl_parcel_entry e = entry("file", 4);
  assert_int_equal(mkdir("in/file", 0700), 0);
  assert_int_equal(parcel_files_look(root, &e, true, &f).reason, THIRL_PARCEL_IN_THE_WAY);
  assert_int_equal(rmdir("in/file"), 0);
  assert_int_equal(mkfifo("in/.file.thirl-part", 0600), 0);
  assert_int_equal(parcel_files_look(root, &e, true, &f).reason, THIRL_PARCEL_IN_THE_WAY);
  unlink("in/.file.thirl-part");
  put("in/.file.thirl-part", "ab");
  assert_int_equal(link("in/.file.thirl-part", "in/second"), 0); /* somebody else could write it by its other name */
  assert_int_equal(parcel_files_look(root, &e, true, &f).reason, THIRL_PARCEL_IN_THE_WAY);
  put("in/plain", "x");
  thirl_parcel_entry below = entry("plain/file", 4);
  assert_int_equal(parcel_files_look(root, &below, true, &f).reason, THIRL_PARCEL_IN_THE_WAY);
}

static void two_do_not_write_one_file(void **state) {
  (void)state;
  parcel_file f, g;
  thirl_parcel_entry e = entry("file", 4);
  assert_int_equal(parcel_files_look(root, &e, false, &f).reason, THIRL_PARCEL_OK);
  assert_int_equal(parcel_files_begin(&f, 0), THIRL_PARCEL_OK);
  assert_int_equal(parcel_files_look(root, &e, false, &g).reason, THIRL_PARCEL_LOCKED);
  parcel_files_drop(&f, false); /* empty: nothing is left of it */
  parcel_files_close(&f);
  assert_int_equal(access("in/.file.thirl-part", F_OK), -1);
  assert_int_equal(parcel_files_look(root, &e, false, &g).reason, THIRL_PARCEL_OK);
  parcel_files_close(&g);
}

static void a_mismatch_leaves_nothing(void **state) {
  (void)state;
  parcel_file f;
  thirl_parcel_entry e = entry("file", 4);
  assert_int_equal(parcel_files_look(root, &e, false, &f).reason, THIRL_PARCEL_OK);
  assert_int_equal(parcel_files_begin(&f, 0), THIRL_PARCEL_OK);
  assert_int_equal(parcel_files_write(&f, 0, THIRL_BYTES("evil", 4)), THIRL_PARCEL_OK);
  parcel_files_drop(&f, true);
  parcel_files_close(&f);
  assert_int_equal(access("in/.file.thirl-part", F_OK), -1);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_file_comes_to_its_place),    TEST(nothing_is_replaced_unasked),           TEST(links_are_not_followed),
      TEST(nor_are_those_that_come_late), TEST(what_is_no_file_of_ours_is_in_the_way), TEST(two_do_not_write_one_file),
      TEST(a_mismatch_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
