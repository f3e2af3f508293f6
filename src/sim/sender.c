/* SPDX-License-Identifier: MIT */
#include "sim/sender.h"

#include <assert.h>

enum { REORDERING = 3 }; /* so many later transmissions have arrived: this one is lost */

static const thirl_time FIRST_RTO = THIRL_S, RTO_MIN = 200 * THIRL_MS, RTO_MAX = 120 * THIRL_S; /* Linux */

void thirl_sim_sender_init(thirl_sim_sender *s, uint32_t first_seq) {
  *s = (thirl_sim_sender){
      .una = first_seq, .nxt = first_seq, .rto = FIRST_RTO, .deadline = THIRL_NEVER, .stalled_from = THIRL_NEVER};
  thirl_list_init(&s->unacked);
}

void thirl_sim_sender_fini(thirl_sim_sender *s, thirl_sim_pool *pool) {
  for (thirl_link *k; (k = thirl_list_first(&s->unacked)) != NULL;) {
    thirl_list_remove(k);
    thirl_sim_pool_give_segment(pool, THIRL_OWNER(k, thirl_sim_segment, link));
  }
  s->in_flight = 0;
  s->deadline = THIRL_NEVER;
}

/* RFC 6298 section 2. */
void thirl_sim_sender_sample(thirl_sim_sender *s, thirl_time rtt) {
  if (s->srtt == 0) {
    s->srtt = rtt;
    s->rttvar = rtt / 2;
  } else {
    thirl_time off = s->srtt > rtt ? s->srtt - rtt : rtt - s->srtt;
    s->rttvar = (3 * s->rttvar + off) / 4;
    s->srtt = (7 * s->srtt + rtt) / 8;
  }
  s->rto = s->srtt + THIRL_MAX(4 * s->rttvar, RTO_MIN);
  if (s->rto > RTO_MAX) s->rto = RTO_MAX;
}

static void arm(thirl_sim_sender *s, thirl_time now) {
  thirl_time wait = s->rto;
  for (unsigned i = 0; i < s->backoff && wait < RTO_MAX; i++)
    wait *= 2;
  s->deadline = thirl_list_is_empty(&s->unacked) ? THIRL_NEVER : thirl_time_after(now, THIRL_MIN(wait, RTO_MAX));
}

static void count_transmission(thirl_sim_sender *s, thirl_sim_segment *seg, thirl_time now) {
  seg->tries++;
  seg->sent_at = now;
  seg->serial = ++s->serial;
}

thirl_sim_segment *thirl_sim_sender_push(thirl_sim_sender *s, thirl_sim_pool *pool, thirl_time now,
                                         thirl_sim_payload *payload, bool fin) {
  thirl_sim_segment *seg = thirl_sim_pool_take_segment(pool);
  if (!seg) {
    thirl_sim_pool_give_payload(pool, payload);
    return NULL;
  }
  seg->seq = s->nxt;
  seg->n = payload ? payload->n : 0;
  seg->fin = fin;
  seg->payload = payload;
  count_transmission(s, seg, now);
  thirl_list_append(&s->unacked, &seg->link);
  s->nxt += seg->n + (fin ? 1u : 0u);
  s->in_flight += seg->n;
  if (s->deadline == THIRL_NEVER) arm(s, now);
  return seg;
}

static uint32_t end_of(const thirl_sim_segment *seg) {
  return seg->seq + seg->n + (seg->fin ? 1u : 0u);
}

static void note_delivery(thirl_sim_sender *s, const thirl_sim_segment *seg, thirl_time now) {
  if (seg->serial > s->delivered) s->delivered = seg->serial;
  if (seg->tries == 1) thirl_sim_sender_sample(s, now - seg->sent_at); /* Karn */
}

static void mark_sacked(thirl_sim_sender *s, thirl_time now, const thirl_sim_range *r) {
  for (thirl_link *k = thirl_list_first(&s->unacked); k; k = thirl_list_next(&s->unacked, k)) {
    thirl_sim_segment *seg = THIRL_OWNER(k, thirl_sim_segment, link);
    if (thirl_natbox_packet_seq_after(end_of(seg), r->to)) break;
    if (seg->sacked || thirl_natbox_packet_seq_after(r->from, seg->seq)) continue;
    seg->sacked = true;
    note_delivery(s, seg, now);
  }
}

void thirl_sim_sender_ack(thirl_sim_sender *s, thirl_sim_pool *pool, thirl_time now, uint32_t ack,
                          const thirl_sim_range *sacks, unsigned n_sacks) {
  bool advanced = false;
  for (thirl_link *k; (k = thirl_list_first(&s->unacked)) != NULL;) {
    thirl_sim_segment *seg = THIRL_OWNER(k, thirl_sim_segment, link);
    if (thirl_natbox_packet_seq_after(end_of(seg), ack)) break;
    if (!seg->sacked) note_delivery(s, seg, now);
    s->in_flight -= seg->n;
    thirl_list_remove(k);
    thirl_sim_pool_give_segment(pool, seg);
    advanced = true;
  }
  if (thirl_natbox_packet_seq_after(ack, s->una)) s->una = ack;
  for (unsigned i = 0; i < n_sacks; i++)
    mark_sacked(s, now, &sacks[i]);
  if (!advanced) return;
  s->backoff = 0;
  s->stalled_from = THIRL_NEVER;
  arm(s, now);
}

thirl_sim_segment *thirl_sim_sender_next_lost(thirl_sim_sender *s, thirl_time now) {
  for (thirl_link *k = thirl_list_first(&s->unacked); k; k = thirl_list_next(&s->unacked, k)) {
    thirl_sim_segment *seg = THIRL_OWNER(k, thirl_sim_segment, link);
    if (seg->sacked || seg->serial + REORDERING > s->delivered) continue;
    count_transmission(s, seg, now);
    return seg;
  }
  return NULL;
}

thirl_sim_segment *thirl_sim_sender_expire(thirl_sim_sender *s, thirl_time now) {
  thirl_link *first = thirl_list_first(&s->unacked);
  if (!first) return NULL;
  for (thirl_link *k = first; k; k = thirl_list_next(&s->unacked, k))
    THIRL_OWNER(k, thirl_sim_segment, link)->serial = 0;
  thirl_sim_segment *oldest = THIRL_OWNER(first, thirl_sim_segment, link);
  if (s->serial < REORDERING) s->serial = REORDERING;
  count_transmission(s, oldest, now);
  if (s->stalled_from == THIRL_NEVER) s->stalled_from = now;
  s->backoff++;
  arm(s, now);
  return oldest;
}
