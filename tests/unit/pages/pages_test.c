/* SPDX-License-Identifier: MIT */
/* A command or an option that is added has its words in the manual, or one of these says what to write where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pages/complete.h"
#include "apps/pages/pages.h"
#include "apps/thirl/lab_command.h"

static void every_command_has_its_page(void **state) {
  page p;
  unsigned missing = 0;
  (void)state;
  for (size_t i = 0; pages_get(i, &p); i++) {
    char complaint[256];
    if (pages_check(&p, THIRL_SOURCE_DIR, complaint)) continue;
    print_error("%s\n", complaint);
    missing++;
  }
  assert_int_equal(missing, 0);
}

static bool is_a_page(const char *file) {
  page p;
  for (size_t i = 0; pages_get(i, &p); i++)
    if (strncmp(p.name, file, strlen(p.name)) == 0 && strcmp(file + strlen(p.name), ".txt") == 0) return true;
  return false;
}

/* A page may be written before its command is there: its first line says so. */
static bool is_ahead(const char *file) {
  char path[512], line[16] = "";
  snprintf(path, sizeof path, THIRL_SOURCE_DIR "/docs/man/%.200s", file);
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  bool is = fgets(line, sizeof line, f) && strcmp(line, "# ahead\n") == 0;
  fclose(f);
  return is;
}

static void no_page_is_of_a_command_that_is_gone(void **state) {
  DIR *dir = opendir(THIRL_SOURCE_DIR "/docs/man");
  const struct dirent *entry;
  unsigned files = 0;
  (void)state;
  assert_non_null(dir);
  while ((entry = readdir(dir))) {
    if (!strstr(entry->d_name, ".txt")) continue;
    if (!is_a_page(entry->d_name) && !is_ahead(entry->d_name)) fail_msg("docs/man/%s is of no command", entry->d_name);
    files++;
  }
  closedir(dir);
  assert_true(files > 0);
}

/* ---- completion ---- */

static void value_is_known(const char *name, const option_row *o) {
  if (o->value && complete_value(o) == COMPLETE_UNKNOWN)
    fail_msg("%s %s: say in KINDS of apps/pages/complete.c how \"%s\" is completed", name, o->name, o->value);
}

static void command_is_known(const command *c) {
  complete_word words[COMPLETE_WORDS_MAX];
  for (const option_row *const *o = c->options; o && *o; o++)
    value_is_known(c->name, *o);
  size_t n = complete_words(c->synopsis, words);
  for (size_t i = 0; i < n && c->options; i++)
    for (size_t k = 0; k < words[i].n; k++)
      if (words[i].kinds[k] == COMPLETE_UNKNOWN)
        fail_msg("%s %s: say in KINDS of apps/pages/complete.c how \"%s\" is completed", c->name, c->synopsis,
                 words[i].label);
}

static void every_value_says_how_it_is_completed(void **state) {
  (void)state;
  for (const command *c = command_table; c->name; c++)
    command_is_known(c);
  for (const command *c = lab_table; c->name; c++)
    command_is_known(c);
}

static void words_of_a_synopsis(void **state) {
  complete_word w[COMPLETE_WORDS_MAX];
  (void)state;
  assert_int_equal(complete_words("[options]", w), 0);
  assert_int_equal(complete_words("[options] TICKET | -", w), 1);
  assert_int_equal(w[0].n, 1);
  assert_int_equal(complete_words("[options] [SERVER[:PORT]...]", w), 1);
  assert_int_equal(w[0].kinds[0], COMPLETE_HOSTNAME);
  assert_true(w[0].repeats);
  assert_int_equal(complete_words("[--name NAME] HOST [--] COMMAND...", w), 2);
  assert_int_equal(w[0].kinds[0], COMPLETE_LAB_HOST);
  assert_int_equal(w[1].kinds[0], COMPLETE_COMMAND);
  assert_true(w[1].repeats);
  assert_int_equal(complete_words("[options] FILE | PRESET", w), 1);
  assert_int_equal(w[0].n, 2);
  assert_int_equal(w[0].kinds[1], COMPLETE_PRESET);
  assert_int_equal(complete_words("[options] NODE [inner] FILE", w), 2);
  assert_string_equal(w[1].literal, "inner");
  assert_string_equal(w[1].label, "FILE");
  assert_true(w[1].repeats);
  assert_int_equal(w[1].kinds[0], COMPLETE_FILE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_command_has_its_page),
      cmocka_unit_test(no_page_is_of_a_command_that_is_gone),
      cmocka_unit_test(every_value_says_how_it_is_completed),
      cmocka_unit_test(words_of_a_synopsis),
  };
  return cmocka_run_group_tests_name("pages/pages", tests, NULL, NULL);
}
