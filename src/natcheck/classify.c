/* SPDX-License-Identifier: MIT */
#include "natcheck/classify.h"

#include <math.h>
#include <string.h>

static const double ACCIDENT = 1e-4;

/* ---- mapping ---- */

typedef struct pairs {
  bool same_ip_same, same_ip_differs, other_ip_same, other_ip_differs;
} pairs;

static pairs compare_all(const thirl_natcheck_seen *seen, unsigned n) {
  pairs p = {0};
  for (unsigned i = 0; i < n; i++)
    for (unsigned k = i + 1; k < n; k++) {
      if (thirl_addr_equal(&seen[i].to, &seen[k].to)) continue;
      bool same = thirl_addr_equal(&seen[i].mapped, &seen[k].mapped);
      if (thirl_addr_same_ip(&seen[i].to, &seen[k].to))
        *(same ? &p.same_ip_same : &p.same_ip_differs) = true;
      else
        *(same ? &p.other_ip_same : &p.other_ip_differs) = true;
    }
  return p;
}

static bool contradicts(const thirl_natcheck_seen *seen, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    for (unsigned k = i + 1; k < n; k++)
      if (thirl_addr_equal(&seen[i].to, &seen[k].to) && !thirl_addr_equal(&seen[i].mapped, &seen[k].mapped))
        return true;
  return false;
}

thirl_natcheck_mapping thirl_natcheck_classify_mapping(const thirl_addr *local, const thirl_natcheck_seen *seen,
                                                       unsigned n, thirl_natcheck_why *why) {
  *why = THIRL_NATCHECK_WHY_KNOWN;
  if (n == 0) {
    *why = THIRL_NATCHECK_WHY_NO_ANSWER;
    return THIRL_NATCHECK_MAPPING_UNKNOWN;
  }
  if (contradicts(seen, n)) {
    *why = THIRL_NATCHECK_WHY_CONTRADICTION;
    return THIRL_NATCHECK_MAPPING_UNKNOWN;
  }
  unsigned untouched = 0;
  for (unsigned i = 0; i < n; i++)
    untouched += thirl_addr_equal(&seen[i].mapped, local);
  if (untouched == n) return THIRL_NATCHECK_NO_MAPPING;
  pairs p = compare_all(seen, n);
  if (p.same_ip_differs) return THIRL_NATCHECK_APDM;
  if (p.other_ip_differs && p.other_ip_same) {
    *why = THIRL_NATCHECK_WHY_CONTRADICTION; /* two servers see the same and a third does not */
    return THIRL_NATCHECK_MAPPING_UNKNOWN;
  }
  if (p.other_ip_differs && p.same_ip_same) return THIRL_NATCHECK_ADM;
  if (p.other_ip_same) return THIRL_NATCHECK_EIM;
  *why = THIRL_NATCHECK_WHY_NO_ALTERNATE;
  return THIRL_NATCHECK_MAPPING_UNKNOWN;
}

/* ---- filtering ---- */

thirl_natcheck_filtering thirl_natcheck_classify_filtering(const thirl_natcheck_knocks *k,
                                                           thirl_natcheck_filtering *seems, thirl_natcheck_why *why) {
  thirl_natcheck_filtering looks = k->from_other_ip     ? THIRL_NATCHECK_EIF
                                   : k->from_other_port ? THIRL_NATCHECK_ADF
                                                        : THIRL_NATCHECK_APDF;
  bool ignored = looks == THIRL_NATCHECK_ADF ? k->ignored_ip : k->ignored_port;
  bool proven = looks == THIRL_NATCHECK_ADF ? k->ip_proven : k->port_proven;
  *seems = looks;
  *why = THIRL_NATCHECK_WHY_KNOWN;
  if (looks == THIRL_NATCHECK_EIF) return looks; /* what has come in needs no proof */
  if (ignored) {
    *seems = THIRL_NATCHECK_FILTERING_UNKNOWN;
    *why = THIRL_NATCHECK_WHY_IGNORED;
  } else if (k->lossy) {
    *seems = THIRL_NATCHECK_FILTERING_UNKNOWN;
    *why = THIRL_NATCHECK_WHY_LOSS;
  } else if (!proven) {
    *why = THIRL_NATCHECK_WHY_UNPROVEN;
  } else {
    return looks;
  }
  return THIRL_NATCHECK_FILTERING_UNKNOWN;
}

bool thirl_natcheck_classify_is_silence(unsigned tries, unsigned asked, unsigned answered) {
  if (answered > asked) answered = asked;
  double loss = (double)(asked - answered + 1) / (double)(asked + 2); /* Laplace: no sample says "never" */
  return pow(loss, tries) < ACCIDENT;
}

