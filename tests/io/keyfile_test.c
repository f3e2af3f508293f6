/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/keyfile.h"

enum { WHY = 300, RACERS = 8, SKIPPED = 77, NOBODY = 65534 };

static char dir[64], path[256], used[4096], why[WHY];

static int make_dir(void **state) {
  (void)state;
  snprintf(dir, sizeof dir, "/tmp/thirl-keyfile-XXXXXX");
  snprintf(path, sizeof path, "%s/key.pem", mkdtemp(dir));
  unsetenv("XDG_CONFIG_HOME");
  unsetenv("HOME");
  return 0;
}

static int remove_dir(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", dir);
  return system(command);
}

static thirl_error load(const char *p, bool create, thirl_secure_identity **id) {
  memset(why, '?', sizeof why);
  memset(used, '?', sizeof used);
  return thirl_io_keyfile_load(p, create, id, used, sizeof used, why, sizeof why);
}

static void assert_loads(const char *p, thirl_peerid *id) {
  thirl_secure_identity *k;
  thirl_error e = load(p, true, &k);
  if (e != THIRL_OK) fail_msg("%s: %s", thirl_error_name(e), why);
  assert_string_equal(why, "");
  *id = *thirl_secure_identity_peerid(k);
  thirl_secure_identity_free(k);
}

static void assert_fails(const char *p, bool create, thirl_error expected, const char *sentence) {
  thirl_secure_identity *k = (void *)1;
  assert_int_equal(load(p, create, &k), expected);
  assert_null(k);
  assert_string_equal(why, sentence);
}

/* Of static memory: used before the next call. */
static const char *__attribute__((format(printf, 1, 2))) sentence(const char *format, ...) {
  static char text[1024];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  return text;
}

static void assert_mode(const char *p, mode_t mode) {
  struct stat st;
  assert_int_equal(stat(p, &st), 0);
  assert_int_equal(st.st_mode & 07777u, mode);
}

static int files_in(const char *p) {
  DIR *d = opendir(p);
  int n = -2; /* . and .. */
  assert_non_null(d);
  while (readdir(d))
    n++;
  closedir(d);
  return n;
}

