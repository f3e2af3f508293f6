/* SPDX-License-Identifier: MIT */
#include "meet/register.h"

#include <string.h>

thirl_error thirl_meet_register_challenge(thirl_meet_challenge *ch, const thirl_meet_message *m) {
  bool has_key = m->has_ephemeral || ch->nonce_n != 0;
  if (m->nonce.n == 0 || m->nonce.n > sizeof ch->nonce || !has_key) return THIRL_E_PROTOCOL;
  memcpy(ch->nonce, m->nonce.p, m->nonce.n);
  ch->nonce_n = m->nonce.n;
  if (m->has_ephemeral) memcpy(ch->server_key, m->ephemeral, sizeof ch->server_key);
  return THIRL_OK;
}

/* The keys of the registration, with mine as the ephemeral key. */
static thirl_error agree(const thirl_meet_challenge *ch, const thirl_p256 *mine, const thirl_peerid *id,
                         thirl_meet_seal *seal) {
  thirl_p256 *theirs = NULL;
  thirl_meet_keys keys;
  thirl_error e = thirl_p256_from_public(ch->server_key, &theirs);
  if (e == THIRL_E_MALFORMED) return THIRL_E_PROTOCOL;
  if (e == THIRL_OK) e = thirl_meet_message_keys(mine, theirs, THIRL_BYTES(ch->nonce, ch->nonce_n), id, &keys);
  thirl_p256_free(theirs);
  if (e != THIRL_OK) return e;
  thirl_meet_seal_init(seal, keys.to_server, keys.to_client);
  thirl_bytes_wipe(&keys, sizeof keys);
  return THIRL_OK;
}

thirl_error thirl_meet_register_answer(const thirl_meet_challenge *ch, const thirl_p256 *key, const thirl_peerid *id,
                                       thirl_meet_seal *seal, uint8_t signature[THIRL_P256_SIGNATURE_MAX],
                                       thirl_meet_message *m) {
  uint8_t to_sign[THIRL_MEET_SIGNED_MAX];
  size_t signature_n = 0;
  thirl_p256 *ephemeral = NULL;
  thirl_error e = thirl_p256_generate(&ephemeral);
  if (e == THIRL_OK) e = agree(ch, ephemeral, id, seal);
  if (e == THIRL_OK) {
    thirl_p256_get_public(key, m->public_key);
    thirl_p256_get_public(ephemeral, m->ephemeral);
    m->nonce = THIRL_BYTES(ch->nonce, ch->nonce_n);
    size_t n = thirl_meet_message_signed(m->nonce, ch->server_key, m->ephemeral, to_sign);
    e = thirl_p256_sign(key, THIRL_BYTES(to_sign, n), signature, &signature_n);
    /* OpenSSL 3.0 calls it a success of 2^32 - 1 bytes when it has no memory to write the signature down */
    if (e == THIRL_OK && signature_n > THIRL_P256_SIGNATURE_MAX) e = THIRL_E_CRYPTO;
    m->signature = THIRL_BYTES(signature, signature_n);
    m->has_public = m->has_ephemeral = true;
  }
  thirl_p256_free(ephemeral);
  return e;
}
