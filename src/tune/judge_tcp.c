/* SPDX-License-Identifier: MIT */
/* TCP: listeners, handshakes, connections. What concerns ports and TIME_WAIT is in judge_ports.c. */
#include <string.h>

#include "tune/judges.h"
#include "tune/ports.h"
#include "tune/short.h"

enum { BACKLOG_WANTED = 1024 };

/* ---- listeners ---- */

static bool counts(const thirl_tune_case *c, const thirl_tune_listener *l) {
  return l->is_ours || !has_subject(c);
}

static const thirl_tune_listener *shortest(const thirl_tune_case *c) {
  const thirl_tune_sockets *s = &c->after->sockets;
  const thirl_tune_listener *least = NULL;
  for (uint32_t i = 0; i < s->n_listeners; i++) {
    const thirl_tune_listener *l = &s->listener[i];
    if (!counts(c, l) || l->backlog.why != THIRL_TUNE_WHY_READ) continue;
    if (!least || l->backlog.v < least->backlog.v) least = l;
  }
  return least;
}

static void tcp1(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t most;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_SOMAXCONN, &most)) return;
  const thirl_tune_listener *l = shortest(c);
  bool is_short = l && l->backlog.v < BACKLOG_WANTED;
  say(f,
      most < BACKLOG_WANTED || (is_short && l->is_ours) ? WARN
      : is_short                                        ? INFO
                                                        : OK,
      LATER, "net.core.somaxconn is %" PRId64, most);
  if (l) add(f, "; the queue of port %u holds %" PRId64, l->port, l->backlog.v);
  if (f->level != OK) expect(f, "%d or more", BACKLOG_WANTED);
}

static void tcp2(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t overflows, drops;
  if (!rise(c, f, THIRL_TUNE_COUNTER_LISTEN_OVERFLOWS, &overflows)) return;
  if (!rise(c, f, THIRL_TUNE_COUNTER_LISTEN_DROPS, &drops)) return;
  say(f, overflows > 0 || drops > 0 ? CRIT : OK, NOW,
      "%" PRId64 " connections found a full queue, %" PRId64 " were dropped", overflows, drops);
}

/* ---- SYN ---- */

static void tcp3(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t cookies;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_SYNCOOKIES, &cookies)) return;
  say(f,
      cookies                           ? OK
      : c->profile == THIRL_TUNE_SERVER ? CRIT
                                        : WARN,
      LATER, "net.ipv4.tcp_syncookies is %" PRId64, cookies);
  if (!cookies) expect(f, "1");
}

static void tcp4(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t cookies, most;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_SYNCOOKIES, &cookies)) return;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_MAX_SYN_BACKLOG, &most)) return;
  bool bad = !cookies && most < 4096;
  say(f, bad ? WARN : OK, LATER, "net.ipv4.tcp_max_syn_backlog is %" PRId64 "%s", most,
      cookies ? ", which has no effect: cookies are on" : "");
  if (bad) expect(f, "4096 or more, or cookies");
}

static void tcp5(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t sent, queues;
  if (!rise(c, f, THIRL_TUNE_COUNTER_SYNCOOKIES_SENT, &sent)) return;
  if (!rise(c, f, THIRL_TUNE_COUNTER_REQ_QUEUE_COOKIES, &queues)) return;
  int64_t n = sent > queues ? sent : queues, rate = thirl_tune_verdict_rate(c, n);
  say(f, rate > 1000 ? WARN : n > 0 ? INFO : OK, NOW, "%" PRId64 " cookies sent, %" PRId64 " a second", n, rate);
}

static void tcp16(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t v;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_ABORT_ON_OVERFLOW, &v)) return;
  say(f, v ? WARN : OK, LATER, "net.ipv4.tcp_abort_on_overflow is %" PRId64, v);
  if (v) expect(f, "0");
}

