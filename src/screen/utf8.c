/* SPDX-License-Identifier: MIT */
#include "screen/utf8.h"

/* How many bytes follow the first, and between what the second lies: that is where overlong forms and surrogates differ from the rest. */
static bool begins(uint8_t b, size_t *follow, uint8_t *low, uint8_t *high) {
  *low = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
  *high = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
  *follow = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
  return b >= 0xc2 && b <= 0xf4;
}

bool thirl_screen_utf8_read(thirl_bytes *in, uint32_t *c) {
  uint8_t first = in->p[0], low, high;
  size_t follow;
  in->p++, in->n--;
  *c = first;
  if (first < 0x80) return true;
  if (!begins(first, &follow, &low, &high)) return false;
  *c = first & (0x3fU >> follow);
  for (; follow > 0; follow--, low = 0x80, high = 0xbf) {
    if (in->n == 0 || in->p[0] < low || in->p[0] > high) return false;
    *c = *c << 6 | (in->p[0] & 0x3fU);
    in->p++, in->n--;
  }
  return true;
}

size_t thirl_screen_utf8_write(uint32_t c, uint8_t out[THIRL_SCREEN_UTF8_MAX]) {
  static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
  size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = n - 1; i > 0; i--, c >>= 6)
    out[i] = (uint8_t)(0x80 | (c & 0x3f));
  out[0] = (uint8_t)(first[n] | c);
  return n;
}
