/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <stdio.h>

#include "tune/sysctl.h"

static rig the_rig;

/* As kernel 6.18 has them without anybody's help, on a machine with 16 GiB; what a server wants raised is raised. */
static const struct {
  thirl_tune_sysctl which;
  int64_t v;
} healthy[] = {
    {SYSCTL(NR_OPEN), 1048576},
    {SYSCTL(FILES_USED), 1200},
    {SYSCTL(FILES_MAX), 1600000},
    {SYSCTL(TCP_MEM_PRESSURE), 250000},
    {SYSCTL(TCP_MEM_MAX), 380000},
    {SYSCTL(UDP_MEM_MAX), 760000},
    {SYSCTL(TCP_MAX_ORPHANS), 65536},
    {SYSCTL(RMEM_MAX), 16777216},
    {SYSCTL(RMEM_DEFAULT), 212992},
    {SYSCTL(WMEM_MAX), 4194304},
    {SYSCTL(WMEM_DEFAULT), 212992},
    {SYSCTL(SOMAXCONN), 4096},
    {SYSCTL(NETDEV_MAX_BACKLOG), 1000},
    {SYSCTL(NETDEV_BUDGET), 300},
    {SYSCTL(UDP_HASH_ENTRIES), 8192},
    {SYSCTL(PORT_FIRST), 32768},
    {SYSCTL(PORT_LAST), 60999},
    {SYSCTL(TCP_SYNCOOKIES), 1},
    {SYSCTL(TCP_MAX_SYN_BACKLOG), 1024},
    {SYSCTL(TCP_MAX_TW_BUCKETS), 65536},
    {SYSCTL(TCP_TW_REUSE), 2},
    {SYSCTL(TCP_TW_REUSE_DELAY), 1000},
    {SYSCTL(TCP_FIN_TIMEOUT), 60},
    {SYSCTL(TCP_KEEPALIVE_TIME), 7200},
    {SYSCTL(TCP_RETRIES2), 15},
    {SYSCTL(TCP_MIGRATE_REQ), 1},
    {SYSCTL(TCP_SYN_LINEAR_TIMEOUTS), 4},
    {SYSCTL(TCP_RTO_MAX_MS), 120000},
    {SYSCTL(TCP_NOTSENT_LOWAT), 131072},
    {SYSCTL(TCP_TIMESTAMPS), 1},
    {SYSCTL(ICMP_RATELIMIT), 1000},
    {SYSCTL(ICMP_MSGS_PER_SEC), 1000},
    {SYSCTL(IP_FORWARD), 1},
    {SYSCTL(NEIGH_THRESH1), 128},
    {SYSCTL(NEIGH_THRESH2), 512},
    {SYSCTL(NEIGH_THRESH3), 1024},
    {SYSCTL(CT_MAX), 262144},
    {SYSCTL(CT_BUCKETS), 65536},
    {SYSCTL(CT_TCP_ESTABLISHED), 432000},
    {SYSCTL(CT_TCP_TIME_WAIT), 120},
    {SYSCTL(CT_UDP_TIMEOUT), 120},
    {SYSCTL(CT_UDP_STREAM), 300},
    {SYSCTL(CT_TCP_LOOSE), 1},
};

static thirl_tune_number known(int64_t v) {
  return (thirl_tune_number){v, THIRL_TUNE_WHY_READ};
}

