/* SPDX-License-Identifier: MIT */
#include "meet/line.h"

#include <string.h>

void thirl_meet_line_init(thirl_meet_line *l, const thirl_secrets *secrets, thirl_time timeout) {
  *l = (thirl_meet_line){.secrets = secrets, .timeout = timeout};
  thirl_buffer_init(&l->out, THIRL_MEET_CONTROL_MAX);
}

void thirl_meet_line_reset(thirl_meet_line *l) {
  thirl_meet_request_clear(&l->requests);
  thirl_meet_seal_fini(&l->seal);
  thirl_buffer_fini(&l->out);
  l->rtt = 0;
}

thirl_error thirl_meet_line_send(thirl_meet_line *l, thirl_meet_message *m) {
  uint8_t bytes[THIRL_MEET_MESSAGE_MAX];
  size_t n;
  thirl_secrets_fill(l->secrets, m->tid, sizeof m->tid);
  thirl_error e = l->seal.ready ? thirl_meet_seal_encode(&l->seal, m, bytes, sizeof bytes, &n)
                                : thirl_meet_message_encode(m, NULL, bytes, sizeof bytes, &n);
  if (e == THIRL_OK) e = thirl_buffer_append(&l->out, THIRL_BYTES(bytes, n));
  if (e == THIRL_OK) l->sent++;
  return e;
}

thirl_error thirl_meet_line_repeat(thirl_meet_line *l, thirl_time now, thirl_meet_request *r, thirl_meet_message *m) {
  m->cls = THIRL_STUN_REQUEST;
  m->method = thirl_meet_request_method(r->kind);
  m->has_rtt = l->rtt != 0;
  m->rtt_us = (uint32_t)THIRL_MIN(l->rtt, UINT32_MAX);
  thirl_error e = thirl_meet_line_send(l, m);
  if (e == THIRL_OK) thirl_meet_request_start(r, now, l->timeout, m->tid);
  return e;
}

thirl_error thirl_meet_line_request(thirl_meet_line *l, thirl_time now, thirl_meet_request_kind kind,
                                    thirl_meet_message *m) {
  thirl_meet_request *r;
  thirl_error e = thirl_meet_request_add(&l->requests, kind, &r);
  if (e != THIRL_OK) return e;
  e = thirl_meet_line_repeat(l, now, r, m);
  if (e != THIRL_OK) thirl_meet_request_remove(r);
  return e;
}

bool thirl_meet_line_answer(thirl_meet_line *l, thirl_time now, const thirl_stun_msg *in, thirl_meet_request *r) {
  thirl_time rtt;
  thirl_meet_request *found = thirl_meet_request_match(&l->requests, now, in, &rtt);
  if (!found) return false;
  *r = *found;
  *found = (thirl_meet_request){.kind = THIRL_MEET_REQUEST_FREE};
  rtt = THIRL_MAX(rtt, 1); /* 0 means not known */
  l->rtt = l->rtt ? THIRL_MIN(l->rtt, rtt) : rtt;
  return true;
}

size_t thirl_meet_line_pull(thirl_meet_line *l, uint8_t *buf, size_t cap) {
  thirl_bytes held = thirl_buffer_view(&l->out);
  size_t n = THIRL_MIN(held.n, cap);
  if (n) memcpy(buf, held.p, n);
  thirl_buffer_consume(&l->out, n);
  return n;
}
