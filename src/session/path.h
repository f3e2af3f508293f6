/* SPDX-License-Identifier: MIT */
/*
 * One path: a TLS connection to the peer over whatever carries bytes (a relay channel or a direct connection), and the frames inside it. It moves
 * stream bytes between TLS and the stream's rings without another copy; every other frame is returned to the session.
 */
#ifndef THIRL_SESSION_PATH_H
#define THIRL_SESSION_PATH_H

#include "base/time.h"
#include "secure/tls.h"
#include "session/frame.h"
#include "session/stream.h"

enum { THIRL_SESSION_PATH_LEAST_PULL = THIRL_SECURE_TLS_OVERHEAD + 512 }; /* in less room no record is begun */

typedef struct thirl_session_path {
  thirl_secure_tls *tls; /* NULL: no path */
  uint8_t session[THIRL_SESSION_ID_LEN];
  uint64_t incarnation; /* ours, told in HELLO */
  thirl_buffer say;     /* frames that wait to be sealed */
  bool hello_said, hello_heard;
  bool is_stalled; /* TLS declined to seal in the middle of a key change: nothing goes out before something comes in */
  /* the frame being read */
  uint8_t head[THIRL_SESSION_FRAME_MAX];
  size_t head_n, left; /* left: bytes of DATA or of an unknown body still to come */
  thirl_session_frame frame;
  /* is it alive? */
  thirl_time born, heard_at, asked_at, rtt; /* asked_at: when the PING under way was said, NEVER if none */
  thirl_time flight_at;                     /* when our first flight left; NEVER: its answer has shown the round trip */
  uint64_t token;
  uint64_t stream_in, stream_out; /* bytes of the stream that went over it */
} thirl_session_path;

thirl_error thirl_session_path_init(thirl_session_path *p, thirl_time now, thirl_secure_tls_context *tls,
                                    bool is_client, const thirl_peerid *expect,
                                    const uint8_t session[THIRL_SESSION_ID_LEN], uint64_t incarnation);
void thirl_session_path_fini(thirl_session_path *p);
bool thirl_session_path_is_set(const thirl_session_path *p);
/** Both keys are proven on it. */
bool thirl_session_path_is_open(const thirl_session_path *p);
/** Open, and the peer's HELLO for this session has come over it: it works in both directions. */
bool thirl_session_path_is_proven(const thirl_session_path *p);

/**
 * Ciphertext in; DATA goes into the stream; the next other frame comes out. Call until E_AGAIN, which
 * means that *in is used up.
 * OK: *f. E_AGAIN. E_EOF: the peer closed this path. Anything else: the path is dead (E_WRONG_KEY, E_PROTOCOL, ...).
 */
thirl_error thirl_session_path_next(thirl_session_path *p, thirl_time now, thirl_session_stream *s, thirl_bytes *in,
                                    thirl_session_frame *f);
/**
 * Ciphertext out. s: the stream when this path is the one that carries it, else NULL. With cap below LEAST_PULL nothing comes out but what is
 * left of the handshake: wait for more room. A fresh path gives 4 KiB at a time at most, its 64 KiB sooner than in one piece: pull until 0.
 */
size_t thirl_session_path_pull(thirl_session_path *p, thirl_session_stream *s, uint8_t *buf, size_t cap);
bool thirl_session_path_wants_pull(const thirl_session_path *p, thirl_session_stream *s);

/** All that was said has left, of the handshake and of frames; the stream may still have something. */
bool thirl_session_path_is_quiet(const thirl_session_path *p);

/** False: there is no room, and it is not said. PONG, PING and ACK leave room for what is said only once. */
bool thirl_session_path_say(thirl_session_path *p, const thirl_session_frame *f);
/** ACK with what the stream would say now; nothing when frames wait already: it goes with them. */
void thirl_session_path_say_ack(thirl_session_path *p, thirl_session_stream *s);
void thirl_session_path_ask(thirl_session_path *p, thirl_time now); /* PING, when none is under way */

/** When to ask, if nothing is heard; outstanding: an answer is awaited. NEVER: asked already, or not proven. */
thirl_time thirl_session_path_ask_at(const thirl_session_path *p, bool is_outstanding);
/** When to give it up, if nothing is heard. */
thirl_time thirl_session_path_dead_at(const thirl_session_path *p);

#endif