static void add_card(thirl_tune_facts *f) {
  f->link[0] = (thirl_tune_link){.name = "lo", .is_loopback = true, .is_up = true};
  f->link[1] = (thirl_tune_link){.name = "eth0",
                                 .is_up = true,
                                 .is_ethernet = true,
                                 .has_default4 = true,
                                 .has_default6 = true,
                                 .has_global6 = true,
                                 .address4 = {0x05010101},
                                 .n_address4 = 1,
                                 .rp_filter = known(2),
                                 .forwarding4 = known(1),
                                 .accept_ra = known(2),
                                 .qdisc = {"fq_codel", THIRL_TUNE_WHY_READ},
                                 .qdisc_packets = known(0),
                                 .qdisc_drops = known(0),
                                 .rx_packets = known(0),
                                 .rx_dropped = known(0),
                                 .rx_missed = known(0),
                                 .rx_queues = known(2),
                                 .rps_cpus = known(0),
                                 .ring_rx = known(256),
                                 .ring_rx_max = known(4096),
                                 .gro = known(1),
                                 .gso = known(1),
                                 .udp_gro_forwarding = known(1),
                                 .gro_list = known(0),
                                 .irqs = known(2),
                                 .irq_cpus = known(3)};
  f->n_links = f->n_links_all = 2;
  f->links_why = THIRL_TUNE_WHY_READ;
}

static void add_process(thirl_tune_facts *f) {
  f->process = (thirl_tune_process){.why = THIRL_TUNE_WHY_READ,
                                    .pid = 100,
                                    .name = "thirld",
                                    .unit = "thirld.service",
                                    .nofile_soft = known(1048576),
                                    .nofile_hard = known(1048576),
                                    .files_open = known(20),
                                    .cap_effective = known(0),
                                    .inodes_why = THIRL_TUNE_WHY_READ,
                                    .n_inodes = 2,
                                    .inodes = {71, 72}};
  f->sockets.udp[0] =
      (thirl_tune_udp){.port = 3478, .is_ours = true, .rcvbuf = known(33554432), .sndbuf = known(2097152)};
  f->sockets.n_udp = f->sockets.n_udp_all = 1;
  f->sockets.listener[0] =
      (thirl_tune_listener){.port = 3478, .is_ours = true, .address = "0.0.0.0", .backlog = known(4096)};
  f->sockets.n_listeners = f->sockets.n_listeners_all = 1;
  f->sockets.udp_why = f->sockets.tcp_why = THIRL_TUNE_WHY_READ;
  f->sockets.udp_used.why = f->sockets.tcp_listening.why = THIRL_TUNE_WHY_READ;
}

static void fill(thirl_tune_facts *f) {
  memset(f, 0, sizeof *f);
  f->kernel = 618;
  f->home = THIRL_TUNE_HOME_FIRST;
  for (unsigned i = 0; i < THIRL_TUNE_SYSCTL_COUNT; i++)
    f->sysctl[i] = known(0);
  f->sysctl[SYSCTL(CT_HELPER)].why = THIRL_TUNE_WHY_NOT_IN_KERNEL;
  for (unsigned i = 0; i < THIRL_TUNE_COUNTER_COUNT; i++)
    f->counter[i] = known(1000);
  for (unsigned i = 0; i < THIRL_TUNE_GAUGE_COUNT; i++)
    f->gauge[i] = known(0);
  f->gauge[GAUGE(CPUS)] = known(2);
  f->gauge[GAUGE(MEMORY_TOTAL)] = known((int64_t)16 << 30);
  f->gauge[GAUGE(CGROUP_MAX)] = known(THIRL_TUNE_UNLIMITED);
  f->gauge[GAUGE(CLOCK_SYNCED)] = known(1);
  f->congestion = (thirl_tune_word){"bbr", THIRL_TUNE_WHY_READ};
  f->default_qdisc = (thirl_tune_word){"fq", THIRL_TUNE_WHY_READ};
  f->reserved.why = f->ruleset.why = f->limits_d_why = f->sysctl_d_why = f->log_why = THIRL_TUNE_WHY_READ;
  f->ruleset.notrack_in.why = f->ruleset.notrack_out.why = f->ruleset.accepted.why = THIRL_TUNE_WHY_READ;
  add_process(f);
  add_card(f);
  snprintf(f->link[1].qdisc.text, sizeof f->link[1].qdisc.text, "fq");
}

