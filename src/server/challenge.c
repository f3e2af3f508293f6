/* SPDX-License-Identifier: MIT */
#include "server/challenge.h"

#include <string.h>

#include "base/hash.h"

enum { RAW = THIRL_SERVER_CHALLENGE_LEN / 2, MAC_LEN = RAW - 4 };

static thirl_error make_raw(const thirl_server_challenge *c, uint32_t second, uint8_t out[RAW]) {
  uint8_t in[32], mac[THIRL_SHA256_LEN];
  thirl_writer w = thirl_writer_of(in, sizeof in);
  thirl_writer_u8(&w, c->remote.family);
  thirl_writer_copy(&w, c->remote.ip, sizeof c->remote.ip);
  thirl_writer_u16(&w, c->remote.port);
  thirl_writer_u32(&w, c->conn);
  thirl_writer_u32(&w, second);
  thirl_bytes part = thirl_writer_done(&w);
  thirl_error e = thirl_hash_hmac_sha256(THIRL_BYTES(c->secret, sizeof c->secret), &part, 1, mac);
  thirl_bytes_put_u32(out, second);
  memcpy(out + 4, mac, MAC_LEN);
  return e;
}

thirl_error thirl_server_challenge_make(const thirl_server_challenge *c, uint8_t *out) {
  static const char digits[] = "0123456789abcdef";
  uint8_t raw[RAW];
  thirl_error e = make_raw(c, c->second, raw);
  if (e != THIRL_OK) return e;
  for (size_t i = 0; i < RAW; i++) {
    out[2 * i] = (uint8_t)digits[raw[i] >> 4];
    out[2 * i + 1] = (uint8_t)digits[raw[i] & 15];
  }
  return THIRL_OK;
}

static int digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

thirl_error thirl_server_challenge_check(const thirl_server_challenge *c, thirl_bytes nonce) {
  uint8_t got[RAW], want[RAW];
  if (nonce.n != THIRL_SERVER_CHALLENGE_LEN) return THIRL_E_MALFORMED;
  for (size_t i = 0; i < RAW; i++) {
    int high = digit(nonce.p[2 * i]), low = digit(nonce.p[2 * i + 1]);
    if (high < 0 || low < 0) return THIRL_E_MALFORMED;
    got[i] = (uint8_t)(high << 4 | low);
  }
  uint32_t second = thirl_bytes_get_u32(got);
  thirl_error e = make_raw(c, second, want);
  if (e != THIRL_OK) return e;
  if (!thirl_bytes_equal_secret(THIRL_BYTES(got, RAW), THIRL_BYTES(want, RAW))) return THIRL_E_REPLAY;
  if (second > c->second) return THIRL_E_REPLAY; /* our own MAC over a time to come: cannot be */
  return c->second - second > THIRL_SERVER_CHALLENGE_AGE_S ? THIRL_E_TIMEOUT : THIRL_OK;
}
