/* SPDX-License-Identifier: MIT */
/* An offer that can be decoded has one encoding: the bytes that it came from. */
#include <stdlib.h>
#include <string.h>

#include "meet/offer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const thirl_meet_offer zero;
  uint8_t bytes[THIRL_MEET_OFFER_MAX];
  size_t n;
  thirl_meet_offer o;
  if (thirl_meet_offer_decode(THIRL_BYTES(data, size), &o) != THIRL_OK) {
    if (memcmp(&o, &zero, sizeof o) != 0) abort();
    return 0;
  }
  if (thirl_meet_offer_encode(&o, bytes, sizeof bytes, &n) != THIRL_OK) abort();
  if (n != size || memcmp(bytes, data, n) != 0) abort();
  return 0;
}
