/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tune/settings.h"

static thirl_tune_file file(const char *path, thirl_tune_place place, const char *text) {
  return (thirl_tune_file){.path = path, .place = place, .text = THIRL_BYTES(text, strlen(text))};
}

#define READ(s, files)                                                                                                 \
  assert_int_equal(thirl_tune_settings_read(&(s), files, sizeof(files) / sizeof *(files)), THIRL_OK)

static void names_decide_the_order_and_not_folders(void **state) {
  (void)state;
  const thirl_tune_file files[] = {
      file("/etc/sysctl.d/10-a.conf", THIRL_TUNE_PLACE_ETC, "net.a = 1\n"),
      file("/usr/lib/sysctl.d/50-b.conf", THIRL_TUNE_PLACE_LIB, "net.a = 2\n"),
      file("/run/sysctl.d/20-c.conf", THIRL_TUNE_PLACE_RUN, "net/a = 3\nnet.b = 4\n"),
  };
  thirl_tune_settings s;
  READ(s, files);
  assert_int_equal(s.n, 4);
  assert_string_equal(s.entries[1].line.value, "3");
  assert_int_equal(s.entries[0].winner, 3);
  assert_int_equal(s.entries[1].winner, 3);
  assert_int_equal(s.entries[2].winner, 2);
  assert_int_equal(s.entries[3].winner, 3);
  assert_string_equal(thirl_tune_settings_find(&s, "net.a")->line.value, "2");
  assert_null(thirl_tune_settings_find(&s, "net.c"));
  thirl_tune_settings_fini(&s);
}

static void a_stronger_folder_hides_a_file_of_the_same_name(void **state) {
  (void)state;
  const thirl_tune_file files[] = {
      file("/usr/lib/sysctl.d/50-x.conf", THIRL_TUNE_PLACE_LIB, "net.a = 1\n"),
      file("/usr/local/lib/sysctl.d/50-x.conf", THIRL_TUNE_PLACE_LOCAL, "net.a = 2\n"),
      file("/run/sysctl.d/50-x.conf", THIRL_TUNE_PLACE_RUN, "net.a = 3\n"),
      file("/etc/sysctl.d/50-x.conf", THIRL_TUNE_PLACE_ETC, ""), /* a link to /dev/null */
  };
  thirl_tune_settings s;
  READ(s, files);
  assert_int_equal(s.n, 0);
  thirl_tune_settings_fini(&s);
  assert_int_equal(thirl_tune_settings_read(&s, files, 3), THIRL_OK);
  assert_int_equal(s.n, 1);
  assert_string_equal(s.entries[0].line.value, "3");
  thirl_tune_settings_fini(&s);
}

static void sysctl_conf_is_read_in_the_place_of_its_link(void **state) {
  (void)state;
  thirl_tune_file files[] = {
      file("/etc/sysctl.conf", THIRL_TUNE_PLACE_CONF, "net.a = 1\n"),
      file("/etc/sysctl.d/99-sysctl.conf", THIRL_TUNE_PLACE_ETC, "net.a = 1\n"),
      file("/etc/sysctl.d/99-z.conf", THIRL_TUNE_PLACE_ETC, "net.a = 2\n"),
  };
  thirl_tune_settings s;
  files[1].is_conf = true;
  READ(s, files);
  assert_int_equal(s.n, 2);
  assert_false(s.conf_is_last);
  assert_string_equal(thirl_tune_settings_find(&s, "net.a")->line.value, "2");
  thirl_tune_settings_fini(&s);
  files[1] = file("/etc/sysctl.d/zzz.conf", THIRL_TUNE_PLACE_ETC, "net.a = 3\n");
  READ(s, files);
  assert_int_equal(s.n, 3);
  assert_true(s.conf_is_last);
  assert_string_equal(thirl_tune_settings_find(&s, "net.a")->line.value, "1");
  thirl_tune_settings_fini(&s);
}

static void a_pattern_undoes_no_name(void **state) {
  (void)state;
  const thirl_tune_file files[] = {
      file("/etc/sysctl.d/1.conf", THIRL_TUNE_PLACE_ETC, "net.conf.lo.x = 1\nnet.conf.*.x = 2\n-net.conf.eth0.x\n"),
  };
  thirl_tune_settings s;
  READ(s, files);
  assert_int_equal(s.n, 3);
  for (unsigned i = 0; i < 3; i++)
    assert_int_equal(s.entries[i].winner, i);
  assert_string_equal(thirl_tune_settings_find(&s, "net.conf.lo.x")->line.value, "1");
  assert_null(thirl_tune_settings_find(&s, "net.conf.*.x"));
  assert_null(thirl_tune_settings_find(&s, "net.conf.eth0.x"));
  thirl_tune_settings_fini(&s);
}

static void too_much_is_counted(void **state) {
  (void)state;
  static char text[(THIRL_TUNE_ENTRIES_MAX + 10) * 4 + 1];
  static thirl_tune_file many[THIRL_TUNE_FILES_MAX + 5];
  for (unsigned i = 0; i < THIRL_TUNE_ENTRIES_MAX + 10; i++)
    memcpy(text + 4 * i, "a=1\n", 4);
  many[0] = file("/etc/sysctl.d/a.conf", THIRL_TUNE_PLACE_ETC, text);
  thirl_tune_settings s;
  assert_int_equal(thirl_tune_settings_read(&s, many, 1), THIRL_OK);
  assert_int_equal(s.n, THIRL_TUNE_ENTRIES_MAX);
  assert_int_equal(s.left_out, 10);
  assert_int_equal(s.entries[0].winner, THIRL_TUNE_ENTRIES_MAX - 1);
  thirl_tune_settings_fini(&s);
  for (unsigned i = 0; i < THIRL_TUNE_FILES_MAX + 5; i++)
    many[i] = file("/etc/sysctl.d/b.conf", THIRL_TUNE_PLACE_ETC, "b=1\n#");
  assert_int_equal(thirl_tune_settings_read(&s, many, THIRL_TUNE_FILES_MAX + 5), THIRL_OK);
  assert_int_equal(s.n, THIRL_TUNE_FILES_MAX);
  assert_int_equal(s.left_out, 5);
  thirl_tune_settings_fini(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_decide_the_order_and_not_folders),
      cmocka_unit_test(a_stronger_folder_hides_a_file_of_the_same_name),
      cmocka_unit_test(sysctl_conf_is_read_in_the_place_of_its_link),
      cmocka_unit_test(a_pattern_undoes_no_name),
      cmocka_unit_test(too_much_is_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
