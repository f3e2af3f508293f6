/* SPDX-License-Identifier: MIT */
#include "terminal/keys.h"

#include <string.h>

enum {
  ESC = 0x1b,
  DEL = 0x7f,
  REPLACEMENT = 0xfffd,
  PARAMETERS_MAX = 4,
  PARAMETER_MAX = 0x110000 /* larger numbers stay here: no key has them */
};

static const uint8_t paste_end[] = {ESC, '[', '2', '0', '1', '~'};

/* What the held bytes begin with. */
typedef struct found {
  size_t used; /* 0: not whole yet */
  thirl_key key;
} found;

static found make_found(size_t used, thirl_key key) {
  return (found){used, key};
}

/* ---- characters ---- */

/* Bounds of the second byte keep out what is overlong, a surrogate or beyond Unicode: Unicode 15, table 3-7. */
static size_t utf8_length(uint8_t b, uint8_t *low, uint8_t *high) {
  *low = 0x80, *high = 0xbf;
  if (b < 0x80) return 1;
  if (b >= 0xc2 && b <= 0xdf) return 2;
  if (b >= 0xe0 && b <= 0xef) {
    if (b == 0xe0) *low = 0xa0;
    if (b == 0xed) *high = 0x9f;
    return 3;
  }
  if (b >= 0xf0 && b <= 0xf4) {
    if (b == 0xf0) *low = 0x90;
    if (b == 0xf4) *high = 0x8f;
    return 4;
  }
  return 0;
}

static found find_character(const uint8_t *p, size_t n) {
  uint8_t low, high;
  size_t length = utf8_length(p[0], &low, &high);
  if (length == 0) return make_found(1, REPLACEMENT);
  if (length == 1) return make_found(1, p[0]);
  uint32_t c = p[0] & (0x7fu >> length);
  for (size_t i = 1; i < length; i++) {
    if (i == n) return make_found(0, 0);
    if (p[i] < low || p[i] > high) return make_found(i, REPLACEMENT);
    c = c << 6 | (p[i] & 0x3fu);
    low = 0x80, high = 0xbf;
  }
  return make_found(length, (thirl_key)c);
}

static found find_typed(const uint8_t *p, size_t n) {
  if (p[0] == DEL || p[0] == '\b') return make_found(1, THIRL_KEY_BACKSPACE);
  return find_character(p, n);
}

/* ---- sequences ---- */

typedef struct row {
  uint8_t name;
  thirl_key key;
} row;

static const row by_letter[] = {{'A', THIRL_KEY_UP},
                                {'B', THIRL_KEY_DOWN},
                                {'C', THIRL_KEY_RIGHT},
                                {'D', THIRL_KEY_LEFT},
                                {'E', THIRL_KEY_CENTER},
                                {'F', THIRL_KEY_END},
                                {'H', THIRL_KEY_HOME},
                                {'P', THIRL_KEY_F1},
                                {'Q', THIRL_KEY_F1 + 1},
                                {'R', THIRL_KEY_F1 + 2},
                                {'S', THIRL_KEY_F1 + 3},
                                {'Z', THIRL_KEY_BACK_TAB},
                                {'a', THIRL_KEY_UP | THIRL_KEY_SHIFT},
                                {'b', THIRL_KEY_DOWN | THIRL_KEY_SHIFT},
                                {'c', THIRL_KEY_RIGHT | THIRL_KEY_SHIFT},
                                {'d', THIRL_KEY_LEFT | THIRL_KEY_SHIFT}};

static const row by_number[] = {
    {1, THIRL_KEY_HOME},         {2, THIRL_KEY_INSERT},    {3, THIRL_KEY_DELETE},   {4, THIRL_KEY_END},
    {5, THIRL_KEY_PAGE_UP},      {6, THIRL_KEY_PAGE_DOWN}, {7, THIRL_KEY_HOME},     {8, THIRL_KEY_END},
    {11, THIRL_KEY_F1},          {12, THIRL_KEY_F1 + 1},   {13, THIRL_KEY_F1 + 2},  {14, THIRL_KEY_F1 + 3},
    {15, THIRL_KEY_F1 + 4},      {17, THIRL_KEY_F1 + 5},   {18, THIRL_KEY_F1 + 6},  {19, THIRL_KEY_F1 + 7},
    {20, THIRL_KEY_F1 + 8},      {21, THIRL_KEY_F1 + 9},   {23, THIRL_KEY_F1 + 10}, {24, THIRL_KEY_F1 + 11},
    {25, THIRL_KEY_F1 + 12},     {26, THIRL_KEY_F1 + 13},  {28, THIRL_KEY_F1 + 14}, {29, THIRL_KEY_F1 + 15},
    {31, THIRL_KEY_F1 + 16},     {32, THIRL_KEY_F1 + 17},  {33, THIRL_KEY_F1 + 18}, {34, THIRL_KEY_F1 + 19},
    {200, THIRL_KEY_PASTE_BEGIN}};

