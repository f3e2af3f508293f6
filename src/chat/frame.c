/* SPDX-License-Identifier: MIT */
#include "chat/frame.h"

thirl_error thirl_chat_frame_read(const uint8_t p[THIRL_CHAT_HEADER_LEN], thirl_chat_type *type, size_t *length) {
  static const struct {
    size_t least, most;
  } lengths[] = {[THIRL_CHAT_TEXT] = {THIRL_CHAT_NUMBER_LEN, THIRL_CHAT_NUMBER_LEN + THIRL_CHAT_TEXT_MAX},
                 [THIRL_CHAT_SHOWN] = {THIRL_CHAT_NUMBER_LEN, THIRL_CHAT_NUMBER_LEN},
                 [THIRL_CHAT_PING] = {THIRL_CHAT_PING_LEN, THIRL_CHAT_PING_LEN},
                 [THIRL_CHAT_PONG] = {THIRL_CHAT_PING_LEN, THIRL_CHAT_PING_LEN},
                 [THIRL_CHAT_END] = {0, 0},
                 [THIRL_CHAT_LEAVE] = {0, 0}};
  *length = thirl_bytes_get_u16(p + 2);
  *type = THIRL_CHAT_TEXT;
  if (p[0] < THIRL_CHAT_TEXT || p[0] > THIRL_CHAT_LEAVE || p[1] != 0) return THIRL_E_PROTOCOL;
  *type = (thirl_chat_type)p[0];
  return *length >= lengths[p[0]].least && *length <= lengths[p[0]].most ? THIRL_OK : THIRL_E_PROTOCOL;
}

void thirl_chat_frame_write(uint8_t p[THIRL_CHAT_HEADER_LEN], thirl_chat_type type, size_t length) {
  p[0] = (uint8_t)type;
  p[1] = 0;
  thirl_bytes_put_u16(p + 2, (uint16_t)length);
}
