/* SPDX-License-Identifier: MIT */
#include "lab/matrix/matrix_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#define HEAD                                                                                                           \
  "{\"thirl-lab-matrix\":1,\"nats\":[{\"name\":\"fullcone\",\"words\":\"preset=fullcone\"},"                           \
  "{\"name\":\"adm/adf\",\"words\":\"map=adm filter=adf alloc=random\"}],\"latency_ms\":25,\"engine\":\"natbox\","     \
  "\"server\":\"\",\"left\":\"l\",\"right\":\"r\",\"judge\":\"\"}\n"

static thirl_lab_matrix *new_matrix(void) {
  thirl_lab_matrix *m = calloc(1, sizeof *m);
  assert_non_null(m);
  m->latency_ms = 25;
  m->engine = "natbox";
  m->title = m->server = m->judge = "";
  m->left = "l";
  m->right = "r";
  assert_int_equal(thirl_lab_matrix_add(m, "fullcone", NULL), THIRL_OK);
  assert_int_equal(thirl_lab_matrix_add(m, "adm/adf", NULL), THIRL_OK);
  return m;
}

static thirl_error read_text(thirl_lab_matrix *m, const char *text, thirl_lab_complaint *why) {
  FILE *f = tmpfile();
  assert_non_null(f);
  assert_true(fputs(text, f) >= 0);
  rewind(f);
  thirl_error e = thirl_lab_matrix_json_read(m, f, why);
  fclose(f);
  return e;
}

static char *written(bool (*write)(thirl_lab_matrix *m, FILE *f), thirl_lab_matrix *m) {
  char *text = NULL;
  size_t n = 0;
  FILE *f = open_memstream(&text, &n);
  assert_non_null(f);
  assert_true(write(m, f));
  fclose(f);
  return text;
}

static bool write_all_lines(thirl_lab_matrix *m, FILE *f) {
  bool good = thirl_lab_matrix_json_write_head(m, f);
  for (size_t i = 0; i < m->n * m->n; i++)
    if (m->cells[i].path != THIRL_LAB_MATRIX_PENDING)
      good = good && thirl_lab_matrix_json_write_cell(m, i / m->n, i % m->n, f);
  return good;
}

static void the_head_says_what_is_tried(void **state) {
  (void)state;
  thirl_lab_matrix *m = new_matrix();
  char *text = written(write_all_lines, m);
  assert_string_equal(text, HEAD);
  free(text);
  free(m);
}

static void results_are_taken_over(void **state) {
  (void)state;
  thirl_lab_matrix *m = new_matrix();
  assert_int_equal(
      read_text(m,
                HEAD "{\"left\":\"fullcone\",\"right\":\"adm/adf\",\"path\":\"tcp\",\"ms\":153,\"took_ms\":2310,"
                     "\"note\":\"x\"}\n"
                     "not JSON\n"
                     "{\"left\":\"fullcone\",\"right\":\"nobody\",\"path\":\"tcp\"}\n"
                     "{\"left\":\"adm/adf\",\"right\":\"adm/adf\",\"path\":\"pending\"}\n"
                     "{\"left\":\"adm/adf\",\"right\":\"fullcone\",\"path\":\"relay\",\"ms\":null,\"note\":\"\"}\n"
                     "{\"left\":\"adm/adf\",\"right\":\"adm/adf\",\"path\":\"udp\"", /* torn */
                NULL),
      THIRL_OK);
  const thirl_lab_matrix_cell *c = thirl_lab_matrix_at(m, 0, 1);
  assert_int_equal(c->path, THIRL_LAB_MATRIX_TCP);
  assert_int_equal(c->ms, 153);
  assert_int_equal(c->took_ms, 2310);
  assert_string_equal(c->note, "x");
  assert_int_equal(thirl_lab_matrix_at(m, 1, 0)->path, THIRL_LAB_MATRIX_RELAY);
  assert_int_equal(thirl_lab_matrix_at(m, 1, 1)->path, THIRL_LAB_MATRIX_PENDING);
  assert_int_equal(thirl_lab_matrix_count(m, THIRL_LAB_MATRIX_PENDING), 2);
  /* And written again they are the same. */
  char *text = written(write_all_lines, m);
  thirl_lab_matrix *other = new_matrix();
  assert_int_equal(read_text(other, text, NULL), THIRL_OK);
  assert_memory_equal(m->cells, other->cells, sizeof m->cells);
  free(other);
  free(text);
  free(m);
}

static void another_matrix_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *why;
    thirl_error e;
  } cases[] = {{"", "", THIRL_OK},
               {"hello\n", "it does not begin like a file of results", THIRL_E_SYNTAX},
               {"{}\n", "it does not begin like a file of results", THIRL_E_SYNTAX}};
  thirl_lab_complaint why = {""};
  thirl_lab_matrix *m = new_matrix();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(read_text(m, cases[i].text, &why), cases[i].e);
    assert_string_equal(why.text, cases[i].why);
  }
  m->latency_ms = 10;
  assert_int_equal(read_text(m, HEAD, &why), THIRL_E_INVALID);
  assert_string_equal(why.text, "it is about something else: \"latency_ms\" is different");
  m->latency_ms = 25;
  m->right = "another";
  assert_int_equal(read_text(m, HEAD, &why), THIRL_E_INVALID);
  assert_string_equal(why.text, "it is about something else: \"right\" is different");
  free(m);
}

