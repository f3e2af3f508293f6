/* SPDX-License-Identifier: MIT */
/*
 * Cutting a stream. A packet that is whole in the input is returned as a view into it; only what is cut by the end of the input is
 * copied, and that memory is given back with the packet, so that an idle connection holds none.
 */
#include "stun/stream.h"

#include <assert.h>

#include "stun/msg.h"

enum { HEAD_LEN = 4, COOKIE_END = 8, PADDING_MAX = 3 };

static size_t padded(size_t n) {
  return (n + 3) & ~(size_t)3;
}

/* How long the packet is that starts with head, without its padding; at least what must be there to tell. 0: no such packet exists. */
static size_t claim_turn(thirl_bytes head) {
  if (head.n == 0) return HEAD_LEN;
  bool is_stun = (head.p[0] & 0xc0) == 0, is_channel = (head.p[0] & 0xf0) == THIRL_STUN_CHANNEL_MIN >> 8;
  if (!is_stun && !is_channel) return 0;
  if (head.n < HEAD_LEN) return HEAD_LEN;
  size_t n = thirl_bytes_get_u16(head.p + 2);
  if (is_channel) return THIRL_STUN_CHANNEL_HEADER_LEN + n;
  if (n % 4 != 0 || (head.n >= COOKIE_END && thirl_bytes_get_u32(head.p + 4) != THIRL_STUN_COOKIE)) return 0;
  return THIRL_STUN_HEADER_LEN + n;
}

static size_t claim_frame(thirl_bytes head) {
  if (head.n < THIRL_STUN_FRAME_HEADER_LEN) return THIRL_STUN_FRAME_HEADER_LEN;
  return THIRL_STUN_FRAME_HEADER_LEN + (size_t)thirl_bytes_get_u16(head.p);
}

/* The same for either framing and within the maximum; *wire is the length with padding. */
static size_t claim(const thirl_stun_stream *s, thirl_bytes head, size_t *wire) {
  bool turn = s->framing == THIRL_STUN_FRAMING_TURN;
  size_t n = turn ? claim_turn(head) : claim_frame(head);
  *wire = turn ? padded(n) : n;
  return n > s->max ? 0 : n;
}

static thirl_bytes payload(const thirl_stun_stream *s, const uint8_t *p, size_t n) {
  size_t skip = s->framing == THIRL_STUN_FRAMING_FRAME ? THIRL_STUN_FRAME_HEADER_LEN : 0;
  return (thirl_bytes){p + skip, n - skip};
}

void thirl_stun_stream_init(thirl_stun_stream *s, thirl_stun_framing framing, size_t max) {
  *s = (thirl_stun_stream){.framing = framing, .max = max};
  thirl_buffer_init(&s->partial, max + PADDING_MAX);
}

void thirl_stun_stream_fini(thirl_stun_stream *s) {
  thirl_buffer_fini(&s->partial);
}

void thirl_stun_stream_set_max(thirl_stun_stream *s, size_t max) {
  assert(max + PADDING_MAX >= s->partial.n);
  s->max = max;
  s->partial.max = max + PADDING_MAX;
}

static thirl_error lost(thirl_stun_stream *s) {
  s->bad = true;
  thirl_buffer_fini(&s->partial);
  return THIRL_E_PROTOCOL;
}

/* Move n bytes from the input to the partial packet. */
static thirl_error keep(thirl_stun_stream *s, thirl_bytes *in, size_t n) {
  thirl_error e = thirl_buffer_append(&s->partial, (thirl_bytes){in->p, n});
  if (e != THIRL_OK) return e;
  in->p += n;
  in->n -= n;
  return THIRL_OK;
}

/* Nothing is held: look for a whole packet in the input itself. */
static thirl_error next_from_input(thirl_stun_stream *s, thirl_bytes *in, thirl_bytes *packet) {
  size_t wire, n = claim(s, *in, &wire);
  if (n == 0) return lost(s);
  if (in->n < wire) return THIRL_E_AGAIN;
  *packet = payload(s, in->p, n);
  in->p += wire;
  in->n -= wire;
  return THIRL_OK;
}

/* Something is held: complete it, first to the point where its length is known, then to its end. */
static thirl_error next_from_partial(thirl_stun_stream *s, thirl_bytes *in, thirl_bytes *packet) {
  for (;;) {
    thirl_bytes held = thirl_buffer_view(&s->partial);
    size_t wire, n = claim(s, held, &wire);
    if (n == 0) return lost(s);
    if (held.n >= wire) {
      *packet = payload(s, held.p, n);
      s->handed_out = true;
      return THIRL_OK;
    }
    if (in->n == 0) return THIRL_E_AGAIN;
    size_t want = wire - held.n;
    thirl_error e = keep(s, in, want < in->n ? want : in->n);
    if (e != THIRL_OK) return e;
  }
}

thirl_error thirl_stun_stream_next(thirl_stun_stream *s, thirl_bytes *in, thirl_bytes *packet) {
  *packet = (thirl_bytes){NULL, 0};
  if (s->bad) return THIRL_E_PROTOCOL;
  if (s->handed_out) thirl_buffer_fini(&s->partial);
  s->handed_out = false;
  if (s->partial.n) return next_from_partial(s, in, packet);
  if (in->n == 0) return THIRL_E_AGAIN;
  thirl_error e = next_from_input(s, in, packet);
  if (e != THIRL_E_AGAIN) return e;
  e = keep(s, in, in->n);
  return e == THIRL_OK ? THIRL_E_AGAIN : e;
}

void thirl_stun_stream_put_channel(uint8_t out[THIRL_STUN_CHANNEL_HEADER_LEN], uint16_t channel, uint16_t n) {
  thirl_bytes_put_u16(out, channel);
  thirl_bytes_put_u16(out + 2, n);
}
