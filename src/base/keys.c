/* SPDX-License-Identifier: MIT */
#include "thirl/keys.h"

bool thirl_keys_is_character(thirl_key key) {
  if (key < ' ' || key >= THIRL_KEY_SPECIAL) return false;
  return !(key >= 0x7f && key < 0xa0) && !(key >= 0xd800 && key <= 0xdfff);
}
