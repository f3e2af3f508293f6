/* SPDX-License-Identifier: MIT */
#include "base/base32.h"

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

char thirl_base32_char(unsigned v) {
  return alphabet[v & 31];
}

int thirl_base32_value(char c) {
  if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
  if (c == 'o') c = '0';
  if (c == 'i' || c == 'l') c = '1';
  for (int i = 0; i < 32; i++)
    if (alphabet[i] == c) return i;
  return -1;
}

thirl_error thirl_base32_encode(thirl_bytes in, char *out, size_t cap) {
  size_t n = 0;
  uint32_t acc = 0;
  unsigned bits = 0;
  if (cap < THIRL_BASE32_LEN(in.n) + 1) return THIRL_E_SPACE;
  for (size_t i = 0; i < in.n; i++) {
    acc = acc << 8 | in.p[i];
    for (bits += 8; bits >= 5; bits -= 5)
      out[n++] = thirl_base32_char(acc >> (bits - 5));
  }
  if (bits) out[n++] = thirl_base32_char(acc << (5 - bits));
  out[n] = '\0';
  return THIRL_OK;
}

thirl_error thirl_base32_decode(const char *text, size_t n, uint8_t *out, size_t cap, size_t *out_n) {
  uint32_t acc = 0;
  unsigned bits = 0;
  *out_n = 0;
  for (size_t i = 0; i < n; i++) {
    if (text[i] == '-') continue;
    int v = thirl_base32_value(text[i]);
    if (v < 0) return THIRL_E_SYNTAX;
    acc = acc << 5 | (uint32_t)v;
    bits += 5;
    if (bits < 8) continue;
    if (*out_n == cap) return THIRL_E_SPACE;
    bits -= 8;
    out[(*out_n)++] = (uint8_t)(acc >> bits);
  }
  if (bits >= 5 || (acc & ((1u << bits) - 1))) return THIRL_E_SYNTAX;
  return THIRL_OK;
}