#define ROWS(table) (table), sizeof(table) / sizeof *(table)

static thirl_key look_up(const row *rows, size_t n, uint32_t name) {
  for (size_t i = 0; i < n; i++)
    if (rows[i].name == name) return rows[i].key;
  return THIRL_KEY_UNKNOWN;
}

/* xterm's number for the keys held: 1 and Shift 1, Alt 2, Ctrl 4, Meta 8. */
static thirl_key with_modifiers(thirl_key key, uint32_t number) {
  if (key == THIRL_KEY_UNKNOWN || number < 2 || number > 16) return key;
  uint32_t bits = number - 1;
  if (bits & 1) key |= THIRL_KEY_SHIFT;
  if (bits & (2 | 8)) key |= THIRL_KEY_ALT;
  if (bits & 4) key |= THIRL_KEY_CTRL;
  return key;
}

static thirl_key of_code_point(uint32_t c) {
  if (c == ESC) return THIRL_KEY_ESCAPE;
  if (c == DEL || c == '\b') return THIRL_KEY_BACKSPACE;
  return c == 0 || c >= THIRL_KEY_SPECIAL || (c >= 0xd800 && c <= 0xdfff) ? THIRL_KEY_UNKNOWN : (thirl_key)c;
}

static thirl_key of_parameters(const uint32_t *v, size_t n, uint8_t final) {
  uint32_t first = n > 0 ? v[0] : 0, second = n > 1 ? v[1] : 0;
  if (final == '~' && first == 27 && n == 3) return with_modifiers(of_code_point(v[2]), second); /* modifyOtherKeys */
  if (final == 'u') return with_modifiers(of_code_point(first), second);
  if (final == '~') return with_modifiers(look_up(ROWS(by_number), first), second);
  if (first > 1) return THIRL_KEY_UNKNOWN; /* an answer to a question, such as where the cursor is */
  return with_modifiers(look_up(ROWS(by_letter), final), second);
}

/* ESC [ parameters intermediates final: ECMA-48 section 5.4. */
static found find_csi(const uint8_t *p, size_t n) {
  uint32_t values[PARAMETERS_MAX] = {0};
  size_t count = 0, i = 2;
  bool odd = false;           /* private parameters, sub-parameters, intermediates: no key that we know */
  if (n > 2 && p[2] == '[') { /* the Linux console's F1 to F5 */
    if (n == 3) return make_found(0, 0);
    return make_found(4, p[3] >= 'A' && p[3] <= 'E' ? THIRL_KEY_F1 + (p[3] - 'A') : THIRL_KEY_UNKNOWN);
  }
  for (; i < n && p[i] >= 0x30 && p[i] <= 0x3f; i++) {
    if (p[i] == ';') {
      count = count == 0 ? 2 : count + 1;
    } else if (p[i] <= '9') {
      if (count == 0) count = 1;
      if (count > PARAMETERS_MAX) continue;
      uint32_t v = values[count - 1] * 10 + (uint32_t)(p[i] - '0');
      values[count - 1] = THIRL_MIN(v, (uint32_t)PARAMETER_MAX);
    } else {
      odd = true;
    }
  }
  for (; i < n && p[i] >= 0x20 && p[i] <= 0x2f; i++)
    odd = true;
  if (i == n) return make_found(0, 0);
  if (p[i] < 0x40 || p[i] > 0x7e) return make_found(i, THIRL_KEY_UNKNOWN); /* that byte begins something else */
  if (odd || count > PARAMETERS_MAX) return make_found(i + 1, THIRL_KEY_UNKNOWN);
  return make_found(i + 1, of_parameters(values, count, p[i]));
}

/* ESC O letter; with a number of modifiers in front from some. */
static found find_ss3(const uint8_t *p, size_t n) {
  size_t i = 2;
  uint32_t modifiers = 0;
  if (n > 2 && p[2] >= '1' && p[2] <= '8') modifiers = (uint32_t)(p[i++] - '0');
  if (i >= n) return make_found(0, 0);
  if (p[i] < 0x40 || p[i] > 0x7e) return make_found(i, THIRL_KEY_UNKNOWN);
  thirl_key key;
  if (p[i] == 'M')
    key = '\r';
  else if (p[i] >= 'j' && p[i] <= 'y') /* the keypad: j is *, y is 9 */
    key = "*+,-./0123456789"[p[i] - 'j'];
  else
    key = look_up(ROWS(by_letter), p[i]);
  return make_found(i + 1, with_modifiers(key, modifiers));
}

