/* SPDX-License-Identifier: MIT */
/* UDP sockets. */
#include <string.h>

#include "tune/judges.h"
#include "tune/ports.h"
#include "tune/short.h"

enum {
  DATAGRAM_BYTES = 832,        /* of the buffer, for a payload of up to some 200 B */
  CLIENT_BYTES = 256 << 10,    /* less is worth a word */
  CLIENT_RELAY_BYTES = 2 << 20 /* what a client wants for the throughput of a relay */
};

/* ---- buffers ---- */

/* The smallest receive buffer of our sockets that are not tied to one peer; without any, the largest that a program may ask for: twice rmem_max. */
static bool smallest_buffer(const thirl_tune_case *c, thirl_tune_finding *f, int64_t *bytes, uint16_t *port) {
  const thirl_tune_sockets *s = &c->after->sockets;
  *bytes = INT64_MAX;
  *port = 0;
  for (uint32_t i = 0; i < s->n_udp; i++) {
    const thirl_tune_udp *u = &s->udp[i];
    if (!u->is_ours || u->is_connected || u->rcvbuf.why != THIRL_TUNE_WHY_READ || u->rcvbuf.v >= *bytes) continue;
    *bytes = u->rcvbuf.v;
    *port = u->port;
  }
  if (*port) return true;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_RMEM_MAX, bytes)) return false;
  *bytes = *bytes > INT64_MAX / 2 ? INT64_MAX : 2 * *bytes;
  return true;
}

static void say_buffer(thirl_tune_finding *f, thirl_tune_level level, int64_t bytes, uint16_t port) {
  if (port)
    say(f, level, LATER, "the socket of port %u has room for %" PRId64 " bytes", port, bytes);
  else
    say(f, level, LATER, "a socket may have room for %" PRId64 " bytes at most (twice net.core.rmem_max)", bytes);
}

static void udp1(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t bytes;
  uint16_t port;
  if (!smallest_buffer(c, f, &bytes, &port)) return;
  if (c->profile == THIRL_TUNE_CLIENT) {
    say_buffer(f, bytes < CLIENT_BYTES ? INFO : OK, bytes, port);
    if (f->level == OK) return;
    expect(f, "%d", CLIENT_BYTES);
    set_to(f, "net.core.rmem_max", "%d", CLIENT_RELAY_BYTES);
    return;
  }
  int64_t datagrams = bytes / DATAGRAM_BYTES, pps = c->demand.pps, stall_ms = c->demand.stall_ms;
  if (pps <= 0) {
    say_buffer(f, OK, bytes, port);
    add(f, ": %" PRId64 " small datagrams", datagrams);
    return;
  }
  double lasts_ms = (double)datagrams * 1000 / (double)pps;
  bool crit = lasts_ms * 5 < (double)stall_ms, warn = lasts_ms < (double)stall_ms;
  say_buffer(f, crit ? CRIT : warn ? WARN : OK, bytes, port);
  add(f, ": %" PRId64 " small datagrams, or %.1f ms of %" PRId64 " in a second", datagrams, lasts_ms, pps);
  if (!warn) return;
  double want = (double)pps * (double)stall_ms / 1000 * DATAGRAM_BYTES;
  expect(f, "%.0f bytes, for a standstill of %" PRId64 " ms", want, stall_ms);
  thirl_tune_number most = c->after->sysctl[THIRL_TUNE_SYSCTL_RMEM_MAX];
  if (port && most.why == THIRL_TUNE_WHY_READ && (double)most.v >= want / 2) { /* it may have more, and did not ask */
    f->n_set = 0;
    f->scope = THIRL_TUNE_SCOPE_PROCESS;
    thirl_tune_verdict_line(f, "setsockopt SO_RCVBUF %.0f in the program: net.core.rmem_max allows it", want / 2);
    return;
  }
  if (want / 2 > 16777216 && want < 2e9) set_to(f, "net.core.rmem_max", "%.0f", want / 2 + 1);
}

/* Datagrams that our own sockets dropped, socket by socket; those that came and went between are not seen. */
static int64_t own_drops(const thirl_tune_case *c) {
  const thirl_tune_sockets *now = &c->after->sockets, *then = &c->before->sockets;
  int64_t n = 0;
  for (uint32_t i = 0; i < now->n_udp; i++) {
    uint64_t before = 0;
    if (!now->udp[i].is_ours) continue;
    for (uint32_t k = 0; k < then->n_udp; k++)
      if (then->udp[k].is_ours && then->udp[k].port == now->udp[i].port) before = then->udp[k].drops;
    if (now->udp[i].drops > before) n += (int64_t)(now->udp[i].drops - before);
  }
  return n;
}

