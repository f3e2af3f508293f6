/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lab/text/terms.h"

static void set(thirl_lab_link_terms *t, const char *word) {
  thirl_lab_complaint why = {""};
  if (thirl_lab_terms_set(t, word, &why) != THIRL_OK) fail_msg("%s", why.text);
}

static void each_word_is_a_field(void **state) {
  (void)state;
  thirl_lab_link_terms t = thirl_lab_terms_none();
  char text[512];
  assert_string_equal(thirl_lab_terms_format(&t, text, sizeof text), "");
  static const char *const words[] = {"latency=20ms", "jitter=2500us", "loss=0.5%",      "burst=4",
                                      "duplicate=1%", "reorder=2%",    "reorder-by=7ms", "rate=20mbit",
                                      "bucket=16K",   "queue=1M",      "mtu=1400",       "black-hole=yes"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    set(&t, words[i]);
  assert_int_equal(t.delay, 20 * THIRL_MS);
  assert_int_equal(t.jitter, 2500);
  assert_true(t.loss == 0.005);
  assert_true(t.burst == 4);
  assert_true(t.duplicate == 0.01);
  assert_true(t.reorder == 0.02);
  assert_int_equal(t.reorder_by, 7 * THIRL_MS);
  assert_int_equal(t.rate, 20000000);
  assert_int_equal(t.bucket, 16384);
  assert_int_equal(t.queue_max, 1 << 20);
  assert_int_equal(t.mtu, 1400);
  assert_true(t.black_hole);
  assert_string_equal(thirl_lab_terms_format(&t, text, sizeof text),
                      "latency=20ms jitter=2500us loss=0.5% burst=4 duplicate=1% reorder=2% reorder-by=7ms rate=20mbit "
                      "bucket=16K queue=1M mtu=1400 black-hole=yes");
  set(&t, "mtu=0");
  set(&t, "black-hole=no");
  set(&t, "rate=0bit");
  assert_int_equal(t.mtu, 0);
  assert_int_equal(t.rate, 0);
  assert_false(t.black_hole);
}

static void a_link_that_is_down_says_so(void **state) {
  (void)state;
  thirl_lab_link_terms t = thirl_lab_terms_none();
  char text[64];
  t.cut = true;
  assert_string_equal(thirl_lab_terms_format(&t, text, sizeof text), "down");
  set(&t, "latency=1s");
  assert_string_equal(thirl_lab_terms_format(&t, text, sizeof text), "down latency=1s");
}

static void refuses(const char *word, const char *sentence) {
  thirl_lab_link_terms t = {.delay = 7, .mtu = 999}, before = t;
  thirl_lab_complaint why = {""};
  assert_int_equal(thirl_lab_terms_set(&t, word, &why), THIRL_E_SYNTAX);
  assert_string_equal(why.text, sentence);
  assert_memory_equal(&t, &before, sizeof t);
}

static void what_no_link_has(void **state) {
  (void)state;
  refuses("latency=-1ms", "latency wants a time up to an hour such as 20ms, not \"-1ms\"");
  refuses("latency=2h", "latency wants a time up to an hour such as 20ms, not \"2h\"");
  refuses("loss=2", "loss wants a share such as 0.5%, not \"2\"");
  refuses("rate=999bit", "rate wants bits a second such as 20mbit, 0bit: no limit, not \"999bit\"");
  refuses("mtu=575", "mtu wants bytes of an IP packet, 576 to 65535, or 0: no limit, not \"575\"");
  refuses("queue=65M", "queue wants bytes up to 64M such as 64K, not \"65M\"");
  refuses("burst=0", "burst wants how many packets are lost in a row on average, 1 to 1000000, not \"0\"");
  refuses("black-hole=perhaps", "black-hole wants yes or no, not \"perhaps\"");
  refuses("delay=1ms", "\"delay=1ms\" is nothing that a link can have: latency=, jitter=, loss=, burst=, duplicate=, "
                       "reorder=, reorder-by=, rate=, bucket=, queue=, mtu=, black-hole=");
  refuses("latency", "\"latency\" is nothing that a link can have: latency=, jitter=, loss=, burst=, duplicate=, "
                     "reorder=, reorder-by=, rate=, bucket=, queue=, mtu=, black-hole=");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_word_is_a_field),
      cmocka_unit_test(a_link_that_is_down_says_so),
      cmocka_unit_test(what_no_link_has),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
