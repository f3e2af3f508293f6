/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "lab/process/control.h"
#include "lab/process/state.h"

static char directory[64];

static int set_up(void **state) {
  (void)state;
  const char *tmp = getenv("TMPDIR");
  snprintf(directory, sizeof directory, "%.40s/thirl-state.XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
  return mkdtemp(directory) && setenv("THIRL_LAB_DIR", directory, 1) == 0 ? 0 : -1;
}

/* Fails when a test has left something there. */
static int tear_down(void **state) {
  (void)state;
  return rmdir(directory);
}

/* A process that is up as far as others can see. */
static pid_t answer_at(const char *path) {
  static thirl_lab_control_packet p;
  int listener;
  assert_int_equal(thirl_lab_control_listen(path, &listener), 0);
  fcntl(listener, F_SETFL, 0);
  pid_t pid = fork();
  assert_true(pid >= 0);
  while (pid == 0) {
    int fd = accept(listener, NULL, NULL);
    if (thirl_lab_control_receive(fd, &p) == THIRL_OK)
      thirl_lab_control_send(fd, THIRL_LAB_CONTROL_DONE, "", 0, NULL, 0);
    close(fd);
  }
  close(listener);
  return pid;
}

static void a_name_belongs_to_one_at_a_time(void **state) {
  (void)state;
  thirl_lab_state first, second;
  thirl_lab_complaint why = {""};
  char names[4][THIRL_LAB_STATE_NAME_MAX + 1];
  assert_int_equal(thirl_lab_state_take("home", &first, &why), THIRL_OK);
  assert_int_equal(strlen(first.mark), THIRL_LAB_SWEEP_MARK_LEN);
  pid_t lab = answer_at(first.control);
  assert_int_equal(thirl_lab_state_take("home", &second, &why), THIRL_E_IN_USE);
  kill(lab, SIGKILL);
  assert_int_equal(waitpid(lab, NULL, 0), lab);
  assert_string_equal(why.text, "a lab called home is up already: thirl lab down, or up with another --name");
  assert_int_equal(thirl_lab_state_take("away", &second, &why), THIRL_OK);
  assert_string_not_equal(first.mark, second.mark);
  assert_int_equal(thirl_lab_state_list(names, 4), 2);
  assert_string_equal(names[0], "away");
  assert_string_equal(names[1], "home");
  thirl_lab_state_remove(&second);
  assert_int_equal(thirl_lab_state_list(names, 4), 1);
  thirl_lab_state_remove(&first);
  assert_int_equal(thirl_lab_state_list(names, 4), 0);
  assert_int_equal(thirl_lab_state_take("home", &first, &why), THIRL_OK);
  thirl_lab_state_remove(&first);
}

/* As after kill -9 of everything: the files are there, and nobody holds the lock. */
static void what_a_dead_lab_has_left_is_removed(void **state) {
  (void)state;
  thirl_lab_state s, again;
  thirl_lab_complaint why = {""};
  char names[4][THIRL_LAB_STATE_NAME_MAX + 1], mark[THIRL_LAB_SWEEP_MARK_LEN + 1];
  assert_int_equal(thirl_lab_state_take("home", &s, &why), THIRL_OK);
  memcpy(mark, s.mark, sizeof mark);
  close(s.lock);
  assert_int_equal(thirl_lab_state_take("home", &again, &why), THIRL_OK);
  assert_string_not_equal(again.mark, mark);
  close(again.lock);
  assert_int_equal(thirl_lab_state_list(names, 4), 0);
  assert_int_equal(access(s.directory, F_OK), -1);
}

/* It does not answer any more, and then its lock is free. */
static void one_that_is_ending_is_waited_for(void **state) {
  (void)state;
  thirl_lab_state s, next;
  thirl_lab_complaint why = {""};
  int ends[2];
  char byte;
  assert_int_equal(thirl_lab_state_take("home", &s, &why), THIRL_OK);
  assert_int_equal(pipe(ends), 0);
  pid_t other = fork();
  assert_true(other >= 0);
  if (other == 0) {
    close(ends[0]);
    usleep(50000); /* the test does not depend on it: without, there is nothing to wait for */
    _exit(0);      /* with it goes the last descriptor of the lock */
  }
  close(s.lock);
  close(ends[1]);
  assert_int_equal(thirl_lab_state_take("home", &next, &why), THIRL_OK);
  assert_int_equal(read(ends[0], &byte, 1), 0);
  close(ends[0]);
  assert_int_equal(waitpid(other, NULL, 0), other);
  thirl_lab_state_remove(&next);
}

/* A guard that comes late must not remove what is no longer its own. */
static void a_name_that_has_gone_on_is_left_alone(void **state) {
  (void)state;
  thirl_lab_state old, new;
  thirl_lab_complaint why = {""};
  assert_int_equal(thirl_lab_state_take("home", &old, &why), THIRL_OK);
  thirl_lab_state late = old;
  late.lock = dup(old.lock);
  thirl_lab_state_remove(&old);
  assert_int_equal(thirl_lab_state_take("home", &new, &why), THIRL_OK);
  thirl_lab_state_remove(&late);
  assert_int_equal(access(new.directory, F_OK), 0);
  thirl_lab_state_remove(&new);
}

static void names_stay_in_their_directory(void **state) {
  (void)state;
  static const char *const bad[] = {"", ".", "..", "a/b", "../x", "-x", "abcdefghijklmnopqrstuvwxy"};
  thirl_lab_state s;
  thirl_lab_complaint why;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(thirl_lab_state_find(bad[i], &s, &why), THIRL_E_INVALID);
  assert_int_equal(thirl_lab_state_find("abcdefghijklmnopqrstuvwx", &s, &why), THIRL_OK);
}

static void a_directory_of_others_is_refused(void **state) {
  (void)state;
  thirl_lab_state s;
  thirl_lab_complaint why = {""};
  char link[96];
  snprintf(link, sizeof link, "%s/link", directory);
  assert_int_equal(symlink("/tmp", link), 0);
  setenv("THIRL_LAB_DIR", link, 1);
  assert_int_equal(thirl_lab_state_take("home", &s, &why), THIRL_E_PERMISSION);
  setenv("THIRL_LAB_DIR", directory, 1);
  unlink(link);
}

/* As root with THIRL_LAB_DIR=/tmp: names there are anybody's, and what the first makes there the second would ask, end and remove. */
static void a_directory_where_others_may_write_is_refused(void **state) {
  (void)state;
  thirl_lab_state s;
  thirl_lab_complaint why = {""};
  char other[96], lock[128], names[4][THIRL_LAB_STATE_NAME_MAX + 1];
  static const mode_t modes[] = {01777, 0770, 0702};
  snprintf(other, sizeof other, "%s/trap", directory);
  snprintf(lock, sizeof lock, "%s/lock", other);
  assert_int_equal(mkdir(other, 0700), 0);
  int fd = open(lock, O_WRONLY | O_CREAT, 0600);
  assert_true(fd >= 0);
  close(fd);
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
    assert_int_equal(chmod(directory, modes[i]), 0);
    assert_int_equal(thirl_lab_state_take("home", &s, &why), THIRL_E_PERMISSION);
    assert_int_equal(thirl_lab_state_find("trap", &s, &why), THIRL_E_PERMISSION);
    assert_int_equal(thirl_lab_state_list(names, 4), 0);
    assert_int_equal(access(lock, F_OK), 0);
  }
  assert_int_equal(chmod(directory, 0755), 0);
  assert_int_equal(thirl_lab_state_find("trap", &s, &why), THIRL_OK);
  unlink(lock);
  rmdir(other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_name_belongs_to_one_at_a_time, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_a_dead_lab_has_left_is_removed, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_directory_where_others_may_write_is_refused, set_up, tear_down),
      cmocka_unit_test_setup_teardown(one_that_is_ending_is_waited_for, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_name_that_has_gone_on_is_left_alone, set_up, tear_down),
      cmocka_unit_test_setup_teardown(names_stay_in_their_directory, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_directory_of_others_is_refused, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