static void udp2(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t lost, in;
  if (!rise(c, f, THIRL_TUNE_COUNTER_UDP_RCVBUF_ERRORS, &lost)) return;
  if (!rise(c, f, THIRL_TUNE_COUNTER_UDP_IN, &in)) return;
  if (lost == 0) {
    say(f, OK, NOW, "none lost, %" PRId64 " came in", in);
    return;
  }
  bool many = (double)lost * 1000 > (double)in + (double)lost;
  say(f, c->profile == THIRL_TUNE_SERVER && many ? CRIT : WARN, NOW,
      "%" PRId64 " datagrams lost to a full receive buffer, %" PRId64 " came in", lost, in);
  if (has_subject(c) && c->after->process.n_inodes > 0 && own_drops(c) == 0) {
    f->level = INFO;
    add(f, "; none of them was for %s", c->after->process.name);
  }
}

static void udp3(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t refused;
  if (!rise(c, f, THIRL_TUNE_COUNTER_UDP_SNDBUF_ERRORS, &refused)) return;
  say(f, refused > 0 ? WARN : OK, NOW, "%" PRId64 " datagrams not taken for want of room", refused);
}

/* ---- what comes in ---- */

static void udp4(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t n;
  if (!rise(c, f, THIRL_TUNE_COUNTER_UDP_NO_PORTS, &n)) return;
  int64_t rate = thirl_tune_verdict_rate(c, n);
  say(f, rate > 100 ? INFO : OK, NOW, "%" PRId64 " datagrams a second for ports where nobody listens", rate);
}

static void udp5(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t broken, lost;
  if (!rise(c, f, THIRL_TUNE_COUNTER_UDP_CSUM_ERRORS, &broken)) return;
  if (!rise(c, f, THIRL_TUNE_COUNTER_IP_REASM_FAILS, &lost)) return;
  say(f, broken > 0 || lost > 0 ? WARN : OK, NOW,
      "%" PRId64 " datagrams with a broken checksum, %" PRId64 " that never became whole", broken, lost);
}

/* ---- relay ports ---- */

static bool has_relay_ports(const thirl_tune_case *c, thirl_tune_finding *f) {
  if (c->demand.relay_first) return true;
  say(f, OK, SETTING, "no relay ports were named (--what-if relay-ports=49152-65535); thirld needs none");
  return false;
}

static void udp6(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_demand *d = &c->demand;
  int64_t first, last;
  if (!has_relay_ports(c, f)) return;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_PORT_FIRST, &first) || !sysctl(c, f, THIRL_TUNE_SYSCTL_PORT_LAST, &last)) return;
  if (c->after->reserved.why != THIRL_TUNE_WHY_READ) {
    unknown(f, c->after->reserved.why);
    return;
  }
  int64_t from = first > d->relay_first ? first : d->relay_first, to = last < d->relay_last ? last : d->relay_last;
  int64_t shared = from <= to ? to - from + 1 - thirl_tune_ports_count(&c->after->reserved, from, to) : 0;
  say(f, shared > 0 ? WARN : OK, LATER,
      "%" PRId64 " relay ports are also given to outgoing traffic (%" PRId64 "-%" PRId64 ")", shared, first, last);
  if (shared <= 0) return;
  expect(f, "none");
  const char *had = c->after->reserved_text;
  set_to(f, "net.ipv4.ip_local_reserved_ports", "%s%s%" PRId64 "-%" PRId64, had, *had ? "," : "", d->relay_first,
         d->relay_last);
}

static void udp7(const thirl_tune_case *c, thirl_tune_finding *f) {
  const thirl_tune_demand *d = &c->demand;
  if (!has_relay_ports(c, f)) return;
  if (c->after->sockets.udp_used.why != THIRL_TUNE_WHY_READ) {
    unknown(f, c->after->sockets.udp_used.why);
    return;
  }
  int64_t all = d->relay_last - d->relay_first + 1;
  int64_t left = all - thirl_tune_ports_count(&c->after->sockets.udp_used, d->relay_first, d->relay_last);
  bool crit = left * 20 < all, warn = left * 5 < all;
  bool short_later = d->relays > all;
  say(f,
      crit                  ? CRIT
      : warn || short_later ? WARN
                            : OK,
      crit || warn ? NOW : LATER, "%" PRId64 " of %" PRId64 " relay ports are free", left, all);
  if (f->level == OK) return;
  expect(f, "a fifth of them free, and a port for each of %" PRId64 " relays", d->relays);
  if (short_later) f->breaks_at = all;
}

/* ---- hashing ---- */

/* A negative number: the table of the host, shared. */
static void udp8(const thirl_tune_case *c, thirl_tune_finding *f) {
  int64_t slots, sockets;
  if (!sysctl(c, f, THIRL_TUNE_SYSCTL_UDP_HASH_ENTRIES, &slots)) return;
  if (!know(f, c->after->gauge[THIRL_TUNE_GAUGE_UDP_INUSE], &sockets)) return;
  if (slots < 0) slots = -slots;
  if (c->demand.relays > sockets) sockets = c->demand.relays;
  bool bad = slots > 0 && sockets / 10 > slots;
  say(f, bad ? WARN : OK, LATER, "%" PRId64 " UDP sockets in %" PRId64 " slots", sockets, slots);
  if (bad) expect(f, "at most ten for each slot");
}

thirl_tune_judge *const thirl_tune_judge_udp[] = {udp1, udp2, udp3, udp4, udp5, udp6, udp7, udp8};
