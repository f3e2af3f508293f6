/* SPDX-License-Identifier: MIT */
#include "tune/demand.h"

#include <stddef.h>
#include <string.h>

#include "tune/text.h"

enum { FILES_SPARE = 64, FILES_WANTED = 65536 };

static const int64_t number_max = (int64_t)1000000000000;

thirl_tune_demand thirl_tune_demand_of(thirl_tune_profile p) {
  thirl_tune_demand d = {0};
  if (p == THIRL_TUNE_SERVER) d = (thirl_tune_demand){.clients = 1000000, .pps = 40000, .stall_ms = 50};
  return d;
}

int64_t thirl_tune_demand_files(const thirl_tune_demand *d) {
  return d->tcp || d->relays ? d->tcp + 2 * d->relays + FILES_SPARE : FILES_WANTED;
}

#define KEY(word, name)                                                                                                \
  { word, offsetof(thirl_tune_demand, name) }
static const struct {
  const char *word;
  size_t at;
} keys[] = {KEY("clients", clients), KEY("tcp", tcp), KEY("relays", relays), KEY("pps", pps),
            KEY("stall-ms", stall_ms)};

/* 1000000, 1e6, 40k, 1M */
static bool number(thirl_tune_text t, int64_t *out) {
  thirl_tune_text front;
  int64_t power = 0;
  if (t.n > 1 && (t.p[t.n - 1] == 'k' || t.p[t.n - 1] == 'K' || t.p[t.n - 1] == 'M')) {
    power = t.p[t.n - 1] == 'M' ? 6 : 3;
    t.n--;
  } else if (thirl_tune_text_cut(&t, 'e', &front)) {
    if (!thirl_tune_text_decimal(t, &power)) return false;
    t = front;
  }
  if (!thirl_tune_text_decimal(t, out)) return false;
  if (power < 0 || power > 12) *out = -1; /* out of range */
  for (; power > 0 && *out >= 0; power--)
    *out = *out > number_max ? number_max + 1 : *out * 10;
  return true;
}

static thirl_error set_ports(thirl_tune_demand *d, thirl_tune_text t) {
  thirl_tune_text front;
  int64_t first, last;
  if (!thirl_tune_text_cut(&t, '-', &front)) return THIRL_E_SYNTAX;
  if (!thirl_tune_text_decimal(front, &first) || !thirl_tune_text_decimal(t, &last)) return THIRL_E_SYNTAX;
  if (first < 1 || last > 65535 || first > last) return THIRL_E_RANGE;
  d->relay_first = first;
  d->relay_last = last;
  return THIRL_OK;
}

static thirl_error set(thirl_tune_demand *d, thirl_tune_text word) {
  thirl_tune_text key;
  int64_t v;
  if (!thirl_tune_text_cut(&word, '=', &key)) return THIRL_E_SYNTAX;
  if (thirl_tune_text_is(key, "relay-ports")) return set_ports(d, word);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    if (!thirl_tune_text_is(key, keys[i].word)) continue;
    if (!number(word, &v)) return THIRL_E_SYNTAX;
    if (v < 0 || v > number_max) return THIRL_E_RANGE;
    memcpy((char *)d + keys[i].at, &v, sizeof v);
    return THIRL_OK;
  }
  return THIRL_E_SYNTAX;
}

thirl_error thirl_tune_demand_parse(thirl_tune_demand *d, const char *text, const char **at, unsigned *n) {
  thirl_tune_text rest = thirl_tune_text_of(text), word;
  thirl_tune_demand result = *d;
  bool more = true;
  while (more) {
    more = thirl_tune_text_cut(&rest, ',', &word);
    if (!more) word = rest;
    thirl_error e = set(&result, word);
    if (e != THIRL_OK) {
      *at = word.p;
      *n = (unsigned)word.n;
      return e;
    }
  }
  result.is_given = true;
  *d = result;
  return THIRL_OK;
}
