/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <stdlib.h>

#include <openssl/evp.h>

struct thirl_digest {
  EVP_MD_CTX *running, *copy;
};

thirl_digest *thirl_digest_new(void) {
  thirl_digest *d = calloc(1, sizeof *d);
  if (!d) return NULL;
  d->running = EVP_MD_CTX_new();
  d->copy = EVP_MD_CTX_new();
  if (d->running && d->copy && thirl_digest_reset(d) == THIRL_OK) return d;
  thirl_digest_free(d);
  return NULL;
}

void thirl_digest_free(thirl_digest *d) {
  if (!d) return;
  EVP_MD_CTX_free(d->running);
  EVP_MD_CTX_free(d->copy);
  free(d);
}

thirl_error thirl_digest_add(thirl_digest *d, thirl_bytes b) {
  return b.n == 0 || EVP_DigestUpdate(d->running, b.p, b.n) == 1 ? THIRL_OK : THIRL_E_CRYPTO;
}

thirl_error thirl_digest_get(const thirl_digest *d, uint8_t out[THIRL_SHA256_LEN]) {
  if (EVP_MD_CTX_copy_ex(d->copy, d->running) != 1) return THIRL_E_CRYPTO;
  return EVP_DigestFinal_ex(d->copy, out, NULL) == 1 ? THIRL_OK : THIRL_E_CRYPTO;
}

thirl_error thirl_digest_reset(thirl_digest *d) {
  return EVP_DigestInit_ex(d->running, EVP_sha256(), NULL) == 1 ? THIRL_OK : THIRL_E_CRYPTO;
}
