/* SPDX-License-Identifier: MIT */
#include "host/host.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include "host/diag.h"
#include "host/file.h"
#include "host/limit.h"
#include "host/links.h"
#include "host/rules.h"
#include "host/subject.h"
#include "tune/counter.h"
#include "tune/files.h"
#include "tune/iptables.h"
#include "tune/links.h"
#include "tune/ruleset.h"
#include "tune/sockets.h"
#include "tune/sysctl.h"

enum { SOCKETS_BYTES = 256 << 20, LOG_BYTES = 16 << 20, DIRECTORY_MAX = 512 };

typedef struct look {
  const char *root;
  bool is_live;
  thirl_host_dump dump;
  thirl_tune_facts *f;
} look;

static thirl_tune_why read_file(look *l, const char *path, thirl_tune_text *text) {
  return thirl_host_file_read(l->root, path, &l->dump, text);
}

/* ---- settings ---- */

static void read_sysctls(look *l) {
  char path[256];
  for (unsigned i = 0; i < THIRL_TUNE_SYSCTL_COUNT; i++) {
    thirl_tune_text text;
    snprintf(path, sizeof path, "proc/sys/%s", thirl_tune_sysctl_path((thirl_tune_sysctl)i));
    l->f->sysctl[i].why = read_file(l, path, &text);
    if (l->f->sysctl[i].why == THIRL_TUNE_WHY_READ) thirl_tune_sysctl_parse(l->f, (thirl_tune_sysctl)i, text);
  }
}

static void read_words(look *l) {
  thirl_tune_facts *f = l->f;
  const struct {
    const char *path;
    thirl_tune_why *why;
    void (*parse)(thirl_tune_facts *, thirl_tune_text);
  } words[] = {
      {"net/ipv4/tcp_congestion_control", &f->congestion.why, thirl_tune_sysctl_congestion},
      {"net/core/default_qdisc", &f->default_qdisc.why, thirl_tune_sysctl_default_qdisc},
      {"net/ipv4/ip_local_reserved_ports", &f->reserved.why, thirl_tune_sysctl_reserved},
  };
  char path[256];
  thirl_tune_text text;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    snprintf(path, sizeof path, "proc/sys/%s", words[i].path);
    *words[i].why = read_file(l, path, &text);
    if (*words[i].why == THIRL_TUNE_WHY_READ) words[i].parse(f, text);
  }
  if (read_file(l, "proc/sys/kernel/osrelease", &text) == THIRL_TUNE_WHY_READ) thirl_tune_sysctl_kernel(f, text);
  if (read_file(l, "proc/self/mountinfo", &text) == THIRL_TUNE_WHY_READ) thirl_tune_sysctl_mounts(f, text);
}

/* ---- counters ---- */

static void read_counters(look *l) {
  static const struct {
    const char *path, *family;
    void (*parse)(thirl_tune_facts *, thirl_tune_text);
  } files[] = {
      {"proc/net/netstat", "TcpExt", thirl_tune_counter_pairs},
      {"proc/net/snmp", "Udp", thirl_tune_counter_pairs},
      {"proc/net/snmp6", NULL, thirl_tune_counter_snmp6},
      {"proc/net/stat/nf_conntrack", "ct", thirl_tune_counter_conntrack},
      {"proc/net/stat/arp_cache", "arp", thirl_tune_counter_neighbours},
      {"proc/net/softnet_stat", "softnet", thirl_tune_counter_softnet},
      {"proc/stat", "cpu", thirl_tune_counter_cpu},
      {"proc/net/sockstat", "sockstat", thirl_tune_counter_sockstat},
      {"proc/net/sockstat6", NULL, thirl_tune_counter_sockstat},
      {"proc/meminfo", NULL, thirl_tune_counter_memory},
  };
  thirl_tune_text text;
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    thirl_tune_why why = read_file(l, files[i].path, &text);
    if (why == THIRL_TUNE_WHY_READ)
      files[i].parse(l->f, text);
    else if (files[i].family)
      thirl_tune_counter_miss(l->f, files[i].family, why);
  }
  static const struct {
    const char *path;
    thirl_tune_gauge which;
  } pressures[] = {{"proc/pressure/cpu", THIRL_TUNE_GAUGE_PRESSURE_CPU},
                   {"proc/pressure/memory", THIRL_TUNE_GAUGE_PRESSURE_MEMORY}};
  for (size_t i = 0; i < sizeof pressures / sizeof *pressures; i++) {
    thirl_tune_why why = read_file(l, pressures[i].path, &text);
    l->f->gauge[pressures[i].which].why = why;
    if (why == THIRL_TUNE_WHY_READ) thirl_tune_counter_pressure(l->f, pressures[i].which, text);
  }
}

