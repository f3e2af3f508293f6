/* SPDX-License-Identifier: MIT */
/*
 * Recorded machines below tests/data/tune: files as /proc and /sys of that kernel have them, in later/ what was different some seconds later, and in expected
 * all that must be found, nothing more and nothing less: "PROFILE LEVEL ID...".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host/host.h"
#include "host/subject.h"
#include "tune/tune.h"
#include "tune/words.h"

#define DATA THIRL_SOURCE_DIR "/tests/data/tune"

static thirl_tune_facts before, after;
static thirl_tune_report report;

static void judge(const char *name, thirl_tune_profile profile) {
  char root[512], later[1100];
  snprintf(root, sizeof root, "%s/%s", DATA, name);
  snprintf(later, sizeof later, "%s/later:%s", root, root);
  int64_t pid = thirl_host_subject_find(root);
  thirl_host_read(root, pid, &before);
  thirl_host_read(later, pid, &after);
  thirl_tune_case c = {.profile = profile,
                       .demand = thirl_tune_demand_of(profile),
                       .before = &before,
                       .after = &after,
                       .window_us = 5000000};
  thirl_tune_evaluate(&c, &report);
}

static void list(thirl_tune_level level, char *to, size_t size) {
  size_t n = 0;
  to[0] = '\0';
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++)
    if (report.asked[id] && report.finding[id].level == level && n < size)
      n += (size_t)snprintf(to + n, size - n, " %s", thirl_tune_catalogue_row((thirl_tune_id)id)->word);
}

static thirl_tune_level level_of(const char *word) {
  for (unsigned l = 0; l < THIRL_TUNE_LEVEL_COUNT; l++)
    if (strcmp(thirl_tune_words_level((thirl_tune_level)l), word) == 0) return (thirl_tune_level)l;
  fail_msg("no level %s", word);
  return THIRL_TUNE_LEVEL_OK;
}

static unsigned check_line(const char *name, char *line) {
  char profile_word[16], level_word[16], found[512];
  thirl_tune_profile profile;
  int at = 0;
  line[strcspn(line, "\n")] = '\0';
  if (line[0] == '#' || line[0] == '\0') return 0;
  assert_int_equal(sscanf(line, "%15s %15s%n", profile_word, level_word, &at), 2);
  assert_true(thirl_tune_words_find_profile(profile_word, &profile));
  judge(name, profile);
  list(level_of(level_word), found, sizeof found);
  if (strcmp(found, line + at) != 0)
    print_error("%s, %s %s:\nfound   %s\nexpected%s\n", name, profile_word, level_word, found, line + at);
  assert_string_equal(found, line + at);
  return 1;
}

static void recorded_machines(void **state) {
  unsigned machines = 0, lines = 0;
  (void)state;
  DIR *d = opendir(DATA);
  assert_non_null(d);
  for (struct dirent *e; (e = readdir(d));) {
    char path[512], line[512];
    if (e->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s/expected", DATA, e->d_name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
      lines += check_line(e->d_name, line);
    fclose(f);
    machines++;
  }
  closedir(d);
  assert_true(machines >= 4 && lines == machines * 3 * 4); /* each profile, each level but "ok" */
}

static void a_server_is_found_and_looked_into(void **state) {
  (void)state;
  judge("bullseye-server", THIRL_TUNE_SERVER);
  assert_int_equal(after.process.pid, 812);
  assert_string_equal(after.process.name, "thirld");
  assert_string_equal(after.process.unit, "thirld.service");
  assert_int_equal(after.process.n_inodes, 3);
  assert_int_equal(after.process.files_open.v, 5);
  assert_int_equal(after.gauge[THIRL_TUNE_GAUGE_CGROUP_MAX].v, 1 << 30);
  assert_int_equal(after.kernel, 510);
  assert_int_equal(thirl_tune_guess(&after), THIRL_TUNE_SERVER);
  assert_int_equal(report.finding[THIRL_TUNE_TCP2].cause, THIRL_TUNE_TCP1);
  assert_int_equal(report.finding[THIRL_TUNE_FD1].cause, THIRL_TUNE_FD4);
  assert_int_equal(report.finding[THIRL_TUNE_UDP2].cause, THIRL_TUNE_UDP1);
}

