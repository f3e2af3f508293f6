/* SPDX-License-Identifier: MIT */
#include "meet/seal.h"

#include <string.h>

#include "stun/integrity.h"

void thirl_meet_seal_init(thirl_meet_seal *s, const uint8_t out_key[THIRL_MEET_KEY_LEN],
                          const uint8_t in_key[THIRL_MEET_KEY_LEN]) {
  *s = (thirl_meet_seal){.ready = true};
  memcpy(s->out_key, out_key, sizeof s->out_key);
  memcpy(s->in_key, in_key, sizeof s->in_key);
}

void thirl_meet_seal_fini(thirl_meet_seal *s) {
  thirl_bytes_wipe(s, sizeof *s);
}

thirl_error thirl_meet_seal_encode(thirl_meet_seal *s, thirl_meet_message *m, uint8_t *out, size_t cap, size_t *n) {
  *n = 0;
  if (!s->ready) return THIRL_E_STATE;
  m->has_counter = true;
  m->counter = s->sent + 1;
  thirl_error e = thirl_meet_message_encode(m, s->out_key, out, cap, n);
  if (e == THIRL_OK) s->sent++;
  return e;
}

thirl_error thirl_meet_seal_open(thirl_meet_seal *s, const thirl_stun_msg *in, thirl_meet_message *out) {
  memset(out, 0, sizeof *out);
  if (!s->ready) return THIRL_E_INTEGRITY;
  thirl_error e = thirl_stun_integrity_check256(in, THIRL_BYTES(s->in_key, sizeof s->in_key));
  if (e == THIRL_E_NOT_FOUND) e = THIRL_E_INTEGRITY;
  if (e == THIRL_OK) e = thirl_meet_message_decode(in, out);
  if (e != THIRL_OK) return e;
  if (!out->has_counter || out->counter <= s->received) {
    memset(out, 0, sizeof *out);
    return THIRL_E_REPLAY;
  }
  s->received = out->counter;
  return THIRL_OK;
}