/* Tables that are not shown in a child belong to the host; without the module there are no counters of tracking. */
static void settle_counters(thirl_tune_facts *f) {
  static const char *const of_host[] = {"arp", "softnet"};
  for (size_t i = 0; i < sizeof of_host / sizeof *of_host; i++) {
    thirl_tune_counter c = i ? THIRL_TUNE_COUNTER_SOFTNET_DROPPED : THIRL_TUNE_COUNTER_ARP_TABLE_FULLS;
    if (f->counter[c].why == THIRL_TUNE_WHY_NO_SUCH && f->home == THIRL_TUNE_HOME_CHILD)
      thirl_tune_counter_miss(f, of_host[i], THIRL_TUNE_WHY_NOT_IN_NAMESPACE);
  }
  bool untracked = f->sysctl[THIRL_TUNE_SYSCTL_CT_TCP_LOOSE].why == THIRL_TUNE_WHY_NOT_LOADED;
  if (f->counter[THIRL_TUNE_COUNTER_CT_DROP].why == THIRL_TUNE_WHY_NO_SUCH)
    thirl_tune_counter_miss(f, "ct", untracked ? THIRL_TUNE_WHY_NOT_LOADED : THIRL_TUNE_WHY_NOT_IN_KERNEL);
  thirl_tune_counter_settle(f);
}

/* ---- sockets ---- */

static void take_tcp4(void *ctx, thirl_tune_text t) {
  thirl_tune_sockets_tcp(ctx, t, false);
}
static void take_tcp6(void *ctx, thirl_tune_text t) {
  thirl_tune_sockets_tcp(ctx, t, true);
}
static void take_udp(void *ctx, thirl_tune_text t) {
  thirl_tune_sockets_udp(ctx, t);
}

static void read_sockets(look *l) {
  thirl_tune_sockets *s = &l->f->sockets;
  thirl_tune_text text;
  if (l->is_live) {
    thirl_host_dump_clear(&l->dump);
    s->tcp_why = thirl_host_diag_listeners(&l->dump);
    s->udp_why = thirl_host_diag_udp(&l->dump);
    thirl_tune_sockets_diag(l->f, thirl_host_dump_view(&l->dump));
  } else {
    s->tcp_why = s->udp_why = read_file(l, "dump/sockets", &text);
    if (s->tcp_why == THIRL_TUNE_WHY_READ) thirl_tune_sockets_diag(l->f, text);
  }
  s->tcp_listening.why = thirl_host_file_walk(l->root, "proc/net/tcp", SOCKETS_BYTES, take_tcp4, l->f);
  (void)thirl_host_file_walk(l->root, "proc/net/tcp6", SOCKETS_BYTES, take_tcp6, l->f);
  s->udp_used.why = thirl_host_file_walk(l->root, "proc/net/udp", SOCKETS_BYTES, take_udp, l->f);
  (void)thirl_host_file_walk(l->root, "proc/net/udp6", SOCKETS_BYTES, take_udp, l->f);
}

/* ---- interfaces ---- */

static void read_settings_of(look *l, thirl_tune_link *link) {
  const struct {
    const char *family, *name;
    thirl_tune_number *to;
  } settings[] = {{"ipv4", "rp_filter", &link->rp_filter},
                  {"ipv4", "forwarding", &link->forwarding4},
                  {"ipv6", "accept_ra", &link->accept_ra}};
  char path[256];
  thirl_tune_text text, word;
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
    snprintf(path, sizeof path, "proc/sys/net/%s/conf/%s/%s", settings[i].family, link->name, settings[i].name);
    settings[i].to->why = read_file(l, path, &text);
    if (settings[i].to->why != THIRL_TUNE_WHY_READ) continue;
    if (!thirl_tune_text_word(&text, &word) || !thirl_tune_text_decimal(word, &settings[i].to->v))
      settings[i].to->why = THIRL_TUNE_WHY_MALFORMED;
  }
}