/* Listeners on the same port of the same address share it: SO_REUSEPORT. */
static unsigned sharers(const thirl_tune_case *c, const thirl_tune_listener *l) {
  const thirl_tune_sockets *s = &c->after->sockets;
  unsigned n = 0;
  for (uint32_t i = 0; i < s->n_listeners; i++)
    n += s->listener[i].port == l->port && strcmp(s->listener[i].address, l->address) == 0;
  return n;
}

static void tcp17(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_sockets *s = &c->after->sockets;
  int64_t migrate;
  unsigned most = 0, port = 0;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_MIGRATE_REQ, &migrate)) return;
  for (uint32_t i = 0; i < s->n_listeners; i++) {
    unsigned n = counts(c, &s->listener[i]) ? sharers(c, &s->listener[i]) : 0;
    if (n <= most) continue;
    most = n;
    port = s->listener[i].port;
  }
  say(f, most >= 2 && !migrate ? WARN : OK, LATER, "net.ipv4.tcp_migrate_req is %" PRId64, migrate);
  if (most >= 2) add(f, "; %u listeners share port %u", most, port);
  if (f->level == WARN) expect(f, "1");
}

static void tcp18(const thirl_tune_case *c, thirl_tune_finding *f) {
  thirl_tune_number linear = c->after->sysctl[THIRL_TUNE_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS];
  bool has_rto_max = c->after->sysctl[THIRL_TUNE_SYSCTL_TCP_RTO_MAX_MS].why == THIRL_TUNE_WHY_READ;
  const char *rto = has_rto_max ? "; TCP_RTO_MAX_MS makes it each second" : "; no TCP_RTO_MAX_MS";
  if (linear.why == THIRL_TUNE_WHY_READ && linear.v > 0)
    say(f, OK, SETTING, "the first %" PRId64 " SYNs are a second apart%s", linear.v, rto);
  else if (linear.why == THIRL_TUNE_WHY_READ || linear.why == THIRL_TUNE_WHY_NOT_IN_KERNEL)
    say(f, has_rto_max ? OK : INFO, SETTING, "SYNs at 0,1,3,7,15 s%s", rto);
  else
    unknown(f, linear.why);
}

/* ---- connections ---- */

static void tcp11(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_word *control = &c->after->congestion;
  int64_t v;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_SLOW_START_AFTER_IDLE, &v)) return;
  if (control->why != THIRL_TUNE_WHY_READ) {
    unknown(f, control->why);
    return;
  }
  bool is_old = strcmp(control->text, "cubic") == 0 || strcmp(control->text, "reno") == 0;
  say(f, v && is_old ? INFO : OK, SETTING, "net.ipv4.tcp_slow_start_after_idle is %" PRId64 " with %s%s", v,
      control->text, is_old ? "" : ", where it has no effect that was measured");
  if (f->level == INFO) expect(f, "0");
}

static void tcp12(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_word *control = &c->after->congestion, *qdisc = &c->after->default_qdisc;
  if (control->why != THIRL_TUNE_WHY_READ) {
    unknown(f, control->why);
    return;
  }
  bool paces = qdisc->why == THIRL_TUNE_WHY_READ && strcmp(qdisc->text, "fq") == 0;
  for (uint32_t i = 0; i < c->after->n_links; i++) {
    const thirl_tune_link *l = &c->after->link[i];
    if ((l->has_default4 || l->has_default6) && l->qdisc.why == THIRL_TUNE_WHY_READ)
      paces = strcmp(l->qdisc.text, "fq") == 0;
  }
  bool is_bbr = strncmp(control->text, "bbr", 3) == 0;
  say(f, is_bbr && !paces ? INFO : OK, SETTING, "congestion control %s%s", control->text,
      is_bbr ? paces ? " with fq" : " without fq" : "");
  if (f->level == INFO) expect(f, "fq");
}

