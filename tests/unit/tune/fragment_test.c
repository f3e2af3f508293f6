/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tune/fragment.h"
#include "tune/limits_file.h"
#include "tune/sysctl_file.h"

static thirl_tune_report report;
static char text[65536];

static thirl_tune_finding *find(thirl_tune_id id) {
  report.asked[id] = true;
  report.finding[id] = (thirl_tune_finding){.id = id, .level = THIRL_TUNE_LEVEL_CRIT};
  snprintf(report.finding[id].observed, sizeof report.finding[id].observed, "it is so");
  return &report.finding[id];
}

static void want(thirl_tune_finding *f, const char *key, const char *was, const char *value) {
  thirl_tune_setting *s = &f->set[f->n_set++];
  snprintf(s->key, sizeof s->key, "%s", key);
  snprintf(s->was, sizeof s->was, "%s", was);
  snprintf(s->value, sizeof s->value, "%s", value);
}

static const char *print(const thirl_tune_demand *d, unsigned formats) {
  thirl_buffer b;
  thirl_buffer_init(&b, sizeof text - 1);
  assert_int_equal(thirl_tune_fragment_format(&report, d, formats, &b), THIRL_OK);
  thirl_bytes v = thirl_buffer_view(&b);
  memcpy(text, v.p, v.n);
  text[v.n] = '\0';
  thirl_buffer_fini(&b);
  for (const char *c = text; *c; c++)
    assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7f));
  return text;
}

static int begin(void **state) {
  (void)state;
  memset(&report, 0, sizeof report);
  return 0;
}

static void nothing_to_mend_is_comments_only(void **state) {
  (void)state;
  const thirl_tune_demand d = {0};
  char *line = strtok((char *)(uintptr_t)print(&d, THIRL_TUNE_FRAGMENT_ALL), "\n");
  for (; line; line = strtok(NULL, "\n"))
    assert_int_equal(line[0], '#');
}

static void settings_come_with_reason_and_way_back(void **state) {
  (void)state;
  const thirl_tune_demand d = {0};
  want(find(THIRL_TUNE_TCP1), "net.core.somaxconn", "128", "65535");
  want(find(THIRL_TUNE_CT12), "net.ipv4.ip_forward", "0", "1");
  thirl_tune_finding *f = find(THIRL_TUNE_UDP1);
  want(f, "net.core.rmem_max", "", "16777216");
  f->is_elsewhere = true;
  print(&d, THIRL_TUNE_FRAGMENT_SYSCTL);
  assert_non_null(strstr(text, "# TCP1, the queue of listening sockets: it is so\n"));
  assert_non_null(strstr(text, "# was 128; to undo: delete the line, then sysctl -w 'net.core.somaxconn=128'\n"
                               "net.core.somaxconn = 65535\n"));
  assert_non_null(strstr(text, "# It belongs to the host"));
  assert_non_null(strstr(text, "\n#net.core.rmem_max = 16777216\n"));
  assert_non_null(strstr(text, "\"thirl tune --apply\" does not write it"));
  thirl_tune_sysctl_file s = thirl_tune_sysctl_file_of(THIRL_BYTES(text, strlen(text)));
  thirl_tune_line l;
  unsigned n = 0;
  while (thirl_tune_sysctl_file_next(&s, &l))
    n++;
  assert_int_equal(n, 2);
  assert_int_equal(s.bad, 0);
}

static void open_files_go_to_the_unit_and_to_logins(void **state) {
  (void)state;
  const thirl_tune_demand d = {.tcp = 100000, .clients = 100000};
  find(THIRL_TUNE_FD1);
  print(&d, THIRL_TUNE_FRAGMENT_SYSTEMD);
  assert_non_null(strstr(text, "\n[Service]\n"));
  assert_non_null(strstr(text, "\nLimitNOFILE=131072\n"));
  print(&d, THIRL_TUNE_FRAGMENT_LIMITS);
  thirl_tune_limits_file f = thirl_tune_limits_file_of(THIRL_BYTES(text, strlen(text)));
  thirl_tune_limit l;
  assert_true(thirl_tune_limits_file_next(&f, &l));
  assert_int_equal(l.number, 131072);
  assert_string_equal(l.domain, "*");
  assert_true(thirl_tune_limits_file_next(&f, &l));
  assert_string_equal(l.domain, "root");
  assert_false(thirl_tune_limits_file_next(&f, &l));
  assert_int_equal(f.bad, 0);
}

static void limits_have_room(void **state) {
  (void)state;
  assert_int_equal(thirl_tune_fragment_files(64), 65536);
  assert_int_equal(thirl_tune_fragment_files(52428), 65536);
  assert_int_equal(thirl_tune_fragment_files(52432), 131072);
  assert_int_equal(thirl_tune_fragment_files(1000064), 2097152);
}

static void packets_are_untracked_and_accepted_both_ways(void **state) {
  (void)state;
  thirl_tune_demand d = {.relay_first = 49152, .relay_last = 65535};
  find(THIRL_TUNE_CT1);
  print(&d, THIRL_TUNE_FRAGMENT_NFT);
  static const char *const lines[] = {
      "table inet thirl_notrack {\n",
      "    type filter hook prerouting priority raw; policy accept;\n    udp dport 3478 notrack\n"
      "    udp dport 49152-65535 notrack\n",
      "    type filter hook output priority raw; policy accept;\n    udp sport 3478 notrack\n"
      "    udp sport 49152-65535 notrack\n",
      "#   udp dport 3478 accept\n#   udp dport 49152-65535 accept\n",
      "#   udp sport 3478 accept\n#   udp sport 49152-65535 accept\n",
      "# to undo: nft delete table inet thirl_notrack",
  };
  for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
    assert_non_null(strstr(text, lines[i]));
  d.relay_first = 0;
  assert_null(strstr(print(&d, THIRL_TUNE_FRAGMENT_NFT), "49152"));
}

static void formats_have_words(void **state) {
  (void)state;
  unsigned mask = 0;
  assert_true(thirl_tune_fragment_find("nft", &mask));
  assert_int_equal(mask, THIRL_TUNE_FRAGMENT_NFT);
  assert_true(thirl_tune_fragment_find("all", &mask));
  assert_int_equal(mask, THIRL_TUNE_FRAGMENT_ALL);
  assert_false(thirl_tune_fragment_find("iptables", &mask));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(nothing_to_mend_is_comments_only, begin),
      cmocka_unit_test_setup(settings_come_with_reason_and_way_back, begin),
      cmocka_unit_test_setup(open_files_go_to_the_unit_and_to_logins, begin),
      cmocka_unit_test_setup(limits_have_room, begin),
      cmocka_unit_test_setup(packets_are_untracked_and_accepted_both_ways, begin),
      cmocka_unit_test_setup(formats_have_words, begin),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
