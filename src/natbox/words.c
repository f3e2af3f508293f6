/* SPDX-License-Identifier: MIT */
#include "natbox/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum kind {
  KIND_CHOICE,     /* an enum: its values are those of the table, in the same order */
  KIND_SWITCH,     /* a bool: the second value is true */
  KIND_ALLOCATION, /* a choice that may have a number */
  KIND_TIMES,      /* new, open and close time */
  KIND_TIME,
  KIND_NUMBER, /* uint16_t */
  KIND_COUNT,  /* uint32_t */
  KIND_RANGE,  /* two uint16_t */
  KIND_ALLOW,
  KIND_POOL,
  KIND_PREFIX,
  KIND_PRESET
} kind;

/* offset: into thirl_natbox_rules when the word is one of a protocol, else into thirl_natbox_config. */
typedef struct entry {
  thirl_natbox_word word;
  kind kind;
  size_t offset;
} entry;

#define OF_RULES(field)  offsetof(thirl_natbox_rules, field)
#define OF_CONFIG(field) offsetof(thirl_natbox_config, field)

static const entry entries[] = {
    {{"preset", "NAME", "everything below at once, see the list of presets", false}, KIND_PRESET, 0},
    {{"mode", "nat|firewall|route|nptv6", "what the box is", false}, KIND_CHOICE, OF_CONFIG(mode)},
    {{"map", "eim|adm|apdm",
      "two flows of one inner endpoint share an outer port: always, to one address, to one address and port (RFC 4787)",
      true},
     KIND_CHOICE,
     OF_RULES(mapping)},
    {{"filter", "eif|adf|apdf", "who may send to an outer port: everybody, an address or an endpoint that was sent to",
      true},
     KIND_CHOICE,
     OF_RULES(filtering)},
    {{"alloc", "preserve|seq[:STEP]|random|block[:PORTS]",
      "the outer port: the inner one, the last plus STEP, any, any of a block that belongs to the inner host", true},
     KIND_ALLOCATION,
     OF_RULES(allocation)},
    {{"collide", "random|next|evict|overlap",
      "alloc=preserve and the port is taken: any other, the next one, take it away, share it while the remote differs",
      true},
     KIND_CHOICE,
     OF_RULES(collision)},
    {{"ports", "LOW-HIGH", "the range of outer ports", true}, KIND_RANGE, OF_RULES(port_lo)},
    {{"unsolicited", "drop|rst|icmp|hold|local",
      "a packet that nobody asked for: silence, RST, ICMP, RFC 5382's six seconds and then ICMP, the router itself "
      "answers",
      true},
     KIND_CHOICE,
     OF_RULES(unsolicited)},
    {{"timeout", "NEW[/OPEN[/CLOSE]]",
      "a flow lives so long after its last packet: not answered yet, answered, TCP after FIN or RST", true},
     KIND_TIMES,
     OF_RULES(new_timeout)},
    {{"map-timeout", "TIME", "a mapping outlives its flows for so long; 0: it ends with them", true},
     KIND_TIME,
     OF_RULES(map_timeout)},
    {{"refresh", "both|out|in", "which packets begin these times anew", true}, KIND_CHOICE, OF_RULES(refresh)},
    {{"hold-down", "TIME", "nobody else gets an outer port so soon after its mapping ended (RFC 6888: 120)", true},
     KIND_TIME,
     OF_RULES(hold_down)},
    {{"max-ports", "NUMBER", "outer ports of one inner host at most; 0: as many as there are", true},
     KIND_NUMBER,
     OF_RULES(max_ports)},
    {{"allow", "any|none|PORT[,PORT...]", "a firewall: the only remote ports that may be spoken to", true},
     KIND_ALLOW,
     OF_RULES(only_allowed)},
    {{"refuse", "drop|icmp|rst", "what the inside hears when the firewall says no", true},
     KIND_CHOICE,
     OF_RULES(refusal)},
    {{"hairpin", "off|external|internal|local",
      "a packet from the inside to the outer address: lost, comes back in with its outer or its inner source, or the "
      "router answers",
      false},
     KIND_CHOICE,
     OF_CONFIG(hairpin)},
    {{"tracking", "strict|loose", "TCP segments that do not fit their connection are dropped, or let through", false},
     KIND_CHOICE,
     OF_CONFIG(tracking)},
    {{"rst", "delete|keep", "what a RST does to a flow without an answer: ends it, or it lives on (RFC 7857)", false},
     KIND_CHOICE,
     OF_CONFIG(rst)},
    {{"pickup", "on|off", "a TCP segment from the inside that belongs to no connection begins a flow", false},
     KIND_SWITCH,
     OF_CONFIG(without_pickup)},
    {{"icmp", "translate|drop", "ICMP errors from outside", false}, KIND_SWITCH, OF_CONFIG(without_icmp_errors)},
    {{"ping", "pass|drop", "ICMP echo", false}, KIND_SWITCH, OF_CONFIG(without_echo)},
    {{"alg", "none|payload", "addresses inside UDP payloads are translated too, as some routers do", false},
     KIND_CHOICE,
     OF_CONFIG(alg)},
    {{"pool", "none|ADDRESS[,ADDRESS...]", "outer addresses beside the first", false}, KIND_POOL, OF_CONFIG(n_pool)},
    {{"pooling", "paired|arbitrary", "which outer address: always the same for one inner host, or any (RFC 4787)",
      false},
     KIND_CHOICE,
     OF_CONFIG(pooling)},
    {{"prefix", "ADDRESS/BITS", "mode=nptv6: the inner prefix; the outer one is as long (RFC 6296)", false},
     KIND_PREFIX,
     OF_CONFIG(inner_prefix)},
    {{"sessions", "NUMBER", "flows at most; 0: as many as the box can hold", false},
     KIND_COUNT,
     OF_CONFIG(max_sessions)},
};
enum { N_ENTRIES = sizeof entries / sizeof *entries };

