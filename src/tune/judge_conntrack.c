/* SPDX-License-Identifier: MIT */
/* Connection tracking and NAT. */
#include <string.h>

#include "tune/judges.h"
#include "tune/ports.h"
#include "tune/short.h"

enum { USUAL_PORT = 3478, MANY_CLIENTS = 100000, TCP_IDLE_S = 7440, UDP_S = 120, UDP_STREAM_S = 300 };

#define untracked(c, f) thirl_tune_verdict_untracked(c, f)

/* ---- is it on, and for our port? ---- */

/* 1 yes, 0 no, -1 unknown: hooks are there only when a rule needs them, and entries only when hooks are. */
static int is_tracking(const thirl_tune_facts *f) {
  thirl_tune_number count = f->sysctl[THIRL_TUNE_SYSCTL_CT_COUNT];
  if (f->ruleset.uses_conntrack) return 1;
  if (count.why == THIRL_TUNE_WHY_READ && count.v > 0) return 1;
  return f->ruleset.why == THIRL_TUNE_WHY_READ && !f->ruleset.has_foreign ? 0 : -1;
}

/* A UDP port of ours that is tracked; 0: all are exempt. Without a process, the usual port. */
static uint16_t tracked_port(const thirl_tune_case *c) {
  const thirl_tune_sockets *s = &c->after->sockets;
  const thirl_tune_ruleset *r = &c->after->ruleset;
  bool any = false;
  for (uint32_t i = 0; i < s->n_udp; i++) {
    uint16_t port = s->udp[i].port;
    if (!s->udp[i].is_ours || s->udp[i].is_connected) continue;
    any = true;
    if (!thirl_tune_ports_has(&r->notrack_in, port) || !thirl_tune_ports_has(&r->notrack_out, port)) return port;
  }
  bool exempt = thirl_tune_ports_has(&r->notrack_in, USUAL_PORT) && thirl_tune_ports_has(&r->notrack_out, USUAL_PORT);
  return any || exempt ? 0 : USUAL_PORT;
}

static void ct1(const thirl_tune_case *c, thirl_tune_finding *f) {
  thirl_tune_number most = c->after->sysctl[THIRL_TUNE_SYSCTL_CT_MAX];
  if (untracked(c, f)) return;
  int tracking = is_tracking(c->after);
  if (tracking < 0) {
    unknown(f, c->after->ruleset.why);
    return;
  }
  if (!tracking) {
    say(f, OK, SETTING, "no rule uses connection tracking");
    return;
  }
  uint16_t port = tracked_port(c);
  if (!port) {
    say(f, OK, SETTING, "the server's UDP ports are exempt in both directions");
    return;
  }
  say(f, c->demand.clients >= MANY_CLIENTS ? CRIT : WARN, LATER, "UDP port %u is tracked", port);
  if (most.why == THIRL_TUNE_WHY_READ) {
    add(f, ", and there is room for %" PRId64 " entries", most.v);
    f->breaks_at = most.v + 1;
  }
  expect(f, "notrack in both directions");
  if (port == USUAL_PORT) return;
  thirl_tune_verdict_line(
      f,
      "nft 'table inet thirl_notrack { chain pre { type filter hook prerouting priority raw; udp dport %u notrack; }; "
      "chain out { type filter hook output priority raw; udp sport %u notrack; }; }'",
      port, port);
}

/* ---- the table ---- */

static void bigger_table(const thirl_tune_case *c, thirl_tune_finding *f) {
  thirl_tune_number most = c->after->sysctl[THIRL_TUNE_SYSCTL_CT_MAX];
  if (most.why != THIRL_TUNE_WHY_READ || most.v < 1048576 || most.v > INT32_MAX / 2) return;
  set_to(f, "net.netfilter.nf_conntrack_max", "%" PRId64, 2 * most.v);
  set_to(f, "net.netfilter.nf_conntrack_buckets", "%" PRId64, most.v / 2);
}

static void ct2(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t n, most;
  if (untracked(c, f)) return;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_CT_COUNT, &n) || !sysctl(c, f, THIRL_TUNE_SYSCTL_CT_MAX, &most)) return;
  bool bad = above(n, most, 75);
  say(f,
      above(n, most, 90) ? CRIT
      : bad              ? WARN
                         : OK,
      n >= most && most > 0 ? NOW : LATER, "%" PRId64 " of %" PRId64 " entries", n, most);
  if (!bad) return;
  expect(f, "at most 75 %%");
  f->breaks_at = most + 1;
  bigger_table(c, f);
}

