/* SPDX-License-Identifier: MIT */
/*
 * The report as JSON: {"v": 1, "type": "nat", "udp": {...}, "tcp": {...}, "servers": [...], "router": {...}, "hops": [...], ...}, described in
 * docs/nat-json.md. Words are those of natcheck/terms.h. What is not known is "unknown" and has a "..._why"; what does not apply is absent.
 * Within version 1 members are only added.
 */
#include <stdlib.h>

#include <jansson.h>

#include "nat_print.h"
#include "natcheck/classify.h"
#include "natcheck/words.h"

static void put(json_t *o, const char *key, json_t *value) {
  (void)json_object_set_new(o, key, value);
}

static void put_word(json_t *o, const char *key, const char *word) {
  put(o, key, json_string(word));
}

static void put_why(json_t *o, const char *key, thirl_natcheck_why why) {
  if (why) put_word(o, key, thirl_natcheck_words_why(why));
}

static json_t *address(const thirl_addr *a) {
  char text[THIRL_ADDR_TEXT_MAX];
  return thirl_addr_is_set(a) ? json_string(thirl_addr_format(a, text)) : json_null();
}

/* Without a port. */
static json_t *host(const thirl_addr *a) {
  char text[THIRL_ADDR_TEXT_MAX];
  if (!thirl_addr_is_set(a)) return json_null();
  thirl_addr_format(a, text);
  size_t n = 0;
  for (size_t i = 0; text[i]; i++)
    if (text[i] == ':') n = i;
  bool brackets = text[0] == '[';
  return json_stringn(text + brackets, n - 2 * (size_t)brackets);
}

static json_t *allocation(const thirl_natcheck_allocation *a) {
  json_t *o = json_object();
  put_word(o, "model", thirl_natcheck_words_model(a->model));
  put_why(o, "why", a->why);
  if (a->samples) put(o, "samples", json_integer(a->samples));
  if (a->samples) put(o, "lowest", json_integer(a->lo));
  if (a->samples) put(o, "highest", json_integer(a->hi));
  if (a->model == THIRL_NATCHECK_SEQUENTIAL) put(o, "step", json_integer(a->step));
  if (a->model == THIRL_NATCHECK_BLOCK || a->model == THIRL_NATCHECK_RANDOM) {
    put(o, "from", json_integer(a->from));
    put(o, "to", json_integer(a->to));
  }
  if (a->model > THIRL_NATCHECK_NO_ALLOCATION) put(o, "confidence", json_real(a->confidence));
  return o;
}

static json_t *direct_with(const thirl_natcheck_answer peers[THIRL_NATCHECK_PEERS]) {
  static const char *const names[THIRL_NATCHECK_PEERS] = {"eim/eif",  "eim/adf",  "eim/apdf", "adm/eif",  "adm/adf",
                                                          "adm/apdf", "apdm/eif", "apdm/adf", "apdm/apdf"};
  json_t *o = json_object();
  for (int i = 0; i < THIRL_NATCHECK_PEERS; i++)
    put_word(o, names[i], thirl_natcheck_words_answer(peers[i]));
  return o;
}

static void put_behaviour(json_t *o, const thirl_natcheck_protocol *p) {
  put_word(o, "mapping", thirl_natcheck_words_mapping(p->mapping));
  put_why(o, "mapping_why", p->mapping_why);
  put_word(o, "filtering", thirl_natcheck_words_filtering(p->filtering));
  put_why(o, "filtering_why", p->filtering_why);
  if (!p->filtering && p->filtering_seems)
    put_word(o, "filtering_seems", thirl_natcheck_words_filtering(p->filtering_seems));
  put_word(o, "classic", thirl_natcheck_words_classic(p->mapping, p->filtering));
  put_word(o, "port_preservation", thirl_natcheck_words_answer(p->preserves));
  put(o, "allocation", allocation(&p->allocation));
  put_word(o, "hairpin", thirl_natcheck_words_answer(p->hairpin));
  put_why(o, "hairpin_why", p->hairpin_why);
  if (p->hairpin == THIRL_NATCHECK_YES) put(o, "hairpin_shows_inner", json_boolean(p->hairpin_shows_inner));
}

