/* SPDX-License-Identifier: MIT */
#include "base/rand.h"

void thirl_secrets_fill(const thirl_secrets *s, void *out, size_t n) {
  s->fill(s->ctx, out, n);
}

uint64_t thirl_secrets_u64(const thirl_secrets *s) {
  uint64_t v;
  s->fill(s->ctx, &v, sizeof v);
  return v;
}

void thirl_secrets_ice_text(const thirl_secrets *s, char *out, size_t n) {
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  s->fill(s->ctx, out, n);
  for (size_t i = 0; i < n; i++)
    out[i] = alphabet[(unsigned char)out[i] & 63u];
  out[n] = '\0';
}
