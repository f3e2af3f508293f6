/* SPDX-License-Identifier: MIT */
#include "mux/frame.h"

thirl_error thirl_mux_frame_read(const uint8_t p[THIRL_MUX_HEADER_LEN], thirl_mux_header *out) {
  static const struct {
    uint16_t min, max;
  } lengths[] = {[THIRL_MUX_OPEN] = {0, THIRL_MUX_LABEL_MAX},
                 [THIRL_MUX_ACCEPT] = {0, 0},
                 [THIRL_MUX_REFUSE] = {1, 1},
                 [THIRL_MUX_DATA] = {1, UINT16_MAX},
                 [THIRL_MUX_CREDIT] = {4, 4},
                 [THIRL_MUX_END] = {0, 0},
                 [THIRL_MUX_RESET] = {1, 1}};
  *out = (thirl_mux_header){p[0], thirl_bytes_get_u16(p + 2), thirl_bytes_get_u32(p + 4)};
  if (out->type < THIRL_MUX_OPEN || out->type > THIRL_MUX_RESET || p[1] != 0 || out->stream == 0)
    return THIRL_E_PROTOCOL;
  bool fits = out->length >= lengths[out->type].min && out->length <= lengths[out->type].max;
  return fits ? THIRL_OK : THIRL_E_PROTOCOL;
}

void thirl_mux_frame_write(uint8_t p[THIRL_MUX_HEADER_LEN], thirl_mux_type type, uint16_t length, uint32_t stream) {
  p[0] = (uint8_t)type;
  p[1] = 0;
  thirl_bytes_put_u16(p + 2, length);
  thirl_bytes_put_u32(p + 4, stream);
}

/* The numbers are on the wire: they stay. */
static const struct {
  uint8_t code;
  thirl_error error;
} reasons[] = {{1, THIRL_E_IO},         {2, THIRL_E_REFUSED}, {3, THIRL_E_UNREACHABLE}, {4, THIRL_E_TIMEOUT},
               {5, THIRL_E_PERMISSION}, {6, THIRL_E_LIMIT},   {7, THIRL_E_NOT_FOUND},   {8, THIRL_E_RESET},
               {9, THIRL_E_IN_USE},     {10, THIRL_E_SYNTAX}, {11, THIRL_E_UNSUPPORTED}};

uint8_t thirl_mux_frame_code_of(thirl_error e) {
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
    if (reasons[i].error == e) return reasons[i].code;
  return reasons[0].code;
}

thirl_error thirl_mux_frame_error_of(uint8_t code) {
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
    if (reasons[i].code == code) return reasons[i].error;
  return THIRL_E_IO;
}
