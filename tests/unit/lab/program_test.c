/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lab/process/program.h"

static const char *const shell[] = {"sh", NULL};

static void a_program_reads_its_text(void **state) {
  (void)state;
  thirl_lab_complaint why = {""};
  assert_int_equal(thirl_lab_program_run(-1, shell, "exit 0", &why), THIRL_OK);
  assert_int_equal(thirl_lab_program_run(-1, shell, "", &why), THIRL_OK);
}

static void its_first_line_is_the_complaint(void **state) {
  (void)state;
  thirl_lab_complaint why = {""};
  assert_int_equal(thirl_lab_program_run(-1, shell, "echo; echo one >&2; echo two; exit 3", &why), THIRL_E_IO);
  assert_string_equal(why.text, "sh failed: one");
  assert_int_equal(thirl_lab_program_run(-1, shell, "exit 1", &why), THIRL_E_IO);
  assert_string_equal(why.text, "sh failed: it does not say why");
  assert_int_equal(thirl_lab_program_run(-1, shell, "kill -KILL $$", &why), THIRL_E_IO);
  assert_string_equal(why.text, "sh failed: Killed");
}

static void what_is_not_there_is_named(void **state) {
  (void)state;
  thirl_lab_complaint why = {""};
  static const char *const none[] = {"thirl-no-such-program", NULL};
  assert_int_equal(thirl_lab_program_run(-1, none, "", &why), THIRL_E_NOT_FOUND);
  assert_string_equal(why.text, "there is no program called thirl-no-such-program (Debian: thirl-no-such-program)");
}

static void descriptors_are_handed_on_by_name_only(void **state) {
  (void)state;
  thirl_lab_complaint why = {""};
  thirl_lab_program p;
  int ends[2];
  char text[64], byte = 0;
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  snprintf(text, sizeof text, "printf x >/proc/self/fd/%d", ends[1]);
  assert_int_equal(thirl_lab_program_run(-1, shell, text, &why), THIRL_E_IO);
  thirl_lab_program_start(&p, -1, shell, text, &ends[1], 1);
  assert_int_equal(thirl_lab_program_finish(&p, &why), THIRL_OK);
  assert_int_equal(read(ends[0], &byte, 1), 1);
  assert_int_equal(byte, 'x');
  close(ends[0]);
  close(ends[1]);
}

static void a_signal_that_waits_ends_what_hangs(void **state) {
  (void)state;
  thirl_lab_complaint why = {""};
  sigset_t set, before;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, &before);
  kill(getpid(), SIGTERM);
  assert_int_equal(thirl_lab_program_run(-1, shell, "exec sleep 1000", &why), THIRL_E_IO);
  assert_string_equal(why.text, "sh failed: Killed");
  assert_int_equal(sigwaitinfo(&set, NULL), SIGTERM);
  sigprocmask(SIG_SETMASK, &before, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_program_reads_its_text),
      cmocka_unit_test(its_first_line_is_the_complaint),
      cmocka_unit_test(what_is_not_there_is_named),
      cmocka_unit_test(descriptors_are_handed_on_by_name_only),
      cmocka_unit_test(a_signal_that_waits_ends_what_hangs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
