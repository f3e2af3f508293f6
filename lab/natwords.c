/* SPDX-License-Identifier: MIT */
#include "lab/natwords.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PRESET "portrestricted"

/* A day and a half at most, so that nobody waits for a typing mistake. */
#define TIMEOUT_MAX (36 * 3600 * THIRL_S)

enum { VALUE_MAX = 96 };

static const thirl_lab_words_choice modes[] = {
    {"nat", THIRL_NATBOX_TRANSLATE}, {"firewall", THIRL_NATBOX_FIREWALL}, {"route", THIRL_NATBOX_ROUTE}, {NULL, 0}};
static const thirl_lab_words_choice mappings[] = {
    {"eim", THIRL_NATBOX_EIM}, {"adm", THIRL_NATBOX_ADM}, {"apdm", THIRL_NATBOX_APDM}, {NULL, 0}};
static const thirl_lab_words_choice filterings[] = {
    {"eif", THIRL_NATBOX_EIF}, {"adf", THIRL_NATBOX_ADF}, {"apdf", THIRL_NATBOX_APDF}, {NULL, 0}};
static const thirl_lab_words_choice allocations[] = {{"preserve", THIRL_NATBOX_PRESERVE},
                                                     {"seq", THIRL_NATBOX_SEQUENTIAL},
                                                     {"random", THIRL_NATBOX_RANDOM},
                                                     {"block", THIRL_NATBOX_BLOCK},
                                                     {NULL, 0}};
static const thirl_lab_words_choice collisions[] = {{"random", THIRL_NATBOX_COLLIDE_RANDOM},
                                                    {"next", THIRL_NATBOX_COLLIDE_NEXT},
                                                    {"evict", THIRL_NATBOX_COLLIDE_EVICT},
                                                    {"overlap", THIRL_NATBOX_COLLIDE_OVERLAP},
                                                    {NULL, 0}};
static const thirl_lab_words_choice answers[] = {{"drop", THIRL_NATBOX_DROP},      {"rst", THIRL_NATBOX_RST_BACK},
                                                 {"icmp", THIRL_NATBOX_ICMP_BACK}, {"hold", THIRL_NATBOX_HOLD},
                                                 {"local", THIRL_NATBOX_LOCAL},    {NULL, 0}};
static const thirl_lab_words_choice refreshes[] = {
    {"both", THIRL_NATBOX_REFRESH_BOTH}, {"out", THIRL_NATBOX_REFRESH_OUT}, {"in", THIRL_NATBOX_REFRESH_IN}, {NULL, 0}};
static const thirl_lab_words_choice hairpins[] = {
    {"off", THIRL_NATBOX_HAIRPIN_OFF}, {"external", THIRL_NATBOX_HAIRPIN_EXTERNAL}, {NULL, 0}};
static const thirl_lab_words_choice trackings[] = {
    {"strict", THIRL_NATBOX_STRICT}, {"loose", THIRL_NATBOX_LOOSE}, {NULL, 0}};
static const thirl_lab_words_choice resets[] = {
    {"deletes", THIRL_NATBOX_RST_DELETES}, {"keeps", THIRL_NATBOX_RST_KEEPS}, {NULL, 0}};
static const thirl_lab_words_choice without[] = {{"yes", false}, {"no", true}, {NULL, 0}};

typedef enum kind {
  CHOICE,  /* an enum */
  FLAG,    /* a bool, with words for its two values */
  COUNT32, /* a whole number */
  /* of the whole of thirl_natbox_rules */
  ALLOC,
  PORTS,
  TIMEOUTS
} kind;

typedef struct row {
  const char *word;
  kind kind;
  size_t offset;
  const thirl_lab_words_choice *choices;
  const char *wants; /* where choices do not say it */
} row;

#define RULE(name) offsetof(thirl_natbox_rules, name)
static const row rule_rows[] = {
    {"map", CHOICE, RULE(mapping), mappings, NULL},
    {"filter", CHOICE, RULE(filtering), filterings, NULL},
    {"alloc", ALLOC, 0, NULL, "preserve, random, seq, seq:STEP, block or block:PORTS"},
    {"collision", CHOICE, RULE(collision), collisions, NULL},
    {"ports", PORTS, 0, NULL, "a range such as 1024-65535"},
    {"unsolicited", CHOICE, RULE(unsolicited), answers, NULL},
    {"refresh", CHOICE, RULE(refresh), refreshes, NULL},
    {"timeout", TIMEOUTS, 0, NULL, "up to three times such as 30s/120s/60s: new, open, closing"},
};
enum { N_RULE_ROWS = sizeof rule_rows / sizeof *rule_rows };

