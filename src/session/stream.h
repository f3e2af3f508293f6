/* SPDX-License-Identifier: MIT */
/*
 * One byte stream in each direction, known by offsets and nothing else: it does not know what a path is. The sender keeps every byte until the
 * peer has acknowledged it, so that any path can be replaced by any other; the receiver takes only the byte it expects next.
 *
 *   write: space/commit/finish  ->  [acked .. sent .. end]  ->  next_chunk/sent         sending side
 *   read:  peek/consume         <-  [read .. next .. limit) <-  reserve/received        receiving side
 *
 * The end counts as one more offset: FIN at offset e is acknowledged by next = e + 1.
 */
#ifndef THIRL_SESSION_STREAM_H
#define THIRL_SESSION_STREAM_H

#include "base/bytes.h"

enum {
  THIRL_SESSION_STREAM_FIRST = 65536, /* bytes of a ring at first */
  THIRL_SESSION_STREAM_INITIAL =
      32768, /* what every receiver takes before it has said a limit: lets the first bytes go with the handshake */
  THIRL_SESSION_STREAM_HEADROOM = 16 /* bytes in front of the send ring that a frame header may borrow */
};

typedef struct thirl_session_stream {
  size_t window; /* the most that either ring may grow to; a power of two */
  /* sending */
  uint8_t *tx; /* HEADROOM bytes before it belong to the allocation */
  size_t tx_cap;
  uint64_t tx_acked, tx_sent, tx_end, tx_limit;
  bool tx_finished, fin_sent, fin_acked;
  /* receiving */
  uint8_t *rx;
  size_t rx_cap;
  uint64_t rx_read, rx_next, rx_final;
  uint64_t ack_next, ack_limit; /* what the peer was told last */
  bool rx_has_final;
  bool ack_again; /* what was told may not have been heard */
} thirl_session_stream;

/** window: a power of two, at least THIRL_SESSION_STREAM_INITIAL. Allocates nothing yet. */
void thirl_session_stream_init(thirl_session_stream *s, size_t window);
void thirl_session_stream_fini(thirl_session_stream *s);

/* ---- the application's side ---- */
/** Where to write, contiguous; *n = 0 when there is no room now. E_STATE after finish, E_NOMEM. */
thirl_error thirl_session_stream_space(thirl_session_stream *s, uint8_t **p, size_t *n);
void thirl_session_stream_commit(thirl_session_stream *s, size_t n);
void thirl_session_stream_finish(thirl_session_stream *s);
/** What has arrived, contiguous; empty when nothing is there. */
thirl_bytes thirl_session_stream_peek(const thirl_session_stream *s);
void thirl_session_stream_consume(thirl_session_stream *s, size_t n);
/** All that the peer wrote was consumed, and it wrote its end. */
bool thirl_session_stream_is_read_out(const thirl_session_stream *s);
/** The peer has everything we wrote, the end included. */
bool thirl_session_stream_is_delivered(const thirl_session_stream *s);
/** Nothing is missing in either direction, whether the application has read it or not. */
bool thirl_session_stream_is_complete(const thirl_session_stream *s);

/* ---- the paths' side ---- */
/**
 * The next bytes to send, contiguous, at most max, within the peer's limit: *p in the ring with HEADROOM writable bytes in front of it (put them back as
 * they were). Returns the number, 0 when there is nothing to send now.
 */
size_t thirl_session_stream_next_chunk(thirl_session_stream *s, size_t max, uint8_t **p, uint64_t *offset);
void thirl_session_stream_sent(thirl_session_stream *s, size_t n);
/** FIN is due: all is sent, the application has finished, and FIN was not sent on this path. */
bool thirl_session_stream_fin_due(const thirl_session_stream *s);
/** Another path sends from now on: begin again at the first byte that is not acknowledged. */
void thirl_session_stream_rewind(thirl_session_stream *s);
/** E_PROTOCOL for an acknowledgement of what was never written. Old ones are ignored. */
thirl_error thirl_session_stream_acked(thirl_session_stream *s, uint64_t next, uint64_t limit);

/**
 * n bytes from offset have arrived or begin to arrive: where do they go? *skip bytes at the front are known already, then *n bytes can go to
 * *p (contiguous; call again for the rest). E_PROTOCOL: beyond the limit given or beyond the end. *n = 0 and *skip = all: nothing new in it.
 */
thirl_error thirl_session_stream_reserve(thirl_session_stream *s, uint64_t offset, size_t len, size_t *skip,
                                         uint8_t **p, size_t *n);
/** n bytes were put where reserve said. */
void thirl_session_stream_received(thirl_session_stream *s, size_t n);
/** E_PROTOCOL when it contradicts what is known. */
thirl_error thirl_session_stream_fin(thirl_session_stream *s, uint64_t offset);
/** What an ACK would say now. */
void thirl_session_stream_ack(const thirl_session_stream *s, uint64_t *next, uint64_t *limit);
/** 0: nothing to say; 1: something, may wait a little; 2: say it now (an end, or much). */
int thirl_session_stream_ack_due(const thirl_session_stream *s);
/** Remember what was told. */
void thirl_session_stream_ack_told(thirl_session_stream *s, uint64_t next, uint64_t limit);
/** What was told may have been lost with its path: tell it again. */
void thirl_session_stream_ack_lost(thirl_session_stream *s);

#endif
