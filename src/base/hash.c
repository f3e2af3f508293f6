/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <pthread.h>
#include <string.h>

#include <openssl/evp.h>

enum { BLOCK = 64 }; /* of SHA-1 and SHA-256; RFC 2104's B */

/* Fetching an algorithm by name costs more than hashing a short message: fetch once for the process. */
static struct {
  pthread_once_t once;
  EVP_MD *sha1, *sha256, *md5;
  pthread_key_t context;
  bool has_context;
} fetched = {.once = PTHREAD_ONCE_INIT};

static void free_context(void *ctx) {
  EVP_MD_CTX_free(ctx);
}

static void fetch(void) {
  fetched.sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
  fetched.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  fetched.md5 = EVP_MD_fetch(NULL, "MD5", NULL);
  fetched.has_context = pthread_key_create(&fetched.context, free_context) == 0;
}

/* One context for each thread, reused by every hash: making one costs as much as hashing. NULL when it cannot be made. */
static EVP_MD_CTX *context(void) {
  if (!fetched.has_context) return NULL;
  EVP_MD_CTX *ctx = pthread_getspecific(fetched.context);
  if (ctx) return ctx;
  ctx = EVP_MD_CTX_new();
  if (ctx && pthread_setspecific(fetched.context, ctx) == 0) return ctx;
  EVP_MD_CTX_free(ctx);
  return NULL;
}

/* The hash of head (of head_n bytes, may be 0) and then the parts. */
static thirl_error digest(const EVP_MD *md, const uint8_t *head, size_t head_n, const thirl_bytes *parts,
                          size_t n_parts, uint8_t *out) {
  EVP_MD_CTX *ctx = context();
  if (!ctx || !md || EVP_DigestInit_ex2(ctx, md, NULL) != 1) return THIRL_E_CRYPTO;
  int ok = head_n == 0 || EVP_DigestUpdate(ctx, head, head_n) == 1;
  for (size_t i = 0; ok && i < n_parts; i++)
    if (parts[i].n) ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1;
  return ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1 ? THIRL_OK : THIRL_E_CRYPTO;
}

thirl_error thirl_hash_sha256(thirl_bytes in, uint8_t out[THIRL_SHA256_LEN]) {
  pthread_once(&fetched.once, fetch);
  return digest(fetched.sha256, NULL, 0, &in, 1, out);
}

thirl_error thirl_hash_md5(thirl_bytes in, uint8_t out[THIRL_MD5_LEN]) {
  pthread_once(&fetched.once, fetch);
  return digest(fetched.md5, NULL, 0, &in, 1, out);
}

/* RFC 2104: H(K ^ opad, H(K ^ ipad, text)), a key longer than a block hashed first. EVP_MAC takes three times as long for a short message. */
static thirl_error hmac(const EVP_MD *md, thirl_bytes key, const thirl_bytes *parts, size_t n_parts, uint8_t *out,
                        size_t out_n) {
  uint8_t inner[BLOCK] = {0}, outer[BLOCK];
  thirl_error e = THIRL_OK;
  if (key.n > BLOCK)
    e = digest(md, NULL, 0, &key, 1, inner);
  else if (key.n)
    memcpy(inner, key.p, key.n);
  for (size_t i = 0; i < BLOCK; i++) {
    outer[i] = inner[i] ^ 0x5c;
    inner[i] ^= 0x36;
  }
  if (e == THIRL_OK) e = digest(md, inner, sizeof inner, parts, n_parts, out);
  thirl_bytes of_inner = {out, out_n};
  if (e == THIRL_OK) e = digest(md, outer, sizeof outer, &of_inner, 1, out);
  thirl_bytes_wipe(inner, sizeof inner);
  thirl_bytes_wipe(outer, sizeof outer);
  return e;
}

thirl_error thirl_hash_hmac_sha1(thirl_bytes key, const thirl_bytes *parts, size_t n_parts,
                                 uint8_t out[THIRL_SHA1_LEN]) {
  pthread_once(&fetched.once, fetch);
  return hmac(fetched.sha1, key, parts, n_parts, out, THIRL_SHA1_LEN);
}

thirl_error thirl_hash_hmac_sha256(thirl_bytes key, const thirl_bytes *parts, size_t n_parts,
                                   uint8_t out[THIRL_SHA256_LEN]) {
  pthread_once(&fetched.once, fetch);
  return hmac(fetched.sha256, key, parts, n_parts, out, THIRL_SHA256_LEN);
}

thirl_error thirl_hash_hkdf(thirl_bytes secret, thirl_bytes salt, thirl_bytes info, uint8_t *out, size_t out_n) {
  uint8_t prk[THIRL_SHA256_LEN], block[THIRL_SHA256_LEN];
  if (out_n > 255u * THIRL_SHA256_LEN) return THIRL_E_RANGE;
  thirl_error e = thirl_hash_hmac_sha256(salt, &secret, 1, prk);
  size_t have = 0;
  for (uint8_t i = 1; e == THIRL_OK && have < out_n; i++) {
    thirl_bytes parts[] = {{block, i == 1 ? 0 : sizeof block}, info, {&i, 1}};
    e = thirl_hash_hmac_sha256(THIRL_BYTES(prk, sizeof prk), parts, 3, block);
    size_t take = out_n - have < sizeof block ? out_n - have : sizeof block;
    memcpy(out + have, block, take);
    have += take;
  }
  thirl_bytes_wipe(prk, sizeof prk);
  thirl_bytes_wipe(block, sizeof block);
  return e;
}

/* Eight bytes at a time: row k advances a byte by k further bytes. */
static uint32_t crc_table[8][256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void crc_fill(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++)
      c = (c & 1) ? 0xedb88320u ^ (c >> 1) : c >> 1;
    crc_table[0][i] = c;
  }
  for (int k = 1; k < 8; k++)
    for (int i = 0; i < 256; i++)
      crc_table[k][i] = crc_table[0][crc_table[k - 1][i] & 0xff] ^ (crc_table[k - 1][i] >> 8);
}

uint32_t thirl_hash_crc32(thirl_bytes in) {
  pthread_once(&crc_once, crc_fill);
  uint32_t c = 0xffffffffu;
  const uint8_t *p = in.p;
  size_t left = in.n;
  for (; left >= 8; left -= 8, p += 8)
    c = crc_table[7][(c ^ p[0]) & 0xff] ^ crc_table[6][(c >> 8 ^ p[1]) & 0xff] ^ crc_table[5][(c >> 16 ^ p[2]) & 0xff] ^
        crc_table[4][c >> 24 ^ p[3]] ^ crc_table[3][p[4]] ^ crc_table[2][p[5]] ^ crc_table[1][p[6]] ^
        crc_table[0][p[7]];
  for (; left; left--, p++)
    c = crc_table[0][(c ^ *p) & 0xff] ^ (c >> 8);
  return c ^ 0xffffffffu;
}
