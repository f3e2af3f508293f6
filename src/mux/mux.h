/* SPDX-License-Identifier: MIT */
/*
 * Many streams on one: each with its own two directions, its own end of each, its own room, so that one which nobody reads does not hold up the others.
 * Sans I/O. The one stream below is reliable and in order; what goes over it is frame.h.
 *
 *   input(bytes from below) -> next_event until false -> { open accept write finish peek consume reset }* -> pull(bytes for below)
 *
 * What waits to be read is bounded by credit, what waits to be sent by THIRL_MUX_WRITE_MAX a stream: nothing else is kept.
 */
#ifndef THIRL_MUX_MUX_H
#define THIRL_MUX_MUX_H

#include "mux/terms.h"

/** dialed: are we the side that gives odd numbers? seed for the tables, from the secrets. NULL: no memory. */
thirl_mux *thirl_mux_new(bool dialed, uint64_t seed);
void thirl_mux_free(thirl_mux *m);

/** Ask the peer for a stream. Bytes may be written at once. E_LIMIT (streams, label), E_NOMEM. */
thirl_error thirl_mux_open(thirl_mux *m, thirl_bytes label, uint32_t *stream);
/** The answers to ASKED. E_NOT_FOUND, E_STATE (answered already). After refuse the stream is dead. */
thirl_error thirl_mux_accept(thirl_mux *m, uint32_t stream);
thirl_error thirl_mux_refuse(thirl_mux *m, uint32_t stream, thirl_error why);
/** Takes up to b.n bytes and says how many: OK with *done > 0. E_AGAIN: no room, WRITABLE follows. E_STATE after finish, E_NOT_FOUND, E_NOMEM. */
thirl_error thirl_mux_write(thirl_mux *m, uint32_t stream, thirl_bytes b, size_t *done);
/** How many bytes write would take now; 0 for a dead stream too. After a 0 of a living one WRITABLE follows. */
size_t thirl_mux_room(thirl_mux *m, uint32_t stream);
/** Our direction ends behind what was written. E_NOT_FOUND. */
thirl_error thirl_mux_finish(thirl_mux *m, uint32_t stream);
/**
 * What waits to be read, borrowed until the next call; then say how much of it was used up. E_AGAIN: nothing now, READABLE follows. E_EOF: the peer has
 * ended its direction and all was read. A stream that has ended in both directions is dead after that.
 */
thirl_error thirl_mux_peek(thirl_mux *m, uint32_t stream, thirl_bytes *b);
void thirl_mux_consume(thirl_mux *m, uint32_t stream, size_t n);
/** Both directions are over at once, here and there; a dead stream is ignored. */
void thirl_mux_reset(thirl_mux *m, uint32_t stream, thirl_error why);

/**
 * Bytes from below; *in shrinks by what was taken, all of it unless refusals have to go out first (pull, then again).
 * E_PROTOCOL: the peer does not speak this (THIRL_MUX_PREFACE did not come: *spoke is false) or broke its rules; E_NOMEM. Then the whole is over.
 */
thirl_error thirl_mux_input(thirl_mux *m, thirl_bytes *in, bool *spoke);
bool thirl_mux_next_event(thirl_mux *m, thirl_mux_event *out);
/** Is there something to pull? */
bool thirl_mux_wants_pull(const thirl_mux *m);
/** Up to cap (at least THIRL_MUX_PULL_MIN) bytes for below; 0: nothing now. They count as sent. */
size_t thirl_mux_pull(thirl_mux *m, uint8_t *buf, size_t cap);
/** Streams that live. */
size_t thirl_mux_count(const thirl_mux *m);

#endif
