/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <string.h>

#include <openssl/crypto.h>

bool thirl_bytes_equal(thirl_bytes a, thirl_bytes b) {
  return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool thirl_bytes_equal_secret(thirl_bytes a, thirl_bytes b) {
  return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

void thirl_bytes_wipe(void *p, size_t n) {
  OPENSSL_cleanse(p, n);
}
