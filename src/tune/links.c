/* SPDX-License-Identifier: MIT */
#include "tune/links.h"

#include <stddef.h>
#include <string.h>

thirl_tune_link *thirl_tune_links_find(thirl_tune_facts *f, thirl_tune_text name) {
  for (uint32_t i = 0; i < f->n_links; i++)
    if (thirl_tune_text_is(name, f->link[i].name)) return &f->link[i];
  return NULL;
}

/* A name that goes into a path, and into a line that somebody will paste into a shell. */
static bool is_name(thirl_tune_text t) {
  return t.n < THIRL_TUNE_NAME && thirl_tune_text_is_plain(t) && t.p[0] != '.';
}

static thirl_tune_link *add(thirl_tune_facts *f, thirl_tune_text name) {
  thirl_tune_link *l = thirl_tune_links_find(f, name);
  if (l) return l;
  f->n_links_all++;
  if (!is_name(name)) return NULL;
  if (f->n_links == THIRL_TUNE_LINKS) return NULL;
  l = &f->link[f->n_links++];
  *l = (thirl_tune_link){0};
  thirl_tune_text_copy(name, l->name, sizeof l->name);
  l->is_loopback = thirl_tune_text_is(name, "lo");
  return l;
}

/* "  eth0: bytes packets errs drop fifo frame compressed multicast ..."; drop has those that the device missed in it. */
void thirl_tune_links_dev(thirl_tune_facts *f, thirl_tune_text t) {
  enum { PACKETS = 1, ERRORS = 2, DROPPED = 3 };
  thirl_tune_text line, name, word;
  while (thirl_tune_text_line(&t, &line)) {
    if (!thirl_tune_text_cut(&line, ':', &name) || !thirl_tune_text_word(&name, &word)) continue;
    thirl_tune_link *l = add(f, word);
    if (!l) continue;
    for (int i = 0; i <= DROPPED && thirl_tune_text_word(&line, &word); i++) {
      thirl_tune_number n = {0, THIRL_TUNE_WHY_READ};
      if (!thirl_tune_text_decimal(word, &n.v)) break;
      n.v = thirl_tune_facts_clamp(n.v);
      if (i == PACKETS) l->rx_packets = n;
      if (i == ERRORS) l->rx_errors = n;
      if (i == DROPPED) l->rx_dropped = n;
    }
  }
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask ...; a route that is up with mask 0. */
void thirl_tune_links_route4(thirl_tune_facts *f, thirl_tune_text t) {
  enum { DESTINATION = 1, FLAGS = 3, MASK = 7 };
  thirl_tune_text line, name, word;
  while (thirl_tune_text_line(&t, &line)) {
    uint64_t value[MASK + 1] = {0};
    bool ok = thirl_tune_text_word(&line, &name);
    for (int i = 1; i <= MASK && ok; i++)
      ok = thirl_tune_text_word(&line, &word) && (thirl_tune_text_hex(word, &value[i]) || i > FLAGS);
    thirl_tune_link *l = ok ? thirl_tune_links_find(f, name) : NULL;
    if (l && !value[DESTINATION] && !value[MASK] && (value[FLAGS] & 1)) l->has_default4 = true;
  }
}

static bool last_word(thirl_tune_text line, thirl_tune_text *last) {
  bool any = false;
  while (thirl_tune_text_word(&line, last))
    any = true;
  return any;
}

/* 32 digits and 00: the default; the interface is the last word. The kernel's own "no route" is on lo. */
void thirl_tune_links_route6(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_text line;
  while (thirl_tune_text_line(&t, &line)) {
    thirl_tune_text rest = line, destination, length, name;
    uint64_t bits;
    if (!thirl_tune_text_word(&rest, &destination) || !thirl_tune_text_word(&rest, &length)) continue;
    if (!thirl_tune_text_hex(length, &bits) || bits || !last_word(rest, &name)) continue;
    thirl_tune_link *l = thirl_tune_links_find(f, name);
    if (l && !l->is_loopback && !thirl_tune_text_has(destination, "1")) l->has_default6 = true;
  }
}

/* address index prefix scope flags name; 2000::/3 is the Internet. */
void thirl_tune_links_address6(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_text line;
  while (thirl_tune_text_line(&t, &line)) {
    thirl_tune_text rest = line, address, name;
    if (!thirl_tune_text_word(&rest, &address) || address.n != 32 || !last_word(rest, &name)) continue;
    thirl_tune_link *l = thirl_tune_links_find(f, name);
    if (l && (address.p[0] == '2' || address.p[0] == '3')) l->has_global6 = true;
  }
}

/* ---- what is in no file ---- */

#define NUMBER(name)                                                                                                   \
  { #name, offsetof(thirl_tune_link, name) }
static const struct {
  const char *key;
  size_t at;
} numbers[] = {
    NUMBER(rp_filter),     NUMBER(forwarding4), NUMBER(accept_ra),
    NUMBER(qdisc_packets), NUMBER(qdisc_drops), NUMBER(qdisc_overlimits),
    NUMBER(qdisc_backlog), NUMBER(rx_missed),   NUMBER(rx_queues),
    NUMBER(rps_cpus),      NUMBER(ring_rx),     NUMBER(ring_rx_max),
    NUMBER(gro),           NUMBER(gso),         NUMBER(udp_gro_forwarding),
    NUMBER(gro_list),
};

static thirl_tune_why why_of(thirl_tune_text word) {
  static const char *const words[] = {
#define WORD(name, word, sentence) word,
      THIRL_TUNE_WHYS(WORD)
#undef WORD
  };
  for (unsigned i = 0; i < THIRL_TUNE_WHY_COUNT; i++)
    if (i != THIRL_TUNE_WHY_READ && thirl_tune_text_is(word, words[i])) return (thirl_tune_why)i;
  return THIRL_TUNE_WHY_MALFORMED;
}

static bool set_number(thirl_tune_link *l, thirl_tune_text key, thirl_tune_text value) {
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    if (!thirl_tune_text_is(key, numbers[i].key)) continue;
    thirl_tune_number n = {0, THIRL_TUNE_WHY_READ};
    if (thirl_tune_text_begins(value, "!"))
      n.why = why_of((thirl_tune_text){value.p + 1, value.n - 1});
    else if (!thirl_tune_text_decimal(value, &n.v))
      n.why = THIRL_TUNE_WHY_MALFORMED;
    n.v = thirl_tune_facts_clamp(n.v);
    memcpy((char *)l + numbers[i].at, &n, sizeof n);
    return true;
  }
  return false;
}

static void add_address(thirl_tune_link *l, thirl_tune_text t) {
  uint32_t address = 0;
  for (int i = 0; i < 4; i++) {
    thirl_tune_text part = t;
    int64_t v;
    if (i < 3 && !thirl_tune_text_cut(&t, '.', &part)) return;
    if (!thirl_tune_text_decimal(i < 3 ? part : t, &v) || v < 0 || v > 255) return;
    address = address << 8 | (uint32_t)v;
  }
  if (l->n_address4 < sizeof l->address4 / sizeof *l->address4) l->address4[l->n_address4++] = address;
}

static void set_word(thirl_tune_link *l, thirl_tune_text key, thirl_tune_text value) {
  bool yes = thirl_tune_text_is(value, "1");
  if (thirl_tune_text_is(key, "up")) l->is_up = yes;
  if (thirl_tune_text_is(key, "virtual")) l->is_virtual = yes;
  if (thirl_tune_text_is(key, "ethernet")) l->is_ethernet = yes;
  if (thirl_tune_text_is(key, "address")) add_address(l, value);
  if (thirl_tune_text_is(key, "device")) thirl_tune_text_copy(value, l->device, sizeof l->device);
  if (thirl_tune_text_is(key, "qdisc")) {
    bool missing = thirl_tune_text_begins(value, "!");
    l->qdisc.why = missing ? why_of((thirl_tune_text){value.p + 1, value.n - 1}) : THIRL_TUNE_WHY_READ;
    if (!missing) thirl_tune_text_copy(value, l->qdisc.text, sizeof l->qdisc.text);
  }
}

void thirl_tune_links_dump(thirl_tune_facts *f, thirl_tune_text t) {
  thirl_tune_text line, name, word, key;
  while (thirl_tune_text_line(&t, &line)) {
    thirl_tune_link *l = thirl_tune_text_word(&line, &name) ? thirl_tune_links_find(f, name) : NULL;
    while (l && thirl_tune_text_word(&line, &word))
      if (thirl_tune_text_cut(&word, '=', &key) && !set_number(l, key, word)) set_word(l, key, word);
  }
}

/* ---- interrupts ---- */

/* "eth0", "eth0-TxRx-3", "virtio0-input.0": a line belongs to an interface when a word of it is its name or its device's, alone or before '-'. */
static bool names(thirl_tune_text word, const char *name) {
  size_t n = strlen(name);
  if (!thirl_tune_text_begins(word, name)) return false;
  return word.n == n || word.p[n] == '-' || word.p[n] == ',' || word.p[n] == '@';
}

static void add_interrupts(thirl_tune_facts *f, thirl_tune_text line, uint64_t busy) {
  thirl_tune_text word;
  while (thirl_tune_text_word(&line, &word))
    for (uint32_t i = 0; i < f->n_links; i++) {
      thirl_tune_link *l = &f->link[i];
      if (!names(word, l->name) && !(l->device[0] && names(word, l->device))) continue;
      l->irqs = (thirl_tune_number){l->irqs.v + 1, THIRL_TUNE_WHY_READ};
      l->irq_cpus = (thirl_tune_number){l->irq_cpus.v | (int64_t)(busy & INT64_MAX), THIRL_TUNE_WHY_READ};
    }
}

void thirl_tune_links_interrupts(thirl_tune_facts *f, thirl_tune_text t) {
  enum { CPUS_MAX = 62 }; /* as bits; those behind are not told apart */
  thirl_tune_text line, head, word;
  int cpus = 0;
  if (!thirl_tune_text_line(&t, &head)) return;
  while (thirl_tune_text_word(&head, &word))
    cpus += thirl_tune_text_begins(word, "CPU");
  while (thirl_tune_text_line(&t, &line)) {
    uint64_t busy = 0;
    if (!thirl_tune_text_word(&line, &word)) continue;
    for (int i = 0; i < cpus && thirl_tune_text_word(&line, &word); i++) {
      int64_t v;
      if (!thirl_tune_text_decimal(word, &v)) break;
      if (v > 0) busy |= (uint64_t)1 << (i < CPUS_MAX ? i : CPUS_MAX);
    }
    add_interrupts(f, line, busy);
  }
}
