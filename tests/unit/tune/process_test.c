/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tune/process.h"

static thirl_tune_process p;

static thirl_tune_text fresh(const char *text) {
  memset(&p, 0, sizeof p);
  return thirl_tune_text_of(text);
}

static void limits(void **state) {
  (void)state;
  thirl_tune_text t = fresh("Limit                     Soft Limit           Hard Limit           Units     \n"
                            "Max cpu time              unlimited            unlimited            seconds   \n"
                            "Max open files            1024                 524288               files     \n");
  thirl_tune_process_limits(&p, t);
  assert_int_equal(p.nofile_soft.v, 1024);
  assert_int_equal(p.nofile_hard.v, 524288);
  t = fresh("Max open files            unlimited            unlimited            files     \n");
  thirl_tune_process_limits(&p, t);
  assert_true(p.nofile_soft.v == THIRL_TUNE_UNLIMITED);
  t = fresh("Max open files            many\n");
  thirl_tune_process_limits(&p, t);
  assert_int_equal(p.nofile_soft.why, THIRL_TUNE_WHY_MALFORMED);
  assert_int_equal(p.nofile_hard.why, THIRL_TUNE_WHY_MALFORMED);
}

static void status(void **state) {
  (void)state;
  thirl_tune_text t = fresh("Name:\tthirld\nUmask:\t0022\nCapEff:\t000001fffeffffff\n");
  thirl_tune_process_status(&p, t);
  assert_string_equal(p.name, "thirld");
  assert_true(p.cap_effective.v == 0x1fffeffffff);
  t = fresh("Name:\tbad\033name\nCapEff:\tx\n");
  thirl_tune_process_status(&p, t);
  assert_string_equal(p.name, "bad?name");
  assert_int_equal(p.cap_effective.why, THIRL_TUNE_WHY_MALFORMED);
}

static void units(void **state) {
  (void)state;
  static const struct {
    const char *text, *unit;
  } rows[] = {{"0::/system.slice/thirld.service\n", "thirld.service"},
              {"9:name=systemd:/system.slice/thirld.service\n4:memory:/\n", "thirld.service"},
              {"0::/user.slice/user-0.slice/session-1.scope\n", ""},
              {"0::/system.slice/a.service/payload\n", "a.service"},
              {"0::/\n", ""},
              {"0::/.service\n", ""}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    thirl_tune_text t = fresh(rows[i].text);
    thirl_tune_process_unit(&p, t);
    assert_string_equal(p.unit, rows[i].unit);
  }
}

static void sockets_of_ours(void **state) {
  (void)state;
  thirl_tune_text t = fresh("/dev/null\nsocket:[99]\nsocket:[7]\nanon_inode:[eventpoll]\nsocket:[x]\nsocket:[8\n");
  thirl_tune_process_files(&p, t);
  assert_int_equal(p.files_open.v, 6);
  assert_int_equal(p.n_inodes, 2);
  assert_true(thirl_tune_process_owns(&p, 7) && thirl_tune_process_owns(&p, 99));
  assert_false(thirl_tune_process_owns(&p, 8) || thirl_tune_process_owns(&p, 0));
}

static void more_sockets_than_are_kept(void **state) {
  (void)state;
  fresh("");
  for (int i = 0; i <= THIRL_TUNE_INODES; i++)
    thirl_tune_process_files(&p, thirl_tune_text_of("socket:[5]\n"));
  assert_int_equal(p.n_inodes, THIRL_TUNE_INODES);
  assert_int_equal(p.inodes_why, THIRL_TUNE_WHY_TOO_MANY);
  assert_int_equal(p.files_open.v, THIRL_TUNE_INODES + 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(limits),
      cmocka_unit_test(status),
      cmocka_unit_test(units),
      cmocka_unit_test(sockets_of_ours),
      cmocka_unit_test(more_sockets_than_are_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
