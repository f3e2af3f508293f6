/* SPDX-License-Identifier: MIT */
#include "lab/frame/pcap.h"

#include <string.h>

#include "lab/frame/checksum.h"
#include "lab/frame/segment.h"

/*  The file's header, then before each frame: seconds, microseconds, bytes here, bytes of the frame; all 32 bits. */
typedef struct file_header {
  uint32_t magic;
  uint16_t major, minor;
  uint32_t zone, accuracy, snaplen, link_type;
} file_header;

typedef struct frame_header {
  uint32_t s, us, here, len;
} frame_header;

enum { ETHERNET = 1 };
static const uint32_t MAGIC = 0xa1b2c3d4;

thirl_error thirl_lab_pcap_init(thirl_lab_pcap *c, thirl_time epoch, size_t snaplen) {
  memset(c, 0, sizeof *c);
  c->epoch = epoch;
  c->snaplen = snaplen > 0 ? THIRL_MIN(snaplen, (size_t)THIRL_LAB_PCAP_SNAPLEN_MAX) : THIRL_LAB_PCAP_SNAPLEN_MAX;
  thirl_buffer_init(&c->bytes, THIRL_LAB_PCAP_HELD_MAX);
  file_header h = {.magic = MAGIC, .major = 2, .minor = 4, .snaplen = (uint32_t)c->snaplen, .link_type = ETHERNET};
  return thirl_buffer_append(&c->bytes, THIRL_BYTES(&h, sizeof h));
}

void thirl_lab_pcap_fini(thirl_lab_pcap *c) {
  thirl_buffer_fini(&c->bytes);
}

static void let_go(thirl_lab_pcap *c) {
  thirl_buffer_consume(&c->bytes, c->given);
  c->given = 0;
}

void thirl_lab_pcap_add(thirl_lab_pcap *c, thirl_time at, const uint8_t *vnet, const uint8_t *frame, size_t len) {
  let_go(c);
  size_t here = THIRL_MIN(len, c->snaplen);
  thirl_time t = thirl_time_after(at, c->epoch);
  frame_header h = {.s = (uint32_t)(t / THIRL_S),
                    .us = (uint32_t)(t % THIRL_S),
                    .here = (uint32_t)here,
                    .len = (uint32_t)THIRL_MIN(len, (size_t)UINT32_MAX)};
  uint8_t *room =
      thirl_buffer_room(&c->bytes) < sizeof h + here ? NULL : thirl_buffer_reserve(&c->bytes, sizeof h + here);
  if (!room) {
    c->missed++;
    return;
  }
  memcpy(room, &h, sizeof h);
  memcpy(room + sizeof h, frame, here);
  uint8_t words[THIRL_LAB_VNET_LEN];
  memcpy(words, vnet, sizeof words);
  if (here == len && !thirl_lab_segment_is_large(words)) thirl_lab_checksum_finish(words, room + sizeof h, len);
  thirl_buffer_commit(&c->bytes, sizeof h + here);
}

thirl_bytes thirl_lab_pcap_take(thirl_lab_pcap *c) {
  let_go(c);
  thirl_bytes all = thirl_buffer_view(&c->bytes);
  c->given = all.n;
  return all;
}

void thirl_lab_pcap_give_back(thirl_lab_pcap *c, size_t n) {
  c->given -= THIRL_MIN(n, c->given);
}
