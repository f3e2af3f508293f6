/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "apps/thirl/tune_state.h"

static tune_state made(void) {
  tune_state s = {.conf = strdup("# ours\nnet.core.somaxconn = 65535\n"), .conf_before = strdup("")};
  const thirl_tune_change c = {
      .name = "net.core.somaxconn", .old = "4096", .made = "65535", .why = "TCP1, \"the queue\": it is 4096"};
  assert_int_equal(thirl_tune_journal_note(&s.journal, &c), THIRL_OK);
  memcpy(s.journal.where, "net:[4026532123]", sizeof "net:[4026532123]");
  memcpy(s.folders.path[s.folders.n++], "/var/lib/thirl", sizeof "/var/lib/thirl");
  return s;
}

static thirl_error decode(const char *text, tune_state *s) {
  return tune_state_decode(THIRL_BYTES(text, strlen(text)), s);
}

static void what_is_written_can_be_read(void **state) {
  (void)state;
  tune_state s = made(), back;
  char *text = tune_state_encode(&s);
  assert_non_null(text);
  assert_int_equal(decode(text, &back), THIRL_OK);
  assert_int_equal(back.journal.n, 1);
  assert_memory_equal(&back.journal.list[0], &s.journal.list[0], sizeof s.journal.list[0]);
  assert_string_equal(back.conf, s.conf);
  assert_string_equal(back.conf_before, ""); /* an empty file was there: not the same as none */
  assert_string_equal(back.journal.where, "net:[4026532123]");
  assert_int_equal(back.folders.n, 1);
  assert_string_equal(back.folders.path[0], "/var/lib/thirl");
  tune_state_fini(&back);
  free(s.conf_before);
  s.conf_before = NULL;
  free(text);
  text = tune_state_encode(&s);
  assert_int_equal(decode(text, &back), THIRL_OK);
  assert_null(back.conf_before);
  free(text);
  tune_state_fini(&back);
  tune_state_fini(&s);
}

/* Root would do what it says: nothing that we would not have written is taken. */
static void nothing_else_is_believed(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",
      "{",
      "[]",
      "{\"v\":2,\"changes\":[],\"conf\":null,\"conf_before\":null,\"folders\":[]}",
      "{\"v\":1,\"changes\":{},\"conf\":null,\"conf_before\":null,\"folders\":[]}",
      "{\"v\":1,\"changes\":[7],\"conf\":null,\"conf_before\":null,\"folders\":[]}",
      "{\"v\":1,\"changes\":[{\"name\":\"kernel.core_pattern\",\"old\":\"|/bin/sh\",\"made\":\"1\",\"why\":\"\"}],"
      "\"conf\":null,\"conf_before\":null,\"folders\":[]}",
      "{\"v\":1,\"changes\":[{\"name\":\"net.core.somaxconn\",\"old\":\"1\\n2\",\"made\":\"1\",\"why\":\"\"}],"
      "\"conf\":null,\"conf_before\":null,\"folders\":[]}",
      "{\"v\":1,\"changes\":[{\"name\":\"net.core.somaxconn\",\"old\":1,\"made\":\"1\",\"why\":\"\"}],"
      "\"conf\":null,\"conf_before\":null,\"folders\":[]}",
      "{\"v\":1,\"changes\":[],\"conf\":5,\"conf_before\":null,\"folders\":[]}",
      "{\"v\":1,\"changes\":[],\"conf\":null,\"folders\":[]}",
      "{\"v\":1,\"changes\":[],\"conf\":null,\"conf_before\":null,\"folders\":[\"/home\"]}",
      "{\"v\":1,\"changes\":[],\"conf\":null,\"conf_before\":null,\"folders\":[\"/etc/sys\"]}",
      "{\"v\":1,\"changes\":[],\"conf\":null,\"conf_before\":null,\"folders\":[\"/\"]}",
      "{\"v\":1,\"where\":\"\",\"changes\":[],\"conf\":null,\"conf_before\":null,\"folders\":[]}",
      "{\"v\":1,\"where\":\"a\\u001bb\",\"changes\":[],\"conf\":null,\"conf_before\":null,\"folders\":[]}",
      "{\"v\":1,\"v\":1,\"changes\":[],\"conf\":null,\"conf_before\":null,\"folders\":[]}",
  };
  tune_state s;
  for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
    if (decode(bad[i], &s) != THIRL_E_SYNTAX) fail_msg("%s", bad[i]);
  assert_int_equal(decode("{\"v\":1,\"changes\":[],\"conf\":null,\"conf_before\":null,\"folders\":[]}", &s), THIRL_OK);
  tune_state_fini(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_can_be_read),
      cmocka_unit_test(nothing_else_is_believed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
