/* SPDX-License-Identifier: MIT */
/* For a person: the facts, then what they mean. */
#include <inttypes.h>
#include <string.h>

#include "nat_print.h"
#include "natcheck/words.h"

static void print_host(FILE *to, const thirl_addr *a) {
  char text[THIRL_ADDR_TEXT_MAX];
  thirl_addr_format(a, text);
  char *colon = strrchr(text, ':');
  if (colon) *colon = '\0';
  fputs(text, to);
}

static void print_unknown(FILE *to, thirl_natcheck_why why) {
  if (why) fprintf(to, " (%s)", thirl_natcheck_words_say_why(why));
}

static void print_allocation(FILE *to, const thirl_natcheck_allocation *a) {
  fprintf(to, "        %-12s%s", "ports", thirl_natcheck_words_say_model(a->model));
  switch (a->model) {
  case THIRL_NATCHECK_PRESERVING:
    fprintf(to, " (%.0f of %u mappings)", a->confidence * a->samples, a->samples);
    break;
  case THIRL_NATCHECK_SEQUENTIAL:
    fprintf(to, ", step %d (%.0f %% of %u mappings), last seen %u", a->step, a->confidence * 100, a->samples,
            a->step > 0 ? a->hi : a->lo);
    break;
  case THIRL_NATCHECK_BLOCK:
    fprintf(to, ", about %u to %u (%u mappings)", a->from, a->to, a->samples);
    break;
  case THIRL_NATCHECK_RANDOM:
    fprintf(to, ", seen %u to %u (%u mappings)", a->lo, a->hi, a->samples);
    break;
  default:
    break;
  }
  print_unknown(to, a->why);
  fputc('\n', to);
}

static void print_filtering(FILE *to, const thirl_natcheck_protocol *p) {
  fprintf(to, "        %-12s%s", "filtering", thirl_natcheck_words_say_filtering(p->filtering));
  if (!p->filtering && p->filtering_seems)
    fprintf(to, ", looks %s", thirl_natcheck_words_say_filtering(p->filtering_seems));
  print_unknown(to, p->filtering_why);
  fputc('\n', to);
}

static void print_rest(FILE *to, const thirl_natcheck_protocol *p) {
  if (p->hairpin_why != THIRL_NATCHECK_WHY_NOT_ASKED) {
    fprintf(to, "        %-12s%s", "hairpin", thirl_natcheck_words_answer(p->hairpin));
    print_unknown(to, p->hairpin_why);
    fputs(p->hairpin_shows_inner ? ", but with inner source addresses\n" : "\n", to);
  }
  if (p->n_outer > 1) {
    fprintf(to, "        %-12s", "addresses");
    for (unsigned i = 0; i < p->n_outer; i++) {
      fputs(i ? ", " : "", to);
      print_host(to, &p->outer[i]);
    }
    fputc('\n', to);
  }
  if (p->unsolicited)
    fprintf(to, "        %-12s%s\n", "uninvited", thirl_natcheck_words_say_unsolicited(p->unsolicited));
}

static void print_lifetime(FILE *to, const thirl_natcheck_protocol *p) {
  if (p->lifetime_why == THIRL_NATCHECK_WHY_NOT_ASKED) return;
  fprintf(to, "        %-12s", "lifetime");
  if (p->lifetime_why)
    fputs("unknown", to);
  else if (!p->lifetime_s && !p->lifetime_max_s)
    fputs("nothing expires", to);
  else
    fprintf(to, "of an idle mapping: at least %" PRIu32 " s", p->lifetime_s);
  if (!p->lifetime_why && p->lifetime_max_s) fprintf(to, ", less than %" PRIu32 " s", p->lifetime_max_s);
  print_unknown(to, p->lifetime_why);
  fputc('\n', to);
}

static void print_protocol(FILE *to, const char *name, const thirl_natcheck_protocol *p, bool is_tcp) {
  char local[THIRL_ADDR_TEXT_MAX], mapped[THIRL_ADDR_TEXT_MAX];
  if (p->why == THIRL_NATCHECK_WHY_NOT_ASKED) return;
  fprintf(to, "%-8s", name);
  if (p->reachable != THIRL_NATCHECK_YES) {
    fprintf(to, "%s\n", thirl_natcheck_words_say_why(p->why));
    return;
  }
  fprintf(to, "%s is seen as %s, round trip %.1f ms\n", thirl_addr_format(&p->local, local),
          thirl_addr_format(&p->mapped, mapped), (double)p->rtt / 1000);
  fprintf(to, "        %-12s%s", "mapping", thirl_natcheck_words_say_mapping(p->mapping));
  print_unknown(to, p->mapping_why);
  fputc('\n', to);
  print_filtering(to, p);
  fprintf(to, "        %-12s%s\n", "RFC 3489", thirl_natcheck_words_classic(p->mapping, p->filtering));
  print_allocation(to, &p->allocation);
  print_rest(to, p);
  if (!is_tcp) print_lifetime(to, p);
}

