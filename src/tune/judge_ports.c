/* SPDX-License-Identifier: MIT */
/* TCP: ports of outgoing connections, and TIME_WAIT, which holds them. */
#include <stdio.h>

#include "tune/judges.h"
#include "tune/ports.h"
#include "tune/short.h"

enum { TIME_WAIT_S = 60, SERVER_PORTS = 16384, CLIENT_PORTS = 4096, REPORTED = 4 };

/* How many ports connect() may choose from. */
static bool usable_ports(const thirl_tune_case *c, thirl_tune_finding *f, int64_t *first, int64_t *last, int64_t *n) {
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_PORT_FIRST, first) || !sysctl(c, f, THIRL_TUNE_SYSCTL_PORT_LAST, last))
    return false;
  *n = *last - *first + 1;
  if (*n < 1) {
    unknown(f, THIRL_TUNE_WHY_MALFORMED);
    return false;
  }
  if (c->after->reserved.why == THIRL_TUNE_WHY_READ) *n -= thirl_tune_ports_count(&c->after->reserved, *first, *last);
  return true;
}

void thirl_tune_judge_ports_time_wait(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_sockets *s = &c->after->sockets;
  int64_t first, last, n, most = 0;
  uint16_t port = 0;
  if (!usable_ports(c, f, &first, &last, &n)) return;
  if (s->tcp_listening.why != THIRL_TUNE_WHY_READ && s->tcp_listening.why != THIRL_TUNE_WHY_TOO_MANY) {
    unknown(f, s->tcp_listening.why);
    return;
  }
  for (uint32_t i = 0; i < s->n_tuples; i++) {
    if ((int64_t)s->tuple[i].n <= most) continue;
    most = s->tuple[i].n;
    port = s->tuple[i].remote_port;
  }
  bool bad = above(most, n, 60);
  say(f,
      above(most, n, 90) ? CRIT
      : bad              ? WARN
                         : OK,
      bad ? NOW : SETTING, "%" PRId64 " of %" PRId64 " ports in TIME_WAIT for one destination%s", most, n,
      s->tuples_are_lower_bounds ? " at least" : "");
  if (most) add(f, ", port %u", port);
  if (bad) expect(f, "at most 60 %%");
}

void thirl_tune_judge_ports_buckets(const thirl_tune_case *c, thirl_tune_finding *f) {
  thirl_tune_number most = c->after->sysctl[THIRL_TUNE_SYSCTL_TCP_MAX_TW_BUCKETS];
  int64_t killed;
  if (!rise(c, f, THIRL_TUNE_COUNTER_TIME_WAIT_OVERFLOW, &killed)) return;
  say(f, killed > 0 ? WARN : OK, NOW, "%" PRId64 " TIME_WAIT sockets ended early", killed);
  if (most.why != THIRL_TUNE_WHY_READ) return;
  add(f, "; at most %" PRId64 " may be", most.v);
  if (killed > 0 && most.v >= 262144 / 2)
    set_to(f, "net.ipv4.tcp_max_tw_buckets", "%" PRId64, most.v > INT32_MAX / 2 ? INT32_MAX : 2 * most.v);
}

void thirl_tune_judge_ports_reuse(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t v;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_TW_REUSE, &v)) return;
  if (c->after->sysctl_d_why != THIRL_TUNE_WHY_READ && v != 1) {
    unknown(f, c->after->sysctl_d_why);
    return;
  }
  bool recycles = c->after->sysctl_d_why == THIRL_TUNE_WHY_READ && c->after->sysctl_d_has_tw_recycle;
  bool everywhere = v == 1 && c->profile == THIRL_TUNE_CLIENT;
  say(f, recycles ? WARN : everywhere ? INFO : OK, SETTING, "net.ipv4.tcp_tw_reuse is %" PRId64, v);
  if (everywhere) expect(f, "2, on a client of many peers");
  if (!recycles) return;
  add(f, "; a file of /etc/sysctl.d sets tcp_tw_recycle");
  expect(f, "no line with tcp_tw_recycle: it was removed in 4.12");
  thirl_tune_verdict_line(f, "grep -rn tcp_tw_recycle /etc/sysctl.conf /etc/sysctl.d, and delete that line");
  if (!everywhere) f->n_set = 0;
}

void thirl_tune_judge_ports_tracked(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t v;
  if (thirl_tune_verdict_untracked(c, f)) return;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_CT_TCP_TIME_WAIT, &v)) return;
  say(f, v < 120 ? INFO : OK, SETTING, "net.netfilter.nf_conntrack_tcp_timeout_time_wait is %" PRId64, v);
  if (v < 120) expect(f, "120, the default");
}

void thirl_tune_judge_ports_fin(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t v;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_FIN_TIMEOUT, &v)) return;
  say(f, v < 15 ? WARN : OK, SETTING, "net.ipv4.tcp_fin_timeout is %" PRId64, v);
  if (v < 15) expect(f, "60, the default");
}

void thirl_tune_judge_ports_range(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t first, last, n;
  if (!usable_ports(c, f, &first, &last, &n)) return;
  int64_t want = c->profile == THIRL_TUNE_SERVER ? SERVER_PORTS : CLIENT_PORTS;
  bool same_parity = (first & 1) == (last & 1);
  say(f,
      n < want      ? WARN
      : same_parity ? INFO
                    : OK,
      LATER, "%" PRId64 " ports (%" PRId64 "-%" PRId64 "): %" PRId64 " new connections a second to one destination", n,
      first, last, n / TIME_WAIT_S);
  if (n >= want && same_parity) add(f, "; both ends are %s, of which the kernel complains", first & 1 ? "odd" : "even");
  if (f->level != OK) expect(f, "%" PRId64 " or more, from an even port to an odd one", want);
}

void thirl_tune_judge_ports_reserved(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_sockets *s = &c->after->sockets;
  int64_t first, last, n;
  char value[THIRL_TUNE_VALUE];
  unsigned found = 0, at = 0;
  if (!usable_ports(c, f, &first, &last, &n)) return;
  if (s->tcp_listening.why != THIRL_TUNE_WHY_READ || c->after->reserved.why != THIRL_TUNE_WHY_READ) {
    unknown(f, s->tcp_listening.why != THIRL_TUNE_WHY_READ ? s->tcp_listening.why : c->after->reserved.why);
    return;
  }
  int m = snprintf(value, sizeof value, "%s", c->after->reserved_text);
  say(f, OK, LATER, "listeners among the ports of outgoing connections:");
  for (uint32_t i = 0; i < s->n_listeners; i++) {
    const thirl_tune_listener *l = &s->listener[i];
    if (has_subject(c) && !l->is_ours) continue;
    if (l->port < first || l->port > last || thirl_tune_ports_has(&c->after->reserved, l->port)) continue;
    if (at++ < REPORTED) add(f, " %u", l->port);
    found += l->is_ours;
    if (m >= 0 && (size_t)m < sizeof value)
      m += snprintf(value + m, sizeof value - (size_t)m, "%s%u", m ? "," : "", l->port);
  }
  if (!at) add(f, " none");
  if (at > REPORTED) add(f, " and %u more", at - REPORTED);
  if (!at) return;
  f->level = found ? WARN : INFO;
  expect(f, "they are in net.ipv4.ip_local_reserved_ports");
  if (m >= 0 && (size_t)m < sizeof value) set_to(f, "net.ipv4.ip_local_reserved_ports", "%s", value);
}
