/* SPDX-License-Identifier: MIT */
#include "lab/internet/nat.h"

#include <stdlib.h>
#include <string.h>

#include "lab/frame/segment.h"
#include "lab/frame/translate.h"
#include "natbox/alg.h"

/* ---- two boxes of one configuration ---- */

static thirl_natbox_config for_v4(const thirl_natbox_config *config, thirl_addr own) {
  thirl_natbox_config c = *config;
  if (c.mode != THIRL_NATBOX_PREFIX) return c;
  c.mode = THIRL_NATBOX_TRANSLATE;
  c.external = own;
  return c;
}

static thirl_natbox_config for_v6(const thirl_natbox_config *config) {
  thirl_natbox_config c = *config;
  if (c.mode == THIRL_NATBOX_TRANSLATE && c.external.family != THIRL_FAMILY_V6) c.mode = THIRL_NATBOX_FIREWALL;
  return c;
}

thirl_error thirl_lab_nat_init(thirl_lab_nat *n, const thirl_natbox_config *config, thirl_addr own, uint64_t seed) {
  thirl_natbox_config v4 = for_v4(config, own), v6 = for_v6(config);
  memset(n, 0, sizeof *n);
  n->v4 = thirl_natbox_new(&v4, seed);
  n->v6 = thirl_natbox_new(&v6, seed + 1);
  if (n->v4 && n->v6) return THIRL_OK;
  thirl_lab_nat_fini(n);
  return THIRL_E_NOMEM;
}

void thirl_lab_nat_fini(thirl_lab_nat *n) {
  thirl_natbox_free(n->v4);
  thirl_natbox_free(n->v6);
  n->v4 = n->v6 = NULL;
}

thirl_natbox *thirl_lab_nat_box(const thirl_lab_nat *n, thirl_family family) {
  return family == THIRL_FAMILY_V6 ? n->v6 : n->v4;
}

void thirl_lab_nat_reboot(thirl_lab_nat *n) {
  thirl_natbox_reboot(n->v4);
  thirl_natbox_reboot(n->v6);
  memset(&n->fragments, 0, sizeof n->fragments);
}

void thirl_lab_nat_renumber(thirl_lab_nat *n, thirl_addr external) {
  thirl_lab_nat_reboot(n);
  thirl_natbox_renumber(thirl_lab_nat_box(n, (thirl_family)external.family), external);
}

void thirl_lab_nat_configure(thirl_lab_nat *n, const thirl_natbox_config *config) {
  thirl_natbox_config v4 = for_v4(config, thirl_natbox_get_config(n->v4)->external), v6 = for_v6(config);
  thirl_natbox_configure(n->v4, &v4);
  thirl_natbox_configure(n->v6, &v6);
}

/* ---- packets ---- */

static thirl_lab_nat_way gone(thirl_lab_flight *f) {
  thirl_lab_flight_drop(f);
  return THIRL_LAB_NAT_GONE;
}

static thirl_lab_nat_way way_of(bool inward) {
  return inward ? THIRL_LAB_NAT_IN : THIRL_LAB_NAT_OUT;
}

/* The box does not know the protocol: without translation it may pass. */
static thirl_lab_nat_way pass_unknown(thirl_lab_nat *n, const thirl_natbox *box, bool from_inside,
                                      thirl_lab_flight *f) {
  if (thirl_natbox_get_config(box)->mode == THIRL_NATBOX_ROUTE) return way_of(!from_inside);
  n->unknown++;
  return gone(f);
}

static thirl_lab_nat_way pass_fragment(thirl_lab_nat *n, thirl_lab_flight *f, thirl_lab_headers *h) {
  const thirl_lab_fragment *first = thirl_lab_fragment_find(&n->fragments, n->now, h);
  if (!first) {
    n->lost_fragments++;
    return gone(f);
  }
  thirl_lab_translate_fragment(f, h, &first->src, &first->dst);
  return way_of(first->inward);
}

/* *f becomes the answer that the box gives instead of it. */
static thirl_lab_nat_way answer(thirl_lab_flight *f, thirl_lab_headers *h, const thirl_natbox_packet *p, bool inward) {
  thirl_lab_packet *made = thirl_lab_translate_answer(p, f, h);
  thirl_lab_flight_drop(f);
  if (!made) return THIRL_LAB_NAT_GONE;
  *f = thirl_lab_flight_of(made);
  thirl_lab_headers_read(f->frame, f->len, h); /* ours: whole */
  return way_of(inward);
}

