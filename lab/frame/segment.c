/* SPDX-License-Identifier: MIT */
#include "lab/frame/segment.h"

#include <string.h>

#include <linux/virtio_net.h>

#include "lab/frame/checksum.h"
#include "lab/frame/headers.h"
#include "lab/frame/wire.h"

_Static_assert(sizeof(struct virtio_net_hdr) == THIRL_LAB_VNET_LEN, "the header without num_buffers");

enum {
  GSO_UDP_L4 = 5 /* VIRTIO_NET_HDR_GSO_UDP_L4 of later headers */,
  FLAG_FIN = 0x01,
  FLAG_PSH = 0x08,
  FLAG_CWR = 0x80
};

static struct virtio_net_hdr header(const uint8_t *vnet) {
  struct virtio_net_hdr h;
  memcpy(&h, vnet, sizeof h);
  return h;
}

bool thirl_lab_segment_is_large(const uint8_t *vnet) {
  return header(vnet).gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

/* Does what the kernel says about the packet agree with what is in it? */
static bool is_of_type(uint8_t type, const thirl_lab_headers *h) {
  switch (type & ~VIRTIO_NET_HDR_GSO_ECN) {
  case VIRTIO_NET_HDR_GSO_TCPV4:
    return h->family == THIRL_FAMILY_V4 && h->protocol == THIRL_LAB_PROTOCOL_TCP;
  case VIRTIO_NET_HDR_GSO_TCPV6:
    return h->family == THIRL_FAMILY_V6 && h->protocol == THIRL_LAB_PROTOCOL_TCP;
  case GSO_UDP_L4:
    return h->protocol == THIRL_LAB_PROTOCOL_UDP;
  default:
    return false;
  }
}

bool thirl_lab_segment_init(thirl_lab_segment *s, const uint8_t *vnet, const uint8_t *frame, size_t len) {
  struct virtio_net_hdr v = header(vnet);
  thirl_lab_headers h;
  memset(s, 0, sizeof *s);
  if (v.gso_size == 0 || !(v.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || len < THIRL_LAB_ETH_LEN) return false;
  uint16_t type = thirl_lab_wire_get16(frame + THIRL_LAB_ETH_TYPE);
  if (type != THIRL_LAB_TYPE_IPV4 && type != THIRL_LAB_TYPE_IPV6) return false;
  if (thirl_lab_headers_read_quoted(frame, THIRL_LAB_ETH_LEN, len, &h) != THIRL_LAB_HEADERS_OK) return false;
  if (!is_of_type(v.gso_type, &h) || h.is_fragment || h.end != len) return false;
  s->is_v6 = h.family == THIRL_FAMILY_V6;
  s->is_udp = h.protocol == THIRL_LAB_PROTOCOL_UDP;
  size_t least = s->is_udp ? THIRL_LAB_UDP_LEN : THIRL_LAB_TCP_LEN_MIN;
  if (h.l4 + least > len) return false;
  s->l4 = h.l4;
  s->headers = h.l4 + (s->is_udp ? least : (size_t)(frame[h.l4 + THIRL_LAB_TCP_OFFSET] >> 4) * 4);
  if (s->headers < h.l4 + least || s->headers >= len) return false;
  s->vnet = vnet;
  s->frame = frame;
  s->len = len;
  s->size = v.gso_size;
  s->at = s->headers;
  return true;
}

size_t thirl_lab_segment_longest(const thirl_lab_segment *s) {
  return s->headers + THIRL_MIN(s->len - s->headers, s->size);
}

static void write_ip(const thirl_lab_segment *s, uint8_t *ip, size_t l4_len) {
  size_t ip_len = s->l4 - THIRL_LAB_ETH_LEN;
  if (s->is_v6) {
    thirl_lab_wire_put16(ip + THIRL_LAB_IP6_PAYLOAD_LEN, (uint16_t)(ip_len - THIRL_LAB_IP6_LEN + l4_len));
    return;
  }
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_TOTAL_LEN, (uint16_t)(ip_len + l4_len));
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_ID, (uint16_t)(thirl_lab_wire_get16(ip + THIRL_LAB_IP_ID) + s->number));
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_CHECKSUM, 0);
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_CHECKSUM, thirl_lab_wire_checksum(ip, ip_len, 0));
}

static void write_tcp(const thirl_lab_segment *s, uint8_t *tcp, bool last) {
  uint32_t sequence = thirl_lab_wire_get32(tcp + THIRL_LAB_TCP_SEQUENCE) + (uint32_t)(s->at - s->headers);
  uint8_t *flags = tcp + THIRL_LAB_TCP_FLAGS;
  thirl_lab_wire_put32(tcp + THIRL_LAB_TCP_SEQUENCE, sequence);
  if (!last) *flags = (uint8_t)(*flags & ~(FLAG_FIN | FLAG_PSH));
  if (s->number > 0) *flags = (uint8_t)(*flags & ~FLAG_CWR);
}

thirl_lab_packet *thirl_lab_segment_next(thirl_lab_segment *s) {
  if (s->at >= s->len) return NULL;
  size_t n = THIRL_MIN(s->len - s->at, s->size);
  thirl_lab_packet *p = thirl_lab_link_packet_new(s->headers + n);
  if (!p) return NULL;

  memcpy(p->frame, s->frame, s->headers);
  memcpy(p->frame + s->headers, s->frame + s->at, n);
  uint8_t *ip = p->frame + THIRL_LAB_ETH_LEN, *l4 = p->frame + s->l4;
  size_t l4_len = p->len - s->l4;
  uint8_t protocol = s->is_udp ? THIRL_LAB_PROTOCOL_UDP : THIRL_LAB_PROTOCOL_TCP;
  write_ip(s, ip, l4_len);
  if (s->is_udp)
    thirl_lab_wire_put16(l4 + THIRL_LAB_UDP_TOTAL_LEN, (uint16_t)l4_len);
  else
    write_tcp(s, l4, s->at + n == s->len);
  /* The sum over the pseudo header, which the kernel continues over the segment (RFC 9293 section 3.1). */
  thirl_lab_wire_put16(l4 + (s->is_udp ? THIRL_LAB_UDP_CHECKSUM : THIRL_LAB_TCP_CHECKSUM),
                       thirl_lab_checksum_fold(thirl_lab_checksum_pseudo(ip, protocol, l4_len)));

  struct virtio_net_hdr h = header(s->vnet);
  h.gso_type = VIRTIO_NET_HDR_GSO_NONE;
  h.gso_size = 0;
  h.hdr_len = 0;
  memcpy(p->vnet, &h, sizeof h);
  s->at += n;
  s->number++;
  return p;
}
