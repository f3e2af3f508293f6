/* SPDX-License-Identifier: MIT */
/*
 * The protection of one registration's messages: a key and a counter for each direction. Not thread-safe, no I/O. Zeroed it has no keys: it opens
 * nothing and encodes nothing.
 */
#ifndef THIRL_MEET_SEAL_H
#define THIRL_MEET_SEAL_H

#include "meet/message.h"

typedef struct thirl_meet_seal {
  bool ready;
  uint8_t out_key[THIRL_MEET_KEY_LEN], in_key[THIRL_MEET_KEY_LEN];
  uint64_t sent, received; /* the counters of the last message in each direction */
} thirl_meet_seal;

/** Both counters begin anew: the first message of each direction has number 1. */
void thirl_meet_seal_init(thirl_meet_seal *s, const uint8_t out_key[THIRL_MEET_KEY_LEN],
                          const uint8_t in_key[THIRL_MEET_KEY_LEN]);
/** Wipes the keys. */
void thirl_meet_seal_fini(thirl_meet_seal *s);
/** Number the message (m->counter is set) and encode it. The errors of thirl_meet_message_encode; E_STATE without keys. */
thirl_error thirl_meet_seal_encode(thirl_meet_seal *s, thirl_meet_message *m, uint8_t *out, size_t cap, size_t *n);
/**
 * Check the MAC, then take the fields out, then check the counter. *out is zeroed on failure. E_INTEGRITY: no MAC or a wrong one, or no keys yet.
 * E_MALFORMED, E_UNSUPPORTED: as thirl_meet_message_decode, and the MAC was right. E_REPLAY: the counter is missing or did not grow. E_CRYPTO: nobody
 * knows what it was.
 */
thirl_error thirl_meet_seal_open(thirl_meet_seal *s, const thirl_stun_msg *in, thirl_meet_message *out);

#endif
