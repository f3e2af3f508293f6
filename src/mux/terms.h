/* SPDX-License-Identifier: MIT */
/* The limits of a mux and what it tells its user. No code. */
#ifndef THIRL_MUX_TERMS_H
#define THIRL_MUX_TERMS_H

#include "mux/frame.h"

enum {
  THIRL_MUX_STREAMS_MAX = 512,     /* at a time; more are refused with E_LIMIT */
  THIRL_MUX_WRITE_MAX = 65536,     /* bytes of one stream that wait to be sent */
  THIRL_MUX_WINDOW_MAX = 4 << 20,  /* bytes of one stream that may be under way or wait to be read */
  THIRL_MUX_MEMORY_MAX = 64 << 20, /* the windows of all streams together */
  THIRL_MUX_REFUSALS_MAX = 64,     /* that wait to be sent; then no more is read until they are */
  THIRL_MUX_PULL_MIN = THIRL_MUX_HEADER_LEN + THIRL_MUX_LABEL_MAX
};

typedef struct thirl_mux thirl_mux;

typedef enum thirl_mux_event_kind {
  THIRL_MUX_ASKED,    /* stream, label: the peer opens one; accept, refuse or reset it */
  THIRL_MUX_ACCEPTED, /* stream: our open was accepted */
  THIRL_MUX_REFUSED,  /* stream, error: it was not; the stream is dead */
  THIRL_MUX_READABLE, /* stream: peek had nothing and has bytes or the end now */
  THIRL_MUX_WRITABLE, /* stream: write had no room and has some again */
  THIRL_MUX_BROKEN    /* stream, error: the peer reset it; the stream is dead, what was not read is gone */
} thirl_mux_event_kind;

typedef struct thirl_mux_event {
  thirl_mux_event_kind kind;
  uint32_t stream;
  thirl_error error;
  thirl_bytes label; /* ASKED: borrowed until the next call */
} thirl_mux_event;

#endif
