/* SPDX-License-Identifier: MIT */
/*
 * A mux on the stream of a session, for commands that want more than one stream, or words before the bytes: moves the bytes between the two, and hands
 * out what the mux has to tell.
 *
 *   trunk_new -> { open, write, ... on trunk_mux(), then trunk_wake }* and trunk_wake at READABLE and WRITABLE of the session -> trunk_free
 *
 * After each trunk_wake look at trunk_result.
 */
#ifndef THIRL_APPS_TRUNK_H
#define THIRL_APPS_TRUNK_H

#include "mux/mux.h"
#include "thirl/thirl.h"

typedef struct trunk trunk;

/** Called within trunk_wake only; may do anything to the mux but free the trunk. */
typedef void (*trunk_event)(const thirl_mux_event *ev, void *owner);

/**
 * dialed: are we the side that reached out? not_one: the sentence for a peer that speaks no mux at all; outlives the trunk. The session stays the caller's.
 * NULL: no memory.
 */
trunk *trunk_new(thirl_context *context, thirl_session_handle session, bool dialed, const char *not_one,
                 trunk_event on_event, void *owner);
/** NULL is allowed. */
void trunk_free(trunk *t);
/** The trunk's. Whatever is done to it outside of on_event is seen to by the next trunk_wake. */
thirl_mux *trunk_mux(trunk *t);
/** Sends and receives until neither side has anything to say. Within itself, and after the end, it does nothing. */
void trunk_wake(trunk *t);
/** The first end counts. why: more words, which outlive the trunk; may be "". */
void trunk_end(trunk *t, thirl_error e, const char *why);
/**
 * Has it come to an end? E_AGAIN: no. E_EOF: the peer has ended its direction of the session. E_PROTOCOL: the peer speaks no mux, or broke its rules.
 * Others: the session's, or what trunk_end said. *why is never NULL.
 */
thirl_error trunk_result(const trunk *t, const char **why);
/** Is everything that was written to the mux in the session? Not before the peer's first word. */
bool trunk_is_flushed(const trunk *t);

#endif
