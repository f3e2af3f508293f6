/* SPDX-License-Identifier: MIT */
#include "natcheck/allocation.h"

#include <math.h>
#include <stdlib.h>

enum {
  ENOUGH_TO_FIT = 4,   /* samples that show an even pattern */
  STEP_MAX = 2048,     /* a larger one is no sequence */
  BLOCK_WIDTH = 16384, /* wider is no block */
  PORTS = 64512        /* 1024 .. 65535 */
};

static const double ACCIDENT = 1e-4;

static unsigned count_kept(const thirl_natcheck_sample *s, unsigned n) {
  unsigned kept = 0;
  for (unsigned i = 0; i < n; i++)
    kept += s[i].local.port == s[i].mapped.port;
  return kept;
}

static int step_at(const thirl_natcheck_sample *s, unsigned i) {
  return (int)s[i + 1].mapped.port - (int)s[i].mapped.port;
}

static bool is_small(int d, int sign) {
  return d * sign > 0 && abs(d) <= STEP_MAX;
}

static unsigned count_step(const thirl_natcheck_sample *s, unsigned n, int step) {
  unsigned count = 0;
  for (unsigned i = 0; i + 1 < n; i++)
    count += step_at(s, i) == step;
  return count;
}

/* The most frequent small step in that direction, the smaller of two. */
static int frequent_step(const thirl_natcheck_sample *s, unsigned n, int sign) {
  int best = 0;
  unsigned best_count = 0;
  for (unsigned i = 0; i + 1 < n; i++) {
    int d = step_at(s, i);
    if (!is_small(d, sign)) continue;
    unsigned count = count_step(s, n, d);
    if (count > best_count || (count == best_count && abs(d) < abs(best))) {
      best = d;
      best_count = count;
    }
  }
  return best;
}

static bool fit_sequence(const thirl_natcheck_sample *s, unsigned n, thirl_natcheck_allocation *a) {
  for (int sign = 1; sign >= -1; sign -= 2) {
    unsigned fits = 0;
    for (unsigned i = 0; i + 1 < n; i++)
      fits += is_small(step_at(s, i), sign);
    int step = frequent_step(s, n, sign);
    unsigned even = count_step(s, n, step);
    if (5 * fits < 4 * (n - 1) || 3 * even < n - 1 || even < 2) continue;
    a->model = THIRL_NATCHECK_SEQUENTIAL;
    a->step = step;
    a->confidence = (double)even / (double)(n - 1);
    return true;
  }
  return false;
}

static void find_bounds(const thirl_natcheck_sample *s, unsigned n, thirl_natcheck_allocation *a) {
  a->lo = UINT16_MAX;
  for (unsigned i = 0; i < n; i++) {
    if (s[i].mapped.port < a->lo) a->lo = s[i].mapped.port;
    if (s[i].mapped.port > a->hi) a->hi = s[i].mapped.port;
  }
}

/* n uniform samples leave at each end, on average, as much room as between two of them. */
static void spread_out(thirl_natcheck_allocation *a, unsigned n) {
  unsigned spread = (unsigned)(a->hi - a->lo), room = spread / (n - 1), least = a->lo < 1024 ? 1 : 1024;
  a->from = (uint16_t)(a->lo > least + room ? a->lo - room : least);
  a->to = (uint16_t)(a->hi + room < UINT16_MAX ? a->hi + room : UINT16_MAX);
  double accident = (double)n * pow((double)spread / PORTS, (double)(n - 1));
  if (spread < BLOCK_WIDTH && accident < ACCIDENT) {
    a->model = THIRL_NATCHECK_BLOCK;
    a->confidence = 1 - accident;
  } else {
    a->model = THIRL_NATCHECK_RANDOM;
    a->confidence = 1 - 1 / (double)n;
  }
}

thirl_natcheck_allocation thirl_natcheck_allocation_learn(const thirl_natcheck_sample *s, unsigned n) {
  thirl_natcheck_allocation a = {.samples = n, .why = THIRL_NATCHECK_WHY_FEW};
  if (n == 0) return a;
  find_bounds(s, n, &a);
  if (n < ENOUGH_TO_FIT) return a;
  unsigned kept = count_kept(s, n);
  a.why = THIRL_NATCHECK_WHY_KNOWN;
  if (4 * kept >= 3 * n) {
    a.model = THIRL_NATCHECK_PRESERVING;
    a.confidence = (double)kept / (double)n;
  } else if (fit_sequence(s, n, &a)) {
    return a;
  } else if (n < THIRL_NATCHECK_ALLOCATION_FEW) {
    a.why = THIRL_NATCHECK_WHY_FEW;
  } else {
    spread_out(&a, n);
  }
  return a;
}

size_t thirl_natcheck_allocation_predict(const thirl_natcheck_allocation *a, const thirl_natcheck_sample *last,
                                         uint16_t local_port, uint16_t *out, size_t max) {
  size_t n = 0;
  if (max == 0) return 0;
  if (a->model == THIRL_NATCHECK_PRESERVING) out[n++] = local_port;
  if (a->model != THIRL_NATCHECK_SEQUENTIAL || a->step == 0) return n;
  for (long port = last->mapped.port; n < max;) {
    port += a->step;
    if (port < 1 || port > UINT16_MAX) break;
    out[n++] = (uint16_t)port;
  }
  return n;
}
