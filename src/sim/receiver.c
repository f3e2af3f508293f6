/* SPDX-License-Identifier: MIT */
#include "sim/receiver.h"

void thirl_sim_receiver_init(thirl_sim_receiver *r, uint32_t next_seq) {
  thirl_list_init(&r->early);
  r->nxt = next_seq;
}

void thirl_sim_receiver_fini(thirl_sim_receiver *r, thirl_sim_pool *pool) {
  for (thirl_link *k; (k = thirl_list_first(&r->early)) != NULL;) {
    thirl_list_remove(k);
    thirl_sim_pool_give_segment(pool, THIRL_OWNER(k, thirl_sim_segment, link));
  }
}

static uint32_t end_of(const thirl_sim_segment *seg) {
  return seg->seq + seg->n + (seg->fin ? 1u : 0u);
}

/* Put k before at (the head of the list: at its end). */
static void insert_before(thirl_link *at, thirl_link *k) {
  k->prev = at->prev;
  k->next = at;
  at->prev->next = k;
  at->prev = k;
}

bool thirl_sim_receiver_put(thirl_sim_receiver *r, thirl_sim_pool *pool, const thirl_sim_packet *packet,
                            uint32_t window) {
  uint32_t seq = packet->p.seq, end = thirl_natbox_packet_seq_end(&packet->p);
  if (!thirl_natbox_packet_seq_after(end, r->nxt) || thirl_natbox_packet_seq_after(r->nxt, seq) ||
      end - r->nxt > window + 1)
    return true;                       /* old, or too far ahead */
  thirl_link *at = r->early.head.prev; /* from the end: most come in order */
  while (at != &r->early.head && thirl_natbox_packet_seq_after(THIRL_OWNER(at, thirl_sim_segment, link)->seq, seq))
    at = at->prev;
  if (at != &r->early.head && thirl_natbox_packet_seq_after(end_of(THIRL_OWNER(at, thirl_sim_segment, link)), seq))
    return true; /* have it */
  thirl_sim_segment *seg = thirl_sim_pool_take_segment(pool);
  if (!seg) return false;
  seg->seq = seq;
  seg->n = (uint32_t)packet->p.payload.n;
  seg->fin = packet->p.flags & THIRL_NATBOX_FIN;
  seg->payload = thirl_sim_pool_share(packet->payload);
  insert_before(at->next, &seg->link);
  return true;
}

thirl_sim_segment *thirl_sim_receiver_take(thirl_sim_receiver *r) {
  thirl_link *k = thirl_list_first(&r->early);
  if (!k) return NULL;
  thirl_sim_segment *seg = THIRL_OWNER(k, thirl_sim_segment, link);
  if (seg->seq != r->nxt) return NULL;
  thirl_list_remove(k);
  r->nxt = end_of(seg);
  return seg;
}

unsigned thirl_sim_receiver_sacks(const thirl_sim_receiver *r, thirl_sim_range out[THIRL_SIM_SACKS]) {
  unsigned n = 0;
  for (thirl_link *k = thirl_list_first(&r->early); k; k = thirl_list_next(&r->early, k)) {
    const thirl_sim_segment *seg = THIRL_OWNER(k, thirl_sim_segment, link);
    if (n > 0 && out[n - 1].to == seg->seq) {
      out[n - 1].to = end_of(seg);
      continue;
    }
    if (n == THIRL_SIM_SACKS) break;
    out[n++] = (thirl_sim_range){.from = seg->seq, .to = end_of(seg)};
  }
  return n;
}
