/* SPDX-License-Identifier: MIT */
/* Words to a config. The other way: words_format.c. */
#include "natbox/words.h"

#include <string.h>

const thirl_natbox_word *thirl_natbox_words_get(unsigned index) {
  const thirl_natbox_entry *w = thirl_natbox_wordtable_get(index);
  return w ? &w->word : NULL;
}

/* The place of a value in "a|b[:N]|c", and what follows a ":"; -1 when it is not there. */
static int choice_of(const char *values, const char *value, const char **rest) {
  size_t n = strcspn(value, ":");
  *rest = value[n] == ':' ? value + n + 1 : NULL;
  int i = 0;
  for (const char *v = values;; i++) {
    size_t len = strcspn(v, "|[");
    bool takes_number = v[len] == '[';
    if (len == n && strncmp(v, value, n) == 0) return *rest && !takes_number ? -1 : i;
    v += strcspn(v, "|");
    if (*v == '\0') return -1;
    v++;
  }
}

/* A decimal number; *end is where it stops. */
static thirl_error read_number(const char *text, uint64_t max, uint64_t *out, const char **end) {
  uint64_t n = 0;
  const char *p = text;
  for (; *p >= '0' && *p <= '9'; p++) {
    n = n * 10 + (uint64_t)(*p - '0');
    if (n > max) return THIRL_E_RANGE;
  }
  *out = n;
  *end = p;
  return p == text ? THIRL_E_SYNTAX : THIRL_OK;
}

static thirl_error read_whole_number(const char *text, uint64_t min, uint64_t max, uint64_t *out) {
  const char *end = NULL;
  thirl_error e = read_number(text, max, out, &end);
  if (e != THIRL_OK) return e;
  if (*end != '\0') return THIRL_E_SYNTAX;
  return *out < min ? THIRL_E_RANGE : THIRL_OK;
}

static thirl_time unit_of(const char *text, size_t *len) {
  static const struct {
    const char *name;
    thirl_time unit;
  } units[] = {{"ms", THIRL_MS}, {"s", THIRL_S}, {"m", 60 * THIRL_S}, {"h", 3600 * THIRL_S}};
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    *len = strlen(units[i].name);
    if (strncmp(text, units[i].name, *len) == 0) return units[i].unit;
  }
  *len = 0;
  return THIRL_S;
}

static thirl_error read_time(const char *text, thirl_time *out, const char **end) {
  enum { DAYS_MAX = 366 };
  uint64_t whole = 0, fraction = 0, scale = 1;
  thirl_error e = read_number(text, UINT32_MAX, &whole, end);
  if (e != THIRL_OK) return e;
  if (**end == '.') {
    const char *digits = *end + 1;
    e = read_number(digits, 999999, &fraction, end);
    if (e != THIRL_OK) return e;
    for (const char *p = digits; p < *end; p++)
      scale *= 10;
    if (scale > 1000000) return THIRL_E_SYNTAX;
  }
  size_t unit_len = 0;
  thirl_time unit = unit_of(*end, &unit_len);
  *end += unit_len;
  *out = whole * unit + fraction * unit / scale;
  return *out > (thirl_time)DAYS_MAX * 86400 * THIRL_S ? THIRL_E_RANGE : THIRL_OK;
}

/* One value stands for all, two leave the third as it is. */
static thirl_error read_times(const char *text, thirl_natbox_rules *rules) {
  thirl_time t[3] = {0};
  unsigned n = 0;
  for (;;) {
    thirl_error e = read_time(text, &t[n], &text);
    if (e != THIRL_OK) return e;
    if (t[n++] == 0) return THIRL_E_RANGE;
    if (*text == '\0') break;
    if (*text++ != '/' || n == 3) return THIRL_E_SYNTAX;
  }
  rules->new_timeout = t[0];
  rules->open_timeout = n > 1 ? t[1] : t[0];
  if (n != 2) rules->close_timeout = n > 2 ? t[2] : t[0];
  return THIRL_OK;
}

