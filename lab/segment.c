/* SPDX-License-Identifier: MIT */
#include "lab/segment.h"

#include <string.h>

#include <linux/virtio_net.h>

#include "lab/wire.h"

_Static_assert(sizeof(struct virtio_net_hdr) == THIRL_LAB_VNET_LEN, "the header without num_buffers");

enum {
  TCP_LEN_MIN = 20,
  TCP_SEQUENCE = 4,
  TCP_OFFSET = 12,
  TCP_FLAGS = 13,
  TCP_CHECKSUM = 16,
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

bool thirl_lab_segment_init(thirl_lab_segment *s, const uint8_t *vnet, const uint8_t *frame, size_t len) {
  struct virtio_net_hdr h = header(vnet);
  memset(s, 0, sizeof *s);
  if ((h.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) != VIRTIO_NET_HDR_GSO_TCPV4 || h.gso_size == 0) return false;
  if (!(h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) return false;
  s->ip_len = thirl_lab_wire_ip_header_len(frame, len);
  if (s->ip_len == 0) return false;
  size_t tcp = THIRL_LAB_ETH_LEN + s->ip_len;
  if (tcp + TCP_LEN_MIN > len || frame[THIRL_LAB_ETH_LEN + THIRL_LAB_IP_PROTOCOL] != THIRL_LAB_PROTOCOL_TCP)
    return false;
  s->headers = tcp + (size_t)(frame[tcp + TCP_OFFSET] >> 4) * 4;
  if (s->headers < tcp + TCP_LEN_MIN || s->headers >= len) return false;
  s->vnet = vnet;
  s->frame = frame;
  s->len = len;
  s->size = h.gso_size;
  s->at = s->headers;
  return true;
}

size_t thirl_lab_segment_longest(const thirl_lab_segment *s) {
  size_t n = s->len - s->headers;
  return s->headers + (n < s->size ? n : s->size);
}

/* The sum over the pseudo header, which the kernel continues over the segment (RFC 9293 section 3.1). */
static uint16_t pseudo_sum(const uint8_t *ip, size_t tcp_len) {
  return (uint16_t)~thirl_lab_wire_checksum(ip + THIRL_LAB_IP_SOURCE, 8, THIRL_LAB_PROTOCOL_TCP + (uint32_t)tcp_len);
}

thirl_lab_packet *thirl_lab_segment_next(thirl_lab_segment *s) {
  if (s->at >= s->len) return NULL;
  size_t n = s->len - s->at < s->size ? s->len - s->at : s->size;
  bool last = s->at + n == s->len;
  thirl_lab_packet *p = thirl_lab_link_packet_new(s->headers + n);
  if (!p) return NULL;

  memcpy(p->frame, s->frame, s->headers);
  memcpy(p->frame + s->headers, s->frame + s->at, n);
  uint8_t *ip = p->frame + THIRL_LAB_ETH_LEN, *tcp = ip + s->ip_len;
  size_t tcp_len = p->len - THIRL_LAB_ETH_LEN - s->ip_len;

  thirl_lab_wire_put16(ip + THIRL_LAB_IP_TOTAL_LEN, (uint16_t)(s->ip_len + tcp_len));
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_ID, (uint16_t)(thirl_lab_wire_get16(ip + THIRL_LAB_IP_ID) + s->number));
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_CHECKSUM, 0);
  thirl_lab_wire_put16(ip + THIRL_LAB_IP_CHECKSUM, thirl_lab_wire_checksum(ip, s->ip_len, 0));

  thirl_lab_wire_put32(tcp + TCP_SEQUENCE, thirl_lab_wire_get32(tcp + TCP_SEQUENCE) + (uint32_t)(s->at - s->headers));
  if (!last) tcp[TCP_FLAGS] = (uint8_t)(tcp[TCP_FLAGS] & ~(FLAG_FIN | FLAG_PSH));
  if (s->number > 0) tcp[TCP_FLAGS] = (uint8_t)(tcp[TCP_FLAGS] & ~FLAG_CWR);
  thirl_lab_wire_put16(tcp + TCP_CHECKSUM, pseudo_sum(ip, tcp_len));

  struct virtio_net_hdr h = header(s->vnet);
  h.gso_type = VIRTIO_NET_HDR_GSO_NONE;
  h.gso_size = 0;
  h.hdr_len = 0;
  memcpy(p->vnet, &h, sizeof h);
  s->at += n;
  s->number++;
  return p;
}
