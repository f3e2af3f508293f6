/* SPDX-License-Identifier: MIT */
#include "tune/capacity.h"

#include "tune/ports.h"

enum { FILES_SPARE = 64, TCP_BYTES = 3994, DATAGRAM_BYTES = 832, TIME_WAIT_S = 60 };

static void set(thirl_tune_capacity *row, thirl_tune_number have, double each, int64_t spare) {
  row->why = have.why;
  if (have.why != THIRL_TUNE_WHY_READ) return;
  row->is_unlimited = have.v >= THIRL_TUNE_UNLIMITED;
  row->room = have.v > spare ? (int64_t)((double)(have.v - spare) / each) : 0;
}

static thirl_tune_number memory_limit(const thirl_tune_facts *f) {
  thirl_tune_number total = f->gauge[THIRL_TUNE_GAUGE_MEMORY_TOTAL], limit = f->gauge[THIRL_TUNE_GAUGE_CGROUP_MAX];
  return limit.why == THIRL_TUNE_WHY_READ && (total.why != THIRL_TUNE_WHY_READ || limit.v < total.v) ? limit : total;
}

/* The smallest of our sockets that serve everybody, or what rmem_max allows. */
static thirl_tune_number buffer(const thirl_tune_facts *f) {
  thirl_tune_number n = f->sysctl[THIRL_TUNE_SYSCTL_RMEM_MAX];
  bool own = false;
  if (n.why == THIRL_TUNE_WHY_READ) n.v = n.v > INT64_MAX / 2 ? INT64_MAX : 2 * n.v;
  for (uint32_t i = 0; i < f->sockets.n_udp; i++) {
    const thirl_tune_udp *u = &f->sockets.udp[i];
    if (!u->is_ours || u->is_connected || u->rcvbuf.why != THIRL_TUNE_WHY_READ || (own && u->rcvbuf.v >= n.v)) continue;
    n = u->rcvbuf;
    own = true;
  }
  return n;
}

static thirl_tune_number port_count(const thirl_tune_facts *f) {
  thirl_tune_number first = f->sysctl[THIRL_TUNE_SYSCTL_PORT_FIRST], last = f->sysctl[THIRL_TUNE_SYSCTL_PORT_LAST];
  if (first.why != THIRL_TUNE_WHY_READ || last.why != THIRL_TUNE_WHY_READ || last.v < first.v) return first;
  int64_t n = last.v - first.v + 1;
  if (f->reserved.why == THIRL_TUNE_WHY_READ) n -= thirl_tune_ports_count(&f->reserved, first.v, last.v);
  return (thirl_tune_number){n, THIRL_TUNE_WHY_READ};
}

void thirl_tune_capacity_of(const thirl_tune_case *c, thirl_tune_capacity rows[THIRL_TUNE_CAPACITY_COUNT]) {
  static const thirl_tune_capacity words[] = {
#define ROW(name, w, counts, costs) {.word = w, .counted = counts, .cost = costs},
      THIRL_TUNE_CAPACITIES(ROW)
#undef ROW
  };
  const thirl_tune_facts *f = c->after;
  const thirl_tune_demand *d = &c->demand;
  const thirl_tune_number known = {0, THIRL_TUNE_WHY_READ}, ours = f->process.why == THIRL_TUNE_WHY_READ
                                                                       ? f->process.nofile_soft
                                                                       : f->process.nofile_hard;
  for (unsigned i = 0; i < THIRL_TUNE_CAPACITY_COUNT; i++)
    rows[i] = words[i];
  set(&rows[THIRL_TUNE_CAPACITY_FILES], ours, 1, FILES_SPARE + 2 * d->relays);
  set(&rows[THIRL_TUNE_CAPACITY_TCP_MEMORY], memory_limit(f), TCP_BYTES, 0);
  rows[THIRL_TUNE_CAPACITY_UDP_MEMORY].why = known.why;
  rows[THIRL_TUNE_CAPACITY_UDP_MEMORY].is_unlimited = true;
  set(&rows[THIRL_TUNE_CAPACITY_TRACKING], f->sysctl[THIRL_TUNE_SYSCTL_CT_MAX], 1, 0);
  if (d->pps > 0) set(&rows[THIRL_TUNE_CAPACITY_STALL], buffer(f), (double)DATAGRAM_BYTES * (double)d->pps / 1000, 0);
  set(&rows[THIRL_TUNE_CAPACITY_PORTS], port_count(f), TIME_WAIT_S, 0);
  rows[THIRL_TUNE_CAPACITY_RELAY_PORTS].why = d->relay_first ? known.why : THIRL_TUNE_WHY_NOT_LOOKED;
  rows[THIRL_TUNE_CAPACITY_RELAY_PORTS].room = d->relay_first ? d->relay_last - d->relay_first + 1 : 0;
  rows[THIRL_TUNE_CAPACITY_FILES].asked = rows[THIRL_TUNE_CAPACITY_TCP_MEMORY].asked = d->tcp;
  rows[THIRL_TUNE_CAPACITY_UDP_MEMORY].asked = rows[THIRL_TUNE_CAPACITY_TRACKING].asked = d->clients - d->tcp;
  rows[THIRL_TUNE_CAPACITY_STALL].asked = d->stall_ms;
  rows[THIRL_TUNE_CAPACITY_RELAY_PORTS].asked = d->relays;
}
