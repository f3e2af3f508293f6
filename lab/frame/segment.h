/* SPDX-License-Identifier: MIT */
/*
 * What a network card does with a packet of up to 64 KiB: cuts it into packets of the size the receiver expects. A line that loses packets has to
 * lose these, not 64 KiB at a time. TCP and UDP (UDP_SEGMENT) over IPv4 and IPv6. The checksum behind the IP header stays the kernel's work
 * (VIRTIO_NET_HDR_F_NEEDS_CSUM).
 */
#ifndef THIRL_LAB_SEGMENT_H
#define THIRL_LAB_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/frame/link.h"

typedef struct thirl_lab_segment {
  const uint8_t *vnet, *frame; /* borrowed */
  size_t len, l4, headers, size, at;
  bool is_v6, is_udp;
  unsigned number;
} thirl_lab_segment;

/** Is this a packet that stands for several? vnet: THIRL_LAB_VNET_LEN bytes in the order of this machine. */
bool thirl_lab_segment_is_large(const uint8_t *vnet);
/** Prepare to cut; vnet and frame must outlive s. False: not something that can be cut, or it lies about its lengths. */
bool thirl_lab_segment_init(thirl_lab_segment *s, const uint8_t *vnet, const uint8_t *frame, size_t len);
/** Bytes of the longest of the pieces: headers and all. */
size_t thirl_lab_segment_longest(const thirl_lab_segment *s);
/** The next piece, the caller's; NULL: that was all, or no memory. */
thirl_lab_packet *thirl_lab_segment_next(thirl_lab_segment *s);

#endif
