/* SPDX-License-Identifier: MIT */
/*
 * What two sides of a chat say to each other, on one stream of a mux whose label is "chat 1". Whoever dialed opens it.
 *
 *    0                   1                   2                   3
 *   +---------------+---------------+-------------------------------+
 *   |     Type      |       0       |            Length             |
 *   +---------------+---------------+-------------------------------+
 *   |                       Length bytes ...                        |
 *
 *   TEXT   4 bytes: its number, from 1 on, one more each time; then up to THIRL_CHAT_TEXT_MAX bytes, UTF-8 by good manners
 *   SHOWN  4 bytes: all texts up to this number have been shown to somebody
 *   PING   8 bytes, to be sent back as PONG; one is under way at a time
 *   END    there will be no more TEXT from this side, which still listens
 *   LEAVE  this side is gone; the last frame
 */
#ifndef THIRL_CHAT_FRAME_H
#define THIRL_CHAT_FRAME_H

#include "base/bytes.h"

#define THIRL_CHAT_LABEL "chat 1"

enum {
  THIRL_CHAT_HEADER_LEN = 4,
  THIRL_CHAT_NUMBER_LEN = 4,
  THIRL_CHAT_PING_LEN = 8,
  THIRL_CHAT_TEXT_MAX = 4096, /* bytes of a text */
  THIRL_CHAT_FRAME_MAX = THIRL_CHAT_HEADER_LEN + THIRL_CHAT_NUMBER_LEN + THIRL_CHAT_TEXT_MAX
};

typedef enum thirl_chat_type {
  THIRL_CHAT_TEXT = 1,
  THIRL_CHAT_SHOWN,
  THIRL_CHAT_PING,
  THIRL_CHAT_PONG,
  THIRL_CHAT_END,
  THIRL_CHAT_LEAVE
} thirl_chat_type;

/** E_PROTOCOL: an unknown type, a length that the type cannot have. */
thirl_error thirl_chat_frame_read(const uint8_t p[THIRL_CHAT_HEADER_LEN], thirl_chat_type *type, size_t *length);
void thirl_chat_frame_write(uint8_t p[THIRL_CHAT_HEADER_LEN], thirl_chat_type type, size_t length);

#endif
