/* SPDX-License-Identifier: MIT */
#include "tune/counter.h"

#include <string.h>

enum { COLUMNS_MAX = 256 }; /* of /proc/net/netstat; 6.18 has some 140 */

static const char *const counter_words[] = {
#define WORD(name, word) word,
    THIRL_TUNE_COUNTERS(WORD)};
static const char *const gauge_words[] = {THIRL_TUNE_GAUGES(WORD)};
#undef WORD

/* ---- one number, by its family and name ---- */

static bool fits(const char *word, thirl_tune_text family, thirl_tune_text name) {
  size_t n = strlen(word);
  return n == family.n + 1 + name.n && memcmp(word, family.p, family.n) == 0 && word[family.n] == '.' &&
         memcmp(word + family.n + 1, name.p, name.n) == 0;
}

static void add(thirl_tune_number *to, int64_t v) {
  if (to->why != THIRL_TUNE_WHY_READ) to->v = 0;
  to->why = THIRL_TUNE_WHY_READ;
  to->v = thirl_tune_facts_clamp(to->v + thirl_tune_facts_clamp(v));
}

static void count(thirl_tune_facts *f, thirl_tune_text family, thirl_tune_text name, int64_t v) {
  for (unsigned i = 0; i < THIRL_TUNE_COUNTER_COUNT; i++)
    if (fits(counter_words[i], family, name)) add(&f->counter[i], v);
}

static void count_hex(thirl_tune_facts *f, const char *family, const char *name, uint64_t v) {
  count(f, thirl_tune_text_of(family), thirl_tune_text_of(name), v > INT64_MAX ? INT64_MAX : (int64_t)v);
}

/* ---- files ---- */

void thirl_tune_counter_pairs(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_text names, numbers, family, again, name, number;
  while (thirl_tune_text_line(&t, &names) && thirl_tune_text_line(&t, &numbers)) {
    if (!thirl_tune_text_cut(&names, ':', &family) || !thirl_tune_text_cut(&numbers, ':', &again)) return;
    if (family.n != again.n || memcmp(family.p, again.p, family.n) != 0) return;
    for (int i = 0; i < COLUMNS_MAX && thirl_tune_text_word(&names, &name); i++) {
      int64_t v;
      if (!thirl_tune_text_word(&numbers, &number)) break;
      if (thirl_tune_text_decimal(number, &v)) count(f, family, name, v);
    }
  }
}

void thirl_tune_counter_snmp6(thirl_tune_facts *f, thirl_tune_text t) {
  static const struct { const char *prefix, *family; } families[] = {{"Udp6", "Udp"}, {"Ip6", "Ip"}};
  thirl_tune_text line, name, number;
  while (thirl_tune_text_line(&t, &line)) {
    int64_t v;
    if (!thirl_tune_text_word(&line, &name) || !thirl_tune_text_word(&line, &number)) continue;
    if (!thirl_tune_text_decimal(number, &v)) continue;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
      size_t n = strlen(families[i].prefix);
      if (thirl_tune_text_begins(name, families[i].prefix))
        count(f, thirl_tune_text_of(families[i].family), (thirl_tune_text){name.p + n, name.n - n}, v);
    }
  }
}

/* Columns are named by the first line; returns what "entries" says in the last row: the same for all processors. */
static bool read_stat(thirl_tune_facts *f, const char *family, thirl_tune_text t, uint64_t *entries) {
  thirl_tune_text head, line;
  bool any = false;
  if (!thirl_tune_text_line(&t, &head)) return false;
  while (thirl_tune_text_line(&t, &line)) {
    thirl_tune_text names = head, name, number;
    for (int i = 0; i < COLUMNS_MAX && thirl_tune_text_word(&names, &name); i++) {
      uint64_t v;
      if (!thirl_tune_text_word(&line, &number) || !thirl_tune_text_hex(number, &v)) break;
      int64_t counted = v > INT64_MAX ? INT64_MAX : (int64_t)v;
      if (thirl_tune_text_is(name, "entries"))
        *entries = v;
      else
        count(f, thirl_tune_text_of(family), name, counted);
      any = true;
    }
  }
  return any;
}

void thirl_tune_counter_conntrack(thirl_tune_facts *f, thirl_tune_text t) {
  uint64_t unused;
  if (!read_stat(f, "ct", t, &unused)) thirl_tune_counter_miss(f, "ct", THIRL_TUNE_WHY_MALFORMED);
}

void thirl_tune_counter_neighbours(thirl_tune_facts *f, thirl_tune_text t) {
  uint64_t entries = 0;
  if (!read_stat(f, "arp", t, &entries)) {
    thirl_tune_counter_miss(f, "arp", THIRL_TUNE_WHY_MALFORMED);
    return;
  }
  f->gauge[THIRL_TUNE_GAUGE_NEIGHBOURS] = (thirl_tune_number){(int64_t)(entries & INT32_MAX), THIRL_TUNE_WHY_READ};
}

