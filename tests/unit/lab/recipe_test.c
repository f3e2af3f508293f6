/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lab/text/model.h"
#include "lab/netfilter/recipe.h"

static void a_recipe_is_found_by_its_word(void **state) {
  (void)state;
  unsigned n = 0, circulate = 0;
  for (const thirl_lab_recipe *r; (r = thirl_lab_recipe_get(n)); n++) {
    assert_ptr_equal(thirl_lab_recipe_find(r->name), r);
    assert_true(strlen(r->name) <= THIRL_LAB_NAME_MAX); /* fits into a node */
    assert_true(circulate == n || !r->circulates);      /* those that circulate come first */
    circulate += r->circulates;
  }
  assert_int_equal(n, 8);
  assert_int_equal(circulate, 4);
  assert_null(thirl_lab_recipe_get(8));
  assert_null(thirl_lab_recipe_find("fullcone"));
}

static void only_the_corrected_ones_all_keep_their_promise(void **state) {
  (void)state;
  unsigned kept = 0;
  const thirl_lab_recipe *r;
  for (unsigned i = 0; (r = thirl_lab_recipe_get(i)); i++) {
    bool keeps = strcmp(thirl_lab_recipe_type(r->measured), r->claimed) == 0;
    if (r->circulates)
      kept += keeps;
    else
      assert_true(keeps);
  }
  assert_int_equal(kept, 1);
  assert_string_equal(thirl_lab_recipe_type("adm/eif"), "symmetric");
}

static void a_script_is_one_for_this_router(void **state) {
  (void)state;
  thirl_addr external = thirl_addr_v4(203, 0, 113, 1, 9), host = thirl_addr_v4(192, 168, 1, 10, 0);
  char *text;
  assert_int_equal(thirl_lab_recipe_script(thirl_lab_recipe_find("classic-sym"), "out0", &external, &host, &text),
                   THIRL_OK);
  assert_string_equal(text,
                      "set -e\nOUT=out0 EXT=203.0.113.1 INT=192.168.1.10 P=5000\niptables -t nat -F\niptables -F\n"
                      "iptables -t nat -A POSTROUTING -o $OUT -j MASQUERADE\n");
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_recipe_is_found_by_its_word),
      cmocka_unit_test(only_the_corrected_ones_all_keep_their_promise),
      cmocka_unit_test(a_script_is_one_for_this_router),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
