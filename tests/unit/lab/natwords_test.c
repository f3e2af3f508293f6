/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lab/text/natwords.h"

static void is(const thirl_natbox_config *c, const char *words) {
  char text[1024];
  assert_string_equal(thirl_lab_natwords_format(c, text, sizeof text), words);
}

static void set(thirl_natbox_config *c, const char *word) {
  thirl_lab_complaint why = {""};
  if (thirl_lab_natwords_set(c, word, &why) != THIRL_OK) fail_msg("%s", why.text);
}

static void every_preset_is_its_own_name(void **state) {
  (void)state;
  const char *name;
  for (unsigned i = 0; (name = thirl_natbox_config_preset_name(i)); i++) {
    thirl_natbox_config c = thirl_lab_natwords_default(thirl_addr_v4(203, 0, 113, 1, 0));
    char word[64] = "preset=";
    strcat(word, name);
    set(&c, word);
    is(&c, word);
  }
}

static void the_nearest_preset_and_the_rest(void **state) {
  (void)state;
  thirl_natbox_config c = thirl_lab_natwords_default(thirl_addr_v4(203, 0, 113, 1, 0));
  is(&c, "preset=portrestricted");
  set(&c, "tcp.unsolicited=rst");
  is(&c, "preset=portrestricted tcp.unsolicited=rst");
  set(&c, "filter=eif");
  is(&c, "preset=fullcone tcp.unsolicited=rst");
}

static void refuses(const char *word, thirl_error e, const char *sentence) {
  thirl_natbox_config c = thirl_lab_natwords_default(thirl_addr_v4(203, 0, 113, 1, 0)), before = c;
  thirl_lab_complaint why = {""};
  assert_int_equal(thirl_lab_natwords_set(&c, word, &why), e);
  assert_memory_equal(why.text, sentence, strlen(sentence));
  assert_memory_equal(&c, &before, sizeof c);
}

static void what_no_nat_has(void **state) {
  (void)state;
  refuses("preset=nowhere", THIRL_E_SYNTAX, "there is no preset \"nowhere\": none, fullcone, ");
  refuses("map", THIRL_E_SYNTAX, "\"map\" is nothing that a NAT can have: preset, ");
  refuses("udp.hairpin=off", THIRL_E_SYNTAX, "\"udp.hairpin\" is nothing that a NAT can have: preset, ");
  refuses("map=", THIRL_E_SYNTAX, "map wants eim|adm|apdm, not \"\"");
  refuses("ports=5-1", THIRL_E_RANGE, "ports wants LOW-HIGH, not \"5-1\": too small or too large");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_preset_is_its_own_name),
      cmocka_unit_test(the_nearest_preset_and_the_rest),
      cmocka_unit_test(what_no_nat_has),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
