/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a terminal. Whatever comes in whatever pieces: every byte is used up, a key is a character or one of the names, nothing is held for ever, and pieces
 * make no difference as long as there is no pause.
 */
#include <stdlib.h>

#include "terminal/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEYS_MAX = 4096 };

static void check(thirl_key key) {
  thirl_key plain = key & ~THIRL_KEY_MODIFIERS;
  bool character = plain >= 0 && plain < THIRL_KEY_SPECIAL && !(plain >= 0xd800 && plain <= 0xdfff);
  if (!character && !(plain >= THIRL_KEY_SPECIAL && plain <= THIRL_KEY_UNKNOWN)) abort();
}

/* All keys of the input, cut after every step bytes. */
static size_t run(const uint8_t *data, size_t size, size_t step, thirl_key *keys) {
  thirl_terminal_keys k;
  thirl_key key;
  size_t n = 0;
  thirl_terminal_keys_init(&k);
  for (size_t at = 0; at < size; at += step) {
    thirl_bytes in = THIRL_BYTES(data + at, THIRL_MIN(step, size - at));
    while (thirl_terminal_keys_next(&k, 0, &in, &key)) {
      check(key);
      if (n < KEYS_MAX) keys[n++] = key;
    }
    if (in.n > 0 || k.n > THIRL_TERMINAL_KEYS_HELD) abort();
  }
  thirl_terminal_keys_end(&k);
  while (thirl_terminal_keys_tick(&k, 0, &key)) {
    check(key);
    if (n < KEYS_MAX) keys[n++] = key;
  }
  if (k.n > 0 || thirl_terminal_keys_deadline(&k) != THIRL_NEVER) abort();
  return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static thirl_key whole[KEYS_MAX], pieces[KEYS_MAX];
  if (size == 0) return 0;
  size_t step = 1 + data[0] % 7, n = run(data + 1, size - 1, size, whole);
  if (run(data + 1, size - 1, step, pieces) != n) abort();
  for (size_t i = 0; i < n; i++)
    if (whole[i] != pieces[i]) abort();
  return 0;
}