static void print_word(FILE *to, const char *name, thirl_natcheck_answer a, thirl_natcheck_why why,
                       const thirl_addr *outer) {
  fprintf(to, "%s %s", name, thirl_natcheck_words_answer(a));
  if (why && why != THIRL_NATCHECK_WHY_NO_ANSWER) print_unknown(to, why);
  if (outer && thirl_addr_is_set(outer)) {
    fputs(" (it says ", to);
    print_host(to, outer);
    fputc(')', to);
  }
}

static void print_router(FILE *to, const thirl_natcheck_report *r, const thirl_natcheck_verdict *v) {
  const thirl_natcheck_gateway *g = &r->gateway;
  fprintf(to, "%-8s", "router");
  if (thirl_addr_is_set(&g->router)) {
    print_host(to, &g->router);
    print_word(to, ": PCP", g->pcp, g->pcp_why, NULL);
    print_word(to, ", NAT-PMP", g->natpmp, g->natpmp_why, &g->natpmp_outer);
    print_word(to, ", UPnP", g->upnp, g->upnp_why, &g->upnp_outer);
    fputc('\n', to);
  } else {
    fputs("unknown\n", to);
  }
  fprintf(to, "        %-12s%s", "second NAT", thirl_natcheck_words_answer(v->is_double));
  if (v->sign) fprintf(to, ": %s", thirl_natcheck_words_say_sign(v->sign));
  fputc('\n', to);
}

/* ---- the verdict ---- */

static void print_meetings(FILE *to, const char *name, const thirl_natcheck_answer peers[THIRL_NATCHECK_PEERS]) {
  static const char *const mappings[] = {"EIM", "ADM", "APDM"}, *const filterings[] = {"EIF", "ADF", "APDF"};
  unsigned yes = 0, no = 0;
  for (int i = 0; i < THIRL_NATCHECK_PEERS; i++) {
    yes += peers[i] == THIRL_NATCHECK_YES;
    no += peers[i] == THIRL_NATCHECK_NO;
  }
  fprintf(to, "  over %s with %u of %d kinds of NAT", name, yes, THIRL_NATCHECK_PEERS);
  if (no) fputs("; not with ", to);
  bool first = true;
  for (int i = 0; i < THIRL_NATCHECK_PEERS && no; i++) {
    if (peers[i] != THIRL_NATCHECK_NO) continue;
    fprintf(to, "%s%s/%s", first ? "" : ", ", mappings[i / 3], filterings[i % 3]);
    first = false;
  }
  if (yes + no < THIRL_NATCHECK_PEERS) fprintf(to, "; unknown for %u", (unsigned)THIRL_NATCHECK_PEERS - yes - no);
  fputc('\n', to);
}

static void print_verdict(FILE *to, const thirl_natcheck_report *r, const thirl_natcheck_verdict *v) {
  if (r->udp.reachable == THIRL_NATCHECK_YES || r->tcp.reachable == THIRL_NATCHECK_YES) {
    fputs("\nA direct connection by punching, whatever the relay does:\n", to);
    if (r->udp.reachable != THIRL_NATCHECK_UNKNOWN) print_meetings(to, "UDP", v->udp);
    if (r->tcp.reachable != THIRL_NATCHECK_UNKNOWN) print_meetings(to, "TCP", v->tcp);
  }
  if (v->n_advice) fputs("\nWhat that means:\n", to);
  for (unsigned i = 0; i < v->n_advice; i++)
    fprintf(to, "  - %s\n", thirl_natcheck_verdict_sentence(v->advice[i]));
}

void nat_print_text(FILE *to, const thirl_natcheck_report *r) {
  thirl_natcheck_verdict v = thirl_natcheck_verdict_of(r);
  print_protocol(to, "UDP", &r->udp, false);
  print_protocol(to, "TCP", &r->tcp, true);
  print_router(to, r, &v);
  print_verdict(to, r, &v);
}
