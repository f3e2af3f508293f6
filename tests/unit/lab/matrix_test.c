/* SPDX-License-Identifier: MIT */
#include "lab/matrix/matrix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lab/text/topology.h"

static thirl_lab_matrix *new_matrix(const char *const *nats, size_t n) {
  thirl_lab_matrix *m = calloc(1, sizeof *m);
  assert_non_null(m);
  m->latency_ms = 25;
  m->engine = "natbox";
  m->title = m->server = m->left = m->right = m->judge = "";
  for (size_t i = 0; i < n; i++)
    assert_int_equal(thirl_lab_matrix_add(m, nats[i], NULL), THIRL_OK);
  return m;
}

static void a_nat_is_a_preset_a_behaviour_or_words(void **state) {
  (void)state;
  static const char *const nats[] = {"symmetric", "adm/apdf", "mine map=adm tcp.unsolicited=rst"};
  thirl_lab_matrix *m = new_matrix(nats, 3);
  assert_int_equal(m->n, 3);
  assert_string_equal(m->nats[0].words, "preset=symmetric");
  assert_string_equal(m->nats[1].name, "adm/apdf");
  assert_string_equal(m->nats[1].words, "map=adm filter=apdf alloc=random");
  assert_string_equal(m->nats[2].name, "mine");
  assert_string_equal(m->nats[2].words, "map=adm tcp.unsolicited=rst");
  assert_int_equal(thirl_lab_matrix_find(m, "mine"), 2);
  assert_int_equal(thirl_lab_matrix_find(m, "min"), SIZE_MAX);
  free(m);
}

static void what_is_no_nat_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *why;
    thirl_error e;
  } cases[] = {
      {"fullcon", "\"fullcon\" is neither a preset nor a behaviour such as adm/apdf", THIRL_E_NOT_FOUND},
      {"adm/adg", "\"adm/adg\" is neither a preset nor a behaviour such as adm/apdf", THIRL_E_NOT_FOUND},
      {"mine map=amd", "\"map=amd\" is nothing that a NAT can have", THIRL_E_SYNTAX},
      {"mine what=adm", "\"what=adm\" is nothing that a NAT can have", THIRL_E_NOT_FOUND},
      {"symmetric", "there are two NATs called symmetric", THIRL_E_INVALID},
      {"a\"b", "\"a\"b\" is no name for a NAT: letters, digits, - _ / .", THIRL_E_SYNTAX},
      {"", "\"\" is no name for a NAT: letters, digits, - _ / .", THIRL_E_SYNTAX},
  };
  static const char *const nats[] = {"symmetric"};
  thirl_lab_matrix *m = new_matrix(nats, 1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    thirl_lab_complaint why = {""};
    assert_int_equal(thirl_lab_matrix_add(m, cases[i].text, &why), cases[i].e);
    assert_string_equal(why.text, cases[i].why);
    assert_int_equal(m->n, 1);
  }
  for (unsigned i = 1; i < THIRL_LAB_MATRIX_NATS_MAX; i++) {
    char text[32];
    snprintf(text, sizeof text, "n%u map=eim", i);
    assert_int_equal(thirl_lab_matrix_add(m, text, NULL), THIRL_OK);
  }
  assert_int_equal(thirl_lab_matrix_add(m, "fullcone", NULL), THIRL_E_LIMIT);
  free(m);
}

static void the_nine_behaviours(void **state) {
  (void)state;
  thirl_lab_matrix *m = new_matrix(NULL, 0);
  assert_int_equal(thirl_lab_matrix_add_all(m, NULL), THIRL_OK);
  assert_int_equal(m->n, 9);
  assert_string_equal(m->nats[0].name, "eim/eif");
  assert_string_equal(m->nats[8].words, "map=apdm filter=apdf alloc=random");
  assert_int_equal(thirl_lab_matrix_count(m, THIRL_LAB_MATRIX_PENDING), 81);
  free(m);
}

