/* SPDX-License-Identifier: MIT */
/* What a message is keyed with, and whether it was. Which key belongs to whom is the caller's business. */
#include "stun/integrity.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { ATTR_HEADER_LEN = 4, LENGTH_AT = 2 };

static const thirl_bytes colon = {(const uint8_t *)":", 1};

/*
 * RFC 8489 14.5, 14.6: the MAC covers the message up to, not including, the integrity attribute at this offset, and the header's length
 * field counts up to the end of that attribute, whatever follows. So only the first bytes differ from what came in.
 */
static size_t covered(const thirl_stun_msg *m, size_t at, size_t mac_len, uint8_t head[THIRL_STUN_HEADER_LEN],
                      thirl_bytes parts[2]) {
  memcpy(head, m->raw.p, THIRL_STUN_HEADER_LEN);
  thirl_bytes_put_u16(head + LENGTH_AT, (uint16_t)(at + ATTR_HEADER_LEN + mac_len - THIRL_STUN_HEADER_LEN));
  parts[0] = (thirl_bytes){head, THIRL_STUN_HEADER_LEN};
  parts[1] = (thirl_bytes){m->raw.p + THIRL_STUN_HEADER_LEN, at - THIRL_STUN_HEADER_LEN};
  return 2;
}

thirl_error thirl_stun_integrity_check(const thirl_stun_msg *m, thirl_bytes key) {
  uint8_t head[THIRL_STUN_HEADER_LEN], mac[THIRL_SHA1_LEN];
  thirl_bytes parts[2];
  if (!m->integrity_at) return THIRL_E_NOT_FOUND;
  size_t n = covered(m, m->integrity_at, sizeof mac, head, parts);
  thirl_error e = thirl_hash_hmac_sha1(key, parts, n, mac);
  if (e != THIRL_OK) return e;
  thirl_bytes got = {m->raw.p + m->integrity_at + ATTR_HEADER_LEN, sizeof mac};
  return thirl_bytes_equal_secret(got, THIRL_BYTES(mac, sizeof mac)) ? THIRL_OK : THIRL_E_INTEGRITY;
}

thirl_error thirl_stun_integrity_check256(const thirl_stun_msg *m, thirl_bytes key) {
  uint8_t head[THIRL_STUN_HEADER_LEN], mac[THIRL_SHA256_LEN];
  thirl_bytes parts[2];
  if (!m->integrity256_at) return THIRL_E_NOT_FOUND;
  if (thirl_bytes_get_u16(m->raw.p + m->integrity256_at + 2) != sizeof mac) return THIRL_E_INTEGRITY;
  size_t n = covered(m, m->integrity256_at, sizeof mac, head, parts);
  thirl_error e = thirl_hash_hmac_sha256(key, parts, n, mac);
  if (e != THIRL_OK) return e;
  thirl_bytes got = {m->raw.p + m->integrity256_at + ATTR_HEADER_LEN, sizeof mac};
  return thirl_bytes_equal_secret(got, THIRL_BYTES(mac, sizeof mac)) ? THIRL_OK : THIRL_E_INTEGRITY;
}

/* ---- long-term credentials ---- */

typedef thirl_error (*digest)(thirl_bytes in, uint8_t *out);

static thirl_error digest_joined(digest hash, const thirl_bytes *parts, size_t n_parts, uint8_t *out) {
  uint8_t small[512], *buf = small;
  size_t n = 0;
  for (size_t i = 0; i < n_parts; i++)
    n += parts[i].n;
  if (n > sizeof small && !(buf = malloc(n))) return THIRL_E_NOMEM;
  thirl_writer w = thirl_writer_of(buf, n);
  for (size_t i = 0; i < n_parts; i++)
    thirl_writer_bytes(&w, parts[i]);
  thirl_error e = hash(thirl_writer_done(&w), out);
  thirl_bytes_wipe(buf, n);
  if (buf != small) free(buf);
  return e;
}

thirl_error thirl_stun_integrity_key_md5(thirl_bytes user, thirl_bytes realm, thirl_bytes password, uint8_t out[16]) {
  thirl_bytes parts[] = {user, colon, realm, colon, password};
  return digest_joined(thirl_hash_md5, parts, 5, out);
}

thirl_error thirl_stun_integrity_key_sha256(thirl_bytes user, thirl_bytes realm, thirl_bytes password,
                                            uint8_t out[32]) {
  thirl_bytes parts[] = {user, colon, realm, colon, password};
  return digest_joined(thirl_hash_sha256, parts, 5, out);
}

thirl_error thirl_stun_integrity_userhash(thirl_bytes user, thirl_bytes realm, uint8_t out[32]) {
  thirl_bytes parts[] = {user, colon, realm};
  return digest_joined(thirl_hash_sha256, parts, 3, out);
}
