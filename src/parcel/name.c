/* SPDX-License-Identifier: MIT */
#include "parcel/name.h"

#include <string.h>

#include "base/hash.h"
#include "screen/clean.h"

#define SUFFIX ".thirl-part"

static bool is_text(thirl_bytes b, const char *text) {
  return b.n == strlen(text) && memcmp(b.p, text, b.n) == 0;
}

static bool is_safe_part(thirl_bytes part) {
  return part.n > 0 && part.n <= THIRL_PARCEL_PART_MAX && !is_text(part, ".") && !is_text(part, "..") &&
         !memchr(part.p, '\0', part.n) && !thirl_parcel_name_is_part(part);
}

bool thirl_parcel_name_is_safe(thirl_bytes name) {
  size_t at = 0, parts = 0;
  if (name.n == 0 || name.n > THIRL_PARCEL_NAME_MAX) return false;
  while (parts++ < THIRL_PARCEL_DEPTH_MAX) {
    const uint8_t *slash = memchr(name.p + at, '/', name.n - at);
    size_t end = slash ? (size_t)(slash - name.p) : name.n;
    if (!is_safe_part(THIRL_BYTES(name.p + at, end - at))) return false;
    if (!slash) return true;
    at = end + 1;
    if (at == name.n) return false;
  }
  return false;
}

thirl_bytes thirl_parcel_name_last(thirl_bytes name) {
  size_t at = name.n;
  while (at > 0 && name.p[at - 1] != '/')
    at--;
  return THIRL_BYTES(name.p + at, name.n - at);
}

size_t thirl_parcel_name_hidden(thirl_bytes name) {
  for (size_t i = 0; i < name.n; i++) {
    if (name.p[i] != '.' || (i > 0 && name.p[i - 1] != '/')) continue;
    const uint8_t *slash = memchr(name.p + i, '/', name.n - i);
    return slash ? (size_t)(slash - name.p) : name.n;
  }
  return 0;
}

bool thirl_parcel_name_is_part(thirl_bytes part) {
  size_t n = strlen(SUFFIX);
  return part.n > n + 1 && part.p[0] == '.' && memcmp(part.p + part.n - n, SUFFIX, n) == 0;
}

thirl_error thirl_parcel_name_unfinished(thirl_bytes part, char out[THIRL_PARCEL_PART_MAX + 1]) {
  static const char digits[] = "0123456789abcdef";
  uint8_t hash[THIRL_SHA256_LEN];
  char *p = out;
  out[0] = '\0';
  if (!is_safe_part(part) || memchr(part.p, '/', part.n)) return THIRL_E_RANGE;
  *p++ = '.';
  if (part.n + strlen(SUFFIX) + 1 <= THIRL_PARCEL_PART_MAX) {
    memcpy(p, part.p, part.n);
    p += part.n;
  } else {
    thirl_error e = thirl_hash_sha256(part, hash);
    if (e != THIRL_OK) return e;
    for (size_t i = 0; i < sizeof hash; i++) {
      *p++ = digits[hash[i] >> 4];
      *p++ = digits[hash[i] & 15];
    }
  }
  memcpy(p, SUFFIX, sizeof SUFFIX);
  return THIRL_OK;
}

/* The length of the UTF-8 character at p that a terminal may get, or 0: no overlong forms, surrogates, or control characters (C1 included). RFC 3629. */
static size_t printable(const uint8_t *p, size_t n) {
  if (p[0] >= 0x20 && p[0] < 0x7f) return 1;
  size_t len = p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;
  if (len == 0 || len > n) return 0;
  for (size_t i = 1; i < len; i++)
    if ((p[i] & 0xc0) != 0x80) return 0;
  if (p[0] == 0xc2 && p[1] < 0xa0) return 0;
  if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)) return 0;
  if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) return 0;
  uint32_t c = p[0] & (0xffu >> (len + 1));
  for (size_t i = 1; i < len; i++)
    c = c << 6 | (p[i] & 0x3f);
  return thirl_screen_clean_is_plain(c) ? len
                                        : 0; /* nothing that hides, or turns the direction of text, or breaks lines */
}

/* Cleans [p, p+n) into out as far as room goes; how much of the input that was is *used. */
static size_t clean(const uint8_t *p, size_t n, char *out, size_t room, size_t *used) {
  size_t at = 0, to = 0;
  while (at < n) {
    size_t len = printable(p + at, n - at), w = len ? len : 1;
    if (to + w > room) break;
    if (len)
      memcpy(out + to, p + at, len);
    else
      out[to] = '?';
    to += w;
    at += w;
  }
  *used = at;
  return to;
}

const char *thirl_parcel_name_clean(thirl_bytes name, char out[THIRL_PARCEL_SHOWN_MAX]) {
  enum { ROOM = THIRL_PARCEL_SHOWN_MAX - 1, HEAD = ROOM / 2, TAIL = ROOM - HEAD - 3 };
  size_t used, n = clean(name.p, name.n, out, ROOM, &used);
  if (used < name.n) {
    n = clean(name.p, name.n, out, HEAD, &used);
    memcpy(out + n, "...", 3);
    n += 3;
    size_t from = name.n - TAIL;
    while (from < name.n && (name.p[from] & 0xc0) == 0x80) /* in the middle of a character */
      from++;
    n += clean(name.p + from, name.n - from, out + n, TAIL, &used);
  }
  out[n] = '\0';
  return out;
}
