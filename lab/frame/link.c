/* SPDX-License-Identifier: MIT */
#include "lab/frame/link.h"

#include <stdlib.h>
#include <string.h>

enum { BITS_OF_BYTE = 8 };

thirl_lab_packet *thirl_lab_link_packet_new(size_t len) {
  thirl_lab_packet *p = malloc(sizeof *p + len);
  if (!p) return NULL;
  memset(p, 0, sizeof *p);
  p->len = len;
  return p;
}

void thirl_lab_link_set_terms(thirl_lab_link *l, const thirl_lab_link_terms *terms) {
  l->terms = *terms;
  if (l->terms.rate > 0) l->terms.rate = THIRL_MAX(l->terms.rate, THIRL_LAB_LINK_RATE_MIN);
  if (l->terms.mtu > 0) l->terms.mtu = THIRL_MAX(l->terms.mtu, THIRL_LAB_LINK_MTU_MIN);
  l->terms.burst = THIRL_MIN(l->terms.burst, THIRL_LAB_LINK_BURST_MAX);
  l->free_rest = 0;
  l->in_burst = false;
}

void thirl_lab_link_init(thirl_lab_link *l, const thirl_lab_link_terms *terms, uint64_t seed) {
  memset(l, 0, sizeof *l);
  thirl_dice_seed(&l->dice, seed);
  thirl_lab_link_set_terms(l, terms);
}

/* ---- the two lines: those in time, and the late ones; the times of each never go back ---- */

static void append(thirl_lab_link_line *line, thirl_lab_packet *p) {
  p->next = NULL;
  p->due = THIRL_MAX(p->due, line->last_due);
  line->last_due = p->due;
  if (line->tail)
    line->tail->next = p;
  else
    line->head = p;
  line->tail = p;
}

static thirl_lab_packet *take_first(thirl_lab_link_line *line) {
  thirl_lab_packet *p = line->head;
  line->head = p->next;
  if (!line->head) line->tail = NULL;
  p->next = NULL;
  return p;
}

static thirl_lab_link_line *next_line(thirl_lab_link *l) {
  if (!l->in_time.head) return &l->late;
  return l->late.head && l->late.head->due < l->in_time.head->due ? &l->late : &l->in_time;
}

void thirl_lab_link_fini(thirl_lab_link *l) {
  while (l->in_time.head)
    free(take_first(&l->in_time));
  while (l->late.head)
    free(take_first(&l->late));
  l->queued = 0;
}

/* ---- what the terms do ---- */

static bool happens(thirl_lab_link *l, double probability) {
  return probability > 0 && thirl_dice_unit(&l->dice) < probability;
}

/*
 * Gilbert and Elliott: in the bad state everything is lost, in the good one nothing. The bad one ends after each packet with 1/burst; the good one with
 * what makes the share of bad ones come out as loss.
 */
static bool is_lost(thirl_lab_link *l) {
  const thirl_lab_link_terms *t = &l->terms;
  if (t->burst <= 1 || t->loss <= 0 || t->loss >= 1) return happens(l, t->loss);
  l->in_burst = l->in_burst ? !happens(l, 1 / t->burst) : happens(l, t->loss / (t->burst * (1 - t->loss)));
  return l->in_burst;
}

static size_t bytes_of(uint64_t rate, thirl_time span) {
  return (size_t)((double)rate / BITS_OF_BYTE / (double)THIRL_S * (double)span);
}

static size_t queue_max(const thirl_lab_link_terms *t) {
  if (t->queue_max > 0) return t->queue_max;
  if (t->rate == 0) return THIRL_LAB_LINK_BYTES_MAX;
  return THIRL_MAX(bytes_of(t->rate, THIRL_LAB_LINK_QUEUE_TIME), (size_t)THIRL_LAB_LINK_QUEUE_MIN);
}