static void ct3(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t drops, failed;
  if (untracked(c, f)) return;
  if (!rise(c, f, THIRL_TUNE_COUNTER_CT_DROP, &drops) || !rise(c, f, THIRL_TUNE_COUNTER_CT_INSERT_FAILED, &failed))
    return;
  bool full = drops > 0 && failed == 0;
  say(f, full ? CRIT : OK, NOW, "%" PRId64 " packets dropped, %" PRId64 " entries refused%s", drops, failed,
      full ? ": the table is full" : "");
  if (full) bigger_table(c, f);
}

static void ct4(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t drops, failed;
  if (untracked(c, f)) return;
  if (!rise(c, f, THIRL_TUNE_COUNTER_CT_DROP, &drops) || !rise(c, f, THIRL_TUNE_COUNTER_CT_INSERT_FAILED, &failed))
    return;
  bool pool = failed > 0 && drops > 0;
  say(f,
      failed <= 0                               ? OK
      : pool && c->profile == THIRL_TUNE_ROUTER ? CRIT
                                                : WARN,
      NOW, "%" PRId64 " entries refused, %" PRId64 " packets dropped%s", failed, drops,
      failed <= 0 ? ""
      : pool      ? ": the NAT is out of ports"
                  : ": two flows wanted the same place");
}

static void ct5(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t n;
  if (untracked(c, f)) return;
  if (!rise(c, f, THIRL_TUNE_COUNTER_CT_EARLY_DROP, &n)) return;
  say(f, n > 0 ? WARN : OK, NOW, "%" PRId64 " entries thrown out for new ones", n);
}

/* A namespace gets the number of one that has ended: where nothing tracks, the lines were about that one. */
static void ct6(const thirl_tune_case *c, thirl_tune_finding *f) {
  if (c->after->log_why != THIRL_TUNE_WHY_READ) {
    unknown(f, c->after->log_why);
    return;
  }
  uint32_t n = c->after->n_table_full_lines;
  bool ours = n && is_tracking(c->after) != 0;
  say(f, ours ? WARN : OK, SETTING, "%" PRIu32 " such lines in the last hour%s", n,
      n && !ours ? ", of another namespace" : "");
  if (ours) bigger_table(c, f);
}

static void ct7(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t most, slots;
  if (untracked(c, f)) return;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_CT_MAX, &most) || !sysctl(c, f, THIRL_TUNE_SYSCTL_CT_BUCKETS, &slots)) return;
  bool bad = slots > 0 && (double)most > 8 * (double)slots;
  say(f, bad ? WARN : OK, LATER, "%" PRId64 " entries in %" PRId64 " slots", most, slots);
  if (!bad) return;
  expect(f, "at most 8 entries for each slot");
  set_to(f, "net.netfilter.nf_conntrack_buckets", "%" PRId64, most / 4);
}

/* ---- timeouts ---- */

static void ct8(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t v;
  if (untracked(c, f)) return;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_CT_TCP_ESTABLISHED, &v)) return;
  say(f,
      v < TCP_IDLE_S ? CRIT
      : v > 432000   ? INFO
                     : OK,
      LATER, "idle TCP connections are remembered for %" PRId64 " s", v);
  if (f->level != OK) expect(f, "%d to 432000", TCP_IDLE_S);
}

static void ct9(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t first, stream;
  if (untracked(c, f)) return;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_CT_UDP_TIMEOUT, &first)) return;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_CT_UDP_STREAM, &stream)) return;
  say(f, first < UDP_S || stream < UDP_STREAM_S ? WARN : OK, SETTING,
      "UDP mappings live for %" PRId64 " s, and %" PRId64 " s when both sides talk", first, stream);
  if (f->level != OK) expect(f, "%d and %d", UDP_S, UDP_STREAM_S);
}

static void ct10(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t v;
  if (untracked(c, f)) return;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_CT_TCP_LOOSE, &v)) return;
  say(f, v ? OK : WARN, SETTING, "net.netfilter.nf_conntrack_tcp_loose is %" PRId64, v);
  if (!v) expect(f, "1");
}

/* ---- rules ---- */

static void ct11(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_ruleset *r = &c->after->ruleset;
  if (r->random_ports) {
    say(f, WARN, SETTING, "a rule of source NAT has random or fully-random%s", r->persistent ? ", and persistent" : "");
    expect(f, "neither");
  } else if (r->why != THIRL_TUNE_WHY_READ) {
    unknown(f, r->why);
  } else if (r->has_foreign) {
    unknown(f, THIRL_TUNE_WHY_MALFORMED);
  } else {
    say(f, OK, SETTING, r->has_masquerade ? "source NAT keeps ports where it can" : "no rule of source NAT");
  }
}

