/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tune/cgroup.h"

static void paths(void **state) {
  (void)state;
  static const struct {
    const char *text, *path;
    bool ok, is_v1;
  } rows[] = {{"0::/system.slice/thirld.service\n", "system.slice/thirld.service", true, false},
              {"0::/\n", "", true, false},
              {"9:name=systemd:/\n4:memory:/a/b\n0::/\n", "memory/a/b", true, true},
              {"4:cpu,memory:/\n", "memory/", true, true},
              {"4:memory:/a/../b\n", "", false, true},
              {"4:cpu:/x\n", "", false, false},
              {"0::x\n", "", false, false},
              {"", "", false, false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char path[THIRL_TUNE_CGROUP_PATH] = "";
    bool is_v1 = false;
    assert_int_equal(thirl_tune_cgroup_path(thirl_tune_text_of(rows[i].text), path, &is_v1), rows[i].ok);
    if (!rows[i].ok) continue;
    assert_string_equal(path, rows[i].path);
    assert_int_equal(is_v1, rows[i].is_v1);
  }
}

static void a_path_that_is_too_long(void **state) {
  char text[THIRL_TUNE_CGROUP_PATH + 64] = "0::/", path[THIRL_TUNE_CGROUP_PATH];
  bool is_v1;
  (void)state;
  memset(text + 4, 'a', sizeof text - 5);
  assert_false(thirl_tune_cgroup_path(thirl_tune_text_of(text), path, &is_v1));
}

static thirl_tune_facts f;

static void consider(const char *max, const char *current, const char *events, const char *failcnt) {
  thirl_tune_cgroup_files files = {thirl_tune_text_of(max), thirl_tune_text_of(current), thirl_tune_text_of(events),
                                   thirl_tune_text_of(failcnt)};
  thirl_tune_cgroup_consider(&f, &files);
}

static void the_one_with_least_left_counts(void **state) {
  (void)state;
  memset(&f, 0, sizeof f);
  consider("max\n", "100\n", "low 0\nhigh 0\nmax 2\noom 1\noom_kill 1\n", "");
  assert_true(f.gauge[THIRL_TUNE_GAUGE_CGROUP_MAX].v == THIRL_TUNE_UNLIMITED);
  consider("1000\n", "900\n", "max 3\noom_kill 0\n", "");
  consider("5000\n", "1000\n", "", "");
  assert_int_equal(f.gauge[THIRL_TUNE_GAUGE_CGROUP_MAX].v, 1000);
  assert_int_equal(f.gauge[THIRL_TUNE_GAUGE_CGROUP_CURRENT].v, 900);
  assert_int_equal(f.counter[THIRL_TUNE_COUNTER_CGROUP_FAILCNT].v, 5);
  assert_int_equal(f.counter[THIRL_TUNE_COUNTER_CGROUP_OOM].v, 1);
}

static void version_1(void **state) {
  (void)state;
  memset(&f, 0, sizeof f);
  consider("9223372036854771712\n", "5\n", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n", "7\n");
  assert_true(f.gauge[THIRL_TUNE_GAUGE_CGROUP_MAX].v == THIRL_TUNE_UNLIMITED);
  assert_int_equal(f.counter[THIRL_TUNE_COUNTER_CGROUP_FAILCNT].v, 7);
  assert_int_equal(f.counter[THIRL_TUNE_COUNTER_CGROUP_OOM].v, 4);
}

static void what_is_not_there(void **state) {
  (void)state;
  memset(&f, 0, sizeof f);
  consider("", "", "", "");
  consider("lots\n", "5\n", "", "");
  thirl_tune_cgroup_settle(&f, THIRL_TUNE_WHY_NO_SUCH);
  assert_int_equal(f.gauge[THIRL_TUNE_GAUGE_CGROUP_MAX].why, THIRL_TUNE_WHY_NO_SUCH);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(paths),
      cmocka_unit_test(a_path_that_is_too_long),
      cmocka_unit_test(the_one_with_least_left_counts),
      cmocka_unit_test(version_1),
      cmocka_unit_test(what_is_not_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