const thirl_natbox_word *thirl_natbox_words_get(unsigned index) {
  return index < N_ENTRIES ? &entries[index].word : NULL;
}

/* --- reading ------------------------------------------------------------------------------------------------------------------------ */

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

static thirl_error read_allocation(const entry *w, const char *value, thirl_natbox_rules *rules) {
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

static thirl_error read_scalar(const entry *w, const char *value, void *field) {
  const char *end = NULL;
  uint64_t n = 0;
  thirl_time t = 0;
  thirl_error e = THIRL_OK;
  switch (w->kind) {
  case KIND_TIME:
    e = read_time(value, &t, &end);
    if (e == THIRL_OK && *end != '\0') e = THIRL_E_SYNTAX;
    memcpy(field, &t, sizeof t);
    return e;
  case KIND_NUMBER:
    e = read_whole_number(value, 0, UINT16_MAX, &n);
    memcpy(field, &(uint16_t){(uint16_t)n}, sizeof(uint16_t));
    return e;
  case KIND_COUNT:
    e = read_whole_number(value, 0, UINT32_MAX, &n);
    memcpy(field, &(uint32_t){(uint32_t)n}, sizeof(uint32_t));
    return e;
  default:
    break;
  }
  int choice = choice_of(w->word.values, value, &end);
  if (choice < 0) return THIRL_E_SYNTAX;
  if (w->kind == KIND_SWITCH)
    memcpy(field, &(bool){choice == 1}, sizeof(bool));
  else
    memcpy(field, &(unsigned){(unsigned)choice}, sizeof(unsigned));
  return THIRL_OK;
}

static thirl_error read_rule(const entry *w, const char *value, thirl_natbox_rules *rules) {
  switch (w->kind) {
  case KIND_ALLOCATION:
    return read_allocation(w, value, rules);
  case KIND_TIMES:
    return read_times(value, rules);
  case KIND_RANGE:
    return read_range(value, rules);
  case KIND_ALLOW:
    return read_allow(value, rules);
  default:
    return read_scalar(w, value, (char *)rules + w->offset);
  }
}

static thirl_error read_value(const entry *w, const char *value, bool udp, bool tcp, thirl_natbox_config *c) {
  thirl_error e = THIRL_OK;
  if (w->word.per_protocol) {
    if (udp) e = read_rule(w, value, &c->udp);
    if (e == THIRL_OK && tcp) e = read_rule(w, value, &c->tcp);
    return e;
  }
  switch (w->kind) {
  case KIND_POOL:
    return read_pool(value, c);
  case KIND_PREFIX:
    return read_prefix(value, c);
  case KIND_PRESET:
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
  for (size_t i = 0; i < N_ENTRIES; i++) {
    const entry *w = &entries[i];
    if (strcmp(w->word.name, name) != 0 || ((udp || tcp) && !w->word.per_protocol)) continue;
    if (which) *which = &w->word;
    thirl_natbox_config changed = *c;
    thirl_error e = read_value(w, value, !tcp, !udp, &changed);
    if (e == THIRL_OK) *c = changed;
    return e;
  }
  return THIRL_E_NOT_FOUND;
}

/* --- writing ------------------------------------------------------------------------------------------------------------------------ */

static size_t put(char *out, size_t at, const char *text, size_t n) {
  if (at + n < THIRL_NATBOX_WORD_MAX) memcpy(out + at, text, n);
  at = THIRL_MIN(at + n, (size_t)THIRL_NATBOX_WORD_MAX - 1);
  out[at] = '\0';
  return at;
}

static size_t put_number(char *out, size_t at, uint64_t n) {
  char text[24];
  int len = snprintf(text, sizeof text, "%llu", (unsigned long long)n);
  return put(out, at, text, (size_t)len);
}

/* Seconds, with as many decimals as it takes. */
static size_t put_time(char *out, size_t at, thirl_time t) {
  char text[32];
  size_t n =
      (size_t)snprintf(text, sizeof text, "%llu.%06u", (unsigned long long)(t / THIRL_S), (unsigned)(t % THIRL_S));
  while (text[n - 1] == '0')
    n--;
  if (text[n - 1] == '.') n--;
  return put(out, at, text, n);
}

static size_t put_addr(char *out, size_t at, const thirl_addr *a) {
  char text[THIRL_ADDR_TEXT_MAX];
  thirl_addr_format(a, text);
  char *begin = text[0] == '[' ? text + 1 : text, *end = strrchr(text, ':');
  if (end > text && end[-1] == ']') end--;
  return put(out, at, begin, (size_t)(end - begin));
}

static size_t put_choice(char *out, size_t at, const char *values, unsigned index) {
  for (; index > 0; index--)
    values += strcspn(values, "|") + 1;
  return put(out, at, values, strcspn(values, "|["));
}

static void write_allow(const thirl_natbox_rules *rules, char *out) {
  size_t at = 0;
  if (!rules->only_allowed || rules->n_allow == 0) at = put_choice(out, at, "any|none", rules->only_allowed);
  for (unsigned i = 0; rules->only_allowed && i < rules->n_allow; i++) {
    if (i > 0) at = put(out, at, ",", 1);
    at = put_number(out, at, rules->allow[i]);
  }
}

static void write_pool(const thirl_natbox_config *c, char *out) {
  size_t at = 0;
  if (c->n_pool == 0) put(out, at, "none", 4);
  for (unsigned i = 0; i < c->n_pool; i++) {
    if (i > 0) at = put(out, at, ",", 1);
    at = put_addr(out, at, &c->pool[i]);
  }
}

static void write_rule(const entry *w, const thirl_natbox_rules *rules, bool tcp, char *out) {
  size_t at = 0;
  switch (w->kind) {
  case KIND_ALLOCATION:
    at = put_choice(out, at, w->word.values, rules->allocation);
    if (rules->allocation == THIRL_NATBOX_SEQUENTIAL) put_number(out, put(out, at, ":", 1), rules->step);
    if (rules->allocation == THIRL_NATBOX_BLOCK) put_number(out, put(out, at, ":", 1), rules->block);
    break;
  case KIND_TIMES:
    at = put_time(out, at, rules->new_timeout);
    at = put_time(out, put(out, at, "/", 1), rules->open_timeout);
    if (tcp) put_time(out, put(out, at, "/", 1), rules->close_timeout);
    break;
  case KIND_RANGE:
    at = put_number(out, at, rules->port_lo);
    put_number(out, put(out, at, "-", 1), rules->port_hi);
    break;
  case KIND_ALLOW:
    write_allow(rules, out);
    break;
  default:
    break;
  }
}

static void write_scalar(const entry *w, const void *field, char *out) {
  thirl_time t = 0;
  uint16_t n = 0;
  uint32_t count = 0;
  unsigned choice = 0;
  bool on = false;
  switch (w->kind) {
  case KIND_TIME:
    memcpy(&t, field, sizeof t);
    put_time(out, 0, t);
    break;
  case KIND_NUMBER:
    memcpy(&n, field, sizeof n);
    put_number(out, 0, n);
    break;
  case KIND_COUNT:
    memcpy(&count, field, sizeof count);
    put_number(out, 0, count);
    break;
  case KIND_SWITCH:
    memcpy(&on, field, sizeof on);
    put_choice(out, 0, w->word.values, on);
    break;
  case KIND_CHOICE:
    memcpy(&choice, field, sizeof choice);
    put_choice(out, 0, w->word.values, choice);
    break;
  default:
    break;
  }
}

/* The value of a word as the config has it; "" when there is nothing to say. */
static void write_value(const entry *w, const thirl_natbox_config *c, bool tcp, char out[THIRL_NATBOX_WORD_MAX]) {
  out[0] = '\0';
  if (w->word.per_protocol) {
    const thirl_natbox_rules *rules = tcp ? &c->tcp : &c->udp;
    write_rule(w, rules, tcp, out);
    if (out[0] == '\0') write_scalar(w, (const char *)rules + w->offset, out);
    return;
  }
  if (w->kind == KIND_POOL)
    write_pool(c, out);
  else if (w->kind == KIND_PREFIX && c->prefix_bits)
    put_number(out, put(out, put_addr(out, 0, &c->inner_prefix), "/", 1), c->prefix_bits);
  else
    write_scalar(w, (const char *)c + w->offset, out);
}

typedef struct sheet {
  char *out;
  size_t size, at;
  bool full;
} sheet;

static void say(sheet *s, const char *protocol, const char *name, const char *value) {
  int n = snprintf(s->out + s->at, s->size - s->at, "%s%s%s=%s", s->at ? " " : "", protocol, name, value);
  if (n < 0 || (size_t)n >= s->size - s->at)
    s->full = true;
  else
    s->at += (size_t)n;
}

static void say_word(sheet *s, const entry *w, const thirl_natbox_config *c, const thirl_natbox_config *base) {
  char is[2][THIRL_NATBOX_WORD_MAX], was[2][THIRL_NATBOX_WORD_MAX];
  bool changed[2] = {false, false};
  for (int tcp = 0; tcp <= (w->word.per_protocol ? 1 : 0); tcp++) {
    write_value(w, c, tcp, is[tcp]);
    write_value(w, base, tcp, was[tcp]);
    changed[tcp] = is[tcp][0] != '\0' && strcmp(is[tcp], was[tcp]) != 0;
  }
  if (!w->word.per_protocol) {
    if (changed[0]) say(s, "", w->word.name, is[0]);
  } else if ((changed[0] || changed[1]) && strcmp(is[0], is[1]) == 0) {
    say(s, "", w->word.name, is[0]);
  } else {
    if (changed[0]) say(s, "udp.", w->word.name, is[0]);
    if (changed[1]) say(s, "tcp.", w->word.name, is[1]);
  }
}

thirl_error thirl_natbox_words_format(const thirl_natbox_config *c, const thirl_natbox_config *base, char *out,
                                      size_t size) {
  sheet s = {.out = out, .size = size};
  if (size == 0) return THIRL_E_SPACE;
  out[0] = '\0';
  for (size_t i = 0; i < N_ENTRIES && !s.full; i++)
    say_word(&s, &entries[i], c, base);
  return s.full ? THIRL_E_SPACE : THIRL_OK;
}
