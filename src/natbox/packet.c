/* SPDX-License-Identifier: MIT */
#include "natbox/packet.h"

uint32_t thirl_natbox_packet_seq_end(const thirl_natbox_packet *p) {
  uint32_t extra = ((p->flags & THIRL_NATBOX_SYN) ? 1u : 0u) + ((p->flags & THIRL_NATBOX_FIN) ? 1u : 0u);
  return p->seq + (uint32_t)p->payload.n + extra;
}

bool thirl_natbox_packet_is_syn(const thirl_natbox_packet *p) {
  return p->protocol == THIRL_NATBOX_TCP &&
         (p->flags & (THIRL_NATBOX_SYN | THIRL_NATBOX_ACK | THIRL_NATBOX_RST)) == THIRL_NATBOX_SYN;
}

thirl_natbox_packet thirl_natbox_packet_rst_for(const thirl_natbox_packet *p) {
  thirl_natbox_packet r = {
      .protocol = THIRL_NATBOX_TCP, .flags = THIRL_NATBOX_RST, .ttl = THIRL_NATBOX_TTL, .src = p->dst, .dst = p->src};
  if (p->flags & THIRL_NATBOX_ACK) {
    r.seq = p->ack;
  } else {
    r.flags |= THIRL_NATBOX_ACK;
    r.ack = thirl_natbox_packet_seq_end(p);
  }
  return r;
}

thirl_natbox_packet thirl_natbox_packet_icmp_for(const thirl_natbox_packet *p, thirl_natbox_icmp type,
                                                 thirl_addr from) {
  return (thirl_natbox_packet){.protocol = THIRL_NATBOX_ICMP,
                               .icmp = (uint8_t)type,
                               .ttl = THIRL_NATBOX_TTL,
                               .src = thirl_addr_with_port(from, 0),
                               .dst = thirl_addr_with_port(p->src, 0),
                               .inner = {.protocol = p->protocol, .src = p->src, .dst = p->dst, .seq = p->seq}};
}