/* When the last bit of a packet that comes at *when has left; into *when. False: the queue is full. */
static bool serialize(thirl_lab_link *l, size_t len, thirl_time *when) {
  const thirl_lab_link_terms *t = &l->terms;
  thirl_time rested = *when, saved;
  if (t->bucket > 0) {
    double credit = (double)t->bucket * BITS_OF_BYTE * (double)THIRL_S / (double)t->rate;
    saved = credit < 1e15 ? (thirl_time)credit : (thirl_time)1e15;
    rested = *when - THIRL_MIN(*when, saved);
  }
  if (l->free_at > *when && bytes_of(t->rate, l->free_at - *when) + len > queue_max(t)) return false;
  if (l->free_at < rested) {
    l->free_at = rested;
    l->free_rest = 0;
  }
  uint64_t work = (uint64_t)len * BITS_OF_BYTE * THIRL_S + l->free_rest;
  l->free_at = thirl_time_after(l->free_at, work / t->rate);
  l->free_rest = work % t->rate;
  *when = THIRL_MAX(*when, l->free_at);
  return true;
}

static bool has_room(const thirl_lab_link *l, size_t len) {
  size_t max = l->terms.rate > 0 ? THIRL_LAB_LINK_BYTES_MAX : THIRL_MIN(queue_max(&l->terms), THIRL_LAB_LINK_BYTES_MAX);
  return len <= max - THIRL_MIN(l->queued, max);
}

static void enqueue(thirl_lab_link *l, thirl_lab_link_line *line, thirl_lab_packet *p) {
  append(line, p);
  l->queued += p->len;
  l->stats.queued_max = THIRL_MAX(l->stats.queued_max, l->queued);
}

static void enqueue_twin(thirl_lab_link *l, thirl_lab_link_line *line, const thirl_lab_packet *p) {
  thirl_lab_packet *twin = has_room(l, p->len) ? thirl_lab_link_packet_new(p->len) : NULL;
  if (!twin) return;
  memcpy(twin, p, sizeof *p + p->len);
  l->stats.doubled++;
  enqueue(l, line, twin);
}

static void drop(uint64_t *counter, thirl_lab_packet *p) {
  ++*counter;
  free(p);
}

/* ---- the verbs ---- */

static bool delays(const thirl_lab_link_terms *t) {
  return t->delay > 0 || t->jitter > 0;
}

bool thirl_lab_link_is_choosy(const thirl_lab_link *l) {
  const thirl_lab_link_terms *t = &l->terms;
  return t->loss > 0 || t->duplicate > 0 || t->reorder > 0 || t->rate > 0;
}

bool thirl_lab_link_is_transparent(const thirl_lab_link *l) {
  return l->queued == 0 && !delays(&l->terms) && !thirl_lab_link_is_choosy(l) && !l->terms.cut;
}

void thirl_lab_link_pass(thirl_lab_link *l, size_t len) {
  l->stats.packets++;
  l->stats.bytes += len;
}

void thirl_lab_link_put(thirl_lab_link *l, thirl_lab_packet *p, thirl_time when) {
  const thirl_lab_link_terms *t = &l->terms;
  thirl_lab_link_pass(l, p->len);
  if (t->cut || is_lost(l)) {
    drop(&l->stats.lost, p);
    return;
  }
  if (!has_room(l, p->len) || (t->rate > 0 && !serialize(l, p->len, &when))) {
    drop(&l->stats.dropped, p);
    return;
  }
  p->due = thirl_time_after(when, t->delay);
  if (t->jitter > 0)
    p->due = thirl_time_after(p->due, thirl_dice_below(&l->dice, THIRL_MIN(t->jitter, THIRL_NEVER - 1) + 1));
  thirl_lab_link_line *line = &l->in_time;
  if (happens(l, t->reorder)) {
    line = &l->late;
    l->stats.late++;
    p->due = thirl_time_after(p->due, t->reorder_by > 0 ? t->reorder_by : THIRL_LAB_LINK_LATE_TIME);
  }
  bool twice = happens(l, t->duplicate);
  enqueue(l, line, p);
  if (twice) enqueue_twin(l, line, p);
}

thirl_lab_packet *thirl_lab_link_take(thirl_lab_link *l, thirl_time now) {
  thirl_lab_link_line *line = next_line(l);
  if (!line->head || line->head->due > now) return NULL;
  thirl_lab_packet *p = take_first(line);
  l->queued -= p->len;
  return p;
}

thirl_time thirl_lab_link_deadline(const thirl_lab_link *l) {
  thirl_time a = l->in_time.head ? l->in_time.head->due : THIRL_NEVER;
  return l->late.head ? THIRL_MIN(a, l->late.head->due) : a;
}
