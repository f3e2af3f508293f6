/* SPDX-License-Identifier: MIT */
/* A rendezvous message that can be decoded can be encoded, and comes back the same. */
#include <stdlib.h>
#include <string.h>

#include "meet/message.h"
#include "stun/integrity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(thirl_bytes b) {
  volatile uint8_t sum = 0;
  for (size_t i = 0; i < b.n; i++)
    sum = (uint8_t)(sum + b.p[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t key[THIRL_MEET_KEY_LEN] = {1, 2, 3};
  uint8_t one[THIRL_MEET_MESSAGE_MAX], two[THIRL_MEET_MESSAGE_MAX];
  size_t one_n, two_n;
  thirl_stun_msg in;
  thirl_meet_message m, again;
  if (thirl_stun_msg_decode(THIRL_BYTES(data, size), &in) != THIRL_OK) return 0;
  if (thirl_meet_message_decode(&in, &m) != THIRL_OK) return 0;
  read_all(m.offer);
  read_all(m.nonce);
  read_all(m.signature);
  if (thirl_meet_message_encode(&m, key, one, sizeof one, &one_n) != THIRL_OK) abort();
  if (thirl_stun_msg_decode(THIRL_BYTES(one, one_n), &in) != THIRL_OK) abort();
  if (thirl_stun_integrity_check256(&in, THIRL_BYTES(key, sizeof key)) != THIRL_OK) abort();
  if (thirl_meet_message_decode(&in, &again) != THIRL_OK) abort();
  if (thirl_meet_message_encode(&again, key, two, sizeof two, &two_n) != THIRL_OK) abort();
  if (one_n != two_n || memcmp(one, two, one_n) != 0) abort();
  return 0;
}
