/* SPDX-License-Identifier: MIT */
#include "natcheck/verdict.h"

#include "natcheck/classify.h"

enum { SHORT_LIVED_S = 25 };

/* ---- with whom ---- */

static bool is_open(thirl_natcheck_mapping m) {
  return m == THIRL_NATCHECK_EIM || m == THIRL_NATCHECK_NO_MAPPING;
}

/* Does what A sends to the address at which servers see B arrive? B has sent to the address at which servers see A. */
static bool accepts(thirl_natcheck_mapping am, thirl_natcheck_mapping bm, thirl_natcheck_filtering bf) {
  return bf == THIRL_NATCHECK_EIF || (is_open(bm) && (bf == THIRL_NATCHECK_ADF || is_open(am)));
}

static thirl_natcheck_answer connects_known(thirl_natcheck_mapping am, thirl_natcheck_filtering af,
                                            thirl_natcheck_mapping bm, thirl_natcheck_filtering bf) {
  return accepts(am, bm, bf) || accepts(bm, am, af) ? THIRL_NATCHECK_YES : THIRL_NATCHECK_NO;
}

/* The answer when every possible value of what is unknown gives the same. */
thirl_natcheck_answer thirl_natcheck_verdict_connects(thirl_natcheck_mapping am, thirl_natcheck_filtering af,
                                                      thirl_natcheck_mapping bm, thirl_natcheck_filtering bf) {
  bool yes = false, no = false;
  for (int m = THIRL_NATCHECK_EIM; m <= THIRL_NATCHECK_APDM; m++)
    for (int f = THIRL_NATCHECK_EIF; f <= THIRL_NATCHECK_APDF; f++) {
      if (am != THIRL_NATCHECK_MAPPING_UNKNOWN && m != (int)(is_open(am) ? THIRL_NATCHECK_EIM : am)) continue;
      if (af != THIRL_NATCHECK_FILTERING_UNKNOWN && f != (int)af) continue;
      bool c = connects_known((thirl_natcheck_mapping)m, (thirl_natcheck_filtering)f, bm, bf) == THIRL_NATCHECK_YES;
      *(c ? &yes : &no) = true;
    }
  if (bm == THIRL_NATCHECK_MAPPING_UNKNOWN || bf == THIRL_NATCHECK_FILTERING_UNKNOWN) return THIRL_NATCHECK_UNKNOWN;
  if (yes == no) return THIRL_NATCHECK_UNKNOWN;
  return yes ? THIRL_NATCHECK_YES : THIRL_NATCHECK_NO;
}

static bool meets(const thirl_natcheck_protocol *p, thirl_natcheck_answer out[THIRL_NATCHECK_PEERS]) {
  bool misses = false;
  for (int i = 0; i < THIRL_NATCHECK_PEERS; i++) {
    thirl_natcheck_mapping m = (thirl_natcheck_mapping)(THIRL_NATCHECK_EIM + i / 3);
    thirl_natcheck_filtering f = (thirl_natcheck_filtering)(THIRL_NATCHECK_EIF + i % 3);
    out[i] = THIRL_NATCHECK_UNKNOWN;
    if (p->reachable == THIRL_NATCHECK_YES) out[i] = thirl_natcheck_verdict_connects(p->mapping, p->filtering, m, f);
    if (p->reachable == THIRL_NATCHECK_NO) out[i] = THIRL_NATCHECK_NO;
    misses |= out[i] == THIRL_NATCHECK_NO;
  }
  return misses;
}

/* ---- what helps ---- */

static void add(thirl_natcheck_verdict *v, thirl_natcheck_advice a) {
  v->advice[v->n_advice++] = a;
}

static bool is_wide_open(const thirl_natcheck_protocol *p) {
  return p->mapping == THIRL_NATCHECK_NO_MAPPING && p->filtering == THIRL_NATCHECK_EIF;
}

static bool depends(const thirl_natcheck_protocol *p) {
  return p->mapping == THIRL_NATCHECK_ADM || p->mapping == THIRL_NATCHECK_APDM;
}

static bool is_predictable(const thirl_natcheck_protocol *p) {
  return depends(p) &&
         (p->allocation.model == THIRL_NATCHECK_PRESERVING || p->allocation.model == THIRL_NATCHECK_SEQUENTIAL);
}

