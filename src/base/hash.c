/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <pthread.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

/* Fetching an algorithm by name costs more than hashing a short message: fetch once for the process. */
static struct {
  pthread_once_t once;
  EVP_MD *sha1, *sha256, *md5;
  EVP_MAC *hmac;
} fetched = {.once = PTHREAD_ONCE_INIT};

static void fetch(void) {
  fetched.sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
  fetched.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  fetched.md5 = EVP_MD_fetch(NULL, "MD5", NULL);
  fetched.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

static thirl_error digest(EVP_MD *md, thirl_bytes in, uint8_t *out) {
  return md && EVP_Digest(in.p, in.n, out, NULL, md, NULL) == 1 ? THIRL_OK : THIRL_E_CRYPTO;
}

thirl_error thirl_hash_sha256(thirl_bytes in, uint8_t out[THIRL_SHA256_LEN]) {
  pthread_once(&fetched.once, fetch);
  return digest(fetched.sha256, in, out);
}

thirl_error thirl_hash_md5(thirl_bytes in, uint8_t out[THIRL_MD5_LEN]) {
  pthread_once(&fetched.once, fetch);
  return digest(fetched.md5, in, out);
}

static thirl_error hmac(char *digest_name, thirl_bytes key, const thirl_bytes *parts, size_t n_parts, uint8_t *out,
                        size_t out_n) {
  pthread_once(&fetched.once, fetch);
  static const uint8_t no_key[1];
  EVP_MAC_CTX *ctx = fetched.hmac ? EVP_MAC_CTX_new(fetched.hmac) : NULL;
  if (!ctx) return THIRL_E_CRYPTO;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0), OSSL_PARAM_END};
  size_t n = 0;
  int ok = EVP_MAC_init(ctx, key.n ? key.p : no_key, key.n, params);
  for (size_t i = 0; ok && i < n_parts; i++)
    if (parts[i].n) ok = EVP_MAC_update(ctx, parts[i].p, parts[i].n);
  ok = ok && EVP_MAC_final(ctx, out, &n, out_n);
  EVP_MAC_CTX_free(ctx);
  return ok && n == out_n ? THIRL_OK : THIRL_E_CRYPTO;
}

thirl_error thirl_hash_hmac_sha1(thirl_bytes key, const thirl_bytes *parts, size_t n_parts, uint8_t out[THIRL_SHA1_LEN]) {
  char name[] = "SHA1";
  return hmac(name, key, parts, n_parts, out, THIRL_SHA1_LEN);
}

thirl_error thirl_hash_hmac_sha256(thirl_bytes key, const thirl_bytes *parts, size_t n_parts,
                                   uint8_t out[THIRL_SHA256_LEN]) {
  char name[] = "SHA256";
  return hmac(name, key, parts, n_parts, out, THIRL_SHA256_LEN);
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

static uint32_t crc_table[256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void crc_fill(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++)
      c = (c & 1) ? 0xedb88320u ^ (c >> 1) : c >> 1;
    crc_table[i] = c;
  }
}

uint32_t thirl_hash_crc32(thirl_bytes in) {
  pthread_once(&crc_once, crc_fill);
  uint32_t c = 0xffffffffu;
  for (size_t i = 0; i < in.n; i++)
    c = crc_table[(c ^ in.p[i]) & 0xff] ^ (c >> 8);
  return c ^ 0xffffffffu;
}