static thirl_error read_allocation(const thirl_natbox_entry *w, const char *value, thirl_natbox_rules *rules) {
  const char *rest = NULL;
  uint64_t n = 0;
  int choice = choice_of(w->word.values, value, &rest);
  if (choice < 0) return THIRL_E_SYNTAX;
  if (rest) {
    thirl_error e = read_whole_number(rest, 1, UINT16_MAX, &n);
    if (e != THIRL_OK) return e;
    *(choice == THIRL_NATBOX_SEQUENTIAL ? &rules->step : &rules->block) = (uint16_t)n;
  }
  rules->allocation = (thirl_natbox_allocation)choice;
  return THIRL_OK;
}

static thirl_error read_range(const char *value, thirl_natbox_rules *rules) {
  uint64_t lo = 0, hi = 0;
  const char *end = NULL;
  thirl_error e = read_number(value, UINT16_MAX, &lo, &end);
  if (e != THIRL_OK) return e;
  if (*end != '-') return THIRL_E_SYNTAX;
  e = read_whole_number(end + 1, 1, UINT16_MAX, &hi);
  if (e != THIRL_OK) return e;
  if (lo == 0 || lo > hi) return THIRL_E_RANGE;
  rules->port_lo = (uint16_t)lo;
  rules->port_hi = (uint16_t)hi;
  return THIRL_OK;
}

static thirl_error read_allow(const char *value, thirl_natbox_rules *rules) {
  rules->n_allow = 0;
  rules->only_allowed = strcmp(value, "any") != 0;
  if (!rules->only_allowed || strcmp(value, "none") == 0) return THIRL_OK;
  for (;;) {
    uint64_t port = 0;
    thirl_error e = read_number(value, UINT16_MAX, &port, &value);
    if (e != THIRL_OK) return e;
    if (port == 0 || rules->n_allow == THIRL_NATBOX_ALLOW_MAX) return THIRL_E_RANGE;
    rules->allow[rules->n_allow++] = (uint16_t)port;
    if (*value == '\0') return THIRL_OK;
    if (*value++ != ',') return THIRL_E_SYNTAX;
  }
}

/* An address without port, up to one of the stops; *end is behind it. */
static thirl_error read_addr(const char *text, const char *stops, thirl_addr *out, const char **end) {
  char one[THIRL_ADDR_TEXT_MAX];
  size_t n = strcspn(text, stops);
  if (n == 0 || n >= sizeof one) return THIRL_E_SYNTAX;
  memcpy(one, text, n);
  one[n] = '\0';
  *end = text + n;
  if (thirl_addr_parse(one, out) != THIRL_OK || out->port != 0) return THIRL_E_SYNTAX;
  return THIRL_OK;
}

static thirl_error read_pool(const char *value, thirl_natbox_config *c) {
  c->n_pool = 0;
  memset(c->pool, 0, sizeof c->pool);
  if (strcmp(value, "none") == 0) return THIRL_OK;
  for (;;) {
    if (c->n_pool == THIRL_NATBOX_POOL_MAX) return THIRL_E_RANGE;
    thirl_error e = read_addr(value, ",", &c->pool[c->n_pool++], &value);
    if (e != THIRL_OK) return e;
    if (*value++ == '\0') return THIRL_OK;
  }
}

static thirl_error read_prefix(const char *value, thirl_natbox_config *c) {
  enum { BITS_MAX = 64 };
  uint64_t bits = 0;
  thirl_error e = read_addr(value, "/", &c->inner_prefix, &value);
  if (e != THIRL_OK) return e;
  if (*value++ != '/' || c->inner_prefix.family != THIRL_FAMILY_V6) return THIRL_E_SYNTAX;
  e = read_whole_number(value, 1, BITS_MAX, &bits);
  c->prefix_bits = (uint8_t)bits;
  return e;
}

static thirl_error read_preset(const char *name, thirl_natbox_config *c) {
  thirl_natbox_config made;
  if (thirl_natbox_config_preset(name, c->external, &made) != THIRL_OK) return THIRL_E_SYNTAX;
  made.n_pool = c->n_pool;
  memcpy(made.pool, c->pool, sizeof made.pool);
  made.inner_prefix = c->inner_prefix;
  made.prefix_bits = c->prefix_bits;
  *c = made;
  return THIRL_OK;
}