void thirl_tune_counter_softnet(thirl_tune_facts *f, thirl_tune_text t) {
  static const char *const names[] = {"processed", "dropped", "squeezed"};
  thirl_tune_text line, word;
  while (thirl_tune_text_line(&t, &line))
    for (size_t i = 0; i < sizeof names / sizeof *names && thirl_tune_text_word(&line, &word); i++) {
      uint64_t v;
      if (thirl_tune_text_hex(word, &v)) count_hex(f, "softnet", names[i], v);
    }
}

/* user nice system idle iowait irq softirq steal; guest is contained in user. */
void thirl_tune_counter_cpu(thirl_tune_facts *f, thirl_tune_text t) {
  enum { STEAL = 7 };
  thirl_tune_text line, word;
  int64_t v, cpus = 0;
  while (thirl_tune_text_line(&t, &line)) {
    if (!thirl_tune_text_word(&line, &word) || !thirl_tune_text_begins(word, "cpu")) continue;
    if (word.n > strlen("cpu")) {
      cpus++;
      continue;
    }
    for (int i = 0; i <= STEAL && thirl_tune_text_word(&line, &word); i++) {
      if (!thirl_tune_text_decimal(word, &v) || v < 0) break;
      add(&f->counter[THIRL_TUNE_COUNTER_CPU_TOTAL], v);
      if (i == STEAL) add(&f->counter[THIRL_TUNE_COUNTER_CPU_STEAL], v);
    }
  }
  if (cpus) f->gauge[THIRL_TUNE_GAUGE_CPUS] = (thirl_tune_number){cpus, THIRL_TUNE_WHY_READ};
}

/* "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 0"; memory of TCP6 is counted with TCP. */
void thirl_tune_counter_sockstat(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_text line, family, name, number;
  char word[64];
  while (thirl_tune_text_line(&t, &line)) {
    if (!thirl_tune_text_cut(&line, ':', &family)) continue;
    if (family.n && family.p[family.n - 1] == '6') family.n--;
    while (thirl_tune_text_word(&line, &name) && thirl_tune_text_word(&line, &number)) {
      int64_t v;
      if (!thirl_tune_text_decimal(number, &v) || family.n + name.n + sizeof "sockstat.." > sizeof word) continue;
      memcpy(word, family.p, family.n);
      word[family.n] = '.';
      memcpy(word + family.n + 1, name.p, name.n);
      thirl_tune_text whole = {word, family.n + 1 + name.n};
      for (unsigned i = 0; i < THIRL_TUNE_GAUGE_COUNT; i++)
        if (fits(gauge_words[i], thirl_tune_text_of("sockstat"), whole)) add(&f->gauge[i], v);
    }
  }
}

void thirl_tune_counter_memory(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_text line, name, number;
  while (thirl_tune_text_line(&t, &line)) {
    int64_t kb;
    if (!thirl_tune_text_word(&line, &name) || !thirl_tune_text_is(name, "MemTotal:")) continue;
    if (!thirl_tune_text_word(&line, &number) || !thirl_tune_text_decimal(number, &kb)) continue;
    if (kb < 0 || kb > INT64_MAX / 1024) continue;
    f->gauge[THIRL_TUNE_GAUGE_MEMORY_TOTAL] =
        (thirl_tune_number){thirl_tune_facts_clamp(kb * 1024), THIRL_TUNE_WHY_READ};
  }
}

/* "some avg10=8.65 avg60=..." */
void thirl_tune_counter_pressure(thirl_tune_facts *f, thirl_tune_gauge which, thirl_tune_text t) {
  thirl_tune_text line, word, front;
  f->gauge[which].why = THIRL_TUNE_WHY_MALFORMED;
  while (thirl_tune_text_line(&t, &line)) {
    int64_t whole, part;
    if (!thirl_tune_text_word(&line, &word) || !thirl_tune_text_is(word, "some")) continue;
    if (!thirl_tune_text_word(&line, &word) || !thirl_tune_text_cut(&word, '=', &front)) continue;
    if (!thirl_tune_text_is(front, "avg10") || !thirl_tune_text_cut(&word, '.', &front)) continue;
    if (!thirl_tune_text_decimal(front, &whole) || !thirl_tune_text_decimal(word, &part)) continue;
    if (whole < 0 || whole > 100 || part < 0 || part > 99) continue;
    f->gauge[which] = (thirl_tune_number){whole * 100 + part, THIRL_TUNE_WHY_READ};
  }
}

/* ---- what is missing ---- */

void thirl_tune_counter_miss(thirl_tune_facts *f, const char *family, thirl_tune_why why) {
  size_t n = strlen(family);
  for (unsigned i = 0; i < THIRL_TUNE_COUNTER_COUNT; i++)
    if (strncmp(counter_words[i], family, n) == 0 && counter_words[i][n] == '.') f->counter[i].why = why;
  for (unsigned i = 0; i < THIRL_TUNE_GAUGE_COUNT; i++)
    if (strncmp(gauge_words[i], family, n) == 0 && gauge_words[i][n] == '.') f->gauge[i].why = why;
}

void thirl_tune_counter_settle(thirl_tune_facts *f) {
  for (unsigned i = 0; i < THIRL_TUNE_COUNTER_COUNT; i++)
    if (f->counter[i].why == THIRL_TUNE_WHY_NOT_LOOKED) f->counter[i].why = THIRL_TUNE_WHY_NOT_IN_KERNEL;
}
