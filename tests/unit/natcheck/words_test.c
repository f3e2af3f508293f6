/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "natcheck/words.h"

static void classic_names(void **state) {
  (void)state;
  assert_string_equal(thirl_natcheck_words_classic(THIRL_NATCHECK_NO_MAPPING, THIRL_NATCHECK_EIF), "open internet");
  assert_string_equal(thirl_natcheck_words_classic(THIRL_NATCHECK_NO_MAPPING, THIRL_NATCHECK_ADF),
                      "symmetric firewall");
  assert_string_equal(thirl_natcheck_words_classic(THIRL_NATCHECK_NO_MAPPING, THIRL_NATCHECK_FILTERING_UNKNOWN),
                      "no NAT");
  assert_string_equal(thirl_natcheck_words_classic(THIRL_NATCHECK_EIM, THIRL_NATCHECK_EIF), "full cone");
  assert_string_equal(thirl_natcheck_words_classic(THIRL_NATCHECK_EIM, THIRL_NATCHECK_ADF), "restricted cone");
  assert_string_equal(thirl_natcheck_words_classic(THIRL_NATCHECK_EIM, THIRL_NATCHECK_APDF), "port restricted cone");
  assert_string_equal(thirl_natcheck_words_classic(THIRL_NATCHECK_EIM, THIRL_NATCHECK_FILTERING_UNKNOWN), "cone");
  assert_string_equal(thirl_natcheck_words_classic(THIRL_NATCHECK_ADM, THIRL_NATCHECK_EIF), "symmetric");
  assert_string_equal(thirl_natcheck_words_classic(THIRL_NATCHECK_APDM, THIRL_NATCHECK_APDF), "symmetric");
  assert_string_equal(thirl_natcheck_words_classic(THIRL_NATCHECK_MAPPING_UNKNOWN, THIRL_NATCHECK_EIF), "unknown");
  assert_string_equal(thirl_natcheck_words_classic(THIRL_NATCHECK_EIM, (thirl_natcheck_filtering)99), "cone");
}

/* The words of the JSON report are a promise: these are some of each list. */
static void words_for_programs(void **state) {
  (void)state;
  assert_string_equal(thirl_natcheck_words_mapping(THIRL_NATCHECK_NO_MAPPING), "none");
  assert_string_equal(thirl_natcheck_words_mapping(THIRL_NATCHECK_APDM), "address-and-port-dependent");
  assert_string_equal(thirl_natcheck_words_filtering(THIRL_NATCHECK_ADF), "address-dependent");
  assert_string_equal(thirl_natcheck_words_model(THIRL_NATCHECK_BLOCK), "block");
  assert_string_equal(thirl_natcheck_words_why(THIRL_NATCHECK_WHY_UNPROVEN), "unproven");
  assert_string_equal(thirl_natcheck_words_why(THIRL_NATCHECK_WHY_STOPPED), "stopped");
  assert_string_equal(thirl_natcheck_words_answer(THIRL_NATCHECK_YES), "yes");
  assert_string_equal(thirl_natcheck_words_unsolicited(THIRL_NATCHECK_UNSOLICITED_REFUSED), "refused");
  assert_string_equal(thirl_natcheck_words_sign(THIRL_NATCHECK_HOP_SHARED), "shared-hop");
  assert_string_equal(thirl_natcheck_words_mapping((thirl_natcheck_mapping)-1), "unknown");
  assert_string_equal(thirl_natcheck_words_say_mapping((thirl_natcheck_mapping)77), "unknown");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(classic_names),
      cmocka_unit_test(words_for_programs),
  };
  return cmocka_run_group_tests_name("natcheck/words", tests, NULL, NULL);
}
