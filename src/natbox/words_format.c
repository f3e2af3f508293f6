/* SPDX-License-Identifier: MIT */
/* A config to words. */
#include <stdio.h>
#include <string.h>

#include "natbox/words.h"

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

static void write_rule(const thirl_natbox_entry *w, const thirl_natbox_rules *rules, bool tcp, char *out) {
  size_t at = 0;
  switch (w->kind) {
  case THIRL_NATBOX_WORD_ALLOCATION:
    at = put_choice(out, at, w->word.values, rules->allocation);
    if (rules->allocation == THIRL_NATBOX_SEQUENTIAL) put_number(out, put(out, at, ":", 1), rules->step);
    if (rules->allocation == THIRL_NATBOX_BLOCK) put_number(out, put(out, at, ":", 1), rules->block);
    break;
  case THIRL_NATBOX_WORD_TIMES:
    at = put_time(out, at, rules->new_timeout);
    at = put_time(out, put(out, at, "/", 1), rules->open_timeout);
    if (tcp) put_time(out, put(out, at, "/", 1), rules->close_timeout);
    break;
  case THIRL_NATBOX_WORD_RANGE:
    at = put_number(out, at, rules->port_lo);
    put_number(out, put(out, at, "-", 1), rules->port_hi);
    break;
  case THIRL_NATBOX_WORD_ALLOW:
    write_allow(rules, out);
    break;
  default:
    break;
  }
}

static void write_scalar(const thirl_natbox_entry *w, const void *field, char *out) {
  thirl_time t = 0;
  uint16_t n = 0;
  uint32_t count = 0;
  unsigned choice = 0;
  bool on = false;
  switch (w->kind) {
  case THIRL_NATBOX_WORD_TIME:
    memcpy(&t, field, sizeof t);
    put_time(out, 0, t);
    break;
  case THIRL_NATBOX_WORD_NUMBER:
    memcpy(&n, field, sizeof n);
    put_number(out, 0, n);
    break;
  case THIRL_NATBOX_WORD_COUNT:
    memcpy(&count, field, sizeof count);
    put_number(out, 0, count);
    break;
  case THIRL_NATBOX_WORD_SWITCH:
    memcpy(&on, field, sizeof on);
    put_choice(out, 0, w->word.values, on);
    break;
  case THIRL_NATBOX_WORD_CHOICE:
    memcpy(&choice, field, sizeof choice);
    put_choice(out, 0, w->word.values, choice);
    break;
  default:
    break;
  }
}

/* The value of a word as the config has it; "" when there is nothing to say. */
static void write_value(const thirl_natbox_entry *w, const thirl_natbox_config *c, bool tcp,
                        char out[THIRL_NATBOX_WORD_MAX]) {
  out[0] = '\0';
  if (w->word.per_protocol) {
    const thirl_natbox_rules *rules = tcp ? &c->tcp : &c->udp;
    write_rule(w, rules, tcp, out);
    if (out[0] == '\0') write_scalar(w, (const char *)rules + w->offset, out);
    return;
  }
  if (w->kind == THIRL_NATBOX_WORD_POOL)
    write_pool(c, out);
  else if (w->kind == THIRL_NATBOX_WORD_PREFIX && c->prefix_bits)
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

static void say_word(sheet *s, const thirl_natbox_entry *w, const thirl_natbox_config *c,
                     const thirl_natbox_config *base) {
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
  const thirl_natbox_entry *w = NULL;
  for (unsigned i = 0; (w = thirl_natbox_wordtable_get(i)) != NULL && !s.full; i++)
    say_word(&s, w, c, base);
  return s.full ? THIRL_E_SPACE : THIRL_OK;
}
