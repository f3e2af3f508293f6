/* SPDX-License-Identifier: MIT */
/* Network interfaces and processors. What concerns IP and neighbours is in judge_ip.c. */
#include <string.h>

#include "tune/judges.h"
#include "tune/short.h"

/* A card, not something made of software: veth, bridges and tunnels have queues and offloads of another kind. */
static bool is_card(const thirl_tune_link *l) {
  return l->is_up && !l->is_loopback && !l->is_virtual;
}

static bool leads_out(const thirl_tune_link *l) {
  return l->has_default4 || l->has_default6;
}

static bool has_links(const thirl_tune_case *c, thirl_tune_finding *f) {
  if (c->after->links_why == THIRL_TUNE_WHY_READ) return true;
  unknown(f, c->after->links_why);
  return false;
}

static const thirl_tune_link *before_of(const thirl_tune_case *c, const thirl_tune_link *l) {
  for (uint32_t i = 0; c->before && i < c->before->n_links; i++)
    if (strcmp(c->before->link[i].name, l->name) == 0) return &c->before->link[i];
  return NULL;
}

/* ---- drops ---- */

static void dv1(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t all, dropped, squeezed;
  if (!rise(c, f, THIRL_TUNE_COUNTER_SOFTNET_PROCESSED, &all)) return;
  if (!rise(c, f, THIRL_TUNE_COUNTER_SOFTNET_DROPPED, &dropped)) return;
  if (!rise(c, f, THIRL_TUNE_COUNTER_SOFTNET_SQUEEZED, &squeezed)) return;
  int64_t rate = thirl_tune_verdict_rate(c, squeezed);
  bool many = (double)dropped * 1000 > (double)all;
  say(f,
      dropped > 0 ? many ? CRIT : WARN
      : rate > 10 ? INFO
                  : OK,
      NOW, "%" PRId64 " of %" PRId64 " packets dropped; the time for them was too short %" PRId64 " times a second",
      dropped, all, rate);
  if (f->level != OK) expect(f, "none");
}

/* Frames of protocols that nobody here speaks are counted as dropped too: a few of them are no loss. */
static void dv2(const thirl_tune_case *c, thirl_tune_finding *f) {
  if (!has_links(c, f)) return;
  if (!c->before) {
    unknown(f, THIRL_TUNE_WHY_ONE_SAMPLE);
    return;
  }
  say(f, OK, NOW, "no card dropped anything");
  for (uint32_t i = 0; i < c->after->n_links; i++) {
    const thirl_tune_link *l = &c->after->link[i], *old = before_of(c, l);
    if (!old || l->is_loopback) continue;
    int64_t packets = thirl_tune_verdict_between(old->rx_packets, l->rx_packets);
    int64_t dropped = thirl_tune_verdict_between(old->rx_dropped, l->rx_dropped);
    int64_t missed = thirl_tune_verdict_between(old->rx_missed, l->rx_missed);
    if (dropped <= 0 && missed <= 0) continue;
    thirl_tune_level level = missed > 0 || (double)dropped * 10000 > (double)packets ? WARN : INFO;
    if (level <= f->level) continue;
    say(f, level, NOW, "%s dropped %" PRId64 " packets and missed %" PRId64 ", of %" PRId64, l->name, dropped, missed,
        packets);
    bool small = l->ring_rx.why == THIRL_TUNE_WHY_READ && l->ring_rx_max.why == THIRL_TUNE_WHY_READ &&
                 l->ring_rx.v < l->ring_rx_max.v;
    if (small) thirl_tune_verdict_line(f, "ethtool -G %s rx %" PRId64, l->name, l->ring_rx_max.v);
    if (small) thirl_tune_verdict_back(f, "ethtool -G %s rx %" PRId64, l->name, l->ring_rx.v);
    if (small) add(f, "; its ring has %" PRId64 " of %" PRId64 " places", l->ring_rx.v, l->ring_rx_max.v);
    expect(f, "none");
  }
}

/* ---- processors ---- */

static int bits(int64_t mask) {
  int n = 0;
  for (uint64_t m = (uint64_t)mask; m; m &= m - 1)
    n++;
  return n;
}