static void a_pair_is_a_network(void **state) {
  (void)state;
  static const char *const nats[] = {"eim/adf", "symmetric"};
  thirl_lab_matrix *m = new_matrix(nats, 2);
  char text[4096];
  thirl_lab_topology *t;
  thirl_lab_complaint why = {""};
  m->engine = "netfilter";
  size_t n = thirl_lab_matrix_topology(m, 0, 1, text, sizeof text);
  if (thirl_lab_topology_read("pair", text, n, &t, &why) != THIRL_OK) fail_msg("%s", why.text);
  const thirl_lab_node *left = &t->nodes[thirl_lab_topology_find_node(t, "left-nat")],
                       *right = &t->nodes[thirl_lab_topology_find_node(t, "right-nat")];
  assert_int_equal(left->nat.udp.filtering, THIRL_NATBOX_ADF);
  assert_int_equal(right->nat.tcp.mapping, THIRL_NATBOX_APDM);
  assert_int_equal(left->engine, THIRL_LAB_NETFILTER);
  assert_int_equal(left->outer.up.delay, 25 * THIRL_MS);
  assert_int_not_equal(thirl_lab_topology_find_node(t, "left"), SIZE_MAX);
  assert_int_not_equal(thirl_lab_topology_find_node(t, "server"), SIZE_MAX);
  thirl_lab_topology_free(t);
  free(m);
}

static void the_worse_end_counts(void **state) {
  (void)state;
  thirl_lab_matrix_cell tcp = {.path = THIRL_LAB_MATRIX_TCP, .ms = 153},
                        udp = {.path = THIRL_LAB_MATRIX_UDP, .ms = 200},
                        relay = {.path = THIRL_LAB_MATRIX_RELAY, .note = "no answer in time"}, silent = {.ms = 0};
  thirl_lab_matrix_cell c = thirl_lab_matrix_join(&tcp, &udp);
  assert_int_equal(c.path, THIRL_LAB_MATRIX_TCP);
  assert_int_equal(c.ms, 200);
  c = thirl_lab_matrix_join(&tcp, &relay);
  assert_int_equal(c.path, THIRL_LAB_MATRIX_RELAY);
  assert_string_equal(c.note, "no answer in time");
  assert_int_equal(c.ms, 0);                /* of what is not direct */
  c = thirl_lab_matrix_join(&silent, &tcp); /* who has no say, has none */
  assert_int_equal(c.path, THIRL_LAB_MATRIX_TCP);
}

static void the_median_is_of_direct_paths(void **state) {
  (void)state;
  static const char *const nats[] = {"fullcone", "symmetric"};
  thirl_lab_matrix *m = new_matrix(nats, 2);
  assert_int_equal(thirl_lab_matrix_median_ms(m), 0);
  *thirl_lab_matrix_at(m, 0, 0) = (thirl_lab_matrix_cell){.path = THIRL_LAB_MATRIX_TCP, .ms = 300};
  *thirl_lab_matrix_at(m, 0, 1) = (thirl_lab_matrix_cell){.path = THIRL_LAB_MATRIX_UDP, .ms = 100};
  *thirl_lab_matrix_at(m, 1, 0) = (thirl_lab_matrix_cell){.path = THIRL_LAB_MATRIX_ANY, .ms = 200};
  *thirl_lab_matrix_at(m, 1, 1) = (thirl_lab_matrix_cell){.path = THIRL_LAB_MATRIX_RELAY, .ms = 1};
  assert_int_equal(thirl_lab_matrix_median_ms(m), 200);
  assert_int_equal(thirl_lab_matrix_count(m, THIRL_LAB_MATRIX_TCP), 1);
  free(m);
}

static void names_of_paths_go_both_ways(void **state) {
  (void)state;
  for (unsigned p = THIRL_LAB_MATRIX_UDP; p < THIRL_LAB_MATRIX_PATHS; p++)
    assert_int_equal(thirl_lab_matrix_path_find(thirl_lab_matrix_path_name((thirl_lab_matrix_path)p)), p);
  assert_int_equal(thirl_lab_matrix_path_find("pending"), THIRL_LAB_MATRIX_PENDING);
  assert_int_equal(thirl_lab_matrix_path_find("TCP"), THIRL_LAB_MATRIX_PENDING);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_nat_is_a_preset_a_behaviour_or_words),
      cmocka_unit_test(what_is_no_nat_is_refused),
      cmocka_unit_test(the_nine_behaviours),
      cmocka_unit_test(a_pair_is_a_network),
      cmocka_unit_test(the_worse_end_counts),
      cmocka_unit_test(the_median_is_of_direct_paths),
      cmocka_unit_test(names_of_paths_go_both_ways),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
