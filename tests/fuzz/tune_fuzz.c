/* SPDX-License-Identifier: MIT */
/*
 * Everything that tune reads, as any text: the first byte says which parser, the rest is for it, twice, as in two looks. Whatever the facts become, the judges
 * give a verdict for each id, and every text of it ends and is printable.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tune/cgroup.h"
#include "tune/counter.h"
#include "tune/files.h"
#include "tune/links.h"
#include "tune/nat_report.h"
#include "tune/process.h"
#include "tune/ruleset.h"
#include "tune/sockets.h"
#include "tune/sysctl.h"
#include "tune/tune.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static thirl_tune_facts before, after;
static thirl_tune_report report;

static void promise(bool kept) {
  if (!kept) abort();
}

static void limits(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_process_limits(&f->process, t);
}
static void status(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_process_status(&f->process, t);
}
static void unit(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_process_unit(&f->process, t);
}
static void files(thirl_tune_facts *f, thirl_tune_text t) {
  f->process.why = THIRL_TUNE_WHY_READ;
  thirl_tune_process_files(&f->process, t);
}
static void tcp4(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_sockets_tcp(f, t, false);
}
static void tcp6(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_sockets_tcp(f, t, true);
}
static void pressure(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_counter_pressure(f, THIRL_TUNE_GAUGE_PRESSURE_CPU, t);
}
static void kernel_log(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_files_log(f, t, 5000000000);
}
static void group(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_cgroup_files g = {t, t, t, t};
  char path[THIRL_TUNE_CGROUP_PATH];
  bool is_v1;
  thirl_tune_cgroup_consider(f, &g);
  if (thirl_tune_cgroup_path(t, path, &is_v1)) promise(strlen(path) < sizeof path && !strstr(path, ".."));
}
/* A line for each setting. */
static void settings(thirl_tune_facts *f, thirl_tune_text t) {
  for (unsigned i = 0; i < THIRL_TUNE_SYSCTL_COUNT; i++) {
    thirl_tune_text line;
    if (!thirl_tune_text_line(&t, &line)) break;
    thirl_tune_sysctl_parse(f, (thirl_tune_sysctl)i, line);
  }
  thirl_tune_sysctl_settle(f);
}
static void links(thirl_tune_facts *f, thirl_tune_text t) {
  f->links_why = THIRL_TUNE_WHY_READ;
  thirl_tune_links_dev(f, thirl_tune_text_of("lo: 1 2 3 4\neth0: 1 2 3 4\n"));
  thirl_tune_links_dev(f, t);
  thirl_tune_links_dump(f, t);
  thirl_tune_links_route4(f, t);
  thirl_tune_links_route6(f, t);
  thirl_tune_links_address6(f, t);
  thirl_tune_links_interrupts(f, t);
}
static void demand(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_demand d = thirl_tune_demand_of(THIRL_TUNE_SERVER), same = d;
  char text[128];
  const char *at = NULL;
  unsigned n = 0;
  (void)f;
  thirl_tune_text_copy(t, text, sizeof text);
  thirl_error e = thirl_tune_demand_parse(&d, text, &at, &n);
  promise(e == THIRL_OK || e == THIRL_E_SYNTAX || e == THIRL_E_RANGE);
  promise(e == THIRL_OK || (at && memcmp(&d, &same, sizeof d) == 0));
}

static void nat_report(thirl_tune_facts *f, thirl_tune_text t) {
  promise(thirl_tune_nat_report_parse(f, t) == (f->nat.why == THIRL_TUNE_WHY_READ));
}

static void (*const parsers[])(thirl_tune_facts *, thirl_tune_text) = {
    settings,
    thirl_tune_counter_pairs,
    thirl_tune_counter_snmp6,
    thirl_tune_counter_conntrack,
    thirl_tune_counter_neighbours,
    thirl_tune_counter_softnet,
    thirl_tune_counter_cpu,
    thirl_tune_counter_sockstat,
    thirl_tune_counter_memory,
    pressure,
    limits,
    status,
    unit,
    files,
    tcp4,
    tcp6,
    thirl_tune_sockets_udp,
    thirl_tune_sockets_diag,
    links,
    thirl_tune_ruleset_parse,
    thirl_tune_ruleset_legacy,
    thirl_tune_sysctl_reserved,
    thirl_tune_sysctl_mounts,
    thirl_tune_sysctl_kernel,
    thirl_tune_files_limits,
    thirl_tune_files_sysctl,
    kernel_log,
    group,
    demand,
    nat_report,
};

static void check_text(const char *text, size_t size) {
  promise(memchr(text, '\0', size) != NULL);
  for (; *text; text++)
    promise(*text >= ' ' && *text <= '~');
}

static void judge(thirl_tune_profile p) {
  thirl_tune_case c = {
      .profile = p, .demand = thirl_tune_demand_of(p), .before = &before, .after = &after, .window_us = 1000000};
  c.demand.relay_first = 49152;
  c.demand.relay_last = 65535;
  thirl_tune_evaluate(&c, &report);
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++) {
    const thirl_tune_finding *f = &report.finding[id];
    promise(f->id == id && f->level < THIRL_TUNE_LEVEL_COUNT && f->n_set <= THIRL_TUNE_SETTINGS);
    promise(!report.asked[id] || (f->level == THIRL_TUNE_LEVEL_UNKNOWN) == (f->why != THIRL_TUNE_WHY_READ));
    check_text(f->observed, sizeof f->observed);
    check_text(f->expected, sizeof f->expected);
    check_text(f->line, sizeof f->line);
    check_text(f->back, sizeof f->back);
    for (unsigned i = 0; i < f->n_set; i++) {
      check_text(f->set[i].key, sizeof f->set[i].key);
      check_text(f->set[i].value, sizeof f->set[i].value);
      check_text(f->set[i].was, sizeof f->set[i].was);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  unsigned which = data[0] % (sizeof parsers / sizeof *parsers);
  thirl_tune_text t = {(const char *)data + 1, size - 1};
  memset(&before, 0, sizeof before);
  memset(&after, 0, sizeof after);
  parsers[which](&before, (thirl_tune_text){t.p, t.n / 2});
  parsers[which](&after, t);
  for (unsigned p = 0; p < THIRL_TUNE_PROFILE_COUNT; p++)
    judge((thirl_tune_profile)p);
  (void)thirl_tune_guess(&after);
  return 0;
}
