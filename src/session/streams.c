/* SPDX-License-Identifier: MIT */
#include "session/streams.h"

#include "session/roster.h"

thirl_error thirl_session_streams_space(thirl_session_endpoint *e, uint32_t handle, uint8_t **p, size_t *n) {
  thirl_session_peer *k = thirl_session_roster_find_handle(e, handle);
  *n = 0;
  return k ? thirl_session_stream_space(&k->session.stream, p, n) : THIRL_E_NOT_FOUND;
}

thirl_error thirl_session_streams_commit(thirl_session_endpoint *e, thirl_time now, uint32_t handle, size_t n) {
  thirl_session_peer *k = thirl_session_roster_find_handle(e, handle);
  if (!k) return THIRL_E_NOT_FOUND;
  thirl_session_stream_commit(&k->session.stream, n);
  thirl_session_endpoint_evaluate(e, now);
  return THIRL_OK;
}

thirl_error thirl_session_streams_finish(thirl_session_endpoint *e, thirl_time now, uint32_t handle) {
  thirl_session_peer *k = thirl_session_roster_find_handle(e, handle);
  if (!k) return THIRL_E_NOT_FOUND;
  thirl_session_stream_finish(&k->session.stream);
  thirl_session_endpoint_evaluate(e, now);
  return THIRL_OK;
}

thirl_error thirl_session_streams_peek(thirl_session_endpoint *e, uint32_t handle, thirl_bytes *out) {
  thirl_session_peer *k = thirl_session_roster_find_handle(e, handle);
  *out = (thirl_bytes){NULL, 0};
  if (!k) return THIRL_E_NOT_FOUND;
  *out = thirl_session_stream_peek(&k->session.stream);
  if (out->n) return THIRL_OK;
  return thirl_session_stream_is_read_out(&k->session.stream) ? THIRL_E_EOF : THIRL_E_AGAIN;
}

thirl_error thirl_session_streams_consume(thirl_session_endpoint *e, thirl_time now, uint32_t handle, size_t n) {
  thirl_session_peer *k = thirl_session_roster_find_handle(e, handle);
  if (!k) return THIRL_E_NOT_FOUND;
  thirl_session_stream_consume(&k->session.stream, n);
  thirl_session_endpoint_evaluate(e, now);
  return THIRL_OK;
}

thirl_error thirl_session_streams_peer(thirl_session_endpoint *e, uint32_t handle, thirl_peerid *out) {
  thirl_session_peer *k = thirl_session_roster_find_handle(e, handle);
  if (!k) return THIRL_E_NOT_FOUND;
  *out = k->session.peer;
  return THIRL_OK;
}

bool thirl_session_streams_is_delivered(thirl_session_endpoint *e, uint32_t handle) {
  thirl_session_peer *k = thirl_session_roster_find_handle(e, handle);
  return k && k->session.stream.tx_acked == k->session.stream.tx_end &&
         (!k->session.stream.tx_finished || k->session.stream.fin_acked);
}
