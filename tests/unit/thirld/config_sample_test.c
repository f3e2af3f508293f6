/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "apps/thirld/config_file.h"
#include "apps/thirld/config_sample.h"
#include "apps/thirld/config_table.h"

static char text[CONFIG_BYTES_MAX];

static size_t write_sample(void) {
  FILE *f = fmemopen(text, sizeof text, "w");
  assert_non_null(f);
  config_sample_write(f);
  long n = ftell(f);
  assert_int_equal(fclose(f), 0);
  assert_true(n > 0 && (size_t)n < sizeof text);
  return (size_t)n;
}

static config read_text(size_t n) {
  config c;
  char said[CONFIG_COMPLAINT_MAX];
  config_init(&c);
  assert_int_equal(config_parse(&c, THIRL_BYTES(text, n), said), THIRL_OK);
  return c;
}

static bool completes(config *c) {
  char said[CONFIG_COMPLAINT_MAX];
  bool by_default;
  assert_int_equal(config_complete(c, &by_default, said), THIRL_OK);
  return by_default;
}

/* The sample says what holds without it: with its marks taken away it changes nothing. */
static void the_sample_shows_the_defaults(void **state) {
  (void)state;
  size_t n = write_sample(), to = 0;
  config plain = read_text(n);
  for (size_t i = 0; i < n; i++) /* "#name" is a setting, "# word" a remark */
    if (!(text[i] == '#' && (i == 0 || text[i - 1] == '\n') && i + 1 < n && text[i + 1] != ' ' && text[i + 1] != '\n'))
      text[to++] = text[i];
  config marked = read_text(to);
  assert_int_equal(marked.n_tcp, 4);
  assert_int_equal(marked.limits.max_connections, 20000);
  assert_int_equal(marked.limits.registers_per_second_per_ip, 100);
  assert_true(completes(&plain));
  assert_false(completes(&marked));
  assert_memory_equal(&plain, &marked, sizeof plain);
}

/* What is no default is an example; it can be read as well. */
static void the_examples_of_the_sample_can_be_read(void **state) {
  (void)state;
  size_t n = write_sample(), to = 0;
  for (size_t i = 0; i < n; i++)
    if (strncmp(text + i, "#   ", 4) == 0)
      i += 3; /* to the blank before the name */
    else
      text[to++] = text[i];
  config c = read_text(to);
  assert_true(thirl_addr_is_set(&c.primary[0]) && thirl_addr_is_set(&c.alternate[0]));
  assert_int_equal(c.n_aliases, 1);
}

static void every_setting_says_what_it_is(void **state) {
  config_row row;
  size_t n = 0;
  (void)state;
  for (; config_table_get(n, &row); n++) {
    assert_true(config_table_has_section(row.section));
    assert_true(strlen(row.what) > 0 && strlen(row.value) > 0);
    assert_true((row.normal != NULL) != (row.example != NULL));
    config c;
    config_init(&c);
    char first[64];
    const char *value = row.normal ? row.normal : row.example;
    snprintf(first, sizeof first, "%.*s", (int)strcspn(value, "\n"), value);
    assert_int_equal(config_table_set(&c, row.section, row.name, first), THIRL_OK);
  }
  assert_int_equal(n, 24);
}

/* A remark belongs to a setting that exists. */
static void no_paragraph_is_lost(void **state) {
  config_row row;
  unsigned paragraphs = 0;
  (void)state;
  for (size_t i = 0; config_table_get(i, &row); i++)
    paragraphs += row.paragraph != NULL;
  assert_int_equal(paragraphs, 15);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_sample_shows_the_defaults),
      cmocka_unit_test(the_examples_of_the_sample_can_be_read),
      cmocka_unit_test(every_setting_says_what_it_is),
      cmocka_unit_test(no_paragraph_is_lost),
  };
  return cmocka_run_group_tests_name("thirld/config_sample", tests, NULL, NULL);
}