static void ct12(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_ruleset *r = &c->after->ruleset;
  int64_t v;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_IP_FORWARD, &v)) return;
  say(f, v ? OK : CRIT, SETTING, "net.ipv4.ip_forward is %" PRId64, v);
  if (!v) expect(f, "1");
  for (uint32_t i = 0; v && i < c->after->n_links; i++) {
    const thirl_tune_link *l = &c->after->link[i];
    if (l->is_loopback || l->forwarding4.why != THIRL_TUNE_WHY_READ || l->forwarding4.v) continue;
    if (f->level == OK) f->level = WARN;
    add(f, "; %s does not forward", l->name);
  }
  if (r->forward_drops && !r->forward_accepts) {
    f->level = CRIT;
    add(f, "; the firewall drops all that is forwarded");
    expect(f, "a rule that accepts it");
    thirl_tune_verdict_line(
        f, "nft add rule TABLE FORWARD-CHAIN ct state established,related accept, and one for the inner side");
  }
  if (r->why != THIRL_TUNE_WHY_READ && f->level == OK) unknown(f, r->why); /* a firewall may still drop it all */
  if (r->has_flowtable && f->level != THIRL_TUNE_LEVEL_UNKNOWN) add(f, "; a flowtable takes flows past the rules");
}

static void ct13(const thirl_tune_case *c, thirl_tune_finding *f) {
  thirl_tune_number automatic = c->after->sysctl[THIRL_TUNE_SYSCTL_CT_HELPER];
  const thirl_tune_ruleset *r = &c->after->ruleset;
  bool on = automatic.why == THIRL_TUNE_WHY_READ && automatic.v;
  if (on || r->has_helper) {
    say(f, WARN, SETTING, on ? "net.netfilter.nf_conntrack_helper is 1" : "a rule assigns a helper");
    expect(f, "none");
    if (on) set_to(f, "net.netfilter.nf_conntrack_helper", "0");
  } else if (untracked(c, f)) {
    return;
  } else if (r->why != THIRL_TUNE_WHY_READ) {
    unknown(f, r->why);
  } else {
    say(f, OK, SETTING, "no helper that we can see");
  }
}

static void ct14(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t most;
  if (untracked(c, f)) return;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_CT_MAX, &most)) return;
  if (c->after->home == THIRL_TUNE_HOME_CHILD)
    say(f, INFO, SETTING, "this is a child namespace: nf_conntrack_max (%" PRId64 ") is set on the host", most);
  else if (c->after->home == THIRL_TUNE_HOME_FIRST)
    say(f, OK, SETTING, "this is the first namespace: nf_conntrack_max (%" PRId64 ") can be set here", most);
  else
    unknown(f, THIRL_TUNE_WHY_NOT_LOOKED);
}

/* ---- the outer address ---- */

static bool is_shared(uint32_t a) { /* 100.64.0.0/10, of carrier-grade NATs */
  return a >> 22 == (0x64400000U >> 22);
}

static bool is_private(uint32_t a) {
  return a >> 24 == 10 || a >> 20 == (0xac100000U >> 20) || a >> 16 == (0xc0a80000U >> 16) || is_shared(a);
}

/* A client with a private address has its usual NAT in front of it: whether there is a second one, "thirl nat" tells. */
static void second_nat(const thirl_tune_case *c, thirl_tune_finding *f) {
  const char *word = c->after->nat.why == THIRL_TUNE_WHY_READ ? c->after->nat.double_nat : "unknown";
  if (strcmp(word, "unknown") == 0) {
    unknown(f, THIRL_TUNE_WHY_ELSEWHERE);
    return;
  }
  bool yes = strcmp(word, "yes") == 0;
  say(f, yes ? WARN : OK, SETTING, yes ? "there is a second NAT behind the router" : "there is no second NAT");
}

static void ct15(const thirl_tune_case *c, thirl_tune_finding *f) {
  bool is_router = c->profile == THIRL_TUNE_ROUTER;
  unsigned outer = 0, bad = 0;
  if (c->after->links_why != THIRL_TUNE_WHY_READ) {
    unknown(f, c->after->links_why);
    return;
  }
  for (uint32_t i = 0; i < c->after->n_links; i++) {
    const thirl_tune_link *l = &c->after->link[i];
    for (uint32_t k = 0; l->has_default4 && k < l->n_address4; k++) {
      outer++;
      bad += is_router ? is_private(l->address4[k]) : is_shared(l->address4[k]);
    }
  }
  if (!outer) {
    unknown(f, THIRL_TUNE_WHY_NO_SUCH);
    return;
  }
  if (bad == outer) {
    say(f, WARN, SETTING, "the outer address is of a private network");
    expect(f, "a public one");
  } else if (is_router) {
    say(f, OK, SETTING, "the outer address is public");
  } else {
    second_nat(c, f);
  }
}

thirl_tune_judge *const thirl_tune_judge_conntrack[] = {ct1, ct2,  ct3,  ct4,  ct5,  ct6,  ct7, ct8,
                                                        ct9, ct10, ct11, ct12, ct13, ct14, ct15};