static void read_links(look *l) {
  static const struct {
    const char *path;
    void (*parse)(thirl_tune_facts *, thirl_tune_text);
  } files[] = {{"proc/net/route", thirl_tune_links_route4},
               {"proc/net/ipv6_route", thirl_tune_links_route6},
               {"proc/net/if_inet6", thirl_tune_links_address6}};
  thirl_tune_text text;
  thirl_tune_why why = read_file(l, "proc/net/dev", &text);
  l->f->links_why = why;
  if (why != THIRL_TUNE_WHY_READ) return;
  thirl_tune_links_dev(l->f, text);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    if (read_file(l, files[i].path, &text) == THIRL_TUNE_WHY_READ) files[i].parse(l->f, text);
  for (uint32_t i = 0; i < l->f->n_links; i++)
    read_settings_of(l, &l->f->link[i]);
  if (l->is_live) {
    thirl_host_dump_clear(&l->dump);
    if (thirl_host_links_ask(&l->dump) == THIRL_TUNE_WHY_READ)
      thirl_tune_links_dump(l->f, thirl_host_dump_view(&l->dump));
  } else if (read_file(l, "dump/links", &text) == THIRL_TUNE_WHY_READ) {
    thirl_tune_links_dump(l->f, text);
  }
  if (read_file(l, "proc/interrupts", &text) == THIRL_TUNE_WHY_READ) thirl_tune_links_interrupts(l->f, text);
}

/* ---- rules, files, log, clock ---- */

/* The rules of iptables of one kind, in its own words. False: they are there, and we do not know them. */
static bool read_iptables(look *l, bool is_old) {
  thirl_tune_text text;
  bool known = true;
  if (!l->is_live)
    return read_file(l, "dump/iptables", &text) == THIRL_TUNE_WHY_READ && thirl_tune_iptables_parse(l->f, text);
  for (int is_v6 = 0; is_v6 < 2; is_v6++)
    known &= thirl_host_rules_ask_iptables(is_old, is_v6, &l->dump) == THIRL_TUNE_WHY_READ &&
             thirl_tune_iptables_parse(l->f, thirl_host_dump_view(&l->dump));
  return known;
}

static void read_rules(look *l) {
  thirl_tune_ruleset *r = &l->f->ruleset;
  thirl_tune_text text;
  if (l->is_live) {
    r->why = thirl_host_rules_ask(&l->dump);
    text = thirl_host_dump_view(&l->dump);
  } else {
    r->why = read_file(l, "dump/ruleset.json", &text);
    if (r->why == THIRL_TUNE_WHY_NO_SUCH) r->why = THIRL_TUNE_WHY_NO_TOOL;
  }
  if (r->why == THIRL_TUNE_WHY_READ) thirl_tune_ruleset_parse(l->f, text);
  bool known = !r->has_foreign || read_iptables(l, false), has_old = false;
  static const char *const old[] = {"proc/net/ip_tables_names", "proc/net/ip6_tables_names"};
  for (size_t i = 0; i < sizeof old / sizeof *old; i++) {
    if (read_file(l, old[i], &text) != THIRL_TUNE_WHY_READ || !text.n) continue;
    has_old = true;
    thirl_tune_ruleset_legacy(l->f, text);
  }
  if (has_old) known &= read_iptables(l, true);
  r->has_foreign = !known;
}

/* Every file of a directory that ends in .conf, and one beside it. A directory that is not there says nothing against anything. */
static thirl_tune_why read_directory(look *l, const char *dir, const char *beside,
                                     void (*parse)(thirl_tune_facts *, thirl_tune_text)) {
  char whole[THIRL_HOST_FILE_PATH], path[THIRL_HOST_FILE_PATH];
  thirl_tune_text text;
  thirl_tune_why worst = THIRL_TUNE_WHY_READ;
  if (read_file(l, beside, &text) == THIRL_TUNE_WHY_READ) parse(l->f, text);
  DIR *d = thirl_host_file_join(l->root, dir, whole) ? opendir(whole) : NULL;
  if (!d) return errno == ENOENT ? THIRL_TUNE_WHY_READ : thirl_host_file_why(errno);
  struct dirent *e;
  for (int i = 0; i < DIRECTORY_MAX && (e = readdir(d)); i++) {
    size_t n = strlen(e->d_name);
    if (n < 5 || strcmp(e->d_name + n - 5, ".conf") != 0) continue;
    snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
    thirl_tune_why why = read_file(l, path, &text);
    if (why == THIRL_TUNE_WHY_READ) parse(l->f, text);
    if (why == THIRL_TUNE_WHY_NOT_PERMITTED) worst = why;
  }
  closedir(d);
  return worst;
}

