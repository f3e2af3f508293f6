/* SPDX-License-Identifier: MIT */
/* Offsets and two rings. A ring's place of an offset is offset mod capacity; capacities are powers of two and only grow. */
#include "session/stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

void thirl_session_stream_init(thirl_session_stream *s, size_t window) {
  assert(window >= THIRL_SESSION_STREAM_INITIAL && (window & (window - 1)) == 0);
  *s = (thirl_session_stream){.window = window};
  s->tx_limit = s->ack_limit = THIRL_SESSION_STREAM_INITIAL;
}

void thirl_session_stream_fini(thirl_session_stream *s) {
  if (s->tx) free(s->tx - THIRL_SESSION_STREAM_HEADROOM);
  free(s->rx);
  s->tx = s->rx = NULL;
}

/* Move the held bytes [from, to) into a ring of another capacity. */
static void relay_out(uint8_t *dst, size_t dst_cap, const uint8_t *src, size_t src_cap, uint64_t from, uint64_t to) {
  while (from < to) {
    size_t n = (size_t)(to - from), a = (size_t)(from & (src_cap - 1)), b = (size_t)(from & (dst_cap - 1));
    n = THIRL_MIN(n, THIRL_MIN(src_cap - a, dst_cap - b));
    memcpy(dst + b, src + a, n);
    from += n;
  }
}

static size_t first_cap(const thirl_session_stream *s) {
  return THIRL_MIN(s->window, (size_t)THIRL_SESSION_STREAM_FIRST);
}

static thirl_error grow_tx(thirl_session_stream *s) {
  size_t cap = s->tx ? s->tx_cap * 2 : first_cap(s);
  uint8_t *p = malloc(cap + THIRL_SESSION_STREAM_HEADROOM);
  if (!p) return THIRL_E_NOMEM;
  p += THIRL_SESSION_STREAM_HEADROOM;
  if (s->tx) {
    relay_out(p, cap, s->tx, s->tx_cap, s->tx_acked, s->tx_end);
    free(s->tx - THIRL_SESSION_STREAM_HEADROOM);
  }
  s->tx = p;
  s->tx_cap = cap;
  return THIRL_OK;
}

static thirl_error grow_rx(thirl_session_stream *s) {
  size_t cap = s->rx ? s->rx_cap * 2 : first_cap(s);
  uint8_t *p = malloc(cap);
  if (!p) return THIRL_E_NOMEM;
  if (s->rx) relay_out(p, cap, s->rx, s->rx_cap, s->rx_read, s->rx_next);
  free(s->rx);
  s->rx = p;
  s->rx_cap = cap;
  return THIRL_OK;
}

/* ---- application ---- */

thirl_error thirl_session_stream_space(thirl_session_stream *s, uint8_t **p, size_t *n) {
  *p = NULL;
  *n = 0;
  if (s->tx_finished) return THIRL_E_STATE;
  size_t held = (size_t)(s->tx_end - s->tx_acked);
  /* A full ring of which all is sent is too small for this path's delay: it grows. One that waits for the network does not. */
  bool too_small = held == s->tx_cap && s->tx_sent == s->tx_end && s->tx_cap < s->window;
  if (!s->tx || too_small) {
    thirl_error e = grow_tx(s);
    if (e != THIRL_OK && !s->tx) return e;
  }
  size_t at = (size_t)(s->tx_end & (s->tx_cap - 1));
  *n = THIRL_MIN(s->tx_cap - held, s->tx_cap - at);
  *p = s->tx + at;
  return THIRL_OK;
}

void thirl_session_stream_commit(thirl_session_stream *s, size_t n) {
  assert(s->tx_end - s->tx_acked + n <= s->tx_cap);
  s->tx_end += n;
}

void thirl_session_stream_finish(thirl_session_stream *s) {
  s->tx_finished = true;
}

thirl_bytes thirl_session_stream_peek(const thirl_session_stream *s) {
  size_t held = (size_t)(s->rx_next - s->rx_read);
  if (!held) return (thirl_bytes){NULL, 0};
  size_t at = (size_t)(s->rx_read & (s->rx_cap - 1));
  return (thirl_bytes){s->rx + at, THIRL_MIN(held, s->rx_cap - at)};
}

void thirl_session_stream_consume(thirl_session_stream *s, size_t n) {
  assert(n <= s->rx_next - s->rx_read);
  s->rx_read += n;
}

bool thirl_session_stream_is_read_out(const thirl_session_stream *s) {
  return s->rx_has_final && s->rx_read == s->rx_final;
}

bool thirl_session_stream_is_delivered(const thirl_session_stream *s) {
  return s->tx_finished && s->fin_acked;
}

bool thirl_session_stream_is_complete(const thirl_session_stream *s) {
  return thirl_session_stream_is_delivered(s) && s->rx_has_final;
}

/* ---- paths, sending ---- */