static void put_file(const char *p, const char *text, mode_t mode) {
  int fd = open(p, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  assert_int_equal(fchmod(fd, mode), 0);
  close(fd);
}

/* ---- the good cases ---- */

static void first_use_makes_a_key_and_later_ones_find_it(void **state) {
  (void)state;
  thirl_peerid a, b;
  mode_t mask = umask(0);
  assert_loads(path, &a);
  umask(mask);
  assert_string_equal(used, path);
  assert_mode(path, 0600);
  assert_int_equal(files_in(dir), 1);
  assert_loads(path, &b);
  assert_true(thirl_peerid_equal(&a, &b));
}

static void a_key_of_openssl_is_used(void **state) {
  (void)state;
  thirl_peerid id;
  /* scalar 7; openssl ... | openssl dgst -sha256 says b33e4d1c... of its point */
  put_file(path,
           "-----BEGIN EC PRIVATE KEY-----\n"
           "MHcCAQEEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAHoAoGCCqGSM49\n"
           "AwEHoUQDQgAEjlM7b6C/e0YluzBmfAH7YH75+LioD+9bMAYocDGHsqNz6x294DMY\n"
           "Nm0Gn4Om9ZAAU8c2M8sEGyHFXhqGwfQAtA==\n"
           "-----END EC PRIVATE KEY-----\n",
           0400);
  assert_loads(path, &id);
  assert_memory_equal(id.b, "\xb3\x3e\x4d\x1c", 4);
}

static void the_default_path_follows_xdg(void **state) {
  (void)state;
  char home[128], config[128], expected[256];
  thirl_peerid a, b, c;
  snprintf(home, sizeof home, "%s/home", dir);
  snprintf(config, sizeof config, "%s/config/of/mine", dir);
  setenv("HOME", home, 1);
  mode_t mask = umask(022);
  assert_loads(NULL, &a);
  snprintf(expected, sizeof expected, "%s/.config/thirl/key.pem", home);
  assert_string_equal(used, expected);
  setenv("XDG_CONFIG_HOME", "not/absolute", 1);
  assert_loads(NULL, &b);
  assert_true(thirl_peerid_equal(&a, &b));
  setenv("XDG_CONFIG_HOME", config, 1);
  assert_loads(NULL, &c);
  umask(mask);
  assert_false(thirl_peerid_equal(&a, &c));
  snprintf(expected, sizeof expected, "%s/thirl/key.pem", config);
  assert_string_equal(used, expected);
  assert_mode(home, 0700);
  assert_mode(config, 0700);
  assert_mode(expected, 0600);
  *strrchr(expected, '/') = '\0';
  assert_mode(expected, 0700);
}

static void what_is_not_wanted_need_not_be_given(void **state) {
  (void)state;
  thirl_secure_identity *k;
  assert_int_equal(thirl_io_keyfile_load(path, false, &k, NULL, 0, NULL, 0), THIRL_E_NOT_FOUND);
  assert_int_equal(thirl_io_keyfile_load(path, true, &k, NULL, 0, NULL, 0), THIRL_OK);
  thirl_secure_identity_free(k);
  char small[8];
  assert_int_equal(thirl_io_keyfile_load(path, true, &k, small, sizeof small, why, 10), THIRL_E_SPACE);
  assert_string_equal(why, "the path ");
}

static void a_link_to_a_key_is_followed(void **state) {
  (void)state;
  char link_path[256];
  thirl_peerid a, b;
  snprintf(link_path, sizeof link_path, "%s/link", dir);
  assert_loads(path, &a);
  assert_int_equal(symlink(path, link_path), 0);
  assert_loads(link_path, &b);
  assert_true(thirl_peerid_equal(&a, &b));
}

/* ---- several at once ---- */

static pid_t start_racer(const int gate[2], int result) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid) return pid;
  thirl_secure_identity *k;
  char c;
  close(gate[1]);
  if (read(gate[0], &c, 1) != 0) _exit(1); /* its end is the shot */
  if (load(path, true, &k) != THIRL_OK) _exit(2);
  _exit(write(result, thirl_secure_identity_peerid(k)->b, THIRL_PEERID_LEN) == THIRL_PEERID_LEN ? 0 : 3);
}

