/* SPDX-License-Identifier: MIT */
#include "natbox/held.h"

#include <stdlib.h>

static const thirl_time HOLD_TIME = 6 * THIRL_S;

typedef struct kept {
  thirl_natbox_packet syn;
  thirl_time due;
  thirl_link link;
} kept;

void thirl_natbox_held_init(thirl_natbox_held *h) {
  thirl_list_init(&h->syns);
  h->n = 0;
}

static void drop(thirl_natbox_held *h, kept *k) {
  thirl_list_remove(&k->link);
  h->n--;
  free(k);
}

void thirl_natbox_held_clear(thirl_natbox_held *h) {
  for (thirl_link *l; (l = thirl_list_first(&h->syns)) != NULL;)
    drop(h, THIRL_OWNER(l, kept, link));
}

/* The SYN from src to dst, or NULL. */
static kept *find(const thirl_natbox_held *h, const thirl_addr *src, const thirl_addr *dst) {
  for (thirl_link *l = thirl_list_first(&h->syns); l; l = thirl_list_next(&h->syns, l)) {
    kept *k = THIRL_OWNER(l, kept, link);
    if (thirl_addr_equal(&k->syn.src, src) && thirl_addr_equal(&k->syn.dst, dst)) return k;
  }
  return NULL;
}

thirl_error thirl_natbox_held_put(thirl_natbox_held *h, thirl_time now, const thirl_natbox_packet *syn) {
  if (find(h, &syn->src, &syn->dst)) return THIRL_OK;
  if (h->n >= THIRL_NATBOX_HELD_MAX) return THIRL_E_LIMIT;
  kept *k = calloc(1, sizeof *k);
  if (!k) return THIRL_E_NOMEM;
  k->syn = *syn;
  k->syn.payload = (thirl_bytes){0};
  k->due = thirl_time_after(now, HOLD_TIME);
  thirl_list_append(&h->syns, &k->link);
  h->n++;
  return THIRL_OK;
}

void thirl_natbox_held_cancel(thirl_natbox_held *h, const thirl_natbox_packet *out) {
  if (h->n == 0 || !thirl_natbox_packet_is_syn(out)) return;
  kept *k = find(h, &out->dst, &out->src);
  if (k) drop(h, k);
}

bool thirl_natbox_held_take(thirl_natbox_held *h, thirl_time now, thirl_natbox_packet *syn) {
  thirl_link *l = thirl_list_first(&h->syns);
  if (!l || THIRL_OWNER(l, kept, link)->due > now) return false;
  *syn = THIRL_OWNER(l, kept, link)->syn;
  drop(h, THIRL_OWNER(l, kept, link));
  return true;
}

thirl_time thirl_natbox_held_deadline(const thirl_natbox_held *h) {
  thirl_link *l = thirl_list_first(&h->syns);
  return l ? THIRL_OWNER(l, kept, link)->due : THIRL_NEVER;
}
