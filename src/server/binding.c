/* SPDX-License-Identifier: MIT */
#include "server/binding.h"

#include "stun/writer.h"

static thirl_error finish(thirl_stun_writer *w, const thirl_stun_msg *in, size_t *n) {
  thirl_bytes done;
  if (in->fingerprint_at) thirl_stun_writer_fingerprint(w);
  thirl_error e = thirl_stun_writer_finish(w, &done);
  if (e == THIRL_OK) *n = done.n;
  return e;
}

thirl_error thirl_server_binding_unknown(const thirl_stun_msg *in, uint8_t *out, size_t *n) {
  thirl_stun_writer w;
  size_t known = in->n_unknown < THIRL_STUN_UNKNOWN_MAX ? in->n_unknown : (size_t)THIRL_STUN_UNKNOWN_MAX;
  *n = 0;
  thirl_stun_writer_init(&w, out, THIRL_SERVER_BINDING_MAX, THIRL_STUN_ERROR, in->method, in->tid);
  thirl_stun_writer_error(&w, 420, "");
  thirl_stun_writer_unknown(&w, in->unknown, known);
  return finish(&w, in, n);
}

thirl_error thirl_server_binding_answer(const thirl_stun_msg *in, const thirl_addr *from, uint8_t *out, size_t *n) {
  thirl_stun_writer w;
  *n = 0;
  if (in->cls != THIRL_STUN_REQUEST || in->method != THIRL_STUN_METHOD_BINDING) return THIRL_OK;
  if (in->n_unknown) return thirl_server_binding_unknown(in, out, n);
  thirl_stun_writer_init(&w, out, THIRL_SERVER_BINDING_MAX, THIRL_STUN_SUCCESS, in->method, in->tid);
  thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, from);
  return finish(&w, in, n);
}
