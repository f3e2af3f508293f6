/* SPDX-License-Identifier: MIT */
#include "lab/frame/checksum.h"

#include <string.h>

#include <linux/virtio_net.h>

#include "lab/frame/wire.h"

uint32_t thirl_lab_checksum_add(uint32_t sum, const uint8_t *p, size_t n) {
  uint64_t wide = sum;
  for (; n >= 2; p += 2, n -= 2)
    wide += thirl_lab_wire_get16(p);
  if (n > 0) wide += (uint64_t)p[0] << 8;
  while (wide >> 32)
    wide = (wide & 0xffffffff) + (wide >> 32);
  return (uint32_t)wide;
}

uint16_t thirl_lab_checksum_fold(uint32_t sum) {
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)sum;
}

uint32_t thirl_lab_checksum_pseudo(const uint8_t *ip, uint8_t protocol, size_t len) {
  uint32_t sum = (uint32_t)protocol + (uint32_t)(len >> 16) + (uint32_t)(len & 0xffff);
  return ip[0] >> 4 == 6 ? thirl_lab_checksum_add(sum, ip + THIRL_LAB_IP6_SOURCE, 32)
                         : thirl_lab_checksum_add(sum, ip + THIRL_LAB_IP_SOURCE, 8);
}

/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). What is unfinished is not complemented. */
void thirl_lab_checksum_replace(uint8_t *field, const uint8_t *old, const uint8_t *new, size_t n, bool unfinished) {
  uint16_t was = thirl_lab_wire_get16(field);
  uint32_t sum = unfinished ? was : (uint16_t)~was;
  for (size_t i = 0; i < n; i += 2)
    sum += (uint16_t)~thirl_lab_wire_get16(old + i);
  uint16_t now = thirl_lab_checksum_fold(thirl_lab_checksum_add(sum, new, n));
  thirl_lab_wire_put16(field, unfinished ? now : (uint16_t)~now);
}

bool thirl_lab_checksum_is_unfinished(const uint8_t *vnet) {
  struct virtio_net_hdr h;
  memcpy(&h, vnet, sizeof h);
  return h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
}

bool thirl_lab_checksum_finish(uint8_t *vnet, uint8_t *frame, size_t len) {
  struct virtio_net_hdr h;
  memcpy(&h, vnet, sizeof h);
  if (!(h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) return true;
  size_t field = (size_t)h.csum_start + h.csum_offset;
  if (h.csum_start >= len || field + 2 > len) return false;
  uint16_t sum =
      (uint16_t)~thirl_lab_checksum_fold(thirl_lab_checksum_add(0, frame + h.csum_start, len - h.csum_start));
  thirl_lab_wire_put16(frame + field, sum == 0 ? 0xffff : sum);
  h.flags = (uint8_t)(h.flags & ~VIRTIO_NET_HDR_F_NEEDS_CSUM);
  h.csum_start = h.csum_offset = 0;
  memcpy(vnet, &h, sizeof h);
  return true;
}