bool thirl_natcheck_classify_may_ask(const thirl_addr *server, const thirl_addr *other) {
  if (!thirl_addr_is_set(other) || other->family != server->family || other->port == 0) return false;
  if (thirl_addr_same_ip(server, other) || server->port == other->port) return false;
  return thirl_addr_is_probeable(other) || !thirl_addr_is_probeable(server);
}

bool thirl_natcheck_classify_may_meet(const thirl_addr *server, const thirl_addr *mapped) {
  return thirl_addr_is_probeable(mapped) || !thirl_addr_is_probeable(server);
}

/* ---- more than one ---- */

static bool in_v4(const thirl_addr *a, uint8_t b0, uint8_t b1, uint8_t mask1) {
  return a->ip[0] == b0 && (a->ip[1] & mask1) == b1;
}

static bool is_shared(const thirl_addr *a) {
  return a->family == THIRL_FAMILY_V4 && in_v4(a, 100, 64, 0xc0);
}

bool thirl_natcheck_classify_is_inner(const thirl_addr *a) {
  if (a->family == THIRL_FAMILY_V4)
    return a->ip[0] == 10 || a->ip[0] == 127 || in_v4(a, 172, 16, 0xf0) || in_v4(a, 192, 168, 0xff) ||
           in_v4(a, 169, 254, 0xff) || is_shared(a);
  if (a->family == THIRL_FAMILY_V6) {
    static const uint8_t loopback[16] = {[15] = 1};
    return (a->ip[0] & 0xfe) == 0xfc || (a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80) ||
           memcmp(a->ip, loopback, sizeof loopback) == 0;
  }
  return false;
}

static bool is_outer_of(const thirl_natcheck_protocol *p, const thirl_addr *a) {
  for (unsigned i = 0; i < p->n_outer; i++)
    if (thirl_addr_same_ip(&p->outer[i], a)) return true;
  return false;
}

/* What the router says of itself: the strongest sign, both ways. */
static thirl_natcheck_answer by_gateway(const thirl_natcheck_report *r, const thirl_addr *claimed,
                                        thirl_natcheck_sign *sign) {
  if (!thirl_addr_is_set(claimed) || thirl_addr_is_any(claimed)) return THIRL_NATCHECK_UNKNOWN;
  if (r->udp.n_outer + r->tcp.n_outer == 0) {
    *sign = thirl_natcheck_classify_is_inner(claimed) ? THIRL_NATCHECK_GATEWAY_INNER : THIRL_NATCHECK_NO_SIGN;
    return *sign ? THIRL_NATCHECK_YES : THIRL_NATCHECK_UNKNOWN;
  }
  if (is_outer_of(&r->udp, claimed) || is_outer_of(&r->tcp, claimed)) return THIRL_NATCHECK_NO;
  *sign = thirl_natcheck_classify_is_inner(claimed) ? THIRL_NATCHECK_GATEWAY_INNER : THIRL_NATCHECK_GATEWAY_DIFFERS;
  return THIRL_NATCHECK_YES;
}

static unsigned inner_networks(const thirl_natcheck_hops *h, bool *shared) {
  const thirl_addr *last = NULL;
  unsigned n = 0;
  for (unsigned i = 0; i < h->n; i++) {
    const thirl_addr *a = &h->at[i];
    if (!thirl_natcheck_classify_is_inner(a)) continue;
    *shared |= is_shared(a);
    if (!last || memcmp(last->ip, a->ip, 2) != 0)
      n++; /* the first two bytes: a home router and its modem differ there or at the third */
    else if (last->ip[2] != a->ip[2])
      n++;
    last = a;
  }
  return n;
}

thirl_natcheck_answer thirl_natcheck_classify_double(const thirl_natcheck_report *r, thirl_natcheck_sign *sign) {
  *sign = THIRL_NATCHECK_NO_SIGN;
  if (r->udp.mapping == THIRL_NATCHECK_NO_MAPPING || r->tcp.mapping == THIRL_NATCHECK_NO_MAPPING)
    return THIRL_NATCHECK_NO;
  thirl_natcheck_answer a = by_gateway(r, &r->gateway.upnp_outer, sign);
  if (a == THIRL_NATCHECK_UNKNOWN) a = by_gateway(r, &r->gateway.natpmp_outer, sign);
  if (a != THIRL_NATCHECK_UNKNOWN) return a;
  bool shared = false;
  unsigned networks = inner_networks(&r->hops, &shared);
  if (shared) {
    *sign = THIRL_NATCHECK_HOP_SHARED;
    return THIRL_NATCHECK_YES;
  }
  if (networks > 1) *sign = THIRL_NATCHECK_HOPS_INNER;
  return THIRL_NATCHECK_UNKNOWN;
}
