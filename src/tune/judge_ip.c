/* SPDX-License-Identifier: MIT */
/* IP and its neighbours. */
#include <stdio.h>

#include "tune/judges.h"
#include "tune/short.h"

static bool leads_out(const thirl_tune_link *l) {
  return l->has_default4 || l->has_default6;
}

static bool is_public(uint32_t a) {
  return a >> 24 != 10 && a >> 24 != 127 && a >> 20 != (0xac100000U >> 20) && a >> 16 != (0xc0a80000U >> 16) &&
         a >> 22 != (0x64400000U >> 22);
}

/* ---- the way back ---- */

/* The larger of the two settings counts. Returns an interface with the strict check, or NULL. */
static const thirl_tune_link *strict_link(const thirl_tune_facts *f) {
  thirl_tune_number all = f->sysctl[THIRL_TUNE_SYSCTL_RP_FILTER_ALL];
  for (uint32_t i = 0; i < f->n_links; i++) {
    const thirl_tune_link *l = &f->link[i];
    int64_t own = l->rp_filter.why == THIRL_TUNE_WHY_READ ? l->rp_filter.v : 0;
    if (!l->is_loopback && (all.v > own ? all.v : own) == 1) return l;
  }
  return NULL;
}

void thirl_tune_judge_ip_reverse_path(const thirl_tune_case *c, thirl_tune_finding *f) {
  unsigned uplinks = 0, public_addresses = 0;
  int64_t dropped, all;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_RP_FILTER_ALL, &all)) return;
  if (!rise(c, f, THIRL_TUNE_COUNTER_RP_FILTERED, &dropped)) return;
  for (uint32_t i = 0; i < c->after->n_links; i++) {
    const thirl_tune_link *l = &c->after->link[i];
    uplinks += l->has_default4;
    for (uint32_t k = 0; k < l->n_address4; k++)
      public_addresses += is_public(l->address4[k]);
  }
  const thirl_tune_link *strict = strict_link(c->after);
  bool risky = strict && (uplinks > 1 || public_addresses > 1);
  say(f,
      dropped > 0 ? CRIT
      : risky     ? WARN
                  : OK,
      dropped > 0 ? NOW : SETTING, "%s%s", strict ? "strict on " : "not strict", strict ? strict->name : "");
  if (dropped > 0) add(f, "; %" PRId64 " packets dropped by it", dropped);
  if (risky) add(f, "; %u ways out, %u public addresses", uplinks, public_addresses);
  if (f->level != OK) expect(f, "loose (2)");
}

/* ---- settings ---- */

void thirl_tune_judge_ip_nonlocal_bind(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t v;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_IP_NONLOCAL_BIND, &v)) return;
  say(f, v ? INFO : OK, SETTING, "net.ipv4.ip_nonlocal_bind is %" PRId64, v);
  if (v) expect(f, "0");
}

void thirl_tune_judge_ip_icmp(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t each, all;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_ICMP_RATELIMIT, &each)) return;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_ICMP_MSGS_PER_SEC, &all)) return;
  int64_t held = risen(c, THIRL_TUNE_COUNTER_ICMP_LIMIT_HOST) + risen(c, THIRL_TUNE_COUNTER_ICMP_LIMIT_GLOBAL);
  say(f,
      !each || !all ? WARN
      : held > 0    ? INFO
                    : OK,
      held > 0 ? NOW : SETTING,
      "icmp_ratelimit is %" PRId64 " ms for each host, icmp_msgs_per_sec %" PRId64 "; %" PRId64
      " answers were held back",
      each, all, held);
  if (f->level == WARN) expect(f, "the defaults, 1000 and 1000");
  if (f->level != WARN) f->n_set = 0;
}

