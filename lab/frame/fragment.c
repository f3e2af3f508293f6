/* SPDX-License-Identifier: MIT */
#include "lab/frame/fragment.h"

static const thirl_time LIFE = 30 * THIRL_S; /* RFC 791 section 3.2 speaks of 15 s, Linux keeps 30 */

void thirl_lab_fragment_keep(thirl_lab_fragments *t, thirl_time now, const thirl_lab_headers *was,
                             const thirl_lab_headers *is, bool inward) {
  t->held[t->next] = (thirl_lab_fragment){.protocol = was->protocol,
                                          .family = was->family,
                                          .id = was->fragment_id,
                                          .was_src = thirl_addr_with_port(was->src, 0),
                                          .was_dst = thirl_addr_with_port(was->dst, 0),
                                          .src = thirl_addr_with_port(is->src, 0),
                                          .dst = thirl_addr_with_port(is->dst, 0),
                                          .inward = inward,
                                          .until = thirl_time_after(now, LIFE)};
  t->next = (t->next + 1) % THIRL_LAB_FRAGMENTS_MAX;
}

const thirl_lab_fragment *thirl_lab_fragment_find(const thirl_lab_fragments *t, thirl_time now,
                                                  const thirl_lab_headers *h) {
  for (size_t i = 1; i <= THIRL_LAB_FRAGMENTS_MAX; i++) { /* the latest first */
    const thirl_lab_fragment *f = &t->held[(t->next + THIRL_LAB_FRAGMENTS_MAX - i) % THIRL_LAB_FRAGMENTS_MAX];
    if (f->until > now && f->family == h->family && f->protocol == h->protocol && f->id == h->fragment_id &&
        thirl_addr_same_ip(&f->was_src, &h->src) && thirl_addr_same_ip(&f->was_dst, &h->dst))
      return f;
  }
  return NULL;
}