static thirl_error read_scalar(const thirl_natbox_entry *w, const char *value, void *field) {
  const char *end = NULL;
  uint64_t n = 0;
  thirl_time t = 0;
  thirl_error e = THIRL_OK;
  switch (w->kind) {
  case THIRL_NATBOX_WORD_TIME:
    e = read_time(value, &t, &end);
    if (e == THIRL_OK && *end != '\0') e = THIRL_E_SYNTAX;
    memcpy(field, &t, sizeof t);
    return e;
  case THIRL_NATBOX_WORD_NUMBER:
    e = read_whole_number(value, 0, UINT16_MAX, &n);
    memcpy(field, &(uint16_t){(uint16_t)n}, sizeof(uint16_t));
    return e;
  case THIRL_NATBOX_WORD_COUNT:
    e = read_whole_number(value, 0, UINT32_MAX, &n);
    memcpy(field, &(uint32_t){(uint32_t)n}, sizeof(uint32_t));
    return e;
  default:
    break;
  }
  int choice = choice_of(w->word.values, value, &end);
  if (choice < 0) return THIRL_E_SYNTAX;
  if (w->kind == THIRL_NATBOX_WORD_SWITCH)
    memcpy(field, &(bool){choice == 1}, sizeof(bool));
  else
    memcpy(field, &(unsigned){(unsigned)choice}, sizeof(unsigned));
  return THIRL_OK;
}

static thirl_error read_rule(const thirl_natbox_entry *w, const char *value, thirl_natbox_rules *rules) {
  switch (w->kind) {
  case THIRL_NATBOX_WORD_ALLOCATION:
    return read_allocation(w, value, rules);
  case THIRL_NATBOX_WORD_TIMES:
    return read_times(value, rules);
  case THIRL_NATBOX_WORD_RANGE:
    return read_range(value, rules);
  case THIRL_NATBOX_WORD_ALLOW:
    return read_allow(value, rules);
  default:
    return read_scalar(w, value, (char *)rules + w->offset);
  }
}

static thirl_error read_value(const thirl_natbox_entry *w, const char *value, bool udp, bool tcp,
                              thirl_natbox_config *c) {
  thirl_error e = THIRL_OK;
  if (w->word.per_protocol) {
    if (udp) e = read_rule(w, value, &c->udp);
    if (e == THIRL_OK && tcp) e = read_rule(w, value, &c->tcp);
    return e;
  }
  switch (w->kind) {
  case THIRL_NATBOX_WORD_POOL:
    return read_pool(value, c);
  case THIRL_NATBOX_WORD_PREFIX:
    return read_prefix(value, c);
  case THIRL_NATBOX_WORD_PRESET:
    return read_preset(value, c);
  default:
    return read_scalar(w, value, (char *)c + w->offset);
  }
}

thirl_error thirl_natbox_words_set(thirl_natbox_config *c, const char *word, size_t len,
                                   const thirl_natbox_word **which) {
  char text[THIRL_NATBOX_WORD_MAX];
  const char *name = text;
  if (which) *which = NULL;
  if (len >= sizeof text || memchr(word, '\0', len)) return THIRL_E_NOT_FOUND;
  memcpy(text, word, len);
  text[len] = '\0';
  char *value = strchr(text, '=');
  if (!value) return THIRL_E_NOT_FOUND;
  *value++ = '\0';
  bool udp = strncmp(text, "udp.", 4) == 0, tcp = strncmp(text, "tcp.", 4) == 0;
  if (udp || tcp) name += 4;
  const thirl_natbox_entry *w = NULL;
  for (unsigned i = 0; (w = thirl_natbox_wordtable_get(i)) != NULL; i++) {
    if (strcmp(w->word.name, name) != 0 || ((udp || tcp) && !w->word.per_protocol)) continue;
    if (which) *which = &w->word;
    thirl_natbox_config changed = *c;
    thirl_error e = read_value(w, value, !tcp, !udp, &changed);
    if (e == THIRL_OK) *c = changed;
    return e;
  }
  return THIRL_E_NOT_FOUND;
}
