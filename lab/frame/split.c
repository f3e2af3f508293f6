/* SPDX-License-Identifier: MIT */
#include "lab/frame/split.h"

#include <string.h>

#include "lab/frame/checksum.h"
#include "lab/frame/wire.h"

enum { UNIT = 8 }; /* of the offset of a fragment */

bool thirl_lab_split_init(thirl_lab_split *s, thirl_lab_flight *flight, const thirl_lab_headers *h, uint16_t mtu) {
  memset(s, 0, sizeof *s);
  if (h->family != THIRL_FAMILY_V4 || !h->may_fragment || h->l4 - h->ip != THIRL_LAB_IP_LEN_MIN) return false;
  if (mtu < THIRL_LAB_IP_LEN_MIN + UNIT || !thirl_lab_checksum_finish(flight->vnet, flight->frame, flight->len))
    return false;
  s->flight = flight;
  s->l4 = s->at = h->l4;
  s->end = h->end;
  s->size = (mtu - (size_t)THIRL_LAB_IP_LEN_MIN) / UNIT * UNIT;
  return true;
}

thirl_lab_packet *thirl_lab_split_next(thirl_lab_split *s) {
  if (s->at >= s->end) return NULL;
  size_t n = THIRL_MIN(s->end - s->at, s->size);
  thirl_lab_packet *p = thirl_lab_link_packet_new(s->l4 + n);
  if (!p) return NULL;
  memcpy(p->vnet, s->flight->vnet, sizeof p->vnet);
  memcpy(p->frame, s->flight->frame, s->l4);
  memcpy(p->frame + s->l4, s->flight->frame + s->at, n);
  uint8_t *ip = p->frame + THIRL_LAB_ETH_LEN;
  uint16_t was = thirl_lab_wire_get16(ip + THIRL_LAB_IP_FRAGMENT);
  size_t offset = (size_t)(was & THIRL_LAB_IP_OFFSET) + (s->at - s->l4) / UNIT; /* it may be a fragment already */
  bool more = s->at + n < s->end || was & THIRL_LAB_IP_MORE;
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_TOTAL_LEN, (uint16_t)(THIRL_LAB_IP_LEN_MIN + n));
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_FRAGMENT,
                       (uint16_t)((offset & THIRL_LAB_IP_OFFSET) | (more ? THIRL_LAB_IP_MORE : 0)));
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_CHECKSUM, 0);
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_CHECKSUM, thirl_lab_wire_checksum(ip, THIRL_LAB_IP_LEN_MIN, 0));
  s->at += n;
  return p;
}
