/* SPDX-License-Identifier: MIT */
/* The text of a key file: any bytes. What is accepted must come back the same from its own text. */
#include <stdint.h>
#include <stdlib.h>

#include "secure/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  thirl_secure_identity *id, *again;
  char text[THIRL_SECURE_IDENTITY_PEM_CAP];
  size_t n;
  if (thirl_secure_identity_from_pem(THIRL_BYTES(data, size), &id) != THIRL_OK) {
    if (id) abort();
    return 0;
  }
  if (thirl_secure_identity_to_pem(id, text, sizeof text, &n) != THIRL_OK) abort();
  if (thirl_secure_identity_from_pem(THIRL_BYTES(text, n), &again) != THIRL_OK) abort();
  if (!thirl_peerid_equal(thirl_secure_identity_peerid(id), thirl_secure_identity_peerid(again))) abort();
  thirl_bytes_wipe(text, sizeof text);
  thirl_secure_identity_free(id);
  thirl_secure_identity_free(again);
  return 0;
}