static void advise_router(thirl_natcheck_verdict *v, const thirl_natcheck_report *r) {
  const thirl_natcheck_gateway *g = &r->gateway;
  bool nat = r->udp.mapping > THIRL_NATCHECK_NO_MAPPING || r->tcp.mapping > THIRL_NATCHECK_NO_MAPPING;
  if (!nat || v->is_double == THIRL_NATCHECK_YES) return;
  if (g->pcp == THIRL_NATCHECK_YES || g->natpmp == THIRL_NATCHECK_YES || g->upnp == THIRL_NATCHECK_YES)
    add(v, THIRL_NATCHECK_ADVICE_MAP_PORT);
  else if (g->pcp == THIRL_NATCHECK_NO && g->natpmp != THIRL_NATCHECK_UNKNOWN)
    add(v, THIRL_NATCHECK_ADVICE_TURN_ON_MAPPING);
}

static bool lacks_alternate(const thirl_natcheck_protocol *p) {
  return p->reachable == THIRL_NATCHECK_YES &&
         (p->mapping_why == THIRL_NATCHECK_WHY_NO_ALTERNATE || p->filtering_why == THIRL_NATCHECK_WHY_NO_ALTERNATE);
}

static void advise_reach(thirl_natcheck_verdict *v, const thirl_natcheck_report *r) {
  bool udp = r->udp.reachable == THIRL_NATCHECK_YES, tcp = r->tcp.reachable == THIRL_NATCHECK_YES;
  if (!udp && !tcp) add(v, THIRL_NATCHECK_ADVICE_NO_SERVER);
  if (!udp && tcp && r->udp.reachable == THIRL_NATCHECK_NO) add(v, THIRL_NATCHECK_ADVICE_NO_UDP);
  if (udp && !tcp && r->tcp.reachable == THIRL_NATCHECK_NO) add(v, THIRL_NATCHECK_ADVICE_NO_TCP);
}

thirl_natcheck_verdict thirl_natcheck_verdict_of(const thirl_natcheck_report *r) {
  thirl_natcheck_verdict v = {0};
  bool udp_misses = meets(&r->udp, v.udp), tcp_misses = meets(&r->tcp, v.tcp);
  bool udp = r->udp.reachable == THIRL_NATCHECK_YES, tcp = r->tcp.reachable == THIRL_NATCHECK_YES;
  v.is_double = thirl_natcheck_classify_double(r, &v.sign);
  advise_reach(&v, r);
  if ((udp || tcp) && (!udp || is_wide_open(&r->udp)) && (!tcp || is_wide_open(&r->tcp)))
    add(&v, THIRL_NATCHECK_ADVICE_OPEN);
  if ((udp && udp_misses) || (tcp && tcp_misses))
    add(&v, depends(&r->udp) || depends(&r->tcp) ? THIRL_NATCHECK_ADVICE_SYMMETRIC : THIRL_NATCHECK_ADVICE_STRICT);
  if (is_predictable(&r->udp) || is_predictable(&r->tcp)) add(&v, THIRL_NATCHECK_ADVICE_PREDICTABLE);
  if (v.is_double == THIRL_NATCHECK_YES) add(&v, THIRL_NATCHECK_ADVICE_DOUBLE);
  if (v.is_double == THIRL_NATCHECK_UNKNOWN && v.sign) add(&v, THIRL_NATCHECK_ADVICE_MAY_BE_DOUBLE);
  advise_router(&v, r);
  if (r->tcp.unsolicited == THIRL_NATCHECK_UNSOLICITED_REFUSED) add(&v, THIRL_NATCHECK_ADVICE_REFUSES);
  if (r->udp.n_outer > 1 || r->tcp.n_outer > 1) add(&v, THIRL_NATCHECK_ADVICE_POOL);
  if (r->udp.lifetime_max_s && r->udp.lifetime_max_s <= SHORT_LIVED_S) add(&v, THIRL_NATCHECK_ADVICE_SHORT_LIVED);
  if (r->udp.rewritten || r->tcp.rewritten) add(&v, THIRL_NATCHECK_ADVICE_REWRITTEN);
  if (lacks_alternate(&r->udp) || lacks_alternate(&r->tcp)) add(&v, THIRL_NATCHECK_ADVICE_ASK_MORE);
  return v;
}

static const char *const words[][2] = {
#define THIRL_NATCHECK_ADVICE_ROW(name, word, sentence) {word, sentence},
    THIRL_NATCHECK_ADVICES(THIRL_NATCHECK_ADVICE_ROW)
#undef THIRL_NATCHECK_ADVICE_ROW
};

const char *thirl_natcheck_verdict_word(thirl_natcheck_advice a) {
  return (unsigned)a < THIRL_NATCHECK_ADVICE_COUNT ? words[a][0] : "unknown";
}

const char *thirl_natcheck_verdict_sentence(thirl_natcheck_advice a) {
  return (unsigned)a < THIRL_NATCHECK_ADVICE_COUNT ? words[a][1] : "unknown";
}
