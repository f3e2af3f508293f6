/* SPDX-License-Identifier: MIT */
#include "secure/identity.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "secure/certificate.h"

struct thirl_secure_identity {
  thirl_p256 *key;
  thirl_peerid peerid;
  X509 *x509;
};

/* Takes the key, in success and failure. */
static thirl_error wrap_take(thirl_p256 *key, thirl_secure_identity **out) {
  uint8_t point[THIRL_P256_PUBLIC_LEN];
  thirl_secure_identity *id = calloc(1, sizeof *id);
  if (!id) {
    thirl_p256_free(key);
    return THIRL_E_NOMEM;
  }
  id->key = key;
  thirl_p256_get_public(key, point);
  thirl_error e = thirl_peerid_of_public(THIRL_BYTES(point, sizeof point), &id->peerid);
  if (e == THIRL_OK) e = thirl_secure_certificate_build(key, &id->peerid, &id->x509);
  if (e != THIRL_OK) {
    thirl_secure_identity_free(id);
    ERR_clear_error();
    return e;
  }
  *out = id;
  return THIRL_OK;
}

thirl_error thirl_secure_identity_generate(thirl_secure_identity **out) {
  thirl_p256 *key;
  *out = NULL;
  thirl_error e = thirl_p256_generate(&key);
  return e == THIRL_OK ? wrap_take(key, out) : e;
}

thirl_error thirl_secure_identity_from_private(const uint8_t scalar[THIRL_P256_PRIVATE_LEN],
                                               thirl_secure_identity **out) {
  thirl_p256 *key;
  *out = NULL;
  thirl_error e = thirl_p256_from_private(scalar, &key);
  return e == THIRL_OK ? wrap_take(key, out) : e;
}

/* There is nobody to ask: without this OpenSSL would prompt on the terminal. */
static int no_password(char *buf, int size, int rwflag, void *ctx) {
  (void)buf, (void)size, (void)rwflag, (void)ctx;
  return -1;
}

static bool is_p256(const EVP_PKEY *pkey) {
  char group[32] = "";
  size_t n = 0;
  return EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof group, &n) == 1 &&
         strcmp(group, SN_X9_62_prime256v1) == 0;
}

/* The scalar alone is taken over; the public point that the text may name is computed, not believed. */
static thirl_error scalar_of(const EVP_PKEY *pkey, uint8_t scalar[THIRL_P256_PRIVATE_LEN]) {
  BIGNUM *d = NULL;
  if (!is_p256(pkey) || EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) != 1) return THIRL_E_SYNTAX;
  int n = BN_bn2binpad(d, scalar, THIRL_P256_PRIVATE_LEN);
  BN_clear_free(d);
  return n == THIRL_P256_PRIVATE_LEN ? THIRL_OK : THIRL_E_SYNTAX;
}

thirl_error thirl_secure_identity_from_pem(thirl_bytes pem, thirl_secure_identity **out) {
  uint8_t scalar[THIRL_P256_PRIVATE_LEN];
  *out = NULL;
  if (pem.n == 0 || pem.n > THIRL_SECURE_IDENTITY_PEM_MAX) return THIRL_E_SYNTAX;
  BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
  if (!bio) return THIRL_E_NOMEM;
  EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
  BIO_free(bio);
  thirl_error e = pkey ? scalar_of(pkey, scalar) : THIRL_E_SYNTAX;
  EVP_PKEY_free(pkey);
  if (e == THIRL_OK) e = thirl_secure_identity_from_private(scalar, out);
  thirl_bytes_wipe(scalar, sizeof scalar);
  ERR_clear_error();
  return e == THIRL_E_RANGE ? THIRL_E_SYNTAX : e;
}

void thirl_secure_identity_free(thirl_secure_identity *id) {
  if (!id) return;
  X509_free(id->x509);
  thirl_p256_free(id->key);
  free(id);
}

thirl_error thirl_secure_identity_to_pem(const thirl_secure_identity *id, char *out, size_t cap, size_t *n) {
  thirl_error e = THIRL_E_CRYPTO;
  char *text = NULL;
  BIO *bio = BIO_new(BIO_s_mem()); /* wipes itself */
  *n = 0;
  if (!bio) return THIRL_E_NOMEM;
  if (PEM_write_bio_PKCS8PrivateKey(bio, thirl_p256_evp(id->key), NULL, NULL, 0, NULL, NULL) == 1) {
    size_t len = (size_t)BIO_get_mem_data(bio, &text);
    e = len < cap ? THIRL_OK : THIRL_E_SPACE;
    if (e == THIRL_OK) {
      memcpy(out, text, len);
      out[len] = '\0';
      *n = len;
    }
  }
  BIO_free(bio);
  ERR_clear_error();
  return e;
}

const thirl_peerid *thirl_secure_identity_peerid(const thirl_secure_identity *id) {
  return &id->peerid;
}

const thirl_p256 *thirl_secure_identity_key(const thirl_secure_identity *id) {
  return id->key;
}

void *thirl_secure_identity_x509(const thirl_secure_identity *id) {
  return id->x509;
}
