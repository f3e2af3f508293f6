/* SPDX-License-Identifier: MIT */
#include "session/frame.h"

#include <string.h>

enum { HELLO_LEN = 42, ACK_LEN = 16, U64_LEN = 8, BYE_LEN = 4, REPORT_LEN = 8 };

bool thirl_session_frame_is_known(uint8_t type) {
  return type >= THIRL_SESSION_HELLO && type <= THIRL_SESSION_REPORT;
}

static uint16_t body_length(uint8_t type) {
  switch (type) {
  case THIRL_SESSION_HELLO:
    return HELLO_LEN;
  case THIRL_SESSION_ACK:
    return ACK_LEN;
  case THIRL_SESSION_FIN:
  case THIRL_SESSION_PING:
  case THIRL_SESSION_PONG:
    return U64_LEN;
  case THIRL_SESSION_BYE:
    return BYE_LEN;
  case THIRL_SESSION_REPORT:
    return REPORT_LEN;
  default:
    return 0;
  }
}

void thirl_session_frame_encode(thirl_writer *w, const thirl_session_frame *f) {
  thirl_writer_u8(w, f->type);
  thirl_writer_u8(w, f->stream);
  thirl_writer_u16(w, body_length(f->type));
  switch (f->type) {
  case THIRL_SESSION_HELLO:
    thirl_writer_u8(w, THIRL_SESSION_VERSION);
    thirl_writer_u8(w, 0);
    thirl_writer_copy(w, f->session, sizeof f->session);
    thirl_writer_u64(w, f->incarnation);
    thirl_writer_u64(w, f->next);
    thirl_writer_u64(w, f->limit);
    break;
  case THIRL_SESSION_ACK:
    thirl_writer_u64(w, f->next);
    thirl_writer_u64(w, f->limit);
    break;
  case THIRL_SESSION_FIN:
    thirl_writer_u64(w, f->offset);
    break;
  case THIRL_SESSION_PING:
  case THIRL_SESSION_PONG:
    thirl_writer_u64(w, f->token);
    break;
  case THIRL_SESSION_BYE:
    thirl_writer_u32(w, f->reason);
    break;
  case THIRL_SESSION_REPORT:
    thirl_writer_u32(w, (uint32_t)f->mapping << 24);
    thirl_writer_u32(w, f->reason);
    break;
  default:
    w->bad = true;
  }
}

void thirl_session_frame_put_data(uint8_t out[THIRL_SESSION_DATA_HEADER], uint8_t stream, uint64_t offset, size_t n) {
  out[0] = THIRL_SESSION_DATA;
  out[1] = stream;
  thirl_bytes_put_u16(out + 2, (uint16_t)(n + U64_LEN));
  thirl_bytes_put_u64(out + 4, offset);
}

thirl_error thirl_session_frame_decode_header(const uint8_t in[THIRL_SESSION_FRAME_HEADER], thirl_session_frame *out) {
  memset(out, 0, sizeof *out);
  out->type = in[0];
  out->stream = in[1];
  out->length = thirl_bytes_get_u16(in + 2);
  if (out->type == THIRL_SESSION_DATA) return out->length > U64_LEN ? THIRL_OK : THIRL_E_PROTOCOL;
  uint16_t want = body_length(out->type);
  bool may_be_longer = out->type == THIRL_SESSION_REPORT;
  if (may_be_longer && out->length > want && out->length <= THIRL_SESSION_FRAME_MAX - THIRL_SESSION_FRAME_HEADER)
    return THIRL_OK;
  return want == 0 || out->length == want ? THIRL_OK : THIRL_E_PROTOCOL;
}

thirl_error thirl_session_frame_decode_body(thirl_bytes body, thirl_session_frame *f) {
  thirl_reader r = thirl_reader_of(body);
  switch (f->type) {
  case THIRL_SESSION_HELLO:
    f->version = thirl_reader_u8(&r);
    (void)thirl_reader_u8(&r);
    thirl_reader_copy(&r, f->session, sizeof f->session);
    f->incarnation = thirl_reader_u64(&r);
    f->next = thirl_reader_u64(&r);
    f->limit = thirl_reader_u64(&r);
    break;
  case THIRL_SESSION_ACK:
    f->next = thirl_reader_u64(&r);
    f->limit = thirl_reader_u64(&r);
    break;
  case THIRL_SESSION_DATA:
  case THIRL_SESSION_FIN:
    f->offset = thirl_reader_u64(&r);
    break;
  case THIRL_SESSION_PING:
  case THIRL_SESSION_PONG:
    f->token = thirl_reader_u64(&r);
    break;
  case THIRL_SESSION_BYE:
    f->reason = thirl_reader_u32(&r);
    break;
  case THIRL_SESSION_REPORT:
    f->mapping = (uint8_t)(thirl_reader_u32(&r) >> 24);
    f->reason = thirl_reader_u32(&r);
    break;
  default:
    return THIRL_OK;
  }
  return r.bad ? THIRL_E_PROTOCOL : THIRL_OK;
}