size_t thirl_session_stream_next_chunk(thirl_session_stream *s, size_t max, uint8_t **p, uint64_t *offset) {
  uint64_t end = THIRL_MIN(s->tx_end, s->tx_limit);
  if (s->tx_sent >= end) return 0;
  size_t at = (size_t)(s->tx_sent & (s->tx_cap - 1));
  size_t n = (size_t)THIRL_MIN(end - s->tx_sent, (uint64_t)(s->tx_cap - at));
  *p = s->tx + at;
  *offset = s->tx_sent;
  return THIRL_MIN(n, max);
}

void thirl_session_stream_sent(thirl_session_stream *s, size_t n) {
  assert(s->tx_sent + n <= s->tx_end);
  s->tx_sent += n;
}

bool thirl_session_stream_fin_due(const thirl_session_stream *s) {
  return s->tx_finished && !s->fin_sent && !s->fin_acked && s->tx_sent == s->tx_end;
}

void thirl_session_stream_rewind(thirl_session_stream *s) {
  s->tx_sent = s->tx_acked;
  s->fin_sent = false;
}

thirl_error thirl_session_stream_acked(thirl_session_stream *s, uint64_t next, uint64_t limit) {
  uint64_t end = s->tx_end + (s->tx_finished ? 1 : 0);
  if (next > end) return THIRL_E_PROTOCOL;
  if (limit > s->tx_limit) s->tx_limit = limit;
  if (s->tx_finished && next == end) s->fin_acked = true;
  if (next > s->tx_end) next = s->tx_end;
  if (next <= s->tx_acked) return THIRL_OK;
  s->tx_acked = next;
  if (s->tx_sent < next) s->tx_sent = next;
  return THIRL_OK;
}

/* ---- paths, receiving ---- */

thirl_error thirl_session_stream_reserve(thirl_session_stream *s, uint64_t offset, size_t len, size_t *skip,
                                         uint8_t **p, size_t *n) {
  *p = NULL;
  *n = 0;
  *skip = len;
  if (offset > UINT64_MAX - len || offset + len > s->ack_limit) return THIRL_E_PROTOCOL;
  if (s->rx_has_final && offset + len > s->rx_final) return THIRL_E_PROTOCOL;
  if (offset > s->rx_next) return THIRL_OK; /* a gap comes again by another path */
  if (offset + len <= s->rx_next) {         /* the peer does not know that we have it */
    s->ack_again = true;
    return THIRL_OK;
  }
  *skip = (size_t)(s->rx_next - offset);
  while (s->rx_cap < s->rx_next - s->rx_read + (len - *skip) && (!s->rx || s->rx_cap < s->window)) {
    thirl_error e = grow_rx(s);
    if (e != THIRL_OK) return e;
  }
  size_t at = (size_t)(s->rx_next & (s->rx_cap - 1));
  size_t room = s->rx_cap - (size_t)(s->rx_next - s->rx_read);
  *n = THIRL_MIN(len - *skip, THIRL_MIN(room, s->rx_cap - at));
  *p = s->rx + at;
  return THIRL_OK;
}

void thirl_session_stream_received(thirl_session_stream *s, size_t n) {
  s->rx_next += n;
  assert(s->rx_next - s->rx_read <= s->rx_cap);
}

thirl_error thirl_session_stream_fin(thirl_session_stream *s, uint64_t offset) {
  if (s->rx_has_final) {
    s->ack_again = true;
    return offset == s->rx_final ? THIRL_OK : THIRL_E_PROTOCOL;
  }
  if (offset < s->rx_next || offset > s->ack_limit) return THIRL_E_PROTOCOL;
  if (offset > s->rx_next) return THIRL_OK; /* bytes are missing before it: the sender will say it again behind them */
  s->rx_final = offset;
  s->rx_has_final = true;
  return THIRL_OK;
}

void thirl_session_stream_ack(const thirl_session_stream *s, uint64_t *next, uint64_t *limit) {
  *next = s->rx_next + (s->rx_has_final ? 1 : 0);
  *limit = s->rx_read + s->window;
}

int thirl_session_stream_ack_due(const thirl_session_stream *s) {
  uint64_t next, limit;
  thirl_session_stream_ack(s, &next, &limit);
  if (next == s->ack_next && limit == s->ack_limit) return s->ack_again ? 1 : 0;
  size_t much = THIRL_MIN(s->window / 4, (size_t)(4 * THIRL_SESSION_STREAM_FIRST));
  if (s->rx_has_final && next != s->ack_next) return 2;
  if (next - s->ack_next >= much || limit - s->ack_limit >= s->window / 4) return 2;
  return next != s->ack_next || s->ack_again ? 1 : 0;
}

void thirl_session_stream_ack_told(thirl_session_stream *s, uint64_t next, uint64_t limit) {
  s->ack_next = next;
  s->ack_limit = limit;
  s->ack_again = false;
}

void thirl_session_stream_ack_lost(thirl_session_stream *s) {
  s->ack_again = true;
}
