/* SPDX-License-Identifier: MIT */
#include "natbox/prefix.h"

enum { WORDS = 8 };

static uint32_t get(const thirl_addr *a, unsigned word) {
  return (uint32_t)a->ip[2 * word] << 8 | a->ip[2 * word + 1];
}

static void put(thirl_addr *a, unsigned word, uint32_t value) {
  a->ip[2 * word] = (uint8_t)(value >> 8);
  a->ip[2 * word + 1] = (uint8_t)value;
}

/* The bits of a word that belong to the prefix. */
static uint32_t mask_of(unsigned bits, unsigned word) {
  if (bits >= 16 * (word + 1)) return 0xffff;
  return bits <= 16 * word ? 0 : 0xffffu << (16 * (word + 1) - bits) & 0xffffu;
}

bool thirl_natbox_prefix_has(const thirl_addr *prefix, unsigned bits, const thirl_addr *a) {
  if (a->family != THIRL_FAMILY_V6 || prefix->family != THIRL_FAMILY_V6) return false;
  for (unsigned w = 0; w < WORDS; w++)
    if ((get(a, w) ^ get(prefix, w)) & mask_of(bits, w)) return false;
  return true;
}

/* The word that takes up the difference: the subnet's when the prefix leaves it free, else the first of the interface that is not all ones. */
static unsigned word_to_adjust(const thirl_addr *a, unsigned bits) {
  if (bits <= 48) return get(a, 3) == 0xffff ? WORDS : 3;
  unsigned w = 4;
  while (w < WORDS && get(a, w) == 0xffff)
    w++;
  return w;
}

bool thirl_natbox_prefix_change(thirl_addr *a, const thirl_addr *from, const thirl_addr *to, unsigned bits) {
  if (!thirl_natbox_prefix_has(from, bits, a)) return false;
  unsigned adjusted = word_to_adjust(a, bits);
  if (adjusted == WORDS) return false;
  uint32_t sum = get(a, adjusted);
  for (unsigned w = 0; w < WORDS; w++) {
    uint32_t mask = mask_of(bits, w), now = get(to, w) & mask;
    sum += (get(from, w) & mask) + (~now & 0xffff); /* one's complement: plus the old, minus the new */
    if (mask) put(a, w, (get(a, w) & ~mask) | now);
  }
  while (sum > 0xffff)
    sum = (sum & 0xffff) + (sum >> 16);
  put(a, adjusted, sum == 0xffff ? 0 : sum);
  return true;
}