void rig_sysctl(rig *g, thirl_tune_sysctl s, int64_t v) {
  char text[64];
  thirl_tune_facts *both[] = {&g->before, &g->after};
  snprintf(text, sizeof text, "%lld", (long long)v);
  for (size_t i = 0; i < 2; i++) {
    both[i]->sysctl[s] = known(v);
    snprintf(both[i]->sysctl_text[s], sizeof both[i]->sysctl_text[s], "%s", text);
  }
}

void rig_gauge(rig *g, thirl_tune_gauge k, int64_t v) {
  g->before.gauge[k] = g->after.gauge[k] = known(v);
}

void rig_rise(rig *g, thirl_tune_counter k, int64_t by) {
  g->after.counter[k] = known(g->before.counter[k].v + by);
}

rig *rig_blank(thirl_tune_profile p) {
  rig *g = &the_rig;
  memset(g, 0, sizeof *g);
  g->c = (thirl_tune_case){
      .profile = p, .demand = thirl_tune_demand_of(p), .before = &g->before, .after = &g->after, .window_us = 5000000};
  return g;
}

rig *rig_new(thirl_tune_profile p) {
  rig *g = rig_blank(p);
  fill(&g->before);
  fill(&g->after);
  for (size_t i = 0; i < sizeof healthy / sizeof *healthy; i++)
    rig_sysctl(g, healthy[i].which, healthy[i].v);
  return g;
}

const thirl_tune_finding *rig_judge(rig *g, thirl_tune_id id) {
  thirl_tune_evaluate(&g->c, &g->report);
  return &g->report.finding[id];
}

const char *rig_list(rig *g, thirl_tune_level level) {
  static char list[1024];
  size_t n = 0;
  list[0] = '\0';
  thirl_tune_evaluate(&g->c, &g->report);
  for (unsigned id = 1; id < THIRL_TUNE_ID_COUNT; id++)
    if (g->report.asked[id] && g->report.finding[id].level == level && n < sizeof list - 16)
      n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? " " : "",
                            thirl_tune_catalogue_row((thirl_tune_id)id)->word);
  return list;
}

void rig_expect_at(rig *g, thirl_tune_id id, thirl_tune_level wanted, const char *file, int line) {
  const thirl_tune_finding *f = rig_judge(g, id);
  if (!g->report.asked[id] || f->level != wanted)
    print_error("%s is level %d (%s), not %d\n", thirl_tune_catalogue_row(id)->word, f->level, f->observed, wanted);
  _assert_true(g->report.asked[id] && f->level == wanted, "level", file, line);
}

void rig_settings(const rig_setting *rows, size_t n) {
  for (size_t i = 0; i < n; i++) {
    rig *g = rig_new(rows[i].profile);
    rig_sysctl(g, rows[i].sysctl, rows[i].value);
    rig_expect(g, rows[i].id, rows[i].level);
    g->after.sysctl[rows[i].sysctl].why = THIRL_TUNE_WHY_NOT_PERMITTED;
    rig_expect(g, rows[i].id, UNKNOWN);
    assert_int_equal(g->report.finding[rows[i].id].why, THIRL_TUNE_WHY_NOT_PERMITTED);
  }
}

void rig_counters(const rig_counter *rows, size_t n) {
  for (size_t i = 0; i < n; i++) {
    rig *g = rig_new(rows[i].profile);
    rig_rise(g, rows[i].counter, rows[i].by);
    rig_expect(g, rows[i].id, rows[i].level);
    g->c.before = NULL;
    rig_expect(g, rows[i].id, UNKNOWN);
    assert_int_equal(g->report.finding[rows[i].id].why, THIRL_TUNE_WHY_ONE_SAMPLE);
    g->c.before = &g->before;
    g->after.counter[rows[i].counter].why = THIRL_TUNE_WHY_NOT_IN_NAMESPACE;
    rig_expect(g, rows[i].id, UNKNOWN);
    assert_int_equal(g->report.finding[rows[i].id].why, THIRL_TUNE_WHY_NOT_IN_NAMESPACE);
  }
}
