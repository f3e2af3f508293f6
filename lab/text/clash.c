/* SPDX-License-Identifier: MIT */
#include "lab/text/clash.h"

#include <stdio.h>
#include <string.h>

/* ---- loops ---- */

/* The net in front of the NAT whose inside this is; SIZE_MAX: it is a part of the internet. */
static size_t in_front(const thirl_lab_topology *t, size_t net) {
  return t->nets[net].nat < 0 ? SIZE_MAX : t->nodes[t->nets[net].nat].outer.net;
}

static thirl_error find_loop(const thirl_lab_topology *t, unsigned *line, thirl_lab_complaint *why) {
  for (size_t i = 0; i < t->n_nets; i++) {
    size_t steps = 0, at = i;
    char way[THIRL_LAB_COMPLAINT_MAX / 2];
    int used = snprintf(way, sizeof way, "%s", t->nets[i].name);
    while ((at = in_front(t, at)) != SIZE_MAX && ++steps <= t->n_nets) {
      if (used > 0 && (size_t)used < sizeof way)
        used += snprintf(way + used, sizeof way - (size_t)used, " behind %s", t->nets[at].name);
      if (at != i) continue;
      *line = t->nets[i].line;
      return thirl_lab_words_complain(why, THIRL_E_INVALID, "a loop: %s", way);
    }
  }
  return THIRL_OK;
}

/* ---- nets ---- */

/* Does it give addresses of this family of its own to those inside? Otherwise they are seen from outside as they are. */
static bool translates(const thirl_lab_node *n, uint8_t family) {
  if (family == THIRL_FAMILY_V6) return n->nat.mode == THIRL_NATBOX_PREFIX;
  return n->nat.mode == THIRL_NATBOX_TRANSLATE;
}

/* The net up to which addresses of the family are seen as they are, SIZE_MAX: the whole internet. */
static size_t realm(const thirl_lab_topology *t, size_t net, uint8_t family) {
  while (t->nets[net].nat >= 0) {
    const thirl_lab_node *n = &t->nodes[t->nets[net].nat];
    if (translates(n, family)) return net;
    net = n->outer.net;
  }
  return SIZE_MAX;
}

static thirl_error compare(const thirl_lab_topology *t, size_t a, size_t b, unsigned *line, thirl_lab_complaint *why) {
  char text[THIRL_LAB_ADDRESS_TEXT_MAX], other[THIRL_LAB_ADDRESS_TEXT_MAX];
  const thirl_lab_net *x = &t->nets[a], *y = &t->nets[b];
  for (size_t i = 0; i < x->n_prefixes; i++)
    for (size_t j = 0; j < y->n_prefixes; j++) {
      uint8_t family = x->prefixes[i].addr.family;
      if (!thirl_lab_address_overlap(&x->prefixes[i], &y->prefixes[j])) continue;
      bool neighbours = in_front(t, a) == b || in_front(t, b) == a;
      if (!neighbours && realm(t, a, family) != realm(t, b, family)) continue;
      *line = THIRL_MAX(x->line, y->line);
      return thirl_lab_words_complain(why, THIRL_E_INVALID, "%s of %s and %s of %s overlap",
                                      thirl_lab_address_format(&x->prefixes[i], text), x->name,
                                      thirl_lab_address_format(&y->prefixes[j], other), y->name);
    }
  return THIRL_OK;
}

static thirl_error find_overlap(const thirl_lab_topology *t, unsigned *line, thirl_lab_complaint *why) {
  for (size_t b = 0; b < t->n_nets; b++) {
    const thirl_lab_net *n = &t->nets[b];
    for (size_t i = 0; i < n->n_prefixes; i++)
      for (size_t j = 0; j < i; j++)
        if (thirl_lab_address_overlap(&n->prefixes[i], &n->prefixes[j])) {
          *line = n->line;
          return thirl_lab_words_complain(why, THIRL_E_INVALID, "two prefixes of %s overlap", n->name);
        }
    for (size_t a = 0; a < b; a++) {
      thirl_error e = compare(t, a, b, line, why);
      if (e != THIRL_OK) return e;
    }
  }
  return THIRL_OK;
}

/* ---- addresses ---- */

static bool is_twice(const thirl_lab_cable *c, size_t i) {
  for (size_t j = 0; j < i; j++)
    if (thirl_addr_same_ip(&c->addrs[i].addr, &c->addrs[j].addr)) return true;
  return false;
}

static thirl_error find_holder(const thirl_lab_topology *t, unsigned *line, thirl_lab_complaint *why) {
  char text[THIRL_LAB_ADDRESS_TEXT_MAX];
  for (size_t i = t->n_nodes; i-- > 0;) {
    const thirl_lab_cable *c = &t->nodes[i].outer;
    for (size_t j = 0; j < c->n_addrs; j++) {
      const thirl_addr *a = &c->addrs[j].addr;
      const char *holder = is_twice(c, j) ? t->nodes[i].name : thirl_lab_model_holder(t, c->net, a, i);
      if (!holder) continue;
      *line = t->nodes[i].line;
      return thirl_lab_words_complain(why, THIRL_E_INVALID, "%s on %s belongs to %s already",
                                      thirl_lab_address_format_ip(a, text), t->nets[c->net].name, holder);
    }
  }
  return THIRL_OK;
}

thirl_error thirl_lab_clash_find(const thirl_lab_topology *t, unsigned *line, thirl_lab_complaint *why) {
  thirl_error e = find_loop(t, line, why);
  if (e == THIRL_OK) e = find_overlap(t, line, why);
  if (e == THIRL_OK) e = find_holder(t, line, why);
  return e;
}
