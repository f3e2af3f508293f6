/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a stream. The first byte chooses the framing and the maximum, the second the sizes of the pieces; the rest is the stream. In
 * one piece, byte by byte and in pieces it must be cut into the same packets and end in the same way.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "stun/msg.h"
#include "stun/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok) {
  if (!ok) abort();
}

/* Instead of the packets themselves: how many, how many bytes, and a hash over their lengths and contents. */
typedef struct digest {
  uint64_t hash;
  size_t packets, bytes;
  thirl_error last;
} digest;

static void digest_add(digest *d, const uint8_t *p, size_t n) {
  for (size_t i = 0; i < n; i++)
    d->hash = (d->hash ^ p[i]) * 0x100000001b3u;
}

static void feed(thirl_stun_stream *s, const uint8_t *p, size_t n, digest *d) {
  thirl_bytes in = {p, n}, packet;
  while ((d->last = thirl_stun_stream_next(s, &in, &packet)) == THIRL_OK) {
    uint8_t length[4];
    must(packet.n <= s->max);
    thirl_bytes_put_u32(length, (uint32_t)packet.n);
    digest_add(d, length, sizeof length);
    digest_add(d, packet.p, packet.n);
    d->packets++;
    d->bytes += packet.n;
    if (s->framing == THIRL_STUN_FRAMING_TURN) {
      thirl_stun_kind kind = thirl_stun_msg_kind(packet);
      if (kind == THIRL_STUN_KIND_CHANNEL)
        must(packet.n == THIRL_STUN_CHANNEL_HEADER_LEN + (size_t)thirl_bytes_get_u16(packet.p + 2));
      else
        must(packet.n >= THIRL_STUN_HEADER_LEN && thirl_bytes_get_u32(packet.p + 4) == THIRL_STUN_COOKIE);
    }
  }
  must(d->last == THIRL_E_PROTOCOL || (d->last == THIRL_E_AGAIN && in.n == 0));
}

static digest cut(thirl_stun_framing framing, size_t max, const uint8_t *p, size_t n, unsigned largest, uint64_t seed) {
  digest d = {.hash = 0xcbf29ce484222325u, .last = THIRL_E_AGAIN};
  thirl_stun_stream s;
  thirl_dice dice;
  thirl_dice_seed(&dice, seed);
  thirl_stun_stream_init(&s, framing, max);
  for (size_t at = 0, piece; at < n; at += piece) {
    piece = largest ? 1 + (size_t)thirl_dice_below(&dice, largest) : n;
    if (piece > n - at) piece = n - at;
    feed(&s, p + at, piece, &d);
  }
  thirl_stun_stream_fini(&s);
  return d;
}

static void must_equal(const digest *a, const digest *b) {
  must(a->hash == b->hash && a->packets == b->packets && a->bytes == b->bytes && a->last == b->last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const size_t maxima[] = {32, 600, 4096, 70000};
  if (size < 2) return 0;
  thirl_stun_framing framing = data[0] & 1 ? THIRL_STUN_FRAMING_FRAME : THIRL_STUN_FRAMING_TURN;
  size_t max = maxima[data[0] >> 1 & 3];
  const uint8_t *p = data + 2;
  size_t n = size - 2;
  digest whole = cut(framing, max, p, n, 0, 0), bytes = cut(framing, max, p, n, 1, 0),
         pieces = cut(framing, max, p, n, 2u + data[1], data[0]);
  must_equal(&whole, &bytes);
  must_equal(&whole, &pieces);
  return 0;
}
