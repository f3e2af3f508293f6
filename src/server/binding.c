/* SPDX-License-Identifier: MIT */
#include "server/binding.h"

#include "base/time.h"
#include "stun/writer.h"

enum { FINGERPRINT_LEN = 8, ATTR_HEADER_LEN = 4 };

thirl_server_binding_asker thirl_server_binding_asker_of(const thirl_stun_msg *in) {
  thirl_server_binding_asker a = {.method = in->method, .has_fingerprint = in->fingerprint_at != 0};
  for (size_t i = 0; i < sizeof a.tid; i++)
    a.tid[i] = in->tid[i];
  return a;
}

static thirl_error finish(thirl_stun_writer *w, bool has_fingerprint, size_t *n) {
  thirl_bytes done;
  if (has_fingerprint) thirl_stun_writer_fingerprint(w);
  thirl_error e = thirl_stun_writer_finish(w, &done);
  *n = e == THIRL_OK ? done.n : 0;
  return e;
}

/* As much as there is room for; nothing when not even the header has some. */
static void pad(thirl_stun_writer *w, size_t longest) {
  static const uint8_t zeroes[THIRL_SERVER_PADDING_MAX];
  if (longest < w->n + ATTR_HEADER_LEN) return;
  size_t room = (longest - w->n - ATTR_HEADER_LEN) & ~(size_t)3;
  thirl_stun_writer_bytes(w, THIRL_STUN_ATTR_PADDING, THIRL_BYTES(zeroes, THIRL_MIN(room, sizeof zeroes)));
}

thirl_error thirl_server_binding_success(const thirl_server_binding_asker *to, const thirl_server_binding *what,
                                         uint8_t *out, size_t *n) {
  thirl_stun_writer w;
  thirl_stun_writer_init(&w, out, THIRL_SERVER_BINDING_MAX, THIRL_STUN_SUCCESS, to->method, to->tid);
  thirl_stun_writer_xor_addr(&w, THIRL_STUN_ATTR_XOR_MAPPED_ADDRESS, &what->mapped);
  if (thirl_addr_is_set(&what->origin)) thirl_stun_writer_addr(&w, THIRL_STUN_ATTR_MAPPED_ADDRESS, &what->mapped);
  if (thirl_addr_is_set(&what->origin)) thirl_stun_writer_addr(&w, THIRL_STUN_ATTR_RESPONSE_ORIGIN, &what->origin);
  if (thirl_addr_is_set(&what->other)) thirl_stun_writer_addr(&w, THIRL_STUN_ATTR_OTHER_ADDRESS, &what->other);
  if (what->other_port) thirl_stun_writer_u16(&w, THIRL_STUN_ATTR_THIRL_OTHER_PORT, what->other_port);
  if (what->has_probe) thirl_stun_writer_u32(&w, THIRL_STUN_ATTR_THIRL_PROBE, (uint32_t)what->probe);
  size_t sealed = to->has_fingerprint ? FINGERPRINT_LEN : 0;
  if (what->longest > sealed) pad(&w, what->longest - sealed);
  return finish(&w, to->has_fingerprint, n);
}

thirl_error thirl_server_binding_unknown(const thirl_stun_msg *in, uint16_t also, uint8_t *out, size_t *n) {
  thirl_stun_writer w;
  size_t known = THIRL_MIN(in->n_unknown, (size_t)THIRL_STUN_UNKNOWN_MAX);
  thirl_stun_writer_init(&w, out, THIRL_SERVER_BINDING_MAX, THIRL_STUN_ERROR, in->method, in->tid);
  thirl_stun_writer_error(&w, 420, "");
  thirl_stun_writer_unknown(&w, known ? in->unknown : &also, known ? known : also != 0);
  return finish(&w, in->fingerprint_at != 0, n);
}

thirl_error thirl_server_binding_refuse(const thirl_stun_msg *in, uint8_t *out, size_t *n) {
  thirl_stun_writer w;
  thirl_stun_writer_init(&w, out, THIRL_SERVER_BINDING_MAX, THIRL_STUN_ERROR, in->method, in->tid);
  thirl_stun_writer_error(&w, 400, "");
  return finish(&w, in->fingerprint_at != 0, n);
}