static json_t *protocol(const thirl_natcheck_protocol *p, bool is_tcp,
                        const thirl_natcheck_answer peers[THIRL_NATCHECK_PEERS]) {
  json_t *o = json_object(), *outer = json_array();
  put_word(o, "reachable", thirl_natcheck_words_answer(p->reachable));
  put_why(o, "reachable_why", p->why);
  put_behaviour(o, p);
  put(o, "direct_with", direct_with(peers));
  for (unsigned i = 0; i < p->n_outer; i++)
    (void)json_array_append_new(outer, host(&p->outer[i]));
  put(o, "outer_addresses", outer);
  put(o, "rewritten", json_boolean(p->rewritten));
  put(o, "misdirected", json_boolean(p->misdirected));
  if (p->reachable == THIRL_NATCHECK_YES) {
    put(o, "local", address(&p->local));
    put(o, "mapped", address(&p->mapped));
    put(o, "rtt_us", json_integer((json_int_t)p->rtt));
  }
  if (is_tcp) {
    put_word(o, "unsolicited_syn", thirl_natcheck_words_unsolicited(p->unsolicited));
    return o;
  }
  put_why(o, "lifetime_why", p->lifetime_why);
  if (!p->lifetime_why) {
    put(o, "lifetime_s", json_integer(p->lifetime_s));
    put(o, "lifetime_below_s", p->lifetime_max_s ? json_integer(p->lifetime_max_s) : json_null());
  }
  return o;
}

static json_t *servers(const thirl_natcheck_report *r) {
  json_t *list = json_array();
  for (unsigned i = 0; i < r->n_servers; i++) {
    const thirl_natcheck_server *s = &r->servers[i];
    json_t *o = json_object();
    put(o, "address", address(&s->addr));
    put(o, "udp", json_boolean(s->udp));
    put(o, "tcp", json_boolean(s->tcp));
    put(o, "other", address(&s->other));
    put(o, "other_is_usable", json_boolean(thirl_addr_is_set(&s->other) && !s->other_is_unusable));
    if (s->other_port) put(o, "other_port", json_integer(s->other_port));
    (void)json_array_append_new(list, o);
  }
  return list;
}

static json_t *router(const thirl_natcheck_gateway *g) {
  json_t *o = json_object();
  put(o, "address", host(&g->router));
  put_word(o, "pcp", thirl_natcheck_words_answer(g->pcp));
  put_why(o, "pcp_why", g->pcp_why);
  put_word(o, "natpmp", thirl_natcheck_words_answer(g->natpmp));
  put_why(o, "natpmp_why", g->natpmp_why);
  put_word(o, "upnp", thirl_natcheck_words_answer(g->upnp));
  put_why(o, "upnp_why", g->upnp_why);
  if (thirl_addr_is_set(&g->natpmp_outer)) put(o, "natpmp_address", host(&g->natpmp_outer));
  if (thirl_addr_is_set(&g->upnp_outer)) put(o, "upnp_address", host(&g->upnp_outer));
  return o;
}

static json_t *hops(const thirl_natcheck_hops *h) {
  json_t *list = json_array();
  for (unsigned i = 0; i < h->n; i++)
    (void)json_array_append_new(list, host(&h->at[i]));
  return list;
}

bool nat_print_json(FILE *to, const thirl_natcheck_report *r) {
  thirl_natcheck_verdict v = thirl_natcheck_verdict_of(r);
  json_t *o = json_object(), *advice = json_array();
  put(o, "v", json_integer(1));
  put_word(o, "type", "nat");
  put(o, "udp", protocol(&r->udp, false, v.udp));
  put(o, "tcp", protocol(&r->tcp, true, v.tcp));
  put(o, "servers", servers(r));
  put(o, "router", router(&r->gateway));
  put(o, "hops", hops(&r->hops));
  put_word(o, "double_nat", thirl_natcheck_words_answer(v.is_double));
  if (v.sign) put_word(o, "double_nat_sign", thirl_natcheck_words_sign(v.sign));
  for (unsigned i = 0; i < v.n_advice; i++)
    (void)json_array_append_new(advice, json_string(thirl_natcheck_verdict_word(v.advice[i])));
  put(o, "advice", advice);
  char *text = json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(4));
  json_decref(o);
  if (!text) return false;
  fprintf(to, "%s\n", text);
  free(text);
  return true;
}