#define NAT(name) offsetof(thirl_natbox_config, name)
static const row nat_rows[] = {
    {"mode", CHOICE, NAT(mode), modes, NULL},
    {"hairpin", CHOICE, NAT(hairpin), hairpins, NULL},
    {"tracking", CHOICE, NAT(tracking), trackings, NULL},
    {"reset", CHOICE, NAT(rst), resets, NULL},
    {"pickup", FLAG, NAT(without_pickup), without, NULL},
    {"icmp-errors", FLAG, NAT(without_icmp_errors), without, NULL},
    {"max-sessions", COUNT32, NAT(max_sessions), NULL, "a number from 0 (the most there can be) to 1000000"},
};
enum { N_NAT_ROWS = sizeof nat_rows / sizeof *nat_rows };

thirl_natbox_config thirl_lab_natwords_default(thirl_addr external) {
  thirl_natbox_config c = {0};
  thirl_error e = thirl_natbox_config_preset(DEFAULT_PRESET, external, &c);
  assert(e == THIRL_OK);
  (void)e;
  return c;
}

/* ---- text to value ---- */

static bool read_alloc(const char *text, thirl_natbox_rules *r) {
  char word[VALUE_MAX];
  unsigned v;
  const char *colon = strchr(text, ':');
  size_t n = colon ? (size_t)(colon - text) : strlen(text);
  if (n >= sizeof word) return false;
  memcpy(word, text, n);
  word[n] = '\0';
  if (!thirl_lab_words_choose(allocations, word, &v)) return false;
  if (colon) {
    uint64_t number;
    if (v != THIRL_NATBOX_SEQUENTIAL && v != THIRL_NATBOX_BLOCK) return false;
    if (!thirl_lab_words_number(colon + 1, 1, 32768, &number)) return false;
    if (v == THIRL_NATBOX_SEQUENTIAL)
      r->step = (uint16_t)number;
    else
      r->block = (uint16_t)number;
  }
  r->allocation = (thirl_natbox_allocation)v;
  return true;
}

/* Cuts text at each separator; how many pieces, or 0: more than max, too long. */
static size_t cut(const char *text, char separator, char *copy, char **pieces, size_t max) {
  size_t n = 0;
  if (strlen(text) >= VALUE_MAX) return 0;
  memcpy(copy, text, strlen(text) + 1);
  for (char *at = copy; at;) {
    if (n == max) return 0;
    pieces[n++] = at;
    at = strchr(at, separator);
    if (at) *at++ = '\0';
  }
  return n;
}

static bool read_ports(const char *text, thirl_natbox_rules *r) {
  char copy[VALUE_MAX], *piece[2];
  uint64_t lo, hi;
  if (cut(text, '-', copy, piece, 2) != 2) return false;
  if (!thirl_lab_words_number(piece[0], 1, 65535, &lo) || !thirl_lab_words_number(piece[1], lo, 65535, &hi))
    return false;
  r->port_lo = (uint16_t)lo;
  r->port_hi = (uint16_t)hi;
  return true;
}

/* One time is for all three, two are for new and open. */
static bool read_timeouts(const char *text, thirl_natbox_rules *r) {
  char copy[VALUE_MAX], *piece[3];
  thirl_time t[3];
  size_t n = cut(text, '/', copy, piece, 3);
  if (n == 0) return false;
  for (size_t i = 0; i < n; i++)
    if (!thirl_lab_words_time(piece[i], THIRL_S, &t[i]) || t[i] == 0 || t[i] > TIMEOUT_MAX) return false;
  r->new_timeout = t[0];
  if (n != 2) r->close_timeout = t[n - 1];
  r->open_timeout = n == 1 ? t[0] : t[1];
  return true;
}