static void dv3(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t cpus;
  if (!has_links(c, f) || !know(f, c->after->gauge[THIRL_TUNE_GAUGE_CPUS], &cpus)) return;
  if (cpus == 1) {
    say(f, OK, SETTING, "there is one processor");
    return;
  }
  unknown(f, THIRL_TUNE_WHY_NO_SUCH);
  for (uint32_t i = 0; i < c->after->n_links; i++) {
    const thirl_tune_link *l = &c->after->link[i];
    if (!is_card(l) || l->irqs.why != THIRL_TUNE_WHY_READ) continue;
    bool alone = bits(l->irq_cpus.v) == 1;
    if (f->level == INFO) continue;
    say(f, alone ? INFO : OK, SETTING, "%s has %" PRId64 " interrupts, served by %d of %" PRId64 " processors", l->name,
        l->irqs.v, bits(l->irq_cpus.v), cpus);
  }
}

static void dv4(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t cpus;
  bool is_router = c->profile == THIRL_TUNE_ROUTER;
  if (!has_links(c, f) || !know(f, c->after->gauge[THIRL_TUNE_GAUGE_CPUS], &cpus)) return;
  unknown(f, THIRL_TUNE_WHY_NO_SUCH);
  for (uint32_t i = 0; i < c->after->n_links; i++) {
    const thirl_tune_link *l = &c->after->link[i];
    if (!is_card(l)) continue;
    if (l->rx_queues.why != THIRL_TUNE_WHY_READ || l->rps_cpus.why != THIRL_TUNE_WHY_READ) {
      if (f->level == THIRL_TUNE_LEVEL_UNKNOWN)
        unknown(f, l->rx_queues.why != THIRL_TUNE_WHY_READ ? l->rx_queues.why : l->rps_cpus.why);
      continue;
    }
    bool lonely = is_router && l->rx_queues.v == 1 && cpus > 1 && l->rps_cpus.v == 0;
    bool useless = !is_router && cpus == 1 && l->rps_cpus.v > 0;
    thirl_tune_level level = lonely ? WARN : useless ? INFO : OK;
    if (f->level != THIRL_TUNE_LEVEL_UNKNOWN && level <= f->level) continue;
    say(f, level, SETTING, "%s has %" PRId64 " receive queues, %" PRId64 " of them spread; %" PRId64 " processors",
        l->name, l->rx_queues.v, l->rps_cpus.v, cpus);
    if (lonely) {
      thirl_tune_verdict_back(f, "echo 0 > /sys/class/net/%s/queues/rx-0/rps_cpus", l->name);
      thirl_tune_verdict_line(f, "echo %" PRIx64 " > /sys/class/net/%s/queues/rx-0/rps_cpus",
                              cpus < 32 ? ((uint64_t)1 << cpus) - 1 : UINT32_MAX, l->name);
    }
    if (useless) thirl_tune_verdict_line(f, "echo 0 > /sys/class/net/%s/queues/rx-0/rps_cpus", l->name);
  }
}

static void dv7(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t cpus, poll, read;
  if (!know(f, c->after->gauge[THIRL_TUNE_GAUGE_CPUS], &cpus)) return;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_BUSY_POLL, &poll) || !sysctl(c, f, THIRL_TUNE_SYSCTL_BUSY_READ, &read)) return;
  bool bad = (poll || read) && cpus == 1;
  say(f, bad ? WARN : OK, SETTING,
      "net.core.busy_poll is %" PRId64 ", busy_read %" PRId64 ", with %" PRId64 " processors", poll, read, cpus);
  if (bad) expect(f, "0");
}

static void dv8(const thirl_tune_case *c, thirl_tune_finding *f) {
  thirl_tune_number cpu = c->after->gauge[THIRL_TUNE_GAUGE_PRESSURE_CPU];
  int64_t all, stolen;
  if (!rise(c, f, THIRL_TUNE_COUNTER_CPU_TOTAL, &all) || !rise(c, f, THIRL_TUNE_COUNTER_CPU_STEAL, &stolen)) return;
  bool bad = above(stolen, all, 5), busy = cpu.why == THIRL_TUNE_WHY_READ && cpu.v > 5000;
  say(f,
      bad    ? WARN
      : busy ? INFO
             : OK,
      NOW, "%.1f %% of the time was taken by the host", all > 0 ? (double)stolen * 100 / (double)all : 0);
  if (cpu.why == THIRL_TUNE_WHY_READ)
    add(f, "; somebody waited for a processor %" PRId64 " %% of the last ten seconds", cpu.v / 100);
  if (bad) expect(f, "at most 5 %%");
}

