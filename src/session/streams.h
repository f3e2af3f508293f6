/* SPDX-License-Identifier: MIT */
/* The application's hands on the streams of an endpoint's sessions. */
#ifndef THIRL_SESSION_STREAMS_H
#define THIRL_SESSION_STREAMS_H

#include "session/endpoint.h"

/* ---- the stream of a session; E_NOT_FOUND when the handle is dead ---- */
/** Where to write; *n = 0: not now (before UP there is room too: it is kept). E_STATE after finish. */
thirl_error thirl_session_streams_space(thirl_session_endpoint *e, uint32_t handle, uint8_t **p, size_t *n);
thirl_error thirl_session_streams_commit(thirl_session_endpoint *e, thirl_time now, uint32_t handle, size_t n);
thirl_error thirl_session_streams_finish(thirl_session_endpoint *e, thirl_time now, uint32_t handle);
/** What has arrived; E_AGAIN: nothing now; E_EOF: nothing any more. */
thirl_error thirl_session_streams_peek(thirl_session_endpoint *e, uint32_t handle, thirl_bytes *out);
thirl_error thirl_session_streams_consume(thirl_session_endpoint *e, thirl_time now, uint32_t handle, size_t n);
/** Who the peer is. */
thirl_error thirl_session_streams_peer(thirl_session_endpoint *e, uint32_t handle, thirl_peerid *out);
/** All that was written is acknowledged by the peer, the end included if it was written. */
bool thirl_session_streams_is_delivered(thirl_session_endpoint *e, uint32_t handle);

#endif