static void why_something_is_unknown(void **state) {
  static const struct {
    const char *name;
    thirl_tune_profile profile;
    thirl_tune_id id;
    thirl_tune_why why;
  } rows[] = {
      {"bullseye-server", THIRL_TUNE_SERVER, THIRL_TUNE_TCP17, THIRL_TUNE_WHY_NOT_IN_KERNEL},
      {"bookworm-container", THIRL_TUNE_SERVER, THIRL_TUNE_UDP1, THIRL_TUNE_WHY_NOT_IN_NAMESPACE},
      {"bookworm-container", THIRL_TUNE_SERVER, THIRL_TUNE_UDP8, THIRL_TUNE_WHY_NOT_IN_KERNEL},
      {"bookworm-container", THIRL_TUNE_SERVER, THIRL_TUNE_NAT5, THIRL_TUNE_WHY_NO_TOOL},
      {"bookworm-container", THIRL_TUNE_ROUTER, THIRL_TUNE_CT6, THIRL_TUNE_WHY_NO_SUCH},
      {"bookworm-container", THIRL_TUNE_SERVER, THIRL_TUNE_TCP13, THIRL_TUNE_WHY_NO_SUBJECT},
      {"mainline-client", THIRL_TUNE_CLIENT, THIRL_TUNE_CT15, THIRL_TUNE_WHY_ELSEWHERE},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    judge(rows[i].name, rows[i].profile);
    assert_int_equal(report.finding[rows[i].id].level, THIRL_TUNE_LEVEL_UNKNOWN);
    assert_int_equal(report.finding[rows[i].id].why, rows[i].why);
  }
}

static void a_container_cannot_change_its_settings(void **state) {
  (void)state;
  judge("bookworm-container", THIRL_TUNE_ROUTER);
  assert_true(after.sys_is_read_only);
  assert_int_equal(after.home, THIRL_TUNE_HOME_CHILD);
  assert_true(report.finding[THIRL_TUNE_CT9].is_elsewhere);
  judge("trixie-router", THIRL_TUNE_ROUTER);
  assert_false(report.finding[THIRL_TUNE_CT9].is_elsewhere);
}

static void an_empty_tree_tells_nothing(void **state) {
  thirl_tune_case c = {.profile = THIRL_TUNE_SERVER, .before = &before, .after = &after, .window_us = 1};
  (void)state;
  thirl_host_read("/nonexistent/thirl", 0, &before);
  thirl_host_read("/nonexistent/thirl", 5, &after);
  c.demand.relay_first = c.demand.relay_last = 50000;
  thirl_tune_evaluate(&c, &report);
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++)
    assert_true(!report.asked[id] || report.finding[id].level == THIRL_TUNE_LEVEL_UNKNOWN);
}

/* This machine, whatever it is: the look comes back, and knows its kernel. */
static void this_machine(void **state) {
  (void)state;
  thirl_host_read("/", 0, &after);
  assert_true(after.kernel >= 300);
  assert_int_equal(after.process.why, THIRL_TUNE_WHY_NO_SUBJECT);
  assert_int_equal(after.process.nofile_soft.why, THIRL_TUNE_WHY_READ);
  assert_int_equal(after.counter[THIRL_TUNE_COUNTER_UDP_IN].why, THIRL_TUNE_WHY_READ);
  assert_int_equal(after.links_why, THIRL_TUNE_WHY_READ);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(recorded_machines),           cmocka_unit_test(a_server_is_found_and_looked_into),
      cmocka_unit_test(why_something_is_unknown),    cmocka_unit_test(a_container_cannot_change_its_settings),
      cmocka_unit_test(an_empty_tree_tells_nothing), cmocka_unit_test(this_machine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
