/* SPDX-License-Identifier: MIT */
/* The page and the table. How the page looks is for eyes; that it says everything in words, and asks nobody for anything, is here. */
#include "lab/matrix/matrix_html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lab/matrix/matrix_text.h"

static thirl_lab_matrix *new_matrix(void) {
  thirl_lab_matrix *m = calloc(1, sizeof *m);
  assert_non_null(m);
  m->latency_ms = 25;
  m->engine = "natbox";
  m->title = "A <script> & \"quotes\"";
  m->server = m->judge = "";
  m->left = "echo '<b>'";
  m->right = "r";
  assert_int_equal(thirl_lab_matrix_add(m, "fullcone", NULL), THIRL_OK);
  assert_int_equal(thirl_lab_matrix_add(m, "adm/adf", NULL), THIRL_OK);
  *thirl_lab_matrix_at(m, 0, 0) = (thirl_lab_matrix_cell){.path = THIRL_LAB_MATRIX_TCP, .ms = 100};
  *thirl_lab_matrix_at(m, 0, 1) = (thirl_lab_matrix_cell){.path = THIRL_LAB_MATRIX_UDP, .ms = 250};
  *thirl_lab_matrix_at(m, 1, 0) = (thirl_lab_matrix_cell){.path = THIRL_LAB_MATRIX_RELAY, .note = "no <way>"};
  return m;
}

static size_t count(const char *text, const char *piece) {
  size_t n = 0;
  for (const char *at = text; (at = strstr(at, piece)); at += strlen(piece))
    n++;
  return n;
}

static char *page_of(thirl_lab_matrix *m) {
  char *text = NULL;
  size_t n = 0;
  FILE *f = open_memstream(&text, &n);
  assert_non_null(f);
  thirl_lab_matrix_html_write(m, f);
  fclose(f);
  return text;
}

static void every_cell_says_it_in_words(void **state) {
  (void)state;
  thirl_lab_matrix *m = new_matrix();
  char *page = page_of(m);
  assert_non_null(strstr(page, "<td class=\"t1\"><b>TCP</b><span>100 ms</span></td>"));
  assert_non_null(strstr(page, "<td class=\"u4\"><b>UDP</b><span>250 ms</span></td>"));
  assert_non_null(strstr(page, "<td class=\"r\" title=\"no &lt;way&gt;\"><b>relay</b></td>"));
  assert_non_null(strstr(page, "<td class=\"p\"><b>-</b></td>"));
  assert_int_equal(count(page, "<th scope=\"col\">"), 2);
  assert_int_equal(count(page, "<th scope=\"row\">"), 2);
  assert_non_null(strstr(page, "<dt>no &lt;way&gt;</dt><dd>adm/adf \xc3\x97 fullcone</dd>"));
  assert_non_null(
      strstr(page, "1 direct UDP, 1 direct TCP, 1 relayed, 1 not tried, of 4; 250 ms to a direct path at the median"));
  free(page);
  free(m);
}

static void the_page_stands_alone(void **state) {
  (void)state;
  thirl_lab_matrix *m = new_matrix();
  char *page = page_of(m);
  assert_int_equal(strncmp(page, "<!doctype html>\n<html lang=\"en\">", 32), 0);
  assert_non_null(strstr(page, "name=\"viewport\""));
  assert_non_null(strstr(page, "prefers-color-scheme:dark"));
  assert_null(strstr(page, "http"));
  assert_null(strstr(page, "src="));
  assert_null(strstr(page, "url("));
  assert_null(strstr(page, "@import"));
  assert_null(strstr(page, "<script"));
  assert_int_equal(count(page, "<h1>A &lt;script&gt; &amp; &quot;quotes&quot;</h1>"), 1);
  assert_non_null(strstr(page, "<pre>echo '&lt;b&gt;'</pre>"));
  free(page);
  free(m);
}

static void a_table_for_a_terminal(void **state) {
  (void)state;
  thirl_lab_matrix *m = new_matrix();
  char *text = NULL;
  size_t n = 0;
  FILE *f = open_memstream(&text, &n);
  thirl_lab_matrix_text_write(m, false, f);
  fclose(f);
  assert_string_equal(text, "          fullcone     adm/adf    \n"
                            "fullcone  TCP 100      UDP 250    \n"
                            "adm/adf   relay        -          \n");
  free(text);
  free(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_cell_says_it_in_words),
      cmocka_unit_test(the_page_stands_alone),
      cmocka_unit_test(a_table_for_a_terminal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