typedef struct log_walk {
  thirl_tune_facts *f;
  int64_t now_us;
} log_walk;

static void take_log(void *ctx, thirl_tune_text t) {
  log_walk *w = ctx;
  thirl_tune_files_log(w->f, t, w->now_us);
}

/* The kernel's log ends with EAGAIN, not with an end. */
static void read_log(look *l) {
  log_walk w = {.f = l->f};
  thirl_tune_text text, word, whole;
  if (read_file(l, "proc/uptime", &text) == THIRL_TUNE_WHY_READ && thirl_tune_text_word(&text, &word) &&
      thirl_tune_text_cut(&word, '.', &whole) && thirl_tune_text_decimal(whole, &w.now_us))
    w.now_us = (w.now_us + 1) * 1000000;
  l->f->log_why = thirl_host_file_walk(l->root, l->is_live ? "dev/kmsg" : "dump/kmsg", LOG_BYTES, take_log, &w);
}

static void read_clock(look *l) {
  thirl_tune_number *synced = &l->f->gauge[THIRL_TUNE_GAUGE_CLOCK_SYNCED],
                    *error = &l->f->gauge[THIRL_TUNE_GAUGE_CLOCK_ERROR];
  struct timex t = {0}; /* modes 0: only reading */
  thirl_tune_text text, word;
  if (l->is_live) {
    bool ok = adjtimex(&t) >= 0;
    *synced = (thirl_tune_number){!(t.status & STA_UNSYNC), ok ? THIRL_TUNE_WHY_READ : THIRL_TUNE_WHY_NOT_PERMITTED};
    *error = (thirl_tune_number){t.maxerror, synced->why};
    return;
  }
  synced->why = error->why = read_file(l, "dump/clock", &text);
  if (synced->why != THIRL_TUNE_WHY_READ) return;
  if (!thirl_tune_text_word(&text, &word) || !thirl_tune_text_decimal(word, &synced->v))
    synced->why = THIRL_TUNE_WHY_MALFORMED;
  if (!thirl_tune_text_word(&text, &word) || !thirl_tune_text_decimal(word, &error->v))
    error->why = THIRL_TUNE_WHY_MALFORMED;
}

/* ---- all of it ---- */

/* What changes from one moment to the next. */
static void read_moving(look *l, int64_t pid) {
  memset(l->f, 0, sizeof *l->f);
  thirl_host_dump_init(&l->dump);
  read_counters(l); /* first: what follows takes time, and sends messages itself */
  read_words(l);
  read_sysctls(l);
  thirl_tune_sysctl_settle(l->f);
  settle_counters(l->f);
  thirl_host_subject_read(l->root, pid, &l->dump, l->f);
  thirl_host_limit_read(l->root, pid, l->f);
  read_sockets(l);
}

void thirl_host_glance(const char *root, int64_t pid, thirl_tune_facts *f) {
  look l = {.root = root, .is_live = strcmp(root, "/") == 0, .f = f};
  read_moving(&l, pid);
  thirl_host_dump_fini(&l.dump);
}

void thirl_host_read(const char *root, int64_t pid, thirl_tune_facts *f) {
  look l = {.root = root, .is_live = strcmp(root, "/") == 0, .f = f};
  read_moving(&l, pid);
  read_links(&l);
  read_rules(&l);
  f->limits_d_why = read_directory(&l, "etc/security/limits.d", "etc/security/limits.conf", thirl_tune_files_limits);
  f->sysctl_d_why = read_directory(&l, "etc/sysctl.d", "etc/sysctl.conf", thirl_tune_files_sysctl);
  read_log(&l);
  read_clock(&l);
  thirl_host_dump_fini(&l.dump);
}