static void the_last_verdict_counts(void **state) {
  (void)state;
  static const struct {
    const char *output;
    bool found;
    thirl_lab_matrix_path path;
    unsigned ms;
  } cases[] = {
      {"{\"path\":\"tcp\",\"ms\":153}\n", true, THIRL_LAB_MATRIX_TCP, 153},
      {"hello\n{\"path\":\"udp\"}\n{\"path\":\"relay\",\"note\":\"why\"}\nbye", true, THIRL_LAB_MATRIX_RELAY, 0},
      {"{\"path\":\"udp\",\"ms\":12.6}", true, THIRL_LAB_MATRIX_UDP, 13},
      {"{\"path\":\"tcp\"}\n{\"path\":\"maybe\"}\n{\"other\":1}\n{broken\n", true, THIRL_LAB_MATRIX_TCP, 0},
      {"{\"path\":\"tcp\",\"ms\":-5}\n", true, THIRL_LAB_MATRIX_TCP, 0},
      {"{\"path\":\"tcp\",\"ms\":1e99}\n", true, THIRL_LAB_MATRIX_TCP, 0},
      {"", false, 0, 0},
      {"\n\n", false, 0, 0},
      {" {\"path\":\"tcp\"}\n", false, 0, 0},
      {"{\"path\":5}\n[\"path\"]\n", false, 0, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    thirl_lab_matrix_cell c = {.ms = 7};
    bool found = thirl_lab_matrix_json_verdict(cases[i].output, strlen(cases[i].output), &c);
    if (found != cases[i].found) fail_msg("%s", cases[i].output);
    assert_int_equal(c.path, cases[i].path);
    assert_int_equal(c.ms, found ? cases[i].ms : 7);
  }
}

static void a_note_is_cut_between_characters(void **state) {
  (void)state;
  char output[512] = "{\"path\":\"none\",\"note\":\"x";
  for (int i = 0; i < 120; i++)
    strcat(output, "\xc3\xa4"); /* 241 bytes with the x before */
  strcat(output, "\"}");
  thirl_lab_matrix_cell c;
  assert_true(thirl_lab_matrix_json_verdict(output, strlen(output), &c));
  assert_int_equal(strlen(c.note), THIRL_LAB_MATRIX_NOTE_MAX); /* 159: one and 79 pairs */
  memmove(output + 24, output + 23, strlen(output + 23) + 1);
  output[23] = 'y'; /* now two before */
  assert_true(thirl_lab_matrix_json_verdict(output, strlen(output), &c));
  assert_int_equal(strlen(c.note), THIRL_LAB_MATRIX_NOTE_MAX - 1);
}

static void the_report_is_one_object(void **state) {
  (void)state;
  thirl_lab_matrix *m = new_matrix();
  *thirl_lab_matrix_at(m, 0, 1) = (thirl_lab_matrix_cell){.path = THIRL_LAB_MATRIX_TCP, .ms = 153, .took_ms = 2000};
  *thirl_lab_matrix_at(m, 1, 1) = (thirl_lab_matrix_cell){.path = THIRL_LAB_MATRIX_NONE, .note = "a \"quoted\" word"};
  char *text = written(thirl_lab_matrix_json_report, m);
  json_t *o = json_loads(text, 0, NULL);
  assert_non_null(o);
  assert_int_equal(json_integer_value(json_object_get(o, "thirl-lab-matrix")), 1);
  assert_int_equal(json_integer_value(json_object_get(o, "median_ms")), 153);
  json_t *cells = json_object_get(o, "cells"), *summary = json_object_get(o, "summary");
  assert_int_equal(json_array_size(cells), 4);
  const json_t *cell = json_array_get(cells, 1);
  assert_string_equal(json_string_value(json_object_get(cell, "left")), "fullcone");
  assert_string_equal(json_string_value(json_object_get(cell, "right")), "adm/adf");
  assert_string_equal(json_string_value(json_object_get(cell, "path")), "tcp");
  assert_string_equal(json_string_value(json_object_get(json_array_get(cells, 3), "note")), "a \"quoted\" word");
  assert_true(json_is_null(json_object_get(json_array_get(cells, 3), "ms")));
  assert_int_equal(json_integer_value(json_object_get(summary, "tcp")), 1);
  assert_int_equal(json_integer_value(json_object_get(summary, "none")), 1);
  assert_int_equal(json_integer_value(json_object_get(summary, "pending")), 2);
  json_decref(o);
  free(text);
  free(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_head_says_what_is_tried),      cmocka_unit_test(results_are_taken_over),
      cmocka_unit_test(another_matrix_is_refused),        cmocka_unit_test(the_last_verdict_counts),
      cmocka_unit_test(a_note_is_cut_between_characters), cmocka_unit_test(the_report_is_one_object),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