void thirl_tune_judge_ip_v6(const thirl_tune_case *c, thirl_tune_finding *f) {
  thirl_tune_number off = c->after->sysctl[THIRL_TUNE_SYSCTL_IPV6_DISABLED];
  thirl_tune_number forwards = c->after->sysctl[THIRL_TUNE_SYSCTL_IPV6_FORWARDING];
  thirl_tune_number temporary = c->after->sysctl[THIRL_TUNE_SYSCTL_IPV6_TEMPADDR];
  if (off.why == THIRL_TUNE_WHY_NOT_IN_KERNEL) {
    say(f, c->profile == THIRL_TUNE_CLIENT ? INFO : OK, SETTING, "this kernel has no IPv6");
    f->n_set = 0;
    return;
  }
  if (off.why != THIRL_TUNE_WHY_READ) {
    unknown(f, off.why);
    return;
  }
  say(f, off.v && c->profile == THIRL_TUNE_CLIENT ? INFO : OK, SETTING, "IPv6 is %s", off.v ? "disabled" : "on");
  if (off.v) expect(f, "on");
  if (!off.v) f->n_set = 0;
  if (c->profile == THIRL_TUNE_CLIENT && temporary.why == THIRL_TUNE_WHY_READ)
    add(f, "; use_tempaddr is %" PRId64, temporary.v);
  bool is_router = c->profile == THIRL_TUNE_ROUTER && forwards.why == THIRL_TUNE_WHY_READ && forwards.v;
  for (uint32_t i = 0; is_router && !off.v && i < c->after->n_links; i++) {
    const thirl_tune_link *l = &c->after->link[i];
    if (!leads_out(l) || l->accept_ra.why != THIRL_TUNE_WHY_READ || l->accept_ra.v == 2) continue;
    say(f, WARN, SETTING, "accept_ra of %s is %" PRId64 " and IPv6 is forwarded", l->name, l->accept_ra.v);
    expect(f, "2, unless its route is set by hand");
    char key[THIRL_TUNE_KEY];
    snprintf(key, sizeof key, "net.ipv6.conf.%s.accept_ra", l->name);
    set_to(f, key, "2");
  }
}

void thirl_tune_judge_ip_mtu(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_link *tunnel = NULL;
  int64_t never, probing;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_IP_NO_PMTU_DISC, &never)) return;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_MTU_PROBING, &probing)) return;
  for (uint32_t i = 0; i < c->after->n_links; i++)
    if (c->after->link[i].is_up && !c->after->link[i].is_loopback && !c->after->link[i].is_ethernet)
      tunnel = &c->after->link[i];
  bool off = never == 1 || never == 2;
  say(f,
      off                  ? WARN
      : !probing && tunnel ? INFO
                           : OK,
      SETTING, "net.ipv4.ip_no_pmtu_disc is %" PRId64 ", tcp_mtu_probing %" PRId64, never, probing);
  if (!probing && tunnel) add(f, ", and %s is a tunnel", tunnel->name);
  if (f->level != OK) expect(f, off ? "0" : "tcp_mtu_probing 1");
}

/* ---- neighbours ---- */

void thirl_tune_judge_ip_neighbours(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t full, n, most;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_NEIGH_THRESH3, &most)) return;
  if (!know(f, c->after->gauge[THIRL_TUNE_GAUGE_NEIGHBOURS], &n)) return;
  if (!rise(c, f, THIRL_TUNE_COUNTER_ARP_TABLE_FULLS, &full)) return;
  bool bad = full > 0 || above(n, most, 75);
  say(f,
      full > 0 ? CRIT
      : bad    ? WARN
               : OK,
      full > 0 ? NOW : LATER, "%" PRId64 " of %" PRId64 " neighbours; %" PRId64 " found no place", n, most, full);
  if (!bad) return;
  expect(f, "at most 75 %%");
  if (most >= 16384) {
    set_to(f, "net.ipv4.neigh.default.gc_thresh1", "%" PRId64, most / 2);
    set_to(f, "net.ipv4.neigh.default.gc_thresh2", "%" PRId64, most);
    set_to(f, "net.ipv4.neigh.default.gc_thresh3", "%" PRId64, most > INT32_MAX / 2 ? INT32_MAX : 2 * most);
  }
}

void thirl_tune_judge_ip_unresolved(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t discarded, failed;
  if (!rise(c, f, THIRL_TUNE_COUNTER_ARP_UNRESOLVED, &discarded)) return;
  if (!rise(c, f, THIRL_TUNE_COUNTER_ARP_RES_FAILED, &failed)) return;
  int64_t rate = thirl_tune_verdict_rate(c, discarded + failed);
  say(f, rate > 50 ? INFO : OK, NOW, "%" PRId64 " packets a second for neighbours that do not answer", rate);
  if (rate > 50) expect(f, "at most 50");
}