static void first_uses_at_once_agree_on_one_key(void **state) {
  (void)state;
  for (int round = 0; round < 10; round++) {
    int gate[2], result[2], status;
    pid_t pids[RACERS];
    thirl_peerid id, final;
    unlink(path);
    assert_int_equal(pipe2(gate, O_CLOEXEC) | pipe2(result, O_CLOEXEC), 0);
    for (int i = 0; i < RACERS; i++)
      pids[i] = start_racer(gate, result[1]);
    close(gate[1]);
    for (int i = 0; i < RACERS; i++) {
      assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
      assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_loads(path, &final);
    for (int i = 0; i < RACERS; i++) {
      assert_int_equal(read(result[0], id.b, sizeof id.b), (ssize_t)sizeof id.b);
      assert_true(thirl_peerid_equal(&id, &final));
    }
    assert_int_equal(files_in(dir), 1);
    close(gate[0]), close(result[0]), close(result[1]);
  }
}

/* ---- troubles ---- */

static void a_missing_file_is_named(void **state) {
  (void)state;
  char deep[300];
  assert_fails(path, false, THIRL_E_NOT_FOUND, sentence("there is no key file %s", path));
  assert_int_equal(files_in(dir), 0);
  snprintf(deep, sizeof deep, "%s/no/such/key.pem", dir);
  assert_fails(deep, true, THIRL_E_NOT_FOUND,
               sentence("cannot write %s: there is no such directory; make it, or choose another file", deep));
  put_file(path, "", 0600);
  snprintf(deep, sizeof deep, "%s/key.pem", path);
  assert_fails(deep, true, THIRL_E_NOT_FOUND,
               sentence("cannot read %s: a part of its path is not a directory; choose another file", deep));
}

static void without_a_home_the_user_must_name_the_file(void **state) {
  (void)state;
  static const char expected[] = "nowhere to keep the key: neither HOME nor XDG_CONFIG_HOME is set; name the file";
  assert_fails(NULL, true, THIRL_E_NOT_FOUND, expected);
  assert_string_equal(used, "");
  setenv("HOME", "", 1);
  setenv("XDG_CONFIG_HOME", "", 1);
  assert_fails(NULL, true, THIRL_E_NOT_FOUND, expected);
  assert_fails("", true, THIRL_E_INVALID, "the name of the key file is empty");
}

static void a_file_that_others_may_read_is_refused(void **state) {
  (void)state;
  static const mode_t open_modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0644};
  thirl_peerid id;
  char expected[600];
  assert_loads(path, &id);
  for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++) {
    assert_int_equal(chmod(path, open_modes[i]), 0);
    snprintf(expected, sizeof expected, "%s may be read by others (mode %04o): run  chmod 600 %s  or make a new key",
             path, open_modes[i], path);
    assert_fails(path, true, THIRL_E_PERMISSION, expected);
  }
  assert_int_equal(chmod(path, 0600), 0);
  assert_loads(path, &id);
}

static void only_a_regular_file_is_read(void **state) {
  (void)state;
  char expected[400];
  snprintf(expected, sizeof expected, "%s is not a regular file; a key file was expected", path);
  assert_int_equal(mkdir(path, 0700), 0);
  assert_fails(path, true, THIRL_E_INVALID, expected);
  assert_int_equal(rmdir(path), 0);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_fails(path, true, THIRL_E_INVALID, expected);
  assert_fails("/dev/null", true, THIRL_E_INVALID, "/dev/null is not a regular file; a key file was expected");
}

static void a_link_that_leads_nowhere_is_left_alone(void **state) {
  (void)state;
  assert_int_equal(symlink("nowhere", path), 0);
  assert_fails(path, true, THIRL_E_INVALID,
               sentence("cannot write %s: it is a link that leads nowhere; remove it, or choose another file", path));
  assert_int_equal(files_in(dir), 1);
}

static void a_file_without_a_key_is_refused_and_kept(void **state) {
  (void)state;
  static char big[40000];
  char expected[400];
  struct stat st;
  put_file(path, "", 0600);
  assert_fails(path, true, THIRL_E_SYNTAX, sentence("%s is empty; remove it, and a new key is made", path));
  snprintf(expected, sizeof expected, "%s holds no unencrypted P-256 private key in PEM form; choose another file",
           path);
  put_file(path, "hello\n", 0600);
  assert_fails(path, true, THIRL_E_SYNTAX, expected);
  memset(big, 'x', sizeof big - 1);
  put_file(path, big, 0600);
  assert_fails(path, true, THIRL_E_SYNTAX, expected);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_size, sizeof big - 1);
}

/* Runs body in a child, so that it may give up rights; its exit code 0 passes, SKIPPED skips. */
static void in_child(int (*body)(void)) {
  int status;
  fflush(NULL);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) _exit(body());
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  if (WEXITSTATUS(status) == SKIPPED) skip();
  assert_int_equal(WEXITSTATUS(status), 0);
}

/* For a child: 0 when load ends so. */
static int ends_so(const char *p, thirl_error expected, const char *start) {
  thirl_secure_identity *k;
  thirl_error e = load(p, true, &k);
  if (e == expected && strncmp(why, start, strlen(start)) == 0) return 0;
  fprintf(stderr, "%s: %s\n", thirl_error_name(e), why);
  return 1;
}

