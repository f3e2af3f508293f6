/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a terminal to keys. Pure: bytes and the time go in, keys come out. Knows UTF-8, the sequences of xterm, the Linux console, rxvt and
 * tmux (ECMA-48 section 5.4: CSI parameters, intermediates, final), and marked pastes; within a paste nothing but its end is a sequence.
 */
#ifndef THIRL_TERMINAL_KEYS_H
#define THIRL_TERMINAL_KEYS_H

#include "base/bytes.h"
#include "base/time.h"
#include "thirl/keys.h"

enum { THIRL_TERMINAL_KEYS_HELD = 32 }; /* bytes of one sequence; a longer one is UNKNOWN */

typedef struct thirl_terminal_keys {
  uint8_t held[THIRL_TERMINAL_KEYS_HELD]; /* the beginning of something */
  size_t n;
  bool pasting, swallowing; /* swallowing: a sequence that was too long, up to its end */
  thirl_time since;         /* when the last byte came */
  bool ended;
} thirl_terminal_keys;

void thirl_terminal_keys_init(thirl_terminal_keys *k);
/** Takes bytes from *in, which shrinks, until there is a key. False: all is used up and nothing is whole yet. */
bool thirl_terminal_keys_next(thirl_terminal_keys *k, thirl_time now, thirl_bytes *in, thirl_key *key);
/** No bytes came: what is due all the same, a lone ESC above all. After the end of the input also whatever was begun. */
bool thirl_terminal_keys_tick(thirl_terminal_keys *k, thirl_time now, thirl_key *key);
/** When to ask tick; THIRL_NEVER. */
thirl_time thirl_terminal_keys_deadline(const thirl_terminal_keys *k);
/** There will be no more bytes. */
void thirl_terminal_keys_end(thirl_terminal_keys *k);

#endif
