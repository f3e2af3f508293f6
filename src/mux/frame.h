/* SPDX-License-Identifier: MIT */
/*
 * The frames of many streams on one. Each side begins with eight bytes, "thirlmx1", so that a pipe at the other end is noticed; then come frames:
 *
 *    0                   1                   2                   3
 *   +---------------+---------------+-------------------------------+
 *   |     Type      |       0       |            Length             |
 *   +---------------+---------------+-------------------------------+
 *   |                            Stream                             |
 *   +---------------------------------------------------------------+
 *   |                       Length bytes ...                        |
 *
 *   OPEN    a new stream; the bytes are its label, up to THIRL_MUX_LABEL_MAX, whose meaning is the user's
 *   ACCEPT  the answer, no bytes        REFUSE  the other answer: 1 byte, why
 *   DATA    bytes of the stream         CREDIT  4 bytes: so many more may be sent
 *   END     no more of this direction   RESET   1 byte, why: both directions are over, what was under way is lost
 *
 * Who dialed gives its streams odd numbers, the other side even ones, each in rising order from 1 or 2.
 */
#ifndef THIRL_MUX_FRAME_H
#define THIRL_MUX_FRAME_H

#include "base/bytes.h"

enum {
  THIRL_MUX_PREFACE_LEN = 8,
  THIRL_MUX_HEADER_LEN = 8,
  THIRL_MUX_LABEL_MAX = 512,
  THIRL_MUX_DATA_MAX = 16384,    /* bytes of one DATA frame that we send; up to 65535 are accepted */
  THIRL_MUX_CREDIT_FIRST = 65536 /* bytes that may be sent on a new stream before any CREDIT */
};

#define THIRL_MUX_PREFACE "thirlmx1"

typedef enum thirl_mux_type {
  THIRL_MUX_OPEN = 1,
  THIRL_MUX_ACCEPT,
  THIRL_MUX_REFUSE,
  THIRL_MUX_DATA,
  THIRL_MUX_CREDIT,
  THIRL_MUX_END,
  THIRL_MUX_RESET
} thirl_mux_type;

typedef struct thirl_mux_header {
  uint8_t type; /* thirl_mux_type */
  uint16_t length;
  uint32_t stream;
} thirl_mux_header;

/** E_PROTOCOL: an unknown type, a length that the type cannot have, stream 0. */
thirl_error thirl_mux_frame_read(const uint8_t p[THIRL_MUX_HEADER_LEN], thirl_mux_header *out);
void thirl_mux_frame_write(uint8_t p[THIRL_MUX_HEADER_LEN], thirl_mux_type type, uint16_t length, uint32_t stream);

/** Why a stream was refused or reset, as one byte; what has no byte of its own is E_IO there. */
uint8_t thirl_mux_frame_code_of(thirl_error e);
/** Bytes of later versions are E_IO. */
thirl_error thirl_mux_frame_error_of(uint8_t code);

#endif
