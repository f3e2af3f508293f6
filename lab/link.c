/* SPDX-License-Identifier: MIT */
#include "lab/link.h"

#include <stdlib.h>
#include <string.h>

thirl_lab_packet *thirl_lab_link_packet_new(size_t len) {
  thirl_lab_packet *p = malloc(sizeof *p + len);
  if (!p) return NULL;
  memset(p, 0, sizeof *p);
  p->len = len;
  return p;
}

void thirl_lab_link_init(thirl_lab_link *l, const thirl_lab_link_terms *terms, uint64_t seed) {
  memset(l, 0, sizeof *l);
  l->terms = *terms;
  thirl_dice_seed(&l->dice, seed);
}

void thirl_lab_link_fini(thirl_lab_link *l) {
  while (l->head) {
    thirl_lab_packet *p = l->head;
    l->head = p->next;
    free(p);
  }
  l->tail = NULL;
  l->queued = 0;
}

bool thirl_lab_link_is_transparent(const thirl_lab_link *l) {
  return !l->head && l->terms.delay == 0 && l->terms.jitter == 0 && l->terms.loss <= 0 && !l->terms.cut;
}

void thirl_lab_link_pass(thirl_lab_link *l, size_t len) {
  l->stats.packets++;
  l->stats.bytes += len;
}

void thirl_lab_link_put(thirl_lab_link *l, thirl_lab_packet *p, thirl_time when) {
  thirl_lab_link_pass(l, p->len);
  if (l->terms.cut || (l->terms.loss > 0 && thirl_dice_unit(&l->dice) < l->terms.loss)) {
    l->stats.lost++;
    free(p);
    return;
  }
  if (p->len > l->terms.queue_max - THIRL_MIN(l->queued, l->terms.queue_max)) {
    l->stats.dropped++;
    free(p);
    return;
  }
  p->due = thirl_time_after(when, l->terms.delay);
  if (l->terms.jitter > 0) p->due = thirl_time_after(p->due, thirl_dice_below(&l->dice, l->terms.jitter + 1));
  p->due = THIRL_MAX(p->due, l->last_due);
  l->last_due = p->due;
  p->next = NULL;
  if (l->tail)
    l->tail->next = p;
  else
    l->head = p;
  l->tail = p;
  l->queued += p->len;
  l->stats.queued_max = THIRL_MAX(l->stats.queued_max, l->queued);
}

thirl_lab_packet *thirl_lab_link_take(thirl_lab_link *l, thirl_time now) {
  thirl_lab_packet *p = l->head;
  if (!p || p->due > now) return NULL;
  l->head = p->next;
  if (!l->head) l->tail = NULL;
  l->queued -= p->len;
  p->next = NULL;
  return p;
}

thirl_time thirl_lab_link_deadline(const thirl_lab_link *l) {
  return l->head ? l->head->due : THIRL_NEVER;
}