static int as_nobody(void) {
  if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0) {
    fprintf(stderr, "skipped: cannot become an ordinary user\n");
    return SKIPPED;
  }
  if (ends_so(path, THIRL_E_PERMISSION, sentence("cannot read %s: permission denied", path))) return 1;
  char other[300];
  snprintf(other, sizeof other, "%s/other.pem", dir);
  return ends_so(other, THIRL_E_PERMISSION, sentence("cannot write %s: permission denied", other));
}

static void what_may_not_be_read_or_written_is_named(void **state) {
  (void)state;
  put_file(path, "x", 0);
  assert_int_equal(chmod(dir, 0555), 0);
  in_child(as_nobody);
  assert_int_equal(chmod(dir, 0700), 0);
}

static int with_no_bytes_to_write(void) {
  struct rlimit none = {0, 0};
  signal(SIGXFSZ, SIG_IGN);
  if (setrlimit(RLIMIT_FSIZE, &none) != 0) return 2;
  return ends_so(path, THIRL_E_IO, sentence("cannot write %s: File too large", path));
}

static void a_failed_write_leaves_nothing_behind(void **state) {
  (void)state;
  in_child(with_no_bytes_to_write);
  assert_int_equal(files_in(dir), 0);
}

static bool put_proc(const char *name, const char *text) {
  int fd = open(name, O_WRONLY | O_CLOEXEC);
  bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  if (fd >= 0) close(fd);
  return ok;
}

/* A mount namespace of our own, as root or by way of a user namespace in which we stay who we are. */
static bool own_mounts(void) {
  char uids[64], gids[64];
  snprintf(uids, sizeof uids, "%u %u 1", geteuid(), geteuid());
  snprintf(gids, sizeof gids, "%u %u 1", getegid(), getegid());
  if (geteuid() != 0 && (unshare(CLONE_NEWUSER) != 0 || !put_proc("/proc/self/uid_map", uids) ||
                         !put_proc("/proc/self/setgroups", "deny") || !put_proc("/proc/self/gid_map", gids)))
    return false;
  return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static int on_a_full_disk(void) {
  char filler[300], page[4096] = "";
  if (!own_mounts() || mount("tmpfs", dir, "tmpfs", 0, "size=4k,mode=0700") != 0) {
    fprintf(stderr, "skipped: no mount namespace to be had here for a full disk\n");
    return SKIPPED;
  }
  snprintf(filler, sizeof filler, "%s/filler", dir);
  int fd = open(filler, O_WRONLY | O_CREAT, 0600);
  if (fd < 0 || write(fd, page, sizeof page) != sizeof page) return 2;
  close(fd);
  if (ends_so(path, THIRL_E_IO, sentence("cannot write %s: no space is left on the disk", path))) return 1;
  return files_in(dir) == 1 ? 0 : 3;
}

static void a_full_disk_is_named(void **state) {
  (void)state;
  in_child(on_a_full_disk);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(first_use_makes_a_key_and_later_ones_find_it),
      TEST(a_key_of_openssl_is_used),
      TEST(the_default_path_follows_xdg),
      TEST(what_is_not_wanted_need_not_be_given),
      TEST(a_link_to_a_key_is_followed),
      TEST(first_uses_at_once_agree_on_one_key),
      TEST(a_missing_file_is_named),
      TEST(without_a_home_the_user_must_name_the_file),
      TEST(a_file_that_others_may_read_is_refused),
      TEST(only_a_regular_file_is_read),
      TEST(a_link_that_leads_nowhere_is_left_alone),
      TEST(a_file_without_a_key_is_refused_and_kept),
      TEST(what_may_not_be_read_or_written_is_named),
      TEST(a_failed_write_leaves_nothing_behind),
      TEST(a_full_disk_is_named),
  };
  return cmocka_run_group_tests_name("io/keyfile", tests, NULL, NULL);
}