/* base: a thirl_natbox_rules or the thirl_natbox_config, whatever the row is of. */
static bool read_value(const row *r, const char *text, void *base) {
  char *at = (char *)base + r->offset;
  unsigned v;
  uint64_t n;
  switch (r->kind) {
  case CHOICE:
    if (!thirl_lab_words_choose(r->choices, text, &v)) return false;
    memcpy(at, &v, sizeof v);
    return true;
  case FLAG:
    if (!thirl_lab_words_choose(r->choices, text, &v)) return false;
    *(bool *)at = v != 0;
    return true;
  case COUNT32: {
    if (!thirl_lab_words_number(text, 0, 1000000, &n)) return false;
    uint32_t count = (uint32_t)n;
    memcpy(at, &count, sizeof count);
    return true;
  }
  case ALLOC:
    return read_alloc(text, base);
  case PORTS:
    return read_ports(text, base);
  case TIMEOUTS:
    return read_timeouts(text, base);
  }
  return false;
}

static thirl_error complain_about_value(const row *r, const char *value, thirl_lab_complaint *why) {
  char list[VALUE_MAX];
  const char *wants = r->wants ? r->wants : thirl_lab_words_list(r->choices, list, sizeof list);
  return thirl_lab_words_complain(why, THIRL_E_SYNTAX, "%s wants %s, not \"%.40s\"", r->word, wants, value);
}

static const row *find(const row *rows, size_t count, const char *word, size_t n) {
  for (size_t i = 0; i < count; i++)
    if (strlen(rows[i].word) == n && memcmp(rows[i].word, word, n) == 0) return &rows[i];
  return NULL;
}

static thirl_error set_preset(thirl_natbox_config *c, const char *name, thirl_lab_complaint *why) {
  if (thirl_natbox_config_preset(name, c->external, c) == THIRL_OK) return THIRL_OK;
  char list[THIRL_LAB_COMPLAINT_MAX] = "";
  size_t used = 0;
  const char *known;
  for (unsigned i = 0; (known = thirl_natbox_config_preset_name(i)) && used < sizeof list; i++)
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", known);
  return thirl_lab_words_complain(why, THIRL_E_SYNTAX, "there is no preset \"%.40s\", but %s", name, list);
}

static thirl_error complain_about_word(const char *word, size_t n, thirl_lab_complaint *why) {
  char list[THIRL_LAB_COMPLAINT_MAX] = "preset";
  size_t used = strlen(list);
  for (size_t i = 0; i < N_RULE_ROWS + N_NAT_ROWS && used < sizeof list; i++)
    used += (size_t)snprintf(list + used, sizeof list - used, ", %s",
                             i < N_RULE_ROWS ? rule_rows[i].word : nat_rows[i - N_RULE_ROWS].word);
  return thirl_lab_words_complain(why, THIRL_E_SYNTAX, "\"%.*s\" is nothing that a NAT can have: %s",
                                  (int)(n < 40 ? n : 40), word, list);
}

thirl_error thirl_lab_natwords_set(thirl_natbox_config *c, const char *word, thirl_lab_complaint *why) {
  const char *equals = strchr(word, '=');
  size_t n = equals ? (size_t)(equals - word) : strlen(word);
  if (!equals) return complain_about_word(word, n, why);
  const char *value = equals + 1;
  bool for_udp = strncmp(word, "tcp.", 4) != 0, for_tcp = strncmp(word, "udp.", 4) != 0;
  size_t before = for_udp && for_tcp ? 0 : 4;
  if (before == 0 && n == 6 && memcmp(word, "preset", n) == 0) return set_preset(c, value, why);
  const row *r = before == 0 ? find(nat_rows, N_NAT_ROWS, word, n) : NULL;
  if (r) return read_value(r, value, c) ? THIRL_OK : complain_about_value(r, value, why);
  r = find(rule_rows, N_RULE_ROWS, word + before, n - before);
  if (!r) return complain_about_word(word, n, why);
  thirl_natbox_config changed = *c;
  if ((for_udp && !read_value(r, value, &changed.udp)) || (for_tcp && !read_value(r, value, &changed.tcp)))
    return complain_about_value(r, value, why);
  *c = changed;
  return THIRL_OK;
}

/* ---- value to text ---- */

static void format_time(thirl_time t, char *out, size_t size) {
  if (t % THIRL_S == 0)
    snprintf(out, size, "%" PRIu64 "s", t / THIRL_S);
  else if (t % THIRL_MS == 0)
    snprintf(out, size, "%" PRIu64 "ms", t / THIRL_MS);
  else
    snprintf(out, size, "%" PRIu64 "us", t);
}

