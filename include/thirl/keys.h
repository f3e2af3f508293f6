/* SPDX-License-Identifier: MIT */
/* The keys of a terminal, as numbers; see terminal.h. */
#ifndef THIRL_KEYS_H
#define THIRL_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A key: below THIRL_KEY_SPECIAL it is a Unicode character as typed (control characters are themselves: Ctrl-A is 1, Enter is '\r', Tab is '\t'), above
 * it one of the names. With Alt, Ctrl or Shift known to be held, the bits THIRL_KEY_ALT ... are added: Alt-x is 'x' | THIRL_KEY_ALT. Bytes that are no
 * UTF-8 become U+FFFD.
 */
typedef int32_t thirl_key;

enum {
  THIRL_KEY_END_OF_INPUT = -1,
  THIRL_KEY_SPECIAL = 0x110000,
  THIRL_KEY_ESCAPE = THIRL_KEY_SPECIAL, /* alone: nothing followed for THIRL_KEY_ESCAPE_MS */
  THIRL_KEY_BACKSPACE,
  THIRL_KEY_UP,
  THIRL_KEY_DOWN,
  THIRL_KEY_RIGHT,
  THIRL_KEY_LEFT,
  THIRL_KEY_HOME,
  THIRL_KEY_END,
  THIRL_KEY_INSERT,
  THIRL_KEY_DELETE,
  THIRL_KEY_PAGE_UP,
  THIRL_KEY_PAGE_DOWN,
  THIRL_KEY_BACK_TAB,
  THIRL_KEY_CENTER,                        /* the 5 of a keypad without NumLock */
  THIRL_KEY_F1 = THIRL_KEY_SPECIAL + 0x20, /* F2 is THIRL_KEY_F1 + 1, up to F24 */
  THIRL_KEY_F12 = THIRL_KEY_F1 + 11,
  THIRL_KEY_F24 = THIRL_KEY_F1 + 23,
  THIRL_KEY_PASTE_BEGIN = THIRL_KEY_SPECIAL + 0x40, /* what follows is pasted, not typed: characters only */
  THIRL_KEY_PASTE_END,
  THIRL_KEY_RESIZED, /* no key: the window has another size, or the screen may be spoiled (after a stop) */
  THIRL_KEY_UNKNOWN, /* a sequence that nobody knows, swallowed whole */
  THIRL_KEY_SHIFT = 0x01000000,
  THIRL_KEY_ALT = 0x02000000,
  THIRL_KEY_CTRL = 0x04000000,
  THIRL_KEY_MODIFIERS = 0x07000000,

  THIRL_KEY_ESCAPE_MS = 50
};

/** Is it a character that can be shown: no control character, none of the names, nothing held with it? */
bool thirl_keys_is_character(thirl_key key);

#ifdef __cplusplus
}
#endif

#endif