/* ---- queues and offloads ---- */

static void dv5(const thirl_tune_case *c, thirl_tune_finding *f) {
  if (!has_links(c, f)) return;
  unknown(f, THIRL_TUNE_WHY_NO_SUCH);
  for (uint32_t i = 0; i < c->after->n_links; i++) {
    const thirl_tune_link *l = &c->after->link[i];
    if (!is_card(l)) continue;
    if (l->gro.why != THIRL_TUNE_WHY_READ) {
      if (f->level == THIRL_TUNE_LEVEL_UNKNOWN) unknown(f, l->gro.why);
      continue;
    }
    bool no_udp =
        c->profile == THIRL_TUNE_ROUTER && l->udp_gro_forwarding.why == THIRL_TUNE_WHY_READ && !l->udp_gro_forwarding.v;
    thirl_tune_level level = !l->gro.v ? WARN : no_udp ? INFO : OK;
    if (f->level != THIRL_TUNE_LEVEL_UNKNOWN && level <= f->level) continue;
    say(f, level, SETTING, "%s: gro %s%s", l->name, l->gro.v ? "on" : "off",
        no_udp ? ", rx-udp-gro-forwarding off" : "");
    if (level == INFO) thirl_tune_verdict_line(f, "ethtool -K %s rx-udp-gro-forwarding on", l->name);
    if (level == INFO) thirl_tune_verdict_back(f, "ethtool -K %s rx-udp-gro-forwarding off", l->name);
    if (level == WARN) thirl_tune_verdict_line(f, "ethtool -K %s gro on", l->name);
    if (level == WARN) thirl_tune_verdict_back(f, "ethtool -K %s gro off", l->name);
  }
}

static void dv6(const thirl_tune_case *c, thirl_tune_finding *f) {
  if (!has_links(c, f)) return;
  unknown(f, THIRL_TUNE_WHY_NO_SUCH);
  for (uint32_t i = 0; i < c->after->n_links; i++) {
    const thirl_tune_link *l = &c->after->link[i], *old = before_of(c, l);
    if (!leads_out(l)) continue;
    if (l->qdisc.why != THIRL_TUNE_WHY_READ) {
      if (f->level == THIRL_TUNE_LEVEL_UNKNOWN) unknown(f, l->qdisc.why);
      continue;
    }
    int64_t sent = old ? thirl_tune_verdict_between(old->qdisc_packets, l->qdisc_packets) : 0;
    int64_t dropped = old ? thirl_tune_verdict_between(old->qdisc_drops, l->qdisc_drops) : 0;
    bool plain = c->profile == THIRL_TUNE_ROUTER && strcmp(l->qdisc.text, "pfifo_fast") == 0;
    thirl_tune_level level = above(dropped, sent + dropped, 1) ? WARN : plain ? INFO : OK;
    if (f->level != THIRL_TUNE_LEVEL_UNKNOWN && level <= f->level) continue;
    say(f, level, level == WARN ? NOW : SETTING, "%s has %s; it dropped %" PRId64 " of %" PRId64 " packets", l->name,
        l->qdisc.text, dropped, sent + dropped);
    if (level != OK) expect(f, "fq_codel, cake or fq, and at most 1 %% dropped");
    if (level != OK) thirl_tune_verdict_line(f, "tc qdisc replace dev %s root fq_codel", l->name);
    if (level != OK) thirl_tune_verdict_back(f, "tc qdisc del dev %s root", l->name);
  }
}

thirl_tune_judge *const thirl_tune_judge_device[] = {thirl_tune_judge_ip_reverse_path,
                                                     thirl_tune_judge_ip_nonlocal_bind,
                                                     thirl_tune_judge_ip_icmp,
                                                     thirl_tune_judge_ip_v6,
                                                     thirl_tune_judge_ip_mtu,
                                                     thirl_tune_judge_ip_neighbours,
                                                     thirl_tune_judge_ip_unresolved,
                                                     dv1,
                                                     dv2,
                                                     dv3,
                                                     dv4,
                                                     dv5,
                                                     dv6,
                                                     dv7,
                                                     dv8};
