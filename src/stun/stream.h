/* SPDX-License-Identifier: MIT */
/*
 * Cutting a byte stream into messages. Two framings:
 *
 * TURN   what a client and a server speak over TCP: STUN messages and ChannelData, each telling its own length.
 *        RFC 8489 section 6.2.2, RFC 8656 section 12.5 (ChannelData is padded to four bytes on a stream).
 *
 *           0                   1                   2                   3
 *          +-------------------------------+-------------------------------+
 *          |  Channel Number 0x4000-0x4FFF |            Length             |
 *          +-------------------------------+-------------------------------+
 *          |                       Application Data                        |
 *
 * FRAME  what two ICE agents speak over TCP: every packet behind a 16-bit length. RFC 4571.
 *
 * The cutter keeps only what is incomplete, bounded by the largest packet. Packets of a stream that are whole in the input are returned
 * as views into it, without a copy.
 */
#ifndef THIRL_STUN_STREAM_H
#define THIRL_STUN_STREAM_H

#include "base/bytes.h"

enum {
  THIRL_STUN_CHANNEL_HEADER_LEN = 4,
  THIRL_STUN_FRAME_HEADER_LEN = 2,
  THIRL_STUN_CHANNEL_MIN = 0x4000,
  THIRL_STUN_CHANNEL_MAX = 0x4fff
};

typedef enum thirl_stun_framing { THIRL_STUN_FRAMING_TURN, THIRL_STUN_FRAMING_FRAME } thirl_stun_framing;

typedef struct thirl_stun_stream {
  thirl_stun_framing framing;
  thirl_buffer partial;
  size_t max;      /* the largest packet accepted, header included */
  bool handed_out; /* the last packet lives in partial */
  bool bad;
} thirl_stun_stream;

void thirl_stun_stream_init(thirl_stun_stream *s, thirl_stun_framing framing, size_t max);
void thirl_stun_stream_fini(thirl_stun_stream *s);
/** Another maximum from now on; what is held of a packet stays. max must not be less than what is held. */
void thirl_stun_stream_set_max(thirl_stun_stream *s, size_t max);

/**
 * Take the next packet out of *in, which shrinks by what was used. Call until it says E_AGAIN (which means all of *in is used up).
 *
 * *packet   TURN: a whole STUN message, or ChannelData with its header and without padding. FRAME: the payload without the length (may be empty).
 *           Valid until the next call.
 * OK          a packet
 * E_AGAIN     no whole packet yet
 * E_PROTOCOL  neither STUN nor ChannelData, or larger than the maximum: the stream is lost, every later call says the same
 * E_NOMEM
 */
thirl_error thirl_stun_stream_next(thirl_stun_stream *s, thirl_bytes *in, thirl_bytes *packet);

/** Write a ChannelData header for n bytes of data; the padding to four bytes after the data is (4 - n % 4) % 4 zeroes. */
void thirl_stun_stream_put_channel(uint8_t out[THIRL_STUN_CHANNEL_HEADER_LEN], uint16_t channel, uint16_t n);

#endif
