/* SPDX-License-Identifier: MIT */
#include "tune/nat_report.h"

#include <string.h>

#include <jansson.h>

static void copy(const json_t *o, const char *key, char to[THIRL_TUNE_NAME]) {
  const char *s = json_string_value(json_object_get(o, key));
  thirl_tune_text_copy(thirl_tune_text_of(s ? s : "unknown"), to, THIRL_TUNE_NAME);
}

static bool is_report(const json_t *o) {
  const char *type = json_string_value(json_object_get(o, "type"));
  return type && strcmp(type, "nat") == 0 && json_integer_value(json_object_get(o, "v")) == 1;
}

bool thirl_tune_nat_report_parse(thirl_tune_facts *f, thirl_tune_text text) {
  json_t *o = text.n <= THIRL_TUNE_NAT_REPORT_BYTES ? json_loadb(text.p, text.n, 0, NULL) : NULL;
  const json_t *udp = json_object_get(o, "udp"), *router = json_object_get(o, "router");
  const json_t *lifetime = json_object_get(udp, "lifetime_s");
  thirl_tune_nat *n = &f->nat;
  bool ok = is_report(o);
  if (ok) {
    n->why = THIRL_TUNE_WHY_READ;
    copy(udp, "reachable", n->reachable);
    copy(udp, "mapping", n->mapping);
    copy(udp, "filtering", n->filtering);
    copy(udp, "hairpin", n->hairpin);
    copy(router, "pcp", n->pcp);
    copy(router, "natpmp", n->natpmp);
    copy(router, "upnp", n->upnp);
    copy(o, "double_nat", n->double_nat);
    n->lifetime_s.why = json_is_integer(lifetime) ? THIRL_TUNE_WHY_READ : THIRL_TUNE_WHY_NOT_LOOKED;
    n->lifetime_s.v = thirl_tune_facts_clamp(json_integer_value(lifetime));
  }
  json_decref(o);
  return ok;
}