static void format_timeouts(const thirl_natbox_rules *r, char *out) {
  char fresh[24], open[24], closing[24];
  format_time(r->new_timeout, fresh, sizeof fresh);
  format_time(r->open_timeout, open, sizeof open);
  format_time(r->close_timeout, closing, sizeof closing);
  snprintf(out, VALUE_MAX, "%s/%s/%s", fresh, open, closing);
}

static void format_alloc(const thirl_natbox_rules *r, char *out) {
  const char *word = thirl_lab_words_name_of(allocations, r->allocation);
  if (r->allocation == THIRL_NATBOX_SEQUENTIAL && r->step != 1)
    snprintf(out, VALUE_MAX, "%s:%u", word, r->step);
  else if (r->allocation == THIRL_NATBOX_BLOCK)
    snprintf(out, VALUE_MAX, "%s:%u", word, r->block);
  else
    snprintf(out, VALUE_MAX, "%s", word);
}

static void format_value(const row *r, const void *base, char *out) {
  const char *at = (const char *)base + r->offset;
  const thirl_natbox_rules *rules = base;
  unsigned v;
  switch (r->kind) {
  case CHOICE:
    memcpy(&v, at, sizeof v);
    snprintf(out, VALUE_MAX, "%s", thirl_lab_words_name_of(r->choices, v));
    break;
  case FLAG:
    snprintf(out, VALUE_MAX, "%s", thirl_lab_words_name_of(r->choices, *(const bool *)at));
    break;
  case COUNT32: {
    uint32_t count;
    memcpy(&count, at, sizeof count);
    snprintf(out, VALUE_MAX, "%" PRIu32, count);
    break;
  }
  case ALLOC:
    format_alloc(rules, out);
    break;
  case PORTS:
    snprintf(out, VALUE_MAX, "%u-%u", rules->port_lo, rules->port_hi);
    break;
  case TIMEOUTS:
    format_timeouts(rules, out);
    break;
  }
}

typedef struct line {
  char *out;
  size_t size, used;
  unsigned n_words;
} line;

static void add(line *l, const char *before, const char *word, const char *value) {
  size_t left = l->size - l->used;
  int n = snprintf(l->out + l->used, left, "%s%s%s=%s", l->n_words ? " " : "", before, word, value);
  l->n_words++;
  if (n > 0) l->used += THIRL_MIN((size_t)n, left - 1);
}

static bool differs(const row *r, const void *a, const void *b, char *value) {
  char other[VALUE_MAX];
  format_value(r, a, value);
  format_value(r, b, other);
  return strcmp(value, other) != 0;
}

/* c as a departure from a preset. */
static void describe(line *l, const thirl_natbox_config *c, const char *name) {
  thirl_natbox_config base = {0};
  char udp[VALUE_MAX], tcp[VALUE_MAX];
  if (thirl_natbox_config_preset(name, c->external, &base) != THIRL_OK) return;
  add(l, "", "preset", name);
  for (size_t i = 0; i < N_RULE_ROWS; i++) {
    const row *r = &rule_rows[i];
    bool u = differs(r, &c->udp, &base.udp, udp), t = differs(r, &c->tcp, &base.tcp, tcp);
    if ((u || t) && strcmp(udp, tcp) == 0) {
      add(l, "", r->word, udp);
      continue;
    }
    if (u) add(l, "udp.", r->word, udp);
    if (t) add(l, "tcp.", r->word, tcp);
  }
  for (size_t i = 0; i < N_NAT_ROWS; i++)
    if (differs(&nat_rows[i], c, &base, udp)) add(l, "", nat_rows[i].word, udp);
}

const char *thirl_lab_natwords_format(const thirl_natbox_config *c, char *out, size_t size) {
  const char *best = NULL, *name;
  unsigned fewest = 0;
  for (unsigned i = 0; (name = thirl_natbox_config_preset_name(i)); i++) {
    line l = {.out = out, .size = size};
    describe(&l, c, name);
    if (best && l.n_words >= fewest) continue;
    best = name;
    fewest = l.n_words;
  }
  line l = {.out = out, .size = size};
  *out = '\0';
  if (best) describe(&l, c, best);
  return out;
}
