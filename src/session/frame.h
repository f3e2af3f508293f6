/* SPDX-License-Identifier: MIT */
/*
 * What two peers say inside TLS, on every path alike. All frames begin with four bytes; unknown types are skipped by their length.
 *
 *     0        1        2                 4
 *    +--------+--------+-----------------+-----------------
 *    |  type  | stream |      length     |  body: length bytes
 *    +--------+--------+-----------------+-----------------
 *
 *    HELLO  version 8, flags 8, session id 128, incarnation 64, next 64, limit 64     first on every path, both ways: which session it carries;
 *           another incarnation than before means that the peer has begun anew and knows nothing of what was acknowledged
 *    DATA   offset 64, bytes                                        stream bytes from this offset
 *    ACK    next 64, limit 64       all below next has arrived (the FIN counts one); bytes below limit may be sent
 *    FIN    offset 64               the stream ends at this offset
 *    PING   token 64                answered by PONG with the same token
 *    PONG   token 64
 *    BYE    reason 32               this side has all it wanted (0) or gives up (a thirl_error)
 *    REPORT mapping 8, 0 24, saw 32 what this side knows of its NAT (session/reason.h), and how its last punching ended (a thirl_error). A
 *           later version may append to it; who does not know it skips it
 *
 * A DATA frame never crosses a TLS record: header and bytes together are at most one record.
 */
#ifndef THIRL_SESSION_FRAME_H
#define THIRL_SESSION_FRAME_H

#include "base/bytes.h"

typedef enum thirl_session_frame_type {
  THIRL_SESSION_HELLO = 1,
  THIRL_SESSION_DATA = 2,
  THIRL_SESSION_ACK = 3,
  THIRL_SESSION_FIN = 4,
  THIRL_SESSION_PING = 5,
  THIRL_SESSION_PONG = 6,
  THIRL_SESSION_BYE = 7,
  THIRL_SESSION_REPORT = 8
} thirl_session_frame_type;

enum {
  THIRL_SESSION_FRAME_HEADER = 4,
  THIRL_SESSION_DATA_HEADER = 12, /* frame header and offset */
  THIRL_SESSION_FRAME_MAX = 64,   /* the longest frame that is not DATA, header included */
  THIRL_SESSION_ID_LEN = 16,
  THIRL_SESSION_VERSION = 1
};

typedef struct thirl_session_frame {
  uint8_t type, stream;
  uint16_t length; /* of the body */
  uint8_t version; /* HELLO */
  uint8_t session[THIRL_SESSION_ID_LEN];
  uint64_t incarnation; /* HELLO */
  uint64_t offset;      /* DATA, FIN */
  uint64_t next, limit; /* HELLO, ACK */
  uint64_t token;       /* PING, PONG */
  uint32_t reason;      /* BYE; REPORT: saw */
  uint8_t mapping;      /* REPORT */
} thirl_session_frame;

/** A type of this version; others are skipped. */
bool thirl_session_frame_is_known(uint8_t type);
/** Append one frame that is not DATA. */
void thirl_session_frame_encode(thirl_writer *w, const thirl_session_frame *f);
/** The header of a DATA frame that carries n bytes. */
void thirl_session_frame_put_data(uint8_t out[THIRL_SESSION_DATA_HEADER], uint8_t stream, uint64_t offset, size_t n);
/** Type, stream and length out of the first four bytes. E_PROTOCOL for a known type with an impossible length. */
thirl_error thirl_session_frame_decode_header(const uint8_t in[THIRL_SESSION_FRAME_HEADER], thirl_session_frame *out);
/** The body of a frame whose header is decoded: all of it, or for DATA only the offset. Unknown types are left as they are. */
thirl_error thirl_session_frame_decode_body(thirl_bytes body, thirl_session_frame *f);

#endif