/* A box that looks into datagrams. Those that stand for several, and fragments, it leaves alone. */
static void rewrite_payload(const thirl_natbox *box, thirl_lab_flight *f, const thirl_lab_headers *h,
                            const thirl_natbox_packet *was, const thirl_natbox_packet *now) {
  const thirl_natbox_config *config = thirl_natbox_get_config(box);
  size_t n = was->payload.n;
  if (config->alg == THIRL_NATBOX_ALG_NONE || h->is_fragment || thirl_lab_segment_is_large(f->vnet)) return;
  if (thirl_natbox_alg_translate(config, was, now, NULL, 0) == 0) return;
  uint8_t *bytes = malloc(n);
  if (!bytes) return;
  memcpy(bytes, was->payload.p, n);
  thirl_natbox_alg_translate(config, was, now, bytes, n);
  thirl_lab_translate_payload(f, h, bytes, n);
  free(bytes);
}

/* A hairpinned packet that was refused comes back as the refusal (turn_back in natbox.c). */
static bool is_refusal(const thirl_natbox_packet *was, const thirl_natbox_packet *now) {
  if (was->protocol != now->protocol) return true;
  bool rst = now->protocol == THIRL_NATBOX_TCP && now->flags & THIRL_NATBOX_RST;
  return rst && !(was->flags & THIRL_NATBOX_RST);
}

thirl_lab_nat_way thirl_lab_nat_input(thirl_lab_nat *n, thirl_time now, bool from_inside, thirl_lab_flight *f,
                                      thirl_lab_headers *h, bool *is_answer) {
  thirl_natbox *box = thirl_lab_nat_box(n, (thirl_family)h->family);
  thirl_lab_translation t;
  n->now = THIRL_MAX(n->now, now);
  *is_answer = false;
  if (thirl_natbox_get_config(box)->mode == THIRL_NATBOX_ROUTE) return way_of(!from_inside);
  if (!h->is_first) return pass_fragment(n, f, h);
  if (!thirl_lab_translate_read(f, h, &t)) return pass_unknown(n, box, from_inside, f);
  thirl_natbox_packet p = t.packet;
  thirl_natbox_verdict v = (from_inside ? thirl_natbox_outbound : thirl_natbox_inbound)(box, n->now, &p);
  bool inward = v == THIRL_NATBOX_HAIRPIN || (v == THIRL_NATBOX_REPLY) == from_inside;
  if (v == THIRL_NATBOX_DISCARD || v == THIRL_NATBOX_NOTHING) return gone(f);
  if (v == THIRL_NATBOX_REPLY || (v == THIRL_NATBOX_HAIRPIN && is_refusal(&t.packet, &p))) {
    *is_answer = true;
    return answer(f, h, &p, inward);
  }
  thirl_lab_headers was = *h;
  thirl_lab_translate_write(f, h, &t, &p);
  rewrite_payload(box, f, h, &t.packet, &p);
  if (h->is_fragment) thirl_lab_fragment_keep(&n->fragments, n->now, &was, h, inward);
  return way_of(inward);
}

thirl_lab_nat_way thirl_lab_nat_poll(thirl_lab_nat *n, thirl_time now, thirl_lab_flight *out, thirl_lab_headers *h) {
  thirl_natbox *boxes[] = {n->v4, n->v6};
  n->now = THIRL_MAX(n->now, now);
  memset(out, 0, sizeof *out);
  for (size_t i = 0; i < 2; i++) {
    thirl_natbox_packet p;
    for (thirl_natbox_verdict v; (v = thirl_natbox_poll(boxes[i], n->now, &p)) != THIRL_NATBOX_NOTHING;) {
      thirl_lab_nat_way way = answer(out, h, &p, v == THIRL_NATBOX_HAIRPIN);
      if (way != THIRL_LAB_NAT_GONE) return way;
    }
  }
  return THIRL_LAB_NAT_GONE;
}

thirl_time thirl_lab_nat_deadline(const thirl_lab_nat *n) {
  return THIRL_MIN(thirl_natbox_deadline(n->v4), thirl_natbox_deadline(n->v6));
}