static void tcp13(const thirl_tune_case *c, thirl_tune_finding *f) {
  enum { LONG_S = 300 };
  const thirl_tune_sockets *s = &c->after->sockets;
  const char *name = c->after->process.name;
  if (!has_subject(c) || c->after->process.inodes_why != THIRL_TUNE_WHY_READ) {
    unknown(f, has_subject(c) ? c->after->process.inodes_why : c->after->process.why);
    return;
  }
  bool pings = strcmp(name, "thirld") == 0 || strcmp(name, "thirl") == 0;
  bool bad = s->n_unprobed_ours > 0 || s->longest_probe_s > LONG_S;
  say(f, bad && !pings ? WARN : OK, LATER, "%" PRIu32 " of %" PRIu32 " connections of %s without keepalive%s",
      s->n_unprobed_ours, s->n_established_ours, name, pings ? "; it sends pings of its own" : "");
  if (s->longest_probe_s > LONG_S) add(f, ", the slowest in %" PRIu32 " s", s->longest_probe_s);
  if (f->level == WARN) expect(f, "a probe or a ping each %d s at most", LONG_S);
}

static void tcp14(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t v;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_RETRIES2, &v)) return;
  say(f, v < 8 ? WARN : OK, LATER, "net.ipv4.tcp_retries2 is %" PRId64, v);
  if (v < 8) expect(f, "8 to 15");
}

static void tcp15(const thirl_tune_case *c, thirl_tune_finding *f) {
  thirl_tune_number most = c->after->sysctl[THIRL_TUNE_SYSCTL_TCP_MAX_ORPHANS];
  int64_t retries;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_ORPHAN_RETRIES, &retries)) return;
  bool few = most.why == THIRL_TUNE_WHY_READ && most.v < 4096;
  say(f, retries || few ? INFO : OK, SETTING, "net.ipv4.tcp_orphan_retries is %" PRId64 "%s", retries,
      retries ? "" : ", which stands for 8");
  if (most.why == THIRL_TUNE_WHY_READ) add(f, "; net.ipv4.tcp_max_orphans is %" PRId64, most.v);
  if (f->level == INFO) expect(f, "0, and room for 4096 or more");
}

static void tcp21(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t v;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_NOTSENT_LOWAT, &v)) return;
  bool unlimited = v < 0 || v >= INT32_MAX;
  if (unlimited)
    say(f, INFO, SETTING, "what waits to be sent has no limit");
  else
    say(f, OK, SETTING, "at most %" PRId64 " bytes wait to be sent", v);
  if (unlimited) expect(f, "131072 on relays");
}

static void tcp22(const thirl_tune_case *c, thirl_tune_finding *f) {
  thirl_tune_number rfc1337 = c->after->sysctl[THIRL_TUNE_SYSCTL_TCP_RFC1337];
  int64_t v;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_TCP_TIMESTAMPS, &v)) return;
  say(f, v ? OK : WARN, SETTING, "net.ipv4.tcp_timestamps is %" PRId64, v);
  if (rfc1337.why == THIRL_TUNE_WHY_READ) add(f, "; tcp_rfc1337 is %" PRId64, rfc1337.v);
  if (!v) expect(f, "1");
}

thirl_tune_judge *const thirl_tune_judge_tcp[] = {tcp1,
                                                  tcp2,
                                                  tcp3,
                                                  tcp4,
                                                  tcp5,
                                                  thirl_tune_judge_ports_time_wait,
                                                  thirl_tune_judge_ports_buckets,
                                                  thirl_tune_judge_ports_reuse,
                                                  thirl_tune_judge_ports_tracked,
                                                  thirl_tune_judge_ports_fin,
                                                  tcp11,
                                                  tcp12,
                                                  tcp13,
                                                  tcp14,
                                                  tcp15,
                                                  tcp16,
                                                  tcp17,
                                                  tcp18,
                                                  thirl_tune_judge_ports_range,
                                                  thirl_tune_judge_ports_reserved,
                                                  tcp21,
                                                  tcp22};
