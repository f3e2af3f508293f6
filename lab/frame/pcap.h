/* SPDX-License-Identifier: MIT */
/* A capture as bytes: the classic pcap format (Ethernet, microseconds, the byte order of this machine), written piece by piece. No file here. */
#ifndef THIRL_LAB_PCAP_H
#define THIRL_LAB_PCAP_H

#include "base/bytes.h"
#include "base/time.h"

enum {
  THIRL_LAB_PCAP_SNAPLEN_MAX = 256 << 10,
  THIRL_LAB_PCAP_HELD_MAX = 16 << 20 /* bytes that nobody has taken; frames that come on top are counted */
};

typedef struct thirl_lab_pcap {
  thirl_buffer bytes;
  thirl_time epoch;
  size_t snaplen, given;
  uint64_t missed;
} thirl_lab_pcap;

/** epoch: what to add to a time to get the time since 1970. snaplen: bytes kept of a frame; 0: all. E_NOMEM. */
thirl_error thirl_lab_pcap_init(thirl_lab_pcap *c, thirl_time epoch, size_t snaplen);
void thirl_lab_pcap_fini(thirl_lab_pcap *c);
/** One frame. An unfinished checksum (vnet) is finished in the copy, where the frame is one packet. */
void thirl_lab_pcap_add(thirl_lab_pcap *c, thirl_time at, const uint8_t *vnet, const uint8_t *frame, size_t len);
/** What has come since the last take; valid until the next call. */
thirl_bytes thirl_lab_pcap_take(thirl_lab_pcap *c);
/** Right after a take: its last n bytes were not used and come again. */
void thirl_lab_pcap_give_back(thirl_lab_pcap *c, size_t n);

#endif