static found find_escaped(const uint8_t *p, size_t n) {
  if (n == 1) return make_found(0, 0);
  if (p[1] == '[') return find_csi(p, n);
  if (p[1] == 'O') return find_ss3(p, n);
  if (p[1] == ESC) return make_found(1, THIRL_KEY_ESCAPE);
  found f = find_typed(p + 1, n - 1);
  return f.used ? make_found(f.used + 1, f.key | THIRL_KEY_ALT) : f;
}

static found find_pasted(const uint8_t *p, size_t n) {
  if (p[0] != ESC) return find_character(p, n);
  size_t same = 0;
  while (same < n && same < sizeof paste_end && p[same] == paste_end[same])
    same++;
  if (same == sizeof paste_end) return make_found(same, THIRL_KEY_PASTE_END);
  return same == n ? make_found(0, 0) : make_found(1, ESC);
}

/* ---- the machine ---- */

void thirl_terminal_keys_init(thirl_terminal_keys *k) {
  memset(k, 0, sizeof *k);
}

static void drop(thirl_terminal_keys *k, size_t n) {
  k->n -= n;
  memmove(k->held, k->held + n, k->n);
}

static bool give(thirl_terminal_keys *k, found f, thirl_key *key) {
  if (f.used == 0) return false;
  drop(k, f.used);
  if (f.key == THIRL_KEY_PASTE_BEGIN) k->pasting = true;
  if (f.key == THIRL_KEY_PASTE_END) k->pasting = false;
  *key = f.key;
  return true;
}

static bool take_held(thirl_terminal_keys *k, thirl_key *key) {
  if (k->n == 0) return false;
  found f = k->pasting          ? find_pasted(k->held, k->n)
            : k->held[0] == ESC ? find_escaped(k->held, k->n)
                                : find_typed(k->held, k->n);
  if (f.used == 0 && k->n == THIRL_TERMINAL_KEYS_HELD) { /* only a CSI is so long */
    k->n = 0;
    k->swallowing = true;
    return false;
  }
  return give(k, f, key);
}

/* In a sequence that is too long: over at its final byte, or where something else begins. */
static bool swallow(thirl_terminal_keys *k, thirl_bytes *in, thirl_key *key) {
  while (in->n > 0) {
    uint8_t b = in->p[0];
    bool goes_on = b >= 0x20 && b <= 0x3f, is_final = b >= 0x40 && b <= 0x7e;
    if (goes_on || is_final) in->p++, in->n--;
    if (goes_on) continue;
    k->swallowing = false;
    *key = THIRL_KEY_UNKNOWN;
    return true;
  }
  return false;
}

bool thirl_terminal_keys_next(thirl_terminal_keys *k, thirl_time now, thirl_bytes *in, thirl_key *key) {
  for (;;) {
    if (k->swallowing) {
      if (in->n > 0) k->since = now;
      return swallow(k, in, key);
    }
    if (take_held(k, key)) return true;
    if (k->swallowing) continue;
    if (in->n == 0) return false;
    k->held[k->n++] = in->p[0];
    k->since = now;
    in->p++, in->n--;
  }
}

/* What was begun will not go on. */
static found resolve(const thirl_terminal_keys *k) {
  const uint8_t *p = k->held;
  if (p[0] != ESC) return make_found(k->n, REPLACEMENT);
  if (k->pasting) return make_found(1, ESC);
  if (k->n == 1) return make_found(1, THIRL_KEY_ESCAPE);
  if (k->n == 2 && p[1] < 0x80) return make_found(2, p[1] | THIRL_KEY_ALT);
  return make_found(k->n, p[1] < 0x80 ? THIRL_KEY_UNKNOWN : REPLACEMENT | THIRL_KEY_ALT);
}

thirl_time thirl_terminal_keys_deadline(const thirl_terminal_keys *k) {
  if (k->ended && (k->n > 0 || k->swallowing)) return 0;
  /* A character that comes in pieces over a slow line is waited for; a key must not be. */
  if ((k->n > 0 && k->held[0] == ESC) || k->swallowing)
    return thirl_time_after(k->since, THIRL_KEY_ESCAPE_MS * THIRL_MS);
  return THIRL_NEVER;
}

bool thirl_terminal_keys_tick(thirl_terminal_keys *k, thirl_time now, thirl_key *key) {
  if (take_held(k, key)) return true;
  if (now < thirl_terminal_keys_deadline(k)) return false;
  if (k->swallowing) {
    k->swallowing = false;
    *key = THIRL_KEY_UNKNOWN;
    return true;
  }
  return give(k, resolve(k), key);
}

void thirl_terminal_keys_end(thirl_terminal_keys *k) {
  k->ended = true;
}
