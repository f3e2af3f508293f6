/* SPDX-License-Identifier: MIT */
/* The peer's answer to the server's challenge: an ephemeral key, the keys of the registration, a signature. meet/message.h has the picture. */
#ifndef THIRL_MEET_REGISTER_H
#define THIRL_MEET_REGISTER_H

#include "meet/message.h"
#include "meet/seal.h"

/** What a 401 (or 438) gave. Zeroed: nothing yet. */
typedef struct thirl_meet_challenge {
  uint8_t nonce[THIRL_MEET_NONCE_MAX];
  size_t nonce_n; /* 0: no challenge yet */
  uint8_t server_key[THIRL_P256_PUBLIC_LEN];
} thirl_meet_challenge;

/** Take the challenge out of an error response. E_PROTOCOL: no nonce, or no server key while none is known. */
thirl_error thirl_meet_register_challenge(thirl_meet_challenge *ch, const thirl_meet_message *m);
/**
 * Answer it: a fresh ephemeral key, whose agreement with the server's goes into seal, and the fields public key, ephemeral key, nonce and signature of m, which
 * borrows ch and signature. E_PROTOCOL when the server's key is no point of the curve; E_CRYPTO, E_NOMEM, E_STATE (key cannot sign).
 */
thirl_error thirl_meet_register_answer(const thirl_meet_challenge *ch, const thirl_p256 *key, const thirl_peerid *id,
                                       thirl_meet_seal *seal, uint8_t signature[THIRL_P256_SIGNATURE_MAX],
                                       thirl_meet_message *m);

#endif
